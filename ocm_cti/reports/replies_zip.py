"""Recorded replies -> one ZIP; unpacked beside the other files of a report, it is where their links lead."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ocm_cti.reports.about import About
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.questions import Question
from ocm_cti.reports.whole import whole
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow

#: Where the links of the other files lead.
FOLDER = "replies"
#: Beside the sounds: whose recording is not there any more.
MISSING = "missing.txt"


class RepliesZip:
    """Of each reply of the report the file from ``recordings``; nothing from outside of it. Raises ReportNotWritten."""

    def __init__(self, path: Path, about: About, recordings: Path) -> None:
        self._path, self._recordings = path, recordings.resolve()
        self._missing: list[str] = []
        self._stack = ExitStack()

    @property
    def paths(self) -> list[Path]:
        return [self._path]

    def __enter__(self) -> RepliesZip:
        with ExitStack() as stack:
            unfinished = stack.enter_context(whole(self._path))
            # Sound of a telephone hardly gets smaller: it is only put together.
            self._zip = stack.enter_context(zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_person(self, row: PersonRow) -> None:
        pass

    def add_attempt(self, row: AttemptRow) -> None:
        pass

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        if not row.recording:
            return
        path = (self._recordings / row.recording).resolve()
        if path.is_relative_to(self._recordings) and path.is_file():
            self._zip.write(path, f"{FOLDER}/{row.recording}")
        else:
            self._missing.append(row.recording)

    def finish(self, summary: Summary) -> None:
        if self._missing:
            self._zip.writestr(f"{FOLDER}/{MISSING}", "".join(f"{name}\n" for name in self._missing))
