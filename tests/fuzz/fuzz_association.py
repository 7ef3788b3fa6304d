"""Target: any history of an association, either role, ends in events or errors of ours; holds no more than it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocols.csta.association import MAX_RECEIVED_APDU, NEED_DATA, Association, Invoked, Role
from protocols.csta.panasonic import connection_id, dialing_number
from protocols.csta.states import State
from protocols.errors import LocalProtocolError, RemoteProtocolError

DEVICE = dialing_number("301")
CLEAR = {"connectionToBeCleared": connection_id(b"\x01", DEVICE)}
HEADER = 2

#: What the owner may do at any time; what is not allowed then is a LocalProtocolError and nothing else.
DEEDS: tuple[Callable[[Association], Any], ...] = (
    lambda association: association.associate(),
    lambda association: association.accept(),
    lambda association: association.refuse(),
    lambda association: association.release(),
    lambda association: association.confirm_release(),
    lambda association: association.abort(),
    lambda association: association.invoke("clearConnection", CLEAR),
    lambda association: association.invoke("escape", {}),
    lambda association: association.invoke("noSuchOperation", None),
    lambda association: association.respond(1, "systemStatus"),
    lambda association: association.respond(1, "makeCall", {"callingDevice": connection_id(b"\x01", DEVICE)}),
    lambda association: association.fail(1, ("operation", "invalidDeviceID")),
    lambda association: association.reject(None, ("general", 0)),
    lambda association: association.forget(1),
)


class History:
    """One association and what befell it."""

    def __init__(self, role: Role) -> None:
        self.association = Association(role)
        self.events: list[Any] = []
        self.fault = ""

    def receive(self, octets: bytes) -> None:
        association = self.association
        association.receive_data(octets)
        frames = association.frames
        try:
            while (event := association.next_event()) is not NEED_DATA:
                self.events.append(event)
                if isinstance(event, Invoked) and event.invoke_id is not None:
                    self.do(lambda it: it.respond(event.invoke_id, event.operation, None))
        except RemoteProtocolError as error:
            self.fault = self.fault or str(error)
            assert association.state is State.BROKEN
        assert association.frames - frames <= len(octets) + 1
        if association.state is not State.BROKEN:
            assert association.held < MAX_RECEIVED_APDU + HEADER

    def do(self, deed: Callable[[Association], Any]) -> None:
        before = self.association.state
        try:
            octets = deed(self.association)
        except LocalProtocolError:
            assert self.association.state is before
            return
        assert octets is None or isinstance(octets, bytes | tuple)


def check(octets: bytes) -> None:
    """The first octet is the role; then each n < 64 is a deed, any other n takes the next n - 63 octets as received."""
    if not octets:
        return
    history = History(Role.CLIENT if octets[0] % 2 else Role.SWITCH)
    at = 1
    while at < len(octets):
        n = octets[at]
        at += 1
        if n < 64:
            history.do(DEEDS[n % len(DEEDS)])
        else:
            history.receive(octets[at : at + n - 63])
            at += n - 63
    history.receive(b"")
