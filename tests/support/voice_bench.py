"""The calls of the voice process between a SIP that is a list and UDP that is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock

from ocm_cti.voice.calls import Calls
from protocols.errors import LocalProtocolError
from protocols.sip import sdp
from protocols.sip import user_agent as sip

PEER = ("127.0.0.1", 5000)
OFFER = sdp.offer(*PEER)
HOLD = sdp.offer(*PEER, version=2, direction="sendonly")
VIDEO = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 96\r\n"
G729 = OFFER.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 18")


class Reactor(Clock):
    """Time, and UDP ports that keep what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[int, Port] = {}
        self.full = False
        self.sent: list[bytes] = []

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Any:
        number = port or 4000 + 2 * len(self.ports)
        if self.full or number in self.ports:
            raise CannotListenError(interface, number, OSError("in use"))
        self.ports[number] = Port(self, number, protocol)
        return self.ports[number]

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.020)):
            self.advance(0.020)


class Port:
    def __init__(self, reactor: Reactor, number: int, protocol: DatagramProtocol) -> None:
        self.reactor, self.number, self.protocol = reactor, number, protocol
        self.socket = self

    def getHost(self) -> Any:
        return type("Address", (), {"port": self.number})

    def sendto(self, octets: bytes, remote: tuple[str, int]) -> None:
        if remote == PEER:
            self.reactor.sent.append(octets)

    def stopListening(self) -> Deferred[None]:
        del self.reactor.ports[self.number]
        return succeed(None)


class VoiceCase:
    """Calls, with what they asked of SIP in ``asked`` and what they reported in ``told``."""

    def __init__(self, **options: Any) -> None:
        self.reactor = Reactor()
        self.asked: list[tuple[Any, ...]] = []
        self.told: list[tuple[Any, ...]] = []
        self.over: set[str] = set()
        self.invites = 0
        self.calls = Calls(self.reactor, Recorder(self, "asked"), Recorder(self, "told"), "127.0.0.1", run, **options)

    def invite(self, key: str = "k", octets: bytes = OFFER) -> None:
        self.calls.sip_event(sip.Incoming(key, "sip:95@pbx", "301", octets, {}))

    def up(self, key: str = "k") -> None:
        self.invite(key)
        self.calls.answer(key)
        self.calls.sip_event(sip.Confirmed(key))

    def taken(self) -> list[tuple[Any, ...]]:
        found, self.asked[:] = list(self.asked), []
        return found

    def reports(self) -> list[tuple[Any, ...]]:
        found, self.told[:] = list(self.told), []
        return found

    def nothing_left(self) -> bool:
        done: list[Any] = []
        self.calls.shut_down().addCallback(done.append)
        return done == [None] and not self.reactor.ports and not self.reactor.getDelayedCalls()


class Recorder:
    def __init__(self, case: VoiceCase, where: str) -> None:
        self._case, self._kept = case, getattr(case, where)
        self._is_sip = where == "asked"

    def __getattr__(self, name: str) -> Any:
        def call(key: Any, *arguments: Any, **more: Any) -> str:
            if self._is_sip and key in self._case.over and name != "hang_up":
                raise LocalProtocolError(f"no call {key}, or it is over")
            while arguments and arguments[-1] is None:
                arguments = arguments[:-1]  # nothing to say of the cause
            self._kept.append((name, key, *arguments, *([more] if more else [])))
            if name == "invite":
                self._case.invites += 1
            return f"d{self._case.invites}"

        return call


def run(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    return maybeDeferred(function, *arguments)
