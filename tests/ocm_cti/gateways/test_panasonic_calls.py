"""The call machine: every pair, the verdicts, and any history."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native
from ocm_cti.gateways.panasonic_calls import TABLES, Do, Event, State, Way
from ocm_cti.gateways.panasonic_machine import Leg, Machine

BUSY = Native("csta", "3", "busy")
UP = [Event.MADE, Event.OFFERED, Event.PICKED_UP]
RINGING = [*UP, Event.REACHED, Event.ALERTING]
TALKING = [*RINGING, Event.ANSWERED]
FREE = [Event.OWN_CLEARED, Event.VOICE_LEFT]


def run(
    *events: Event,
    cause: Cause = Cause.UNKNOWN,
    native: Native | None = None,
    dials_after_pick_up: bool = True,
    way: Way = Way.CSTA,
) -> tuple[Machine, list[Do]]:
    machine = Machine(way=way, dials_after_pick_up=dials_after_pick_up)
    done: list[Do] = []
    for event in events:
        done += machine.happened(event, cause, native)
    return machine, done


def verdict(
    *events: Event, cause: Cause = Cause.UNKNOWN, dials_after_pick_up: bool = True
) -> tuple[Cause, EndedBy | None]:
    machine, done = run(*events, cause=cause, dials_after_pick_up=dials_after_pick_up)
    assert machine.verdict is not None, machine.state
    assert done.count(Do.TELL_VERDICT) <= 1
    return machine.verdict.cause, machine.verdict.by


def told(done: list[Do]) -> list[Do]:
    reports = (Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE)
    return [do for do in done if do in reports]


def test_a_whole_call() -> None:
    machine, done = run(*TALKING, Event.FAR_CLEARED, *FREE)
    assert machine.state is State.OVER
    assert told(done) == [Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE]
    assert verdict(*TALKING, Event.FAR_CLEARED, *FREE) == (Cause.NORMAL, EndedBy.THEM)


@pytest.mark.parametrize("order", [FREE, FREE[::-1]])
def test_the_port_is_free_when_both_legs_are_gone(order: list[Event]) -> None:
    machine, _ = run(*TALKING, Event.HANG_UP)
    assert Do.FREE not in machine.happened(order[0])
    assert machine.happened(order[1])[-2:] == [Do.TELL_VERDICT, Do.FREE]


@pytest.mark.parametrize(
    ("events", "cause", "expected"),
    [
        ([*RINGING, Event.FAILED], Cause.BUSY, Cause.BUSY),
        ([*UP, Event.FAILED], Cause.LINE_FAULT, Cause.LINE_FAULT),
        ([*RINGING, Event.FAR_CLEARED], Cause.REJECTED, Cause.REJECTED),
        ([*RINGING, Event.OWN_CLEARED], Cause.REJECTED, Cause.UNREACHABLE),
        ([*RINGING, Event.OWN_CLEARED], Cause.BUSY, Cause.BUSY),
        ([*RINGING, Event.RING_LATE], Cause.UNKNOWN, Cause.NO_ANSWER),
        ([*RINGING, Event.HANG_UP], Cause.UNKNOWN, Cause.CANCELLED),
        ([*RINGING, Event.VOICE_BROKE], Cause.UNKNOWN, Cause.LINE_FAULT),
        # before our extension was picked up nobody was dialled
        ([Event.MADE, Event.FAILED], Cause.NO_ANSWER, Cause.LINE_FAULT),
        ([Event.MADE, Event.FAILED], Cause.INVALID_NUMBER, Cause.INVALID_NUMBER),
        ([Event.MADE, Event.OWN_CLEARED], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.MADE, Event.PICK_UP_LATE], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.REFUSED], Cause.INVALID_NUMBER, Cause.INVALID_NUMBER),
        ([Event.UNSURE], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.LINK_LOST], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.VOICE_LOST], Cause.UNKNOWN, Cause.LINE_FAULT),
        # perhaps picked up: "not answered" can only mean our own extension
        ([Event.MADE, Event.OFFERED, Event.FAILED], Cause.NO_ANSWER, Cause.LINE_FAULT),
        ([Event.MADE, Event.OFFERED, Event.FAILED], Cause.BUSY, Cause.BUSY),
        # MakeCall without an answer, but our extension was rung and picked up
        ([Event.OFFERED, Event.UNSURE, Event.ABSENT], Cause.UNKNOWN, Cause.UNKNOWN),
        # what the link could not tell
        ([*RINGING, Event.LINK_LOST, Event.BLIND_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*RINGING, Event.LINK_LOST, Event.RING_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*RINGING, Event.LINK_LOST, Event.VOICE_LEFT, Event.REASON_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*RINGING, Event.LINK_LOST, Event.LINK_BACK, Event.ABSENT], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*RINGING, Event.LINK_LOST, Event.LINK_BACK, Event.PRESENT, Event.RING_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*RINGING, Event.LINK_LOST, Event.LINK_BACK, Event.PRESENT, Event.FAILED], Cause.BUSY, Cause.BUSY),
        ([*RINGING, Event.LINK_LOST, Event.HANG_UP], Cause.UNKNOWN, Cause.UNKNOWN),
        # ... until the PBX says that it still rings
        (
            [*RINGING, Event.LINK_LOST, Event.LINK_BACK, Event.PRESENT, Event.FAR_ALERTING, Event.RING_LATE],
            Cause.UNKNOWN,
            Cause.NO_ANSWER,
        ),
        # released before the reason
        ([*RINGING, Event.VOICE_LEFT, Event.FAILED], Cause.BUSY, Cause.BUSY),
        ([*RINGING, Event.VOICE_LEFT, Event.REASON_LATE], Cause.UNKNOWN, Cause.UNREACHABLE),
        ([*RINGING, Event.VOICE_LEFT, Event.LINK_LOST], Cause.UNKNOWN, Cause.UNKNOWN),
        # answered, but our own voice never came up
        ([Event.MADE, Event.OFFERED, Event.ANSWERED, Event.PICK_UP_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.MADE, Event.OFFERED, Event.ANSWERED, Event.FAR_CLEARED], Cause.NORMAL, Cause.UNKNOWN),
    ],
)
def test_causes_of_failure(events: list[Event], cause: Cause, expected: Cause) -> None:
    assert verdict(*events, cause=cause) == (expected, None)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*TALKING, Event.FAR_CLEARED], (Cause.NORMAL, EndedBy.THEM)),
        ([*TALKING, Event.OWN_CLEARED], (Cause.NORMAL, EndedBy.THEM)),
        ([*TALKING, Event.VOICE_LEFT], (Cause.NORMAL, EndedBy.THEM)),
        ([*TALKING, Event.FAILED], (Cause.NORMAL, EndedBy.THEM)),
        ([*TALKING, Event.HANG_UP], (Cause.NORMAL, EndedBy.US)),
        ([*TALKING, Event.HANG_UP, Event.FAR_CLEARED], (Cause.NORMAL, EndedBy.US)),
        ([*TALKING, Event.TOO_LONG], (Cause.NORMAL, EndedBy.US)),
        ([*TALKING, Event.LINK_LOST, Event.TOO_LONG], (Cause.NORMAL, EndedBy.US)),
        ([*TALKING, Event.VOICE_BROKE], (Cause.LINE_FAULT, EndedBy.FAULT)),
        ([*TALKING, Event.LINK_LOST, Event.VOICE_LEFT], (Cause.NORMAL, EndedBy.THEM)),
        ([*TALKING, Event.LINK_LOST, Event.LINK_BACK, Event.ABSENT], (Cause.LINE_FAULT, EndedBy.FAULT)),
        # he answered and put it down before we had heard of the answer
        ([*RINGING, Event.VOICE_LEFT, Event.ANSWERED], (Cause.NORMAL, EndedBy.THEM)),
    ],
)
def test_ends_of_an_answered_call(events: list[Event], expected: tuple[Cause, EndedBy]) -> None:
    assert verdict(*events) == expected


def test_where_the_pbx_dials_first_nothing_is_certain_before_the_pick_up() -> None:
    assert verdict(Event.MADE, Event.PICK_UP_LATE, dials_after_pick_up=False) == (Cause.UNKNOWN, None)


def test_an_answer_is_told_when_our_voice_is_up() -> None:
    machine, done = run(Event.MADE, Event.OFFERED, Event.ANSWERED)
    assert machine.state is State.EARLY
    assert told(done) == [Do.TELL_DIALING]
    assert told(machine.happened(Event.PICKED_UP)) == [Do.TELL_ANSWERED]


def test_a_call_without_a_link_is_reported_and_its_port_kept() -> None:
    machine, done = run(*RINGING, Event.LINK_LOST, Event.BLIND_LATE)
    assert Do.HANG_UP in done
    assert told(machine.happened(Event.VOICE_BROKE)) == [Do.TELL_VERDICT]
    assert machine.state is State.HELD
    assert Do.FREE not in machine.happened(Event.LINK_BACK)
    assert Do.CLEAR in machine.happened(Event.PRESENT)
    assert told(machine.happened(Event.OWN_CLEARED)) == [Do.FREE]


def test_an_extension_that_does_not_become_free_is_reported_once_and_kept() -> None:
    machine, _ = run(*TALKING, Event.HANG_UP)
    assert Do.HANG_UP in machine.happened(Event.CLEAR_LATE)
    assert told(machine.happened(Event.RELEASE_LATE)) == [Do.TELL_VERDICT]
    assert told(machine.happened(Event.RELEASE_LATE)) == []
    machine.happened(Event.VOICE_BROKE)
    assert told(machine.happened(Event.ABSENT)) == [Do.FREE]


def test_a_call_that_was_given_up_is_cleared_when_its_number_becomes_known() -> None:
    machine, done = run(Event.HANG_UP)
    assert Do.CLEAR not in done
    assert Do.CLEAR in machine.happened(Event.MADE)


def test_an_extension_that_was_never_rung_is_not_up() -> None:
    """A word of an old voice call does not make this one's."""
    machine, done = run(Event.MADE, Event.PICKED_UP, Event.REACHED, Event.ANSWERED, Event.HANG_UP, Event.CLEAR_LATE)
    assert Do.TELL_ANSWERED not in done
    assert Do.HANG_UP not in done
    assert told(machine.happened(Event.OWN_CLEARED)) == [Do.TELL_VERDICT, Do.FREE]


