"""The four transaction machines of RFC 3261 section 17 as tables, with the ACCEPTED states of RFC 6026; UDP and TCP.

Theory of operation. A machine is in a ``State``; something of ``Happening`` comes up (a message of a kind, a timer, a
response that the transaction's user wants sent); ``TABLE[kind][state, happening]`` says what to do and where to go. A
pair that is not in the table changes nothing: on UDP late and repeated messages are everyday life.

Timers need no rows of their own: ``RUNNING[kind, state]`` is the set of timers that run in a state. Entering a state
starts those that are not running yet and stops all others; a timer whose interval grows starts again when it has fired.
Over a reliable transport nothing is sent again, and nothing waits for what the peer might send again.
Everything that affects the state of a transaction stands in this file; it knows neither messages nor addresses.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

#: Round trip estimate, longest interval of retransmission, lifetime of a message in the network (RFC 3261, table 4)
T1_S = 0.5
T2_S = 4.0
T4_S = 5.0


class Kind(enum.Enum):
    INVITE_CLIENT = "17.1.1"
    CLIENT = "17.1.2"
    INVITE_SERVER = "17.2.1"
    SERVER = "17.2.2"


class State(enum.Enum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"  # RFC 6026: answered with 2xx; ACK and retransmitted 200 are the business of the core
    TERMINATED = "terminated"


class Timer(enum.Enum):
    """RFC 3261 table 4, RFC 6026 section 8.11 (L, M)."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741
    J = "J"
    K = "K"
    L = "L"
    M = "M"


class Happening(enum.Enum):
    PROVISIONAL = "1xx received"
    SUCCESS = "2xx received"
    FAILURE = "3xx-6xx received"
    REQUEST = "the request received again"
    ACK = "ACK received"
    SEND_PROVISIONAL = "send 1xx"
    SEND_SUCCESS = "send 2xx"
    SEND_FAILURE = "send 3xx-6xx"
    TIMER_A = "A"
    TIMER_B = "B"
    TIMER_D = "D"
    TIMER_E = "E"
    TIMER_F = "F"
    TIMER_G = "G"
    TIMER_H = "H"
    TIMER_I = "I"
    TIMER_J = "J"
    TIMER_K = "K"
    TIMER_L = "L"
    TIMER_M = "M"
    LOST = "the connection to the peer is lost, or the message could not be sent"


class Do(enum.Enum):
    SEND = "send the request, or the last response"
    PASS = "pass the message to the user of the transaction"
    ACK = "acknowledge a final response other than 2xx"
    TIME_OUT = "tell the user that nobody answered"
    LOSE = "tell the user that the way to the peer is lost"


@dataclass(frozen=True)
class Rule:
    """First interval; growing timers double up to ``most_s``."""

    first_s: float
    grows: bool = False
    most_s: float = float("inf")


TIMERS: dict[Timer, Rule] = {
    Timer.A: Rule(T1_S, grows=True),
    Timer.B: Rule(64 * T1_S),
    Timer.D: Rule(32.0),
    Timer.E: Rule(T1_S, grows=True, most_s=T2_S),
    Timer.F: Rule(64 * T1_S),
    Timer.G: Rule(T1_S, grows=True, most_s=T2_S),
    Timer.H: Rule(64 * T1_S),
    Timer.I: Rule(T4_S),
    Timer.J: Rule(64 * T1_S),
    Timer.K: Rule(T4_S),
    Timer.L: Rule(64 * T1_S),
    Timer.M: Rule(64 * T1_S),
}

#: Timers that send again: not over a reliable transport (17.1.1.2, 17.1.2.2, 17.2.1).
REPEATING = frozenset({Timer.A, Timer.E, Timer.G})
#: Timers that wait for what the peer sends again: 0 s over a reliable transport (table 4).
LINGERING = frozenset({Timer.D, Timer.I, Timer.J, Timer.K})

