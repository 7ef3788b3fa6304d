"""Cases, against spellers written apart: num2words where it is right, and the endings of the grammar as rules."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from ocm_cti.domain.fragments import CASES, Part, Spoken, Variable, parse_text, resolve
from ocm_cti.speech.words import say, sentence

NUMBERS = st.one_of(st.integers(1, 2100), st.integers(1, 10**12 - 1), st.sampled_from([10**6, 2 * 10**6, 10**9, 21000]))
OBLIQUE = ["genitive", "dative", "instrumental", "prepositional"]


@settings(max_examples=100)
@given(NUMBERS, st.sampled_from(["ru", "uk"]))
def test_the_nominative_is_num2words(number: int, language: str) -> None:
    assert say("number", str(number), language) == num2words(number, lang=language)


@settings(max_examples=100)
@given(NUMBERS, st.sampled_from(OBLIQUE))
def test_russian_cases_are_those_of_num2words(number: int, case: str) -> None:
    assert say("number", str(number), "ru", case=case) == num2words(number, lang="ru", case=case)


# -- Ukrainian by rules: units by a small table, everything larger by what it is made of

_UNITS = {
    2: ("двох", "двом", "двома", "двох"),
    3: ("трьох", "трьом", "трьома", "трьох"),
    4: ("чотирьох", "чотирьом", "чотирма", "чотирьох"),
}
_STEMS = {
    5: ("п'ят", "п'ять"),
    6: ("шест", "шість"),
    7: ("сем", "сімо"),
    8: ("восьм", "вісьмо"),
    9: ("дев'ят", "дев'ять"),
}
_TEENS = ["оди", "два", "три", "чотир", "п'ят", "шіст", "сім", "вісім", "дев'ят"]
_ONE = {"masculine": ("одного", "одному", "одним", "одному"), "feminine": ("однієї", "одній", "однією", "одній")}


def ukrainian_unit(number: int, place: int, gender: str) -> str:
    if number == 1:
        return _ONE[gender][place]
    if number in _UNITS:
        return _UNITS[number][place]
    stem, instrumental = _STEMS[number]
    return instrumental + "ма" if place == 2 else stem + "и"


def ukrainian_group(number: int, place: int, gender: str) -> list[str]:
    found = []
    hundreds, rest = divmod(number, 100)
    if hundreds == 1:
        found.append("ста")
    elif hundreds:
        unit = ukrainian_unit(hundreds, place, gender)
        found.append(unit + ("сот", "стам", "стами", "стах")[place])
    if 10 <= rest < 20:
        stem = "десят" if rest == 10 else _TEENS[rest - 11] + "надцят"
        return [*found, stem + ("ьма" if place == 2 else "и")]
    tens, units = divmod(rest, 10)
    if tens in (4, 9):
        found.append({4: "сорока", 9: "дев'яноста"}[tens])
    elif tens:
        stem = {2: "двадцят", 3: "тридцят"}.get(tens) or ("п'ят", "шіст", "сім", "вісім")[tens - 5] + "десят"
        found.append(stem + ("ьма" if place == 2 else "и"))
    return [*found, ukrainian_unit(units, place, gender)] if units else found


def ukrainian(number: int, place: int, gender: str) -> str:
    found = []
    for size, stem, big_gender in (
        (10**9, "мільярд", "masculine"),
        (10**6, "мільйон", "masculine"),
        (1000, "тисяч", "feminine"),
    ):
        group = number // size % 1000
        if not group:
            continue
        found += ukrainian_group(group, place, big_gender)
        if group % 10 == 1 and group % 100 != 11:
            endings = ("а", "у", "ом", "і") if big_gender == "masculine" else ("і", "і", "ею", "і")
        else:
            endings = (("ів" if big_gender == "masculine" else ""), "ам", "ами", "ах")
        found.append(stem + endings[place])
    return " ".join([*found, *ukrainian_group(number % 1000, place, gender)])


@settings(max_examples=100)
@given(NUMBERS, st.sampled_from(range(4)), st.sampled_from(["masculine", "feminine"]))
def test_ukrainian_cases_follow_the_rules(number: int, place: int, gender: str) -> None:
    words = say("number", str(number), "uk", gender=gender, case=OBLIQUE[place])
    assert words == ukrainian(number, place, gender)


@settings(max_examples=100)
@given(NUMBERS, st.sampled_from(["ru", "uk"]), st.sampled_from(["masculine", "feminine", "neuter"]))
def test_the_accusative_of_things_differs_in_one_and_thousand_alone(number: int, language: str, gender: str) -> None:
    nominative = say("number", str(number), language, gender=gender).split()
    accusative = say("number", str(number), language, gender=gender, case="accusative").split()
    changed = {was: now for was, now in zip(nominative, accusative, strict=True) if was != now}
    assert changed.items() <= {"одна": "одну", "тысяча": "тысячу", "тисяча": "тисячу"}.items()
    assert "одна" not in accusative and "тысяча" not in accusative and "тисяча" not in accusative


@pytest.mark.parametrize(
    ("value", "language", "currency", "case", "words"),
    [
        ("1", "ru", "UAH", "accusative", "одну гривну"),
        ("1000", "ru", "RUB", "accusative", "одну тысячу рублей"),
        ("22.01", "ru", "RUB", "accusative", "двадцать два рубля одну копейку"),
        ("121.51", "ru", "RUB", "genitive", "ста двадцати одного рубля пятидесяти одной копейки"),
        ("2000", "ru", "RUB", "dative", "двум тысячам рублей"),
        ("2002", "ru", "RUB", "dative", "двум тысячам двум рублям"),
        ("0", "ru", "RUB", "instrumental", "нулём рублей"),
        ("11", "ru", "USD", "instrumental", "одиннадцатью долларами"),
        ("5.02", "ru", "KZT", "prepositional", "пяти тенге двух тиынах"),
        ("345", "uk", "UAH", "genitive", "трьохсот сорока п'яти гривень"),
        ("2.21", "uk", "UAH", "dative", "двом гривням двадцяти одній копійці"),
        ("1", "uk", "UAH", "accusative", "одну гривню"),
        ("1000000.50", "uk", "EUR", "instrumental", "одним мільйоном євро п'ятдесятьма центами"),
        ("2", "en", "USD", "genitive", "two dollars"),
    ],
)
def test_money_in_a_case(value: str, language: str, currency: str, case: str, words: str) -> None:
    assert say("money", value, language, currency=currency, case=case) == words


@pytest.mark.parametrize(
    ("kind", "value", "language", "case", "words"),
    [
        ("date", "23.11.2026", "ru", "nominative", "двадцать третье ноября две тысячи двадцать шестого года"),
        ("date", "02.11.2026", "ru", "accusative", "второе ноября две тысячи двадцать шестого года"),
        ("date", "30.05.2000", "ru", "instrumental", "тридцатым мая двухтысячного года"),
        ("date", "03.05.2000", "uk", "nominative", "третє травня двохтисячного року"),
        ("date", "21.05.2000", "uk", "accusative", "двадцять перше травня двохтисячного року"),
        ("date", "23.11.2026", "en", "nominative", "the twenty-third of November twenty twenty-six"),
        ("time", "14:05", "ru", "genitive", "четырнадцати часов пяти минут"),
        ("time", "1:21", "ru", "accusative", "один час двадцать одну минуту"),
        ("time", "21:22", "uk", "genitive", "двадцять першої години двадцяти двох хвилин"),
        ("time", "3:00", "uk", "genitive", "третьої години"),
        ("time", "9:00", "uk", "prepositional", "дев'ятій годині"),
    ],
)
def test_dates_and_times_in_a_case(kind: str, value: str, language: str, case: str, words: str) -> None:
    assert say(kind, value, language, case=case) == words


@settings(max_examples=100)
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["ru", "uk"]), st.sampled_from(CASES))
def test_only_the_day_of_a_date_has_another_case(day: date, language: str, case: str) -> None:
    alone = say("date", day.isoformat(), language).split()
    other = say("date", day.isoformat(), language, case=case).split()
    differing = [place for place, pair in enumerate(zip(alone, other, strict=True)) if pair[0] != pair[1]]
    assert differing == ([] if case == "genitive" else [0 if day.day <= 20 or day.day % 10 == 0 else 1])


@settings(max_examples=100)
@given(st.times(), st.sampled_from(["ru", "uk"]), st.sampled_from(CASES))
def test_a_time_is_spoken_in_every_case(moment: time, language: str, case: str) -> None:
    words = say("time", f"{moment:%H:%M}", language, case=case)
    assert not any(sign.isdigit() for sign in words) and "  " not in words


def test_neuter_is_counted_too() -> None:
    assert say("number", "21", "ru", gender="neuter") == "двадцать одно"
    assert say("number", "1", "uk", gender="neuter") == "одне"
    assert say("number", "2", "ru", gender="neuter") == "два"


def test_a_variable_brings_its_case_into_the_sentence() -> None:
    declared = {"debt": Variable("debt", "money", "RUB", case="accusative")}
    (spoken,) = resolve(parse_text("Внесите {debt}."), declared, {"debt": "1000"}, "ru")
    assert spoken == Spoken(
        (Part("text", "Внесите "), Part("money", "1000", "debt", "RUB", case="accusative"), Part("text", ".")), "ru"
    )
    assert sentence(spoken) == "Внесите одну тысячу рублей."
