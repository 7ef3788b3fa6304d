"""A call of ours: from the INVITE to its final responses, which may be several (RFC 3261 sections 9.1 and 13.2)."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.errors import LocalProtocolError, RemoteProtocolError

from . import addresses, messages
from .asking import Asking
from .calls import Book, Call, Stage
from .core import ALLOWED, Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .events import Answered, HeaderView, Refused, Ringing
from .messages import Request, Response
from .transactions import T1_S, State

#: Written by us; an owner's header of this name would make a second one, or another message.
OURS = frozenset({
    "via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-length", "content-type", "route",
})  # fmt: skip


class OutgoingCall(Call):
    """The INVITE leaves with the constructor. ``identity`` is the From without its tag."""

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
        headers: Mapping[str, str],
        digest: DigestClient | None,
        now: float,
    ) -> None:
        for name in headers:
            if name.lower() in OURS:
                raise LocalProtocolError(f"the header {name} is written by the user agent")
        self._destination = destination
        self._target_uri = addresses.one_line(target_uri)
        self._sdp = sdp
        self._seq = 0
        self._from = f"{identity};tag={core.token()}"
        self._call_id = f"{core.token()}@{core.host}"
        self._more = [(name, addresses.one_line(value)) for name, value in headers.items()]
        self._acks: dict[str, tuple[bytes, Hop]] = {}  # tag of each fork that answered -> our ACK for it
        self._cancel_sent = False
        super().__init__(core, book, core.token(), contact, digest, Stage.CALLING)
        self._invite = Asking(core, self._make, digest, now, self._heard, self._timed_out)

    def hang_up(self, now: float) -> None:
        if self.stage is Stage.CALLING:
            self.stage = Stage.CANCELLING
            self._invite.willing = False
            self._cancel(now)
        elif self.stage is Stage.STANDING:
            self.end(False, "hung up", now)
            self.bye(now)

    def alarm(self, name: str, now: float) -> None:
        """9.1: no final response 64*T1 after the CANCEL counts as one."""
        if self.stage is Stage.CANCELLING:
            self._invite.transaction.abandon()
            self.end(False, "no answer to CANCEL", now)

    def close(self, now: float) -> None:
        self.core.alarms.cancel(self, "cancelled")
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
            ("Allow", ", ".join(ALLOWED)),
            ("User-Agent", self.core.product),
            *self._more,
        ]
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
        elif response.code < 300:
            self._success(response, now)
        elif self.stage is Stage.CANCELLING:
            self.end(False, "hung up", now, headers=response.headers)
        elif self.stage is Stage.CALLING:
            self._refused(response.code, response.phrase, HeaderView(response.headers), now)

    def _provisional(self, response: Response, now: float) -> None:
        if self.stage is Stage.CANCELLING:
            self._cancel(now)
        elif self.stage is Stage.CALLING and response.code > 100:
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
            dialog = Dialog.of_response(request, response, self._destination)
        except RemoteProtocolError as error:
            # He must hear an ACK and a BYE all the same, or he goes on repeating his 200 and waiting.
            fault = str(error)
            dialog = Dialog.of_response(request, _without_ways(response), self._destination)
        # 22.3: the ACK carries the credentials of its INVITE.
        answers = [(n, v) for n in ("Authorization", "Proxy-Authorization") for v in request.headers.getlist(n)]
        self._acks[tag] = dialog.ack(request.cseq.sequence, self.core.new_via(), answers)
        self.core.send(*self._acks[tag])
        if self.stage is Stage.CALLING and not fault:
            self.enter_dialog(dialog).begin()
            self.stage = Stage.STANDING
            self.core.emit(Answered(self.key, response.sdp, HeaderView(response.headers)))
            return
        if self.stage in (Stage.CALLING, Stage.CANCELLING):
            self.end(False, fault or "hung up", now, fault=bool(fault))
        # A second fork, an answer that overtook our CANCEL, or one that we cannot use.
        self.bye(now, dialog)

    def _timed_out(self, now: float) -> None:
        if self.stage is Stage.CANCELLING:
            self.end(False, "hung up", now)
        elif self.stage is Stage.CALLING:
            self._refused(408, "no answer to INVITE", {}, now)

    def _refused(self, code: int, reason: str, headers: Mapping[str, str], now: float) -> None:
        self.close(now)
        self.core.emit(Refused(self.key, code, reason, headers))


def _without_ways(response: Response) -> Response:
    """The response without Contact and Record-Route."""
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    pairs = [(name, value) for name in names for value in response.headers.getlist(name)]
    return Response(response.code, response.phrase, messages.make_headers(pairs))
