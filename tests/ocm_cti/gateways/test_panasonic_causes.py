"""The tables of reasons: every row names something that ECMA-285 has, and the important ones say what they must."""

from __future__ import annotations

import pytest

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.panasonic_causes import (
    EVENT_CAUSES,
    MAKE_CALL_ERRORS,
    NOTHING_TO_CLEAR,
    event_cause,
    make_call_error,
    nothing_to_clear,
)
from protocols.csta import causes as csta
from protocols.csta.link import RequestFailed, RequestRejected, RequestTimedOut
from protocols.csta.panasonic import CAUSE_NUMBERS, FAILED_CAUSES, FAILURES

ERRORS = {
    "operation": csta.OperationErrors,
    "stateIncompatibility": csta.StateIncompatibilityErrors,
    "systemResourceAvailability": csta.SystemResourceAvailabilityErrors,
}


def test_every_row_is_in_the_standard() -> None:
    """A misspelt name would never match anything."""
    assert set(EVENT_CAUSES) <= set(CAUSE_NUMBERS)
    for category, value in (*MAKE_CALL_ERRORS, *NOTHING_TO_CLEAR):
        assert value in ERRORS[category].names.values(), value


def test_every_cause_that_panasonic_lists_for_failed_has_a_meaning() -> None:
    assert [name for name in FAILED_CAUSES if event_cause(name)[0] is Cause.UNKNOWN] == []


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (3, Cause.BUSY),
        (5, Cause.REJECTED),
        (10, Cause.NO_ANSWER),
        (13, Cause.UNREACHABLE),
        (14, Cause.REJECTED),
        (20, Cause.UNREACHABLE),
        (21, Cause.UNREACHABLE),
        (30, Cause.LINE_FAULT),
        (33, Cause.LINE_FAULT),
        (40, Cause.LINE_FAULT),
        (60, Cause.NO_ANSWER),
        (65, Cause.UNREACHABLE),
        (69, Cause.INVALID_NUMBER),
        (81, Cause.INVALID_NUMBER),
        (85, Cause.LINE_FAULT),
    ],
)
def test_by_number(number: int, cause: Cause) -> None:
    name = csta.EventCause.names[number]
    meant, native = event_cause(name)
    assert meant is cause
    assert (native.system, native.code, native.text) == ("csta", str(number), name)


def test_an_unknown_cause_keeps_its_number() -> None:
    cause, native = event_cause(250)
    assert cause is Cause.UNKNOWN
    assert native.code == "250"


def test_only_a_wrong_number_is_the_persons_fault() -> None:
    """Whatever else MakeCall is refused for is about us; the person is called again, uncounted."""
    for category, values in FAILURES.items():
        for value in values:
            cause, native = make_call_error(RequestFailed("makeCall", category, value))
            wanted = Cause.INVALID_NUMBER if value == "invalidCalledDeviceID" else Cause.LINE_FAULT
            assert (cause, native.text) == (wanted, value)
    assert make_call_error(RequestRejected("makeCall", "mistyped argument"))[0] is Cause.LINE_FAULT


def test_nothing_to_clear() -> None:
    assert nothing_to_clear(RequestFailed("clearConnection", "operation", "invalidConnectionID"))
    assert not nothing_to_clear(RequestFailed("clearConnection", "stateIncompatibility", "invalidObjectState"))
    assert not nothing_to_clear(RequestTimedOut("clearConnection", 10))
