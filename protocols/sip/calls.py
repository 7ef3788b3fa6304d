"""What incoming and outgoing calls have in common: everything inside the dialog, and the end."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping

from protocols.errors import LocalProtocolError

from .asking import Asking
from .core import ALLOWED, Core, Hop
from .dialogs import Dialog, DialogId
from .digest import DigestClient
from .events import DigitInfo, Ended, HeaderView
from .messages import Message, Request, Response
from .offers import Offers
from .reasons import q850_of, reason_of
from .refer import Refer, receive_notify
from .server_transaction import ServerTransaction

#: Methods that exist (RFC 3261, 3262, 3265, 3311, 3428, 3515, 3903, 6086): 405 for those not taken, 501 for others
KNOWN_METHODS = frozenset({*ALLOWED, "REGISTER", "PRACK", "SUBSCRIBE", "PUBLISH", "MESSAGE", "REFER"})


class Stage(enum.Enum):
    """Where a call stands. Outgoing: CALLING, CANCELLING; incoming: RINGING, ANSWERED; then both alike."""

    CALLING = "our INVITE is out"
    CANCELLING = "hung up before the answer: CANCEL is out, or waits for a provisional response"
    RINGING = "their INVITE waits for our answer"
    ANSWERED = "our 200 is out, its ACK is awaited"
    STANDING = "both sides know that the call stands"
    OVER = "the terminal event has been told"


class Book:
    """All calls of a user agent, by key and by dialog."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.dialogs: dict[DialogId, Call] = {}


