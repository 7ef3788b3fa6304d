"""What people write into a cell of telephone numbers -> E.164, or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import phonenumbers

#: Between numbers of one cell. A line break too: Alt+Enter in Excel.
_BETWEEN = re.compile(r"[,;/\n\r]+|\s+(?:или|або|or)\s+", re.IGNORECASE)
#: Words that say only what kind of number it is.
_KIND_WORDS = re.compile(
    r"\b(?:телефон|тел|моб|сот|дом|раб|роб|phone|tel|mob|mobile|cell|home|work)\b[.:]?", re.IGNORECASE
)
#: A whole number that was a fraction in between: "79161234567.0".
_FLOAT = re.compile(r"(\+?\d{5,})[.,]0")
_EXTENSION = re.compile(r"(?:доб|вн|внутр|ext|x|#)\.?\s*\d+\s*\Z", re.IGNORECASE)
#: What a spreadsheet makes of a long number; exact only when no digit was dropped.
_SCIENTIFIC = re.compile(r"\A\+?(\d)(?:[.,](\d+))?E\+?(\d{1,2})\Z", re.IGNORECASE)
#: Nothing but digits and what people put between them, a plus only in front.
_PLAIN = re.compile(r"\+?[0-9][0-9 ()\-]*")
_NOT_A_DIGIT = re.compile("[^0-9]")
#: region -> (country code, what is dialled before a national number, its length)
_PLANS = {"RU": ("7", "8", 10), "UA": ("380", "0", 9)}
#: A valid number is of one of them.
_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)
_LETTER = re.compile(r"[^\W\d_]")


class NotANumber(ValueError):
    """The text is no telephone number that could be called; says why."""


def split_cell(cell: str) -> Iterator[str]:
    """The numbers of one cell, as written. ``4,41E+11`` is one: its comma is a decimal one."""
    if _SCIENTIFIC.match(cell.strip()):
        yield cell.strip()
        return
    for part in _BETWEEN.split(cell):
        if part.strip():
            yield part.strip()


def to_e164(written: str, region: str) -> str:
    """``8 (495) 123-45-01`` -> ``+74951234501``; ``region`` (``RU``) is the country of numbers without one.

    Raises NotANumber.
    """
    quick = _quick(written, region)
    if quick is not None:
        return quick
    text = _unscientific(_KIND_WORDS.sub(" ", written).strip(" '’`\u00a0"))
    if (whole := _FLOAT.fullmatch(text)) is not None:
        text = whole[1]
    if _EXTENSION.search(text):
        raise NotANumber(f"{written!r} has an extension, which can't be dialled")
    if _LETTER.search(text):
        raise NotANumber(f"{written!r} is no telephone number: it has letters")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise NotANumber(f"{written!r} is no telephone number") from None
    if not phonenumbers.is_valid_number(number):
        raise NotANumber(f"{written!r} is no telephone number of {_where(number, text, region)}")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _quick(written: str, region: str) -> str | None:
    """The shapes that nearly all numbers of a long list have, without the parser: a third of its time.

    None: it is not one of them, or it is not valid; then the parser decides and says why.
    """
    plan = _PLANS.get(region)
    if plan is None or _PLAIN.fullmatch(written) is None:
        return None
    code, trunk, length = plan
    digits = _NOT_A_DIGIT.sub("", written)
    if written.startswith("+"):
        national = digits[len(code) :] if digits.startswith(code) else ""
    elif len(digits) == len(trunk) + length and digits.startswith(trunk):
        national = digits[len(trunk) :]
    else:
        return None
    if len(national) != length or national.startswith("0"):
        return None
    return f"+{code}{national}" if _valid(int(code), length).fullmatch(national) else None


@cache
def _valid(code: int, length: int) -> re.Pattern[str]:
    """What ``is_valid_number`` looks for in national numbers of this length, as one pattern: it asks a dozen of them
    one by one, for each number of a list of 100,000.
    """
    of_regions = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if plan is None or plan.general_desc is None:
            continue
        kinds = [getattr(plan, kind) for kind in _KINDS]
        patterns = [
            kind.national_number_pattern
            for kind in kinds
            if kind is not None and kind.national_number_pattern and length in (kind.possible_length or (length,))
        ]
        if patterns:
            general = plan.general_desc.national_number_pattern
            of_regions.append(f"(?={plan.leading_digits or ''})(?=(?:{general})$)(?:{'|'.join(patterns)})")
    return re.compile("|".join(of_regions) or "(?!)", re.ASCII)


def digits_beyond_country(pattern: str) -> int:
    """How many digits of ``+7900*`` say more than the country: 3; none of ``+7*``, and none that is left open (?)."""
    fixed = pattern.removeprefix("+").partition("*")[0]
    lengths = (length for length in (1, 2, 3) if fixed[:length].isdecimal())
    code = next((n for n in lengths if int(fixed[:n]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), len(fixed))
    return sum(sign.isdecimal() for sign in fixed[code:])


def cut_short(text: str) -> bool:
    """Whether a spreadsheet has dropped digits of what was a row of digits (``4.41E+11``)."""
    found = _SCIENTIFIC.match(text)
    return found is not None and len(found[2] or "") != int(found[3])


def _unscientific(text: str) -> str:
    found = _SCIENTIFIC.match(text)
    if found is None:
        return text
    if cut_short(text):
        raise NotANumber(
            f"{text!r} was shortened by the spreadsheet: its last digits are lost; format the column as text"
        )
    return found[1] + (found[2] or "")


def _where(number: phonenumbers.PhoneNumber, text: str, region: str) -> str:
    if not text.startswith("+"):
        return region
    return f"country +{number.country_code}"
