"""One placed call on Asterisk: the machine with its timers, its requests and its sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_around import Surroundings
from ocm_cti.gateways.asterisk_calls import Do, Event, State
from ocm_cti.gateways.asterisk_causes import no_agi, refusal
from ocm_cti.gateways.asterisk_machine import NOTHING, Detail, Machine, Verdict
from ocm_cti.gateways.asterisk_reading import ORIGINATE, Row, Told
from ocm_cti.gateways.interface import (
    CallObserver,
    CallOver,
    NotSupported,
    Played,
    Recorded,
    RecordLimits,
    TransferFailed,
)
from protocols.ami.link import ActionRefused, LinkLost
from protocols.ami.messages import Event as Message

NORMAL_CLEARING = "16"
#: Timers that a repeated event must not begin anew.
_FROM_THE_FIRST = frozenset({Do.TIME_RING, Do.TIME_LIMIT, Do.TIME_BLIND, Do.TIME_BLIND_ANSWERED})


class PlacedCall:
    """``interface.Call``. The gateway tells it what the switch says of ``channel_id``."""

    def __init__(
        self, around: Surroundings, port: str, channel_id: str, ring_timeout_s: float, observer: CallObserver
    ) -> None:
        self.port = port
        self.channel_id = channel_id
        self._around = around
        self._observer = observer
        self._ring_timeout_s = ring_timeout_s
        self._listens = around.settings.detects_machines
        self._machine = Machine(listens=self._listens)
        self._sound = around.sound(channel_id)
        self._timers: dict[Do | None, Any] = {}
        self._events: deque[tuple[Event, Detail]] = deque()
        self._busy = False
        self._early_keys = ""
        self._transferring = False
        self._blind = False  # the sound has been told so

    # interface.Call

    @property
    def native_id(self) -> str | None:
        return self.channel_id

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        return self._sound.play(prompt) if self.talking else fail(CallOver("the call is over"))

    def stop_playing(self) -> None:
        if self.talking:
            self._sound.stop_playing()

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        return self._sound.record(path, limits) if self.talking else fail(CallOver("the call is over"))

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return fail(NotSupported(f"announcement {ogm}: Asterisk has none of its own; play a recording"))

    def transfer(self, number: str) -> Deferred[None]:
        if not self.talking:
            return fail(CallOver("the call is over"))
        if self._transferring:
            return fail(TransferFailed(Cause.LINE_FAULT, "another transfer of this call is on its way"))
        self._transferring = True
        result: Deferred[None] = Deferred()

        def handed_over(_: object) -> None:
            result.callback(None)
            self._happened(Event.HANDED_OVER)
            self._transferring = False

        def not_handed_over(failure: Failure) -> None:
            self._transferring = False
            result.errback(failure)

        self._sound.transfer(number).addCallbacks(handed_over, not_handed_over)
        return result

    def hang_up(self) -> None:
        self._happened(Event.HANG_UP)

    # What the gateway asks

    @property
    def talking(self) -> bool:
        return self._machine.state is State.TALKING

    @property
    def verdict(self) -> Verdict | None:
        return self._machine.verdict

    def begin(self, digits: str, attempt_id: int, caller_id: str) -> None:
        """Send Originate."""
        settings = self._around.settings
        limit_s = self._ring_timeout_s + settings.timeout_margin_s
        headers = [
            ("ActionID", ORIGINATE + self.channel_id),
            ("Channel", settings.channel_for(digits)),
            ("Context", settings.context),
            ("Exten", settings.exten),
            ("Priority", str(settings.priority)),
            ("Timeout", str(round(limit_s * 1000))),
            ("Account", settings.account_code),
            ("ChannelId", self.channel_id),
            ("Variable", f"OCM_ATTEMPT={attempt_id}"),
            ("Async", "true"),
        ]
        if caller_id:
            headers.append(("CallerID", caller_id))
        self._time(None, limit_s + settings.nothing_heard_s, Event.NOTHING_LATE)
        self._around.ask("Originate", *headers).addErrback(self._not_taken).addErrback(self._broken)

    def _not_taken(self, failure: Failure) -> None:
        if isinstance(failure.value, ActionRefused):
            self._happened(Event.REFUSED, Detail(text=refusal(failure.value.message, self._around.settings)))
        elif not isinstance(failure.value, LinkLost):
            self._happened(Event.UNSURE)
        elif not failure.value.sent:
            self._happened(Event.REFUSED, Detail(text=str(failure.value)))

    # What the gateway tells

    def told(self, told: Told, message: Message) -> None:
        """An event of our channel."""
        if message.name == "AsyncAGIExec":
            self._sound.agi_executed(message)
            return
        if told.event is Event.AGI_ENDED:
            self._sound.agi_ended(message)
            if self._transferring:
                return
        if told.event is Event.AGI:
            self._sound.agi_started(message)
        if told.event is Event.HANGUP:
            self._sound.over("hung up")
        if told.event is not None:
            self._happened(told.event, told.detail)

    def pressed(self, digit: str) -> None:
        if self.talking:
            if not self._sound.digit(digit) and not self._transferring:
                self._tell(self._observer.digit, digit)
        elif self._machine.state in (State.UP, State.LISTENING):
            self._early_keys += digit

    def looked(self, row: Row | None) -> None:
        """The list of channels: our line of it, None when it has none."""
        if row is None:
            self._sound.over("the switch has no such call any more")
            self._happened(Event.ABSENT)
            return
        for event in row.signs:
            self._happened(event)
        self._see()

    def link_lost(self) -> None:
        if not self._blind:
            self._blind = True
            self._sound.link_lost()
        self._happened(Event.LINK_LOST)

    def link_back(self) -> None:
        """The link is up; ``looked`` follows."""
        self._happened(Event.LINK_BACK)

    def _see(self) -> None:
        if self._blind:
            self._blind = False
            self._sound.link_back()

    def close(self) -> None:
        """No timer is left."""
        self._stop(*self._timers)
        self._sound.over("closed")

    # The machine

    def _happened(self, event: Event, detail: Detail = NOTHING) -> None:
        self._events.append((event, detail))
        if self._busy:
            return  # told by an observer that was just being told
        self._busy = True
        try:
            while self._events:
                for do in self._machine.happened(*self._events.popleft()):
                    self._do(do)
        finally:
            self._busy = False

    def _do(self, do: Do) -> None:
        settings = self._around.settings
        match do:
            case Do.TELL_DIALING:
                self._tell(self._observer.dialing)
            case Do.TELL_RINGING:
                self._tell(self._observer.ringing)
            case Do.TELL_ANSWERED:
                self._answered()
            case Do.TELL_VERDICT:
                self._over()
            case Do.FREE:
                self._around.free(self)
            case Do.STOP:
                self._stop(*self._timers)
            case Do.STOP_AGI:
                self._stop(Do.TIME_AGI)
            case Do.STOP_BLIND:
                self._stop(Do.TIME_BLIND, Do.TIME_BLIND_ANSWERED)
            case Do.TIME_RING:
                self._time(do, self._ring_timeout_s, Event.RING_LATE)
            case Do.TIME_GRACE:
                self._time(do, settings.cause_grace_s, Event.GRACE_LATE)
            case Do.TIME_AGI:
                self._time(do, settings.agi_start_s, Event.AGI_LATE, no_agi(settings))
            case Do.TIME_LIMIT:
                self._time(do, settings.call_limit_s, Event.TOO_LONG)
            case Do.TIME_BLIND:
                self._time(do, settings.blind_limit_s, Event.BLIND_LATE)
            case Do.TIME_BLIND_ANSWERED:
                self._time(do, settings.blind_answered_s, Event.BLIND_LATE)
            case Do.TIME_CLEAR:
                self._time(do, settings.clear_timeout_s, Event.CLEAR_LATE)
            case Do.TIME_RELEASE:
                self._time(do, settings.release_timeout_s, Event.RELEASE_LATE)
            case Do.LISTEN:
                self._sound.detect().addCallbacks(self._detected, self._not_detected).addErrback(self._broken)
            case Do.CLEAR:
                self._clear()
            case Do.LOOK:
                self._around.look(self)
            case _:
                raise RuntimeError(f"{do} is nothing that a call does")

    def _clear(self) -> None:
        asked = self._around.ask("Hangup", ("Channel", self.channel_id), ("Cause", NORMAL_CLEARING))
        asked.addErrback(self._not_cleared).addErrback(self._broken)

    def _not_cleared(self, failure: Failure) -> None:
        if isinstance(failure.value, ActionRefused) and "no such channel" in failure.value.message.lower():
            self._happened(Event.NO_SUCH)
        elif not isinstance(failure.value, LinkLost):
            self._around.log.warn(
                "{channel} can't be hung up: {why}", channel=self.channel_id, why=failure.getErrorMessage()
            )

    def _detected(self, found: str) -> None:
        self._around.log.info("{channel}: AMD says {found}", channel=self.channel_id, found=found)
        if found != "machine":
            self._happened(Event.PERSON, Detail(text=f"AMD says {found}"))
        elif self._asks_machine():
            self._sound.greeting_over().addCallbacks(self._greeted, self._not_greeted).addErrback(self._broken)
        else:
            self._happened(Event.MACHINE, Detail(text=f"AMD says {found}"))

    def _asks_machine(self) -> bool:
        try:
            return self._observer.machine()
        except Exception:
            self._around.log.failure("{channel}: its observer failed", channel=self.channel_id)
            return False

    def _greeted(self, heard_silence: bool) -> None:
        if not heard_silence:
            self._around.log.warn("{channel}: the machine's greeting has no end", channel=self.channel_id)
        self._happened(Event.GREETED)

    def _not_greeted(self, failure: Failure) -> None:
        if not isinstance(failure.value, CallOver):
            self._around.log.warn("{channel}: {why}", channel=self.channel_id, why=failure.getErrorMessage())
            self._happened(Event.MACHINE, Detail(text="AMD says machine"))

    def _not_detected(self, failure: Failure) -> None:
        if not isinstance(failure.value, CallOver):
            self._around.log.warn("{channel}: AMD: {why}", channel=self.channel_id, why=failure.getErrorMessage())
            self._happened(Event.PERSON)

    def _answered(self) -> None:
        self._tell(self._observer.answered, True)
        keys, self._early_keys = self._early_keys, ""
        for key in keys:
            self.pressed(key)

    def _over(self) -> None:
        verdict = self._machine.verdict
        if verdict is None:
            raise RuntimeError("a call is over without a verdict")
        self._sound.over(verdict.native.text)
        if verdict.by is None:
            self._tell(self._observer.failed, verdict.cause, verdict.native)
        else:
            self._tell(self._observer.ended, verdict.cause, verdict.by, verdict.native)

    def _tell(self, what: Callable[..., None], *said: object) -> None:
        """A mistake of the observer is its own; the call goes on."""
        try:
            what(*said)
        except Exception:
            self._around.log.failure("{channel}: its observer failed", channel=self.channel_id)

    def _broken(self, failure: Failure) -> None:
        self._around.log.failure("{channel}", failure, channel=self.channel_id)

    # Timers

    def _time(self, timer: Do | None, after_s: float, event: Event, text: str = "") -> None:
        if timer in _FROM_THE_FIRST and timer in self._timers:
            return
        self._stop(timer)

        def late() -> None:
            del self._timers[timer]
            self._happened(event, Detail(text=text) if text else NOTHING)

        self._timers[timer] = self._around.clock.callLater(after_s, late)

    def _stop(self, *timers: Do | None) -> None:
        for timer in timers:
            running = self._timers.pop(timer, None)
            if running is not None and running.active():
                running.cancel()
