"""Whose turn it is, over the real ledger: priorities, shares, limits, gateways, and the clock of each person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.windows import Windows
from ocm_cti.store import attempts, campaign_start, lists, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.tasks import Claim
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.turns import Shares, Turns

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday; noon in Moscow, 19:00 in Vladivostok
PLAIN = ListSettings(language="en")
ALL_DAY = Windows.from_table({"mon-sun": "09:00-20:00"})


class Office:
    """One ledger, one clock, some lines; calls are up until they are ended."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path)
        self.now = T0
        self.shares = Shares()
        self.up: list[Claim] = []
        self._number = 0

    def people(self, count: int, **own: object) -> list[Person]:
        made = []
        for _ in range(count):
            self._number += 1
            number = f"+7495{self._number:07d}"
            made.append(Person(number, f"P{self._number}", ((number, ""),), {}, **own))  # type: ignore[arg-type]
        return made

    def campaign(self, name: str, people: Sequence[Person], settings: ListSettings = PLAIN, **how: object) -> int:
        def fill(conn: Connection) -> int:
            list_id = lists.find_or_create(conn, name, self.now)
            upserts.upsert(conn, list_id, people)
            return campaign_start.start(conn, list_id, self.now, "scenario", settings, **how)  # type: ignore[arg-type]

        return self.store.run_now(fill)

    def lines(self, count: int, gateway: str = "office") -> list[Claim]:
        """So many free lines of the gateway look for somebody, in one transaction."""

        def claim(conn: Connection) -> list[Claim]:
            up = Counter(claim.campaign_id for claim in self.up)
            turns = Turns(conn, self.now, self.shares, up)
            found = [turns.claim(gateway, str(300 + place), "node") for place in range(count)]
            return [claim for claim in found if claim is not None]

        claims = self.store.run_now(claim)
        self.up += claims
        return claims

    def end(self, claim: Claim) -> None:
        self.up.remove(claim)
        finish = Finish(Outcome.DELIVERED, Cause.NORMAL, self.now)
        self.store.run_now(lambda conn: attempts.finish(conn, claim.attempt_id, finish, self.now))

    def calls_of(self, claims: Sequence[Claim]) -> Counter[int]:
        return Counter(claim.campaign_id for claim in claims)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "ocm.db")
    yield office
    office.store.close()


def test_a_more_urgent_list_has_all_the_lines_while_it_has_people(office: Office) -> None:
    office.campaign("debts", office.people(10), replace(PLAIN, priority=5))
    fire = office.campaign("fire", office.people(3), replace(PLAIN, priority=0))
    claims = office.lines(4)
    assert [claim.campaign_id == fire for claim in claims] == [True, True, True, False]


def test_an_urgent_person_of_another_list_goes_first(office: Office) -> None:
    office.campaign("debts", office.people(3))
    urgent = office.campaign("water", [*office.people(2), *office.people(1, priority=1)])
    (claim,) = office.lines(1)
    assert (claim.campaign_id, claim.name) == (urgent, "P6")


def test_lists_share_the_lines_by_their_shares(office: Office) -> None:
    small = office.campaign("small", office.people(30), replace(PLAIN, share=1.0))
    large = office.campaign("large", office.people(30), replace(PLAIN, share=3.0))
    assert office.calls_of(office.lines(8)) == {small: 2, large: 6}


def test_on_a_single_line_they_take_turns_by_their_shares(office: Office) -> None:
    small = office.campaign("small", office.people(30))
    large = office.campaign("large", office.people(30), replace(PLAIN, share=2.0))
    taken = []
    for _ in range(30):
        (claim,) = office.lines(1)
        taken.append(claim)
        office.end(claim)
    assert office.calls_of(taken) == {small: 10, large: 20}


def test_a_newcomer_catches_nothing_up(office: Office) -> None:
    first = office.campaign("first", office.people(60))
    for _ in range(20):
        (claim,) = office.lines(1)
        office.end(claim)
    second = office.campaign("second", office.people(60))
    taken = []
    for _ in range(10):
        (claim,) = office.lines(1)
        taken.append(claim)
        office.end(claim)
    assert office.calls_of(taken) == {first: 5, second: 5}


def test_a_list_has_no_more_calls_up_than_it_may(office: Office) -> None:
    office.campaign("few", office.people(9), replace(PLAIN, ports=2))
    assert len(office.lines(5)) == 2
    assert office.lines(5) == []
    office.end(office.up[0])
    assert len(office.lines(5)) == 1


def test_a_list_is_called_by_its_own_gateways_only(office: Office) -> None:
    office.campaign("far", office.people(3), replace(PLAIN, gateways=("branch",)))
    assert office.lines(2, "office") == []
    assert len(office.lines(2, "branch")) == 2


