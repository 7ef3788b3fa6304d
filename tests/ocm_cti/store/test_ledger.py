"""Claims, states, outcomes: nobody is called twice by accident, nobody is lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, insert, select, text, update

from ocm_cti.domain.attempts import TRANSITIONS, AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.retries import Again, Done
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.store import attempts, campaign_start, campaigns, lists, readiness, stop_lists, tasks, upserts
from ocm_cti.store.attempts import Finish, WrongState
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.schema import answer, attempt, calling, task
from ocm_cti.store.tasks import Claim
from ocm_cti.store.transactions import Store

T = TypeVar("T")
T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = ListSettings(
    tries_per_person=3,
    tries_per_number=2,
    line_fault_delay_s=10,
    ring_timeout_s=7.0,
    caller_id="+74950000000",
    language="uk",
    rules={Outcome.BUSY: RetryRule(2, 60), Outcome.NO_ANSWER: RetryRule(2, 60)},
)


class Ledger:
    """One database and one clock; every call is a transaction of its own."""

    def __init__(self, database: Path | str) -> None:
        self.store = Store.open(database)
        self.now = T0

    def do(self, job: Callable[[Connection], T]) -> T:
        return self.store.run_now(job)

    def campaign(
        self, name: str, people: Sequence[Sequence[str]], policy: ListSettings = POLICY, *, prepare: bool = False
    ) -> int:
        persons = [
            Person(numbers[0], f"P{place}", tuple((number, "") for number in numbers), {"name": f"P{place}"})
            for place, numbers in enumerate(people)
        ]

        def fill(conn: Connection) -> int:
            list_id = lists.find_or_create(conn, name, self.now)
            upserts.upsert(conn, list_id, persons)
            return campaign_start.start(conn, list_id, self.now, f"scenario of {name}", policy, prepare=prepare)

        return self.do(fill)

    def claim(self, campaign_id: int) -> Claim | None:
        return self.do(lambda conn: tasks.claim(conn, campaign_id, "office", "301", "node", self.now))

    def must_claim(self, campaign_id: int) -> Claim:
        claim = self.claim(campaign_id)
        assert claim is not None
        return claim

    def finish(self, claim: Claim, outcome: Outcome, cause: Cause = Cause.NORMAL, **more: Any) -> Again | Done | None:
        end = Finish(outcome=outcome, cause=cause, ended_at=self.now, **more)
        if outcome is Outcome.INVALID_NUMBER:  # the network said so, after it was dialled
            for state in (AttemptState.PLACING, AttemptState.DIALING):
                self.do(lambda conn, state=state: attempts.mark(conn, claim.attempt_id, state, self.now))
        return self.do(lambda conn: attempts.finish(conn, claim.attempt_id, end, self.now))

    def task(self, task_id: int) -> Any:
        return self.do(lambda conn: conn.execute(select(task).where(task.c.id == task_id)).one())

    def attempt(self, attempt_id: int) -> Any:
        return self.do(lambda conn: conn.execute(select(attempt).where(attempt.c.id == attempt_id)).one())

    def change(self, name: str, values: dict[str, Any]) -> None:
        self.do(lambda conn: conn.execute(update(task).where(task.c.name == name).values(values)))

    def locks(self) -> list[str]:
        return self.do(lambda conn: list(conn.execute(select(calling.c.number).order_by(calling.c.number)).scalars()))


@pytest.fixture
def ledger(database: Path | str) -> Iterator[Ledger]:
    ledger = Ledger(database)
    yield ledger
    ledger.store.close()


# --- claiming ---


def test_a_claim_is_committed_with_its_attempt_and_its_locks(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71", "+72", "+71"]])
    claim = ledger.must_claim(campaign)
    assert claim == Claim(
        attempt_id=claim.attempt_id,
        task_id=claim.task_id,
        campaign_id=campaign,
        subscriber_id=claim.subscriber_id,
        attempt_no=1,
        name="P0",
        number="+71",
        number_index=0,
        variables={"name": "P0"},
        scenario="scenario of a",
        language="uk",
        ring_timeout_s=7.0,
        caller_id="+74950000000",
    )
    row = ledger.attempt(claim.attempt_id)
    assert (row.state, row.node, row.gateway, row.port, row.number, row.claimed_at) == (
        *("claimed", "node", "office", "301", "+71", T0),
    )
    assert (ledger.task(claim.task_id).state, ledger.locks()) == ("calling", ["+71", "+72"])
    assert ledger.claim(campaign) is None


def test_due_tasks_go_by_priority_then_by_time(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"], ["+72"], ["+73"], ["+74"]])
    for name, priority, due_s in (("P0", 5, -1), ("P1", 1, 60), ("P2", 2, 0), ("P3", 5, -2)):
        ledger.change(name, {"priority": priority, "due_at": T0 + due_s * SECOND})
    order = [claim.name for claim in iter(lambda: ledger.claim(campaign), None)]
    assert order == ["P2", "P3", "P0"]
    assert ledger.do(lambda conn: tasks.next_due_at(conn, ledger.now)) == T0 + 60 * SECOND
    ledger.now = T0 + 60 * SECOND
    assert ledger.must_claim(campaign).name == "P1"
    assert ledger.do(lambda conn: tasks.next_due_at(conn, ledger.now)) is None


def test_nobody_is_claimed_for_a_campaign_that_is_over(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"]])
    ledger.do(lambda conn: conn.execute(text("UPDATE campaign SET state = 'done'")))
    assert ledger.claim(campaign) is None
    assert ledger.do(lambda conn: tasks.next_due_at(conn, T0 - SECOND)) is None


def test_a_person_is_locked_over_all_campaigns_and_all_his_numbers(ledger: Ledger) -> None:
    """On one list by his mobile and his home number, on another by his home number: still one person's telephone."""
    one, other = ledger.campaign("a", [["+71", "+72"]]), ledger.campaign("b", [["+72", "+73"]])
    first = ledger.must_claim(one)
    assert ledger.claim(other) is None
    waiting = ledger.do(lambda conn: conn.execute(select(task).where(task.c.campaign_id == other)).one())
    assert (waiting.state, waiting.why, waiting.due_at) == ("waiting", "being_called", T0 + 5 * SECOND)
    ledger.finish(first, Outcome.CONFIRMED)
    assert ledger.claim(other) is None
    ledger.now += 5 * SECOND
    assert ledger.must_claim(other).number == "+72"


