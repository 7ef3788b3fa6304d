"""The life of one placed call on a Panasonic robot extension, as a table; no I/O, no clock.

Two legs make one call: what the PBX knows (``csta``) and our extension's SIP dialog (``voice``). Either may end first,
and either side's word may come first. The table decides what is reported and when; ``Machine``
(panasonic_machine.py) keeps the legs.

    PLACED      MakeCall is on its way or done; our own extension has not been rung yet
    ANSWERING   the PBX rang our extension and we have picked up; nothing has confirmed it yet
    DIALING     our extension is off the hook, the PBX is calling the person
    RINGING     a trunk was reached, or the person's telephone rings
    EARLY       the person has answered, but our own voice is not up yet
    TALKING     answered
    REASON      our extension was released before an answer; the PBX is given a moment to say why
    CLEARING    it is decided how the call ended; both legs are being taken down
    HELD        reported, but the PBX or the voice process has not let go of the extension yet
    OVER        both legs are gone, the port is free

A pair that is not in the table changes nothing: it came twice, too late, or too early to mean anything.

``TABLES`` has a table for each way in which a call is begun. Where our extension dials by itself (SIP), or has no voice
of ours (OGM), nobody rings it first: PLACED leads to DIALING by Originated, and ANSWERING is never entered.
"""

from __future__ import annotations

import enum


class Way(enum.Enum):
    """How a call is begun, and whether it has a voice leg."""

    CSTA = "csta"  # MakeCall; the PBX rings our extension
    SIP = "sip"  # our extension dials the digits itself; CSTA only watches
    OGM = "ogm"  # MakeCall; the PBX takes our extension off the hook, and the voice is the PBX's own


class State(enum.Enum):
    PLACED = "placed"
    ANSWERING = "answering"
    DIALING = "dialing"
    RINGING = "ringing"
    EARLY = "early"
    TALKING = "talking"
    REASON = "reason"
    CLEARING = "clearing"
    HELD = "held"
    OVER = "over"


class Event(enum.Enum):
    # from the PBX
    MADE = "MakeCall result, or the callID learned otherwise"
    REFUSED = "MakeCall error"
    UNSURE = "MakeCall without an answer"
    ORIGINATED = "Originated: our extension has dialled"
    REACHED = "NetworkReached"
    ALERTING = "Delivered at the far side"
    ANSWERED = "Established of the far side"
    ASSUMED = "answered by our timer"
    FAILED = "Failed"
    FAR_CLEARED = "ConnectionCleared of the far side"
    OWN_CLEARED = "ConnectionCleared of our extension"
    PRESENT = "a snapshot shows the call"
    FAR_ALERTING = "a snapshot shows the far side alerting"
    ABSENT = "a snapshot shows no call, or there was nothing to clear"
    LINK_LOST = "link lost"
    LINK_BACK = "link back, our extension is monitored"
    # from the voice process
    OFFERED = "the PBX rings our extension"
    PICKED_UP = "our answer is confirmed"
    DIALLED = "our INVITE is on its way"
    DIAL_FAILED = "our extension can't dial"
    PROGRESSED = "the PBX works on our INVITE"
    RUNG = "the PBX says by SIP that it rings"
    VOICE_REFUSED = "the PBX turned our INVITE down"
    VOICE_LEFT = "our extension was released"
    VOICE_BROKE = "our extension's call broke"
    VOICE_LOST = "the voice process is gone"
    # ours
    HANG_UP = "hang up"
    HANDED_OVER = "transferred"
    STRANDED = "a transfer failed and the person can't be got back"
    PICK_UP_LATE = "our extension is not up in time"
    RING_LATE = "ring timeout"
    REASON_LATE = "no reason was given"
    TOO_LONG = "the call has lasted too long"
    BLIND_LATE = "no link for too long"
    CLEAR_LATE = "clearing takes too long"
    RELEASE_LATE = "the extension is still not free"


class Do(enum.Enum):
    # reports
    TELL_DIALING = enum.auto()
    TELL_RINGING = enum.auto()
    TELL_ANSWERED = enum.auto()
    TELL_VERDICT = enum.auto()
    FREE = enum.auto()
    # timers; STOP stops all of them
    STOP = enum.auto()
    STOP_PICK_UP = enum.auto()
    TIME_PICK_UP = enum.auto()
    TIME_RING = enum.auto()
    TIME_ASSUME = enum.auto()
    TIME_REASON = enum.auto()
    TIME_LIMIT = enum.auto()  # how long an answered call may last
    TIME_BLIND = enum.auto()
    STOP_BLIND = enum.auto()
    TIME_CLEAR = enum.auto()
    TIME_RELEASE = enum.auto()
    # deeds
    PICK_UP = enum.auto()
    CLEAR = enum.auto()
    HANG_UP = enum.auto()
    LOOK = enum.auto()  # SnapshotDevice; PRESENT or ABSENT follows
    # verdicts; the first one stays
    BY_CAUSE = enum.auto()  # failed, as the PBX said
    BY_CAUSE_PLACED = enum.auto()  # ... before our extension was up: only a wrong number is the person's
    DROPPED = enum.auto()  # failed, released without a reason
    UNPLACED = enum.auto()  # failed, a fault, and nobody was dialled
    FAULT = enum.auto()  # failed, a fault; unanswered as far as the link could tell
    UNSEEN = enum.auto()  # failed, and it can't be told whether somebody was reached
    UNANSWERED = enum.auto()
    CANCELLED = enum.auto()
    BY_THEM = enum.auto()
    BY_US = enum.auto()
    BY_FAULT = enum.auto()
    BY_TRANSFER = enum.auto()


