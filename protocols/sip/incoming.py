"""A call to us: from the INVITE to its answer (RFC 3261 section 13.3)."""

from __future__ import annotations

from protocols.errors import LocalProtocolError

from .addresses import Target
from .calls import Book, Call, Stage, record_route
from .core import ALLOWED, Core
from .dialogs import Dialog
from .events import Confirmed, HeaderView, Incoming
from .messages import Request
from .reasons import reason_of
from .server_transaction import ServerTransaction
from .until_ack import UntilAck

#: Extensions that a caller may require. 100rel: we send no provisional response but 100 then, which is all it asks.
UNDERSTOOD = frozenset({"100rel", "timer"})


class IncomingCall(Call):
    """``Incoming`` is told by the constructor. RemoteProtocolError when the INVITE cannot make a dialog."""

    def __init__(self, core: Core, book: Book, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        dialog = Dialog.of_request(request, transaction.tag, transaction.source)
        user = Target.read(request.uri).user
        super().__init__(core, book, core.token(), core.contact(user, transaction.source), None, Stage.RINGING)
        self._invite = transaction
        self._until_ack: UntilAck | None = None
        self._bye_wanted = False
        self.enter_dialog(dialog)
        transaction.on_cancel = self._cancelled
        transaction.respond(100, now)
        caller = request.from_address
        core.emit(
            Incoming(
                self.key, caller.uri, user, request.sdp, HeaderView(request.headers), caller.display_name,
                transaction.source,
            )
        )  # fmt: skip

    def ring(self, now: float) -> None:
        """180. LocalProtocolError when the call has been answered."""
        self._must_ring("ring")
        if "100rel" not in {option.lower() for option in self._invite.request.all("Require")}:
            self._invite.respond(180, now, headers=[("Contact", self.contact), *record_route(self._invite.request)])

    def answer(self, sdp: bytes, now: float) -> None:
        """200, repeated until its ACK comes. LocalProtocolError when the call has been answered."""
        self._must_ring("answer")
        request = self._invite.request
        headers = [("Contact", self.contact), ("Allow", ", ".join(ALLOWED)), ("Supported", "timer")]
        headers += record_route(request)
        if self.offers is not None:
            self.offers.begin(request, sdp)
            headers += self.offers.timer.offered(request, now)
        if sdp:
            headers.append(("Content-Type", "application/sdp"))
        self._invite.respond(200, now, headers=headers, body=sdp)
        self.stage = Stage.ANSWERED
        self._until_ack = UntilAck(self.core, self._invite, now, self._confirmed, self._unconfirmed)
        if self.offers is not None and sdp and not request.sdp:
            self.offers.await_answer(self._until_ack)

    def refuse(self, code: int, now: float) -> None:
        """A final response of 300 to 699; ``Ended`` is told."""
        self._must_ring("refuse")
        if not 300 <= code < 700:
            raise LocalProtocolError(f"{code} is no refusal")
        self._invite.respond(code, now)
        self.end(False, f"refused with {code}", now)
        self.leave_dialog()

    def hang_up(self, now: float) -> None:
        if self.stage is Stage.RINGING:
            self.refuse(480, now)
        elif self.stage is Stage.ANSWERED:
            # 15: the callee must not send BYE before the ACK has come, or will come no more.
            self._bye_wanted = True
            self.end(False, "hung up", now)
        elif self.stage is Stage.STANDING:
            self.end(False, "hung up", now)
            self.bye(now)

    def acknowledged(self, ack: Request, now: float) -> None:
        # Both look at the number of the INVITE: a re-INVITE may overtake the ACK for the first one.
        if self._until_ack is not None:
            self._until_ack.acknowledged(ack, now)
        super().acknowledged(ack, now)

    def closed_by_them(self, request: Request, now: float) -> None:
        if not self._invite.answered:
            self._invite.respond(487, now)  # 15.1.2: BYE in an early dialog
        if self._until_ack is not None:
            self._until_ack.close()
        super().closed_by_them(request, now)

    def break_off(self, reason: str, now: float) -> None:
        if self.stage is Stage.RINGING:
            # No BYE before the answer: it would leave the caller, and the transaction of his INVITE, waiting for ever.
            self._invite.respond(500, now)
            self.end(False, reason, now, fault=True)
            self.leave_dialog()
        else:
            super().break_off(reason, now)

    def _must_ring(self, wish: str) -> None:
        if self.stage is not Stage.RINGING:
            raise LocalProtocolError(f"cannot {wish}: {self.stage.value}")

    def _cancelled(self, cancel: Request, now: float) -> None:
        if self.stage is Stage.RINGING:
            self._invite.respond(487, now)
            self.end(True, reason_of(cancel, "cancelled"), now, said=cancel)
            self.leave_dialog()

    def _confirmed(self, ack: Request, now: float) -> None:
        if self._bye_wanted:
            self.bye(now)
        elif self.stage is Stage.ANSWERED:
            self.stage = Stage.STANDING
            self.core.emit(Confirmed(self.key, ack.sdp))

    def _unconfirmed(self, now: float) -> None:
        if self._bye_wanted:
            self.bye(now)
        else:
            self.break_off("no ACK for our answer", now)
