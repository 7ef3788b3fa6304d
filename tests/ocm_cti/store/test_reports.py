"""Reports: what the rows say, and files that appear whole, open well and can't bite."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from sqlalchemy import text

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaigns, lists, reports, subscribers, tasks
from ocm_cti.store.attempts import Finish
from ocm_cti.store.errors import StoreError
from ocm_cti.store.report_rows import ATTEMPT_COLUMNS, PEOPLE_COLUMNS, PersonRow
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = [
    Person("1", "Анна", (("+71", ""), ("+72", "")), {}),
    Person("2", "Борис", (("+73", ""),), {}),
    Person("3", "Вера", (("+74", ""),), {}),
]


@pytest.fixture
def conn(database: Path | str) -> Iterator[Connection]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield connection
    store.close()


@pytest.fixture
def campaign(conn: Connection) -> int:
    """Анна: line fault, busy, then confirmed on her second number. Борис: busy, waits. Вера: not called yet."""
    list_id = lists.find_or_create(conn, "debtors", T0)
    subscribers.upsert(conn, list_id, PEOPLE)
    campaign_id = campaigns.start(conn, list_id, T0, "scenario", ListSettings())
    for at, name, outcome, cause, more in (
        (T0, "Анна", Outcome.LINE_FAULT, Cause.LINE_FAULT, {"native_text": "no trunk"}),
        (T0, "Борис", Outcome.BUSY, Cause.BUSY, {"native_system": "csta", "native_code": "3"}),
        (T0 + MINUTE, "Анна", Outcome.BUSY, Cause.BUSY, {}),
        (
            *(T0 + MINUTE, "Анна", Outcome.CONFIRMED, Cause.NORMAL),
            {
                "heard_ms": 12_340,
                "of_ms": 15_000,
                "keys": "71",
                "answers": [("q", "yes")],
                "recordings": [("reply", "4-reply.wav")],
            },
        ),
    ):
        conn.execute(text("UPDATE task SET priority = CASE name WHEN :name THEN 0 ELSE 9 END"), {"name": name})
        claim = tasks.claim(conn, campaign_id, "office", "301", "node", at)
        assert claim is not None and claim.name == name
        ended_at = at + 2 * timedelta(seconds=10)
        attempts.finish(conn, claim.attempt_id, Finish(outcome, cause, ended_at, **more), ended_at)
        conn.execute(
            text("UPDATE task SET due_at = :at WHERE why = 'next_number'"), {"at": "2026-11-23T09:00:00.000000"}
        )
    return campaign_id


def test_people(conn: Connection, campaign: int) -> None:
    anna, boris, vera = reports.people(conn, [campaign])
    assert anna == PersonRow(
        campaign_id=campaign,
        list_name="debtors",
        name="Анна",
        number="+72",
        outcome="confirmed",
        attempts=3,
        not_counted=1,
        last_attempt_at=T0 + MINUTE,
        answered_at=None,
        keys="71",
        heard_s=12.3,
        of_s=15.0,
        recordings="4-reply.wav",
        answers="q=yes",
        cause="normal",
        native_cause="",
        why="",
    )
    assert (boris.outcome, boris.why, boris.number, boris.native_cause) == (None, "retry_busy", "+73", "csta 3")
    assert (vera.outcome, vera.why, vera.number, vera.attempts, vera.last_attempt_at) == (None, "due", "+74", 0, None)
    assert reports.people(conn, []) == []


def test_attempts(conn: Connection, campaign: int) -> None:
    rows = reports.attempts(conn, [campaign])
    assert [(row.name, row.attempt_no, row.number, row.outcome, row.counted) for row in rows] == [
        ("Анна", 1, "+71", "line_fault", False),
        ("Борис", 1, "+73", "busy", True),
        ("Анна", 2, "+71", "busy", True),
        ("Анна", 3, "+72", "confirmed", True),
    ]
    assert rows[3].recordings == "4-reply.wav" and rows[0].native_cause == "no trunk"


def test_every_column_has_a_field(conn: Connection, campaign: int) -> None:
    for columns, row in (
        (PEOPLE_COLUMNS, reports.people(conn, [campaign])[0]),
        (ATTEMPT_COLUMNS, reports.attempts(conn, [campaign])[0]),
    ):
        assert [column.field for column in columns] == list(vars(row))
        assert len({column.heading for column in columns}) == len(columns)


def test_csv(conn: Connection, campaign: int, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    reports.write_csv(path, reports.people(conn, [campaign]), UTC)
    octets = path.read_bytes()
    assert octets.startswith(b"\xef\xbb\xbfcampaign;list;name;number;outcome;") and octets.endswith(b"\r\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["name"] for row in rows] == ["Анна", "Борис", "Вера"]
    assert (rows[0]["number"], rows[0]["last attempt at"], rows[0]["heard s"]) == ("+72", "2026-11-23 09:01:00", "12.3")


EVIL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_in_a_csv_is_a_formula(conn: Connection, campaign: int, tmp_path: Path, evil: str) -> None:
    row = replace(reports.people(conn, [campaign])[0], name=evil, number=evil, keys="+74951234567")
    reports.write_csv(tmp_path / "r.csv", [row])
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        written = next(csv.DictReader(file, delimiter=";"))
    assert (written["name"], written["number"]) == ("'" + evil, "'" + evil)
    assert written["keys"] == "'+74951234567"  # only the column of numbers may begin with a plus


def test_numbers_keep_their_plus(conn: Connection, campaign: int, tmp_path: Path) -> None:
    row = replace(reports.people(conn, [campaign])[0], number="+74951234567")
    reports.write_csv(tmp_path / "r.csv", [row])
    assert ";+74951234567;" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_in_a_workbook_is_a_formula(conn: Connection, campaign: int, tmp_path: Path, evil: str) -> None:
    row = replace(reports.people(conn, [campaign])[0], name=evil)
    reports.write_xlsx(tmp_path / "r.xlsx", [row], [])
    cell = load_workbook(tmp_path / "r.xlsx")["people"]["C2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (evil, "s", None)


def test_the_workbook(conn: Connection, campaign: int, tmp_path: Path) -> None:
    people, tried = reports.people(conn, [campaign]), reports.attempts(conn, [campaign])
    reports.write_xlsx(tmp_path / "r.xlsx", people, tried, UTC)
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["summary", "people", "attempts"]
    summary = [[cell.value for cell in row] for row in book["summary"].iter_rows(max_col=3)]
    assert summary == [
        ["outcome", "people", "share"],
        ["open", 2, pytest.approx(2 / 3)],
        ["confirmed", 1, pytest.approx(1 / 3)],
        ["people", 3, None],
        ["attempts", 4, None],
    ]
    assert [row[2].value for row in book["people"].iter_rows(min_row=2)] == ["Анна", "Борис", "Вера"]
    assert book["people"]["D2"].value == "+72"
    assert book["people"]["H2"].value == datetime(2026, 11, 23, 9, 1)  # noqa: DTZ001 (a workbook knows no zones)
    assert [row[8].value for row in book["attempts"].iter_rows(min_row=2)] == [row.outcome for row in tried]
    with zipfile.ZipFile(tmp_path / "r.xlsx") as archive:
        assert b"summary" in archive.read("xl/charts/chart1.xml")


def test_a_report_of_nobody(tmp_path: Path) -> None:
    reports.write_csv(tmp_path / "r.csv", [])
    reports.write_xlsx(tmp_path / "r.xlsx", [], [])
    assert len((tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()) == 1
    assert load_workbook(tmp_path / "r.xlsx").sheetnames == ["summary", "people", "attempts"]


def test_a_report_that_can_not_be_written_leaves_nothing_half_done(tmp_path: Path) -> None:
    """The name is taken by a folder: the same as a file that is open in another program."""
    for name in ("r.csv", "r.xlsx"):
        (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=r"r\.csv: the report can't be written"):
        reports.write_csv(tmp_path / "r.csv", [])
    with pytest.raises(StoreError, match=r"r\.xlsx: the report can't be written"):
        reports.write_xlsx(tmp_path / "r.xlsx", [], [])
    with pytest.raises(StoreError, match="the report can't be written"):
        reports.write_csv(tmp_path / "no folder" / "r.csv", [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.xlsx"]
