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
from ocm_cti.store import attempts, campaigns, lists, stop_lists, tasks, upserts, waiting
from ocm_cti.store.attempts import AttemptState, Finish
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # noon in Moscow
WORLD = World(True, {"office": GatewayNow(True)})
HOURS = ListSettings(language="en", zone="Europe/Moscow", windows=Windows.from_table({"mon-sun": "09:00-20:00"}))


class Waiting:
    def __init__(self, path: Path) -> None:
        self.store = Store.open(path)

    def campaign(self, name: str, people: list[Person], settings: ListSettings = HOURS, **how: object) -> int:
        def fill(conn: Connection) -> int:
            list_id = lists.find_or_create(conn, name, T0)
            upserts.upsert(conn, list_id, people)
            return campaigns.start(conn, list_id, T0, "scenario", settings, **how)  # type: ignore[arg-type]

        return self.store.run_now(fill)

    def reasons(self, campaign_id: int, now: datetime = T0, world: World = WORLD, search: str = "") -> dict[str, str]:
        found = self.store.read_now(lambda conn: waiting.who(conn, campaign_id, world, now, search=search))
        return {one.name: one.reason.code for one in found}

    def groups(self, campaign_id: int, now: datetime = T0, world: World = WORLD) -> list[tuple[str, int]]:
        found = self.store.read_now(lambda conn: waiting.groups(conn, campaign_id, world, now))
        return [(group.reason.code, group.people) for group in found]

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
def ledger(tmp_path: Path) -> Iterator[Waiting]:
    ledger = Waiting(tmp_path / "ocm.db")
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
    assert ledger.groups(campaign, evening) == [("no_port", 3), ("window", 1)]
    assert ledger.reasons(campaign, evening, World()) == dict.fromkeys(["Bob", "Ann", "Cid", "Dan"], "not_serving")


def test_a_retry_and_a_cap(ledger: Waiting) -> None:
    retried = ledger.campaign("a", [person("Ann", "+74951234501"), person("Bob", "+74951234502")])
    ledger.call(retried, Outcome.BUSY, T0)
    assert ledger.reasons(retried) == {"Bob": "no_port", "Ann": "retry_busy"}
    capped = ledger.campaign("b", [person("Ann", "+74951234501")], replace(HOURS, caps=Caps(day=1)))
    assert ledger.reasons(capped) == {"Ann": "window"}, "his day begins at midnight, the hours at nine"
    (one,) = ledger.store.read_now(lambda conn: waiting.who(conn, capped, WORLD, T0))
    assert one.reason.until_at == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def test_paused_by_whom(ledger: Waiting) -> None:
    campaign = ledger.campaign("a", [person("Ann", "+74951234501")])
    list_id = ledger.store.read_now(lambda conn: lists.find(conn, "a"))
    assert list_id is not None
    ledger.store.run_now(lambda conn: campaigns.pause(conn, list_id))
    (group,) = ledger.store.read_now(lambda conn: waiting.groups(conn, campaign, WORLD, T0))
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
    (group,) = ledger.store.read_now(lambda conn: waiting.groups(conn, campaign, WORLD, T0))
    assert (group.reason.code, group.reason.until_at) == ("start", T0 + timedelta(hours=1))
