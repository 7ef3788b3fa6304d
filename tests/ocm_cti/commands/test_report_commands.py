"""``ocm report`` and ``ocm campaigns`` as a user runs them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook  # type: ignore[import-untyped]
from report_made import T0, answer, campaign, person
from rich.cells import cell_len
from rich.console import Console

from ocm_cti.cli import main
from ocm_cti.commands import report_screen
from ocm_cti.commands.campaigns import who
from ocm_cti.reports.about import About
from ocm_cti.reports.compose import compose
from ocm_cti.reports.words import Words

SCENARIO = """\
name = "poll"
language = "ru"

[[step]]
name = "choice"
type = "ask"
message = "Нажмите один или два."
keys = { "1" = "good", "2" = "hang_up" }

[[step]]
name = "good"
type = "say"
message = "Спасибо."
"""
CONFIG = """\
data = "data"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"

[lists.poll]
scenario = "s.toml"
language = "ru"

[lists.staff]
scenario = "s.toml"
language = "ru"
"""
FILES = {"report.csv", "report-attempts.csv", "report-answers.csv", "report-summary.csv", "report.xlsx"}


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / "ocm.toml").write_text(CONFIG, encoding="utf-8")
        (folder / "people.csv").write_text("Имя;Телефон\nАнна;+74951234501\nБорис;+74951234502\n", encoding="utf-8")

    def ocm(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, "-c", str(self.folder / "ocm.toml"), *arguments])

    def start(self, name: str) -> None:
        assert self.ocm("import", "--list", name, str(self.folder / "people.csv")).exit_code == 0
        assert self.ocm("start", name).exit_code == 0

    def campaigns_in(self, path: Path) -> set[str]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return {row["campaign"] for row in csv.DictReader(file, delimiter=";")}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Campaigns 1 (of poll, stopped), 2 (of poll) and 3 (of staff)."""
    made = Desk(tmp_path)
    made.start("poll")
    assert made.ocm("stop", "poll").exit_code == 0
    made.start("poll")
    made.start("staff")
    return made


def fails(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    for word in words:
        assert word in result.output


def test_as_it_always_was(desk: Desk) -> None:
    result = desk.ocm("report")
    assert result.exit_code == 0, result.output
    assert "Анна" in result.output and "open" in result.output and str(desk.data / "report.csv") in result.output
    assert {path.name for path in desk.data.glob("report*")} == FILES
    assert desk.campaigns_in(desk.data / "report.csv") == {"2", "3"}


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["poll"], {"2"}),
        (["--all"], {"1", "2", "3"}),
        (["poll", "--all"], {"1", "2"}),
        (["--campaign", "1"], {"1"}),
        (["--since", "2020-01-31"], {"1", "2", "3"}),
        (["--since", "31.01.2020", "--until", "2999-01-01"], {"1", "2", "3"}),
    ],
    ids=["list", "all", "all of a list", "one", "since", "between"],
)
def test_which_campaigns(desk: Desk, arguments: list[str], reported: set[str]) -> None:
    result = desk.ocm("report", *arguments, "--format", "csv", "--out", str(desk.folder / "out"))
    assert result.exit_code == 0, result.output
    assert desk.campaigns_in(desk.folder / "out" / "report.csv") == reported
    assert not (desk.folder / "out" / "report.xlsx").exists()


def test_days_are_inclusive(desk: Desk) -> None:
    today = date.today()  # noqa: DTZ011 (of this machine, as the command has it)
    near = [str(today + timedelta(days=days)) for days in (-1, 1)]
    assert desk.ocm("report", "--since", near[0], "--until", near[1]).exit_code == 0
    fails(desk.ocm("report", "--since", str(today + timedelta(days=2))), "no campaign began in that time")


def test_what_there_is_not(desk: Desk) -> None:
    fails(desk.ocm("report", "others"), "there is no list others")
    fails(desk.ocm("report", "--campaign", "9"), "there is no campaign 9", "ocm campaigns")
    fails(desk.ocm("report", "staff", "--campaign", "1"), "there is no campaign 1 of staff")
    fails(desk.ocm("report", "--until", "2020-01-01"), "no campaign began in that time")
    fails(desk.ocm("report", "--format", "csv,doc"), "'doc' is none of csv, xlsx, pdf, json")
    fails(desk.ocm("report", "--since", "yesterday"), "--since")
    (desk.folder / "taken").write_text("")
    fails(desk.ocm("report", "--out", str(desk.folder / "taken")), "taken")


