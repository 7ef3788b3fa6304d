"""A reactor without sockets: ``connectTCP`` joins to whatever server stands there, on a task.Clock."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure


class MemoryTransport:
    """One end of a wire; what is written arrives at the other end when the clock moves, in order."""

    disconnecting = False

    def __init__(self, reactor: MemoryLineReactor, protocol: Any) -> None:
        self.reactor = reactor
        self.protocol = protocol
        self.other: MemoryTransport | None = None
        self.closed = False

    def write(self, octets: bytes) -> None:
        if not self.closed and not self.disconnecting:
            self.reactor.callLater(0, self._arrive, octets)

    def writeSequence(self, many: list[bytes]) -> None:
        self.write(b"".join(many))

    def _arrive(self, octets: bytes) -> None:
        other = self.other
        if other is not None and not other.closed and not self.reactor.silent:
            other.protocol.dataReceived(octets)

    def loseConnection(self) -> None:
        if not self.disconnecting and not self.closed:
            self.disconnecting = True
            self.reactor.callLater(0, self.cut, ConnectionDone())

    def abortConnection(self) -> None:
        self.reactor.callLater(0, self.cut, ConnectionLost())

    def cut(self, why: Exception | None = None) -> None:
        for end in (self, self.other):
            if end is not None and not end.closed:
                end.closed = True
                end.protocol.connectionLost(Failure(why) if why is not None else connectionDone)

    def getPeer(self) -> None:
        return None

    def getHost(self) -> None:
        return None


class MemoryLineReactor(MemoryReactorClock):
    """``server`` is the factory that TCP connections reach; None: nobody listens. ``silent``: octets get lost."""

    def __init__(self) -> None:
        super().__init__()
        self.server: Any = None
        self.silent = False
        self.wires: list[MemoryTransport] = []
        self.connections = 0

    def connectTCP(self, host: Any, port: Any, factory: Any, timeout: Any = 30, bindAddress: Any = None) -> Any:
        connector = _Connector()
        factory.startedConnecting(connector)
        self.callLater(0, self._connect, factory, connector)
        return connector

    def _connect(self, factory: Any, connector: _Connector) -> None:
        if connector.stopped:
            return
        self.connections += 1
        factory.doStart()
        if self.server is None:
            factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))
            return
        near = MemoryTransport(self, factory.buildProtocol(None))
        far = MemoryTransport(self, self.server.buildProtocol(None))
        near.other, far.other = far, near
        self.wires.append(near)
        far.protocol.makeConnection(far)
        near.protocol.makeConnection(near)

    def cut(self) -> None:
        """Break every connection."""
        wires, self.wires = self.wires, []
        for wire in wires:
            wire.cut(ConnectionLost())


class _Connector:
    def __init__(self) -> None:
        self.stopped = False

    def getDestination(self) -> str:
        return "the line in memory"

    def disconnect(self) -> None:
        self.stopped = True

    def stopConnecting(self) -> None:
        self.stopped = True
