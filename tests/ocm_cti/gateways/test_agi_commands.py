"""AGI commands of one channel: every order of answers, failures, an outage and the end."""

from __future__ import annotations

from typing import Any

import pytest
from agi_fake import CHANNEL, FakeChannel, event, fired
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.gateways.agi_commands import AGAIN_S, AWAY_S, Commands, Ended, MediaFailed, NoResult
from protocols.agi.results import AgiResult
from protocols.ami.link import LinkLost, RequestTimedOut

NOT_AT_AGI = "Channel ocm-1 is not at Async AGI."


class Bench:
    def __init__(self) -> None:
        self.clock: Any = Clock()
        self.channel = FakeChannel()
        self.commands = Commands(self.channel.ask, self.clock, Logger(), CHANNEL)

    def run(self, text: str = "NOOP") -> list[Any]:
        return fired(self.commands.run(text))

    def done(self, line: str, number: int = -1) -> None:
        self.commands.executed(self.channel.done(line, number))

    def lose(self) -> None:
        self.channel.is_up = False
        self.channel.release(LinkLost("lost", sent=True))
        self.commands.lost()

    def regain(self) -> None:
        self.channel.is_up = True
        self.commands.back()

    def over(self) -> None:
        self.commands.over("hung up")
        assert self.clock.getDelayedCalls() == []


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_command_and_its_result(bench: Bench) -> None:
    told = bench.run("GET VARIABLE x")
    assert bench.channel.named("AGI") == [
        {"Channel": CHANNEL, "Command": "GET VARIABLE x", "CommandID": f"{CHANNEL}.1"},
    ]
    assert told == []
    bench.commands.executed(event("AsyncAGIExec", CommandId="somebody else's", Result="200%20result%3D0%0A"))
    assert told == []
    bench.done("200 result=1 (y)")
    bench.done("200 result=1 (y)")
    assert told == [AgiResult(200, 1, "y")]
    bench.over()


def test_the_result_may_come_before_the_answer(bench: Bench) -> None:
    bench.channel.holds = True
    told = bench.run()
    bench.done("200 result=0")
    bench.channel.release()
    assert told == [AgiResult(200)]


@pytest.mark.parametrize("answer", ["200 result=-1 endpos=800", "511 Command Not Permitted on a dead channel"])
def test_a_failure_waits_for_what_it_was(bench: Bench, answer: str) -> None:
    """AsyncAGIStart: it failed and the call goes on. The end of the call: he has hung up."""
    failed = bench.run()
    bench.done(answer)
    assert failed == []
    bench.commands.started()
    assert failed[0].failed
    ended = bench.run()
    bench.done(answer)
    bench.over()
    assert isinstance(ended[0], Ended)
    assert ended[0].result is not None
    assert ended[0].result.failed


def test_an_application_that_fails_does_not_end_the_agi(bench: Bench) -> None:
    told = bench.run("EXEC Dial x")
    bench.done("200 result=-1")
    assert bench.channel.commands == ["EXEC Dial x", "NOOP"]
    assert told == []
    bench.done("200 result=0")
    assert told == [AgiResult(200, -1)]


def test_a_channel_on_its_way_back_to_agi_is_asked_again(bench: Bench) -> None:
    bench.channel.refusals["AGI"] = NOT_AT_AGI
    told = bench.run()
    bench.clock.advance(AGAIN_S)
    bench.channel.refusals.clear()
    bench.clock.advance(AGAIN_S)
    assert len(bench.channel.commands) == 3
    bench.done("200 result=0")
    assert told == [AgiResult(200)]
    bench.over()


def test_a_channel_that_stays_away_is_an_error(bench: Bench) -> None:
    bench.channel.refusals["AGI"] = NOT_AT_AGI
    told = bench.run()
    bench.clock.pump([AGAIN_S] * (round(AWAY_S / AGAIN_S) + 2))
    assert isinstance(told[0], MediaFailed)
    assert NOT_AT_AGI in str(told[0])
    bench.over()


def test_a_right_that_is_missing_is_said_at_once(bench: Bench) -> None:
    bench.channel.refusals["AGI"] = "Permission denied"
    told = bench.run()
    assert "write = agi" in str(told[0])
    bench.over()


def test_an_answer_that_is_none_is_an_error(bench: Bench) -> None:
    told = bench.run()
    bench.done("what?")
    assert isinstance(told[0], MediaFailed)


def test_commands_without_a_link_wait_for_it(bench: Bench) -> None:
    bench.lose()
    told = bench.run("NOOP one")
    assert bench.channel.commands == []
    bench.regain()
    assert bench.channel.commands == ["NOOP one"]
    bench.done("200 result=0")
    assert told == [AgiResult(200)]


