"""Reports made of rows given here, in files of every format."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ocm_cti.reports.about import About
from ocm_cti.reports.compose import compose
from ocm_cti.reports.csv_files import CsvReport
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.json_file import JsonReport
from ocm_cti.reports.words import Words
from ocm_cti.reports.xlsx_file import XlsxReport
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, CampaignRow, PersonRow

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

SURVEY = """\
[[step]]
name = "mark"
type = "survey"
kind = "scale"
question = "How was it?"
message = "x"
min = 1
max = 5
[[step]]
name = "why"
type = "survey"
kind = "single"
question = "Why?"
message = "x"
options = { 1 = "price", 2 = { label = "quality", to = "mark" } }
[[step]]
name = "again"
type = "survey"
kind = "yes_no"
message = "x"
[[step]]
name = "index"
type = "survey"
kind = "digits"
message = "x"
max_length = 6
[[step]]
name = "choice"
type = "ask"
message = "x"
keys = { 0 = "operator", 1 = "hang_up" }
[[step]]
name = "operator"
type = "say"
message = "x"
[[step]]
name = "reply"
type = "record"
message = "x"
"""


def campaign(campaign_id: int = 1, list_name: str = "debtors", **more: Any) -> CampaignRow:
    given: dict[str, Any] = {
        "state": "running",
        "paused_why": "",
        "started_at": T0,
        "ended_at": None,
        "scenario": SURVEY,
    }
    return CampaignRow(campaign_id=campaign_id, list_name=list_name, **(given | more))


def person(**more: Any) -> PersonRow:
    made = PersonRow(
        campaign_id=1,
        list_name="debtors",
        name="Анна",
        number="+74951234501",
        outcome="confirmed",
        attempts=1,
        not_counted=0,
        last_attempt_at=T0,
        answered_at=T0 + timedelta(seconds=9),
        keys="1",
        heard_s=12.3,
        of_s=15.0,
        recordings="",
        answers="",
        cause="normal",
        native_cause="",
        why="",
        key="7",
        times_answered=1,
    )
    return replace(made, **more)


def attempt(**more: Any) -> AttemptRow:
    made = AttemptRow(
        campaign_id=1,
        list_name="debtors",
        name="Анна",
        attempt_no=1,
        number="+74951234501",
        gateway="office",
        port="301",
        state="finished",
        outcome="confirmed",
        counted=True,
        claimed_at=T0,
        answered_at=T0 + timedelta(seconds=9),
        ended_at=T0 + timedelta(seconds=29),
        ended_by="person",
        certain=True,
        keys="1",
        heard_s=12.3,
        of_s=15.0,
        recordings="",
        answers="",
        cause="normal",
        native_cause="",
        talked_s=20.0,
        attempt_id=5,
    )
    return replace(made, **more)


def answer(step: str, value: str | None, recording: str | None = None, **more: Any) -> AnswerRow:
    given: dict[str, Any] = {"campaign_id": 1, "list_name": "debtors", "name": "Анна", "key": "7", "attempt_id": 5}
    given |= {"number": "+74951234501", "at": T0, "scenario": ""}
    return AnswerRow(step=step, value=value, recording=recording, **(given | more))


def write_report(
    folder: Path,
    campaigns: Sequence[CampaignRow],
    people: Sequence[PersonRow] = (),
    attempts: Sequence[AttemptRow] = (),
    answers: Sequence[AnswerRow] = (),
    *,
    language: str = "en",
    delimiter: str = ";",
    formats: Sequence[str] = ("csv", "xlsx", "json"),
) -> Summary:
    """``report.csv`` and so on in the folder; times in UTC."""
    about = About(campaigns, T0, Words(language), UTC, folder / "recordings")
    with ExitStack() as stack:
        files: list[Any] = []
        for name in formats:
            path = folder / f"report.{name}"
            file: Any = {
                "csv": lambda path=path: CsvReport(path, about, delimiter),
                "xlsx": lambda path=path: XlsxReport(path, about),
                "json": lambda path=path: JsonReport(path, about),
                "pdf": lambda path=path: _pdf(path, about),
            }[name]()
            files.append(stack.enter_context(file))
        return compose(about, people, attempts, answers, files)


def _pdf(path: Path, about: About) -> Any:
    from ocm_cti.reports.pdf_file import PdfReport

    return PdfReport(path, about)
