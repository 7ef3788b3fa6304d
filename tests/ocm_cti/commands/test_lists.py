"""Commands on lists as a user runs them: one clear line for what is wrong, exit code 2, nothing half-written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocm_cti import bulletin
from ocm_cti.cli import main
from ocm_cti.commands import serve
from ocm_cti.domain.windows import DAYS
from ocm_cti.service import FolderLock

SCENARIO = """\
name = "debt"
language = "en"

[variables]
debt = { kind = "money", currency = "USD" }

[[step]]
name = "m"
type = "say"
message = "You owe {debt}."
"""
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
language = "en"
region = "US"
"""


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "s.toml").write_text(SCENARIO)
        (folder / "ocm.toml").write_text(CONFIG)

    def ocm(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, "-c", str(self.folder / "ocm.toml"), *arguments])

    def file(self, text: str) -> str:
        path = self.folder / "people.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def fill(self) -> None:
        assert self.ocm("import", "--list", "debtors", self.file(PEOPLE)).exit_code == 0


PEOPLE = "Name;Phone;Amount\nAnn;(212) 555-0101;12.50\nBob;(212) 555-0102;many\nCid;;3\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def one_line(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.output.splitlines() if line.strip()]
    assert line.startswith("ocm: ")
    for word in words:
        assert word in line


def test_import_tells_what_was_refused_and_why(desk: Desk) -> None:
    result = desk.ocm("import", "--list", "debtors", "--json", desk.file(PEOPLE))
    told = json.loads(result.output)
    assert (told["created"], told["unchanged"]) == (1, 0)
    assert [(row["row"], row["reason"]) for row in told["refused"]] == [
        (3, "{debt}: 'many' is no number"),
        (4, "no telephone number"),
    ]
    again = json.loads(desk.ocm("import", "--list", "debtors", "--json", desk.file(PEOPLE)).output)
    assert (again["created"], again["unchanged"]) == (0, 1)


def test_sums_that_hardly_anybody_means_are_told_and_taken(desk: Desk) -> None:
    rows = ["-50", "12.50", "2125550101", "1,234.50", "99999999.99"]
    text = "Phone;Amount\n" + "".join(f"(212) 555-010{place};{value}\n" for place, value in enumerate(rows))
    told = json.loads(desk.ocm("import", "--list", "debtors", "--json", desk.file(text)).output)
    assert told["created"] == 5
    (remark,) = told["remarks"]
    assert remark["row"] == 2 and "in 2 rows (2: -50, 4: 2125550101)" in remark["reason"]


@pytest.mark.parametrize("written", ["1250-50", "1250=50"])
def test_kopecks_behind_a_dash_are_told_how_to_be_written(desk: Desk, written: str) -> None:
    result = desk.ocm("import", "--list", "debtors", "--json", desk.file(f"Phone;Amount\n(212) 555-0101;{written}\n"))
    (refused,) = json.loads(result.output)["refused"]
    assert "is no number; as money it is written 1250,50" in refused["reason"]


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    result = desk.ocm("import", "--list", "debtors", "--dry-run", desk.file(PEOPLE))
    assert result.exit_code == 0 and "would be created 1" in result.output
    assert not (desk.folder / "data" / "ocm.db").exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "empty"), ("Name;Amount\nAnn;5\n", "telephone"), ("Phone\n", "nobody")],
    ids=["empty", "no column of numbers", "headings only"],
)
def test_a_file_that_can_not_be_imported(desk: Desk, text: str, word: str) -> None:
    one_line(desk.ocm("import", "--list", "debtors", desk.file(text)), word)
    one_line(desk.ocm("start", "debtors"), "no list debtors")


def test_start_refuses_what_it_can_not_do(desk: Desk) -> None:
    one_line(desk.ocm("start", "others"), "[lists.others]")
    one_line(desk.ocm("start", "debtors"), "import one")
    desk.fill()
    assert desk.ocm("start", "debtors").exit_code == 0
    one_line(desk.ocm("start", "debtors"), "running")
    stopped = desk.ocm("stop", "debtors")
    assert stopped.exit_code == 0 and "1 people were still waiting" in stopped.output
    one_line(desk.ocm("stop", "debtors"), "no campaign")
    assert "stopped" in desk.ocm("report", "debtors").output
    assert desk.ocm("start", "debtors").exit_code == 0


def test_a_scenario_that_is_newer_than_the_import_is_checked(desk: Desk) -> None:
    """Nobody is found to be without a message when he is due; nothing is started."""
    desk.fill()
    (desk.folder / "s.toml").write_text(
        SCENARIO.replace("[variables]", '[variables]\ndue = "date"').replace("{debt}", "{debt} by {due}")
    )
    one_line(desk.ocm("start", "debtors"), "Ann", "due")
    one_line(desk.ocm("report"), "nothing has been started")


def test_a_recording_that_is_not_there(desk: Desk) -> None:
    desk.fill()
    (desk.folder / "s.toml").write_text(
        SCENARIO.replace('"You owe', '[{ recording = "hello.wav" }, "You owe').replace('{debt}."', '{debt}."]')
    )
    one_line(desk.ocm("start", "debtors"), "hello.wav")


