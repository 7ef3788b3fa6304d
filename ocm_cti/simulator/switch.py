"""The PBX itself: extensions, trunks and calls, without sockets, clocks or audio.

Requests come in by ``make_call``, ``clear``, ``snapshot``; what happened outside by ``extension_answered``,
``far_hangs_up``, ``timer_fired`` and their like. What must follow is drained from ``effects``. Their order matters: a
line of the call journal stands before the effects that it announces, so that it is on disk before they leave.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ocm_cti.simulator.call_table import TABLE, Do, Event, State
from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.effects import (
    ConnectCallee,
    Connected,
    Device,
    DropMedia,
    Effect,
    Extension,
    PlayTone,
    ReleaseExtension,
    Report,
    RequestError,
    RingExtension,
    StartTimer,
    StopTimers,
    Timer,
    Tone,
    Trunk,
    Write,
)
from ocm_cti.simulator.faults import CAUSES_THAT_FREE_THE_CALLER, Settings


@dataclass
class Call:
    """One call. ``serial`` is unique for ever, ``call_id`` comes again (CSTA)."""

    serial: int
    call_id: bytes
    extension: Extension
    dialled: str
    state: State = State.RINGING_EXTENSION
    trunk: Trunk | None = None
    outside: str = ""  # the dialled digits without the access code
    callee: Callee | None = None
    answered: bool = False
    cause: str = "normalClearing"
    over_by: str = ""
    trunk_held: bool = False  # no other call can have the line
    trunk_up: bool = False  # the trunk's connection has been reported and not yet been cleared


_TIMER_EVENTS = {
    Timer.EXTENSION: Event.EXTENSION_UNANSWERED,
    Timer.ALERT: Event.FAR_ALERTS,
    Timer.ANSWER: Event.FAR_ANSWERS,
    Timer.ASSUME: Event.ANSWER_ASSUMED,
    Timer.TONE: Event.TONE_OVER,
}

# LocalConnectionState of (extension, trunk) in each state; ECMA-269 6.1.5.
_LOCAL_STATES = {
    State.RINGING_EXTENSION: ("initiated", "null"),
    State.DIALING: ("connected", "null"),
    State.PROCEEDING: ("connected", "connected"),
    State.ALERTING: ("connected", "alerting"),
    State.TALKING: ("connected", "connected"),
    State.ON_TONE: ("fail", "null"),
    State.OVER: ("null", "null"),
}


# The outside telephone cannot be reached by somebody else.
_FAR_ENGAGED = (State.PROCEEDING, State.ALERTING, State.TALKING)


class Switch:
    """The calls of one PBX. ``effects`` must be drained and carried out, in order, after every call of a method."""

    def __init__(self, settings: Settings, extensions: Sequence[str], directory: Directory) -> None:
        self.settings = settings
        self.extensions = tuple(Extension(number) for number in extensions)
        self.trunks = tuple(Trunk(index + 1) for index in range(settings.trunks))
        self._directory = directory
        self._registered: set[Extension] = set()
        self._calls: dict[int, Call] = {}
        self._serial = 0
        self._last_call_id = 0
        self._effects: deque[Effect] = deque()

    # What others ask

    def make_call(self, extension: str, digits: str) -> Call:
        """Begin a call; RequestError tells why not. The first effects wait to be drained."""
        caller = Extension(extension)
        line = {"extension": extension, "number": digits}
        for refuses, error in self._checks():
            if refuses(caller, digits):
                self._effects.append(Write("make_call", None, {**line, "refused": error[1]}))
                raise RequestError(*error)
        self._serial += 1
        call = Call(self._serial, self._next_call_id(), caller, digits)
        self._calls[call.serial] = call
        self._effects.append(Write("make_call", call.serial, {**line, "call_id": call.call_id.hex()}))
        self._report(call, "serviceInitiated", caller, "makeCall")
        self._effects.append(RingExtension(call.serial, caller, digits))
        self._timer(call, Timer.EXTENSION, self.settings.extension_answer_timeout_s)
        return call

    def _checks(self) -> Sequence[tuple[Callable[[Extension, str], bool], tuple[str, str]]]:
        # Panasonic's own list of errors (CYR) has these; which of them answers which mistake is our inference.
        return (
            (lambda caller, digits: caller not in self.extensions, ("operation", "invalidDeviceID")),
            (lambda caller, digits: not _dialable(digits), ("operation", "invalidCalledDeviceID")),
            (
                lambda caller, digits: caller not in self._registered,
                ("systemResourceAvailability", "resourceOutOfService"),
            ),
            (lambda caller, digits: self.call_of(caller) is not None, ("stateIncompatibility", "invalidObjectState")),
        )

    def clear(self, call_id: bytes, device: Device | None) -> None:
        """ClearConnection; ``device`` None means whichever. RequestError when there is no such connection."""
        call = self._find(call_id)
        if call is None or (device is not None and device not in (call.extension, call.trunk)):
            raise RequestError("operation", "invalidConnectionID")
        call.over_by = "clear"
        self._happened(call, Event.CLEARED)

    def snapshot(self, device: Device) -> list[Connected]:
        """The connections at a device; RequestError when there is no such device."""
        if not self.has(device):
            raise RequestError("operation", "invalidDeviceID")
        call = self.call_of(device)
        if call is None:
            return []
        at_extension, at_trunk = _LOCAL_STATES[call.state]
        if isinstance(device, Trunk):
            return [Connected(call.call_id, device, call.extension, (at_trunk, at_extension))]
        if call.trunk is None or not call.trunk_held:
            return [Connected(call.call_id, device, None, (at_extension,))]
        return [Connected(call.call_id, device, call.trunk, (at_extension, at_trunk))]

    def has(self, device: Device) -> bool:
        return device in self.extensions or device in self.trunks

    def in_service(self, device: Device) -> bool:
        return isinstance(device, Trunk) or self.settings.unregistered_in_service or device in self._registered

    def call_of(self, device: Device) -> Call | None:
        """The call at a device, None when it is idle."""
        if isinstance(device, Trunk):
            return next((call for call in self._calls.values() if call.trunk == device and call.trunk_held), None)
        return next((call for call in self._calls.values() if call.extension == device), None)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls in progress."""
        return tuple(self._calls.values())

    def effects(self) -> list[Effect]:
        """What must be done now, oldest first; drains."""
        drained = list(self._effects)
        self._effects.clear()
        return drained

    # What happened outside; a call that is over already is no error

    def extension_registered(self, extension: str, registered: bool) -> None:
        if registered:
            self._registered.add(Extension(extension))
        else:
            self._registered.discard(Extension(extension))

    def extension_answered(self, serial: int) -> None:
        self._tell(serial, Event.EXTENSION_ANSWERED)

    def extension_refused(self, serial: int) -> None:
        """The extension answered INVITE with a failure: nothing is left to release there."""
        self._tell(serial, Event.EXTENSION_GONE, over_by="extension")

    def extension_hung_up(self, serial: int) -> None:
        self._tell(serial, Event.EXTENSION_GONE, over_by="extension")

    def far_hangs_up(self, serial: int) -> None:
        """The callee put his telephone down."""
        # Without a clearing signal from the network the PBX notices nothing: the caller hears tone until he hangs up.
        stays = self.settings.far_hangup == "tone" or not self._signals
        self._tell(serial, Event.FAR_LEAVES if stays else Event.FAR_RELEASES, over_by="callee")

    def timer_fired(self, serial: int, timer: Timer) -> None:
        call = self._calls.get(serial)
        if call is None:
            return
        if timer is Timer.DIAL:
            self._digits_complete(call)
        elif timer is Timer.REFUSE:
            self._far_refuses(call)
        else:
            if timer is Timer.EXTENSION:
                call.over_by = "extension"
            self._happened(call, _TIMER_EVENTS[timer])

    # How it goes on

    @property
    def _signals(self) -> bool:
        return self.settings.trunk_kind == "isdn"

    def _tell(self, serial: int, event: Event, over_by: str = "") -> None:
        call = self._calls.get(serial)
        if call is not None:
            call.over_by = over_by or call.over_by
            self._happened(call, event)

    def _happened(self, call: Call, event: Event) -> None:
        if (call.state, event) not in TABLE:
            return
        if event in (Event.EXTENSION_UNANSWERED, Event.EXTENSION_GONE) and call.state is State.RINGING_EXTENSION:
            call.cause = self.settings.cause_extension_unanswered
        call.state, deeds = TABLE[call.state, event]
        for deed in deeds:
            _DEEDS[deed](self, call)

    def _digits_complete(self, call: Call) -> None:
        if call.state is not State.DIALING:
            return
        digits = call.dialled.removeprefix(self.settings.access_code)
        if not call.dialled.startswith(self.settings.access_code) or not digits:
            call.cause = self.settings.cause_bad_digits
            self._happened(call, Event.NOT_DIALABLE)
            return
        free = next((trunk for trunk in self.trunks if self.call_of(trunk) is None), None)
        if free is None:
            call.cause = self.settings.cause_trunks_busy
            self._happened(call, Event.NOT_DIALABLE)
            return
        # A telephone that is being called or talks already is busy, whoever calls it.
        engaged = any(other.outside == digits and other.state in _FAR_ENGAGED for other in self._calls.values())
        call.trunk, call.outside, call.trunk_held, call.trunk_up = free, digits, True, True
        callee = self._directory.called(digits)
        call.callee = Callee(callee.suffix, "engaged", fail="busy") if engaged else callee
        self._happened(call, Event.SEIZED)

    def _call_out(self, call: Call) -> None:
        callee = call.callee
        assert callee is not None, "a seized call has its callee"
        if callee.rings:
            self._timer(call, Timer.ALERT, self.settings.alert_s)
        if callee.fail is not None:
            after_s = callee.fail_after_s + (self.settings.alert_s if callee.rings else 0.0)
            self._timer(call, Timer.REFUSE, after_s)
        elif callee.answer_after_s is None:
            self._timer(call, Timer.REFUSE, self.settings.network_ring_s)
        else:
            self._timer(call, Timer.ANSWER, self.settings.alert_s + callee.answer_after_s)
        if self.settings.trunk_kind == "lco":
            self._timer(call, Timer.ASSUME, self.settings.lco_established_after_s)

    def _far_refuses(self, call: Call) -> None:
        if call.callee is None:
            return  # nobody has been called yet
        call.cause = self.settings.failure_cause(call.callee.fail or "no_answer")
        frees = call.cause in CAUSES_THAT_FREE_THE_CALLER or self.settings.failed_frees_caller
        self._happened(call, Event.FAR_REFUSES_FREEING if frees and self._signals else Event.FAR_REFUSES)

    def _report(self, call: Call, name: str, subject: Device, cause: str) -> None:
        states = _LOCAL_STATES[call.state]
        if call.state in (State.ON_TONE, State.OVER) and call.trunk_up:
            states = (states[0], "fail" if name == "failed" else states[1])
        self._effects.append(
            Report(name, call.call_id, call.extension, call.trunk, subject, call.dialled, cause, states)
        )

    def _report_far(self, call: Call, name: str, cause: str) -> None:
        """Report at the trunk what only a signalling trunk can know."""
        if self._signals and call.trunk is not None:
            self._report(call, name, call.trunk, cause)

    def _report_reached(self, call: Call) -> None:
        assert call.trunk is not None, "NetworkReached comes after a trunk was seized"
        self._report(call, "networkReached", call.trunk, "normal")

    def _report_delivered(self, call: Call) -> None:
        if self.settings.delivered:
            self._report_far(call, "delivered", "normal")

    def _report_by_timer(self, call: Call) -> None:
        if call.trunk is not None:
            self._report(call, "established", call.trunk, "normal")

    def _report_unanswered(self, call: Call) -> None:
        if self.settings.extension_unanswered == "failed":
            self._report(call, "failed", call.extension, call.cause)

    def _tone(self, call: Call) -> None:
        # ITU-T E.180: busy tone for a busy or finished line, congestion tone for what could not be put through.
        busy = call.answered or call.cause in (self.settings.cause_busy, self.settings.cause_rejected)
        self._effects.append(PlayTone(call.serial, Tone.BUSY if busy else Tone.REORDER))
        self._timer(call, Timer.TONE, self.settings.tone_s)

    def _connect(self, call: Call) -> None:
        assert call.callee is not None, "only a seized call is answered"
        self._effects.append(ConnectCallee(call.serial, call.callee, call.dialled))

    def _report_far_cleared(self, call: Call) -> None:
        if self._signals:
            self._trunk_cleared(call)

    def _trunk_cleared(self, call: Call) -> None:
        if call.trunk is not None and call.trunk_up:
            call.trunk_up = False
            self._report(call, "connectionCleared", call.trunk, "normalClearing")

    def _free_trunk(self, call: Call) -> None:
        """The network has released the line; an analogue line stays seized as long as the extension is off-hook."""
        if self._signals:
            call.trunk_held = False

    def _finish(self, call: Call) -> None:
        self._effects.append(StopTimers(call.serial))
        self._effects.append(DropMedia(call.serial))
        self._write(call, "ended", by=call.over_by, answered=call.answered)

    def _end(self, call: Call) -> None:
        reports = [self._extension_cleared, self._trunk_cleared]
        if self.settings.cleared_order == "releasing_last":
            reports.reverse()
        for report in reports:
            report(call)
        del self._calls[call.serial]

    def _extension_cleared(self, call: Call) -> None:
        self._report(call, "connectionCleared", call.extension, "normalClearing")

    def _write(self, call: Call, event: str, **fields: Any) -> None:
        line = {"extension": call.extension.number, "number": call.dialled, "callee": call.callee and call.callee.name}
        self._effects.append(Write(event, call.serial, {**line, **fields}))

    def _write_answered(self, call: Call) -> None:
        call.answered = True
        self._write(call, "answered")

    def _timer(self, call: Call, timer: Timer, after_s: float) -> None:
        self._effects.append(StartTimer(call.serial, timer, after_s))

    def _find(self, call_id: bytes) -> Call | None:
        return next((call for call in self._calls.values() if call.call_id == call_id), None)

    def _next_call_id(self) -> bytes:
        in_use = {call.call_id for call in self._calls.values()}
        while True:
            self._last_call_id = self._last_call_id % max(self.settings.call_ids, len(in_use) + 1) + 1
            call_id = self._last_call_id.to_bytes(self.settings.call_id_octets, "big")
            if call_id not in in_use:
                return call_id


