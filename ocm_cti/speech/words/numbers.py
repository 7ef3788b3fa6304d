"""Cardinal numbers and the forms of the counted word, in Russian, Ukrainian and English.

num2words 0.5.14 counts well, but its feminine is wrong from a million on ("одна миллион"): gender is applied here, and
only to the last word, which is the only one that can have it.
"""

from __future__ import annotations

from functools import lru_cache

from num2words import num2words

LANGUAGES = ("ru", "uk", "en")

_FEMININE = {"ru": {"один": "одна", "два": "две"}, "uk": {"один": "одна", "два": "дві"}}

#: one, few, many: 1 рубль, 2 рубля, 5 рублей.
Forms = tuple[str, str, str]


@lru_cache(4096)
def cardinal(number: int, language: str, gender: str = "masculine") -> str:
    """``number`` in words, e.g. 21, feminine: "двадцать одна". English has no gender."""
    words = str(num2words(number, lang=language)).split(" ")
    if gender == "feminine" and language in _FEMININE:
        words[-1] = _FEMININE[language].get(words[-1], words[-1])
    return " ".join(words)


def counted(number: int, forms: Forms, language: str) -> str:
    """The form of the counted word that belongs to ``number`` (not negative)."""
    one, few, many = forms
    if language == "en":
        return one if number == 1 else many
    units, tens = number % 10, number // 10 % 10
    if units == 1 and tens != 1:
        return one
    return few if units in (2, 3, 4) and tens != 1 else many
