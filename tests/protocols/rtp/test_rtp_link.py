"""The timer of all calls, and a media port on real and on missing sockets."""

from __future__ import annotations

import random
from typing import Any

import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock

from protocols.rtp import g711, rtcp
from protocols.rtp.link import MediaPort, Ticker
from protocols.rtp.packets import RTPPacket, decode, encode


def test_the_pace_is_absolute() -> None:
    """A tick that comes a little late does not delay the ones after it."""
    clock, told = Clock(), list[float]()
    ticker = Ticker(clock)

    def member(now_s: float, skipped: int) -> None:
        told.append(round(now_s, 6))
        assert skipped == 0

    ticker.add(member)
    for step in (0.027, 0.013, 0.035, 0.005):  # late by 7, on time, late by 15, on time
        clock.advance(step)
    assert told == [0.027, 0.04, 0.075, 0.08]


def test_a_little_late_is_made_up_for() -> None:
    clock, told = Clock(), list[tuple[float, int]]()
    ticker = Ticker(clock)
    ticker.add(lambda now_s, skipped: told.append((round(now_s, 3), skipped)))
    clock.advance(0.075)
    assert told == [(0.075, 0)] * 3
    clock.advance(0.005)
    assert told[3:] == [(0.08, 0)]


def test_very_late_is_skipped() -> None:
    clock, told = Clock(), list[tuple[float, int]]()
    ticker = Ticker(clock)
    ticker.add(lambda now_s, skipped: told.append((round(now_s, 3), skipped)))
    clock.advance(0.125)
    assert told == [(0.125, 5)]
    assert ticker.skipped == 5
    clock.advance(0.015)
    assert told[1:] == [(0.14, 0)]


def test_a_clock_set_back_does_not_stop_the_pace() -> None:
    clock, told = Clock(), list[float]()
    ticker = Ticker(clock)
    ticker.add(lambda now_s, skipped: told.append(round(now_s, 3)))
    clock.advance(0.020)
    # The wall clock falls by an hour after the timer was armed: Twisted fires what it had, then we go on from there.
    clock.rightNow -= 3600
    for call in clock.calls:
        call.reset(0.001)
    clock.advance(0.002)
    clock.advance(0.020)
    assert len(told) == 3


def test_the_timer_runs_only_for_members_and_they_may_leave_in_a_tick() -> None:
    clock, told = Clock(), list[str]()
    ticker = Ticker(clock)

    def first(now_s: float, skipped: int) -> None:
        told.append("first")
        ticker.remove(first)
        ticker.remove(second)

    def second(now_s: float, skipped: int) -> None:
        told.append("second")

    ticker.add(first)
    ticker.add(second)
    clock.advance(0.020)
    assert told[0] == "first"
    assert clock.getDelayedCalls() == []
    ticker.add(second)
    clock.advance(0.020)
    assert told[-1] == "second"
    ticker.remove(second)
    assert clock.getDelayedCalls() == []


class WireSocket:
    def __init__(self, wire: list[tuple[int, bytes, Any]], port: int) -> None:
        self._wire, self._port = wire, port

    def sendto(self, octets: bytes, remote: Any) -> None:
        if remote[0] == "10.0.0.9":
            raise OSError("network is unreachable")
        self._wire.append((self._port, octets, remote))


class FakeUDP:
    """A reactor whose UDP ports are these lists."""

    def __init__(self, taken: frozenset[int] = frozenset(), offered: list[int] | None = None) -> None:
        self.taken = taken
        self.offered = offered or []
        self.open: dict[int, Any] = {}
        self.wire: list[tuple[int, bytes, Any]] = []

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Any:
        number = port or self.offered.pop(0)
        if number in self.taken or number in self.open:
            raise CannotListenError(interface, number, OSError("in use"))  # type: ignore[no-untyped-call]
        return FakePort(self, number, protocol)


class FakePort:
    def __init__(self, reactor: FakeUDP, number: int, protocol: DatagramProtocol) -> None:
        self.socket = WireSocket(reactor.wire, number)
        self.protocol = protocol
        self._reactor, self._number = reactor, number
        reactor.open[number] = self

    def getHost(self) -> Any:
        return type("Address", (), {"port": self._number})

    def stopListening(self) -> Any:
        from twisted.internet.defer import succeed

        del self._reactor.open[self._number]
        return succeed(None)


def media(clock: Clock, heard: list[bytes] | None = None, digits: list[str] | None = None) -> MediaPort:
    audio = heard if heard is not None else []
    keys = digits if digits is not None else []
    return MediaPort(Ticker(clock), clock, audio.append, keys.append, wall_clock=lambda: 0.0, numbers=random.Random(1))


def test_a_pair_of_ports_even_and_odd() -> None:
    reactor = FakeUDP(taken=frozenset({4003}), offered=[4001, 4002, 4004])
    port = media(Clock())
    assert port.listen(reactor, "127.0.0.1") == 4004
    assert sorted(reactor.open) == [4004, 4005]
    port.close()
    assert reactor.open == {}


