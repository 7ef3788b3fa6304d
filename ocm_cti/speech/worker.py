"""One speech process as seen from the server: started when needed, given its next command ahead, killed when it hangs.

The process carries out one command at a time, in order. The next one lies in its pipe already: it need not wait until
the server, which may be busy, has taken the answer.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.protocols.amp import AMP, Command
from twisted.python.failure import Failure

from ocm_cti.speech.errors import NotBegun, SpeechProcessLost

#: A fresh process loads its libraries first, on a busy machine slowly.
START_S = 30.0
#: How long a process may take to end by itself once its input is closed.
CLOSE_S = 2.0
#: Commands that a process may have, the one that it carries out included.
AHEAD = 2


class _Pipe:
    """The process' standard streams in the shape that AMP expects of a transport."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, octets: bytes) -> None:
        self._transport.write(octets)

    def writeSequence(self, parts: Sequence[bytes]) -> None:
        self._transport.write(b"".join(parts))

    def loseConnection(self) -> None:
        self._transport.closeStdin()

    def getPeer(self) -> str:
        return f"speech process {self._transport.pid}"

    def getHost(self) -> str:
        return "server"


class _Child(ProcessProtocol):
    """Feeds AMP from the process and tells the worker when it has ended and left nothing behind."""

    def __init__(self, worker: Worker, log: Logger) -> None:
        self.amp = AMP()  # type: ignore[no-untyped-call]
        self.answered = False
        self.last_words = ""  # the last line on its standard error: usually why it died
        self._worker = worker
        self._log = log

    def connectionMade(self) -> None:
        self.amp.makeConnection(_Pipe(self.transport))  # type: ignore[no-untyped-call]

    def outReceived(self, data: bytes) -> None:
        self.answered = True
        self.amp.dataReceived(data)  # type: ignore[no-untyped-call]

    def errReceived(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            self.last_words = line.strip() or self.last_words
            self._log.info("speech process: {line}", line=line)

    def processEnded(self, reason: Failure) -> None:
        self._worker.ended(self, reason)
        self.amp.connectionLost(reason)  # type: ignore[no-untyped-call]


@dataclass(eq=False)
class _Running:
    """A command that the process has."""

    outcome: Deferred[Any]
    timeout_s: float


class Worker:
    """``run`` up to AHEAD commands; a lost or hanging process fails them and is forgotten.

    The one that was being carried out fails with SpeechProcessLost, what lay behind it with NotBegun.
    """

    def __init__(self, reactor: Any, command: Sequence[str], log: Logger) -> None:
        self._reactor = reactor
        self._command = tuple(command)
        self._log = log
        self._child: _Child | None = None
        self._running: deque[_Running] = deque()
        self._timer: Any = None  # IDelayedCall
        self._why = ""
        self._ended: list[Deferred[None]] = []

    @property
    def load(self) -> int:
        """How many commands it has."""
        return len(self._running)

    @property
    def pid(self) -> int | None:
        """Of the process that is up, None while there is none."""
        return None if self._child is None or self._child.transport is None else self._transport(self._child).pid

    def start(self) -> None:
        """Start the process ahead of the first command; harmless when it is up.

        A system that refuses is told as the process' end, in a later turn of the reactor.
        """
        if self._child is not None:
            return
        self._why = ""
        child = self._child = _Child(self, self._log)
        try:
            self._reactor.spawnProcess(child, self._command[0], self._command, env=dict(os.environ))
        except OSError as error:
            self._why = f"can't start {self._command[0]}: {error}"
            self._timer = self._reactor.callLater(0, self.ended, child, Failure(error))  # type: ignore[no-untyped-call]
        except BaseException:
            self._child = None
            raise

    def run(self, command: type[Command], timeout_s: float, **arguments: Any) -> Deferred[dict[str, Any]]:
        """Answer of the process. A process that has not answered before may take START_S more than ``timeout_s``.

        The time begins when the command before it has been answered. Fails with the errors of the command, or with
        SpeechProcessLost or NotBegun once the process is really gone.
        """
        if self.load >= AHEAD:
            raise RuntimeError("this worker is busy")
        self.start()
        assert self._child is not None
        child, running = self._child, _Running(Deferred(), timeout_s)
        self._running.append(running)
        if child.transport is None:
            return running.outcome  # it could not be started, and ``ended`` is about to be called
        if self.load == 1:
            self._begin(child)
        answer = child.amp.callRemote(command, **arguments)  # type: ignore[no-untyped-call]
        answer.addBoth(self._answered, child, running)
        return running.outcome

    def _begin(self, child: _Child) -> None:
        """The first command has its turn."""
        allowed_s = self._running[0].timeout_s + (0 if child.answered else START_S)
        self._timer = self._reactor.callLater(allowed_s, self._hung, child, allowed_s)

    def stop(self) -> Deferred[None]:
        """Close the process' input, kill it if that does not end it; fires when it is gone. Its commands fail."""
        child = self._child
        if child is None:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._ended.append(gone)
        if child.transport is None:
            return gone  # it could not be started, and ``ended`` is about to be called
        if self._running:
            self._stop_timer()
            self._kill(child, "the server stops")
        elif len(self._ended) == 1:
            self._timer = self._reactor.callLater(CLOSE_S, self._kill, child, "it did not end when asked to")
            self._transport(child).closeStdin()
        return gone

    def ended(self, child: _Child, reason: Failure) -> None:
        """The process is gone and its streams are closed."""
        if child is not self._child:
            return
        self._child = None
        self._stop_timer()
        waiting, self._ended = self._ended, []
        if self._running or not waiting:
            self._why = self._why or ": ".join(filter(None, (reason.getErrorMessage(), child.last_words)))
            self._log.warn("speech process lost: {why}", why=self._why)
        lost, self._running = self._running, deque()
        why = f"the speech process was lost: {self._why}"
        while lost:  # from the last to the first, so that they come back to the head of a queue in their order
            running = lost.pop()
            running.outcome.errback(NotBegun(why) if lost else SpeechProcessLost(why))
        for gone in waiting:
            gone.callback(None)

    def _answered(self, answer: Any, child: _Child, running: _Running) -> None:
        if child is not self._child or running not in self._running:
            return  # the process ended; ``ended`` has told
        if running is self._running[0]:
            self._stop_timer()
        self._running.remove(running)
        if self._running and self._timer is None:
            self._begin(child)
        running.outcome.callback(answer)  # a Failure becomes an errback

    def _hung(self, child: _Child, after_s: float) -> None:
        self._timer = None
        self._kill(child, f"no answer within {after_s:g} s")

    def _kill(self, child: _Child, why: str) -> None:
        self._timer = None
        self._why = why
        with contextlib.suppress(ProcessExitedAlready):  # its end is about to be told
            self._transport(child).signalProcess("KILL")

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    @staticmethod
    def _transport(child: _Child) -> Any:
        return child.transport
