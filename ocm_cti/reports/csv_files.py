"""Report -> CSV, as Excel in our countries opens it by a double click, and so that nothing in it acts as a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ocm_cti.domain.cells import neutral
from ocm_cti.reports import tables
from ocm_cti.reports.about import About, said
from ocm_cti.reports.columns import ANSWERS, ATTEMPTS, PEOPLE, Column, headings
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.questions import Question
from ocm_cti.reports.whole import whole
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow

_E164 = re.compile(r"\+\d{1,15}\Z")
#: Beside the file of people: what each of the others holds.
OTHERS = ("attempts", "answers", "summary")


class CsvReport:
    """``report.csv`` with the people, and beside it ``report-attempts.csv``, ``-answers`` and ``-summary``.

    UTF-8 with a byte order mark, CRLF, ``delimiter`` between the cells. Raises ReportNotWritten.
    """

    def __init__(self, path: Path, about: About, delimiter: str = ";") -> None:
        self._about, self._delimiter, self._path = about, delimiter, path
        self._stack = ExitStack()

    @property
    def paths(self) -> list[Path]:
        return [self._path, *(self._path.with_stem(f"{self._path.stem}-{name}") for name in OTHERS)]

    def __enter__(self) -> CsvReport:
        with ExitStack() as stack:
            people, attempts, answers, figures = (self._open(stack, path) for path in self.paths)
            self._stack = stack.pop_all()
        words = self._about.words
        people(headings(PEOPLE, words))
        attempts(headings(ATTEMPTS, words))
        answers(headings(ANSWERS, words))
        figures([words(heading) for heading in ("section", "of", "measure", "value")])
        self._people, self._attempts, self._answers, self._figures = people, attempts, answers, figures
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_person(self, row: PersonRow) -> None:
        self._people([self._cell(column, getattr(row, column.field)) for column in PEOPLE])

    def add_attempt(self, row: AttemptRow) -> None:
        self._attempts([self._cell(column, getattr(row, column.field)) for column in ATTEMPTS])

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        file = self._about.link(row.recording, self._path.parent) if row.recording else ""
        shown = said(row, question, file)
        self._answers([self._cell(column, shown.get(column.field)) for column in ANSWERS])

    def finish(self, summary: Summary) -> None:
        words, plain = self._about.words, Column("", "")
        for section, of, measure, value in tables.long(summary):
            code = words.code(of) if section in ("outcome", "not reached") else of
            cells = (words(section), code, words(measure), round(value, 4) if isinstance(value, float) else value)
            self._figures([self._cell(plain, cell) for cell in cells])

    def _open(self, stack: ExitStack, path: Path) -> Callable[[Sequence[str]], object]:
        unfinished = stack.enter_context(whole(path))
        file = stack.enter_context(unfinished.open("w", encoding="utf-8-sig", newline=""))
        return csv.writer(file, delimiter=self._delimiter, lineterminator="\r\n").writerow

    def _cell(self, column: Column, value: object) -> str:
        value = column.text(value, self._about.words)
        if value is None:
            return ""
        if isinstance(value, bool):
            return self._about.words("yes" if value else "no")
        if isinstance(value, datetime):
            return f"{self._about.local(value):%Y-%m-%d %H:%M:%S}"
        if isinstance(value, int | float | Decimal):
            return str(value)
        text = str(value)
        return text if column.is_number and _E164.match(text) else neutral(text)
