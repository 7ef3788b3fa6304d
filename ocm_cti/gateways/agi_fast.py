"""FastAGI: Asterisk connects to us for each answered call, and a command takes about 1 ms instead of 30 to 100.

To the gateway it looks like AsyncAGI: ``ask("AGI", ...)`` takes commands for a channel, and AsyncAGIStart, AsyncAGIExec
and AsyncAGIEnd are told as events. Connections are matched with calls by ``agi_uniqueid``; those from elsewhere, and
of channels that are not ours, are closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_commands import Ask
from protocols.agi.results import DEAD
from protocols.agi.session import Begun, Done, HungUp, Session
from protocols.ami.link import ActionRefused
from protocols.ami.messages import Event, Response
from protocols.errors import LocalProtocolError, RemoteProtocolError

#: A connection that does not say its environment in this time is closed.
ENVIRONMENT_S = 5.0
NOT_THERE = "Channel {} does not have a FastAGI connection"


class FastAgi:
    """The server. ``listen``, then ``ask`` in the place of AmiLink.ask: other actions go through to the link."""

    def __init__(
        self, ask: Ask, event: Callable[[Event], None], clock: Clock, log: Logger, allowed: tuple[str, ...]
    ) -> None:
        self._ask = ask
        self._event = event
        self.clock = clock
        self.log = log
        self._allowed = frozenset(allowed)
        self._lines: dict[str, _Line] = {}
        self._open: set[_Line] = set()
        self._port: Any = None

    @property
    def tcp_port(self) -> int:
        """Where it listens."""
        return int(self._port.getHost().port)

    def listen(self, reactor: Any, host: str, port: int) -> None:
        """CannotListenError when the port is taken."""
        factory: Any = Factory.forProtocol(lambda: _Line(self))
        factory.noisy = False
        self._port = reactor.listenTCP(port, factory, interface=host)

    def close(self) -> Deferred[Any]:
        """Nothing listens, no connection is left."""
        for line in list(self._open):
            line.cut()
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else succeed(None)

    def ask(self, action: str, *headers: tuple[str, str]) -> Deferred[Response]:
        """As ``AmiLink.ask``; AGI commands go over the channel's own connection."""
        if action != "AGI":
            return self._ask(action, *headers)
        told = dict(headers)
        line = self._lines.get(told.get("Channel", ""))
        if line is None:
            return fail(ActionRefused(action, NOT_THERE.format(told.get("Channel"))))
        if any(sign in told["Command"] for sign in "\r\n\0"):
            return fail(LocalProtocolError("an AGI command has a line end in it"))
        line.enqueue(told["Command"], told["CommandID"])
        return succeed(Response([("Response", "Success"), ("Message", "Added AGI command to queue")]))

    # Told by the connections

    def admits(self, host: str) -> bool:
        return host in self._allowed

    def made(self, line: _Line) -> None:
        self._open.add(line)

    def begun(self, line: _Line) -> None:
        before = self._lines.get(line.channel)
        self._lines[line.channel] = line
        if before is not None:
            before.cut()
        self._tell("AsyncAGIStart", line.channel)

    def done(self, line: _Line, command_id: str, answer: str) -> None:
        self._tell("AsyncAGIExec", line.channel, ("CommandId", command_id), ("Result", quote(answer + "\n")))

    def goes_on(self, line: _Line) -> None:
        """After a failure: FastAGI survives it, and it looks as AsyncAGI does in its loop."""
        self._tell("AsyncAGIStart", line.channel)

    def lost(self, line: _Line) -> None:
        self._open.discard(line)
        if line.channel and self._lines.get(line.channel) is line:
            del self._lines[line.channel]
            self._tell("AsyncAGIEnd", line.channel)

    def _tell(self, name: str, channel: str, *more: tuple[str, str]) -> None:
        with self.log.failuresHandled("the owner of a FastAGI connection failed"):
            self._event(Event([("Event", name), ("Uniqueid", channel), *more]))


class _Line(Protocol):
    """One connection: one channel."""

    transport: Any

    def __init__(self, server: FastAgi) -> None:
        self._server = server
        self._session = Session()
        self._queue: deque[tuple[str, str]] = deque()
        self._running = ""
        self._probing = False
        self._hung_up = False
        self._timer: Any = None
        self.channel = ""

    def connectionMade(self) -> None:
        host = self.transport.getPeer().host
        if not self._server.admits(host):
            self._server.log.warn("FastAGI: {host} may not connect (fastagi_from)", host=host)
            self.transport.abortConnection()
            return
        self._server.made(self)
        self.transport.setTcpNoDelay(True)
        self._timer = self._server.clock.callLater(ENVIRONMENT_S, self.cut)

    def dataReceived(self, data: bytes) -> None:
        try:
            for event in self._session.receive(data):
                self._take(event)
        except RemoteProtocolError as error:
            self._server.log.warn("FastAGI: {why}", why=str(error))
            self.cut()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_timer()
        self._server.lost(self)

    def cut(self) -> None:
        self._stop_timer()
        self.transport.abortConnection()

    def enqueue(self, command: str, command_id: str) -> None:
        self._queue.append((command, command_id))
        self._next()

    def _take(self, event: Begun | Done | HungUp) -> None:
        match event:
            case Begun(environment=environment):
                self._stop_timer()
                self.channel = environment.get("agi_uniqueid", "")
                if not self.channel:
                    raise RemoteProtocolError("an AGI environment without agi_uniqueid")
                self._server.begun(self)
            case HungUp():
                self._hung_up = True
                if not self._running and not self._probing:
                    self._leave()
            case Done(result=result, line=line):
                if self._probing:
                    self._probing = False
                    if result.code == DEAD or self._hung_up:
                        self._leave()
                    else:
                        self._server.goes_on(self)
                        self._next()
                    return
                command_id, self._running = self._running, ""
                self._server.done(self, command_id, line)
                if result.code == DEAD or self._hung_up:
                    self._leave()
                elif result.result < 0:
                    # A failure, or is he gone? A dead channel says so to the next command.
                    self._probing = True
                    self._write("NOOP")
                else:
                    self._next()

    def _next(self) -> None:
        if self._queue and self._session.ready and not self._probing:
            command, self._running = self._queue.popleft()
            self._write(command)

    def _leave(self) -> None:
        """He has hung up: Asterisk keeps his channel until we go."""
        self.transport.loseConnection()

    def _write(self, command: str) -> None:
        self._session.send(command)
        self.transport.write(self._session.data_to_send())

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
