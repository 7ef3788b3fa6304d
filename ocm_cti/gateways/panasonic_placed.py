"""A placed call: the machine of panasonic_calls at work between link, voice process, clock and observer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallObserver, CallOver, Native, Played, Recorded, RecordLimits
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Do, Event, State
from ocm_cti.gateways.panasonic_causes import make_call_error, nothing_to_clear
from ocm_cti.gateways.panasonic_machine import Machine, Verdict
from ocm_cti.gateways.panasonic_reading import Seen, Told
from ocm_cti.voice.client import CallOver as VoiceCallOver
from protocols.csta.link import LinkLost, RequestError, RequestFailed, RequestRejected
from protocols.csta.panasonic import call_id, connection_id, dialing_number

#: timer -> (setting that has its seconds, event when it fires)
TIMERS = {
    Do.TIME_PICK_UP: ("pick_up_timeout_s", Event.PICK_UP_LATE),
    Do.TIME_RING: ("", Event.RING_LATE),  # given with the call
    Do.TIME_ASSUME: ("answer_timer_s", Event.ASSUMED),
    Do.TIME_REASON: ("reason_wait_s", Event.REASON_LATE),
    Do.TIME_LIMIT: ("call_limit_s", Event.TOO_LONG),
    Do.TIME_BLIND: ("blind_limit_s", Event.BLIND_LATE),
    Do.TIME_CLEAR: ("clear_timeout_s", Event.CLEAR_LATE),
    Do.TIME_RELEASE: ("release_timeout_s", Event.RELEASE_LATE),
}


class PlacedCall:
    """One call on one port: ``interface.Call`` for the dialer; the gateway tells it what link and voice say."""

    def __init__(
        self, around: Surroundings, extension: str, attempt_id: int, ring_timeout_s: float, observer: CallObserver
    ) -> None:
        self.extension = extension
        self.attempt_id = attempt_id
        self.voice_id: str | None = None
        self._around = around
        self._ring_timeout_s = ring_timeout_s
        self._observer = observer
        self._machine = Machine(
            dials_after_pick_up=around.settings.dials_after_pick_up,
            reached_is_ringing=around.settings.reached_is_ringing,
        )
        self._call_id: bytes | None = None
        self._asked = False  # MakeCall has no answer yet
        self._early: list[Told] = []  # events before the PBX has said which callID is ours
        self._timers: dict[Do, Any] = {}
        self._at_work = False
        self._waiting: list[tuple[Event, Cause, Native | None]] = []

    # interface.Call

    @property
    def native_id(self) -> str | None:
        return None if self._call_id is None else self._call_id.hex()

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if self.voice_id is None or self._machine.state is not State.TALKING:
            return fail(CallOver("the call is over"))
        playing = self._around.voice.play(self.voice_id, prompt)
        return playing.addCallbacks(
            lambda report: Played(report.heard_ms, report.of_ms, report.finished), self._media_failed
        )

    def stop_playing(self) -> None:
        if self.voice_id is not None and self._machine.state is State.TALKING:
            self._around.voice.stop_playing(self.voice_id)

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        if self.voice_id is None or self._machine.state is not State.TALKING:
            return fail(CallOver("the call is over"))
        recording = self._around.voice.record(self.voice_id, path, limits.max_ms, limits.silence_ms, limits.stop_keys)
        return recording.addCallbacks(
            lambda report: Recorded(report.path, report.length_ms, report.why), self._media_failed
        )

    def hang_up(self) -> None:
        self._happened(Event.HANG_UP)

    def _media_failed(self, failure: Failure) -> Failure:
        if isinstance(failure.value, VoiceCallOver):
            raise CallOver(str(failure.value)) from failure.value
        return failure

    # Placing

    def make(self, digits: str) -> None:
        """Send MakeCall."""
        argument = {"callingDevice": dialing_number(self.extension), "calledDirectoryNumber": dialing_number(digits)}
        self._start(Do.TIME_PICK_UP)
        self._asked = True
        self._around.ask("makeCall", argument).addCallbacks(self._made, self._not_made)

    def _made(self, result: Any) -> None:
        self._asked = False
        # An answer may be empty (X.880), or one of another operation.
        device = result.get("callingDevice") if isinstance(result, dict) else None
        number = None if device is None else call_id(device)
        if number is None:
            self._around.log.warn("{call}: MakeCall result without a callID", call=self)
            self._made_perhaps()
        else:
            self._learn(number)

    def _not_made(self, failure: Failure) -> None:
        self._asked = False
        error = failure.value
        if isinstance(error, LinkLost):
            return  # link_lost follows
        if isinstance(error, RequestFailed | RequestRejected):
            cause, native = make_call_error(error)
            self._happened(Event.REFUSED, cause, native)
            return
        self._around.log.warn("{call}: {reason}", call=self, reason=failure.getErrorMessage())
        self._made_perhaps()

    def _made_perhaps(self) -> None:
        """The PBX may have made the call or not: its events or a snapshot tell, and until then nothing is refused."""
        numbers = {told.call_id for told in self._early if told.name in ("serviceInitiated", "originated")}
        if len(numbers) == 1:
            self._learn(numbers.pop())
        else:
            self._happened(Event.UNSURE)

    def _learn(self, number: bytes) -> None:
        """The callID is known; what was told of it before counts now."""
        if self._call_id is None:
            self._call_id = number
        self._happened(Event.MADE)
        early, self._early = self._early, []
        for told in early:
            self.told(told)

    # What the gateway tells

    def told(self, told: Told) -> None:
        """An event of our extension."""
        if self._call_id is None:
            self._early.append(told)
        elif told.call_id != self._call_id:
            self._around.log.info("{call}: {name} of another call", call=self, name=told.name)
        elif told.event is not None:
            self._happened(told.event, told.cause, told.native)

    def looked(self, seen: Sequence[Seen]) -> None:
        """A snapshot of our extension: what the PBX has there."""
        if self._asked:
            return  # the answer to MakeCall will tell; until then nothing there does not mean nothing to come
        ours = [one for one in seen if self._call_id is None or one.call_id == self._call_id]
        if not ours:
            self._happened(Event.ABSENT)
            return
        if self._call_id is None:
            self._learn(ours[0].call_id)
        else:
            self._happened(Event.PRESENT)
        if "alerting" in ours[0].others:
            self._happened(Event.FAR_ALERTING)

    def link_lost(self) -> None:
        self._happened(Event.LINK_LOST)

    def link_back(self) -> None:
        """Our extension is monitored again; a snapshot follows."""
        self._happened(Event.LINK_BACK)

    @property
    def awaits_ring(self) -> bool:
        """Whether an INVITE on our extension now is the PBX carrying out our MakeCall."""
        return self._machine.may_be_offered

    def offered(self, voice_id: str) -> None:
        self.voice_id = voice_id
        self._happened(Event.OFFERED)

    def voice_up(self) -> None:
        self._happened(Event.PICKED_UP)

    def pressed(self, digit: str) -> None:
        if self._machine.state is State.TALKING:
            self._tell(self._observer.digit, digit)

    def voice_ended(self, by: str, reason: str) -> None:
        self._happened(Event.VOICE_LEFT if by == "them" else Event.VOICE_BROKE, native=Native("sip", by, reason))

    def voice_lost(self, reason: str) -> None:
        self._happened(Event.VOICE_LOST, native=Native("ocm", "voice", reason))

    # The machine at work

    def _happened(self, event: Event, cause: Cause = Cause.UNKNOWN, native: Native | None = None) -> None:
        # What we do may cause the next event at once; it waits until this one has been carried out.
        self._waiting.append((event, cause, native))
        if self._at_work:
            return
        self._at_work = True
        try:
            while self._waiting:
                self._step(*self._waiting.pop(0))
        finally:
            self._at_work = False

    def _step(self, event: Event, cause: Cause, native: Native | None) -> None:
        before = self._machine.state
        deeds = self._machine.happened(event, cause, native)
        if self._machine.state is not before:
            self._around.log.debug(
                "{call}: {event}: {before} -> {after}",
                call=self,
                event=event.name,
                before=before.value,
                after=self._machine.state.value,
            )
        for do in deeds:
            self._carry_out(do)

    def _carry_out(self, do: Do) -> None:
        match do:
            case Do.TELL_DIALING:
                self._tell(self._observer.dialing)
            case Do.TELL_RINGING:
                self._tell(self._observer.ringing)
            case Do.TELL_ANSWERED:
                self._tell(self._observer.answered, self._around.settings.answer == "signalled")
            case Do.TELL_VERDICT:
                self._report(self._machine.verdict)
            case Do.FREE:
                self._around.free()
            case Do.STOP:
                for running in list(self._timers):
                    self._stop(running)
            case Do.STOP_BLIND:
                self._stop(Do.TIME_BLIND)
            case Do.STOP_PICK_UP:
                self._stop(Do.TIME_PICK_UP)
            case Do.PICK_UP if self.voice_id is not None:
                self._around.voice.answer(self.voice_id).addErrback(self._not_picked_up)
            case Do.CLEAR:
                self._clear()
            case Do.HANG_UP if self.voice_id is not None:
                self._around.voice.hang_up(self.voice_id)
            case Do.LOOK:
                self._around.look()
            case _ if do in TIMERS:
                self._start(do)

    def _start(self, do: Do) -> None:
        setting, event = TIMERS[do]
        after_s = getattr(self._around.settings, setting) if setting else self._ring_timeout_s
        self._stop(do)
        if after_s > 0:
            self._timers[do] = self._around.clock.callLater(after_s, self._happened, event)

    def _stop(self, do: Do) -> None:
        timer = self._timers.pop(do, None)
        if timer is not None and timer.active():
            timer.cancel()

    def _clear(self) -> None:
        if self._call_id is None:
            self._around.look()
            return
        connection = connection_id(self._call_id, dialing_number(self.extension))
        self._around.ask("clearConnection", {"connectionToBeCleared": connection}).addErrback(self._not_cleared)

    def _not_cleared(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, RequestError) and nothing_to_clear(error):
            self._happened(Event.ABSENT)
        elif not isinstance(error, LinkLost):
            self._around.log.warn("{call}: {reason}", call=self, reason=failure.getErrorMessage())

    def _not_picked_up(self, failure: Failure) -> None:
        # That the call is over is told by ``ended`` as well.
        self._around.log.warn("{call}: not picked up: {reason}", call=self, reason=failure.getErrorMessage())

    def _report(self, verdict: Verdict | None) -> None:
        if verdict is None:
            raise RuntimeError("a call is over without a verdict")
        if verdict.by is None:
            self._tell(self._observer.failed, verdict.cause, verdict.native)
        else:
            self._tell(self._observer.ended, verdict.cause, verdict.by, verdict.native)

    def close(self) -> None:
        """Give it up at shutdown, after link and voice are gone: no timer stays, and there has been a report."""
        self._carry_out(Do.STOP)
        if not self._machine.reported:
            self._around.log.warn("{call}: given up at shutdown", call=self)
            self._happened(Event.HANG_UP)
            self._happened(Event.RELEASE_LATE)
            self._carry_out(Do.STOP)

    @property
    def talking(self) -> bool:
        return self._machine.state is State.TALKING

    @property
    def verdict(self) -> Verdict | None:
        """How the call ended, once that is decided."""
        return self._machine.verdict

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        try:
            what(*args)
        except Exception:
            # A mistake of the observer must not leave a person in silence and the line off the hook.
            self._around.log.failure("{call}: the observer failed", call=self)
            if not self._machine.reported:
                self._happened(Event.HANG_UP)

    def __str__(self) -> str:
        return f"attempt {self.attempt_id} on {self.extension} (call {self.native_id or '?'})"