def test_networkreached_is_ringing_only_where_it_is_set_so() -> None:
    machine = Machine(reached_is_ringing=False)
    for event in UP:
        machine.happened(event)
    assert Do.TELL_RINGING not in machine.happened(Event.REACHED)
    assert Do.TELL_RINGING in machine.happened(Event.ALERTING)


WAYS: dict[State, list[Event]] = {
    State.PLACED: [],
    State.ANSWERING: [Event.OFFERED],
    State.DIALING: UP,
    State.RINGING: RINGING,
    State.EARLY: [Event.OFFERED, Event.ANSWERED],
    State.TALKING: TALKING,
    State.REASON: [*RINGING, Event.VOICE_LEFT],
    State.CLEARING: [*TALKING, Event.HANG_UP],
    State.HELD: [*TALKING, Event.HANG_UP, Event.RELEASE_LATE],
    State.OVER: [*TALKING, Event.HANG_UP, *FREE],
}


#: Events that come only where our extension dials by itself.
OF_SIP = {Event.DIALLED, Event.DIAL_FAILED, Event.PROGRESSED, Event.RUNG, Event.VOICE_REFUSED}
SIP_UP = [Event.DIALLED, Event.ORIGINATED, Event.MADE]
SIP_RINGING = [*SIP_UP, Event.RUNG]
SIP_TALKING = [*SIP_RINGING, Event.PICKED_UP, Event.ANSWERED]
SIP_FREE = [Event.OWN_CLEARED, Event.VOICE_BROKE]
SIP_WAYS: dict[State, list[Event]] = {
    State.PLACED: [Event.DIALLED],
    State.DIALING: SIP_UP,
    State.RINGING: SIP_RINGING,
    State.EARLY: [*SIP_RINGING, Event.ANSWERED],
    State.TALKING: SIP_TALKING,
    State.REASON: [*SIP_RINGING, Event.VOICE_REFUSED],
    State.CLEARING: [*SIP_TALKING, Event.HANG_UP],
    State.HELD: [*SIP_TALKING, Event.HANG_UP, Event.RELEASE_LATE],
    State.OVER: [*SIP_TALKING, Event.HANG_UP, *SIP_FREE],
}
OGM_TALKING = [Event.MADE, Event.ORIGINATED, Event.REACHED, Event.ANSWERED]
OGM_WAYS: dict[State, list[Event]] = {
    State.PLACED: [Event.MADE],
    State.DIALING: [Event.MADE, Event.ORIGINATED],
    State.RINGING: [Event.MADE, Event.ORIGINATED, Event.REACHED],
    State.TALKING: OGM_TALKING,
    State.CLEARING: [*OGM_TALKING, Event.HANG_UP],
    State.HELD: [*OGM_TALKING, Event.HANG_UP, Event.RELEASE_LATE],
    State.OVER: [*OGM_TALKING, Event.HANG_UP, Event.OWN_CLEARED],
}
ALL_WAYS = {Way.CSTA: WAYS, Way.SIP: SIP_WAYS, Way.OGM: OGM_WAYS}
#: Pairs of a table that are not carried out: an INVITE when there has been one, an answer assumed before the pick-up.
HELD_BACK = {(State.ANSWERING, Event.ASSUMED)}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize(("way", "state"), [(way, state) for way, ways in ALL_WAYS.items() for state in ways])
def test_every_pair(way: Way, state: State, event: Event) -> None:
    """A pair of the table leads where it says; any other changes nothing and reports nothing."""
    if way is not Way.SIP and event in OF_SIP:
        return
    machine, _ = run(*ALL_WAYS[way][state], way=way)
    assert machine.state is state
    done = machine.happened(event, Cause.BUSY, BUSY)
    table = TABLES[way]
    offered_twice = event is Event.OFFERED and (way is not Way.CSTA or WAYS[state])
    unheard = event in (Event.ANSWERED, Event.ASSUMED) and not machine.voice_up
    if unheard and state in (State.DIALING, State.RINGING):
        assert machine.state is State.EARLY
    elif (state, event) in table and not offered_twice and (state, event) not in HELD_BACK:
        # CLEARING goes on by itself when nothing is left to be cleared.
        passes = (State.OVER, State.HELD) if table[state, event][0] in (State.CLEARING, State.HELD) else ()
        assert machine.state in (table[state, event][0], *passes)
    elif state in (State.CLEARING, State.HELD):
        assert machine.state in (state, State.OVER, State.HELD)
    else:
        assert machine.state is state
        assert told(done) == []


