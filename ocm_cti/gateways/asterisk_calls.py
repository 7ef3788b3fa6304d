"""The life of one placed call on Asterisk, as a table; no I/O, no clock.

All events are those of one channel: its Uniqueid is the ChannelId that we gave to Originate (DestUniqueid in Dial...).
The other half of a Local channel (``ID;2``) and what lies beneath it have other identifiers and are not looked at: the
first half rings, answers and ends as they do.

    PLACED      Originate is on its way or queued
    DIALING     the channel calls the person (DialBegin)
    RINGING     his telephone rings
    UP          he has answered; the dialplan has not come to AGI(agi:async) yet, nothing can be played
    LISTENING   the switch listens whether it is an answering machine
    TALKING     answered, and there is a way to be heard
    WHY         over before an answer; of OriginateResponse and Hangup the other one may still say why
    CLEARING    it is decided how the call ended; the channel is being hung up
    HELD        reported, but it is not known yet that the channel is gone
    OVER        the channel is gone (or the person has been handed over with it); the port is free

A pair that is not in the table changes nothing: it came twice, too late, or too early to mean anything. What an event
says of the channel, of the cause and of who hung up is kept by ``Machine`` (asterisk_machine.py).
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    PLACED = "placed"
    DIALING = "dialing"
    RINGING = "ringing"
    UP = "up"
    LISTENING = "listening"
    TALKING = "talking"
    WHY = "why"
    CLEARING = "clearing"
    HELD = "held"
    OVER = "over"


class Event(enum.Enum):
    # from the switch
    REFUSED = "Originate was refused"
    UNSURE = "Originate without an answer"
    NEW = "Newchannel"
    BEGUN = "DialBegin"
    RINGS = "DialState RINGING, or Newstate Ringing"
    ANSWERED = "Newstate Up, DialEnd ANSWER, or OriginateResponse Success"
    DIAL_ENDED = "DialEnd, not answered"
    AGI = "AsyncAGIStart"
    AGI_ENDED = "AsyncAGIEnd"
    FAR_HUNG_UP = "HangupRequest"
    SWITCH_HUNG_UP = "SoftHangupRequest"
    HANGUP = "Hangup"
    NOT_ORIGINATED = "OriginateResponse Failure"
    NO_SUCH = "there was nothing to hang up"
    PRESENT = "the list of channels has it"
    ABSENT = "the list of channels does not have it"
    LINK_LOST = "link lost"
    LINK_BACK = "link back"
    # of what we asked the channel to do
    PERSON = "no answering machine was heard"
    MACHINE = "an answering machine was heard"
    GREETED = "an answering machine is to be talked to, and its greeting is over"
    HANDED_OVER = "transferred"
    # ours
    HANG_UP = "hang up"
    RING_LATE = "ring timeout"
    NOTHING_LATE = "the switch told nothing of how the call ended"
    GRACE_LATE = "no second word of how the call ended"
    AGI_LATE = "the dialplan did not come to AGI(agi:async)"
    TOO_LONG = "the call has lasted too long"
    BLIND_LATE = "no link for too long"
    CLEAR_LATE = "hanging up takes too long"
    RELEASE_LATE = "the channel is still there"


class Do(enum.Enum):
    # reports
    TELL_DIALING = enum.auto()
    TELL_RINGING = enum.auto()
    TELL_ANSWERED = enum.auto()
    TELL_VERDICT = enum.auto()
    FREE = enum.auto()
    # timers; STOP stops all of them
    STOP = enum.auto()
    STOP_AGI = enum.auto()
    STOP_BLIND = enum.auto()
    TIME_RING = enum.auto()
    TIME_GRACE = enum.auto()
    TIME_AGI = enum.auto()
    TIME_LIMIT = enum.auto()  # how long an answered call may last
    TIME_BLIND = enum.auto()
    TIME_BLIND_ANSWERED = enum.auto()
    TIME_CLEAR = enum.auto()
    TIME_RELEASE = enum.auto()
    # deeds
    LISTEN = enum.auto()  # AMD; PERSON or MACHINE follows
    CLEAR = enum.auto()  # Hangup
    LOOK = enum.auto()  # CoreShowChannels; PRESENT or ABSENT follows
    # verdicts; the first one stays
    BY_REFUSAL = enum.auto()  # failed, nothing was dialled
    BY_CAUSE = enum.auto()  # failed, as the switch said
    UNSEEN = enum.auto()  # failed, and it can't be told whether somebody was reached
    UNANSWERED = enum.auto()
    CANCELLED = enum.auto()
    BY_MACHINE = enum.auto()
    BY_WHOM = enum.auto()  # ended; who asked for it is known from what came before Hangup
    BY_US = enum.auto()
    BY_FAULT = enum.auto()
    BY_TRANSFER = enum.auto()


Row = tuple[State, tuple[Do, ...]]
Table = dict[tuple[State, Event], Row]


def _over(verdict: Do, *before: Do) -> Row:
    return State.CLEARING, (*before, verdict)


_WHY: Row = (State.WHY, (Do.STOP, Do.TIME_GRACE))
_DIALS = (Do.TELL_DIALING, Do.TIME_RING)
_WAS_ANSWERED = (Do.TELL_DIALING, Do.TELL_ANSWERED)
_HEARD: Row = (State.TALKING, (Do.STOP, Do.TIME_LIMIT, *_WAS_ANSWERED))
_PICKED_UP: Row = (State.UP, (Do.STOP, Do.TIME_AGI, Do.TELL_DIALING))

_UNANSWERED = {
    Event.RINGS: (State.RINGING, (*_DIALS, Do.TELL_RINGING)),
    Event.ANSWERED: _PICKED_UP,
    Event.AGI: _HEARD,
    Event.REFUSED: _over(Do.BY_REFUSAL),
    Event.HANGUP: _WHY,
    Event.NOT_ORIGINATED: _WHY,
    Event.ABSENT: _over(Do.UNSEEN),
    Event.HANG_UP: _over(Do.CANCELLED),
    Event.RING_LATE: _over(Do.UNANSWERED),
    Event.NOTHING_LATE: _over(Do.UNSEEN),
    Event.BLIND_LATE: _over(Do.UNSEEN),
}


def _unanswered(state: State) -> Table:
    rows: Table = {(state, event): row for event, row in _UNANSWERED.items()}
    rows[state, Event.UNSURE] = (state, (Do.LOOK,))
    rows[state, Event.LINK_LOST] = (state, (Do.TIME_BLIND,))
    rows[state, Event.LINK_BACK] = (state, (Do.STOP_BLIND,))
    return rows


def _answered(state: State, *told: Do) -> Table:
    """``told`` is what the observer has not heard yet."""
    return {
        (state, Event.HANGUP): _over(Do.BY_WHOM, *told),
        (state, Event.ABSENT): _over(Do.BY_FAULT, *told),
        (state, Event.AGI_LATE): _over(Do.BY_FAULT, *told),
        (state, Event.BLIND_LATE): _over(Do.BY_FAULT, *told),
        (state, Event.HANG_UP): _over(Do.BY_US, *told),
        (state, Event.LINK_BACK): (state, (Do.STOP_BLIND,)),
    }


def _taken_down(state: State) -> Table:
    return {
        (state, Event.PRESENT): (state, (Do.CLEAR,)),
        (state, Event.UNSURE): (state, (Do.LOOK,)),
        (state, Event.CLEAR_LATE): (state, (Do.LOOK, Do.TIME_RELEASE)),
        (state, Event.RELEASE_LATE): (State.HELD, (Do.TELL_VERDICT, Do.LOOK, Do.TIME_RELEASE)),
    }


TABLE: Table = {
    **_unanswered(State.PLACED),
    (State.PLACED, Event.BEGUN): (State.DIALING, _DIALS),
    **_unanswered(State.DIALING),
    **_unanswered(State.RINGING),
    (State.RINGING, Event.RINGS): (State.RINGING, ()),
    #
    **_answered(State.UP, Do.TELL_ANSWERED),
    (State.UP, Event.AGI): _HEARD,
    (State.UP, Event.LINK_LOST): (State.UP, (Do.STOP, Do.TIME_BLIND)),
    (State.UP, Event.LINK_BACK): (State.UP, (Do.STOP, Do.TIME_AGI)),
    #
    **_answered(State.LISTENING, Do.TELL_ANSWERED),
    (State.LISTENING, Event.PERSON): _HEARD,
    (State.LISTENING, Event.MACHINE): _over(Do.BY_MACHINE),
    (State.LISTENING, Event.GREETED): _HEARD,
    (State.LISTENING, Event.LINK_LOST): (State.LISTENING, (Do.TIME_BLIND,)),
    #
    **_answered(State.TALKING),
    (State.TALKING, Event.AGI_ENDED): (State.TALKING, (Do.TIME_AGI,)),
    (State.TALKING, Event.AGI): (State.TALKING, (Do.STOP_AGI,)),
    (State.TALKING, Event.TOO_LONG): _over(Do.BY_US),
    (State.TALKING, Event.HANDED_OVER): _over(Do.BY_TRANSFER),
    (State.TALKING, Event.LINK_LOST): (State.TALKING, (Do.STOP_AGI, Do.TIME_BLIND_ANSWERED)),
    #
    # Machine leaves WHY by GRACE_LATE as soon as there is nothing more to wait for.
    (State.WHY, Event.ANSWERED): _over(Do.BY_WHOM, *_WAS_ANSWERED),
    (State.WHY, Event.AGI): _over(Do.BY_WHOM, *_WAS_ANSWERED),
    (State.WHY, Event.GRACE_LATE): _over(Do.BY_CAUSE),
    (State.WHY, Event.LINK_LOST): _over(Do.BY_CAUSE),
    (State.WHY, Event.ABSENT): _over(Do.BY_CAUSE),
    #
    **_taken_down(State.CLEARING),
    (State.CLEARING, Event.NEW): (State.CLEARING, (Do.CLEAR,)),
    **_taken_down(State.HELD),
    (State.HELD, Event.NEW): (State.HELD, (Do.CLEAR,)),
    (State.HELD, Event.LINK_LOST): (State.HELD, (Do.STOP,)),
    (State.HELD, Event.LINK_BACK): (State.HELD, (Do.TIME_RELEASE,)),
}

#: What it is when the switch listens for an answering machine before we speak.
_LISTENS: Row = (State.LISTENING, (Do.STOP, Do.TELL_DIALING, Do.LISTEN))
LISTENING_TABLE: Table = TABLE | {
    (state, Event.AGI): _LISTENS for state in (State.PLACED, State.DIALING, State.RINGING, State.UP)
}
