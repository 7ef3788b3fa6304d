"""getSystemData of Panasonic's private data: what the PBX tells about itself and its devices, cut into linked replies.

Flow (CYR, LTM): Escape -> result with posAck and a cross reference -> Escape invokes of the PBX, each with a segment of
the answer under that reference, until ``lastSegment``. Clients do not answer these invokes, and the PBX does not mind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ocm_cti.simulator.effects import Device, RequestError, Trunk
from ocm_cti.simulator.reports import NEWER_ENTRY, Names
from ocm_cti.simulator.switch import Switch
from protocols.asn1 import IA5_STRING, INTEGER, explicit, must, sequence
from protocols.csta.common import TimeInfo
from protocols.csta.identifiers import DeviceID
from protocols.errors import RemoteProtocolError

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
# CYR has the numbers of these members and numberOfMsgPort's two fields; the types are INF (EXPLICIT, as all of this
# part), and [27] for whoAmI is concluded from the order of the items: the first five items stand 7 below their answers.
_ONE_DEVICE = explicit(0, DeviceID)
_REGION = explicit(23, INTEGER)
_TIME = explicit(24, TimeInfo)
_PORTS = explicit(25, sequence("numberOfMsgPort", must("total", INTEGER), must("free", INTEGER)))
_WHO = explicit(27, IA5_STRING)
_PBX_TYPE = explicit(46, INTEGER)

_ITEMS: dict[str, Callable[[Switch, datetime, str], dict[str, Any]]] = {
    "regionCode": lambda switch, now, client: {"regionCode": _REGION.encode(1)},
    "systemTime": lambda switch, now, client: {"systemTime": _TIME.encode(f"{now:%Y%m%d%H%M%S}")},
    "numberOfMsgPort": lambda switch, now, client: {
        "numberOfMsgPort": _PORTS.encode({"total": switch.settings.ogm_ports, "free": switch.free_ogm_ports})
    },
    "whoAmI": lambda switch, now, client: {"_unknown": [_WHO.encode(client)]},
    "pbxType": lambda switch, now, client: {"pbxType": _PBX_TYPE.encode(0)},
}


def answer(switch: Switch, names: Names, private: Any, now: datetime, client: str) -> list[dict[str, Any]]:
    """The ``sysData`` values of all segments for the private data of an Escape; RequestError for what is unknown.

    ``now`` is the PBX's own clock, ``client`` how it names who asks.
    """
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
        case ("deviceList", ("category", _)):
            return [{"deviceList": []}]
        case ("deviceList", ("device", bytes(element))):
            return _segments(switch, names, [_device(names, element)])
        case ("systemData", str(item)) if item in _TEXTS:
            return [{item: _TEXTS[item]}]
        case ("systemData", str(item)) if item in _ITEMS:
            return [_ITEMS[item](switch, now, client)]
    raise RequestError("operation", "invalidParameterValue")


def _device(names: Names, element: bytes) -> Device:
    try:
        device = names.device(_ONE_DEVICE.decode_all(element))
    except RemoteProtocolError:
        raise RequestError("operation", "invalidParameterValue") from None
    if device is None:
        raise RequestError("operation", "invalidDeviceID")
    return device


def acknowledgement(reference: bytes) -> tuple[str, Any]:
    """The EscapeResult value."""
    return ("extensions", {"privateData": [("private", ("systemData", ("systemDataPosAck", reference)))]})


def linked_reply(reference: bytes, segment: int, last: bool, content: dict[str, Any]) -> dict[str, Any]:
    """The EscapeArgument value of one segment; ``segment`` counts from 1."""
    reply = {"crossRefID": reference, "segmentID": segment, "lastSegment": last, "sysData": content}
    return {"privateData": ("private", ("systemData", ("systemDataLinkedReply", reply)))}


def _segments(switch: Switch, names: Names, devices: Sequence[Device]) -> list[dict[str, Any]]:
    room = switch.settings.segment_octets - _ENVELOPE_OCTETS
    newer = switch.settings.newer_firmware
    segments: list[list[dict[str, Any]]] = [[]]
    left = room
    for device in devices:
        number = f"{device.index:02}" if isinstance(device, Trunk) else device.number
        needed = _ENTRY_OCTETS + len(number) + (len(NEWER_ENTRY) if newer else 0)
        if needed > left and segments[-1]:
            segments.append([])
            left = room
        left -= needed
        entry: dict[str, Any] = {
            "deviceID": {"deviceIdentifier": ("deviceNumber", names.number_of(device))},
            "number": number,
            "status": "ins" if switch.in_service(device) else "ous",
        }
        if newer:
            entry["_unknown"] = [NEWER_ENTRY]
        segments[-1].append(entry)
    return [{"deviceList": segment} for segment in segments]
