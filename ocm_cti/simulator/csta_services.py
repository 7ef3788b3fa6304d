"""The services that a CSTA client may ask of the simulated PBX: ECMA-285 arguments in, requests to the switch, results.

``SERVICES[operation](link, argument)`` gives the result value, None where there is nothing to say. RequestError is
answered with ROER. What must follow the answer (segments) is queued on the link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ocm_cti.simulator import device_list
from ocm_cti.simulator.calls import Call, Side
from ocm_cti.simulator.effects import Device, RequestError
from protocols.csta.panasonic import OgmStart, OgmStop, parse_ogm_request

if TYPE_CHECKING:
    from ocm_cti.simulator.csta_link import ClientLink

# SnapshotDeviceData entries in one segment: an entry has at most about 50 octets.
_SNAPSHOT_ENTRIES = 3


def _device(link: ClientLink, device_id: Any) -> Device:
    device = link.server.names.device(device_id)
    if device is None:
        raise RequestError("operation", "invalidDeviceID")
    return device


def _named(link: ClientLink, connection_id: Any) -> tuple[bytes, Device | None]:
    connection = link.server.names.connection(connection_id)
    if connection is None:
        raise RequestError("operation", "invalidConnectionID")
    return connection


def _found(link: ClientLink, connection_id: Any) -> tuple[Call, Side]:
    return link.server.switch.connection(*_named(link, connection_id))


def _digits(link: ClientLink, device_id: Any) -> str:
    """What would be dialled for a device: its number; "" for what can't be dialled."""
    match device_id:
        case {"deviceIdentifier": ("dialingNumber", str(digits))}:
            return digits
        case {"deviceIdentifier": ("other", bytes(octets))}:
            return octets.decode("latin-1")
    return getattr(link.server.names.device(device_id), "number", "")


def _make_call(link: ClientLink, argument: Any) -> dict[str, Any]:
    match argument["callingDevice"]:
        case {"deviceIdentifier": ("dialingNumber", str(extension))}:
            pass
        case device_id:
            extension = getattr(_device(link, device_id), "number", "")
    call = link.server.switch.make_call(extension, _digits(link, argument["calledDirectoryNumber"]))
    return {"callingDevice": link.server.names.connection_id(call.call_id, call.origin.device)}


def _answer_call(link: ClientLink, argument: Any) -> None:
    link.server.switch.answer(*_named(link, argument["callToBeAnswered"]))


def _clear_connection(link: ClientLink, argument: Any) -> None:
    link.server.switch.clear(*_named(link, argument["connectionToBeCleared"]))


def _clear_call(link: ClientLink, argument: Any) -> None:
    call_id, _ = _named(link, argument["callToBeCleared"])
    link.server.switch.clear(call_id, None)


def _hold_call(link: ClientLink, argument: Any) -> None:
    link.server.switch.hold(*_named(link, argument["callToBeHeld"]))


def _retrieve_call(link: ClientLink, argument: Any) -> None:
    link.server.switch.retrieve(*_named(link, argument["callToBeRetrieved"]))


def _alternate_call(link: ClientLink, argument: Any) -> None:
    link.server.switch.alternate(_found(link, argument["heldCall"]), _found(link, argument["activeCall"]))


def _reconnect_call(link: ClientLink, argument: Any) -> None:
    link.server.switch.reconnect(_found(link, argument["activeCall"]), _found(link, argument["heldCall"]))


def _consultation_call(link: ClientLink, argument: Any) -> dict[str, Any]:
    digits = _digits(link, argument["consultedDevice"])
    call = link.server.switch.consult(*_named(link, argument["existingCall"]), digits)
    return {"initiatedCall": link.server.names.connection_id(call.call_id, call.origin.device)}


def _transfer_call(link: ClientLink, argument: Any) -> dict[str, Any]:
    held, active = _found(link, argument["heldCall"]), _found(link, argument["activeCall"])
    call, reached = link.server.switch.transfer(held, active)
    return {"transferredCall": link.server.names.connection_id(call.call_id, reached.device)}


def _single_step_transfer(link: ClientLink, argument: Any) -> dict[str, Any]:
    digits = _digits(link, argument["transferredTo"])
    call, reached = link.server.switch.single_step_transfer(*_named(link, argument["activeCall"]), digits)
    device = call.origin.device if isinstance(reached, str) else reached
    return {"transferredCall": link.server.names.connection_id(call.call_id, device)}


def _deflect_call(link: ClientLink, argument: Any) -> None:
    digits = _digits(link, argument["newDestination"])
    link.server.switch.deflect(*_named(link, argument["callToBeDiverted"]), digits)


