"""A placed call against a switch that answers by hand: orders that a well-behaved PBX would not give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from gateway_bench import Listener
from panasonic_bench import settings as panasonic_settings
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_placed import PlacedCall
from ocm_cti.gateways.panasonic_reading import Seen, Told
from protocols.csta.link import AnswerUnreadable, LinkLost, RequestFailed, RequestRejected, RequestTimedOut
from protocols.csta.panasonic import call_id, connection_id, dialing_number

OURS, OTHER = b"\x01\x02\x03\x04", b"\x09\x09\x09\x09"
NATIVE = Native("csta", "", "")


class Voice:
    """Answers and hangs up at once, and writes it down."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def ask(*_: object) -> Deferred[None]:
            self.asked.append(name)
            return succeed(None)

        return ask


class Bench:
    def __init__(self, **changed: Any) -> None:
        self.clock = Clock()
        self.requests: list[tuple[str, Any, Deferred[Any]]] = []
        self.looks = 0
        self.freed = 0
        self.voice: Any = Voice()
        self.listener = Listener()
        around = Surroundings(
            panasonic_settings(**changed), self.clock, self.ask, self.look, self.voice, self.free, Logger()
        )
        self.call = PlacedCall(around, "301", 1, 20.0, self.listener)
        self.call.begin("984951234501")

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        self.requests.append((operation, argument, Deferred()))
        return self.requests[-1][2]

    def look(self) -> None:
        self.looks += 1

    def free(self) -> None:
        self.freed += 1

    def made(self, number: bytes = OURS) -> None:
        self.requests[0][2].callback({"callingDevice": connection_id(number, dialing_number("301"))})

    def told(self, event: Event | None, number: bytes = OURS, name: str = "originated") -> None:
        self.call.told(Told(number, name, event, Cause.BUSY, NATIVE))

    def pick_up(self) -> None:
        self.call.offered("v1")
        self.call.voice_up("v1")

    @property
    def cleared(self) -> list[bytes | None]:
        return [
            call_id(argument["connectionToBeCleared"])
            for operation, argument, _ in self.requests
            if operation == "clearConnection"
        ]


def see(own: str, *others: str, number: bytes = OURS) -> Sequence[Seen]:
    return [Seen(number, own, others)]


def test_cleared_by_csta_at_once_and_by_sip_only_when_that_has_no_effect() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.FAILED)
    assert bench.cleared == [OURS]
    assert "hang_up" not in bench.voice.asked
    bench.clock.advance(3.0)
    assert "hang_up" in bench.voice.asked
    assert bench.looks == 1
    bench.call.voice_ended("v1", "us", "")
    bench.call.looked([])
    assert bench.listener.verdict[:2] == ("failed", Cause.BUSY)
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


def test_nothing_to_clear_means_cleared() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.FAILED)
    bench.call.voice_ended("v1", "them", "BYE")
    assert not bench.listener.over
    bench.requests[-1][2].errback(RequestFailed("clearConnection", "operation", "invalidConnectionID"))
    assert bench.listener.over
    assert bench.freed == 1


def test_a_clear_that_fails_otherwise_is_not_taken_for_done() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.FAILED)
    bench.call.voice_ended("v1", "them", "BYE")
    bench.requests[-1][2].errback(RequestFailed("clearConnection", "systemResourceAvailability", "resourceBusy"))
    assert not bench.listener.over
    bench.clock.advance(3.0)
    bench.call.looked(see("fail"))
    assert bench.cleared == [OURS, OURS]
    bench.told(Event.OWN_CLEARED, name="connectionCleared")
    assert bench.listener.over
    assert bench.freed == 1


def test_a_snapshot_before_the_makecall_result_proves_nothing() -> None:
    """The PBX has not carried out MakeCall yet: an empty extension now is not a free one."""
    bench = Bench()
    bench.call.hang_up()
    bench.clock.advance(3.0)
    bench.call.looked([])
    assert not bench.listener.over
    bench.made()
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    assert bench.listener.verdict[:2] == ("failed", Cause.CANCELLED)
    assert bench.freed == 1


def test_events_before_the_makecall_result_count_once_it_comes() -> None:
    bench = Bench()
    bench.pick_up()
    bench.told(None, name="serviceInitiated")
    bench.told(Event.REACHED)
    bench.told(Event.FAILED, OTHER)
    assert bench.listener.names == ["dialing"]
    bench.made()
    assert bench.listener.names == ["dialing", "ringing"]
    assert bench.call.native_id == OURS.hex()


