"""A call that our extension dials by itself, against a switch that answers by hand: CSTA only watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from gateway_bench import Listener
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panasonic_bench import settings as panasonic_settings
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native, TransferFailed
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_causes import SIP_CAUSES, sip_cause
from ocm_cti.gateways.panasonic_placed import PlacedCall
from ocm_cti.gateways.panasonic_reading import Seen, Told
from ocm_cti.voice.client import DialFailed, VoiceProcessLost
from protocols.csta.link import RequestFailed
from protocols.csta.panasonic import call_id

OURS, OLD = b"\x01\x02\x03\x04", b"\x09\x09\x09\x09"
NATIVE = Native("csta", "3", "busy")


class Voice:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.dialled: list[tuple[str, str]] = []
        self.dialling: Deferred[str] = Deferred()

    def dial(self, extension: str, digits: str) -> Deferred[str]:
        self.dialled.append((extension, digits))
        return self.dialling

    def __getattr__(self, name: str) -> Any:
        def ask(*_: object) -> Deferred[None]:
            self.asked.append(name)
            return succeed(None)

        return ask


class Bench:
    def __init__(self, formers: dict[bytes, float] | None = None, **changed: Any) -> None:
        self.clock = Clock()
        self.requests: list[tuple[str, Any, Deferred[Any]]] = []
        self.looks = self.freed = 0
        self.voice: Any = Voice()
        self.names: dict[str, Any] = {}
        self.listener = Listener()
        around = Surroundings(
            panasonic_settings(originate="sip", **changed),
            self.clock,
            self.ask,
            self.look,
            self.voice,
            self.free,
            Logger(),
            self.names.__setitem__,
        )
        self.call = PlacedCall(around, "301", 1, 20.0, self.listener, formers)
        self.call.begin("984951234501")

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        self.requests.append((operation, argument, Deferred()))
        return self.requests[-1][2]

    def look(self) -> None:
        self.looks += 1

    def free(self) -> None:
        self.freed += 1

    def dialled(self) -> None:
        self.voice.dialling.callback("v1")

    def told(self, event: Event | None, name: str, number: bytes = OURS, *, own: bool = False) -> None:
        self.call.told(Told(number, name, event, Cause.BUSY, NATIVE, own))

    def originated(self) -> None:
        self.told(None, "serviceInitiated", own=True)
        self.told(Event.ORIGINATED, "originated", own=True)

    def cleared(self) -> None:
        self.told(Event.OWN_CLEARED, "connectionCleared", own=True)

    def is_over(self) -> tuple[Any, ...]:
        assert self.listener.over
        assert self.freed == 1
        assert self.clock.getDelayedCalls() == []
        return self.listener.verdict[:-1]


def ringing(**changed: Any) -> Bench:
    bench = Bench(**changed)
    bench.dialled()
    bench.originated()
    bench.told(Event.REACHED, "networkReached")
    bench.told(Event.ALERTING, "delivered")
    return bench


def talking(**changed: Any) -> Bench:
    bench = ringing(**changed)
    bench.told(Event.ANSWERED, "established")
    bench.call.voice_up("v1")
    assert bench.listener.told[-1] == ("answered", True)
    return bench


def test_a_whole_call() -> None:
    bench = Bench()
    assert bench.voice.dialled == [("301", "984951234501")]
    bench.dialled()
    assert bench.names == {"v1": bench.call}
    assert bench.listener.told == []
    bench.told(None, "serviceInitiated", own=True)
    assert bench.call.native_id == OURS.hex()
    assert bench.listener.told == []
    bench.told(Event.ORIGINATED, "originated", own=True)
    assert bench.listener.names == ["dialing"]
    bench.told(Event.ALERTING, "delivered")
    assert bench.listener.names == ["dialing", "ringing"]
    bench.told(Event.ANSWERED, "established")
    assert bench.listener.names == ["dialing", "ringing"], "nobody can be heard yet"
    bench.call.voice_up("v1")
    assert bench.listener.told[-1] == ("answered", True)
    bench.call.pressed("1")
    bench.told(Event.FAR_CLEARED, "connectionCleared")
    assert "hang_up" in bench.voice.asked
    bench.call.voice_ended("v1", "us", "BYE")
    bench.cleared()
    assert bench.is_over() == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert bench.requests == [], "CSTA only watched"


def test_where_sip_is_quicker_than_csta() -> None:
    bench = Bench()
    bench.dialled()
    bench.call.voice_progress(183)
    assert bench.listener.names == ["dialing"]
    bench.call.voice_progress(180)
    bench.call.voice_progress(180)
    assert bench.listener.names == ["dialing", "ringing"]
    bench.call.voice_up("v1")
    assert bench.listener.names == ["dialing", "ringing"], "the PBX has taken the line, the person has not"
    bench.originated()
    bench.told(Event.ANSWERED, "established")
    assert bench.listener.told[-1] == ("answered", True)


def test_a_200_counts_as_the_answer_where_it_is_set_so() -> None:
    bench = Bench(sip_200_is_answer=True)
    bench.dialled()
    bench.call.voice_progress(180)
    bench.call.voice_up("v1")
    assert bench.listener.told == [("dialing",), ("ringing",), ("answered", True)]


def test_a_timer_decides_where_it_is_set_so() -> None:
    bench = Bench(answer="timer", answer_timer_s=6.0)
    bench.dialled()
    bench.originated()
    bench.told(Event.REACHED, "networkReached")
    bench.clock.advance(6.0)
    assert "answered" not in bench.listener.names, "nobody can be heard yet"
    bench.call.voice_up("v1")
    assert bench.listener.told[-1] == ("answered", False)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (603, Cause.REJECTED),
        (404, Cause.INVALID_NUMBER),
        (484, Cause.INVALID_NUMBER),
        (604, Cause.INVALID_NUMBER),
        (480, Cause.NO_ANSWER),
        (408, Cause.NO_ANSWER),
        (500, Cause.LINE_FAULT),
        (503, Cause.LINE_FAULT),
        (401, Cause.LINE_FAULT),
    ],
)
def test_a_sip_code_where_csta_says_nothing(code: int, cause: Cause) -> None:
    bench = Bench()
    bench.dialled()
    bench.call.voice_refused(code, "because")
    bench.clock.advance(2.0)
    bench.call.looked([])
    assert bench.is_over() == ("failed", cause)
    assert bench.listener.verdict[2] == Native("sip", str(code), "because")


def test_codes_are_final_answers_of_sip() -> None:
    assert all(400 <= code < 700 for code in SIP_CAUSES)
    assert sip_cause(699, "?")[0] is Cause.LINE_FAULT


@pytest.mark.parametrize("sip_first", [True, False])
def test_the_word_of_csta_counts_whenever_it_comes(sip_first: bool) -> None:
    bench = ringing()
    if sip_first:
        bench.call.voice_refused(503, "Service Unavailable")
    bench.told(Event.FAILED, "failed")
    if not sip_first:
        bench.call.voice_refused(503, "Service Unavailable")
    bench.cleared()
    assert bench.is_over() == ("failed", Cause.BUSY)
    assert bench.listener.verdict[2] == NATIVE


def test_a_failed_that_leaves_our_extension_on_a_tone() -> None:
    """No SIP answer comes: the dialog is ours to end."""
    bench = ringing()
    bench.told(Event.FAILED, "failed")
    assert bench.voice.asked[-1] == "hang_up"
    bench.call.voice_ended("v1", "us", "CANCEL")
    bench.cleared()
    assert bench.is_over() == ("failed", Cause.BUSY)


def test_what_the_pbx_does_not_clear_by_itself_is_cleared_by_csta() -> None:
    bench = ringing()
    bench.call.hang_up()
    bench.call.voice_ended("v1", "us", "CANCEL")
    bench.clock.advance(3.0)
    bench.call.looked([Seen(OURS, "connected", ("alerting",))])
    assert [call_id(one["connectionToBeCleared"]) for _, one, _ in bench.requests] == [OURS]
    bench.requests[-1][2].callback(("noData", None))
    bench.cleared()
    assert bench.is_over() == ("failed", Cause.CANCELLED)


def test_where_the_dialog_is_gone_csta_clears_at_once() -> None:
    bench = talking()
    bench.call.voice_ended("v1", "fault", "no RTP")
    assert bench.requests[-1][0] == "clearConnection"
    bench.requests[-1][2].errback(RequestFailed("clearConnection", "operation", "invalidConnectionID"))
    assert bench.is_over() == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)


def test_hung_up_before_the_invite_left() -> None:
    bench = Bench()
    bench.call.hang_up()
    assert bench.voice.asked == []
    bench.dialled()
    assert bench.voice.asked == ["hang_up"]
    bench.call.voice_ended("v1", "us", "CANCEL")
    assert bench.looks == 1
    bench.call.looked([])
    assert bench.is_over() == ("failed", Cause.CANCELLED)


def test_an_extension_that_can_not_dial() -> None:
    bench = Bench()
    bench.voice.dialling.errback(DialFailed("not registered"))
    assert bench.is_over() == ("failed", Cause.LINE_FAULT)
    assert "not registered" in bench.listener.verdict[2].text


def test_a_voice_process_that_dies_while_it_dials() -> None:
    """The INVITE may have left: the PBX is asked."""
    bench = Bench()
    bench.voice.dialling.errback(VoiceProcessLost("gone"))
    assert bench.freed == 0
    bench.call.looked([Seen(OURS, "initiated", ())])
    assert bench.requests[-1][0] == "clearConnection"
    bench.cleared()
    assert bench.is_over() == ("failed", Cause.LINE_FAULT)


def test_a_pbx_that_does_not_react_at_all() -> None:
    bench = Bench(pick_up_timeout_s=10.0)
    bench.dialled()
    bench.clock.advance(10.0)
    assert bench.voice.asked == ["hang_up"]
    bench.call.voice_ended("v1", "us", "CANCEL")
    bench.call.looked([])
    assert bench.is_over() == ("failed", Cause.UNKNOWN)


def test_nobody_answers() -> None:
    bench = ringing()
    bench.clock.advance(20.0)
    bench.call.voice_ended("v1", "us", "CANCEL")
    bench.cleared()
    assert bench.is_over() == ("failed", Cause.NO_ANSWER)


def test_the_callid_is_learned_from_what_there_is() -> None:
    """Neither ServiceInitiated nor Originated come; an older call's last words are not taken for ours."""
    bench = Bench({OLD: 0.0})
    bench.dialled()
    bench.told(Event.OWN_CLEARED, "connectionCleared", OLD, own=True)
    bench.told(Event.FAILED, "failed", OLD)
    assert bench.call.native_id is None
    bench.told(Event.REACHED, "networkReached")
    assert bench.call.native_id == OURS.hex()
    assert bench.listener.names == ["dialing", "ringing"]


