"""The life of one call of the simulated PBX, as a table. "Extension" is its origin, "far" whom it leads to.

    RINGING_EXTENSION   MakeCall was accepted; the caller's own extension rings
    DIALING             the extension is off-hook, digits go out
    PROCEEDING          a trunk is seized and the number sent; nothing came back yet
    ALERTING            the outside telephone or the called extension rings; a call from outside begins here
    TALKING             somebody answered; whether a side holds the call stands apart (calls.py)
    ON_TONE             the call failed or the far end left; the extension hears tone until it is cleared
    OVER                no connection is left; the record is dropped

``TABLE[state, event]`` gives the next state and what to do, in order. A pair that is not in the table is ignored: it is
something that came too late (a SIP answer after the caller was cleared), which a PBX swallows. Everything that affects
the state of a call stands in this file; what the deeds mean stands in switch.py.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    RINGING_EXTENSION = enum.auto()
    DIALING = enum.auto()
    PROCEEDING = enum.auto()
    ALERTING = enum.auto()
    TALKING = enum.auto()
    ON_TONE = enum.auto()
    OVER = enum.auto()


class Event(enum.Enum):
    EXTENSION_ANSWERED = enum.auto()
    EXTENSION_UNANSWERED = enum.auto()  # refused, unreachable, or rang too long
    EXTENSION_GONE = enum.auto()  # it hung up, or its SIP dialog broke; of an incoming call: the caller left
    CLEARED = enum.auto()  # ClearConnection
    SEIZED = enum.auto()  # digits complete, a trunk taken
    RINGS_INSIDE = enum.auto()  # digits complete, an extension is called
    NOT_DIALABLE = enum.auto()  # digits complete, but no such destination, no trunk, or it is busy
    NOT_DIALABLE_FREEING = enum.auto()  # the same, and the caller is on-hook then
    FAR_ALERTS = enum.auto()
    FAR_ANSWERS = enum.auto()
    FAR_REFUSES = enum.auto()
    FAR_REFUSES_FREEING = enum.auto()  # with a cause after which the caller is on-hook
    FAR_RELEASES = enum.auto()  # the far end hung up, and the PBX frees the caller
    FAR_LEAVES = enum.auto()  # the far end hung up, and the PBX leaves the caller on tone
    ANSWER_ASSUMED = enum.auto()  # analogue trunk: the call timer began
    TONE_OVER = enum.auto()


class Do(enum.Enum):
    REPORT_ORIGINATED = enum.auto()
    REPORT_REACHED = enum.auto()
    REPORT_DELIVERED = enum.auto()
    REPORT_ESTABLISHED = enum.auto()
    REPORT_ESTABLISHED_BY_TIMER = enum.auto()
    REPORT_FAILED = enum.auto()
    REPORT_FAR_FAILED = enum.auto()
    REPORT_UNANSWERED = enum.auto()
    REPORT_FAR_CLEARED = enum.auto()
    WRITE_DIALED = enum.auto()
    WRITE_RANG = enum.auto()
    WRITE_ANSWERED = enum.auto()
    WRITE_FAILED = enum.auto()
    DIAL = enum.auto()
    CALL_OUT = enum.auto()
    RING_FAR = enum.auto()
    RINGBACK = enum.auto()
    CONNECT = enum.auto()
    TONE = enum.auto()
    RELEASE_EXTENSION = enum.auto()
    FREE_TRUNK = enum.auto()
    FINISH = enum.auto()  # complete the recordings and write "ended", before anything about it leaves
    END = enum.auto()  # report what is still connected as cleared, forget the call


# RELEASE_EXTENSION is for every telephone still on the line; one that has left by itself is not told again.
_CLEAR = (State.OVER, (Do.FINISH, Do.RELEASE_EXTENSION, Do.END))
_GONE = _CLEAR
_FAR_REFUSES = (State.ON_TONE, (Do.WRITE_FAILED, Do.REPORT_FAR_FAILED, Do.FREE_TRUNK, Do.TONE))
_FAR_REFUSES_FREEING = (State.OVER, (Do.WRITE_FAILED, Do.FINISH, Do.REPORT_FAR_FAILED, Do.RELEASE_EXTENSION, Do.END))
_FAR_ANSWERS = (State.TALKING, (Do.WRITE_ANSWERED, Do.REPORT_ESTABLISHED, Do.CONNECT))

TABLE: dict[tuple[State, Event], tuple[State, tuple[Do, ...]]] = {
    (State.RINGING_EXTENSION, Event.EXTENSION_ANSWERED): (State.DIALING, (Do.REPORT_ORIGINATED, Do.DIAL)),
    (State.RINGING_EXTENSION, Event.EXTENSION_UNANSWERED): (
        State.OVER,
        (Do.WRITE_FAILED, Do.FINISH, Do.REPORT_UNANSWERED, Do.RELEASE_EXTENSION, Do.END),
    ),
    (State.RINGING_EXTENSION, Event.EXTENSION_GONE): (
        State.OVER,
        (Do.WRITE_FAILED, Do.FINISH, Do.REPORT_UNANSWERED, Do.RELEASE_EXTENSION, Do.END),
    ),
    (State.RINGING_EXTENSION, Event.CLEARED): _CLEAR,
    (State.DIALING, Event.SEIZED): (State.PROCEEDING, (Do.WRITE_DIALED, Do.REPORT_REACHED, Do.CALL_OUT)),
    (State.DIALING, Event.RINGS_INSIDE): (
        State.ALERTING,
        (Do.WRITE_RANG, Do.RING_FAR, Do.REPORT_DELIVERED, Do.RINGBACK),
    ),
    (State.DIALING, Event.NOT_DIALABLE): (State.ON_TONE, (Do.WRITE_FAILED, Do.REPORT_FAILED, Do.TONE)),
    (State.DIALING, Event.NOT_DIALABLE_FREEING): (
        State.OVER,
        (Do.WRITE_FAILED, Do.FINISH, Do.REPORT_FAILED, Do.RELEASE_EXTENSION, Do.END),
    ),
    (State.DIALING, Event.CLEARED): _CLEAR,
    (State.DIALING, Event.EXTENSION_GONE): _GONE,
    (State.PROCEEDING, Event.FAR_ALERTS): (State.ALERTING, (Do.REPORT_DELIVERED, Do.RINGBACK)),
    (State.PROCEEDING, Event.FAR_ANSWERS): _FAR_ANSWERS,
    (State.PROCEEDING, Event.FAR_REFUSES): _FAR_REFUSES,
    (State.PROCEEDING, Event.FAR_REFUSES_FREEING): _FAR_REFUSES_FREEING,
    (State.PROCEEDING, Event.ANSWER_ASSUMED): (State.PROCEEDING, (Do.REPORT_ESTABLISHED_BY_TIMER,)),
    (State.PROCEEDING, Event.CLEARED): _CLEAR,
    (State.PROCEEDING, Event.EXTENSION_GONE): _GONE,
    (State.ALERTING, Event.FAR_ANSWERS): _FAR_ANSWERS,
    (State.ALERTING, Event.FAR_REFUSES): _FAR_REFUSES,
    (State.ALERTING, Event.FAR_REFUSES_FREEING): _FAR_REFUSES_FREEING,
    (State.ALERTING, Event.ANSWER_ASSUMED): (State.ALERTING, (Do.REPORT_ESTABLISHED_BY_TIMER,)),
    (State.ALERTING, Event.CLEARED): _CLEAR,
    (State.ALERTING, Event.EXTENSION_GONE): _GONE,
    (State.TALKING, Event.FAR_RELEASES): (State.OVER, (Do.FINISH, Do.REPORT_FAR_CLEARED, Do.RELEASE_EXTENSION, Do.END)),
    (State.TALKING, Event.FAR_LEAVES): (State.ON_TONE, (Do.REPORT_FAR_CLEARED, Do.FREE_TRUNK, Do.TONE)),
    (State.TALKING, Event.ANSWER_ASSUMED): (State.TALKING, (Do.REPORT_ESTABLISHED_BY_TIMER,)),
    (State.TALKING, Event.CLEARED): _CLEAR,
    (State.TALKING, Event.EXTENSION_GONE): _GONE,
    (State.ON_TONE, Event.ANSWER_ASSUMED): (State.ON_TONE, (Do.REPORT_ESTABLISHED_BY_TIMER,)),
    (State.ON_TONE, Event.CLEARED): _CLEAR,
    (State.ON_TONE, Event.EXTENSION_GONE): _GONE,
    (State.ON_TONE, Event.TONE_OVER): _CLEAR,
}