def test_the_report_of_what_is_still_open(desk: Desk) -> None:
    desk.fill()
    desk.ocm("start", "debtors")
    result = desk.ocm("report", "debtors", "--out", str(desk.folder / "out"))
    assert result.exit_code == 0 and "Ann" in result.output and "open" in result.output
    assert "+12125550101" not in result.output, "numbers are masked on the screen"
    assert "+12125550101" in (desk.folder / "out" / "report.csv").read_text(encoding="utf-8-sig")
    one_line(desk.ocm("report", "others"), "no list others")


def test_an_appointed_time(desk: Desk) -> None:
    desk.fill()
    one_line(desk.ocm("start", "debtors", "--at", "yesterday"), "--at", "is no time")
    one_line(desk.ocm("start", "debtors", "--at", "2020-01-01 09:00"), "--at", "has gone by")
    started = desk.ocm("start", "debtors", "--at", "2099-12-31 09:00")
    assert (started.exit_code, "31.12.2099 09:00" in started.output) == (0, True)
    assert "start" in desk.ocm("report", "debtors").output


def test_stop_lists(desk: Desk) -> None:
    def ocm(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["stop-list", command, "-c", str(desk.folder / "ocm.toml"), *arguments])

    file = desk.folder / "asked.txt"
    file.write_text("+1 212 555-0101  # Ann, by letter\n\n+1900*\n", encoding="utf-8")
    assert "2 added, 0 stood" in ocm("add", "asked", f"@{file}").output
    assert "1 added, 1 stood" in ocm("add", "asked", "+12125550101", "+12125550199", "--reason", "by phone").output
    shown = ocm("show").output
    assert all(word in shown for word in ("+12125550101", "+1900*", "+12125550199", "by phone"))
    assert "1 removed, 1 did not" in ocm("remove", "asked", "+1900*", "+1800*").output
    assert "nobody stands on it" in ocm("show", "others").output
    file.write_text("+12125550102\n212\n", encoding="utf-8")
    one_line(ocm("add", "asked", f"@{file}"), "asked.txt:2:", "'212' is no telephone number", "nothing was changed")
    one_line(ocm("add", "asked", "@nowhere.txt"), "nowhere.txt", "no such file")
    one_line(ocm("add", "asked", "*"), "is no number and no pattern")
    assert "+12125550102" not in ocm("show").output


def test_a_follow_up_needs_something_to_follow(desk: Desk) -> None:
    desk.fill()
    one_line(desk.ocm("start", "debtors", "--only-after", "busy"), "there is nothing to follow up")
    assert desk.ocm("start", "debtors").exit_code == 0
    assert desk.ocm("stop", "debtors").exit_code == 0
    one_line(desk.ocm("start", "debtors", "--only-after", "busy"), "ended so: busy")
    assert "1 people are going" in desk.ocm("start", "debtors", "--only-after", "stopped").output


def test_a_pause_is_in_the_report(desk: Desk) -> None:
    desk.fill()
    assert desk.ocm("start", "debtors").exit_code == 0
    one_line(desk.ocm("resume", "debtors"), "no campaign of this list is paused")
    paused = desk.ocm("pause", "debtors")
    assert (paused.exit_code, "ocm resume debtors" in paused.output) == (0, True)
    one_line(desk.ocm("pause", "debtors"), "no campaign of this list is running")
    assert "paused" in desk.ocm("report", "debtors").output
    assert desk.ocm("resume", "debtors").exit_code == 0
    assert "paused" not in desk.ocm("report", "debtors").output
    one_line(desk.ocm("pause", "others"), "there is no list others")


def test_closed_windows_are_in_the_report(desk: Desk) -> None:
    desk.fill()
    path = desk.folder / "ocm.toml"
    in_three_days = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    path.write_text(CONFIG + f'zone = "UTC"\nwindows.{in_three_days} = "09:00-20:00"\n')
    assert desk.ocm("start", "debtors").exit_code == 0
    assert "window" in desk.ocm("report", "debtors").output
    path.write_text(CONFIG + 'zone = "Kiritimati"\n')
    one_line(desk.ocm("start", "debtors"), "lists.debtors: zone: ", "is no zone")


def test_a_database_that_is_none(desk: Desk) -> None:
    (desk.folder / "data").mkdir()
    (desk.folder / "data" / "ocm.db").write_bytes(b"this is no database at all, but long enough" * 20)
    one_line(desk.ocm("start", "debtors"), "ocm.db")


def test_nobody_on_it_can_be_called(desk: Desk) -> None:
    """Every row refused: told row by row, and the exit code says that nothing was imported."""
    result = desk.ocm("import", "--list", "debtors", desk.file("Name;Phone;Amount\nBob;none;5\n"))
    assert result.exit_code == 2 and "row 2 refused" in result.output


def test_a_list_that_the_configuration_does_not_have(desk: Desk) -> None:
    result = desk.ocm("import", "--list", "dbetors", desk.file("Name;Phone\nAnn;+1 212 555 0101\n"))
    assert result.exit_code == 0 and "[lists.dbetors]" in result.output