def test_words_of_an_older_call_of_the_same_callid() -> None:
    bench = Bench({OURS: 0.0})
    bench.dialled()
    bench.cleared()
    bench.told(Event.FAILED, "failed")
    assert bench.call.native_id is None
    bench.originated()
    bench.call.looked([Seen(OURS, "connected", ())])
    assert bench.listener.names == ["dialing"]
    bench.told(Event.FAILED, "failed")
    bench.call.looked([Seen(OURS, "connected", ("alerting",))])
    assert not bench.listener.over
    bench.told(Event.FAILED, "failed")
    bench.call.looked([Seen(OURS, "fail", ())])
    bench.call.voice_ended("v1", "us", "")
    bench.cleared()
    bench.call.looked([])
    assert bench.is_over() == ("failed", Cause.BUSY)


def see(*seen: Seen) -> Sequence[Seen]:
    return seen


@pytest.mark.parametrize("back", [True, False])
def test_the_link_is_lost_before_the_answer(back: bool) -> None:
    bench = ringing(blind_limit_s=15.0)
    bench.call.link_lost()
    bench.clock.advance(5.0)
    if back:
        bench.call.link_back()
        bench.call.looked(see(Seen(OURS, "connected", ("alerting",))))
        bench.told(Event.ANSWERED, "established")
        bench.call.voice_up("v1")
        assert bench.listener.told[-1] == ("answered", True)
        return
    bench.clock.advance(10.0)
    assert bench.voice.asked == ["hang_up"]
    bench.call.voice_ended("v1", "us", "")
    assert bench.listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    assert bench.freed == 0


