"""Campaigns that the clock starts, over the real ledger and a configuration on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import InlineStore
from sqlalchemy.exc import OperationalError
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from ocm_cti import cron, starting
from ocm_cti.config import Config
from ocm_cti.domain.people import Person
from ocm_cti.store import audit, campaigns, lists, schedules, subscribers, upserts
from ocm_cti.store.schedules import Planned, ScheduleRefused
from ocm_cti.store.transactions import Connection
from ocm_cti.timetable import Timetable

T0 = datetime(2026, 11, 23, 5, 59, 30, tzinfo=UTC)  # a Monday, 08:59:30 in Moscow
CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
[lists.water]
scenario = "s.toml"
language = "en"
zone = "Europe/Moscow"
"""
OF_GAS = "59 8 * * *"
SCENARIO = 'name = "s"\nlanguage = "en"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Hello."\n'


class Morning:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.offset = timedelta()
        (folder / "ocm.toml").write_text(CONFIG)
        (folder / "s.toml").write_text(SCENARIO)
        self.store = InlineStore(folder / "ocm.db")
        self.woken = 0
        self.timetable = Timetable(self.store, folder / "ocm.toml", self.clock, self.now, self._wake)  # type: ignore[arg-type]

        def fill(conn: Connection) -> None:
            list_id = lists.find_or_create(conn, "water", T0)
            upserts.upsert(conn, list_id, [Person("a", "Ann", (("+74951234501", ""),), {})])
            schedules.add(conn, list_id, "0 9 * * *", "Europe/Moscow", T0 + timedelta(seconds=30), T0)

        self.store.now(fill)

    def now(self) -> datetime:
        return T0 + self.offset + timedelta(seconds=self.clock.seconds())

    def _wake(self) -> None:
        self.woken += 1

    def seconds(self, seconds: float) -> None:
        self.clock.pump([1.0] * int(seconds))

    @property
    def planned(self) -> Planned:
        (planned,) = self.store.now(schedules.planned)
        return planned  # type: ignore[no-any-return]

    @property
    def running(self) -> list[int]:
        return list(self.store.now(campaigns.running))


@pytest.fixture
def morning(tmp_path: Path) -> Iterator[Morning]:
    morning = Morning(tmp_path)
    yield morning
    morning.timetable.stop()
    assert morning.clock.getDelayedCalls() == []
    morning.store.close()


def test_a_list_is_started_once_at_its_moment(morning: Morning) -> None:
    morning.timetable.start()
    morning.seconds(29)
    assert morning.running == []
    morning.seconds(60)
    assert (morning.running, morning.woken) == ([1], 1)
    assert morning.planned.last_result == "campaign 1 started"
    assert morning.planned.next_at == T0 + timedelta(days=1, seconds=30)


def test_one_that_is_being_called_is_not_started_again(morning: Morning) -> None:
    morning.timetable.start()
    morning.seconds(31)
    morning.offset = timedelta(days=1)
    morning.seconds(2)
    assert morning.running == [1]
    assert morning.planned.last_result.startswith("not started: a campaign of this list is running")
    assert "ocm start water --instead" in morning.planned.last_result
    (left_out,) = morning.store.now(audit.entries)
    assert (left_out.who, left_out.deed, left_out.subject) == ("the timetable", "schedule.left_out", "water")
    assert left_out.details["planned for"] == "2026-11-24T06:00+00:00"
    assert morning.woken == 1, "nothing began that the dialer would have to hear of"


@pytest.mark.parametrize(("late", "started"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)])
def test_what_was_missed_is_made_up_for_within_an_hour(morning: Morning, late: timedelta, started: bool) -> None:
    morning.offset = timedelta(seconds=30) + late
    morning.timetable.start()
    assert bool(morning.running) == started
    assert ("left out: no server" in morning.planned.last_result) != started
    assert [entry.deed for entry in morning.store.now(audit.entries)] == ([] if started else ["schedule.left_out"])
    assert morning.planned.next_at == T0 + timedelta(days=1, seconds=30)


def test_a_configuration_that_is_wrong_then_is_told_and_tried_the_next_day(morning: Morning) -> None:
    morning.timetable.start()
    (morning.folder / "s.toml").write_text("nonsense")
    morning.seconds(31)
    assert morning.running == []
    assert "s.toml" in morning.planned.last_result
    (morning.folder / "s.toml").write_text(SCENARIO)
    morning.offset = timedelta(days=1)
    morning.seconds(2)
    assert morning.running == [1]


