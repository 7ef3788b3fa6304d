"""Report rows -> CSV and XLSX. A file appears whole or not at all, and nothing in it can act as a formula."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from ocm_cti.store.errors import StoreError
from ocm_cti.store.report_rows import ATTEMPT_COLUMNS, PEOPLE_COLUMNS, AttemptRow, Column, PersonRow

OPEN = "open"  # in the summary: people who have no outcome yet
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_E164 = re.compile(r"\+\d{1,15}\Z")


def write_csv(path: Path, rows: Sequence[PersonRow], zone: tzinfo | None = None) -> None:
    """As Excel in our countries opens it by a double click: ``;``, UTF-8 with a byte order mark, CRLF.

    Times are of ``zone`` (None: of this machine). Raises StoreError with path and reason; an older file is kept.
    """
    with _whole(path) as unfinished, unfinished.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow([column.heading for column in PEOPLE_COLUMNS])
        for row in rows:
            writer.writerow([_csv_cell(column, getattr(row, column.field), zone) for column in PEOPLE_COLUMNS])


def write_xlsx(
    path: Path, people: Sequence[PersonRow], attempts: Sequence[AttemptRow], zone: tzinfo | None = None
) -> None:
    """Sheets ``summary`` (with a chart of outcomes), ``people`` and ``attempts``; otherwise as ``write_csv``."""
    with _whole(path) as unfinished:
        book = xlsxwriter.Workbook(
            str(unfinished),
            {
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd hh:mm:ss",
            },
        )
        bold = book.add_format({"bold": True, "bottom": 1})
        _summary(book, people, bold)
        _sheet(book.add_worksheet("people"), PEOPLE_COLUMNS, people, bold, zone)
        _sheet(book.add_worksheet("attempts"), ATTEMPT_COLUMNS, attempts, bold, zone)
        book.close()


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file takes its own name when it is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except (OSError, XlsxWriterException) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(f"{path}: the report can't be written: {reason} (is it open in another program?)") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _csv_cell(column: Column, value: object, zone: tzinfo | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{_local(value, zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float | Decimal):
        return str(value)
    text = str(value)
    if text.startswith(_FORMULA) and not (column.is_number and _E164.match(text)):
        return "'" + text  # a spreadsheet would run it
    return text


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _sheet(
    sheet: Any,
    columns: Sequence[Column],
    rows: Sequence[PersonRow] | Sequence[AttemptRow],
    bold: object,
    zone: tzinfo | None,
) -> None:
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.heading, bold)
    for number, row in enumerate(rows, 1):
        for place, column in enumerate(columns):
            _write(sheet, number, place, getattr(row, column.field), zone)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)


def _write(sheet: Any, row: int, place: int, value: object, zone: tzinfo | None) -> None:
    """By the kind of the value, so that text always stays text, whatever it begins with."""
    if value is None or value == "":
        return
    write: Callable[[int, int, Any], object]
    if isinstance(value, bool):
        write, value = sheet.write_string, "yes" if value else "no"
    elif isinstance(value, datetime):
        write, value = sheet.write_datetime, _local(value, zone)
    elif isinstance(value, int | float | Decimal):
        write = sheet.write_number
    else:
        write, value = sheet.write_string, str(value)
    write(row, place, value)


def _summary(book: Any, people: Sequence[PersonRow], bold: object) -> None:
    sheet = book.add_worksheet("summary")
    counts = Counter(row.outcome or OPEN for row in people).most_common()
    sheet.set_column(0, 0, 18)
    for place, heading in enumerate(("outcome", "people", "share")):
        sheet.write_string(0, place, heading, bold)
    share = book.add_format({"num_format": "0%"})
    for number, (outcome, times) in enumerate(counts, 1):
        sheet.write_string(number, 0, outcome)
        sheet.write_number(number, 1, times)
        sheet.write_number(number, 2, times / len(people), share)
    total = len(counts) + 1
    sheet.write_string(total, 0, "people", bold)
    sheet.write_number(total, 1, len(people), bold)
    sheet.write_string(total + 1, 0, "attempts")
    sheet.write_number(total + 1, 1, sum(row.attempts for row in people))
    if not counts:
        return
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "categories": ["summary", 1, 0, len(counts), 0],
            "values": ["summary", 1, 1, len(counts), 1],
            "data_labels": {"value": True},
            "gap": 40,
        }
    )
    chart.set_title({"name": "People by outcome"})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 640, "height": 120 + 32 * len(counts)})
    sheet.insert_chart(0, 4, chart)
