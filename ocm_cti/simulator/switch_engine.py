"""What moves the calls of the switch: carries out the table of call_table.py, routes dialled digits, rings telephones.

No requests of clients here (switch.py, switch_features.py) and no words about audio (switch_media.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.simulator.call_table import TABLE, Do, Event, State
from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.calls import Call, Side
from ocm_cti.simulator.effects import (
    AnswerExtension,
    Device,
    Extension,
    HoldCallee,
    PlayTone,
    RingExtension,
    StopTimers,
    Timer,
    Tone,
    Trunk,
    Write,
)
from ocm_cti.simulator.faults import CAUSES_THAT_FREE_THE_CALLER
from ocm_cti.simulator.numbering import Outside
from ocm_cti.simulator.switch_books import Books

# The outside telephone cannot be reached by somebody else.
_FAR_ENGAGED = (State.PROCEEDING, State.ALERTING, State.TALKING)


class Engine(Books):
    """The deeds of the table."""

    # Events of the table

    def _happened(self, call: Call, event: Event) -> None:
        if (call.state, event) not in TABLE:
            return
        if event in (Event.EXTENSION_UNANSWERED, Event.EXTENSION_GONE) and call.state is State.RINGING_EXTENSION:
            call.cause = self.settings.cause_extension_unanswered
        call.was = call.state
        call.state, deeds = TABLE[call.state, event]
        for deed in deeds:
            DEEDS[deed](self, call)

    # Dialling

    def _begin(self, call: Call) -> None:
        self._calls[call.serial] = call
        line: dict[str, Any] = {
            "extension": call.extension.number,
            "number": call.dialled,
            "call_id": call.call_id.hex(),
        }
        if call.inbound:
            line |= {"number": str(call.calling), "trunk": call.trunk and call.trunk.index}
        self._effects.append(Write("incoming" if call.inbound else "make_call", call.serial, line))

    def _lift(self, call: Call) -> None:
        """The origin's telephone is off-hook."""
        if call.origin.handset is not None:
            call.origin.handset.answered = True
        self._happened(call, Event.EXTENSION_ANSWERED)

    def _digits_complete(self, call: Call) -> None:
        if call.state is not State.DIALING:
            return
        match self.numbering.destination(call.dialled):
            case Extension() as extension:
                self._call_extension(call, extension)
            case Outside() as outside:
                self._seize(call, outside)
            case _:
                self._not_dialable(call, self.settings.cause_bad_digits)

    def _not_dialable(self, call: Call, cause: str, failing: Device | None = None) -> None:
        call.cause, call.failing = cause, failing
        frees = failing is not None and (cause in CAUSES_THAT_FREE_THE_CALLER or self.settings.failed_frees_caller)
        freeing = frees or self._rejects_by_sip(call) or isinstance(call.origin.device, Trunk)
        self._happened(call, Event.NOT_DIALABLE_FREEING if freeing else Event.NOT_DIALABLE)

    def _call_extension(self, call: Call, extension: Extension) -> None:
        cause = self.obstacle(extension)
        call.called = extension if call.redirected is None else call.called
        if cause is not None:
            self._not_dialable(call, cause, extension)
            return
        call.far = Side(extension, self._handset(extension))
        self._happened(call, Event.RINGS_INSIDE)

    def _seize(self, call: Call, outside: Outside) -> None:
        lines = [line for group in outside.groups for line in group.lines]
        free = [line for line in lines if line not in self._out_of_service and self.call_of(line) is None]
        if not free:
            self._not_dialable(call, self.settings.cause_trunks_busy)
            return
        # A telephone that is being called or talks already is busy, whoever calls it.
        engaged = any(other.outside == outside.digits and other.state in _FAR_ENGAGED for other in self._calls.values())
        call.outside, call.trunk_held = outside.digits, True
        callee = self._directory.called(outside.digits)
        call.callee = Callee(callee.suffix, "engaged", fail="busy") if engaged else callee
        call.far = Side(free[0], person=self._person(call.callee, call.dialled))
        self._happened(call, Event.SEIZED)

    def _call_out(self, call: Call) -> None:
        callee = call.callee
        if callee is None or call.far is None:
            return
        if callee.rings:
            self._timer(call, Timer.ALERT, self.settings.alert_s)
        if callee.fail is not None:
            after_s = callee.fail_after_s + (self.settings.alert_s if callee.rings else 0.0)
            self._timer(call, Timer.REFUSE, after_s)
        elif callee.answer_after_s is None:
            self._timer(call, Timer.REFUSE, self.settings.network_ring_s)
        else:
            self._timer(call, Timer.ANSWER, self.settings.alert_s + callee.answer_after_s)
        if self.numbering.kind(_line(call)) == "lco":
            self._timer(call, Timer.ASSUME, self.settings.lco_established_after_s)
        if not self._signals(call) and self.settings.lco_sip_answer == "seized":
            self._answer_sip(call)

    def _ring_far(self, call: Call) -> None:
        if call.far is None or call.far.handset is None:
            return
        self._timer(call, Timer.REFUSE, self.settings.internal_ring_s)
        if call.far.leg is not None:
            caller = call.calling.number if isinstance(call.calling, Extension) else str(call.calling)
            self._effects.append(RingExtension(call.far.leg, call.far.handset.extension, caller or "anonymous"))
            return
        after_s = self.numbering.stations[call.far.handset.extension].answer_after_s
        if after_s is not None:
            self._timer(call, Timer.ANSWER, after_s)

    # The far end

    def _far_refuses(self, call: Call) -> None:
        if call.far is None or call.state not in (State.PROCEEDING, State.ALERTING):
            return  # nobody has been called yet
        if call.inbound:
            call.over_by, call.first_cleared = "caller", call.origin  # he has given up
            self._happened(call, Event.EXTENSION_GONE)
            return
        reason = call.callee.fail if call.callee is not None else None
        self._refused(call, self.settings.failure_cause(reason or "no_answer"))

    def _refused(self, call: Call, cause: str) -> None:
        call.cause = cause
        frees = cause in CAUSES_THAT_FREE_THE_CALLER or self.settings.failed_frees_caller
        freeing = (frees and self._signals(call)) or self._rejects_by_sip(call) or isinstance(call.origin.device, Trunk)
        self._happened(call, Event.FAR_REFUSES_FREEING if freeing else Event.FAR_REFUSES)

    def _rejects_by_sip(self, call: Call) -> bool:
        """Whether a failure is told to the extension that dialled by SIP, and the call is over with that."""
        handset = call.origin.handset
        waiting = handset is not None and handset.dialled and not handset.answered
        return (waiting and self.settings.sip_dial_failure == "reject") or call.referred_from is not None

    def _answer_sip(self, call: Call) -> None:
        handset = call.origin.handset
        if handset is not None and handset.serial is not None and handset.dialled and not handset.answered:
            handset.answered = True
            self._effects.append(AnswerExtension(handset.serial, 200))

    def _ringback(self, call: Call) -> None:
        handset = call.origin.handset
        if handset is None or handset.serial is None or call.origin.held:
            return
        if handset.dialled and not handset.answered:
            self._effects.append(AnswerExtension(handset.serial, 180))
        else:
            self._effects.append(PlayTone(handset.serial, Tone.RINGBACK))

    def _connect(self, call: Call) -> None:
        self._answer_sip(call)
        if not any(side.held for side in call.sides):
            self._media.join(call)
        if call.referred_from is not None:
            self._refer_answered(call)

    def _refer_answered(self, call: Call) -> None:
        """The call that a REFER made is answered; switch_features.py joins it with the one before."""

    def _refer_over(self, call: Call) -> None:
        """A call has ended that a REFER may have made, or begun from."""

    def _tone(self, call: Call) -> None:
        # ITU-T E.180: busy tone for a busy or finished line, congestion tone for what could not be put through.
        busy = call.answered or call.cause in (self.settings.cause_busy, self.settings.cause_rejected)
        self._answer_sip(call)
        if call.origin.leg is not None and not call.origin.held:
            self._effects.append(PlayTone(call.origin.leg, Tone.BUSY if busy else Tone.REORDER))
        elif call.origin.who is not None and call.origin.who.seated:
            self._effects.append(HoldCallee(call.origin.who.party))
        self._timer(call, Timer.TONE, self.settings.tone_s)

    # What is told

    def _report_far(self, call: Call, name: str, cause: str) -> None:
        """Report at the far side what only a signalling trunk, or an extension, can know."""
        if call.far is not None and self._signals(call):
            self._report(call, name, call.far.device, cause)

    def _report_delivered(self, call: Call) -> None:
        if self.settings.delivered or (call.far is not None and isinstance(call.far.device, Extension)):
            self._report_far(call, "delivered", "redirected" if call.redirected else "normal")

    def _report_by_timer(self, call: Call) -> None:
        if call.far is not None:
            self._report(call, "established", call.far.device, "normal")
        self._count_from_now(call)
        self._answer_sip(call)

    def _report_unanswered(self, call: Call) -> None:
        if self.settings.extension_unanswered == "failed":
            self._report(call, "failed", call.origin.device, call.cause)

    def _report_reached(self, call: Call) -> None:
        if call.far is not None:
            self._report(call, "networkReached", call.far.device, "normal")
            if self.numbering.kind(_line(call)) == "reached_only":
                self._count_from_now(call)

    def _report_far_cleared(self, call: Call) -> None:
        if call.far is not None and self._signals(call):
            self._cleared(call, call.far)

    def _cleared(self, call: Call, side: Side) -> None:
        if not side.up:
            return
        side.up = False
        own = isinstance(side.device, Extension) and (side is call.origin or call.inbound)
        if self.settings.cleared_sides in ("both", "own" if own else "far"):
            self._report(call, "connectionCleared", side.device, "normalClearing")

    # The end

    def _free_far(self, call: Call) -> None:
        """The network has released the line, or a ringing extension stops; an analogue line stays seized."""
        if call.far is None or not self._signals(call):
            return
        if isinstance(call.far.device, Trunk):
            call.trunk_held = call.inbound or isinstance(call.origin.device, Trunk)
        else:
            self._cleared(call, call.far)
            self._release(call, call.far)

    def _finish(self, call: Call) -> None:
        self._effects.append(StopTimers(call.serial))
        self._media.drop(call)
        self._write(call, "ended", by=call.over_by, answered=call.answered)

    def _release_sides(self, call: Call) -> None:
        for side in call.sides:
            self._release(call, side)

    def _end(self, call: Call) -> None:
        sides = list(call.sides)
        if call.first_cleared in sides:
            sides.sort(key=lambda side: side is not call.first_cleared)
        if self.settings.cleared_order == "releasing_last":
            sides.reverse()
        for side in sides:
            self._cleared(call, side)
        del self._calls[call.serial]
        self._account(call)
        self._refer_over(call)

    def _write_answered(self, call: Call) -> None:
        call.answered = True
        if self._signals(call):
            self._count_from_now(call)
        self._write(call, "answered")

    def _count_from_now(self, call: Call) -> None:
        """The duration counts from here: the answer, or on a line without signalling what the PBX takes for it."""
        call.answered_s = self._seconds() if call.answered_s is None else call.answered_s


