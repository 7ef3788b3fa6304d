"""The dialer over the real ledger and a gateway played by the test, on one clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dialer_house import POLICY, SCENARIO, House
from fakes import FakeGateway
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from twisted.internet.defer import Deferred

from ocm_cti.bulletin import Bulletin
from ocm_cti.bulletin import read as read_bulletin
from ocm_cti.dialer import Dialer
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.caps import Caps
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.interface import EndedBy, Settled
from ocm_cti.store import attempts, campaign_start, campaigns, lists, reports, stop_lists, tasks, upserts
from ocm_cti.store.schema import attempt


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    people = getattr(request, "param", [["+74951234501"]])
    house = House(tmp_path, people)
    yield house
    house.close()


ONE_OF_TWO = pytest.mark.parametrize("house", [[["+74951234501", "+74951234502"]]], indirect=True)
THREE = pytest.mark.parametrize("house", [[["+74951234501"], ["+74951234502"], ["+74951234503"]]], indirect=True)


HOURS = ListSettings.from_table({"zone": "Europe/Moscow", "windows": {"mon-sun": "09:00-09:01, 12:00-20:00"}})


def test_nobody_is_called_outside_the_windows(tmp_path: Path) -> None:
    """It is six in the morning in Moscow; the first opening is a minute long, and he is called again in the next."""
    house = House(
        tmp_path, [["+74951234501"], ["+74951234502"]], replace(POLICY, windows=HOURS.windows, zone=HOURS.zone)
    )
    house.dialer.start()
    house.clock.advance(1)
    assert house.gateway.placed == []
    held = house.store.now(lambda conn: campaigns.held(conn, house.campaign, house.clock.utc()))
    assert held is not None and held[1] == "window"
    assert held[0].astimezone(ZoneInfo("Europe/Moscow")).strftime("%H:%M") == "09:00"
    while not house.gateway.placed:
        before = house.clock.utc()
        house.clock.advance(30)
    assert held[0] <= house.clock.utc() and before < held[0]
    assert len(house.gateway.placed) == 2
    for call in list(house.gateway.placed):
        call.fail(Cause.BUSY)
    house.clock.advance(3600)
    assert len(house.gateway.placed) == 2
    house.clock.advance(2 * 3600)
    house.clock.advance(2)
    assert len(house.gateway.placed) == 4
    house.close()


def test_nobody_is_called_before_the_appointed_time(tmp_path: Path) -> None:
    house = House(tmp_path, [["+74951234501"]])

    def start(conn: Any) -> None:
        campaigns.stop(conn, lists.find(conn, "water"), house.clock.utc())
        begins_at = house.clock.utc() + timedelta(hours=6)
        campaign_start.start(conn, lists.find(conn, "water"), house.clock.utc(), SCENARIO, POLICY, begins_at=begins_at)

    house.store.now(start)
    house.dialer.start()
    house.clock.advance(6 * 3600 - 1)
    assert house.gateway.placed == []
    assert house.tasks()[-1].why == "start"
    house.clock.advance(2)
    assert len(house.gateway.placed) == 1
    house.close()


def test_a_campaign_whose_calls_break_pauses_itself(tmp_path: Path) -> None:
    """Six of ten is more than half; after a resume what broke before is forgotten."""
    house = House(tmp_path, [[f"+749512345{n:02d}"] for n in range(30)], replace(POLICY, breaker_calls=10))
    house.dialer.start()

    def ten(faults: int) -> None:
        for place in range(10):
            next(iter(house.gateway.calls.values())).fail(Cause.LINE_FAULT if place < faults else Cause.REJECTED)

    def state() -> Any:
        return house.store.now(lambda conn: campaigns.held(conn, house.campaign, house.clock.utc()))

    ten(5)
    assert state() is None
    next(iter(house.gateway.calls.values())).fail(Cause.LINE_FAULT)
    assert state() == (None, "paused: 6 of the last 11 calls broke by a fault of the line")
    placed = len(house.gateway.placed)
    for call in list(house.gateway.calls.values()):
        call.fail(Cause.LINE_FAULT)
    house.clock.advance(1000)
    assert len(house.gateway.placed) == placed, "nobody is called by a paused campaign"
    house.store.now(lambda conn: campaigns.resume(conn, lists.find(conn, "water"), house.clock.utc()))
    house.clock.advance(2)
    ten(5)
    assert state() is None
    house.close()


def test_a_person_is_not_called_more_often_than_a_cap_allows(tmp_path: Path) -> None:
    """Two a day over both numbers and over both lists; what did not ring for a fault of ours is no call."""
    capped = replace(POLICY, caps=Caps(day=2), zone="UTC")
    house = House(tmp_path, [["+74951234501", "+74951234502"]], capped)

    def other_list(conn: Any) -> None:
        list_id = lists.find_or_create(conn, "gas", house.clock.utc())
        upserts.upsert(conn, list_id, [Person("x", "X", (("+74951234502", ""),), {})])
        campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, capped)

    house.dialer.start()
    house.gateway.placed[0].fail(Cause.LINE_FAULT)
    house.clock.advance(60)
    house.gateway.placed[1].fail(Cause.BUSY)
    house.gateway.placed[2].fail(Cause.BUSY)
    house.store.now(other_list)
    house.clock.advance(12 * 3600)
    assert len(house.gateway.placed) == 3
    assert [(row.state, row.why) for row in house.tasks()] == [("waiting", "cap")] * 2
    assert {row.due_at.hour for row in house.tasks()} == {0}
    house.clock.advance(9 * 3600)
    house.clock.advance(2)
    assert len(house.gateway.placed) == 4, "the other list's waits for his call to end"
    house.close()


@THREE
def test_stopped_and_hung_up_ends_the_calls_that_are_up(house: House) -> None:
    house.dialer.start()
    up = list(house.gateway.placed)
    up[0].answer()
    list_id = house.store.now(lambda conn: lists.find(conn, "water"))
    house.store.now(lambda conn: campaigns.stop(conn, list_id, house.clock.utc()))
    house.clock.advance(2)
    assert not any(call.over for call in up), "a plain stop lets them go on"
    house.store.now(lambda conn: campaigns.stop(conn, list_id, house.clock.utc(), hang_up=True))
    house.clock.advance(2)
    assert all(call.over for call in up)
    assert set(house.outcomes()) <= {"stopped", "cut_short"}
    assert house.store.now(campaigns.running) == []
    assert house.locks() == []


@THREE
def test_what_the_dialer_knows_is_told_to_the_commands(house: House, tmp_path: Path) -> None:
    house.gateway.up = False
    bulletin = Bulletin(tmp_path, house.dialer.world, house.clock)
    bulletin.start()
    house.dialer.start()
    house.clock.advance(1)
    assert not read_bulletin(tmp_path).gateways["office"].up
    house.gateway.up = True
    house.clock.pump([1] * 4)
    world = read_bulletin(tmp_path)
    assert world == house.dialer.world()
    assert (world.up, world.gateways["office"].idle) == ({house.campaign: 2}, 0)
    bulletin.stop()


class TestStopLists:
    def stop(self, house: House, *entries: str) -> None:
        house.store.now(lambda conn: stop_lists.add(conn, "asked us", entries, "", house.clock.utc()))

    @pytest.mark.parametrize("entry", ["+74951234501", "+749512345*", "+7495123450?"])
    def test_who_stands_on_one_is_not_called(self, house: House, entry: str) -> None:
        self.stop(house, entry)
        house.dialer.start()
        house.clock.advance(10)
        assert house.gateway.placed == []
        (row,) = house.tasks()
        assert (row.state, row.outcome, row.why) == ("done", "stopped", "stop_list")
        assert house.store.now(campaigns.running) == []

    @ONE_OF_TWO
    def test_only_his_other_number_is_called(self, house: House) -> None:
        self.stop(house, "+74951234501")
        house.dialer.start()
        assert [call.number[-2:] for call in house.gateway.placed] == ["02"]

    @pytest.mark.parametrize(
        ("cause", "outcome"), [(Cause.BUSY, "busy"), (Cause.LINE_FAULT, "stopped"), (Cause.NO_ANSWER, "no_answer")]
    )
    def test_who_asks_for_it_in_the_middle_is_not_called_again(self, house: House, cause: Cause, outcome: str) -> None:
        house.dialer.start()
        self.stop(house, "+74951234501")
        house.gateway.placed[0].fail(cause)
        house.clock.advance(1000)
        assert len(house.gateway.placed) == 1
        assert house.outcomes() == [outcome]

    @ONE_OF_TWO
    def test_a_fault_of_the_line_does_not_bring_him_back(self, house: House) -> None:
        house.dialer.start()
        self.stop(house, "+74951234501")
        house.gateway.placed[0].fail(Cause.LINE_FAULT)
        house.clock.advance(100)
        assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02"]

    def test_nobody_else_is_meant(self, house: House) -> None:
        self.stop(house, "+74951234502", "+7800*")
        house.store.now(lambda conn: stop_lists.add(conn, "b", ["+74951234501"], "", house.clock.utc()))
        assert house.store.now(lambda conn: stop_lists.remove(conn, "b", ["+74951234501", "+1"])) == 1
        house.dialer.start()
        assert len(house.gateway.placed) == 1


@THREE
def test_a_follow_up_calls_those_who_ended_so(house: House) -> None:
    def follow_up(*outcomes: Outcome) -> int:
        def start(conn: Any) -> int:
            list_id = lists.find(conn, "water")
            assert list_id is not None
            return campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY, only_after=outcomes)

        return int(house.store.now(start))

    house.dialer.start()
    for place, cause in enumerate((Cause.REJECTED, Cause.INVALID_NUMBER, Cause.REJECTED)):
        house.gateway.placed[place].observer.dialing()
        house.gateway.placed[place].fail(cause)
    assert sorted(str(outcome) for outcome in house.outcomes()) == ["invalid_number", "rejected", "rejected"]
    with pytest.raises(campaigns.CampaignRefused, match="ended so: busy, no_answer"):
        follow_up(Outcome.NO_ANSWER, Outcome.BUSY)
    second = follow_up(Outcome.REJECTED)
    assert [row.state for row in house.tasks() if row.campaign_id == second] == ["waiting", "waiting"]
    house.dialer.wake()
    assert len(house.gateway.placed) == 5
    for call in list(house.gateway.calls.values()):
        call.fail(Cause.REJECTED)
    with pytest.raises(campaigns.CampaignRefused, match="ended so: invalid_number"):
        follow_up(Outcome.INVALID_NUMBER)


@THREE
def test_a_pause_calls_nobody_and_loses_nobody(house: House) -> None:
    def of_list(change: Any) -> None:
        house.store.now(lambda conn: change(conn, lists.find(conn, "water")))

    def pause(conn: Any, list_id: int) -> int:
        return campaigns.pause(conn, list_id, house.clock.utc())

    house.dialer.start()
    of_list(pause)
    with pytest.raises(campaigns.CampaignRefused, match="is running"):
        of_list(pause)
    first, second = house.gateway.placed
    first.fail(Cause.BUSY)
    second.fail(Cause.REJECTED)
    house.clock.advance(500)
    assert len(house.gateway.placed) == 2
    assert [row.state for row in house.tasks()] == ["waiting", "done", "waiting"]
    assert house.store.now(lambda conn: campaigns.held(conn, house.campaign, house.clock.utc())) == (
        None,
        "paused: by hand",
    )

    def resume(conn: Any, list_id: int) -> int:
        return campaigns.resume(conn, list_id, house.clock.utc())

    of_list(resume)
    house.clock.advance(2)
    assert [call.number[-2:] for call in house.gateway.placed[2:]] == ["03", "01"]
    with pytest.raises(campaigns.CampaignRefused, match="is paused"):
        of_list(resume)
    of_list(pause)
    house.store.now(lambda conn: campaigns.stop(conn, lists.find(conn, "water"), house.clock.utc()))
    for call in list(house.gateway.calls.values()):
        call.fail(Cause.BUSY)
    assert [row.outcome for row in house.tasks()] == ["stopped", "rejected", "stopped"]


@THREE
def test_no_more_calls_are_begun_than_the_pace_allows(house: House) -> None:
    """A start that isn't there costs an attempt in the ledger and the person a delay; also while messages are made."""
    house.gateway.ports = ("301", "302", "303")
    house.gateway.starts_left = 2
    house.prompts.waits = True
    house.dialer.start()
    house.dialer.wake()
    assert len(house.prompts.waiting) == 2
    house.prompts.ready()
    assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02"]
    house.clock.advance(2)
    assert len(house.gateway.placed) == 2
    house.gateway.starts_left = 1
    house.clock.advance(2)
    assert len(house.gateway.placed) == 3
    assert len(house.store.now(lambda conn: conn.execute(select(attempt.c.id)).all())) == 3


