"""Reports: what the rows say, read in portions of any size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaign_start, campaigns, lists, reports, results, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.report_rows import DifferentPeople, PersonRow
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
    upserts.upsert(conn, list_id, PEOPLE)
    campaign_id = campaign_start.start(conn, list_id, T0, "scenario", ListSettings())
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
        key="1",
        first_attempt_at=T0,
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


def test_times_to_reach_somebody(conn: Connection, campaign: int) -> None:
    """From the start of the campaign, and from the first call of all, to the answer of the call that reached her."""
    last = reports.attempts(conn, [campaign])[-1]
    attempts_at = (T0 + MINUTE + timedelta(seconds=7)).replace(tzinfo=None).isoformat(timespec="microseconds")
    conn.execute(
        text("UPDATE attempt SET answered_at = :at WHERE id = :id"), {"at": attempts_at, "id": last.attempt_id}
    )
    conn.exec_driver_sql("UPDATE campaign SET started_at = '2026-11-23T08:00:00.000000'")
    anna, boris, _ = reports.people(conn, [campaign])
    assert (anna.reached_after_start_s, anna.reached_after_first_s, anna.times_answered) == (3667.0, 67.0, 1)
    assert (boris.reached_after_start_s, boris.reached_after_first_s, boris.times_answered) == (None, None, 0)
    assert boris.next_call_at is not None and anna.next_call_at is None
    assert reports.attempts(conn, [campaign])[-1].talked_s == 13.0


def test_answers(conn: Connection, campaign: int) -> None:
    given, left = reports.each_answer(conn, [campaign])
    assert (given.name, given.step, given.value, given.recording, given.is_last) == ("Анна", "q", "yes", None, True)
    assert (left.step, left.value, left.recording, left.key, left.number) == ("reply", None, "4-reply.wav", "1", "+72")
    conn.execute(text("INSERT INTO answer (attempt_id, step, value) VALUES (:id, 'q', 'no')"), {"id": left.attempt_id})
    assert [(row.value, row.is_last) for row in reports.each_answer(conn, [campaign])] == [
        ("yes", False),
        (None, True),
        ("no", True),
    ]


@pytest.mark.parametrize("portion", [1, 2, 3])
def test_portions_leave_nobody_out(
    conn: Connection, campaign: int, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    """Also beside another campaign, whose ids lie between."""
    list_id = lists.find_or_create(conn, "others", T0)
    upserts.upsert(conn, list_id, [Person("9", "Глеб", (("+79", ""),), {})])
    other = campaign_start.start(conn, list_id, T0, "scenario", ListSettings())
    claim = tasks.claim(conn, other, "office", "302", "node", T0)
    assert claim is not None
    ids = [campaign, other]
    whole = (
        reports.people(conn, ids),
        reports.attempts(conn, ids),
        list(reports.each_answer(conn, ids)),
    )
    monkeypatch.setattr(reports, "PORTION", portion)
    assert (reports.people(conn, ids), reports.attempts(conn, ids), list(reports.each_answer(conn, ids))) == whole
    assert [row.name for row in whole[0]] == ["Анна", "Борис", "Вера", "Глеб"]
    assert [row.attempt_no for row in whole[1]] == [1, 1, 2, 3, 1]


def test_a_portion_is_found_by_its_key(conn: Connection, campaign: int) -> None:
    """Not by going through the whole campaign again for each portion, nor through the whole table of answers."""
    if conn.dialect.name != "sqlite":
        pytest.skip("the plans of SQLite are read here")
    asked: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(conn, "before_cursor_execute", note)
    reports.people(conn, [campaign])
    reports.attempts(conn, [campaign])
    list(reports.each_answer(conn, [campaign]))
    event.remove(conn, "before_cursor_execute", note)
    plans = [
        str(step[3])
        for statement, parameters in asked
        for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
    ]
    assert [step for step in plans if step.startswith("SCAN") and "campaign" not in step] == []
    assert any("task USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in step for step in plans)


def test_counts(conn: Connection, campaign: int) -> None:
    (counts,) = reports.counts(conn, [campaign], T0)
    assert (counts.people, counts.waiting, counts.calling, counts.done, counts.reached) == (3, 2, 0, 1, 1)
    assert counts.outcomes == {"confirmed": 1} and counts.campaign.list_name == "debtors"


def test_campaigns_by_the_time_of_their_start(conn: Connection, campaign: int) -> None:
    list_id = lists.find(conn, "debtors")
    assert reports.started(conn) == reports.started(conn, list_id) == [campaign]
    assert reports.started(conn, 99) == []
    assert reports.started(conn, since_at=T0, until_at=T0 + MINUTE) == [campaign]
    assert reports.started(conn, since_at=T0 + MINUTE) == reports.started(conn, until_at=T0) == []


def test_what_keeps_the_campaign_goes_before_what_the_person_waits_for(conn: Connection, campaign: int) -> None:
    plain = reports.people(conn, [campaign])
    assert list(reports.each_person(conn, [campaign], T0)) == plain
    list_id = lists.find(conn, "debtors")
    assert list_id is not None
    campaigns.pause(conn, list_id)
    anna, boris, _ = reports.each_person(conn, [campaign], T0)
    assert (boris.why, boris.next_call_at) == ("paused: by hand", None)
    assert anna == plain[0], "what has come to its end waits for nothing"
    campaigns.resume(conn, list_id, T0)
    tasks.claim(conn, campaign, "office", "301", "node", T0 + MINUTE)
    campaigns.pause(conn, list_id)
    assert [row.why for row in reports.each_person(conn, [campaign], T0)] == ["", "paused: by hand", ""]


def test_hours_are_those_of_the_persons_clock(conn: Connection) -> None:
    """At nine in Greenwich it is noon in Moscow and seven in the evening in Vladivostok, where calls have ended."""
    list_id = lists.find_or_create(conn, "hours", T0)
    upserts.upsert(conn, list_id, PEOPLE[1:])
    hours = ListSettings.from_table({"zone": "Europe/Moscow", "windows": {"mon-sun": "09:00-18:00"}})
    campaign_id = campaign_start.start(conn, list_id, T0, "scenario", hours)
    conn.exec_driver_sql("UPDATE task SET zone = 'Asia/Vladivostok' WHERE name = 'Вера'")
    boris, vera = reports.each_person(conn, [campaign_id], T0)
    assert (boris.why, boris.next_call_at) == ("due", T0)
    assert (vera.why, vera.next_call_at) == ("window", datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    later = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    boris, vera = reports.each_person(conn, [campaign_id], later)
    assert (boris.why, boris.next_call_at) == ("window", datetime(2026, 11, 24, 6, 0, tzinfo=UTC))


def test_a_report_is_of_one_moment_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """Whoever writes meanwhile is not held up, and the report says what was when it began."""
    store = Store.open(tmp_path / "ocm.db")
    list_id = store.run_now(lambda conn: lists.find_or_create(conn, "debtors", T0))
    store.run_now(lambda conn: upserts.upsert(conn, list_id, PEOPLE))
    campaign_id = store.run_now(lambda conn: campaign_start.start(conn, list_id, T0, "scenario", ListSettings()))

    def report(conn: Connection) -> tuple[int, int]:
        people = reports.each_person(conn, [campaign_id])
        next(people)
        claim = store.run_now(lambda writing: tasks.claim(writing, campaign_id, "office", "301", "node", T0))
        assert claim is not None
        return len(list(people)) + 1, len(list(reports.each_attempt(conn, [campaign_id])))

    assert store.read_now(report) == (3, 0)
    assert len(store.read_now(lambda conn: reports.attempts(conn, [campaign_id]))) == 1
    store.close()


def test_of_two_answers_to_one_question_the_last_stands(conn: Connection, campaign: int) -> None:
    """Борис answers twice, on two calls: his row, and what his own database is told, have the last."""
    for minutes, answers in ((60, [("q", "1"), ("r", "3")]), (120, [("q", "2")])):
        at = T0 + minutes * MINUTE
        conn.execute(text("UPDATE task SET priority = CASE name WHEN 'Борис' THEN 0 ELSE 9 END"))
        claim = tasks.claim(conn, campaign, "office", "301", "node", at)
        assert claim is not None and claim.name == "Борис"
        attempts.finish(conn, claim.attempt_id, Finish(Outcome.BUSY, Cause.BUSY, at, answers=answers), at)
    boris = next(row for row in reports.people(conn, [campaign]) if row.name == "Борис")
    assert boris.answers == "q=2, r=3"
    assert [row.answers for row in reports.attempts(conn, [campaign]) if row.name == "Борис"][1:] == ["q=1, r=3", "q=2"]
    list_id = lists.find(conn, "debtors")
    assert list_id is not None
    (told,) = results.changed(conn, list_id)
    assert [result.values["answers"] for result in told if result.values["key"] == boris.key] == ["q=2; r=3"]


def test_different_people(conn: Connection, campaign: int) -> None:
    conn.execute(text("UPDATE campaign SET state = 'done'"))
    list_id = conn.execute(text("SELECT list_id FROM campaign")).scalar_one()
    again = campaign_start.start(conn, list_id, T0, "scenario", ListSettings())
    conn.execute(text("UPDATE task SET outcome = NULL"))
    assert reports.different_people(conn, [campaign, again]) == DifferentPeople(3, 0)
    conn.execute(text("UPDATE task SET outcome = 'delivered' WHERE name = 'Борис'"))  # in both of them
    assert reports.different_people(conn, [campaign, again]) == DifferentPeople(3, 1)
