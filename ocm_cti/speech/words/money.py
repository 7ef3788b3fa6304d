"""Sums of money in words: "одна тысяча двести рублей пятьдесят копеек"; no kopecks where there are none."""

from __future__ import annotations

from decimal import Decimal

from ocm_cti.speech.words.declension import NOMINATIVE, UNITS, counted
from ocm_cti.speech.words.numbers import cardinal

#: Singular and plural of the unit, of its hundredth.
_ENGLISH = {
    "RUB": (("rouble", "roubles"), ("kopeck", "kopecks")),
    "UAH": (("hryvnia", "hryvnias"), ("kopeck", "kopecks")),
    "KZT": (("tenge", "tenge"), ("tiyn", "tiyn")),
    "USD": (("dollar", "dollars"), ("cent", "cents")),
    "EUR": (("euro", "euros"), ("cent", "cents")),
}

_MINUS = {"ru": "минус ", "uk": "мінус ", "en": "minus "}


def money(value: Decimal, currency: str, language: str, case: str = NOMINATIVE) -> str:
    """``value`` (exact to the hundredth) in words. KeyError for a currency or language that is not in the table."""
    whole, hundredths = divmod(int(abs(value) * 100), 100)
    said = []
    for place, count in enumerate((whole, hundredths)):
        if not count and (place or hundredths):
            continue
        if language == "en":
            said.append(f"{cardinal(count, 'en')} {_ENGLISH[currency][place][count != 1]}")
        else:
            noun = UNITS[language, currency][place]
            said.append(f"{cardinal(count, language, noun.gender, case)} {counted(count, noun, language, case)}")
    return (_MINUS[language] if value < 0 else "") + (" and " if language == "en" else " ").join(said)