def possible(way: Way, events: list[Event]) -> list[Event]:
    """Of any events those that can come in this way, the first words of the voice process before its later ones."""
    of_voice = {
        Way.CSTA: {Event.OFFERED, Event.PICKED_UP, Event.VOICE_LEFT, Event.VOICE_BROKE, Event.VOICE_LOST},
        Way.SIP: {*OF_SIP, Event.PICKED_UP, Event.VOICE_LEFT, Event.VOICE_BROKE, Event.VOICE_LOST},
        Way.OGM: set(),
    }
    others = set().union(*of_voice.values()) - of_voice[way]
    return [event for event in events if event not in others]


@settings(max_examples=100)
@given(
    st.sampled_from(list(Way)),
    st.lists(st.sampled_from(list(Event)), max_size=25),
    st.sampled_from([cause for cause in Cause if cause.name != "TRANSFERRED"]),
    st.booleans(),
)
def test_any_history(way: Way, events: list[Event], cause: Cause, dials_after_pick_up: bool) -> None:
    """Reports in order, each once; nothing after the terminal one; free only when both legs are gone."""
    machine = Machine(way=way, dials_after_pick_up=dials_after_pick_up)
    reports: list[Do] = []
    for event in (coming := possible(way, events)):
        done = machine.happened(event, cause, BUSY)
        reports += told(done)
        if Do.FREE in done:
            assert machine.csta is Leg.GONE
            assert machine.voice in (Leg.NONE, Leg.GONE)
            assert machine.state is State.OVER
        if Do.HANG_UP in done or Do.PICK_UP in done:
            assert Event.OFFERED in coming or Event.DIALLED in coming
        assert (Do.TELL_VERDICT in reports) == machine.reported
        assert (machine.verdict is None) == (machine.state not in (State.CLEARING, State.HELD, State.OVER))
    assert len(set(reports)) == len(reports)
    order = [Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE]
    assert reports == [do for do in order if do in reports]
    if machine.verdict is not None:
        assert (machine.verdict.by is not None) == (Do.TELL_ANSWERED in reports)


