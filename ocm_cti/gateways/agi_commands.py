"""AGI commands of one channel: sent in order, answered one by one; what the link or the channel does to them.

TESTED (Asterisk 22): commands queue up at the channel and can't be recalled; a command that fails (result -1) ends the
AGI, the dialplan comes back to it at once, and what was queued is then carried out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from protocols.agi.results import DEAD, AgiResult, parse_encoded
from protocols.ami.link import ActionRefused, LinkLost, RequestTimedOut
from protocols.ami.messages import Event, Response
from protocols.errors import RemoteProtocolError

Ask = Callable[..., Deferred[Response]]
#: The channel is on its way back to AGI: the command is sent again after this.
AGAIN_S = 0.1
#: ... until this; the gateway gives a call up by itself that stays away.
AWAY_S = 10.0


class MediaFailed(Exception):
    """Asterisk could not do it; the text says what and what to do. The call goes on."""


class Ended(Exception):
    """The call is over. ``result`` is what the command that was running said last, None when it said nothing.

    ``ran_s``: no longer than so it can have run, as far as we could see.
    """

    def __init__(self, reason: str, result: AgiResult | None = None, ran_s: float = 0.0) -> None:
        super().__init__(reason)
        self.result = result
        self.ran_s = ran_s


class NoResult(Exception):
    """The command is not running any more, and how it ended was lost with the link.

    ``taken``: it was in the queue, for certain; ``ran_s`` no longer than so.
    """

    def __init__(self, taken: bool, ran_s: float) -> None:
        super().__init__("the result was lost with the link to the switch")
        self.taken = taken
        self.ran_s = ran_s


@dataclass(eq=False)
class _Command:
    text: str
    done: Deferred[AgiResult] | None  # None: a mark, to see that all before it are done
    command_id: str = ""
    sent: bool = False  # it may be in the queue
    taken_s: float | None = None  # when it certainly was
    result: AgiResult | None = None  # a failure, until it is known whether the call is over
    away_since_s: float | None = None
    before: list[_Command] = field(default_factory=list)  # of a mark: what it settles


class Commands:
    """``run`` sends, the gateway's events come in by the other words. Nothing is left of it after ``over``."""

    def __init__(self, ask: Ask, clock: Clock, log: Logger, channel_id: str) -> None:
        self.channel_id = channel_id
        self._ask = ask
        self._clock = clock
        self._log = log
        self._numbers = itertools.count(1)
        self._open: list[_Command] = []
        self._over = ""
        self._blind_since_s: float | None = None
        self._timer: Any = None

    def run(self, text: str) -> Deferred[AgiResult]:
        """Fires with the result (which may say -1: it failed, the call goes on). Ended, NoResult, MediaFailed."""
        done: Deferred[AgiResult] = Deferred()
        if self._over:
            done.errback(Ended(self._over))
            return done
        command = _Command(text, done)
        self._open.append(command)
        self._send(command)
        return done

    def forget(self, done: Deferred[AgiResult]) -> bool:
        """Take a command back that has not been sent; True when it was: it will not fire."""
        for command in self._open:
            if command.done is done and not command.sent:
                self._open.remove(command)
                return True
        return False

    # What the gateway tells

    def executed(self, event: Event) -> None:
        for command in self._open:
            if command.command_id and command.command_id == event.get("CommandId"):
                self._answered(command, event.get("Result"))
                return

    def started(self) -> None:
        """AsyncAGIStart: the call goes on after a command that failed."""
        for command in [one for one in self._open if one.result is not None]:
            self._finish(command, command.result)
        self._send_waiting()

    @property
    def is_blind(self) -> bool:
        """There is no link: nothing can be sent, nothing is told."""
        return self._blind_since_s is not None

    def lost(self) -> None:
        if self._blind_since_s is None:
            self._blind_since_s = self._clock.seconds()

    def back(self) -> None:
        self._blind_since_s = None
        self._settle()
        self._send_waiting()

    def over(self, reason: str) -> None:
        if self._over:
            return
        self._over = reason or "the call is over"
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        commands, self._open = self._open, []
        for command in commands:
            if command.done is not None:
                command.done.errback(Ended(self._over, command.result, self._ran_s(command)))

    # Inside

    def _send(self, command: _Command) -> None:
        if self.is_blind:
            return
        command.sent = True
        command.command_id = f"{self.channel_id}.{next(self._numbers)}"
        asked = self._ask(
            "AGI", ("Channel", self.channel_id), ("Command", command.text), ("CommandID", command.command_id)
        )
        asked.addCallbacks(self._taken, self._not_taken, callbackArgs=(command,), errbackArgs=(command,))
        asked.addErrback(self._broken, command)

    def _taken(self, _: Response, command: _Command) -> None:
        command.taken_s = self._clock.seconds()

    def _not_taken(self, failure: Failure, command: _Command) -> None:
        if command not in self._open:
            return
        error = failure.value
        if isinstance(error, LinkLost):
            command.sent = error.sent
        elif isinstance(error, RequestTimedOut):
            self._settle()
        elif isinstance(error, ActionRefused) and not _is_right_missing(error.message):
            # On its way from one AGI to the next, or to its end.
            command.sent = False
            now_s = self._clock.seconds()
            if command.away_since_s is None:
                command.away_since_s = now_s
            if now_s - command.away_since_s >= AWAY_S:
                self._fail(command, MediaFailed(f"the channel takes no commands: {error.message}"))
            elif self._timer is None or not self._timer.active():
                self._timer = self._clock.callLater(AGAIN_S, self._send_waiting)
        else:
            words = failure.getErrorMessage()
            if isinstance(error, ActionRefused):
                words += ": the user of AMI needs write = agi (ocm asterisk-config prints all that it needs)"
            self._fail(command, MediaFailed(words))

    def _send_waiting(self) -> None:
        for command in list(self._open):
            if not command.sent and command in self._open:
                self._send(command)

    def _answered(self, command: _Command, text: str) -> None:
        try:
            result = parse_encoded(text)
        except RemoteProtocolError as error:
            self._fail(command, MediaFailed(str(error)))
            return
        if command.done is None:
            self._open.remove(command)
            for one in command.before:
                if one.result is not None:
                    self._finish(one, one.result)
                else:
                    self._fail(one, NoResult(one.taken_s is not None, self._ran_s(one)))
        elif result.result < 0 or result.code == DEAD:
            command.result = result  # started() or over() says which it was
            if command.text.startswith("EXEC "):
                self._settle()  # TESTED: an application that fails does not end the AGI
        else:
            self._finish(command, result)

    def _ran_s(self, command: _Command) -> float:
        if command.taken_s is None:
            return 0.0
        now_s = self._clock.seconds() if self._blind_since_s is None else self._blind_since_s
        return max(0.0, now_s - command.taken_s)

    def _settle(self) -> None:
        """A mark behind all that were sent: when it is done, those without a result will get none."""
        self._open = [one for one in self._open if one.done is not None]
        unsure = [one for one in self._open if one.sent]
        if unsure:
            mark = _Command("NOOP", None, before=unsure)
            self._open.append(mark)
            self._send(mark)

    def _finish(self, command: _Command, result: AgiResult | None) -> None:
        if command in self._open and command.done is not None and result is not None:
            self._open.remove(command)
            command.done.callback(result)

    def _fail(self, command: _Command, error: Exception) -> None:
        if command in self._open:
            self._open.remove(command)
            if command.done is not None:
                command.done.errback(error)
            for one in command.before:
                self._fail(one, error)

    def _broken(self, failure: Failure, command: _Command) -> None:
        self._log.failure("{channel}: {command}", failure, channel=self.channel_id, command=command.text)
        self._fail(command, MediaFailed(failure.getErrorMessage()))


def _is_right_missing(message: str) -> bool:
    return "permission denied" in message.lower()
