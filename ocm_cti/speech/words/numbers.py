"""Cardinal numbers in words, in Russian, Ukrainian and English. English is num2words'; the others are declined here."""

from __future__ import annotations

from functools import lru_cache

from num2words import num2words

from ocm_cti.speech.words.declension import MASCULINE, NOMINATIVE, declined

LANGUAGES = ("ru", "uk", "en")

_MINUS = {"ru": "минус", "uk": "мінус"}


@lru_cache(4096)
def cardinal(number: int, language: str, gender: str = MASCULINE, case: str = NOMINATIVE) -> str:
    """``number`` in words, e.g. 21, feminine, accusative: "двадцать одну". English has neither gender nor case."""
    if language == "en":
        return str(num2words(number, lang="en"))
    words = declined(abs(number), language, gender, case)
    return f"{_MINUS[language]} {words}" if number < 0 else words
