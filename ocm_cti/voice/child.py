"""One life of a child process that speaks AMP over its standard streams, seen from the parent."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.protocols import amp
from twisted.python.failure import Failure

from ocm_cti.voice import commands

#: A process that does not answer this question for so long is stuck, and is killed.
PING_EVERY_S: Final = 5.0
PING_ANSWER_S: Final = 20.0


class VoiceProcessLost(commands.CallOver):
    """The voice process is not there, or died while it was asked, and its calls with it; it is started again."""


class ProcessReactor(Protocol):
    """What we need of a reactor: processes and time."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., object], *args: object) -> Any: ...
    def spawnProcess(self, processProtocol: ProcessProtocol, executable: str, args: Sequence[str], env: Any) -> Any: ...


class Told(Protocol):
    """Whom the child's reports go to, already named for the parent."""

    def ready(self, sip_port: int) -> None: ...
    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def incoming(self, call: str, extension: str, caller: str) -> None: ...
    def ringing(self, call: str, code: int) -> None: ...
    def established(self, call: str) -> None: ...
    def refused(self, call: str, code: int, reason: str, q850: int | None, retry_after_s: float | None) -> None: ...
    def digit(self, call: str, digit: str) -> None: ...
    def ended(self, call: str, by: str, reason: str, q850: int | None) -> None: ...


class ChildLink(amp.AMP):
    """The parent's end of the AMP link: what the child tells goes to ``told``."""

    def __init__(self, told: Told) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._told = told

    @commands.Ready.responder
    def _ready(self, sip_port: int) -> dict[str, Any]:
        self._told.ready(sip_port)
        return {}

    @commands.RegistrationChanged.responder
    def _registration_changed(self, extension: str, registered: bool, reason: str) -> dict[str, Any]:
        self._told.registration_changed(extension, registered, reason)
        return {}

    @commands.Incoming.responder
    def _incoming(self, call: str, extension: str, caller: str) -> dict[str, Any]:
        self._told.incoming(call, extension, caller)
        return {}

    @commands.Ringing.responder
    def _ringing(self, call: str, code: int) -> dict[str, Any]:
        self._told.ringing(call, code)
        return {}

    @commands.Established.responder
    def _established(self, call: str) -> dict[str, Any]:
        self._told.established(call)
        return {}

    @commands.Refused.responder
    def _refused(
        self, call: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> dict[str, Any]:
        self._told.refused(call, code, reason, q850, retry_after_s)
        return {}

    @commands.Digit.responder
    def _digit(self, call: str, digit: str) -> dict[str, Any]:
        self._told.digit(call, digit)
        return {}

    @commands.Ended.responder
    def _ended(self, call: str, by: str, reason: str, q850: int | None = None) -> dict[str, Any]:
        self._told.ended(call, by, reason, q850)
        return {}


class Child(ProcessProtocol):
    """Starts the process once; ``lost(reason)`` is called once when it is gone, or could not be started."""

    def __init__(self, reactor: ProcessReactor, told: Told, lost: Callable[[str], None], log: Logger) -> None:
        self._reactor = reactor
        self._lost = lost
        self._log = log
        self._link = ChildLink(told)
        self._connected = False
        self._process: Any = None
        self._last_words = ""
        self._complaint = b""
        self._fault = ""
        self._timer: Any = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._connected else None

    def spawn(self, command: Sequence[str], environment: dict[str, str]) -> None:
        """Start it. A system that refuses is reported by ``lost``, in a later turn of the reactor."""
        try:
            self._reactor.spawnProcess(self, command[0], command, environment)
        except OSError as error:
            self._timer = self._reactor.callLater(0, self._gone, f"can't start {command[0]}: {error}")

    def ask(self, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        """The child's answer; VoiceProcessLost when it dies first."""
        asked: Deferred[Any] = self._link.callRemote(command, **arguments)  # type: ignore[no-untyped-call]
        return asked.addErrback(_as_lost)

    def stop(self, timeout_s: float) -> None:
        """Ask it to finish its calls, then close its stdin, which ends it; kill it when that takes too long."""
        if not self._connected:
            return  # it could not be started, and ``lost`` is about to be called
        self._cancel_timer()
        self._timer = self._reactor.callLater(timeout_s, self._kill, "did not stop in time")
        self.ask(commands.Shutdown).addBoth(lambda _: self._close_stdin())

    def _close_stdin(self) -> None:
        if self._connected:
            self._process.closeStdin()

    # From the reactor

    def connectionMade(self) -> None:
        self._connected = True
        self._process = self.transport
        self._link.makeConnection(_Streams(self._process))  # type: ignore[no-untyped-call]
        self._timer = self._reactor.callLater(PING_EVERY_S, self._ping)

    def outReceived(self, data: bytes) -> None:
        self._link.dataReceived(data)  # type: ignore[no-untyped-call]

    def errReceived(self, data: bytes) -> None:
        *lines, self._complaint = (self._complaint + data).split(b"\n")
        for line in lines:
            self._complained(line)

    def _complained(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            self._last_words = text
            self._log.info("voice process: {text}", text=text)

    def processEnded(self, reason: Failure) -> None:
        code = getattr(reason.value, "exitCode", None)
        number = getattr(reason.value, "signal", None)
        how = f"killed by signal {number}" if number else f"exit code {code}"
        self._connected = False
        self._complained(self._complaint)  # a last line without its end
        # SIGKILL leaves no time for words: what was said before it has another cause.
        last_words = self._last_words if code or number not in (None, signal.SIGKILL) else ""
        self._link.connectionLost(reason)  # type: ignore[no-untyped-call]
        self._gone(self._fault or ": ".join(filter(None, [how, last_words])))

    # Within

    def _gone(self, reason: str) -> None:
        self._cancel_timer()
        self._lost(reason)

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _ping(self) -> None:
        self._timer = self._reactor.callLater(PING_ANSWER_S, self._kill, f"no answer for {PING_ANSWER_S:g} s")
        timer = self._timer
        self.ask(commands.Ping).addCallbacks(self._alive, lambda _: None, callbackArgs=(timer,))

    def _alive(self, _: object, timer: Any) -> None:
        # Unless ``stop`` has put its own timer there meanwhile.
        if timer is self._timer and timer.active():
            timer.cancel()
            self._timer = self._reactor.callLater(PING_EVERY_S, self._ping)

    def _kill(self, why: str) -> None:
        self._fault = why
        if self._connected:
            self._process.signalProcess("KILL")


class _Streams:
    """The child's stdin as a transport for AMP."""

    disconnecting = False

    def __init__(self, process: Any) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        self._process.write(data)

    def writeSequence(self, data: Sequence[bytes]) -> None:
        self._process.write(b"".join(data))

    def loseConnection(self) -> None:
        # AMP gives up a link on which it got garbage: then that process is of no use.
        self.disconnecting = True
        self._process.loseConnection()

    def getPeer(self) -> str:
        return "voice process"

    def getHost(self) -> str:
        return "parent"


def _as_lost(failure: Failure) -> Failure:
    """What AMP says of a broken link, in our words; errors that the commands declare pass."""
    if isinstance(failure.value, tuple(commands.ERRORS)):
        return failure
    raise VoiceProcessLost(f"the voice process was lost: {failure.value}") from failure.value
