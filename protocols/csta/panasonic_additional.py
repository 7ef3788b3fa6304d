"""Additional data: what Panasonic attaches to standard services and events, in their ``extensions``.

RE: the members' names and numbers, and the values of holdType and conditionCode. Source marks as in panasonic.py.
"""

from __future__ import annotations

from typing import Any

from protocols.asn1 import may, sequence
from protocols.csta.private import AdditionalData
from protocols.errors import RemoteProtocolError

# Whether additionalData is a CHOICE, as systemData is on the wire, or a SEQUENCE of optional members, no source tells.
# assumed: a CHOICE; the other form is read too.
_AS_SEQUENCE = sequence("additionalData", *(may(part.name, part.type) for part in AdditionalData.parts))


def additional_data(*members: tuple[str, Any]) -> dict[str, Any]:
    """``extensions`` with these members: ``additional_data(("holdType", "normal"))``.

    A member of which only the tag is known takes its whole element as octets, tag included.
    """
    return {"privateData": [("private", ("additionalData", member)) for member in members]}


def additional_members(extensions: Any) -> list[tuple[str, Any]]:
    """The members in the ``extensions`` of a decoded argument, result or event, in order; [] where there are none.

    Holds as well for a CSTACommonArguments as for None, or the ``("extensions", ...)`` of a result without data.
    """
    if isinstance(extensions, tuple):
        extensions = extensions[1] if extensions[0] == "extensions" else None
    members: list[tuple[str, Any]] = []
    for private in (extensions or {}).get("privateData", ()):
        match private:
            case ("private", ("additionalData", ("_unknown", bytes(element)))) if element[:1] == b"\x30":
                members += _members(element)
            case ("private", ("additionalData", (name, value))):
                members.append((name, value))
    return members


def _members(element: bytes) -> list[tuple[str, Any]]:
    try:
        value = _AS_SEQUENCE.decode_all(element)
    except RemoteProtocolError:
        return [("_unknown", element)]
    unknown = [("_unknown", each) for each in value.pop("_unknown", ())]
    return [*value.items(), *unknown]
