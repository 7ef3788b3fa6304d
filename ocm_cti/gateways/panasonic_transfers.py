"""The life of a transfer of an answered call to an extension of the PBX, as a table; no I/O, no clock.

    HOLDING      the person is being put on hold                            (hold_make_call)
    CALLING      the call to the operator is being made
    WAITING      the operator is being called; he rings or answers
    JOINING      the PBX was asked to connect person and operator           (single_step begins here)
    REFERRING    the PBX was asked so by SIP                                (refer)
    LEAVING      it has agreed; our extension is being taken out of the call
    DROPPING     no operator: what there is of the call to him is being cleared
    RETURNING    the person is being got back from hold
    CHECKING     what the PBX has now is not known: a snapshot tells
    DOUBTING     ... once more, after the person could not be got back
    BLIND        the link went: the snapshot after its return tells
    BLIND_JOIN   ... and by then the person may have been handed over
    OVER

No real PBX has shown which of these services it has, and what it tells meanwhile (RE: HoldCall and TransferCall are
in an open client, ConsultationCall in the comments of its private data): ``METHODS`` has four ways, one per setting.
A pair that is not in the table changes nothing.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    HOLDING = "holding"
    CALLING = "calling"
    WAITING = "waiting"
    JOINING = "joining"
    REFERRING = "referring"
    LEAVING = "leaving"
    DROPPING = "dropping"
    RETURNING = "returning"
    CHECKING = "checking"
    DOUBTING = "doubting"
    BLIND = "blind"
    BLIND_JOIN = "blind_join"
    OVER = "over"


class Event(enum.Enum):
    HELD = "HoldCall result"
    CALLED = "result with the callID of the second call"
    READY = "the operator rings or has answered, whichever is waited for"
    AGREED = "TransferCall result, or REFER accepted"
    REFUSED = "the request was refused"
    UNSURE = "no answer to the request"
    UNASKED = "there was no link to begin with"
    FAILED = "the operator's call failed or was cleared"
    LATE = "the operator takes too long"
    OUT = "our extension is out of the call"
    LEAVE_LATE = "our extension is still in the call"
    DROPPED = "the second call is cleared"
    BACK = "the person is back from hold"
    # a snapshot shows
    SECOND = "a second call"
    ON_HOLD = "the person on hold, and nothing else"
    CONNECTED = "the person connected with us, and nothing else"
    NOTHING = "nothing"
    LINK_LOST = "link lost"
    BLIND_LATE = "no link, or no snapshot, for too long"


class Do(enum.Enum):
    HOLD = enum.auto()  # holdCall
    CONSULT = enum.auto()  # consultationCall
    MAKE = enum.auto()  # makeCall, with the person on hold
    STEP = enum.auto()  # singleStepTrans
    REFER = enum.auto()  # SIP REFER
    JOIN = enum.auto()  # transferCall
    DROP = enum.auto()  # clearConnection of the second call
    RETRIEVE = enum.auto()  # retrieveCall
    LOOK = enum.auto()  # SnapshotDevice
    TIME_WAIT = enum.auto()
    TIME_LEAVE = enum.auto()
    TIME_BLIND = enum.auto()
    STOP = enum.auto()  # the timer
    # ends
    DONE = enum.auto()
    FAIL = enum.auto()  # the person is with us
    STRAND = enum.auto()  # he can't be got back


Row = tuple[State, tuple[Do, ...]]
Table = dict[tuple[State, Event], Row]

#: How it begins, by the setting ``transfer``.
METHODS: dict[str, Row] = {
    "consultation": (State.CALLING, (Do.TIME_WAIT, Do.CONSULT)),
    "hold_make_call": (State.HOLDING, (Do.HOLD,)),
    "single_step": (State.JOINING, (Do.STEP,)),
    "refer": (State.REFERRING, (Do.TIME_WAIT, Do.REFER)),
}

_CHECK: Row = (State.CHECKING, (Do.STOP, Do.TIME_BLIND, Do.LOOK))
_DOUBT: Row = (State.DOUBTING, (Do.TIME_BLIND, Do.LOOK))
_DROP: Row = (State.DROPPING, (Do.STOP, Do.DROP))
_RETRIEVE: Row = (State.RETURNING, (Do.STOP, Do.RETRIEVE))
_DONE: Row = (State.OVER, (Do.STOP, Do.DONE))
_FAIL: Row = (State.OVER, (Do.STOP, Do.FAIL))
_STRAND: Row = (State.OVER, (Do.STOP, Do.STRAND))
_BLIND: Row = (State.BLIND, (Do.STOP, Do.TIME_BLIND))
_BLIND_JOIN: Row = (State.BLIND_JOIN, (Do.STOP, Do.TIME_BLIND))

#: What a snapshot leads to.
_SEEN: dict[Event, Row] = {Event.SECOND: _DROP, Event.ON_HOLD: _RETRIEVE, Event.CONNECTED: _FAIL}

TABLE: Table = {
    (State.HOLDING, Event.HELD): (State.CALLING, (Do.TIME_WAIT, Do.MAKE)),
    (State.HOLDING, Event.REFUSED): _FAIL,
    (State.HOLDING, Event.UNASKED): _FAIL,
    (State.HOLDING, Event.UNSURE): _CHECK,
    (State.HOLDING, Event.LINK_LOST): _BLIND,
    #
    (State.CALLING, Event.CALLED): (State.WAITING, ()),
    (State.CALLING, Event.REFUSED): _CHECK,  # whether the person has been put on hold before is not known
    (State.CALLING, Event.UNASKED): _FAIL,
    (State.CALLING, Event.UNSURE): _CHECK,
    (State.CALLING, Event.LATE): _CHECK,
    (State.CALLING, Event.LINK_LOST): _BLIND,
    #
    (State.WAITING, Event.READY): (State.JOINING, (Do.STOP, Do.JOIN)),
    (State.WAITING, Event.FAILED): _DROP,
    (State.WAITING, Event.LATE): _DROP,
    (State.WAITING, Event.LINK_LOST): _BLIND,
    #
    (State.JOINING, Event.AGREED): (State.LEAVING, (Do.TIME_LEAVE,)),
    (State.JOINING, Event.OUT): _DONE,
    (State.JOINING, Event.REFUSED): _CHECK,
    (State.JOINING, Event.UNASKED): _FAIL,
    (State.JOINING, Event.UNSURE): (State.BLIND_JOIN, (Do.STOP, Do.TIME_BLIND, Do.LOOK)),
    (State.JOINING, Event.NOTHING): _DONE,
    (State.JOINING, Event.LINK_LOST): _BLIND_JOIN,
    #
    (State.REFERRING, Event.AGREED): (State.LEAVING, (Do.TIME_LEAVE,)),
    (State.REFERRING, Event.OUT): _DONE,
    (State.REFERRING, Event.REFUSED): _FAIL,
    (State.REFERRING, Event.LATE): _FAIL,  # it can't be taken back; if it succeeds yet, he is handed over yet
    #
    (State.LEAVING, Event.OUT): _DONE,
    (State.LEAVING, Event.NOTHING): _DONE,
    (State.LEAVING, Event.LEAVE_LATE): _DONE,  # it was agreed; what is left of us there is cleared with the call
    (State.LEAVING, Event.LINK_LOST): _DONE,
    #
    (State.DROPPING, Event.DROPPED): _RETRIEVE,
    (State.DROPPING, Event.REFUSED): _RETRIEVE,  # perhaps gone by itself; if not, this is refused too
    (State.DROPPING, Event.UNSURE): _RETRIEVE,
    (State.DROPPING, Event.LINK_LOST): _BLIND,
    #
    (State.RETURNING, Event.BACK): _FAIL,
    (State.RETURNING, Event.REFUSED): _DOUBT,  # perhaps he was back by himself
    (State.RETURNING, Event.UNSURE): _DOUBT,
    (State.RETURNING, Event.LINK_LOST): _BLIND,
    #
    **{(State.CHECKING, event): row for event, row in _SEEN.items()},
    (State.CHECKING, Event.LINK_LOST): _BLIND,
    (State.CHECKING, Event.BLIND_LATE): _RETRIEVE,  # no snapshot is to be had; he may be on hold
    (State.DOUBTING, Event.CONNECTED): _FAIL,
    (State.DOUBTING, Event.ON_HOLD): _STRAND,
    (State.DOUBTING, Event.SECOND): _STRAND,
    (State.DOUBTING, Event.BLIND_LATE): _STRAND,
    (State.DOUBTING, Event.LINK_LOST): _BLIND,
    #
    **{(State.BLIND, event): row for event, row in _SEEN.items()},
    (State.BLIND, Event.BLIND_LATE): _STRAND,
    **{(State.BLIND_JOIN, event): row for event, row in _SEEN.items()},
    (State.BLIND_JOIN, Event.NOTHING): _DONE,
    (State.BLIND_JOIN, Event.OUT): _DONE,
    (State.BLIND_JOIN, Event.BLIND_LATE): _STRAND,
}

#: Our extension may leave the call by success here; elsewhere the person has gone, or the PBX has thrown us out.
LEAVES_BY_SUCCESS = frozenset({State.JOINING, State.LEAVING, State.BLIND_JOIN})
