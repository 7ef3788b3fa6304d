"""What the switch knows and keeps: devices, calls, telephones in use, journal lines, accounts. It moves no call.

switch_engine.py carries out the table on top of this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ocm_cti.simulator import switch_reports
from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.calls import Call, Handset, Person, Side
from ocm_cti.simulator.effects import (
    CallAccount,
    CallEnded,
    Device,
    Effect,
    Extension,
    RejectExtension,
    ReleaseExtension,
    StartTimer,
    Timer,
    Trunk,
    Write,
)
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.numbering import Numbering
from ocm_cti.simulator.switch_media import Media

# What a SIP extension that dialled gets as its final answer, by the cause of Failed; 480 for all others.
SIP_CODES = {
    "busy": 486,
    "doNotDisturb": 480,
    "callCancelled": 603,
    "invalidNumberFormat": 404,
    "numberUnallocated": 404,
    "destNotObtainable": 480,
    "callNotAnswered": 480,
    "destOutOfOrder": 502,
    "networkCongestion": 503,
    "trunksBusy": 503,
    "reorderTone": 503,
}


class Books:
    """``numbering`` says what there is; ``seconds`` dates accounts."""

    def __init__(
        self, settings: Settings, numbering: Numbering, directory: Directory, seconds: Callable[[], float]
    ) -> None:
        self.settings = settings
        self.numbering = numbering
        self.extensions = numbering.extensions
        self.trunks = numbering.trunks
        self._directory = directory
        self._seconds = seconds
        self._registered: set[Extension] = set()
        self._undisturbed: set[Extension] = set()
        self._out_of_service: set[Device] = set()
        self._calls: dict[int, Call] = {}
        self._handsets: dict[Extension, Handset] = {}
        self._serial = 0
        self._party = 0
        self._last_call_id = 0
        self._effects: deque[Effect] = deque()
        self._media = Media(self._effects.append, self._calls.values)

    # Devices

    def in_service(self, device: Device) -> bool:
        """As the device list tells it."""
        if device in self._out_of_service:
            return False
        return (
            isinstance(device, Trunk)
            or self.numbering.is_phone(device)
            or self.settings.unregistered_in_service
            or device in self._registered
        )

    def _reachable(self, extension: Extension) -> bool:
        return extension not in self._out_of_service and (
            self.numbering.is_phone(extension) or extension in self._registered
        )

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls in progress."""
        return tuple(self._calls.values())

    def calls_at(self, device: Device) -> list[Call]:
        """The calls at a device; of an extension the one it does not hold first."""
        found = [call for call in self._calls.values() if _at(call, device)]
        return sorted(found, key=lambda call: _held_at(call, device))

    def call_of(self, device: Device) -> Call | None:
        """The call at a device, None when it is idle; of several the one that is not held."""
        return next(iter(self.calls_at(device)), None)

    def _active_at(self, extension: Extension) -> Call | None:
        """The call that keeps an extension from beginning another one."""
        call = self.call_of(extension)
        return None if call is None or _held_at(call, extension) else call

    def obstacle(self, extension: Extension) -> str | None:
        """The cause for which an extension can't be called now; None: it can."""
        if not self._reachable(extension):
            return self.settings.cause_extension_unreachable
        if extension in self._undisturbed:
            return self.settings.cause_do_not_disturb
        return self.settings.cause_busy if self.calls_at(extension) else None

    # Telephones

    def _handset(self, extension: Extension, serial: int | None = None) -> Handset:
        """The telephone in use there; a new one rings or is being lifted."""
        handset = self._handsets.get(extension)
        if handset is None:
            handset = self._handsets[extension] = Handset(extension)
            station = self.numbering.stations[extension]
            if station.kind == "phone":
                person = station.person or self._directory.find(station.number)
                handset.person = self._person(person, station.number)
            else:
                handset.serial = self._next_serial() if serial is None else serial
        return handset

    def _person(self, callee: Callee, number: str) -> Person:
        self._party += 1
        return Person(self._party, callee, number)

    def _release(self, call: Call, side: Side) -> None:
        """End the telephone call at one side, unless another call of the switch is at it."""
        handset = side.handset
        if handset is None or self._media.shared(handset, call) or self._handsets.get(handset.extension) is not handset:
            return
        del self._handsets[handset.extension]
        if handset.serial is None or handset.gone:
            return
        if handset.dialled and not handset.answered:
            self._effects.append(RejectExtension(handset.serial, SIP_CODES.get(call.cause, 480)))
        else:
            self._effects.append(ReleaseExtension(handset.serial))

    # Calls

    def _signals(self, call: Call) -> bool:
        """Whether the PBX learns what happens at the far side."""
        far = None if call.far is None else call.far.device
        return not isinstance(far, Trunk) or self.numbering.signals(far)

    def _report(self, call: Call, name: str, subject: Device, cause: str, **more: Any) -> None:
        self._effects.append(switch_reports.report(call, name, subject, cause, **more))

    def _write(self, call: Call, event: str, **fields: Any) -> None:
        line: dict[str, Any] = {
            "extension": call.extension.number,
            "number": call.dialled,
            "callee": call.callee and call.callee.name,
        }
        self._effects.append(Write(event, call.serial, {**line, **fields}))

    def _account(self, call: Call) -> None:
        trunk = call.trunk
        account = CallAccount(
            serial=call.serial,
            call_id=call.call_id,
            extension=call.extension.number,
            trunk=None if trunk is None else trunk.index,
            dialled=call.calling if isinstance(call.calling, str) else call.dialled,
            direction="in" if call.inbound else "out" if trunk is not None else "internal",
            started_s=call.started_s,
            answered_s=call.answered_s,
            ended_s=self._seconds(),
            answered=call.answered_s is not None,
            condition=call.condition or ("na" if call.inbound and not call.answered else ""),
        )
        self._effects.append(CallEnded(account))

    def _timer(self, call: Call, timer: Timer, after_s: float) -> None:
        self._effects.append(StartTimer(call.serial, timer, after_s))

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _next_call_id(self) -> bytes:
        in_use = {call.call_id for call in self._calls.values()}
        while True:
            self._last_call_id = self._last_call_id % max(self.settings.call_ids, len(in_use) + 1) + 1
            call_id = self._last_call_id.to_bytes(self.settings.call_id_octets, "big")
            if call_id not in in_use:
                return call_id


def _at(call: Call, device: Device) -> bool:
    side = call.side(device)
    return side is not None and (call.trunk_held if isinstance(device, Trunk) else side.up)


def _held_at(call: Call, device: Device) -> bool:
    side = call.side(device)
    return side is not None and side.held