Row = tuple[State, tuple[Do, ...]]
Table = dict[tuple[State, Event], Row]


def _over(verdict: Do, *before: Do) -> Row:
    return State.CLEARING, (*before, verdict)


_ANSWERED = (State.TALKING, (Do.STOP, Do.TIME_LIMIT, Do.TELL_ANSWERED))

_DIALED = {
    # DIALING and RINGING differ in what has been told only.
    Event.ANSWERED: _ANSWERED,
    Event.ASSUMED: _ANSWERED,
    Event.FAILED: _over(Do.BY_CAUSE),
    Event.FAR_CLEARED: _over(Do.BY_CAUSE),
    Event.OWN_CLEARED: _over(Do.DROPPED),
    Event.REFUSED: _over(Do.BY_CAUSE),
    Event.ABSENT: _over(Do.UNSEEN),
    Event.VOICE_LEFT: (State.REASON, (Do.STOP, Do.TIME_REASON)),
    Event.VOICE_BROKE: _over(Do.FAULT),
    Event.VOICE_LOST: _over(Do.FAULT),
    Event.HANG_UP: _over(Do.CANCELLED),
    Event.RING_LATE: _over(Do.UNANSWERED),
    Event.BLIND_LATE: _over(Do.UNSEEN),
    Event.PICK_UP_LATE: _over(Do.FAULT),
}


def _dialed(state: State) -> Table:
    rows = {(state, event): row for event, row in _DIALED.items()}
    rows[state, Event.LINK_LOST] = (state, (Do.TIME_BLIND,))
    rows[state, Event.LINK_BACK] = (state, (Do.STOP_BLIND,))
    rows[state, Event.UNSURE] = (state, (Do.LOOK,))
    return rows


_BEGUN = (Do.TELL_DIALING, Do.TIME_RING, Do.TIME_ASSUME)
_RINGS = (Do.TELL_RINGING, Do.TIME_ASSUME)
_ANSWERED_EARLY = (State.EARLY, (Do.TELL_DIALING,))

