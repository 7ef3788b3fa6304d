"""The keys that a person has pressed: all of them for the report, and those that no step has taken yet."""

from __future__ import annotations

#: Stands in the place of a key that was pressed as part of a PIN.
HIDDEN = "x"


class Pressed:
    """In the order of pressing."""

    def __init__(self) -> None:
        self._all: list[str] = []
        self._waiting: list[tuple[int, str]] = []  # (place in _all, key)

    def __bool__(self) -> bool:
        """Some have not been taken."""
        return bool(self._waiting)

    def note(self, key: str, *, hidden: bool) -> None:
        """A key that is for nobody."""
        self._all.append(HIDDEN if hidden else key)

    def add(self, key: str, *, hidden: bool) -> None:
        """A key that waits for a step to take it."""
        self._waiting.append((len(self._all), key))
        self.note(key, hidden=hidden)

    def take(self, *, hidden: bool) -> str:
        """The next that waits; ``hidden``: it is part of a PIN."""
        place, key = self._waiting.pop(0)
        if hidden:
            self._all[place] = HIDDEN
        return key

    def drop(self, key: str) -> bool:
        """Take the next if it is this one; says whether it was."""
        if self._waiting[:1] and self._waiting[0][1] == key:
            del self._waiting[0]
            return True
        return False

    def text(self, *, hide_waiting: bool) -> str:
        """All of them; ``hide_waiting``: what was typed ahead and taken by no step may be a PIN."""
        told = list(self._all)
        if hide_waiting:
            for place, _ in self._waiting:
                told[place] = HIDDEN
        return "".join(told)