@THREE
def test_calls_on_every_idle_port_and_no_more(house: House) -> None:
    """Two ports, three people: the third is called as soon as a port is free."""
    house.dialer.start()
    assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02"]
    house.gateway.placed[0].fail(Cause.REJECTED)
    assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02", "03"]


def test_a_confirmed_person_is_done(house: House) -> None:
    house.dialer.start()
    (call,) = house.gateway.placed
    call.answer()
    call.heard()
    call.observer.digit("1")
    house.clock.advance(0)
    assert house.outcomes() == ["confirmed"]
    row = house.row(call.attempt_id)
    assert (row.state, row.keys, row.native_id) == ("finished", "1", call.native_id)
    assert house.locks() == []
    assert house.store.now(campaigns.running) == []


HAND_OVER = """
language = "en"

[[step]]
name = "duty"
type = "transfer"
message = "I connect you."
to = "201"
heard = true

[[step]]
name = "water"
type = "say"
message = "Nobody is there. The water is off today."
"""


def test_a_person_handed_over_has_been_reached(tmp_path: Path) -> None:
    house = House(tmp_path, [["+74950000001"]], scenario=HAND_OVER)
    try:
        house.dialer.start()
        (call,) = house.gateway.calls.values()
        call.answer()
        call.heard()
        call.connect()
        assert house.outcomes() == ["delivered"]
        row = house.row(call.attempt_id)
        assert (row.cause, row.outcome, row.ended_by) == ("transferred", "delivered", "us")
        people = house.store.now(lambda conn: list(reports.people(conn, [house.campaign])))
        assert people[0].answers == "transferred to=201"
        assert house.locks() == []
    finally:
        house.close()


