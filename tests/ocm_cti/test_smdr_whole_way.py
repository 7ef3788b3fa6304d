"""The whole way of a call record: a call of the simulated PBX ends -> SMDR -> link -> ledger -> attempt -> report."""

from __future__ import annotations

import csv
import os
import time
import tty
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import InlineStore
from report_made import write_report
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from ocm_cti.call_book import CallBook
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.numbers import digits_to_dial
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.smdr import SmdrLine
from ocm_cti.gateways.smdr_settings import SmdrSettings
from ocm_cti.simulator.effects import CallAccount
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.smdr_server import SmdrServer
from ocm_cti.store import attempts, call_records, campaign_start, lists, reports, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.transactions import Connection

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DIAL = [("+7", "98"), ("+", "9810")]
NUMBERS = ["+74951234501", "+74951234502", "+441234567890"]


class End:
    """One end of a wire on a clock: what is written arrives in small pieces, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.protocol: Any = None
        self.other: End | None = None
        self.closed = False

    def write(self, octets: bytes) -> None:
        for at in range(0, len(octets), 7):
            self._clock.callLater(0, self._arrive, octets[at : at + 7])

    def _arrive(self, octets: bytes) -> None:
        if self.other is not None and not self.other.closed:
            self.other.protocol.dataReceived(octets)

    def loseConnection(self) -> None:
        for end in (self, self.other):
            if end is not None and not end.closed:
                end.closed = True
                self._clock.callLater(0, end.protocol.connectionLost, Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


class House:
    """One PBX with its printer port, one server that reads it; both on one clock that begins at START."""

    def __init__(self, folder: Path, pbx: dict[str, Any], smdr: dict[str, Any]) -> None:
        self.folder = folder
        self.clock = Clock()
        self.clock.advance(START.timestamp())
        self.server = SmdrServer(Settings(**{"utc_offset_h": 3.0, **pbx}), lambda text: None)
        self.reachable = True
        self.ends: list[End] = []
        self.store = InlineStore(folder / "ocm.db")
        store: Any = self.store
        dialled = partial(digits_to_dial, rules=DIAL)
        self.book = CallBook(store, self.clock, self.now, {"office": dialled})
        settings = SmdrSettings("tcp:127.0.0.1:2300", time_zone="Europe/Moscow", **smdr)
        self.line = SmdrLine("office", settings, self.clock, self.book, self)
        self.line.start()
        self.campaign_id = int(self.store.now(self._campaign))
        self.serial = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.seconds(), UTC)

    def _campaign(self, conn: Connection) -> int:
        list_id = lists.find_or_create(conn, "debtors", self.now())
        persons = [Person(str(row), f"Person {row}", ((number, ""),), {}) for row, number in enumerate(NUMBERS)]
        upserts.upsert(conn, list_id, persons)
        return campaign_start.start(conn, list_id, self.now(), "scenario", ListSettings())

    # the endpoint

    def connect(self, factory: Any) -> Deferred[Any]:
        if not self.reachable:
            return fail(ConnectionRefusedError())  # type: ignore[no-untyped-call]
        client, server = End(self.clock), End(self.clock)
        client.other, server.other = server, client
        client.protocol, server.protocol = factory.buildProtocol(None), self.server.buildProtocol(None)
        server.protocol.makeConnection(server)
        client.protocol.makeConnection(client)
        self.ends.append(client)
        return succeed(client.protocol)

    # what happens

    def run(self, seconds: float) -> None:
        """Time goes by, in steps, so that what one side sends the other answers."""
        for _ in range(int(seconds * 8)):
            self.clock.advance(0.125)

    def call(self, port: str, talk_s: float, finish_late_s: float = 0.0) -> str:
        """One attempt from beginning to end on both sides; gives the number called."""
        begun_s = self.clock.seconds()

        def begin(conn: Connection) -> tasks.Claim:
            claim = tasks.claim(conn, self.campaign_id, "office", port, "node", self.now())
            assert claim is not None
            attempts.mark(conn, claim.attempt_id, AttemptState.PLACING, self.now())
            return claim

        claim = self.store.now(begin)
        self.run(4)
        answered_s = self.clock.seconds()
        if talk_s:
            self.store.now(lambda conn: attempts.mark(conn, claim.attempt_id, AttemptState.ANSWERED, self.now()))
        self.run(talk_s)
        self.serial += 1
        self.server.call_ended(
            CallAccount(
                serial=self.serial,
                call_id=bytes([self.serial]),
                extension=port,
                trunk=self.serial,
                dialled=digits_to_dial(claim.number, DIAL),
                direction="out",
                started_s=begun_s,
                answered_s=answered_s if talk_s else None,
                ended_s=self.clock.seconds(),
                answered=bool(talk_s),
            )
        )
        self.run(finish_late_s)
        outcome = Outcome.DELIVERED if talk_s else Outcome.NO_ANSWER
        end = Finish(outcome, Cause.NORMAL, self.now())
        self.store.now(lambda conn: attempts.finish(conn, claim.attempt_id, end, self.now()))
        self.book.attempt_over("office")
        return str(claim.number)

    def somebody_else(self) -> None:
        """An incoming call of the office, and one that the secretary made."""
        ended_s = self.clock.seconds()
        for direction, dialled in (("in", "4951112233"), ("out", "984957654321")):
            self.server.call_ended(
                CallAccount(9, b"9", "1200", 5, dialled, direction, ended_s - 70, ended_s - 60, ended_s, True)
            )

    def report(self) -> list[dict[str, str]]:
        people = self.store.now(lambda conn: reports.people(conn, [self.campaign_id]))
        write_report(self.folder, self.store.now(lambda conn: reports.campaign_rows(conn, [self.campaign_id])), people)
        with (self.folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))

    def kept(self, **which: Any) -> list[call_records.KeptRecord]:
        found: list[call_records.KeptRecord] = self.store.now(lambda conn: call_records.kept(conn, **which))
        return found

    def close(self) -> None:
        stopped: list[Any] = []
        self.line.stop().addCallback(stopped.append)
        self.run(1)
        self.book.stop()
        self.run(1)
        assert stopped
        assert self.clock.getDelayedCalls() == []
        self.store.close()


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def one(pbx: dict[str, Any] | None = None, smdr: dict[str, Any] | None = None) -> House:
        houses.append(House(tmp_path, pbx or {}, smdr or {}))
        return houses[-1]

    yield one
    for house in houses:
        house.close()


@pytest.mark.parametrize(
    ("pbx", "smdr", "cost"),
    [
        pytest.param({"smdr_pattern": "A"}, {}, None, id="A, everything found out"),
        pytest.param({"smdr_pattern": "B", "smdr_date_order": "mm/dd/yy"}, {"pattern": "B"}, "0.60", id="B"),
        pytest.param(
            {"smdr_pattern": "C", "smdr_date_order": "yy/mm/dd", "smdr_clock": "24", "smdr_new_line": "cr"},
            {"date_order": "yy/mm/dd", "clock": "24"},
            "0.60",
            id="C",
        ),
        pytest.param({"smdr_pattern": "C", "smdr_telnet": True, "smdr_echo": True}, {}, "0.60", id="telnet"),
        pytest.param({"smdr_pattern": "C", "smdr_access_code": False}, {}, "0.60", id="no access code"),
        pytest.param({"smdr_pattern": "C", "smdr_secret_digits": 2}, {}, "0.60", id="secret digits"),
        pytest.param({"smdr_pattern": "C", "smdr_login": False}, {"login": False}, "0.60", id="no login"),
        pytest.param(
            {"smdr_pattern": "C", "smdr_page_lines": 4, "smdr_form_feed": True, "smdr_banner": "-- KX --"},
            {},
            "0.60",
            id="pages",
        ),
    ],
)
def test_from_the_pbx_to_the_report(
    build: Callable[..., House], pbx: dict[str, Any], smdr: dict[str, Any], cost: str | None
) -> None:
    house = build(pbx, smdr)
    house.run(5)
    house.call("301", 30)
    house.somebody_else()
    house.run(100)
    house.call("302", 30, finish_late_s=3)
    house.run(100)
    house.call("301", 0)
    house.run(5)
    assert house.line.health.state is LinkState.UP
    assert house.line.unread == 0
    rows = house.report()
    assert [row["billed s"] for row in rows] == ["30", "30", "0"]
    if cost is not None:
        assert [row["cost"] for row in rows] == [cost, cost, "0.00"]
        assert {row["currency"] for row in rows} == {"EUR"}
    assert {each.record.extension for each in house.kept(unmatched=True)} == {"1200"}
    matched = [each for each in house.kept() if each.attempt_id is not None]
    assert len(matched) == 3
    for each in matched:
        assert each.record.ended_at is not None
        assert START <= each.record.ended_at < house.now()


def test_records_that_wait_in_the_pbx_find_their_attempts_later(build: Callable[..., House]) -> None:
    house = build({"smdr_pattern": "C", "smdr_sent_again": 5})
    house.run(5)
    house.call("301", 30)
    house.run(5)
    house.reachable = False
    house.ends[-1].loseConnection()
    house.run(60)
    house.call("302", 20)
    house.run(1800)
    assert [row["billed s"] for row in house.report()] == ["30", "", ""]
    house.reachable = True
    house.run(120)
    assert [row["billed s"] for row in house.report()] == ["30", "20", ""]
    assert [row["cost"] for row in house.report()] == ["0.60", "0.40", ""]
    assert len(house.kept()) == 2, "what the PBX sent again is the same record"


def test_dates_that_may_be_read_in_two_ways_are_read_when_a_later_one_tells(build: Callable[..., House]) -> None:
    """From the 5th to the 13th of December: 05/12 may be the 12th of May until the first 13/12."""
    house = build({"smdr_pattern": "C"})
    house.clock.advance(timedelta(days=13).total_seconds())
    house.run(5)
    house.call("301", 30)
    house.run(5)
    (kept,) = house.kept()
    assert kept.record.fault == "the date 05/12/26 may be dd/mm/yy or mm/dd/yy; set date_order"
    assert [row["billed s"] for row in house.report()] == ["", "", ""]
    house.clock.advance(timedelta(days=8).total_seconds())
    house.somebody_else()
    house.run(5)
    assert house.kept(unread_only=True) == []
    assert [row["billed s"] for row in house.report()] == ["30", "", ""]


def test_settings_put_right_read_what_was_kept(build: Callable[..., House], tmp_path: Path) -> None:
    wrong = build({"smdr_pattern": "C"}, {"pattern": "A", "date_order": "dd/mm/yy"})
    wrong.run(5)
    wrong.call("301", 30)
    wrong.run(5)
    (kept,) = wrong.kept()
    assert "it looks like pattern C" in kept.record.fault
    store: Any = wrong.store
    book = CallBook(store, wrong.clock, wrong.now, {"office": partial(digits_to_dial, rules=DIAL)})
    settings = SmdrSettings("tcp:127.0.0.1:2300", time_zone="Europe/Moscow", pattern="C", date_order="dd/mm/yy")
    right = SmdrLine("office", settings, wrong.clock, book, wrong)
    right.start()
    wrong.run(5)
    (kept,) = wrong.kept()
    assert (kept.record.fault, kept.record.cost) == ("", Decimal("0.60"))
    assert kept.attempt_id is not None
    right.stop()
    wrong.run(1)
    book.stop()


def test_a_wrong_password_is_shown(build: Callable[..., House]) -> None:
    house = build({"smdr_password": "other"})
    house.run(5)
    assert house.line.health.state is LinkState.REFUSED
    assert "refuses user SMDR" in house.line.health.reason


# Real sockets and a real terminal line


class Taker:
    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    def recorded(self, record: CallRecord) -> None:
        self.records.append(record)

    def read_again(self, gateway: str, read: Callable[[CallRecord], CallRecord]) -> None:
        pass


def until(reactor: Any, ready: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline, "waited in vain"
        reactor.iterate(0.02)


def account() -> CallAccount:
    now_s = time.time()
    return CallAccount(1, b"1", "301", 1, "984951234501", "out", now_s - 40, now_s - 30, now_s, True)


@pytest.mark.sockets
def test_over_tcp() -> None:
    reactor: Any = SelectReactor()
    server = SmdrServer(Settings(smdr_pattern="B"), lambda text: None)
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    taker = Taker()
    settings = SmdrSettings(f"tcp:127.0.0.1:{port.getHost().port}", time_zone="UTC", date_order="dd/mm/yy", quiet_s=0.1)
    line = SmdrLine("office", settings, reactor, taker)
    server.call_ended(account())
    line.start()
    until(reactor, lambda: taker.records)
    assert (taker.records[0].number, taker.records[0].duration_s) == ("984951234501", 30)
    closed: list[Any] = []
    line.stop().addCallback(closed.append)
    until(reactor, lambda: closed)
    port.stopListening().addCallback(closed.append)
    until(reactor, lambda: len(closed) == 2)


@pytest.mark.sockets
def test_over_a_serial_line() -> None:
    reactor: Any = SelectReactor()
    pbx, ours = os.openpty()
    tty.setraw(pbx)
    tty.setraw(ours)
    taker = Taker()
    settings = SmdrSettings(f"serial:{os.ttyname(ours)}?baud=9600", login=False, time_zone="UTC")
    line = SmdrLine("office", settings, reactor, taker)
    line.start()
    until(reactor, lambda: line.health.state is LinkState.UP)
    text = "22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05"
    os.write(pbx, f"\r\n{text[:30]}".encode())
    reactor.iterate(0.02)
    os.write(pbx, f"{text[30:]}\r\n".encode())
    until(reactor, lambda: taker.records)
    assert taker.records[0].raw == text
    closed: list[Any] = []
    line.stop().addCallback(closed.append)
    until(reactor, lambda: closed)
    os.close(pbx)
    os.close(ours)
