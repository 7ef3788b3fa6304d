"""Numbers that are not to be called whatever list they stand on: whole ones, and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Between digits of a number as people write it.
_BETWEEN = re.compile(r"[\s().\u2010-\u2015-]+")
_NUMBER = re.compile(r"\+[0-9]{5,15}")
_PATTERN = re.compile(r"\+[0-9][0-9?]*\*?")


def entry(written: str) -> str:
    """``+7 495 123-45-01``, ``+7 900*`` (whatever follows), ``+7495123450?`` (any one digit) -> as it is kept.

    Raises ValueError: an entry begins with + and the country's code, so that nobody else's number is meant by mistake.
    """
    text = _BETWEEN.sub("", written)
    if _NUMBER.fullmatch(text) or (is_pattern(text) and _PATTERN.fullmatch(text)):
        return text
    raise ValueError(
        f"{written!r} is no number and no pattern: + and the country's code, then digits; ? is any one digit, "
        "* at the end whatever follows"
    )


def is_pattern(kept: str) -> bool:
    """It may mean more than one number."""
    return "?" in kept or "*" in kept


def matches(pattern: str, number: str) -> bool:
    """Whether a kept pattern means this number (E.164)."""
    digits = "".join("[0-9]" if sign == "?" else re.escape(sign) for sign in pattern.removesuffix("*"))
    return re.fullmatch(digits + ("[0-9]*" if pattern.endswith("*") else ""), number) is not None


def stopped(numbers: Iterable[str], patterns: Iterable[str]) -> frozenset[str]:
    """Those of the numbers that one of the patterns means."""
    known = list(patterns)
    return frozenset(number for number in numbers if any(matches(pattern, number) for pattern in known))
