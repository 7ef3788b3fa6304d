"""Values as people and spreadsheets write them: the same as the plain one, or refused with what to do about it."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.speech.words import UnspeakableValue, say

SUMS = st.tuples(st.integers(0, 10**9), st.integers(0, 99))
SIGNS = {
    "RUB": ["{} ₽", "₽{}", "{} руб.", "{}р", "{} р.", "RUB {}"],
    "UAH": ["{} грн", "₴ {}", "{} грн.", "{} гривень"],
    "KZT": ["{} ₸", "{} тг.", "{} тенге", "KZT {}"],
    "USD": ["${}", "{} $", "US$ {}", "{} USD"],
    "EUR": ["€{}", "{} €", "{} EUR", "{} евро"],
}
SMALL = {"RUB": "{} руб. {} коп.", "UAH": "{} грн {} коп", "KZT": "{} тенге {} тиын", "USD": "${} {} cents"}


@settings(max_examples=100)
@given(SUMS, st.sampled_from(sorted(SIGNS)), st.integers(0, 5), st.sampled_from(["{:,}.{:02d}", " ", "\xa0", "\u202f"]))
def test_signs_and_separators_change_nothing(amount: tuple[int, int], currency: str, form: int, style: str) -> None:
    written = style.format(*amount) if "{" in style else f"{amount[0]:,}".replace(",", style) + f",{amount[1]:02d}"
    signed = SIGNS[currency][form % len(SIGNS[currency])].format(written)
    plain = say("money", f"{amount[0]}.{amount[1]:02d}", "ru", currency=currency)
    assert say("money", signed, "ru", currency=currency) == plain


@settings(max_examples=100)
@given(SUMS, st.sampled_from(sorted(SMALL)))
def test_hundredths_may_stand_apart(amount: tuple[int, int], currency: str) -> None:
    plain = say("money", f"{amount[0]}.{amount[1]:02d}", "uk", currency=currency)
    assert say("money", SMALL[currency].format(*amount), "uk", currency=currency) == plain


@settings(max_examples=100)
@given(st.integers(1, 10**9), st.integers(-1, 1))
def test_the_noise_of_a_float_is_no_more_than_that(hundredths: int, steps: int) -> None:
    """What a spreadsheet computes may lie beside the sum by the last digit of a float; anything farther is refused."""
    near = hundredths / 100
    written = f"{Decimal(near) + steps * Decimal(str(near)).scaleb(-16):.18f}"
    assert say("money", written, "ru", currency="RUB") == say("money", f"{near:.2f}", "ru", currency="RUB")
    with pytest.raises(UnspeakableValue, match="more than two decimals"):
        say("money", f"{hundredths // 100}.{hundredths % 100:02d}01", "ru", currency="RUB")


@settings(max_examples=100)
@given(st.dates(date(2000, 1, 1), date(2049, 12, 31)), st.sampled_from(["ru", "uk", "en"]), st.integers(0, 8))
def test_dates_of_spreadsheets_and_people(day: date, language: str, form: int) -> None:
    months = {
        "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "en": "January February March April May June July August September October November December",
    }[language].split()
    month = months[day.month - 1]
    written = [
        f"{day:%d.%m.%Y}",
        f"{day:%d.%m.%y}",
        f"{day:%Y-%m-%d} 00:00:00",
        f"{day:%Y-%m-%dT}14:05:00.000",
        f"{day:%Y/%m/%d}",
        f"{day.day}.{day.month}.{day.year} 0:00:00",
        f"{day.day} {month} {day.year}",
        f"{month.capitalize()} {day.day}, {day.year}",
        f"{day.day}-{month.upper()}-{day:%y}",
    ][form]
    assert say("date", written, language) == say("date", day.isoformat(), language)


@settings(max_examples=100)
@given(st.times(), st.sampled_from(["%H:%M", "%H.%M", "%H:%M:%S", "%I:%M %p", "1899-12-30 %H:%M:%S", "%H ч %M мин"]))
def test_times_of_spreadsheets_and_people(moment: time, form: str) -> None:
    assert say("time", moment.strftime(form), "ru") == say("time", f"{moment:%H:%M}", "ru")


@pytest.mark.parametrize(
    ("kind", "value", "same"),
    [
        ("date", "23 ноября 2026 г.", "2026-11-23"),
        ("date", "23.11.2026 г.", "2026-11-23"),
        ("date", "23-ноя-26", "2026-11-23"),
        ("date", "23-Nov-2026", "2026-11-23"),
        ("date", "1st May 2026", "2026-05-01"),
        ("date", "23/11/2026 2:30:00 PM", "2026-11-23"),
        ("time", "9 часов", "9:00"),
        ("time", "12 am", "0:00"),
        ("time", "12:30 p.m.", "12:30"),
        ("phone", "79161234501.0", "79161234501"),
        ("digits", "4021.0", "4021"),
        ("number", "1 200", "1200"),
        ("number", "−5", "-5"),
    ],
)
def test_other_ways_to_write_a_value(kind: str, value: str, same: str) -> None:
    assert say(kind, value, "ru") == say(kind, same, "ru")


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("money", "5 руб 20 центов", "is no amount of money"),
        ("money", "5 руб 20 коров", "is no amount of money"),
        ("money", "5.20 руб 20 коп", "hundredths twice"),
        ("money", "-5 20 коп", "no currency before them"),
        ("money", "50 коп", "is no amount of money"),
        ("money", "4.41E+11", "cut it short"),
        ("money", "#REF!", "a spreadsheet's error"),
        ("money", "####", "a spreadsheet's error"),
        ("money", "1234.5601", "more than two decimals"),
        ("number", "4,41E+11", "cut it short"),
        ("phone", "4.41E+11", "cut it short"),
        ("digits", "4,41E+11", "cut it short"),
        ("date", "46349", "format the column as a date"),
        ("date", "46349.5", "format the column as a date"),
        ("date", "23.11.85", "write four"),
        ("date", "23 foo 2026", "'foo' is no month"),
        ("date", "2026-11-23T22:00:00Z", "is no date"),
        ("time", "0.604166667", "format the column as a time"),
        ("time", "13 pm", "does not exist"),
        ("time", "24:00", "does not exist"),
        ("time", "9-18", "is no time of day"),
    ],
)
def test_a_refusal_says_what_is_wrong(kind: str, value: str, why: str) -> None:
    with pytest.raises(UnspeakableValue) as error:
        say(kind, value, "ru", currency="RUB" if kind == "money" else None, variable="due")
    assert why in error.value.why and str(error.value).startswith("{due}: ")
