"""The tables of the four transaction machines, pair by pair, and the machine that runs them."""

from __future__ import annotations

import pytest

from protocols.sip.client_transaction import TimedMachine
from protocols.sip.core import Core
from protocols.sip.transactions import (
    INITIAL,
    RUNNING,
    TABLE,
    TIMERS,
    Do,
    Happening,
    Kind,
    State,
    Timer,
    next_interval_s,
    received,
    sending,
)

STATES = {kind: sorted({state for of, state in RUNNING if of is kind}, key=lambda state: state.name) for kind in Kind}
PAIRS = [(kind, state, happening) for kind in Kind for state in STATES[kind] for happening in Happening]


class Machine(TimedMachine):
    """A machine that notes what it is told to do."""

    def __init__(self, kind: Kind, reliable: bool = False) -> None:
        super().__init__(Core("127.0.0.1", 5060, "test", lambda: "t"), kind, reliable)
        self.done: list[Do] = []
        self.forgotten = False
        self.start_timers(0.0)

    def act(self, action: Do, now: float) -> None:
        self.done.append(action)

    def forget(self) -> None:
        self.forgotten = True

    @property
    def running(self) -> set[str]:
        return {name for owner, name in self.core.alarms._at if owner is self}


#: A way from the initial state to every other, as happenings.
WAYS: dict[Kind, dict[State, list[Happening]]] = {
    Kind.INVITE_CLIENT: {
        State.CALLING: [],
        State.PROCEEDING: [Happening.PROVISIONAL],
        State.COMPLETED: [Happening.PROVISIONAL, Happening.FAILURE],
        State.ACCEPTED: [Happening.SUCCESS],
        State.TERMINATED: [Happening.TIMER_B],
    },
    Kind.CLIENT: {
        State.TRYING: [],
        State.PROCEEDING: [Happening.PROVISIONAL],
        State.COMPLETED: [Happening.SUCCESS],
        State.TERMINATED: [Happening.TIMER_F],
    },
    Kind.INVITE_SERVER: {
        State.PROCEEDING: [],
        State.COMPLETED: [Happening.SEND_PROVISIONAL, Happening.SEND_FAILURE],
        State.CONFIRMED: [Happening.SEND_FAILURE, Happening.ACK],
        State.ACCEPTED: [Happening.SEND_SUCCESS],
        State.TERMINATED: [Happening.SEND_FAILURE, Happening.ACK, Happening.TIMER_I],
    },
    Kind.SERVER: {
        State.TRYING: [],
        State.PROCEEDING: [Happening.SEND_PROVISIONAL],
        State.COMPLETED: [Happening.SEND_FAILURE],
        State.TERMINATED: [Happening.SEND_SUCCESS, Happening.TIMER_J],
    },
}


@pytest.mark.parametrize(("kind", "state", "happening"), PAIRS, ids=lambda value: value.name)
def test_every_pair(kind: Kind, state: State, happening: Happening) -> None:
    """A pair of the table does what it says and leaves exactly the timers of the new state running; any other pair
    changes nothing at all."""
    machine = Machine(kind)
    for step in WAYS[kind][state]:
        assert machine.happen(step, 0.0)
    assert machine.state is state
    before, machine.done = machine.running, []
    row = TABLE[kind].get((state, happening))
    assert machine.happen(happening, 0.0) is (row is not None)
    if row is None:
        assert (machine.state, machine.done, machine.running) == (state, [], before)
    else:
        actions, after = row
        assert machine.state is after
        assert machine.done == list(actions)
        assert machine.running == {timer.value for timer in RUNNING[kind, after]}
        assert machine.forgotten is (after is State.TERMINATED)


def test_the_tables_are_whole() -> None:
    """Every state has its timers and a way to it; every timer that runs in a state has a row there."""
    for kind, table in TABLE.items():
        assert set(WAYS[kind]) == set(STATES[kind])
        assert INITIAL[kind] in STATES[kind]
        for (state, _), (_, after) in table.items():
            assert (kind, state) in RUNNING and (kind, after) in RUNNING
        for state in STATES[kind]:
            for timer in RUNNING[kind, state]:
                assert (state, Happening(timer.value)) in table
            # A timer that does not leave its state must be one that grows, or it would never fire again.
            for timer in RUNNING[kind, state]:
                stays = table[state, Happening(timer.value)][1] is state
                assert stays is TIMERS[timer].grows


