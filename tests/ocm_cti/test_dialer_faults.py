"""Faults in the middle of the dialer's work: nobody is lost, nobody pays, and the dialer goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dialer_house import POLICY, House
from fakes import FakeCall

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.retries import TRIES_TO_PREPARE
from ocm_cti.domain.scenario_run import Run
from ocm_cti.gateways.interface import EndedBy, Native, Settled
from ocm_cti.store import campaigns, lists, stop_lists, tasks

PEOPLE = [[f"+749512345{n:02d}"] for n in range(9)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, PEOPLE, replace(POLICY, breaker_calls=2))
    yield house
    house.close()


def held(house: House) -> Any:
    return house.store.now(lambda conn: campaigns.held(conn, house.campaign, house.clock.utc()))


def test_whoever_is_passed_over_keeps_nobody_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand people whom a cap keeps are not one transaction: calls that are up have something to write too."""
    monkeypatch.setattr(tasks, "LOOKS", 3)
    stopped = [number for (number,) in PEOPLE[:8]]
    house.store.now(lambda conn: stop_lists.add(conn, "asked", stopped, "", house.clock.utc()))
    passed: list[int] = []
    run = house.store.run

    def counted(job: Any) -> Any:
        before = house.outcomes().count("stopped")
        result = run(job)
        passed.append(house.outcomes().count("stopped") - before)
        return result

    monkeypatch.setattr(house.store, "run", counted)
    house.dialer.start()
    house.clock.pump([0] * 4)
    assert [call.number for call in house.gateway.placed] == PEOPLE[8], "and nobody waits a second for it"
    assert (sum(passed), max(passed)) == (8, 3)


def test_a_claim_of_which_the_ledger_did_not_tell_is_given_back(house: House) -> None:
    """As when the connection to a database on another machine is lost with the answer to COMMIT."""
    house.gateway.up = False
    house.dialer.start()
    house.gateway.up = True
    house.store.silent = ConnectionError("gone")
    house.clock.advance(1)
    house.store.silent = None
    assert house.gateway.placed == []
    while len(house.gateway.placed) < 2:
        house.clock.advance(1)
    assert held(house) is None, "nothing was wrong with the line"
    up = {call.attempt_id for call in house.gateway.placed}
    rows = house.rows()
    assert {row.id for row in rows if row.state != "finished"} == up
    assert len(house.locks()) == 2, "nobody else is taken for being called"
    house.clock.advance(30)
    assert {row.id for row in house.rows() if row.state != "finished"} == up, "those at work are left alone"


def test_one_call_that_can_not_be_ended_keeps_no_other_up(house: House) -> None:
    house.dialer.start()
    first, second = house.gateway.placed

    def broken() -> None:
        raise RuntimeError("a fault of ours")

    first.hang_up = broken  # type: ignore[method-assign]
    house.dialer.hang_up_all()
    assert second.hung_up and not first.over
    del first.hang_up  # type: ignore[method-assign]


def test_ending_the_server_with_calls_up_pauses_no_campaign(house: House) -> None:
    """Else nobody is called after the restart until somebody looks."""
    house.dialer.start()
    house.gateway.placed[0].answer()
    house.dialer.stop()
    house.clock.advance(1)
    assert house.dialer.calls_up == 0
    assert {row.outcome for row in house.rows()} == {"line_fault"}
    assert {row.cause for row in house.rows()} == {"cancelled"}
    assert held(house) is None


@pytest.mark.parametrize("answer", [Settled.NEVER_REACHED, Settled.UNKNOWN])
def test_a_crash_with_calls_up_pauses_no_campaign(house: House, answer: Settled) -> None:
    house.dialer.start()
    up = [call.attempt_id for call in house.gateway.placed]
    house.gateway.settled = dict.fromkeys(up, answer)
    house.crash()
    house.dialer.start()
    house.clock.advance(1)
    assert {row.state for row in house.rows() if row.id in up} == {"finished"}
    assert held(house) is None


