"""Report -> a workbook: figures with native charts, then the people, the attempts and the answers, a sheet of each."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter

from ocm_cti.reports import tables, xlsx_figures
from ocm_cti.reports.about import About, said
from ocm_cti.reports.columns import ANSWERS, ATTEMPTS, PEOPLE
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.questions import Question, questions
from ocm_cti.reports.whole import whole
from ocm_cti.reports.xlsx_cells import Cells, Rows
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow

_OPTIONS = {
    "constant_memory": True,  # rows go to disk as they come
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
}


class XlsxReport:
    """Sheets: summary, questions (where the scenarios have any), campaigns, ports, people, attempts, answers.

    Raises ReportNotWritten.
    """

    def __init__(self, path: Path, about: About) -> None:
        self._path, self._about = path, about
        self._stack = ExitStack()

    @property
    def paths(self) -> list[Path]:
        return [self._path]

    def __enter__(self) -> XlsxReport:
        with ExitStack() as stack:
            unfinished = stack.enter_context(whole(self._path))
            rows = stack.enter_context(TemporaryDirectory(prefix="ocm-report-", ignore_cleanup_errors=True))
            self._book = xlsxwriter.Workbook(str(unfinished), {**_OPTIONS, "tmpdir": rows})
            words = self._about.words
            scenarios = [
                text for each in self._about.campaigns for text in (each.scenario, *each.own_scenarios.values())
            ]
            asks = any(questions(text) for text in scenarios)
            names = ("summary", *(("questions",) if asks else ()), "campaigns", "ports")
            self._sheets = {name: self._book.add_worksheet(words(name)) for name in names}
            self._cells = Cells(self._book, self._about, self._path.parent)
            self._people = Rows(self._cells, words("people"), PEOPLE)
            self._attempts = Rows(self._cells, words("attempts"), ATTEMPTS)
            self._answers = Rows(self._cells, words("answers"), ANSWERS)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_person(self, row: PersonRow) -> None:
        self._people.add([getattr(row, column.field) for column in PEOPLE])

    def add_attempt(self, row: AttemptRow) -> None:
        self._attempts.add([getattr(row, column.field) for column in ATTEMPTS])

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        file = self._about.link(row.recording, self._path.parent) if row.recording else ""
        shown = said(row, question, file)
        self._answers.add([shown.get(column.field) for column in ANSWERS])

    def finish(self, summary: Summary) -> None:
        for rows in (self._people, self._attempts, self._answers):
            rows.finish()
        xlsx_figures.summary_sheet(self._cells, self._sheets["summary"], summary)
        if "questions" in self._sheets:
            xlsx_figures.questions_sheet(self._cells, self._sheets["questions"], summary.questions)
        xlsx_figures.tables_sheet(self._cells, self._sheets["campaigns"], [tables.groups(summary)])
        lines = (tables.lines("ports", "port", summary.ports), tables.lines("trunks", "trunk", summary.trunks))
        xlsx_figures.tables_sheet(self._cells, self._sheets["ports"], [table for table in lines if table.rows])
        self._sheets["summary"].activate()
        self._book.close()
