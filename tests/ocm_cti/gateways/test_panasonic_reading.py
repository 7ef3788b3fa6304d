"""Whose connection an event is about, and what a snapshot says."""

from __future__ import annotations

from typing import Any

import pytest

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_reading import Seen, read_event, read_snapshot
from protocols.csta.panasonic import connection_id, device_number, dialing_number

CALL = b"\x01\x02\x03"
OWN_DIGITS, OWN_NUMBER = dialing_number("301"), device_number("extension", 1)
OWN = frozenset({OWN_DIGITS["deviceIdentifier"], OWN_NUMBER["deviceIdentifier"]})
TRUNK, OUTSIDE = device_number("trunk", 3), dialing_number("984951234501")


def party(device: dict[str, Any]) -> tuple[str, Any]:
    return ("deviceIdentifier", device)


def event(name: str, connection: tuple[str, Any], device: Any, fields: tuple[str, str]) -> Event | None:
    told = read_event(name, {fields[0]: connection, fields[1]: device, "cause": "busy"}, OWN)
    assert told is not None
    assert (told.call_id, told.cause, told.native.code) == (CALL, Cause.BUSY, "3")
    return told.event


ESTABLISHED = ("establishedConnection", "answeringDevice")
CLEARED = ("droppedConnection", "releasingDevice")


@pytest.mark.parametrize("own", [OWN_DIGITS, OWN_NUMBER])
def test_our_own_pick_up_is_no_answer(own: dict[str, Any]) -> None:
    assert event("established", connection_id(CALL, own), party(own), ESTABLISHED) is None
    assert event("established", connection_id(CALL, own), ("notKnown", None), ESTABLISHED) is None


@pytest.mark.parametrize("far", [TRUNK, OUTSIDE])
def test_an_answer_of_the_far_side(far: dict[str, Any]) -> None:
    assert event("established", connection_id(CALL, far), party(far), ESTABLISHED) is Event.ANSWERED
    # A PBX that names the connection of the caller and the device that answered.
    assert event("established", connection_id(CALL, OWN_DIGITS), party(far), ESTABLISHED) is Event.ANSWERED
    assert event("established", connection_id(CALL, far), ("notKnown", None), ESTABLISHED) is Event.ANSWERED


def test_whose_connection_was_cleared_stands_in_the_connection() -> None:
    """The releasing device is who is to thank for it: the person who hung up releases our extension too."""
    own = connection_id(CALL, OWN_DIGITS)
    assert event("connectionCleared", own, party(TRUNK), CLEARED) is Event.OWN_CLEARED
    assert event("connectionCleared", connection_id(CALL, TRUNK), party(OWN_DIGITS), CLEARED) is Event.FAR_CLEARED
    assert event("connectionCleared", ("callID", CALL), party(OWN_DIGITS), CLEARED) is Event.OWN_CLEARED


@pytest.mark.parametrize("device", [OWN_DIGITS, TRUNK])
def test_failed_is_failed_at_either_end(device: dict[str, Any]) -> None:
    fields = ("failedConnection", "failingDevice")
    assert event("failed", connection_id(CALL, device), party(device), fields) is Event.FAILED


def test_progress() -> None:
    reached = ("outboundConnection", "networkInterfaceUsed")
    assert event("networkReached", connection_id(CALL, TRUNK), party(TRUNK), reached) is Event.REACHED
    alerting = ("connection", "alertingDevice")
    assert event("delivered", connection_id(CALL, OUTSIDE), party(OUTSIDE), alerting) is Event.ALERTING
    assert event("delivered", connection_id(CALL, OWN_NUMBER), party(OWN_NUMBER), alerting) is None
    begun = ("initiatedConnection", "initiatingDevice")
    assert event("serviceInitiated", connection_id(CALL, OWN_DIGITS), party(OWN_DIGITS), begun) is None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("queued", {"queuedConnection": connection_id(CALL, OWN_DIGITS)}),
        ("established", {}),
        ("established", b"\x30\x00"),
        ("failed", {"failedConnection": ("deviceID", ("staticID", OWN_DIGITS))}),
        (17, None),
    ],
)
def test_what_tells_nothing(name: Any, body: Any) -> None:
    assert read_event(name, body, OWN) is None


def test_snapshots() -> None:
    own = connection_id(CALL, OWN_DIGITS)
    entries = [
        {"connectionIdentifier": own, "localCallState": ("compoundCallState", ["connected", "alerting"])},
        {"connectionIdentifier": own, "localCallState": ("simpleCallState", "callPending")},
        {"connectionIdentifier": own, "localCallState": ("compoundCallState", ["null"])},
        {"connectionIdentifier": own, "localCallState": ("unknown", None)},
        {"connectionIdentifier": own, "localCallState": ("compoundCallState", [])},
        {"connectionIdentifier": ("deviceID", ("staticID", OWN_DIGITS)), "localCallState": ("unknown", None)},
    ]
    assert read_snapshot({"crossRefIDorSnapshotData": ("snapshotData", entries)}) == [
        Seen(CALL, "connected", ("alerting",)),
        Seen(CALL, "initiated", ()),
        Seen(CALL, "unknown", ()),
        Seen(CALL, "unknown", ()),
    ]
    assert read_snapshot({"crossRefIDorSnapshotData": ("snapshotData", [])}) == []
    assert read_snapshot({"crossRefIDorSnapshotData": ("serviceCrossRefID", b"\x01")}) is None


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ("initiated", (), True),
        ("alerting", (), True),
        ("initiated", ("null",), True),
        ("alerting", ("connected",), False),  # somebody calls the extension
        ("connected", (), False),
        ("connected", ("alerting",), False),
        ("fail", (), False),
        ("unknown", (), False),
    ],
)
def test_nobody_was_dialled_while_our_own_extension_rings(own: str, others: tuple[str, ...], expected: bool) -> None:
    assert Seen(CALL, own, others).not_dialled_yet is expected
