"""What the parts of one user agent share: timers, outgoing datagrams, events, random strings and the transactions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import addresses
from .alarms import Alarms
from .events import Event

if TYPE_CHECKING:
    from .client_transaction import ClientTransaction
    from .server_transaction import ServerTransaction

Hop = tuple[str, int]

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

    def contact(self, user: str) -> str:
        """Our Contact for a user: the socket that we listen on. What a NAT makes of it is not guessed at."""
        return addresses.address(addresses.sip_uri(user, self.host, self.port))

    def new_via(self) -> str:
        # RFC 3581: rport asks the peer to answer to the port that it saw.
        return f"SIP/2.0/UDP {self.host}:{self.port};branch={addresses.COOKIE}{self.token()};rport"
