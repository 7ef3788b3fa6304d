"""The PBX itself: extensions, trunks and calls, without sockets, clocks or audio.

Requests come in by ``make_call``, ``clear``, ``hold``, ``transfer`` and their like (those about calls that are there
already stand in switch_features.py and switch_voice.py); what happened outside by ``extension_answered``,
``far_hangs_up``, ``timer_fired``. What must follow is drained from ``effects``. Their order matters: a line of the call
journal stands before the effects that it announces, so that it is on disk before they leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from ocm_cti.simulator.call_table import Event, State
from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.calls import Call as Call
from ocm_cti.simulator.calls import Handset, Side
from ocm_cti.simulator.effects import (
    AnswerExtension,
    Connected,
    Device,
    DropMedia,
    Effect,
    ReleaseExtension,
    ReportPrivate,
    RequestError,
    RingExtension,
    StopTimers,
    Timer,
    Trunk,
    Write,
)
from ocm_cti.simulator.effects import Extension as Extension
from ocm_cti.simulator.effects import Tone as Tone
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.numbering import Numbering, Station
from ocm_cti.simulator.switch_engine import DEEDS
from ocm_cti.simulator.switch_features import NO_CONNECTION, WRONG_STATE
from ocm_cti.simulator.switch_voice import Voice

_DEEDS = DEEDS

_TIMER_EVENTS = {
    Timer.EXTENSION: Event.EXTENSION_UNANSWERED,
    Timer.ALERT: Event.FAR_ALERTS,
    Timer.ANSWER: Event.FAR_ANSWERS,
    Timer.ASSUME: Event.ANSWER_ASSUMED,
    Timer.TONE: Event.TONE_OVER,
}


class Switch(Voice):
    """The calls of one PBX. ``effects`` must be drained and carried out, in order, after every call of a method.

    ``seconds`` dates the accounts of calls. ``first_serial`` is the number of the first call, so that a journal that
    was begun before goes on. ``numbering`` None: the extensions given, and one group of trunks as the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        extensions: Sequence[str | Station],
        directory: Directory,
        *,
        numbering: Numbering | None = None,
        seconds: Callable[[], float] = lambda: 0.0,
        first_serial: int = 1,
    ) -> None:
        super().__init__(settings, numbering or Numbering.plain(settings, extensions), directory, seconds)
        self._serial = first_serial - 1
        self.rings_wait = False  # telephones are not rung yet, and what follows waits as well

    # What others ask

    def make_call(self, extension: str, digits: str) -> Call:
        """Begin a call; RequestError tells why not. The first effects wait to be drained."""
        caller = self._may_call(extension, digits)
        return self._originate(caller, digits, "makeCall")

    def extension_dials(self, extension: str, digits: str) -> Call:
        """A SIP extension sent an INVITE: the call; its ``serial`` is that of the leg. RequestError: refuse it."""
        caller = self._may_call(extension, digits)
        if caller in self._handsets or self.numbering.is_phone(caller):
            raise RequestError(*WRONG_STATE)
        handset = self._handset(caller, self._serial + 1)
        handset.dialled = True
        serial = self._next_serial()
        call = Call(serial, self._next_call_id(), Side(caller, handset), digits, self._seconds())
        call.calling, call.called = caller, digits
        self._begin(call)
        self._report(call, "serviceInitiated", caller, "newCall")
        self._happened(call, Event.EXTENSION_ANSWERED)
        return call

    def _may_call(self, extension: str, digits: str) -> Extension:
        caller = Extension(extension)
        for refuses, error in self._checks():
            if refuses(caller, digits):
                line = {"extension": extension, "number": digits, "refused": error[1]}
                self._effects.append(Write("make_call", None, line))
                raise RequestError(*error)
        return caller

    def _checks(self) -> Sequence[tuple[Callable[[Extension, str], bool], tuple[str, str]]]:
        # Panasonic's own list of errors (CYR) has these; which of them answers which mistake is our inference.
        return (
            (lambda caller, digits: caller not in self.extensions, ("operation", "invalidDeviceID")),
            (lambda caller, digits: self._undialable(digits), ("operation", "invalidCalledDeviceID")),
            (
                lambda caller, digits: caller in self._out_of_service,
                ("systemResourceAvailability", "deviceOutOfService"),
            ),
            (
                lambda caller, digits: not self._reachable(caller),
                ("systemResourceAvailability", "resourceOutOfService"),
            ),
            # DBS: refused in conversation, allowed with calls on hold.
            (lambda caller, digits: self._active_at(caller) is not None, WRONG_STATE),
        )

    def _undialable(self, digits: str) -> bool:
        if not (0 < len(digits) <= 32 and all(digit in "0123456789*#" for digit in digits)):
            return True
        return self.settings.unknown_number == "refuse" and self.numbering.destination(digits) is None

    def _check_digits(self, digits: str) -> None:
        if self._undialable(digits):
            raise RequestError("operation", "invalidCalledDeviceID")

    def incoming(self, trunk: Trunk, caller_number: str, extension: str) -> Call:
        """Somebody outside calls an extension; ``caller_number`` "" is withheld. RequestError when it can't ring."""
        called = Extension(extension)
        if called not in self.extensions or trunk not in self.trunks:
            raise RequestError("operation", "invalidDeviceID")
        cause = self.obstacle(called)
        if cause is not None or trunk in self._out_of_service or self.call_of(trunk) is not None:
            raise RequestError("systemResourceAvailability", "resourceBusy")
        person = self._person(self._directory.find(caller_number), caller_number)
        call = Call(self._next_serial(), self._next_call_id(), Side(trunk, person=person), extension, self._seconds())
        call.far = Side(called, self._handset(called))
        call.calling, call.called, call.inbound, call.trunk_held = caller_number, called, True, True
        call.state = call.was = State.ALERTING
        self._begin(call)
        self._ring_far(call)
        self._report(call, "delivered", called, "normal")
        return call

    def call_in(self, caller_number: str, extension: str) -> Call:
        """As ``incoming``, over the first free line that is in service."""
        free = [line for line in self.trunks if line not in self._out_of_service and self.call_of(line) is None]
        if not free:
            raise RequestError("systemResourceAvailability", "resourceBusy")
        return self.incoming(free[0], caller_number, extension)

    def answer(self, call_id: bytes, device: Device | None) -> None:
        """AnswerCall: lift a ringing desk telephone. RequestError for a SIP extension unless settings have it wait."""
        call, side = self.connection(call_id, device)
        if device is None and call.far is not None:
            side = call.far  # a callID alone means whoever rings
        rings = call.state is State.RINGING_EXTENSION if side is call.origin else call.state is State.ALERTING
        if side.handset is None or not rings:
            raise RequestError(*WRONG_STATE)
        if side.handset.serial is not None:
            if self.settings.answer_call_sip == "refuse":
                raise RequestError("operation", "requestIncompatibleWithObject")
        elif side is call.origin:
            self._lift(call)
        else:
            side.handset.answered = True
            self._happened(call, Event.FAR_ANSWERS)

    def clear(self, call_id: bytes, device: Device | None) -> None:
        """ClearConnection; ``device`` None means whichever. RequestError when there is no such connection."""
        call, side = self.connection(call_id, device)
        self.clear_side(call, side if device is not None else None)

    def snapshot(self, device: Device) -> list[Connected]:
        """The connections at a device; RequestError when there is no such device."""
        if not self.has(device):
            raise RequestError("operation", "invalidDeviceID")
        found = []
        for call in self.calls_at(device):
            side = call.side(device)
            other = None if side is None else call.other(side)
            if side is None:
                continue
            if other is None or not (call.trunk_held if isinstance(other.device, Trunk) else other.up):
                found.append(Connected(call.call_id, device, None, (call.local_state(side),)))
            else:
                states = call.local_state(side), call.local_state(other)
                found.append(Connected(call.call_id, device, other.device, states))
        return found

    def snapshot_call(self, call_id: bytes) -> tuple[Call, list[tuple[Device, str]]]:
        """The devices in a call with their states; RequestError when there is no such call."""
        call = next((call for call in self._calls.values() if call.call_id == call_id), None)
        if call is None:
            raise RequestError(*NO_CONNECTION)
        return call, [(side.device, state) for side, state in call.states() if side.up]

    def has(self, device: Device) -> bool:
        return device in self.extensions or device in self.trunks

    def effects(self) -> list[Effect]:
        """What must be done now, oldest first; drains. With ``rings_wait`` nothing from the first ring on."""
        waits = (RingExtension, AnswerExtension) if self.rings_wait else ()
        drained = list(takewhile(lambda effect: not isinstance(effect, waits), self._effects))
        for _ in drained:
            self._effects.popleft()
        return drained

    # What happened outside; a call that is over already is no error

    def extension_registered(self, extension: str, registered: bool) -> None:
        if registered:
            self._registered.add(Extension(extension))
        else:
            self._registered.discard(Extension(extension))

    def set_do_not_disturb(self, extension: str, on: bool) -> None:
        if on:
            self._undisturbed.add(Extension(extension))
        else:
            self._undisturbed.discard(Extension(extension))

    def set_out_of_service(self, device: Device, out: bool) -> None:
        """A device fails or comes back; the calls at one that fails end. RequestError when there is none such."""
        if not self.has(device):
            raise RequestError("operation", "invalidDeviceID")
        if out == (device in self._out_of_service):
            return
        (self._out_of_service.add if out else self._out_of_service.discard)(device)
        self._effects.append(Write("out_of_service" if out else "in_service", None, {"device": str(device)}))
        for call in self.calls_at(device) if out else ():
            side = call.side(device)
            if side is not None and isinstance(device, Trunk):
                self.clear_side(call, side)
            elif side is not None:
                self._leaves(call, side, "out of service")
        name = "outOfService" if out else "backInService"
        self._effects.append(ReportPrivate(name, b"", device, (device,)))

    def restart(self) -> None:
        """The PBX loses all calls at once; nobody is told, and nothing is put on account (DOC: as SMDR has it)."""
        for call in self.calls:
            call.over_by = "restart"
            self._effects.append(StopTimers(call.serial))
            self._media.drop(call)
            self._write(call, "ended", by="restart", answered=call.answered)
            del self._calls[call.serial]
        for handset in self._handsets.values():
            if handset.serial is not None:
                self._effects += [DropMedia(handset.serial), ReleaseExtension(handset.serial)]
        self._handsets.clear()
        self._registered.clear()

    def extension_answered(self, serial: int) -> None:
        """The SIP extension picked up: the caller's own after MakeCall, or a called one."""
        for call, side in self._at_leg(serial):
            if side is call.origin and call.state is State.RINGING_EXTENSION:
                self._lift(call)
            elif side is call.far and call.state is State.ALERTING and side.handset is not None:
                side.handset.answered = True
                self._happened(call, Event.FAR_ANSWERS)

    def extension_refused(self, serial: int) -> None:
        """The extension answered INVITE with a failure: nothing is left to release there."""
        self.extension_hung_up(serial)

    def extension_hung_up(self, serial: int) -> None:
        for call, side in self._at_leg(serial):
            if side.handset is not None:
                side.handset.gone = True
            if side is call.far and call.state is State.ALERTING:
                self._refused(call, self.settings.cause_rejected)
            else:
                self._leaves(call, side, "extension" if side is call.origin else "called")

    def far_hangs_up(self, serial: int) -> None:
        """The person that the leg talks with put his telephone down."""
        for call, side in self._at_leg(serial):
            other = call.other(side)
            if other is not None and not side.held:
                self._leaves(call, other, "callee")

    def party_hangs_up(self, party: int) -> None:
        """A simulated person put his telephone down, wherever he was led to."""
        for call in self.calls:
            for side in call.sides:
                if side.who is not None and side.who.party == party and side.up:
                    self._leaves(call, side, "callee")

    def _at_leg(self, serial: int) -> list[tuple[Call, Side]]:
        handset: Handset | None = next((one for one in self._handsets.values() if one.serial == serial), None)
        if handset is None:
            return []
        return [(call, side) for call in self.calls for side in call.sides if side.handset is handset and side.up]

    def _leaves(self, call: Call, side: Side, by: str) -> None:
        """One side hung up."""
        if call.serial not in self._calls:
            return
        call.over_by, call.first_cleared = by, side
        if side is call.origin:
            self._happened(call, Event.EXTENSION_GONE)
        elif call.state is not State.TALKING and not isinstance(side.device, Trunk):
            self._happened(call, Event.CLEARED)
        else:
            # Without a clearing signal from the network the PBX notices nothing: the caller hears tone until he
            # hangs up.
            stays = self.settings.far_hangup == "tone" or not self._signals(call)
            stays = stays and isinstance(call.origin.device, Extension) and not call.origin.held
            self._happened(call, Event.FAR_LEAVES if stays else Event.FAR_RELEASES)

    def timer_fired(self, serial: int, timer: Timer) -> None:
        call = self._calls.get(serial)
        if call is None:
            return
        if timer is Timer.DIAL:
            self._digits_complete(call)
        elif timer is Timer.REFUSE:
            self._far_refuses(call)
        elif timer is Timer.OGM:
            if call.ogm:
                self._ogm_over(call)
        else:
            if timer is Timer.EXTENSION:
                call.over_by = "extension"
            if timer is Timer.ANSWER and call.far is not None and call.far.handset is not None:
                call.far.handset.answered = True
            self._happened(call, _TIMER_EVENTS[timer])
