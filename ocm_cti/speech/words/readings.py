"""What people and spreadsheets write -> exact values. Whatever could mean two things is refused, never guessed.

Every function raises ValueError whose text completes the sentence "'<value>' …".
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from decimal import Decimal

LARGEST = Decimal(10) ** 12

_MINUS = "-−–"
_GROUPED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?")
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?")
_BOTH = re.compile(r"\d{1,3}(?:(?:,\d{3})+\.\d+|(?:\.\d{3})+,\d+)")
_REPEATED = re.compile(r"\d{1,3}(?:(?:,\d{3}){2,}|(?:\.\d{3}){2,})")

#: What may stand beside an amount -> the currency it means. Compared in lower case without a closing full stop.
SIGNS = {
    **dict.fromkeys(("rub", "rur", "руб", "р", "₽", "рубль", "рубля", "рублей"), "RUB"),
    **dict.fromkeys(("uah", "грн", "₴", "гривна", "гривны", "гривен", "гривня", "гривні", "гривень"), "UAH"),
    **dict.fromkeys(("kzt", "тг", "тнг", "₸", "тенге"), "KZT"),
    **dict.fromkeys(("usd", "$", "долл", "дол", "доллар", "доллара", "долларов", "доларів"), "USD"),
    **dict.fromkeys(("eur", "€", "евро", "євро"), "EUR"),
}


def spaced(text: str) -> str:
    """All kinds of spaces become one plain space, typographic apostrophes plain ones."""
    return " ".join(text.replace("’", "'").split())


def decimal(text: str) -> Decimal:
    """A number with its thousands marked or not, comma or point. "1.234" is refused: it may mean two things."""
    written = spaced(text)
    negative = written[:1] in _MINUS and written != ""
    digits = written[1:].strip() if negative else written
    if not digits.isascii() or not any(sign.isdigit() for sign in digits):
        raise ValueError("is no number")
    if _PLAIN.fullmatch(digits):
        whole, separator, rest = digits.replace(",", ".").partition(".")
        if separator and len(rest) == 3 and len(whole) <= 3 and whole.strip("0"):
            raise ValueError("may mean thousands or thousandths; write it without the separator or with two decimals")
    elif _GROUPED.fullmatch(digits):
        digits = digits.replace(" ", "").replace("'", "")
    elif _BOTH.fullmatch(digits):
        digits = digits.replace("," if digits.rfind(".") > digits.rfind(",") else ".", "")
    elif _REPEATED.fullmatch(digits):
        digits = digits.replace(",", "").replace(".", "")
    else:
        raise ValueError("is no number")
    value = Decimal(digits.replace(",", "."))
    if value >= LARGEST:
        raise ValueError("is too large to be spoken")
    return -value if negative else value


def whole(text: str) -> int:
    """A whole number; "5.0", as spreadsheets write it, is one."""
    value = decimal(text)
    if value != value.to_integral_value():
        raise ValueError("is no whole number")
    return int(value)


def amount(text: str, currency: str) -> Decimal:
    """A sum of money in ``currency``, exact to the hundredth. The sign of another currency is refused."""
    written = spaced(text)
    first = re.match(r"([^\d\s\-−–]+)\s*(?=[\d\-−–])", written)
    last = re.search(r"(?<=\d)\s*([^\d\s.,'][^\d]*?)\.?$", written)
    for found in (last, first):
        if found is not None:
            sign = found[1].strip().rstrip(".").lower()
            if sign not in SIGNS:
                raise ValueError("is no amount of money")
            if SIGNS[sign] != currency:
                raise ValueError(f"is an amount in {SIGNS[sign]}, not in {currency}")
            written = (written[: found.start()] + written[found.end() :]).strip()
    value = decimal(written)
    if value != value.quantize(Decimal("0.01")):
        raise ValueError("has more than two decimals")
    return value.quantize(Decimal("0.01"))


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[.\-](\d{1,2})[.\-](\d{4}|\d{2})(?: ?г\.?| ?р\.?)?(?: 0?0:00(?::00)?)?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")


def day(text: str, language: str) -> date:
    """A date: 2026-11-23, 23.11.2026, 23.11.26; with slashes day first, in English only where it is clear."""
    written = spaced(text)
    if found := _ISO.fullmatch(written):
        year, month, number = (int(group) for group in found.groups())
    elif found := _DAY_FIRST.fullmatch(written) or _SLASHED.fullmatch(written):
        number, month, year = (int(group) for group in found.groups())
        if "/" in written and language == "en":
            if number <= 12 and month <= 12 and number != month:
                raise ValueError("may be read day first or month first; write it as 2026-11-23")
            if month > 12:
                number, month = month, number
        year += 0 if year > 99 else 2000
    else:
        raise ValueError("is no date; write it as 23.11.2026 or 2026-11-23")
    try:
        told = date(year, month, number)
    except ValueError:
        raise ValueError("is a day that does not exist") from None
    if not 1900 <= year <= 2099:
        raise ValueError("lies outside the years 1900 to 2099")
    return told


_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::\d{2}(?:\.0+)?)?")


def clock(text: str) -> time:
    """A time of day, 0:00 to 23:59; seconds are not spoken."""
    found = _CLOCK.fullmatch(spaced(text))
    if not found:
        raise ValueError("is no time of day; write it as 14:05")
    hour, minute = int(found[1]), int(found[2])
    if hour > 23 or minute > 59:
        raise ValueError("is a time that does not exist")
    return time(hour, minute)


def words_only(text: str) -> str:
    """Free text without control signs and with single spaces."""
    written = unicodedata.normalize("NFC", spaced(text))
    if any(unicodedata.category(sign) in ("Cc", "Co", "Cs", "Cn") for sign in written):
        raise ValueError("holds signs that are no text")
    return "".join(sign for sign in written if unicodedata.category(sign) != "Cf")
