"""A TOML document whose keys are taken one by one, with errors that name the file, the table and the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class ArgumentError(ValueError):
    """An argument that can't be used; the text is one line for people."""


class ConfigError(ArgumentError):
    """A configuration file that can't be used; the text names the file and the key."""


class Table:
    """A table of the document, whose keys are taken one by one; what is left over was not meant to be there."""

    def __init__(self, content: Mapping[str, Any], file: str, folder: Path, where: str) -> None:
        self.file = file
        self.folder = folder
        self.place = f"{file}: {where}" if where else file
        self.given = bool(content)
        self._where = where
        self._left = dict(content)
        self._known: list[str] = []

    def wrong(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self.place}: {key} {what}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._left.pop(key, None)

    def text(self, key: str, default: str | None) -> str:
        """None as ``default``: it must be given."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.wrong(key, "is missing" if value is None else f'is a text in "...", not {value!r}')
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        value = self.text(key, default)
        if value not in choices:
            raise self.wrong(key, f"is one of {', '.join(choices)}, not {value!r}")
        return value

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"is a whole number from {least} to {most}, not {value!r}")
        return value

    def port(self, key: str, default: int) -> int:
        return self.whole(key, 0, 65535, default)

    def number(self, key: str) -> float | None:
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 86400:
            raise self.wrong(key, f"is a number of seconds, not {value!r}")
        return float(value)

    def truth(self, key: str, default: bool) -> bool:
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, f"is true or false, not {value!r}")
        return default if value is None else value

    def texts(self, key: str) -> list[str]:
        value = self._take(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise self.wrong(key, 'is a list of texts, ["...", "..."]')
        return value or []

    def path(self, key: str) -> Path | None:
        value = self.text(key, "")
        return self.folder / value if value else None

    def table(self, key: str) -> Table:
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(key, f"is a table, [{key}]")
        table = Table(value or {}, self.file, self.folder, f"[{key}]")
        table.given = value is not None
        return table

    def tables(self, key: str) -> list[Table]:
        value = self._take(key) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.wrong(key, f"are tables, [[{key}]]")
        return [Table(one, self.file, self.folder, f"[[{key}]] number {number}") for number, one in enumerate(value, 1)]

    def rest(self) -> dict[str, Any]:
        """All that has not been taken; takes it."""
        rest, self._left = self._left, {}
        return rest

    def nothing_else(self) -> None:
        if self._left:
            raise self.wrong(repr(next(iter(self._left))), f"is not one of {', '.join(self._known)}")