def _dialable(digits: str) -> bool:
    return 0 < len(digits) <= 32 and all(digit in "0123456789*#" for digit in digits)


_DEEDS: dict[Do, Callable[[Switch, Call], None]] = {
    Do.REPORT_ORIGINATED: lambda pbx, call: pbx._report(call, "originated", call.extension, "newCall"),
    Do.REPORT_REACHED: Switch._report_reached,
    Do.REPORT_DELIVERED: Switch._report_delivered,
    Do.REPORT_ESTABLISHED: lambda pbx, call: pbx._report_far(call, "established", "normal"),
    Do.REPORT_ESTABLISHED_BY_TIMER: Switch._report_by_timer,
    Do.REPORT_FAILED: lambda pbx, call: pbx._report(call, "failed", call.extension, call.cause),
    Do.REPORT_FAR_FAILED: lambda pbx, call: pbx._report_far(call, "failed", call.cause),
    Do.REPORT_UNANSWERED: Switch._report_unanswered,
    Do.REPORT_FAR_CLEARED: Switch._report_far_cleared,
    Do.WRITE_DIALED: lambda pbx, call: pbx._write(
        call, "dialed", outside=call.outside, trunk=call.trunk and call.trunk.index
    ),
    Do.WRITE_ANSWERED: Switch._write_answered,
    Do.WRITE_FAILED: lambda pbx, call: pbx._write(call, "failed", cause=call.cause),
    Do.DIAL: lambda pbx, call: pbx._timer(call, Timer.DIAL, pbx.settings.dial_s),
    Do.CALL_OUT: Switch._call_out,
    Do.RINGBACK: lambda pbx, call: pbx._effects.append(PlayTone(call.serial, Tone.RINGBACK)),
    Do.CONNECT: Switch._connect,
    Do.TONE: Switch._tone,
    Do.RELEASE_EXTENSION: lambda pbx, call: pbx._effects.append(ReleaseExtension(call.serial)),
    Do.FREE_TRUNK: Switch._free_trunk,
    Do.FINISH: Switch._finish,
    Do.END: Switch._end,
}