@pytest.mark.parametrize("taken", [True, False])
def test_a_mark_settles_what_the_outage_swallowed(bench: Bench, taken: bool) -> None:
    bench.channel.holds = not taken
    told = bench.run("STREAM FILE x")
    bench.clock.advance(1.0)
    bench.lose()
    bench.channel.holds = False
    bench.clock.advance(5.0)
    bench.regain()
    assert bench.channel.commands == ["STREAM FILE x", "NOOP"]
    assert told == []
    bench.done("200 result=0")
    assert isinstance(told[0], NoResult)
    assert (told[0].taken, told[0].ran_s) == (taken, 6.0 if taken else 0.0)
    bench.over()


def test_what_still_ran_after_the_outage_has_its_result(bench: Bench) -> None:
    told = bench.run("STREAM FILE x")
    bench.lose()
    bench.regain()
    bench.done("200 result=0 endpos=5", 0)
    bench.done("200 result=0", 1)
    assert told == [AgiResult(200, endpos=5)]
    bench.over()


def test_a_second_outage_needs_a_second_mark(bench: Bench) -> None:
    told = bench.run("STREAM FILE x")
    for _ in range(2):
        bench.lose()
        bench.regain()
    assert bench.channel.commands == ["STREAM FILE x", "NOOP", "NOOP"]
    bench.done("200 result=0", 1)
    assert told == []
    bench.done("200 result=0", 2)
    assert isinstance(told[0], NoResult)


def test_an_action_without_an_answer_is_settled_by_a_mark(bench: Bench) -> None:
    bench.channel.holds = True
    told = bench.run("STREAM FILE x")
    bench.channel.holds = False
    bench.channel.release(RequestTimedOut("AGI"))
    assert bench.channel.commands == ["STREAM FILE x", "NOOP"]
    bench.done("200 result=0")
    assert isinstance(told[0], NoResult)
    assert not told[0].taken


@pytest.mark.parametrize(("blind_s", "ran_s"), [(None, 7.0), (3.0, 3.0)])
def test_it_can_t_have_run_longer_than_could_be_seen(bench: Bench, blind_s: float | None, ran_s: float) -> None:
    told = bench.run("STREAM FILE x")
    bench.clock.advance(3.0)
    if blind_s is not None:
        bench.lose()
    bench.clock.advance(4.0)
    bench.over()
    assert (told[0].result, told[0].ran_s) == (None, ran_s)


def test_what_was_not_sent_can_be_taken_back(bench: Bench) -> None:
    sent: Deferred[AgiResult] = bench.commands.run("NOOP")
    assert not bench.commands.forget(sent)
    bench.lose()
    waits = bench.commands.run("NOOP")
    told = fired(waits)
    assert bench.commands.forget(waits)
    bench.regain()
    assert bench.channel.commands == ["NOOP", "NOOP"]  # the second one is the mark
    fired(sent)
    bench.over()
    assert told == []


def test_after_the_end_nothing_is_sent(bench: Bench) -> None:
    bench.over()
    told = bench.run()
    assert isinstance(told[0], Ended)
    assert bench.channel.actions == []


HAPPENINGS = (
    "run",
    "exec",
    "done",
    "failed",
    "started",
    "lose",
    "regain",
    "refuse",
    "accept",
    "tick",
    "hold",
    "release",
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=30))
def test_every_command_ends_once_whatever_happens(happenings: list[str]) -> None:
    bench = Bench()
    all_told: list[list[Any]] = []
    for happening in happenings:
        asked = bench.channel.named("AGI")
        match happening:
            case "run" | "exec":
                all_told.append(bench.run("NOOP" if happening == "run" else "EXEC AMD"))
            case "done" | "failed" if asked and bench.channel.is_up:
                for number in range(len(asked)):
                    bench.done("200 result=0" if happening == "done" else "200 result=-1", number)
            case "started":
                bench.commands.started()
            case "lose":
                bench.lose()
            case "regain" if not bench.channel.is_up:
                bench.regain()
            case "refuse":
                bench.channel.refusals["AGI"] = NOT_AT_AGI
            case "accept":
                bench.channel.refusals.clear()
            case "hold" | "release":
                bench.channel.holds = happening == "hold"
                bench.channel.release()
            case "tick":
                bench.clock.advance(1.0)
    bench.over()
    bench.channel.release(LinkLost("closed", sent=True))
    assert [len(told) for told in all_told] == [1] * len(all_told)
    assert bench.clock.getDelayedCalls() == []