def _monitor_start(link: ClientLink, argument: Any) -> dict[str, Any]:
    match argument["monitorObject"]:
        case ("deviceObject", device_id):
            device = _device(link, device_id)
        case _:
            raise RequestError("operation", "requestIncompatibleWithObject")
    return {"crossRefIdentifier": link.monitor(device, argument.get("requestedMonitorFilter", {}))}


def _change_monitor_filter(link: ClientLink, argument: Any) -> dict[str, Any]:
    link.change_filter(argument["crossRefIdentifier"], argument["requestedFilterList"])
    return {"actualFilterList": argument["requestedFilterList"]}


def _monitor_stop(link: ClientLink, argument: Any) -> None:
    link.stop_monitor(argument["crossRefIdentifier"])


def _snapshot_device(link: ClientLink, argument: Any) -> dict[str, Any]:
    device = _device(link, argument["snapshotObject"])
    entries = link.server.names.snapshot(link.server.switch.snapshot(device))
    if link.server.settings.snapshot_form == "result":
        return {"crossRefIDorSnapshotData": ("snapshotData", entries)}
    reference = link.server.next_reference()
    parts = [entries[at : at + _SNAPSHOT_ENTRIES] for at in range(0, len(entries), _SNAPSHOT_ENTRIES)] or [[]]
    for number, part in enumerate(parts, 1):
        segment = {
            "serviceCrossRefID": reference,
            "segmentID": number,
            "lastSegment": number == len(parts),
            "snapshotData": part,
        }
        link.follow("snapshotDeviceData", segment)
    return {"crossRefIDorSnapshotData": ("serviceCrossRefID", reference)}


def _snapshot_call(link: ClientLink, argument: Any) -> dict[str, Any]:
    call_id, _ = _named(link, argument["snapshotObject"])
    call, sides = link.server.switch.snapshot_call(call_id)
    return link.server.names.snapshot_call(call_id, call.calling, call.called, sides)


def _request_system_status(link: ClientLink, argument: Any) -> dict[str, Any]:
    if link.server.settings.request_system_status == "refuse":
        raise RequestError("operation", "serviceNotSupported")
    return {"systemStatus": link.server.status}


def _system_status(link: ClientLink, argument: Any) -> None:
    """The client's own state; there is nothing to do about it."""


def _escape(link: ClientLink, argument: Any) -> Any:
    match parse_ogm_request(argument):
        case OgmStart(connection=connection, ogm_id=ogm):
            link.server.switch.ogm_start(*_named(link, connection), ogm)
            return None
        case OgmStop(connection=connection):
            link.server.switch.ogm_stop(*_named(link, connection))
            return None
    server = link.server
    segments = device_list.answer(server.switch, server.names, argument["privateData"], server.now(), link.peer)
    reference = server.next_reference()
    for number, content in enumerate(segments, 1):
        link.follow("escape", device_list.linked_reply(reference, number, number == len(segments), content))
    return device_list.acknowledgement(reference)


def _start_cdr(link: ClientLink, argument: Any) -> dict[str, Any]:
    if argument["transferMode"] != "transferAtEndOfCall":
        raise RequestError("operation", "invalidParameterValue")
    return {"cdrCrossRefID": link.start_cdr()}


def _stop_cdr(link: ClientLink, argument: Any) -> None:
    link.stop_cdr(argument["cdrCrossRefID"])


SERVICES: dict[str, Callable[[ClientLink, Any], Any]] = {
    "makeCall": _make_call,
    "answerCall": _answer_call,
    "clearConnection": _clear_connection,
    "clearCall": _clear_call,
    "holdCall": _hold_call,
    "retrieveCall": _retrieve_call,
    "alternateCall": _alternate_call,
    "reconnectCall": _reconnect_call,
    "consultationCall": _consultation_call,
    "transferCall": _transfer_call,
    "singleStepTrans": _single_step_transfer,
    "deflectCall": _deflect_call,
    "monitorStart": _monitor_start,
    "changeMonitorFilter": _change_monitor_filter,
    "monitorStop": _monitor_stop,
    "snapshotDevice": _snapshot_device,
    "snapshotCall": _snapshot_call,
    "requestSysStat": _request_system_status,
    "systemStatus": _system_status,
    "escape": _escape,
    "startCDRTransmission": _start_cdr,
    "stopCDRTransmission": _stop_cdr,
}

# Services that a setting can take away.
OPTIONAL = {
    **dict.fromkeys(
        ("holdCall", "retrieveCall", "alternateCall", "reconnectCall", "consultationCall", "transferCall"),
        "transfer_services",
    ),
    "singleStepTrans": "single_step_transfer",
}
