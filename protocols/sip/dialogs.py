"""Dialogs (RFC 3261 section 12): identifiers, sequence numbers, route set, and requests made from them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocols.errors import RemoteProtocolError

from . import messages
from .addresses import DEFAULT_PORT, NameAddress, Target
from .core import TCP, Hop, is_tcp
from .messages import Request, Response

DialogId = tuple[str, str, str]  # Call-ID, our tag, their tag


@dataclass
class Dialog:
    """One dialog. Addresses, routes and the target are kept as the texts that the peer wrote.

    ``remote_seq`` is None until the peer has sent a request in it. ``reached_by`` is where its messages came from: the
    way out when the target is a name and not an address, and its transport unless the target names another.
    """

    call_id: str
    local: str
    remote: str
    local_tag: str
    remote_tag: str
    local_seq: int
    remote_seq: int | None
    routes: tuple[str, ...]
    target: str
    reached_by: Hop

    @classmethod
    def of_response(cls, request: Request, response: Response, reached_by: Hop) -> Dialog:
        """The caller's side (12.1.2): routes in reverse; the target is the Contact of the response."""
        return cls(
            call_id=request.call_id,
            local=request.from_address.text,
            remote=response.to_address.text,
            local_tag=request.from_address.tag,
            remote_tag=response.to_address.tag,
            local_seq=request.cseq.sequence,
            remote_seq=None,
            routes=tuple(reversed(response.all("Record-Route"))),
            target=_target_of(response) or request.uri,
            reached_by=reached_by,
        )

    @classmethod
    def of_request(cls, request: Request, local_tag: str, reached_by: Hop) -> Dialog:
        """The callee's side (12.1.1). RemoteProtocolError when the Contact is missing or none."""
        target = _target_of(request)
        if target is None:
            raise RemoteProtocolError(f"{request.method} without a Contact (8.1.1.8)")
        return cls(
            call_id=request.call_id,
            local=f"{request.to_address.text};tag={local_tag}",
            remote=request.from_address.text,
            local_tag=local_tag,
            remote_tag=request.from_address.tag,
            local_seq=0,
            remote_seq=request.cseq.sequence,
            routes=tuple(request.all("Record-Route")),
            target=target,
            reached_by=reached_by,
        )

    @property
    def id(self) -> DialogId:
        return (self.call_id, self.local_tag, self.remote_tag)

    def request(self, method: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", seq: int = 0) -> Request:
        """A request inside the dialog (12.2.1.1), without its Via. ``seq`` 0 takes the next number; ACK repeats the
        number of its INVITE."""
        if not seq:
            self.local_seq += 1
            seq = self.local_seq
        uri, routes = self._way()
        pairs = [("Max-Forwards", "70"), ("From", self.local), ("To", self.remote), ("Call-ID", self.call_id)]
        pairs += [("CSeq", f"{seq} {method}"), *(("Route", route) for route in routes), *headers]
        return Request(method, uri, messages.make_headers(pairs), body)

    def ack(
        self, seq: int, new_via: Callable[[Hop], str], headers: Iterable[tuple[str, str]] = ()
    ) -> tuple[bytes, Hop]:
        """The ACK for a 2xx to the INVITE numbered ``seq`` (13.2.2.4): a transaction of its own, sent anew for every
        2xx that comes, and where to."""
        hop = self.next_hop()
        return messages.with_via(self.request("ACK", headers, seq=seq), new_via(hop)).octets(), hop

    def next_hop(self) -> Hop:
        """Where its requests go: the first route, else the target; where that is a name, where messages came from."""
        uri, routes = self._way()
        first = Target.read(NameAddress.read(routes[0]).uri if routes and self._loose(routes[0]) else uri)
        host = first.host.strip("[]")
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return self.reached_by
        port = first.port or DEFAULT_PORT
        transport = (first.parameters.get("transport") or ("tcp" if is_tcp(self.reached_by) else "udp")).lower()
        return TCP(host, port) if transport == "tcp" else (host, port)

    def follows(self, request: Request) -> bool:
        """Note the sequence number of a request from the peer; False when it is not higher than the last (12.2.2)."""
        if self.remote_seq is not None and request.cseq.sequence <= self.remote_seq:
            return False
        self.remote_seq = request.cseq.sequence
        return True

    def retarget(self, message: Request | Response) -> None:
        """A Contact in a re-INVITE, an UPDATE or its 2xx moves the target (12.2.1.2, 12.2.2)."""
        self.target = _target_of(message) or self.target

    def _way(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route headers. A first route without ``lr`` is a strict router (12.2.1.1): it gets itself as
        the Request-URI, and the target at the end of the routes."""
        if not self.routes or self._loose(self.routes[0]):
            return self.target, self.routes
        return NameAddress.read(self.routes[0]).uri, (*self.routes[1:], f"<{self.target}>")

    @staticmethod
    def _loose(route: str) -> bool:
        return "lr" in Target.read(NameAddress.read(route).uri).parameters


def _target_of(message: Request | Response) -> str | None:
    """URI of the Contact when it is one that we can send to. The routes are read here too, so that a bad one fails
    while the message is judged and not when we want to hang up."""
    for route in message.all("Record-Route"):
        Target.read(NameAddress.read(route).uri)
    uri = message.contact_uri
    return None if uri is None else Target.read(uri).text
