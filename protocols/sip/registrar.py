"""The registrar's side (RFC 3261 section 10.3), for a simulated switch: one binding per user, digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protocols.errors import RemoteProtocolError

from . import addresses
from .addresses import NameAddress, Target
from .core import Core
from .digest import DigestServer
from .events import Bound, Unbound
from .messages import Request
from .server_transaction import ServerTransaction


class Binding(NamedTuple):
    """Where a user is: ``host`` and ``port`` that his REGISTER came from (right behind a NAT too); his Contact URI."""

    host: str
    port: int
    contact: str


class Registrar:
    """``users`` maps a user to his password and may be changed at any time. ``bindings`` is for reading.

    ``least_s`` to ``most_s`` is what is granted: less is refused with 423, more is cut. ``algorithms`` are offered in
    this order; SIPp and old telephones give up when the first is not MD5.
    """

    def __init__(
        self,
        realm: str,
        users: Mapping[str, str],
        *,
        least_s: int = 10,
        most_s: int = 3600,
        default_s: int = 3600,
        algorithms: Sequence[str] = ("SHA-256", "MD5"),
    ) -> None:
        self.realm = realm
        self.users = users
        self.bindings: dict[str, Binding] = {}
        self._least_s = least_s
        self._most_s = most_s
        self._default_s = default_s
        self._algorithms = algorithms
        self._core: Core | None = None
        self._digest: DigestServer | None = None
        self._clocks: dict[str, _Expiry] = {}
        self._last: dict[str, tuple[str, int]] = {}  # user -> (Call-ID, CSeq) of his last REGISTER

    def attach(self, core: Core) -> None:
        """Done by the user agent that it is given to."""
        self._core = core
        self._digest = DigestServer(self.realm, core.token, self._algorithms)

    def register(self, transaction: ServerTransaction, now: float) -> None:
        """Answer a REGISTER."""
        core, digest = self._core, self._digest
        if core is None or digest is None:
            raise RuntimeError("a Registrar works inside a UserAgent: pass it as challenge=")
        request = transaction.request
        verdict = digest.verify(request, "REGISTER", self.users.get, now)
        user = Target.read(request.to_address.uri).user
        if verdict.user is None:
            if verdict.offered and not verdict.stale:
                transaction.respond(403, now)
            else:
                transaction.respond(401, now, headers=digest.challenge(now, verdict.stale))
        elif verdict.user != user:
            transaction.respond(403, now)
        elif self._old(user, request):
            transaction.respond(500, now, phrase="Out of order")
        else:
            self._bind(core, user, transaction, now)

    def _old(self, user: str, request: Request) -> bool:
        """10.3 step 7: a REGISTER overtaken on the way must not undo its successor."""
        last = self._last.get(user)
        self._last[user] = (request.call_id, request.cseq.sequence)
        if last is not None and last[0] == request.call_id and request.cseq.sequence < last[1]:
            self._last[user] = last
            return True
        return False

    def _bind(self, core: Core, user: str, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        contacts = request.all("Contact")
        expires_s = request.number("Expires")
        if contacts == ["*"]:
            if expires_s != 0:
                transaction.respond(400, now)
                return
            self._unbind(core, user)
        elif contacts:
            contact = NameAddress.read(contacts[0])
            own = contact.parameters.get("expires") or ""
            if own.isascii() and own.isdigit():
                expires_s = int(own[:9])
            expires_s = self._default_s if expires_s is None else expires_s
            if expires_s == 0:
                self._unbind(core, user)
            elif expires_s < self._least_s:
                transaction.respond(423, now, headers=[("Min-Expires", str(self._least_s))])
                return
            else:
                try:
                    Target.read(contact.uri)
                except RemoteProtocolError:
                    transaction.respond(400, now)
                    return
                self._rebind(core, user, Binding(*transaction.source, contact.uri), min(expires_s, self._most_s), now)
        transaction.respond(200, now, headers=self._contacts(user, now))

    def _rebind(self, core: Core, user: str, binding: Binding, expires_s: int, now: float) -> None:
        known = self.bindings.get(user)
        self.bindings[user] = binding
        expiry = self._clocks.setdefault(user, _Expiry(self, core, user))
        expiry.at = now + expires_s
        core.alarms.set(expiry, "expiry", expiry.at)
        if known != binding:
            core.emit(Bound(user, binding.contact))

    def _unbind(self, core: Core, user: str) -> None:
        expiry = self._clocks.pop(user, None)
        if expiry is not None:
            core.alarms.cancel(expiry, "expiry")
        if self.bindings.pop(user, None) is not None:
            core.emit(Unbound(user))

    def _contacts(self, user: str, now: float) -> list[tuple[str, str]]:
        binding = self.bindings.get(user)
        if binding is None:
            return []
        return [("Contact", f"{addresses.address(binding.contact)};expires={round(self._clocks[user].at - now)}")]


class _Expiry:
    """The alarm of one binding."""

    def __init__(self, registrar: Registrar, core: Core, user: str) -> None:
        self.at = 0.0
        self._registrar = registrar
        self._core = core
        self._user = user

    def alarm(self, name: str, now: float) -> None:
        self._registrar._unbind(self._core, self._user)
