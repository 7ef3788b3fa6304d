"""Headings as people write them, in three languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocm_cti.imports.columns import NoNumberColumn, map_columns, slug


@pytest.mark.parametrize(
    "heading",
    [
        *("Телефон", "телефоны", "ТЕЛЕФОН 2", "Номер телефона", "Моб. тел.", "Мобильный", "Сот.", "Тел", "тел. (дом.)"),
        *("Номер телефону", "Мобільний телефон", "Контактний телефон"),
        *("Phone", "phone_number", "Phone number", "Phone1", "Mobile", "Cell", "Tel.", "MSISDN", "Home phone"),
        *("Номер", "Контакты", "number"),
    ],
)
def test_headings_of_numbers(heading: str) -> None:
    assert [place for place, _ in map_columns(["ФИО", heading, "Долг"]).numbers] == [1]


@pytest.mark.parametrize(
    "heading",
    [
        "Номер договора",
        "№",
        "Телеграм",
        "Тип телефона",
        "Оператор телефона",
        "Долг",
        "",
        "Телефонист",
        "Кол-во телефонов",
        "Кількість телефонів",
        "Комментарий по телефону",
        "Дата телефонного звонка",
        "Phone type",
        "Владелец телефона",
        "Телефония",
    ],
)
def test_headings_that_are_no_numbers(heading: str) -> None:
    with pytest.raises(NoNumberColumn):
        map_columns(["ФИО", heading])


@pytest.mark.parametrize(
    "heading",
    [
        "Табельний №",
        "Табельный №",
        "Табельный N",
        "Таб. №",
        "№ лицевого счета",
        "Номер особового рахунку",
        "О/р",
        "Л/С",
    ],
)
def test_headings_of_ids(heading: str) -> None:
    assert map_columns(["ФИО", "Телефон", heading]).key == 2


def test_a_vague_heading_counts_only_where_none_is_clear() -> None:
    columns = map_columns(["Номер", "Телефон"])
    assert columns.numbers == ((1, ""),)
    assert columns.variables == ((0, "nomer"),)


def test_kinds_and_order_of_numbers() -> None:
    header = ["Мобильный телефон", "Домашний телефон", "Раб. тел.", "Телефон", "Mobile", "Home phone", "Office phone"]
    kinds = [kind for _, kind in map_columns(header).numbers]
    assert kinds == ["mobile", "home", "work", "", "mobile", "home", "work"]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["ФИО", "Телефон"], (0,)),
        (["Телефон", "Ф.И.О."], (1,)),
        (["П.І.Б.", "Телефон"], (0,)),
        (["Full name", "Phone"], (0,)),
        (["Имя", "Телефон"], (0,)),
        (["Ім'я", "Телефон"], (0,)),
        (["Фамилия", "Имя", "Отчество", "Телефон"], (0, 1, 2)),
        (["Surname", "First name", "Phone"], (0, 1)),
        (["Телефон", "Долг"], ()),
    ],
)
def test_names(header: list[str], names: tuple[int, ...]) -> None:
    assert map_columns(header).names == names


@pytest.mark.parametrize(
    ("heading", "variable"),
    [
        ("Долг", "debt"),
        ("СУММА", "debt"),
        ("Сумма долга", "debt"),
        ("Заборгованість", "debt"),
        ("Amount due", "debt"),
        ("Срок", "due"),
        ("Срок оплаты", "due"),
        ("Термін", "due"),
        ("Due date", "due"),
        ("ПИН", "pin"),
        ("ПИН-код", "pin"),
        ("PIN", "pin"),
        ("Дата сбора", "gathering"),
        ("Время сбора", "hour"),
        ("Номер договора", "nomer_dogovora"),
        ("Щёлковский район", "shchelkovskii_raion"),
        ("Ґатунок їжі", "gatunok_izhi"),
        ("E-mail", "e_mail"),
        ("2026", "column_2026"),
        ("!!!", None),
    ],
)
def test_variables(heading: str, variable: str | None) -> None:
    found = dict(map_columns(["Телефон", heading]).variables)
    assert found.get(1) == variable


def test_two_headings_of_one_meaning_are_two_variables() -> None:
    header = ["Телефон", "Долг", "Сумма", "Прим.", "Прим"]
    assert [name for _, name in map_columns(header).variables] == ["debt", "debt_2", "prim", "prim_2"]


@pytest.mark.parametrize("heading", ["ID", "Лицевой счёт", "Табельный номер", "Особовий рахунок", "External ID"])
def test_the_id_is_also_a_variable(heading: str) -> None:
    columns = map_columns(["Телефон", heading])
    assert columns.key == 1 and [place for place, _ in columns.variables] == [1]


@given(st.text(max_size=30))
def test_a_slug_is_always_a_name_of_a_variable(heading: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", slug(heading))


@given(st.lists(st.text(max_size=12), max_size=8))
def test_variables_are_never_mixed_up(header: list[str]) -> None:
    names = [name for _, name in map_columns(["Телефон", *header]).variables]
    assert len(set(names)) == len(names) and "name" not in names


def test_a_heading_of_signs_alone_is_that_column_and_not_one_without_heading() -> None:
    columns = map_columns(["", "№", "Телефон"], {"№": "id"})
    assert (columns.key, [place for place, _ in columns.numbers]) == (1, [2])


@pytest.mark.parametrize(
    "heading", ["Кол-во телефонов", "Комментарий по телефону", "Тип телефона", "Кількість телефонів", "Phone status"]
)
def test_what_only_speaks_of_telephones_is_no_number(heading: str) -> None:
    assert [place for place, _ in map_columns(["Телефон", heading]).numbers] == [0]


@pytest.mark.parametrize("heading", ["Табельний №", "Табельный №", "Лицевой", "Таб. №"])
def test_an_id_may_be_written_short(heading: str) -> None:
    assert map_columns(["Телефон", heading]).key == 1
