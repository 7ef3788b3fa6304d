"""What link and gateway do together: overload, queued calls that are given up, snapshots in pieces, service, records.

The PBX is an association in the switch's role that answers by hand; the voice registers and rings at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_bench import Listener, Watcher
from memory_line import MemoryLineReactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import InFlight, LinkState, NotPlaced, Settled
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol
from protocols.csta.panasonic import (
    ListedDevice,
    cdr_report,
    connection_id,
    device_list_ack,
    device_segment,
    dialing_number,
)

EXTENSIONS = ("301", "302")
NUMBER = "+74951234567"


class Voice:
    """A voice process in which every registration works."""

    def __init__(self, observer: Any) -> None:
        self.observer = observer

    def start(self) -> None:
        self.observer.process_ready()

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def register(self, extension: str, *args: object) -> Deferred[None]:
        self.observer.registration_changed(extension, True, "")
        return succeed(None)

    def unregister(self, extension: str) -> Deferred[None]:
        return succeed(None)

    def __getattr__(self, name: str) -> Callable[..., Deferred[None]]:
        return lambda *args, **kwargs: succeed(None)


class Pbx(Factory):
    """Answers what brings ports up; makeCall, clearConnection and snapshots of ``pieces`` wait for the test."""

    noisy = False

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.link: CSTAProtocol | None = None
        self.asked: list[Invoked] = []
        self.connections: dict[str, list[Any]] = {}
        self.in_service = True
        self.pieces = False
        self.mute: set[str] = {"makeCall", "clearConnection"}

    def buildProtocol(self, addr: Any) -> CSTAProtocol:
        return CSTAProtocol(Role.SWITCH, self, self.reactor)

    def associated(self, link: CSTAProtocol) -> None:
        self.link = link

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def lost(self, link: CSTAProtocol, reason: str) -> None: ...

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        self.asked.append(event)
        if event.operation in self.mute:
            return
        match event.operation:
            case "escape":
                link.respond(event.invoke_id, "escape", device_list_ack(b"\x01"))
                listed = [ListedDevice(dialing_number(name), name, self.in_service) for name in EXTENSIONS]
                link.notify("escape", device_segment(b"\x01", 1, True, listed))
            case "monitorStart":
                name = event.argument["monitorObject"][1]["deviceIdentifier"][1]
                link.respond(event.invoke_id, "monitorStart", {"crossRefIdentifier": name.encode()})
            case "snapshotDevice":
                name = event.argument["snapshotObject"]["deviceIdentifier"][1]
                entries = self.connections.get(name, [])
                if not self.pieces:
                    told: tuple[str, Any] = ("snapshotData", entries)
                    link.respond(event.invoke_id, "snapshotDevice", {"crossRefIDorSnapshotData": told})
                    return
                told = ("serviceCrossRefID", name.encode())
                link.respond(event.invoke_id, "snapshotDevice", {"crossRefIDorSnapshotData": told})
                for last in (False, True):
                    segment = {
                        "serviceCrossRefID": name.encode(),
                        "lastSegment": last,
                        "snapshotData": entries if last else [],
                    }
                    link.notify("snapshotDeviceData", segment)
            case _:
                link.respond(event.invoke_id, event.operation)

    def count(self, operation: str) -> int:
        return sum(event.operation == operation for event in self.asked)

    def tell(self, operation: str, argument: Any) -> None:
        assert self.link is not None
        self.link.notify(operation, argument)
        self.reactor.advance(0)

    def service(self, extension: str, name: str) -> None:
        body = {"device": ("deviceIdentifier", dialing_number(extension))}
        told = ("deviceMaintenanceEvents", (name, body))
        self.tell("cSTAEventReport", {"crossRefIdentifier": extension.encode(), "eventSpecificInfo": told})


class Bench:
    def __init__(self, **changed: Any) -> None:
        self.reactor = MemoryLineReactor()
        self.watcher = Watcher()
        self.pbx = self.reactor.server = Pbx(self.reactor)
        settings = {
            "name": "office",
            "link": "tcp:127.0.0.1:33333",
            "extensions": EXTENSIONS,
            "sip_host": "127.0.0.1",
            "passwords": dict.fromkeys(EXTENSIONS, "x"),
            **changed,
        }
        self.gateway = PanasonicGateway(PanasonicSettings(**settings), self.reactor, Voice)

    def start(self) -> Bench:
        self.gateway.start(self.watcher)
        self.turn()
        return self

    def turn(self, seconds: float = 0.0) -> None:
        self.reactor.pump([0] * 8)
        for _ in range(int(seconds * 10)):
            self.reactor.advance(0.1)
        self.reactor.pump([0] * 8)

    def place(self, port: str = "301") -> Listener:
        listener = Listener()
        listener.call = self.gateway.place(port, NUMBER, 1, 20.0, None, listener)
        return listener

    def stop(self) -> None:
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        self.turn(20)
        assert gone == [None]
        assert self.reactor.getDelayedCalls() == []


@pytest.fixture
def make() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**changed: Any) -> Bench:
        made.append(Bench(**changed).start())
        assert list(made[-1].gateway.idle_ports) == list(EXTENSIONS)
        return made[-1]

    yield make
    for bench in made:
        bench.stop()


Make = Callable[..., Bench]


# Overload


def test_no_port_is_offered_while_the_pbx_is_overloaded(make: Make) -> None:
    bench = make()
    bench.watcher.freed.clear()
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    assert list(bench.gateway.idle_ports) == []
    reason = "the PBX reports overloadReached: no new calls"
    assert [bench.gateway.port_reason(port) for port in EXTENSIONS] == [reason, reason]
    assert (bench.gateway.health.state, bench.gateway.health.reason) == (LinkState.UP, reason)
    with pytest.raises(NotPlaced, match="overloadReached"):
        bench.place()
    assert bench.watcher.freed == []
    bench.pbx.tell("systemStatus", {"systemStatus": "normal"})
    assert bench.watcher.freed == list(EXTENSIONS)  # the dialer is woken
    assert bench.gateway.port_reason("301") == ""


def test_while_overloaded_one_call_in_so_many_seconds(make: Make) -> None:
    bench = make(overload_call_every_s=10.0)
    bench.pbx.tell("systemStatus", {"systemStatus": "overloadReached"})
    assert list(bench.gateway.idle_ports) == ["301"]
    bench.place()
    assert list(bench.gateway.idle_ports) == []
    with pytest.raises(NotPlaced, match="one new call every 10 s"):
        bench.place("302")
    bench.watcher.freed.clear()
    bench.turn(10.1)
    assert bench.watcher.freed == ["302"]
    bench.place("302")


# Calls that wait for their turn


def test_a_call_given_up_while_its_makecall_waits_was_never_made(make: Make) -> None:
    bench = make(window=1)
    first, second = bench.place("301"), bench.place("302")
    bench.turn()
    assert bench.pbx.count("makeCall") == 1
    assert second.call is not None
    second.call.hang_up()
    bench.turn()
    assert second.verdict[:2] == ("failed", Cause.CANCELLED)
    assert bench.pbx.link is not None
    bench.pbx.mute.clear()
    bench.pbx.link.fail(bench.pbx.asked[-1].invoke_id, ("systemResourceAvailability", "resourceBusy"))
    bench.turn(30)
    assert first.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert bench.pbx.count("makeCall") == 1


def test_a_call_that_waited_when_the_link_went_was_never_made(make: Make) -> None:
    """So it is no doubt whether the person's telephone rang: the attempt does not count."""
    bench = make(window=1)
    sent, queued = bench.place("301"), bench.place("302")
    bench.turn()
    bench.reactor.cut()
    bench.turn()
    assert queued.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert queued.verdict[2].code == "not-sent"
    assert sent.verdict[2].code == "link-lost"
    bench.turn(30)
    assert bench.pbx.count("makeCall") == 1


