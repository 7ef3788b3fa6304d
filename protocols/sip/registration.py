"""One registration of ours (RFC 3261 section 10.2), kept up until it is taken back."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.errors import RemoteProtocolError

from . import addresses, messages
from .addresses import NameAddress
from .asking import Asking
from .core import TCP, Core, Hop
from .digest import DigestClient
from .events import Registered, RegistrationFailed, Unregistered
from .messages import Request, Response

#: Refreshed at half of what was granted: an unanswered REGISTER takes 32 s to fail and there must be time for another.
REFRESH_FRACTION = 0.5
FIRST_RETRY_S = 2.0
LAST_RETRY_S = 60.0
#: Refusals that only a person can mend: asked again slowly, or the switch takes us for a password guesser and bars us.
HOPELESS = frozenset({401, 403, 404, 407, 416, 420})


@dataclass(frozen=True)
class Account:
    """A user at a registrar. ``domain`` stands in the addresses, the registrar's host when None. ``expires_s`` is what
    we ask for. ``name`` tells accounts apart where ``user`` alone would not; ``auth_user`` is who the password is of,
    ``user`` when ""; ``tcp`` is how the registrar is reached."""

    user: str
    password: str = field(repr=False)  # no log may show it
    registrar_host: str
    registrar_port: int = 5060
    domain: str | None = None
    display_name: str = ""
    expires_s: int = 120
    name: str = ""
    auth_user: str = ""
    tcp: bool = False

    @property
    def key(self) -> str:
        """What events name the account by."""
        return self.name or self.user

    @property
    def registrar(self) -> Hop:
        """Where REGISTER goes."""
        host, port = self.registrar_host, self.registrar_port
        return TCP(host, port) if self.tcp else (host, port)

    @property
    def realm_host(self) -> str:
        return self.domain or self.registrar_host


class State(enum.Enum):
    ASKING = "a REGISTER is out"
    BOUND = "registered; the refresh is timed"
    WAITING = "refused or unheard; the next try is timed"
    LEAVING_AFTER = "a REGISTER is out, and an un-REGISTER is to follow"
    LEAVING = "an un-REGISTER is out"
    GONE = "over"


class Registration:
    """``forget`` is called once, when an ``unregister`` is through."""

    def __init__(self, core: Core, account: Account, now: float, forget: Callable[[Registration], None]) -> None:
        self.account = account
        self.state = State.ASKING
        self._core = core
        self._forget = forget
        self._digest = DigestClient(account.auth_user or account.user, account.password, core.token)
        self._call_id = f"{core.token()}@{core.host}"
        self._tag = core.token()
        self._seq = 0
        self._expires_s = account.expires_s
        self._failures = 0
        self._told = False
        self._asking = self._ask(now)

    def leave(self, now: float) -> None:
        """Take the binding back; ``Unregistered`` follows. Harmless when that is under way."""
        if self.state is State.ASKING:
            self.state = State.LEAVING_AFTER
        elif self.state is State.BOUND:
            self._core.alarms.cancel(self, "next")
            self.state = State.LEAVING
            self._asking = self._ask(now)
        elif self.state is State.WAITING:
            # An earlier binding may still stand, but its registrar does not listen or does not want us.
            self._over()

    def connection_lost(self, now: float) -> None:
        """The registrar may have bound us to the connection that is gone: register by a new one."""
        if self.state is State.BOUND:
            self._core.alarms.set(self, "next", now + FIRST_RETRY_S)

    def drop(self) -> None:
        """Stop without a word: another registration of the same user takes over."""
        self._core.alarms.cancel(self, "next")
        self._asking.willing = False
        self.state = State.GONE

    def alarm(self, name: str, now: float) -> None:
        if self.state in (State.BOUND, State.WAITING):
            self.state = State.ASKING
            self._asking = self._ask(now)

    def _ask(self, now: float) -> Asking:
        return Asking(self._core, self._make, self._digest, now, self._heard, self._timed_out, self._lost)

    def _make(self) -> tuple[Request, Hop]:
        self._seq += 1
        account, core = self.account, self._core
        ourselves = addresses.sip_uri(account.user, account.realm_host)
        expires_s = 0 if self.state is State.LEAVING else self._expires_s
        pairs = [
            ("Max-Forwards", "70"),
            ("From", addresses.address(ourselves, account.display_name, self._tag)),
            ("To", addresses.address(ourselves, account.display_name)),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._seq} REGISTER"),
            ("Contact", core.contact(account.user, account.registrar)),
            ("Expires", str(expires_s)),
            ("User-Agent", core.product),
        ]
        uri = addresses.sip_uri("", account.realm_host)
        return Request("REGISTER", uri, messages.make_headers(pairs)), account.registrar

    def _heard(self, response: Response, now: float) -> None:
        if response.code < 200 or self.state is State.GONE:
            return
        if self.state is State.LEAVING:
            self._over()
        elif 200 <= response.code < 300:
            self._bound(response, now)
        elif response.code == 423 and (least_s := response.number("Min-Expires") or 0) > self._expires_s:
            self._expires_s = least_s
            if self.state is State.LEAVING_AFTER:
                self._over()
            else:
                self._asking = self._ask(now)
        else:
            self._failed(response.code, response.phrase, response.number("Retry-After"), now)

    def _timed_out(self, now: float) -> None:
        self._unheard(408, "no answer from the registrar", now)

    def _lost(self, reason: str, unsent: bool, now: float) -> None:
        self._unheard(503, reason, now)

    def _unheard(self, code: int, reason: str, now: float) -> None:
        if self.state is State.LEAVING:
            self._over()
        elif self.state is not State.GONE:
            self._failed(code, reason, None, now)

    def _bound(self, response: Response, now: float) -> None:
        self._failures = 0
        if self.state is State.LEAVING_AFTER:
            self.state = State.LEAVING
            self._asking = self._ask(now)
            return
        granted_s = self._granted_s(response)
        self.state = State.BOUND
        self._core.alarms.set(self, "next", now + max(1.0, granted_s * REFRESH_FRACTION))
        if not self._told:
            self._told = True
            self._core.emit(Registered(self.account.key, granted_s))

    def _granted_s(self, response: Response) -> int:
        """10.2.4: ``expires`` of our own Contact, else the Expires header, else what we asked for."""
        ours = addresses.sip_uri(self.account.user, self._core.host, self._core.port)
        contacts = response.all("Contact")
        for text in contacts:
            try:
                contact = NameAddress.read(text)
            except RemoteProtocolError:
                continue  # somebody else's binding, or a list that is not worth losing a registration over
            value = contact.parameters.get("expires") or ""
            # A single binding is ours, however the registrar writes our address.
            if (len(contacts) == 1 or contact.uri.partition(";")[0] == ours) and re.match(r"\d{1,9}\Z", value):
                return int(value)
        expires_s = response.number("Expires")
        return self._expires_s if expires_s is None else expires_s

    def _failed(self, code: int, reason: str, retry_after_s: int | None, now: float) -> None:
        if self.state is State.LEAVING_AFTER:
            self._over()
            return
        self.state = State.WAITING
        self._told = False
        delay_s = LAST_RETRY_S if code in HOPELESS else min(FIRST_RETRY_S * 2**self._failures, LAST_RETRY_S)
        self._failures = min(self._failures + 1, 10)
        self._core.alarms.set(self, "next", now + max(delay_s, min(retry_after_s or 0, 3600)))
        self._core.emit(RegistrationFailed(self.account.key, code, reason))

    def _over(self) -> None:
        self.drop()
        self._core.emit(Unregistered(self.account.key))
        self._forget(self)
