"""What the parts of one user agent share: timers, outgoing datagrams, events, random strings and the transactions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from . import addresses
from .alarms import Alarms
from .events import Event

if TYPE_CHECKING:
    from .client_transaction import ClientTransaction
    from .server_transaction import ServerTransaction

#: Where a message goes, or came from. A plain pair is UDP.
Hop = tuple[str, int]


class TCP(NamedTuple):
    """A hop over TCP. It compares equal to the plain pair: ask ``is_tcp`` before two hops are taken for the same."""

    host: str
    port: int


def is_tcp(hop: Hop) -> bool:
    return isinstance(hop, TCP)


def same_hop(one: Hop, other: Hop) -> bool:
    return one == other and is_tcp(one) == is_tcp(other)


#: What we take inside and outside a dialog; sent as Allow.
ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY")


class Core:
    """``token`` gives a new random string of letters and digits at every call."""

    def __init__(self, host: str, port: int, product: str, token: Callable[[], str]) -> None:
        self.host = host
        self.port = port
        self.product = product
        self.token = token
        self.alarms = Alarms()
        self.outbox: list[tuple[bytes, Hop]] = []
        self.events: deque[Event] = deque()
        self.clients: dict[tuple[str, str], ClientTransaction] = {}
        self.servers: dict[tuple[str, ...], ServerTransaction] = {}
        #: INVITEs in ``servers`` by what a copy of them, forked on its way to us, has in common (8.2.2.2)
        self.invites: dict[tuple[str, str, int], ServerTransaction] = {}

    def send(self, octets: bytes, destination: Hop) -> None:
        self.outbox.append((octets, destination))

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def contact(self, user: str, peer: Hop) -> str:
        """Our Contact for a user: the socket that we listen on. What a NAT makes of it is not guessed at."""
        uri = addresses.sip_uri(user, self.host, self.port)
        return addresses.address(f"{uri};transport=tcp" if is_tcp(peer) else uri)

    def new_via(self, destination: Hop) -> str:
        # RFC 3581: rport asks the peer to answer to the port that it saw.
        transport = "TCP" if is_tcp(destination) else "UDP"
        return f"SIP/2.0/{transport} {self.host}:{self.port};branch={addresses.COOKIE}{self.token()};rport"
