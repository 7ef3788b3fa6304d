"""Paper: every page numbered, every letter there, nobody's name taken for markup."""

from __future__ import annotations

import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from report_made import T0, answer, attempt, campaign, person, write_report

from ocm_cti.reports import pdf_charts, pdf_file, pdf_fonts
from ocm_cti.reports.pdf_charts import DARK, Bar, Series

RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
UKRAINIAN = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"
KAZAKH = "әғқңөұүһі"


def pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [document[number].get_textpage().get_text_range() for number in range(len(document))]


def written(folder: Path, *rows: Any, **more: Any) -> list[str]:
    write_report(folder, *rows, formats=["pdf"], **more)
    return pages(folder / "report.pdf")


def test_every_letter_has_a_shape() -> None:
    pdf_fonts.register()
    letters = RUSSIAN + UKRAINIAN + KAZAKH
    for name in (pdf_fonts.PLAIN, pdf_fonts.BOLD):
        face = pdf_fonts.pdfmetrics.getFont(name).face
        wanted = {*letters, *letters.upper(), *string.printable.strip(), *"№—–…«»’'₽₴₸€"}
        assert sorted(letter for letter in wanted if ord(letter) not in face.charToGlyph) == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Report on calls: debtors", "People by outcome", "confirmed", "retry busy", "Robot lines", "page 1 of"],
        ),
        ("ru", ["Отчёт об обзвоне: debtors", "Люди по итогам", "подтвердил", "повтор: занято", "страница 1 из"]),
        ("uk", ["Звіт про обдзвін: debtors", "Люди за підсумками", "підтвердив", "повтор: зайнято", "сторінка 1 з"]),
    ],
    ids=["en", "ru", "uk"],
)
def test_what_stands_on_it(tmp_path: Path, language: str, words: list[str]) -> None:
    told = written(
        tmp_path,
        [campaign()],
        [person(name=UKRAINIAN), person(name="Щукин", outcome=None, why="retry_busy")],
        [attempt(cost=Decimal("1.95"), currency="EUR", billed_s=50, trunks="01")],
        [answer("mark", "4"), answer("why", "2"), answer("reply", None, "5-reply.wav")],
        language=language,
    )
    whole = "".join("".join(told).split())  # a cell may break its line anywhere
    for word in [*words, UKRAINIAN, "Щукин", "How was it?", "quality", "5-reply.wav", "301"]:
        assert "".join(word.split()) in whole, word
    assert "+7495***4501" in whole and "+74951234501" not in whole, "paper lies about: numbers are masked"


def test_every_page_has_its_number(tmp_path: Path) -> None:
    people = [person(name=f"Person {number}") for number in range(150)]
    told = written(tmp_path, [campaign()], people)
    assert len(told) > 2
    for number, page in enumerate(told, 1):
        assert f"page {number} of {len(told)}" in page
    assert "Person 149" in told[-1]


def test_more_people_than_paper_bears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_file, "PEOPLE_SHOWN", 2)
    whole = "\n".join(written(tmp_path, [campaign()], [person(name=f"Person {number}") for number in range(5)]))
    assert "Person 1" in whole and "Person 2" not in whole
    assert "and 3 more: report.xlsx, report.csv" in whole


@pytest.mark.parametrize("name", ["<b>Bold", "a & b </para>", "<font size=99>", "x" * 3000, ""])
def test_a_name_is_no_markup(tmp_path: Path, name: str) -> None:
    whole = "".join(written(tmp_path, [campaign(list_name=name)], [person(name=name, answers=name)]))
    assert name[:30] in whole


def test_what_no_font_has(tmp_path: Path) -> None:
    """Control characters, other scripts, pictures: nothing stops the report."""
    name = "A\x00\x1b[0m\tB\u202e\N{CJK UNIFIED IDEOGRAPH-4E2D}\N{PILE OF POO}Z"
    whole = "".join(written(tmp_path, [campaign(list_name=name)], [person(name=name)]))
    assert "Z" in whole


def test_marks_of_a_scale_have_their_names(tmp_path: Path) -> None:
    named = (
        '[[step]]\nname = "q"\ntype = "survey"\nkind = "scale"\nmax = 10\noptions = { 0 = "never", 10 = "always" }\n'
    )
    whole = " ".join(
        "".join(written(tmp_path, [campaign(scenario=named)], [person()], [], [answer("q", "10")])).split()
    )
    assert "mean 10.00; 0 – never, 10 – always" in whole


def test_nobody(tmp_path: Path) -> None:
    assert len(written(tmp_path, [])) == 1
    assert len(written(tmp_path, [campaign(ended_at=T0)])) == 1


@pytest.mark.parametrize(
    ("greatest", "end", "step"),
    [(0, 1, 1), (1, 1, 1), (4, 4, 1), (7, 8, 2), (85, 100, 20), (101, 150, 50), (1_000_000, 1_000_000, 200_000)],
)
def test_the_marks_of_an_axis(greatest: float, end: float, step: float) -> None:
    assert pdf_charts._scale(greatest) == (end, step)


def test_bars_are_as_long_as_their_numbers() -> None:
    pdf_fonts.register()
    drawing = pdf_charts.bars(400, [Bar("a", 10, "10"), Bar("a name that is by far too long to fit " * 5, 5, "5")])
    long, short = [one for one in drawing.contents if getattr(one, "fillColor", None) == DARK]
    assert long.width == pytest.approx(2 * short.width) and long.x + long.width < 400
    drawing = pdf_charts.columns(400, ["1", "2"], [Series("", [20, 10], DARK)], numbered=True)
    tall, low = [one for one in drawing.contents if getattr(one, "fillColor", None) == DARK]
    assert tall.height == pytest.approx(2 * low.height) and tall.y + tall.height <= drawing.height
