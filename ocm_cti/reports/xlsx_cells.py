"""Values -> cells of a workbook, by the kind of the value: text stays text, whatever it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ocm_cti.reports.about import About
from ocm_cti.reports.columns import Column
from ocm_cti.reports.tables import Share, Table

#: Rows of a sheet, with its headings; more people go on in another sheet.
MOST_ROWS = 1_048_576
#: Excel opens no sheet with more links.
MOST_LINKS = 65_000
#: Characters in a cell.
_LONGEST = 32_767
#: Points: two lines.
_HEADINGS_HIGH = 31


class Cells:
    """The formats of one workbook, and how values are written with them."""

    def __init__(self, book: Any, about: About, folder: Path) -> None:
        self.book, self.about, self.folder = book, about, folder
        self.bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.bold_right = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "align": "right"}
        )
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.share = book.add_format({"num_format": "0.0%"})
        self.money = book.add_format({"num_format": "#,##0.00"})
        self.link = book.add_format({"font_color": "#0563C1", "underline": 1})

    def write(self, sheet: Any, row: int, place: int, value: object, style: object = None) -> None:
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_string(row, place, self.about.words("yes" if value else "no"), style)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, place, self.about.local(value), style)
        elif isinstance(value, Share):
            sheet.write_number(row, place, value, style or self.share)
        elif isinstance(value, Decimal):
            sheet.write_number(row, place, value, style or self.money)
        elif isinstance(value, int | float):
            sheet.write_number(row, place, value, style)
        else:
            sheet.write_string(row, place, str(value)[:_LONGEST], style)


class Rows:
    """A sheet of single rows, continued on another one when it is full."""

    def __init__(self, cells: Cells, name: str, columns: Sequence[Column]) -> None:
        self._cells, self._name, self._columns = cells, name, columns
        self._parts = 0
        self._begin()

    def add(self, values: Sequence[object]) -> None:
        if self._row == MOST_ROWS:
            self.finish()
            self._begin()
        for place, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            if column.is_file and value and self._links < MOST_LINKS:
                self._links += 1
                # Of several replies the first; the sheet of answers leads to each.
                file = self._cells.about.link(str(value).split(", ")[0], self._cells.folder)
                self._sheet.write_url(self._row, place, f"external:{file}", self._cells.link, str(value)[:_LONGEST])
            else:
                self._cells.write(self._sheet, self._row, place, column.text(value, self._cells.about.words))
        self._row += 1

    def finish(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row - 1, 1), len(self._columns) - 1)

    def _begin(self) -> None:
        self._parts += 1
        name = self._name if self._parts == 1 else f"{self._name} {self._parts}"
        self._sheet = self._cells.book.add_worksheet(name)
        self._row, self._links = 1, 0
        self._sheet.set_row(0, _HEADINGS_HIGH)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, column.width)
            self._cells.write(self._sheet, 0, place, column.title(self._cells.about.words), self._cells.bold)
        self._sheet.freeze_panes(1, 3)
        on_paper(self._sheet, wide=2)
        self._sheet.repeat_rows(0)
        self._sheet.repeat_columns(0, 2)


class Page:
    """Cells of a sheet of figures, in any order: the workbook itself wants them row by row."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._put: dict[tuple[int, int], tuple[object, object]] = {}

    def put(self, row: int, place: int, value: object, style: object = None) -> None:
        self._put[row, place] = (value, style)

    def table(self, row: int, table: Table, *, titled: bool = True) -> int:
        """Its title, its headings, its rows from ``row`` on; gives the first row after it."""
        words = self._cells.about.words
        if titled:
            self.put(row, 0, words.heading(table.title), self._cells.title)
            row += 1
        for place, heading in enumerate(table.headings):
            is_text = any(isinstance(values[place], str) for values in table.rows)
            self.put(row, place, words(heading), self._cells.bold if is_text else self._cells.bold_right)
        for values in table.rows:
            row += 1
            for place, value in enumerate(values):
                is_code = place in table.codes and isinstance(value, str)
                self.put(row, place, words.code(str(value)) if is_code else value)
        return row + 1

    def flush(self, sheet: Any) -> None:
        for (row, place), (value, style) in sorted(self._put.items(), key=lambda item: item[0]):
            self._cells.write(sheet, row, place, value, style)


def on_paper(sheet: Any, *, wide: int = 1, pages: int = 0) -> None:
    """A4 on its side, the columns on ``wide`` pages, the rows on ``pages`` (0: as many as it takes).

    No green corners at keys and numbers: they are text on purpose.
    """
    sheet.ignore_errors({"number_stored_as_text": f"A1:AZ{MOST_ROWS}"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(wide, pages)
    sheet.set_footer("&C&P / &N")
