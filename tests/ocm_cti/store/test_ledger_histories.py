"""The ledger under random histories: campaigns that share people, any outcome, crashes at any moment."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from ocm_cti.domain.attempts import TRANSITIONS, AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import NOT_COUNTED, Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.store import attempts, campaign_start, lists, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.schema import attempt, calling, campaign, task
from ocm_cti.store.transactions import Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POLICY = ListSettings(
    tries_per_person=3,
    tries_per_number=2,
    line_fault_delay_s=5,
    rules={outcome: RetryRule(2, 20) for outcome in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CUT_SHORT)},
)
#: Both lists know the same few telephones.
NUMBERS = st.lists(st.sampled_from(["+71", "+72", "+73", "+74"]), min_size=1, max_size=3, unique=True)
PEOPLE = st.lists(NUMBERS, min_size=1, max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.integers(0, 1)),
        st.tuples(st.just("step"), st.integers(0, 9)),
        st.tuples(st.just("finish"), st.integers(0, 9), st.sampled_from(Outcome)),
        st.tuples(st.just("finish again"), st.integers(0, 9), st.sampled_from(Outcome)),
        st.tuples(st.just("crash"), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=40,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One database for all examples; each runs in a transaction of its own that is rolled back."""
    if request.param == "sqlite":
        store = Store.open(tmp_path_factory.mktemp("ledger") / "ocm.db")
    else:
        store = Store.open(request.getfixturevalue("postgres").url(request.getfixturevalue("migrated")))
    yield store
    store.close()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, PEOPLE, STEPS, st.lists(st.sampled_from(Outcome), max_size=12))
def test_any_history(store: Store, people: Any, others: Any, steps: list[Any], last: list[Outcome]) -> None:
    with store._writer.connect() as conn:
        history = History(conn, [people, others])
        for step in steps:
            getattr(history, step[0].replace(" ", "_"))(*step[1:])
            history.check()
        history.play_out(last)
        conn.rollback()


class History:
    def __init__(self, conn: Connection, named: list[list[list[str]]]) -> None:
        self.conn = conn
        self.now = T0
        self.campaigns = []
        for name, people in zip("ab", named, strict=True):
            list_id = lists.find_or_create(conn, name, T0)
            persons = [
                Person(f"{place}", f"{name}{place}", tuple((number, "") for number in numbers))
                for place, numbers in enumerate(people)
            ]
            upserts.upsert(conn, list_id, persons)
            self.campaigns.append(campaign_start.start(conn, list_id, T0, "scenario", POLICY))

    def open_attempts(self) -> list[Any]:
        query = select(attempt).where(attempt.c.state != "finished").order_by(attempt.c.id)
        return list(self.conn.execute(query))

    def claim(self, which: int) -> None:
        tasks.claim(self.conn, self.campaigns[which], "g", "1", "node", self.now)

    def step(self, which: int) -> None:
        rows = self.open_attempts()
        if rows:
            row = rows[which % len(rows)]
            following = [state for state in TRANSITIONS[AttemptState(row.state)] if state is not AttemptState.FINISHED]
            for state in sorted(following, key=lambda state: state.value)[:1]:
                attempts.mark(self.conn, row.id, state, self.now, native_id="c")

    def finish(self, which: int, outcome: Outcome) -> None:
        rows = self.open_attempts()
        if rows:
            end = Finish(outcome, Cause.UNKNOWN, self.now)
            assert attempts.finish(self.conn, rows[which % len(rows)].id, end, self.now) is not None

    def finish_again(self, which: int, outcome: Outcome) -> None:
        """A late report about an attempt that is over."""
        rows = list(self.conn.execute(select(attempt).where(attempt.c.state == "finished")))
        if rows:
            before = self.everything()
            end = Finish(outcome, Cause.NORMAL, self.now, answers=[("q", "1")])
            assert attempts.finish(self.conn, rows[which % len(rows)].id, end, self.now) is None
            assert self.everything() == before

    def crash(self, never_reached: bool) -> None:
        for row in attempts.in_flight(self.conn, "node"):
            reached = row.state != "claimed" and not never_reached
            attempts.settle(self.conn, row.attempt_id, never_reached=not reached, now=self.now)
        assert self.open_attempts() == []

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def everything(self) -> list[Any]:
        return [
            tuple(row)
            for name in ("task", "attempt", "answer", "calling", "campaign")
            for row in self.conn.execute(text(f"SELECT * FROM {name} ORDER BY 1"))
        ]

    def check(self) -> None:
        rows = list(self.conn.execute(select(attempt).order_by(attempt.c.id)))
        running = [row for row in rows if row.state != "finished"]
        told = {row.id: row for row in self.conn.execute(select(task))}
        # A task is being called exactly while it has an attempt without an outcome, and never has two.
        assert Counter(row.task_id for row in running) == Counter(
            row.id for row in told.values() if row.state == "calling"
        )
        # A lock is held exactly while its person is being called, and no telephone is in two calls.
        held = sorted(row.number for row in self.conn.execute(select(calling)))
        assert held == sorted(number for row in running for number in set(told[row.task_id].numbers))
        for row in rows:
            assert (row.outcome is not None) == (row.state == "finished")
        for row in told.values():
            assert (row.outcome is not None) == (row.state == "done") == (row.done_at is not None)
            assert (row.state == "waiting") == bool(row.why)
            self.check_budgets([each for each in rows if each.task_id == row.id])

    def check_budgets(self, tries: list[Any]) -> None:
        assert [each.attempt_no for each in tries] == list(range(1, len(tries) + 1))
        counted = [each for each in tries if each.outcome is None or Outcome(each.outcome) not in NOT_COUNTED]
        assert len(counted) <= POLICY.tries_per_person
        assert max(Counter(each.number for each in counted).values(), default=0) <= POLICY.tries_per_number
        for place, each in enumerate(tries):
            earlier = [(before.number, before.outcome) for before in tries[:place]]
            assert (each.number, "invalid_number") not in earlier, "a wrong number was dialled again"
            assert "unknown" not in [outcome for _, outcome in earlier], "redialled after an unknown outcome"

    def play_out(self, last: list[Outcome]) -> None:
        """Whatever happened before: once the line works again everybody is finished, and so are the campaigns."""
        self.crash(never_reached=False)
        coming = iter(last)
        for _ in range(200):
            for campaign_id in self.campaigns:
                while (claim := tasks.claim(self.conn, campaign_id, "g", "1", "node", self.now)) is not None:
                    end = Finish(next(coming, Outcome.NO_ANSWER), Cause.UNKNOWN, self.now)
                    attempts.finish(self.conn, claim.attempt_id, end, self.now)
                    self.check()
            due_at = tasks.next_due_at(self.conn, self.now)
            if due_at is None:
                break
            self.now = due_at
        assert set(self.conn.execute(select(task.c.state)).scalars()) == {"done"}
        assert set(self.conn.execute(select(campaign.c.state)).scalars()) == {"done"}
