"""Excel workbooks (XLSX, XLS, ODS) by calamine: the first sheet that has anything in it, every cell as text."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import python_calamine

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.spool import Spool
from ocm_cti.imports.tables import Row

MIDNIGHT = time(0)
SECONDS_A_DAY = 86_400
#: From here on a workbook may have lost digits; other programs than Excel write exact ones up to the second.
DIGITS_KEPT, DOUBLES_EXACT = 10**15, 2**53
#: A format that shows noughts in front and nothing else: 0000. It may name a language, and what texts look like.
_PADDING = re.compile(r"(?:\[\$[^\]]*\])?(0{2,})(?:;@)?")
_PADDING_STYLE = re.compile(rb'formatCode="(?:\[\$[^\]"]*\])?0{2,}(?:;@)?"')


def read_workbook(path: Path, sheet: str | None = None) -> Collection[Row]:
    """The rows of ``sheet``, else of the first one with anything in it, as the spreadsheet numbers them.

    Raises ImportFailed.
    """
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            if sheet is not None and sheet not in book.sheet_names:
                raise ImportFailed(f"{path}: there is no sheet {sheet!r}; there are: {', '.join(book.sheet_names)}")
            for name in book.sheet_names if sheet is None else [sheet]:
                found = book.get_sheet_by_name(name)
                if any(cell != "" for row in found.iter_rows() for cell in row):
                    return _rows(found, _padded(path, name))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise ImportFailed(
            f"{path}: the workbook can't be read (is it damaged, or has it a password?): {words}"
        ) from None
    return []


def sheet_names(path: Path) -> list[str]:
    """Of a workbook; [] of anything else."""
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            return list(book.sheet_names)
    except (python_calamine.CalamineError, OSError, ValueError):
        return []


def _rows(sheet: python_calamine.CalamineSheet, padded: Mapping[tuple[int, int], int]) -> Collection[Row]:
    rows: Spool[Row] = Spool()
    before = ("",) * (sheet.start[1] if sheet.start else 0)  # columns with nothing in them, which calamine leaves out
    for number, cells in enumerate(sheet.iter_rows(), 1):
        texts = (_text(cell, padded.get((number, place), 0)) for place, cell in enumerate(cells, len(before) + 1))
        rows.append(Row(number, (*before, *texts)))
    return rows.few()


def _padded(path: Path, sheet: str) -> Mapping[tuple[int, int], int]:
    """(row, column) from 1 -> how many digits are shown, of the cells that show noughts in front: a PIN in format 0000.

    calamine gives no formats. openpyxl does, in 8 s where calamine takes 2 (100,000 rows): it is asked only where the
    workbook (XLSX) has such a format at all. Where it can't tell, cells are as they would be without: a PIN of too few
    digits is remarked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _PADDING_STYLE.search(archive.read("xl/styles.xml")) is None:
                return {}
    except (zipfile.BadZipFile, KeyError):
        return {}  # XLS, ODS
    try:
        with contextlib.closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            return {
                (cell.row, cell.column): len(found[1])
                for row in book[sheet].iter_rows()
                for cell in row
                if isinstance(cell.value, int | float) and (found := _PADDING.fullmatch(cell.number_format)) is not None
            }
    except (AttributeError, KeyError, TypeError, ValueError):  # whatever it does not expect in a workbook
        return {}


def _text(cell: object, digits: int = 0) -> str:
    """As the person reads it: whole numbers without ``.0``, at least ``digits`` long, dates as 30.11.2026, times as
    18:30.
    """
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return _number(cell).zfill(digits if cell.is_integer() and 0 <= cell < DIGITS_KEPT else 0)
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y}" if cell.time() == MIDNIGHT else f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%d.%m.%Y}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"
    return str(cell).strip()


def _number(cell: float) -> str:
    """Excel keeps 15 digits and puts noughts for the rest: a longer one is written as one cut short."""
    if not cell.is_integer():
        return repr(cell)
    whole = int(cell)
    if abs(whole) < DIGITS_KEPT or (abs(whole) < DOUBLES_EXACT and whole % 10):
        return str(whole)
    return f"{cell:.14E}"
