"""Tells the customer's own database what came of his people, while a campaign goes on and at its end.

A statement of his is run for each person whose result has changed; what it has been told is kept in the ledger after
his database has committed it. A crash between the two tells the same once more, which an UPDATE by key bears. His
database may be slow or away: it is spoken to in a thread, and nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.domain.sources import Source
from ocm_cti.imports.database import write_back
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.store import lists, results
from ocm_cti.store.results import Result
from ocm_cti.store.transactions import Connection, Store

EVERY_S = 30.0
#: After a failure: this much later, doubled up to the second.
AGAIN_S, AGAIN_MAX_S = 60.0, 960.0
#: Attempts that ended while the last pass was reading are looked at again.
OVERLAP = timedelta(seconds=60)


class WriteBack:
    """``sources`` are those of the lists that have something to write. Owned by the service; ``start``, ``stop``."""

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, Source],
        clock: Clock,
        now: Callable[[], datetime],
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]] = maybeDeferred,
    ) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._now = now
        self._in_thread = in_thread
        self._log = Logger()
        self._loop = LoopingCall(self.write)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._since_at: dict[str, datetime] = {}
        self._wait_s: dict[str, float] = {}
        self._not_before_s: dict[str, float] = {}
        self._stopped: Deferred[Any] | None = None

    def start(self) -> None:
        if self._sources:
            self._stopped = self._loop.start(EVERY_S)

    @inlineCallbacks
    def stop(self) -> Any:
        """After a last look: what has come of the last calls is told too, if his database is there."""
        if self._loop.running:
            self._loop.stop()
            yield self._stopped or succeed(None)
            yield self.write()

    @inlineCallbacks
    def write(self) -> Any:
        """One pass over all lists; what fails is logged and tried again later."""
        for name, source in self._sources.items():
            if self._clock.seconds() < self._not_before_s.get(name, 0.0):
                continue
            began_at = self._now()
            try:
                yield self._write(name, source)
            except Exception as error:
                wait_s = self._wait_s[name] = min(self._wait_s.get(name, AGAIN_S / 2) * 2, AGAIN_MAX_S)
                self._not_before_s[name] = self._clock.seconds() + wait_s
                if isinstance(error, ImportFailed):
                    self._log.error("{list}: not written back: {error}", list=name, error=str(error))
                else:
                    self._log.failure("{list}: not written back", list=name)
            else:
                self._wait_s.pop(name, None)
                self._since_at[name] = began_at - OVERLAP

    @inlineCallbacks
    def _write(self, name: str, source: Source) -> Any:
        def read(conn: Connection) -> list[list[Result]]:
            list_id = lists.find(conn, name)
            return [] if list_id is None else list(results.changed(conn, list_id, self._since_at.get(name)))

        for portion in (yield self._store.read(read)):
            unknown = yield self._in_thread(partial(write_back, source, [result.values for result in portion]))
            if unknown:
                self._log.warn(
                    "{list}: write_back found nobody for {count} keys, the first is {key}",
                    list=name,
                    count=len(unknown),
                    key=unknown[0] if not unknown[0].startswith("+") else "a telephone number",
                )
            yield self._store.run(partial(_written, portion))


def write_now(store: Store, name: str, source: Source) -> tuple[int, list[str]]:
    """The same for a command: (people told, keys of which the UPDATE found nobody). Raises ImportFailed."""
    told, unknown = 0, []

    def read(conn: Connection) -> list[list[Result]]:
        list_id = lists.find(conn, name)
        return [] if list_id is None else list(results.changed(conn, list_id))

    for portion in store.read_now(read):
        unknown += write_back(source, [result.values for result in portion])
        store.run_now(partial(_written, portion))
        told += len(portion)
    return told, unknown


def _written(portion: list[Result], conn: Connection) -> None:
    results.written(conn, portion)