def test_hung_up_early_is_called_again_after_the_interval(house: House) -> None:
    """The retry clock starts at the end of the attempt."""
    house.dialer.start()
    house.gateway.placed[0].answer()
    house.clock.advance(5)
    house.gateway.placed[0].end(EndedBy.THEM)
    assert house.row(1).outcome == "cut_short" and house.row(1).heard_ms == 300
    house.clock.pump([1] * 59)
    assert len(house.gateway.placed) == 1
    house.clock.pump([1] * 3)
    assert len(house.gateway.placed) == 2


@ONE_OF_TWO
def test_busy_goes_to_the_next_number_at_once(house: House) -> None:
    house.dialer.start()
    house.gateway.placed[0].fail(Cause.BUSY)
    house.clock.advance(1)
    assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02"]


@ONE_OF_TWO
def test_a_wrong_number_is_not_dialled_twice(house: House) -> None:
    """Not in this campaign, and not in the next one."""
    house.dialer.start()
    house.gateway.placed[0].observer.dialing()
    house.gateway.placed[0].fail(Cause.INVALID_NUMBER)
    house.clock.advance(1)
    for _ in range(2):
        house.gateway.placed[-1].fail(Cause.NO_ANSWER)
        house.clock.pump([1] * 70)
    assert [call.number[-2:] for call in house.gateway.placed] == ["01", "02", "02"]
    assert house.outcomes() == ["no_answer"]
    list_id = house.store.now(lambda conn: lists.find(conn, "water"))
    house.store.now(lambda conn: campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY))
    house.clock.advance(1)
    assert house.gateway.placed[-1].number[-2:] == "02"