def test_what_the_source_of_the_list_gave_that_morning_stands_in_the_timetable(morning: Morning) -> None:
    """Nobody sees the screen of a start by the clock: who can't be called, and who is back on the list."""
    base = morning.folder / "crm.db"
    with closing(sqlite3.connect(base)) as crm:
        crm.execute("CREATE TABLE people (id TEXT, phone TEXT)")
        crm.execute("INSERT INTO people VALUES ('a', '+74951234501'), ('b', 'none')")
        crm.commit()
    source = f'[lists.water.source]\nurl = "sqlite:///{base}"\nselect = "SELECT id, phone FROM people"\n'
    (morning.folder / "ocm.toml").write_text(CONFIG + source + "before_each_run = true\n")

    def removed(conn: Connection) -> None:
        list_id = lists.find(conn, "water")
        assert list_id is not None
        assert subscribers.delete(conn, list_id, ["a"]) == 1

    morning.store.now(removed)
    morning.timetable.start()
    morning.seconds(31)
    assert morning.planned.last_result == (
        "campaign 1 started; 1 rows of its database can't be called; "
        "row 1: had been taken off this list; he is on it again"
    )


def test_while_the_store_is_broken_nothing_is_lost(morning: Morning) -> None:
    morning.timetable.start()
    morning.store.broken = OSError("disk full")
    morning.seconds(40)
    assert morning.running == []
    morning.store.broken = None
    morning.seconds(1)
    assert morning.running == [1]


def test_the_same_line_twice_and_lines_that_are_gone(morning: Morning) -> None:
    def twice(conn: Connection) -> None:
        schedules.add(conn, 1, "0 9 * * *", "Europe/Moscow", T0, T0)

    with pytest.raises(ScheduleRefused, match="already"):
        morning.store.now(twice)
    assert morning.store.now(lambda conn: schedules.remove(conn, 1, "0 10 * * *")) == 0
    assert morning.store.now(lambda conn: schedules.remove(conn, 1, None)) == 1
    morning.timetable.start()
    morning.seconds(40)
    assert morning.running == []


def test_what_was_started_by_another_server_or_taken_off_meanwhile_is_not_started(morning: Morning) -> None:
    """The source of the list is slow: until it has answered, another server starts the list, and it is over already."""
    answer: Deferred[object] = Deferred()
    slow = Timetable(
        morning.store,  # type: ignore[arg-type]
        morning.folder / "ocm.toml",
        morning.clock,
        morning.now,
        lambda: None,
        lambda fetch: answer,
    )
    slow.start()
    morning.seconds(31)
    morning.timetable.start()

    def over(conn: Connection) -> None:
        assert campaigns.running(conn) == [1]
        campaigns.stop(conn, 1, morning.now())

    morning.store.now(over)
    answer.callback(None)
    assert morning.running == []
    assert morning.planned.last_result == "campaign 1 started"
    assert morning.store.now(audit.entries) == []
    slow.stop()


class TestAFaultOfOurs:
    """Nobody expected it; it may be there every time."""

    @pytest.fixture
    def two(self, morning: Morning) -> Morning:
        """The first line is of a list that is not to be had, the second of a good one."""

        def fill(conn: Connection) -> None:
            list_id = lists.find_or_create(conn, "gas", T0)
            schedules.add(conn, list_id, OF_GAS, "Europe/Moscow", T0 + timedelta(seconds=29), T0)

        morning.store.now(fill)
        return morning

    def results(self, morning: Morning) -> dict[str, str]:
        return {one.list_name: one.last_result for one in morning.store.now(schedules.planned)}

    def test_in_one_list_does_not_keep_the_others(self, two: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
        begin = starting.start

        def start(conn: Connection, config: Config, name: str, *more: Any) -> starting.Started:
            if name == "gas":
                raise ZeroDivisionError("of gas")
            return begin(conn, config, name, *more)

        monkeypatch.setattr(starting, "start", start)
        two.timetable.start()
        two.seconds(31)
        assert two.running == [1]
        assert self.results(two) == {
            "water": "campaign 1 started",
            "gas": "not started: a fault of the program, the log has more: ZeroDivisionError: of gas",
        }

    def test_of_the_database_is_none_of_ours(self, two: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its link broke in the middle: the list is due still, and is started as soon as it can be."""
        begin = starting.start

        def start(conn: Connection, *more: Any) -> starting.Started:
            raise OperationalError("INSERT", {}, Exception("server closed the connection unexpectedly"))

        monkeypatch.setattr(starting, "start", start)
        two.timetable.start()
        two.seconds(35)
        assert self.results(two) == {"gas": "", "water": ""}
        monkeypatch.setattr(starting, "start", begin)
        two.seconds(1)
        assert two.running == [1]

    def test_in_the_source_of_one(self, two: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def fetch(config: Config, name: str) -> None:
            asked.append(name)
            if name == "gas":
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "of gas")

        monkeypatch.setattr(starting, "fetch", fetch)
        two.timetable.start()
        two.seconds(35)
        assert two.running == [1]
        assert asked == ["gas", "water"], "a database that can't be read is not asked each second"
        assert "UnicodeDecodeError" in self.results(two)["gas"]

    def test_in_finding_the_next_moment(self, two: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is nothing to go on to: it is tried again, and the others begin all the same."""
        after = cron.next_after

        def next_after(line: str, zone: str, at: datetime) -> datetime:
            if line == OF_GAS:
                raise cron.BadCron("of gas")
            return after(line, zone, at)

        monkeypatch.setattr(cron, "next_after", next_after)
        two.timetable.start()
        two.seconds(31)
        assert two.running == [1]
