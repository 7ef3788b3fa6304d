"""The SMDR link on a clock: logs in, reads, comes back, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from protocols.smdr.link import LinkSettings, SmdrLink
from protocols.smdr.login import Credentials
from protocols.smdr.reader import Recorded, Unread
from protocols.smdr.records import Form

_StringTransport: Any = StringTransport  # Twisted says nothing of its types
A = b"22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05\r\n"


class Wire(_StringTransport):  # type: ignore[misc]
    """A transport that goes away when it is closed, as a real one does."""

    protocol: Any = None

    def loseConnection(self) -> None:
        super().loseConnection()
        self.end()

    def end(self) -> None:
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


class Bench:
    """The PBX is the test; ``up`` says whether connecting works."""

    def __init__(self, login: Credentials | None, **more: Any) -> None:
        self.clock = Clock()
        self.up = True
        self.wires: list[Wire] = []
        self.told: list[Any] = []
        settings = LinkSettings("tcp:127.0.0.1:2300", Form("auto", "dd/mm/yy"), login, **more)
        self.link = SmdrLink(settings, self.clock, self, lambda: date(2026, 11, 23), self)
        self.link.start()

    # the endpoint

    def connect(self, factory: Any) -> Deferred[Any]:
        if not self.up:
            return fail(ConnectionRefusedError())  # type: ignore[no-untyped-call]
        wire = Wire()
        wire.protocol = factory.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        self.wires.append(wire)
        return succeed(wire.protocol)

    # the observer

    def smdr_up(self) -> None:
        self.told.append("up")

    def smdr_read(self, lines: list[Recorded | Unread]) -> None:
        self.told += lines

    def smdr_down(self, reason: str, refused: bool) -> None:
        self.told.append("refused" if refused else "down")

    # what the test does

    def say(self, octets: bytes) -> bytes:
        """What the PBX says, and what it hears after a silence."""
        wire = self.wires[-1]
        wire.protocol.dataReceived(octets)
        self.clock.advance(1.0)
        heard = bytes(wire.value())
        wire.clear()
        return heard

    def log_in(self) -> None:
        assert self.say(b"-") == b"SMDR\r"
        assert self.say(b"Enter Password:") == b"PCCSMDR\r"


@pytest.fixture
def make() -> Any:
    benches: list[Bench] = []

    def make_one(login: Credentials | None = None, **more: Any) -> Bench:
        benches.append(Bench(login, **more))
        return benches[-1]

    yield make_one
    for bench in benches:
        stopped: list[Any] = []
        bench.link.stop().addCallback(stopped.append)
        bench.clock.advance(0)
        assert stopped, "the link has stopped"
        assert bench.clock.getDelayedCalls() == []


Make = Callable[..., Bench]


def test_logs_in_and_reads(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    assert bench.told == []
    bench.say(A + A)
    up, first, second = bench.told
    assert up == "up"
    assert isinstance(first, Recorded)
    assert isinstance(second, Recorded)
    assert (first.copy, second.copy) == (1, 2)


def test_is_up_when_nothing_is_said_after_the_password(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    bench.say(b"\r\n")
    assert bench.told == ["up"]


def test_a_line_without_login_is_up_at_once(make: Make) -> None:
    bench = make(None)
    assert bench.told == ["up"]
    bench.say(A)
    assert isinstance(bench.told[1], Recorded)


def test_connects_again_and_counts_equal_lines_anew(make: Make) -> None:
    """What the PBX sends again after a reconnect has the number that it had."""
    bench = make(None)
    bench.say(A)
    bench.wires[-1].end()
    assert bench.told[2:] == ["down"]
    bench.clock.advance(1.0)
    assert len(bench.wires) == 2
    bench.say(A)
    assert bench.told[3] == "up"
    assert bench.told[4].copy == 1


def test_what_was_found_out_about_the_form_outlasts_a_connection(make: Make) -> None:
    bench = make(None)
    bench.say(A)
    bench.wires[-1].end()
    bench.clock.advance(1.0)
    bench.say(b"22/11/26 01:10PM  1203    LOG IN\r\n")
    assert isinstance(bench.told[-1], Recorded)


def test_a_line_that_the_loss_cuts_is_kept(make: Make) -> None:
    bench = make(None)
    bench.say(A[:40])
    bench.wires[-1].end()
    assert isinstance(bench.told[1], Unread)
    assert bench.told[2] == "down"


def test_tries_longer_and_longer_while_nobody_is_there(make: Make) -> None:
    bench = make(None)
    bench.up = False
    bench.wires[-1].end()
    waits, before = [], bench.clock.seconds()
    for _ in range(8):
        told = len(bench.told)
        while len(bench.told) == told:
            bench.clock.advance(0.5)
        waits.append(bench.clock.seconds() - before)
        before = bench.clock.seconds()
    assert waits == sorted(waits)
    assert waits[0] <= 1.0
    assert 30.0 <= waits[-1] <= 60.0


def test_a_wrong_password_is_tried_again_slowly(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    bench.say(b"\r\n-")
    assert bench.told == ["refused"]
    bench.clock.advance(298.0)
    assert len(bench.wires) == 1
    bench.clock.advance(2.0)
    assert len(bench.wires) == 2


def test_no_prompt_at_all(make: Make) -> None:
    bench = make(Credentials(), login_timeout_s=10.0)
    bench.say(b"whatever\r\n")
    bench.clock.advance(9.0)
    assert bench.told == ["down"]


def test_a_prompt_in_the_night_is_a_session_that_has_ended(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    bench.say(A)
    bench.say(b"\r\n-")
    assert bench.told[-1] == "down"
    bench.clock.advance(1.0)
    assert len(bench.wires) == 2


def test_a_long_silence_is_no_fault(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    bench.say(A)
    bench.clock.advance(3 * 86_400.0)
    assert len(bench.wires) == 1
    assert bench.clock.getDelayedCalls() == []


def test_what_comes_after_the_refusal_is_not_read(make: Make) -> None:
    bench = make(Credentials())
    bench.log_in()
    wire = bench.wires[-1]
    protocol = wire.protocol
    bench.say(b"\r\n-")
    protocol.dataReceived(A)
    assert bench.told == ["refused"]
