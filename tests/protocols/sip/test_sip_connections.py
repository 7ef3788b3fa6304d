"""SIP connections on a reactor that is none: opened on need, kept, lost, opened anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from protocols.sip.connections import LAST_WORDS_S, PING_EVERY_S, Connections
from protocols.sip.core import TCP, Hop
from protocols.sip.stream import PING, PONG

PLACE = TCP("192.0.2.1", 5060)
NAME = TCP("operator.example", 5060)
MESSAGE = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Wire(StringTransport):
    aborted = closing = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        assert enabled

    def abortConnection(self) -> None:
        self.aborted = True

    def loseConnection(self) -> None:
        self.closing = True

    def taken(self) -> bytes:
        octets = self.value()
        self.clear()
        return octets


class Case:
    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.told: list[tuple[Any, ...]] = []
        self.connections = Connections(
            self.reactor, self.reactor, "127.0.0.1",
            received=lambda message, hop: self.told.append((message, hop)),
            lost=self.lost, undelivered=lambda octets, why: self.told.append(("undelivered", octets, why)),
        )  # fmt: skip

    def lost(self, hops: Iterable[Hop], reason: str) -> None:
        self.told.append(("lost", sorted(hops), reason))

    def open(self, number: int = 0) -> tuple[Protocol, Wire]:
        """The connection that was asked for stands."""
        host, port, factory, timeout_s, local = self.reactor.tcpClients[number]
        assert timeout_s == 10.0 and local == ("127.0.0.1", 0)
        connection, wire = factory.buildProtocol(IPv4Address("TCP", host, port)), Wire()
        connection.makeConnection(wire)
        return connection, wire

    def refuse(self, number: int = 0) -> None:
        self.reactor.tcpClients[number][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))


@pytest.fixture
def case() -> Case:
    return Case()


def test_one_connection_for_a_place(case: Case) -> None:
    """What is sent while it opens goes out in order when it stands; a name for the same place uses it too."""
    case.connections.send(b"one", PLACE, NAME)
    case.connections.send(b"two", PLACE, PLACE)
    _, wire = case.open()
    assert wire.taken() == b"onetwo"
    case.connections.send(b"three", PLACE, NAME)
    assert wire.taken() == b"three" and len(case.reactor.tcpClients) == 1
    case.connections.send(b"else", TCP("192.0.2.1", 5070), PLACE)
    assert len(case.reactor.tcpClients) == 2


def test_lost_and_opened_anew(case: Case) -> None:
    case.connections.send(b"one", PLACE, NAME)
    connection, _ = case.open()
    connection.dataReceived(MESSAGE[:20])
    connection.dataReceived(MESSAGE[20:])
    connection.connectionLost(Failure(ConnectionDone()))
    reason = "the connection to 192.0.2.1:5060 was lost: closed by the peer"
    assert case.told == [(MESSAGE, PLACE), ("lost", [PLACE, NAME], reason)]
    assert case.reactor.getDelayedCalls() == []
    case.connections.send(b"two", PLACE, NAME)
    _, wire = case.open(1)
    assert wire.taken() == b"two"


def test_not_to_be_had(case: Case) -> None:
    """All that waited is told; the next message tries again."""
    case.connections.send(b"one", PLACE, NAME)
    case.connections.send(b"two", PLACE, NAME)
    case.refuse()
    why = case.told[0][2]
    assert why.startswith("no connection to 192.0.2.1:5060: Connection was refused")
    assert case.told == [("undelivered", b"one", why), ("undelivered", b"two", why)]
    case.connections.send(b"three", PLACE, NAME)
    assert len(case.reactor.tcpClients) == 2


def test_keep_alive(case: Case) -> None:
    """Our pings every half minute; theirs are answered. Who has answered once and falls silent is gone."""
    case.connections.send(b"one", PLACE, NAME)
    connection, wire = case.open()
    wire.taken()
    connection.dataReceived(PING)
    assert wire.taken() == PONG
    for _ in range(3):
        case.reactor.advance(PING_EVERY_S)
        assert wire.taken() == PING and not wire.aborted  # it need not know them
    connection.dataReceived(PONG)
    case.reactor.advance(PING_EVERY_S)
    assert wire.taken() == PING
    case.reactor.advance(PING_EVERY_S)
    assert wire.aborted and wire.taken() == b""
    connection.connectionLost(Failure(ConnectionLost()))
    assert case.reactor.getDelayedCalls() == []


def test_garbage_ends_the_connection(case: Case) -> None:
    case.connections.send(b"one", PLACE, NAME)
    connection, wire = case.open()
    connection.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert wire.aborted and case.told == []
    connection.connectionLost(Failure(ConnectionLost()))
    assert case.told[0][0] == "lost"


def test_connections_that_come(case: Case) -> None:
    """What we answer goes back by the connection that it was asked by; it gets no pings of ours."""
    case.connections.listen(5061)
    ((port, factory, _, interface),) = case.reactor.tcpServers
    assert (port, interface) == (5061, "127.0.0.1")
    connection, wire = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 40000)), Wire()
    connection.makeConnection(wire)
    connection.dataReceived(MESSAGE)
    assert case.told == [(MESSAGE, TCP("192.0.2.1", 40000))]
    case.connections.send(b"answer", TCP("192.0.2.1", 40000), TCP("192.0.2.1", 40000))
    assert wire.taken() == b"answer" and case.reactor.tcpClients == [] and case.reactor.getDelayedCalls() == []


def test_a_port_that_is_taken(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own connections are not hindered."""

    def taken(*arguments: Any, **more: Any) -> None:
        raise CannotListenError("127.0.0.1", 5061, OSError("in use"))

    monkeypatch.setattr(case.reactor, "listenTCP", taken)
    case.connections.listen(5061)
    case.connections.send(b"one", PLACE, NAME)
    assert case.open()[1].taken() == b"one"


def test_close(case: Case) -> None:
    """Last words go out; a peer that does not take them is cut off; one that was still being opened is given up."""
    case.connections.listen(5061)
    case.connections.send(b"one", PLACE, NAME)
    connection, wire = case.open()
    case.connections.send(b"two", TCP("192.0.2.9", 5060), NAME)
    over: list[Any] = []
    case.connections._connections[TCP("192.0.2.9", 5060)].connector = type(
        "Connector", (), {"stopConnecting": lambda self: case.refuse(1)}
    )()
    case.connections.close().addCallback(over.append)
    assert wire.closing and not wire.aborted and over == []
    case.reactor.advance(LAST_WORDS_S)
    assert wire.aborted
    connection.connectionLost(Failure(ConnectionLost()))
    assert over == [None] and case.told == [] and case.reactor.getDelayedCalls() == []
    again: list[Any] = []
    Case().connections.close().addCallback(again.append)
    assert again == [None]