@pytest.mark.parametrize(
    ("kind", "happenings", "fires_at_s", "last_s"),
    [
        pytest.param(Kind.INVITE_CLIENT, [], [0.5, 1.5, 3.5, 7.5, 15.5, 31.5], 32.0, id="A-B"),
        pytest.param(Kind.INVITE_CLIENT, [Happening.FAILURE], [], 32.0, id="D"),
        pytest.param(Kind.INVITE_CLIENT, [Happening.SUCCESS], [], 32.0, id="M"),
        pytest.param(Kind.CLIENT, [], [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], 32.0, id="E-F"),
        pytest.param(
            Kind.CLIENT,
            [Happening.PROVISIONAL],
            [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5],
            32.0,
            id="E-F-1xx",
        ),
        pytest.param(Kind.CLIENT, [Happening.SUCCESS], [], 5.0, id="K"),
        pytest.param(
            Kind.INVITE_SERVER,
            [Happening.SEND_FAILURE],
            [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5],
            32.0,
            id="G-H",
        ),
        pytest.param(Kind.INVITE_SERVER, [Happening.SEND_FAILURE, Happening.ACK], [], 5.0, id="I"),
        pytest.param(Kind.INVITE_SERVER, [Happening.SEND_SUCCESS], [], 32.0, id="L"),
        pytest.param(Kind.SERVER, [Happening.SEND_SUCCESS], [], 32.0, id="J"),
    ],
)
def test_when_timers_fire(kind: Kind, happenings: list[Happening], fires_at_s: list[float], last_s: float) -> None:
    """Retransmissions at the times of RFC 3261 section 17 and the end after the last timer."""
    machine = Machine(kind)
    for happening in happenings:
        machine.happen(happening, 0.0)
    machine.done = []
    sent_at = []
    while (at := machine.core.alarms.next_at()) is not None:
        count = machine.done.count(Do.SEND)
        machine.core.alarms.ring(at)
        sent_at += [at] * (machine.done.count(Do.SEND) - count)
        end = at
    assert sent_at == fires_at_s
    assert (machine.state, end, machine.forgotten) == (State.TERMINATED, last_s, True)


@pytest.mark.parametrize(
    ("kind", "happenings", "last_s"),
    [
        pytest.param(Kind.INVITE_CLIENT, [], 32.0, id="B"),
        pytest.param(Kind.INVITE_CLIENT, [Happening.FAILURE], 0.0, id="D"),
        pytest.param(Kind.INVITE_CLIENT, [Happening.SUCCESS], 32.0, id="M"),
        pytest.param(Kind.CLIENT, [], 32.0, id="F"),
        pytest.param(Kind.CLIENT, [Happening.PROVISIONAL], 32.0, id="F-1xx"),
        pytest.param(Kind.CLIENT, [Happening.SUCCESS], 0.0, id="K"),
        pytest.param(Kind.INVITE_SERVER, [Happening.SEND_FAILURE], 32.0, id="H"),
        pytest.param(Kind.INVITE_SERVER, [Happening.SEND_FAILURE, Happening.ACK], 0.0, id="I"),
        pytest.param(Kind.SERVER, [Happening.SEND_SUCCESS], 0.0, id="J"),
    ],
)
def test_over_a_reliable_transport(kind: Kind, happenings: list[Happening], last_s: float) -> None:
    """Nothing is sent again, and nothing lingers for what can't come again."""
    machine = Machine(kind, reliable=True)
    for happening in happenings:
        machine.happen(happening, 0.0)
    machine.done = []
    while (at := machine.core.alarms.next_at()) is not None:
        machine.core.alarms.ring(at)
        end = at
    assert Do.SEND not in machine.done
    assert (machine.state, end, machine.forgotten) == (State.TERMINATED, last_s, True)


def test_codes_are_happenings() -> None:
    """1xx, 2xx and the rest, on both sides."""
    assert [received(code) for code in (100, 199, 200, 299, 300, 699)] == [
        *[Happening.PROVISIONAL] * 2,
        *[Happening.SUCCESS] * 2,
        *[Happening.FAILURE] * 2,
    ]
    assert [sending(code) for code in (180, 200, 486)] == [
        Happening.SEND_PROVISIONAL,
        Happening.SEND_SUCCESS,
        Happening.SEND_FAILURE,
    ]


def test_intervals_grow_to_their_limit() -> None:
    """A doubles without end, G stops at T2."""
    interval_s = 0.5
    for _ in range(5):
        interval_s = next_interval_s(Kind.INVITE_CLIENT, State.CALLING, Timer.A, interval_s)
    assert interval_s == 16.0
    assert next_interval_s(Kind.INVITE_SERVER, State.COMPLETED, Timer.G, 4.0) == 4.0