INITIAL: dict[Kind, State] = {
    Kind.INVITE_CLIENT: State.CALLING,
    Kind.CLIENT: State.TRYING,
    Kind.INVITE_SERVER: State.PROCEEDING,
    Kind.SERVER: State.TRYING,
}

RUNNING: dict[tuple[Kind, State], frozenset[Timer]] = {
    (Kind.INVITE_CLIENT, State.CALLING): frozenset({Timer.A, Timer.B}),
    (Kind.INVITE_CLIENT, State.PROCEEDING): frozenset(),
    (Kind.INVITE_CLIENT, State.COMPLETED): frozenset({Timer.D}),
    (Kind.INVITE_CLIENT, State.ACCEPTED): frozenset({Timer.M}),
    (Kind.CLIENT, State.TRYING): frozenset({Timer.E, Timer.F}),
    (Kind.CLIENT, State.PROCEEDING): frozenset({Timer.E, Timer.F}),
    (Kind.CLIENT, State.COMPLETED): frozenset({Timer.K}),
    (Kind.INVITE_SERVER, State.PROCEEDING): frozenset(),
    (Kind.INVITE_SERVER, State.COMPLETED): frozenset({Timer.G, Timer.H}),
    (Kind.INVITE_SERVER, State.CONFIRMED): frozenset({Timer.I}),
    (Kind.INVITE_SERVER, State.ACCEPTED): frozenset({Timer.L}),
    (Kind.SERVER, State.TRYING): frozenset(),
    (Kind.SERVER, State.PROCEEDING): frozenset(),
    (Kind.SERVER, State.COMPLETED): frozenset({Timer.J}),
    **{(kind, State.TERMINATED): frozenset() for kind in Kind},
}

Row = tuple[tuple[Do, ...], State]
_S, _H = State, Happening

