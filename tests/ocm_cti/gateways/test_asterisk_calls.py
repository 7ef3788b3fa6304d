"""The table of a call on Asterisk: every pair, every order in which the switch tells of an end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_calls import LISTENING_TABLE, TABLE, Do, Event, State
from ocm_cti.gateways.asterisk_machine import Channel, Detail, Machine
from ocm_cti.gateways.interface import EndedBy

FAILURE = (Event.NOT_ORIGINATED, Detail(reason=0))
RAN_OUT = (Event.NOT_ORIGINATED, Detail(reason=3))
NO_ANSWER = (Event.HANGUP, Detail(code=19))
BUSY = (Event.HANGUP, Detail(code=17, tech=486))
NOTHING = (Event.HANGUP, Detail(code=0))
NORMAL = (Event.HANGUP, Detail(code=16))

Step = Event | tuple[Event, Detail]


def feed(*steps: Step, listens: bool = False) -> tuple[Machine, list[Do]]:
    machine, done = Machine(listens=listens), []
    for step in steps:
        done += machine.happened(*(step if isinstance(step, tuple) else (step,)))
    return machine, done


def verdict(*steps: Step) -> tuple[Cause, EndedBy | None]:
    machine, done = feed(*steps)
    assert machine.verdict is not None
    if machine.state is State.OVER:
        assert done.count(Do.TELL_VERDICT) == done.count(Do.FREE) == 1
    return machine.verdict.cause, machine.verdict.by


def test_every_pair_is_known_or_changes_nothing() -> None:
    for state, event in itertools.product(State, Event):
        machine = Machine()
        machine.state = state
        machine.happened(event)
        if (state, event) not in TABLE and state not in (State.WHY, State.CLEARING):
            assert machine.state in (state, State.OVER)


def test_no_row_is_about_a_call_that_is_over() -> None:
    assert all(state is not State.OVER for state, _ in LISTENING_TABLE)


DIALED: tuple[Step, ...] = (Event.NEW, Event.BEGUN)
RANG: tuple[Step, ...] = (*DIALED, Event.RINGS)
UP: tuple[Step, ...] = (*RANG, Event.ANSWERED)
TALKS: tuple[Step, ...] = (*UP, Event.AGI)


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        ((*DIALED, BUSY), Cause.BUSY),
        ((*DIALED, BUSY, FAILURE), Cause.BUSY),
        ((*DIALED, FAILURE, BUSY), Cause.BUSY),
        ((*RANG, RAN_OUT, NO_ANSWER), Cause.NO_ANSWER),
        ((*RANG, NO_ANSWER, RAN_OUT), Cause.NO_ANSWER),
        ((*RANG, FAILURE, NORMAL), Cause.NO_ANSWER),
        ((*DIALED, NOTHING, (Event.NOT_ORIGINATED, Detail(reason=5))), Cause.BUSY),
        ((*DIALED, NOTHING, (Event.DIAL_ENDED, Detail(dial_status="CONGESTION")), FAILURE), Cause.UNREACHABLE),
        ((Event.NEW, NOTHING, FAILURE, Event.GRACE_LATE), Cause.LINE_FAULT),
        ((Event.NEW, FAILURE, NOTHING, Event.GRACE_LATE), Cause.LINE_FAULT),
        ((Event.NEW, FAILURE, NOTHING, Event.BEGUN), Cause.UNREACHABLE),  # DialBegin is told by a thread of its own
        ((FAILURE, Event.GRACE_LATE), Cause.LINE_FAULT),  # no Hangup at all: no endpoint, ChannelId in use
        ((*DIALED, NOTHING, Event.GRACE_LATE), Cause.UNREACHABLE),
        ((Event.REFUSED,), Cause.LINE_FAULT),
        ((*DIALED, (Event.HANGUP, Detail(code=21, tech=403))), Cause.LINE_FAULT),
        ((*DIALED, (Event.HANGUP, Detail(code=999)), FAILURE), Cause.UNKNOWN),
    ],
)
def test_why_nobody_was_reached(steps: tuple[Step, ...], cause: Cause) -> None:
    machine, done = feed(*steps)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (cause, None)
    assert machine.verdict.native.system == "asterisk"
    assert machine.verdict.native.text
    assert machine.state is State.OVER
    assert Do.TELL_ANSWERED not in done
    assert (Do.TELL_DIALING in done) == (cause is not Cause.LINE_FAULT or Event.BEGUN in steps)


def test_a_vague_hangup_waits_for_the_other_word() -> None:
    machine, done = feed(*DIALED, NOTHING)
    assert machine.state is State.WHY
    assert done[-1] is Do.TIME_GRACE
    assert machine.happened(*FAILURE)[-2:] == [Do.TELL_VERDICT, Do.FREE]


def test_a_failure_without_hangup_of_a_channel_that_was_there_is_hung_up() -> None:
    machine, done = feed(*DIALED, FAILURE, Event.GRACE_LATE)
    assert machine.state is State.CLEARING
    assert done[-1] is Do.CLEAR
    assert machine.happened(Event.NO_SUCH)[-2:] == [Do.TELL_VERDICT, Do.FREE]


@pytest.mark.parametrize(
    ("steps", "cause", "by"),
    [
        ((*TALKS, Event.FAR_HUNG_UP, Event.AGI_ENDED, Event.SWITCH_HUNG_UP, NOTHING), Cause.NORMAL, EndedBy.THEM),
        ((*TALKS, NOTHING), Cause.NORMAL, EndedBy.THEM),
        ((*TALKS, Event.AGI_ENDED, Event.SWITCH_HUNG_UP, NORMAL), Cause.LINE_FAULT, EndedBy.FAULT),
        ((*TALKS, Event.HANG_UP, Event.SWITCH_HUNG_UP, NORMAL), Cause.NORMAL, EndedBy.US),
        ((*TALKS, Event.TOO_LONG, NORMAL), Cause.NORMAL, EndedBy.US),
        ((*TALKS, Event.LINK_LOST, Event.LINK_BACK, Event.ABSENT), Cause.LINE_FAULT, EndedBy.FAULT),
        ((*TALKS, Event.LINK_LOST, Event.BLIND_LATE), Cause.LINE_FAULT, EndedBy.FAULT),
        ((*TALKS, Event.HANDED_OVER), Cause.TRANSFERRED, EndedBy.US),
        ((*TALKS, Event.AGI_ENDED, Event.AGI_LATE, NORMAL), Cause.LINE_FAULT, EndedBy.FAULT),
        # Answered, and over before there was a way to be heard: an answered call that ended.
        ((*UP, Event.FAR_HUNG_UP, NOTHING), Cause.NORMAL, EndedBy.THEM),
        ((*UP, Event.SWITCH_HUNG_UP, NORMAL), Cause.LINE_FAULT, EndedBy.FAULT),
        ((*UP, Event.AGI_LATE, NORMAL), Cause.LINE_FAULT, EndedBy.FAULT),
        ((*UP, Event.HANG_UP, NORMAL), Cause.NORMAL, EndedBy.US),
        ((*DIALED, NOTHING, Event.ANSWERED), Cause.NORMAL, EndedBy.THEM),
    ],
)
def test_how_an_answered_call_ends(steps: tuple[Step, ...], cause: Cause, by: EndedBy) -> None:
    machine, done = feed(*steps)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (cause, by)
    told = [do for do in done if do.name.startswith("TELL")]
    assert told[0] is Do.TELL_DIALING
    assert Do.TELL_ANSWERED in told
    assert told.count(Do.TELL_VERDICT) == (1 if machine.state in (State.OVER, State.HELD) else 0)


@pytest.mark.parametrize("order", list(itertools.permutations([Event.ANSWERED, Event.AGI, Event.ANSWERED])))
def test_answered_in_any_order(order: tuple[Event, ...]) -> None:
    machine, done = feed(*RANG, *order)
    assert machine.state is State.TALKING
    assert done.count(Do.TELL_ANSWERED) == 1


def test_a_failing_command_does_not_end_the_call() -> None:
    """The dialplan's loop brings it to AGI again."""
    machine, done = feed(*TALKS, Event.AGI_ENDED, Event.AGI)
    assert machine.state is State.TALKING
    assert done[-2:] == [Do.TIME_AGI, Do.STOP_AGI]


