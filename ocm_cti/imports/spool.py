"""Rows and people that are too many for memory: a list of 100,000 takes little more of it than one of 10,000."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

#: So many stay in memory.
FEW = 5000
#: Written, and read, at a time.
PORTION = 500

T = TypeVar("T")


class Spool(Collection[T]):
    """Filled once, gone through as often as needed, in the order in which it was filled; the many lie in a file without
    a name, which is gone with the process.
    """

    def __init__(self, few: int = FEW) -> None:
        self._few = few
        self._recent: list[T] = []
        self._file: Any = None
        self._places: list[int] = []  # of the portions in the file
        self._written = 0

    def append(self, one: T) -> None:
        self._recent.append(one)
        if len(self._recent) >= (self._few if self._file is None else PORTION):
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this does)
        self._file.seek(0, 2)
        for start in range(0, len(self._recent), PORTION):
            self._places.append(self._file.tell())
            pickle.dump(self._recent[start : start + PORTION], self._file, pickle.HIGHEST_PROTOCOL)
        self._written += len(self._recent)
        self._recent = []

    def __len__(self) -> int:
        return self._written + len(self._recent)

    def __contains__(self, one: object) -> bool:
        return any(each == one for each in self)

    def __iter__(self) -> Iterator[T]:
        for place in self._places:
            self._file.seek(place)  # somebody else may be going through it too
            yield from pickle.load(self._file)
        yield from self._recent

    def few(self) -> Collection[T]:
        """A plain list where they are few, else this."""
        return self._recent if self._file is None else self
