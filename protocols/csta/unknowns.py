"""What a peer sent that no declaration of ours knows, said in the log once for each kind.

Newer firmware shows itself so. It survives all the same (asn1); this is only so that somebody hears of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.logger import Logger

from protocols.asn1 import UNKNOWN, Type
from protocols.csta import operations
from protocols.csta.causes import UniversalFailure

#: A peer that sends ever new kinds is not written about for ever.
MOST = 200


def unknown_parts(type_: Type, value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """(path of ASN.1 names, what is unknown there) for elements, alternatives and numbers that ``type_`` has not."""
    kind = type_.kind
    if kind == "ENUMERATED":
        if isinstance(value, int):
            yield where, f"number {value}"
    elif kind == "SEQUENCE":
        for part in type_.parts:
            if part.name in value:
                yield from unknown_parts(part.type, value[part.name], f"{where}.{part.name}")
        for element in value.get(UNKNOWN, ()):
            yield where, f"element {element[:1].hex().upper()}"
    elif kind == "CHOICE":
        chosen, inner = value
        if chosen == UNKNOWN:
            yield where, f"alternative {inner[:1].hex().upper()}"
        else:
            part = next(part for part in type_.parts if part.name == chosen)
            yield from unknown_parts(part.type, inner, f"{where}.{chosen}")
    elif type_.inner is not None:
        for item in value if kind == "SEQUENCE OF" else (value,):
            yield from unknown_parts(type_.inner, item, where)


class Unknowns:
    """What has been seen on one link."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._said: set[tuple[str, str]] = set()

    def look(self, operation: str, part: str, value: Any) -> None:
        """``part`` is ``argument`` or ``result`` of the operation."""
        known = operations.BY_NAME.get(operation)
        if known is None:
            if operation:
                self._say(operation, "operation")
        elif value is not None:
            for where, what in unknown_parts(getattr(known, part), value, operation):
                self._say(where, what)

    def look_at_error(self, category: str, value: Any) -> None:
        """Of a UniversalFailure."""
        if category in (UNKNOWN, *(part.name for part in UniversalFailure.parts)):
            for where, what in unknown_parts(UniversalFailure, (category, value), "universalFailure"):
                self._say(where, what)

    def _say(self, where: str, what: str) -> None:
        if (where, what) not in self._said and len(self._said) < MOST:
            self._said.add((where, what))
            self._log.warn("the peer sends what is not known here: {what} at {where}", what=what, where=where)
