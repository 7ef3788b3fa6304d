"""Calls between telephones, and what other people's clients may ask: each service with the events that follow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pbx_bench import CstaClient, PbxBench, at, digits, numbered, states, told

from ocm_cti.simulator.effects import ConnectCallee, Extension, JoinCallees, RingExtension, SeatCallee, Trunk
from protocols.csta.association import Invoked

OUTSIDE = "984951234501"
NO_CONNECTION = ("operation", "invalidConnectionID")
WRONG_STATE = ("stateIncompatibility", "invalidObjectState")


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[PbxBench] = []

    def bench(*variants: str) -> PbxBench:
        made.append(PbxBench(*variants))
        return made[-1]

    yield bench
    for one in made:
        one.close()


def watching(bench: PbxBench, *devices: str | int) -> tuple[CstaClient, list[bytes]]:
    client = bench.client()
    return client, [client.monitor(digits(one) if isinstance(one, str) else numbered(one)) for one in devices]


def internal(bench: PbxBench, client: CstaClient, caller: str = "350", called: str = "351") -> Any:
    """A call between two desk telephones that talk; the caller's ConnectionID."""
    call, _ = client.call(caller, called)
    bench.clock.advance(0.2)
    result, _ = client.ask("answerCall", {"callToBeAnswered": at(call, digits(called))})
    assert result == ("noData", None)
    return call


def outside(bench: PbxBench, client: CstaClient, caller: str = "350", number: str = OUTSIDE) -> Any:
    """A call to somebody outside, who has answered."""
    call, _ = client.call(caller, number)
    bench.clock.pump([0.2, 0.2, 1.0])
    return call


def out_of_service(bench: PbxBench, extension: str) -> None:
    bench.happens(bench.switch.set_out_of_service, Extension(extension), True)


def test_a_call_between_two_desk_telephones(make: Any) -> None:
    bench = make()
    client, (caller, called) = watching(bench, "350", "351")
    call, events = client.call("350", "351")
    assert states(events, caller) == [
        ("serviceInitiated", "initiated", "makeCall"),
        ("originated", "connected", "newCall"),
    ]
    assert states(events, called) == []
    bench.clock.advance(0.2)
    events = client.events()
    assert states(events, caller) == [("delivered", "connected", "normal")]
    assert states(events, called) == [("delivered", "alerting", "normal")]
    _, _, delivered = told(events)[0]
    assert delivered == {
        "connection": at(call, digits("351")),
        "alertingDevice": ("deviceIdentifier", digits("351")),
        "callingDevice": ("deviceIdentifier", digits("350")),
        "calledDevice": ("deviceIdentifier", digits("351")),
        "lastRedirectionDevice": ("notKnown", None),
        "localConnectionInfo": "connected",
        "cause": "normal",
    }
    result, events = client.ask("answerCall", {"callToBeAnswered": at(call, digits("351"))})
    assert result == ("noData", None)
    assert states(events, caller) == states(events, called) == [("established", "connected", "normal")]
    assert told(events)[0][2]["establishedConnection"] == at(call, digits("351"))
    assert [type(effect) for effect in bench.done] == [SeatCallee, SeatCallee, JoinCallees]
    result, events = client.ask("clearConnection", {"connectionToBeCleared": at(call, digits("351"))})
    assert result == ("noData", None)
    assert [(name, body["droppedConnection"]) for _, name, body in told(events)] == [
        ("connectionCleared", at(call, digits("351"))),
        ("connectionCleared", at(call, digits("351"))),
        ("connectionCleared", call),
        ("connectionCleared", call),
    ]
    assert states(events, caller) == [
        ("connectionCleared", "connected", "normalClearing"),
        ("connectionCleared", "null", "normalClearing"),
    ]
    assert states(events, called) == [("connectionCleared", "null", "normalClearing")] * 2
    assert bench.accounts[0].direction == "internal"
    assert (bench.accounts[0].answered, bench.accounts[0].answered_s) == (True, 0.2)


