"""The workbook: sheets, native charts on the right cells, real dates and numbers, and nothing that can bite."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from report_made import T0, answer, attempt, campaign, person, write_report

from ocm_cti.reports import xlsx_cells
from ocm_cti.reports.columns import ATTEMPTS, PEOPLE

PEOPLE_GIVEN = [
    person(),
    person(name="Борис", outcome=None, why="retry_busy", answered_at=None, times_answered=0),
    person(name="Вера", outcome=None, why="due", attempts=0, times_answered=0, answered_at=None, last_attempt_at=None),
]
ATTEMPTS_GIVEN = [
    attempt(cost=Decimal("1.95"), currency="EUR", billed_s=50, trunks="01"),
    attempt(name="Борис", outcome="busy", answered_at=None, certain=None),
]
ANSWERS_GIVEN = [answer("mark", "4"), answer("why", "2"), answer("again", "yes"), answer("reply", None, "5-reply.wav")]


def written(folder: Path, **more: Any) -> Any:
    given = {"people": PEOPLE_GIVEN, "attempts": ATTEMPTS_GIVEN, "answers": ANSWERS_GIVEN} | more
    write_report(folder, [campaign()], formats=["xlsx"], **given)
    return load_workbook(folder / "report.xlsx")


def column(book: Any, sheet: str, heading: str) -> list[Any]:
    place = next(cell.column for cell in book[sheet][1] if cell.value == heading)
    return [row[place - 1].value for row in book[sheet].iter_rows(min_row=2)]


def test_the_sheets(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert book.sheetnames == ["summary", "questions", "campaigns", "ports", "people", "attempts", "answers"]
    assert book.active.title == "summary"
    for name, columns in (("people", PEOPLE), ("attempts", ATTEMPTS)):
        sheet = book[name]
        assert [cell.value for cell in sheet[1]] == [one.heading for one in columns]
        assert sheet.freeze_panes == "D2" and sheet.auto_filter.ref.startswith("A1:")
        assert all(sheet.column_dimensions[cell.column_letter].width > 7 for cell in sheet[1])


def test_dates_and_numbers_are_real(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert column(book, "people", "name") == ["Анна", "Борис", "Вера"]
    assert column(book, "people", "number")[0] == "+74951234501"
    assert column(book, "people", "last attempt at")[0] == datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 (sheets know no zones)
    assert column(book, "people", "heard s")[0] == 12.3
    assert column(book, "attempts", "cost") == [1.95, None]
    assert column(book, "campaigns", "cost") == [1.95, 1.95, 1.95]
    assert column(book, "campaigns", "currency")[0] == "EUR"


def test_the_summary(tmp_path: Path) -> None:
    sheet = written(tmp_path)["summary"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(max_col=3, max_row=5)]
    assert rows == [
        ["outcome", "people", "share"],
        ["open", 2, pytest.approx(2 / 3)],
        ["confirmed", 1, pytest.approx(1 / 3)],
        ["people", 3, None],
        ["attempts", 2, None],
    ]
    assert sheet["C2"].number_format == "0.0%"


def sources(chart: Any) -> list[tuple[list[Any], list[list[Any]]]]:
    """The cells that a chart names its bars by, and takes them from."""
    book = chart[0]

    def cells(formula: str) -> list[Any]:
        sheet, place = formula.replace("'", "").replace("$", "").split("!")
        return [row[0].value for row in book[sheet][place]] if ":" in place else [book[sheet][place].value]

    return [(cells((one.cat.numRef or one.cat.strRef).f), cells(one.val.numRef.f)) for one in chart[1].series]


def test_charts_show_the_cells_they_should(tmp_path: Path) -> None:
    book = written(tmp_path)
    outcomes, tries, hours = (sources((book, chart)) for chart in book["summary"]._charts)
    assert outcomes == [(["open", "confirmed"], [2, 1])]
    assert tries == [([1], [1])]
    assert [names for names, _ in hours] == [list(range(24))] * 3
    assert [sum(values) for _, values in hours] == [2, 1, 1]
    asked = [sources((book, chart))[0] for chart in book["questions"]._charts]
    assert asked[:3] == [
        (["1", "2", "3", "4", "5"], [0, 0, 0, 1, 0]),
        (["price", "quality"], [0, 1]),
        (["yes", "no"], [1, 0]),
    ]


def test_replies_lead_to_their_sound(tmp_path: Path) -> None:
    book = written(tmp_path, people=[person(recordings="5-reply.wav, 6-reply.wav")])
    (cell,) = [cell for row in book["answers"].iter_rows(min_row=2) for cell in row if cell.hyperlink]
    assert (cell.value, cell.hyperlink.target.replace("\\", "/")) == ("5-reply.wav", "recordings/5-reply.wav")
    (cell,) = [cell for cell in book["people"][2] if cell.hyperlink]
    assert (cell.value, cell.hyperlink.target.replace("\\", "/")) == (
        "5-reply.wav, 6-reply.wav",
        "recordings/5-reply.wav",
    )


@pytest.mark.parametrize("evil", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", '=HYPERLINK("http://x")', "http://x/"])
def test_nothing_is_a_formula_or_a_link(tmp_path: Path, evil: str) -> None:
    book = written(tmp_path, people=[person(name=evil)], answers=[answer("why", evil)])
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f" and cell.hyperlink is None
    assert column(book, "people", "name") == [evil]


def test_characters_that_no_workbook_may_have(tmp_path: Path) -> None:
    (name,) = column(written(tmp_path, people=[person(name="A\x00\x1b[0mB" + "x" * 40_000)]), "people", "name")
    assert name.startswith("A") and "[0mB" in name and 32_000 < name.count("x") <= 32_767


def test_a_full_sheet_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_cells, "MOST_ROWS", 3)
    book = written(tmp_path, attempts=[attempt(attempt_no=number) for number in range(1, 6)])
    assert [column(book, name, "attempt") for name in ("attempts", "attempts 2", "attempts 3")] == [[1, 2], [3, 4], [5]]


def test_more_links_than_excel_opens_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_cells, "MOST_LINKS", 1)
    book = written(tmp_path, answers=[answer("reply", None, f"{number}-reply.wav") for number in range(3)])
    cells = [cell for row in book["answers"].iter_rows(min_row=2) for cell in row if str(cell.value).endswith("y.wav")]
    named = [cell for cell in cells if "/" not in cell.value]
    assert [bool(cell.hyperlink) for cell in named] == [True, False, False]


def test_a_report_of_nobody(tmp_path: Path) -> None:
    write_report(tmp_path, [], formats=["xlsx"])
    names = load_workbook(tmp_path / "report.xlsx").sheetnames
    assert names == ["summary", "campaigns", "ports", "people", "attempts", "answers"]


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_in_another_language(tmp_path: Path, language: str) -> None:
    book = written(tmp_path, language=language)
    assert "люди" in book.sheetnames
    assert book["люди"]["C1"].value in ("имя", "ім'я")
    assert column(book, "люди", {"ru": "итог", "uk": "підсумок"}[language])[0].startswith("п")


def test_calls_are_shown_on_the_clock_of_the_report(tmp_path: Path) -> None:
    book = written(tmp_path, attempts=[attempt(claimed_at=T0 + timedelta(hours=5))])
    assert column(book, "attempts", "claimed at") == [datetime(2026, 11, 23, 14, 0)]  # noqa: DTZ001


def test_a_question_is_no_reference_to_a_cell(tmp_path: Path) -> None:
    asked = '[[step]]\nname = "q"\ntype = "ask"\nquestion = "=summary!$A$1"\nkeys = ["1"]\n'
    write_report(tmp_path, [campaign(scenario=asked)], [], [], [answer("q", "1")], formats=["xlsx"])
    sheet = load_workbook(tmp_path / "report.xlsx")["questions"]
    assert sheet["A1"].value == "debtors: =summary!$A$1"
    (chart,) = sheet._charts
    assert chart.title.tx.rich.p[0].r[0].t == "=summary!\N{ZERO WIDTH SPACE}$A$1"
