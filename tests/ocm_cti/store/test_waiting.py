"""Who waits and why, from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ocm_cti.domain.caps import Caps
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.why_not import GatewayNow, World
from ocm_cti.domain.windows import Windows
from ocm_cti.store import attempts, campaign_start, campaigns, lists, reports, stop_lists, tasks, upserts, waiting
from ocm_cti.store.attempts import AttemptState, Finish
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # noon in Moscow
WORLD = World(True, {"office": GatewayNow(True)})
HOURS = ListSettings(language="en", zone="Europe/Moscow", windows=Windows.from_table({"mon-sun": "09:00-20:00"}))


class Waiting:
    def __init__(self, path: Path | str) -> None:
        self.store = Store.open(path)

    def campaign(self, name: str, people: list[Person], settings: ListSettings = HOURS, **how: object) -> int:
        def fill(conn: Connection) -> int:
            list_id = lists.find_or_create(conn, name, T0)
            upserts.upsert(conn, list_id, people)
            return campaign_start.start(conn, list_id, T0, "scenario", settings, **how)  # type: ignore[arg-type]

        return self.store.run_now(fill)

    def reasons(self, campaign_id: int, now: datetime = T0, world: World = WORLD, search: str = "") -> dict[str, str]:
        found = self.look(campaign_id, now, world, search)
        return {one.name: one.reason.code for one in found.waiters}

    def groups(self, campaign_id: int, now: datetime = T0, world: World = WORLD) -> list[tuple[str, int]]:
        return [(group.reason.code, group.people) for group in self.look(campaign_id, now, world).groups]

    def look(self, campaign_id: int, now: datetime = T0, world: World = WORLD, search: str = "") -> waiting.Look:
        return self.store.read_now(lambda conn: waiting.look(conn, campaign_id, world, now, search=search))

    def call(self, campaign_id: int, outcome: Outcome, ended_at: datetime) -> None:
        def through(conn: Connection) -> None:
            claim = tasks.claim(conn, campaign_id, "office", "301", "node", T0)
            assert claim is not None
            for state in (AttemptState.PLACING, AttemptState.DIALING, AttemptState.RINGING):
                attempts.mark(conn, claim.attempt_id, state, T0)
            attempts.finish(conn, claim.attempt_id, Finish(outcome, Cause.BUSY, ended_at), ended_at)

        self.store.run_now(through)


def person(name: str, number: str, **own: object) -> Person:
    return Person(number, name, ((number, ""),), {}, **own)  # type: ignore[arg-type]


@pytest.fixture
def ledger(database: Path | str) -> Iterator[Waiting]:
    ledger = Waiting(database)
    yield ledger
    ledger.store.close()


def test_everybody_has_a_reason_of_his_own(ledger: Waiting) -> None:
    people = [
        person("Ann", "+74951234501"),
        person("Bob", "+74951234502", zone="Asia/Vladivostok", priority=1),
        person("Cid", "+74951234503"),
        person("Dan", "+74951234504", zone="Asia/Omsk"),
    ]
    campaign = ledger.campaign("a", people)
    ledger.store.run_now(lambda conn: stop_lists.add(conn, "asked", ["+74951234503"], "", T0))
    evening = T0 + timedelta(hours=2)  # 21:00 in Vladivostok
    assert ledger.reasons(campaign, evening) == {
        "Ann": "no_port",
        "Bob": "window",
        "Cid": "stop_list",
        "Dan": "no_port",
    }
    assert ledger.groups(campaign, evening) == [("no_port", 2), ("window", 1), ("stop_list", 1)]
    assert ledger.reasons(campaign, evening, World()) == dict.fromkeys(["Bob", "Ann", "Cid", "Dan"], "not_serving")


def test_a_retry_and_a_cap(ledger: Waiting) -> None:
    retried = ledger.campaign("a", [person("Ann", "+74951234501"), person("Bob", "+74951234502")])
    ledger.call(retried, Outcome.BUSY, T0)
    assert ledger.reasons(retried) == {"Bob": "no_port", "Ann": "retry_busy"}
    capped = ledger.campaign("b", [person("Ann", "+74951234501")], replace(HOURS, caps=Caps(day=1)))
    tomorrow = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # nine: her day begins at midnight, the hours then
    for evening in (False, True):  # after a claim has found her capped she is due at midnight
        found = ledger.look(capped)
        assert [(one.reason.code, one.reason.until_at) for one in found.waiters] == [("cap", tomorrow)], evening
        assert [(one.reason.code, one.reason.until_at, one.people) for one in found.groups] == [("cap", tomorrow, 1)]
        (row,) = ledger.store.read_now(lambda conn: list(reports.each_person(conn, [capped], T0)))
        assert (row.why, row.next_call_at) == ("cap", tomorrow)
        ledger.store.run_now(lambda conn: tasks.claim(conn, capped, "office", "301", "node", T0))
    night = T0 + timedelta(hours=9)
    assert ledger.reasons(capped, night) == {"Ann": "window"}, "without the cap she would not be called sooner"


def test_paused_by_whom(ledger: Waiting) -> None:
    campaign = ledger.campaign("a", [person("Ann", "+74951234501")])
    list_id = ledger.store.read_now(lambda conn: lists.find(conn, "a"))
    assert list_id is not None
    ledger.store.run_now(lambda conn: campaigns.pause(conn, list_id, T0))
    (group,) = ledger.look(campaign).groups
    assert (group.reason.code, group.reason.detail, group.people) == ("paused", "by hand", 1)
    assert ledger.store.read_now(waiting.open_campaigns) == [campaign]


def test_others_are_more_urgent(ledger: Waiting) -> None:
    debts = ledger.campaign("debts", [person("Ann", "+74951234501")])
    fire = ledger.campaign("fire", [person("Bob", "+74951234502")], replace(HOURS, priority=0))
    assert (ledger.reasons(debts), ledger.reasons(fire)) == ({"Ann": "higher_priority"}, {"Bob": "no_port"})


def test_somebody_is_found_by_name_in_any_case_and_by_number(ledger: Waiting) -> None:
    campaign = ledger.campaign("a", [person("Ёлкина Анна", "+74951234501"), person("Bob", "+74951234502")])
    assert list(ledger.reasons(campaign, search="ЁЛКИНА")) == ["Ёлкина Анна"]
    assert list(ledger.reasons(campaign, search="4502")) == ["Bob"]
    assert ledger.reasons(campaign, search="nobody") == {}


def test_what_begins_later(ledger: Waiting) -> None:
    campaign = ledger.campaign("a", [person("Ann", "+74951234501")], begins_at=T0 + timedelta(hours=1))
    (group,) = ledger.look(campaign).groups
    assert (group.reason.code, group.reason.until_at) == ("start", T0 + timedelta(hours=1))


def test_headline_and_rows_agree_also_where_not_everybody_is_asked(
    ledger: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(f"P{count}", f"+7495123450{count}") for count in range(6)]
    campaign = ledger.campaign("a", people)
    ledger.store.run_now(lambda conn: stop_lists.add(conn, "asked", ["+74951234500", "+74951234505"], "", T0))
    assert ledger.groups(campaign) == [("no_port", 4), ("stop_list", 2)]
    monkeypatch.setattr(waiting, "ASKED", 4)
    found = ledger.look(campaign)
    assert [(one.reason.code, one.people) for one in found.groups] == [("no_port", 5), ("stop_list", 1)]
    assert (len(found.waiters), found.not_asked) == (4, 2)
    assert ledger.reasons(campaign, search="P5") == {"P5": "stop_list"}, "who is named is always asked"


def test_who_has_another_number_is_called_on_that(ledger: Waiting) -> None:
    both = Person("1", "Ann", (("+74951234501", ""), ("+74951234502", "")), {})
    campaign = ledger.campaign("a", [both])
    ledger.store.run_now(lambda conn: stop_lists.add(conn, "asked", ["+74951234501"], "", T0))
    assert ledger.reasons(campaign) == {"Ann": "no_port"}


def test_a_report_says_the_same_as_waiting_of_who_is_on_a_stop_list(ledger: Waiting) -> None:
    campaign = ledger.campaign("a", [person("Ann", "+74951234501")])
    ledger.store.run_now(lambda conn: stop_lists.add(conn, "asked", ["+74951234501"], "", T0))
    (row,) = ledger.store.read_now(lambda conn: list(reports.each_person(conn, [campaign], T0)))
    assert (row.why, row.next_call_at) == ("stop_list", None)