def test_a_sip_extension_is_called_and_hangs_up(make: Any) -> None:
    bench = make()
    client, (caller, called) = watching(bench, "350", "301")
    client.call("350", "301")
    bench.clock.advance(0.2)
    (ring,) = bench.done
    assert ring == RingExtension(ring.serial, Extension("301"), "350")
    bench.happens(bench.switch.extension_answered, ring.serial)
    assert states(client.events(), called)[-1] == ("established", "connected", "normal")
    assert bench.kinds() == ["RingExtension", "ConnectCallee"]
    bench.happens(bench.switch.extension_hung_up, ring.serial)
    events = client.events()
    assert [name for name, _, _ in states(events, caller)] == ["connectionCleared", "connectionCleared"]
    assert told(events)[0][2]["releasingDevice"] == ("deviceIdentifier", digits("301"))
    assert bench.kinds() == ["DropMedia"]  # whoever hung up is not hung up on
    assert client.ask("snapshotDevice", {"snapshotObject": digits("350")})[0] == {
        "crossRefIDorSnapshotData": ("snapshotData", [])
    }


def test_a_person_at_a_desk_telephone_picks_up_by_himself(make: Any) -> None:
    bench = make()
    client, (called,) = watching(bench, "352")
    client.call("301", "352")
    serial = bench.done[0].serial
    bench.happens(bench.switch.extension_answered, serial)
    bench.clock.pump([0.2, 2.0])
    assert [name for name, _, _ in states(client.events(), called)] == ["delivered", "established"]
    assert isinstance(bench.done[-1], ConnectCallee)
    assert bench.done[-1].serial == serial


@pytest.mark.parametrize(
    ("prepare", "cause", "failing"),
    [
        (lambda bench, client: internal(bench, client, "351", "352"), "busy", "351"),
        (lambda bench, client: bench.switch.set_do_not_disturb("351", True), "doNotDisturb", "351"),
        (
            lambda bench, client: bench.happens(bench.switch.set_out_of_service, Extension("351"), True),
            "destNotObtainable",
            "351",
        ),
    ],
)
def test_an_extension_that_cannot_be_called(make: Any, prepare: Any, cause: str, failing: str) -> None:
    bench = make()
    client, _ = watching(bench, "301")
    prepare(bench, client)
    bench.done.clear()
    call, _ = client.call("301", "351")
    bench.happens(bench.switch.extension_answered, bench.done[0].serial)
    bench.clock.advance(0.2)
    *_, (_, name, failed) = told(client.events())
    assert (name, failed["cause"], failed["localConnectionInfo"]) == ("failed", cause, "fail")
    assert failed["failingDevice"] == failed["calledDevice"] == ("deviceIdentifier", digits(failing))
    assert failed["failedConnection"] == at(call, digits(failing))
    assert bench.kinds()[-1] == "PlayTone"  # the caller stays off-hook
    assert client.call("301", "350")[0] == WRONG_STATE
    assert client.ask("clearConnection", {"connectionToBeCleared": call})[0] == ("noData", None)
    assert bench.kinds()[-1] == "ReleaseExtension"


def test_a_number_that_leads_nowhere(make: Any) -> None:
    bench = make()
    client, (caller,) = watching(bench, "350")
    client.call("350", "444")
    bench.clock.advance(0.2)
    assert states(client.events(), caller)[-1] == ("failed", "fail", "invalidNumberFormat")
    client, _ = watching(make("unknown_number=refuse"), "350")
    assert client.call("350", "444") == (("operation", "invalidCalledDeviceID"), [])


