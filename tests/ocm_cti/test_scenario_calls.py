"""Scenarios on whole calls, from claim to ledger: own scenarios, "don't call me", and what is called again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeCall, FakeGateway, InlineStore, InstantPrompts, WallClock
from sqlalchemy import select

from ocm_cti.dialer import Dialer
from ocm_cti.domain.fragments import Spoken
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.gateways.interface import EndedBy
from ocm_cti.store import campaign_start, campaigns, lists, readiness, stop_lists, upserts
from ocm_cti.store.schema import answer, attempt, campaign, task

ASKS = """
language = "en"

[[step]]
name = "q"
type = "survey"
kind = "yes_no"
message = "Well?"
keys = { 9 = "never" }

[[step]]
name = "thanks"
type = "say"
message = "Thank you."
then = "hang_up"

[[step]]
name = "never"
type = "stop_list"
list = "asked"
message = "We won't."
"""
SAYS = '[[step]]\nname = "m"\ntype = "say"\nmessage = "Yours alone."\n'
MARKED = """
delivered_after = "first"

[[step]]
name = "first"
type = "say"
message = "It matters."

[[step]]
name = "second"
type = "say"
message = "It does not."
"""
POLICY = ListSettings(language="en", tries_per_person=4, rules={Outcome.CUT_SHORT: RetryRule(3, 60)})
BY_MACHINE = replace(POLICY, rules={Outcome.MACHINE: RetryRule(3, 60)})
FIRST, SECOND, OTHER = "+74951234501", "+74951234502", "+74951234503"


class Desk:
    """A dialer with two ports; ``start`` begins a campaign of the people."""

    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.store = InlineStore(folder / "ocm.db")
        self.gateway = FakeGateway(self.clock)
        self.prompts = InstantPrompts(folder)
        self.dialer = Dialer(
            self.store,  # type: ignore[arg-type]
            [self.gateway],  # type: ignore[list-item]
            self.prompts,
            folder,
            self.clock,
            self.clock.utc,
            "test",
        )
        self.dialer.start()

    def start(
        self, scenario: str, people: Sequence[Person], settings: ListSettings = POLICY, name: str = "water", **more: Any
    ) -> int:
        def fill(conn: Any) -> int:
            list_id = lists.find_or_create(conn, name, self.clock.utc())
            upserts.upsert(conn, list_id, people)
            return campaign_start.start(conn, list_id, self.clock.utc(), scenario, settings, **more)

        campaign_id = int(self.store.now(fill))
        self.dialer.wake()
        return campaign_id

    @property
    def call(self) -> FakeCall:
        return self.gateway.placed[-1]

    def rows(self, table: Any) -> list[Any]:
        return list(self.store.now(lambda conn: conn.execute(select(table).order_by(table.c.id)).all()))

    def stopped(self) -> list[tuple[str, str]]:
        return [(one.list_name, one.entry) for one in self.store.now(stop_lists.entries)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.dialer.stop()
    desk.clock.advance(0)
    desk.store.close()
    assert desk.clock.getDelayedCalls() == []


def person(*numbers: str, **more: Any) -> Person:
    return Person(numbers[0], "P", tuple((number, "") for number in numbers), **more)


class TestDontCallMe:
    def pressed(self, desk: Desk) -> None:
        desk.start(ASKS, [person(FIRST, SECOND)])
        desk.call.answer()
        desk.call.observer.digit("9")

    def test_all_his_numbers_are_stopped_and_the_answer_says_so(self, desk: Desk) -> None:
        self.pressed(desk)
        desk.call.heard()
        desk.clock.advance(1)
        assert desk.stopped() == [("asked", FIRST), ("asked", SECOND)]
        (entry, _) = desk.store.now(stop_lists.entries)
        assert entry.reason == "asked on the telephone: list water, attempt 1"
        assert [(row.step, row.value) for row in desk.rows(answer)] == [("q", "9"), ("stop list", "asked")]
        (row,) = desk.rows(task)
        assert (row.state, row.outcome) == ("done", "delivered")

    def test_who_hangs_up_right_after_the_key_is_not_called_again(self, desk: Desk) -> None:
        desk.gateway.placed.clear()
        desk.start(ASKS, [person(FIRST, SECOND)])
        desk.call.answer()
        desk.call.stop_playing = lambda: None  # type: ignore[method-assign]  # the call ends before it has stopped
        desk.call.observer.digit("9")
        desk.call.end(EndedBy.THEM)
        assert desk.stopped() == [("asked", FIRST), ("asked", SECOND)]
        (row,) = desk.rows(task)
        assert row.state == "done", "nobody waits for a retry that will not come"
        desk.clock.advance(1000)
        assert len(desk.gateway.placed) == 1

    def test_neither_is_he_by_another_list(self, desk: Desk) -> None:
        desk.start(SAYS, [person(OTHER)], name="gas")
        desk.call.answer()
        desk.call.end(EndedBy.THEM)
        self.pressed(desk)
        desk.call.end(EndedBy.THEM)
        placed = len(desk.gateway.placed)
        desk.start(SAYS, [person(SECOND, FIRST)], name="oil")
        desk.clock.advance(1)
        assert len(desk.gateway.placed) == placed
        assert desk.rows(task)[-1].why == "stop_list"

    def test_a_number_that_another_list_knows_of_him_is_stopped_too(self, desk: Desk) -> None:
        desk.store.now(
            lambda conn: upserts.upsert(
                conn, lists.find_or_create(conn, "gas", desk.clock.utc()), [person(SECOND, OTHER)]
            )
        )
        self.pressed(desk)
        desk.call.end(EndedBy.THEM)
        assert desk.stopped() == [("asked", FIRST), ("asked", SECOND), ("asked", OTHER)]

    def test_he_is_on_the_list_while_the_call_goes_on(self, desk: Desk) -> None:
        """Whatever becomes of this process before the call is over: he has asked for it."""
        self.pressed(desk)
        assert desk.stopped() == [("asked", FIRST), ("asked", SECOND)]
        (entry, _) = desk.store.now(stop_lists.entries)
        assert entry.reason == "asked on the telephone: list water, attempt 1"
        assert desk.rows(attempt)[0].outcome is None

    def test_the_end_of_the_call_adds_nothing_to_it(self, desk: Desk) -> None:
        self.pressed(desk)
        before = desk.store.now(stop_lists.entries)
        desk.clock.advance(5)
        desk.call.end(EndedBy.THEM)
        assert desk.rows(attempt)[0].outcome is not None
        assert desk.store.now(stop_lists.entries) == before

    def test_what_could_not_be_written_at_the_key_is_written_with_the_end(self, desk: Desk) -> None:
        """Then in one transaction with it: while the store fails, neither is there."""
        desk.start(ASKS, [person(FIRST, SECOND)])
        desk.call.answer()
        desk.store.broken = OSError("disk full")
        desk.call.observer.digit("9")
        desk.call.end(EndedBy.THEM)
        assert desk.stopped() == [] and desk.rows(attempt)[0].outcome is None
        desk.store.broken = None
        desk.clock.advance(3)
        assert desk.stopped() == [("asked", FIRST), ("asked", SECOND)]
        assert desk.rows(attempt)[0].outcome is not None


class TestCutShort:
    def hang_up_after(self, desk: Desk, messages: int) -> None:
        desk.call.answer()
        for _ in range(messages):
            desk.call.heard()
        desk.call.end(EndedBy.THEM)

    def test_before_the_mark_he_is_called_again(self, desk: Desk) -> None:
        desk.start(MARKED, [person(FIRST)])
        self.hang_up_after(desk, 0)
        (row,) = desk.rows(task)
        assert (row.state, row.why) == ("waiting", "retry_cut_short")
        assert desk.rows(attempt)[0].outcome == "cut_short"
        desk.clock.advance(61)
        assert len(desk.gateway.placed) == 2
        self.hang_up_after(desk, 1)
        (row,) = desk.rows(task)
        assert (row.state, row.outcome) == ("done", "delivered")

    def test_behind_it_the_call_is_delivered(self, desk: Desk) -> None:
        desk.start(MARKED, [person(FIRST)])
        self.hang_up_after(desk, 1)
        (row,) = desk.rows(task)
        assert (row.state, row.outcome) == ("done", "delivered")

    @pytest.mark.parametrize(("heard_ms", "outcome"), [(999, "cut_short"), (1000, "delivered")])
    def test_the_mark_may_stand_inside_a_message(self, desk: Desk, heard_ms: int, outcome: str) -> None:
        """Every fragment of this test is a second long."""
        desk.start(
            '[[step]]\nname = "m"\ntype = "say"\nmessage = ["Water.", { delivered = true }, "Bye."]\n', [person(FIRST)]
        )
        desk.call.answer()
        desk.call.heard(heard_ms, 2000)
        desk.call.end(EndedBy.THEM)
        desk.clock.advance(0)
        assert desk.rows(attempt)[0].outcome == outcome


OWN = {"short": SAYS, "unused": SAYS + "# nobody's\n"}


class TestOwnScenarios:
    def test_each_hears_his_own(self, desk: Desk) -> None:
        people = [person(FIRST), person(OTHER, scenario="short")]
        desk.start(MARKED, people, own_scenarios=OWN)
        (frozen,) = desk.rows(campaign)
        assert frozen.own_scenarios == {"short": SAYS}, "only what somebody has"
        for call in list(desk.gateway.placed):
            call.answer()
            call.heard()
        assert [call.hung_up for call in desk.gateway.placed] == [False, True], "his has one message only"

    def test_the_look_ahead_sees_them(self, desk: Desk) -> None:
        desk.gateway.up = False
        people = [person(FIRST), person(OTHER, scenario="short")]
        campaign_id = desk.start(MARKED, people, own_scenarios=OWN, prepare=True)
        waiting = desk.store.now(lambda conn: readiness.unprepared(conn, campaign_id, 0, 10))
        assert [one.scenario for one in waiting] == [MARKED, SAYS]

    def test_what_a_machine_gets_is_looked_ahead_for_too(self, desk: Desk) -> None:
        desk.gateway.up = False
        settings = replace(BY_MACHINE, machine="short")
        campaign_id = desk.start(MARKED, [person(FIRST)], settings, own_scenarios=OWN, prepare=True)
        (waiting,) = desk.store.now(lambda conn: readiness.unprepared(conn, campaign_id, 0, 10))
        assert (waiting.scenario, waiting.machine) == (MARKED, SAYS)

    @pytest.mark.parametrize(("machine", "talked_to"), [("", False), ("short", True)])
    def test_a_machine_gets_what_the_list_has_for_machines(self, desk: Desk, machine: str, talked_to: bool) -> None:
        desk.start(MARKED, [person(FIRST)], replace(BY_MACHINE, machine=machine), own_scenarios=OWN)
        assert desk.call.observer.machine() is talked_to
        if not talked_to:
            return
        desk.call.answer()
        desk.call.heard()
        assert desk.call.hung_up, "its one message, not the list's two"
        desk.call.end(EndedBy.US)
        desk.clock.advance(0)
        (made,) = desk.rows(attempt)
        assert (made.outcome, made.heard_ms > 0, made.heard_ms == made.of_ms) == ("machine", True, True)
        (row,) = desk.rows(task)
        assert (row.state, row.why) == ("waiting", "retry_machine")

    def test_a_machine_that_presses_the_right_key_was_a_person(self, desk: Desk) -> None:
        asks = '[[step]]\nname = "c"\ntype = "confirm"\nmessage = "Press 1."\nkey = "1"\n'
        desk.start(MARKED, [person(FIRST)], replace(BY_MACHINE, machine="asks"), own_scenarios={"asks": asks})
        assert desk.call.observer.machine()
        desk.call.answer()
        desk.call.observer.digit("1")
        desk.call.end(EndedBy.THEM)
        desk.clock.advance(0)
        assert desk.rows(attempt)[0].outcome == "confirmed"

    def test_a_fault_of_ours_while_a_machine_was_talked_to_is_not_counted(self, desk: Desk) -> None:
        desk.start(MARKED, [person(FIRST)], replace(BY_MACHINE, machine="short"), own_scenarios=OWN)
        assert desk.call.observer.machine()
        desk.call.answer()
        desk.call.end(EndedBy.FAULT)
        desk.clock.advance(0)
        assert desk.rows(attempt)[0].outcome == "line_fault"

    def test_a_name_that_is_not_there_starts_nothing(self, desk: Desk) -> None:
        with pytest.raises(campaigns.CampaignRefused, match="of their own that the list has not: long"):
            desk.start(MARKED, [person(FIRST, scenario="long")], own_scenarios=OWN)
        assert desk.rows(campaign) == []

    def test_his_own_is_spoken_in_its_own_language(self, desk: Desk) -> None:
        own = {"short": 'language = "uk"\n' + SAYS}
        desk.start(MARKED, [person(FIRST), person(OTHER, scenario="short")], own_scenarios=own)
        languages = {fragment.language for fragment in desk.prompts.asked if isinstance(fragment, Spoken)}
        assert languages == {"en", "uk"}
