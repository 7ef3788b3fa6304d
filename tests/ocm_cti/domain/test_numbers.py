"""Telephone numbers: what is shown, what is the same, what is dialled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocm_cti.domain.numbers import digits_to_dial, mask, same

E164 = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+74951234567", "+7495***4567"),
        ("+380441234501", "+3804***4501"),
        ("301", "***01"),
        ("123456", "***56"),
        ("", "***"),
    ],
)
def test_mask(number: str, shown: str) -> None:
    assert mask(number) == shown


@given(E164)
def test_a_masked_number_cannot_be_called(number: str) -> None:
    """At least two of its digits are gone."""
    shown = mask(number)
    assert "***" in shown
    assert sum(character.isdigit() for character in shown) <= len(number) - 1 - 2 or len(number) <= 8


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ("+7 495 123-45-67", "+74951234567", True),
        ("74951234567", "+74951234567", True),
        ("+74951234567", "+74951234568", False),
    ],
)
def test_same(one: str, other: str, are: bool) -> None:
    assert same(one, other) is are


@pytest.mark.parametrize(
    ("number", "rules", "dialled"),
    [
        ("+74951234567", [("+7", "98"), ("+", "9810")], "984951234567"),
        ("+380441234501", [("+7", "98"), ("+", "9810")], "9810380441234501"),
        ("+74951234567", [("+", "9810"), ("+7", "98"), ("+7495", "9")], "91234567"),
        ("+74951234567", [], "74951234567"),
        ("+74951234567", [("+1", "x")], "74951234567"),
        ("*21#", [], "*21#"),
    ],
)
def test_digits_to_dial(number: str, rules: list[tuple[str, str]], dialled: str) -> None:
    """The longest prefix decides, in whatever order the rules stand."""
    assert digits_to_dial(number, rules) == dialled