@pytest.mark.parametrize(
    ("number", "line", "told_by_then"),
    [
        ("984951234501", 0x0131_0001, ["networkReached", "delivered", "established"]),
        ("884951234501", 0x0131_0004, ["networkReached", "delivered", "established"]),
        ("784951234501", 0x0131_0003, ["networkReached"]),
        ("684951234501", 0x0131_0005, ["networkReached"]),
    ],
)
def test_what_is_told_of_a_call_depends_on_the_kind_of_its_trunk(
    make: Any, number: str, line: int, told_by_then: list[str]
) -> None:
    bench = make()
    client, (trunk,) = watching(bench, line)
    client.call("350", number)
    bench.clock.pump([0.2, 0.2, 1.0])
    events = client.events()
    assert [name for name, _, _ in states(events, trunk)] == told_by_then
    assert told(events)[0][2]["networkInterfaceUsed"] == ("deviceIdentifier", numbered(line))
    bench.clock.advance(5)  # an analogue line is taken for answered by its timer
    assert [name for name, _, _ in states(client.events(), trunk)] == (["established"] if number[0] == "7" else [])


def test_the_second_line_of_a_group_is_taken_when_the_first_is_busy_and_then_none_is_left(make: Any) -> None:
    bench = make()
    client = bench.client()
    for caller, number in (("350", OUTSIDE), ("351", "984951234502"), ("352", "984951234503")):
        client.call(caller, number)
        bench.clock.advance(0.2)
    for caller, line in (("350", 0x0131_0001), ("351", 0x0131_0002)):
        (entry,) = client.ask("snapshotDevice", {"snapshotObject": numbered(line)})[0]["crossRefIDorSnapshotData"][1]
        assert entry["endpointDevice"] == ("deviceIdentifier", digits(caller))
    assert client.ask("snapshotDevice", {"snapshotObject": digits("352")})[0]["crossRefIDorSnapshotData"][1][0][
        "localCallState"
    ] == ("compoundCallState", ["fail"])


def test_a_call_from_outside(make: Any) -> None:
    bench = make()
    client, (called, trunk) = watching(bench, "350", 0x0131_0002)
    call = bench.happens(bench.switch.incoming, Trunk(2), "4951230000", "350")
    events = client.events()
    assert states(events, called) == [("delivered", "alerting", "normal")]
    assert states(events, trunk) == [("delivered", "connected", "normal")]
    _, _, delivered = told(events)[0]
    assert delivered["callingDevice"] == ("deviceIdentifier", digits("4951230000"))
    assert delivered["associatedCallingDevice"] == ("deviceIdentifier", numbered(0x0131_0002))
    assert delivered["calledDevice"] == delivered["alertingDevice"] == ("deviceIdentifier", digits("350"))
    connection = delivered["connection"]
    client.ask("answerCall", {"callToBeAnswered": connection})
    bench.clock.advance(3)
    bench.happens(bench.switch.party_hangs_up, call.origin.person.party)
    events = client.events()
    assert states(events, called) == [
        ("connectionCleared", "connected", "normalClearing"),
        ("connectionCleared", "null", "normalClearing"),
    ]
    (account,) = bench.accounts
    assert (account.direction, account.dialled, account.extension, account.trunk) == ("in", "4951230000", "350", 2)
    assert (account.ended_s - account.answered_s, account.condition) == (3.0, "")


def test_a_caller_from_outside_gives_up_and_a_withheld_number_is_not_known(make: Any) -> None:
    bench = make("internal_ring_s=20")
    client, (called,) = watching(bench, "350")
    bench.happens(bench.switch.call_in, "", "350")
    _, _, delivered = told(client.events())[0]
    assert delivered["callingDevice"] == ("notKnown", None)
    bench.clock.advance(20)
    assert states(client.events(), called) == [
        ("connectionCleared", "alerting", "normalClearing"),
        ("connectionCleared", "null", "normalClearing"),
    ]
    assert bench.accounts[0].condition == "na"


