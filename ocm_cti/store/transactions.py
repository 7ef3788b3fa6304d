"""The one door to the database: SQLite in a file, or PostgreSQL by a URL.

One writer thread takes jobs from a queue and commits them in groups: ``BEGIN IMMEDIATE``, a savepoint for each job so
that a failing one fails alone, one commit with synchronous=FULL for all, and only then the Deferreds fire. Readers use
connections of their own that can't write. Measured reasons: without an explicit BEGIN, SQLite under SQLAlchemy loses
updates silently; with several writers some wait for seconds.

PostgreSQL has other writers (nodes, commands) beside us. It works at READ COMMITTED: what a job reads in order to write
it must lock (``with_for_update``, which SQLite leaves out, and ``locks``). Of two transactions that wait for each other
the server breaks one; its job has not happened then, and is run again. So a job may be run more than once, also there:
what it changes outside of the database must bear that.
"""

from __future__ import annotations

import contextlib
import functools
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
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import NullPool
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from ocm_cti.store import locks
from ocm_cti.store.errors import StoreError
from ocm_cti.store.node_name import NodeName

__all__ = ["Connection", "Store"]

T = TypeVar("T")

#: Jobs committed together at most; more would only make the first of them wait.
GROUP = 100
#: ``ocm import`` of a hundred thousand people is one transaction of some ten seconds, beside a server that calls.
BUSY_TIMEOUT_MS = 20_000
#: How long we wait for another node's transaction; one of ours takes milliseconds.
LOCK_TIMEOUT_MS = 20_000
#: A link to it on which nothing is heard any more is given up after this; TCP alone would wait for hours.
LINK_LOST_S = 30
#: What PostgreSQL says of a transaction that was in the way of another: serialization failure, deadlock.
IN_THE_WAY = ("40001", "40P01")
#: A job that was in the way is run so often at most.
RUNS = 5


@dataclass
class _Job:
    work: Callable[[Connection], Any]
    done: Callable[[Any], None]  # called in the writer thread with the result or a Failure
    result: Any = None


class Store:
    """Open by ``Store.open``. ``run`` and ``read`` are for the reactor, ``run_now`` and ``read_now`` for commands."""

    def __init__(self, place: Path | URL, reactor: Any) -> None:
        self.shown = shown(place)
        self._reactor = reactor
        self._writer = _engine(place, read_only=False)
        self._reader = _engine(place, read_only=True)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._node: NodeName | None = None
        self._closed = False

    @classmethod
    def open(cls, place: Path | str, reactor: Any = None) -> Store:
        """Open or make the database, bring it to this version; raises StoreError. ``reactor`` None: for commands.

        ``place`` is a file of SQLite's, or the URL of a database of PostgreSQL's, which must be there.
        """
        found = _place(place)
        try:
            if isinstance(found, Path):
                found.parent.mkdir(parents=True, exist_ok=True)
            store = cls(found, reactor)
            store._migrate()
        except CommandError as error:
            raise StoreError(f"{shown(found)}: the database was made by a newer version of this program") from error
        except ModuleNotFoundError as error:
            raise StoreError(
                f"{shown(found)}: the driver {error.name} is not installed; pip install 'ocm-cti[postgres]'"
            ) from error
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StoreError(f"{shown(found)}: the database can't be opened: {reason}") from error
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
        for run in range(1, RUNS + 1):
            try:
                with self._writer.begin() as connection:
                    return job(connection)
            except DatabaseError as error:
                if run == RUNS or not _was_in_the_way(error):
                    raise StoreError(f"{self.shown}: can't be written: {error.orig}") from error
        raise AssertionError("the last run returns or raises")

    def read_now(self, job: Callable[[Connection], T]) -> T:
        """The same on a read-only connection; raises StoreError if it can't be read."""
        try:
            with self._reader.connect() as connection:
                return job(connection)
        except DatabaseError as error:
            raise StoreError(f"{self.shown}: can't be read: {error.orig}") from error

    def be_node(self, name: str) -> None:
        """Be the only server of this name on the database, until it is closed; raises StoreError.

        Two of one name would each take the other's calls for what a crash left behind. A file has its folder's lock.
        """
        if self._writer.dialect.name == "sqlite":
            return
        self._node = NodeName(self._writer, name, self.shown)
        if not self._node.take():
            raise StoreError(
                f"{self.shown}: another server named {name!r} is at work on this database; give this one a name of its "
                "own: node = ... in its configuration"
            )

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
        if self._node is not None:
            self._node.release()
        self._writer.dispose()
        self._reader.dispose()

    def _migrate(self) -> None:
        config = AlembicConfig()
        config.set_main_option("script_location", "ocm_cti.store:migrations")
        config.set_main_option("path_separator", "os")
        with self._writer.begin() as connection:
            locks.wait_for(connection, "migrations")  # nodes may start together
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _start_threads(self) -> None:
        for name, target in (("store-writer", self._write_loop), ("store-reader", self._read_loop)):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _post(self, jobs: queue.SimpleQueue[_Job | None], work: Callable[[Connection], T]) -> Deferred[T]:
        if self._closed:
            return fail(StoreError(f"{self.shown}: is closed"))
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

    def _commit(self, group: list[_Job], runs: int = RUNS) -> None:
        again: list[_Job] = []
        try:
            with self._writer.begin() as connection:
                for job in group:
                    try:
                        with connection.begin_nested():
                            job.result = job.work(connection)
                    except Exception as error:
                        job.result = _failure()
                        if runs > 1 and _was_in_the_way(error):
                            again.append(job)
                    _still_open(connection)
        except Exception:
            # The group as a whole did not reach the disk: nothing of it happened.
            failure = _failure()
            for job in group:
                job.done(failure)
            return
        for job in group:
            if job not in again:
                job.done(job.result)
        if again:
            # Not in the same transaction: it may be what those before it hold that the other one waits for.
            self._commit(again, runs - 1)
        if self._node is not None:
            self._node.keep()

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