def test_who_may_not_be_called_any_more_is_no_fault_of_the_line(house: House) -> None:
    """His number came on a stop list, or the hour was over, while his message was prepared."""
    house.prompts.waits = True
    house.dialer.start()
    numbers = [number for (number,) in PEOPLE[:2]]
    house.store.now(lambda conn: stop_lists.add(conn, "asked", numbers, "", house.clock.utc()))
    house.prompts.ready()
    assert {row.cause for row in house.rows() if row.state == "finished"} == {"cancelled"}
    assert held(house) is None


def test_what_is_no_text_can_be_written(house: House) -> None:
    """A peer's octets that were no UTF-8: no database takes them as they are, and the attempt would never end."""
    house.dialer.start()
    call = house.gateway.placed[0]
    call._terminal(lambda: call.observer.failed(Cause.BUSY, Native("asterisk", "17", "Zan\udce9to")))
    (row,) = [row for row in house.rows() if row.id == call.attempt_id]
    assert (row.outcome, row.native_cause) == ("busy", "asterisk 17 Zan?to")


def test_a_settlement_that_breaks_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.dialer.start()
    house.crash()
    settle = house.gateway.settle

    def broken(rows: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(house.gateway, "settle", broken)
    house.dialer.start()
    house.clock.advance(1)
    assert len(house.gateway.placed) == 2, "no port is used before the switch has answered"
    monkeypatch.setattr(house.gateway, "settle", settle)
    house.clock.advance(3)
    assert len(house.gateway.placed) > 2


def test_an_end_that_breaks_is_an_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is free again, and the person's attempt has an outcome."""

    def broken(self: Run) -> Any:
        raise RuntimeError("a fault of ours")

    house.dialer.start()
    call: FakeCall = house.gateway.placed[0]
    call.answer()
    monkeypatch.setattr(Run, "result", property(broken))
    call.end(EndedBy.THEM)
    (row,) = [row for row in house.rows() if row.id == call.attempt_id]
    assert (row.state, row.outcome, row.ended_by) == ("finished", "unknown", "fault")
    assert len(house.gateway.placed) == 3


@pytest.mark.parametrize("times", [1, TRIES_TO_PREPARE + 1])
def test_who_was_not_called_for_a_pause_is_called_when_it_is_over(house: House, times: int) -> None:
    """Not half a minute later: nothing has happened to him. Nor is a person given up after a dozen evenings."""
    list_id = house.store.now(lambda conn: lists.find_or_create(conn, "water", house.clock.utc()))
    house.prompts.waits = True
    house.dialer.start()
    for _ in range(times):
        house.store.now(lambda conn: campaigns.pause(conn, list_id, house.clock.utc()))
        house.prompts.ready()
        assert house.gateway.placed == []
        assert {row.state for row in house.tasks()} == {"waiting"}
        house.prompts.waits = times > 1
        house.store.now(lambda conn: campaigns.resume(conn, list_id, house.clock.utc()))
        house.clock.advance(1)
        if times > 1:
            house.clock.advance(31)  # who is called off often waits as after a fault, so as not to spin
    if times > 1:
        house.prompts.ready()
    assert len(house.gateway.placed) == 2
    assert {row.state for row in house.tasks()} == {"waiting", "calling"}, "nobody was given up"


def test_who_was_claimed_and_then_not_launched_is_given_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = house.dialer._launch
    broken: list[object] = []

    def once(*args: Any) -> None:
        if not broken:
            broken.append(args)
            raise RuntimeError("a fault of ours")
        launch(*args)

    monkeypatch.setattr(house.dialer, "_launch", once)
    house.dialer.start()
    house.clock.advance(3)
    house.clock.advance(1)
    assert broken and len(house.gateway.placed) == 2
    up = {call.attempt_id for call in house.gateway.placed}
    assert {row.id for row in house.rows() if row.state != "finished"} == up