def test_hold_and_retrieve(make: Any) -> None:
    bench = make()
    client, (caller, called) = watching(bench, "350", "351")
    call = internal(bench, client)
    bench.kinds()
    client.events()
    result, events = client.ask("holdCall", {"callToBeHeld": call})
    assert result == ("noData", None)
    assert states(events, caller) == [("held", "hold", "normal")]
    assert states(events, called) == [("held", "connected", "normal")]
    _, _, held = told(events)[0]
    assert (held["heldConnection"], held["holdingDevice"]) == (call, ("deviceIdentifier", digits("350")))
    assert held["extensions"] == {"privateData": [("private", ("additionalData", ("holdType", "normal")))]}
    assert bench.kinds() == ["HoldCallee", "HoldCallee"]
    assert client.ask("holdCall", {"callToBeHeld": call})[0] == WRONG_STATE
    (entry,) = client.ask("snapshotDevice", {"snapshotObject": digits("350")})[0]["crossRefIDorSnapshotData"][1]
    assert entry["localCallState"] == ("compoundCallState", ["hold", "connected"])
    result, events = client.ask("retrieveCall", {"callToBeRetrieved": call})
    assert result == ("noData", None)
    assert states(events, caller) == states(events, called) == [("retrieved", "connected", "normal")]
    assert bench.kinds() == ["JoinCallees"]
    assert client.ask("retrieveCall", {"callToBeRetrieved": call})[0] == WRONG_STATE


def test_a_second_call_may_be_made_while_the_first_is_held(make: Any) -> None:
    bench = make()
    client, _ = watching(bench, "350")
    first = outside(bench, client)
    assert client.call("350", "351")[0] == WRONG_STATE
    client.ask("holdCall", {"callToBeHeld": first})
    second, _ = client.call("350", "351")
    bench.clock.advance(0.2)
    snapshot = client.ask("snapshotDevice", {"snapshotObject": digits("350")})[0]["crossRefIDorSnapshotData"][1]
    assert [(entry["connectionIdentifier"], entry["localCallState"][1]) for entry in snapshot] == [
        (second, ["connected", "alerting"]),
        (first, ["hold", "connected"]),
    ]
    assert client.ask("retrieveCall", {"callToBeRetrieved": first})[0] == WRONG_STATE
    client.ask("answerCall", {"callToBeAnswered": at(second, digits("351"))})
    client.events()
    assert client.ask("alternateCall", {"heldCall": first, "activeCall": second})[0] == ("noData", None)
    assert client.ask("alternateCall", {"heldCall": first, "activeCall": second})[0] == WRONG_STATE
    result, events = client.ask("reconnectCall", {"activeCall": first, "heldCall": second})
    assert result == ("noData", None)
    assert [name for _, name, _ in told(events)] == ["connectionCleared", "connectionCleared", "retrieved"]


def consulting(bench: PbxBench, client: CstaClient, answered: bool = True) -> tuple[Any, Any]:
    """350 talks with somebody outside and has asked 351; both ConnectionIDs."""
    existing = outside(bench, client)
    client.events()
    argument = {"existingCall": existing, "consultedDevice": digits("351")}
    result, _ = client.ask("consultationCall", argument)
    bench.clock.advance(0.2)
    if answered:
        client.ask("answerCall", {"callToBeAnswered": at(result["initiatedCall"], digits("351"))})
    client.events()
    return existing, result["initiatedCall"]


def test_consultation_holds_the_first_call(make: Any) -> None:
    bench = make()
    client, (own, other) = watching(bench, "350", 0x0131_0001)
    call = outside(bench, client)
    client.events()
    result, events = client.ask("consultationCall", {"existingCall": call, "consultedDevice": digits("351")})
    assert states(events, own) == [
        ("held", "hold", "consultation"),
        ("serviceInitiated", "initiated", "consultation"),
        ("originated", "connected", "consultation"),
    ]
    assert states(events, other) == [("held", "connected", "consultation")]
    _, _, held = told(events)[0]
    assert held["extensions"]["privateData"] == [("private", ("additionalData", ("holdType", "consultation")))]
    assert result["initiatedCall"][1]["callID"] != call[1]["callID"]
    argument = {"existingCall": call, "consultedDevice": digits("352")}
    assert client.ask("consultationCall", argument)[0] == WRONG_STATE
    argument = {"existingCall": result["initiatedCall"], "consultedDevice": digits("call me")}
    assert client.ask("consultationCall", argument)[0] == WRONG_STATE


