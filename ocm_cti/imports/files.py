"""A file of people, whatever wrote it -> a Table. What it is, its first octets tell, not its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ocm_cti.imports import text_files
from ocm_cti.imports.columns import NoNumberColumn, map_columns
from ocm_cti.imports.dbf_files import is_dbf, read_dbf
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Row, Table
from ocm_cti.imports.workbooks import read_workbook

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # a ZIP archive (XLSX, ODS), an OLE file (XLS)
#: Accountants write a title above the table; the header is looked for in so many rows.
HEADER_WITHIN = 20


def read_rows(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    said: Mapping[str, str] | None = None,
) -> Table:
    """Read ``path``; ``encoding``, ``delimiter`` and ``sheet`` override what would be found out; ``said`` is what the
    user says of its columns, which tells a header that nothing else would.

    Raises ImportFailed, one line: unreadable, empty, or without a column of telephone numbers.
    """
    cells = read_cells(path, encoding=encoding, delimiter=delimiter, sheet=sheet)
    return _under_header(cells.rows, path, cells.encoding, cells.delimiter, said)


@dataclass(frozen=True)
class Cells:
    """A file without any idea of what stands in it; ``encoding`` and ``delimiter`` are None where it has none."""

    rows: Collection[Row]
    encoding: str | None = None
    delimiter: str | None = None


def read_cells(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> Cells:
    """All rows of any file that is read here, the first of them a header or not. Raises ImportFailed."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            is_workbook = start.startswith(_WORKBOOKS)
            octets = b"" if is_workbook else start + file.read()
    except FileNotFoundError:
        raise ImportFailed(f"{path}: no such file") from None
    except OSError as error:
        raise ImportFailed(f"{path}: can't be read: {error.strerror or error}") from None
    if is_workbook:
        return Cells(read_workbook(path, sheet))
    if is_dbf(path, octets):
        return Cells(*read_dbf(path, encoding))
    if encoding is None:
        text, encoding = text_files.decode(octets, str(path))
    else:
        text = text_files.named_encoding(octets, encoding, str(path))
    rows, delimiter = text_files.parse(text, delimiter, str(path))
    return Cells(rows, encoding, delimiter)


def _under_header(
    rows: Collection[Row], path: Path, encoding: str | None, delimiter: str | None, said: Mapping[str, str] | None
) -> Table:
    filled = list(islice((row for row in rows if not row.empty), HEADER_WITHIN))
    if not filled:
        raise ImportFailed(f"{path}: is empty")
    found = [row for row in filled if _has_numbers(row, said)]
    for header in [row for row in found if not _is_title(row, found)][:1]:
        below = _Below(rows, header.number).few()
        if not below:
            raise ImportFailed(f"{path}: there is nobody below the headings (row {header.number})")
        return Table(header.cells, below, encoding, delimiter)
    first = " ".join(", ".join(cell for cell in filled[0].cells if cell).split())
    raise ImportFailed(
        f"{path}: no column of telephone numbers; its heading must be such as Телефон, Номер телефону, Phone, "
        f"or name it: --map 'HEADING=phone'; "
        f"found: {first[:120]}"
    )


class _Below(Collection[Row]):
    """Those rows behind the header that are not empty."""

    def __init__(self, rows: Collection[Row], header: int) -> None:
        self._rows, self._header = rows, header
        self._count = sum(1 for _ in self)

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self._rows if row.number > self._header and not row.empty)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)

    def few(self) -> Collection[Row]:
        """A plain list where the rows are one."""
        return list(self) if isinstance(self._rows, list) else self


def _has_numbers(row: Row, said: Mapping[str, str] | None) -> bool:
    try:
        map_columns(row.cells, said)
    except NoNumberColumn:
        return False
    return True


def _is_title(row: Row, candidates: Sequence[Row]) -> bool:
    """``Список телефонов должников`` above the headings proper: words in one cell, where another row has several."""

    def filled(row: Row) -> list[str]:
        return [cell for cell in row.cells if cell]

    cells = filled(row)
    return len(cells) == 1 and " " in cells[0] and any(len(filled(other)) > 1 for other in candidates)
