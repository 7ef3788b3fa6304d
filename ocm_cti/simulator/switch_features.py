"""What a call can be turned into: hold, retrieve, alternate, reconnect, consult, transfer, deflect, REFER.

Everything here works on the two sides of a call and leaves its progress to the table. RequestError says why a request
can't be carried out; nothing has changed then.
"""

from __future__ import annotations

from ocm_cti.simulator import switch_reports
from ocm_cti.simulator.call_table import Event, State
from ocm_cti.simulator.calls import Call, Handset, Side
from ocm_cti.simulator.effects import (
    Device,
    DropMedia,
    Extension,
    ReferResult,
    RequestError,
    RingExtension,
    StopTimers,
    Timer,
    Trunk,
)
from ocm_cti.simulator.switch_books import SIP_CODES
from ocm_cti.simulator.switch_engine import Engine

NO_CONNECTION = ("operation", "invalidConnectionID")
WRONG_STATE = ("stateIncompatibility", "invalidObjectState")
NOT_SAME_DEVICE = ("operation", "notSameDevice")


class Features(Engine):
    """Requests about calls that are there already."""

    def connection(self, call_id: bytes, device: Device | None) -> tuple[Call, Side]:
        """The connection of a call at a device, None: at its extension. RequestError when there is none."""
        call = next((call for call in self._calls.values() if call.call_id == call_id), None)
        if call is None:
            raise RequestError(*NO_CONNECTION)
        up = [side for side in call.sides if side.up]
        if device is None:
            up.sort(key=lambda side: isinstance(side.device, Trunk))
        else:
            up = [side for side in up if side.device == device]
        if not up:
            raise RequestError(*NO_CONNECTION)
        side = up[0]
        return call, side

    def _talking(self, call: Call) -> bool:
        """Whether the PBX takes the two sides for connected: over a silent trunk from the first moment on."""
        return call.state is State.TALKING or (
            call.state in (State.PROCEEDING, State.ALERTING) and not self._signals(call)
        )

    def _pair(self, held: tuple[Call, Side], active: tuple[Call, Side]) -> None:
        """Check that these are a held and another call at one device."""
        if held[1].device != active[1].device:
            raise RequestError(*NOT_SAME_DEVICE)
        if held[0] is active[0] or not held[1].held or active[1].held:
            raise RequestError(*WRONG_STATE)

    # Hold

    def hold(self, call_id: bytes, device: Device | None) -> None:
        """HoldCall: the extension leaves the conversation, the other side waits."""
        call, side = self.connection(call_id, device)
        if not self._talking(call) or side.held or isinstance(side.device, Trunk):
            raise RequestError(*WRONG_STATE)
        self._hold(call, side, "normal", "normal")

    def _hold(self, call: Call, side: Side, cause: str, hold_type: str) -> None:
        side.held = True
        self._write(call, "held")
        self._media.part(call)
        self._report(call, "held", side.device, cause, hold_type=hold_type)

    def retrieve(self, call_id: bytes, device: Device | None) -> None:
        """RetrieveCall: the conversation goes on."""
        call, side = self.connection(call_id, device)
        busy = isinstance(side.device, Extension) and self._active_at(side.device) is not None
        if not side.held or busy:
            raise RequestError(*WRONG_STATE)
        self._retrieve(call, side, "normal")

    def _retrieve(self, call: Call, side: Side, cause: str) -> None:
        side.held = False
        self._write(call, "retrieved")
        if not any(one.held for one in call.sides):
            self._media.join(call)
        self._report(call, "retrieved", side.device, cause)

    def alternate(self, held: tuple[Call, Side], active: tuple[Call, Side]) -> None:
        """AlternateCall: hold the active call, go on with the held one."""
        self._pair(held, active)
        if not self._talking(active[0]):
            raise RequestError(*WRONG_STATE)
        self._hold(*active, "alternate", "consultation")
        self._retrieve(*held, "alternate")

    def reconnect(self, active: tuple[Call, Side], held: tuple[Call, Side]) -> None:
        """ReconnectCall: clear the active call, go on with the held one."""
        self._pair(held, active)
        self.clear_side(*active)
        if held[0].serial in self._calls:
            self._retrieve(*held, "normal")

    def clear_side(self, call: Call, side: Side | None) -> None:
        """ClearConnection; a call of two sides ends with one of them."""
        call.over_by, call.first_cleared = "clear", side
        self._happened(call, Event.CLEARED)

    # A second call from the same telephone

    def consult(self, call_id: bytes, device: Device | None, digits: str) -> Call:
        """ConsultationCall: hold this call and make another one; the new one."""
        call, side = self.connection(call_id, device)
        if not self._talking(call) or side.held or not isinstance(side.device, Extension):
            raise RequestError(*WRONG_STATE)
        self._check_digits(digits)
        self._hold(call, side, "consultation", "consultation")
        return self._originate(side.device, digits, "consultation", "consultation")

    def _check_digits(self, digits: str) -> None:
        """Refuse what can't be dialled; switch.py knows."""

    def _originate(self, caller: Extension, digits: str, cause: str, opening: str = "newCall") -> Call:
        """A call from an extension; one that is off-hook or has a speaker dials at once, others are rung."""
        serial = self._next_serial()
        handset = self._handsets.get(caller) or self._handset(caller, serial)
        call = Call(serial, self._next_call_id(), Side(caller, handset), digits, self._seconds(), opening=opening)
        call.calling, call.called = caller, digits
        self._begin(call)
        self._report(call, "serviceInitiated", caller, cause)
        if handset.answered or (handset.serial is None and self.settings.phone_make_call == "off_hook"):
            self._lift(call)
            return call
        if handset.serial is not None:
            self._effects.append(RingExtension(handset.serial, caller, digits))
        self._timer(call, Timer.EXTENSION, self.settings.extension_answer_timeout_s)
        return call

    # Transfer

    def transfer(self, held: tuple[Call, Side], active: tuple[Call, Side]) -> tuple[Call, Side]:
        """TransferCall: join the other sides of both calls; the call that comes of it, and the side transferred to."""
        self._pair(held, active)
        if active[0].state is not State.ALERTING and not self._talking(active[0]):
            raise RequestError(*WRONG_STATE)
        return self._transfer(held, active)

    def _transfer(self, held: tuple[Call, Side], active: tuple[Call, Side]) -> tuple[Call, Side]:
        (old, old_side), (call, own) = held, active
        staying, reached = old.other(old_side), call.other(own)
        assert staying is not None and reached is not None, "both calls have another side"
        old_ids = old.call_id, call.call_id
        self._effects.append(StopTimers(old.serial))
        self._write(old, "ended", by="transfer", answered=old.answered)
        names = _name(old, staying), _name(call, reached)
        call.calling, call.called = names if own is call.origin else names[::-1]
        call.inbound = call.inbound or old.inbound
        self._take_place(call, own, staying)
        call.trunk_held = call.trunk_held or old.trunk_held
        call.outside = call.outside or old.outside
        call.answered_s = call.answered_s if call.answered_s is not None else old.answered_s
        call.referred_from = None
        del self._calls[old.serial]
        if self.settings.transfer_call_id == "new":
            call.call_id = self._next_call_id()
        self._write(call, "transferred", by=_text(own.device), to=_text(reached.device), of=old.serial)
        if self._talking(call) and not any(side.held for side in call.sides):
            self._media.join(call)
        moved = (old_ids[0], staying), (old_ids[1], reached)
        self._effects.append(switch_reports.transferred(own.device, *moved, call, reached.device, "transfer"))
        self._leave(call, own)
        old.condition, old.state = "tr", State.OVER
        self._account(old)
        return call, reached

    def _take_place(self, call: Call, leaving: Side, coming: Side) -> None:
        if leaving is call.origin:
            call.origin = coming
        else:
            call.far = coming

    def _leave(self, call: Call, side: Side) -> None:
        """A side that is no more in the call hangs up, unless another call is at its telephone."""
        side.up = False
        if side.leg is not None and side.handset is not None and not self._media.shared(side.handset, call):
            self._effects.append(DropMedia(side.leg))
        self._release(call, side)

    def single_step_transfer(self, call_id: bytes, device: Device | None, digits: str) -> tuple[Call, Device | str]:
        """SingleStepTransfer: send the other side on to ``digits``; the call, and whom it is to reach."""
        call, own = self.connection(call_id, device)
        staying = call.other(own)
        if not self._talking(call) or staying is None or isinstance(own.device, Trunk):
            raise RequestError(*WRONG_STATE)
        reached = self._reachable_by(digits)
        self._effects.append(StopTimers(call.serial))
        self._media.part(call)
        old_id = call.call_id
        calling = _name(call, staying)
        call.origin, call.far = staying, None
        if self.settings.transfer_call_id == "new":
            call.call_id = self._next_call_id()
        call.calling, call.called, call.dialled, call.inbound = calling, digits, digits, False
        call.was, call.state = call.state, State.DIALING
        self._write(call, "transferred", by=_text(own.device), to=digits, of=call.serial)
        self._effects.append(
            switch_reports.transferred(own.device, None, (old_id, staying), call, reached, "singleStepTransfer")
        )
        self._leave(call, own)
        self._digits_complete(call)
        return call, reached

    def _reachable_by(self, digits: str) -> Device | str:
        """The extension, or the digits themselves where they go outside; RequestError when nobody is there now."""
        destination = self.numbering.destination(digits)
        if destination is None:
            raise RequestError("operation", "invalidCalledDeviceID")
        if isinstance(destination, Extension):
            if self.obstacle(destination) is not None:
                raise RequestError("systemResourceAvailability", "resourceBusy")
            return destination
        return digits

    def deflect(self, call_id: bytes, device: Device | None, digits: str) -> None:
        """DeflectCall: a ringing call goes to ``digits`` instead."""
        call, side = self.connection(call_id, device)
        if call.state is not State.ALERTING or side is not call.far or not isinstance(side.device, Extension):
            raise RequestError(*WRONG_STATE)
        destination = self._reachable_by(digits)
        self._effects.append(StopTimers(call.serial))
        self._write(call, "diverted", by=_text(side.device), to=digits)
        side.up = False
        call.was, call.state = call.state, State.DIALING
        self._report(call, "diverted", side.device, "redirected", destination=destination)
        self._release(call, side)
        call.far, call.redirected = None, side.device
        original, call.dialled = call.dialled, digits
        self._digits_complete(call)
        call.dialled = original

    # REFER (RFC 3515): the PBX consults and transfers for the extension

    def extension_refers(self, serial: int, digits: str) -> None:
        """The extension wants its person connected with ``digits``; ReferResult follows. RequestError: not now."""
        handset = next((one for one in self._handsets.values() if one.serial == serial), None)
        call = None if handset is None else self._active_at(handset.extension)
        side = None if handset is None or call is None else call.side(handset.extension)
        if call is None or side is None or not self._talking(call):
            raise RequestError(*WRONG_STATE)
        self._check_digits(digits)
        self._hold(call, side, "consultation", "consultation")
        assert isinstance(side.device, Extension), "a handset is at an extension"
        new = self._originate(side.device, digits, "consultation", "consultation")
        new.referred_from = call

    def _refer_answered(self, call: Call) -> None:
        old = call.referred_from
        if old is None or old.serial not in self._calls:
            return
        handset = call.origin.handset
        side = None if handset is None else old.side(handset.extension)
        if handset is None or side is None:
            return
        self._refer_result(handset, 200)
        self._transfer((old, side), (call, call.origin))

    def _refer_over(self, call: Call) -> None:
        old, handset = call.referred_from, call.origin.handset
        if old is not None and handset is not None and old.serial in self._calls:
            call.referred_from = None
            side = old.side(handset.extension)
            if handset.gone or side is None:
                return
            self._refer_result(handset, SIP_CODES.get(call.cause, 480))
            self._retrieve(old, side, "normal")
        for new in [one for one in self._calls.values() if one.referred_from is call]:
            # Who was to be transferred has hung up.
            new.referred_from = None
            if new.origin.handset is not None:
                self._refer_result(new.origin.handset, 480)
            self.clear_side(new, None)

    def _refer_result(self, handset: Handset, code: int) -> None:
        if handset.serial is not None and not handset.gone:
            self._effects.append(ReferResult(handset.serial, code))


def _name(call: Call, side: Side) -> Device | str:
    """How events name the party of a side: an extension, or the digits behind a trunk."""
    if isinstance(side.device, Extension):
        return side.device
    if side is call.origin:
        return call.calling
    return call.called


def _text(device: Device) -> str:
    return device.number if isinstance(device, Extension) else f"trunk {device.index}"