@ONE_OF_TWO
def test_a_number_that_our_own_pbx_refuses_is_not_remembered(house: House) -> None:
    """Wrong dialling rules are as likely: not dialled again in this campaign, but in the next one."""
    house.dialer.start()
    house.gateway.placed[0].fail(Cause.INVALID_NUMBER)
    house.clock.advance(1)
    house.gateway.placed[1].fail(Cause.INVALID_NUMBER)
    house.clock.pump([1] * 100)
    assert house.outcomes() == ["invalid_number"] and len(house.gateway.placed) == 2
    list_id = house.store.now(lambda conn: lists.find(conn, "water"))
    house.store.now(lambda conn: campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY))
    house.clock.advance(1)
    assert house.gateway.placed[-1].number[-2:] == "01"


def test_numbers_that_did_not_exist_can_be_tried_again_on_demand(house: House) -> None:
    house.dialer.start()
    house.gateway.placed[0].observer.dialing()
    house.gateway.placed[0].fail(Cause.INVALID_NUMBER)
    list_id = house.store.now(lambda conn: lists.find(conn, "water"))

    def again(conn: Any, also_invalid: bool) -> int:
        return campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY, also_invalid=also_invalid)

    house.store.now(lambda conn: again(conn, False))
    house.clock.advance(1)
    assert len(house.gateway.placed) == 1, "its only number is known not to exist"
    house.store.now(lambda conn: again(conn, True))
    house.clock.advance(1)
    assert len(house.gateway.placed) == 2


