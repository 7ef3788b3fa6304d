"""SIP over TCP on Twisted: one connection for each place that we send to, opened on need and kept; and those that come.

A connection that is lost is told, with everybody who was reached by it; the next message opens a new one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from protocols.errors import RemoteProtocolError

from .core import TCP, Hop
from .stream import PING, PONG, StreamReader

CONNECT_S: Final = 10.0
#: How often a connection of ours is shown to be alive: NATs forget an idle one, often after a minute or two.
PING_EVERY_S: Final = 30.0
#: What was sent and not acknowledged by the other system for so long breaks the connection (Linux).
UNACKNOWLEDGED_MS: Final = 20_000

#: What a closing connection has left to say must be said within.
LAST_WORDS_S: Final = 1.0

_log = Logger()


class Connection(Protocol):
    """One connection. ``names`` are the hops whose messages it carries, by which their senders know it."""

    def __init__(self, connections: Connections, place: TCP, ours: bool) -> None:
        self.place = place
        self.names: set[Hop] = {place}
        self.waiting: list[bytes] = []
        self.open = False
        self.connector: Any = None
        self._ours = ours
        self._connections = connections
        self._reader = StreamReader()
        self._heard = True
        self._timer: Any = None

    @property
    def _way(self) -> Any:
        return self.transport

    def send(self, octets: bytes) -> None:
        """Now, or when the connection stands."""
        if self.open:
            self._way.write(octets)
        else:
            self.waiting.append(octets)

    def connectionMade(self) -> None:
        self.open = True
        self._way.setTcpNoDelay(True)
        handle = getattr(self._way, "socket", None)
        if handle is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        waiting, self.waiting = self.waiting, []
        for octets in waiting:
            self._way.write(octets)
        if self._ours:
            self._timer = self._connections.clock.callLater(PING_EVERY_S, self._ping)

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        try:
            messages = self._reader.feed(data)
        except RemoteProtocolError as error:
            _log.warn("SIP over TCP from {place}: {error}", place=f"{self.place.host}:{self.place.port}", error=error)
            self.abort()
            return
        for message in messages:
            if message == PING:
                self._way.write(PONG)
            else:
                self._connections.received(message, self.place)

    def abort(self) -> None:
        self._way.abortConnection()

    def close(self) -> None:
        """Let the last words out, but don't wait for ever."""
        if not self.open:
            self.connector.stopConnecting()
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._connections.clock.callLater(LAST_WORDS_S, self.abort)
        self._way.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.open = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._connections.gone(self, reason)

    def _ping(self) -> None:
        if self._reader.pongs and not self._heard:
            # It has answered before: now nobody is there.
            self.abort()
            return
        self._heard = False
        self._way.write(PING)
        self._timer = self._connections.clock.callLater(PING_EVERY_S, self._ping)


class Connections:
    """All connections of one SIP port.

    ``received(message, hop)``. ``lost(hops, reason)``: one that stood is gone. ``undelivered(octets, reason)``:
    one that was to be opened could not be.
    """

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        interface: str,
        *,
        received: Callable[[bytes, TCP], None],
        lost: Callable[[Iterable[Hop], str], None],
        undelivered: Callable[[bytes, str], None],
    ) -> None:
        self.clock = clock
        self.received = received
        self._reactor = reactor
        self._interface = interface
        self._lost = lost
        self._undelivered = undelivered
        self._connections: dict[TCP, Connection] = {}
        self._listening: Any = None
        self._closed: Deferred[None] | None = None

    def listen(self, port: int) -> None:
        """Take connections, for requests of peers that open one of their own. A port that is taken is only logged."""
        factory = _Accepting(self)
        try:
            self._listening = self._reactor.listenTCP(port, factory, interface=self._interface)
        except CannotListenError as error:
            _log.warn("no SIP connections will be taken: {error}", error=error)

    def send(self, octets: bytes, place: TCP, name: Hop) -> None:
        """To ``place`` (an address), which the sender calls ``name``; by the connection that is there, or a new one."""
        connection = self._connections.get(place)
        if connection is None:
            connection = self._connections[place] = Connection(self, place, ours=True)
            local = None if self._interface in ("", "0.0.0.0", "::") else (self._interface, 0)
            connection.connector = self._reactor.connectTCP(
                place.host, place.port, _Opening(self, connection), timeout=CONNECT_S, bindAddress=local
            )
        connection.names.add(name)
        connection.send(octets)

    def accept(self, place: TCP) -> Connection:
        connection = self._connections[place] = Connection(self, place, ours=False)
        return connection

    def not_opened(self, connection: Connection, failure: Failure) -> None:
        """The connection could not be had."""
        self._forget(connection)
        reason = f"no connection to {connection.place.host}:{connection.place.port}: {failure.getErrorMessage()}"
        for octets in connection.waiting if self._closed is None else ():
            self._undelivered(octets, reason)

    def gone(self, connection: Connection, failure: Failure) -> None:
        self._forget(connection)
        if self._closed is None:
            closed = isinstance(failure.value, ConnectionDone)
            why = "closed by the peer" if closed else failure.getErrorMessage()
            place = f"{connection.place.host}:{connection.place.port}"
            self._lost(connection.names, f"the connection to {place} was lost: {why}")

    def close(self) -> Deferred[None]:
        """Take no more and close all; fires when none is left."""
        listening, self._listening = self._listening, None
        stopped = succeed(None) if listening is None else maybeDeferred(listening.stopListening)
        self._closed = Deferred()
        for connection in list(self._connections.values()):
            connection.close()
        if not self._connections and not self._closed.called:
            self._closed.callback(None)
        return DeferredList([stopped, self._closed]).addCallback(lambda _: None)

    def _forget(self, connection: Connection) -> None:
        if self._connections.get(connection.place) is connection:
            del self._connections[connection.place]
        if self._closed is not None and not self._connections and not self._closed.called:
            self._closed.callback(None)


class _Opening(ClientFactory):
    noisy = False

    def __init__(self, connections: Connections, connection: Connection) -> None:
        self._connections = connections
        self._connection = connection

    def buildProtocol(self, addr: Any) -> Connection:
        return self._connection

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._connections.not_opened(self._connection, reason)


class _Accepting(ServerFactory):
    noisy = False

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def buildProtocol(self, addr: Any) -> Connection:
        return self._connections.accept(TCP(addr.host, addr.port))
