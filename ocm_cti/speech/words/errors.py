"""The one error of this room."""

from __future__ import annotations


class UnspeakableValue(ValueError):
    """A value can't be turned into words. ``variable`` is "" where the value stands for itself."""

    def __init__(self, variable: str, value: str, why: str) -> None:
        where = f"{{{variable}}}: " if variable else ""
        super().__init__(f"{where}{value!r} {why}")
        self.variable = variable
        self.value = value
        self.why = why