def test_every_format(desk: Desk) -> None:
    out = desk.folder / "out"
    result = desk.ocm("report", "poll", "--format", "csv, xlsx,PDF,json", "--delimiter", ",", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {*FILES, "report.pdf", "report.json"}
    assert (out / "report.csv").read_text(encoding="utf-8-sig").startswith("campaign,list,name,")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
    told: Any = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [each["why"] for each in told["people"]] == ["speech", "speech"]
    assert told["questions"][0]["answers"][0] == {"value": "1", "meaning": "good", "people": 0, "share": 0.0}
    assert load_workbook(out / "report.xlsx").sheetnames[:2] == ["summary", "questions"]


def test_another_language(desk: Desk) -> None:
    result = desk.ocm("report", "poll", "--language", "ru")
    assert result.exit_code == 0 and "не закончено" in result.output and "готовится речь" in result.output
    assert (desk.data / "report.csv").read_text(encoding="utf-8-sig").startswith("кампания;список;имя;")


def test_many_people_are_not_all_printed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_screen, "PEOPLE_SHOWN", 1)
    shown = desk.ocm("report", "poll").output
    assert "Анна" in shown and "Борис" not in shown and "and 1 more" in shown


def test_nothing_in_a_name_is_obeyed_by_the_terminal() -> None:
    printed = StringIO()
    evil = "Ан\x1b]0;х\x07на"
    about = About([campaign(list_name=evil)], T0)
    screen = report_screen.Screen(Console(file=printed, width=200), about)
    compose(about, [person(name=evil, native_cause=evil)], [], [answer("why", evil)], [screen])
    screen.show()
    assert "Ан" in printed.getvalue() and "Why?" in printed.getvalue()
    assert "\x1b" not in printed.getvalue() and "\x07" not in printed.getvalue()


def people_drawn(width: int, language: str = "en") -> list[str]:
    printed = StringIO()
    about = About([campaign(), campaign(2, "staff")], T0, Words(language))
    screen = report_screen.Screen(Console(file=printed, width=width, highlight=False, markup=False), about)
    waits = person(list_name="staff", name="Б" * 60, outcome=None, why="retry_busy", next_call_at=T0, native_cause="")
    rows = [person(cause="normal", native_cause="csta 48 normalClearing"), waits]
    compose(about, rows, [], [], [screen])
    screen.show()
    return printed.getvalue().splitlines()


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
@pytest.mark.parametrize("width", [80, 100])
def test_a_narrow_terminal_has_two_lines_a_person(width: int, language: str) -> None:
    words = Words(language)
    head, anna, her_own, boris, his_own, *_ = people_drawn(width, language)
    assert all(cell_len(line) <= width for line in (head, anna, her_own, boris, his_own))
    assert words("outcome") in head and words("tries") in head
    assert anna.split()[:3] == ["debtors", "Анна", "+7495***4501"] and words.code("confirmed") in anna
    assert words("the call ended in the usual way") in her_own and "csta" not in her_own
    assert boris.split()[0] == "staff" and words.code("open") in boris and "+7495***4501" in boris
    assert words.code("retry_busy") in his_own


def test_a_wide_terminal_says_the_cause_with_that_of_the_switch() -> None:
    assert "the call ended in the usual way (csta 48 normalClearing)" in people_drawn(300)[1]


def test_campaigns(desk: Desk) -> None:
    desk.ocm("pause", "staff")
    shown = desk.ocm("campaigns")
    assert shown.exit_code == 0
    assert [line.split()[:3] for line in shown.output.splitlines()[1:]] == [
        ["1", "poll", "stopped"],
        ["2", "poll", "running,"],
        ["3", "staff", "paused:"],
    ]
    told = json.loads(desk.ocm("campaigns", "poll", "--json").output)
    assert [(each["campaign_id"], each["people"], each["waiting"], each["done"]) for each in told] == [
        (1, 2, 0, 2),
        (2, 2, 2, 0),
    ]
    assert told[0]["outcomes"] == {"stopped": 2} and told[0]["ended_at"] and not told[1]["ended_at"]
    fails(desk.ocm("campaigns", "others"), "there is no list others")


def test_campaigns_of_nobody(tmp_path: Path) -> None:
    fails(Desk(tmp_path).ocm("campaigns"), "nothing has been started yet")


def test_a_test_is_no_run_of_the_list(desk: Desk) -> None:
    config = desk.folder / "ocm.toml"
    config.write_text(CONFIG.replace("[lists.staff]", 'testers = ["+74951234599"]\n\n[lists.staff]'), encoding="utf-8")
    assert desk.ocm("stop", "poll").exit_code == 0
    assert desk.ocm("start", "poll", "--test").exit_code == 0  # campaign 4
    for arguments, reported in ((["poll"], {"2"}), (["poll", "--all"], {"1", "2"}), (["--campaign", "4"], {"4"})):
        assert desk.ocm("report", *arguments).exit_code == 0
        assert desk.campaigns_in(desk.data / "report.csv") == reported
    assert "(test)" in desk.ocm("campaigns").output
    assert "test campaign 4 left out" in desk.ocm("report", "--all").output
    assert "left out" not in desk.ocm("report", "staff", "--all").output


