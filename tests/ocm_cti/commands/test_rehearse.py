"""The dry run: the real list, an imagined switch, a clock that jumps, and a ledger that nobody has touched."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import parse
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.windows import Windows
from ocm_cti.imagined import ImaginedGateway, JumpingClock, People, presses
from ocm_cti.rehearsal import Rehearsed, SameThreadStore, SilentPrompts, rehearse
from ocm_cti.store import campaign_start, campaigns, lists, tasks, upserts
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
        return campaign_start.start(conn, list_id, T0, SCENARIO, settings)

    campaign_id = store.run_now(fill)
    clock = JumpingClock(T0)
    gateway = ImaginedGateway("office", [str(301 + n) for n in range(lines)], clock, how, lambda _: ["1"])
    try:
        return rehearse(SameThreadStore(store), [gateway], clock, SilentPrompts(folder, folder), campaign_id, folder)
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


BY_PIN = """\
name = "pin"
language = "en"
[variables]
pin = "digits"
[[step]]
name = "who"
type = "confirm"
message = "Your PIN."
pin = "{pin}"
tries = 3
[[step]]
name = "message"
type = "say"
message = "The water is off today."
"""


@pytest.mark.parametrize(("right", "outcome"), [(100, "confirmed"), (0, "cut_short")])
def test_people_have_their_own_pins(desk: Path, right: int, outcome: str) -> None:
    (desk / "s.toml").write_text(BY_PIN)
    (desk / "people.csv").write_text("Name;Phone;PIN\nAnn;+74951234501;1234\nBob;+74951234502;9999\n")
    assert ocm(desk, "import", "--list", "water", str(desk / "people.csv")).exit_code == 0
    all_answer = ("--answer", "100", "--busy", "0", "--reject", "0", "--at", "2099-12-31 12:00")
    result = ocm(desk, "rehearse", "water", *all_answer, "--right-pin", str(right))
    assert result.exit_code == 0, result.output
    (told,) = {"confirmed", "cut_short"} & {*result.output.split()}
    assert told == outcome
    assert f"of 100 PINs {right} are right" in result.output


def test_a_wrong_pin_is_followed_by_another_while_the_step_has_tries() -> None:
    scenario = parse(BY_PIN)
    never = list(presses(scenario, {"pin": "1239"}, People(right_pin=0), random.Random(1)))
    assert never == ["1230"] * 3
    often = [
        list(presses(scenario, {"pin": "1239"}, People(right_pin=60), random.Random(seed))) for seed in range(1000)
    ]
    assert all(one[:-1] == ["1230"] * (len(one) - 1) for one in often)
    first = sum(one == ["1239"] for one in often)
    assert 540 < first < 660


def test_a_rehearsal_tells_how_far_it_is_where_there_is_no_terminal(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocm_cti.commands.rehearse.LINE_EVERY_S", 0.0)
    assert ocm(desk, "import", "--list", "water", str(desk / "people.csv")).exit_code == 0
    assert (
        "water: 0 of 3 people are done with by 31.12. 12:00"
        in ocm(desk, "rehearse", "water", "--at", "2099-12-31 12:00").output
    )
