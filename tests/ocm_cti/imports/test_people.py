"""Rows -> people: keys, several numbers, and a reason for every row that gives nobody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocm_cti.domain.people import Person
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.tables import Row, Table

LISTS = Path(__file__).parents[3] / "fixtures" / "lists"


def read(header: Sequence[str], *rows: Sequence[str]) -> People:
    numbered = [Row(number, tuple(cells)) for number, cells in enumerate(rows, 2)]
    return people(Table(tuple(header), numbered), "RU")


def test_a_person() -> None:
    found = read(
        ("ФИО", "Телефон", "Моб.", "Долг", "Прим."), ("Орлов", "8 495 1234501", "89161234502", "12 345,67", "")
    )
    assert found == People(
        [
            Person(
                "+74951234501",
                "Орлов",
                (("+74951234501", ""), ("+79161234502", "mobile")),
                {"name": "Орлов", "debt": "12 345,67"},
            )
        ],
        [],
        [],
        [2],
    )


def test_parts_of_a_name_are_joined() -> None:
    found = read(("Фамилия", "Имя", "Отчество", "Телефон"), ("Орлов", "Пётр", "", "84951234501"))
    assert found.accepted[0].name == "Орлов Пётр"


def test_without_a_name_there_is_no_variable() -> None:
    person = read(("Телефон",), ("84951234501",)).accepted[0]
    assert (person.name, person.variables) == ("", {})


def test_one_number_written_twice_is_one() -> None:
    person = read(("Телефон", "Моб."), ("84951234501, +7 495 123-45-01", "8(495)1234501")).accepted[0]
    assert person.numbers == (("+74951234501", ""),)


def test_a_bad_number_beside_a_good_one_is_a_remark() -> None:
    found = read(("Телефон",), ("84951234501, 12",))
    assert found.accepted[0].numbers == (("+74951234501", ""),)
    assert found.remarks == [Refusal(2, "'12' is no telephone number of RU")]


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        ([("А", "", "")], [Refusal(2, "no telephone number")]),
        ([("А",)], [Refusal(2, "no telephone number")]),
        ([("А", "12; 13", "")], [Refusal(2, "'12' is no telephone number of RU; '13' is no telephone number of RU")]),
        ([("А", "84951234501"), ("Б", "+74951234501")], [Refusal(3, "the same number as in row 2")]),
        ([("А", "84951234501,84951234502"), ("Б", "84951234502")], [Refusal(3, "the same number as in row 2")]),
        ([("А", "84951234501", "7"), ("Б", "84951234502", "7")], [Refusal(3, "the same id as in row 2")]),
        ([("А", "84951234501", "7"), ("Б", "84951234501", "8")], []),  # two people at one telephone
        ([("А" * 301, "84951234501")], [Refusal(2, "the name is longer than 300 characters")]),
        ([("А", "84951234501", "7" * 201)], [Refusal(2, "the id is longer than 200 characters")]),
        ([("А", "84951234501"), ("", "", ""), ("Б", "84951234502")], []),
    ],
)
def test_refusals(rows: list[tuple[str, ...]], refused: list[Refusal]) -> None:
    found = read(("ФИО", "Телефон", "ID"), *rows)
    assert found.refused == refused
    assert len(found.accepted) + len(found.refused) == sum(any(row) for row in rows)


def test_a_refused_row_does_not_stand_in_the_way_of_a_good_one() -> None:
    found = read(("ФИО", "Телефон", "ID"), ("А", "12", "7"), ("А", "84951234501", "7"))
    assert [person.name for person in found.accepted] == ["А"] and found.rows == [3]


@given(
    st.lists(st.tuples(st.sampled_from("АБВ"), st.sampled_from(["", "12", "84951234501", "84951234502"])), max_size=8)
)
def test_every_row_is_a_person_or_a_refusal(rows: list[tuple[str, str]]) -> None:
    found = read(("ФИО", "Телефон"), *rows)
    told = sorted([*found.rows, *(refusal.row for refusal in found.refused)])
    assert told == list(range(2, len(rows) + 2))
    numbers = [number for person in found.accepted for number, _ in person.numbers]
    assert len(set(numbers)) == len(numbers)


def test_the_debtors_of_the_demo() -> None:
    """An accountant's file: CP-1251, ``;``, every suffix that the simulator knows, rows that are no good."""
    table = read_rows(LISTS / "debtors.csv")
    found = people(table, "RU")
    assert (table.encoding, table.delimiter) == ("cp1251", ";")
    suffixes = {number[-2:] for person in found.accepted for number, _ in person.numbers}
    assert suffixes >= {"01", "02", "03", "04", "05", "06", "07", "08", "09", "12", "13"}
    assert any(number.startswith("+38044") for person in found.accepted for number, _ in person.numbers)
    assert any(len(person.numbers) == 2 and person.numbers[0][0].endswith("09") for person in found.accepted)
    assert all({"name", "debt", "due"} <= set(person.variables) for person in found.accepted)
    reasons = [refusal.reason for refusal in found.refused]
    assert "no telephone number" in reasons
    assert any("has letters" in reason for reason in reasons)
    assert any("the same number as in row" in reason for reason in reasons)


def test_the_staff_of_the_demo() -> None:
    found = people(read_rows(LISTS / "staff.xlsx"), "RU")
    assert len(found.accepted) >= 6
    for person in found.accepted:
        assert {"name", "pin", "gathering", "hour"} <= set(person.variables)
        assert any(number.endswith(person.variables["pin"]) for number, _ in person.numbers)
    assert [refusal.reason for refusal in found.refused] == ["no telephone number"]


def test_a_row_with_more_cells_than_headings_is_refused() -> None:
    """A sum of 1234,50 in a file with commas is two cells: half of it must not be told to anybody."""
    found = read(("Телефон", "Долг"), ("84951234501", "1234", "50"), ("84951234502", "10", "", ""))
    assert [person.key for person in found.accepted] == ["+74951234502"]
    assert found.refused == [
        Refusal(2, "more cells than headings, the first is '50': a delimiter in a cell without quotes?")
    ]


def test_an_id_that_was_cut_short_is_refused() -> None:
    found = read(("Телефон", "id"), ("84951234501", "4,08178E+19"), ("84951234502", "5E3"))
    assert [person.key for person in found.accepted] == ["5E3"]
    assert "the id '4,08178E+19' was shortened by the spreadsheet" in found.refused[0].reason


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        (["1234", "42", "4567", "7", "9876"], [(3, "fewer than the 4 digits of most others (rows so: 2: 3, 5)")]),
        (["1234", "4567"], []),
        (["1", "22", "333", "4444"], []),
        (["1234", "4567", "12345"], []),
        (["1234", "4567", "a1"], []),
    ],
)
def test_a_pin_that_lost_its_noughts(pins: list[str], told: list[tuple[int, str]]) -> None:
    rows = [Row(place, (f"+7495123450{place}", pin)) for place, pin in enumerate(pins, 2)]
    remarks = people(Table(("Телефон", "ПИН"), rows), "RU").remarks
    assert [remark.row for remark in remarks] == [row for row, _ in told]
    assert all(words in remark.reason for remark, (_, words) in zip(remarks, told, strict=True))
