"""The life of a call on a trunk: every pair of state and event, any order of events, what an operator's words mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native
from ocm_cti.gateways.sip_trunk_calls import TABLE, VERDICTS, Do, Event, State
from ocm_cti.gateways.sip_trunk_causes import CAUSES, STATUSES, VAGUE, ended_native, is_congested, refusal_cause
from ocm_cti.gateways.sip_trunk_machine import Detail, Machine

BUSY = Detail(Cause.BUSY, Native("sip", "486", "Busy Here"))
#: What the voice process tells last of a call.
LAST = (
    Event.NOT_DIALLED,
    Event.VOICE_LOST,
    Event.REFUSED,
    Event.UNSENT,
    Event.FAR_ENDED,
    Event.BROKE,
    Event.HUNG_UP,
)
WAY: dict[State, tuple[Event, ...]] = {
    State.PLACED: (),
    State.DIALING: (Event.DIALLED,),
    State.RINGING: (Event.DIALLED, Event.RINGS),
    State.TALKING: (Event.DIALLED, Event.ANSWERED),
    State.CLEARING: (Event.DIALLED, Event.HANG_UP),
    State.OVER: (Event.NOT_DIALLED,),
}


def at(state: State, **options: Any) -> Machine:
    machine = Machine(**options)
    for event in WAY[state]:
        machine.happened(event)
    assert machine.state is state
    return machine


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_pair(state: State, event: Event) -> None:
    """What is in the table is done; what is not changes nothing."""
    machine = at(state)
    done = machine.happened(event, BUSY if event is Event.REFUSED else Detail())
    if (state, event) in TABLE:
        after, wanted = TABLE[state, event]
        assert machine.state is after
        assert done == [do for do in wanted if do not in VERDICTS]
    else:
        assert (machine.state, done) == (state, [])
    assert (machine.verdict is not None) == (machine.state in (State.CLEARING, State.OVER))


@given(st.lists(st.sampled_from(Event), max_size=12), st.booleans(), st.integers(0, 12))
@settings(max_examples=100)
def test_any_order(events: list[Event], tells_progress: bool, lost_at: int) -> None:
    """Reports in order, each once; the port is free exactly when the call is over; nothing follows."""
    machine = Machine(tells_progress=tells_progress)
    done: list[Do] = []
    for position, event in enumerate([*events, Event.DIALLED, Event.HANG_UP, Event.HUNG_UP, Event.VOICE_LOST]):
        if position == lost_at:
            machine.link_lost()
        was_over = machine.state is State.OVER
        done += machine.happened(event, BUSY if event is Event.REFUSED else Detail())
        assert not was_over or done[-1] is Do.FREE
    assert machine.state is State.OVER and machine.verdict is not None
    told = [do for do in done if do.name.startswith("TELL") or do is Do.FREE]
    order = [Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE]
    assert told == [do for do in order if do in told], "in order, and each once"
    assert told[-2:] == [Do.TELL_VERDICT, Do.FREE]
    assert (machine.verdict.by is not None) == (Do.TELL_ANSWERED in told)
    assert Do.TELL_DIALING in told or machine.verdict.cause in (Cause.LINE_FAULT, Cause.CANCELLED, Cause.UNKNOWN)
    assert machine.happened(Event.ANSWERED) == []


@pytest.mark.parametrize("state", [state for state in State if state not in (State.PLACED, State.OVER)])
@pytest.mark.parametrize("event", LAST)
def test_whatever_the_voice_process_tells_last_is_the_end(state: State, event: Event) -> None:
    """Where it can happen at all."""
    machine = at(state)
    done = machine.happened(event, BUSY)
    impossible = {
        State.DIALING: {Event.NOT_DIALLED},
        State.RINGING: {Event.NOT_DIALLED},
        State.TALKING: {Event.NOT_DIALLED, Event.REFUSED, Event.UNSENT},
    }
    if event not in impossible.get(state, set()):
        assert machine.state is State.OVER and done[-2:] == [Do.TELL_VERDICT, Do.FREE]


@pytest.mark.parametrize(
    ("way", "cause", "by"),
    [
        ([Event.NOT_DIALLED], Cause.LINE_FAULT, None),
        ([Event.VOICE_LOST], Cause.LINE_FAULT, None),
        ([Event.DIALLED, Event.UNSENT], Cause.LINE_FAULT, None),
        ([Event.DIALLED, Event.REFUSED], Cause.BUSY, None),
        ([Event.DIALLED, Event.BROKE], Cause.UNKNOWN, None),
        ([Event.DIALLED, Event.RINGS, Event.BROKE], Cause.UNKNOWN, None),
        ([Event.DIALLED, Event.RINGS, Event.VOICE_LOST], Cause.LINE_FAULT, None),
        ([Event.DIALLED, Event.RINGS, Event.RING_LATE, Event.HUNG_UP], Cause.NO_ANSWER, None),
        ([Event.DIALLED, Event.PROGRESS, Event.RING_LATE, Event.HUNG_UP], Cause.NO_ANSWER, None),
        ([Event.DIALLED, Event.RING_LATE, Event.HUNG_UP], Cause.UNKNOWN, None),
        ([Event.HANG_UP, Event.DIALLED, Event.HUNG_UP], Cause.CANCELLED, None),
        ([Event.DIALLED, Event.RINGS, Event.HANG_UP, Event.REFUSED], Cause.CANCELLED, None),
        ([Event.DIALLED, Event.ANSWERED, Event.FAR_ENDED], Cause.NORMAL, EndedBy.THEM),
        ([Event.DIALLED, Event.ANSWERED, Event.HANG_UP, Event.FAR_ENDED], Cause.NORMAL, EndedBy.US),
        ([Event.DIALLED, Event.ANSWERED, Event.TOO_LONG, Event.HUNG_UP], Cause.NORMAL, EndedBy.US),
        ([Event.DIALLED, Event.ANSWERED, Event.BROKE], Cause.LINE_FAULT, EndedBy.FAULT),
        ([Event.DIALLED, Event.ANSWERED, Event.VOICE_LOST], Cause.LINE_FAULT, EndedBy.FAULT),
        ([Event.DIALLED, Event.ANSWERED, Event.HANDED_OVER, Event.FAR_ENDED], Cause.TRANSFERRED, EndedBy.US),
    ],
)
def test_how_it_ended(way: list[Event], cause: Cause, by: EndedBy | None) -> None:
    machine = Machine()
    for event in way:
        machine.happened(event, BUSY if event is Event.REFUSED else Detail())
    assert machine.state is State.OVER and machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (cause, by)
    assert machine.verdict.native.system and machine.verdict.native.text


def test_an_operator_who_never_says_that_it_rings() -> None:
    machine = at(State.DIALING, tells_progress=False)
    machine.happened(Event.RING_LATE)
    assert machine.verdict is not None and machine.verdict.cause is Cause.NO_ANSWER


@pytest.mark.parametrize("event", [Event.RING_LATE, Event.HANG_UP])
def test_an_answer_may_have_been_missed_while_the_operator_was_lost(event: Event) -> None:
    machine = at(State.RINGING)
    machine.link_lost()
    machine.happened(event)
    assert machine.verdict is not None and machine.verdict.cause is Cause.UNKNOWN
    assert "the operator was lost" in machine.verdict.native.text


def test_what_the_operator_says_himself_stands_although_he_was_lost_meanwhile() -> None:
    machine = at(State.RINGING)
    machine.link_lost()
    machine.happened(Event.REFUSED, BUSY)
    assert machine.verdict is not None and machine.verdict.cause is Cause.BUSY


def test_an_answer_that_crosses_our_cancel_is_told_beside_the_cause() -> None:
    machine = at(State.RINGING)
    machine.happened(Event.RING_LATE)
    assert machine.happened(Event.ANSWERED) == []
    assert machine.happened(Event.ANSWERED) == []
    assert machine.verdict is not None and machine.verdict.cause is Cause.NO_ANSWER
    assert machine.verdict.native.text == "ring timeout; answered while it was being cancelled"


# What the operator's words mean


@pytest.mark.parametrize(
    ("codes", "cause"),
    [
        ((404, 410, 484, 485, 604), Cause.INVALID_NUMBER),
        ((486, 600), Cause.BUSY),
        ((603, 607, 608), Cause.REJECTED),
        ((408, 480, 487), Cause.NO_ANSWER),
        ((500, 502, 503, 504), Cause.UNREACHABLE),
        ((400, 401, 402, 403, 407, 488, 606), Cause.LINE_FAULT),
        ((301, 302, 380, 599), Cause.UNREACHABLE),
        ((433, 499), Cause.LINE_FAULT),
        ((699,), Cause.REJECTED),
        ((0,), Cause.LINE_FAULT),
        ((777,), Cause.UNKNOWN),
    ],
)
def test_statuses(codes: tuple[int, ...], cause: Cause) -> None:
    for code in codes:
        assert refusal_cause(code, "words") == (cause, Native("sip", str(code), "words")), code


@pytest.mark.parametrize(
    ("q850", "cause"),
    [
        (1, Cause.INVALID_NUMBER),
        (17, Cause.BUSY),
        (18, Cause.NO_ANSWER),
        (19, Cause.NO_ANSWER),
        (20, Cause.UNREACHABLE),
        (21, Cause.REJECTED),
        (28, Cause.INVALID_NUMBER),
        *((code, Cause.UNREACHABLE) for code in (34, 38, 41, 42, 44, 47)),
        (57, Cause.LINE_FAULT),
    ],
)
@pytest.mark.parametrize("code", [480, 403, 486, 500, 603])
def test_the_cause_of_the_network_goes_before_the_status(q850: int, cause: Cause, code: int) -> None:
    told, native = refusal_cause(code, "Words", q850)
    assert told is cause
    assert native.code == str(code) and f"Q.850 {q850}," in native.text and native.text.startswith("Words")


@pytest.mark.parametrize("q850", [*VAGUE, 99, None])
def test_a_cause_that_says_nothing_leaves_it_to_the_status(q850: int | None) -> None:
    assert refusal_cause(486, "", q850)[0] is Cause.BUSY


@pytest.mark.parametrize("code", [401, 407])
def test_wrong_credentials_are_never_the_persons(code: int) -> None:
    assert refusal_cause(code, "Unauthorized", 21)[0] is Cause.LINE_FAULT


def test_the_site_knows_its_operator_best() -> None:
    assert refusal_cause(480, "Gone fishing", 19, {480: Cause.UNREACHABLE})[0] is Cause.UNREACHABLE
    assert refusal_cause(486, "", 19, {480: Cause.UNREACHABLE})[0] is Cause.NO_ANSWER


def test_every_row_has_words() -> None:
    assert all(words for _, words in CAUSES.values()) and not set(CAUSES) & set(VAGUE)
    assert all(300 <= code < 700 for code in STATUSES)
    for code in STATUSES:
        assert refusal_cause(code, "")[1].text


@pytest.mark.parametrize(
    ("code", "q850", "congested"),
    [(503, None, True), (503, 16, True), (503, 1, False), (486, 34, True), (480, 44, True), (500, None, False)],
)
def test_no_room_at_the_operator(code: int, q850: int | None, congested: bool) -> None:
    assert is_congested(code, q850) is congested


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("Not Found: Q.850;cause=1", "Not Found (Q.850 1, unallocated number)"),
        ('Not Found: Q.850 ;cause=1 ;text="No such"', "Not Found: No such (Q.850 1, unallocated number)"),
        ("q.850;Cause=1", "Q.850 1, unallocated number"),
        ("Not Found: SIP;cause=404, Q.850;cause=1", "Not Found: SIP;cause=404 (Q.850 1, unallocated number)"),
    ],
)
def test_the_cause_is_said_once_and_in_words(told: str, words: str) -> None:
    assert refusal_cause(404, told, 1)[1].text == words


def test_a_cause_of_nothing_is_left_out() -> None:
    """SEEN: cause 0 of Asterisk for a status that its dialplan asked for."""
    assert refusal_cause(603, "Decline: Q.850;cause=0")[1].text == "Decline"


def test_words_of_an_end() -> None:
    assert ended_native("them", "Q.850;cause=16", 16) == Native("sip", "BYE", "Q.850 16, normal clearing")
    assert ended_native("fault", "no RTP from the peer for 60 s", None).code == "fault"
