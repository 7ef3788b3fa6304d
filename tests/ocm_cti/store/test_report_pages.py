"""Reports by the page and by the person, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaign_start, campaigns, frozen_scenarios, lists, report_pages, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.report_pages import OPEN, Filter, Reply
from ocm_cti.store.transactions import Connection, Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = [
    Person(str(place), name, ((f"+7495123000{place}", ""),), {}) for place, name in enumerate(("Анна", "Борис", "Вера"))
]


@pytest.fixture
def conn(database: Path | str) -> Iterator[Connection]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield connection
    store.close()


def campaign_of(conn: Connection, list_name: str) -> int:
    """Анна confirms, leaves an answer and two replies; Борис and Вера wait."""
    list_id = lists.find_or_create(conn, list_name, T0)
    upserts.upsert(conn, list_id, PEOPLE)
    campaign_id = campaign_start.start(conn, list_id, T0, f"scenario of {list_name}", ListSettings())
    claim = tasks.claim(conn, campaign_id, "office", "301", "node", T0)
    assert claim is not None and claim.name == "Анна"
    finish = Finish(
        Outcome.CONFIRMED,
        Cause.NORMAL,
        T0,
        answers=[("q", "1")],
        recordings=[("wish", f"{claim.attempt_id}-wish.wav"), ("more", f"{claim.attempt_id}-more.wav")],
    )
    attempts.finish(conn, claim.attempt_id, finish, T0)
    return campaign_id


def names(conn: Connection, ids: list[int], wanted: Filter) -> list[str]:
    rows, more = report_pages.people(conn, ids, wanted, limit=50, now=T0)
    assert not more
    return [f"{row.person.list_name}/{row.person.name}" for row in rows]


def test_people_of_several_campaigns_are_turned_over(conn: Connection) -> None:
    ids = [campaign_of(conn, "debtors"), campaign_of(conn, "staff")]
    seen, after, more = [], 0, True
    while more:
        rows, more = report_pages.people(conn, ids, Filter(), after=after, limit=2, now=T0)
        seen += [(row.person.campaign_id, row.person.name) for row in rows]
        after = rows[-1].task_id
    assert seen == [(campaign_id, person.name) for campaign_id in ids for person in PEOPLE]
    assert report_pages.size(conn, ids) == 8
    assert report_pages.people(conn, [], Filter(), now=T0) == ([], False)
    assert report_pages.people(conn, [99], Filter(), now=T0) == ([], False)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter("confirmed"), ["Анна"]),
        (Filter(OPEN), ["Борис", "Вера"]),
        (Filter(replied=True), ["Анна"]),
        (Filter(search="бОР"), ["Борис"]),
        (Filter(search="1230002"), ["Вера"]),
        (Filter(OPEN, "анна"), []),
        (Filter(search="%"), []),
        (Filter("busy"), []),
    ],
    ids=["outcome", "open", "replied", "name", "number", "both", "sign", "none"],
)
def test_people_are_found(conn: Connection, wanted: Filter, found: list[str]) -> None:
    assert names(conn, [campaign_of(conn, "debtors")], wanted) == [f"debtors/{name}" for name in found]


def test_all_of_one_person(conn: Connection) -> None:
    campaign_of(conn, "debtors")
    task_id = conn.execute(text("SELECT id FROM task WHERE name = 'Анна'")).scalar_one()
    found = report_pages.one(conn, task_id, T0 + timedelta(hours=1))
    assert found is not None and found.campaign.list_name == "debtors"
    [call] = found.attempts
    assert [(row.step, row.value, row.recording is None) for row in found.answers] == [
        ("q", "1", True),
        ("wish", None, False),
        ("more", None, False),
    ]
    assert [reply.recording for reply in found.reported.replies] == [
        f"{call.attempt_id}-wish.wav",
        f"{call.attempt_id}-more.wav",
    ]
    assert report_pages.one(conn, task_id + 99, T0) is None
    assert report_pages.one(conn, 2**70, T0) is None


def test_only_replies_have_a_sound(conn: Connection) -> None:
    campaign_of(conn, "debtors")
    rows = conn.execute(text("SELECT id, step FROM answer ORDER BY id")).all()
    told = {row.step: report_pages.reply(conn, row.id) for row in rows}
    [one] = report_pages.replies_of(
        conn, [conn.execute(text("SELECT id FROM task WHERE name = 'Анна'")).scalar_one()]
    ).values()
    assert all(isinstance(reply, Reply) for reply in one) and len(one) == 2
    assert told["q"] is None and told["wish"] == ("debtors", one[0].recording)
    assert report_pages.reply(conn, 2**70) is None


def test_scenarios_of_campaigns_that_go_on(conn: Connection) -> None:
    campaign_of(conn, "debtors")
    campaign_of(conn, "staff")
    list_id = lists.find(conn, "debtors")
    assert list_id is not None
    campaigns.stop(conn, list_id, T0)
    assert frozen_scenarios.still_needed(conn) == [("staff", "scenario of staff")]