@settings(max_examples=100)
@given(st.sampled_from(list(Way)), st.lists(st.sampled_from(list(Event)), max_size=15))
def test_every_history_can_be_brought_to_an_end(way: Way, events: list[Event]) -> None:
    """From wherever a call has got to: hang up, both legs go, and it has been reported and freed."""
    machine = Machine(way=way)
    reports: list[Do] = []
    last = [Event.LINK_BACK, Event.HANG_UP, Event.DIALLED, Event.VOICE_BROKE, Event.ABSENT]
    for event in possible(way, [*events, *last]):
        reports += told(machine.happened(event))
    assert machine.state is State.OVER
    assert reports.count(Do.TELL_VERDICT) == reports.count(Do.FREE) == 1


# Where our extension dials by itself


@pytest.mark.parametrize(
    ("events", "cause", "expected"),
    [
        ([*SIP_RINGING, Event.FAILED], Cause.BUSY, Cause.BUSY),
        ([*SIP_RINGING, Event.VOICE_REFUSED, Event.REASON_LATE], Cause.BUSY, Cause.BUSY),
        ([Event.DIALLED, Event.VOICE_REFUSED, Event.REASON_LATE], Cause.INVALID_NUMBER, Cause.INVALID_NUMBER),
        ([Event.DIAL_FAILED], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.DIALLED, Event.VOICE_LOST], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.DIALLED, Event.PICK_UP_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.DIALLED, Event.LINK_LOST, Event.BLIND_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*SIP_RINGING, Event.RING_LATE], Cause.UNKNOWN, Cause.NO_ANSWER),
        ([*SIP_RINGING, Event.ANSWERED, Event.PICK_UP_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([*SIP_RINGING, Event.LINK_LOST, Event.RING_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
    ],
)
def test_causes_of_failure_of_a_call_that_our_extension_dials(
    events: list[Event], cause: Cause, expected: Cause
) -> None:
    machine, _ = run(*events, cause=cause, native=BUSY, way=Way.SIP)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (expected, None)


def test_the_word_of_the_pbx_is_better_than_its_sip_code() -> None:
    machine, _ = run(*SIP_RINGING, way=Way.SIP)
    machine.happened(Event.VOICE_REFUSED, Cause.LINE_FAULT, Native("sip", "503", "Service Unavailable"))
    machine.happened(Event.FAILED, Cause.BUSY, BUSY)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.native) == (Cause.BUSY, BUSY)


def test_a_sip_code_is_better_than_no_reason() -> None:
    sip = Native("sip", "486", "Busy Here")
    machine, _ = run(*SIP_RINGING, way=Way.SIP)
    machine.happened(Event.VOICE_REFUSED, Cause.BUSY, sip)
    machine.happened(Event.OWN_CLEARED, Cause.REJECTED, Native("csta", "48", "normalClearing"))
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.native) == (Cause.BUSY, sip)


