"""Keeps what the switches write down about calls, and finds the attempts that it is about, whichever comes first.

Records are committed as they come. A record may be there before the outcome of its attempt is in the ledger, or long
after it (a PBX keeps records while nobody reads them); so both a record and the end of an attempt make the book look
again, a little later and for many at once. A store that fails is asked again until it works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock, Timer
from ocm_cti.domain.call_matching import Matching
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.store import call_records
from ocm_cti.store.transactions import Connection, Store

#: So long what comes is gathered, and written and matched together.
GATHER_S = 0.5
STORE_RETRY_S = 2.0
#: Records that can't be written wait in memory, at most so many.
MAX_WAITING = 50_000
#: So many are written at a time: what else the ledger has to write (calls that go on) waits for it.
AT_ONCE = 500
#: After an attempt ended, records that came for it before are looked for as far back.
LOOK_BACK = timedelta(minutes=15)
#: At the start: what a crash or a changed configuration has left unmatched.
LOOK_BACK_AT_START = timedelta(days=7)


class CallBook:
    """Of all gateways. ``dialled``: by gateway, E.164 number -> the digits that the switch was given."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        now: Callable[[], datetime],
        dialled: Mapping[str, Callable[[str], str]],
        matching: Mapping[str, Matching] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._now = now
        self._dialled = dialled
        self._matching = matching or {}
        self._log = Logger()
        self._waiting: list[CallRecord] = []
        self._since: dict[str, datetime] = {}  # by gateway: records ended since then are to be looked at
        self._again: dict[str, Callable[[CallRecord], CallRecord]] = {}
        self._timer: Timer | None = None
        self._writing: Deferred[None] | None = None
        self._stopped = False
        self._lost = 0

    def start(self) -> None:
        """Look once more at what an earlier run has left."""
        for gateway in self._dialled:
            self._look(gateway, self._now() - LOOK_BACK_AT_START)

    def stop(self) -> Deferred[None]:
        """Write what has come; fires when it is written (or can't be: then it is said so)."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._writing is not None:
            return self._writing.addCallback(lambda _: self._work(MAX_WAITING))
        return self._work(MAX_WAITING)

    # What is told (dialer.CallBook, SmdrOwner)

    def recorded(self, record: CallRecord) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._lost += 1
            if self._lost == 1:
                self._log.error("call records are lost: the store has not worked for too long")
            return
        self._waiting.append(record)
        self._look(record.gateway, record.ended_at or self._now())

    def attempt_over(self, gateway: str) -> None:
        self._look(gateway, self._now() - LOOK_BACK)

    def read_again(self, gateway: str, read: Callable[[CallRecord], CallRecord]) -> None:
        self._again[gateway] = read
        self._soon(GATHER_S)

    # Within

    def _look(self, gateway: str, since: datetime) -> None:
        self._remember(gateway, since)
        self._soon(GATHER_S)

    def _remember(self, gateway: str, since: datetime) -> None:
        self._since[gateway] = min(since, self._since.get(gateway, since))

    def _soon(self, seconds: float) -> None:
        if self._stopped or self._writing is not None or (self._timer is not None and self._timer.active()):
            return
        self._timer = self._clock.callLater(seconds, self._work)

    def _work(self, most: int = 0) -> Deferred[None]:
        """``most`` records are written now; 0: AT_ONCE."""
        most = most or AT_ONCE
        records, self._waiting = self._waiting[:most], self._waiting[most:]
        since, self._since = self._since, {}
        for record in self._waiting:
            self._remember(record.gateway, record.ended_at or self._now())
        again, self._again = self._again, {}
        if not records and not since and not again:
            return succeed(None)

        def write(conn: Connection) -> None:
            call_records.add(conn, records, self._now())
            moments = dict(since)
            for gateway, read in again.items():
                now_read = [read(record) for record in call_records.unread(conn, gateway)]
                call_records.read_again(conn, now_read)
                for record in now_read:
                    if record.ended_at is not None:
                        moments[gateway] = min(record.ended_at, moments.get(gateway, record.ended_at))
            for gateway, moment in moments.items():
                if gateway in self._dialled:
                    matching = self._matching.get(gateway)
                    call_records.find_attempts(conn, gateway, moment, self._dialled[gateway], matching)

        def failed(failure: Failure) -> None:
            self._waiting = records + self._waiting
            for gateway, moment in since.items():
                self._remember(gateway, moment)
            self._again = {**again, **self._again}
            self._log.failure("{count} call records could not be written yet", failure, count=len(records))
            over(STORE_RETRY_S)

        def over(wait_s: float) -> None:
            self._writing = None
            if self._waiting or self._since or self._again:
                self._soon(wait_s)

        done: Deferred[None] = self._store.run(write).addCallbacks(lambda _: over(GATHER_S), failed)
        if not done.called:
            self._writing = done
        return done
