"""RTP on Twisted: one timer for all calls of a process, and one UDP socket (with its RTCP neighbour) for each call."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from protocols.errors import RemoteProtocolError
from protocols.rtp import g711
from protocols.rtp.packets import PCMA, PCMU
from protocols.rtp.reports import Reports
from protocols.rtp.stream import LAWS, Address, ReceiveStream, SendStream

TICK_S: Final = 0.020
#: Later than this, ticks are skipped: a burst would only fill the peer's jitter buffer.
LATE_S: Final = 0.060
REPORT_S: Final = 5.0

#: Called with the clock's time and how many ticks were skipped before this one.
Tick = Callable[[float, int], None]


class Clock(Protocol):
    """What we need of ``IReactorTime``: the reactor, or ``twisted.internet.task.Clock``."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., object], *args: object) -> Any: ...


class UDPReactor(Protocol):
    """What we need of ``IReactorUDP``."""

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Any: ...


class Ticker:
    """Calls every member each 20 ms, at absolute deadlines, so that the pace never drifts.

    A tick that is up to ``LATE_S`` late is made up for at once; when later, its time is skipped and members are told
    how many ticks it was. The timer runs only while there are members.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._members: tuple[Tick, ...] = ()
        self._deadline_s = 0.0
        self._timer: Any = None
        self.skipped = 0

    def add(self, member: Tick) -> None:
        """Begin calling ``member``, at the next tick."""
        self._members = (*self._members, member)
        if self._timer is None:
            self._deadline_s = self._clock.seconds() + TICK_S
            self._timer = self._clock.callLater(TICK_S, self._fire)

    def remove(self, member: Tick) -> None:
        """Stop calling it; harmless when it is not called."""
        self._members = tuple(other for other in self._members if other != member)
        if not self._members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        now_s = self._clock.seconds()
        late_s = now_s - self._deadline_s
        skip = 0
        if late_s > LATE_S:
            skip = int(late_s / TICK_S)
            self.skipped += skip
        elif late_s < -TICK_S:
            # The clock was set back: pace from here instead of waiting for it to catch up.
            self._deadline_s = now_s
        self._deadline_s += (skip + 1) * TICK_S
        # Before the members, so that one of them may remove the last.
        self._timer = self._clock.callLater(max(0.0, self._deadline_s - now_s), self._fire)
        for member in self._members:
            member(now_s, skip)


class MediaPort:
    """One call's media: ``audio(alaw octets)`` and ``digit(key)`` come, ``send`` is what we say.

    ``listen`` first, then ``connect`` as soon as the other side's address is known; ``close`` when the call is over.
    Until ``connect`` nothing is sent; once the peer's packets arrive, ours go where they come from.
    """

    def __init__(
        self,
        ticker: Ticker,
        clock: Clock,
        audio: Callable[[bytes], None],
        digit: Callable[[str], None],
        *,
        wall_clock: Callable[[], float] = time.time,
        numbers: random.Random | None = None,
    ) -> None:
        # RFC 3550 §5.1: sequence, timestamp and SSRC begin at random; no secret is made of them.
        draw = numbers or random
        self.send = SendStream(draw.getrandbits(32), draw.getrandbits(16), draw.getrandbits(32))
        self.receive = ReceiveStream(audio, digit)
        #: Called each tick before our packet is made, while connected.
        self.before_tick: Tick | None = None
        #: Packets that the system did not take.
        self.dropped = 0
        self.port = 0
        self._ticker = ticker
        self._clock = clock
        self._now = clock.seconds
        self._reports = Reports(self.send, self.receive, f"{draw.getrandbits(48):012x}@ocm", wall_clock)
        self._named: Address | None = None
        self._remote: Address | None = None
        self._ticking = False
        self._next_report_s = 0.0
        self._rtp: Any = None
        self._control: Any = None

    def listen(self, reactor: UDPReactor, host: str, ports: Iterable[int] | None = None) -> int:
        """Open an even port for RTP and the next for RTCP (RFC 3550 §11); returns the first.

        ``ports`` are the even ports to try, None leaves it to the system. CannotListenError when none is free.
        """
        candidates = [0] * 50 if ports is None else [port for port in ports if port % 2 == 0]
        unpaired: list[Any] = []
        try:
            for candidate in candidates:
                try:
                    rtp = reactor.listenUDP(candidate, _Socket(self._rtp_received), interface=host)
                except CannotListenError:
                    continue
                number: int = rtp.getHost().port
                try:
                    if number % 2 == 0:
                        self._control = reactor.listenUDP(number + 1, _Socket(self._control_received), interface=host)
                        # The transport reads until the socket is empty; packets come one by one here, and the second
                        # read, that only finds nothing, costs as much as the first.
                        rtp.maxThroughput = 1
                        self._rtp, self.port = rtp, number
                        return number
                except CannotListenError:
                    pass
                # Kept open until the end, or the system would offer the same port again.
                unpaired.append(rtp)
        finally:
            for rtp in unpaired:
                rtp.stopListening()
        raise CannotListenError(host, candidates[0] if candidates else 0, OSError("no free pair of UDP ports"))  # type: ignore[no-untyped-call]

    def connect(
        self,
        host: str,
        port: int,
        *,
        payload_type: int = PCMA,
        telephone_event_pt: int | None = 101,
        mu_law: bool | None = None,
    ) -> None:
        """Begin (or go on) sending to this address; the peer's own source takes over when it sends.

        ``mu_law`` None: as the static payload type says; both laws are understood. ``host`` is an address; for a name
        nothing is sent until the peer has sent: looking it up would stop the clock of every call.
        """
        if (host, port) != self._named:
            self._named = (host, port)
            self.receive.latch()
        self._remote = (host, port) if isIPAddress(host) or isIPv6Address(host) else None
        is_mu_law = payload_type == PCMU if mu_law is None else mu_law
        self.send.payload_type, self.send.mu_law = payload_type, is_mu_law
        self.receive.laws = {**LAWS, payload_type: g711.ULAW_TO_ALAW if is_mu_law else None}
        self.send.telephone_event_pt = self.receive.telephone_event_pt = telephone_event_pt
        if not self._ticking:
            self._ticking = True
            # Spread over calls, so that they don't all report in the same tick.
            self._next_report_s = self._now() + REPORT_S * (0.5 + (self.send.ssrc & 0xFFFF) / 0x20000)
            self._ticker.add(self.tick)

    def queue(self, alaw: bytes) -> None:
        """Say these octets of A-law after what is queued already, without a gap."""
        self.send.queue(alaw)

    def send_digits(self, digits: str, duration_ms: int = 160, gap_ms: int = 80) -> None:
        """Press keys (RFC 4733)."""
        self.send.send_digits(digits, duration_ms, gap_ms)

    def close(self) -> Deferred[None]:
        """Say goodbye in RTCP and close both sockets; fires when they are closed, harmless when they are."""
        if self._ticking:
            self._ticking = False
            self._ticker.remove(self.tick)
            if self.send.packets_sent:
                self._send_control(self._reports.goodbye())
        open_ports = [port for port in (self._rtp, self._control) if port is not None]
        self._rtp = self._control = None
        if not open_ports:
            return succeed(None)
        return DeferredList([port.stopListening() for port in open_ports]).addCallback(lambda _: None)

    def tick(self, now_s: float, skipped: int) -> None:
        """20 ms have passed; the Ticker calls this."""
        if skipped:
            self.send.skip(skipped)
        if self.before_tick is not None:
            self.before_tick(now_s, skipped)
        datagram = self.send.tick()
        if datagram is not None and self._rtp is not None:
            self._send(self._rtp, datagram)
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + REPORT_S
            self._send_control(self._reports.make(now_s))

    def _rtp_received(self, octets: bytes, source: Address) -> None:
        self.receive.receive(octets, source, self._now())

    def _control_received(self, octets: bytes, source: Address) -> None:
        try:
            self._reports.receive(octets, self._now())
        except RemoteProtocolError:
            self.receive.malformed += 1

    def _send_control(self, octets: bytes) -> None:
        if self._control is not None:
            self._send(self._control, octets, 1)

    def _send(self, listening: Any, octets: bytes, offset: int = 0) -> None:
        remote = self.receive.source or self._remote
        if remote is None:
            return
        # Straight to the socket: the transport's write checks the address again for each packet, and raises for a
        # network that is down for a moment, where a lost packet is all that should come of it.
        try:
            listening.socket.sendto(octets, (remote[0], remote[1] + offset) if offset else remote)
        except OSError:
            self.dropped += 1


class _Socket(DatagramProtocol):
    """What a UDP socket hears goes to ``heard(octets, source)``."""

    noisy = False

    def __init__(self, heard: Callable[[bytes, Address], None]) -> None:
        # The bound method takes the place of ours: one call less for each packet.
        self.datagramReceived = heard  # type: ignore[method-assign, assignment]
