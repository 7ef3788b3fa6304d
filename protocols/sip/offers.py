"""Offers inside a standing call: re-INVITE (RFC 3261 section 14) and UPDATE (RFC 3311), theirs and ours. They refresh
the session timer."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

from protocols.errors import LocalProtocolError, RemoteProtocolError

from .asking import Asking
from .core import ALLOWED, Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .events import Confirmed, Reanswered, Reoffered, ReofferRefused
from .messages import Message, Request, Response
from .server_transaction import ServerTransaction
from .session_timer import DIALOG_GONE, SessionTimer
from .transactions import T1_S
from .until_ack import UntilAck


class Offers:
    """The offers of one dialog, none before ``begin``. ``broken`` is told why the call cannot go on."""

    def __init__(
        self,
        core: Core,
        call: str,
        dialog: Dialog,
        contact: str,
        digest: DigestClient | None,
        broken: Callable[[str, float], None],
    ) -> None:
        self._core = core
        self._call = call
        self._dialog = dialog
        self._contact = contact
        self._digest = digest
        self._broken = broken
        self._theirs: ServerTransaction | None = None  # their offer, to be answered by us
        self._unconfirmed: UntilAck | None = None  # our 200, to be acknowledged
        self._ours: Asking | None = None  # our offer, to be answered by them
        self._acks: dict[int, tuple[bytes, Hop]] = {}
        self._begun = False
        self._refreshing = False  # our offer is the session as it is
        self._session = b""  # our last description of it that stands
        self._offered = b""
        self.timer = SessionTimer(core, dialog, contact, digest, self._refresh, broken)
        self._first: UntilAck | None = None  # our 200 to the first INVITE, where it carries our offer
        self._closed = False

    def begin(self, message: Message, session: bytes) -> None:
        """The first INVITE is answered with 2xx: ``message`` is their part of that, ``session`` our description."""
        self._begun = True
        self._session = session
        self.timer.begin(message)

    def await_answer(self, unconfirmed: UntilAck) -> None:
        """Our 2xx to the first INVITE carries our offer; its answer comes in the ACK."""
        self._first = unconfirmed

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        """A re-INVITE or UPDATE from the peer."""
        request = transaction.request
        early = not self._begun and (request.method == "INVITE" or bool(request.body))
        if self._ours is not None or any(ours is not None and ours.open for ours in (self._unconfirmed, self._first)):
            # Glare (14.2): both sides offered at once; he tries again after a random while.
            transaction.respond(491, now)
        elif early or self._theirs is not None:
            # 14.2, RFC 3311 section 5.2: his last offer, that of the first INVITE too, has not been answered.
            transaction.respond(500, now, headers=[("Retry-After", self._random_while())])
        elif request.body and not request.sdp:
            transaction.respond(415, now, headers=[("Accept", "application/sdp")])
        else:
            self._dialog.retarget(request)
            if request.method == "UPDATE" and not request.body:
                transaction.respond(200, now, headers=self._headers(request, now))
                return
            if request.method == "INVITE":
                transaction.respond(100, now)
                transaction.on_cancel = self._cancelled
            self._theirs = transaction
            self._core.emit(Reoffered(self._call, request.sdp))

    def acknowledged(self, ack: Request, now: float) -> None:
        if self._unconfirmed is not None:
            self._unconfirmed.acknowledged(ack, now)

    def answer(self, sdp: bytes, now: float) -> None:
        """200 to their offer. LocalProtocolError when there is none."""
        transaction = self._take()
        headers = [*self._headers(transaction.request, now), ("Content-Type", "application/sdp")]
        transaction.respond(200, now, headers=headers, body=sdp)
        self._session = sdp
        if transaction.request.method == "INVITE":
            self._unconfirmed = UntilAck(self._core, transaction, now, self._confirmed, self._unheard)

    def refuse(self, code: int, now: float) -> None:
        """Refuse their offer; the session goes on as it was. LocalProtocolError when there is none."""
        if not 300 <= code < 700:
            raise LocalProtocolError(f"{code} is no refusal")
        self._take().respond(code, now)

    def offer(self, sdp: bytes, now: float) -> None:
        """A re-INVITE of ours; ``Reanswered`` or ``ReofferRefused`` follows. LocalProtocolError while another offer,
        ours or theirs, is open."""
        if self._busy:
            raise LocalProtocolError("another offer is open in this call")
        self._refreshing = False
        self._offer(sdp, [], now)

    @property
    def _busy(self) -> bool:
        return self._ours is not None or self._theirs is not None or bool(self._unconfirmed and self._unconfirmed.open)

    def _refresh(self, headers: list[tuple[str, str]], now: float) -> bool:
        """A re-INVITE with the session as it is (RFC 4028 section 7.4); False while another offer is open."""
        if self._busy or not self._session:
            return False
        self._refreshing = True
        self._offer(self._session, headers, now)
        return True

    def _offer(self, sdp: bytes, headers: list[tuple[str, str]], now: float) -> None:
        pairs = [("Contact", self._contact), ("Allow", ", ".join(ALLOWED)), *headers]
        pairs += [("User-Agent", self._core.product), ("Content-Type", "application/sdp")]

        def make() -> tuple[Request, Hop]:
            return self._dialog.request("INVITE", pairs, sdp), self._dialog.next_hop()

        self._offered = sdp
        self._ours = Asking(self._core, make, self._digest, now, self._heard, self._timed_out, self._lost)

    def alarm(self, name: str, now: float) -> None:
        if self._ours is not None:
            ours, self._ours = self._ours, None
            ours.transaction.abandon()

    def close(self, now: float) -> None:
        """The call is over: what is still open is refused. Our own offer has 64*T1 left for its final response, which
        must still be acknowledged (else the peer repeats it); in PROCEEDING no timer would ever end it."""
        if self._closed:
            return
        self._closed = True
        self.timer.close()
        if self._unconfirmed is not None:
            self._unconfirmed.close()
        if self._ours is not None:
            self._ours.willing = False
            self._core.alarms.set(self, "abandon", now + 64 * T1_S)
        if self._theirs is not None:
            self._take().respond(487, now)

    def _random_while(self) -> str:
        """Seconds, 0 to 10 (14.2), out of the one source of randomness that there is."""
        return str(zlib.crc32(self._core.token().encode()) % 11)

    def _take(self) -> ServerTransaction:
        transaction, self._theirs = self._theirs, None
        if transaction is None:
            raise LocalProtocolError("no offer of theirs is open")
        return transaction

    def _headers(self, request: Request, now: float) -> list[tuple[str, str]]:
        return [("Contact", self._contact), ("Allow", ", ".join(ALLOWED)), *self.timer.offered(request, now)]

    def _cancelled(self, cancel: Request, now: float) -> None:
        if self._theirs is not None:
            self._take().respond(487, now)

    def _confirmed(self, ack: Request, now: float) -> None:
        if ack.sdp:
            self._core.emit(Confirmed(self._call, ack.sdp))

    def _unheard(self, now: float) -> None:
        self._broken("no ACK for the answer to a re-INVITE", now)

    def _heard(self, response: Response, now: float) -> None:
        if response.code < 200:
            return
        seq = response.cseq.sequence
        if seq in self._acks:
            self._core.send(*self._acks[seq])  # the 200 once more: our ACK was lost
            return
        if self._ours is None:
            return
        self._ours = None
        self._core.alarms.cancel(self, "abandon")
        if response.code < 300:
            with suppress(RemoteProtocolError):  # with a bad Contact the target stays what it was; the ACK is due
                self._dialog.retarget(response)
            self._acks = {seq: self._dialog.ack(seq, self._core.new_via)}
            self._core.send(*self._acks[seq])
            if not self._closed:
                self._session = self._offered
                self.timer.answered(response, now)
                self._core.emit(Reanswered(self._call, response.sdp))
        elif self._closed:
            return
        elif self._refreshing:
            self.timer.refused(response.code, response, now)
        elif response.code in DIALOG_GONE:
            self._broken(f"{response.code} {response.phrase}", now)
        else:
            self._core.emit(ReofferRefused(self._call, response.code, response.phrase))

    def _timed_out(self, now: float) -> None:
        self._ours = None
        self._core.alarms.cancel(self, "abandon")
        self._broken("no answer to a re-INVITE", now)

    def _lost(self, reason: str, unsent: bool, now: float) -> None:
        """The connection broke before the answer; the session goes on as it was, by a new one."""
        ours, self._ours = self._ours, None
        self._core.alarms.cancel(self, "abandon")
        if ours is not None:
            ours.transaction.abandon()
        if self._closed:
            return
        if self._refreshing:
            self.timer.lost(now)
        else:
            self._core.emit(ReofferRefused(self._call, 503, reason))
