"""The one door to the database: what is told as committed is committed, and a failing job fails alone."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from postgres import Postgres
from sqlalchemy import Connection, event, inspect, text
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import metadata
from ocm_cti.store.transactions import LINK_LOST_S, Store

PATIENCE_S = 30.0


class PumpedReactor:
    """Carries the store's threads' calls over to the test, which runs them while it waits for a Deferred."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = queue.SimpleQueue()

    def callFromThread(self, call: Callable[..., Any], *args: Any) -> None:
        self._calls.put((call, args))

    def wait_for(self, deferred: Deferred[Any]) -> Any:
        """The result; a Failure is given, not raised."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            call, args = self._calls.get(timeout=PATIENCE_S)
            call(*args)
        return results[0]


@pytest.fixture
def pump() -> PumpedReactor:
    return PumpedReactor()


@pytest.fixture
def store(tmp_path: Path, pump: PumpedReactor) -> Iterator[Store]:
    store = Store.open(tmp_path / "ocm.db", pump)
    store.run_now(lambda conn: conn.execute(text("CREATE TABLE pad (n INTEGER PRIMARY KEY)")))
    yield store
    pump.wait_for(store.close())
    assert not [thread.name for thread in threading.enumerate() if thread.name in ("store-writer", "store-reader")]


def put(number: int) -> Callable[[Connection], int]:
    def job(conn: Connection) -> int:
        conn.execute(text("INSERT INTO pad VALUES (:n)"), {"n": number})
        return number

    return job


def on_disk(path: Path) -> list[int]:
    """Read past our own code, on another connection."""
    with sqlite3.connect(path) as base:
        return [row[0] for row in base.execute("SELECT n FROM pad ORDER BY n")]


class Held:
    """Keeps the writer busy, so that what is asked meanwhile becomes one group."""

    def __init__(self, store: Store) -> None:
        self._go = threading.Event()
        begun = threading.Event()

        def job(conn: Connection) -> None:
            begun.set()
            assert self._go.wait(PATIENCE_S)

        self.done = store.run(job)
        assert begun.wait(PATIENCE_S)

    def release(self) -> None:
        self._go.set()


def test_a_job_is_on_disk_when_its_deferred_fires(store: Store, pump: PumpedReactor, tmp_path: Path) -> None:
    assert pump.wait_for(store.run(put(7)).addCallback(lambda n: (n, on_disk(tmp_path / "ocm.db")))) == (7, [7])


def test_waiting_jobs_share_a_commit_and_a_failing_one_fails_alone(
    store: Store, pump: PumpedReactor, tmp_path: Path
) -> None:
    commits: list[object] = []
    event.listen(store._writer, "commit", commits.append)

    def half(conn: Connection) -> None:
        put(98)(conn)
        raise RuntimeError("in the middle")

    held = Held(store)
    asked: list[Deferred[Any]] = [store.run(put(1)), store.run(half), store.run(put(1)), store.run(put(2))]
    outcomes: list[Any] = []
    for deferred in asked:  # they fire in the order in which they were asked
        deferred.addBoth(outcomes.append)
    held.release()
    pump.wait_for(gatherResults(asked))
    assert outcomes[0] == 1 and outcomes[3] == 2
    assert outcomes[1].check(RuntimeError) and "UNIQUE" in str(outcomes[2].value)
    assert on_disk(tmp_path / "ocm.db") == [1, 2]
    assert len(commits) == 2  # the holder's own, and one for the group


def undo_everything(conn: Connection) -> None:
    """What SQLite does by itself when the disk is full."""
    conn.exec_driver_sql("ROLLBACK")


def undo_and_fail(conn: Connection) -> None:
    undo_everything(conn)
    raise sqlite3.OperationalError("database or disk is full")


def refuse_to_commit(conn: Connection) -> None:
    conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    conn.exec_driver_sql("INSERT INTO calling (number, attempt_id) VALUES ('+7', 12345)")


@pytest.mark.parametrize("spoiler", [undo_everything, undo_and_fail, refuse_to_commit])
def test_a_group_that_is_not_on_disk_is_told_so_to_everybody(
    store: Store, pump: PumpedReactor, tmp_path: Path, spoiler: Callable[[Connection], None]
) -> None:
    held = Held(store)
    before, wrong, after = store.run(put(1)), store.run(spoiler), store.run(put(2))
    held.release()
    assert all(isinstance(pump.wait_for(deferred), Failure) for deferred in (before, wrong, after))
    assert on_disk(tmp_path / "ocm.db") == []
    assert pump.wait_for(store.run(put(3))) == 3  # and it goes on
    assert on_disk(tmp_path / "ocm.db") == [3]


def test_readers_can_not_write(store: Store, pump: PumpedReactor) -> None:
    failure = pump.wait_for(store.read(put(1)))
    assert "readonly" in str(failure.value)
    with pytest.raises(StoreError, match="readonly"):
        store.read_now(put(1))


def test_readers_see_what_was_committed(store: Store, pump: PumpedReactor) -> None:
    pump.wait_for(store.run(put(4)))
    assert pump.wait_for(store.read(lambda conn: conn.execute(text("SELECT n FROM pad")).scalar())) == 4
    assert store.read_now(lambda conn: conn.execute(text("SELECT n FROM pad")).scalar()) == 4


def test_pragmas(store: Store) -> None:
    def ask(conn: Connection) -> list[object]:
        return [
            conn.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "query_only")
        ]

    assert store.run_now(ask) == ["wal", 2, 1, 0]
    assert store.read_now(ask)[2:] == [1, 1]


def test_no_update_is_lost_between_threads(store: Store, tmp_path: Path) -> None:
    """The trap of SQLAlchemy's default: read n, write n + 1 from several threads."""
    store.run_now(put(0))
    other = Store.open(tmp_path / "ocm.db")

    def count(door: Store) -> None:
        for _ in range(10):
            door.run_now(
                lambda conn: conn.execute(
                    text("UPDATE pad SET n = :n"), {"n": conn.execute(text("SELECT n FROM pad")).scalar_one() + 1}
                )
            )

    threads = [threading.Thread(target=count, args=(door,)) for door in (store, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    other.close()
    assert on_disk(tmp_path / "ocm.db") == [40]


def test_closing_commits_what_was_asked_before(tmp_path: Path, pump: PumpedReactor) -> None:
    store = Store.open(tmp_path / "ocm.db", pump)
    store.run_now(lambda conn: conn.execute(text("CREATE TABLE pad (n INTEGER PRIMARY KEY)")))
    held = Held(store)
    asked = [store.run(put(number)) for number in range(250)]
    closed = store.close()
    late = store.run(put(999))
    held.release()
    assert pump.wait_for(gatherResults(asked)) == list(range(250))
    assert pump.wait_for(closed) is None
    assert pump.wait_for(late).check(StoreError)
    assert pump.wait_for(store.close()) is None
    assert on_disk(tmp_path / "ocm.db") == list(range(250))


def test_migrations_make_the_schema_and_can_go_back(database: Path | str) -> None:
    store = Store.open(database)

    def differences(conn: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(conn), metadata))

    assert store.run_now(differences) == []

    def down(conn: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "ocm_cti.store:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = conn
        command.downgrade(config, "base")

    store.run_now(down)
    assert store.run_now(lambda conn: inspect(conn).get_table_names()) == ["alembic_version"]
    store.close()
    Store.open(database).close()


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store.open(tmp_path / "new folder" / "100% ours?.db")
        store.run_now(
            lambda conn: conn.execute(text("INSERT INTO list (name, created_at) SELECT 'a' || count(*), '' FROM list"))
        )
        store.close()
    assert [path.name for path in (tmp_path / "new folder").glob("*.db")] == ["100% ours?.db"]
    with sqlite3.connect(tmp_path / "new folder" / "100% ours?.db") as base:
        assert base.execute("SELECT count(*) FROM list").fetchone() == (2,)


def no_database(path: Path) -> None:
    path.write_bytes(b"This is a letter, not a database. " * 50)


def a_folder(path: Path) -> None:
    path.mkdir()


def from_the_future(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as base:
        base.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (no_database, "file is not a database"),
        (a_folder, "can't be opened"),
        (from_the_future, "was made by a newer version of this program"),
    ],
)
def test_a_database_that_is_no_good_is_one_line(tmp_path: Path, made: Callable[[Path], None], said: str) -> None:
    path = tmp_path / "ocm.db"
    made(path)
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert said in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


# --- the same on PostgreSQL ---


@pytest.fixture
def shared(postgres_url: str, pump: PumpedReactor) -> Iterator[Store]:
    store = Store.open(postgres_url, pump)
    store.run_now(lambda conn: conn.execute(text("CREATE TABLE pad (n INTEGER PRIMARY KEY)")))
    yield store
    pump.wait_for(store.close())
    assert not [thread.name for thread in threading.enumerate() if thread.name in ("store-writer", "store-reader")]


def kept(store: Store) -> list[int]:
    return store.read_now(lambda conn: list(conn.execute(text("SELECT n FROM pad ORDER BY n")).scalars()))


def test_jobs_share_a_commit_on_postgresql(shared: Store, pump: PumpedReactor) -> None:
    def half(conn: Connection) -> None:
        put(98)(conn)
        raise RuntimeError("in the middle")

    held = Held(shared)
    asked: list[Deferred[Any]] = [shared.run(put(1)), shared.run(half), shared.run(put(1)), shared.run(put(2))]
    outcomes: list[Any] = []
    for deferred in asked:
        deferred.addBoth(outcomes.append)
    held.release()
    pump.wait_for(gatherResults(asked))
    assert outcomes[0] == 1 and outcomes[3] == 2
    assert outcomes[1].check(RuntimeError) and "pad_pkey" in str(outcomes[2].value)
    assert kept(shared) == [1, 2]


def test_a_connection_that_breaks_fails_its_group_and_no_other(shared: Store, pump: PumpedReactor) -> None:
    def break_it(conn: Connection) -> None:
        conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    held = Held(shared)
    before, wrong, after = shared.run(put(1)), shared.run(break_it), shared.run(put(2))
    held.release()
    assert all(isinstance(pump.wait_for(deferred), Failure) for deferred in (before, wrong, after))
    assert pump.wait_for(shared.run(put(3))) == 3
    assert kept(shared) == [3]


def test_a_link_that_went_without_a_word_is_noticed(shared: Store) -> None:
    """Else a job waits for hours for an answer that can't come, and with it everything that is to be written."""

    def parameters(conn: Connection) -> dict[str, str]:
        return dict(conn.connection.dbapi_connection.info.get_parameters())  # type: ignore[union-attr]

    for known in (shared.run_now(parameters), shared.read_now(parameters)):
        names = ("keepalives_idle", "keepalives_interval", "keepalives_count")
        idle_s, interval_s, count = (int(known[name]) for name in names)
        assert idle_s + interval_s * count <= LINK_LOST_S
        assert int(known["tcp_user_timeout"]) <= LINK_LOST_S * 1000


def test_the_name_of_a_server_is_its_own_also_after_the_database_was_away(
    shared: Store, pump: PumpedReactor, postgres: Postgres, postgres_url: str
) -> None:
    shared.be_node("tower")
    database = postgres_url.rsplit("/", 1)[1]
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    pump.wait_for(shared.run(put(1)))  # fails or not: the pool looks before it lends a connection
    pump.wait_for(shared.run(put(2)))
    twin = Store.open(postgres_url)
    with pytest.raises(StoreError, match="tower"):
        twin.be_node("tower")
    twin.close()


def test_a_name_that_was_taken_meanwhile_is_had_again_when_it_is_free(
    shared: Store, pump: PumpedReactor, postgres: Postgres, postgres_url: str
) -> None:
    shared.be_node("tower")
    database = postgres_url.rsplit("/", 1)[1]
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    twin = Store.open(postgres_url)
    twin.be_node("tower")
    assert pump.wait_for(shared.run(put(1))) == 1, "calls go on"
    twin.close()
    assert pump.wait_for(shared.run(put(2))) == 2
    third = Store.open(postgres_url)
    with pytest.raises(StoreError, match="tower"):
        third.be_node("tower")
    third.close()


def test_readers_can_not_write_on_postgresql(shared: Store, pump: PumpedReactor) -> None:
    assert "read-only" in str(pump.wait_for(shared.read(put(1))).value)
    with pytest.raises(StoreError, match="read-only"):
        shared.read_now(put(1))


def test_servers_may_start_together_on_an_empty_database(postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE fresh")
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(Store.open(postgres.url("fresh")))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(opened) == 3
    for store in opened:
        store.close()
    postgres.sql("DROP DATABASE fresh WITH (FORCE)")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "postgresql://ocm:secret@127.0.0.1:1/none",
            r"ocm:\*\*\*@127.0.0.1:1/none: .*opened: .*refused",
        ),
        ("mysql://localhost/n", "must be PostgreSQL or a file"),
        ("nonsense", "is no database"),
    ],
)
def test_a_url_that_is_no_good_is_one_line(place: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(place)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
