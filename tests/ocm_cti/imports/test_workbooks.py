"""Excel workbooks: cells as a person reads them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.files import read_rows


def book(path: Path, *rows: list[object], before: int = 0) -> Path:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for _ in range(before):
        sheet.append([])
    for row in rows:
        sheet.append(row)
    made.save(path)
    return path


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (84951234501, "84951234501"),
        (380501234567.0, "380501234567"),
        (12345.67, "12345.67"),
        (4276380012345678, "4276380012345678"),
        (4276380012345670, "4.27638001234567E+15"),  # Excel put the nought
        (40817810099910000000, "4.08178100999100E+19"),
        (" text ", "text"),
        ("0123", "0123"),
        (date(2026, 11, 30), "30.11.2026"),
        (datetime(2026, 11, 30, 8, 30), "30.11.2026 08:30"),  # noqa: DTZ001 (a workbook knows no zones)
        (time(8, 30), "08:30"),
        (timedelta(hours=26, minutes=5), "26:05"),
        (True, "1"),
        (False, "0"),
        (None, ""),
    ],
)
def test_cells(tmp_path: Path, cell: object, text: str) -> None:
    table = read_rows(book(tmp_path / "x.xlsx", ["Телефон", "x"], ["1", cell]))
    assert table.rows[0].cells == ("1", text)
    assert (table.encoding, table.delimiter) == (None, None)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (42, "0000", "0042"),
        (42, "[$-419]0000", "0042"),
        (42, "0000;@", "0042"),
        (12345, "0000", "12345"),
        (0, "00000", "00000"),
        (42, "General", "42"),
        (42, "#,##0", "42"),
        (4.5, "0000", "4.5"),
        (-42, "0000", "-42"),
    ],
)
def test_noughts_that_a_format_shows(tmp_path: Path, value: float, number_format: str, text: str) -> None:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append([])
    sheet.append(["Телефон", "ПИН"])
    sheet.append(["1", value])
    sheet.append(["2", 7])
    sheet["B3"].number_format = number_format
    made.save(tmp_path / "x.xlsx")
    assert [row.cells[1] for row in read_rows(tmp_path / "x.xlsx").rows] == [text, "7"]


def test_rows_are_numbered_as_in_the_sheet(tmp_path: Path) -> None:
    table = read_rows(book(tmp_path / "x.xlsx", ["Список"], ["Телефон"], ["1"], [], ["2"], before=2))
    assert [row.number for row in table.rows] == [5, 7]


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert read_rows(book(tmp_path / "people.xlsx", ["Phone"], ["1"]).rename(tmp_path / "people.csv")).rows


def test_an_empty_first_sheet_is_passed_over(tmp_path: Path) -> None:
    made = Workbook()
    made.create_sheet("people").append(["Phone"])
    made["people"].append(["84951234501"])
    made.save(tmp_path / "x.xlsx")
    assert [row.number for row in read_rows(tmp_path / "x.xlsx").rows] == [2]


def test_an_empty_workbook(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="is empty"):
        read_rows(book(tmp_path / "x.xlsx"))


def test_a_damaged_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", ["Phone"], ["1"])
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ImportFailed, match="the workbook can't be read"):
        read_rows(path)
