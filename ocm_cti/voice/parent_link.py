"""The voice process' end of its link to the parent: questions go to ``Calls``, what happens is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols import amp
from twisted.python.failure import Failure

from ocm_cti.voice import commands
from ocm_cti.voice.calls import Calls
from ocm_cti.voice.commands import ReferRefused
from ocm_cti.voice.player import Played
from ocm_cti.voice.recorder import RecordedReply
from ocm_cti.voice.trunks import Trunk
from protocols.sip.user_agent import Account

Answer = dict[str, Any]

#: Characters of a text that the parent is told.
LONGEST: Final = 1000


class ParentLink(amp.AMP):
    """AMP responders of the child; also the ``calls.Reporter`` that tells the parent.

    ``shut_down`` hangs up and unregisters; ``gone`` is called when the parent has closed our stdin.
    """

    def __init__(self, shut_down: Callable[[], Deferred[None]], gone: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._shut_down = shut_down
        self._gone = gone
        self._calls: Calls

    def serve(self, calls: Calls) -> None:
        """Whom to ask from now on; before the link is connected."""
        self._calls = calls

    # The parent asks

    @commands.Register.responder
    def _register(
        self, extension: str, password: str, registrar_host: str, registrar_port: int, expires_s: int
    ) -> Answer:
        self._calls.register(Account(extension, password, registrar_host, registrar_port, expires_s=expires_s))
        return {}

    @commands.Unregister.responder
    def _unregister(self, extension: str) -> Answer:
        self._calls.unregister(extension)
        return {}

    @commands.Dial.responder
    def _dial(self, extension: str, digits: str) -> Answer:
        return {"call": self._calls.dial(extension, digits)}

    @commands.OpenTrunk.responder
    def _open_trunk(self, **fields: Any) -> Answer:
        self._calls.open_trunk(Trunk(**fields))
        return {}

    @commands.CloseTrunk.responder
    def _close_trunk(self, name: str) -> Answer:
        self._calls.close_trunk(name)
        return {}

    @commands.Call.responder
    def _call(self, trunk: str, digits: str, caller_id: str, asserted: str, headers: list[dict[str, str]]) -> Answer:
        pairs = [(header["name"], header["value"]) for header in headers]
        return {"call": self._calls.call(trunk, digits, caller_id, asserted, pairs)}

    @commands.Answer.responder
    def _answer(self, call: str) -> Answer:
        self._calls.answer(call)
        return {}

    @commands.Refuse.responder
    def _refuse(self, call: str, code: int) -> Answer:
        self._calls.refuse(call, code)
        return {}

    @commands.Play.responder
    def _play(self, call: str, paths: list[str]) -> Deferred[Answer]:
        return self._calls.play(call, [Path(path) for path in paths]).addCallback(_played)

    @commands.StopPlaying.responder
    def _stop_playing(self, call: str) -> Answer:
        self._calls.stop_playing(call)
        return {}

    @commands.Record.responder
    def _record(self, call: str, path: str, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[Answer]:
        return self._calls.record(call, Path(path), max_ms, silence_ms, stop_keys).addCallback(_recorded)

    @commands.Refer.responder
    def _refer(self, call: str, digits: str) -> Deferred[Answer]:
        return self._calls.refer(call, digits).addCallbacks(lambda _: {"code": 200, "reason": ""}, _refused)

    @commands.HangUp.responder
    def _hang_up(self, call: str) -> Answer:
        self._calls.hang_up(call)
        return {}

    @commands.Ping.responder
    def _ping(self) -> Answer:
        return {"cpu_ms": int(time.process_time() * 1000)}

    @commands.Shutdown.responder
    def _shutdown(self) -> Deferred[Answer]:
        return self._shut_down().addCallback(lambda _: {})

    # The parent is told

    def ready(self, sip_port: int) -> None:
        self._tell(commands.Ready, sip_port=sip_port)

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None:
        self._tell(commands.RegistrationChanged, extension=extension, registered=registered, reason=reason)

    def incoming(self, call: str, extension: str, caller: str) -> None:
        self._tell(commands.Incoming, call=call, extension=extension, caller=caller)

    def ringing(self, call: str, code: int) -> None:
        self._tell(commands.Ringing, call=call, code=code)

    def established(self, call: str) -> None:
        self._tell(commands.Established, call=call)

    def refused(
        self, call: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None:
        # AMP writes no whole number as a Float.
        wait_s = None if retry_after_s is None else float(retry_after_s)
        self._tell(commands.Refused, call=call, code=code, reason=reason, q850=q850, retry_after_s=wait_s)

    def digit(self, call: str, digit: str) -> None:
        self._tell(commands.Digit, call=call, digit=digit)

    def ended(self, call: str, by: str, reason: str, q850: int | None = None) -> None:
        self._tell(commands.Ended, call=call, by=by, reason=reason, q850=q850)

    def _tell(self, command: type[amp.Command], **arguments: Any) -> None:
        if self.transport is not None:
            # AMP carries 64 KiB and raises for more: a peer's long words must not cost the report.
            short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in arguments.items()}
            self.callRemote(command, **short)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self.transport = None
        self._gone()


def _played(played: Played) -> Answer:
    return {"heard_ms": played.heard_ms, "of_ms": played.of_ms, "finished": played.finished}


def _refused(failure: Failure) -> Answer:
    refusal = failure.value
    if not isinstance(refusal, ReferRefused):
        failure.raiseException()
    return {"code": refusal.code, "reason": refusal.reason}


def _recorded(reply: RecordedReply) -> Answer:
    return {"length_ms": reply.length_ms, "why": reply.why}
