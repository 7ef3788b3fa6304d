"""The Panasonic KX family's ways: constants, builders, the causes it uses. Each with its source and how sure it is.

DOC a Panasonic manual · CAP hex said to be from the wire · RE working client code by others · INF our inference.
Devices, lists, call records and additional data have modules of their own; their names are here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.asn1 import IA5_STRING, INTEGER, OCTET_STRING, Type, alternative, choice, enumerated, explicit, may, must
from protocols.asn1 import sequence as _sequence
from protocols.csta.causes import EventCause
from protocols.csta.identifiers import ConnectionID, DeviceID
from protocols.csta.panasonic_additional import additional_data as additional_data
from protocols.csta.panasonic_additional import additional_members as additional_members
from protocols.csta.panasonic_cdr import CdrItem as CdrItem
from protocols.csta.panasonic_cdr import CdrReport as CdrReport
from protocols.csta.panasonic_cdr import Charge as Charge
from protocols.csta.panasonic_cdr import cdr_report as cdr_report
from protocols.csta.panasonic_cdr import parse_cdr_item as parse_cdr_item
from protocols.csta.panasonic_cdr import parse_cdr_report as parse_cdr_report
from protocols.csta.panasonic_cdr import pbx_time as pbx_time
from protocols.csta.panasonic_devices import DEVICE_TYPES as DEVICE_TYPES
from protocols.csta.panasonic_devices import call_id as call_id
from protocols.csta.panasonic_devices import connection_device as connection_device
from protocols.csta.panasonic_devices import connection_id as connection_id
from protocols.csta.panasonic_devices import device_kind as device_kind
from protocols.csta.panasonic_devices import device_number as device_number
from protocols.csta.panasonic_devices import device_text as device_text
from protocols.csta.panasonic_devices import dialing_number as dialing_number
from protocols.csta.panasonic_lists import DEVICE_CATEGORIES as DEVICE_CATEGORIES
from protocols.csta.panasonic_lists import DeviceSegment as DeviceSegment
from protocols.csta.panasonic_lists import ListedDevice as ListedDevice
from protocols.csta.panasonic_lists import device_list_ack as device_list_ack
from protocols.csta.panasonic_lists import device_list_cross_reference as device_list_cross_reference
from protocols.csta.panasonic_lists import device_list_request as device_list_request
from protocols.csta.panasonic_lists import device_segment as device_segment
from protocols.csta.panasonic_lists import get_device_list as get_device_list
from protocols.csta.panasonic_lists import get_system_data as get_system_data
from protocols.csta.panasonic_lists import parse_device_segment as parse_device_segment
from protocols.csta.panasonic_lists import parse_system_data as parse_system_data
from protocols.csta.panasonic_lists import segments as segments
from protocols.csta.panasonic_lists import system_data_reply as system_data_reply
from protocols.csta.panasonic_lists import system_data_request as system_data_request
from protocols.errors import RemoteProtocolError

TCP_PORT = 33333  # CAP/RE: default CTI port; no manual page was found

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

_NUMBER_OR_TEXT = (
    alternative("number", INTEGER),
    alternative("text", IA5_STRING),
    alternative("octets", OCTET_STRING),
)
# ASSUMED, all of it: no source tells more than the names in these braces. private.py keeps the elements whole, so an
# event of another shape is still an event: it is told as OtherPrivateEvent. First thing to check on a real PBX.
ASSUMED: dict[str, Type] = {
    # digitsReport: what it holds
    "digitsReport": explicit(
        1,
        _sequence("digitsReport", must("connection", ConnectionID), must("digits", choice("digits", *_NUMBER_OR_TEXT))),
    ),
    # ogmStatus {connection, started/ended, ogmId, port}: their order, the numbers of the states, the types of the rest
    "ogmStatus": explicit(
        2,
        _sequence(
            "ogmStatus",
            must("connection", ConnectionID),
            must("state", enumerated("state", "0 started 1 ended")),
            may("ogmId", choice("ogmId", *_NUMBER_OR_TEXT)),
            may("port", choice("port", *_NUMBER_OR_TEXT, alternative("device", DeviceID))),
        ),
    ),
    # ogmStart {ConnectionID, ogmId}: the type of ogmId, and that it is a SEQUENCE
    "ogmStart": explicit(
        0,
        _sequence("ogmStart", must("connection", ConnectionID), must("ogmId", choice("ogmId", *_NUMBER_OR_TEXT))),
    ),
    # ogmStop: what it holds
    "ogmStop": explicit(1, _sequence("ogmStop", must("connection", ConnectionID))),
}


@dataclass(frozen=True)
class DigitsReport:
    """Keys that a party pressed while the PBX listened (RE that it exists)."""

    connection: tuple[str, Any]
    digits: str


@dataclass(frozen=True)
class OgmStatus:
    """A recorded message of the PBX started or ended on a connection. ``state`` ``started``, ``ended`` or a number."""

    connection: tuple[str, Any]
    state: str
    ogm_id: str  # "" where not told
    port: str  # of the message card; "" where not told


@dataclass(frozen=True)
class OtherPrivateEvent:
    """A private event whose inside no source tells, or that has another shape than is assumed: the whole element."""

    name: str  # wakeupResult, unconferenced, tamEnded, pcRecEnded, callbackNotification, freeOgmPort, pdfStatus, ...
    element: bytes


PrivateEvent = DigitsReport | OgmStatus | OtherPrivateEvent


@dataclass(frozen=True)
class OgmStart:
    connection: tuple[str, Any]
    ogm_id: str


@dataclass(frozen=True)
class OgmStop:
    connection: tuple[str, Any]


def monitor_argument(device: dict[str, Any]) -> dict[str, Any]:
    """MonitorStart for all events of a device: an empty filter suppresses nothing (CAP)."""
    return {"monitorObject": ("deviceObject", device), "requestedMonitorFilter": {}}


def ogm_start(connection: tuple[str, Any], ogm_id: str) -> dict[str, Any]:
    """Escape argument: play recorded message ``ogm_id`` on a connection (RE that it exists, ASSUMED how it looks)."""
    return _resource("ogmStart", {"connection": connection, "ogmId": _number_or_text(ogm_id)})


def ogm_stop(connection: tuple[str, Any]) -> dict[str, Any]:
    """Escape argument: end the recorded message on a connection (ASSUMED how it looks)."""
    return _resource("ogmStop", {"connection": connection})


def parse_ogm_request(argument: dict[str, Any]) -> OgmStart | OgmStop | None:
    """What an Escape argument asks of the message card; None when it asks for nothing of it, or in another shape."""
    match argument.get("privateData"):
        case ("private", ("resourceControl", ("ogmStart", bytes(element)))):
            value = _assumed("ogmStart", element)
            return None if value is None else OgmStart(value["connection"], _text(value["ogmId"]))
        case ("private", ("resourceControl", ("ogmStop", bytes(element)))):
            value = _assumed("ogmStop", element)
            return None if value is None else OgmStop(value["connection"])
    return None


def digits_report(connection: tuple[str, Any], digits: str) -> tuple[str, Any]:
    """eventSpecificInfo of keys pressed."""
    return _event("digitsReport", {"connection": connection, "digits": ("text", digits)})


def ogm_status(connection: tuple[str, Any], state: str, ogm_id: str, port: str = "") -> tuple[str, Any]:
    """eventSpecificInfo of a recorded message that ``started`` or ``ended``."""
    body = {"connection": connection, "state": state, "ogmId": _number_or_text(ogm_id)}
    if port:
        body["port"] = _number_or_text(port)
    return _event("ogmStatus", body)


def parse_private_event(body: dict[str, Any]) -> PrivateEvent | None:
    """The private event in the body of ``vendorSpecEvents.privateEvent``; None when it is no event of Panasonic's."""
    match body.get("privateData"):
        case ("private", ("privateEvent", (name, bytes(element)))):
            value = _assumed(name, element)
        case _:
            return None
    if value is not None and name == "digitsReport":
        return DigitsReport(value["connection"], _text(value["digits"]))
    if value is not None and name == "ogmStatus":
        port = value.get("port", ("text", ""))
        return OgmStatus(value["connection"], str(value["state"]), _text(value.get("ogmId", ("text", ""))), _text(port))
    return OtherPrivateEvent(name, element)


def _resource(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"privateData": ("private", ("resourceControl", (name, ASSUMED[name].encode(value))))}


def _event(name: str, value: dict[str, Any]) -> tuple[str, Any]:
    private = ("private", ("privateEvent", (name, ASSUMED[name].encode(value))))
    return ("vendorSpecEvents", ("privateEvent", {"privateData": private}))


def _assumed(name: str, element: bytes) -> dict[str, Any] | None:
    """The element read as ASSUMED has it; None where nothing is assumed or it looks otherwise."""
    if name not in ASSUMED:
        return None
    try:
        value: dict[str, Any] = ASSUMED[name].decode_all(element)
    except RemoteProtocolError:
        return None
    unread = any(isinstance(each, tuple) and each[0] == "_unknown" for each in value.values())
    return None if unread else value


def _number_or_text(text: str) -> tuple[str, Any]:
    plain = text.isascii() and text.isdigit() and str(int(text)) == text
    return ("number", int(text)) if plain else ("text", text)


def _text(value: tuple[str, Any]) -> str:
    form, inner = value
    if form == "device":
        return device_text(inner)
    return inner.decode("latin-1") if isinstance(inner, bytes) else str(inner)