def test_people_of_several_campaigns_are_counted_once(desk: Desk) -> None:
    told = "2 different people: who is in several campaigns counts once; reached of them: 0"
    assert told in desk.ocm("report", "poll", "--all").output
    assert "different people" not in desk.ocm("report", "poll").output
    assert desk.ocm("report", "--all", "--format", "json").exit_code == 0
    assert json.loads((desk.data / "report.json").read_text(encoding="utf-8"))["different_people"] == 4


def test_campaigns_say_how_they_stand(desk: Desk) -> None:
    assert desk.ocm("stop", "staff").exit_code == 0
    assert desk.ocm("start", "staff", "--at", "2099-01-01 09:00").exit_code == 0
    first, second, third, fourth = desk.ocm("campaigns").output.splitlines()[1:]
    assert "stopped" in first and "stopped" in third
    assert "running, no server works (ocm serve)" in second
    assert "begins 2099-01-01 09:00" in fourth
    assert f"stopped by {who()}" in first and "by hand" not in first
    told = json.loads(desk.ocm("campaigns", "--json").output)
    assert [each["stopped_by"] for each in told] == [who(), None, who(), None]
    assert desk.ocm("audit").output.count("campaign.stop") == 2


@pytest.mark.parametrize(
    "broken",
    [
        CONFIG + "[lists.others]\nscenario = 'none.toml'\n",
        CONFIG.replace("[lists.poll]", "[lists.poll\n"),
        "node = night desk\n" + CONFIG,
        "show_numbers = 'yes'\n" + CONFIG,
        "# \udcef\udcf0\n" + CONFIG,
    ],
    ids=["a file is missing", "no TOML", "no TOML above the tables", "no flag", "another encoding"],
)
def test_what_is_going_on_can_be_seen_and_stopped_whatever_was_mistyped(desk: Desk, broken: str) -> None:
    (desk.folder / "ocm.toml").write_text(broken, encoding="utf-8", errors="surrogateescape")
    fails(desk.ocm("start", "poll"), "ocm.toml")
    for command in (["report"], ["campaigns"], ["waiting"], ["pause", "poll"], ["resume", "poll"], ["stop", "poll"]):
        result = desk.ocm(*command)
        assert result.exit_code == 0, result.output
        assert "ocm.toml" in result.stderr and f"going on with {desk.data / 'ocm.db'}" in result.stderr
    assert "stopped" in desk.ocm("campaigns", "poll").output


@pytest.mark.parametrize("place", ['data = "data', "database = 5", 'databse = "other.db"', 'data = "d\udcef"'])
def test_another_ledger_is_not_taken_for_it(desk: Desk, place: str) -> None:
    broken = CONFIG.replace('data = "data"', place)
    (desk.folder / "ocm.toml").write_text(broken, encoding="utf-8", errors="surrogateescape")
    fails(desk.ocm("stop", "poll"), "ocm.toml")
    assert {path.name for path in desk.folder.iterdir()} == {"data", "ocm.toml", "s.toml", "people.csv"}


@pytest.mark.parametrize("command", ["report", "campaigns", "waiting", "stop", "pause"])
def test_a_list_that_is_not_there_is_told_with_those_that_are(desk: Desk, command: str) -> None:
    fails(desk.ocm(command, "stuff"), "there is no list stuff (there are: staff, poll)")


def test_the_files_are_whole_before_anything_is_printed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """``ocm report | head -1``: the pipe is closed while the screen is written."""

    def closed(screen: report_screen.Screen) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(report_screen.Screen, "show", closed)
    desk.ocm("report")
    assert {path.name for path in desk.data.glob("report*")} == FILES


@pytest.mark.parametrize("command", [["report"], ["campaigns", "--json"], ["waiting"]])
def test_a_reader_that_goes_away_is_no_fault(desk: Desk, command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "ocm_cti.cli", command[0], "-c", str(desk.folder / "ocm.toml"), *command[1:]],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_times_are_on_the_clock_of_the_list(desk: Desk) -> None:
    config = desk.folder / "ocm.toml"
    config.write_text(CONFIG.replace("[lists.staff]", "[lists.staff]\nzone = 'Asia/Omsk'"), encoding="utf-8")
    assert desk.ocm("stop", "staff").exit_code == 0
    started = desk.ocm("start", "staff", "--at", "2099-01-01 09:00").output
    assert "from 01.01.2099 09:00 Asia/Omsk on" in started
    assert "begins 2099-01-01 09:00 +06" in desk.ocm("campaigns", "staff").output


def test_what_is_planned_is_told_on_the_clock_of_the_list(desk: Desk) -> None:
    config = desk.folder / "ocm.toml"
    config.write_text(CONFIG.replace("[lists.staff]", "[lists.staff]\nzone = 'Asia/Omsk'"), encoding="utf-8")
    arguments = ["schedule", "add", "staff", "0 9 * * *", "-c", str(config)]
    assert " 09:00 Asia/Omsk" in CliRunner().invoke(main, arguments).output
