"""What people and spreadsheets write -> exact values. Whatever could mean two things is refused, never guessed.

Every function raises ValueError whose text completes the sentence "'<value>' …".
"""

from __future__ import annotations

import math
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
    **dict.fromkeys(("rub", "rur", "руб", "р", "₽", "рубль", "рубля", "рублей", "roubles", "rubles"), "RUB"),
    **dict.fromkeys(("uah", "грн", "₴", "гривна", "гривны", "гривен", "гривня", "гривні", "гривень"), "UAH"),
    **dict.fromkeys(("kzt", "тг", "тнг", "₸", "тенге", "tenge"), "KZT"),
    **dict.fromkeys(("usd", "$", "us$", "долл", "дол", "доллар", "доллара", "долларов", "доларів", "dollars"), "USD"),
    **dict.fromkeys(("eur", "€", "евро", "євро", "euro", "euros"), "EUR"),
}
#: "120 руб. 50 коп.": the hundredths behind a sum of whole units, and what they are called.
_SMALL = re.compile(r"(.*\D)\b(\d{1,2})\s*([^\W\d_]+)\.?")
_KOPECKS = r"к|коп(?:ейка|ейки|еек|ійка|ійки|ійок)?|kop(?:ecks?)?"
_CENTS = r"цент(?:а|ов|и|ів)?|cents?"
_SMALL_NAMES = {
    "RUB": _KOPECKS,
    "UAH": _KOPECKS,
    "KZT": r"тиын(?:а|ов)?|тиїн(?:и|ів)?|tiyn",
    "USD": _CENTS,
    "EUR": _CENTS,
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
        raise ValueError(_no_number(written))
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
        raise ValueError(_no_number(written))
    value = Decimal(digits.replace(",", "."))
    if value >= LARGEST:
        raise ValueError("is too large to be spoken")
    return -value if negative else value


def _no_number(written: str) -> str:
    if re.fullmatch(r"\d(?:[.,]\d+)?[eEеЕ]\+?\d+", written):
        return "is no number any more: a spreadsheet has cut it short; format the column as a number or as text"
    if re.fullmatch(r"#[A-ZА-Я/]+[!?0]?|#+", written):
        return "is no number but a spreadsheet's error"
    if re.fullmatch(r"\d+[-=–]\d{2}", written):
        return f"is no number; as money it is written {re.sub('[-=–]', ',', written)}"
    return "is no number"


def whole(text: str) -> int:
    """A whole number; "5.0", as spreadsheets write it, is one."""
    value = decimal(text)
    if value != value.to_integral_value():
        raise ValueError("is no whole number")
    return int(value)


def amount(text: str, currency: str) -> Decimal:
    """A sum of money in ``currency``, exact to the hundredth. The sign of another currency is refused."""
    written = spaced(text)
    small = _SMALL.fullmatch(written.lower())
    if small is not None and not re.fullmatch(_SMALL_NAMES[currency], small[3]):
        small = None
    if small is not None:
        written = written[: small.end(1)].strip()
    first = re.match(r"([^\d\s\-−–]+)\s*(?=[\d\-−–])", written)
    last = re.search(r"(?<=\d)\s*([^\d\s.,'][^\d]*?)\.?$", written)
    if small is not None and first is None and last is None:
        raise ValueError("is no amount of money: hundredths, and no currency before them")
    for found in (last, first):
        if found is not None:
            sign = found[1].strip().rstrip(".").lower()
            if sign not in SIGNS:
                raise ValueError("is no amount of money")
            if SIGNS[sign] != currency:
                raise ValueError(f"is an amount in {SIGNS[sign]}, not in {currency}")
            written = (written[: found.start()] + written[found.end() :]).strip()
    value = decimal(written)
    exact = value.quantize(Decimal("0.01"))
    if value != exact and not _is_float_noise(value, exact):
        raise ValueError("has more than two decimals")
    if small is not None:
        if exact != int(exact):
            raise ValueError("has hundredths twice")
        exact += Decimal(small[2]).scaleb(-2).copy_sign(exact if exact else Decimal(1))
    return exact


def _is_float_noise(value: Decimal, exact: Decimal) -> bool:
    """A spreadsheet's 1234.5600000000002: written to the last digit of a float, and the float beside the true sum."""
    digits = value.as_tuple().digits
    return len(digits) >= 15 and abs(float(value) - float(exact)) <= 4 * math.ulp(float(exact))


#: A cell of date and time: its time is left out of a date.
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?)?"
_ISO = re.compile(rf"(\d{{4}})[-./](\d{{1,2}})[-./](\d{{1,2}}){_TIME}")
_DAY_FIRST = re.compile(rf"(\d{{1,2}})[.\-](\d{{1,2}})[.\-](\d{{4}}|\d{{2}})(?: ?[гр]\.?)?{_TIME}")
_SLASHED = re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th|-?го)?[ .\-]+([^\W\d_]+)[ .,\-]+(\d{4}|\d{2})(?: ?(?:г|р|года|року)\.?)?")
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
#: One row a month: its names and the short forms of spreadsheets.
_MONTH_NAMES = """
января январь янв січня січень січ january jan
февраля февраль февр фев лютого лютий лют february feb
марта март мар березня березень бер march mar
апреля апрель апр квітня квітень квіт кві april apr
мая май травня травень трав тра may
июня июнь июн червня червень черв чер june jun
июля июль июл липня липень лип july jul
августа август авг серпня серпень серп сер august aug
сентября сентябрь сент сен вересня вересень вер september sept sep
октября октябрь окт жовтня жовтень жовт жов october oct
ноября ноябрь нояб ноя листопада листопад лист лис november nov
декабря декабрь дек грудня грудень груд гру december dec
"""
_MONTHS = {name: number for number, row in enumerate(_MONTH_NAMES.split("\n")) for name in row.split()}
#: Two digits of a year up to this are of this century; above, they are refused.
_LAST_SHORT_YEAR = 49


