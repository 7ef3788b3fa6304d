"""One prompt on its way: published, streamed, stopped or heard to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_commands import Ask, Commands, Ended, MediaFailed, NoResult
from ocm_cti.gateways.agi_prompts import OCTETS_PER_MS, PlayFailed, Published
from ocm_cti.gateways.interface import Played
from protocols.agi.results import OK, AgiResult, command
from protocols.ami.link import LinkLost

#: TESTED: a stop that comes before the stream has begun is lost; it is sent again until the stream has ended.
STOP_AGAIN_S = 0.1
#: A stop that came too late for its own prompt ends the next one, which then goes on from there.
MOST_BEGINNINGS = 4
#: The last frame may be missing from endpos.
SLACK_OCTETS = 160


class Publisher(Protocol):
    def publish(self, paths: Sequence[Path]) -> Deferred[Published]: ...


class Playing:
    """``done`` fires once. ``begin``, then ``stop`` at any moment."""

    def __init__(
        self, commands: Commands, ask: Ask, clock: Clock, log: Logger, publisher: Publisher, paths: Sequence[Path]
    ) -> None:
        self.done: Deferred[Played] = Deferred()
        self._commands = commands
        self._ask = ask
        self._clock = clock
        self._log = log
        self._publisher = publisher
        self._paths = list(paths)
        self._published: Published | None = None
        self._streaming: Deferred[AgiResult] | None = None
        self._from = 0  # octets
        self._beginnings = 0
        self._stop_asked = False
        self._reported = False
        self._again: Any = None

    def begin(self) -> None:
        if self._reported:
            return
        try:
            publishing = self._publisher.publish(self._paths)
        except MediaFailed:
            self._report(Failure())  # type: ignore[no-untyped-call]
            return
        publishing.addCallback(self._stream).addErrback(self._report)

    def stop(self) -> None:
        """Silence; ``done`` fires soon."""
        if self._reported or self._stop_asked:
            return
        self._stop_asked = True
        if self._published is None or (self._streaming is not None and self._commands.forget(self._streaming)):
            self._heard(self._from)
        else:
            self._send_stop()

    def over(self) -> None:
        """The call is, before anything was streamed."""
        self._heard(self._from)

    def _stream(self, published: Published) -> None:
        self._published = published
        if self._reported:
            return
        if not published.octets:
            self._heard(0)
            return
        self._beginnings += 1
        words = [published.name, "", *([str(self._from)] if self._from else [])]
        self._streaming = self._commands.run(command("STREAM FILE", *words))
        self._streaming.addCallbacks(self._streamed, self._not_streamed).addErrback(self._report)

    def _streamed(self, result: AgiResult) -> None:
        if result.code != OK or (result.result < 0 and not result.endpos):
            name = self._published.name if self._published is not None else ""
            why = result.text if result.code != OK else f"it finds no {name}, or can't read it"
            raise PlayFailed(f"Asterisk does not play the prompt: {why}")
        self._come_to(result.endpos or 0)

    def _come_to(self, octets: int) -> None:
        """The stream has ended here."""
        if octets >= self._published_octets - SLACK_OCTETS or self._stop_asked or self._beginnings >= MOST_BEGINNINGS:
            self._heard(octets)
            return
        # Somebody else's stop, or one of ours that was for the prompt before.
        self._from = octets
        if self._published is not None:
            self._stream(self._published)

    def _not_streamed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, Ended):
            # TESTED: on a channel that is hung up just now, a stream that never began claims to be at its end.
            told = error.result.endpos if error.result is not None else None
            at_most = self._after(error.ran_s)
            self._heard(at_most if told is None else min(told, at_most), ended=True)
        elif isinstance(error, NoResult):
            at_most = self._after(error.ran_s)
            if self._stop_asked or (error.taken and at_most >= self._published_octets):
                self._heard(at_most)
            elif self._published is not None and self._beginnings < MOST_BEGINNINGS:
                self._stream(self._published)  # not known to have been heard: again
            else:
                raise PlayFailed("the link to the switch is lost again and again")
        else:
            failure.raiseException()

    @property
    def _published_octets(self) -> int:
        return self._published.octets if self._published is not None else 0

    def _after(self, seconds: float) -> int:
        """How far it can have come."""
        return min(self._published_octets, self._from + round(seconds * 1000) * OCTETS_PER_MS)

    def _send_stop(self) -> None:
        self._again = None
        if self._reported:
            return
        if not self._commands.is_blind:
            stopping = self._ask("ControlPlayback", ("Channel", self._commands.channel_id), ("Control", "stop"))
            stopping.addErrback(self._not_stopped)
        self._again = self._clock.callLater(STOP_AGAIN_S, self._send_stop)

    def _not_stopped(self, failure: Failure) -> None:
        if not isinstance(failure.value, LinkLost) and not self._reported:
            self._log.info("{channel}: {why}", channel=self._commands.channel_id, why=failure.getErrorMessage())

    def _heard(self, octets: int, *, ended: bool = False) -> None:
        if self._published is None:
            self._report(Played(0, of_ms(self._paths), finished=False))
            return
        total = self._published.octets
        finished = octets >= total - SLACK_OCTETS and not ended
        heard = total if finished else min(octets, total)
        self._report(Played(heard // OCTETS_PER_MS, self._published.of_ms, finished))

    def _report(self, what: Played | Failure) -> None:
        if self._again is not None and self._again.active():
            self._again.cancel()
        if not self._reported:
            self._reported = True
            tell: Callable[[Any], None] = self.done.errback if isinstance(what, Failure) else self.done.callback
            tell(what)


def of_ms(paths: Sequence[Path]) -> int:
    """Length of a prompt; 0 for what is not there."""
    octets = 0
    for path in paths:
        try:
            octets += path.stat().st_size
        except OSError:
            continue
    return octets // OCTETS_PER_MS
