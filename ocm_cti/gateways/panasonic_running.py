"""The machine of panasonic_calls at work: its deeds, its timers and its reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallObserver, Native
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_begin import Beginning
from ocm_cti.gateways.panasonic_calls import TABLE, Do, Event, State, Way
from ocm_cti.gateways.panasonic_causes import nothing_to_clear
from ocm_cti.gateways.panasonic_machine import Machine, Verdict
from ocm_cti.gateways.panasonic_reading import Told
from ocm_cti.gateways.panasonic_sound import Sound
from ocm_cti.gateways.panasonic_transfer import Transfer
from protocols.csta.link import LinkLost, RequestError
from protocols.csta.panasonic import connection_id, dialing_number

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


class RunningCall:
    """One call on one port. ``told`` gets the events that came before the callID was known."""

    def __init__(
        self,
        around: Surroundings,
        extension: str,
        attempt_id: int,
        ring_timeout_s: float,
        observer: CallObserver,
        formers: Mapping[bytes, float],
    ) -> None:
        self.extension = extension
        self.attempt_id = attempt_id
        self._around = around
        self._ring_timeout_s = ring_timeout_s
        self._observer = observer
        settings = around.settings
        self._way = Way.OGM if settings.voice == "ogm" else Way(settings.originate)
        self._machine = Machine(
            way=self._way,
            dials_after_pick_up=settings.dials_after_pick_up,
            reached_is_ringing=settings.reached_is_ringing,
        )
        self._beginning = Beginning(around, extension, formers, self._happened, self.told)
        self._sound = Sound(around, lambda: self.talking, lambda: self._connection)
        self._transfer: Transfer | None = None
        self._timers: dict[Do, Any] = {}
        self._at_work = False
        self._waiting: list[tuple[Event, Cause, Native | None]] = []

    @property
    def native_id(self) -> str | None:
        number = self._beginning.call_id
        return None if number is None else number.hex()

    @property
    def voice_id(self) -> str | None:
        return self._sound.voice_id

    @property
    def talking(self) -> bool:
        return self._machine.state is State.TALKING

    @property
    def verdict(self) -> Verdict | None:
        """How the call ended, once that is decided."""
        return self._machine.verdict

    @property
    def call_ids(self) -> list[bytes]:
        """The callIDs that it had at the PBX."""
        second = None if self._transfer is None else self._transfer.second.call_id
        return [number for number in (self._beginning.call_id, second) if number is not None]

    @property
    def _connection(self) -> Any:
        number = self._beginning.call_id
        return None if number is None else connection_id(number, dialing_number(self.extension))

    def told(self, told: Told) -> None:
        raise NotImplementedError

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
        transfer, before = self._transfer, self._machine.state
        if transfer is not None and transfer.is_agreed and self.talking and (before, event) in TABLE:
            # He has been handed over: a fault or a hang-up now is none of his, or he would be called again.
            waiting, self._waiting = self._waiting, []
            transfer.conclude()
            self._waiting += [(event, cause, native), *waiting]
            return
        deeds = self._machine.happened(event, cause, native)
        if self._machine.state is not before:
            self._around.log.debug(
                "{call}: {event}: {before} -> {after}",
                call=self,
                event=event.name,
                before=before.value,
                after=self._machine.state.value,
            )
        if before is State.TALKING and not self.talking:
            self._sound.over()
            if self._transfer is not None:
                self._transfer.abandon()  # if it goes on yet
        for do in deeds:
            self._carry_out(do)
        if self._machine.state is State.CLEARING:
            self._beginning.give_up()

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
        if self._connection is None:
            self._around.look()
            return
        self._around.ask("clearConnection", {"connectionToBeCleared": self._connection}).addErrback(self._not_cleared)

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
        if self._transfer is not None:
            self._transfer.abandon()
        self._carry_out(Do.STOP)
        if not self._machine.reported:
            self._around.log.warn("{call}: given up at shutdown", call=self)
            self._happened(Event.HANG_UP)
            self._happened(Event.RELEASE_LATE)
            self._carry_out(Do.STOP)

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