def test_somebody_being_called_does_not_stop_those_behind_him(ledger: Ledger) -> None:
    one, other = ledger.campaign("a", [["+71"]]), ledger.campaign("b", [["+71"], ["+72"]])
    ledger.must_claim(one)
    assert ledger.must_claim(other).number == "+72"


def test_two_servers_never_claim_the_same_person(database: Path | str, ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [[f"+7{number}"] for number in range(40)])
    claimed: list[list[Claim]] = [[], []]
    doors = [Store.open(database), Store.open(database)]
    begin = threading.Barrier(2)

    def work(door: Store, mine: list[Claim]) -> None:
        begin.wait(30)
        while (claim := door.run_now(lambda conn: tasks.claim(conn, campaign, "g", "1", "n", T0))) is not None:
            mine.append(claim)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(doors, claimed, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for door in doors:
        door.close()
    people = [claim.task_id for claim in itertools.chain(*claimed)]
    assert len(people) == len(set(people)) == 40


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_next_due_task_is_found_by_the_index_however_many_wait(ledger: Ledger) -> None:
    """The plans of the very statements that are run; a table scan here is what makes a million tasks slow."""
    campaign = ledger.campaign("a", [["+71"]])
    seen: list[str] = []

    def watched(conn: Connection) -> None:
        raw: Any = conn.connection.dbapi_connection
        raw.set_trace_callback(seen.append)
        claim = tasks.claim(conn, campaign, "g", "1", "n", T0)
        assert claim is not None
        tasks.next_due_at(conn, T0)
        attempts.settle(conn, claim.attempt_id, False, T0)
        raw.set_trace_callback(None)

    ledger.do(watched)
    # Traced statements have their values filled in, so that they can be explained as they are.
    statements = [sql for sql in seen if sql.startswith(("SELECT", "UPDATE")) and "task" in sql]
    assert len(statements) >= 6
    for sql in statements:
        plan = explain(ledger, sql)
        assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step], (sql, plan)