TABLE: Table = {
    (State.PLACED, Event.OFFERED): (State.ANSWERING, (Do.PICK_UP, Do.TIME_PICK_UP)),
    (State.PLACED, Event.REFUSED): _over(Do.BY_CAUSE),
    (State.PLACED, Event.UNSURE): _over(Do.UNPLACED, Do.LOOK),
    (State.PLACED, Event.FAILED): _over(Do.BY_CAUSE_PLACED),
    (State.PLACED, Event.FAR_CLEARED): _over(Do.UNPLACED),
    (State.PLACED, Event.OWN_CLEARED): _over(Do.UNPLACED),
    (State.PLACED, Event.ABSENT): _over(Do.UNPLACED),
    # The PBX dials although our extension is not up as far as we know: the voice process is late.
    (State.PLACED, Event.REACHED): (State.RINGING, (*_BEGUN, Do.TELL_RINGING)),
    (State.PLACED, Event.ALERTING): (State.RINGING, (*_BEGUN, Do.TELL_RINGING)),
    (State.PLACED, Event.ANSWERED): _ANSWERED_EARLY,
    (State.PLACED, Event.LINK_LOST): _over(Do.UNPLACED),
    (State.PLACED, Event.VOICE_LOST): _over(Do.UNPLACED),
    (State.PLACED, Event.HANG_UP): _over(Do.CANCELLED),
    (State.PLACED, Event.PICK_UP_LATE): _over(Do.UNPLACED),
    #
    **_dialed(State.ANSWERING),
    (State.ANSWERING, Event.PICKED_UP): (State.DIALING, _BEGUN),
    (State.ANSWERING, Event.REACHED): (State.RINGING, (*_BEGUN, Do.TELL_RINGING)),
    (State.ANSWERING, Event.ALERTING): (State.RINGING, (*_BEGUN, Do.TELL_RINGING)),
    (State.ANSWERING, Event.ANSWERED): _ANSWERED_EARLY,
    #
    **_dialed(State.DIALING),
    (State.DIALING, Event.REACHED): (State.RINGING, _RINGS),
    (State.DIALING, Event.ALERTING): (State.RINGING, _RINGS),
    #
    **_dialed(State.RINGING),
    (State.RINGING, Event.ALERTING): (State.RINGING, (Do.TELL_RINGING,)),
    # Only where the PBX dials before it rings us; the extension is up late.
    (State.RINGING, Event.OFFERED): (State.RINGING, (Do.PICK_UP,)),
    #
    (State.EARLY, Event.OFFERED): (State.EARLY, (Do.PICK_UP,)),
    (State.EARLY, Event.PICKED_UP): _ANSWERED,
    (State.EARLY, Event.REFUSED): _over(Do.UNSEEN),
    (State.EARLY, Event.FAILED): _over(Do.UNSEEN),
    (State.EARLY, Event.FAR_CLEARED): _over(Do.UNSEEN),
    (State.EARLY, Event.OWN_CLEARED): _over(Do.UNSEEN),
    (State.EARLY, Event.ABSENT): _over(Do.UNSEEN),
    (State.EARLY, Event.VOICE_LEFT): _over(Do.UNSEEN),
    (State.EARLY, Event.VOICE_BROKE): _over(Do.UNSEEN),
    (State.EARLY, Event.VOICE_LOST): _over(Do.UNSEEN),
    (State.EARLY, Event.HANG_UP): _over(Do.UNSEEN),
    (State.EARLY, Event.PICK_UP_LATE): _over(Do.UNSEEN),
    (State.EARLY, Event.RING_LATE): _over(Do.UNSEEN),
    (State.EARLY, Event.LINK_LOST): (State.EARLY, (Do.TIME_BLIND,)),
    (State.EARLY, Event.LINK_BACK): (State.EARLY, (Do.STOP_BLIND,)),
    (State.EARLY, Event.BLIND_LATE): _over(Do.UNSEEN),
    #
    (State.TALKING, Event.FAILED): _over(Do.BY_THEM),  # the last party left hears busy tone (DBS p31)
    (State.TALKING, Event.FAR_CLEARED): _over(Do.BY_THEM),
    (State.TALKING, Event.OWN_CLEARED): _over(Do.BY_THEM),
    (State.TALKING, Event.ABSENT): _over(Do.BY_FAULT),  # after a reconnect: the PBX lost the call
    (State.TALKING, Event.VOICE_LEFT): _over(Do.BY_THEM),
    (State.TALKING, Event.VOICE_BROKE): _over(Do.BY_FAULT),
    (State.TALKING, Event.VOICE_LOST): _over(Do.BY_FAULT),
    (State.TALKING, Event.HANG_UP): _over(Do.BY_US),
    (State.TALKING, Event.TOO_LONG): _over(Do.BY_US),
    (State.TALKING, Event.HANDED_OVER): _over(Do.BY_TRANSFER),
    (State.TALKING, Event.STRANDED): _over(Do.BY_FAULT),
    #
    # Our extension was released first, and the word of the PBX comes after it.
    (State.REASON, Event.ANSWERED): _over(Do.BY_THEM, Do.TELL_DIALING, Do.TELL_ANSWERED),
    (State.REASON, Event.FAILED): _over(Do.BY_CAUSE),
    (State.REASON, Event.FAR_CLEARED): _over(Do.BY_CAUSE),
    (State.REASON, Event.OWN_CLEARED): _over(Do.DROPPED),
    (State.REASON, Event.REFUSED): _over(Do.BY_CAUSE),
    (State.REASON, Event.ABSENT): _over(Do.DROPPED),
    (State.REASON, Event.LINK_LOST): _over(Do.UNSEEN),
    (State.REASON, Event.HANG_UP): _over(Do.CANCELLED),
    (State.REASON, Event.REASON_LATE): _over(Do.DROPPED),
    #
    (State.CLEARING, Event.MADE): (State.CLEARING, (Do.CLEAR,)),
    (State.CLEARING, Event.UNSURE): (State.CLEARING, (Do.LOOK,)),
    (State.CLEARING, Event.PRESENT): (State.CLEARING, (Do.CLEAR,)),
    (State.CLEARING, Event.LINK_LOST): (State.CLEARING, (Do.HANG_UP,)),
    (State.CLEARING, Event.HANG_UP): (State.CLEARING, ()),
    (State.CLEARING, Event.CLEAR_LATE): (State.CLEARING, (Do.HANG_UP, Do.LOOK, Do.TIME_RELEASE)),
    (State.CLEARING, Event.RELEASE_LATE): (State.HELD, (Do.TELL_VERDICT, Do.LOOK, Do.TIME_RELEASE)),
    #
    (State.HELD, Event.MADE): (State.HELD, (Do.CLEAR,)),
    (State.HELD, Event.UNSURE): (State.HELD, (Do.LOOK,)),
    (State.HELD, Event.PRESENT): (State.HELD, (Do.CLEAR,)),
    (State.HELD, Event.LINK_LOST): (State.HELD, (Do.STOP, Do.HANG_UP)),
    (State.HELD, Event.LINK_BACK): (State.HELD, (Do.TIME_RELEASE,)),
    (State.HELD, Event.RELEASE_LATE): (State.HELD, (Do.LOOK, Do.TIME_RELEASE)),
}