def test_ringing_begins_to_count_with_dialing() -> None:
    _, done = feed(*DIALED)
    assert done == [Do.TELL_DIALING, Do.TIME_RING]


@pytest.mark.parametrize("before", [(), (Event.NEW,), DIALED, RANG])
def test_hung_up_before_the_answer(before: tuple[Step, ...]) -> None:
    machine, done = feed(*before, Event.HANG_UP)
    assert machine.state is State.CLEARING
    assert (Do.CLEAR in done) == bool(before), "what is not there yet is hung up when it comes"
    if not before:
        assert machine.happened(Event.NO_SUCH) == [], "it may still come"
        assert Do.CLEAR in machine.happened(Event.NEW)
    machine.happened(*NORMAL)
    assert machine.state is State.OVER
    assert machine.verdict is not None and machine.verdict.cause is Cause.CANCELLED


def test_hung_up_and_no_channel_was_ever_made() -> None:
    machine, done = feed(Event.HANG_UP, FAILURE)
    assert machine.state is State.OVER
    assert done[-1] is Do.FREE


def test_the_ring_timeout_is_no_answer() -> None:
    assert verdict(*RANG, Event.RING_LATE, NORMAL) == (Cause.NO_ANSWER, None)


def test_an_answer_too_late_is_hung_up() -> None:
    machine, done = feed(*RANG, Event.RING_LATE, Event.ANSWERED, Event.AGI, NORMAL)
    assert machine.verdict is not None and machine.verdict.cause is Cause.NO_ANSWER
    assert Do.TELL_ANSWERED not in done


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        ((Event.LINK_LOST, Event.BLIND_LATE), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.BLIND_LATE), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.RING_LATE), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.HANG_UP), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.LINK_BACK, Event.ABSENT), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.LINK_BACK, NOTHING, Event.GRACE_LATE), Cause.UNKNOWN),
        ((*RANG, Event.LINK_LOST, Event.LINK_BACK, BUSY), Cause.BUSY),
        ((*RANG, Event.LINK_LOST, Event.LINK_BACK, Event.PRESENT, Event.RINGS, Event.RING_LATE), Cause.NO_ANSWER),
        ((Event.UNSURE, Event.ABSENT), Cause.UNKNOWN),
        ((Event.NOTHING_LATE,), Cause.UNKNOWN),
    ],
)
def test_what_could_not_be_seen_is_unknown(steps: tuple[Step, ...], cause: Cause) -> None:
    machine, _ = feed(*steps)
    assert machine.verdict is not None
    assert machine.verdict.cause is cause