def _line(call: Call) -> Trunk:
    assert call.far is not None and isinstance(call.far.device, Trunk), "called out over a trunk"
    return call.far.device


DEEDS: dict[Do, Callable[[Engine, Call], None]] = {
    Do.REPORT_ORIGINATED: lambda pbx, call: pbx._report(call, "originated", call.origin.device, call.opening),
    Do.REPORT_REACHED: Engine._report_reached,
    Do.REPORT_DELIVERED: Engine._report_delivered,
    Do.REPORT_ESTABLISHED: lambda pbx, call: pbx._report_far(call, "established", "normal"),
    Do.REPORT_ESTABLISHED_BY_TIMER: Engine._report_by_timer,
    Do.REPORT_FAILED: lambda pbx, call: pbx._report(call, "failed", call.failing or call.origin.device, call.cause),
    Do.REPORT_FAR_FAILED: lambda pbx, call: pbx._report_far(call, "failed", call.cause),
    Do.REPORT_UNANSWERED: Engine._report_unanswered,
    Do.REPORT_FAR_CLEARED: Engine._report_far_cleared,
    Do.WRITE_DIALED: lambda pbx, call: pbx._write(
        call, "dialed", outside=call.outside, trunk=call.trunk and call.trunk.index
    ),
    Do.WRITE_RANG: lambda pbx, call: pbx._write(call, "rang"),
    Do.WRITE_ANSWERED: Engine._write_answered,
    Do.WRITE_FAILED: lambda pbx, call: pbx._write(call, "failed", cause=call.cause),
    Do.DIAL: lambda pbx, call: pbx._timer(call, Timer.DIAL, pbx.settings.dial_s),
    Do.CALL_OUT: Engine._call_out,
    Do.RING_FAR: Engine._ring_far,
    Do.RINGBACK: Engine._ringback,
    Do.CONNECT: Engine._connect,
    Do.TONE: Engine._tone,
    Do.RELEASE_EXTENSION: Engine._release_sides,
    Do.FREE_TRUNK: Engine._free_far,
    Do.FINISH: Engine._finish,
    Do.END: Engine._end,
}
