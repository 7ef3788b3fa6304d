"""Values into words, by us and never by the engine: engines read "1 234,50 грн" as a riddle.

Pure. ``check`` finds out before any call that a person's value can't be spoken.
"""

from __future__ import annotations

import re

from ocm_cti.domain.fragments import CURRENCIES, Fragment, Part, Spoken
from ocm_cti.speech.words import readings
from ocm_cti.speech.words.calendar import spoken_date, spoken_time
from ocm_cti.speech.words.declension import GENITIVE, NOMINATIVE
from ocm_cti.speech.words.digits import digits, phone
from ocm_cti.speech.words.errors import UnspeakableValue
from ocm_cti.speech.words.money import money
from ocm_cti.speech.words.numbers import LANGUAGES, cardinal

__all__ = ["LANGUAGES", "UnspeakableValue", "check", "say", "sentence"]

#: Longer sentences are refused: engines slow down and lose text on them.
LONGEST = 1000


def say(
    kind: str,
    value: str,
    language: str,
    *,
    currency: str | None = None,
    gender: str = "masculine",
    case: str | None = None,
    variable: str = "",
) -> str:
    """One value in words. Raises UnspeakableValue, which names ``variable``.

    ``case`` None: as the value stands alone, a date in the genitive, all else in the nominative.
    """
    try:
        if language not in LANGUAGES:
            raise ValueError(f"can't be spoken in {language!r}: there are words for {', '.join(LANGUAGES)}")
        return _say(kind, value, language, currency, gender, case)
    except ValueError as error:
        raise UnspeakableValue(variable, value, str(error)) from None


def _say(kind: str, value: str, language: str, currency: str | None, gender: str, case: str | None) -> str:
    match kind:
        case "money":
            code = (currency or "").strip().upper()
            code = readings.SIGNS.get(code.lower().rstrip("."), code)
            if code not in CURRENCIES:
                raise ValueError(f"has no currency that can be spoken ({currency!r}; known: {', '.join(CURRENCIES)})")
            return money(readings.amount(value, code), code, language, case or NOMINATIVE)
        case "number":
            return cardinal(readings.whole(value), language, gender, case or NOMINATIVE)
        case "date":
            return spoken_date(readings.day(value, language), language, case or GENITIVE)
        case "time":
            return spoken_time(readings.clock(value), language, case or NOMINATIVE)
        case "digits":
            return digits(value, language)
        case "phone":
            return phone(value, language)
        case "name":
            name = readings.words_only(value)
            if not any(sign.isalpha() for sign in name):
                raise ValueError("is no name")
            # Spreadsheets like capitals, engines spell them.
            return _capitalised(name) if name.isupper() and len(name) > 3 else name
        case "text":
            return readings.words_only(value)
        case _:
            raise ValueError(f"is of the unknown kind {kind!r}")


def _capitalised(name: str) -> str:
    """О'БРАЙЕН → О'Брайен, but МАР'ЯНА → Мар'яна: there the apostrophe stands inside of a word."""
    return re.sub("'[ЯЮЄЇ]", lambda found: found[0].lower(), name.title())


def _part(part: Part, language: str) -> str:
    if part.kind == "text" and not part.variable:
        return part.value  # as the scenario has it, with its spaces
    return say(
        part.kind,
        part.value,
        language,
        currency=part.currency,
        gender=part.gender,
        case=part.case,
        variable=part.variable,
    )


def sentence(spoken: Spoken) -> str:
    """The words of a whole sentence. Raises UnspeakableValue."""
    words = " ".join("".join(_part(part, spoken.language) for part in spoken.parts).split())
    if not any(sign.isalnum() for sign in words):
        raise UnspeakableValue("", words, "has nothing to say")
    if len(words) > LONGEST:
        raise UnspeakableValue("", words[:40] + "…", f"is a sentence of more than {LONGEST} signs")
    return words


def check(fragment: Fragment) -> None:
    """Nothing if the fragment can be said, else UnspeakableValue with the variable, the value and why."""
    if isinstance(fragment, Spoken):
        sentence(fragment)
