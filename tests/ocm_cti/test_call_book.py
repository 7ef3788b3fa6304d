"""The book of calls on a clock: everything is written, and everything finds its attempt, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import START, FakeGateway, InlineStore, InstantPrompts, WallClock
from twisted.internet.task import Clock

from ocm_cti import call_book
from ocm_cti.call_book import CallBook
from ocm_cti.dialer import Dialer
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.interface import EndedBy
from ocm_cti.store import attempts, call_records, campaign_start, lists, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.errors import StoreError
from ocm_cti.store.transactions import Connection

SCENARIO = """
name = "water"
language = "en"

[[step]]
name = "agree"
type = "confirm"
message = "Press one."
key = "1"
tries = 1
timeout_s = 60
"""


class Desk:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = InlineStore(folder / "ocm.db")
        store: Any = self.store
        self.book = CallBook(store, self.clock, self.now, {"office": lambda number: number.lstrip("+")})

    def now(self) -> datetime:
        moment: datetime = START + timedelta(seconds=self.clock.seconds())
        return moment

    def record(self, raw: str = "line") -> CallRecord:
        ended_at = self.now()
        started_at = ended_at - timedelta(seconds=30)
        return CallRecord("office", "smdr", raw, started_at, ended_at, "301", "01", "71", "out", duration_s=30)

    def attempt(self) -> int:
        """Placed now, answered at once, not ended."""

        def begin(conn: Connection) -> int:
            list_id = lists.find_or_create(conn, "debtors", self.now())
            upserts.upsert(conn, list_id, [Person("1", "Анна", (("+71", ""),), {})])
            campaign_id = campaign_start.start(conn, list_id, self.now(), "scenario", ListSettings())
            claim = tasks.claim(conn, campaign_id, "office", "301", "node", self.now())
            assert claim is not None
            for state in (AttemptState.PLACING, AttemptState.ANSWERED):
                attempts.mark(conn, claim.attempt_id, state, self.now())
            return claim.attempt_id

        return int(self.store.now(begin))

    def end(self, attempt_id: int) -> None:
        finish = Finish(Outcome.DELIVERED, Cause.NORMAL, self.now())
        self.store.now(lambda conn: attempts.finish(conn, attempt_id, finish, self.now()))

    def kept(self) -> dict[str, int | None]:
        found = self.store.now(call_records.kept)
        return {each.record.raw: each.attempt_id for each in found}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.book.stop()
    assert made.clock.getDelayedCalls() == []
    made.store.close()


def test_records_are_gathered_and_written_together(desk: Desk) -> None:
    desk.book.recorded(desk.record("a"))
    desk.book.recorded(desk.record("b"))
    assert desk.kept() == {}
    desk.clock.advance(call_book.GATHER_S)
    assert desk.kept() == {"a": None, "b": None}
    assert desk.clock.getDelayedCalls() == []


@pytest.mark.parametrize("record_first", [False, True])
def test_record_and_outcome_in_either_order(desk: Desk, record_first: bool) -> None:
    attempt_id = desk.attempt()
    desk.clock.advance(30)
    line = desk.record()
    if record_first:
        desk.book.recorded(line)
        desk.clock.advance(5)
        assert desk.kept() == {"line": None}
    desk.end(attempt_id)
    desk.book.attempt_over("office")
    desk.clock.advance(5)
    if not record_first:
        desk.book.recorded(line)
        desk.clock.advance(5)
    assert desk.kept() == {"line": attempt_id}


def test_a_store_that_fails_is_asked_again(desk: Desk) -> None:
    desk.store.broken = StoreError("disk full")
    desk.book.recorded(desk.record("a"))
    desk.clock.advance(call_book.GATHER_S)
    desk.book.recorded(desk.record("b"))
    desk.clock.advance(1)
    desk.store.broken = None
    desk.clock.advance(call_book.STORE_RETRY_S)
    assert desk.kept() == {"a": None, "b": None}


def test_memory_is_bounded_while_the_store_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_book, "MAX_WAITING", 3)
    desk.store.broken = StoreError("disk full")
    for number in range(9):
        desk.book.recorded(desk.record(f"line {number}"))
    desk.clock.advance(call_book.GATHER_S)
    desk.store.broken = None
    desk.clock.advance(call_book.STORE_RETRY_S)
    assert set(desk.kept()) == {"line 0", "line 1", "line 2"}


def test_a_backlog_is_written_little_by_little_and_finds_its_attempts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_book, "AT_ONCE", 2)
    attempt_id = desk.attempt()
    desk.clock.advance(30)
    mine = desk.record("mine")
    desk.end(attempt_id)
    for number in range(4):
        desk.book.recorded(replace(mine, raw=f"other {number}", number="4"))
    desk.book.recorded(mine)
    desk.clock.advance(call_book.GATHER_S)
    assert len(desk.kept()) == 2
    desk.clock.advance(call_book.GATHER_S)
    assert len(desk.kept()) == 4
    desk.clock.advance(call_book.GATHER_S)
    assert desk.kept()["mine"] == attempt_id
    assert desk.clock.getDelayedCalls() == []


def test_a_stop_writes_all_of_a_backlog(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_book, "AT_ONCE", 2)
    for number in range(5):
        desk.book.recorded(desk.record(str(number)))
    desk.book.stop()
    assert len(desk.kept()) == 5


def test_a_stop_writes_what_has_come(desk: Desk) -> None:
    desk.book.recorded(desk.record("a"))
    stopped: list[None] = []
    desk.book.stop().addCallback(stopped.append)
    assert stopped == [None]
    assert desk.kept() == {"a": None}


def test_a_start_finds_what_a_crash_left(desk: Desk) -> None:
    attempt_id = desk.attempt()
    desk.clock.advance(30)
    line = desk.record()
    desk.store.now(lambda conn: call_records.add(conn, [line], desk.now()))
    desk.end(attempt_id)
    desk.clock.advance(3600)
    desk.book.start()
    desk.clock.advance(1)
    assert desk.kept() == {"line": attempt_id}


def test_unread_records_are_read_when_more_is_known(desk: Desk) -> None:
    attempt_id = desk.attempt()
    desk.clock.advance(30)
    line = desk.record()
    desk.end(attempt_id)
    desk.book.recorded(CallRecord("office", "smdr", line.raw, fault="set date_order"))
    desk.clock.advance(1)
    assert desk.kept() == {"line": None}
    desk.book.read_again("office", lambda unread: replace(line, copy=unread.copy))
    desk.clock.advance(1)
    assert desk.kept() == {"line": attempt_id}


def test_records_of_a_gateway_that_is_not_configured_any_more_are_kept(desk: Desk) -> None:
    desk.book.recorded(replace(desk.record(), gateway="branch"))
    desk.clock.advance(1)
    assert desk.kept() == {"line": None}


def test_the_dialer_tells_the_book_what_gateways_say_and_when_attempts_end(desk: Desk, tmp_path: Path) -> None:
    """A record over CSTA that comes before the outcome: the end of the attempt makes the book look again."""
    clock = WallClock()
    gateway: Any = FakeGateway(clock)
    store: Any = desk.store
    book = CallBook(store, clock, clock.utc, {"office": lambda number: number.lstrip("+")})

    def begin(conn: Connection) -> None:
        list_id = lists.find_or_create(conn, "debtors", clock.utc())
        upserts.upsert(conn, list_id, [Person("1", "Анна", (("+71", ""),), {})])
        campaign_start.start(conn, list_id, clock.utc(), SCENARIO, ListSettings(language="en"))

    desk.store.now(begin)
    dialer = Dialer(store, [gateway], InstantPrompts(tmp_path), tmp_path, clock, clock.utc, "test", call_book=book)
    dialer.start()
    (call,) = gateway.placed
    call.answer()
    call.listen()
    clock.advance(30)
    at = clock.utc()
    dialer.call_recorded(
        gateway, CallRecord("office", "csta", "A1", at, at, call.port, "1", "71", "out", duration_s=30)
    )
    clock.advance(1)
    assert desk.kept() == {"A1": None}
    call.end(EndedBy.THEM)
    clock.advance(1)
    assert desk.kept() == {"A1": call.attempt_id}
    dialer.stop()
    book.stop()
    clock.advance(0)
    assert clock.getDelayedCalls() == []
