"""The life of one placed call on an operator's trunk, as a table; no I/O, no clock.

    PLACED      the voice process has been asked for the call; whether the INVITE has left is not known
    DIALING     the INVITE is on its way
    RINGING     the person's telephone rings
    TALKING     answered
    CLEARING    it is decided how the call ended; the voice process is hanging it up (CANCEL or BYE)
    OVER        the voice process has nothing of it any more; reported, the port is free

A pair that is not in the table changes nothing: it came twice, or too late to mean anything. So an answer that crosses
our CANCEL: the voice process ends that call by BYE, and what was decided stays.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    PLACED = "placed"
    DIALING = "dialing"
    RINGING = "ringing"
    TALKING = "talking"
    CLEARING = "clearing"
    OVER = "over"


class Event(enum.Enum):
    # from the voice process
    DIALLED = "the INVITE is on its way"
    NOT_DIALLED = "nothing was sent"
    VOICE_LOST = "the voice process is gone"
    PROGRESS = "183"
    RINGS = "180"
    ANSWERED = "200"
    REFUSED = "300 to 699"
    UNSENT = "nothing has left for the operator"
    FAR_ENDED = "BYE"
    BROKE = "the call broke"
    HUNG_UP = "the voice process has hung up"
    HANDED_OVER = "transferred"
    # ours
    HANG_UP = "we hung up"
    RING_LATE = "ring timeout"
    TOO_LONG = "the call has lasted too long"


class Do(enum.Enum):
    # reports
    TELL_DIALING = enum.auto()
    TELL_RINGING = enum.auto()
    TELL_ANSWERED = enum.auto()
    TELL_VERDICT = enum.auto()
    FREE = enum.auto()
    # timers
    STOP = enum.auto()  # all of them
    TIME_RING = enum.auto()
    TIME_LIMIT = enum.auto()  # how long an answered call may last
    # deeds
    HANG_UP = enum.auto()  # HUNG_UP or another end follows
    # verdicts; the first one stays
    FAULT = enum.auto()  # failed, by a fault of ours
    BY_CODE = enum.auto()  # failed, as the operator said
    UNSEEN = enum.auto()  # failed, and it can't be told whether somebody was reached
    UNANSWERED = enum.auto()
    CANCELLED = enum.auto()
    BY_THEM = enum.auto()  # ended
    BY_US = enum.auto()
    BY_FAULT = enum.auto()
    BY_TRANSFER = enum.auto()


VERDICTS = frozenset(
    {Do.FAULT, Do.BY_CODE, Do.UNSEEN, Do.UNANSWERED, Do.CANCELLED, Do.BY_THEM, Do.BY_US, Do.BY_FAULT, Do.BY_TRANSFER}
)

Row = tuple[State, tuple[Do, ...]]
Table = dict[tuple[State, Event], Row]

_END = (Do.STOP, Do.TELL_VERDICT, Do.FREE)


def _over(verdict: Do, *before: Do) -> Row:
    """The voice process has told the end."""
    return State.OVER, (*before, verdict, *_END)


def _hang_up(verdict: Do) -> Row:
    """We end it; the report waits until the voice process has."""
    return State.CLEARING, (verdict, Do.STOP, Do.HANG_UP)


_RINGS: Row = (State.RINGING, (Do.TELL_RINGING,))
_ANSWERED: Row = (State.TALKING, (Do.STOP, Do.TIME_LIMIT, Do.TELL_ANSWERED))


def _unanswered(state: State) -> Table:
    """Its INVITE is out."""
    return {
        (state, Event.ANSWERED): _ANSWERED,
        (state, Event.REFUSED): _over(Do.BY_CODE),
        (state, Event.UNSENT): _over(Do.FAULT),
        (state, Event.FAR_ENDED): _over(Do.UNSEEN),  # a dialog that was never told as established
        (state, Event.BROKE): _over(Do.UNSEEN),
        (state, Event.VOICE_LOST): _over(Do.FAULT),
        (state, Event.HUNG_UP): _over(Do.CANCELLED),  # by the voice process, which is being stopped
        (state, Event.HANG_UP): _hang_up(Do.CANCELLED),
        (state, Event.RING_LATE): _hang_up(Do.UNANSWERED),
    }


TABLE: Table = {
    (State.PLACED, Event.DIALLED): (State.DIALING, (Do.TELL_DIALING, Do.TIME_RING)),
    (State.PLACED, Event.NOT_DIALLED): _over(Do.FAULT),
    (State.PLACED, Event.VOICE_LOST): _over(Do.FAULT),
    (State.PLACED, Event.HANG_UP): _hang_up(Do.CANCELLED),
    #
    **_unanswered(State.DIALING),
    (State.DIALING, Event.RINGS): _RINGS,
    **_unanswered(State.RINGING),
    #
    (State.TALKING, Event.FAR_ENDED): _over(Do.BY_THEM),
    (State.TALKING, Event.BROKE): _over(Do.BY_FAULT),
    (State.TALKING, Event.VOICE_LOST): _over(Do.BY_FAULT),
    (State.TALKING, Event.HUNG_UP): _over(Do.BY_US),
    (State.TALKING, Event.HANG_UP): _hang_up(Do.BY_US),
    (State.TALKING, Event.TOO_LONG): _hang_up(Do.BY_US),
    (State.TALKING, Event.HANDED_OVER): _hang_up(Do.BY_TRANSFER),
    #
    (State.CLEARING, Event.DIALLED): (State.CLEARING, (Do.HANG_UP,)),  # hung up before it had a name
    (State.CLEARING, Event.NOT_DIALLED): (State.OVER, _END),
    (State.CLEARING, Event.REFUSED): (State.OVER, _END),
    (State.CLEARING, Event.UNSENT): (State.OVER, _END),
    (State.CLEARING, Event.FAR_ENDED): (State.OVER, _END),
    (State.CLEARING, Event.BROKE): (State.OVER, _END),
    (State.CLEARING, Event.VOICE_LOST): (State.OVER, _END),
    (State.CLEARING, Event.HUNG_UP): (State.OVER, _END),
}
