"""How the Panasonic KX family names devices and connections. DOC, CAP, RE, INF as in panasonic.py."""

from __future__ import annotations

from typing import Any

# RE: a deviceNumber is a type in its upper 16 bits and an index in the lower ones.
DEVICE_TYPES: dict[str, int] = {
    "extension": 0x0111,
    "portable_station": 0x0121,
    "trunk": 0x0131,  # a CO line; in events trunks appear only so
    "disa": 0x0155,
}
_TYPE_NAMES = {number: name for name, number in DEVICE_TYPES.items()}


def dialing_number(digits: str) -> dict[str, Any]:
    """DeviceID of a number: an extension as it is, an outside one with the access digits before it (CAP/RE)."""
    return {"deviceIdentifier": ("dialingNumber", digits)}


def device_number(kind: str, index: int) -> dict[str, Any]:
    """DeviceID by type and index, ``kind`` as in DEVICE_TYPES; the only way to name a trunk (RE)."""
    return {"deviceIdentifier": ("deviceNumber", DEVICE_TYPES[kind] << 16 | index)}


def device_kind(device: dict[str, Any]) -> tuple[str, int] | None:
    """(kind, index) of a DeviceID by number, None for any other form; an unknown type is ``type-0x0199``."""
    form, value = device["deviceIdentifier"]
    if form != "deviceNumber":
        return None
    kind = value >> 16
    return _TYPE_NAMES.get(kind, f"type-0x{kind:04X}"), value & 0xFFFF


def device_text(device: Any) -> str:
    """Digits, or ``trunk 3``, of a DeviceID; of a party in an event also ``notKnown``, ``restricted``.

    Takes a DeviceID dict, or a CHOICE around one as events carry it; external numbers come as dialingNumber or as
    octets of ASCII digits (RE).
    """
    if isinstance(device, tuple):
        chosen, inner = device
        return device_text(inner) if isinstance(inner, dict) else str(chosen)
    by_number = device_kind(device)
    if by_number is not None:
        return f"{by_number[0]} {by_number[1]}"
    form, value = device["deviceIdentifier"]
    if isinstance(value, tuple):  # explicitPublic, explicitPrivate: (type of number, digits)
        value = value[1]
    return value.decode("latin-1") if isinstance(value, bytes) and form == "other" else str(value)


def connection_id(call_id: bytes, device: dict[str, Any]) -> tuple[str, Any]:
    """ConnectionID of a call at a device (RE: always both; callID is opaque, 3 or 4 octets in the only sample)."""
    return ("both", {"callID": call_id, "deviceID": ("staticID", device)})


def call_id(connection: tuple[str, Any]) -> bytes | None:
    """The callID of a ConnectionID; None where it names only a device."""
    form, value = connection
    if form == "both":
        return bytes(value["callID"])
    return value if form == "callID" else None


def connection_device(connection: tuple[str, Any]) -> dict[str, Any] | None:
    """The DeviceID of a ConnectionID; None where it has only a callID, or a dynamic device."""
    form, value = connection
    local = value["deviceID"] if form == "both" else value if form == "deviceID" else None
    if local is None or local[0] != "staticID":
        return None
    device: dict[str, Any] = local[1]
    return device
