"""CSTA over a serial line: a pseudo-terminal between a client and a switch, both on the real reactor."""

from __future__ import annotations

import os
import sys
import tty
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.protocol import Factory
from twisted.internet.selectreactor import SelectReactor

from protocols.csta import losses
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol
from protocols.csta.panasonic import connection_id, dialing_number
from protocols.serial_line import endpoint_from_setting

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals"),
]

MAKE_CALL = {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")}
MADE = {"callingDevice": connection_id(b"\x11\x13\x00", dialing_number("301"))}  # XON and XOFF are octets like others
QUIET_S = 0.05
PATIENCE_S = 20.0


class End:
    """One end of the line: opened, and opened again by ``open``."""

    def __init__(self, reactor: Any, role: Role, setting: str) -> None:
        self.reactor = reactor
        self.role = role
        self.setting = setting
        self.link: CSTAProtocol | None = None
        self.ups = 0
        self.asked: list[str] = []

    def open(self) -> None:
        factory = Factory.forProtocol(
            lambda: CSTAProtocol(self.role, self, self.reactor, quiet_s=QUIET_S, frame_timeout_s=0.3, window=4)
        )
        factory.noisy = False
        endpoint_from_setting(self.reactor, self.setting).connect(factory).addCallback(self._opened)

    def _opened(self, link: Any) -> None:
        self.link = link

    def associated(self, link: CSTAProtocol) -> None:
        self.ups += 1

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        self.asked.append(event.operation)
        if event.operation == "makeCall":
            link.respond(event.invoke_id, "makeCall", MADE)

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        self.link = None


class Line:
    """Two pseudo-terminals and the octets carried between them, as a null-modem cable would."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.masters: list[int] = []
        self.names: list[str] = []
        self.near: list[int] = []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self.masters.append(master)
            self.near.append(slave)
            self.names.append(os.ttyname(slave))

    def carry(self) -> None:
        if len(self.masters) < 2:
            return
        for source, target in (self.masters, self.masters[::-1]):
            try:
                octets = os.read(source, 4096)
            except OSError:
                continue
            os.write(target, octets)

    def pull(self, end: int) -> None:
        os.close(self.near.pop(end))
        os.close(self.masters.pop(end))

    def close(self) -> None:
        for descriptor in (*self.masters, *self.near):
            os.close(descriptor)


class Bench:
    def __init__(self) -> None:
        # A reactor of its own: the installed one can't be run more than once in a suite.
        self.reactor: Any = SelectReactor()
        self.line = Line(self.reactor)
        self.client = End(self.reactor, Role.CLIENT, f"serial:{self.line.names[0]}?baud=115200")
        self.switch = End(self.reactor, Role.SWITCH, f"serial:{self.line.names[1]}?baud=115200")

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline_s = self.reactor.seconds() + PATIENCE_S
        while not condition():
            assert self.reactor.seconds() < deadline_s, f"never: {what}"
            self.line.carry()
            self.reactor.runUntilCurrent()
            self.reactor.doIteration(0.005)

    def close(self) -> None:
        for end in (self.client, self.switch):
            if end.link is not None:
                end.link.close()
        self.until(lambda: self.client.link is self.switch.link is None, "closed")
        self.line.close()
        assert self.reactor.getDelayedCalls() == []

    def invoke(self) -> list[Any]:
        assert self.client.link is not None
        results: list[Any] = []
        self.client.link.invoke("makeCall", MAKE_CALL).addBoth(results.append)
        return results


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def up(bench: Bench) -> None:
    bench.switch.open()
    bench.client.open()
    bench.until(lambda: bench.client.ups and bench.switch.ups, "associated")


def test_requests_and_events_go_over_the_line(bench: Bench) -> None:
    up(bench)
    results = [bench.invoke() for _ in range(20)]
    bench.until(lambda: all(results), "answered")
    assert results == [[MADE]] * 20
    assert bench.switch.link is not None
    bench.switch.link.notify("systemStatus", {"systemStatus": "normal"})
    bench.until(lambda: bench.client.asked, "told")


def test_a_client_that_died_amid_a_frame_comes_back(bench: Bench) -> None:
    """The switch has half a frame of the old run: it gives the line up in its own time, and the association with it."""
    up(bench)
    assert bench.client.link is not None
    bench.client.link.transport.write(b"\x00\x80half a frame")
    left = bench.switch.link
    assert left is not None
    bench.until(lambda: left._association.held, "half a frame is there")
    bench.client.link.loss = losses.ClosedByUs("killed")  # no ABRT from a process that was killed
    bench.client.link.transport.abortConnection()
    bench.until(lambda: bench.client.link is None, "the client is gone")
    bench.client.open()
    bench.until(lambda: bench.switch.link is None, "the switch has given the old association up")
    assert isinstance(left.loss, losses.FrameStalled)
    bench.switch.open()
    bench.client.link.close()
    bench.until(lambda: bench.client.link is None, "closed")
    bench.client.open()
    bench.until(lambda: bench.client.ups == 2, "associated again")
    results = bench.invoke()
    bench.until(lambda: results, "answered")


def test_a_client_that_died_between_frames_ends_what_it_left(bench: Bench) -> None:
    up(bench)
    assert bench.client.link is not None
    bench.client.link.loss = losses.ClosedByUs("killed")
    bench.client.link.transport.abortConnection()
    bench.until(lambda: bench.client.link is None, "the client is gone")
    left = bench.switch.link
    bench.client.open()
    bench.until(lambda: bench.switch.link is None, "ended by ABRT")
    assert left is not None
    assert isinstance(left.loss, losses.AssociationAborted)
    bench.switch.open()
    bench.until(lambda: bench.client.ups == 2, "associated again")


def test_a_plug_that_is_pulled(bench: Bench) -> None:
    up(bench)
    link = bench.client.link
    bench.line.pull(0)
    bench.until(lambda: bench.client.link is None, "lost")
    assert link is not None
    assert isinstance(link.loss, losses.ConnectionBroken)
