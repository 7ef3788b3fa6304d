"""What the PBX tells of itself over Escape: its devices, its name and versions. DOC, CAP, RE, INF as in panasonic.py.

Device list: Escape invoke -> its result with a cross reference -> Escape invokes from the PBX, one per segment. CAP
for the request, RE for the rest (templates derived from a client's declarations, not captured).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.csta.private import StandardDevice

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


def get_system_data(item: str) -> dict[str, Any]:
    """Escape argument asking for ``manufacturerName``, ``softwareVersion``... (private.SystemDataItem; RE)."""
    return {"privateData": _private(("getSystemData", ("systemData", item)))}


def system_data_request(argument: dict[str, Any]) -> str | None:
    """The item that an Escape argument asks for, an unknown one as its number; None when it asks for something else."""
    match argument.get("privateData"):
        case ("private", ("systemData", ("getSystemData", ("systemData", item)))):
            return str(item)
    return None


def system_data_reply(cross_reference: bytes, values: dict[str, Any]) -> dict[str, Any]:
    """Escape argument of a linked reply in one segment; ``values`` as private.SysData names them."""
    reply = {"crossRefID": cross_reference, "segmentID": 1, "lastSegment": True, "sysData": values}
    return {"privateData": _private(("systemDataLinkedReply", reply))}


def parse_system_data(argument: dict[str, Any]) -> dict[str, Any] | None:
    """What a linked reply tells, by the names of private.SysData; None when an Escape argument carries none."""
    match argument.get("privateData"):
        case ("private", ("systemData", ("systemDataLinkedReply", dict(reply)))):
            values: dict[str, Any] = reply.get("sysData", {})
            return values
    return None


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
