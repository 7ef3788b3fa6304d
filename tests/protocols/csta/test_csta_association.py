"""The association without a wire: events, ids, errors, and two of them back to back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import rose
from protocols.csta.association import (
    MAX_INVOKE_ID,
    NEED_DATA,
    Aborted,
    Associated,
    Association,
    AssociationRequested,
    Closed,
    Event,
    Failed,
    Invoked,
    Refused,
    Rejected,
    Released,
    Returned,
    Role,
    Undecoded,
)
from protocols.csta.framing import frame
from protocols.csta.panasonic import connection_id, dialing_number
from protocols.csta.states import State
from protocols.errors import LocalProtocolError, RemoteProtocolError

MAKE_CALL = {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")}
CONNECTION = connection_id(b"\x01\x02\x03", dialing_number("301"))


def tell(association: Association, octets: bytes) -> list[Event]:
    association.receive_data(octets)
    events: list[Event] = []
    while (event := association.next_event()) is not NEED_DATA:
        events.append(event)
    return events


def pair(**client_options: Any) -> tuple[Association, Association]:
    """A client and a switch, associated with each other."""
    client, switch = Association(Role.CLIENT, **client_options), Association(Role.SWITCH)
    (requested,) = tell(switch, client.associate())
    assert isinstance(requested, AssociationRequested)
    assert tell(client, switch.accept()) == [Associated()]
    return client, switch


def test_a_call_back_to_back() -> None:
    client, switch = pair()
    invoke_id, octets = client.invoke("makeCall", MAKE_CALL)
    assert tell(switch, octets) == [Invoked(invoke_id, "makeCall", MAKE_CALL)]
    result = {"callingDevice": CONNECTION}
    assert tell(client, switch.respond(invoke_id, "makeCall", result)) == [Returned(invoke_id, "makeCall", result)]
    assert client.outstanding == frozenset()
    report = {
        "crossRefIdentifier": b"\x01",
        "eventSpecificInfo": (
            "callControlEvents",
            (
                "connectionCleared",
                {
                    "droppedConnection": CONNECTION,
                    "releasingDevice": ("deviceIdentifier", dialing_number("301")),
                    "cause": "normalClearing",
                },
            ),
        ),
    }
    reported, octets = switch.invoke("cSTAEventReport", report)
    assert tell(client, octets) == [Invoked(reported, "cSTAEventReport", report)]
    assert switch.outstanding == frozenset()


def test_refusal_gives_its_numbers() -> None:
    client, switch = Association(Role.CLIENT), Association(Role.SWITCH)
    tell(switch, client.associate())
    octets = switch.refuse(result=1, diagnostic=2)
    assert bytes.fromhex("A203020101 A305A103020102") in octets
    assert tell(client, octets) == [Refused(1, "acse-service-user", 2)]
    assert (client.state, switch.state) == (State.CLOSED, State.CLOSED)
    with pytest.raises(LocalProtocolError):
        client.invoke("makeCall", MAKE_CALL)


def test_a_refusal_must_refuse() -> None:
    switch = Association(Role.SWITCH)
    tell(switch, Association(Role.CLIENT).associate())
    with pytest.raises(LocalProtocolError):
        switch.refuse(result=0)
    assert switch.state is State.REQUESTED


def test_a_minimal_request_is_accepted_with_its_own_context_name() -> None:
    switch = Association(Role.SWITCH)
    (event,) = tell(switch, frame(bytes.fromhex("6009 A107 06052B0C00815A")))
    assert event == AssociationRequested({"application-context-name": "1.3.12.0.218"})
    assert bytes.fromhex("A107 06052B0C00815A") in switch.accept()


ABORTS = ["6403800100", "00056403800100", "0003800100"]


@pytest.mark.parametrize("octets", ABORTS)
def test_an_abort_bare_framed_or_without_its_tag(octets: str) -> None:
    client, _ = pair()
    client.invoke("makeCall", MAKE_CALL)
    assert tell(client, bytes.fromhex(octets)) == [Aborted(0)]
    assert client.state is State.CLOSED
    assert client.outstanding == frozenset()


def test_an_abort_gives_its_diagnostic() -> None:
    client, _ = pair()
    assert tell(client, bytes.fromhex("6406800101810105")) == [Aborted(1, "authentication-failure")]


def test_a_switch_aborts_bare_or_framed_and_a_client_framed() -> None:
    client, switch = pair()
    assert switch.abort() == bytes.fromhex("6403800100")
    assert client.abort() == bytes.fromhex("00056403800100")
    assert Association(Role.SWITCH, bare_abort=False).abort() == bytes.fromhex("00056403800100")


def test_release_in_good_order() -> None:
    client, switch = pair()
    assert tell(switch, client.release()) == [Released()]
    assert tell(client, switch.confirm_release()) == [Released()]
    assert (client.state, switch.state) == (State.CLOSED, State.CLOSED)


def test_the_end_of_the_stream() -> None:
    client, _ = pair()
    assert tell(client, b"") == [Closed()]
    assert tell(client, b"") == []
    client, _ = pair()
    client.receive_data(b"\x00")
    client.receive_data(b"")
    with pytest.raises(RemoteProtocolError, match="middle of a frame"):
        client.next_event()


def test_what_still_comes_after_the_end_is_not_looked_at() -> None:
    client, switch = pair()
    octets = switch.invoke("systemStatus", {"systemStatus": "normal"})[1]
    client.abort()
    assert tell(client, octets + frame(bytes.fromhex("6403800100"))) == []


def test_errors_are_told_with_the_operation_they_answer() -> None:
    client, switch = pair()
    invoke_id, _ = client.invoke("makeCall", MAKE_CALL)
    octets = switch.fail(invoke_id, ("operation", "invalidCalledDeviceID"))
    expected = Failed(invoke_id, "makeCall", ("universalFailure", ("operation", "invalidCalledDeviceID")))
    assert tell(client, octets) == [expected]
    assert tell(client, octets) == [Failed(invoke_id, "", expected.error)]


def test_an_error_that_is_none_of_csta_is_kept_raw() -> None:
    client, _ = pair()
    invoke_id, _ = client.invoke("makeCall", MAKE_CALL)
    octets = frame(rose.encode(rose.ReturnError(invoke_id, 7, b"\x05\x00")))
    assert tell(client, octets) == [Failed(invoke_id, "makeCall", ("error-7", b"\x05\x00"))]
    assert tell(client, frame(rose.encode(rose.ReturnError(9, 1)))) == [Failed(9, "", ("error-1", None))]


def test_a_reject_is_told_with_the_operation_it_rejects() -> None:
    client, switch = pair()
    invoke_id, _ = client.invoke("makeCall", MAKE_CALL)
    assert tell(client, switch.reject(invoke_id, ("invoke", 1))) == [Rejected(invoke_id, ("invoke", 1), "makeCall")]
    assert client.outstanding == frozenset()
    assert tell(client, switch.reject(None, ("general", 0))) == [Rejected(None, ("general", 0))]


def test_an_empty_result_is_told_with_the_operation_it_answers() -> None:
    client, _ = pair()
    invoke_id, _ = client.invoke("monitorStop", {"crossRefIdentifier": b"\x01"})
    empty = frame(rose.encode(rose.ReturnResult(invoke_id)))
    assert tell(client, empty) == [Returned(invoke_id, "monitorStop", None)]
    assert tell(client, empty) == [Returned(invoke_id, "", None)]


def test_unknown_operations_keep_their_octets() -> None:
    client, switch = pair()
    argument = bytes.fromhex("30030A0102")
    assert tell(client, switch.invoke("operation-999", argument)[1]) == [Invoked(1, "operation-999", argument)]
    assert tell(client, switch.invoke("acceptCall", argument)[1]) == [Invoked(2, "acceptCall", argument)]
    assert tell(client, switch.invoke("operation-52", None)[1]) == [Invoked(3, "operation-52", None)]
    result = client.respond(1, "operation-999", argument)
    assert tell(switch, result) == [Returned(1, "operation-999", argument)]


def test_what_does_not_fit_its_declaration_does_not_end_the_association() -> None:
    client, switch = pair()
    bad = bytes.fromhex("3000")
    (event,) = tell(client, frame(rose.encode(rose.Invoke(5, 21, bad))))
    assert isinstance(event, Undecoded)
    assert event == Undecoded("invoke", 5, "cSTAEventReport", bad, event.reason)
    assert "crossRefIdentifier is missing" in event.reason
    invoke_id, _ = client.invoke("makeCall", MAKE_CALL)
    (event,) = tell(client, frame(rose.encode(rose.ReturnResult(invoke_id, 10, b"\x05\x00"))))
    assert isinstance(event, Undecoded)
    assert (event.apdu, event.invoke_id, event.operation) == ("returnResult", invoke_id, "makeCall")
    (event,) = tell(client, frame(rose.encode(rose.ReturnError(77, 1, b"\xa0\x00"))))
    assert isinstance(event, Undecoded)
    assert event.apdu == "returnError"
    assert tell(client, switch.invoke("systemStatus", {"systemStatus": "normal"})[1])
    assert client.state is State.OPEN


GARBAGE = {
    "0001": "unknown tag",
    "30030A0102": "an argument without its envelope",
    "A1020201": "cut short by its frame",
    "A203050000": "octets behind the APDU",
    "A2020500": "an answer without an id",
    "A30505000201AA": "an error without an id",
    "6000": "AARQ without its name",
    "80": "half an ABRT",
}


@pytest.mark.parametrize("apdu", GARBAGE, ids=GARBAGE.values())
def test_garbage_breaks_the_association_for_good(apdu: str) -> None:
    client, _ = pair()
    client.invoke("makeCall", MAKE_CALL)
    client.receive_data(frame(bytes.fromhex(apdu)))
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            client.next_event()
    assert client.state is State.BROKEN
    assert client.outstanding == frozenset()
    with pytest.raises(LocalProtocolError):
        client.invoke("makeCall", MAKE_CALL)


def test_invoke_ids_wrap_and_pass_by_those_still_waiting() -> None:
    client, _ = pair()
    assert client.invoke("makeCall", MAKE_CALL)[0] == 1
    assert client.invoke("makeCall", MAKE_CALL)[0] == 2
    client.forget(2)
    for expected in range(3, MAX_INVOKE_ID + 1):
        invoke_id, _ = client.invoke("monitorStop", {"crossRefIdentifier": b""})
        client.forget(invoke_id)
        assert invoke_id == expected
    assert client.invoke("makeCall", MAKE_CALL)[0] == 2
    assert client.outstanding == {1, 2}


def test_a_mistake_of_ours_sends_nothing_and_uses_no_id() -> None:
    client, _ = pair()
    for operation, argument in (("makecall", MAKE_CALL), ("makeCall", {}), ("makeCall", {**MAKE_CALL, "x": 1})):
        with pytest.raises(LocalProtocolError):
            client.invoke(operation, argument)
    with pytest.raises(LocalProtocolError, match="at most 240"):
        client.invoke("escape", {"privateData": ("string", bytes(240))})
    with pytest.raises(LocalProtocolError):
        client.fail(1, ("operation", "noSuchError"))
    assert client.outstanding == frozenset()
    assert client.invoke("makeCall", MAKE_CALL)[0] == 1


def test_the_limit_of_what_is_sent_can_be_lifted() -> None:
    client, switch = pair(max_apdu=4000)
    argument = {"privateData": ("string", bytes(3000))}
    assert tell(switch, client.invoke("escape", argument)[1]) == [Invoked(1, "escape", argument)]


def script() -> tuple[bytes, list[Event]]:
    """What a switch sends in a session, and the events a client makes of it when it comes at once."""
    client, switch = Association(Role.CLIENT), Association(Role.SWITCH)
    tell(switch, client.associate())
    stream = switch.accept()
    stream += switch.invoke("systemStatus", {"systemStatus": "normal"})[1]
    stream += switch.respond(1, "makeCall", {"callingDevice": CONNECTION})
    stream += switch.fail(2, ("unspecified", None))
    stream += switch.reject(3, ("invoke", 1))
    stream += switch.abort()
    return stream, tell(client, stream)


STREAM, EVENTS = script()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), max_size=80))
def test_any_chunking_gives_the_same_events(sizes: list[int]) -> None:
    client = Association(Role.CLIENT)
    client.associate()
    events: list[Event] = []
    rest = STREAM
    for size in [*sizes, len(STREAM)]:
        if rest[:size]:
            events += tell(client, rest[:size])
        rest = rest[size:]
    assert events == EVENTS
    assert len(events) == 6


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(Role), st.booleans())
def test_any_octets_give_events_or_break_the_association(octets: bytes, role: Role, as_frame: bool) -> None:
    client, switch = pair()
    association = client if role is Role.CLIENT else switch
    try:
        tell(association, frame(octets) if as_frame else octets)
        tell(association, b"")
    except RemoteProtocolError:
        assert association.state is State.BROKEN
        return
    assert association.state in (State.CLOSED, State.OPEN, State.RELEASE_REQUESTED)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255))
def test_a_flipped_octet_gives_events_or_breaks_the_association(at: int, octet: int) -> None:
    client = Association(Role.CLIENT)
    client.associate()
    try:
        tell(client, STREAM[:at] + bytes((octet,)) + STREAM[at + 1 :])
    except RemoteProtocolError:
        assert client.state is State.BROKEN
