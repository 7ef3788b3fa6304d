"""Carries the messages of a user agent to where they go: over its UDP socket, or by TCP connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from .connections import Connections
from .core import TCP, Hop, is_tcp
from .names import Names

#: A larger request may be cut into fragments over UDP (RFC 3261 section 18.1.1), and some firewalls drop those.
LARGE: Final = 1300

_log = Logger()


class Carrier:
    """``received(message, hop)`` and ``lost(hops, reason)`` as of ``Connections``; ``undelivered(octets, reason)`` is
    told what can't be sent by either way. ``resolve`` finds the address of a host given by name."""

    def __init__(
        self,
        clock: Any,
        resolve: Callable[[str], Deferred[str]] | None,
        *,
        received: Callable[[bytes, TCP], None],
        lost: Callable[[Iterable[Hop], str], None],
        undelivered: Callable[[bytes, str], None],
    ) -> None:
        self._clock = clock
        self._names = Names(resolve, clock)
        self._received = received
        self._lost = lost
        self._undelivered = undelivered
        self._udp: Any = None
        self._open_tcp: Callable[[], Connections] | None = None
        self._tcp: Connections | None = None
        self._large: set[Hop] = set()

    def use(self, udp: Any) -> None:
        """The transport of the UDP socket; None: it is closed."""
        self._udp = udp

    def allow_tcp(self, reactor: Any, interface: str) -> None:
        """TCP is opened when the first message goes that way, with the number of the UDP port."""

        def open_tcp() -> Connections:
            connections = Connections(
                reactor, self._clock, interface,
                received=self._received, lost=self._lost, undelivered=self._undelivered,
            )  # fmt: skip
            connections.listen(self._udp.getHost().port)
            return connections

        self._open_tcp = open_tcp

    def send(self, octets: bytes, hop: Hop) -> None:
        """At once where the address is known; messages to one host keep their order."""
        self._names.find(hop[0].strip("[]")).addCallbacks(
            self._write, self._nowhere, callbackArgs=(octets, hop), errbackArgs=(octets,)
        )

    def close(self) -> Deferred[None]:
        """Close all connections; fires when that is done. The UDP socket is its owner's."""
        tcp, self._tcp, self._open_tcp = self._tcp, None, None
        return succeed(None) if tcp is None else tcp.close()

    def _nowhere(self, failure: Failure, octets: bytes) -> None:
        self._undelivered(octets, failure.getErrorMessage())

    def _write(self, address: str, octets: bytes, hop: Hop) -> None:
        if is_tcp(hop):
            self._write_tcp(TCP(address, hop[1]), octets, hop)
        elif self._udp is not None:
            self._write_udp((address, hop[1]), octets)

    def _write_tcp(self, place: TCP, octets: bytes, hop: Hop) -> None:
        if self._tcp is None and self._open_tcp is not None:
            self._tcp = self._open_tcp()
        if self._tcp is None:
            self._undelivered(octets, "no TCP on this SIP socket")
        else:
            self._tcp.send(octets, place, hop)

    def _write_udp(self, place: Hop, octets: bytes) -> None:
        if len(octets) > LARGE and place not in self._large and not octets.startswith(b"SIP/2.0"):
            self._large.add(place)
            method = octets.partition(b" ")[0].decode("ascii", "replace")
            _log.warn(
                "{method} of {size} octets to {host} over UDP may get lost as fragments; TCP avoids that",
                method=method, size=len(octets), host=place[0],
            )  # fmt: skip
        try:
            self._udp.write(octets, place)
        except Exception as error:
            # Not only OSError: the address is the peer's choice, and Twisted has a ValueError for an IPv6 one on an
            # IPv4 socket. The rest must still go out.
            _log.warn("SIP to {address}:{port}: {error!r}", address=place[0], port=place[1], error=error)
            self._undelivered(octets, f"can't send to {place[0]}:{place[1]}: {error}")
