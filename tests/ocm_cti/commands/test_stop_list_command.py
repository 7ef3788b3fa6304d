"""ocm stop-list with files as offices have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook  # type: ignore[import-untyped]

from ocm_cti.cli import main
from ocm_cti.store import audit, stop_lists
from ocm_cti.store.transactions import Store

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

    def ocm(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["stop-list", command, "-c", str(self.folder / "ocm.toml"), *arguments])

    def file(self, octets: bytes) -> str:
        (self.folder / "stop.csv").write_bytes(octets)
        return f"@{self.folder / 'stop.csv'}"

    @property
    def entries(self) -> list[str]:
        found = Store.open(self.folder / "data" / "ocm.db").read_now(lambda conn: stop_lists.entries(conn, "asked"))
        return [one.entry for one in found]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_numbers_without_a_country_are_of_that_of_the_lists(office: Office) -> None:
    assert office.ocm("add", "asked", "8 (495) 123-45-01", "+380671234567").exit_code == 0
    assert office.ocm("add", "asked", "--region", "ua", "067 123 45 68").exit_code == 0
    assert office.entries == ["+380671234567", "+380671234568", "+74951234501"]
    assert "1 removed" in office.ocm("remove", "asked", "84951234501").output
    assert "is no country" in office.ocm("add", "asked", "--region", "RUS", "84951234501").output


LINES = "ФИО;Телефон;Комментарий\r\nАнна;8 495 123-45-01;просила\r\nБорис;8 (495) 123-45-02;\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_a_table_as_a_spreadsheet_writes_it(office: Office, encoding: str) -> None:
    done = office.ocm("add", "asked", office.file(LINES.encode(encoding)))
    assert done.exit_code == 0, done.output
    assert office.entries == ["+74951234501", "+74951234502"]


def test_a_workbook_without_headings(office: Office) -> None:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append([84951234501, "Анна"])
    sheet.append(["+7900*", "все"])
    made.save(office.folder / "stop.xlsx")
    assert office.ocm("add", "asked", f"@{office.folder / 'stop.xlsx'}").exit_code == 0
    assert office.entries == ["+74951234501", "+7900*"]


def test_nobody_is_passed_over_in_a_line(office: Office) -> None:
    text = "+74951234501, +74951234502  # both hers, +7 by letter\n+74951234503,+74951234504\n"
    assert office.ocm("add", "asked", office.file(text.encode())).exit_code == 0
    assert office.entries == [f"+7495123450{last}" for last in range(1, 5)]


def test_all_that_is_wrong_is_told_at_once(office: Office) -> None:
    result = office.ocm("add", "asked", office.file(b"84951234501\n8495\n\nnobody\n"), "9")
    assert result.exit_code == 2 and "3 entries are no numbers and no patterns; nothing was changed" in result.output
    assert "stop.csv:2: '8495'" in result.output and "stop.csv:4: 'nobody'" in result.output and "'9'" in result.output
    assert "Traceback" not in result.output


def test_a_whole_country_is_asked_about(office: Office) -> None:
    result = office.ocm("add", "asked", "+7*", "+7900*")
    assert result.exit_code == 2 and "+7*: nobody in the whole country" in result.output
    assert "2 added" in office.ocm("add", "asked", "+7*", "+7900*", "--yes").output
    assert office.ocm("remove", "asked", "+7*").exit_code == 0


def test_the_audit_knows_who_changed_what(office: Office) -> None:
    office.ocm("add", "asked", "84951234501", "+7900*", "--reason", "by letter")
    office.ocm("remove", "asked", "84951234501")
    removed, added = Store.open(office.folder / "data" / "ocm.db").read_now(audit.entries)
    assert (added.deed, added.subject, added.details["new"], added.details["reason"]) == (
        "stop_list.add",
        "asked",
        2,
        "by letter",
    )
    assert added.details["entries"] == "+7495***4501 +7900*"
    assert (removed.deed, removed.details["removed"]) == ("stop_list.remove", 1)