@pytest.mark.parametrize("call_id", ["new", "active"])
def test_a_transfer_joins_the_other_sides_and_is_told_to_all(make: Any, call_id: str) -> None:
    bench = make(f"transfer_call_id={call_id}")
    client, (own, reached, trunk) = watching(bench, "350", "351", 0x0131_0001)
    held, active = consulting(bench, client)
    bench.kinds()
    result, events = client.ask("transferCall", {"heldCall": held, "activeCall": active})
    transferred_call = result["transferredCall"]
    assert (transferred_call == at(active, digits("351"))) == (call_id == "active")
    assert [name for _, name, _ in told(events)] == ["transferred"] * 3
    assert [states(events, one) for one in (own, reached, trunk)] == [
        [("transferred", "null", "transfer")],
        [("transferred", "connected", "transfer")],
        [("transferred", "connected", "transfer")],
    ]
    _, _, body = told(events)[0]
    line = numbered(0x0131_0001)
    assert body == {
        "primaryOldCall": held,
        "secondaryOldCall": active,
        "transferringDevice": ("deviceIdentifier", digits("350")),
        "transferredToDevice": ("deviceIdentifier", digits("351")),
        "transferredConnections": [
            {"newConnection": at(transferred_call, line), "oldConnection": at(held, line)},
            {"newConnection": transferred_call, "oldConnection": at(active, digits("351"))},
        ],
        "localConnectionInfo": body["localConnectionInfo"],
        "cause": "transfer",
    }
    assert client.largest <= 240
    assert bench.kinds() == ["JoinCallees", "DropCallee"][:1]
    assert client.ask("snapshotDevice", {"snapshotObject": digits("350")})[0]["crossRefIDorSnapshotData"][1] == []
    (entry,) = client.ask("snapshotDevice", {"snapshotObject": line})[0]["crossRefIDorSnapshotData"][1]
    assert entry["endpointDevice"] == ("deviceIdentifier", digits("351"))
    assert (bench.accounts[0].condition, bench.accounts[0].trunk, bench.accounts[0].extension) == ("tr", 1, "350")
    assert client.ask("transferCall", {"heldCall": held, "activeCall": active})[0] == NO_CONNECTION
    _, events = client.ask("clearConnection", {"connectionToBeCleared": transferred_call})
    assert [name for name, _, _ in states(events, trunk)] == ["connectionCleared"] * 2
    assert states(events, own) == []


def test_a_transfer_to_a_telephone_that_still_rings(make: Any) -> None:
    bench = make()
    client, (reached, trunk) = watching(bench, "351", 0x0131_0001)
    held, active = consulting(bench, client, answered=False)
    result, events = client.ask("transferCall", {"heldCall": held, "activeCall": active})
    assert states(events, reached) == [("transferred", "alerting", "transfer")]
    assert states(events, trunk) == [("transferred", "connected", "transfer")]
    _, events = client.ask("answerCall", {"callToBeAnswered": result["transferredCall"]})
    assert states(events, trunk) == [("established", "connected", "normal")]
    _, _, established = told(events)[0]
    assert established["callingDevice"] == ("deviceIdentifier", digits(OUTSIDE))
    assert established["associatedCallingDevice"] == ("deviceIdentifier", numbered(0x0131_0001))


