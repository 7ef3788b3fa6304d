"""Report -> one JSON document, for programs. Keys are only ever added.

======================= ==============================================================================================
``format``, ``version`` ``"ocm-report"``, 1
``made_at``             when; every time is ISO 8601 in UTC (``2026-11-23T09:00:00Z``), every duration seconds
``people``              one object a person, keys as the fields of ``store.report_rows.PersonRow``
``attempts``            one object an attempt, keys as the fields of ``AttemptRow``
``answers``             one object an answer or reply: fields of ``AnswerRow``, ``question``, ``meaning``, ``file``
``campaigns``           id, list, state, times, and its ``totals``
``lists``, ``total``    totals of each list, and of everything
``different_people``    whoever is in several campaigns counted once; ``different_reached``: of these, in any of them
``questions``           of each list: step, kind, label, how many answered, ``answers`` with counts and shares, ``mean``
``not_reached``         how many people were not reached, and why
``hours``, ``tries``    attempts by hour of the day on the list's clock; people by tries until they were reached
``ports``, ``trunks``   what each line did
======================= ==============================================================================================

Costs are decimal numbers as text (``"12.50"``), so that nothing rounds them; ``recordings`` and ``file`` lead to the
sound files from the folder of the report; null is what is not known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from ocm_cti.reports.about import About, said
from ocm_cti.reports.figures import Bills, LineFigures, Summary, Totals
from ocm_cti.reports.questions import Question
from ocm_cti.reports.whole import whole
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow

_SECTIONS = ("people", "attempts", "answers")


class JsonReport:
    """Written row by row, one line each: a million people need no more memory than one. Raises ReportNotWritten."""

    def __init__(self, path: Path, about: About) -> None:
        self._path, self._about = path, about
        self._stack = ExitStack()
        self._section = -1  # the array that is open
        self._first = True

    @property
    def paths(self) -> list[Path]:
        return [self._path]

    def __enter__(self) -> JsonReport:
        with ExitStack() as stack:
            unfinished = stack.enter_context(whole(self._path))
            self._file: TextIO = stack.enter_context(unfinished.open("w", encoding="utf-8", newline="\n"))
            self._stack = stack.pop_all()
        head = {"format": "ocm-report", "version": 1, "made_at": self._about.made_at}
        self._file.write("{\n" + ",\n".join(f"{_text(key)}: {_text(value)}" for key, value in head.items()))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_person(self, row: PersonRow) -> None:
        self._row(0, vars(row) | {"recordings": self._links(row.recordings)})

    def add_attempt(self, row: AttemptRow) -> None:
        self._row(1, vars(row) | {"recordings": self._links(row.recordings)})

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        file = self._about.link(row.recording, self._path.parent) if row.recording else ""
        shown = said(row, question, file)
        own = {"question": shown.question, "meaning": shown.meaning, "file": file or None}
        self._row(2, vars(row) | own)

    def finish(self, summary: Summary) -> None:
        self._open(len(_SECTIONS))
        for key, value in figures_of(summary).items():
            self._file.write(f",\n{_text(key)}: {_text(value)}")
        self._file.write("\n}\n")

    def _row(self, section: int, value: Mapping[str, object]) -> None:
        self._open(section)
        self._file.write(("\n" if self._first else ",\n") + _text(value))
        self._first = False

    def _open(self, section: int) -> None:
        if section < self._section:
            raise ValueError(f"{_SECTIONS[section]} were written already")
        while self._section < section:
            if self._section >= 0:
                self._file.write("\n]")
            self._section += 1
            self._first = True
            if self._section < len(_SECTIONS):
                self._file.write(f",\n{_text(_SECTIONS[self._section])}: [")

    def _links(self, recordings: str) -> list[str]:
        return [self._about.link(name, self._path.parent) for name in recordings.split(", ")] if recordings else []


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no place in a report")


def figures_text(summary: Summary) -> str:
    """The figures alone, as JSON: ``total`` and what follows it in the document."""
    return _text(figures_of(summary))


def figures_of(summary: Summary) -> dict[str, object]:
    different = summary.different_people
    return {
        "total": _totals(summary.total),
        "different_people": None if different is None else different.people,
        "different_reached": None if different is None else different.reached,
        "lists": [{"list": name, "totals": _totals(totals)} for name, totals in summary.lists],
        "campaigns": [
            {
                "campaign_id": row.campaign_id,
                "list": row.list_name,
                "state": row.state,
                "paused_why": row.paused_why,
                "started_at": row.started_at,
                "ended_at": row.ended_at,
                "totals": _totals(totals),
            }
            for row, totals in summary.campaigns
        ],
        "questions": [
            {
                "list": each.list_name,
                "step": each.question.step,
                "kind": each.question.kind,
                "label": each.question.label,
                "answered_call": each.answered_call,
                "people": each.people,
                "mean": each.mean,
                "answers": [asdict(answer) for answer in each.answers],
                "left_out": each.left_out,
            }
            for each in summary.questions
        ],
        "not_reached": [asdict(each) for each in summary.not_reached],
        "hours": [asdict(each) for each in summary.hours],
        "tries": [{"tries": tries, "people": people} for tries, people in summary.tries.items()],
        "ports": [_line(each) for each in summary.ports],
        "trunks": [_line(each) for each in summary.trunks],
    }


def _totals(totals: Totals) -> dict[str, object]:
    plain = asdict(totals) | {"open": totals.open, "reached_share": totals.reached_share}
    return plain | {"billed": _bills(totals.billed)}


def _line(line: LineFigures) -> dict[str, object]:
    return asdict(line) | {"billed": _bills(line.billed)}


def _bills(billed: Bills) -> dict[str, object]:
    return {"seconds": billed.seconds, "costs": dict(billed.costs)}