def test_ports_of_a_range_and_none_left() -> None:
    reactor = FakeUDP(taken=frozenset({4000}))
    port = media(Clock())
    assert port.listen(reactor, "127.0.0.1", range(4000, 4006)) == 4002
    with pytest.raises(CannotListenError, match="no free pair"):
        media(Clock()).listen(reactor, "127.0.0.1", range(4000, 4003))
    port.close()


def test_packets_go_to_the_peer_and_then_where_it_sends_from() -> None:
    clock, heard, digits = Clock(), list[bytes](), list[str]()
    reactor = FakeUDP(offered=[4000, 5000])
    us, them = media(clock, heard, digits), media(clock)
    us.listen(reactor, "127.0.0.1")
    them.listen(reactor, "127.0.0.1")
    them.connect("127.0.0.1", 4000)
    them.queue(b"v" * 160)
    them.send_digits("4")
    clock.advance(0.020)
    us.connect("127.0.0.1", 4999)
    for _ in range(20):
        clock.advance(0.020)
        for port, octets, remote in reactor.wire:
            if remote[1] in reactor.open:
                reactor.open[remote[1]].protocol.datagramReceived(octets, ("127.0.0.1", port))
        reactor.wire[:-1] = []
    assert digits == ["4"]
    assert heard[-1] == b"v" * 160 or b"v" * 160 in heard
    assert us.receive.source == ("127.0.0.1", 5000)
    reactor.wire.clear()
    clock.advance(0.020)
    assert ("127.0.0.1", 5000) in [remote for port, _, remote in reactor.wire if port == 4000]
    us.close()
    them.close()
    assert clock.getDelayedCalls() == []


def test_mu_law_under_a_payload_type_of_their_choice() -> None:
    clock, heard = Clock(), list[bytes]()
    reactor = FakeUDP(offered=[4000])
    port = media(clock, heard)
    port.listen(reactor, "127.0.0.1")
    port.connect("127.0.0.1", 5000, payload_type=97, mu_law=True, telephone_event_pt=121)
    clock.advance(0.020)
    packet = decode(reactor.wire[0][1])
    assert (packet.payload_type, packet.payload) == (97, b"\xd5".translate(g711.ALAW_TO_ULAW) * 160)
    for payload_type in (97, 0, 8):
        octets = encode(RTPPacket(payload_type, payload_type, 0, payload_type, b"\x80"))
        reactor.open[4000].protocol.datagramReceived(octets, ("127.0.0.1", 5000))
    assert heard == [b"\x80".translate(g711.ULAW_TO_ALAW)] * 2 + [b"\x80"]
    port.close()


def test_a_host_name_is_not_looked_up() -> None:
    clock = Clock()
    reactor = FakeUDP(offered=[4000])
    port = media(clock)
    port.listen(reactor, "127.0.0.1")
    port.connect("pbx.example", 5000)
    clock.advance(0.020)
    assert reactor.wire == []
    reactor.open[4000].protocol.datagramReceived(encode(RTPPacket(8, 1, 0, 9, b"\xd5")), ("127.0.0.1", 5000))
    clock.advance(0.020)
    assert [remote for _, _, remote in reactor.wire] == [("127.0.0.1", 5000)]
    port.close()


def test_reports_go_to_the_next_port_each_five_seconds_and_goodbye_at_the_end() -> None:
    clock = Clock()
    reactor = FakeUDP(offered=[4000])
    port = media(clock)
    port.listen(reactor, "127.0.0.1")
    port.connect("127.0.0.1", 5000)
    clock.pump([0.020] * 500)
    controls = [rtcp.decode(octets) for _, octets, remote in reactor.wire if remote[1] == 5001]
    assert len(controls) in (1, 2)
    assert isinstance(controls[0][0], rtcp.SenderReport)
    audio = [decode(octets) for _, octets, remote in reactor.wire if remote[1] == 5000]
    assert 498 <= len(audio) <= 500
    reactor.wire.clear()
    port.close()
    assert [isinstance(control, rtcp.Goodbye) for control in rtcp.decode(reactor.wire[0][1])] == [False, False, True]
    assert clock.getDelayedCalls() == []
    port.close()


def test_a_network_that_is_down_loses_packets_and_nothing_else() -> None:
    clock = Clock()
    reactor = FakeUDP(offered=[4000])
    port = media(clock)
    port.listen(reactor, "127.0.0.1")
    port.connect("10.0.0.9", 5000)
    clock.advance(0.020)
    clock.advance(0.020)
    assert port.dropped == 2
    port.close()


def test_garbage_on_the_control_port_is_counted() -> None:
    clock = Clock()
    reactor = FakeUDP(offered=[4000])
    port = media(clock)
    port.listen(reactor, "127.0.0.1")
    control = reactor.open[4001].protocol
    control.datagramReceived(b"\x00", ("127.0.0.1", 5001))
    control.datagramReceived(rtcp.encode([rtcp.ReceiverReport(9)]), ("127.0.0.1", 5001))
    assert port.receive.malformed == 1
    port.close()
