"""Our REFER inside a call (RFC 3515): asked, perhaps accepted, and what became of it told by NOTIFYs, or by a BYE.

Theory of operation. ``TABLE[state, happening]`` says what to do and where to go; a pair that is not in it changes
nothing. The standard's way is 202, NOTIFY 100, NOTIFY 200 or a failure. Peers differ: a NOTIFY may overtake the 202;
the subscription may end without a final word; and some never tell, but send BYE once they have taken the other side
over. Hence a BYE after acceptance is success, unless the peer has told how it goes on (180): then it would have told
the end, too, and a BYE means that the other side has hung up. Of a peer that tells nothing this can't be known.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

from . import addresses
from .asking import Asking
from .core import Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .events import Event, ReferDone, ReferFailed
from .messages import Request, Response
from .server_transaction import ServerTransaction
from .transactions import T1_S

#: The only event package that we know (RFC 3515 section 2.4.6).
PACKAGE: Final = "refer"
#: How long a peer may keep us waiting for the final word: a destination that rings, and more.
LIMIT_S: Final = 180.0
#: How long we wait for a BYE when there is no word to come any more.
UNTOLD_S: Final = 64 * T1_S
#: Code that we tell when there was none (RFC 3261 section 21.4.9).
TIMEOUT: Final = 408

_STATUS = re.compile(rb"SIP/2\.0 ([1-6]\d\d)(?!\d)(?: ([^\r\n]*))?")


class State(enum.Enum):
    ASKING = "our REFER is out"
    ACCEPTED = "the other side tries"
    FOLLOWED = "the other side tells how it goes on"
    UNTOLD = "the other side tells nothing any more; BYE would mean success"
    OVER = "over"


class Happening(enum.Enum):
    ACCEPTED = "2xx to REFER"
    REFUSED = "3xx-6xx to REFER, or no answer at all"
    TRYING = "NOTIFY with 100, more to come"
    PROGRESS = "NOTIFY with 101-199, more to come"
    SUCCESS = "NOTIFY with 2xx"
    FAILURE = "NOTIFY with 3xx-6xx"
    SILENCE = "NOTIFY that ends the subscription without a final word"
    BYE = "BYE"
    LATE = "the time is up"


class Do(enum.Enum):
    TIME_LIMIT = enum.auto()
    TIME_UNTOLD = enum.auto()
    WAIT = enum.auto()
    DONE = enum.auto()
    FAIL = enum.auto()


_S, _H = State, Happening
_DONE = (Do.DONE, _S.OVER)
_FAIL = (Do.FAIL, _S.OVER)
_UNTOLD = (Do.TIME_UNTOLD, _S.UNTOLD)

TABLE: dict[tuple[State, Happening], tuple[Do, State]] = {
    (_S.ASKING, _H.ACCEPTED): (Do.TIME_LIMIT, _S.ACCEPTED),
    (_S.ASKING, _H.REFUSED): _FAIL,
    # Its 202 was lost or is late; nobody notifies of what he has refused.
    (_S.ASKING, _H.TRYING): (Do.TIME_LIMIT, _S.ACCEPTED),
    (_S.ASKING, _H.PROGRESS): (Do.TIME_LIMIT, _S.FOLLOWED),
    (_S.ASKING, _H.SUCCESS): _DONE,
    (_S.ASKING, _H.FAILURE): _FAIL,
    (_S.ASKING, _H.SILENCE): _UNTOLD,
    (_S.ACCEPTED, _H.REFUSED): _FAIL,
    (_S.ACCEPTED, _H.PROGRESS): (Do.WAIT, _S.FOLLOWED),
    (_S.ACCEPTED, _H.SUCCESS): _DONE,
    (_S.ACCEPTED, _H.FAILURE): _FAIL,
    (_S.ACCEPTED, _H.SILENCE): _UNTOLD,
    (_S.ACCEPTED, _H.BYE): _DONE,
    (_S.ACCEPTED, _H.LATE): _FAIL,
    (_S.FOLLOWED, _H.REFUSED): _FAIL,
    (_S.FOLLOWED, _H.SUCCESS): _DONE,
    (_S.FOLLOWED, _H.FAILURE): _FAIL,
    (_S.FOLLOWED, _H.SILENCE): _UNTOLD,
    (_S.FOLLOWED, _H.LATE): _FAIL,
    (_S.UNTOLD, _H.REFUSED): _FAIL,
    (_S.UNTOLD, _H.SUCCESS): _DONE,
    (_S.UNTOLD, _H.FAILURE): _FAIL,
    (_S.UNTOLD, _H.BYE): _DONE,
    (_S.UNTOLD, _H.LATE): _FAIL,
}


class Refer:
    """One REFER, sent by the constructor. ``ReferDone`` or ``ReferFailed`` is told, unless the call ends before."""

    def __init__(
        self,
        core: Core,
        call: str,
        dialog: Dialog,
        contact: str,
        target_uri: str,
        digest: DigestClient | None,
        now: float,
    ) -> None:
        self.state = State.ASKING
        self._core = core
        self._call = call
        self._why = (TIMEOUT, "no word of what became of the REFER")
        identity = addresses.NameAddress.read(dialog.local).uri
        pairs = [
            ("Contact", contact),
            ("Refer-To", f"<{addresses.one_line(target_uri)}>"),
            ("Referred-By", f"<{identity}>"),  # RFC 3892
            ("User-Agent", core.product),
        ]

        def make() -> tuple[Request, Hop]:
            return dialog.request("REFER", pairs), dialog.next_hop()

        self._asking = Asking(core, make, digest, now, self._heard, self._unheard)

    @property
    def open(self) -> bool:
        return self.state is not State.OVER

    def is_meant(self, event_id: str | None) -> bool:
        """Whether a NOTIFY with this ``id`` is about us: the CSeq of our REFER. The first of a dialog needs none."""
        return event_id in (None, str(self._asking.transaction.request.cseq.sequence))

    def notified(self, status: tuple[int, str] | None, ended: bool, now: float) -> None:
        """``status`` is the code and phrase in the NOTIFY, None when it has none; ``ended``: no more will come."""
        code, phrase = status or (100, "")
        if code >= 300:
            self._why = (code, phrase)
            self._happen(Happening.FAILURE, now)
        elif code >= 200:
            self._happen(Happening.SUCCESS, now)
        elif ended:
            self._happen(Happening.SILENCE, now)
        else:
            self._happen(Happening.TRYING if code == 100 else Happening.PROGRESS, now)

    def left(self, now: float) -> None:
        """The other side has sent BYE, which is told after this."""
        self._happen(Happening.BYE, now)

    def close(self) -> None:
        """The call is over: nothing more is told."""
        self._asking.willing = False
        self._core.alarms.cancel(self, "late")
        self.state = State.OVER

    def alarm(self, name: str, now: float) -> None:
        self._happen(Happening.LATE, now)

    def _heard(self, response: Response, now: float) -> None:
        if 200 <= response.code < 300:
            self._happen(Happening.ACCEPTED, now)
        elif response.code >= 300:
            self._why = (response.code, response.phrase)
            self._happen(Happening.REFUSED, now)

    def _unheard(self, now: float) -> None:
        if self.state is State.ASKING:
            self._why = (TIMEOUT, "no answer to REFER")
            self._happen(Happening.REFUSED, now)

    def _happen(self, happening: Happening, now: float) -> None:
        row = TABLE.get((self.state, happening))
        if row is None:
            return
        do, self.state = row
        match do:
            case Do.TIME_LIMIT:
                self._core.alarms.set(self, "late", now + LIMIT_S)
            case Do.TIME_UNTOLD:
                self._core.alarms.set(self, "late", now + UNTOLD_S)
            case Do.DONE:
                self._finish(ReferDone(self._call))
            case Do.FAIL:
                self._finish(ReferFailed(self._call, *self._why))

    def _finish(self, event: Event) -> None:
        self._core.alarms.cancel(self, "late")
        self._core.emit(event)


def receive_notify(transaction: ServerTransaction, now: float, refer: Callable[[str | None], Refer | None]) -> None:
    """A NOTIFY, inside a dialog or outside. ``refer`` finds the REFER that an event id means; None: there is none."""
    request = transaction.request
    package, _, more = (request.headers.get("Event") or "").partition(";")
    if package.strip().lower() != PACKAGE:
        transaction.respond(489, now, headers=[("Allow-Events", PACKAGE)])  # RFC 6665 section 4.1.3
        return
    meant = refer(addresses.parameters(";" + more).get("id"))
    if meant is None:
        transaction.respond(481, now)
        return
    status = status_of(request.body)
    if request.body and request.content_type not in ("message/sipfrag", ""):
        transaction.respond(415, now, headers=[("Accept", "message/sipfrag")])
        return
    if request.body and status is None:
        transaction.respond(400, now, phrase="No status line in the body")
        return
    transaction.respond(200, now)
    state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
    meant.notified(status, state == "terminated", now)


def status_of(sipfrag: bytes) -> tuple[int, str] | None:
    """Code and phrase of a ``message/sipfrag`` that begins with a status line (RFC 3420); None: it does not."""
    m = _STATUS.match(sipfrag.lstrip())
    return None if m is None else (int(m[1]), (m[2] or b"").decode("utf-8", "replace").strip())