def test_the_extension_that_is_not_rung_in_time_withdraws_its_makecall(make: Make) -> None:
    bench = make(window=1, pick_up_timeout_s=3.0)
    bench.place("301")
    queued = bench.place("302")
    bench.turn(4)
    assert queued.over
    bench.turn(30)
    calling = [event.argument["callingDevice"] for event in bench.pbx.asked if event.operation == "makeCall"]
    assert dialing_number("302") not in calling


# After a reconnect


def test_a_snapshot_in_pieces_settles_what_a_crash_left() -> None:
    bench = Bench()
    bench.pbx.pieces = True
    bench.pbx.mute.clear()
    state = ("compoundCallState", ["alerting", "null"])
    left = connection_id(b"\x09", dialing_number("301"))
    bench.pbx.connections["301"] = [{"connectionIdentifier": left, "localCallState": state}]
    bench.start()
    answers: list[Any] = []
    rows = [InFlight(1, "301", NUMBER, "09"), InFlight(2, "302", NUMBER, "08")]
    bench.gateway.settle(rows).addBoth(answers.append)
    bench.turn()
    assert answers == []
    assert bench.pbx.count("clearConnection") == 1
    bench.pbx.connections.clear()
    bench.turn(2)
    assert answers == [{1: Settled.NEVER_REACHED, 2: Settled.UNKNOWN}]
    bench.stop()


def test_everything_is_asked_anew_after_a_reconnect(make: Make) -> None:
    bench = make()
    before = {name: bench.pbx.count(name) for name in ("escape", "monitorStart", "snapshotDevice")}
    assert before == {"escape": 1, "monitorStart": 2, "snapshotDevice": 2}
    bench.reactor.cut()
    bench.turn(2)
    assert {name: bench.pbx.count(name) for name in before} == {name: 2 * count for name, count in before.items()}
    assert list(bench.gateway.idle_ports) == list(EXTENSIONS)


def test_lost_messages_have_every_extension_looked_at(make: Make) -> None:
    bench = make()
    bench.pbx.tell("systemStatus", {"systemStatus": "messagesLost"})
    bench.turn()
    assert bench.pbx.count("snapshotDevice") == 4


# Service


def test_an_extension_out_of_service_is_not_used_until_it_is_back(make: Make) -> None:
    bench = make()
    bench.pbx.in_service = False
    bench.pbx.service("301", "outOfService")
    assert list(bench.gateway.idle_ports) == ["302"]
    assert bench.gateway.port_reason("301") == "out of service, says the PBX"
    bench.pbx.service("301", "backInService")
    assert list(bench.gateway.idle_ports) == list(EXTENSIONS)


def test_a_change_of_devices_has_the_list_read_again_soon(make: Make) -> None:
    bench = make()
    bench.pbx.in_service = False
    for _ in range(5):
        bench.pbx.tell("swFunctionDevicesChanged", b"\x30\x00")
    bench.turn(2)
    assert bench.pbx.count("escape") == 2
    assert list(bench.gateway.idle_ports) == []


# Records


def test_a_call_record_reaches_the_dialer(make: Make) -> None:
    bench = make()
    bench.pbx.tell("cDRReport", cdr_report(b"\x01", [{"recordCreationTime": "20261123120000Z"}]))
    assert [record.source for record in bench.watcher.records] == ["csta"]