def test_a_fault_after_the_answer_is_not_repeated_without_end(house: House) -> None:
    """It is not the person's fault, and yet nobody is called all night because our disk is full."""
    house.gateway.play_breaks = OSError("no such prompt")
    house.dialer.start()
    for _ in range(20):
        for call in list(house.gateway.calls.values()):
            call.answer()
        house.clock.pump([1] * 700)
    assert len(house.gateway.placed) == POLICY.tries_after_fault
    assert all(call.hung_up for call in house.gateway.placed), "the person is not left in silence"
    assert house.outcomes() == ["line_fault"]


def test_a_message_that_can_never_be_prepared_comes_to_an_end(house: House) -> None:
    house.prompts.missing = RuntimeError("the recording was deleted")
    house.dialer.start()
    house.clock.pump([60] * 300)
    assert house.outcomes() == ["line_fault"] and house.gateway.placed == []
    assert house.store.now(campaigns.running) == []


def test_a_fault_of_ours_while_placing_wedges_nothing(house: House) -> None:
    """The switch may have heard of the call: the outcome is unknown, the port is free, a stop comes to its end."""
    house.gateway.place_breaks = ZeroDivisionError("a bug")
    house.dialer.start()
    assert house.outcomes() == ["unknown"] and house.dialer.calls_up == 0 and house.locks() == []
    stopped: list[object] = []
    house.dialer.stop().addCallback(stopped.append)
    assert stopped == [None]


def test_a_prompt_that_vanishes_before_the_call_wedges_nothing(house: House) -> None:
    house.prompts.path.unlink()
    house.dialer.start()
    assert house.gateway.placed == [] and house.dialer.calls_up == 0
    assert house.row(1).outcome == "line_fault"


def test_a_line_fault_costs_the_person_nothing(house: House) -> None:
    """However often; it only backs off."""
    house.dialer.start()
    for _ in range(8):
        house.gateway.placed[-1].fail(Cause.LINE_FAULT)
        house.clock.pump([1] * 700)
    assert len(house.gateway.placed) == 9 and house.outcomes() == [None]
    house.gateway.placed[-1].answer()
    house.gateway.placed[-1].listen()
    house.clock.pump([1] * 10)
    assert house.outcomes() == ["delivered"]


def test_a_port_that_refuses_is_not_the_persons_fault(house: House) -> None:
    house.gateway.refuse = "the extension is not registered"
    house.dialer.start()
    assert house.gateway.placed == []
    assert house.row(1).outcome == "line_fault" and "not registered" in house.row(1).native_cause
    house.gateway.refuse = None
    house.clock.pump([1] * 12)
    assert len(house.gateway.placed) == 1


def test_a_message_that_cannot_be_prepared_is_not_dialled(house: House) -> None:
    house.prompts.missing = RuntimeError("no voice")
    house.dialer.start()
    assert house.gateway.placed == []
    assert house.row(1).outcome == "line_fault" and "no voice" in house.row(1).native_cause


