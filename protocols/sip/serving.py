"""What a user agent does with the messages that come in: which transaction, dialog, call they belong to."""

from __future__ import annotations

from collections.abc import Callable

from protocols.errors import RemoteProtocolError

from . import messages
from .addresses import Target
from .calls import Book, Call, respond_outside
from .core import Core, Hop, same_hop
from .events import Malformed
from .incoming import UNDERSTOOD, IncomingCall
from .messages import BadRequest, Request, Response
from .registrar import Registrar
from .registration import Registration
from .server_transaction import ServerTransaction, key_of, note_source, response_address


class Serving:
    """The receiving half of ``UserAgent``. Whatever a peer sends, nothing is raised."""

    def __init__(
        self, host: str, port: int, product: str, token: Callable[[], str], registrar: Registrar | None
    ) -> None:
        self._core = Core(host, port, product, token)
        self._book = Book()
        self._registrar = registrar
        self._registrations: dict[str, Registration] = {}
        if registrar is not None:
            registrar.attach(self._core)

    def receive_datagram(self, octets: bytes, source: Hop, now: float) -> None:
        """A whole message. ``source`` is ``core.TCP`` for one that came by a connection."""
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

    def undelivered(self, octets: bytes, reason: str, now: float) -> None:
        """These octets of ours could not be sent: no connection, no address for a name, no way there."""
        for transaction in list(self._core.clients.values()):
            transaction.undelivered(octets, reason, now)

    def connection_lost(self, hop: Hop, reason: str, now: float) -> None:
        """A connection that had carried messages to ``hop`` is gone. What waits for an answer by it fails; what stands
        goes on by a new one."""
        for transaction in list(self._core.clients.values()):
            if same_hop(transaction.destination, hop):
                transaction.connection_lost(reason, now)
        for registration in list(self._registrations.values()):
            if same_hop(registration.account.registrar, hop):
                registration.connection_lost(now)

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
