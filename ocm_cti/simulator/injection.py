"""Faults into a running PBX: begun now or later, ended by themselves or when they are cleared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.simulator.clock import Clock, DelayedCall
from ocm_cti.simulator.effects import Device, Extension, Trunk
from ocm_cti.simulator.fault_table import (
    BackInService,
    Fault,
    FaultError,
    LoseRegistration,
    OutOfService,
    Overload,
    Restart,
    TrunkLoss,
    WireFault,
)
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.wire_faults import Faults

NORMAL = "normal"
LINE = "line"


class Injection:
    """``restart`` and ``lose_registrations`` are the process's own."""

    def __init__(
        self,
        clock: Clock,
        pbx: Pbx,
        wires: Faults,
        restart: Callable[[float], None],
        lose_registration: Callable[[str], None],
        log: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._pbx = pbx
        self._wires = wires
        self._restart = restart
        self._lose_registration = lose_registration
        self._log = log
        self._timers: dict[int, DelayedCall] = {}
        self.waiting: list[Fault] = []  # to begin yet
        self.in_force: list[Fault] = []

    def inject(self, fault: Fault) -> None:
        """FaultError when it concerns something that is not there."""
        self._devices(fault)
        if fault.after_s:
            self.waiting.append(fault)
            self._timers[id(fault)] = self._clock.callLater(fault.after_s, self._begin, fault)
        else:
            self._begin(fault)

    def clear(self, name: str | None = None) -> list[Fault]:
        """End the faults of a name, or all, also those that wait; which they were."""
        chosen = [one for one in (*self.in_force, *self.waiting) if name is None or one.name == name]
        for fault in chosen:
            self._stop_timer(fault)
            if any(one is fault for one in self.waiting):
                self.waiting = [one for one in self.waiting if one is not fault]
            else:
                self._end(fault)
        return chosen

    def close(self) -> None:
        """Leave no timer."""
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()

    def restarted(self) -> None:
        """The PBX has come up anew: what was wrong inside of it is wrong no more."""
        for fault in [one for one in self.in_force if not isinstance(one, WireFault)]:
            self._stop_timer(fault)
            self._end(fault)

    def _begin(self, fault: Fault) -> None:
        self._timers.pop(id(fault), None)
        self.waiting = [one for one in self.waiting if one is not fault]
        self._log(f"fault: {fault.described()}")
        if not fault.momentary:
            self.in_force.append(fault)
            if fault.for_s:
                self._timers[id(fault)] = self._clock.callLater(fault.for_s, self._end, fault)
        match fault:
            case WireFault():
                self._wires.begin(fault)
            case OutOfService() | TrunkLoss():
                for device in self._devices(fault):
                    self._pbx.set_out_of_service(device, True)
            case BackInService():
                self._repair(fault)
            case Overload(state=state):
                self._pbx.csta.system_status(state)
            case Restart(down_s=down_s):
                self._wires.lose_held()
                self._restart(down_s)
            case LoseRegistration(extension=extension):
                for user in [extension] if extension else [one.number for one in self._pbx.switch.extensions]:
                    self._lose_registration(user)

    def _end(self, fault: Fault) -> None:
        self._timers.pop(id(fault), None)
        self.in_force = [one for one in self.in_force if one is not fault]
        self._log(f"fault over: {fault.described()}")
        match fault:
            case WireFault():
                self._wires.end(fault)
            case OutOfService() | TrunkLoss():
                still = {device for other in self.in_force for device in self._devices(other)}
                for device in self._devices(fault):
                    if device not in still:
                        self._pbx.set_out_of_service(device, False)
            case Overload():
                others = [other.state for other in self.in_force if isinstance(other, Overload)]
                self._pbx.csta.system_status(others[-1] if others else NORMAL)

    def _repair(self, fault: BackInService) -> None:
        """What is wrong with its device ends; other lines of a lost group stay dead."""
        devices = self._devices(fault)
        for other in [one for one in self.in_force if isinstance(one, OutOfService) and self._devices(one) == devices]:
            self._stop_timer(other)
            self._end(other)
        for device in devices:
            self._pbx.set_out_of_service(device, False)

    def _stop_timer(self, fault: Fault) -> None:
        timer = self._timers.pop(id(fault), None)
        if timer is not None and timer.active():
            timer.cancel()

    def _devices(self, fault: Fault) -> tuple[Device, ...]:
        """The devices that a fault is about; FaultError when there are none such."""
        numbering = self._pbx.switch.numbering
        match fault:
            case OutOfService(device=name) | BackInService(device=name):
                found: Device = Extension(name)
                if name.startswith(LINE) and name.removeprefix(LINE).isdigit():
                    found = Trunk(int(name.removeprefix(LINE)))
                if not self._pbx.switch.has(found):
                    raise FaultError(f"fault {fault.name}: no device {name!r}: an extension, or line1, line2, ...")
                return (found,)
            case TrunkLoss(group=name):
                groups = [group for group in numbering.groups if name in ("", group.name)]
                if not groups:
                    known = ", ".join(group.name for group in numbering.groups)
                    raise FaultError(f"fault {fault.name}: no group {name!r}; there are {known}")
                return tuple(line for group in groups for line in group.lines)
            case LoseRegistration(extension=name):
                if name and Extension(name) not in self._pbx.switch.extensions:
                    raise FaultError(f"fault {fault.name}: no extension {name!r}")
        return ()


def described_device(device: Any) -> str:
    """``302`` or ``line5``, as ``out_of_service`` takes it."""
    return f"{LINE}{device.index}" if isinstance(device, Trunk) else str(device.number)