def test_events_of_another_call_change_nothing() -> None:
    """Late ones of the call before, or of somebody who rings the extension."""
    bench = Bench()
    bench.made()
    bench.pick_up()
    for event in (Event.FAILED, Event.FAR_CLEARED, Event.OWN_CLEARED, Event.ANSWERED):
        bench.told(event, OTHER)
    assert bench.listener.names == ["dialing"]
    bench.told(Event.ANSWERED)
    assert bench.listener.names == ["dialing", "answered"]


def test_events_twice_are_told_once() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    for event in (Event.REACHED, Event.ALERTING, Event.ANSWERED) * 2:
        bench.told(event)
    assert bench.listener.names == ["dialing", "ringing", "answered"]
    for _ in range(2):
        bench.told(Event.FAR_CLEARED)
        bench.told(Event.OWN_CLEARED)
        bench.call.voice_ended("v1", "them", "BYE")
    assert bench.listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert bench.freed == 1


@pytest.mark.parametrize("known", [True, False])
def test_makecall_times_out_after_our_extension_was_rung(known: bool) -> None:
    """The call is there: by its events, or by a snapshot, its callID is learned and it goes on."""
    bench = Bench()
    bench.pick_up()
    if known:
        bench.told(None, name="originated")
        bench.told(Event.REACHED)
    bench.requests[0][2].errback(RequestTimedOut("makeCall", 10.0))
    if not known:
        assert bench.looks == 1
        bench.call.looked(see("connected", "alerting"))
        bench.told(Event.REACHED)
    assert bench.call.native_id == OURS.hex()
    assert bench.listener.names == ["dialing", "ringing"]
    bench.told(Event.ANSWERED)
    assert bench.listener.names[-1] == "answered"


def test_makecall_times_out_and_nothing_is_there_after_our_extension_was_rung() -> None:
    """It had been picked up, so somebody may have been called."""
    bench = Bench()
    bench.pick_up()
    bench.requests[0][2].errback(RequestTimedOut("makeCall", 10.0))
    bench.call.looked([])
    bench.call.voice_ended("v1", "us", "")
    assert bench.listener.verdict[:2] == ("failed", Cause.UNKNOWN)


def test_makecall_refused_after_somebody_elses_ring_was_picked_up() -> None:
    bench = Bench()
    bench.call.offered("v1")
    bench.requests[0][2].errback(RequestFailed("makeCall", "stateIncompatibility", "invalidObjectState"))
    assert "hang_up" in bench.voice.asked
    bench.call.voice_ended("v1", "us", "")
    assert bench.listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert bench.freed == 1


def test_a_link_that_goes_with_makecall_unanswered_waits_for_the_switch() -> None:
    bench = Bench()
    bench.requests[0][2].errback(LinkLost("makeCall", "connection lost"))
    bench.call.link_lost()
    assert bench.listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert not bench.call.awaits_ring, "an INVITE now would make the PBX dial without our seeing it"
    assert bench.freed == 0
    bench.call.link_back()
    bench.call.looked(see("initiated"))
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


def test_a_word_of_the_voice_without_a_ring_means_nothing() -> None:
    bench = Bench()
    bench.made()
    bench.call.voice_up("v1")
    assert bench.listener.told == []


def test_keys_before_the_answer_are_nobodys() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.call.pressed("1")
    bench.told(Event.ANSWERED)
    bench.call.pressed("2")
    assert [told for told in bench.listener.told if told[0] == "digit"] == [("digit", "2")]


def test_ring_time_counts_from_dialing() -> None:
    bench = Bench()
    bench.made()
    bench.clock.advance(9.0)
    bench.pick_up()
    bench.clock.advance(19.9)
    assert bench.cleared == []
    bench.clock.advance(0.2)
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    bench.call.voice_ended("v1", "them", "BYE")
    assert bench.listener.verdict[:2] == ("failed", Cause.NO_ANSWER)


def test_given_up_at_shutdown_is_reported_all_the_same() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.ANSWERED)
    bench.call.close()
    assert bench.listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    assert bench.clock.getDelayedCalls() == []