def _month(name: str) -> int:
    number = _MONTHS.get(name.lower())
    if number is None:
        raise ValueError(f"is no date: {name!r} is no month")
    return number


def _day_month_year(written: str, language: str) -> tuple[int, int, str]:
    if found := _ISO.fullmatch(written):
        return int(found[3]), int(found[2]), found[1]
    if found := _NAMED.fullmatch(written):
        return int(found[1]), _month(found[2]), found[3]
    if found := _MONTH_FIRST.fullmatch(written):
        return int(found[2]), _month(found[1]), found[3]
    if found := _DAY_FIRST.fullmatch(written):
        return int(found[1]), int(found[2]), found[3]
    if found := _SLASHED.fullmatch(written):
        number, month, year = int(found[1]), int(found[2]), found[3]
        if language == "en":
            if number <= 12 and month <= 12 and number != month:
                raise ValueError("may be read day first or month first; write it as 2026-11-23")
            if month > 12:
                number, month = month, number
        return number, month, year
    if re.fullmatch(r"[1-9]\d{4}(?:[.,]\d+)?", written):
        raise ValueError("is no date but a spreadsheet's number of a day; format the column as a date")
    raise ValueError("is no date; write it as 23.11.2026 or 2026-11-23")


def day(text: str, language: str) -> date:
    """A date: 2026-11-23, 23.11.2026, 23.11.26, 23 ноября 2026 г., 23-Nov-26, a time behind it or not.

    With slashes day first, in English only where it is clear.
    """
    number, month, written_year = _day_month_year(spaced(text), language)
    year = int(written_year)
    if len(written_year) == 2:
        if year > _LAST_SHORT_YEAR:
            raise ValueError("has a year of two digits that may be of two centuries; write four")
        year += 2000
    try:
        told = date(year, month, number)
    except ValueError:
        raise ValueError("is a day that does not exist") from None
    if not 1900 <= year <= 2099:
        raise ValueError("lies outside the years 1900 to 2099")
    return told


_CLOCK = re.compile(
    r"(?:(?:\d{4}-\d{1,2}-\d{1,2}[T ]|\d{1,2}\.\d{1,2}\.\d{4} ))?"  # spreadsheets put a day before it
    r"(\d{1,2})[:.](\d{2})(?::\d{2}(?:\.\d+)?)?(?: ?([ap])\.?m\.?| ?ч\.?)?",
    re.IGNORECASE,
)
_WHOLE_HOUR = re.compile(
    r"(\d{1,2})(?: ?([ap])\.?m\.?| ?(?:ч|час|часа|часов|год|година|години|годин)\.?)", re.IGNORECASE
)
_HOUR_MINUTE = re.compile(r"(\d{1,2}) ?(?:ч|год)\.? ?(\d{1,2}) ?(?:м|мин|хв)\.?", re.IGNORECASE)


def clock(text: str) -> time:
    """A time of day, 0:00 to 23:59, as 14:05, 14.05, 2:05 PM, 14 ч 05 мин, 9 часов; seconds are not spoken."""
    written = spaced(text)
    half: str | None = None
    minute = 0
    if found := _CLOCK.fullmatch(written):
        hour, minute, half = int(found[1]), int(found[2]), found[3]
    elif found := _HOUR_MINUTE.fullmatch(written):
        hour, minute = int(found[1]), int(found[2])
    elif found := _WHOLE_HOUR.fullmatch(written):
        hour, half = int(found[1]), found[2]
    elif re.fullmatch(r"0[.,]\d{3,}", written):
        raise ValueError("is no time of day but a spreadsheet's part of a day; format the column as a time")
    else:
        raise ValueError("is no time of day; write it as 14:05")
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError("is a time that does not exist")
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    if hour > 23 or minute > 59:
        raise ValueError("is a time that does not exist")
    return time(hour, minute)


def words_only(text: str) -> str:
    """Free text without control signs and with single spaces."""
    written = unicodedata.normalize("NFC", spaced(text))
    if any(unicodedata.category(sign) in ("Cc", "Co", "Cs", "Cn") for sign in written):
        raise ValueError("holds signs that are no text")
    return "".join(sign for sign in written if unicodedata.category(sign) != "Cf")
