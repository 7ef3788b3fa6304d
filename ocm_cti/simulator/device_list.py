"""getSystemData of Panasonic's private data: what the PBX tells about itself and its devices, cut into linked replies.

Flow (CYR, LTM): Escape -> result with posAck and a cross reference -> Escape invokes of the PBX, each with a segment of
the answer under that reference, until ``lastSegment``. Clients do not answer these invokes, and the PBX does not mind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ocm_cti.simulator.effects import Device, RequestError, Trunk
from ocm_cti.simulator.reports import Names
from ocm_cti.simulator.switch import Switch

# Octets of a linked reply around its entries: ROSE and private data headers, references; lengths of 81 xx counted.
_ENVELOPE_OCTETS = 64
# Octets of an entry around its number: SEQUENCE, DeviceID with a 4-octet deviceNumber, headers of number and status.
_ENTRY_OCTETS = 15

# Texts of a made-up PBX; a real one's were not found.
_TEXTS = {
    "manufacturerName": "PANASONIC",
    "subdomainName": "SIMULATED",
    "softwareVersion": "OCM-SIM",
    "ctiVersion": "4.03",
}


def answer(switch: Switch, names: Names, private: Any) -> list[dict[str, Any]]:
    """The ``sysData`` values of all segments for the private data of an Escape; RequestError for what is unknown."""
    match private:
        case ("private", ("systemData", ("getSystemData", request))):
            pass
        case _:
            raise RequestError("operation", "serviceNotSupported")
    match request:
        case ("deviceList", ("category", ("standardDevice", "station"))):
            return _segments(switch, names, switch.extensions)
        case ("deviceList", ("category", ("standardDevice", "networkInterface"))):
            return _segments(switch, names, switch.trunks)
        case ("deviceList", ("category", ("standardDevice", str()))):
            return [{"deviceList": []}]
        case ("systemData", str(item)) if item in _TEXTS:
            return [{item: _TEXTS[item]}]
    raise RequestError("operation", "invalidParameterValue")


def acknowledgement(reference: bytes) -> tuple[str, Any]:
    """The EscapeResult value."""
    return ("extensions", {"privateData": [("private", ("systemData", ("systemDataPosAck", reference)))]})


def linked_reply(reference: bytes, segment: int, last: bool, content: dict[str, Any]) -> dict[str, Any]:
    """The EscapeArgument value of one segment; ``segment`` counts from 1."""
    reply = {"crossRefID": reference, "segmentID": segment, "lastSegment": last, "sysData": content}
    return {"privateData": ("private", ("systemData", ("systemDataLinkedReply", reply)))}


def _segments(switch: Switch, names: Names, devices: Sequence[Device]) -> list[dict[str, Any]]:
    room = switch.settings.segment_octets - _ENVELOPE_OCTETS
    segments: list[list[dict[str, Any]]] = [[]]
    left = room
    for device in devices:
        number = f"{device.index:02}" if isinstance(device, Trunk) else device.number
        needed = _ENTRY_OCTETS + len(number)
        if needed > left and segments[-1]:
            segments.append([])
            left = room
        left -= needed
        segments[-1].append(
            {
                "deviceID": {"deviceIdentifier": ("deviceNumber", names.number_of(device))},
                "number": number,
                "status": "ins" if switch.in_service(device) else "ous",
            }
        )
    return [{"deviceList": segment} for segment in segments]