class Call:
    """One call. ``key`` names it to the owner. Nothing is told of it after its terminal event."""

    def __init__(
        self, core: Core, book: Book, key: str, contact: str, digest: DigestClient | None, stage: Stage
    ) -> None:
        self.core = core
        self.book = book
        self.key = key
        self.contact = contact
        self.stage = stage
        self.offers: Offers | None = None
        self.dialog: Dialog | None = None
        self._digest = digest
        self._refer: Refer | None = None
        book.calls[key] = self

    @property
    def over(self) -> bool:
        """The terminal event has been told."""
        return self.stage is Stage.OVER

    def enter_dialog(self, dialog: Dialog) -> Offers:
        self.dialog = dialog
        self.offers = Offers(self.core, self.key, dialog, self.contact, self._digest, self.break_off)
        self.book.dialogs[dialog.id] = self
        return self.offers

    def reoffer(self, sdp: bytes, now: float) -> None:
        """A re-INVITE of ours. LocalProtocolError unless the call stands: no INVITE before the last one has been
        answered and acknowledged (14.1)."""
        if self.stage is not Stage.STANDING or self.offers is None:
            raise LocalProtocolError(f"cannot offer anew: {self.stage.value}")
        self.offers.offer(sdp, now)

    def refer(self, target_uri: str, digest: DigestClient | None, now: float) -> None:
        """REFER of ours; ``digest`` where the call itself has none. LocalProtocolError unless the call stands, and
        while another REFER is open."""
        if self.stage is not Stage.STANDING or self.dialog is None:
            raise LocalProtocolError(f"cannot refer: {self.stage.value}")
        if self._refer is not None and self._refer.open:
            raise LocalProtocolError("another REFER is open in this call")
        credentials = self._digest or digest
        self._refer = Refer(self.core, self.key, self.dialog, self.contact, target_uri, credentials, now)

    def hang_up(self, now: float) -> None:
        raise NotImplementedError

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        """A request inside the dialog; never ACK or CANCEL."""
        request = transaction.request
        if self.dialog is None or self.offers is None or self.dialog.remote_tag != request.from_address.tag:
            # Another fork, whose BYE from us is on its way.
            transaction.respond(200 if request.method == "BYE" else 481, now)
        elif not self.dialog.follows(request):
            transaction.respond(500, now, phrase="CSeq out of order")  # 12.2.2
        elif request.method == "BYE":
            transaction.respond(200, now)
            self.closed_by_them(request, now)
        elif self.stage is Stage.OVER:
            transaction.respond(481, now)
        elif request.method in ("INVITE", "UPDATE"):
            self.offers.receive(transaction, now)
        elif request.method == "INFO":
            self._receive_digit(transaction, now)
        elif request.method == "NOTIFY":
            receive_notify(transaction, now, self._refer_of)
        else:
            respond_outside(transaction, now)

    def acknowledged(self, ack: Request, now: float) -> None:
        """An ACK inside the dialog."""
        if self.offers is not None:
            self.offers.acknowledged(ack, now)

    def closed_by_them(self, request: Request, now: float) -> None:
        """A BYE."""
        if self._refer is not None:
            self._refer.left(now)
        self.end(True, reason_of(request, "BYE"), now, said=request)
        self.leave_dialog()

    def break_off(self, reason: str, now: float) -> None:
        """The call cannot go on, by nobody's wish: BYE, for the other side may see it otherwise."""
        if self.stage is not Stage.OVER:
            self.end(False, reason, now, fault=True)
            self.bye(now)

    def end(self, by_them: bool, reason: str, now: float, *, said: Message | None = None, fault: bool = False) -> None:
        """Tell the terminal event, once. ``said`` is what they sent for it."""
        if self.stage is Stage.OVER:
            return
        self.close(now)
        view: Mapping[str, str] = {} if said is None else HeaderView(said.headers)
        self.core.emit(Ended(self.key, by_them, reason, view, fault, None if said is None else q850_of(said)))

    def close(self, now: float) -> None:
        self.stage = Stage.OVER
        self.book.calls.pop(self.key, None)
        if self.offers is not None:
            self.offers.close(now)
        if self._refer is not None:
            self._refer.close()

    def bye(self, now: float, dialog: Dialog | None = None) -> None:
        """Send BYE in our dialog, or in that of a fork; the dialog is left when it is answered or nobody answers."""
        leaving = dialog or self.dialog
        if leaving is None:
            return
        self.book.dialogs[leaving.id] = self

        repeated = False

        def make() -> tuple[Request, Hop]:
            return leaving.request("BYE", [("User-Agent", self.core.product)]), leaving.next_hop()

        def heard(response: Response, now: float) -> None:
            if response.code >= 200:
                self.book.dialogs.pop(leaving.id, None)

        def lost(reason: str, unsent: bool, now: float) -> None:
            nonlocal repeated
            if unsent or repeated:
                self._unheard(leaving)
            else:
                repeated = True  # he may not have had it: by a new connection
                asking.again(now)

        asking = Asking(self.core, make, self._digest, now, heard, lambda now: self._unheard(leaving), lost)

    def leave_dialog(self) -> None:
        if self.dialog is not None:
            self.book.dialogs.pop(self.dialog.id, None)

    def _unheard(self, dialog: Dialog) -> None:
        self.book.dialogs.pop(dialog.id, None)

    def _refer_of(self, event_id: str | None) -> Refer | None:
        """Also one that is over: its last NOTIFY may be still to come."""
        return self._refer if self._refer is not None and self._refer.is_meant(event_id) else None

    def _receive_digit(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        digit = digit_of(request)
        if digit is not None:
            transaction.respond(200, now)
            self.core.emit(DigitInfo(self.key, digit))
        elif request.headers.get("Info-Package"):
            transaction.respond(469, now, phrase="Bad Info Package")  # RFC 6086 section 4.2.2
        else:
            transaction.respond(415 if request.body else 200, now)


def respond_outside(transaction: ServerTransaction, now: float) -> None:
    """OPTIONS (11.2), NOTIFYs that nobody asked for, and methods that we do not take, inside and outside a dialog."""
    request = transaction.request
    allow = ("Allow", ", ".join(ALLOWED))
    if request.method == "OPTIONS":
        transaction.respond(200, now, headers=[allow, ("Accept", "application/sdp"), ("Supported", "timer")])
    elif request.method == "NOTIFY":
        receive_notify(transaction, now, lambda _: None)
    elif request.method in KNOWN_METHODS:
        transaction.respond(405, now, headers=[allow])
    else:
        transaction.respond(501, now)


def digit_of(request: Request) -> str | None:
    """The key in an INFO: ``Signal=5`` (application/dtmf-relay) or just ``5`` (application/dtmf). None: it is none."""
    text = request.body.decode("ascii", "replace")
    if request.content_type == "application/dtmf-relay":
        found = re.search(r"(?im)^[ \t]*signal[ \t]*=[ \t]*(1[0-5]|[0-9A-D*#])[ \t]*\r?$", text)
    elif request.content_type == "application/dtmf":
        found = re.match(r"\s*(1[0-5]|[0-9A-Da-d*#])\s*\Z", text)
    else:
        return None
    if found is None:
        return None
    key = found[1].upper()
    # Some write the event numbers of RFC 4733.
    return {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}.get(key, key)


def record_route(request: Request) -> Iterable[tuple[str, str]]:
    """Record-Route of a request for the responses that make the dialog (12.1.1)."""
    return [("Record-Route", route) for route in request.headers.getlist("Record-Route")]
