"""Codes and telephone numbers, digit by digit, with a comma (a pause for the engine) between the groups."""

from __future__ import annotations

import re

_DIGITS = {
    "ru": ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"],
    "uk": ["нуль", "один", "два", "три", "чотири", "п'ять", "шість", "сім", "вісім", "дев'ять"],
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
}
_SIGNS = {
    "ru": {"*": "звёздочка", "#": "решётка"},
    "uk": {"*": "зірочка", "#": "решітка"},
    "en": {"*": "star", "#": "hash"},
}
_ALLOWED = re.compile(r"[0-9*#\s()./+\-–]+")


def _checked(written: str, what: str) -> str:
    """The value without a spreadsheet's ".0" behind a row of digits. ValueError where there is more than digits."""
    if re.fullmatch(r"\s*\d[.,]\d+[eEеЕ]\+?\d+\s*", written):
        raise ValueError(f"is no {what} any more: a spreadsheet has cut it short; format the column as text")
    if not _ALLOWED.fullmatch(written):
        raise ValueError(f"is no {what}")
    return re.sub(r"^(\s*\+?\d+)\.0$", r"\1", written.rstrip())


def _groups(written: str, cut: tuple[int, ...]) -> list[str]:
    """Groups as written; an unbroken row is cut from its end into the sizes of ``cut``, the last of which repeats."""
    found = re.findall(r"[0-9*#]+", written)
    if len(found) != 1 or len(found[0]) <= 4:
        return found
    row = found[0]
    groups: list[str] = []
    for step in range(len(row)):
        if not row:
            break
        size = cut[min(step, len(cut) - 1)]
        row, group = row[:-size], row[-size:]
        groups.insert(0, group)
    return groups


def _spell(groups: list[str], language: str) -> str:
    words = {**{str(number): word for number, word in enumerate(_DIGITS[language])}, **_SIGNS[language]}
    return ", ".join(" ".join(words[sign] for sign in group) for group in groups)


def digits(value: str, language: str) -> str:
    """A code of digits (and * #). ValueError for anything else."""
    written = _checked(value, "row of digits")
    if not re.search(r"[0-9*#]", written):
        raise ValueError("is no row of digits")
    return _spell(_groups(written, (3,)), language)


def phone(value: str, language: str) -> str:
    """A telephone number; its + is not spoken. ValueError for anything else."""
    written = _checked(value, "telephone number")
    if not 2 <= len(re.findall(r"[0-9]", written)) <= 20:
        raise ValueError("is no telephone number")
    return _spell(_groups(written, (2, 2, 3)), language)
