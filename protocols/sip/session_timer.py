"""The session timer of one dialog (RFC 4028): the side that was agreed on refreshes, else the call ends.

Theory of operation. An interval is agreed in a 2xx (Session-Expires) to INVITE or UPDATE, with the side that
refreshes: ``uac`` and ``uas`` are those of that very transaction. Where it is us, half of the interval later goes an
UPDATE without an offer, or a re-INVITE with the session as it is where the peer takes no UPDATE. Whichever side it is:
an interval without a refresh that was answered ends the call.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

from . import addresses
from .asking import Asking
from .core import Core, Hop
from .dialogs import Dialog
from .digest import DigestClient
from .messages import Message, Request, Response

#: No session timer is shorter (RFC 4028 section 4).
LEAST_S: Final = 90
#: No peer may ask for more than a day: it would be no timer.
MOST_S: Final = 86400
#: Without an answer to a request of ours of one of these, the dialog is gone at the other side (12.2.1.2).
DIALOG_GONE: Final = frozenset({408, 481})
#: The peer does not know UPDATE after all.
NO_UPDATE: Final = frozenset({405, 501})
PENDING, TOO_SMALL = 491, 422
#: After another refusal the refresh is tried again so much later.
RETRY_S: Final = 10.0


def wish(interval_s: int, least_s: int = LEAST_S) -> list[tuple[str, str]]:
    """Headers of an INVITE that offers a session timer; ``interval_s`` 0: that only says that we know them."""
    if not interval_s:
        return [("Supported", "timer")]
    pairs = [("Supported", "timer"), ("Session-Expires", str(max(interval_s, least_s)))]
    return [*pairs, ("Min-SE", str(least_s))] if least_s > LEAST_S else pairs


def wished_more(response: Response, least_s: int) -> int | None:
    """What a 422 demands, where that is more than what we have offered; None when asking again makes no sense."""
    demanded_s = response.number("Min-SE")
    return demanded_s if demanded_s is not None and least_s < demanded_s <= MOST_S else None


class SessionTimer:
    """``reinvite`` sends the session as it is, with these headers, and says whether it could; ``broken`` ends the call.

    Nothing runs before ``begin``."""

    def __init__(
        self,
        core: Core,
        dialog: Dialog,
        contact: str,
        digest: DigestClient | None,
        reinvite: Callable[[list[tuple[str, str]], float], bool],
        broken: Callable[[str, float], None],
    ) -> None:
        self._core = core
        self._dialog = dialog
        self._contact = contact
        self._digest = digest
        self._reinvite = reinvite
        self._broken = broken
        self._interval_s = 0
        self._least_s = LEAST_S
        self._takes_update = False
        self._begun = False
        self._updating: Asking | None = None

    def begin(self, message: Message) -> None:
        """The call stands from now on; ``message`` is what they sent for it, their INVITE or their 2xx."""
        self._begun = True
        self._takes_update = "UPDATE" in {method.upper() for method in message.all("Allow")}

    def offered(self, request: Request, now: float) -> list[tuple[str, str]]:
        """A request of theirs that we answer with 2xx: the headers for that. It refreshes, whatever it says."""
        if not self._begun:
            # An UPDATE before our answer: there is no session yet that could run out. Our 2xx to the INVITE starts it.
            return []
        self._stop()
        interval_s = request.number("Session-Expires")
        supported = {option.lower() for option in (*request.all("Supported"), *request.all("Require"))}
        if not interval_s:
            return []
        # Who does not know session timers can't refresh: some proxy on the way wishes one, and it is for us (table 2).
        ours = _refresher(request) == "uas" or "timer" not in supported
        self._agree(interval_s, ours, now)
        session = ("Session-Expires", f"{self._interval_s};refresher={'uas' if ours else 'uac'}")
        return [session] if "timer" not in supported else [("Require", "timer"), session]

    def answered(self, response: Response, now: float) -> None:
        """Their 2xx to a request of ours."""
        self._stop()
        interval_s = response.number("Session-Expires")
        if interval_s:
            self._agree(interval_s, _refresher(response) != "uas", now)
        else:
            self._interval_s = 0

    def refused(self, code: int, response: Response | None, now: float) -> None:
        """What a refresh of ours by re-INVITE or UPDATE was answered with; 408 without a response: with nothing."""
        if code in DIALOG_GONE:
            why = "no answer to the refresh of the session" if response is None else f"{code} {response.phrase}"
            self._broken(why, now)
        elif code == TOO_SMALL and response is not None and (more_s := wished_more(response, self._interval_s)):
            self._interval_s = self._least_s = more_s
            self._refresh(now)
        elif code in NO_UPDATE and self._takes_update:
            self._takes_update = False
            self._refresh(now)
        else:
            # 14.1: glare is over after 2.1 to 4 s; any other refusal may be another one later.
            spread_s = zlib.crc32(self._core.token().encode()) % 190 / 100
            self._core.alarms.set(self, "refresh", now + (2.1 + spread_s if code == PENDING else RETRY_S))

    def close(self) -> None:
        """The call is over."""
        self._stop()
        if self._updating is not None:
            self._updating.willing = False
            self._updating = None

    def alarm(self, name: str, now: float) -> None:
        if name == "refresh":
            self._refresh(now)
        else:
            self._stop()
            self._broken("session timer ran out", now)

    def _agree(self, interval_s: int, ours: bool, now: float) -> None:
        self._interval_s = min(interval_s, MOST_S)
        self._core.alarms.set(self, "expired", now + self._interval_s)
        if ours:
            self._core.alarms.set(self, "refresh", now + self._interval_s / 2)

    def _stop(self) -> None:
        self._core.alarms.cancel(self, "refresh")
        self._core.alarms.cancel(self, "expired")

    def _refresh(self, now: float) -> None:
        pairs = [("Supported", "timer"), ("Session-Expires", f"{self._interval_s};refresher=uac")]
        if self._least_s > LEAST_S:
            pairs.append(("Min-SE", str(self._least_s)))
        if not self._takes_update:
            if not self._reinvite(pairs, now):
                self._core.alarms.set(self, "refresh", now + RETRY_S)  # another offer is open
            return
        pairs = [("Contact", self._contact), *pairs, ("User-Agent", self._core.product)]

        def make() -> tuple[Request, Hop]:
            return self._dialog.request("UPDATE", pairs), self._dialog.next_hop()

        self._updating = Asking(self._core, make, self._digest, now, self._updated, self._unheard, self._lost)

    def _updated(self, response: Response, now: float) -> None:
        if response.code < 200 or self._updating is None:
            return
        self._updating = None
        if response.code < 300:
            self.answered(response, now)
        else:
            self.refused(response.code, response, now)

    def _unheard(self, now: float) -> None:
        if self._updating is not None:
            self._updating = None
            self.refused(408, None, now)

    def _lost(self, reason: str, unsent: bool, now: float) -> None:
        if self._updating is not None:
            self._updating = None
            self.lost(now)

    def lost(self, now: float) -> None:
        """The connection broke while a refresh of ours waited: again a bit later, by a new one."""
        self._core.alarms.set(self, "refresh", now + RETRY_S)


def _refresher(message: Message) -> str:
    return (addresses.parameters(";" + (message.headers.get("Session-Expires") or "")).get("refresher") or "").lower()
