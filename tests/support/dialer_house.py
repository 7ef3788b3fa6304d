"""A dialer over the real ledger with a gateway played by the test, on one clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fakes import FakeGateway, InlineStore, InstantPrompts, WallClock
from sqlalchemy import select

from ocm_cti.dialer import Dialer
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.store import campaign_start, lists, upserts
from ocm_cti.store.schema import attempt, calling, task

SCENARIO = """
name = "water"
language = "en"

[[step]]
name = "message"
type = "say"
message = "The water is off today."

[[step]]
name = "agree"
type = "confirm"
message = "Press one."
key = "1"
tries = 1
timeout_s = 4
"""

POLICY = ListSettings(
    language="en",
    tries_per_person=4,
    tries_per_number=3,
    line_fault_delay_s=10.0,
    rules={
        Outcome.BUSY: RetryRule(3, 60),
        Outcome.NO_ANSWER: RetryRule(2, 60),
        Outcome.REJECTED: RetryRule(1, 60),
        Outcome.CUT_SHORT: RetryRule(2, 60),
        Outcome.UNREACHABLE: RetryRule(2, 60),
    },
)


class House:
    """Everything around a dialer; ``people`` are lists of numbers."""

    def __init__(
        self, folder: Path, people: list[list[str]], policy: ListSettings = POLICY, scenario: str = SCENARIO
    ) -> None:
        self.clock = WallClock()
        self.store = InlineStore(folder / "ocm.db")
        self.prompts = InstantPrompts(folder)
        self.folder = folder
        self.gateway = FakeGateway(self.clock)
        self.gateway.before_place = self.check_saved
        persons = [
            Person(numbers[0], f"P{place}", tuple((number, "") for number in numbers), {})
            for place, numbers in enumerate(people)
        ]

        def fill(conn: Any) -> int:
            list_id = lists.find_or_create(conn, "water", self.clock.utc())
            upserts.upsert(conn, list_id, persons)
            return campaign_start.start(conn, list_id, self.clock.utc(), scenario, policy)

        self.campaign = self.store.now(fill)
        self.dialer = self.new_dialer()

    def new_dialer(self) -> Dialer:
        return Dialer(
            self.store,  # type: ignore[arg-type]
            [self.gateway],  # type: ignore[list-item]
            self.prompts,
            self.folder,
            self.clock,
            self.clock.utc,
            "test",
        )

    def crash(self) -> None:
        """The server is gone, and the calls with it; the next one is there."""
        for timer in self.clock.getDelayedCalls():
            timer.cancel()
        self.gateway.calls.clear()
        self.dialer = self.new_dialer()

    def check_saved(self, attempt_id: int) -> None:
        """Called as the call leaves for the switch: it must be in the ledger by then."""
        assert self.row(attempt_id).state == AttemptState.PLACING.value

    def row(self, attempt_id: int) -> Any:
        return self.store.now(lambda conn: conn.execute(select(attempt).where(attempt.c.id == attempt_id)).one())

    def rows(self) -> list[Any]:
        """All attempts, oldest first."""
        return list(self.store.now(lambda conn: conn.execute(select(attempt).order_by(attempt.c.id)).all()))

    def tasks(self) -> list[Any]:
        return list(self.store.now(lambda conn: conn.execute(select(task).order_by(task.c.id)).all()))

    def outcomes(self) -> list[str | None]:
        return [row.outcome for row in self.tasks()]

    def locks(self) -> list[str]:
        return list(self.store.now(lambda conn: conn.execute(select(calling.c.number)).scalars().all()))

    def close(self) -> None:
        for call in list(self.gateway.calls.values()):
            call.fail(Cause.LINE_FAULT)
        self.dialer.stop()
        self.clock.advance(0)
        self.store.close()
        assert self.clock.getDelayedCalls() == [], "a timer was left behind"