def test_who_is_being_called_elsewhere_does_not_stop_the_others(office: Office) -> None:
    shared = office.people(1)
    office.campaign("a", shared)
    other = office.campaign("b", [*shared, *office.people(1)])
    office.lines(1)
    assert [(claim.campaign_id, claim.name) for claim in office.lines(3)] == [(other, "P2")]


class TestZones:
    HOURS = replace(PLAIN, zone="Europe/Moscow", windows=ALL_DAY)

    def test_everybody_is_called_by_his_own_clock(self, office: Office) -> None:
        """At 20:00 in Vladivostok it is 13:00 in Moscow."""
        office.campaign(
            "all",
            [*office.people(1, zone="Asia/Vladivostok"), *office.people(2), *office.people(1, zone="Asia/Omsk")],
            self.HOURS,
        )
        office.now = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
        assert [claim.name for claim in office.lines(4)] == ["P2", "P3", "P4"]
        opens_at = office.store.read_now(lambda conn: tasks.next_due_at(conn, office.now))
        assert opens_at == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
        office.now = opens_at
        assert [claim.name for claim in office.lines(4)] == ["P1"]

    def test_his_number_tells_his_zone_where_he_has_none(self, office: Office) -> None:
        zones = {"+74950000001": "Asia/Vladivostok", "+74950000002": ""}
        people = [*office.people(2), *office.people(1, zone="Asia/Omsk")]
        office.campaign("all", people, self.HOURS, zone_of=lambda number: zones.get(number, "Asia/Tokyo"))
        office.now = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
        assert [claim.name for claim in office.lines(4)] == ["P2", "P3"]

    def test_a_zone_that_does_not_exist_is_refused(self, office: Office) -> None:
        with pytest.raises(CampaignRefused, match=r"P1: there is no time zone 'Moskau'"):
            office.campaign("all", office.people(1, zone="Moskau"), self.HOURS)

    def test_the_longest_due_goes_first_over_all_zones(self, office: Office) -> None:
        office.campaign("a", office.people(1, zone="Asia/Omsk"), self.HOURS, begins_at=T0 + timedelta(minutes=5))
        office.campaign("b", office.people(1, zone="Europe/Samara"), self.HOURS, begins_at=T0 + timedelta(minutes=2))
        office.now = T0 + timedelta(minutes=10)
        assert [claim.name for claim in office.lines(2)] == ["P1", "P2"], "between campaigns: by their turns"

    def test_an_emergency_asks_no_clock_and_no_cap(self, office: Office) -> None:
        office.now = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 03:30 in Moscow
        office.campaign("fire", office.people(2), self.HOURS, override_why="the dam")
        assert len(office.lines(2)) == 2

    def test_nobody_is_called_on_a_closed_day(self, office: Office) -> None:
        closed = replace(PLAIN, zone="Europe/Moscow", windows=Windows().closed_on([date(2026, 11, 23)]))
        office.campaign("a", office.people(1), closed)
        assert office.lines(1) == []
        assert office.store.read_now(lambda conn: tasks.next_due_at(conn, office.now)) == datetime(
            2026, 11, 23, 21, 0, tzinfo=UTC
        )


def test_only_a_group_is_called(office: Office) -> None:
    people = [*office.people(1, groups=("shift 1", "fire")), *office.people(1, groups=("shift 2",)), *office.people(1)]
    office.campaign("staff", people, groups=["shift 1", "shift 2"])
    assert [claim.name for claim in office.lines(9)] == ["P1", "P2"]
    with pytest.raises(CampaignRefused, match="in the group shift 3"):
        office.campaign("others", people, groups=["shift 3"])


class TestATest:
    TESTERS = replace(PLAIN, testers=("+74990000001", "+74990000002", "+74950000002"))

    def test_only_testers_are_dialled_with_what_others_would_hear(self, office: Office) -> None:
        office.campaign("debts", office.people(5), self.TESTERS, testers=self.TESTERS.testers)
        assert sorted((claim.number, claim.name) for claim in office.lines(9)) == [
            ("+74950000002", "P2"),
            ("+74990000001", "P1"),
            ("+74990000002", "P3"),
        ]

    def test_no_follow_up_looks_at_it(self, office: Office) -> None:
        office.campaign("debts", office.people(2), self.TESTERS, testers=("+74990000001",))
        (claim,) = office.lines(1)
        office.end(claim)
        with pytest.raises(CampaignRefused, match="has not been called yet"):
            office.campaign("debts", [], PLAIN, only_after=[Outcome.DELIVERED])
