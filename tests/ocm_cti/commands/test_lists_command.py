"""ocm lists: what there is, and taking a list away without losing its reports."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from ocm_cti.cli import main
from ocm_cti.store import audit, campaign_start, campaigns, kept_lists, lists, subscribers, tasks
from ocm_cti.store.kept_lists import ListInUse
from ocm_cti.store.schema import prepared_list, subscriber, subscriber_number
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
[lists.staff]
scenario = "s.toml"
language = "ru"
"""
SCENARIO = 'name = "s"\nlanguage = "ru"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Сбор."\n'


class Office:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / "ocm.toml").write_text(CONFIG, encoding="utf-8")
        (folder / "people.csv").write_text("Таб. №;Телефон\n1;84951234501\n2;84951234502\n", encoding="utf-8")

    def ocm(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, "-c", str(self.folder / "ocm.toml"), *arguments])

    def fill(self, name: str) -> None:
        assert self.ocm("import", "--list", name, str(self.folder / "people.csv")).exit_code == 0

    @property
    def store(self) -> Store:
        return Store.open(self.folder / "data" / "ocm.db")

    def call_somebody(self, name: str) -> None:
        """A campaign with one attempt, ended by hand."""

        def through(conn: Connection) -> None:
            list_id = lists.find(conn, name)
            assert list_id is not None
            (campaign_id,) = campaigns.latest(conn, list_id)
            assert tasks.claim(conn, campaign_id, "office", "301", "n", datetime.now(UTC)) is not None

        def begun(conn: Connection) -> None:
            list_id = lists.find(conn, name)
            assert list_id is not None
            campaign_start.start(conn, list_id, T0, SCENARIO, campaigns.settings_of("{}"))

        self.store.run_now(begun)
        self.store.run_now(through)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_all_that_are_known_are_listed(office: Office) -> None:
    office.fill("guests")
    lines = [line.split() for line in office.ocm("lists").output.splitlines()]
    today = f"{datetime.now().astimezone():%d.%m.%Y}"
    assert lines[1][:3] == ["guests", "2", today] and lines[1][-2:] == ["0", "no"]
    assert lines[2][:3] == ["staff", "never", "imported"] and lines[2][-1] == "yes"


def test_a_list_that_was_never_called_goes_without_a_trace(office: Office) -> None:
    office.fill("staf")
    asked = office.ocm("lists", "--remove", "staf")
    assert asked.exit_code == 2 and "staf has 2 people" in asked.output and "--yes" in asked.output
    assert "removed" in office.ocm("lists", "--remove", "staf", "--yes").output

    def left(conn: Connection) -> list[int]:
        tables = (prepared_list, subscriber, subscriber_number)
        return [conn.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]

    assert office.store.read_now(left) == [0, 0, 0]
    assert office.store.read_now(audit.entries)[0].deed == "list.remove"


def test_a_list_at_work_stays(office: Office) -> None:
    office.fill("staff")
    assert office.ocm("start", "staff").exit_code == 0
    refused = office.ocm("lists", "--remove", "staff", "--yes")
    assert refused.exit_code == 2 and "a campaign of this list is going on" in refused.output
    assert len(office.store.read_now(lambda conn: subscribers.people(conn, 1))) == 2


def test_reports_of_a_list_that_was_removed_stay(office: Office) -> None:
    office.fill("staff")
    assert office.ocm("start", "staff").exit_code == 0
    assert office.ocm("stop", "staff").exit_code == 0
    office.store.run_now(lambda conn: campaigns.finish_if_done(conn, 1, T0))
    removed = office.ocm("lists", "--remove", "staff", "--yes")
    assert removed.exit_code == 0, removed.output
    assert "the reports of its 1 campaigns stay" in removed.output and "[lists.staff] still stands" in removed.output
    assert "removed" in office.ocm("lists").output
    report = office.ocm("report", "staff", "--out", str(office.folder / "out"), "--format", "csv")
    assert report.exit_code == 0, report.output
    assert len((office.folder / "out" / "report.csv").read_text(encoding="utf-8-sig").splitlines()) == 3
    office.fill("staff")
    assert [line.split()[1] for line in office.ocm("lists").output.splitlines()[1:]] == ["2"]


def test_a_new_list_that_nothing_is_like_is_told(office: Office) -> None:
    result = office.ocm("import", "--list", "guests", str(office.folder / "people.csv"))
    assert "It is a new list" in " ".join(result.output.split())
    again = office.ocm("import", "--list", "guests", str(office.folder / "people.csv"))
    assert "It is a new list" not in " ".join(again.output.split())


def test_no_such_list(office: Office) -> None:
    office.fill("staff")
    result = office.ocm("lists", "--remove", "stuff")
    assert result.exit_code == 2 and "there is no list stuff (there are: staff)" in result.output


def test_a_running_campaign_is_seen_in_the_transaction_itself(office: Office) -> None:
    office.fill("staff")
    office.call_somebody("staff")

    def remove(conn: Connection) -> None:
        kept_lists.remove(conn, "staff")

    with pytest.raises(ListInUse):
        office.store.run_now(remove)
    (one,) = office.store.read_now(kept_lists.kept)
    assert (one.people, one.campaigns, one.attempts, one.started_at) == (2, 1, 1, T0)
