"""What every kind of file is read into: rows of text under the row numbers that the person sees in his own program."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``number`` counts from 1 with the header, as a spreadsheet does; cells are stripped text, "" for an empty one."""

    number: int
    cells: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not any(self.cells)


@dataclass(frozen=True)
class Table:
    """A header and the rows below it. ``encoding`` and ``delimiter`` are None where the file has none (a workbook)."""

    header: tuple[str, ...]
    rows: Collection[Row]
    encoding: str | None = None
    delimiter: str | None = None