def test_the_robot_hands_a_person_over_and_is_released(make: Any) -> None:
    bench = make()
    client, _ = watching(bench, "301")
    call, _ = client.call("301", OUTSIDE)
    serial = bench.done[0].serial
    bench.happens(bench.switch.extension_answered, serial)
    bench.clock.pump([0.2, 0.2, 1.0])
    assert bench.kinds() == ["RingExtension", "PlayTone", "ConnectCallee"]
    result, _ = client.ask("consultationCall", {"existingCall": call, "consultedDevice": digits("352")})
    bench.clock.pump([0.2, 2.0])
    assert bench.kinds() == ["HoldExtension", "HoldCallee", "PlayTone", "ConnectCallee"]
    client.ask("transferCall", {"heldCall": call, "activeCall": result["initiatedCall"]})
    assert bench.kinds() == ["JoinCallees", "DropMedia", "ReleaseExtension"]
    (talking,) = bench.switch.calls
    bench.happens(bench.switch.party_hangs_up, talking.origin.person.party)
    assert bench.kinds() == ["DropCallee", "DropCallee"]
    assert bench.switch.calls == ()


def test_who_waits_hangs_up_and_the_second_call_goes_on(make: Any) -> None:
    bench = make()
    client, (own,) = watching(bench, "350")
    held, active = consulting(bench, client)
    first = next(call for call in bench.switch.calls if call.call_id == held[1]["callID"])
    bench.happens(bench.switch.party_hangs_up, first.far.person.party)
    assert states(client.events(), own) == [
        ("connectionCleared", "hold", "normalClearing"),
        ("connectionCleared", "null", "normalClearing"),
    ]
    assert len(bench.switch.calls) == 1
    assert client.ask("transferCall", {"heldCall": held, "activeCall": active})[0] == NO_CONNECTION


def test_transfer_needs_two_calls_of_one_telephone(make: Any) -> None:
    bench = make()
    client, _ = watching(bench, "350")
    one, other = outside(bench, client), internal(bench, client, "351", "352")
    assert client.ask("transferCall", {"heldCall": one, "activeCall": other})[0] == ("operation", "notSameDevice")
    assert client.ask("transferCall", {"heldCall": one, "activeCall": one})[0] == WRONG_STATE


def test_services_may_be_missing(make: Any) -> None:
    client = make("transfer_services=no").client()
    for operation, argument in (
        ("holdCall", {"callToBeHeld": ("callID", b"\1")}),
        ("transferCall", {"heldCall": ("callID", b"\1"), "activeCall": ("callID", b"\2")}),
        ("singleStepTrans", {"activeCall": ("callID", b"\1"), "transferredTo": digits("351")}),
    ):
        assert client.ask(operation, argument)[0] == ("operation", "serviceNotSupported")


def test_single_step_transfer(make: Any) -> None:
    bench = make("single_step_transfer=yes")
    client, (own, reached) = watching(bench, "350", "351")
    call = outside(bench, client)
    client.events()
    result, events = client.ask("singleStepTrans", {"activeCall": call, "transferredTo": digits("351")})
    assert states(events, own) == [("transferred", "null", "singleStepTransfer")]
    assert states(events, reached) == [("delivered", "alerting", "normal")]
    assert told(events)[0][2]["primaryOldCall"] == call
    _, events = client.ask("answerCall", {"callToBeAnswered": result["transferredCall"]})
    assert states(events, reached) == [("established", "connected", "normal")]
    assert client.call("350", "352")[0][0] == "both"  # it is free


def test_a_ringing_call_is_deflected(make: Any) -> None:
    bench = make()
    client, (caller, first, second) = watching(bench, "350", "351", "352")
    call, _ = client.call("350", "351")
    bench.clock.advance(0.2)
    client.events()
    argument = {"callToBeDiverted": at(call, digits("351")), "newDestination": digits("352")}
    result, events = client.ask("deflectCall", argument)
    assert result == ("noData", None)
    assert states(events, first) == [("diverted", "null", "redirected")]
    assert states(events, caller) == [("diverted", "connected", "redirected"), ("delivered", "connected", "redirected")]
    assert states(events, second) == [("delivered", "alerting", "redirected")]
    delivered = next(body for cross, name, body in told(events) if cross == second)
    assert delivered["lastRedirectionDevice"] == ("numberdialed", digits("351"))
    assert delivered["calledDevice"] == ("deviceIdentifier", digits("351"))
    assert client.ask("deflectCall", argument)[0] == NO_CONNECTION
    assert bench.switch.calls_at(Extension("351")) == []


