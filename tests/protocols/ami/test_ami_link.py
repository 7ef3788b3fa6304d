"""The AMI link on a clock: logs in, asks, notices silence, comes back, and leaves no timer and no question behind."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from protocols.ami.link import ActionRefused, AmiLink, LinkLost, RequestTimedOut
from protocols.ami.messages import Event
from protocols.errors import LocalProtocolError

_StringTransport: Any = StringTransport  # Twisted says nothing of its types


class Wire(_StringTransport):  # type: ignore[misc]
    """A transport that goes away when it is closed, as a real one does; ``stuck`` only when it is cut."""

    protocol: Any = None
    stuck = False

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self.stuck:
            self.end()

    def abortConnection(self) -> None:
        self.end()

    def end(self) -> None:
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


class Bench:
    """The test is the server; ``reachable`` says whether connecting works."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.reachable = True
        self.wires: list[Wire] = []
        self.told: list[Any] = []
        self.answer_events: Any = None
        endpoint: Any = self
        self.link = AmiLink(
            endpoint, username="u", secret="s", clock=self.clock, owner=self, jitter=lambda: 0.5, **more
        )
        self.link.start()

    def connect(self, factory: Any) -> Deferred[Any]:
        if not self.reachable:
            return fail(ConnectionRefusedError())  # type: ignore[no-untyped-call]
        wire = Wire()
        wire.protocol = factory.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        self.wires.append(wire)
        return succeed(wire.protocol)

    # the owner

    def link_up(self, version: str) -> None:
        self.told.append(("up", version))

    def link_down(self, reason: str) -> None:
        self.told.append(("down", reason))

    def link_refused(self, reason: str) -> None:
        self.told.append(("refused", reason))

    def event(self, event: Event) -> None:
        self.told.append(event.name)
        if self.answer_events is not None:
            self.answer_events(event)

    # what the test does

    def say(self, *lines: str) -> None:
        self.wires[-1].protocol.dataReceived("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def heard(self) -> str:
        wire = self.wires[-1]
        said = wire.value().decode()
        wire.clear()
        return str(said)

    def log_in(self) -> None:
        self.wires[-1].protocol.dataReceived(b"Asterisk Call Manager/11.0.0\r\n")
        self.say("Response: Success", "Challenge: 1")
        self.say("Response: Success")
        self.heard()

    @property
    def names(self) -> list[str]:
        return [told if isinstance(told, str) else told[0] for told in self.told]

    def close(self) -> None:
        gone: list[object] = []
        self.link.stop().addBoth(gone.append)
        self.clock.advance(5)
        assert gone == [None]
        assert self.clock.getDelayedCalls() == []
        assert not self.link.is_up


@pytest.fixture
def bench() -> Any:
    made = Bench()
    yield made
    made.close()


def fired(asked: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    asked.addBoth(results.append)
    return results


def test_up(bench: Bench) -> None:
    assert not bench.link.is_up
    refused = fired(bench.link.ask("Ping"))
    assert refused[0].check(LinkLost)
    assert refused[0].value.sent is False
    bench.log_in()
    assert bench.link.is_up
    assert bench.told == [("up", "11.0.0")]


def test_answers_and_refusals(bench: Bench) -> None:
    bench.log_in()
    good, bad = fired(bench.link.ask("Hangup", ("Channel", "c"), ("ActionID", "1"))), fired(bench.link.ask("Command"))
    listed = fired(bench.link.ask_list("CoreShowChannels", ("ActionID", "2")))
    assert bench.heard().startswith("Action: Hangup\r\nChannel: c\r\nActionID: 1\r\n\r\n")
    bench.say("Response: Error", "ActionID: ocm-1", "Message: Permission denied")
    bench.say("Response: Success", "ActionID: 1")
    bench.say("Event: CoreShowChannel", "ActionID: 2", "Uniqueid: 7")
    bench.say("Event: CoreShowChannelsComplete", "ActionID: 2", "EventList: Complete")
    assert good[0].response == "Success"
    assert bad[0].check(ActionRefused)
    assert (bad[0].value.action, bad[0].value.message) == ("Command", "Permission denied")
    assert [row.get("Uniqueid") for row in listed[0]] == ["7"]
    wrong = fired(bench.link.ask("Originate", ("CallerID", "x\r\nAction: y")))
    assert wrong[0].check(LocalProtocolError)


def test_no_answer(bench: Bench) -> None:
    bench.log_in()
    asked = fired(bench.link.ask("Ping"))
    bench.clock.advance(9.9)
    assert asked == []
    bench.clock.advance(0.2)
    assert asked[0].check(RequestTimedOut)
    bench.say("Response: Success", "ActionID: ocm-1")
    assert bench.names == ["up"], "a late answer is nobody's"


def test_what_an_owner_asks_from_within_an_event(bench: Bench) -> None:
    bench.log_in()
    answers: list[Any] = []
    bench.answer_events = lambda event: bench.link.ask("Ping").addBoth(answers.append)
    bench.say("Event: One")
    bench.answer_events = None
    assert "Action: Ping" in bench.heard()
    bench.say("Response: Success", "ActionID: ocm-1")
    assert answers[0].response == "Success"


def test_an_owner_that_fails_costs_the_others_nothing(bench: Bench) -> None:
    bench.log_in()

    def wrong(event: Event) -> None:
        raise ValueError(event)

    bench.answer_events = wrong
    bench.say("Event: One")
    bench.say("Event: Two")
    assert bench.names == ["up", "One", "Two"]
    assert bench.link.is_up


def test_a_connection_that_is_lost_comes_back(bench: Bench) -> None:
    bench.log_in()
    waiting = fired(bench.link.ask("Originate"))
    bench.wires[-1].end()
    assert waiting[0].check(LinkLost)
    assert waiting[0].value.sent is True
    assert bench.names == ["up", "down"]
    assert fired(bench.link.ask("Ping"))[0].value.sent is False
    bench.clock.advance(1.0)
    assert len(bench.wires) == 2
    bench.log_in()
    assert bench.names == ["up", "down", "up"]


def test_a_server_that_can_not_be_reached_is_asked_less_and_less_often() -> None:
    bench = Bench(retry_min_s=1.0, retry_max_s=8.0)
    bench.log_in()
    bench.reachable = False
    bench.wires[-1].end()
    tried_s = []
    for _ in range(300):
        count = len(bench.told)
        bench.clock.advance(0.1)
        if len(bench.told) > count:
            tried_s.append(bench.clock.seconds())
    assert [round(later - earlier) for earlier, later in pairwise(tried_s)] == [2, 4, 8, 8]
    assert all("can't be connected" in told[1] for told in bench.told[2:])
    bench.reachable = True
    bench.clock.advance(8)
    bench.log_in()
    assert bench.link.is_up
    bench.close()


def test_a_login_that_is_refused_is_tried_again_slowly(bench: Bench) -> None:
    bench.wires[-1].protocol.dataReceived(b"Asterisk Call Manager/11.0.0\r\n")
    bench.say("Response: Error", "Message: Authentication failed")
    assert bench.told == [("refused", "Authentication failed")]
    bench.clock.advance(59)
    assert len(bench.wires) == 1
    bench.clock.advance(2)
    assert len(bench.wires) == 2
    bench.log_in()
    assert bench.names == ["refused", "up"]


@pytest.mark.parametrize("said", [b"", b"Asterisk Call Manager/11.0.0\r\n", b"Asterisk Call"])
def test_a_login_that_does_not_go_on(bench: Bench, said: bytes) -> None:
    bench.wires[-1].protocol.dataReceived(said)
    bench.clock.advance(10)
    assert "not logged in within 10 s" in bench.told[0][1]
    bench.clock.advance(1)
    assert len(bench.wires) == 2


def test_another_server_answers_there(bench: Bench) -> None:
    bench.wires[-1].protocol.dataReceived(b"220 mail.example ESMTP\r\n")
    assert bench.names == ["down"]
    assert "no Asterisk manager" in bench.told[0][1]


def test_silence_is_probed_and_then_given_up(bench: Bench) -> None:
    bench.log_in()
    bench.clock.advance(10)
    assert "Action: Ping" in bench.heard()
    bench.say("Response: Success", "ActionID: ocm-1", "Ping: Pong")
    bench.clock.advance(10)
    assert "Action: Ping" in bench.heard()
    for _ in range(19):
        bench.clock.advance(1)
    assert bench.link.is_up
    bench.clock.advance(1.5)
    assert not bench.link.is_up
    assert "nothing was heard for 30 s" in bench.told[-1][1]


def test_without_a_probe_and_a_limit_it_waits_for_ever() -> None:
    bench = Bench(probe_s=0, silence_limit_s=0)
    bench.log_in()
    bench.clock.advance(100_000)
    assert bench.link.is_up
    assert bench.heard() == ""
    bench.close()


@pytest.mark.parametrize("stuck", [False, True])
def test_stop_closes_and_tells(stuck: bool) -> None:
    bench = Bench()
    bench.log_in()
    bench.wires[-1].stuck = stuck
    waiting = fired(bench.link.ask("Ping"))
    bench.close()
    assert waiting[0].check(LinkLost)
    assert bench.names == ["up", "down"]
    assert len(bench.wires) == 1


def test_the_secret_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        test_up(made := Bench())
    made.close()
    assert "secret" not in repr(made.link)
