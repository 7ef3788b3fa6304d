"""The Panasonic KX family's ways: constants, builders, the causes it uses. Each with its source and how sure it is.

DOC a Panasonic manual · CAP hex said to be from the wire · RE working client code by others · INF our inference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.csta.causes import EventCause
from protocols.csta.private import StandardDevice

TCP_PORT = 33333  # CAP/RE: default CTI port; no manual page was found
FACTORY_ADDRESS = "192.168.0.101"  # RE: KX-TDE

# RE: a deviceNumber is a type in its upper 16 bits and an index in the lower ones.
DEVICE_TYPES: dict[str, int] = {
    "extension": 0x0111,
    "portable_station": 0x0121,
    "trunk": 0x0131,  # a CO line; in events trunks appear only so
    "disa": 0x0155,
}
_TYPE_NAMES = {number: name for name, number in DEVICE_TYPES.items()}

# RE (equals ECMA-285): the causes a robot meets, by name; all others in causes.EventCause.
CAUSE_NUMBERS: dict[str, int] = {name: number for number, name in EventCause.names.items()}

# RE: causes listed for Failed in a client's copy of Panasonic's specification. "Resource not available" stands there as
# 40, which is durationExceeded in ECMA-285; 30 is right.
FAILED_CAUSES = (
    "busy",
    "callCancelled",
    "destNotObtainable",
    "doNotDisturb",
    "incompatibleDestination",
    "invalidAccountCode",
    "reorderTone",
    "resourcesNotAvailable",
    "trunksBusy",
    "blocked",
    "networkSignal",
    "destOutOfOrder",
    "invalidNumberFormat",
    "normal",
)
# RE: only after a Failed with these is the caller's phone free by itself; after any other it stays off-hook on a tone
# until it is cleared (a client in production withdrew a longer list as a bug).
FAILED_FREES_CALLER = frozenset({"blocked", "networkSignal", "destOutOfOrder"})

# RE: values that Panasonic lists for systemStatus.
SYSTEM_STATUSES = ("normal", "messagesLost", "overloadReached")

# RE: the errors that Panasonic lists, by category of UniversalFailure.
FAILURES: dict[str, tuple[str, ...]] = {
    "operation": (
        "requestIncompatibleWithObject",
        "invalidCalledDeviceID",
        "privilegeViolationSpecifiedDevice",
        "invalidDeviceID",
        "invalidConnectionID",
        "invalidParameterValue",
        "invalidAgentGroup",
        "invalidAgentState",
        "serviceNotSupported",
        "notSameDevice",
    ),
    "stateIncompatibility": ("invalidObjectState",),
    "systemResourceAvailability": (
        "resourceBusy",
        "resourceOutOfService",
        "deviceOutOfService",
        "resourceLimitExceeded",
    ),
}


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


def monitor_argument(device: dict[str, Any]) -> dict[str, Any]:
    """MonitorStart for all events of a device: an empty filter suppresses nothing (CAP)."""
    return {"monitorObject": ("deviceObject", device), "requestedMonitorFilter": {}}


# Device list: Escape invoke -> its result with a cross reference -> Escape invokes from the PBX, one per segment. CAP
# for the request, RE for the rest (templates derived from a client's declarations, not captured).

DEVICE_CATEGORIES = tuple(StandardDevice.names.values())


@dataclass(frozen=True)
class ListedDevice:
    """One line of the PBX's device list; ``number`` None where it has none; trunks: ``number`` is the line's number."""

    device: dict[str, Any]
    number: str | None
    in_service: bool


@dataclass(frozen=True)
class DeviceSegment:
    """One linked reply; the list is whole after the segment with ``last``. Segments are numbered by the PBX."""

    cross_reference: bytes
    segment: int
    last: bool
    devices: tuple[ListedDevice, ...]


def _private(system_data: tuple[str, Any]) -> tuple[str, Any]:
    return ("private", ("systemData", system_data))


def get_device_list(category: str) -> dict[str, Any]:
    """Escape argument asking for all devices of a category: ``station`` extensions, ``networkInterface`` CO lines."""
    wanted = ("deviceList", ("category", ("standardDevice", category)))
    return {"privateData": _private(("getSystemData", wanted))}


def device_list_request(argument: dict[str, Any]) -> str | None:
    """The category that an Escape argument asks for; None when it asks for something else."""
    match argument.get("privateData"):
        case ("private", ("systemData", ("getSystemData", ("deviceList", ("category", ("standardDevice", category)))))):
            return str(category)
    return None


def device_list_ack(cross_reference: bytes) -> tuple[str, Any]:
    """Escape result that promises linked replies under ``cross_reference``."""
    return ("extensions", {"privateData": [_private(("systemDataPosAck", cross_reference))]})


def device_list_cross_reference(result: Any) -> bytes | None:
    """The cross reference in an Escape result; None when it has none (an older PBX, or another escape)."""
    match result:
        case ("extensions", {"privateData": [("private", ("systemData", ("systemDataPosAck", bytes(cross)))), *_]}):
            return cross
    return None


def device_segment(cross_reference: bytes, segment: int, last: bool, devices: Iterable[ListedDevice]) -> dict[str, Any]:
    """Escape argument of one linked reply."""
    entries = []
    for listed in devices:
        entry: dict[str, Any] = {"deviceID": listed.device, "status": "ins" if listed.in_service else "ous"}
        if listed.number is not None:
            entry["number"] = listed.number
        entries.append(entry)
    reply = {
        "crossRefID": cross_reference,
        "segmentID": segment,
        "lastSegment": last,
        "sysData": {"deviceList": entries},
    }
    return {"privateData": _private(("systemDataLinkedReply", reply))}


def parse_device_segment(argument: dict[str, Any]) -> DeviceSegment | None:
    """The segment in an Escape argument; None when it carries no linked reply. An unknown status is out of service."""
    match argument.get("privateData"):
        case ("private", ("systemData", ("systemDataLinkedReply", dict(reply)))):
            entries = reply.get("sysData", {}).get("deviceList", [])
            devices = tuple(
                ListedDevice(entry["deviceID"], entry.get("number"), entry["status"] == "ins") for entry in entries
            )
            return DeviceSegment(reply["crossRefID"], reply["segmentID"], reply["lastSegment"], devices)
    return None


def segments(devices: Sequence[ListedDevice], per_segment: int = 8) -> list[Sequence[ListedDevice]]:
    """Cut a device list so that each linked reply stays below 240 octets; an empty list is one empty segment.

    An entry takes at most 25 octets with a number of 8 digits, the envelope about 35.
    """
    return [devices[at : at + per_segment] for at in range(0, len(devices), per_segment)] or [devices]
