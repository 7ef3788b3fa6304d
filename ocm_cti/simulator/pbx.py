"""The whole PBX: carries out what the switch decides, on a clock, towards CSTA clients, telephones and the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.clock import Clock, DelayedCall
from ocm_cti.simulator.csta_server import CstaServer
from ocm_cti.simulator.effects import (
    CallAccount,
    CallEnded,
    ConnectCallee,
    Device,
    DropMedia,
    Effect,
    PlayTone,
    ReleaseExtension,
    Report,
    ReportPrivate,
    RingExtension,
    StartTimer,
    StopTimers,
    Timer,
    Tone,
    Write,
)
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.numbering import Numbering
from ocm_cti.simulator.switch import Switch


class Telephones(Protocol):
    """The side of the extensions: SIP and audio. Calls are named by the serial of the switch."""

    def ring(self, serial: int, extension: str, dialled: str) -> None:
        """Call the extension; ``extension_answered``, ``extension_refused`` or ``extension_hung_up`` follow."""

    def release(self, serial: int) -> None:
        """End the SIP call at whatever stage."""

    def tone(self, serial: int, tone: Tone) -> None: ...

    def connect(self, serial: int, callee: Callee, number: str, party: int) -> None: ...

    def drop_media(self, serial: int) -> None:
        """No more audio; recordings are complete when this returns."""

    def media(self, effect: Effect) -> None:
        """Every other effect that concerns telephones and voices."""


class Pbx:
    """``telephones`` is made with the Pbx, which it tells what the extensions do. ``extensions`` alone are SIP
    extensions, with one group of trunks as the settings say."""

    def __init__(
        self,
        settings: Settings,
        extensions: Sequence[str] | Numbering,
        directory: Directory,
        clock: Clock,
        journal: Journal,
        telephones: Callable[[Pbx], Telephones],
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        numbering = extensions if isinstance(extensions, Numbering) else Numbering.plain(settings, extensions)
        self.switch = Switch(
            settings,
            (),
            directory,
            numbering=numbering,
            seconds=clock.seconds,
            first_serial=journal.last_call + 1,
        )
        self.csta = CstaServer(settings, self.switch, clock, self.carry_out, log)
        self.telephones = telephones(self)
        #: Each is called with every ended call: SMDR.
        self.accounts: list[Callable[[CallAccount], None]] = []
        self._clock = clock
        self._journal = journal
        self._timers: dict[tuple[int, Timer], DelayedCall] = {}
        self._carrying = False

    def close(self) -> None:
        """Switch off: links drop, calls end (their lines in the journal too), no timer is left."""
        self.csta.close()
        for call in self.switch.calls:
            self.switch.clear(call.call_id, None)
        self.carry_out()
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()

    # What the telephones tell

    def extension_registered(self, extension: str, registered: bool) -> None:
        self.switch.extension_registered(extension, registered)

    def extension_answered(self, serial: int) -> None:
        self.switch.extension_answered(serial)
        self.carry_out()

    def extension_refused(self, serial: int) -> None:
        self.switch.extension_refused(serial)
        self.carry_out()

    def extension_hung_up(self, serial: int) -> None:
        self.switch.extension_hung_up(serial)
        self.carry_out()

    def extension_dials(self, extension: str, digits: str, adopt: Callable[[int], None]) -> None:
        """A registered extension has sent INVITE; ``adopt`` gets its leg's serial. RequestError when it can't."""
        try:
            adopt(self.switch.extension_dials(extension, digits).serial)
        finally:
            self.carry_out()

    def extension_refers(self, serial: int, digits: str) -> None:
        """REFER on a leg. RequestError when it can't; else ReferResult follows."""
        try:
            self.switch.extension_refers(serial, digits)
        finally:
            self.carry_out()

    def callee_hung_up(self, serial: int) -> None:
        self.switch.far_hangs_up(serial)
        self.carry_out()

    def party_hung_up(self, party: int) -> None:
        self.switch.party_hangs_up(party)
        self.carry_out()

    def party_pressed(self, party: int, keys: str) -> None:
        self.switch.party_presses(party, keys)
        self.carry_out()

    # What people outside of the telephony do to it

    def call_in(self, number: str, destination: str) -> int:
        """Somebody outside calls ``destination`` over the first free trunk; the call's serial. RequestError."""
        try:
            return self.switch.call_in(number, destination).serial
        finally:
            self.carry_out()

    def restart(self) -> None:
        """Power off and on: calls, monitors and registrations are lost, nobody is told. The telephones are gone
        already; ``timers`` of lost calls don't fire."""
        self.switch.restart()
        self.carry_out()
        self.csta.restart()

    def set_out_of_service(self, device: Device, out: bool) -> None:
        """RequestError for a device that does not exist."""
        try:
            self.switch.set_out_of_service(device, out)
        finally:
            self.carry_out()

    # Effects

    def carry_out(self) -> None:
        """Do what the switch wants, in its order; what that causes at once comes after it."""
        if self._carrying:
            return
        self._carrying = True
        try:
            while effects := self.switch.effects():
                for effect in effects:
                    self._do(effect)
        finally:
            self._carrying = False

    def _do(self, effect: Effect) -> None:
        match effect:
            case Write(event, call, fields):
                self._journal.write(event, call, fields)
            case Report():
                self.csta.report(effect)
            case RingExtension(serial, extension, dialled):
                self.telephones.ring(serial, extension.number, dialled)
            case ReleaseExtension(serial):
                self.telephones.release(serial)
            case PlayTone(serial, tone):
                self.telephones.tone(serial, tone)
            case ConnectCallee(serial, callee, number, party):
                self.telephones.connect(serial, callee, number, party)
            case DropMedia(serial):
                self.telephones.drop_media(serial)
            case StartTimer(serial, timer, after_s):
                self._timers[serial, timer] = self._clock.callLater(after_s, self._fired, serial, timer)
            case StopTimers(serial):
                for timer in Timer:
                    running = self._timers.pop((serial, timer), None)
                    if running is not None and running.active():
                        running.cancel()
            case CallEnded(account):
                self.csta.call_ended(account)
                for take in self.accounts:
                    take(account)
            case ReportPrivate():
                self.csta.report(effect)
            case _:
                self.telephones.media(effect)

    def _fired(self, serial: int, timer: Timer) -> None:
        del self._timers[serial, timer]
        self.switch.timer_fired(serial, timer)
        self.carry_out()