def test_answering_what_cannot_be_answered(make: Any) -> None:
    bench = make()
    client, _ = watching(bench, "350")
    call, _ = client.call("301", "350")
    assert client.ask("answerCall", {"callToBeAnswered": call})[0] == ("operation", "requestIncompatibleWithObject")
    assert client.ask("answerCall", {"callToBeAnswered": at(call, digits("350"))})[0] == NO_CONNECTION
    talking = internal(bench, client, "351", "352")
    assert client.ask("answerCall", {"callToBeAnswered": at(talking, digits("352"))})[0] == WRONG_STATE
    client = make("answer_call_sip=wait").client()
    call, _ = client.call("301", "350")
    assert client.ask("answerCall", {"callToBeAnswered": call})[0] == ("noData", None)


def test_a_call_id_alone_means_the_telephone_that_rings(make: Any) -> None:
    bench = make()
    client, (called,) = watching(bench, "351")
    call, _ = client.call("350", "351")
    bench.clock.advance(0.2)
    client.events()
    result, events = client.ask("answerCall", {"callToBeAnswered": ("callID", call[1]["callID"])})
    assert result == ("noData", None)
    assert states(events, called) == [("established", "connected", "normal")]
    result, events = client.ask("clearConnection", {"connectionToBeCleared": ("callID", call[1]["callID"])})
    assert [name for name, _, _ in states(events, called)] == ["connectionCleared"] * 2


def test_a_desk_telephone_may_have_to_be_lifted_first(make: Any) -> None:
    bench = make("phone_make_call=prompt")
    client, (caller,) = watching(bench, "350")
    call, events = client.call("350", "351")
    assert states(events, caller) == [("serviceInitiated", "initiated", "makeCall")]
    _, events = client.ask("answerCall", {"callToBeAnswered": call})
    assert states(events, caller) == [("originated", "connected", "newCall")]


def test_a_snapshot_in_segments_and_of_a_call(make: Any) -> None:
    bench = make("snapshot_form=segments")
    client, _ = watching(bench, "350")
    held, active = consulting(bench, client)
    result, others = client.ask("snapshotDevice", {"snapshotObject": digits("350")})
    kind, reference = result["crossRefIDorSnapshotData"]
    assert kind == "serviceCrossRefID"
    (segment,) = [one for one in others if isinstance(one, Invoked)]
    assert segment.operation == "snapshotDeviceData"
    assert (segment.argument["serviceCrossRefID"], segment.argument["lastSegment"]) == (reference, True)
    assert [entry["connectionIdentifier"] for entry in segment.argument["snapshotData"]] == [active, held]
    result, _ = client.ask("snapshotCall", {"snapshotObject": active})
    assert result == {
        "crossRefIDorSnapshotData": (
            "snapshotData",
            [
                {
                    "deviceOnCall": ("deviceIdentifier", digits(number)),
                    "callIdentifier": at(active, digits(number)),
                    "localConnectionState": "connected",
                }
                for number in ("350", "351")
            ],
        ),
        "callingDevice": ("deviceIdentifier", digits("350")),
        "calledDevice": ("deviceIdentifier", digits("351")),
    }
    assert client.ask("snapshotCall", {"snapshotObject": ("callID", b"\x77")})[0] == NO_CONNECTION


def test_a_filter_can_be_changed(make: Any) -> None:
    bench = make()
    client, (reference,) = watching(bench, "350")
    argument = {"crossRefIdentifier": reference, "requestedFilterList": {"callControl": "0000000001001000"}}
    assert client.ask("changeMonitorFilter", argument)[0] == {"actualFilterList": argument["requestedFilterList"]}
    assert told(client.call("350", "351")[1]) == []
    argument["crossRefIdentifier"] = b"\x77\x77"
    assert client.ask("changeMonitorFilter", argument)[0] == ("operation", "invalidCrossRefID")