def test_a_call_that_is_given_up_while_it_is_dialled_is_hung_up() -> None:
    machine, done = run(Event.HANG_UP, way=Way.SIP)
    assert Do.HANG_UP not in done
    assert Do.HANG_UP in machine.happened(Event.DIALLED)
    assert Do.LOOK in machine.happened(Event.VOICE_BROKE), "perhaps the PBX never had a call"
    assert told(machine.happened(Event.ABSENT)) == [Do.TELL_VERDICT, Do.FREE]


def test_a_200_of_the_pbx_alone_is_no_answer() -> None:
    machine, done = run(*SIP_RINGING, Event.PICKED_UP, way=Way.SIP)
    assert Do.TELL_ANSWERED not in done
    assert Do.TELL_ANSWERED in machine.happened(Event.ANSWERED)


# With the voice of the PBX


def test_a_call_without_a_voice_of_ours() -> None:
    machine, done = run(*OGM_TALKING, Event.FAR_CLEARED, Event.OWN_CLEARED, way=Way.OGM)
    assert machine.state is State.OVER
    assert told(done) == [Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE]
    machine, done = run(Event.MADE, Event.ANSWERED, way=Way.OGM)
    assert told(done) == [Do.TELL_DIALING, Do.TELL_ANSWERED]


@pytest.mark.parametrize(
    ("events", "cause", "expected"),
    [
        ([Event.MADE, Event.FAILED], Cause.BUSY, Cause.BUSY),
        ([Event.MADE, Event.FAR_CLEARED], Cause.REJECTED, Cause.REJECTED),
        ([Event.MADE, Event.FAILED], Cause.NO_ANSWER, Cause.LINE_FAULT),  # of our own telephone
        ([Event.MADE, Event.OWN_CLEARED], Cause.UNKNOWN, Cause.LINE_FAULT),
        ([Event.LINK_LOST], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.UNSURE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.MADE, Event.PICK_UP_LATE], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.MADE, Event.ABSENT], Cause.UNKNOWN, Cause.UNKNOWN),
        ([Event.REFUSED], Cause.LINE_FAULT, Cause.LINE_FAULT),
    ],
)
def test_without_a_voice_of_ours_nothing_holds_the_pbx_back_from_dialling(
    events: list[Event], cause: Cause, expected: Cause
) -> None:
    """Nobody has to pick up first: where nothing is told, the person may have been rung."""
    machine, _ = run(*events, cause=cause, native=BUSY, way=Way.OGM)
    assert machine.verdict is not None
    assert (machine.verdict.cause, machine.verdict.by) == (expected, None)


def test_failed_where_the_pbx_dials_before_we_have_picked_up() -> None:
    assert verdict(Event.MADE, Event.FAILED, cause=Cause.BUSY, dials_after_pick_up=False) == (Cause.BUSY, None)
