"""Server transactions (RFC 3261 section 17.2): the tables of ``transactions`` with a request and its last response."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from protocols.errors import LocalProtocolError

from . import addresses, messages
from .addresses import DEFAULT_PORT
from .client_transaction import TimedMachine
from .core import Core, Hop, is_tcp
from .messages import Request, Response
from .transactions import Do, Happening, Kind, sending


class ServerTransaction(TimedMachine):
    """One request that came in. ``tag`` is what we put into To of the responses (none into 100)."""

    def __init__(self, core: Core, request: Request, source: Hop, now: float) -> None:
        super().__init__(core, Kind.INVITE_SERVER if request.method == "INVITE" else Kind.SERVER, is_tcp(source))
        self.request = request
        self.source = source
        self.tag = request.to_address.tag or core.token()
        self.destination = response_address(request, source)
        self.response: Response | None = None
        #: For INVITE: an ACK for a 2xx that came within this transaction; a CANCEL, at whatever time.
        self.on_ack: Callable[[Request, float], None] | None = None
        self.on_cancel: Callable[[Request, float], None] | None = None
        self._octets = b""
        self._ack: Request | None = None
        self.key = key_of(request)
        core.servers[self.key] = self
        self.copy_key = (request.call_id, request.from_address.tag, request.cseq.sequence)
        if self.kind is Kind.INVITE_SERVER:
            core.invites.setdefault(self.copy_key, self)
        self.start_timers(now)

    def receive(self, request: Request, now: float) -> None:
        """The request once more, or its ACK."""
        if request.method == "ACK":
            self._ack = request
            self.happen(Happening.ACK, now)
        else:
            self.happen(Happening.REQUEST, now)

    def respond(
        self,
        code: int,
        now: float,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        phrase: str = "",
    ) -> None:
        """Send a response. LocalProtocolError when a final one has been sent; a 2xx is repeated with ``repeat``."""
        pairs = list(headers)
        if code > 100:
            pairs.append(("Server", self.core.product))
        tag = self.tag if code > 100 else ""
        response = messages.response_to(self.request, code, tag=tag, headers=pairs, body=body, phrase=phrase)
        previous = self.response, self._octets
        self.response, self._octets = response, response.octets()
        if (previous[0] is not None and previous[0].code >= 200) or not self.happen(sending(code), now):
            self.response, self._octets = previous
            raise LocalProtocolError(f"{code} after a final response to {self.request.method}")

    def repeat(self, now: float) -> None:
        """Send a 2xx to INVITE again, as the core must until the ACK comes (13.3.1.4)."""
        if self.response is not None:
            self.happen(sending(self.response.code), now)

    @property
    def answered(self) -> bool:
        """A final response has been sent."""
        return self.response is not None and self.response.code >= 200

    def act(self, action: Do, now: float) -> None:
        if action is Do.SEND and self._octets:
            self.core.send(self._octets, self.destination)
        elif action is Do.PASS and self.on_ack is not None and self._ack is not None:
            self.on_ack(self._ack, now)

    def forget(self) -> None:
        if self.core.servers.get(self.key) is self:
            del self.core.servers[self.key]
        if self.core.invites.get(self.copy_key) is self:
            del self.core.invites[self.copy_key]


def key_of(request: Request, method: str | None = None) -> tuple[str, ...]:
    """What tells transactions apart (17.2.3). ACK and CANCEL find their INVITE by ``method="INVITE"``."""
    via = request.via
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    if via.branch.startswith(addresses.COOKIE):
        return (via.branch, via.host.lower(), str(via.port or DEFAULT_PORT), method)
    # RFC 2543 peers: no unique branch.
    return ("2543", request.call_id, request.from_address.tag, str(request.cseq.sequence), via.text, method)


def note_source(request: Request, source: Hop) -> None:
    """Write into the topmost Via where the request really came from (18.2.1, RFC 3581 section 4)."""
    via = request.via
    wants_port = "rport" in via.parameters
    if not wants_port and via.host == source[0]:
        return
    head, *rest = addresses.split_outside(via.text, ";")
    kept = [piece for piece in rest if piece.partition("=")[0].strip().lower() not in ("rport", "received")]
    kept.append(f"received={source[0]}")
    if wants_port:
        kept.append(f"rport={source[1]}")
    request.headers.setlist("Via", [";".join([head, *kept]), *request.all("Via")[1:]])
    # The cached ``via`` stays what the peer wrote: it is the key of the transaction.


def response_address(request: Request, source: Hop) -> Hop:
    """Where the responses go (18.2.2): over TCP the connection that the request came by; else to the very source with
    rport, or to its address and the port of the Via."""
    via = request.via
    if is_tcp(source) or "rport" in via.parameters:
        return source
    return (source[0], via.port or DEFAULT_PORT)
