"""What somebody writes who is to stop calls: entries as typed, or a file of any kind with a number in each row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.domain.stop_lists import entry, is_pattern
from ocm_cti.imports.columns import NoNumberColumn, map_columns
from ocm_cti.imports.files import read_cells
from ocm_cti.imports.tables import Row
from ocm_cti.imports.telephones import digits_beyond_country, split_cell, to_e164

#: A pattern with fewer digits behind the country's code means a good part of the country; 3 are one area's, one
#: operator's (+7900*).
DIGITS_OF_A_PATTERN = 3


@dataclass(frozen=True)
class Entries:
    """``kept`` as a stop list keeps them, each once; ``wrong``: one line for each that is none, and where it stands."""

    kept: Sequence[str]
    wrong: Sequence[str]


def read_entries(written: Iterable[str], region: str | None) -> Entries:
    """Each of them, or for ``@FILE`` those of the file. ``region`` is the country of numbers without one; None: they
    must have it. Raises ImportFailed for a file that can't be read.

    In a file, the columns whose headings say telephone count; without headings the first; # begins a remark.
    """
    kept: list[str] = []
    wrong: list[str] = []
    for one in written:
        for text, where in _of_file(Path(one[1:])) if one.startswith("@") else [(one, "")]:
            try:
                kept.append(_entry(text, region))
            except ValueError as error:
                wrong.append(f"{where}{error}")
    return Entries(list(dict.fromkeys(kept)), wrong)


def typed_entries(text: str, region: str | None) -> Entries:
    """What is typed or pasted into a form: one in each line, or between commas and semicolons. Files are not read."""
    kept: list[str] = []
    wrong: list[str] = []
    for one in filter(None, (piece.strip() for piece in re.split(r"[\r\n,;]", text))):
        try:
            kept.append(_entry(one, region))
        except ValueError as error:
            wrong.append(str(error))
    return Entries(list(dict.fromkeys(kept)), wrong)


def too_wide(entries: Iterable[str]) -> list[str]:
    """Those patterns which mean a country or most of one."""
    return [one for one in entries if is_pattern(one) and digits_beyond_country(one) < DIGITS_OF_A_PATTERN]


def _entry(text: str, region: str | None) -> str:
    try:
        return entry(text)
    except ValueError:
        if region is None or is_pattern(text) or text.startswith("+"):
            raise
    return to_e164(text, region)


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    """(what is written, where)"""
    rows = [row for row in read_cells(path).rows if not row.empty]
    places = _number_places(rows[0]) if rows else []
    for row in rows[1:] if places else rows:
        cells = list(_without_remark(row.cells))
        where = f"{path}:{row.number}: "
        for place in places or [0]:
            if place < len(cells) and cells[place]:
                yield from ((one, where) for one in split_cell(cells[place]))
        if not places and any(_has_plus(cell) for cell in cells[1:]):
            # Nobody may be called because his number stood beside another one.
            yield from ((cell, where) for cell in cells[1:] if _has_plus(cell))


def _number_places(first: Row) -> list[int]:
    try:
        return [place for place, _ in map_columns(first.cells).numbers]
    except NoNumberColumn:
        return []


def _without_remark(cells: Sequence[str]) -> Iterator[str]:
    for cell in cells:
        before, remark, _ = cell.partition("#")
        yield before.strip()
        if remark:
            return


def _has_plus(cell: str) -> bool:
    return cell.startswith("+")
