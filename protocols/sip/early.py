"""Dialogs of a call of ours before its answer, one per fork, and PRACK for the provisional responses that demand it
(RFC 3262). We do not ask for them; who may not do without says so by 421 or simply sends them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from protocols.errors import RemoteProtocolError

from .asking import Asking
from .core import ALLOWED, Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .messages import Request, Response
from .server_transaction import ServerTransaction

if TYPE_CHECKING:
    from .calls import Book, Call

RELIABLE = "100rel"


def demands_reliable(response: Response) -> bool:
    """A 421 that wants 100rel of us."""
    return response.code == 421 and RELIABLE in {option.lower() for option in response.all("Require")}


class EarlyDialogs:
    """By the tag of the other side. Requests in them reach ``call``."""

    def __init__(self, core: Core, book: Book, call: Call, digest: DigestClient | None, reached_by: Hop) -> None:
        self._core = core
        self._book = book
        self._call = call
        self._digest = digest
        self._reached_by = reached_by
        self._dialogs: dict[str, Dialog] = {}
        self._acknowledged: dict[str, int] = {}  # tag -> RSeq of the last one
        self._asked: list[Asking] = []

    def received(self, request: Request, response: Response, now: float) -> bool:
        """A provisional response to ``request``, beyond 100: PRACK it where it demands that. False: we had this one."""
        tag = response.to_address.tag
        dialog = self._dialogs.get(tag) or self._begin(request, response)
        sequence = re.match(r"\s*(\d{1,10})\s*\Z", response.headers.get("RSeq") or "")
        required = {option.lower() for option in response.all("Require")}
        if dialog is None or sequence is None or RELIABLE not in required:
            return True
        number = int(sequence[1])
        last = self._acknowledged.get(tag)
        if last is not None and number != last + 1:
            return False  # sent again, or out of order: then the missing one is sent again (section 4)
        self._acknowledged[tag] = number
        rack = ("RAck", f"{number} {response.cseq.sequence} {response.cseq.method}")

        def make() -> tuple[Request, Hop]:
            return dialog.request("PRACK", [rack, ("User-Agent", self._core.product)]), dialog.next_hop()

        self._asked.append(Asking(self._core, make, self._digest, now, _no_response, _no_timeout))
        return True

    def confirm(self, request: Request, response: Response) -> Dialog:
        """The dialog of a 2xx; its numbers go on from those used before. RemoteProtocolError: it can't make one."""
        dialog = Dialog.of_response(request, response, self._reached_by)
        early = self._dialogs.get(dialog.remote_tag)
        if early is not None:
            dialog.local_seq, dialog.remote_seq = max(dialog.local_seq, early.local_seq), early.remote_seq
        return dialog

    def receive(self, transaction: ServerTransaction, now: float) -> bool:
        """A request in one of them: False where it is like any other outside a call (OPTIONS)."""
        request = transaction.request
        dialog = self._dialogs.get(request.from_address.tag)
        if dialog is None or request.method == "BYE":
            transaction.respond(481, now)  # 15: the called side can't end it by BYE before it has answered
        elif not dialog.follows(request):
            transaction.respond(500, now, phrase="CSeq out of order")
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            transaction.respond(491, now)  # RFC 3311 section 5.2: our own offer is still open
        elif request.method == "UPDATE":
            headers = [("Contact", self._call.contact), ("Allow", ", ".join(ALLOWED))]
            transaction.respond(200, now, headers=headers)
        elif request.method == "INFO":
            transaction.respond(415 if request.body else 200, now)
        else:
            return False
        return True

    def close(self) -> None:
        """The INVITE has had its final response: they are over, but for the one that was confirmed."""
        for asking in self._asked:
            asking.willing = False
        self._asked.clear()
        for dialog in self._dialogs.values():
            if self._book.dialogs.get(dialog.id) is self._call:
                del self._book.dialogs[dialog.id]
        self._dialogs.clear()

    def _begin(self, request: Request, response: Response) -> Dialog | None:
        """None without a tag, or with a Contact that he can't be told anything by."""
        if not response.to_address.tag or self._call.over:
            return None
        try:
            dialog = Dialog.of_response(request, response, self._reached_by)
        except RemoteProtocolError:
            return None
        self._dialogs[dialog.remote_tag] = dialog
        self._book.dialogs[dialog.id] = self._call
        return dialog


def _no_response(response: Response, now: float) -> None:
    """Who refuses our PRACK will refuse the call."""


def _no_timeout(now: float) -> None:
    """As good as refused."""
