"""Handing a person over: by Dial inside the AGI (he is ours until the operator answers), or by Redirect."""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.agi_commands import Ask, Commands, Ended, MediaFailed, NoResult
from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.interface import CallOver, NotSupported, TransferFailed
from protocols.agi.results import OK, AgiResult, command
from protocols.ami.link import ActionRefused, RequestError
from protocols.ami.messages import Response

DIALSTATUS, ANSWERED = "DIALSTATUS", "ANSWER"
#: DIALSTATUS -> why nobody was handed over to. CHANUNAVAIL: TESTED for an extension that is not there.
REASONS = {
    "BUSY": (Cause.BUSY, "the destination is busy"),
    "NOANSWER": (Cause.NO_ANSWER, "the destination does not answer"),
    "CONGESTION": (Cause.UNREACHABLE, "no way to the destination is free"),
    "CHANUNAVAIL": (Cause.UNREACHABLE, "there is no such destination, or it is not reachable"),
    "DONTCALL": (Cause.REJECTED, "the destination rejects the call"),
    "TORTURE": (Cause.REJECTED, "the destination rejects the call"),
    "INVALIDARGS": (Cause.LINE_FAULT, "transfer_channel is nothing that Asterisk can dial"),
}
OTHER = (Cause.UNKNOWN, "the switch does not say why")
_NUMBER = re.compile(r"\+?[0-9A-Za-z*#_.-]{1,64}")


class Transfer:
    """``done`` fires once he has been handed over; TransferFailed when he is back with us, CallOver when he left."""

    def __init__(self, commands: Commands, ask: Ask, clock: Clock, settings: AgiSettings, number: str) -> None:
        self.done: Deferred[None] = Deferred()
        self._commands = commands
        self._ask = ask
        self._clock = clock
        self._settings = settings
        self._number = number
        self._finished = False
        self._poll: Any = None

    def begin(self) -> None:
        if _NUMBER.fullmatch(self._number) is None:
            error: Exception = NotSupported(f"{self._number!r} can't be dialled")
            self.done.errback(error)
            return
        way = self._redirect() if self._settings.transfer == "redirect" else self._dial()
        way.addCallbacks(lambda _: self._finish(None), self._finish)

    def over(self) -> None:
        """The call is."""
        self._finish(Failure(CallOver("the call is over")))  # type: ignore[no-untyped-call]

    @inlineCallbacks
    def _redirect(self) -> Any:
        settings = self._settings
        # TESTED: Redirect succeeds where there is no such extension, and the person is hung up.
        there = yield self._variable(f"DIALPLAN_EXISTS({settings.transfer_context},{self._number},1)")
        if there == "0":
            raise TransferFailed(Cause.UNREACHABLE, f"there is no {self._number} in {settings.transfer_context}")
        try:
            yield self._ask(
                "Redirect",
                ("Channel", self._commands.channel_id),
                ("Context", settings.transfer_context),
                ("Exten", self._number),
                ("Priority", "1"),
            )
        except ActionRefused as error:
            raise TransferFailed(
                Cause.LINE_FAULT, f"{error}; transfer_context is {settings.transfer_context}"
            ) from error
        except RequestError as error:
            raise TransferFailed(Cause.LINE_FAULT, str(error)) from error

    @inlineCallbacks
    def _dial(self) -> Any:
        settings = self._settings
        arguments = ",".join(
            [settings.channel_for(self._number), f"{settings.transfer_wait_s:.0f}", settings.transfer_options]
        )
        dialling = self._commands.run(command("EXEC", "Dial", arguments))
        self._look_later()
        try:
            result: AgiResult = yield dialling
        except (NoResult, Ended) as error:
            if isinstance(error, Ended):
                raise CallOver(str(error)) from error
            result = AgiResult(OK)
        except MediaFailed as error:
            raise TransferFailed(Cause.LINE_FAULT, str(error)) from error
        if self._finished:
            return
        if result.code != OK:
            raise TransferFailed(Cause.LINE_FAULT, f"Asterisk does not dial: {result.text}")
        status = yield self._variable(DIALSTATUS)
        if status == ANSWERED:
            # They have spoken, between two looks; he is at the end of what we have for him.
            self._let_go()
            return
        cause, text = REASONS.get(status, OTHER)
        raise TransferFailed(cause, f"{text} (DIALSTATUS {status or 'is empty'})")

    def _look_later(self) -> None:
        if not self._finished:
            self._poll = self._clock.callLater(self._settings.transfer_poll_s, self._look)

    def _look(self) -> None:
        """Has the operator answered? TESTED: DIALSTATUS says so as soon as he has; DialEnd names another channel."""
        self._poll = None
        if self._commands.is_blind:
            self._look_later()
            return
        self._variable(DIALSTATUS).addCallback(self._looked)

    def _looked(self, status: str) -> None:
        if self._finished:
            return
        if status == ANSWERED:
            self._let_go()
            self._finish(None)
        else:
            self._look_later()

    def _variable(self, name: str) -> Deferred[str]:
        """ "" when it can't be told."""
        asked = self._ask("Getvar", ("Channel", self._commands.channel_id), ("Variable", name))

        def told(response: Response) -> str:
            return response.get("Value")

        def not_told(failure: Failure) -> str:
            if not isinstance(failure.value, RequestError):
                failure.raiseException()
            return ""

        return asked.addCallbacks(told, not_told)

    def _let_go(self) -> None:
        """When the operator hangs up, Asterisk hangs him up, too, even if we are not there any more.

        TESTED: Dial then ends the AGI with -1, and the command waits for the next one.
        """
        self._commands.run("HANGUP").addErrback(lambda _: None)

    def _finish(self, what: Failure | None) -> None:
        if self._finished:
            return
        self._finished = True
        if self._poll is not None and self._poll.active():
            self._poll.cancel()
        if what is None:
            self.done.callback(None)
        else:
            self.done.errback(what)
