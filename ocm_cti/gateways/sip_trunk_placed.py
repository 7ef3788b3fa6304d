"""One placed call on an operator's trunk: the machine with its timers, its voice and its transfer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import (
    CallObserver,
    CallOver,
    Native,
    NotSupported,
    Played,
    Recorded,
    RecordLimits,
    TransferFailed,
)
from ocm_cti.gateways.sip_trunk_around import Surroundings, Wanted
from ocm_cti.gateways.sip_trunk_calls import Do, Event, State
from ocm_cti.gateways.sip_trunk_causes import (
    CREDENTIALS,
    OPERATOR_WAITS,
    OURS,
    UNSENT,
    ended_native,
    is_congested,
    refusal_cause,
)
from ocm_cti.gateways.sip_trunk_machine import NOTHING, Detail, Machine, Verdict
from ocm_cti.voice.client import CallOver as VoiceCallOver
from ocm_cti.voice.client import DialFailed, VoiceProcessLost

#: Many operators look the account up by From, and challenge for ever where somebody else stands in it.
ASK_FOR_ACCOUNT = 'does the operator want the account in From? from_user = "account", asserted = "caller_id"'
RINGING = 180
SESSION_PROGRESS = 183


class PlacedCall:
    """``interface.Call``. The gateway tells it what the voice process says of ``voice_id``."""

    def __init__(self, around: Surroundings, port: str, ring_timeout_s: float, observer: CallObserver) -> None:
        self.port = port
        self.voice_id = ""
        self._around = around
        self._observer = observer
        self._ring_timeout_s = ring_timeout_s
        self._machine = Machine(tells_progress=around.settings.tells_progress)
        self._timers: dict[Do | None, Any] = {}
        self._events: deque[tuple[Event, Detail]] = deque()
        self._busy = False
        self._shows = ""  # who stands in From in place of the account
        self._transferring = False
        self._kept: tuple[Event, Detail] | None = None  # the end of a call whose transfer has not been answered yet

    # interface.Call

    @property
    def native_id(self) -> str | None:
        return self.voice_id or None

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if not self.talking:
            return fail(CallOver("the call is over"))
        playing = self._around.voice.play(self.voice_id, prompt)
        return playing.addCallbacks(
            lambda report: Played(report.heard_ms, report.of_ms, report.finished), _media_failed
        )

    def stop_playing(self) -> None:
        if self.talking:
            self._around.voice.stop_playing(self.voice_id)

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        if not self.talking:
            return fail(CallOver("the call is over"))
        recording = self._around.voice.record(self.voice_id, path, limits.max_ms, limits.silence_ms, limits.stop_keys)
        return recording.addCallbacks(lambda report: Recorded(report.path, report.length_ms, report.why), _media_failed)

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return fail(NotSupported(f"announcement {ogm}: an operator's trunk has none; play a recording"))

    def transfer(self, number: str) -> Deferred[None]:
        if not self.talking:
            return fail(CallOver("the call is over"))
        if self._transferring:
            return fail(TransferFailed(Cause.LINE_FAULT, "another transfer of this call is on its way"))
        self._transferring = True
        self.stop_playing()
        result: Deferred[None] = Deferred()
        referring = self._around.voice.refer(self.voice_id, number)
        referring.addCallbacks(
            lambda _: self._handed_over(result), lambda failure: self._not_handed_over(failure, result)
        )
        referring.addErrback(self._broken)
        return result

    def hang_up(self) -> None:
        self._happened(Event.HANG_UP)

    # What the gateway asks

    @property
    def talking(self) -> bool:
        return self._machine.state is State.TALKING

    @property
    def over(self) -> bool:
        return self._machine.state is State.OVER

    @property
    def verdict(self) -> Verdict | None:
        return self._machine.verdict

    def begin(self, wanted: Wanted) -> None:
        """Ask for the INVITE. Nothing is told before this has returned."""
        self._busy = True
        self._shows = wanted.caller_id
        asked = self._around.voice.call(
            wanted.trunk,
            wanted.digits,
            caller_id=wanted.caller_id,
            asserted=wanted.asserted,
            headers=wanted.headers,
        )
        asked.addCallbacks(self._dialled, self._not_dialled).addErrback(self._broken)
        self._busy = False
        if self._events:
            self._timers[None] = self._around.clock.callLater(0, self._take)

    def _dialled(self, voice_id: str) -> None:
        self.voice_id = voice_id
        self._around.named(voice_id, self)
        self._happened(Event.DIALLED)

    def _not_dialled(self, failure: Failure) -> None:
        detail = Detail(native=Native(OURS, "not-dialled", failure.getErrorMessage()))
        if isinstance(failure.value, VoiceProcessLost):
            self.voice_lost(failure.getErrorMessage())
        elif isinstance(failure.value, DialFailed):
            self._happened(Event.NOT_DIALLED, detail)
        else:
            self._around.log.failure("port {port}: the call was not placed", failure, port=self.port)
            self._happened(Event.NOT_DIALLED, detail)

    # What the gateway tells

    def progress(self, code: int) -> None:
        """A provisional answer; other codes (181, 182, 199) only say that the call goes on."""
        rings = code == RINGING or (code == SESSION_PROGRESS and self._around.settings.ring_on_183)
        self._happened(Event.RINGS if rings else Event.PROGRESS)

    def established(self) -> None:
        self._happened(Event.ANSWERED)

    def refused(self, code: int, reason: str, q850: int | None, retry_after_s: float | None) -> None:
        settings = self._around.settings
        cause, native = refusal_cause(code, reason, q850, dict(settings.statuses))
        if retry_after_s is not None and code in OPERATOR_WAITS:
            wait_s = min(retry_after_s, settings.retry_after_limit_s)
            self._around.wait(wait_s, f"the operator wants no call for {wait_s:g} s: {code} {native.text}")
        elif is_congested(code, q850):
            self._around.wait(settings.congestion_rest_s, f"the operator has no room: {code} {native.text}")
        if code in CREDENTIALS and self._shows:
            native = Native(native.system, native.code, f"{native.text}; {ASK_FOR_ACCOUNT}")
        self._happened(Event.UNSENT if code == UNSENT else Event.REFUSED, Detail(cause, native))

    def ended(self, by: str, reason: str, q850: int | None) -> None:
        native = ended_native(by, reason, q850)
        event = {"them": Event.FAR_ENDED, "us": Event.HUNG_UP}.get(by, Event.BROKE)
        if self._transferring and self.talking:
            self._kept = (event, Detail(native=native))
        else:
            self._happened(event, NOTHING if event is Event.HUNG_UP else Detail(native=native))

    def pressed(self, digit: str) -> None:
        if self.talking and not self._transferring:
            self._tell(self._observer.digit, digit)

    def voice_lost(self, reason: str) -> None:
        self._happened(Event.VOICE_LOST, Detail(native=Native(OURS, "voice", reason)))

    def give_up(self, reason: str) -> None:
        """The gateway closes and nothing more will be told: the call ends here if it has not yet."""
        soon = self._timers.pop(None, None)
        if soon is not None and soon.active():
            soon.cancel()
        self.voice_lost(reason)
        self.close()

    def link_lost(self) -> None:
        """The operator does not answer any more."""
        self._machine.link_lost()

    # Handing over (REFER). That our call ends may mean success, or that the person has hung up: only the answer to
    # REFER tells. Until it has come, the end is kept back.

    def _handed_over(self, result: Deferred[None]) -> None:
        kept = self._transfer_over()
        result.callback(None)
        self._happened(Event.HANDED_OVER)
        if kept is not None:
            self._happened(*kept)

    def _not_handed_over(self, failure: Failure, result: Deferred[None]) -> None:
        kept = self._transfer_over()
        error = failure.value
        if isinstance(error, VoiceCallOver):
            result.errback(CallOver(str(error)))
        else:
            code, reason = getattr(error, "code", 0), getattr(error, "reason", failure.getErrorMessage())
            cause = refusal_cause(code, reason)[0]
            result.errback(TransferFailed(cause, f"the operator refuses REFER: {code or ''} {reason}".strip()))
        if kept is not None:
            self._happened(*kept)

    def _transfer_over(self) -> tuple[Event, Detail] | None:
        self._transferring = False
        kept, self._kept = self._kept, None
        return kept

    # The machine

    def _happened(self, event: Event, detail: Detail = NOTHING) -> None:
        self._events.append((event, detail))
        if not self._busy and None not in self._timers:
            self._take()

    def _take(self) -> None:
        self._timers.pop(None, None)
        self._busy = True
        try:
            while self._events:
                for do in self._machine.happened(*self._events.popleft()):
                    self._do(do)
        finally:
            self._busy = False

    def _do(self, do: Do) -> None:
        match do:
            case Do.TELL_DIALING:
                self._tell(self._observer.dialing)
            case Do.TELL_RINGING:
                self._tell(self._observer.ringing)
            case Do.TELL_ANSWERED:
                self._tell(self._observer.answered, True)
            case Do.TELL_VERDICT:
                self._report()
            case Do.FREE:
                self._around.over(self)
            case Do.STOP:
                self.close()
            case Do.TIME_RING:
                self._time(do, self._ring_timeout_s, Event.RING_LATE)
            case Do.TIME_LIMIT:
                self._time(do, self._around.settings.call_limit_s, Event.TOO_LONG)
            case Do.HANG_UP:
                self._hang_up()
            case _:
                raise RuntimeError(f"{do} is nothing that a call does")

    def _hang_up(self) -> None:
        # Without a name yet the answer to the question for the call will be followed by this.
        if self.voice_id:
            self._around.voice.hang_up(self.voice_id)

    def _report(self) -> None:
        verdict = self._machine.verdict
        if verdict is None:
            raise RuntimeError("a call is over without a verdict")
        if verdict.by is None:
            self._tell(self._observer.failed, verdict.cause, verdict.native)
        else:
            self._tell(self._observer.ended, verdict.cause, verdict.by, verdict.native)

    def _tell(self, what: Callable[..., None], *said: object) -> None:
        """A mistake of the observer is its own; the call goes on."""
        try:
            what(*said)
        except Exception:
            self._around.log.failure("port {port}: the observer of its call failed", port=self.port)

    def _broken(self, failure: Failure) -> None:
        self._around.log.failure("port {port}", failure, port=self.port)

    # Timers

    def _time(self, timer: Do, after_s: float, event: Event) -> None:
        def late() -> None:
            del self._timers[timer]
            self._happened(event)

        self._timers[timer] = self._around.clock.callLater(after_s, late)

    def close(self) -> None:
        """No timer is left."""
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            if timer.active():
                timer.cancel()


def _media_failed(failure: Failure) -> Failure:
    if isinstance(failure.value, VoiceCallOver):
        raise CallOver(str(failure.value)) from failure.value
    return failure
