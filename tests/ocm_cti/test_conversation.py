"""A conversation over a call that is a fake with the interface's manners, on a clock moved by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.conversation import LAST_WORDS_S, NO_END_S, Conversation
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.scenario_actions import Action, RunResult
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenarios import parse, required_fragments
from ocm_cti.gateways.interface import CallOver, NotSupported, Played, Recorded, RecordLimits, TransferFailed

SCENARIO = """
name = "debt"
language = "en"

[[step]]
name = "message"
type = "say"
message = "The water is off today."

[[step]]
name = "agree"
type = "confirm"
message = "Press one."
key = "1"
tries = 2
timeout_s = 4
else = "bye"

[[step]]
name = "reply"
type = "record"
message = "Speak after the tone."
max_s = 20
silence_s = 2

[[step]]
name = "bye"
type = "hang_up"
message = "Goodbye."
"""


class FakeCall:
    """Keeps what it was asked; the test plays the person at the other end."""

    native_id = "01"

    def __init__(self) -> None:
        self.log: list[str] = []
        self.playing: Deferred[Played] | None = None
        self.recording: Deferred[Recorded] | None = None
        self.connecting: Deferred[None] | None = None
        self.path: Path | None = None
        self.over = False

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if self.over:
            return fail(CallOver())
        assert self.playing is None, "two prompts at once"
        self.log.append("play " + "+".join(path.stem for path in prompt))
        self.playing = Deferred()
        return self.playing

    def stop_playing(self) -> None:
        self.log.append("stop")
        self.heard(500, 1000)

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        self.log.append(f"record {path.name} {limits.max_ms} {limits.silence_ms}")
        self.path = path
        self.recording = Deferred()
        return self.recording

    def hang_up(self) -> None:
        self.log.append("hang up")
        self.over = True

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        self.log.append(f"announce {ogm}")
        self.playing = Deferred()
        return self.playing

    def transfer(self, number: str) -> Deferred[None]:
        self.log.append(f"transfer {number}")
        self.connecting = Deferred()
        return self.connecting

    def heard(self, heard_ms: int = 1000, of_ms: int = 1000) -> None:
        assert self.playing is not None
        playing, self.playing = self.playing, None
        playing.callback(Played(heard_ms, of_ms, heard_ms == of_ms))

    def said(self, length_ms: int, why: str = "silence") -> None:
        assert self.recording is not None and self.path is not None
        recording, self.recording = self.recording, None
        recording.callback(Recorded(self.path, length_ms, why))


class Talk:
    """A conversation with everything around it."""

    def __init__(self, *, missing: bool = False, text: str = SCENARIO) -> None:
        scenario = parse(text)
        fragments = required_fragments(scenario, {}, "en")
        names = {fragment: Path(f"f{index}") for index, fragment in enumerate(fragments)}
        if missing:
            names.clear()
        self.clock = Clock()
        self.call = FakeCall()
        self.conversation = Conversation(
            self.call,
            Run(scenario, {}, "en", lambda fragment: 1000),
            names,
            lambda step: Path(f"7-{step}.wav"),
            self.clock,
            Logger(),
        )
        self.results: list[RunResult] = []

    def over(self) -> None:
        self.call.over = True
        self.conversation.call_over().addCallback(self.results.append)

    def play_out(self) -> None:
        """Hear whatever is played until something else is wanted."""
        while self.call.playing is not None:
            self.call.heard()


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    talk.conversation.start()
    return talk


def test_a_confirmed_message_with_a_reply(talk: Talk) -> None:
    """Message, key, reply, goodbye, in order; the result tells all of it and no timer is left."""
    talk.play_out()
    talk.conversation.digit("1")
    talk.play_out()
    assert talk.call.log[-1].startswith("record 7-reply.wav 20000 2000")
    talk.call.said(2000)
    talk.play_out()
    assert talk.call.log[-1] == "hang up"
    talk.over()
    (result,) = talk.results
    assert result.confirmed and result.heard_out and result.keys == "1"
    assert result.recordings == (("reply", "7-reply.wav"),)
    assert talk.clock.getDelayedCalls() == []


def test_a_key_stops_the_prompt_that_asks_for_it(talk: Talk) -> None:
    """Barge-in: the prompt is stopped and the key is not lost."""
    talk.call.heard()
    talk.conversation.digit("1")
    assert "stop" in talk.call.log
    assert talk.call.log[-1].startswith("play")


@pytest.mark.parametrize("what", ["start", "digit", "timer"])
def test_a_fault_of_the_interpreter_leaves_nobody_in_silence(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Most gateways let a call go on whose observer failed; an answering machine would hold the line for hours."""

    def broken(*arguments: object) -> list[Action]:
        raise RuntimeError("of the interpreter")

    monkeypatch.setattr(Run, what, broken)
    talk = Talk()
    talk.conversation.start()
    talk.play_out()
    if what == "digit":
        talk.conversation.digit("1")
    talk.clock.advance(4)
    assert talk.call.log[-1] == "hang up"
    assert "of the interpreter" in talk.conversation.fault
    talk.over()
    assert len(talk.results) == 1 and talk.clock.getDelayedCalls() == []


def test_nobody_presses_anything(talk: Talk) -> None:
    """After the tries the scenario goes on to its end by the timer alone."""
    talk.play_out()
    for _ in range(4):
        talk.clock.advance(4)
        talk.play_out()
    assert talk.call.log[-1] == "hang up"
    talk.over()
    assert not talk.results[0].confirmed and talk.results[0].keys == ""


