"""How a gateway's table of the configuration file is read: every mistake names its key, a misspelt key is an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence


class SettingError(ValueError):
    """A setting that can't be used. ``key`` is dotted (``gateways.office.link``), ``what`` says what is wrong."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(f"{key}: {what}")
        self.key = key
        self.what = what


class Table:
    """One table of the file, read key by key. ``path`` is its own dotted name; ``known`` are all keys it may have."""

    def __init__(self, path: str, values: Mapping[str, object], known: Sequence[str]) -> None:
        self.path = path
        self._values = values
        for key in values:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(sorted(known))}"
                raise SettingError(self.key(key), f"unknown key; {hint}")

    def key(self, name: str) -> str:
        return f"{self.path}.{name}"

    def get(self, name: str) -> object:
        """The value as the file has it, None where it is missing."""
        return self._values.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty; without a default it must be there."""
        value = self._values.get(name, default)
        if value is None:
            raise SettingError(self.path, f"{name} is missing")
        if not isinstance(value, str) or not value.strip():
            raise SettingError(self.key(name), f"must be a text in quotes, not {value!r}")
        return value.strip()

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.text(name, default)
        if value not in choices:
            close = difflib.get_close_matches(value, choices, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise SettingError(self.key(name), f"is one of {', '.join(choices)}, not {value!r}{hint}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise SettingError(self.key(name), f"must be true or false, not {value!r}")
        return value

    def number(self, name: str, default: float, at_least: float, at_most: float) -> float:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not at_least <= value <= at_most:
            raise SettingError(self.key(name), f"must be a number from {at_least:g} to {at_most:g}, not {value!r}")
        return float(value)

    def whole(self, name: str, default: int, at_least: int, at_most: int) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
            raise SettingError(self.key(name), f"must be a whole number from {at_least} to {at_most}, not {value!r}")
        return value

    def dial_rules(
        self, name: str, default: tuple[tuple[str, str], ...], *, plus: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """``[["+7", "98"], ["+", "9810"]]``: a number that begins with the first is dialled with the second instead.

        ``plus``: what is dialled may begin with one.
        """
        value, key = self._values.get(name), self.key(name)
        if value is None:
            return default
        if not isinstance(value, list | tuple) or not value:
            example = ", ".join(f'["{prefix}", "{digits}"]' for prefix, digits in default)
            raise SettingError(key, f"must be a list of pairs, e.g. [{example}]")
        rules = []
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
                raise SettingError(key, f"{pair!r} is no pair of texts")
            prefix, replacement = pair
            if not re.fullmatch(r"\+[0-9]*", prefix):
                raise SettingError(key, f"{prefix!r} must be + and digits: numbers of lists are kept in that form")
            if not re.fullmatch(r"\+?[0-9*#]*" if plus else "[0-9*#]*", replacement):
                more = "digits, * and #, with a + before them or not" if plus else "digits, * and # only"
                raise SettingError(key, f"{replacement!r} can't be dialled: {more}")
            rules.append((prefix, replacement))
        return tuple(rules)
