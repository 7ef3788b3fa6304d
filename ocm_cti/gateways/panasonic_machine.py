"""One placed call as the table of panasonic_calls says, with its two legs and its verdict; no I/O, no clock."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native
from ocm_cti.gateways.panasonic_calls import TABLES, Do, Event, Row, State, Way
from ocm_cti.gateways.panasonic_causes import OURS


class Leg(enum.Enum):
    """What is known of one leg."""

    NONE = "none"
    ASKED = "asked"  # it may or may not be there
    UP = "up"
    GONE = "gone"


#: What an event says about the leg at the PBX, and about the one of the voice process.
CSTA_LEG = {
    Event.MADE: Leg.UP,
    Event.PRESENT: Leg.UP,
    Event.REFUSED: Leg.GONE,
    Event.OWN_CLEARED: Leg.GONE,
    Event.ABSENT: Leg.GONE,
    Event.DIAL_FAILED: Leg.GONE,
}
VOICE_LEG = {
    Event.OFFERED: Leg.UP,
    Event.DIALLED: Leg.UP,
    Event.DIAL_FAILED: Leg.GONE,
    Event.VOICE_REFUSED: Leg.GONE,
    Event.VOICE_LEFT: Leg.GONE,
    Event.VOICE_BROKE: Leg.GONE,
    Event.VOICE_LOST: Leg.GONE,
}

_ENDED = {
    Do.BY_THEM: ("NORMAL", EndedBy.THEM),
    Do.BY_US: ("NORMAL", EndedBy.US),
    Do.BY_FAULT: ("LINE_FAULT", EndedBy.FAULT),
    Do.BY_TRANSFER: ("TRANSFERRED", EndedBy.US),
}
_VERDICTS = frozenset(
    {
        *_ENDED,
        Do.BY_CAUSE,
        Do.BY_CAUSE_PLACED,
        Do.DROPPED,
        Do.UNPLACED,
        Do.FAULT,
        Do.UNSEEN,
        Do.UNANSWERED,
        Do.CANCELLED,
    }
)
_ONCE = frozenset({Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE})


@dataclass(frozen=True)
class Verdict:
    """How the call ended: ``by`` is None for one that was never answered (``failed``)."""

    cause: Cause
    by: EndedBy | None
    native: Native


class Machine:
    """One call. ``happened`` takes what came and returns what must be done now, in order.

    ``way``: how it is begun. ``dials_after_pick_up``: the PBX does not call the person before our own extension has
    been picked up. ``reached_is_ringing``: NetworkReached is told as ringing; if not, only Delivered is.
    """

    def __init__(
        self, *, way: Way = Way.CSTA, dials_after_pick_up: bool = True, reached_is_ringing: bool = True
    ) -> None:
        self.state = State.PLACED
        self.csta = Leg.ASKED
        self.voice = Leg.ASKED if way is Way.SIP else Leg.NONE
        self.verdict: Verdict | None = None
        self._way = way
        self._table = TABLES[way]
        self._link_up = True
        self._blind = False  # the link was down while an answer could have come
        self._voice_up = way is Way.OGM
        self._handed_over = False  # the person has somebody else to talk to
        self._refusal: tuple[Cause, Native] | None = None  # by SIP; the word of the PBX by CSTA may follow
        self._dials_after_pick_up = dials_after_pick_up and way is Way.CSTA
        self._reached_is_ringing = reached_is_ringing
        self._done: set[Do] = set()

    @property
    def voice_up(self) -> bool:
        """Whether our voice can be heard."""
        return self._voice_up

    @property
    def reported(self) -> bool:
        """Whether the terminal report has been made."""
        return Do.TELL_VERDICT in self._done

    @property
    def may_be_offered(self) -> bool:
        """Whether an INVITE on our extension now can be the PBX carrying out our MakeCall."""
        return self._link_up and self.voice is Leg.NONE and (self.state, Event.OFFERED) in self._table

    def happened(self, event: Event, cause: Cause = Cause.UNKNOWN, native: Native | None = None) -> list[Do]:
        """``cause`` and ``native`` are for events that carry one."""
        if self.state is State.OVER or (event is Event.OFFERED and not self.may_be_offered):
            return []
        if event is Event.PICKED_UP and self.voice is not Leg.UP:
            return []
        self._note(event)
        if event is Event.VOICE_REFUSED and native is not None:
            self._refusal = cause, native
        if event in (Event.ANSWERED, Event.ASSUMED) and not self._voice_up and self.state is not State.REASON:
            row = self._early(event)
        else:
            row = self._row(event)
        before, (self.state, wanted) = self.state, row
        done = [Do.STOP_PICK_UP] if event is Event.PICKED_UP else []
        for do in wanted:
            if do in _VERDICTS:
                self._judge(do, before, event, cause, native)
            elif do is Do.TELL_RINGING and event is Event.REACHED and not self._reached_is_ringing:
                pass
            elif self._allowed(do):
                done.append(do)
        if self.state is State.CLEARING and before is not State.CLEARING:
            done += self._take_down()
        elif self._way is Way.SIP and self.csta is Leg.ASKED and VOICE_LEG.get(event) is Leg.GONE:
            done += [do for do in (Do.LOOK,) if self.state is State.CLEARING and self._allowed(do)]  # had it a call?
        done += self._if_free()
        return done

    def _row(self, event: Event) -> Row:
        return self._table.get((self.state, event), (self.state, ()))

    def _note(self, event: Event) -> None:
        if self.csta is not Leg.GONE or event is Event.PRESENT:
            self.csta = CSTA_LEG.get(event, self.csta)
        if event is Event.VOICE_LOST and self.voice is Leg.NONE:
            pass  # never rung: an INVITE to come will be refused
        elif self.voice is not Leg.GONE:
            self.voice = VOICE_LEG.get(event, self.voice)
        if event is Event.PICKED_UP:
            self._voice_up = True
        elif event is Event.LINK_LOST:
            self._link_up, self._blind = False, True
        elif event is Event.LINK_BACK:
            self._link_up = True
        elif event is Event.FAR_ALERTING:
            self._blind = False  # it still rings, so nothing was missed

    def _early(self, event: Event) -> Row:
        """Answered while our own voice is not up: only told when it is."""
        if self.state in (State.DIALING, State.RINGING):
            return State.EARLY, (Do.TIME_PICK_UP,)
        return (self.state, ()) if event is Event.ASSUMED else self._row(event)

    def _allowed(self, do: Do) -> bool:
        if do in _ONCE:
            fresh = do not in self._done
            self._done.add(do)
            return fresh
        if do is Do.HANG_UP:
            return self.voice is Leg.UP
        if do is Do.CLEAR:
            return self._link_up and self.csta is Leg.UP
        if do is Do.LOOK:
            return self._link_up
        return True

    def _take_down(self) -> list[Do]:
        done = [Do.STOP, Do.TIME_CLEAR]
        if self._handed_over:
            return done  # the PBX is taking our extension out of the call
        if self._way is Way.SIP:
            # Our own dialog ends the call; what the PBX still has then is looked for (CLEAR_LATE) and cleared.
            first = Do.HANG_UP if self.voice is not Leg.GONE else Do.LOOK if self.csta is Leg.ASKED else Do.CLEAR
            return done + [do for do in (first,) if self._allowed(do)]
        # A leg of which nothing is known yet is cleared when its callID comes (MADE, PRESENT).
        done += [do for do in (Do.CLEAR,) if self._allowed(do)]
        if not self._link_up or self.csta is Leg.GONE:
            done += [do for do in (Do.HANG_UP,) if self._allowed(do)]
        return done

    def _if_free(self) -> list[Do]:
        if self.state not in (State.CLEARING, State.HELD):
            return []
        voice_done = self.voice in (Leg.NONE, Leg.GONE)
        if voice_done and self.csta is Leg.GONE:
            self.state = State.OVER
            return [Do.STOP, *(do for do in (Do.TELL_VERDICT, Do.FREE) if self._allowed(do))]
        if voice_done and not self._link_up and self.state is State.CLEARING:
            # The PBX can't be asked now; the port waits for it, the dialer need not.
            self.state = State.HELD
            return [Do.STOP, *(do for do in (Do.TELL_VERDICT,) if self._allowed(do))]
        return []

    # Verdicts

    def _judge(self, verdict: Do, before: State, event: Event, cause: Cause, native: Native | None) -> None:
        if self.verdict is not None:
            return
        if native is None:
            native = Native(OURS, event.name.lower().replace("_", "-"), event.value)
        if verdict in _ENDED:
            cause_name, by = _ENDED[verdict]
            self.verdict = Verdict(Cause[cause_name], by, native)
            self._handed_over = verdict is Do.BY_TRANSFER
            return
        if self._refusal is not None and before is State.REASON and verdict is not Do.CANCELLED:
            says_nothing = native.system == OURS or native.text in _NO_REASON
            if says_nothing or (cause in _VAGUE and self._refusal[0] is not Cause.LINE_FAULT):
                verdict, (cause, native) = Do.BY_CAUSE, self._refusal
        self.verdict = Verdict(self._failure(verdict, before, cause), None, native)

    def _failure(self, verdict: Do, before: State, cause: Cause) -> Cause:
        match verdict:
            case Do.BY_CAUSE | Do.DROPPED:
                return self._failure_told(cause, dropped=verdict is Do.DROPPED)
            case Do.BY_CAUSE_PLACED if not self._dials_after_pick_up:
                return self._failure_told(cause, dropped=False)
            case Do.BY_CAUSE_PLACED:
                return cause if cause is Cause.INVALID_NUMBER else Cause.LINE_FAULT
            case Do.UNPLACED:
                return Cause.LINE_FAULT if self._dials_after_pick_up else Cause.UNKNOWN
            case Do.FAULT:
                return Cause.UNKNOWN if self._blind else Cause.LINE_FAULT
            case Do.UNANSWERED:
                return Cause.UNKNOWN if self._blind else Cause.NO_ANSWER
            case Do.CANCELLED:
                return Cause.UNKNOWN if self._blind and before is not State.PLACED else Cause.CANCELLED
            case _:
                return Cause.UNKNOWN

    def _failure_told(self, cause: Cause, *, dropped: bool) -> Cause:
        """The PBX gave a cause, or only released our extension (``dropped``)."""
        if self._blind:
            # The person may have answered and left while we could not see it.
            return Cause.UNKNOWN if cause in _VAGUE else cause
        if self._way is not Way.SIP and Do.TELL_DIALING not in self._done and (dropped or cause is Cause.NO_ANSWER):
            return Cause.LINE_FAULT  # our own extension was not up in time for the PBX
        return Cause.UNREACHABLE if dropped and cause in _VAGUE else cause


#: CSTA causes that say no more than that the call is over.
_NO_REASON = frozenset({"normal", "normalClearing"})
#: Causes that say only that the call is over: nothing of whether it had been answered.
_VAGUE = frozenset({Cause.REJECTED, Cause.UNREACHABLE, Cause.UNKNOWN, Cause.NORMAL})