def test_what_was_set_by_hand_outlives_an_import_and_a_change_by_hand(desk: Desk) -> None:

    def people(*arguments: str) -> str:
        config = str(desk.folder / "ocm.toml")
        return CliRunner().invoke(main, ["people", arguments[0], "-c", config, *arguments[1:]]).output

    bills = "id,phone,debt\n1,+12125550101,10\n"
    assert desk.ocm("import", "--list", "debtors", desk.file(bills)).exit_code == 0
    by_hand = ("id=1", "phone=+12125550101", "debt=10", "note=deaf", "groups=vip", "city=Omsk")
    assert "changed" in people("add", "debtors", *by_hand)
    assert "changed" in people("add", "debtors", "id=1", "phone=+12125550101", "debt=20")
    shown = people("show", "debtors")
    assert "deaf" in shown and "vip" in shown and "city=Omsk" in shown and "debt=20" in shown
    assert "updated 1" in desk.ocm("import", "--list", "debtors", desk.file(bills)).output
    shown = people("show", "debtors")
    assert "deaf" in shown and "vip" in shown and "city" not in shown


def test_an_emergency_in_place_of_what_waits(desk: Desk) -> None:
    desk.fill()
    assert desk.ocm("start", "debtors", "--at", "2099-12-31 09:00").exit_code == 0
    one_line(desk.ocm("start", "debtors", "--emergency", "gas"), "ocm start debtors --instead")
    result = desk.ocm("start", "debtors", "--emergency", "gas", "--instead")
    assert result.exit_code == 0, result.output
    assert "the campaign before it is ended; 1 people were still waiting in it" in result.output
    states = desk.ocm("campaigns").output
    assert "stopped" in states and "running" in states
    assert "campaign.instead" in desk.ocm("audit").output
    assert desk.ocm("stop", "debtors").exit_code == 0
    assert "ended" not in desk.ocm("start", "debtors", "--instead").output, "there was none"


@pytest.mark.parametrize("why", ["", "  "])
def test_an_emergency_has_a_reason(desk: Desk, why: str) -> None:
    desk.fill()
    result = desk.ocm("start", "debtors", "--emergency", why)
    assert result.exit_code == 2 and "say why" in result.output
    assert desk.ocm("campaigns").exit_code == 2, "nothing was started"


def test_a_configuration_of_an_editor_that_writes_a_mark(desk: Desk) -> None:
    desk.fill()
    path = desk.folder / "ocm.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert desk.ocm("start", "debtors").exit_code == 0


def test_who_starts_while_the_server_is_ending_is_told(desk: Desk) -> None:
    desk.fill()
    lock = FolderLock.take(desk.folder / "data")
    try:
        (desk.folder / "data" / bulletin.FILE).write_text('{"serving": false, "gateways": {}, "up": {}}')
        assert "the server is ending: the calls begin when" in " ".join(desk.ocm("start", "debtors").output.split())
    finally:
        lock.release()


def test_who_starts_a_list_whose_gateway_the_server_has_not_is_told(desk: Desk) -> None:
    desk.fill()
    lock = FolderLock.take(desk.folder / "data")
    try:
        told = (desk.folder / "data" / bulletin.FILE).write_text
        told('{"serving": true, "gateways": {"old": {"up": true, "reason": "", "idle": 1}}, "up": {}}')
        words = " ".join(desk.ocm("start", "debtors").output.split())
        assert "older ocm.toml and has no gateway office" in words and "`ocm serve` runs again" in words
        told('{"serving": true, "gateways": {"office": {"up": true, "reason": "", "idle": 1}}, "up": {}}')
        assert "older" not in desk.ocm("start", "debtors", "--instead").output
    finally:
        lock.release()


def test_check_beside_a_server_tells_what_it_sees(desk: Desk) -> None:
    lock = FolderLock.take(desk.folder / "data")
    try:
        (desk.folder / "data" / bulletin.FILE).write_text(
            '{"serving": true, "gateways": {"office": {"up": false, "reason": "no line", "idle": 0}}, "up": {}}'
        )
        result = desk.ocm("check")
    finally:
        lock.release()
    assert result.exit_code == 2
    assert "WRONG gateway office: no line" in result.output and "ok    server: at work" in result.output


def test_serve_says_what_it_is_and_where_its_log_lies(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "run_service", lambda *_, **__: 0)
    told = desk.ocm("serve")
    assert told.exit_code == 0
    assert all(
        word in told.output for word in (str(desk.folder / "data"), "gateways: office", "ocm start LIST", "60 s")
    )


def test_just_those_who_were_waiting_are_called_in_place(desk: Desk) -> None:
    desk.fill()
    assert desk.ocm("start", "debtors", "--at", "2099-12-31 09:00").exit_code == 0
    result = desk.ocm("start", "debtors", "--emergency", "gas", "--instead", "--only-after", "stopped")
    assert result.exit_code == 0 and "1 people are going to be called" in " ".join(result.output.split())