def test_an_outcome_waits_for_the_store(house: House) -> None:
    """Disk full at the end of a call: the port is held and nobody is called until the outcome is written."""
    house.dialer.start()
    house.store.broken = OSError("disk full")
    house.gateway.placed[0].fail(Cause.REJECTED)
    house.clock.pump([1] * 10)
    assert house.dialer.calls_up == 1 and house.outcomes() == [None]
    house.store.broken = None
    house.clock.pump([1] * 3)
    assert house.dialer.calls_up == 0 and house.outcomes() == ["rejected"]


def test_nothing_is_sent_that_could_not_be_saved(house: House) -> None:
    """The disk fills up between the claim and the call: the call is not placed, and it costs the person nothing."""
    prepare = house.prompts.prepare

    def prepare_on_a_full_disk(*arguments: Any) -> Any:
        house.store.broken = OSError("disk full")
        return prepare(*arguments)

    house.prompts.prepare = prepare_on_a_full_disk  # type: ignore[method-assign]
    house.dialer.start()
    assert house.gateway.placed == []
    house.prompts.prepare = prepare  # type: ignore[method-assign]
    house.store.broken = None
    house.clock.pump([1] * 3)
    assert house.row(1).outcome == "line_fault"
    house.clock.pump([1] * 12)
    assert len(house.gateway.placed) == 1


@THREE
def test_stop_lets_calls_end_and_claims_nothing_more(house: House) -> None:
    house.dialer.start()
    first, second = house.gateway.placed
    first.answer()
    stopped: list[object] = []
    house.dialer.stop(drain_s=30).addCallback(stopped.append)
    first.listen()
    house.clock.pump([1] * 6)
    assert first.over and stopped == []
    house.clock.advance(30)
    assert second.hung_up and house.clock.advance(0) is None
    assert stopped == [None]
    assert len(house.gateway.placed) == 2
    assert house.outcomes() == ["delivered", None, None]


class TestALoopThatBreaks:
    """A fault that nobody expected: nobody else would wake the dialer, and people would wait for ever."""

    def test_as_it_looks_for_ports(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        house.gateway.up = False
        house.dialer.start()

        def broken(gateway: FakeGateway) -> list[str]:
            raise ZeroDivisionError("of a gateway")

        with monkeypatch.context() as patch:
            patch.setattr(FakeGateway, "idle_ports", property(broken))
            house.clock.pump([1, 1, 1])
        house.gateway.up = True
        house.clock.pump([1, 1, 1])
        assert len(house.gateway.placed) == 1

    @ONE_OF_TWO
    def test_as_it_takes_what_was_claimed(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        house.gateway.up = False
        house.dialer.start()
        house.gateway.up = True

        def broken(result: object) -> None:
            monkeypatch.undo()
            raise ZeroDivisionError("of ours")

        house.store.now(lambda conn: campaigns.pause(conn, 1, house.clock.utc()))
        monkeypatch.setattr(house.dialer, "_sleep", broken)
        house.clock.pump([1, 1, 1])
        house.store.now(lambda conn: campaigns.resume(conn, 1, house.clock.utc()))
        house.clock.pump([1, 1, 1])
        assert len(house.gateway.placed) == 1


@THREE
def test_a_store_that_fails_at_the_end_lets_no_call_go_on_for_ever(house: House) -> None:
    """The last look for people, under way as the server is told to end, fails: calls are hung up all the same."""
    house.dialer.start()
    (first, second) = house.gateway.placed
    first.answer()
    looking: Deferred[Any] = Deferred()
    run, house.store.run = house.store.run, lambda job: looking  # type: ignore[method-assign]
    house.dialer.wake()
    house.store.run = run  # type: ignore[method-assign]
    stopped: list[object] = []
    house.dialer.stop(drain_s=30).addCallback(stopped.append)
    looking.errback(OSError("disk full"))
    house.clock.advance(31)
    assert first.hung_up and second.hung_up
    house.clock.pump([0, 0, 0])
    assert stopped == [None]


def test_told_to_stop_again_the_last_word_counts(house: House) -> None:
    house.dialer.start()
    (call,) = house.gateway.placed
    call.answer()
    house.dialer.stop(drain_s=600)
    house.dialer.stop(drain_s=5)
    house.clock.advance(6)
    assert call.hung_up


@THREE
def test_a_stopped_campaign_calls_nobody_more(house: House) -> None:
    """Calls that are up end as they end; who would have been tried again is not."""
    house.dialer.start()
    first, second = house.gateway.placed
    list_id = house.store.now(lambda conn: lists.find(conn, "water"))
    assert house.store.now(lambda conn: campaigns.stop(conn, list_id, house.clock.utc())) == 1
    with pytest.raises(campaigns.CampaignRefused):
        house.store.now(lambda conn: campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY))
    first.fail(Cause.BUSY)
    second.answer()
    second.listen()
    house.clock.pump([1] * 100)
    assert house.outcomes() == ["stopped", "delivered", "stopped"]
    assert len(house.gateway.placed) == 2
    assert house.store.now(lambda conn: campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY)) == 2


