"""The dry run: the real list, an imagined switch, a clock that jumps, and a ledger that nobody has touched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.windows import Windows
from ocm_cti.rehearsal import ImaginedGateway, JumpingClock, People, Rehearsed, SilentPrompts, rehearse
from ocm_cti.store import campaigns, lists, tasks, upserts
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # a Monday, 19:00 in Moscow
SCENARIO = """\
name = "debt"
language = "en"

[[step]]
name = "message"
type = "say"
message = "The water is off today."

[[step]]
name = "agree"
type = "confirm"
message = "Press one."
key = "1"
"""
CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301-302"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
[lists.water]
scenario = "s.toml"
language = "en"
zone = "Europe/Moscow"
windows = { mon-sun = "09:00-20:00" }
"""
ALL_ANSWER = People(answer=100, busy=0, reject=0, hang_up_early=0)


def play(folder: Path, people: int, how: People, settings: ListSettings, lines: int = 2) -> Rehearsed:
    store = Store.open(folder / "ledger.db")

    def fill(conn: Connection) -> int:
        list_id = lists.find_or_create(conn, "water", T0)
        everybody = [Person(str(n), f"P{n}", ((f"+7495{n:07d}", ""),), {}) for n in range(people)]
        upserts.upsert(conn, list_id, everybody)
        return campaigns.start(conn, list_id, T0, SCENARIO, settings)

    campaign_id = store.run_now(fill)
    clock = JumpingClock(T0)
    gateway = ImaginedGateway("office", [str(301 + n) for n in range(lines)], clock, how, ["1"])
    try:
        return rehearse(store, [gateway], clock, SilentPrompts(folder, folder), campaign_id, folder)
    finally:
        store.close()


def test_who_answers_and_presses_is_confirmed(tmp_path: Path) -> None:
    done = play(tmp_path, 6, ALL_ANSWER, ListSettings(language="en"))
    assert done.finished and done.counts.outcomes == {"confirmed": 6}
    assert sum(done.calls.values()) == 6
    length_s = (done.ended_at - done.began_at).total_seconds()
    assert done.busy_s / 2 <= length_s <= done.busy_s, "two lines, busy all the time"


def test_nobody_answers_and_all_tries_are_made(tmp_path: Path) -> None:
    done = play(tmp_path, 2, People(answer=0, busy=0, reject=0), ListSettings(language="en"))
    assert done.counts.outcomes == {"no_answer": 2} and sum(done.calls.values()) == 6


def test_the_night_is_jumped_over_and_nobody_is_called_in_it(tmp_path: Path) -> None:
    hours = Windows.from_table({"mon-sun": "09:00-20:00"})
    done = play(tmp_path, 300, ALL_ANSWER, ListSettings(language="en", zone="Europe/Moscow", windows=hours), lines=1)
    assert done.finished and done.counts.outcomes == {"confirmed": 300}
    moscow = {(hour.day, hour.hour + 3) for hour in done.calls}
    assert moscow >= {(23, 19), (24, 9)} and all(9 <= hour < 20 for _, hour in moscow)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "ocm.toml").write_text(CONFIG)
    (tmp_path / "people.csv").write_text("Name;Phone\nAnn;+74951234501\nBob;+74951234502\nCid;+74951234503\n")
    return tmp_path


def ocm(desk: Path, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "-c", str(desk / "ocm.toml"), *arguments])


def test_the_command_leaves_the_ledger_as_it_was(desk: Path) -> None:
    assert ocm(desk, "import", "--list", "water", str(desk / "people.csv")).exit_code == 0
    assert ocm(desk, "start", "water").exit_code == 0
    result = ocm(desk, "rehearse", "water", "--at", "2099-12-31 12:00")
    assert result.exit_code == 0, result.output
    assert "nobody was called" in result.output and "3 people" in result.output and "2 lines" in result.output
    store = Store.open(desk / "data" / "ocm.db")
    assert store.read_now(campaigns.running) == [1], "the real one is still there, and alone"
    counts = store.read_now(lambda conn: tasks.counts(conn, 1))
    assert (counts.waiting, counts.done) == (3, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["water"], "there is no list water", id="no list"),
        pytest.param(["water", "--answer", "90", "--busy", "20"], "shares of a hundred calls", id="too many"),
        pytest.param(["water", "--at", "yesterday"], "is no time", id="time"),
    ],
)
def test_what_is_wrong_is_one_line(desk: Path, arguments: list[str], said: str) -> None:
    result = ocm(desk, "rehearse", *arguments)
    assert result.exit_code == 2 and said in result.output
