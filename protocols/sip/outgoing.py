"""A call of ours: from the INVITE to its final responses, which may be several (RFC 3261 sections 9.1 and 13.2)."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.errors import LocalProtocolError, RemoteProtocolError

from . import addresses, messages, session_timer
from .asking import Asking
from .calls import Book, Call, Stage, respond_outside
from .core import ALLOWED, Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .early import RELIABLE, EarlyDialogs, demands_reliable
from .events import Answered, HeaderView, Refused, Ringing
from .messages import Request, Response
from .reasons import q850_of, retry_after_s_of
from .server_transaction import ServerTransaction
from .transactions import T1_S, State

#: Written by us; an owner's header of this name would make a second one, or another message.
OURS = frozenset({
    "via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-length", "content-type", "route",
    "supported", "session-expires", "min-se", "authorization", "proxy-authorization",
})  # fmt: skip
TIMEOUT, UNAVAILABLE = 408, 503
#: A refusal that we can mend is asked again so many times (422, 421).
MENDED_TIMES = 3


class OutgoingCall(Call):
    """The INVITE leaves with the constructor. ``identity`` is the From without its tag; ``session_expires_s`` the
    session timer to offer, 0: none, None: not even that we know them."""

    def __init__(
        self,
        core: Core,
        book: Book,
        *,
        target_uri: str,
        identity: str,
        contact: str,
        destination: Hop,
        sdp: bytes,
        headers: Sequence[tuple[str, str]],
        digest: DigestClient | None,
        session_expires_s: int | None,
        now: float,
    ) -> None:
        for name, _ in headers:
            if name.lower() in OURS:
                raise LocalProtocolError(f"the header {name} is written by the user agent")
        self._destination = destination
        self._target_uri = addresses.one_line(target_uri)
        self._sdp = sdp
        self._seq = 0
        self._from = f"{addresses.one_line(identity)};tag={core.token()}"
        self._call_id = f"{core.token()}@{core.host}"
        self._more = [(addresses.one_line(name), addresses.one_line(value)) for name, value in headers]
        self._acks: dict[str, tuple[bytes, Hop]] = {}  # tag of each fork that answered -> our ACK for it
        self._early = EarlyDialogs(core, book, self, digest, destination)
        self._session_expires_s = session_expires_s
        self._least_s = session_timer.LEAST_S
        self._reliable = False
        self._mended = 0
        self._cancel_sent = False
        super().__init__(core, book, core.token(), contact, digest, Stage.CALLING)
        self._invite = Asking(core, self._make, digest, now, self._heard, self._timed_out, self._lost)

    def hang_up(self, now: float) -> None:
        if self.stage is Stage.CALLING:
            self.stage = Stage.CANCELLING
            self._invite.willing = False
            self._cancel(now)
        elif self.stage is Stage.STANDING:
            self.end(False, "hung up", now)
            self.bye(now)

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        early = self.dialog is None and self.stage in (Stage.CALLING, Stage.CANCELLING)
        if not early:
            super().receive(transaction, now)
        elif not self._early.receive(transaction, now):
            respond_outside(transaction, now)

    def alarm(self, name: str, now: float) -> None:
        """9.1: no final response 64*T1 after the CANCEL counts as one."""
        self._invite.transaction.abandon()
        if self.stage is Stage.CANCELLING:
            self.end(False, "no answer to CANCEL", now)

    def close(self, now: float) -> None:
        self._early.close()
        super().close(now)

    def _make(self) -> tuple[Request, Hop]:
        self._seq += 1
        pairs = [
            ("Max-Forwards", "70"),
            ("From", self._from),
            ("To", f"<{self._target_uri}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._seq} INVITE"),
            ("Contact", self.contact),
            *self._more,
            ("Allow", ", ".join(ALLOWED)),
        ]
        if self._session_expires_s is not None:
            pairs += session_timer.wish(self._session_expires_s, self._least_s)
        if self._reliable:
            pairs.append(("Supported", RELIABLE))
        pairs.append(("User-Agent", self.core.product))
        if self._sdp:
            pairs.append(("Content-Type", "application/sdp"))
        return Request("INVITE", self._target_uri, messages.make_headers(pairs), self._sdp), self._destination

    def _cancel(self, now: float) -> None:
        """CANCEL, once there has been a provisional response; before that it could overtake the INVITE (9.1)."""
        transaction = self._invite.transaction
        if not self._cancel_sent and transaction.state is State.PROCEEDING:
            self._cancel_sent = True
            transaction.cancel(now)
            self.core.alarms.set(self, "cancelled", now + 64 * T1_S)

    def _heard(self, response: Response, now: float) -> None:
        if response.code < 200:
            self._provisional(response, now)
            return
        self.core.alarms.cancel(self, "cancelled")
        if response.code < 300:
            self._success(response, now)
        elif self.stage is Stage.CANCELLING:
            self.end(False, "hung up", now, said=response)
        elif self.stage is Stage.CALLING and not self._mend(response, now):
            self._refused(response, now)

    def _mend(self, response: Response, now: float) -> bool:
        """Ask again where the refusal says what it wants: a longer session timer (422), 100rel (421)."""
        more_s = None
        if response.code == session_timer.TOO_SMALL and self._session_expires_s is not None:
            more_s = session_timer.wished_more(response, max(self._session_expires_s, self._least_s))
        wants_reliable = demands_reliable(response) and not self._reliable
        if self._mended == MENDED_TIMES or not (more_s or wants_reliable):
            return False
        self._mended += 1
        self._reliable = self._reliable or wants_reliable
        if more_s:
            self._session_expires_s = self._least_s = more_s
        self._invite.again(now)
        return True

    def _provisional(self, response: Response, now: float) -> None:
        new = response.code == 100 or self._early.received(self._invite.transaction.request, response, now)
        if self.stage is Stage.CANCELLING:
            self._cancel(now)
        elif self.stage is Stage.CALLING and response.code > 100 and new:
            sdp = response.sdp
            self.core.emit(Ringing(self.key, response.code, sdp or None, bool(sdp)))

    def _success(self, response: Response, now: float) -> None:
        tag = response.to_address.tag
        if tag in self._acks:
            self.core.send(*self._acks[tag])  # its ACK was lost
            return
        request = self._invite.transaction.request
        fault = ""
        try:
            dialog = self._early.confirm(request, response)
        except RemoteProtocolError as error:
            # He must hear an ACK and a BYE all the same, or he goes on repeating his 200 and waiting.
            fault = str(error)
            dialog = Dialog.of_response(request, _without_ways(response), self._destination)
        # 22.3: the ACK carries the credentials of its INVITE.
        answers = [(n, v) for n in ("Authorization", "Proxy-Authorization") for v in request.headers.getlist(n)]
        self._acks[tag] = dialog.ack(request.cseq.sequence, self.core.new_via, answers)
        self.core.send(*self._acks[tag])
        if self.stage is Stage.CALLING and not fault:
            self._early.close()
            offers = self.enter_dialog(dialog)
            offers.begin(response, self._sdp)
            offers.timer.answered(response, now)
            self.stage = Stage.STANDING
            self.core.emit(Answered(self.key, response.sdp, HeaderView(response.headers)))
            return
        if self.stage in (Stage.CALLING, Stage.CANCELLING):
            self.end(False, fault or "hung up", now, fault=bool(fault))
        # A second fork, an answer that overtook our CANCEL, or one that we cannot use.
        self.bye(now, dialog)

    def _refused(self, response: Response, now: float) -> None:
        self.close(now)
        view = HeaderView(response.headers)
        q850, wait_s = q850_of(response), retry_after_s_of(response)
        self.core.emit(Refused(self.key, response.code, response.phrase, view, q850, wait_s))

    def _timed_out(self, now: float) -> None:
        self._came_to_nothing(TIMEOUT, "no answer to INVITE", False, now)

    def _lost(self, reason: str, unsent: bool, now: float) -> None:
        """The connection broke. Who has our INVITE may still answer: he is cancelled, and an answer is hung up."""
        self._came_to_nothing(UNAVAILABLE, reason, unsent, now)
        self._invite.willing = False
        self._cancel(now)

    def _came_to_nothing(self, code: int, reason: str, unsent: bool, now: float) -> None:
        if self.stage is Stage.CANCELLING:
            self.end(False, "hung up", now)
        elif self.stage is Stage.CALLING:
            self.close(now)
            self.core.emit(Refused(self.key, code, reason, {}, made_here=True, unsent=unsent))


def _without_ways(response: Response) -> Response:
    """The response without Contact and Record-Route."""
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    pairs = [(name, value) for name in names for value in response.headers.getlist(name)]
    return Response(response.code, response.phrase, messages.make_headers(pairs))