def test_hung_up_by_a_shutdown_is_not_the_persons_doing(house: House) -> None:
    house.dialer.start()
    (call,) = house.gateway.placed
    call.answer()
    house.dialer.stop(drain_s=0)
    house.clock.pump([0, 0, 0])
    assert house.row(call.attempt_id).outcome == "line_fault" and house.outcomes() == [None]


class TestRecovery:
    """What the next start makes of attempts that a crash left behind."""

    def crashed(self, house: House, state: AttemptState) -> int:
        """An attempt as a killed server leaves it; no dialer of ours has seen it."""

        def leave(conn: Any) -> int:
            claim = tasks.claim(conn, house.campaign, "office", "301", "test", house.clock.utc())
            assert claim is not None
            path = [AttemptState.PLACING, AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED]
            for step in path[: path.index(state) + 1] if state in path else []:
                attempts.mark(conn, claim.attempt_id, step, house.clock.utc(), native_id="00000a")
            return claim.attempt_id

        return int(house.store.now(leave))

    def test_never_sent_is_called_without_asking(self, house: House) -> None:
        """Committed but not yet ``placing``: the switch never heard of it, so it costs nothing."""
        self.crashed(house, AttemptState.CLAIMED)
        house.dialer.start()
        house.clock.pump([1] * 12)
        assert house.gateway.asked == []
        assert len(house.gateway.placed) == 1

    @pytest.mark.parametrize("state", [AttemptState.PLACING, AttemptState.RINGING, AttemptState.ANSWERED])
    def test_unknown_is_shown_and_never_redialled(self, house: House, state: AttemptState) -> None:
        attempt_id = self.crashed(house, state)
        house.dialer.start()
        house.clock.pump([1] * 1000)
        assert [row.attempt_id for row in house.gateway.asked] == [attempt_id]
        assert house.gateway.placed == []
        assert house.outcomes() == ["unknown"]
        assert house.locks() == []

    def test_what_the_switch_says_never_rang_is_called_again(self, house: House) -> None:
        attempt_id = self.crashed(house, AttemptState.PLACING)
        house.gateway.settled[attempt_id] = Settled.NEVER_REACHED
        house.dialer.start()
        assert house.row(attempt_id).outcome == "line_fault"
        house.clock.pump([1] * 12)
        assert len(house.gateway.placed) == 1

    @THREE
    def test_no_port_is_used_before_the_switch_has_answered(self, house: House) -> None:
        """Also when the asking itself fails: it is asked again."""
        self.crashed(house, AttemptState.DIALING)
        house.gateway.settle_fails = RuntimeError("link lost")
        house.dialer.start()
        house.clock.pump([1] * 60)
        assert house.gateway.placed == []
        house.gateway.settle_fails = None
        house.clock.pump([1] * 3)
        assert len(house.gateway.placed) == 2

    def test_a_store_that_fails_while_settling_is_asked_again(self, house: House) -> None:
        """The link stays up, so no event would ever wake us."""
        self.crashed(house, AttemptState.DIALING)
        settle = house.gateway.settle

        def settle_on_a_full_disk(rows: Any) -> Any:
            house.store.broken = OSError("disk full")
            house.gateway.settle = settle  # type: ignore[method-assign]
            return settle(rows)

        house.gateway.settle = settle_on_a_full_disk  # type: ignore[method-assign]
        house.dialer.start()
        assert house.outcomes() == [None]
        house.store.broken = None
        house.clock.pump([1] * 5)
        assert house.outcomes() == ["unknown"]

    def test_a_server_with_another_name_recovers_them_too(self, house: House) -> None:
        """A renamed host, a new container: nobody may be lost with the old name."""
        self.crashed(house, AttemptState.DIALING)
        dialer = Dialer(
            house.store,  # type: ignore[arg-type]
            [house.gateway],  # type: ignore[list-item]
            house.prompts,
            house.folder,
            house.clock,
            house.clock.utc,
            "another name",
        )
        house.dialer = dialer
        dialer.start()
        assert house.outcomes() == ["unknown"] and house.locks() == []

    def test_an_attempt_of_a_gateway_that_is_gone_ends_as_unknown(self, house: House) -> None:
        self.crashed(house, AttemptState.DIALING)
        house.gateway.name = "other"
        house.dialer = house.new_dialer()
        house.dialer.start()
        assert house.outcomes() == ["unknown"]


