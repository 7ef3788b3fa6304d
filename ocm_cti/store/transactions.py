"""The one door to the database.

One writer thread takes jobs from a queue and commits them in groups: ``BEGIN IMMEDIATE``, a savepoint for each job so
that a failing one fails alone, one commit with synchronous=FULL for all, and only then the Deferreds fire. Readers use
connections of their own that can't write. Measured reasons: without an explicit BEGIN, SQLite under SQLAlchemy loses
updates silently; with several writers some wait for seconds.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from ocm_cti.store.errors import StoreError

__all__ = ["Connection", "Store"]

T = TypeVar("T")

#: Jobs committed together at most; more would only make the first of them wait.
GROUP = 100
BUSY_TIMEOUT_MS = 5000


@dataclass
class _Job:
    work: Callable[[Connection], Any]
    done: Callable[[Any], None]  # called in the writer thread with the result or a Failure
    result: Any = None


class Store:
    """Open by ``Store.open``. ``run`` and ``read`` are for the reactor, ``run_now`` and ``read_now`` for commands."""

    def __init__(self, path: Path, reactor: Any) -> None:
        self._path = path
        self._reactor = reactor
        self._writer = _engine(path, read_only=False)
        self._reader = _engine(path, read_only=True)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    @classmethod
    def open(cls, path: Path, reactor: Any = None) -> Store:
        """Open or make the database, bring it to this version; raises StoreError. ``reactor`` None: for commands."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = cls(path, reactor)
            store._migrate()
        except CommandError as error:
            raise StoreError(f"{path}: the database was made by a newer version of this program") from error
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            reason = getattr(error, "orig", None) or error
            raise StoreError(f"{path}: the database can't be opened: {reason}") from error
        if reactor is not None:
            store._start_threads()
        return store

    def run(self, job: Callable[[Connection], T]) -> Deferred[T]:
        """Run ``job`` in a write transaction; fires on the reactor after the commit, or with the job's own failure."""
        return self._post(self._jobs, job)

    def read(self, job: Callable[[Connection], T]) -> Deferred[T]:
        """Run ``job`` on a read-only connection: it sees what was committed when it began."""
        return self._post(self._reads, job)

    def run_now(self, job: Callable[[Connection], T]) -> T:
        """The same in the calling thread, for commands without a reactor; raises StoreError if it can't be written."""
        try:
            with self._writer.begin() as connection:
                return job(connection)
        except DatabaseError as error:
            raise StoreError(f"{self._path}: can't be written: {error.orig}") from error

    def read_now(self, job: Callable[[Connection], T]) -> T:
        """The same on a read-only connection; raises StoreError if it can't be read."""
        try:
            with self._reader.connect() as connection:
                return job(connection)
        except DatabaseError as error:
            raise StoreError(f"{self._path}: can't be read: {error.orig}") from error

    def close(self) -> Deferred[None]:
        """Commit what is queued, then end the threads; fires when they have ended. Later jobs fail."""
        if self._closed:
            return succeed(None)
        self._closed = True
        if not self._threads:
            self._dispose()
            return succeed(None)
        closed: Deferred[None] = Deferred()

        def join() -> None:
            self._jobs.put(None)
            self._reads.put(None)
            for thread in self._threads:
                thread.join()
            self._dispose()
            self._reactor.callFromThread(closed.callback, None)

        threading.Thread(target=join, name="store-close", daemon=True).start()
        return closed

    # --- inside ---

    def _dispose(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def _migrate(self) -> None:
        config = AlembicConfig()
        config.set_main_option("script_location", "ocm_cti.store:migrations")
        config.set_main_option("path_separator", "os")
        with self._writer.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _start_threads(self) -> None:
        for name, target in (("store-writer", self._write_loop), ("store-reader", self._read_loop)):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _post(self, jobs: queue.SimpleQueue[_Job | None], work: Callable[[Connection], T]) -> Deferred[T]:
        if self._closed:
            return fail(StoreError(f"{self._path}: is closed"))
        result: Deferred[T] = Deferred()

        def fire(value: Any) -> None:
            self._reactor.callFromThread(result.errback if isinstance(value, Failure) else result.callback, value)

        jobs.put(_Job(work, fire))
        return result

    def _write_loop(self) -> None:
        last = False
        while not last:
            job = self._jobs.get()
            group: list[_Job] = []
            while job is not None:
                group.append(job)
                if len(group) >= GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            last = job is None
            if group:
                self._commit(group)

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._writer.begin() as connection:
                for job in group:
                    try:
                        with connection.begin_nested():
                            job.result = job.work(connection)
                    except Exception:
                        job.result = _failure()
                    _still_open(connection)
        except Exception:
            # The group as a whole did not reach the disk: nothing of it happened.
            failure = _failure()
            for job in group:
                job.done(failure)
            return
        for job in group:
            job.done(job.result)

    def _read_loop(self) -> None:
        while (job := self._reads.get()) is not None:
            try:
                with self._reader.connect() as connection:
                    result = job.work(connection)
            except Exception:
                result = _failure()
            job.done(result)


def _failure() -> Failure:
    """The exception being handled."""
    return Failure()  # type: ignore[no-untyped-call]


def _still_open(connection: Connection) -> None:
    """A full disk makes SQLite roll the whole transaction back; then COMMIT has nothing to do and says nothing.

    The jobs before must not be told that they are on the disk, and those after must not run without a transaction.
    """
    dbapi = connection.connection.dbapi_connection
    if isinstance(dbapi, sqlite3.Connection) and not dbapi.in_transaction:
        raise StoreError("the database rolled the transaction back (is the disk full?)")


def _engine(path: Path, *, read_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool if read_only else None,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    def configure(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            cursor.execute("PRAGMA foreign_keys=ON")
            if read_only:
                cursor.execute("PRAGMA query_only=ON")
            else:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=FULL")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", begin)
    return engine