def test_devices_go_out_of_service_and_come_back(make: Any) -> None:
    bench = make()
    client, (phone, trunk) = watching(bench, "350", 0x0131_0001)
    outside(bench, client)
    client.events()
    bench.happens(bench.switch.set_out_of_service, Trunk(1), True)
    events = [event for event in client.events() if isinstance(event, Invoked)]
    assert [name for name, _, _ in states(events, phone)] == ["connectionCleared"] * 2
    assert events[-1].argument == {
        "crossRefIdentifier": trunk,
        "eventSpecificInfo": (
            "deviceMaintenanceEvents",
            ("outOfService", {"device": ("deviceIdentifier", numbered(0x0131_0001))}),
        ),
    }
    call, _ = client.call("350", OUTSIDE)
    bench.clock.advance(0.2)
    assert bench.switch.call_of(Trunk(2)) is not None  # the one that fails is passed over
    client.ask("clearConnection", {"connectionToBeCleared": call})
    bench.happens(bench.switch.set_out_of_service, Extension("350"), True)
    assert client.call("350", "351")[0] == ("systemResourceAvailability", "deviceOutOfService")
    bench.happens(bench.switch.set_out_of_service, Extension("350"), False)
    assert client.call("350", "351")[0][0] == "both"


def test_events_may_come_twice_or_late(make: Any) -> None:
    client, (phone,) = watching(make("duplicate_events=yes"), "350")
    assert [name for name, _, _ in states(client.call("350", "351")[1], phone)] == [
        "serviceInitiated",
        "serviceInitiated",
        "originated",
        "originated",
    ]
    bench = make("late_events_s=2")
    client, (phone,) = watching(bench, "350")
    call, events = client.call("350", "351")
    assert events == []
    client.ask("clearConnection", {"connectionToBeCleared": call})
    bench.clock.advance(2)
    assert [name for name, _, _ in states(client.events(), phone)] == [
        "serviceInitiated",
        "originated",
        "connectionCleared",
    ]


@pytest.mark.parametrize(("sides", "devices"), [("both", ["350", "trunk"]), ("own", ["350"]), ("far", ["trunk"])])
def test_whose_clearing_is_told_is_a_variant(make: Any, sides: str, devices: list[str]) -> None:
    bench = make(f"cleared_sides={sides}")
    client, _ = watching(bench, "350")
    call = outside(bench, client)
    client.events()
    _, events = client.ask("clearConnection", {"connectionToBeCleared": call})
    released = [body["releasingDevice"][1]["deviceIdentifier"] for _, _, body in told(events)]
    assert released == [("dialingNumber", "350") if one == "350" else ("deviceNumber", 0x0131_0001) for one in devices]


def test_the_extension_may_be_rung_after_the_result(make: Any) -> None:
    for variant, rung_first in (("yes", True), ("no", False)):
        bench = make(f"invite_before_result={variant}")
        client = bench.client()
        order: list[str] = []
        write, do = client.transport.write, bench._do
        client.transport.write = lambda octets, write=write, order=order: (order.append("octets"), write(octets))
        bench._do = lambda effect, do=do, order=order: (order.append(type(effect).__name__), do(effect))
        client.call("301", OUTSIDE)
        assert order.index("Write") < order.index("octets")
        assert (order.index("RingExtension") < order.index("octets")) == rung_first
        bench._do = do


def test_a_restart_loses_everything(make: Any) -> None:
    for variant in ("drop", "silent"):
        bench = make(f"restart_links={variant}")
        client, _ = watching(bench, "350")
        outside(bench, client)
        client.events()
        bench.happens(bench.switch.restart)
        bench.csta.restart()
        assert bench.switch.calls == ()
        assert bench.accounts == []  # calls that go on at a reset are not recorded
        assert client.transport.disconnecting == (variant == "drop")
        assert client.ask("snapshotDevice", {"snapshotObject": digits("350")}) == (None, [])
        again = bench.client()
        assert told(again.call("350", "351")[1]) == []