STEPS = (
    "dialled",
    "dial fails",
    "initiated",
    "originated",
    "reached",
    "alerting",
    "established",
    "failed",
    "far cleared",
    "own cleared",
    "180",
    "183",
    "200",
    "486",
    "bye",
    "broken",
    "hang up",
    "link lost",
    "link back",
    "absent",
    "present",
    "wait",
    "voice lost",
)


def step(bench: Bench, what: str) -> None:
    """Only what the voice process could tell: nothing of a call that it has not dialled, nothing after its end."""
    live = "v1" in bench.names and "gone" not in bench.names
    match what:
        case "dialled" if not bench.voice.dialling.called:
            bench.dialled()
        case "dial fails" if not bench.voice.dialling.called:
            bench.voice.dialling.errback(DialFailed("no"))
        case "initiated":
            bench.told(None, "serviceInitiated", own=True)
        case "originated":
            bench.told(Event.ORIGINATED, "originated", own=True)
        case "reached":
            bench.told(Event.REACHED, "networkReached")
        case "alerting":
            bench.told(Event.ALERTING, "delivered")
        case "established":
            bench.told(Event.ANSWERED, "established")
        case "failed":
            bench.told(Event.FAILED, "failed")
        case "far cleared":
            bench.told(Event.FAR_CLEARED, "connectionCleared")
        case "own cleared":
            bench.cleared()
        case "180" | "183" if live:
            bench.call.voice_progress(int(what))
        case "200" if live:
            bench.call.voice_up("v1")
        case "486" if live:
            bench.names["gone"] = True
            bench.call.voice_refused(486, "Busy Here")
        case "bye" | "broken" if live:
            bench.names["gone"] = True
            bench.call.voice_ended("v1", "them" if what == "bye" else "fault", what)
        case "hang up":
            bench.call.hang_up()
        case "link lost":
            bench.call.link_lost()
        case "link back":
            bench.call.link_back()
        case "absent":
            bench.call.looked([])
        case "present":
            bench.call.looked([Seen(OURS, "connected", ("connected",))])
        case "wait":
            bench.clock.advance(4.0)
        case "voice lost":
            bench.names["gone"] = True
            if not bench.voice.dialling.called:
                bench.voice.dialling.errback(VoiceProcessLost("gone"))
            bench.call.voice_lost("gone")


@settings(max_examples=100)
@given(st.lists(st.sampled_from(STEPS), max_size=20), st.booleans())
@example(["dialled", "486", "established"], False)
def test_any_history(steps: list[str], answer_by_200: bool) -> None:
    bench = Bench(sip_200_is_answer=answer_by_200)
    for what in steps:
        step(bench, what)
    for what in ("link back", "hang up", "dialled", "broken", "absent"):
        step(bench, what)
    assert bench.listener.over
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


def test_a_transfer_before_the_pbx_has_told_of_the_call() -> None:
    """The 200 is the answer, and no event came: that he can't be handed over must not mean that he has gone."""
    bench = Bench(sip_200_is_answer=True)
    bench.dialled()
    bench.call.voice_up("v1")
    assert bench.listener.told[-1] == ("answered", True)
    result: list[Any] = []
    bench.call.transfer("200").addBoth(result.append)
    assert result[0].check(TransferFailed)
    assert result[0].value.reason is Cause.LINE_FAULT