FAILURES = [
    Cause.BUSY,
    Cause.NO_ANSWER,
    Cause.REJECTED,
    Cause.INVALID_NUMBER,
    Cause.UNREACHABLE,
    Cause.LINE_FAULT,
    Cause.UNKNOWN,
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_under_any_history_of_the_switch(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random answers, order and crashes: saved before sent, nobody in two calls, no budget exceeded, all get an end."""
    people = [["+74951234501", "+74951234502"], ["+74951234503"], ["+74951234502", "+74951234504"]]
    house = House(tmp_path_factory.mktemp("any"), people, replace(POLICY, line_fault_delay_s=5.0))
    house.dialer.start()
    counted: Counter[str] = Counter()
    faults = 0
    for _ in range(200):
        if not house.gateway.calls:
            if not house.store.now(campaigns.running):
                break
            house.clock.pump([1] * 65)
            continue
        call = data.draw(st.sampled_from(sorted(house.gateway.calls.values(), key=lambda call: call.attempt_id)))
        what = data.draw(st.sampled_from(["fail", "listen", "confirm", "hang up", "crash"]))
        if what == "crash" and faults < 3:
            faults += 1
            # The server dies: its dialer is forgotten with its timers, the switch drops the calls.
            for delayed in house.clock.getDelayedCalls():
                delayed.cancel()
            for answer in house.gateway.calls.values():
                house.gateway.settled[answer.attempt_id] = data.draw(st.sampled_from(Settled))
                counted[answer.number] += house.gateway.settled[answer.attempt_id] is Settled.UNKNOWN
            house.gateway.calls.clear()
            house.gateway.observer = None
            house.dialer = house.new_dialer()
            house.dialer.start()
            continue
        cause = data.draw(st.sampled_from(FAILURES))
        if what == "fail" and (cause is not Cause.LINE_FAULT or faults < 6):
            faults += cause is Cause.LINE_FAULT
            counted[call.number] += cause is not Cause.LINE_FAULT
            call.fail(cause)
            continue
        counted[call.number] += 1
        call.answer()
        if what == "confirm":
            call.heard()
            call.observer.digit("1")
            house.clock.advance(0)
        elif what == "listen":
            call.listen()
            house.clock.advance(4)
            house.clock.advance(0)
        if not call.over:
            call.end(EndedBy.THEM)
        assert len(set(house.locks())) == len(house.locks())
    rows = house.tasks()
    assert all(row.state == "done" and row.outcome for row in rows), rows
    for row in rows:
        history = house.store.now(
            lambda conn, row=row: conn.execute(
                select(attempt).where(attempt.c.task_id == row.id).order_by(attempt.c.attempt_no)
            ).all()
        )
        spent = [past for past in history if past.outcome != "line_fault"]
        assert len(spent) <= POLICY.tries_per_person
        assert max(Counter(past.number for past in spent).values(), default=0) <= POLICY.tries_per_number
        assert all(past.outcome not in ("confirmed", "delivered", "unknown") for past in history[:-1])
        wrong = [past.number for past in history if past.outcome == "invalid_number"]
        assert len(wrong) == len(set(wrong))
    assert house.locks() == []
    house.close()
