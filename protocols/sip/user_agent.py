"""The SIP user agent of one UDP socket, without the socket and without the clock.

Feed it datagrams and the time; take out datagrams and events::

    agent.receive_datagram(octets, source, now)
    agent.advance(now)                      # when next_timeout() has come
    for octets, destination in agent.datagrams_to_send(): ...
    while (event := agent.next_event()) is not None: ...

``now`` is seconds of any clock that does not jump. Commands raise LocalProtocolError when they make no sense now (and
then nothing was sent); whatever a peer sends, ``receive_datagram`` raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protocols.errors import LocalProtocolError, RemoteProtocolError

from . import addresses, messages
from .addresses import Target
from .calls import Book, Call, respond_outside
from .core import Core, Hop
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
from .incoming import UNDERSTOOD, IncomingCall
from .messages import BadRequest, Request, Response
from .offers import Offers
from .outgoing import OutgoingCall
from .registrar import Registrar
from .registration import Account, Registration
from .server_transaction import ServerTransaction, key_of, note_source, response_address

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


class UserAgent:
    """All SIP of one UDP socket: transactions, dialogs, calls, registrations.

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
        self._core = Core(local_host, local_port, user_agent, token)
        self._book = Book()
        self._registrar = challenge
        self._registrations: dict[str, Registration] = {}
        if challenge is not None:
            challenge.attach(self._core)

    # -- what comes in, what goes out

    def receive_datagram(self, octets: bytes, source: Hop, now: float) -> None:
        if not octets.strip(b"\r\n\0 "):
            return  # a keep-alive (RFC 5626 section 3.5.1)
        try:
            message = messages.read(octets)
            if isinstance(message, Response):
                self._receive_response(message, now)
            else:
                self._receive_request(message, source, now)
        except BadRequest as error:
            self._refuse_malformed(error, source)
        except RemoteProtocolError as error:
            self._core.emit(Malformed(source, str(error)))

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
        """Register and stay registered. A registration of the same user is replaced."""
        known = self._registrations.get(account.user)
        if known is not None:
            known.drop()
        self._registrations[account.user] = Registration(self._core, account, now, self._forget)

    def unregister(self, user: str, now: float) -> None:
        """Take a registration back; ``Unregistered`` follows. Nothing happens for a user who has none."""
        if user in self._registrations:
            self._registrations[user].leave(now)

    # -- calls

    def invite(
        self,
        target_uri: str,
        *,
        from_user: str,
        destination: Hop,
        sdp: bytes,
        headers: Mapping[str, str] | None = None,
        credentials: Account | None = None,
        now: float,
    ) -> str:
        """Call somebody. Returns the key that names the call; Ringing, then Answered or Refused follow."""
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
            identity=addresses.address(addresses.sip_uri(from_user, domain), display_name),
            contact=self._core.contact(from_user),
            destination=destination,
            sdp=sdp,
            headers=headers or {},
            digest=self._digest(credentials),
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
        return DigestClient(credentials.user, credentials.password, self._core.token)

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
        if self._registrations.get(registration.account.user) is registration:
            del self._registrations[registration.account.user]

    def _receive_response(self, response: Response, now: float) -> None:
        if len(response.all("Via")) != 1:
            return  # 8.1.3.3: not for us
        transaction = self._core.clients.get((response.via.branch, response.cseq.method))
        if transaction is not None:
            transaction.receive(response, now)

    def _receive_request(self, request: Request, source: Hop, now: float) -> None:
        transaction = self._core.servers.get(key_of(request))
        if transaction is not None and request.method != "CANCEL":
            transaction.receive(request, now)
            return
        note_source(request, source)
        if request.method == "ACK":
            call = self._dialog_of(request)
            if call is not None:
                call.acknowledged(request, now)
            return
        if transaction is not None:
            transaction.receive(request, now)  # a CANCEL again
            return
        transaction = ServerTransaction(self._core, request, source, now)
        try:
            self._serve(transaction, now)
        except RemoteProtocolError as error:
            self._core.emit(Malformed(source, str(error)))
            if not transaction.answered:
                transaction.respond(400, now)

    def _dialog_of(self, request: Request) -> Call | None:
        return self._book.dialogs.get((request.call_id, request.to_address.tag, request.from_address.tag))

    def _serve(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if request.method == "CANCEL":
            self._cancel(transaction, now)
        elif request.to_address.tag:
            call = self._dialog_of(request)
            if call is None:
                transaction.respond(481, now)
            else:
                call.receive(transaction, now)
        elif request.method == "INVITE":
            self._invited(transaction, now)
        elif request.method == "REGISTER" and self._registrar is not None:
            self._registrar.register(transaction, now)
        elif request.method in ("BYE", "INFO", "UPDATE", "PRACK"):
            transaction.respond(481, now)
        else:
            respond_outside(transaction, now)

    def _cancel(self, transaction: ServerTransaction, now: float) -> None:
        """9.2: CANCEL is answered with 200 when its INVITE is known, and does nothing once that is answered."""
        request = transaction.request
        invite = self._core.servers.get(key_of(request, "INVITE"))
        if invite is None:
            transaction.respond(481, now)
            return
        transaction.tag = invite.tag
        transaction.respond(200, now)
        if invite.on_cancel is not None:
            invite.on_cancel(request, now)

    def _invited(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        strange = [option for option in request.all("Require") if option.lower() not in UNDERSTOOD]
        scheme = Target.read(request.uri).scheme
        if strange:
            transaction.respond(420, now, headers=[("Unsupported", ", ".join(strange))])
        elif scheme not in ("sip", "tel"):
            transaction.respond(416, now)
        elif request.body and not request.sdp:
            transaction.respond(415, now, headers=[("Accept", "application/sdp")])
        elif self._core.invites[transaction.copy_key] is not transaction:
            # 8.2.2.2: the same INVITE by another way
            transaction.respond(482, now)
        else:
            IncomingCall(self._core, self._book, transaction, now)

    def _refuse_malformed(self, error: BadRequest, source: Hop) -> None:
        """Answer without a transaction: a message that cannot be trusted must not occupy memory (8.2.7)."""
        request = error.request
        self._core.emit(Malformed(source, str(error)))
        if request.method != "ACK":
            destination = response_address(request, source)
            note_source(request, source)
            response = messages.response_to(request, error.code, tag=self._core.token())
            self._core.send(response.octets(), destination)