def test_hung_up_in_the_middle_of_a_prompt(talk: Talk) -> None:
    """The result waits for the prompt to say how far it got, then counts it."""
    talk.over()
    assert talk.results == []
    talk.call.heard(300, 1000)
    (result,) = talk.results
    assert (result.heard_ms, result.heard_out) == (300, False)
    assert talk.clock.getDelayedCalls() == []


def test_a_gateway_that_never_says_how_far_the_prompt_got(talk: Talk) -> None:
    """The attempt still ends, a little later."""
    talk.over()
    talk.clock.advance(LAST_WORDS_S)
    assert len(talk.results) == 1


def test_hung_up_while_recording(talk: Talk) -> None:
    """What was said until then is kept."""
    talk.play_out()
    talk.conversation.digit("1")
    talk.play_out()
    talk.over()
    talk.call.said(700, "hangup")
    assert talk.results[0].recordings == (("reply", "7-reply.wav"),)


def test_nothing_is_asked_of_a_call_that_is_over(talk: Talk) -> None:
    """A key or a timer that comes late changes nothing."""
    talk.play_out()
    talk.over()
    asked = list(talk.call.log)
    talk.conversation.digit("1")
    talk.clock.advance(60)
    assert talk.call.log == asked


def test_a_prompt_that_was_not_prepared_is_our_fault() -> None:
    """The person is not left in silence: the call is ended and the fault is ours."""
    talk = Talk(missing=True)
    talk.conversation.start()
    assert talk.call.log == ["hang up"]
    assert "no audio" in talk.conversation.fault


HAND_OVER = """
language = "en"

[[step]]
name = "water"
type = "say"
message = "The water is off today."

[[step]]
name = "duty"
type = "transfer"
to = "201"

[[step]]
name = "sorry"
type = "hang_up"
message = "Nobody is there."
"""


def handed_over() -> Talk:
    talk = Talk(text=HAND_OVER)
    talk.conversation.start()
    talk.call.heard()
    assert talk.call.log[-1] == "transfer 201"
    return talk


@pytest.mark.parametrize("first", ["connected", "ended"])
def test_a_person_is_handed_over(first: str) -> None:
    """In whichever order the gateway tells that he is connected and that our part of the call is over."""
    talk = handed_over()
    assert talk.call.connecting is not None
    if first == "connected":
        talk.call.connecting.callback(None)
        talk.over()
    else:
        talk.over()
        assert talk.results == [], "the transfer has not said yet what came of it"
        talk.call.connecting.callback(None)
    assert "hang up" not in talk.call.log
    (result,) = talk.results
    assert (result.transferred_to, result.heard_out, talk.conversation.fault) == ("201", True, "")


@pytest.mark.parametrize("why", [TransferFailed(Cause.BUSY, "201 is busy"), NotSupported("no transfer here")])
def test_nobody_to_hand_over_to(why: Exception) -> None:
    """The person hears the next step; that the duty desk is engaged is no fault of the call."""
    talk = handed_over()
    assert talk.call.connecting is not None
    talk.call.connecting.errback(why)
    talk.play_out()
    assert talk.call.log[-2:] == ["play f1", "hang up"]
    talk.over()
    assert (talk.results[0].transferred_to, talk.conversation.fault) == ("", "")


def test_the_person_hangs_up_while_waiting() -> None:
    talk = handed_over()
    assert talk.call.connecting is not None
    talk.over()
    talk.call.connecting.errback(CallOver())
    (result,) = talk.results
    assert (result.heard_out, result.transferred_to, talk.conversation.fault) == (True, "", "")


ANNOUNCED = '[[step]]\nname = "a"\ntype = "say"\nannouncement = "12"\n'


def test_the_switch_says_its_own_message() -> None:
    talk = Talk(text=ANNOUNCED)
    talk.conversation.start()
    talk.call.heard(4000, 4000)
    assert talk.call.log == ["announce 12", "hang up"]
    talk.over()
    assert talk.results[0].heard_out


def test_a_switch_without_messages_of_its_own_is_our_fault() -> None:
    talk = Talk(text=ANNOUNCED)
    talk.conversation.start()
    assert talk.call.playing is not None
    talk.call.playing.errback(NotSupported("gateway office has no announcements"))
    assert talk.call.log[-1] == "hang up"
    assert "no announcements" in talk.conversation.fault


def test_a_prompt_that_broke_off_in_a_call_that_goes_on(talk: Talk) -> None:
    """Unfinished means that the call is over; where its end is never told, nobody is left in silence."""
    talk.call.heard(300, 1000)
    assert "hang up" not in talk.call.log, "who ended the call is about to be told"
    talk.clock.advance(NO_END_S)
    assert talk.call.log[-1] == "hang up"
    assert talk.conversation.fault == ""


def test_a_transfer_that_says_the_call_is_over_when_it_is_not() -> None:
    talk = handed_over()
    assert talk.call.connecting is not None
    talk.call.connecting.errback(CallOver("the call is over"))
    talk.clock.advance(NO_END_S)
    assert talk.call.log[-1] == "hang up"
    assert talk.conversation.fault, "the person had no part in it"


def test_an_end_that_comes_a_moment_after_its_prompt(talk: Talk) -> None:
    talk.call.heard(300, 1000)
    talk.clock.advance(NO_END_S - 1)
    talk.over()
    assert talk.clock.getDelayedCalls() == []
    assert "hang up" not in talk.call.log
