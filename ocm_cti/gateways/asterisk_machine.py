"""One placed call as the table of asterisk_calls says, with what is known of its channel, and its verdict; no I/O."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_calls import LISTENING_TABLE, TABLE, Do, Event, Row, State
from ocm_cti.gateways.asterisk_causes import OURS, SYSTEM, Seen, ended_native, failure_cause
from ocm_cti.gateways.interface import EndedBy, Native


class Channel(enum.Enum):
    """What is known of it."""

    ASKED = "asked"  # it may or may not be there, or come
    THERE = "there"
    GONE = "gone"


_SIGNS = frozenset({Event.NEW, Event.BEGUN, Event.RINGS, Event.ANSWERED, Event.AGI, Event.PRESENT})
_ENDED = {
    Do.BY_US: (Cause.NORMAL, EndedBy.US),
    Do.BY_FAULT: (Cause.LINE_FAULT, EndedBy.FAULT),
    Do.BY_TRANSFER: (Cause.TRANSFERRED, EndedBy.US),
}
_FAILED = {
    Do.BY_REFUSAL: Cause.LINE_FAULT,
    Do.UNSEEN: Cause.UNKNOWN,
    Do.UNANSWERED: Cause.NO_ANSWER,
    Do.CANCELLED: Cause.CANCELLED,
    Do.BY_MACHINE: Cause.MACHINE,
}
_VERDICTS = frozenset({*_ENDED, *_FAILED, Do.BY_CAUSE, Do.BY_WHOM})
_ONCE = frozenset({Do.TELL_DIALING, Do.TELL_RINGING, Do.TELL_ANSWERED, Do.TELL_VERDICT, Do.FREE})


@dataclass(frozen=True)
class Verdict:
    """How the call ended: ``by`` is None for one that was never answered (``failed``)."""

    cause: Cause
    by: EndedBy | None
    native: Native
    congested: bool = False  # the trunk had no channel free


@dataclass(frozen=True)
class Detail:
    """What an event carries besides its name; None, "": it does not."""

    code: int | None = None  # Cause
    tech: int | None = None  # TechCause
    reason: int | None = None
    dial_status: str = ""
    text: str = ""  # for people

    def onto(self, seen: Seen) -> Seen:
        changed = {
            "code": seen.code if self.code is None else self.code,
            "tech": seen.tech if self.tech is None else self.tech,
            "reason": seen.reason if self.reason is None else self.reason,
            "dial_status": self.dial_status or seen.dial_status,
        }
        return dataclasses.replace(seen, **changed)  # type: ignore[arg-type]


NOTHING = Detail()


class Machine:
    """One call. ``happened`` takes what came and returns what must be done now, in order."""

    def __init__(self, *, listens: bool = False) -> None:
        self.state = State.PLACED
        self.channel = Channel.ASKED
        self.verdict: Verdict | None = None
        self._table = LISTENING_TABLE if listens else TABLE
        self._seen = Seen()
        self._far_hung_up: bool | None = None  # None: nobody has asked for the end yet
        self._failure_told = False
        self._hangup_told = False
        self._link_up = True
        self._blind = False  # the link was down while an answer could have come
        self._done: set[Do] = set()

    @property
    def reported(self) -> bool:
        """Whether the terminal report has been made."""
        return Do.TELL_VERDICT in self._done

    def happened(self, event: Event, detail: Detail = NOTHING) -> list[Do]:
        """What must be done now, in order."""
        if self.state is State.OVER:
            return []
        new = self._note(event, detail)
        done = self._take(event, detail)
        if self.state is State.WHY and self._knows_why:
            done += self._take(Event.GRACE_LATE, detail)
        if new and event is not Event.NEW and self.state in (State.CLEARING, State.HELD):
            done += [do for do in (Do.CLEAR,) if do not in done and self._allowed(do)]
        done += self._if_free()
        return done

    def _take(self, event: Event, detail: Detail) -> list[Do]:
        before, (self.state, wanted) = self.state, self._row(event)
        done = []
        for do in wanted:
            if do in _VERDICTS:
                self._judge(do, event, detail)
                if do is Do.BY_CAUSE and self._was_dialled and self._allowed(Do.TELL_DIALING):
                    done.append(Do.TELL_DIALING)
            elif self._allowed(do):
                done.append(do)
        if self.state is State.CLEARING and before is not State.CLEARING:
            done += [Do.STOP, Do.TIME_CLEAR, *(do for do in (Do.CLEAR,) if self._allowed(do))]
        return done

    def _row(self, event: Event) -> Row:
        return self._table.get((self.state, event), (self.state, ()))

    @property
    def _knows_why(self) -> bool:
        # SEEN: DialBegin after Hangup, too; without it a cause that says nothing would mean that nobody was dialled.
        heard_all = self._failure_told and (self._seen.begun or self._seen.rang)
        return self._hangup_told and (heard_all or not self._seen.is_vague)

    @property
    def _was_dialled(self) -> bool:
        return self.verdict is not None and self.verdict.cause is not Cause.LINE_FAULT

    def _note(self, event: Event, detail: Detail) -> bool:
        """Whether the channel turned out to be there just now."""
        before = self.channel
        if event in _SIGNS and self.channel is Channel.ASKED:
            self.channel = Channel.THERE
        elif event in (Event.HANGUP, Event.REFUSED, Event.ABSENT):
            self.channel = Channel.GONE
        elif event is Event.NO_SUCH and self.channel is Channel.THERE:
            self.channel = Channel.GONE  # while it is only asked for, it may still come
        elif event is Event.NOT_ORIGINATED and self.channel is Channel.ASKED and self._is_decided:
            self.channel = Channel.GONE  # none was made
        if event in (Event.HANGUP, Event.NOT_ORIGINATED, Event.DIAL_ENDED):
            self._seen = detail.onto(self._seen)
        self._hangup_told = self._hangup_told or event is Event.HANGUP
        self._failure_told = self._failure_told or event is Event.NOT_ORIGINATED
        if event in (Event.BEGUN, Event.RINGS, Event.ANSWERED):
            self._seen = dataclasses.replace(self._seen, begun=True, rang=self._seen.rang or event is Event.RINGS)
        if event in (Event.FAR_HUNG_UP, Event.SWITCH_HUNG_UP) and self._far_hung_up is None:
            self._far_hung_up = event is Event.FAR_HUNG_UP
        if event is Event.LINK_LOST:
            self._link_up, self._blind = False, True
        elif event is Event.LINK_BACK:
            self._link_up = True
        elif event is Event.RINGS and self._link_up:
            self._blind = False  # it still rings, so nothing was missed
        return before is Channel.ASKED and self.channel is Channel.THERE

    @property
    def _is_decided(self) -> bool:
        return self.state in (State.CLEARING, State.HELD)

    def _allowed(self, do: Do) -> bool:
        if do in _ONCE:
            fresh = do not in self._done
            self._done.add(do)
            return fresh
        if do is Do.CLEAR:
            return self._link_up and self.channel is Channel.THERE
        if do is Do.LOOK:
            return self._link_up
        return True

    def _if_free(self) -> list[Do]:
        if not self._is_decided:
            return []
        if self.channel is Channel.GONE:
            self.state = State.OVER
            return [Do.STOP, *(do for do in (Do.TELL_VERDICT, Do.FREE) if self._allowed(do))]
        if not self._link_up and self.state is State.CLEARING:
            # The switch can't be asked now; the port waits for it, the dialer need not.
            self.state = State.HELD
            return [Do.STOP, *(do for do in (Do.TELL_VERDICT,) if self._allowed(do))]
        return []

    # Verdicts

    def _judge(self, verdict: Do, event: Event, detail: Detail) -> None:
        if verdict is Do.BY_TRANSFER:
            self.channel = Channel.GONE  # it is the person's now
        elif self._failure_told and self.channel is Channel.ASKED:
            self.channel = Channel.GONE  # none was made
        if self.verdict is None:
            self.verdict = self._verdict(verdict, event, detail)

    def _verdict(self, verdict: Do, event: Event, detail: Detail) -> Verdict:
        ours = Native(OURS, event.name.lower().replace("_", "-"), detail.text or event.value)
        if verdict is Do.BY_CAUSE:
            cause, native = failure_cause(self._seen)
            if self._blind and self._seen.is_vague:
                cause = Cause.UNKNOWN  # he may have answered and left while we could not see it
            return Verdict(cause, None, native, self._seen.congested)
        if verdict is Do.BY_WHOM:
            native = ended_native(self._seen.code, self._seen.tech)
            if self._far_hung_up is False:
                text = f"hung up by the switch or its dialplan: {native.text}"
                return Verdict(Cause.LINE_FAULT, EndedBy.FAULT, Native(SYSTEM, native.code, text))
            return Verdict(Cause.NORMAL, EndedBy.THEM, native)
        if verdict in _ENDED:
            cause, by = _ENDED[verdict]
            return Verdict(cause, by, ours)
        cause = _FAILED[verdict]
        if self._blind and verdict in (Do.UNANSWERED, Do.CANCELLED):
            cause = Cause.UNKNOWN
        if verdict is Do.BY_REFUSAL:
            ours = Native(SYSTEM, "Originate", detail.text or "refused")
        return Verdict(cause, None, ours)
