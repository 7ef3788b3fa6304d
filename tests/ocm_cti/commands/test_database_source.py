"""A list that comes from the customer's own database, which SQLite plays, and tells it what came of his people."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import InlineStore
from postgres import Postgres
from twisted.internet.task import Clock

from ocm_cti.cli import main
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.sources import Source
from ocm_cti.imports.database import read_select, try_write_back
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.service import FolderLock
from ocm_cti.store import attempts, campaigns, readiness, tasks
from ocm_cti.store.attempts import Finish
from ocm_cti.store.transactions import Connection
from ocm_cti.write_back import WriteBack

CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
[lists.debtors]
scenario = "s.toml"
language = "ru"
[lists.debtors.source]
url = "sqlite:///FOLDER/crm.db"
select = "SELECT id, fio AS name, tel AS phone, debt FROM people WHERE debt > 0 ORDER BY id"
before_each_run = true
write_back = "UPDATE people SET tries=:attempts, result=:outcome, pressed=:keys, again=:next_try WHERE id = :key"
"""
SCENARIO = 'name = "s"\nlanguage = "ru"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Долг."\n'
T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Crm:
    """The customer's database and our office beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = CONFIG.replace("FOLDER", str(folder))
        (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
        self.write(self.config)
        self.sql("CREATE TABLE people (id INTEGER, fio TEXT, tel TEXT, debt NUMERIC, tries, result, pressed, again)")
        self.sql("INSERT INTO people (id, fio, tel, debt) VALUES (1, 'Анна', '84951234501', 12.5)")
        self.sql("INSERT INTO people (id, fio, tel, debt) VALUES (2, 'Борис', '84951234502', 7)")
        self.sql("INSERT INTO people (id, fio, tel, debt) VALUES (3, 'Вера', 'нет', 7)")

    def write(self, config: str) -> None:
        (self.folder / "ocm.toml").write_text(config, encoding="utf-8")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "crm.db")) as base:
            found = base.execute(statement).fetchall()
            base.commit()
            return found

    def ocm(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, "-c", str(self.folder / "ocm.toml"), *arguments])

    def call(self, store: InlineStore, outcome: Outcome, keys: str = "") -> None:
        """One call of the running campaign, with that outcome."""

        def through(conn: Connection) -> None:
            (campaign_id,) = campaigns.running(conn)
            readiness.ready(conn, [one.task_id for one in readiness.unprepared(conn, campaign_id, 0, 99)], T0)
            claim = tasks.claim(conn, campaign_id, "office", "301", "n", datetime.now(UTC) + timedelta(seconds=1))
            assert claim is not None
            finish = Finish(outcome, Cause.NORMAL, T0, keys=keys)
            attempts.finish(conn, claim.attempt_id, finish, T0)

        store.now(through)

    @property
    def told(self) -> list[tuple[Any, ...]]:
        return self.sql("SELECT tries, result, pressed, again FROM people ORDER BY id")


@pytest.fixture
def crm(tmp_path: Path) -> Crm:
    return Crm(tmp_path)


@pytest.fixture
def store(crm: Crm) -> Iterator[InlineStore]:
    store = InlineStore(crm.folder / "data" / "ocm.db")
    yield store
    store.close()


def writer(crm: Crm, store: InlineStore, clock: Clock | None = None) -> WriteBack:
    url = f"sqlite:///{crm.folder}/crm.db"
    update = "UPDATE people SET tries=:attempts, result=:outcome, pressed=:keys, again=:next_try WHERE id = :key"
    source = Source(url, "SELECT 1", write_back=update)
    return WriteBack(store, {"debtors": source}, clock or Clock(), lambda: T0)  # type: ignore[arg-type]


def test_it_is_imported_as_a_file_would_be(crm: Crm) -> None:
    result = crm.ocm("import", "--list", "debtors", "--from-database")
    assert result.exit_code == 0, result.output
    assert "created 2" in result.output and "row 3 refused: 'нет' is no telephone number" in result.output


def test_the_list_is_whoever_is_in_it_at_the_start(crm: Crm) -> None:
    assert "2 people are going to be called" in crm.ocm("start", "debtors").output
    crm.ocm("stop", "debtors")
    crm.sql("UPDATE people SET debt = 0 WHERE id = 1")  # she has paid
    result = crm.ocm("start", "debtors")
    assert "1 people are going to be called" in result.output and "1 rows of its database can't" in result.output
    crm.ocm("stop", "debtors")
    crm.sql("UPDATE people SET debt = 9 WHERE id = 1")
    result = crm.ocm("start", "debtors")
    assert "row 1 of its database: had been taken off this list; he is on it again" in result.output


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        pytest.param("FROM people", "FROM persons", "no such table: persons", id="table"),
        pytest.param("crm.db", "gone/crm.db", "there is no such file", id="away"),
        pytest.param("tel AS phone", "tel AS t", "no column of telephone numbers among id, name, t, debt", id="none"),
        pytest.param("sqlite:///", "postgresql+nothing://", "SQLAlchemy knows no such kind", id="dialect"),
        pytest.param("sqlite:///", "mysql+pymysql://u:secret@h/", "pip install 'pymysql'", id="driver"),
        pytest.param(
            '"sqlite:///', '"sqlite:///${NOT_SET_ANYWHERE}', "is not set in the environment", id="environment"
        ),
    ],
)
def test_when_it_can_not_be_asked_nothing_is_started(crm: Crm, right: str, wrong: str, words: str) -> None:
    crm.ocm("start", "debtors")
    crm.ocm("stop", "debtors")
    crm.write(crm.config.replace(right, wrong, 1))
    result = crm.ocm("start", "debtors")
    assert result.exit_code == 2 and words in result.output and "secret" not in result.output
    crm.write(crm.config)
    assert crm.ocm("stop", "debtors").exit_code == 2, "no campaign is running"


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("SELECT id", "DELETE FROM people; SELECT id", "must be a SELECT"),
        (":keys", ":pressed_keys", "knows no :pressed_keys"),
        (" WHERE id = :key", "", "must say who is meant, by :key"),
        ("before_each_run = true", 'before_each_run = "yes"', "must be true or false"),
        ("write_back", "writeback", "did you mean write_back"),
    ],
)
def test_a_wrong_source_is_told_with_its_line(crm: Crm, right: str, wrong: str, words: str) -> None:
    crm.write(crm.config.replace(right, wrong, 1))
    result = crm.ocm("check")
    assert result.exit_code == 2 and words in result.output and "lists.debtors.source" in result.output


def test_what_came_of_them_is_written_once(crm: Crm, store: InlineStore) -> None:
    crm.ocm("start", "debtors")
    crm.call(store, Outcome.CONFIRMED, "1")
    crm.call(store, Outcome.BUSY)
    assert "2 people written back" in crm.ocm("write-back", "debtors").output
    anna, boris, vera = crm.told
    assert anna == (1, "confirmed", "1", None) and vera == (None,) * 4
    assert boris[:3] == (1, None, "") and boris[3] is not None
    crm.sql("UPDATE people SET result = 'mine'")
    assert "0 people written back" in crm.ocm("write-back", "debtors").output
    assert crm.told[0][1] == "mine"


def test_somebody_whom_the_database_does_not_know_any_more(crm: Crm, store: InlineStore) -> None:
    crm.ocm("start", "debtors")
    crm.call(store, Outcome.CONFIRMED)
    crm.sql("DELETE FROM people WHERE id = 1")
    result = crm.ocm("write-back", "debtors")
    assert result.exit_code == 0 and "nobody for 1 keys: 1" in result.output


def test_the_server_writes_by_itself_and_waits_for_a_database_that_is_away(crm: Crm, store: InlineStore) -> None:
    crm.ocm("start", "debtors")
    crm.call(store, Outcome.CONFIRMED)
    (crm.folder / "crm.db").rename(crm.folder / "away.db")
    (crm.folder / "crm.db").mkdir()
    clock = Clock()
    back = writer(crm, store, clock)
    back.start()
    (crm.folder / "crm.db").rmdir()
    (crm.folder / "away.db").rename(crm.folder / "crm.db")
    clock.pump([30])
    assert crm.told[0][1] is None, "not so soon"
    clock.pump([30])
    assert crm.told[0][1] == "confirmed"
    crm.call(store, Outcome.DELIVERED)
    back.stop()
    assert crm.told[1][1] == "delivered", "a last look at the end"
    assert clock.getDelayedCalls() == []


def test_a_crash_before_it_is_noted_tells_the_same_once_more(crm: Crm, store: InlineStore) -> None:
    crm.ocm("start", "debtors")
    crm.call(store, Outcome.CONFIRMED)
    real, store.run = store.run, lambda job: (_ for _ in ()).throw(OSError("killed"))  # type: ignore[method-assign, assignment]
    writer(crm, store).write()
    store.run = real  # type: ignore[method-assign]
    assert crm.told[0][:2] == (1, "confirmed")
    writer(crm, store).write()
    assert crm.told[0][:2] == (1, "confirmed")
    assert "0 people written back" in crm.ocm("write-back", "debtors").output


def test_a_password_from_the_environment_may_hold_any_sign(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = crm.folder / "a b@c"
    folder.mkdir()
    (crm.folder / "crm.db").rename(folder / "crm.db")
    monkeypatch.setenv("PLACE", str(folder / "crm.db"))
    table = read_select(Source("sqlite:///file:${PLACE}?uri=true", "SELECT tel AS phone, debt FROM people"))
    assert table.rows[0].cells == ("84951234501", "12.5")
    with pytest.raises(ImportFailed, match="no such column"):
        read_select(Source("sqlite:///file:${PLACE}?uri=true", "SELECT telephone FROM people"))


def test_a_file_is_named_by_its_place_beside_the_configuration(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = crm.config.replace(f"sqlite:///{crm.folder}/", "sqlite:///")
    assert beside != crm.config
    crm.write(beside)
    monkeypatch.chdir("/")
    assert crm.ocm("start", "debtors").exit_code == 0


def test_check_asks_the_source(crm: Crm) -> None:
    lock = FolderLock.take(crm.folder / "data")  # as a server has it, so that no gateway is looked for
    try:
        right = crm.ocm("check").output
        crm.write(crm.config.replace("FROM people", "FROM persons"))
        wrong = crm.ocm("check").output
    finally:
        lock.release()
    assert "ok    source of debtors: " in right and "WRONG source of debtors: " in wrong and "persons" in wrong


def test_a_colon_in_a_select_is_a_colon(crm: Crm) -> None:
    crm.write(crm.config.replace("WHERE debt > 0", "WHERE debt > 0 AND ':x' <> ':y'"))
    result = crm.ocm("start", "debtors")
    assert result.exit_code == 0, result.output


def test_check_asks_whether_results_could_be_written_and_writes_nothing(crm: Crm) -> None:
    before = crm.sql("SELECT * FROM people")
    lock = FolderLock.take(crm.folder / "data")
    try:
        right = crm.ocm("check").output
        crm.write(crm.config.replace("result=:outcome", "outcome=:outcome"))
        wrong = crm.ocm("check").output
    finally:
        lock.release()
    assert "ok    write-back of debtors: " in right
    assert "WRONG write-back of debtors: " in wrong and "no such column: outcome" in wrong
    assert crm.sql("SELECT * FROM people") == before


def test_postgresql_is_asked_the_same(postgres: Postgres) -> None:
    name = "written_back_to"
    postgres.sql(f"CREATE DATABASE {name}")
    postgres.sql("CREATE TABLE person (id int PRIMARY KEY, tries int, next_call timestamp)", name)
    postgres.sql("INSERT INTO person VALUES (7, 0, NULL)", name)
    update = "UPDATE person SET tries=:attempts, next_call=:next_try WHERE id=:key"
    assert try_write_back(Source(postgres.url(name), "SELECT 1", write_back=update), "7")
    assert postgres.sql("SELECT tries FROM person", name) == [(0,)]
    with pytest.raises(ImportFailed, match='column "calls" of relation "person" does not exist'):
        wrong = update.replace("tries=", "calls=")
        try_write_back(Source(postgres.url(name), "SELECT 1", write_back=wrong), "7")