TABLE: dict[Kind, dict[tuple[State, Happening], Row]] = {
    Kind.INVITE_CLIENT: {
        (_S.CALLING, _H.TIMER_A): ((Do.SEND,), _S.CALLING),
        (_S.CALLING, _H.TIMER_B): ((Do.TIME_OUT,), _S.TERMINATED),
        (_S.CALLING, _H.LOST): ((Do.LOSE,), _S.TERMINATED),
        (_S.CALLING, _H.PROVISIONAL): ((Do.PASS,), _S.PROCEEDING),
        (_S.CALLING, _H.SUCCESS): ((Do.PASS,), _S.ACCEPTED),
        (_S.CALLING, _H.FAILURE): ((Do.ACK, Do.PASS), _S.COMPLETED),
        (_S.PROCEEDING, _H.PROVISIONAL): ((Do.PASS,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SUCCESS): ((Do.PASS,), _S.ACCEPTED),
        (_S.PROCEEDING, _H.FAILURE): ((Do.ACK, Do.PASS), _S.COMPLETED),
        # The peer has it: his answer may still come, by a new connection (18.2.2).
        (_S.PROCEEDING, _H.LOST): ((Do.LOSE,), _S.PROCEEDING),
        (_S.COMPLETED, _H.FAILURE): ((Do.ACK,), _S.COMPLETED),
        (_S.COMPLETED, _H.TIMER_D): ((), _S.TERMINATED),
        (_S.ACCEPTED, _H.SUCCESS): ((Do.PASS,), _S.ACCEPTED),
        (_S.ACCEPTED, _H.TIMER_M): ((), _S.TERMINATED),
    },
    Kind.CLIENT: {
        (_S.TRYING, _H.TIMER_E): ((Do.SEND,), _S.TRYING),
        (_S.TRYING, _H.TIMER_F): ((Do.TIME_OUT,), _S.TERMINATED),
        (_S.TRYING, _H.LOST): ((Do.LOSE,), _S.TERMINATED),
        (_S.TRYING, _H.PROVISIONAL): ((Do.PASS,), _S.PROCEEDING),
        (_S.TRYING, _H.SUCCESS): ((Do.PASS,), _S.COMPLETED),
        (_S.TRYING, _H.FAILURE): ((Do.PASS,), _S.COMPLETED),
        (_S.PROCEEDING, _H.TIMER_E): ((Do.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.TIMER_F): ((Do.TIME_OUT,), _S.TERMINATED),
        (_S.PROCEEDING, _H.LOST): ((Do.LOSE,), _S.TERMINATED),
        (_S.PROCEEDING, _H.PROVISIONAL): ((Do.PASS,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SUCCESS): ((Do.PASS,), _S.COMPLETED),
        (_S.PROCEEDING, _H.FAILURE): ((Do.PASS,), _S.COMPLETED),
        (_S.COMPLETED, _H.TIMER_K): ((), _S.TERMINATED),
    },
    Kind.INVITE_SERVER: {
        (_S.PROCEEDING, _H.REQUEST): ((Do.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SEND_PROVISIONAL): ((Do.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SEND_SUCCESS): ((Do.SEND,), _S.ACCEPTED),
        (_S.PROCEEDING, _H.SEND_FAILURE): ((Do.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _H.REQUEST): ((Do.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _H.TIMER_G): ((Do.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _H.TIMER_H): ((Do.TIME_OUT,), _S.TERMINATED),
        (_S.COMPLETED, _H.ACK): ((), _S.CONFIRMED),
        (_S.CONFIRMED, _H.TIMER_I): ((), _S.TERMINATED),
        (_S.ACCEPTED, _H.SEND_SUCCESS): ((Do.SEND,), _S.ACCEPTED),
        # Its branch should be a new one; some peers repeat that of the INVITE.
        (_S.ACCEPTED, _H.ACK): ((Do.PASS,), _S.ACCEPTED),
        (_S.ACCEPTED, _H.TIMER_L): ((), _S.TERMINATED),
    },
    Kind.SERVER: {
        (_S.TRYING, _H.SEND_PROVISIONAL): ((Do.SEND,), _S.PROCEEDING),
        (_S.TRYING, _H.SEND_SUCCESS): ((Do.SEND,), _S.COMPLETED),
        (_S.TRYING, _H.SEND_FAILURE): ((Do.SEND,), _S.COMPLETED),
        (_S.PROCEEDING, _H.REQUEST): ((Do.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SEND_PROVISIONAL): ((Do.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _H.SEND_SUCCESS): ((Do.SEND,), _S.COMPLETED),
        (_S.PROCEEDING, _H.SEND_FAILURE): ((Do.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _H.REQUEST): ((Do.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _H.TIMER_J): ((), _S.TERMINATED),
    },
}


def received(code: int) -> Happening:
    """What a response of this code is to a client transaction."""
    return _H.PROVISIONAL if code < 200 else _H.SUCCESS if code < 300 else _H.FAILURE


def sending(code: int) -> Happening:
    """What a response of this code is to a server transaction."""
    return _H.SEND_PROVISIONAL if code < 200 else _H.SEND_SUCCESS if code < 300 else _H.SEND_FAILURE


def running(kind: Kind, state: State, reliable: bool) -> frozenset[Timer]:
    """The timers of a state over UDP, or over a reliable transport."""
    return RUNNING[kind, state] - REPEATING if reliable else RUNNING[kind, state]


def next_interval_s(kind: Kind, state: State, timer: Timer, last_s: float | None, reliable: bool = False) -> float:
    """How long a timer runs now. ``last_s`` is its interval before, None when it starts."""
    if reliable and timer in LINGERING:
        return 0.0
    rule = TIMERS[timer]
    if timer is Timer.E and kind is Kind.CLIENT and state is State.PROCEEDING and last_s is not None:
        return T2_S  # 17.1.2.2: once a provisional response has come, E fires every T2
    return rule.first_s if last_s is None else min(2 * last_s, rule.most_s)
