"""Starts campaigns by the clock: cron lines that are due, looked for every second, start as by ``ocm start``.

A start and the next moment of its line are one transaction: a line that is due starts once, whatever breaks off in the
middle. What was missed while no server was at work is made up for only within ``LATE_S``: a list that was to be called
at nine in the morning must not be called at nine in the evening because the machine was off.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti import config as configuration
from ocm_cti import cron, starting
from ocm_cti.clock import Clock
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Table
from ocm_cti.store import audit, schedules
from ocm_cti.store.errors import StoreError, may_pass
from ocm_cti.store.transactions import Connection, Store

POLL_S = 1.0
LATE_S = 3600.0
#: Of a start that nobody was there to read; ``ocm import --from-database --dry-run`` shows all.
REMARKS_SHOWN = 1


class Timetable:
    """Owned by the service; ``start`` and ``stop`` once each. ``started`` is called when a campaign was started."""

    def __init__(
        self,
        store: Store,
        config_path: Path,
        clock: Clock,
        now: Callable[[], datetime],
        started: Callable[[], None],
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]] = maybeDeferred,
    ) -> None:
        self._in_thread = in_thread
        self._store = store
        self._config_path = config_path
        self._now = now
        self._started = started
        self._log = Logger()
        self._loop = LoopingCall(self._pass)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._stopped: Deferred[Any] | None = None

    def start(self) -> None:
        self._stopped = self._loop.start(POLL_S)

    def stop(self) -> Deferred[Any]:
        """Fires when a start that is under way is over; harmless before ``start``."""
        if self._loop.running:
            self._loop.stop()
        return self._stopped or succeed(None)

    @inlineCallbacks
    def _pass(self) -> Any:
        try:
            due = yield self._store.read(lambda conn: schedules.planned(conn, self._now()))
        except Exception:
            self._log.failure("the timetable could not be looked at this time")
            return
        for planned in due:
            try:
                yield self._see_to(planned)
            except Exception:  # of this one; the others must not wait for it
                self._log.failure("{list} by the clock: it could not be started this time", list=planned.list_name)

    @inlineCallbacks
    def _see_to(self, planned: schedules.Planned) -> Any:
        try:
            fetched = yield self._in_thread(partial(self._fetch, planned))
        except Exception as error:  # his database must not be asked each second for what can't be read
            self._log.failure("{list} by the clock: its source could not be read", list=planned.list_name)
            fetched = ImportFailed(_fault(error))
        began, result = yield self._store.run(partial(self._start, planned, fetched))
        tell = self._log.info if began else self._log.warn
        tell("{list} by the clock: {result}", list=planned.list_name, result=result)
        if began:
            self._started()

    def _fetch(self, planned: schedules.Planned) -> Table | ImportFailed | None:
        """In a thread of its own: the customer's database may be slow."""
        try:
            return starting.fetch(configuration.load(self._config_path), planned.list_name)
        except configuration.ConfigError:
            return None  # the start will say so
        except ImportFailed as error:
            return error

    def _start(
        self, planned: schedules.Planned, fetched: Table | ImportFailed | None, conn: Connection
    ) -> tuple[bool, str]:
        """In the writer's transaction; whether a campaign began, and what came of it.

        A run that is left out stands in the audit too: the timetable shows only what came of the last one.
        """
        if not schedules.take(conn, planned.schedule_id, planned.next_at):
            return False, "another server has seen to it, or it was taken off the timetable"
        now = self._now()
        began = False
        late = now - planned.next_at
        next_at = cron.next_after(planned.cron, planned.zone, now)
        if late > timedelta(seconds=LATE_S):
            result = f"left out: no server was at work then, and it is {int(late.total_seconds() // 60)} minutes later"
        else:
            try:
                if isinstance(fetched, ImportFailed):
                    raise fetched
                with conn.begin_nested():
                    # As it stands now: what was changed since the server began holds, as with ``ocm start``.
                    config = configuration.load(self._config_path)
                    how = starting.How("the timetable")
                    started = starting.start(conn, config, planned.list_name, how, now, fetched)
                began, result = True, _said(started)
            except (StoreError, configuration.ConfigError, ImportFailed) as error:
                result = f"not started: {error}"
            except Exception as error:
                if may_pass(error):
                    raise  # it is still due
                self._log.failure("{list} by the clock: not started", list=planned.list_name)
                result = f"not started: {_fault(error)}"
        schedules.advance(conn, planned.schedule_id, planned.next_at, next_at, result)
        if not began:
            details = {
                "cron": planned.cron,
                "planned for": planned.next_at.isoformat(timespec="minutes"),
                "why": result,
            }
            audit.write(conn, audit.Entry(now, "the timetable", "schedule.left_out", planned.list_name, details))
        return began, result


def _said(started: starting.Started) -> str:
    """What the timetable shows of a start that nobody was there to read the rest of."""
    words = f"campaign {started.campaign_id} started"
    if started.refused:
        words += f"; {started.refused} rows of its database can't be called"
    for remark in started.remarks[:REMARKS_SHOWN]:
        words += f"; row {remark.row}: {remark.reason}"
    more = len(started.remarks) - REMARKS_SHOWN
    return words + (f"; and {more} more remarks" if more > 0 else "")


def _fault(error: Exception) -> str:
    return f"a fault of the program, the log has more: {type(error).__name__}: {error}"
