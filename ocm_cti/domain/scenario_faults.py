"""What is wrong with a scenario as written, and on which line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_STEP = re.compile(r"^\s*\[\[\s*step\s*\]\]", re.MULTILINE)
_HEADER = re.compile(r"^\s*\[")


class ScenarioError(ValueError):
    """The scenario can't be used; the text is one line with the step, its line in the file and what is wrong.

    ``place`` is the step or variable, ``line`` counts from 1 (None: not to be told), ``what`` is the fault alone.
    """

    def __init__(self, place: str, what: str, line: int | None = None) -> None:
        super().__init__(f"{located(place, line)}: {what}")
        self.place = place
        self.what = what
        self.line = line


def located(place: str, line: int | None) -> str:
    """A place for an error text: ``step 'name' (line 7)``."""
    return place if line is None else f"{place} (line {line})"


class Faults:
    """All that is wrong, in the order of finding; ``wrong`` forbids the scenario, ``remarks`` do not."""

    def __init__(self) -> None:
        self.wrong: list[ScenarioError] = []
        self.remarks: list[ScenarioError] = []

    def add(self, place: str, what: str, line: int | None = None) -> None:
        self.wrong.append(ScenarioError(place, what, line))

    def remark(self, place: str, what: str, line: int | None = None) -> None:
        self.remarks.append(ScenarioError(place, what, line))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """A ScenarioError raised inside is kept, and reading goes on behind."""
        try:
            yield
        except ScenarioError as error:
            self.wrong.append(error)


class Lines:
    """Where things stand in the text of a scenario. By the look of the lines: the TOML reader keeps no places.

    None where nothing looks like it, or where the steps are not written as ``[[step]]``.
    """

    def __init__(self, text: str, steps: int) -> None:
        self._lines = text.split("\n")
        found = [text.count("\n", 0, header.end()) + 1 for header in _STEP.finditer(text)]
        self._steps = found if len(found) == steps else []

    def step(self, number: int, key: str | None = None) -> int | None:
        """Of the step (from 0), or of a key of it; the step's own where the key is not written."""
        if not self._steps:
            return None
        begin = self._steps[number]
        if key is None:
            return begin
        end = self._steps[number + 1] if number + 1 < len(self._steps) else len(self._lines) + 1
        written = re.compile(rf"\s*(?:[\"']?{re.escape(key)}[\"']?\s*[=.]|\[\s*step\s*\.\s*{re.escape(key)}\b)")
        return self._first(written, begin + 1, end) or begin

    def variable(self, name: str) -> int | None:
        """Of its declaration."""
        begin = self._first(re.compile(r"\s*\[\s*variables\s*[\].]"), 1, len(self._lines) + 1)
        if begin is None:
            return None
        quoted = rf"[\"']?{re.escape(name)}[\"']?"
        own_table = re.compile(rf"\s*\[\s*variables\s*\.\s*{quoted}\s*\]")
        for line in range(begin, len(self._lines) + 1):
            text = self._lines[line - 1]
            if own_table.match(text) or re.match(rf"\s*{quoted}\s*[=.]", text):
                return line
            if _HEADER.match(text) and not re.match(r"\s*\[\s*variables\b", text):
                break
        return begin

    def top(self, key: str) -> int | None:
        """Of a key before the first table."""
        first = self._first(_HEADER, 1, len(self._lines) + 1) or len(self._lines) + 1
        return self._first(re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]"), 1, first)

    def _first(self, pattern: re.Pattern[str], begin: int, end: int) -> int | None:
        return next((line for line in range(begin, end) if pattern.match(self._lines[line - 1])), None)
