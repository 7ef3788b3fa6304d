"""What came into CSTA after ECMA-285 2nd edition, the one that a Panasonic KX announces: read, never sent.

Names and numbers as far as our sources tell the editions apart; an optional field that they don't mention may be newer
too, but nothing of ours fills it.
"""

from __future__ import annotations

from typing import Any

from protocols.asn1 import Type
from protocols.csta.causes import EventCause, SystemResourceAvailabilityErrors
from protocols.csta.identifiers import MediaClass

LATER_FIELDS = frozenset(
    {
        "reason",
        "privateNumber",
        "privateName",
        "subjectOfCall",
        "messageInfo",
        "languagePreferences",
        "deviceHistory",
        "locationInfo",
    }
)
LATER_NAMES: dict[str, frozenset[str]] = {
    EventCause.name: frozenset(name for number, name in EventCause.names.items() if number >= 88),
    SystemResourceAvailabilityErrors.name: frozenset(
        name for number, name in SystemResourceAvailabilityErrors.names.items() if number >= 29
    ),
}
_FIRST_LATER_MEDIA_CLASS = next(bit for bit, name in MediaClass.names.items() if name == "chat")


def later_than_second(type_: Type, value: Any, path: str = "") -> list[str]:
    """Where a value holds what the second edition does not have: dotted names, [] when a KX can know all of it."""
    if type_.kind == "EXPLICIT" and type_.inner is not None:
        return later_than_second(type_.inner, value, path)
    if type_.kind == "SEQUENCE OF" and type_.inner is not None:
        return [found for each in value for found in later_than_second(type_.inner, each, path)]
    if type_.kind == "ENUMERATED":
        return [f"{path}={value}"] if value in LATER_NAMES.get(type_.name, frozenset()) else []
    if type_.kind == "BIT STRING" and type_.names == MediaClass.names:
        return [f"{path}={value}"] if "1" in value[_FIRST_LATER_MEDIA_CLASS:] else []
    found: list[str] = []
    chosen = dict([value]) if type_.kind == "CHOICE" else value if type_.kind == "SEQUENCE" else {}
    for part in type_.parts:
        if part.name in chosen:
            where = f"{path}.{part.name}" if path else part.name
            if part.optional and part.name in LATER_FIELDS:
                found.append(where)
            found += later_than_second(part.type, chosen[part.name], where)
    return found
