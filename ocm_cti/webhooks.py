"""Takes messages out of the outbox and brings them to whom they are for; what is not taken is tried again.

Nothing waits for it: a receiver that is slow, away or wrong costs its own messages time and nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti._version import __version__
from ocm_cti.clock import Clock
from ocm_cti.domain.webhooks import signature
from ocm_cti.store import webhooks
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.webhooks import Message, Webhook

POLL_S = 1.0
#: Of one webhook, at a time; together they go out in one pass.
AT_ONCE = 20
FORGET_EVERY_S = 3600.0


class NotSent(Exception):
    """The message did not arrive; the text says why, for people."""


class Post(Protocol):
    """Fires with the HTTP status; fails with NotSent when there is no answer."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, /) -> Deferred[int]: ...


class Deliverer:
    """Owned by the service; ``start`` and ``stop`` once each. On PostgreSQL several nodes may bring a message twice."""

    def __init__(self, store: Store, post: Post, clock: Clock, now: Callable[[], datetime]) -> None:
        self._store = store
        self._post = post
        self._clock = clock
        self._now = now
        self._log = Logger()
        self._loop = LoopingCall(self._pass)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._stopped: Deferred[Any] | None = None
        self._in_hand: set[int] = set()
        self._forgotten_s = -FORGET_EVERY_S

    def start(self) -> None:
        self._stopped = self._loop.start(POLL_S)

    def stop(self) -> Deferred[Any]:
        """Fires when what is under way has come to its end; harmless before ``start``."""
        if self._loop.running:
            self._loop.stop()
        return self._stopped or succeed(None)

    @inlineCallbacks
    def _pass(self) -> Any:
        try:
            if self._clock.seconds() - self._forgotten_s >= FORGET_EVERY_S:
                self._forgotten_s = self._clock.seconds()
                yield self._store.run(lambda conn: webhooks.forget_old(conn, self._now()))
            while self._loop.running:
                due = yield self._store.read(lambda conn: webhooks.due(conn, self._now(), AT_ONCE))
                if not due:
                    return
                results = yield DeferredList([self._bring(*one) for one in due], consumeErrors=True)
                for done, failure in results:
                    if not done:
                        failure.raiseException()
        except Exception:
            self._log.failure("messages to other systems wait")

    @inlineCallbacks
    def _bring(self, to: Webhook, message: Message) -> Any:
        status: int | None = None
        try:
            status = yield maybeDeferred(self._post, to.url, self._headers(to, message), message.body.encode())
            error = "" if 200 <= status < 300 else f"it answered {status}"
        except NotSent as why:
            error = str(why)
        except Exception as fault:  # of ours: it must not be taken for delivered, nor tried without end
            self._log.failure("message {message} broke", message=message.message_id)
            error = repr(fault)
        state = yield self._store.run(
            partial(_tried, message_row=message.message_row, now=self._now(), status=status, error=error)
        )
        if error:
            self._log.warn(
                "webhook {webhook}: {event} {message}: {error}; {state}",
                webhook=to.webhook_id,
                event=message.event,
                message=message.message_id,
                error=error,
                state="given up" if state == webhooks.GIVEN_UP else "it is tried again",
            )

    def _headers(self, to: Webhook, message: Message) -> dict[str, str]:
        timestamp_s = int(self._now().timestamp())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"OCM/{__version__}",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(to.secret, message.message_id, timestamp_s, message.body.encode()),
        }


def _tried(conn: Connection, message_row: int, now: datetime, status: int | None, error: str) -> str:
    return webhooks.tried(conn, message_row, now, status, error)