def test_a_makecall_answer_that_can_not_be_read_is_no_refusal() -> None:
    """The PBX has made the call: its events tell which one, and it goes on; nothing is called not counted."""
    bench = Bench()
    bench.pick_up()
    bench.told(None, name="originated")
    bench.told(Event.REACHED)
    bench.requests[0][2].errback(AnswerUnreadable("makeCall", "the answer does not fit its declaration"))
    assert bench.call.native_id == OURS.hex()
    bench.told(Event.ANSWERED)
    assert bench.listener.names == ["dialing", "ringing", "answered"]


def test_an_observer_that_fails_does_not_leave_the_line_off_the_hook() -> None:
    """The call is cleared, and the report that follows is made once."""
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.REACHED)

    heard = bench.listener.answered

    def broken(certain: bool) -> None:
        heard(certain)
        raise ZeroDivisionError("a mistake of ours")

    bench.listener.answered = broken  # type: ignore[method-assign]
    bench.told(Event.ANSWERED)
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    bench.call.voice_ended("v1", "us", "")
    assert bench.listener.names.count("ended") == 1
    assert bench.freed == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="empty"),
        pytest.param({}, id="of something else"),
        pytest.param(AnswerUnreadable("makeCall", "does not fit"), id="unreadable"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_makecall_answer_that_names_no_call_is_no_refusal(answer: Any, known: bool) -> None:
    """Where the PBX dials at once somebody may be called: the call is looked for, cleared, and counts."""
    bench = Bench(dials_after_pick_up=False)
    if known:
        bench.told(None, name="originated")
    if isinstance(answer, Exception):
        bench.requests[0][2].errback(answer)
    else:
        bench.requests[0][2].callback(answer)
    assert bench.freed == 0
    if known:
        bench.call.hang_up()
    else:
        assert bench.looks == 1
        bench.call.looked(see("connected", "alerting"))
    assert bench.call.native_id == OURS.hex()
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    assert bench.listener.verdict[:2] == ("failed", Cause.CANCELLED if known else Cause.UNKNOWN)
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


def test_a_reject_of_makecall_is_a_refusal() -> None:
    bench = Bench()
    bench.requests[0][2].errback(RequestRejected("makeCall", "invoke: mistypedArgument"))
    assert bench.listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert (bench.looks, bench.freed) == (0, 1)


@pytest.mark.parametrize("report", ["dialing", "ringing", "answered", "digit"])
def test_whatever_report_the_observer_fails_at_the_call_is_hung_up(report: str) -> None:
    bench = Bench()
    bench.made()

    heard = getattr(bench.listener, report)

    def broken(*told: object) -> None:
        heard(*told)
        raise ZeroDivisionError("a mistake of ours")

    setattr(bench.listener, report, broken)
    bench.pick_up()
    bench.told(Event.REACHED)
    bench.told(Event.ANSWERED)
    bench.call.pressed("1")
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    bench.call.voice_ended("v1", "us", "")
    assert bench.listener.over
    assert sum(name in ("failed", "ended") for name in bench.listener.names) == 1
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


def test_an_observer_that_fails_at_the_terminal_report_is_not_told_again() -> None:
    bench = Bench()
    bench.made()
    bench.pick_up()
    bench.told(Event.ANSWERED)
    told = []

    def broken(*verdict: object) -> None:
        told.append(verdict)
        raise ZeroDivisionError("a mistake of ours")

    setattr(bench.listener, "ended", broken)  # noqa: B010
    bench.call.hang_up()
    bench.told(Event.OWN_CLEARED)
    bench.call.voice_ended("v1", "us", "")
    assert len(told) == 1
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []


@pytest.mark.parametrize("early", [True, False])
def test_an_answered_call_is_hung_up_by_us_at_its_limit(early: bool) -> None:
    """Counted from the answer, also where our own voice came up after it."""
    bench = Bench(call_limit_s=100.0)
    bench.made()
    bench.call.offered("v1")
    if early:
        bench.told(Event.ANSWERED)
    bench.clock.advance(9.0)
    bench.call.voice_up("v1")
    if not early:
        bench.clock.advance(15.0)
        bench.told(Event.ANSWERED)
    bench.clock.advance(99.9)
    assert bench.cleared == []
    bench.clock.advance(0.2)
    assert bench.cleared == [OURS]
    bench.told(Event.OWN_CLEARED)
    bench.call.voice_ended("v1", "them", "BYE")
    assert bench.listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    assert bench.clock.getDelayedCalls() == []
