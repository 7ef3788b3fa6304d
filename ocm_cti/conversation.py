"""One scenario, on one answered call: carries out what the scenario's interpreter asks and tells it what happened.

The interpreter (``domain.scenario_run.Run``) is pure and decides everything; this file owns only the call, the one
outstanding timer and the order of things when the call ends in the middle: the prompt or the recording that was going
on reports how far it got, *then* the result is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, assert_never

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock, Timer
from ocm_cti.domain.fragments import Fragment
from ocm_cti.domain.scenario_actions import (
    Action,
    Announce,
    HangUp,
    Play,
    Record,
    RunResult,
    StartTimer,
    StopPlaying,
    StopTimer,
    Transfer,
)
from ocm_cti.domain.scenario_run import Run
from ocm_cti.gateways.interface import Call, CallOver, NotSupported, Played, Recorded, RecordLimits, TransferFailed

Reported = TypeVar("Reported")

#: After the call ended its prompt and its recording report at once; a gateway that keeps them back longer than this has
#: a fault, and the attempt must not wait for it.
LAST_WORDS_S = 5.0
#: A prompt that broke off, or a refusal because the call is over, is followed by the end of the call; where it never
#: comes, the person must not be left in silence. Longer than a gateway takes to let go of a line.
NO_END_S = 30.0


class Conversation:
    """Runs ``run`` on ``call``; ``fragments`` are the rendered parts, ``recording_path(step)`` says where a reply goes.

    ``start`` once the call is answered, ``digit`` for each key, ``call_over`` once when it has ended. The result of
    ``call_over`` fires with what was heard, pressed and said.
    """

    def __init__(
        self,
        call: Call,
        run: Run,
        fragments: Mapping[Fragment, Path],
        recording_path: Callable[[str], Path],
        clock: Clock,
        log: Logger,
        stop_list: Callable[[str], None] = lambda name: None,
    ) -> None:
        """``stop_list`` is told at once on which one the person has asked to be put; those of his last moment, when the
        call is over already, stand in the result only.
        """
        self._stop_list = stop_list
        self._stop_lists_told: set[str] = set()
        self._call = call
        self._run = run
        self._fragments = fragments
        self._recording_path = recording_path
        self._clock = clock
        self._log = log
        self._timer: Timer | None = None
        self._unreported = 0  # prompts, recordings, transfers that have not yet said how far they got
        self._over = False
        self._told: Deferred[None] | None = None  # everything that was going on has reported
        self._grace: Timer | None = None
        self._fault: str = ""

    @property
    def fault(self) -> str:
        """Why the conversation was given up by us, "" if it was not: a missing prompt, a broken recording."""
        return self._fault

    def start(self) -> None:
        self._tell(self._run.start)

    def digit(self, digit: str) -> None:
        if not self._over:
            self._tell(self._run.digit, digit)

    def call_over(self) -> Deferred[RunResult]:
        """The call has ended, by whomever."""
        self._over = True
        self._run.call_over()
        self._stop_timer()
        told = self._told = Deferred()
        if self._unreported:
            self._grace = self._clock.callLater(LAST_WORDS_S, self._finish)
        else:
            self._finish()
        return told.addCallback(lambda _: self._run.result)

    def _finish(self) -> None:
        if self._grace is not None and self._grace.active():
            self._grace.cancel()
        if self._told is not None:
            told, self._told = self._told, None
            told.callback(None)

    def _tell(self, what: Callable[..., list[Action]], *happened: str) -> None:
        """To the interpreter, and carry out what it asks."""
        try:
            actions = what(*happened)
        except Exception as error:
            self._give_up(repr(error))
            return
        self._carry_out(actions)

    def _carry_out(self, actions: list[Action]) -> None:
        try:
            self._tell_stop_lists()
            self._carry_out_all(actions)
        except Exception as error:
            self._give_up(repr(error))

    def _tell_stop_lists(self) -> None:
        for name in self._run.stop_lists:
            if name not in self._stop_lists_told:
                self._stop_lists_told.add(name)
                self._stop_list(name)

    def _carry_out_all(self, actions: list[Action]) -> None:
        for action in actions:
            if self._over:
                return
            match action:
                case Play():
                    self._play(action)
                case Announce():
                    self._report_later(self._call.play_announcement(action.ogm), self._played)
                case StopPlaying():
                    self._call.stop_playing()
                case StartTimer():
                    self._stop_timer()
                    self._timer = self._clock.callLater(action.seconds, self._timer_fired)
                case StopTimer():
                    self._stop_timer()
                case Record():
                    self._record(action)
                case Transfer():
                    self._transfer(action)
                case HangUp():
                    self._call.hang_up()
                case _:
                    assert_never(action)

    def _play(self, action: Play) -> None:
        try:
            files = [self._fragments[fragment] for fragment in action.fragments]
        except KeyError as missing:
            self._give_up(f"no audio was prepared for {missing.args[0]!r}")
            return
        self._report_later(self._call.play(files), self._played)

    def _report_later(self, report: Deferred[Reported], told: Callable[[Reported], None]) -> None:
        self._unreported += 1
        report.addCallbacks(told, self._media_failed).addErrback(self._broken)

    def _played(self, played: Played) -> None:
        self._unreported -= 1
        actions = self._run.played(played.heard_ms, played.of_ms, played.finished)
        if not actions and not played.finished:
            self._expect_end(self._call.hang_up)
        self._after_report(actions)

    def _record(self, action: Record) -> None:
        path = self._recording_path(action.step)
        limits = RecordLimits(max_ms=action.max_ms, silence_ms=action.silence_ms, stop_keys=action.stop_keys)
        self._report_later(self._call.record(path, limits), self._recorded)

    def _recorded(self, recorded: Recorded) -> None:
        self._unreported -= 1
        self._after_report(self._run.recorded(recorded.path.name, recorded.length_ms))

    def _transfer(self, action: Transfer) -> None:
        self._unreported += 1
        connecting = self._call.transfer(action.to)
        connecting.addCallbacks(self._transferred, self._not_transferred).addErrback(self._broken)

    def _transferred(self, _: object) -> None:
        self._unreported -= 1
        self._after_report(self._run.transferred())

    def _not_transferred(self, failure: Failure) -> None:
        if not isinstance(failure.value, TransferFailed | NotSupported):
            self._media_failed(failure)
            return
        self._unreported -= 1
        self._log.warn("nobody to hand the person over to: {why}", why=failure.getErrorMessage())
        self._after_report(self._run.transfer_failed())

    def _after_report(self, actions: list[Action]) -> None:
        if not self._over:
            self._carry_out(actions)
        elif not self._unreported:
            self._finish()

    def _media_failed(self, failure: Failure) -> None:
        self._unreported -= 1
        if not isinstance(failure.value, CallOver):
            self._give_up(failure.getErrorMessage())
        else:
            self._expect_end(self._give_up, f"the call did not end, but: {failure.getErrorMessage()}")
        if self._over and not self._unreported:
            self._finish()

    def _broken(self, failure: Failure) -> None:
        self._give_up(repr(failure.value))

    def _give_up(self, why: str) -> None:
        """A fault of ours: end the call rather than leave the person listening to silence."""
        self._log.error("conversation given up: {why}", why=why)
        self._fault = self._fault or why
        self._call.hang_up()

    def _expect_end(self, otherwise: Callable[..., None], *arguments: object) -> None:
        """Nothing more can be said: ``call_over`` comes soon."""
        if not self._over:
            self._stop_timer()
            self._timer = self._clock.callLater(NO_END_S, otherwise, *arguments)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _timer_fired(self) -> None:
        self._timer = None
        self._tell(self._run.timer)
