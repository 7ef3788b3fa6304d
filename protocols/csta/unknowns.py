"""What a peer sent that no declaration of ours knows, said in the log once for each kind.

Newer firmware shows itself so. It survives all the same (asn1); this is only so that somebody hears of it.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.logger import Logger

from protocols.asn1 import UNKNOWN, Type, unknown_parts
from protocols.csta import operations
from protocols.csta.causes import UniversalFailure

CATEGORIES = frozenset({UNKNOWN, *(part.name for part in UniversalFailure.parts)})
#: A peer that sends ever new kinds is not written about for ever.
MOST = 200


#: What may be a telephone number; logs have no more than its last digits. A recording has everything.
_NUMBER = re.compile(rb"[0-9*#]{5,}")
_SHOWN_DIGITS = 2


def for_log(octets: bytes) -> str:
    """Octets in hex, ``..`` for each that would tell whom somebody called."""
    shown = [f"{octet:02X}" for octet in octets]
    for number in _NUMBER.finditer(octets):
        hidden = range(number.start(), number.end() - _SHOWN_DIGITS)
        for place in hidden:
            shown[place] = ".."
    return " ".join(shown)


class Unknowns:
    """What has been seen on one link."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._said: set[str] = set()

    def look(self, operation: str, part: str, value: Any) -> None:
        """``part`` is ``argument`` or ``result`` of the operation."""
        known = operations.BY_NAME.get(operation)
        if known is not None:
            self._look(known.argument if part == "argument" else known.result, value, operation)
        elif operation:
            self._say(f"{operation}: not declared", b"")

    def look_at_error(self, category: str, value: Any) -> None:
        """Of a UniversalFailure."""
        if category in CATEGORIES:
            self._look(UniversalFailure, (category, value), "universalFailure")

    def _look(self, type_: Type, value: Any, where: str) -> None:
        if value is not None:
            for what, octets in unknown_parts(type_, value):
                self._say(where + (what if what.startswith(":") else f".{what}"), octets)

    def _say(self, what: str, octets: bytes) -> None:
        if what not in self._said and len(self._said) < MOST:
            self._said.add(what)
            self._log.warn("the peer sends what is not known here: {what} {octets}", what=what, octets=for_log(octets))
