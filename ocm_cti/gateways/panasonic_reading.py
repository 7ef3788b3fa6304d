"""What events and snapshots of the PBX say about one of our extensions, in the words of the call machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import Native
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_causes import event_cause
from protocols.csta.panasonic import call_id, connection_device

DeviceForm = tuple[str, Any]
"""The ``deviceIdentifier`` of a DeviceID: ("dialingNumber", "301") or ("deviceNumber", 17891329)."""

#: event -> (its connection, the device that it is about); ECMA-285 names. Others say nothing of progress to us:
#: diverted, conferenced and queued are done by nobody on a robot's extension.
FIELDS: Mapping[str, tuple[str, str]] = {
    "serviceInitiated": ("initiatedConnection", "initiatingDevice"),
    "originated": ("originatedConnection", "callingDevice"),
    "networkReached": ("outboundConnection", "networkInterfaceUsed"),
    "delivered": ("connection", "alertingDevice"),
    "established": ("establishedConnection", "answeringDevice"),
    "failed": ("failedConnection", "failingDevice"),
    "connectionCleared": ("droppedConnection", "releasingDevice"),
    "held": ("heldConnection", "holdingDevice"),
    "retrieved": ("retrievedConnection", "retrievingDevice"),
    "transferred": ("primaryOldCall", "transferringDevice"),
}

#: event -> what it is for the machine when it is about our own extension, and when about the far side
MEANINGS: Mapping[str, tuple[Event | None, Event | None]] = {
    "serviceInitiated": (None, None),
    "originated": (Event.ORIGINATED, None),
    "networkReached": (None, Event.REACHED),
    "delivered": (None, Event.ALERTING),  # our own extension alerts while the PBX rings it
    "established": (None, Event.ANSWERED),  # our own pick-up, where the PBX reports it
    "failed": (Event.FAILED, Event.FAILED),
    "connectionCleared": (Event.OWN_CLEARED, Event.FAR_CLEARED),
    # panasonic_transfer.py has its own meanings for these
    "held": (None, None),
    "retrieved": (None, None),
    "transferred": (None, None),
}


@dataclass(frozen=True)
class Told:
    """One call-control event of a monitored extension; ``event`` None: it only shows that the call is there.

    ``second``: the callID of the other call of a transfer. ``own``: it is about the extension itself.
    """

    call_id: bytes
    name: str
    event: Event | None
    cause: Cause
    native: Native
    own: bool = False
    second: bytes | None = None


def read_event(name: str, body: Any, own: frozenset[DeviceForm]) -> Told | None:
    """None when it is of no interest, or names no call. ``own`` are the names of the monitored extension."""
    if name not in FIELDS or not isinstance(body, dict):
        return None
    connection, device = (body.get(field) for field in FIELDS[name])
    if connection is None:
        return None
    number = call_id(connection)
    if number is None:
        return None
    about_own = _is_own(name, connection, device, own)
    cause, native = event_cause(body.get("cause", "normal"))
    second = body.get("secondaryOldCall")
    return Told(
        number,
        name,
        MEANINGS[name][0 if about_own else 1],
        cause,
        native,
        about_own,
        None if second is None else call_id(second),
    )


def _is_own(name: str, connection: Any, device: Any, own: frozenset[DeviceForm]) -> bool:
    # Whose connection was dropped stands in the connection; who is to thank for it, in the device.
    forms = [_form(device), _connection_form(connection)]
    if name == "connectionCleared":
        forms.reverse()
    known = next((form for form in forms if form is not None), None)
    return known in own


def _form(device: Any) -> DeviceForm | None:
    """Of a party in an event: ("deviceIdentifier", DeviceID), or notKnown and restricted, which name nobody."""
    match device:
        case ("deviceIdentifier", {"deviceIdentifier": (str(kind), value)}):
            return kind, value
    return None


def _connection_form(connection: Any) -> DeviceForm | None:
    device = connection_device(connection)
    return None if device is None else device["deviceIdentifier"]


@dataclass(frozen=True)
class Seen:
    """One connection of a snapshot of our extension: its own state, and those of the other parties."""

    call_id: bytes
    own: str
    others: tuple[str, ...]

    @property
    def not_dialled_yet(self) -> bool:
        """Our own extension is still being rung, or has gone off the hook just now, and nobody else is in the call."""
        return self.own in ("initiated", "alerting") and all(other == "null" for other in self.others)


#: SimpleCallState -> LocalConnectionStates of (own, other); ECMA-269, table of simple call states.
SIMPLE_STATES: Mapping[str, tuple[str, ...]] = {
    "callNull": ("null",),
    "callPending": ("initiated",),
    "callOriginated": ("connected",),
    "callDelivered": ("connected", "alerting"),
    "callReceived": ("alerting", "connected"),
    "callEstablished": ("connected", "connected"),
    "callFailed": ("connected", "fail"),
    "callBlocked": ("fail",),
}


def read_snapshot(result: Any) -> list[Seen] | None:
    """The connections in a SnapshotDevice result; None when it has none of them in itself (a cross reference)."""
    match result:
        case {"crossRefIDorSnapshotData": ("snapshotData", list(entries))}:
            return [seen for seen in map(_seen, entries) if seen is not None and seen.own != "null"]
    return None


def _seen(entry: Any) -> Seen | None:
    number = call_id(entry["connectionIdentifier"])
    if number is None:
        return None
    match entry.get("localCallState"):
        case ("compoundCallState", [own, *others]):
            return Seen(number, str(own), tuple(str(other) for other in others))
        case ("simpleCallState", state):
            own, *others = SIMPLE_STATES.get(state, ("unknown",))
            return Seen(number, own, tuple(others))
    return Seen(number, "unknown", ())
