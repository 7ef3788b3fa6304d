"""POSTs to addresses that strangers may have named: only to where it is allowed, once, and for a short time.

The address that was looked at is the one that is connected to: a name that points elsewhere a moment later changes
nothing. Redirects are not followed, an answer is read as far as its status, and nothing lasts longer than ``WITHIN_S``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from io import BytesIO
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer  # type: ignore[import-untyped]

from ocm_cti.domain.webhooks import UnusableUrl, target, why_not
from ocm_cti.webhooks import NotSent

#: Name, connection, TLS and answer together.
WITHIN_S = 15.0

Resolve = Callable[[str, int], Deferred[Sequence[str]]]


class _Unread(Protocol):
    """The answer, which may have no end."""

    def connectionMade(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()  # type: ignore[misc]


@implementer(IAgentEndpointFactory)
class _Pinned:
    """Connects to one IP address, whatever the URI; TLS is for the name."""

    def __init__(self, reactor: Any, address: str, host: str, tcp_port: int, *, secure: bool) -> None:
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        endpoint: Any = kind(reactor, address, tcp_port, timeout=WITHIN_S)
        self._endpoint = wrapClientTLS(optionsForClientTLS(host), endpoint) if secure else endpoint

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:
        return self._endpoint


class GuardedPost:
    """``webhooks.Post``. ``allowed``: networks that may be sent to though they are not public."""

    def __init__(
        self,
        reactor: Any,
        allowed: Collection[IPv4Network | IPv6Network] = (),
        resolve: Resolve | None = None,
    ) -> None:
        self._reactor = reactor
        self._allowed = tuple(allowed)
        self._resolve = resolve or self._ask_system

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, /) -> Deferred[int]:
        """Fires with the status; fails with NotSent."""
        sending: Deferred[int] = self._send(url, headers, body)
        late = []

        def expire() -> None:
            late.append(True)
            sending.cancel()

        timer = self._reactor.callLater(WITHIN_S, expire)

        def over(result: Any) -> Any:
            if timer.active():
                timer.cancel()
            if late and isinstance(result, Failure):
                raise NotSent(f"no answer within {WITHIN_S:g} s")
            return result

        return sending.addBoth(over).addErrback(_told)

    @inlineCallbacks
    def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Any:
        to = target(url)
        addresses = yield self._resolve(to.host, to.tcp_port)
        if not addresses:
            raise NotSent(f"{to.host} has no address")
        for address in addresses:  # all of them: of a name with two, the second would be tried one day
            if refused := why_not(address, self._allowed):
                raise NotSent(f"{to.host}: {refused}")
        sent = Headers({name: [value] for name, value in headers.items()})
        for place, address in enumerate(addresses, 1):
            pinned = _Pinned(self._reactor, address, to.host, to.tcp_port, secure=to.secure)
            agent = Agent.usingEndpointFactory(self._reactor, pinned)  # type: ignore[no-untyped-call]
            producer = FileBodyProducer(BytesIO(body))  # type: ignore[no-untyped-call]
            try:
                response = yield agent.request(b"POST", url.encode("ascii"), sent, producer)
            except ConnectError:
                if place == len(addresses):
                    raise
                continue  # a machine without IPv6, as a rule
            response.deliverBody(_Unread())
            return response.code

    def _ask_system(self, host: str, tcp_port: int) -> Deferred[Sequence[str]]:
        def ask() -> list[str]:
            try:
                found = socket.getaddrinfo(host, tcp_port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            except (socket.gaierror, UnicodeError):
                return []
            return list(dict.fromkeys(str(one[4][0]) for one in found))

        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), ask)


def _told(failure: Failure) -> Any:
    """Every way in which it may fail, in words."""
    error = failure.value
    if isinstance(error, UnusableUrl):
        raise NotSent(str(error))
    reasons = getattr(error, "reasons", None)  # Twisted's own: each is a Failure
    if reasons:
        raise NotSent(f"the connection broke: {'; '.join(reason.getErrorMessage() for reason in reasons)[:200]}")
    if isinstance(error, ConnectError | ConnectionClosed | OSError):
        raise NotSent(f"no connection: {str(error)[:200]}")
    return failure
