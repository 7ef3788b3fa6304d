"""The voice process as the gateway knows it (VoiceClient), joined to the telephones' side of the simulated PBX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.effects import AnswerExtension, ReferResult, RejectExtension, RequestError, Tone
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.voice.client import (
    CallOver,
    DialFailed,
    PlayReport,
    RecordReport,
    ReferRefused,
    VoiceObserver,
    VoiceProcessLost,
)


@dataclass
class _Ring:
    serial: int  # of its leg at the PBX; 0 until an INVITE of ours has been taken
    extension: str
    call_id: str = ""
    referring: Deferred[None] | None = None
    answered: bool = False
    playing: Deferred[PlayReport] | None = None
    began_s: float = 0.0
    length_ms: int = 0
    recording: Deferred[RecordReport] | None = None
    timers: list[Any] = field(default_factory=list)
    path: Path = Path()


@dataclass
class FakeVoice:
    """``latency_s``: how long word takes from the process to the gateway, over and above the clock's step."""

    clock: Any
    observer: VoiceObserver
    latency_s: float = 0.0
    answers: bool = True  # the process carries out ``answer``
    pbx: Pbx | None = None
    ready: bool = False
    started: bool = False
    registered: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    digits_dialled: dict[str, str] = field(default_factory=dict)  # by extension
    calls: dict[str, _Ring] = field(default_factory=dict)
    lives: int = 0
    dials: int = 0
    restart: Any = None

    # VoiceClient

    def start(self) -> None:
        self.started = True
        self._later(self._be_ready)

    def _be_ready(self) -> None:
        if self.started:
            self.lives += 1
            self.ready = True
            self.observer.process_ready()

    def stop(self) -> Deferred[None]:
        self.started = self.ready = False
        if self.restart is not None and self.restart.active():
            self.restart.cancel()
        for call_id in list(self.calls):
            self.hang_up(call_id)
            self._end(call_id, "us", "stopped", at_once=True)
        return succeed(None)

    def register(
        self, extension: str, password: str, registrar_host: str, registrar_port: int, expires_s: int = 120
    ) -> Deferred[None]:
        assert password == f"pw{extension}"
        if not self.ready:
            return fail(VoiceProcessLost("not running"))
        self.registered.add(extension)
        self._of_pbx().extension_registered(extension, True)
        self._later(self.observer.registration_changed, extension, True, "")
        return succeed(None)

    def unregister(self, extension: str) -> Deferred[None]:
        self.registered.discard(extension)
        self._of_pbx().extension_registered(extension, False)
        self._later(self.observer.registration_changed, extension, False, "")
        return succeed(None)

    def answer(self, call_id: str) -> Deferred[None]:
        ring = self.calls.get(call_id)
        if ring is None:
            return fail(CallOver("over"))
        if self.answers:
            ring.answered = True
            self._later(self.observer.established, call_id)
            self.clock.callLater(0, self._of_pbx().extension_answered, ring.serial)
        return succeed(None)

    def dial(self, extension: str, digits: str) -> Deferred[str]:
        if not self.ready:
            return fail(VoiceProcessLost("not running"))
        if extension not in self.registered:
            return fail(DialFailed("not registered"))
        self.dials += 1
        call_id = f"{self.lives}.d{self.dials}"
        self.calls[call_id] = _Ring(0, extension, call_id)
        self.digits_dialled[extension] = digits
        dialled: Deferred[str] = Deferred()
        self._later(dialled.callback, call_id)
        self.clock.callLater(0, self._invite, call_id, digits)
        return dialled

    def _invite(self, call_id: str, digits: str) -> None:
        ring = self.calls.get(call_id)
        if ring is None:
            return

        def adopt(serial: int) -> None:
            ring.serial = serial

        try:
            self._of_pbx().extension_dials(ring.extension, digits, adopt)
        except RequestError as refusal:
            self._refused(ring, 480, refusal.error[1])

    def _refused(self, ring: _Ring, code: int, reason: str) -> None:
        if self.calls.pop(ring.call_id, None) is not None:
            self._later(self.observer.refused, ring.call_id, code, reason)

    def refer(self, call_id: str, digits: str) -> Deferred[None]:
        ring = self.calls.get(call_id)
        if ring is None:
            return fail(CallOver("over"))
        ring.referring = Deferred()
        self.clock.callLater(0, self._refer, ring, digits)
        return ring.referring

    def _refer(self, ring: _Ring, digits: str) -> None:
        try:
            self._of_pbx().extension_refers(ring.serial, digits)
        except RequestError as refusal:
            self._referred(ring, 403, refusal.error[1])

    def _referred(self, ring: _Ring, code: int, reason: str = "") -> None:
        referring, ring.referring = ring.referring, None
        if referring is not None and code < 300:
            self._later(referring.callback, None)
        elif referring is not None:
            self._later(referring.errback, ReferRefused(code, reason))

    def refuse(self, call_id: str, code: int = 486) -> Deferred[None]:
        assert code == 486
        ring = self.calls.get(call_id)
        if ring is not None:
            self.refused.append(ring.extension)
            self.clock.callLater(0, self._of_pbx().extension_refused, ring.serial)
            self._end(call_id, "us", "refused")
        return succeed(None)

    def hang_up(self, call_id: str) -> Deferred[None]:
        ring = self.calls.get(call_id)
        if ring is not None:
            self.hung_up.append(ring.extension)
            if ring.serial:
                self.clock.callLater(0, self._of_pbx().extension_hung_up, ring.serial)
            self._end(call_id, "us", "hung up")
        return succeed(None)

    def play(self, call_id: str, paths: Sequence[Path]) -> Deferred[PlayReport]:
        ring = self.calls.get(call_id)
        if ring is None or not ring.answered:
            return fail(CallOver("over"))
        ring.length_ms = sum(path.stat().st_size for path in paths) // 8
        ring.began_s, ring.playing = self.clock.seconds(), Deferred()
        ring.timers.append(self.clock.callLater(ring.length_ms / 1000, self._played, ring, ring.playing))
        return ring.playing

    def _played(self, ring: _Ring, playing: Deferred[PlayReport]) -> None:
        if ring.playing is playing:
            ring.playing = None
            playing.callback(PlayReport(ring.length_ms, ring.length_ms, True))

    def stop_playing(self, call_id: str) -> Deferred[None]:
        ring = self.calls.get(call_id)
        if ring is not None:
            self._cut_short(ring)
        return succeed(None)

    def _cut_short(self, ring: _Ring) -> None:
        if ring.playing is not None:
            playing, ring.playing = ring.playing, None
            playing.callback(PlayReport(round((self.clock.seconds() - ring.began_s) * 1000), ring.length_ms, False))

    def record(
        self, call_id: str, path: Path, max_ms: int = 30_000, silence_ms: int = 3_000, stop_keys: str = "#"
    ) -> Deferred[RecordReport]:
        ring = self.calls.get(call_id)
        if ring is None or not ring.answered:
            return fail(CallOver("over"))
        ring.recording, ring.path, ring.began_s = Deferred(), path, self.clock.seconds()
        ring.timers.append(self.clock.callLater(silence_ms / 1000, self._recorded, ring, ring.recording, "silence"))
        return ring.recording

    def _recorded(self, ring: _Ring, recording: Deferred[RecordReport], why: str) -> None:
        if ring.recording is recording:
            ring.recording = None
            recording.callback(RecordReport(ring.path, round((self.clock.seconds() - ring.began_s) * 1000), why))

    # Telephones

    def ring(self, serial: int, extension: str, dialled: str) -> None:
        self.digits_dialled[extension] = dialled
        if not self.ready or extension not in self.registered:
            self.clock.callLater(0, self._of_pbx().extension_refused, serial)
            return
        call_id = f"{self.lives}.{serial}"
        self.calls[call_id] = _Ring(serial, extension, call_id)
        self._later(self._incoming, call_id, extension)

    def _incoming(self, call_id: str, extension: str) -> None:
        if call_id in self.calls:
            self.observer.incoming(call_id, extension, "")

    def release(self, serial: int) -> None:
        for call_id, ring in list(self.calls.items()):
            if ring.serial == serial:
                self._end(call_id, "them", "BYE")

    def tone(self, serial: int, tone: Tone) -> None:
        pass

    def connect(self, serial: int, callee: Callee, number: str, party: int = 0) -> None:
        pass

    def media(self, effect: Any) -> None:
        ring = next((one for one in self.calls.values() if one.serial == getattr(effect, "serial", None)), None)
        if ring is None:
            return
        match effect:
            case AnswerExtension(_, code) if code < 200:
                self._later(self.observer.ringing, ring.call_id, code)
            case AnswerExtension() if not ring.answered:
                ring.answered = True
                self._later(self.observer.established, ring.call_id)
            case RejectExtension(_, code):
                self._refused(ring, code, "refused")
            case ReferResult(_, code):
                self._referred(ring, code)

    def drop_media(self, serial: int) -> None:
        pass

    # The test

    def serial_at(self, extension: str) -> int:
        return next(ring.serial for ring in self.calls.values() if ring.extension == extension)

    def press(self, extension: str, keys: str) -> None:
        call_id = next(call_id for call_id, ring in self.calls.items() if ring.extension == extension)
        for key in keys:
            self._later(self.observer.digit, call_id, key)

    def die(self, back_after_s: float = 1.0) -> None:
        """kill -9: its calls go unheard, the PBX is told nothing."""
        self.ready = False
        for call_id in list(self.calls):
            self._end(call_id, "fault", "the voice process died", at_once=True)
        self.observer.process_lost("the voice process died")
        self.restart = self.clock.callLater(back_after_s, self._be_ready)

    def _end(self, call_id: str, by: str, reason: str, *, at_once: bool = False) -> None:
        ring = self.calls.pop(call_id)
        for timer in ring.timers:
            if timer.active():
                timer.cancel()
        self._cut_short(ring)
        if ring.referring is not None:
            ring.referring.errback(CallOver("over"))
            ring.referring = None
        if ring.recording is not None:
            self._recorded(ring, ring.recording, "hangup")
        if at_once:
            self.observer.ended(call_id, by, reason)
        else:
            self._later(self.observer.ended, call_id, by, reason)

    def _later(self, what: Any, *args: Any) -> None:
        self.clock.callLater(self.latency_s, what, *args)

    def _of_pbx(self) -> Pbx:
        assert self.pbx is not None
        return self.pbx
