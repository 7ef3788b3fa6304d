"""Call records in the ledger: once each, with their attempts, and what they say in the report."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from report_made import write_report
from sqlalchemy import update

from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.numbers import digits_to_dial
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.store import attempts, call_records, campaign_start, lists, reports, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.schema import task
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NUMBER = "+74951234501"


def dialled(number: str) -> str:
    return digits_to_dial(number, [("+7", "98")])


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def record(ended_s: float = 60, **more: Any) -> CallRecord:
    made = CallRecord(
        gateway="office",
        source="smdr",
        raw=f"22/11/26 line of {ended_s}",
        started_at=at(ended_s - 50),
        ended_at=at(ended_s),
        extension="301",
        trunk="01",
        number="984951234501",
        direction="out",
        ring_s=5,
        duration_s=50,
        cost=Decimal("1.95"),
        currency="EUR",
        account="123",
        condition="",
    )
    return replace(made, **more)


POLICY = ListSettings(tries_per_person=9, tries_per_number=9, rules={Outcome.CUT_SHORT: RetryRule(9, 60)})


class Ledger:
    """One person who is called from extension 301 whenever the test says so."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        list_id = lists.find_or_create(conn, "debtors", T0)
        upserts.upsert(conn, list_id, [Person("1", "Анна", ((NUMBER, ""),), {})])
        self.campaign_id = campaign_start.start(conn, list_id, T0, "scenario", POLICY)

    def begin(self, placed_s: float) -> int:
        self.conn.execute(update(task).values(due_at=T0))
        claim = tasks.claim(self.conn, self.campaign_id, "office", "301", "node", at(placed_s))
        assert claim is not None
        attempts.mark(self.conn, claim.attempt_id, AttemptState.PLACING, at(placed_s))
        attempts.mark(self.conn, claim.attempt_id, AttemptState.DIALING, at(placed_s))
        attempts.mark(self.conn, claim.attempt_id, AttemptState.ANSWERED, at(placed_s + 5))
        return claim.attempt_id

    def end(self, attempt_id: int, ended_s: float, outcome: Outcome = Outcome.CUT_SHORT) -> None:
        attempts.finish(self.conn, attempt_id, Finish(outcome, Cause.NORMAL, at(ended_s)), at(ended_s))

    def call(self, placed_s: float, ended_s: float) -> int:
        attempt_id = self.begin(placed_s)
        self.end(attempt_id, ended_s)
        return attempt_id

    def look(self, since_s: float = 0) -> int:
        return call_records.find_attempts(self.conn, "office", at(since_s), dialled)

    def owners(self) -> dict[str, int | None]:
        return {each.record.raw: each.attempt_id for each in call_records.kept(self.conn)}


@pytest.fixture
def ledger(database: Path | str) -> Iterator[Ledger]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield Ledger(connection)
    store.close()


def test_a_record_comes_back_as_it_was(ledger: Ledger) -> None:
    unread = CallRecord("office", "smdr", "22/11/26 ???", fault="fits none of the patterns")
    assert call_records.add(ledger.conn, [record(), unread], at(61)) == 2
    kept = call_records.kept(ledger.conn)
    assert [each.record for each in kept] == [unread, record()]
    assert {each.received_at for each in kept} == {at(61)}


def test_the_same_line_again_is_the_same_record(ledger: Ledger) -> None:
    """After a reconnect the PBX may send what it sent before; another call that looks the same is another copy."""
    ledger.call(10, 60)
    assert call_records.add(ledger.conn, [record()], at(61)) == 1
    assert ledger.look() == 1
    assert call_records.add(ledger.conn, [record(), record()], at(99)) == 0
    assert ledger.look() == 0
    assert call_records.add(ledger.conn, [record(copy=2)], at(99)) == 1
    assert call_records.add(ledger.conn, [record(gateway="branch"), record(source="csta")], at(99)) == 2
    assert len(call_records.kept(ledger.conn)) == 4


def test_what_is_too_long_is_cut_and_still_known_again(ledger: Ledger) -> None:
    long = record(raw="x" * 3000, account="1" * 100, number="2" * 200)
    assert call_records.add(ledger.conn, [long], at(0)) == 1
    assert call_records.add(ledger.conn, [long], at(0)) == 0
    (kept,) = call_records.kept(ledger.conn)
    assert (len(kept.record.raw), len(kept.record.account), len(kept.record.number)) == (1024, 40, 100)


@pytest.mark.parametrize("record_first", [False, True])
def test_whichever_comes_first(ledger: Ledger, record_first: bool) -> None:
    attempt_id = ledger.begin(10)
    if record_first:
        call_records.add(ledger.conn, [record(60)], at(61))
        assert ledger.look() == 0, "the attempt has not ended"
    ledger.end(attempt_id, 61)
    if not record_first:
        assert ledger.look() == 0
        call_records.add(ledger.conn, [record(60)], at(99))
    assert ledger.look() == 1
    assert ledger.owners() == {record(60).raw: attempt_id}


def test_each_attempt_gets_its_own(ledger: Ledger) -> None:
    ids = [ledger.call(start, start + 50) for start in (10, 400, 1000)]
    lines = [record(start + 50) for start in (10, 400, 1000)]
    for line in reversed(lines):
        call_records.add(ledger.conn, [line], at(2000))
    assert ledger.look() == 3
    assert ledger.owners() == {line.raw: attempt_id for line, attempt_id in zip(lines, ids, strict=True)}


