"""The SIP user agent of one UDP port, and of the TCP connections beside it, without the socket and without the clock.

Feed it datagrams and the time; take out datagrams and events::

    agent.receive_datagram(octets, source, now)
    agent.advance(now)                      # when next_timeout() has come
    for octets, destination in agent.datagrams_to_send(): ...
    while (event := agent.next_event()) is not None: ...

``now`` is seconds of any clock that does not jump. Commands raise LocalProtocolError when they make no sense now (and
then nothing was sent); whatever a peer sends, ``receive_datagram`` raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from protocols.errors import LocalProtocolError, RemoteProtocolError

from . import addresses
from .addresses import Target
from .calls import Call
from .core import Hop
from .digest import DigestClient
from .events import (
    Answered,
    Bound,
    Confirmed,
    DigitInfo,
    Ended,
    Event,
    Incoming,
    Malformed,
    Reanswered,
    ReferDone,
    ReferFailed,
    Refused,
    Registered,
    RegistrationFailed,
    Reoffered,
    ReofferRefused,
    Ringing,
    Unbound,
    Unregistered,
)
from .incoming import IncomingCall
from .offers import Offers
from .outgoing import OutgoingCall
from .registrar import Registrar
from .registration import Account, Registration
from .serving import Serving

__all__ = [
    "Account",
    "Answered",
    "Bound",
    "Confirmed",
    "DigitInfo",
    "Ended",
    "Event",
    "Incoming",
    "Malformed",
    "Reanswered",
    "ReferDone",
    "ReferFailed",
    "Refused",
    "Registered",
    "RegistrationFailed",
    "ReofferRefused",
    "Reoffered",
    "Ringing",
    "Unbound",
    "Unregistered",
    "UserAgent",
]


class UserAgent(Serving):
    """All SIP of one socket: transactions, dialogs, calls, registrations.

    ``local_host`` and ``local_port`` stand in Via and Contact: an address that the peers can reach. ``token`` gives a
    new random string of letters and digits at every call. With ``challenge`` it is a registrar, too.
    """

    def __init__(
        self,
        local_host: str,
        local_port: int,
        *,
        user_agent: str = "OCM",
        token: Callable[[], str],
        challenge: Registrar | None = None,
    ) -> None:
        super().__init__(local_host, local_port, user_agent, token, challenge)

    # -- what goes out; what comes in is the business of Serving

    def advance(self, now: float) -> None:
        """Let the timers fire that are due."""
        self._core.alarms.ring(now)

    def next_timeout(self) -> float | None:
        """When ``advance`` is due next, None when nothing is timed."""
        return self._core.alarms.next_at()

    def datagrams_to_send(self) -> list[tuple[bytes, Hop]]:
        """What is to be sent now, in order. A destination may be a name where the owner gave one."""
        waiting, self._core.outbox = self._core.outbox, []
        return waiting

    def next_event(self) -> Event | None:
        return self._core.events.popleft() if self._core.events else None

    def leave(self, now: float) -> None:
        """Hang up every call and take back every registration, as before the end of a process."""
        for call in list(self._book.calls.values()):
            call.hang_up(now)
        for registration in list(self._registrations.values()):
            registration.leave(now)

    @property
    def at_rest(self) -> bool:
        """No call, no BYE that waits for its answer, and no registration."""
        return not (self._book.calls or self._book.dialogs or self._registrations)

    # -- registrations

    def register(self, account: Account, now: float) -> None:
        """Register and stay registered. A registration of the same account is replaced."""
        known = self._registrations.get(account.key)
        if known is not None:
            known.drop()
        self._registrations[account.key] = Registration(self._core, account, now, self._forget)

    def unregister(self, key: str, now: float) -> None:
        """Take a registration back; ``Unregistered`` follows. Nothing happens for an account that has none."""
        if key in self._registrations:
            self._registrations[key].leave(now)

    # -- calls

    def invite(
        self,
        target_uri: str,
        *,
        from_user: str,
        destination: Hop,
        sdp: bytes,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        credentials: Account | None = None,
        identity: str = "",
        session_expires_s: int | None = None,
        now: float,
    ) -> str:
        """Call somebody. Returns the key that names the call; Ringing, then Answered or Refused follow.

        ``from_user`` is who we are, in Contact and in From, unless ``identity`` is the From to show (without a tag).
        ``session_expires_s`` offers a session timer (RFC 4028); 0 says that we keep one, None does not even say that.
        """
        try:
            Target.read(target_uri)
        except RemoteProtocolError as error:
            raise LocalProtocolError(str(error)) from error
        domain = credentials.realm_host if credentials else self._core.host
        display_name = credentials.display_name if credentials else ""
        call = OutgoingCall(
            self._core,
            self._book,
            target_uri=target_uri,
            identity=identity or addresses.address(addresses.sip_uri(from_user, domain), display_name),
            contact=self._core.contact(from_user, destination),
            destination=destination,
            sdp=sdp,
            headers=list(headers.items()) if isinstance(headers, Mapping) else headers,
            digest=self._digest(credentials),
            session_expires_s=session_expires_s,
            now=now,
        )
        return call.key

    def ring(self, call: str, now: float) -> None:
        """180 to an incoming call."""
        self._incoming(call).ring(now)

    def answer(self, call: str, sdp: bytes, now: float) -> None:
        """200 to an incoming call; Confirmed follows, or Ended with ``fault`` when no ACK comes."""
        self._incoming(call).answer(sdp, now)

    def refuse(self, call: str, code: int, now: float) -> None:
        """300 to 699 to an incoming call; Ended follows."""
        self._incoming(call).refuse(code, now)

    def hang_up(self, call: str, now: float) -> None:
        """BYE, CANCEL or a final response, as the state demands; Ended follows: at once, or after a CANCEL when the
        other side has answered it. Harmless when the call is over."""
        if call in self._book.calls:
            self._book.calls[call].hang_up(now)

    def answer_offer(self, call: str, sdp: bytes, now: float) -> None:
        """Answer a Reoffered."""
        self._standing(call).answer(sdp, now)

    def refuse_offer(self, call: str, code: int, now: float) -> None:
        """Refuse a Reoffered (488); the session goes on as it was."""
        self._standing(call).refuse(code, now)

    def reoffer(self, call: str, sdp: bytes, now: float) -> None:
        """A re-INVITE of ours (hold, new address) in a call that stands; Reanswered or ReofferRefused follows."""
        self._call(call).reoffer(sdp, now)

    def refer(self, call: str, target_uri: str, credentials: Account | None, now: float) -> None:
        """REFER the other side of a call that stands to somebody (RFC 3515); ReferDone or ReferFailed follows.
        ``credentials`` answer a challenge where the call was theirs; one of ours keeps its own."""
        try:
            Target.read(target_uri)
        except RemoteProtocolError as error:
            raise LocalProtocolError(str(error)) from error
        self._call(call).refer(target_uri, self._digest(credentials), now)

    # -- inside

    def _digest(self, credentials: Account | None) -> DigestClient | None:
        if credentials is None:
            return None
        return DigestClient(credentials.auth_user or credentials.user, credentials.password, self._core.token)

    def _call(self, key: str) -> Call:
        if key not in self._book.calls:
            raise LocalProtocolError(f"no call {key}, or it is over")
        return self._book.calls[key]

    def _incoming(self, key: str) -> IncomingCall:
        call = self._call(key)
        if not isinstance(call, IncomingCall):
            raise LocalProtocolError(f"the call {key} is ours")
        return call

    def _standing(self, key: str) -> Offers:
        offers = self._call(key).offers
        if offers is None:
            raise LocalProtocolError(f"the call {key} has not been answered")
        return offers

    def _forget(self, registration: Registration) -> None:
        if self._registrations.get(registration.account.key) is registration:
            del self._registrations[registration.account.key]
