"""The SIP link: datagrams and one timer, on Twisted's fake clock, and once on real sockets."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import InvalidAddressError
from twisted.internet.task import Clock

from protocols.errors import LocalProtocolError
from protocols.sip.events import Confirmed, Ended, Event, Incoming, Registered, RegistrationFailed, Unregistered
from protocols.sip.link import SIPLink
from protocols.sip.registrar import Registrar
from protocols.sip.user_agent import Account, UserAgent


class Address:
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port


class Listening:
    """A port of ``Net``; also the transport of its protocol."""

    def __init__(self, net: Net, link: SIPLink, host: str, port: int) -> None:
        self.net, self.link, self.here = net, link, Address(host, port)
        self.broken = False
        self.written: list[tuple[str, int]] = []

    def getHost(self) -> Address:
        return self.here

    def write(self, octets: bytes, destination: tuple[str, int]) -> None:
        if self.broken:
            raise OSError(101, "Network is unreachable")
        if ":" in destination[0]:
            # As twisted.internet.udp.Port on an IPv4 socket: a ValueError.
            raise InvalidAddressError(destination[0], "IPv4 port, IPv6 address")  # type: ignore[no-untyped-call]
        self.written.append(destination)
        source = (self.here.host, self.here.port)
        self.net.clock.callLater(0.001, self.net.deliver, octets, source, destination)

    def stopListening(self) -> Deferred[None]:
        del self.net.ports[self.here.host, self.here.port]
        self.link.stopProtocol()
        return succeed(None)


class Net:
    """A reactor with nothing but UDP between its own ports, one millisecond away from each other."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ports: dict[tuple[str, int], Listening] = {}
        self._free = itertools.count(5061)

    def listenUDP(self, port: int, link: SIPLink, interface: str) -> Listening:
        listening = Listening(self, link, interface, port or next(self._free))
        self.ports[interface, listening.here.port] = listening
        link.transport = listening  # type: ignore[assignment]
        link.startProtocol()
        return listening

    def deliver(self, octets: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        if destination in self.ports:
            self.ports[destination].link.datagramReceived(octets, source)


class Owner:
    """Keeps the events of a link; ``on_event`` reacts to them."""

    def __init__(self, net: Any, name: str, registrar: Registrar | None = None, **more: Any) -> None:
        numbers = itertools.count(1)
        self.events: list[Event] = []
        self.on_event: Any = lambda event: None
        self.link = SIPLink(
            lambda host, port: UserAgent(host, port, token=lambda: f"{name}{next(numbers)}", challenge=registrar),
            net.clock,
            self.told,
            **more,
        )
        self.port = self.link.listen(net, "127.0.0.1", 0)

    def told(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)


@pytest.fixture
def net() -> Net:
    return Net()


def turn(net: Net, seconds: float) -> None:
    net.clock.pump([0.001] * round(seconds * 1000))


def test_a_call_over_two_links(net: Net) -> None:
    """Commands given from within an event work, and are never told their own events inside themselves."""
    alice, bob = Owner(net, "a"), Owner(net, "b")

    def pick_up(event: Event) -> None:
        if isinstance(event, Incoming):
            before = list(bob.events)
            bob.link.ring(event.call)
            bob.link.answer(event.call, b"v=0\r\n")
            assert bob.events == before

    bob.on_event = pick_up
    call = alice.link.invite(
        f"sip:9@127.0.0.1:{bob.port}", from_user="100", destination=("127.0.0.1", bob.port), sdp=b"v=0\r\n"
    )
    turn(net, 0.02)
    assert [type(event).__name__ for event in alice.events] == ["Ringing", "Answered"]
    confirmed = bob.events[-1]
    assert isinstance(confirmed, Confirmed)
    alice.link.hang_up(call)
    assert not isinstance(alice.events[-1], Ended)
    turn(net, 0.02)
    assert alice.events[-1] == Ended(call, False, "hung up")
    assert bob.events[-1] == Ended(confirmed.call, True, "BYE")


def test_stop_hangs_up_and_unregisters_first(net: Net) -> None:
    """The socket closes when BYE and un-REGISTER have been answered, and no delayed call is left."""
    pbx = Owner(net, "p", Registrar("pbx", {"301": "pw"}))
    robot = Owner(net, "r")
    robot.link.register(Account("301", "pw", "127.0.0.1", pbx.port))
    turn(net, 0.02)
    assert robot.events == [Registered("301", 120)]
    stopped: list[None] = []
    robot.link.stop().addCallback(stopped.append)
    assert not stopped
    turn(net, 0.02)
    assert stopped == [None]
    assert robot.events[-1] == Unregistered("301")
    pbx.link.stop().addCallback(stopped.append)
    assert stopped == [None, None]
    assert net.ports == {} and net.clock.getDelayedCalls() == []
    with pytest.raises(LocalProtocolError):
        robot.link.hang_up("x")


def test_stop_does_not_wait_for_the_dead(net: Net) -> None:
    """A switch that has gone gets two seconds."""
    robot = Owner(net, "r")
    robot.link.register(Account("301", "pw", "127.0.0.1", 9))
    stopped: list[None] = []
    robot.link.stop(grace_s=2.0).addCallback(stopped.append)
    net.clock.pump([0.1] * 19)
    assert not stopped
    net.clock.pump([0.1] * 2)
    assert stopped == [None] and net.clock.getDelayedCalls() == []
    robot.link.stop().addCallback(stopped.append)
    assert stopped == [None, None]


def test_an_observer_that_fails_silences_nobody(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    """An exception out of the observer is logged; the next event is told."""
    pbx, robot = Owner(net, "p", Registrar("pbx", {"301": "pw", "302": "pw"})), Owner(net, "r")

    def fall(event: Event) -> None:
        raise ZeroDivisionError

    robot.on_event = fall
    for user in ("301", "302"):
        robot.link.register(Account(user, "pw", "127.0.0.1", pbx.port))
    turn(net, 0.02)
    assert len(robot.events) == 2


def test_hosts_by_name(net: Net) -> None:
    """A registrar given by name is looked up once; one that is not found, or a dead network, is told at once and tried
    again like one that does not answer."""
    pbx = Owner(net, "p", Registrar("pbx", {"301": "pw"}))
    names: dict[str, Deferred[str]] = {"nowhere": fail(OSError("no such host"))}
    robot = Owner(net, "r", resolve=names.pop)
    deaf = Owner(net, "d")
    robot.link.register(Account("302", "pw", "nowhere", pbx.port))
    deaf.link.register(Account("302", "pw", "pbx", pbx.port))
    assert net.ports["127.0.0.1", robot.port].written == net.ports["127.0.0.1", deaf.port].written == []
    turn(net, 0.02)
    assert robot.events == [RegistrationFailed("302", 503, "nowhere can't be looked up: no such host")]
    assert deaf.events == [RegistrationFailed("302", 503, "nobody to look up pbx")]
    names["pbx"] = succeed("127.0.0.1")
    robot.events.clear()
    robot.link.register(Account("301", "pw", "pbx", pbx.port))
    turn(net, 0.02)
    assert robot.events == [Registered("301", 120)] and names == {}
    net.ports["127.0.0.1", robot.port].broken = True
    robot.events.clear()
    robot.link.register(Account("303", "pw", "127.0.0.1", pbx.port))
    turn(net, 0.02)
    (failed,) = robot.events
    assert isinstance(failed, RegistrationFailed) and failed.code == 503 and "can't send to" in failed.reason


def test_an_address_that_the_socket_cannot_reach(net: Net) -> None:
    """A peer's Contact may be an IPv6 address. Our BYE to it is a lost datagram: hanging up raises nothing, the other
    calls' BYEs leave in the same batch, Ended is told, and the timer goes on to the end of the transaction."""
    robot = Owner(net, "r")
    calls = []
    for number, contact in enumerate(("[::1]:5060", "127.0.0.1:9")):
        head = "{} sip:301@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{}\r\n"
        rest = f"From: <sip:9@x>;tag=f\r\nCall-ID: c{number}\r\nContact: <sip:9@{contact}>\r\n"
        invite = head.format("INVITE", number) + rest + "To: <sip:301@127.0.0.1>\r\nCSeq: 1 INVITE\r\n\r\n"
        robot.link.datagramReceived(invite.encode(), ("127.0.0.1", 9))
        incoming = robot.events[-1]
        assert isinstance(incoming, Incoming)
        calls.append(incoming.call)
        dialog = robot.link.agent._book.calls[incoming.call].dialog
        assert dialog is not None
        robot.link.answer(incoming.call, b"v=0\r\n")
        ack = head.format("ACK", f"a{number}") + rest + f"To: <sip:301@y>;tag={dialog.local_tag}\r\nCSeq: 1 ACK\r\n\r\n"
        robot.link.datagramReceived(ack.encode(), ("127.0.0.1", 9))
    robot.events.clear()
    listening = net.ports["127.0.0.1", robot.port]
    listening.written.clear()
    stopped: list[None] = []
    robot.link.stop(grace_s=60.0).addCallback(stopped.append)
    assert listening.written == [("127.0.0.1", 9)]
    turn(net, 0.01)
    assert robot.events == [Ended(call, False, "hung up") for call in calls]
    net.clock.pump([0.5] * 70)
    assert len(listening.written) == 11  # timer E of the one that could be written, until timer F
    assert stopped == [None] and net.clock.getDelayedCalls() == []


def test_a_resolver_that_raises(net: Net) -> None:
    """A name that the resolver does not even take is a lost datagram too."""

    def resolve(host: str) -> Deferred[str]:
        raise UnicodeError("label too long")

    robot = Owner(net, "r", resolve=resolve)
    robot.link.register(Account("302", "pw", "x" * 64, 5060))
    assert net.clock.getDelayedCalls() != []


@pytest.mark.sockets
def test_real_sockets() -> None:
    """Register and unregister over loopback with a real reactor's ports."""
    from twisted.internet import selectreactor

    reactor = selectreactor.SelectReactor()
    try:
        reactor.clock = reactor  # what Owner looks for
        pbx = Owner(reactor, "p", Registrar("pbx", {"301": "pw"}))
        robot = Owner(reactor, "r")
        robot.on_event = lambda event: robot.link.unregister("301") if isinstance(event, Registered) else leave()

        def leave() -> None:
            both = robot.link.stop()
            both.addCallback(lambda _: pbx.link.stop())
            both.addBoth(lambda _: reactor.callLater(0, reactor.crash))

        robot.link.register(Account("301", "pw", "127.0.0.1", pbx.port))
        giving_up = reactor.callLater(20, reactor.crash)
        reactor.run(installSignalHandlers=False)
        assert robot.events == [Registered("301", 120), Unregistered("301")]
        giving_up.cancel()
        assert reactor.getDelayedCalls() == []
    finally:
        reactor.disconnectAll()
        for reader in [*reactor.removeAll(), *reactor._internalReaders]:  # type: ignore[no-untyped-call]
            reader.connectionLost(None)
