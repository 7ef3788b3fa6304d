"""What a report is about, and how its files are to speak."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from ocm_cti.reports.figures import Summary
from ocm_cti.reports.questions import Question
from ocm_cti.reports.words import Words
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, CampaignRow, DifferentPeople, PersonRow


@dataclass(frozen=True)
class About:
    """``campaigns`` are reported, as they were at ``made_at``; times are shown on the clock of ``zone`` (None: of this
    machine). ``recordings`` is the folder of replies. Numbers are masked on paper unless ``show_numbers``; files of
    rows have them whole. ``different_people``: whoever is in several of the campaigns counts once; None: not counted.
    """

    campaigns: Sequence[CampaignRow]
    made_at: datetime
    words: Words = field(default_factory=Words)
    zone: tzinfo | None = None
    recordings: Path = Path("recordings")
    show_numbers: bool = False
    different_people: DifferentPeople | None = None

    def local(self, moment: datetime) -> datetime:
        """On the clock of the report, without a zone and to the second: spreadsheets know neither."""
        return moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def link(self, recording: str, folder: Path) -> str:
        """The way from ``folder``, where a report lies, to the file of a reply."""
        try:
            return Path(os.path.relpath(self.recordings / recording, folder)).as_posix()
        except ValueError:  # another drive
            return str((self.recordings / recording).absolute())

    @property
    def lists(self) -> list[str]:
        return sorted({each.list_name for each in self.campaigns})


def zone_of(campaigns: Sequence[CampaignRow]) -> tzinfo | None:
    """The clock of their lists when they agree on one; None (this machine's) when they don't, or name none."""
    zones = {each.settings.zone for each in campaigns}
    only = zones.pop() if len(zones) == 1 else ""
    return ZoneInfo(only) if only else None


@dataclass(frozen=True)
class SaidRow:
    """An answer with what it means: the row of files. ``file`` leads to the recording, "" for none."""

    row: AnswerRow
    question: str
    meaning: str
    file: str

    def get(self, name: str) -> object:
        return getattr(self, name) if name in ("question", "meaning", "file") else getattr(self.row, name)


def said(row: AnswerRow, question: Question | None, file: str) -> SaidRow:
    label = row.step if question is None else question.label
    meaning = "" if question is None or row.value is None else question.meaning(row.value)
    return SaidRow(row, label, meaning, file)


class Written(Protocol):
    """A report being written: all people, then all attempts, then all answers, then the figures.

    It is made with the path where it is to be, in a ``with`` block, and stands there when that has ended well.
    """

    def add_person(self, row: PersonRow) -> None: ...

    def add_attempt(self, row: AttemptRow) -> None: ...

    def add_answer(self, row: AnswerRow, question: Question | None) -> None: ...

    def finish(self, summary: Summary) -> None: ...
