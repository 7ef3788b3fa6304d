"""What goes on at this moment: the running dialer as seen from the panel's threads.

The dialer lives on the reactor and is never waited for without a limit: a thread posts what it wants and gives up in
time, so that a reactor that is stopping and a thread that waits for it can't wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

from ocm_cti.control import Control, Snapshot
from ocm_cti.office.errors import NotNow

T = TypeVar("T")

#: A snapshot younger than this is as good as a new one.
FRESH = timedelta(seconds=1)
ANSWER_LIMIT_S = 3.0


class Floor(Protocol):
    """``refresh`` is for the reactor only; everything else may be asked by any thread."""

    def snapshot(self) -> Snapshot:
        """At most a second old. Raises NotNow."""

    def wake(self) -> None:
        """Something has changed in the ledger: look for people to call."""

    def refresh(self) -> Deferred[Snapshot]:
        """A new snapshot, kept as the latest."""


class LiveFloor:
    """Over the dialer of this process."""

    def __init__(self, control: Control, wake: Callable[[], None], reactor: Any, now: Callable[[], datetime]) -> None:
        self._control = control
        self._wake = wake
        self._reactor = reactor
        self._now = now

    def snapshot(self) -> Snapshot:
        latest = self._control.latest
        if latest is not None and self._now() - latest.taken_at < FRESH:
            return latest
        return self.ask(self._control.refresh)

    def wake(self) -> None:
        self._reactor.callFromThread(self._wake)

    def refresh(self) -> Deferred[Snapshot]:
        return self._control.refresh()

    def ask(self, what: Callable[[], Deferred[T]]) -> T:
        """What the reactor's ``what`` comes to; its own error, or NotNow when it takes too long."""
        answer: Future[T] = Future()

        def give(value: T) -> None:
            with suppress(InvalidStateError):  # nobody waits any more
                answer.set_result(value)

        def fail(failure: Any) -> None:
            with suppress(InvalidStateError):
                answer.set_exception(failure.value)

        def post() -> None:
            maybeDeferred(what).addCallbacks(give, fail)

        self._reactor.callFromThread(post)
        try:
            return answer.result(ANSWER_LIMIT_S)
        except TimeoutError:
            answer.cancel()
            raise NotNow("the dialer does not answer at this moment; try again") from None