def test_a_call_reported_without_a_link_keeps_its_port_until_the_switch_has_been_asked() -> None:
    machine, done = feed(*RANG, Event.LINK_LOST, Event.BLIND_LATE)
    assert machine.state is State.HELD
    assert Do.TELL_VERDICT in done and Do.FREE not in done
    machine.happened(Event.LINK_BACK)
    assert Do.CLEAR in machine.happened(Event.PRESENT)
    assert machine.happened(*NORMAL) == [Do.STOP, Do.FREE]


def test_a_call_that_was_answered_without_a_link_goes_on() -> None:
    machine, done = feed(*RANG, Event.LINK_LOST, Event.LINK_BACK, Event.PRESENT, Event.ANSWERED, Event.AGI)
    assert machine.state is State.TALKING
    assert done.count(Do.TELL_ANSWERED) == 1


def test_an_answering_machine() -> None:
    machine, done = feed(*UP, Event.AGI, listens=True)
    assert machine.state is State.LISTENING
    assert done[-1] is Do.LISTEN and Do.TELL_ANSWERED not in done
    machine.happened(Event.MACHINE, Detail(text="AMD says machine"))
    machine.happened(*NORMAL)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (Cause.MACHINE, None)
    assert machine.verdict.native.text == "AMD says machine"


def test_no_answering_machine() -> None:
    machine, done = feed(*UP, Event.AGI, Event.PERSON, listens=True)
    assert machine.state is State.TALKING
    assert done[-1] is Do.TELL_ANSWERED


def test_he_hangs_up_while_the_switch_listens() -> None:
    machine, done = feed(*UP, Event.AGI, Event.FAR_HUNG_UP, NOTHING, listens=True)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (Cause.NORMAL, EndedBy.THEM)
    assert done.count(Do.TELL_ANSWERED) == 1


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(Event),
        st.builds(
            Detail,
            code=st.sampled_from([None, 0, 1, 16, 17, 19, 34, 200]),
            tech=st.sampled_from([None, 486, 403]),
            reason=st.sampled_from([None, 0, 3, 5]),
        ),
    ),
    max_size=25,
)


@settings(max_examples=100)
@given(HISTORIES, st.booleans())
def test_any_history(history: list[tuple[Event, Detail]], listens: bool) -> None:
    """Reports in order, each once; nothing is asked of a channel that is gone or without a link; it can always end."""
    machine, link_up = Machine(listens=listens), True
    told: list[str] = []
    for event, detail in [*history, (Event.LINK_BACK, Detail()), (Event.HANG_UP, Detail()), NORMAL, FAILURE]:
        link_up = {Event.LINK_LOST: False, Event.LINK_BACK: True}.get(event, link_up)
        for do in machine.happened(event, detail):
            if do in (Do.CLEAR, Do.LOOK):
                assert link_up
            if do is Do.CLEAR:
                assert machine.channel is not Channel.ASKED
            if do.name.startswith("TELL") or do is Do.FREE:
                told.append(do.name)
    for late in (Event.GRACE_LATE, Event.RELEASE_LATE, Event.ABSENT):
        told += [do.name for do in machine.happened(late) if do.name.startswith("TELL") or do is Do.FREE]
    assert machine.state is State.OVER
    order = ["TELL_DIALING", "TELL_RINGING", "TELL_ANSWERED", "TELL_VERDICT", "FREE"]
    assert told == sorted(set(told), key=order.index), told
    assert told[-2:] == ["TELL_VERDICT", "FREE"]
    assert machine.verdict is not None
    assert ("TELL_ANSWERED" in told) == (machine.verdict.by is not None)
    if "TELL_ANSWERED" in told or "TELL_RINGING" in told:
        assert "TELL_DIALING" in told