def test_nothing_before_since_is_looked_at(ledger: Ledger) -> None:
    ledger.call(10, 60)
    call_records.add(ledger.conn, [record(60)], at(61))
    assert ledger.look(since_s=3600) == 0
    assert ledger.look() == 1


def test_records_of_others_and_other_gateways_stay_alone(ledger: Ledger) -> None:
    ledger.call(10, 60)
    strangers = [
        record(60, raw="a", extension="1200"),
        record(60, raw="b", number="984951234502"),
        record(60, raw="c", direction="in"),
        record(60, raw="d", gateway="branch"),
        record(60, raw="e", fault="unreadable"),
    ]
    call_records.add(ledger.conn, strangers, at(61))
    assert ledger.look() == 0
    assert [each.record.raw for each in call_records.kept(ledger.conn, unmatched=True)] == ["e", "d", "c", "b", "a"]
    assert [each.record.raw for each in call_records.kept(ledger.conn, unread_only=True)] == ["e"]
    assert [each.record.raw for each in call_records.kept(ledger.conn, "branch")] == ["d"]
    assert len(call_records.kept(ledger.conn, limit=2)) == 2
    assert call_records.kept(ledger.conn, since=at(62)) == []


def test_a_transfer_has_two_records_also_one_by_one(ledger: Ledger) -> None:
    attempt_id = ledger.call(10, 60)
    call_records.add(ledger.conn, [record(60, condition="TR")], at(61))
    assert ledger.look() == 1
    operators = record(400, extension="101", started_at=at(60), duration_s=340, cost=Decimal("5.05"))
    call_records.add(ledger.conn, [operators], at(401))
    assert ledger.look() == 1
    assert set(ledger.owners().values()) == {attempt_id}
    (row,) = reports.attempts(ledger.conn, [ledger.campaign_id])
    assert (row.billed_s, row.cost, row.currency) == (390, Decimal("7.00"), "EUR")


def test_one_call_told_by_smdr_and_by_csta(ledger: Ledger) -> None:
    """Both belong to the attempt, whichever was first; it is billed once, by the one that has the cost."""
    attempt_id = ledger.call(10, 60)
    for line in (record(60, source="csta", raw="A1", cost=None, currency="", duration_s=51), record(60)):
        call_records.add(ledger.conn, [line], at(61))
        assert ledger.look() == 1
    assert set(ledger.owners().values()) == {attempt_id}
    (row,) = reports.attempts(ledger.conn, [ledger.campaign_id])
    assert (row.billed_s, row.cost, row.currency) == (50, Decimal("1.95"), "EUR")


def test_what_could_not_be_read_is_read_later(ledger: Ledger) -> None:
    attempt_id = ledger.call(10, 60)
    unread = CallRecord("office", "smdr", record().raw, fault="set date_order")
    hopeless = CallRecord("office", "smdr", "noise", fault="no date")
    call_records.add(ledger.conn, [unread, hopeless], at(61))
    assert call_records.unread(ledger.conn, "office") == [unread, hopeless]
    assert call_records.read_again(ledger.conn, [record(), hopeless]) == 1
    assert ledger.look() == 1
    assert call_records.unread(ledger.conn, "office") == [hopeless]
    assert ledger.owners() == {record().raw: attempt_id, "noise": None}


def test_the_report_says_what_was_billed(ledger: Ledger, tmp_path: Path) -> None:
    ledger.call(10, 60)
    ledger.call(400, 450)
    ledger.call(1000, 1050)
    call_records.add(ledger.conn, [record(60), record(450, duration_s=40, cost=Decimal("0.05"))], at(2000))
    assert ledger.look() == 2
    tried = reports.attempts(ledger.conn, [ledger.campaign_id])
    assert [(row.billed_s, row.cost, row.currency) for row in tried] == [
        (50, Decimal("1.95"), "EUR"),
        (40, Decimal("0.05"), "EUR"),
        (None, None, ""),
    ]
    people = reports.people(ledger.conn, [ledger.campaign_id])
    assert [(row.billed_s, row.cost, row.currency) for row in people] == [(90, Decimal("2.00"), "EUR")]
    write_report(tmp_path, reports.campaign_rows(ledger.conn, [ledger.campaign_id]), people, tried)
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = csv.DictReader(file, delimiter=";")
    assert (line["billed s"], line["cost"], line["currency"]) == ("90", "2.00", "EUR")
    sheet = load_workbook(tmp_path / "report.xlsx")["attempts"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    shown = [[sheet.cell(row, columns[name]).value for name in ("billed s", "cost", "currency")] for row in (2, 3, 4)]
    assert shown == [[50, 1.95, "EUR"], [40, 0.05, "EUR"], [None, None, None]]


def test_an_amount_that_does_not_fit_is_none_and_never_another_one(ledger: Ledger) -> None:
    call_records.add(ledger.conn, [record(cost=Decimal("12345678901234567890.50"))], at(61))
    assert [each.record.cost for each in call_records.kept(ledger.conn)] == [None]


def test_of_very_many_unread_lines_the_last_are_read_again(ledger: Ledger) -> None:
    lines = [CallRecord("office", "smdr", f"noise {number}", fault="no date") for number in range(5)]
    call_records.add(ledger.conn, lines, at(61))
    assert [each.raw for each in call_records.unread(ledger.conn, "office", most=2)] == ["noise 3", "noise 4"]