_FIRST_SIGN = (Do.STOP_PICK_UP, *_BEGUN)
_REFUSED = (State.REASON, (Do.STOP, Do.TIME_REASON))  # the word of the PBX by CSTA is better than its SIP code

#: Our extension dials by itself. Its INVITE may have reached the PBX, whatever we hear of it.
_SIP: Table = {
    (State.PLACED, Event.DIAL_FAILED): _over(Do.FAULT),
    (State.PLACED, Event.ORIGINATED): (State.DIALING, _FIRST_SIGN),
    (State.PLACED, Event.PROGRESSED): (State.DIALING, _FIRST_SIGN),
    (State.PLACED, Event.PICKED_UP): (State.DIALING, _FIRST_SIGN),
    (State.PLACED, Event.REACHED): (State.RINGING, (*_FIRST_SIGN, Do.TELL_RINGING)),
    (State.PLACED, Event.ALERTING): (State.RINGING, (*_FIRST_SIGN, Do.TELL_RINGING)),
    (State.PLACED, Event.RUNG): (State.RINGING, (*_FIRST_SIGN, Do.TELL_RINGING)),
    (State.PLACED, Event.ANSWERED): _ANSWERED_EARLY,
    (State.PLACED, Event.FAILED): _over(Do.BY_CAUSE),
    (State.PLACED, Event.FAR_CLEARED): _over(Do.BY_CAUSE),
    (State.PLACED, Event.OWN_CLEARED): _over(Do.DROPPED),
    (State.PLACED, Event.VOICE_REFUSED): _REFUSED,
    (State.PLACED, Event.VOICE_LEFT): _REFUSED,
    (State.PLACED, Event.VOICE_BROKE): _over(Do.FAULT),
    (State.PLACED, Event.VOICE_LOST): _over(Do.FAULT),
    (State.PLACED, Event.HANG_UP): _over(Do.CANCELLED),
    (State.PLACED, Event.PICK_UP_LATE): _over(Do.UNSEEN),
    (State.PLACED, Event.LINK_LOST): (State.PLACED, (Do.TIME_BLIND,)),
    (State.PLACED, Event.LINK_BACK): (State.PLACED, (Do.STOP_BLIND,)),
    (State.PLACED, Event.BLIND_LATE): _over(Do.UNSEEN),
    (State.DIALING, Event.VOICE_REFUSED): _REFUSED,
    (State.DIALING, Event.RUNG): (State.RINGING, _RINGS),
    (State.RINGING, Event.VOICE_REFUSED): _REFUSED,
    (State.RINGING, Event.RUNG): (State.RINGING, (Do.TELL_RINGING,)),
    (State.EARLY, Event.VOICE_REFUSED): _over(Do.UNSEEN),
    (State.CLEARING, Event.DIALLED): (State.CLEARING, (Do.HANG_UP,)),
    (State.HELD, Event.DIALLED): (State.HELD, (Do.HANG_UP,)),
}

#: The PBX speaks for itself: its word is all that there is.
_OGM: Table = {
    (State.PLACED, Event.ORIGINATED): (State.DIALING, _FIRST_SIGN),
    (State.PLACED, Event.REACHED): (State.RINGING, (*_FIRST_SIGN, Do.TELL_RINGING)),
    (State.PLACED, Event.ALERTING): (State.RINGING, (*_FIRST_SIGN, Do.TELL_RINGING)),
    (State.PLACED, Event.ANSWERED): (State.TALKING, (Do.STOP, Do.TIME_LIMIT, Do.TELL_DIALING, Do.TELL_ANSWERED)),
    (State.PLACED, Event.FAR_CLEARED): _over(Do.BY_CAUSE),
    (State.PLACED, Event.OWN_CLEARED): _over(Do.DROPPED),
}

_PLACED_BY_CSTA = {pair for pair in TABLE if pair[0] in (State.PLACED, State.ANSWERING)}

TABLES: dict[Way, Table] = {
    Way.CSTA: TABLE,
    Way.SIP: {pair: row for pair, row in TABLE.items() if pair not in _PLACED_BY_CSTA} | _SIP,
    Way.OGM: {pair: row for pair, row in TABLE.items() if pair[1] is not Event.OFFERED} | _OGM,
}