def _was_in_the_way(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) and getattr(error.orig, "sqlstate", None) in IN_THE_WAY


def _place(place: Path | str) -> Path | URL:
    """A file, or a URL of what we can work with; raises StoreError."""
    if isinstance(place, Path):
        return place
    try:
        url = make_url(place)
    except ArgumentError:
        raise StoreError(f"{place!r} is no database: a file, or postgresql+psycopg://USER@HOST/NAME") from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database:
        return Path(url.database)
    if kind != "postgresql":
        raise StoreError(f"{shown(url)}: the database must be PostgreSQL or a file of SQLite's")
    return url.set(drivername="postgresql+psycopg")


def shown(place: Path | URL) -> str:
    """For messages: without the password."""
    return place.render_as_string(hide_password=True) if isinstance(place, URL) else str(place)


def _engine(place: Path | URL, *, read_only: bool) -> Engine:
    return _sqlite(place, read_only=read_only) if isinstance(place, Path) else _postgresql(place, read_only=read_only)


def _postgresql(url: URL, *, read_only: bool) -> Engine:
    settings = {
        "TimeZone": "UTC",
        "lock_timeout": LOCK_TIMEOUT_MS,
        # Whoever sits on a snapshot makes every claim slow: dead entries stay at the head of its index.
        "idle_in_transaction_session_timeout": 60_000,
    }
    if not read_only:
        settings["synchronous_commit"] = "on"
    engine = create_engine(
        url,
        pool_pre_ping=True,  # the server may have been started anew
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        execution_options={"postgresql_readonly": True} if read_only else {},
        connect_args={
            "connect_timeout": 10,
            "keepalives_idle": LINK_LOST_S // 2,
            "keepalives_interval": LINK_LOST_S // 6,
            "keepalives_count": 3,
            "tcp_user_timeout": LINK_LOST_S * 1000,
            "application_name": "ocm",
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )

    def configure(connection: Any, record: object) -> None:
        connection.adapters.register_dumper(str, _without_nul())

    event.listen(engine, "connect", configure)
    return engine


@functools.cache
def _without_nul() -> type[Any]:
    """PostgreSQL refuses texts with NUL in them; SQLite keeps them. What switches and files send may have some."""
    from psycopg.types.string import StrDumper

    class WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    return WithoutNul


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sqlite(path: Path, *, read_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool if read_only else None,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    def configure(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        # SQLite's own knows ASCII only; PostgreSQL's knows Cyrillic letters as well.
        connection.create_function("lower", 1, _lower, deterministic=True)
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
