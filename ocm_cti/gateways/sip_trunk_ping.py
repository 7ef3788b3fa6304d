"""OPTIONS to the operator (RFC 3261 section 11), to see that he is there: where we don't register nothing else tells.

Any answer will do, a refusal too. It goes by UDP from a port of its own, for the voice process has better things to do;
an operator who knows us by our address knows it from there as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from protocols.errors import ProtocolError
from protocols.sip import addresses, messages

#: Sent again after so long without an answer (RFC 3261, T1), doubled each time.
T1_S: Final = 0.5


class Ping(DatagramProtocol):
    """``told(True)`` at the first answer and whenever there is one again, ``told(False)`` when there is none.

    ``listen`` and ``resolve`` are those of the reactor.
    """

    noisy = False

    def __init__(self, settings: SipTrunkSettings, host: str, reactor: Any, told: Callable[[bool, str], None]) -> None:
        self._settings = settings
        self._host = host
        self._reactor = reactor
        self._told = told
        self._log = Logger()
        self._port: Any = None
        self._timers: dict[str, Any] = {}
        self._token = ""
        self._sequence = 0
        self._alive: bool | None = None

    def start(self) -> None:
        try:
            self._port = self._reactor.listenUDP(0, self, interface=self._host)
        except CannotListenError as error:
            self._log.warn("{gateway}: no OPTIONS: {error}", gateway=self._settings.name, error=error)
            return
        self._ask()

    def stop(self) -> Deferred[Any]:
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        self._token = ""
        port, self._port = self._port, None
        closing = port.stopListening() if port is not None else None
        return closing if isinstance(closing, Deferred) else succeed(None)

    def _ask(self) -> None:
        self._token = secrets.token_hex(8)
        self._sequence += 1
        self._later("next", self._settings.options_ping_s, self._ask)
        self._later("late", min(self._settings.options_wait_s, self._settings.options_ping_s), self._unanswered)
        name = self._settings.next_hop[0]
        resolving: Deferred[str] = self._reactor.resolve(name)
        resolving.addCallbacks(self._send, self._unresolved, (self._token, T1_S))

    def _send(self, address: str, token: str, again_s: float) -> None:
        if self._port is None or token != self._token:
            return
        here = self._port.getHost()
        try:
            self._port.write(self._request(token, here.host, here.port), (address, self._settings.next_hop[1]))
        except OSError as error:
            self._log.debug("{gateway}: OPTIONS: {error}", gateway=self._settings.name, error=error)
        self._later("again", again_s, lambda: self._send(address, token, 2 * again_s))

    def _request(self, token: str, host: str, port: int) -> bytes:
        account = self._settings.accounts[0]
        domain = account.domain or self._settings.host
        pairs = [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token};rport"),
            ("Max-Forwards", "70"),
            ("From", addresses.address(addresses.sip_uri(account.user, domain), "", token)),
            ("To", addresses.address(addresses.sip_uri("", domain))),
            ("Call-ID", f"{token}@{host}"),
            ("CSeq", f"{self._sequence} OPTIONS"),
            ("Contact", addresses.address(addresses.sip_uri(account.user, host, port))),
            ("Accept", "application/sdp"),
        ]
        return messages.Request("OPTIONS", addresses.sip_uri("", domain), messages.make_headers(pairs)).octets()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        try:
            message = messages.read(datagram)
        except ProtocolError:
            return
        called = message.headers.get("Call-ID") or ""
        if isinstance(message, messages.Response) and self._token and called.startswith(self._token):
            self._token = ""
            for name in ("late", "again"):
                self._cancel(name)
            self._be(True, "")

    def _unanswered(self) -> None:
        self._cancel("again")
        self._token = ""
        host, port = self._settings.next_hop
        self._be(False, f"{host}:{port} does not answer OPTIONS")

    def _unresolved(self, failure: Failure) -> None:
        self._be(False, f"{self._settings.next_hop[0]} has no address: {failure.getErrorMessage()}")

    def _be(self, alive: bool, why: str) -> None:
        if alive is not self._alive:
            self._alive = alive
            self._told(alive, why)

    def _later(self, name: str, after_s: float, what: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._reactor.callLater(after_s, what)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()
