"""Cells of telephone numbers as people fill them."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.imports.telephones import NotANumber, _quick, digits_beyond_country, split_cell, to_e164


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("8 (495) 123-45-01", "RU", "+74951234501"),
        ("+7 495 123-45-03", "RU", "+74951234503"),
        ("8(495)1234504", "RU", "+74951234504"),
        ("84951234504", "RU", "+74951234504"),
        ("74951234504", "RU", "+74951234504"),
        ("4951234504", "RU", "+74951234504"),
        ("тел. 8 495 123 45 05", "RU", "+74951234505"),
        ("моб: 8 916 123 45 05", "RU", "+79161234505"),
        ("'+74951234501", "RU", "+74951234501"),
        ("\u00a08\u00a0495\u00a0123\u201145\u201105 ", "RU", "+74951234505"),
        ("+380 44 123-45-01", "RU", "+380441234501"),
        ("044 123-45-01", "UA", "+380441234501"),
        ("0671234514", "UA", "+380671234514"),
        ("8,4951234504E+10", "RU", "+74951234504"),
        ("8.4951234504E10", "RU", "+74951234504"),
    ],
)
def test_numbers(written: str, region: str, number: str) -> None:
    assert to_e164(written, region) == number


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("спросить у жены", "has letters"),
        ("8 495 CALLNOW", "has letters"),
        ("12", "is no telephone number"),
        ("-", "is no telephone number"),
        ("+999 123 456 789", "is no telephone number"),
        ("+7 495 123", "is no telephone number of country +7"),
        ("8 495 123-45-0", "is no telephone number of RU"),
        ("044 123-45-01", "is no telephone number of RU"),
        ("8 (495) 123-45-01 доб. 12", "has an extension"),
        ("8 (495) 123-45-01 ext 12", "has an extension"),
        ("4,41E+11", "last digits are lost"),
        ("8,49512E+10", "last digits are lost"),
    ],
)
def test_what_is_no_number_says_why(written: str, said: str) -> None:
    with pytest.raises(NotANumber) as caught:
        to_e164(written, "RU")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("8 (495) 123-45-01, +380 44 123-45-01", ["8 (495) 123-45-01", "+380 44 123-45-01"]),
        ("84951234501;84951234502 / 84951234503", ["84951234501", "84951234502", "84951234503"]),
        ("84951234501\n84951234502\r\n84951234503", ["84951234501", "84951234502", "84951234503"]),
        ("84951234501 или 84951234502", ["84951234501", "84951234502"]),
        ("8,4951234504E+10", ["8,4951234504E+10"]),
        (" ; ", []),
        ("", []),
    ],
)
def test_split_cell(cell: str, numbers: list[str]) -> None:
    assert list(split_cell(cell)) == numbers


@given(st.text(max_size=40) | st.text("0123456789+-() .,E", max_size=25))
def test_any_text_is_e164_or_a_reason(text: str) -> None:
    try:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", to_e164(text, "RU"))
    except NotANumber as error:
        assert str(error)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [("RU", "+7", "495"), ("RU", "8", "916"), ("RU", "8", ""), ("UA", "+380", "44"), ("UA", "0", "67")]
    ),
    st.text("0123456789", min_size=5, max_size=10),
    st.sampled_from(["", " ", "-", "("]),
)
def test_the_quick_way_gives_what_the_parser_gives(place: tuple[str, str, str], digits: str, between: str) -> None:
    """Whatever the quick way takes, the parser takes for the same number."""
    region, prefix, area = place
    written = f"{prefix}{between}{area}{between}{digits}"
    quick = _quick(written, region)
    if quick is not None:
        number = phonenumbers.parse(written, region)
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == quick


@pytest.mark.parametrize("written", ["84951234501", "+7 (495) 123-45-01", "8 800 555-35-35"])
def test_what_nearly_all_write_goes_the_quick_way(written: str) -> None:
    assert _quick(written, "RU") == to_e164(written, "RU") is not None


def test_a_number_that_was_a_fraction_in_between() -> None:
    assert to_e164("+4930123456.0", "DE") == "+4930123456"
    assert to_e164("79161234567.0", "RU") == "+79161234567"


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [("+7*", 0), ("+7900*", 3), ("+7?9*", 1), ("+38*", 0), ("+380*", 0), ("+38067*", 2), ("+1900*", 3), ("+9*", 0)],
)
def test_what_a_pattern_says_beyond_the_country(pattern: str, digits: int) -> None:
    assert digits_beyond_country(pattern) == digits
