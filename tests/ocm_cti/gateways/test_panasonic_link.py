"""The link of one PBX over a line in memory: the peer is an association of the library in the switch's role."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from memory_line import MemoryLineReactor
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from ocm_cti.domain.call_records import CallRecord
from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.gateways.panasonic_link import DeviceListFailed, PbxLink, SnapshotFailed
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol, LinkLost, RequestWithdrawn
from protocols.csta.panasonic import (
    ListedDevice,
    cdr_report,
    connection_id,
    device_list_ack,
    device_number,
    device_segment,
    dialing_number,
)
from protocols.csta.recording import ConnectionEnded, Direction, Recorded, parse

SNAPSHOT = {"snapshotObject": dialing_number("301")}


def entry(call: bytes) -> dict[str, Any]:
    state = ("compoundCallState", ["connected", "alerting"])
    return {"connectionIdentifier": connection_id(call, dialing_number("301")), "localCallState": state}


class Pbx(Factory):
    """The other side: keeps what it is asked; answers by hand, or as ``answers`` says (operation -> result)."""

    noisy = False

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.link: CSTAProtocol | None = None
        self.admit: Any = None
        self.hangs_up = False
        self.asked: list[Invoked] = []
        self.answers: dict[str, Any] = {}
        self.lost_reasons: list[str] = []

    def buildProtocol(self, addr: Any) -> CSTAProtocol:
        return CSTAProtocol(Role.SWITCH, self, self.reactor, admit=lambda aarq: self.admit and self.admit(aarq))

    def associated(self, link: CSTAProtocol) -> None:
        self.link = link

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        self.asked.append(event)
        if event.operation in self.answers:
            link.respond(event.invoke_id, event.operation, self.answers[event.operation])

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        self.lost_reasons.append(reason)

    def names(self) -> list[str]:
        return [event.operation for event in self.asked]

    def tell(self, operation: str, argument: Any) -> None:
        assert self.link is not None
        self.link.notify(operation, argument)
        self.reactor.advance(0)

    def ask(self, operation: str, argument: Any) -> list[Any]:
        assert self.link is not None
        ends: list[Any] = []
        self.link.invoke(operation, argument).addBoth(ends.append)
        self.reactor.pump([0, 0, 0])
        return ends

    def event(self, group: str, name: str, body: Any, reference: bytes = b"\x07") -> None:
        self.tell("cSTAEventReport", {"crossRefIdentifier": reference, "eventSpecificInfo": (group, (name, body))})


class Owner:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.healths: list[Health] = []

    def __getattr__(self, name: str) -> Any:
        if name not in (
            "link_up",
            "link_down",
            "reported",
            "service_changed",
            "devices_changed",
            "events_lost",
            "calls_allowed_changed",
            "call_recorded",
        ):
            raise AttributeError(name)
        return lambda *args: self.told.append((name, *args))

    def health_changed(self, health: Health) -> None:
        self.healths.append(health)

    def take(self) -> list[tuple[Any, ...]]:
        told, self.told = self.told, []
        return told


class Bench:
    def __init__(self, **changed: Any) -> None:
        self.reactor = MemoryLineReactor()
        self.owner = Owner()
        self.pbx = self.reactor.server = Pbx(self.reactor)
        self.settings = PanasonicSettings(
            **{
                "name": "office",
                "link": "tcp:127.0.0.1:33333",
                "extensions": ("301",),
                "sip_host": "127.0.0.1",
                "passwords": {"301": "x"},
                **changed,
            }
        )
        self.link = PbxLink(self.settings, self.reactor, self.owner)

    def start(self) -> Bench:
        self.link.start()
        self.turn()
        return self

    def turn(self, seconds: float = 0.0) -> None:
        self.reactor.pump([0, 0, 0, seconds, 0, 0, 0])

    def ask(self, operation: str, argument: Any) -> list[Any]:
        ends: list[Any] = []
        self.link.ask(operation, argument).addBoth(ends.append)
        self.turn()
        return ends

    def stop(self) -> None:
        gone: list[object] = []
        self.link.stop().addBoth(gone.append)
        self.turn(3)
        assert gone == [None]
        assert self.reactor.getDelayedCalls() == []


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.stop()


@pytest.fixture
def make(benches: list[Bench]) -> Any:
    def make(**changed: Any) -> Bench:
        benches.append(Bench(**changed))
        return benches[-1].start()

    return make


def test_up_and_stopped() -> None:
    bench = Bench().start()
    assert bench.owner.take() == [("link_up",)]
    assert [health.state for health in bench.owner.healths] == [LinkState.CONNECTING, LinkState.UP]
    bench.stop()
    assert bench.owner.take() == [("link_down", "stopped")]
    assert bench.link.health.state is LinkState.DOWN


# Loss and reconnection


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (bytes.fromhex("6403800100"), "association aborted by the peer (acse-service-user)"),
        (b"\xff\xff", "protocol error of the peer: frame of 65535 octets; at most 8192 are taken"),
        (b"\x00\x00", "protocol error of the peer: empty frame"),
        (b"\x00\x01\x99", "protocol error of the peer: no ACSE APDU: tag 99"),
    ],
)
def test_what_ends_the_link_stands_in_the_health_and_it_is_made_anew(make: Any, octets: bytes, reason: str) -> None:
    bench = make()
    bench.owner.take()
    bench.pbx.link.transport.write(octets)
    bench.turn()
    assert bench.owner.take() == [("link_down", reason)]
    assert (bench.link.health.state, bench.link.health.reason) == (LinkState.DOWN, reason)
    bench.turn(bench.settings.retry_min_s)
    assert bench.owner.take() == [("link_up",)]
    assert bench.link.health.reason == ""


def test_half_a_frame_and_then_nothing(make: Any) -> None:
    bench = make(frame_timeout_s=5.0)
    bench.pbx.link.transport.write(b"\x00\x20\xa1")
    bench.turn(5.1)
    assert bench.link.health.reason == "3 octets of a frame, and no more in 5 s"


def test_links_that_break_at_once_are_tried_ever_more_slowly(make: Any) -> None:
    bench = make()
    waits = []
    for _ in range(7):
        bench.reactor.cut()
        began_s = bench.reactor.seconds()
        while not bench.link.is_up:
            bench.turn(0.5)
        waits.append(bench.reactor.seconds() - began_s)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    bench.link.worked()
    bench.reactor.cut()
    bench.turn(1)
    assert bench.link.is_up


def test_silence_and_an_unanswered_probe(make: Any) -> None:
    silent = make(silence_limit_s=60.0)
    silent.turn(61)
    assert silent.link.health.reason == "nothing heard for 60 s"
    probing = make(probe_s=20.0)
    probing.turn(20)
    assert probing.pbx.names() == ["requestSysStat"]
    probing.turn(10)
    assert probing.link.health.reason == "no answer to our RequestSystemStatus in 10 s"


def test_a_second_application_is_told_so_plainly(make: Any) -> None:
    bench = Bench(refused_retry_s=60.0)
    bench.pbx.admit = lambda aarq: (1, 1)
    bench.start()
    assert bench.link.health.state is LinkState.REFUSED
    assert bench.link.health.reason == "association refused: rejected-permanent, no-reason-given"
    bench.turn(30)
    assert bench.reactor.connections == 1
    bench.turn(31)
    assert bench.reactor.connections == 2
    bench.pbx.admit = None
    bench.turn(60)
    assert bench.link.health.state is LinkState.UP
    bench.stop()


def test_after_a_refusal_another_failure_is_told_as_what_it_is() -> None:
    bench = Bench(refused_retry_s=60.0, associate_timeout_s=10.0)
    bench.pbx.admit = lambda aarq: (1, 1)
    bench.start()
    bench.pbx.buildProtocol = lambda addr: Protocol()  # type: ignore[method-assign]
    bench.turn(61)
    bench.turn(10)
    assert bench.link.health.state is LinkState.DOWN
    assert bench.link.health.reason == "no association in 10 s"
    bench.stop()


def test_a_pbx_that_closes_before_it_answers_may_have_another_client() -> None:
    bench = Bench()

    class Closes(CSTAProtocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.loseConnection()

    bench.pbx.buildProtocol = lambda addr: Closes(Role.SWITCH, bench.pbx, bench.reactor)  # type: ignore[method-assign]
    bench.start()
    assert bench.link.health.state is LinkState.DOWN
    assert "before there was an association; the PBX may have another CTI client" in bench.link.health.reason
    bench.stop()


def test_two_links_know_nothing_of_each_other(make: Any) -> None:
    one, other = make(), make(name="shop", window=1)
    one.reactor.cut()
    one.turn()
    assert not one.link.is_up
    assert other.link.is_up
    other.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    one.turn(2)
    assert (one.link.calls_allowed, other.link.calls_allowed) == (None, 0)


# What is answered


def test_status_of_every_kind_is_answered(make: Any) -> None:
    bench = make()
    for status in ("normal", "messagesLost", "overloadReached", 77):
        assert bench.pbx.ask("systemStatus", {"systemStatus": status}) == [("noData", None)]
    assert bench.pbx.ask("operation-52", b"\x30\x03\x0a\x01\x02") == [b"\x05\x00"]
    assert bench.pbx.ask("requestSysStat", {}) == [{"systemStatus": "normal"}]
    assert bench.pbx.ask("swFunctionDevicesChanged", b"\x30\x00")
    assert ("devices_changed",) in bench.owner.take()


# Overload


def test_an_overloaded_pbx_gets_no_new_calls_until_it_is_well(make: Any) -> None:
    bench = make()
    bench.owner.take()
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    assert bench.link.calls_allowed == 0
    assert bench.link.holds_back == bench.link.health.reason == "the PBX reports overloadReached: no new calls"
    assert bench.link.health.state is LinkState.UP
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    bench.pbx.tell("systemStatus", {"systemStatus": 99})
    assert bench.owner.take() == [("calls_allowed_changed",)]
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadRelieved"})
    assert bench.link.calls_allowed is None
    assert bench.link.holds_back == bench.link.health.reason == ""
    assert bench.owner.take() == [("calls_allowed_changed",)]


def test_overload_that_nobody_takes_back_is_over_in_time(make: Any) -> None:
    bench = make(overload_rest_s=120.0)
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadImminent"})
    bench.turn(100)
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    bench.turn(119)
    assert bench.link.calls_allowed == 0
    bench.turn(1)
    assert bench.link.calls_allowed is None


def test_an_overloaded_pbx_may_be_given_a_call_now_and_then(make: Any) -> None:
    bench = make(overload_call_every_s=10.0)
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    assert bench.link.calls_allowed == 1
    assert bench.link.holds_back == ""
    bench.owner.take()
    bench.link.placed()
    assert bench.link.calls_allowed == 0
    assert bench.link.holds_back == "the PBX reports overloadReached: one new call every 10 s"
    assert bench.owner.take() == [("calls_allowed_changed",)]
    bench.turn(10)
    assert bench.link.calls_allowed == 1
    assert bench.owner.take() == [("calls_allowed_changed",)]


def test_overload_ends_with_the_link_that_told_it(make: Any) -> None:
    bench = make()
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    bench.reactor.cut()
    bench.turn(1)
    assert bench.link.is_up
    assert bench.link.calls_allowed is None
    assert bench.link.health.reason == ""


def test_lost_messages_are_told(make: Any) -> None:
    bench = make()
    bench.owner.take()
    bench.pbx.tell("systemStatus", {"systemStatus": "messagesLost"})
    assert bench.owner.take() == [("events_lost",)]


# Devices


def test_devices_out_of_service_and_back(make: Any) -> None:
    bench = make()
    bench.owner.take()
    subject = {"device": ("deviceIdentifier", dialing_number("301"))}
    bench.pbx.event("deviceMaintenanceEvents", "outOfService", subject)
    bench.pbx.event("deviceMaintenanceEvents", "backInService", subject)
    assert bench.owner.take() == [("service_changed", b"\x07", False), ("service_changed", b"\x07", True)]


def test_other_events_go_to_the_owner_by_their_names(make: Any) -> None:
    bench = make()
    bench.owner.take()
    body = {
        "clearedCall": connection_id(b"\x01", dialing_number("301")),
        "cause": "normal",
    }
    bench.pbx.event("callControlEvents", "callCleared", body)
    private = {"privateData": ("string", b"\x01")}
    bench.pbx.event("vendorSpecEvents", "privateEvent", private)
    assert bench.owner.take() == [
        ("reported", b"\x07", "callCleared", body),
        ("reported", b"\x07", "privateEvent", private),
    ]


def test_changed_system_data_has_the_list_read_again(make: Any) -> None:
    bench = make()
    bench.owner.take()
    changed = {"privateData": ("private", ("systemData", ("systemDataChanged", b"\xa2\x00")))}
    bench.pbx.tell("escape", changed)
    assert bench.owner.take() == [("devices_changed",)]


def listed(number: str) -> ListedDevice:
    return ListedDevice(dialing_number(number), number, True)


def test_a_device_list_in_segments_one_of_them_twice_and_others_of_another_list(make: Any) -> None:
    bench = make()
    bench.pbx.answers["escape"] = device_list_ack(b"\x01")
    got: list[Any] = []
    bench.link.devices("station").addBoth(got.append)
    assert bench.link.devices("station").addErrback(lambda failure: failure.trap(DeviceListFailed)).called
    bench.turn()
    for reference, segment, last, number in (
        (b"\x01", 1, False, "301"),
        (b"\x01", 1, False, "301"),
        (b"\x09", 2, True, "999"),
        (b"\x01", 2, True, "302"),
    ):
        bench.pbx.tell("escape", device_segment(reference, segment, last, [listed(number)]))
    assert got == [[listed("301"), listed("302")]]


@pytest.mark.parametrize("how", ["late", "lost"])
def test_a_device_list_that_does_not_end(make: Any, how: str) -> None:
    bench = make()
    bench.pbx.answers["escape"] = device_list_ack(b"\x01")
    got: list[Any] = []
    bench.link.devices("station").addBoth(got.append)
    bench.turn()
    if how == "late":
        bench.turn(bench.settings.device_list_timeout_s)
    else:
        bench.reactor.cut()
    assert got[0].check(DeviceListFailed)


# Snapshots


def segment(number: int | None, last: bool, *calls: bytes, reference: bytes = b"\x05") -> dict[str, Any]:
    argument = {
        "serviceCrossRefID": reference,
        "lastSegment": last,
        "snapshotData": [entry(call) for call in calls],
    }
    return argument if number is None else argument | {"segmentID": number}


PROMISE = {"crossRefIDorSnapshotData": ("serviceCrossRefID", b"\x05")}
WHOLE = {"crossRefIDorSnapshotData": ("snapshotData", [entry(b"\x01"), entry(b"\x02")])}


def test_a_snapshot_at_once(make: Any) -> None:
    bench = make()
    bench.pbx.answers["snapshotDevice"] = WHOLE
    assert bench.ask("snapshotDevice", SNAPSHOT) == [WHOLE]


def test_a_snapshot_in_pieces(make: Any) -> None:
    bench = make()
    bench.pbx.answers["snapshotDevice"] = PROMISE
    got = bench.ask("snapshotDevice", SNAPSHOT)
    for piece in (segment(1, False, b"\x01"), segment(1, False, b"\x01"), segment(2, True, b"\x02")):
        assert got == []
        bench.pbx.tell("snapshotDeviceData", piece)
    assert got == [WHOLE]


def test_pieces_may_come_before_their_promise(make: Any) -> None:
    bench = make()
    got = bench.ask("snapshotDevice", SNAPSHOT)
    bench.pbx.tell("snapshotDeviceData", segment(None, False, b"\x01"))
    bench.pbx.tell("snapshotDeviceData", segment(None, True, b"\x02"))
    bench.pbx.link.respond(bench.pbx.asked[-1].invoke_id, "snapshotDevice", PROMISE)
    bench.turn()
    assert got == [WHOLE]


def test_pieces_that_nobody_asked_for_are_not_kept_for_ever(make: Any) -> None:
    bench = make()
    for reference in range(200):
        bench.pbx.tell("snapshotDeviceData", segment(1, True, b"\x01", reference=bytes((reference,))))
    assert not bench.link._snapshots._pieces
    got = bench.ask("snapshotDevice", SNAPSHOT)
    for reference in range(200):
        bench.pbx.tell("snapshotDeviceData", segment(1, True, b"\x01", reference=bytes((reference,))))
    for _ in range(500):
        bench.pbx.tell("snapshotDeviceData", segment(None, False, *[b"\x03"] * 5, reference=b"\x06"))
    assert len(bench.link._snapshots._pieces) <= 16
    assert sum(len(each.entries) for each in bench.link._snapshots._pieces.values()) < 1100
    bench.pbx.link.respond(bench.pbx.asked[-1].invoke_id, "snapshotDevice", WHOLE)
    bench.turn()
    assert got == [WHOLE]
    assert not bench.link._snapshots._pieces


def test_a_piece_said_twice_is_no_answer_to_the_next_snapshot_under_its_reference(make: Any) -> None:
    bench = make()
    bench.pbx.answers["snapshotDevice"] = PROMISE
    first = bench.ask("snapshotDevice", SNAPSHOT)
    for _ in range(2):
        bench.pbx.tell("snapshotDeviceData", segment(1, True, b"\x09"))
    assert first == [{"crossRefIDorSnapshotData": ("snapshotData", [entry(b"\x09")])}]
    second = bench.ask("snapshotDevice", SNAPSHOT)
    assert second == []
    bench.pbx.tell("snapshotDeviceData", segment(1, True, b"\x01", b"\x02"))
    assert second == [WHOLE]


@pytest.mark.parametrize("how", ["late", "lost", "twice"])
def test_a_snapshot_that_does_not_come(make: Any, how: str) -> None:
    bench = make()
    bench.pbx.answers["snapshotDevice"] = PROMISE
    got = bench.ask("snapshotDevice", SNAPSHOT)
    if how == "late":
        bench.turn(bench.settings.device_list_timeout_s)
    elif how == "lost":
        bench.reactor.cut()
    else:
        assert bench.ask("snapshotDevice", SNAPSHOT)[0].check(SnapshotFailed)
        bench.pbx.tell("snapshotDeviceData", segment(1, True, b"\x01", b"\x02"))
        assert got == [WHOLE]
        return
    assert got[0].check(SnapshotFailed)


# Requests


def test_requests_keep_to_the_window_and_can_be_withdrawn(make: Any) -> None:
    bench = make(window=1)
    first = bench.ask("snapshotDevice", SNAPSHOT)
    make_call = {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")}
    answer = bench.link.ask("makeCall", make_call)
    ends: list[Any] = []
    answer.addBoth(ends.append)
    bench.turn()
    assert bench.pbx.names() == ["snapshotDevice"]
    assert bench.link.withdraw(answer)
    assert ends[0].check(RequestWithdrawn)
    bench.pbx.link.respond(bench.pbx.asked[0].invoke_id, "snapshotDevice", WHOLE)
    bench.turn()
    assert first == [WHOLE]
    assert bench.pbx.names() == ["snapshotDevice"]


def test_without_a_link_nothing_is_sent() -> None:
    bench = Bench()
    failures: list[Failure] = []
    bench.link.ask("makeCall", {}).addErrback(failures.append)
    assert failures[0].check(LinkLost)
    assert failures[0].value.sent is False  # type: ignore[attr-defined]
    assert not bench.link.withdraw(bench.link.ask("makeCall", {}).addErrback(lambda _: None))


# Call records


def test_call_records_are_asked_for_a_minute_after_each_association(make: Any) -> None:
    bench = make(cdr=True)
    bench.turn(59)
    assert bench.pbx.names() == []
    bench.turn(1)
    assert [(event.operation, event.argument) for event in bench.pbx.asked] == [
        ("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})
    ]
    bench.reactor.cut()
    bench.turn(1)
    bench.turn(59)
    bench.reactor.cut()
    bench.turn(120)
    bench.turn(60)
    assert bench.pbx.names() == ["startCDRTransmission"] * 2


def test_call_records_are_not_asked_for_unless_wanted(make: Any) -> None:
    bench = make()
    bench.turn(200)
    assert bench.pbx.names() == []


def test_a_second_application_gets_no_call_records_and_lives_on(make: Any) -> None:
    bench = make(cdr=True)
    bench.turn(60)
    bench.pbx.link.fail(bench.pbx.asked[0].invoke_id, ("operation", "generic"))
    bench.turn()
    assert bench.link.is_up
    assert bench.link.health.reason == ""


def party(device: dict[str, Any]) -> tuple[str, Any]:
    return ("deviceIdentifier", device)


OUTGOING = {
    "recordCreationTime": "20261123120000Z",
    "callingDevice": party(dialing_number("301")),
    "calledDevice": party(dialing_number("984951234567")),
    "associatedCalledDevice": party(device_number("trunk", 3)),
    "chargedDevice": ("nonOperator", dialing_number("301")),
    "connectionEnd": "20261123120130Z",
    "connectionDuration": 850,
    "accountInfo": b"42",
    "chargingInfo": {
        "numberUnits": (
            "numberOfCurrencyUnits",
            {"currencyType": b"EUR", "currencyAmount": 125, "currencyMultiplier": "oneHundredth"},
        ),
        "typeOfChargingInfo": "total",
    },
}
INCOMING = {
    "recordCreationTime": "20261123120000Z",
    "callingDevice": party(dialing_number("4951234567")),
    "calledDevice": party(dialing_number("302")),
    "associatedCallingDevice": party(device_number("trunk", 4)),
}
INTERNAL = {
    "recordCreationTime": "never",
    "callingDevice": party(dialing_number("301")),
    "calledDevice": party(dialing_number("302")),
}
NOBODY = {"recordCreationTime": "20261123120000Z"}


def test_call_records_come_as_such_and_are_answered(make: Any) -> None:
    bench = make()
    bench.owner.take()
    assert bench.pbx.ask("cDRReport", cdr_report(b"\x01", [OUTGOING, INCOMING], ["tr"])) == [("noData", None)]
    assert bench.pbx.ask("cDRReport", cdr_report(b"\x01", [INTERNAL, NOBODY])) == [("noData", None)]
    told = [record for name, record in bench.owner.take() if name == "call_recorded"]
    assert [(record.direction, record.extension, record.trunk, record.number) for record in told] == [
        ("out", "301", "3", "984951234567"),
        ("in", "302", "4", "4951234567"),
        ("internal", "301", "", "302"),
        ("other", "", "", ""),
    ]
    first: CallRecord = told[0]
    assert first.gateway == "office"
    assert first.source == "csta"
    assert bytes.fromhex(first.raw)[0] == 0x30
    assert first.started_at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert first.ended_at == datetime(2026, 11, 23, 12, 1, 30, tzinfo=UTC)
    assert first.duration_s == 85
    assert (first.cost, first.currency) == (Decimal("1.25"), "EUR")
    assert (first.account, first.condition) == ("42", "TR")
    assert told[2].started_at is None


def test_the_unit_of_durations_is_a_setting(make: Any) -> None:
    bench = make(cdr_duration_unit_s=1.0)
    bench.owner.take()
    bench.pbx.ask("cDRReport", cdr_report(b"\x01", [OUTGOING]))
    assert bench.owner.take()[0][1].duration_s == 850


@pytest.mark.parametrize(
    "nonsense",
    [
        {"connectionDuration": 1 << 62},
        {"connectionDuration": -1},
        {"recordCreationTime": "00010101000000", "connectionEnd": "99991231235959"},
    ],
)
def test_a_call_record_of_nonsense_harms_neither_the_link_nor_the_ledger(make: Any, nonsense: dict[str, Any]) -> None:
    bench = make()
    bench.owner.take()
    record = {**OUTGOING, **nonsense}
    assert bench.pbx.ask("cDRReport", cdr_report(b"\x01", [record])) == [("noData", None)]
    ((_, told),) = bench.owner.take()
    assert told.duration_s in (None, 85)
    assert all(moment is None or moment.year == 2026 for moment in (told.started_at, told.ended_at))
    assert bench.link.is_up


def test_stored_call_records_are_fetched(make: Any) -> None:
    bench = make()
    assert bench.pbx.ask("cDRNotification", {"cdrCrossRefID": b"\x01"}) == [("noData", None)]
    assert [(event.operation, event.argument) for event in bench.pbx.asked] == [
        ("sendStoredCDR", {"cdrCrossRefID": b"\x01"})
    ]


def test_a_pbx_that_tells_of_stored_records_without_end_is_asked_once_at_a_time(make: Any) -> None:
    bench = make()
    for number in range(200):
        bench.pbx.tell("cDRNotification", {"cdrCrossRefID": b"\x01"})
        bench.pbx.tell("cDRNotification", {"cdrCrossRefID": bytes((number,))})
    assert bench.link._link.queued + len(bench.pbx.asked) == 16
    bench.pbx.link.respond(bench.pbx.asked[0].invoke_id, "sendStoredCDR")
    bench.turn()
    bench.pbx.tell("cDRNotification", {"cdrCrossRefID": b"\x01"})
    assert bench.link._link.queued + len(bench.pbx.asked) == 17


# Recording


def test_a_recording_of_the_link(tmp_path: Path) -> None:
    path = tmp_path / "link.txt"
    bench = Bench(record=str(path)).start()
    bench.pbx.tell("systemStatus", {"systemStatus": "normal"})
    bench.stop()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    entries = list(parse(path.read_text().splitlines()))
    assert [each.direction for each in entries if isinstance(each, Recorded)] == [
        Direction.TO_SWITCH,
        Direction.TO_CLIENT,
        Direction.TO_CLIENT,
        Direction.TO_SWITCH,
    ]
    assert isinstance(entries[-1], ConnectionEnded)


def test_no_recording_no_harm(tmp_path: Path) -> None:
    bench = Bench(record=str(tmp_path / "missing" / "link.txt")).start()
    assert bench.link.is_up
    bench.stop()


def test_a_disk_that_is_full_ends_the_recording_only() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    bench = Bench(record="/dev/full").start()
    assert bench.link.is_up
    bench.stop()