def explain(ledger: Ledger, sql: str) -> list[str]:
    return ledger.do(lambda conn: [row.detail for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")])


# --- states ---


@pytest.mark.parametrize(
    ("earlier", "later"),
    [pair for pair in itertools.product(AttemptState, AttemptState) if pair[1] is not AttemptState.FINISHED],
)
def test_states_are_marked_as_the_table_says(ledger: Ledger, earlier: AttemptState, later: AttemptState) -> None:
    claim = ledger.must_claim(ledger.campaign("a", [["+71"]]))
    ledger.do(
        lambda conn: conn.execute(update(attempt).where(attempt.c.id == claim.attempt_id).values(state=earlier.value))
    )
    at = T0 + SECOND

    def mark(conn: Connection) -> None:
        attempts.mark(conn, claim.attempt_id, later, at, native_id="call-7")

    if later in TRANSITIONS[earlier]:
        ledger.do(mark)
        row = ledger.attempt(claim.attempt_id)
        assert (row.state, row.native_id, getattr(row, f"{later.value}_at")) == (later.value, "call-7", at)
    else:
        with pytest.raises(WrongState):
            ledger.do(mark)
        row = ledger.attempt(claim.attempt_id)
        assert (row.state, row.native_id) == (earlier.value, None)


def test_an_identifier_that_is_not_known_yet_does_not_erase_the_one_that_is(ledger: Ledger) -> None:
    claim = ledger.must_claim(ledger.campaign("a", [["+71"]]))
    ledger.do(lambda conn: attempts.mark(conn, claim.attempt_id, AttemptState.PLACING, T0, native_id="c1"))
    ledger.do(lambda conn: attempts.mark(conn, claim.attempt_id, AttemptState.DIALING, T0))
    assert ledger.attempt(claim.attempt_id).native_id == "c1"


def test_in_flight_are_those_without_an_outcome(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"], ["+72"]])
    over, up = ledger.must_claim(campaign), ledger.must_claim(campaign)
    ledger.finish(over, Outcome.CONFIRMED)
    ledger.do(lambda conn: attempts.mark(conn, up.attempt_id, AttemptState.PLACING, T0, native_id="c1"))
    rows = ledger.do(lambda conn: attempts.in_flight(conn, "node"))
    assert rows == [attempts.InFlightRow(up.attempt_id, up.task_id, "office", "301", "+72", "c1", "placing")]


@pytest.mark.parametrize(("database", "theirs"), [("sqlite", 1), ("postgresql", 0)], indirect=["database"])
def test_attempts_of_another_node_are_left_alone_where_it_can_be_at_work(ledger: Ledger, theirs: int) -> None:
    """A file is one server's, whatever its host is called today; a PostgreSQL is shared."""
    ledger.must_claim(ledger.campaign("a", [["+71"]]))
    assert len(ledger.do(lambda conn: attempts.in_flight(conn, "another"))) == theirs


HOURS = ListSettings.from_table({"zone": "UTC", "windows": {"mon-sun": "08:00-09:01"}})


@pytest.mark.parametrize(
    ("meanwhile", "later_s", "why"),
    [
        (lambda conn: campaigns.pause(conn, 1, T0), 0, "paused or stopped"),
        (lambda conn: campaigns.stop(conn, 1, T0), 0, "paused or stopped"),
        (lambda conn: stop_lists.add(conn, "asked", ["+7*"], "", T0), 0, "stop list"),
        (lambda conn: None, 120, "not the hour"),
    ],
    ids=["paused", "stopped", "stop list", "hours"],
)
def test_what_changed_while_his_message_was_prepared_keeps_him_from_being_called(
    ledger: Ledger, meanwhile: Callable[[Connection], Any], later_s: int, why: str
) -> None:
    claim = ledger.must_claim(ledger.campaign("a", [["+71"]], HOURS))
    ledger.do(meanwhile)
    with pytest.raises(attempts.NoLonger, match=why):
        ledger.do(lambda conn: attempts.place(conn, claim.attempt_id, T0 + later_s * SECOND))
    assert ledger.attempt(claim.attempt_id).state == "claimed"


# --- outcomes ---


def test_a_final_outcome_ends_task_and_campaign(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71", "+72"]])
    claim = ledger.must_claim(campaign)
    ledger.now += 30 * SECOND
    told = ledger.finish(
        claim,
        Outcome.CONFIRMED,
        native_system="csta",
        native_code="3",
        native_text="normal",
        ended_by="us",
        certain=False,
        heard_ms=1500,
        of_ms=3000,
        keys="71",
        answers=[("q1", "yes")],
        recordings=[("reply", "7-reply.wav")],
    )
    assert told == Done(Outcome.CONFIRMED)
    row = ledger.attempt(claim.attempt_id)
    assert (row.state, row.outcome, row.cause, row.native_cause) == ("finished", "confirmed", "normal", "csta 3 normal")
    assert (row.ended_at, row.certain, row.heard_ms, row.of_ms, row.keys) == (ledger.now, False, 1500, 3000, "71")
    done = ledger.task(claim.task_id)
    assert (done.state, done.outcome, done.done_at, done.why) == ("done", "confirmed", ledger.now, "")
    assert ledger.locks() == []
    said = ledger.do(lambda conn: conn.execute(select(answer.c.step, answer.c.value, answer.c.recording)).all())
    assert [tuple(each) for each in said] == [("q1", "yes", None), ("reply", None, "7-reply.wav")]
    assert ledger.do(campaigns.running) == []


def test_a_retry_waits_from_the_end_of_the_attempt(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"]])
    claim = ledger.must_claim(campaign)
    ledger.now += 25 * SECOND
    assert ledger.finish(claim, Outcome.BUSY) == Again(ledger.now + 60 * SECOND, 0, "retry_busy")
    waiting = ledger.task(claim.task_id)
    assert (waiting.state, waiting.why, waiting.due_at) == ("waiting", "retry_busy", T0 + 85 * SECOND)
    assert ledger.claim(campaign) is None
    ledger.now += 60 * SECOND
    assert ledger.must_claim(campaign).attempt_no == 2


def test_a_second_finish_changes_nothing(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"]])
    claim = ledger.must_claim(campaign)
    ledger.finish(claim, Outcome.BUSY, keys="1", answers=[("q", "1")])
    ledger.now += 100 * SECOND
    again = ledger.must_claim(campaign)
    assert ledger.finish(claim, Outcome.CONFIRMED, keys="2", answers=[("q", "2")]) is None
    assert ledger.do(lambda conn: attempts.settle(conn, claim.attempt_id, False, ledger.now)) is None
    assert (ledger.attempt(claim.attempt_id).outcome, ledger.attempt(claim.attempt_id).keys) == ("busy", "1")
    assert (ledger.task(claim.task_id).state, ledger.locks()) == ("calling", ["+71"])
    assert ledger.attempt(again.attempt_id).state == "claimed"
    assert ledger.finish(Claim(**{**vars(again), "attempt_id": 999}), Outcome.BUSY) is None


def test_what_never_reached_the_person_is_not_counted(ledger: Ledger) -> None:
    claim = ledger.must_claim(ledger.campaign("a", [["+71"]]))
    ledger.do(lambda conn: attempts.place(conn, claim.attempt_id, T0))
    told = ledger.do(lambda conn: attempts.settle(conn, claim.attempt_id, True, T0))
    assert told == Again(T0 + 10 * SECOND, 0, "line_fault")
    row = ledger.attempt(claim.attempt_id)
    assert (row.outcome, row.native_cause) == ("line_fault", "ocm crash in flight at a crash; never reached the person")


def test_what_was_claimed_and_never_sent_is_due_at_once(ledger: Ledger) -> None:
    claim = ledger.must_claim(ledger.campaign("a", [["+71"]]))
    assert ledger.do(lambda conn: attempts.settle(conn, claim.attempt_id, True, T0)) == Again(T0, 0, "due")


def test_what_nobody_knows_is_final_and_shown(ledger: Ledger) -> None:
    """``unknown``: never redialled silently, though numbers and tries are left."""
    campaign = ledger.campaign("a", [["+71", "+72"]])
    claim = ledger.must_claim(campaign)
    assert ledger.do(lambda conn: attempts.settle(conn, claim.attempt_id, False, T0)) == Done(Outcome.UNKNOWN)
    ledger.now += timedelta(days=1)
    assert ledger.claim(campaign) is None
    assert ledger.do(lambda conn: tasks.counts(conn, campaign)) == tasks.Counts(1, 0, 0, 1, {"unknown": 1})


def test_a_wrong_number_is_remembered_by_the_list(ledger: Ledger) -> None:
    """Not dialled again in this campaign, nor in the next, nor after the same people were imported again."""
    people = [["+71", "+72"]]
    first = ledger.campaign("a", people)
    assert ledger.finish(ledger.must_claim(first), Outcome.INVALID_NUMBER) == Again(T0, 1, "next_number")
    assert ledger.finish(ledger.must_claim(first), Outcome.BUSY) == Again(T0 + 60 * SECOND, 1, "retry_busy")
    ledger.now += 60 * SECOND
    last = ledger.must_claim(first)
    assert last.number == "+72"
    assert ledger.finish(last, Outcome.INVALID_NUMBER) == Done(Outcome.BUSY)

    second = ledger.campaign("a", [["+71", "+73"]])  # the same person, found by his key, with another second number
    assert ledger.must_claim(second).number == "+73"


def test_when_no_number_exists_the_person_is_done_at_once(ledger: Ledger) -> None:
    first = ledger.campaign("a", [["+71"]])
    ledger.finish(ledger.must_claim(first), Outcome.INVALID_NUMBER)
    second = ledger.campaign("a", [["+71"]])
    assert ledger.do(lambda conn: tasks.counts(conn, second)) == tasks.Counts(1, 0, 0, 1, {"invalid_number": 1})
    assert ledger.do(campaigns.running) == []
    third = ledger.campaign("a", [["+71", "+75"]])
    assert ledger.must_claim(third).number == "+75"


# --- campaigns ---


def test_a_campaign_is_refused_for_an_empty_list_and_while_one_runs(ledger: Ledger) -> None:
    def start(conn: Connection) -> int:
        return campaign_start.start(conn, lists.find_or_create(conn, "a", T0), T0, "s", POLICY)

    with pytest.raises(CampaignRefused, match="there is nobody on this list"):
        ledger.do(start)
    running = ledger.campaign("a", [["+71"]])
    with pytest.raises(CampaignRefused, match="a campaign of this list is running"):
        ledger.do(start)
    ledger.finish(ledger.must_claim(running), Outcome.DELIVERED)
    assert ledger.do(start) > running
    assert ledger.do(lambda conn: campaigns.name(conn, running)) == "a"
    assert ledger.do(campaigns.latest) == [running + 1]


def test_a_campaign_is_frozen_at_its_start(ledger: Ledger) -> None:
    """A new import in the middle changes neither the number nor what is said."""
    campaign = ledger.campaign("a", [["+71"]])

    def import_again(conn: Connection) -> None:
        changed = Person("+71", "Renamed", (("+79", ""),), {"name": "Renamed"})
        assert upserts.upsert(conn, lists.find_or_create(conn, "a", T0), [changed]).updated == 1

    ledger.do(import_again)
    claim = ledger.must_claim(campaign)
    assert (claim.number, claim.name, claim.variables) == ("+71", "P0", {"name": "P0"})


def test_nobody_is_called_before_his_message_is_made(ledger: Ledger) -> None:
    campaign = ledger.campaign("a", [["+71"], ["+72"], ["+73"]], prepare=True)
    assert ledger.claim(campaign) is None
    first, *two = ledger.do(lambda conn: readiness.unprepared(conn, campaign, 0, 5))
    ledger.do(lambda conn: readiness.failed(conn, [one.task_id for one in two]))
    assert {ledger.task(one.task_id).why for one in two} == {"speech_failed"}
    assert ledger.do(lambda conn: readiness.ready(conn, [first.task_id], ledger.now)) == 1
    assert ledger.must_claim(campaign).name == "P0"
    assert ledger.do(lambda conn: readiness.ready(conn, [first.task_id], ledger.now)) == 0, "he is being called"
    assert ledger.claim(campaign) is None
    counts = ledger.do(lambda conn: tasks.counts(conn, campaign))
    assert (counts.total, counts.waiting, counts.calling) == (3, 2, 1)
    assert [(person.variables["name"], person.scenario, person.language) for person in two] == [
        ("P1", "scenario of a", "uk"),
        ("P2", "scenario of a", "uk"),
    ]
    assert ledger.do(lambda conn: readiness.unprepared(conn, campaign, two[0].task_id, 1)) == [two[1]]


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Exception, match="has no time zone"):
        ledger.do(
            lambda conn: conn.execute(
                insert(task).values(campaign_id=1, due_at=datetime(2026, 11, 23))  # noqa: DTZ001 (that is the point)
            )
        )
