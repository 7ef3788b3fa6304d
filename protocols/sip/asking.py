"""A request that may be asked for credentials: sent, challenged, sent again with the answer, and only then told."""

from __future__ import annotations

from collections.abc import Callable

from . import messages
from .client_transaction import ClientTransaction, OnLost
from .core import Core, Hop
from .digest import HEADERS, DigestClient, why_unanswerable
from .messages import Request, Response


class Asking:
    """Sends what ``make`` makes (with a new CSeq at every call) and sends it again, with credentials, after a 401 or
    407 that ``digest`` can answer. ``on_response`` hears all other responses; the phrase of a challenge that can't be
    answered says why."""

    def __init__(
        self,
        core: Core,
        make: Callable[[], tuple[Request, Hop]],
        digest: DigestClient | None,
        now: float,
        on_response: Callable[[Response, float], None],
        on_timeout: Callable[[float], None],
        on_lost: OnLost | None = None,
    ) -> None:
        self._core = core
        self._make = make
        self._digest = digest
        self._on_response = on_response
        self._on_timeout = on_timeout
        self._on_lost = on_lost
        self._answered: dict[tuple[str, str], int] = {}
        #: False stops the answering of challenges: a call that is being hung up must not be dialled anew.
        self.willing = True
        self._send(now)

    def _send(self, now: float) -> None:
        request, destination = self._make()
        if self._digest is not None:
            request = messages.with_proof(request, self._digest.headers(request.method, request.uri))
        self.transaction = ClientTransaction(
            self._core, request, destination, now, self._heard, self._on_timeout, on_lost=self._on_lost
        )

    def again(self, now: float) -> None:
        """Send what ``make`` makes now; the last one has been answered."""
        self._send(now)

    def _heard(self, response: Response, now: float) -> None:
        digest = self._digest if self.willing and response.code in HEADERS else None
        if digest is not None and digest.take(response, self._answered):
            self._send(now)
        else:
            if digest is not None and (why := why_unanswerable(response)):
                response.phrase = f"{response.phrase} ({why})"
            self._on_response(response, now)
