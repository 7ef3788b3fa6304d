"""OPTIONS to an operator: when he counts as there, and when as lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError, DNSLookupError
from twisted.internet.task import Clock

from ocm_cti.gateways.sip_trunk_ping import Ping
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from protocols.sip import messages

SETTINGS = SipTrunkSettings.from_table(
    "op",
    {
        "kind": "sip",
        "host": "sip.example",
        "port": 5070,
        "user": "4950000",
        "registers": False,
        "options_ping_s": 10.0,
        "options_wait_s": 4.0,
    },
)


@dataclass
class Socket:
    """A UDP port and the network behind it."""

    clock: Clock
    taken: bool = False
    unreachable: bool = False
    address: str = "192.0.2.7"
    open: bool = False
    sent: list[tuple[messages.Request, tuple[str, int]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.clock, name)

    def listenUDP(self, port: int, protocol: Any, interface: str) -> Socket:
        if self.taken:
            raise CannotListenError(interface, port, OSError("taken"))
        self.open = True
        return self

    def resolve(self, name: str) -> Deferred[str]:
        assert name == "sip.example"
        return succeed(self.address) if self.address else fail(DNSLookupError("no such name"))

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", "192.0.2.1", 40000)

    def write(self, octets: bytes, to: tuple[str, int]) -> None:
        if self.unreachable:
            raise OSError("network is unreachable")
        request = messages.read(octets)
        assert isinstance(request, messages.Request)
        self.sent.append((request, to))

    def stopListening(self) -> Deferred[None]:
        self.open = False
        return succeed(None)


class Bench:
    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.socket = Socket(self.clock, **options)
        self.told: list[tuple[bool, str]] = []
        self.ping = Ping(SETTINGS, "192.0.2.1", self.socket, lambda there, why: self.told.append((there, why)))
        self.ping.start()

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)

    def answer(self, code: int = 200) -> None:
        request, source = self.socket.sent[-1]
        self.ping.datagramReceived(messages.response_to(request, code).octets(), source)

    def close(self) -> None:
        self.ping.stop()
        assert self.clock.getDelayedCalls() == [] and not self.socket.open


def test_what_is_sent() -> None:
    bench = Bench()
    request, to = bench.socket.sent[0]
    assert to == ("192.0.2.7", 5070)
    assert (request.method, request.uri) == ("OPTIONS", "sip:sip.example")
    assert request.headers.get("From") is not None and "4950000@sip.example" in str(request.headers.get("From"))
    assert request.via.host == "192.0.2.1" and request.cseq.method == "OPTIONS"
    bench.answer()
    bench.pass_s(10.1)
    assert len(bench.socket.sent) == 2
    assert bench.socket.sent[1][0].call_id != request.call_id
    bench.close()


@pytest.mark.parametrize("code", [200, 401, 404, 405, 503])
def test_any_answer_says_that_he_is_there(code: int) -> None:
    bench = Bench()
    bench.answer(code)
    assert bench.told == [(True, "")]
    bench.pass_s(9.9)
    assert len(bench.socket.sent) == 1, "an answered one is not repeated"
    bench.close()


def test_none_says_that_he_is_not_and_each_is_told_once() -> None:
    bench = Bench()
    bench.pass_s(3.9)
    assert bench.told == [] and len(bench.socket.sent) == 4, "0, 0.5, 1.5, 3.5 s"
    bench.pass_s(32)
    assert bench.told == [(False, "sip.example:5070 does not answer OPTIONS")]
    bench.answer()
    assert len(bench.told) == 1, "that one is over"
    bench.pass_s(5)
    bench.answer()
    assert bench.told[1:] == [(True, "")]
    bench.close()


def test_what_is_no_answer_to_it() -> None:
    bench = Bench()
    request, source = bench.socket.sent[0]
    other = messages.response_to(request, 200)
    other.headers.set("Call-ID", "somebody-elses")
    for octets in (b"", b"\r\n\r\n", b"\xff" * 40, request.octets(), other.octets()):
        bench.ping.datagramReceived(octets, source)
    assert bench.told == []
    bench.close()


@pytest.mark.parametrize("options", [{"address": ""}, {"unreachable": True}])
def test_no_way_to_him(options: dict[str, Any]) -> None:
    bench = Bench(**options)
    bench.pass_s(5)
    assert [there for there, _ in bench.told] == [False]
    bench.socket.address, bench.socket.unreachable = "192.0.2.7", False
    bench.pass_s(6)
    bench.answer()
    assert bench.told[-1] == (True, "")
    bench.close()


def test_a_port_that_can_not_be_opened_is_no_lost_operator() -> None:
    bench = Bench(taken=True)
    bench.pass_s(60)
    assert bench.told == []
    bench.close()


def test_an_address_that_comes_too_late_is_not_written_to() -> None:
    bench = Bench(address="")
    late: Deferred[str] = Deferred()
    bench.socket.resolve = lambda name: late  # type: ignore[method-assign]
    bench.pass_s(10)
    bench.ping.stop()
    late.callback("192.0.2.7")
    assert bench.socket.sent == []
    bench.close()
