"""One placed call as the table of sip_trunk_calls says, with its verdict; no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Native
from ocm_cti.gateways.sip_trunk_calls import TABLE, VERDICTS, Do, Event, State
from ocm_cti.gateways.sip_trunk_causes import OURS

_ENDED = {
    Do.BY_THEM: (Cause.NORMAL, EndedBy.THEM),
    Do.BY_US: (Cause.NORMAL, EndedBy.US),
    Do.BY_FAULT: (Cause.LINE_FAULT, EndedBy.FAULT),
    Do.BY_TRANSFER: (Cause.TRANSFERRED, EndedBy.US),
}
_FAILED = {
    Do.FAULT: Cause.LINE_FAULT,
    Do.UNSEEN: Cause.UNKNOWN,
    Do.UNANSWERED: Cause.NO_ANSWER,
    Do.CANCELLED: Cause.CANCELLED,
}


@dataclass(frozen=True)
class Verdict:
    """How the call ended: ``by`` is None for one that was never answered (``failed``)."""

    cause: Cause
    by: EndedBy | None
    native: Native
    of_trunk: bool = False  # the way to the operator is in doubt, or he does not want us


@dataclass(frozen=True)
class Detail:
    """What an event carries besides its name."""

    cause: Cause | None = None
    native: Native | None = None


NOTHING = Detail()


class Machine:
    """One call. ``happened`` takes what came and returns what must be done now, in order.

    ``tells_progress``: this operator says 180 or 183 before an answer, so that one who has said neither has perhaps
    never had the call.
    """

    def __init__(self, *, tells_progress: bool = True) -> None:
        self.state = State.PLACED
        self.verdict: Verdict | None = None
        self._tells_progress = tells_progress
        self._heard = False  # the operator has said something of it
        self._blind = False  # the way to the operator was lost while it was unanswered
        self._crossed = False

    @property
    def unanswered(self) -> bool:
        return self.state in (State.PLACED, State.DIALING, State.RINGING)

    def link_lost(self) -> None:
        """The operator is not there any more: an answer may have been missed."""
        if self.unanswered:
            self._blind = True

    def happened(self, event: Event, detail: Detail = NOTHING) -> list[Do]:
        """What must be done now, in order."""
        if self.state is State.OVER:
            return []
        if event in (Event.PROGRESS, Event.RINGS, Event.ANSWERED):
            self._heard = True
        if event is Event.ANSWERED and self.state is State.CLEARING:
            self._answered_too_late()
        self.state, wanted = TABLE.get((self.state, event), (self.state, ()))
        done = []
        for do in wanted:
            if do not in VERDICTS:
                done.append(do)
            elif self.verdict is None:
                self.verdict = self._judge(do, event, detail)
        return done

    def _answered_too_late(self) -> None:
        """An answer has crossed our CANCEL: he heard nothing, and the report says why."""
        if self.verdict is not None and self.verdict.by is None and not self._crossed:
            self._crossed = True
            native = self.verdict.native
            text = f"{native.text}; answered while it was being cancelled"
            self.verdict = Verdict(self.verdict.cause, None, Native(native.system, native.code, text))

    def _judge(self, verdict: Do, event: Event, detail: Detail) -> Verdict:
        native = detail.native or Native(OURS, event.name.lower().replace("_", "-"), event.value)
        if verdict in _ENDED:
            cause, by = _ENDED[verdict]
            return Verdict(cause, by, native, of_trunk=event is Event.BROKE)
        if verdict is Do.BY_CODE:
            cause = detail.cause or Cause.UNKNOWN
            return Verdict(cause, None, native, of_trunk=cause is Cause.LINE_FAULT)
        cause = _FAILED[verdict]
        of_trunk = event in (Event.UNSENT, Event.BROKE, Event.NOT_DIALLED)
        if verdict is Do.UNANSWERED and self._tells_progress and not self._heard:
            native, of_trunk = Native(OURS, "silence", SILENCE), True
            cause = Cause.UNKNOWN
        elif verdict in (Do.UNANSWERED, Do.CANCELLED) and self._blind:
            native = Native(OURS, "link-lost", f"{native.text}; the operator was lost meanwhile")
            cause = Cause.UNKNOWN
        return Verdict(cause, None, native, of_trunk)


SILENCE = "the operator has not said that the call goes on (180, 183); whether anybody was rung is not known"
