"""People of a list over several imports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ocm_cti.domain.people import Person
from ocm_cti.store import lists, subscribers, upserts
from ocm_cti.store.schema import subscriber, subscriber_number
from ocm_cti.store.transactions import Store
from ocm_cti.store.upserts import Upserted

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = Person("1", "Анна", (("+71", ""), ("+72", "mobile")), {"name": "Анна", "debt": "1,00"})
BORIS = Person("+73", "Борис", (("+73", ""),), {"name": "Борис"})


@pytest.fixture
def conn(database: Path | str) -> Iterator[Connection]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield connection
    store.close()


def numbers(conn: Connection, key: str) -> list[tuple[str, str, bool]]:
    query = (
        select(subscriber_number.c.number, subscriber_number.c.kind, subscriber_number.c.invalid)
        .join(subscriber)
        .where(subscriber.c.key == key)
        .order_by(subscriber_number.c.place)
    )
    return [(row.number, row.kind, row.invalid) for row in conn.execute(query)]


def test_created_then_unchanged_then_updated(conn: Connection) -> None:
    list_id = lists.find_or_create(conn, "debtors", T0)
    assert upserts.upsert(conn, list_id, [ANNA, BORIS]) == Upserted(created=2, updated=0, unchanged=0)
    assert upserts.upsert(conn, list_id, [ANNA, BORIS]) == Upserted(created=0, updated=0, unchanged=2)
    for changed in (
        Person("1", "Анна П.", ANNA.numbers, ANNA.variables),
        Person("1", "Анна П.", ANNA.numbers, {"debt": "2,00"}),
        Person("1", "Анна П.", (("+72", "mobile"), ("+71", "")), {"debt": "2,00"}),
        Person("1", "Анна П.", (("+72", "home"), ("+71", "")), {"debt": "2,00"}),
    ):
        assert upserts.upsert(conn, list_id, [changed, BORIS]) == Upserted(created=0, updated=1, unchanged=1)
    row = conn.execute(select(subscriber).where(subscriber.c.key == "1")).one()
    assert (row.name, row.variables) == ("Анна П.", {"debt": "2,00"})
    assert numbers(conn, "1") == [("+72", "home", False), ("+71", "", False)]


def test_nobody_is_deleted(conn: Connection) -> None:
    list_id = lists.find_or_create(conn, "debtors", T0)
    upserts.upsert(conn, list_id, [ANNA, BORIS])
    assert upserts.upsert(conn, list_id, [ANNA]) == Upserted(created=0, updated=0, unchanged=1)
    assert {person.key for person in subscribers.people(conn, list_id)} == {ANNA.key, BORIS.key}


@pytest.mark.parametrize("known", [False, True])
def test_a_person_twice_in_one_import_is_one(conn: Connection, known: bool) -> None:
    """The last row of his is what is kept."""
    list_id = lists.find_or_create(conn, "debtors", T0)
    if known:
        upserts.upsert(conn, list_id, [BORIS])
    other = Person("+73", "Борис Б.", (("+79", ""),), {})
    counts = upserts.upsert(conn, list_id, [BORIS, BORIS, other, other])
    assert counts == Upserted(created=1 - known, updated=1, unchanged=2 + known)
    assert numbers(conn, "+73") == [("+79", "", False)]


def test_more_people_than_one_statement_takes(conn: Connection) -> None:
    """Everybody has his own numbers, whatever the portions."""
    list_id = lists.find_or_create(conn, "debtors", T0)
    people = [Person(f"k{place}", "", ((f"+7{place}", ""),), {}) for place in range(subscribers.PORTION + 5)]
    assert upserts.upsert(conn, list_id, people) == Upserted(len(people), 0, 0)
    kept = conn.execute(select(subscriber.c.key, subscriber_number.c.number).join(subscriber_number)).all()
    assert {row.key: row.number for row in kept} == {person.key: person.numbers[0][0] for person in people}


def test_the_same_key_on_two_lists_is_two_people(conn: Connection) -> None:
    one, other = lists.find_or_create(conn, "a", T0), lists.find_or_create(conn, "b", T0)
    assert lists.find_or_create(conn, "a", T0) == one != other
    upserts.upsert(conn, one, [ANNA])
    assert upserts.upsert(conn, other, [ANNA]) == Upserted(created=1, updated=0, unchanged=0)
    assert (lists.find(conn, "b"), lists.find(conn, "c")) == (other, None)


def test_a_wrong_number_stays_known_while_the_person_has_it(conn: Connection) -> None:
    list_id = lists.find_or_create(conn, "debtors", T0)
    upserts.upsert(conn, list_id, [ANNA])
    subscriber_id = conn.execute(select(subscriber.c.id)).scalar_one()
    subscribers.mark_invalid(conn, subscriber_id, "+71")
    upserts.upsert(conn, list_id, [Person("1", "Анна", (("+75", ""), ("+71", "home")), {})])
    assert numbers(conn, "1") == [("+75", "", False), ("+71", "home", True)]
    assert subscribers.invalid_places(conn, subscriber_id, ["+71", "+75", "+71"]) == {0, 2}
    upserts.upsert(conn, list_id, [Person("1", "Анна", (("+75", ""),), {})])
    upserts.upsert(conn, list_id, [Person("1", "Анна", (("+71", ""),), {})])
    assert numbers(conn, "1") == [("+71", "", False)]  # entered anew: worth another try


def test_what_an_import_says_nothing_of_is_kept(conn: Connection) -> None:
    list_id = lists.find_or_create(conn, "debtors", T0)
    by_hand = replace(ANNA, priority=0, groups=("vip",), zone="Asia/Omsk", scenario="own", note="deaf")
    upserts.upsert(conn, list_id, [by_hand])
    plain = Person("1", "", ANNA.numbers, {"debt": "2,00"})
    kept = {"name", "priority", "groups", "zone", "scenario", "note"}
    assert upserts.upsert(conn, list_id, [plain], kept) == Upserted(created=0, updated=1, unchanged=0)
    assert subscribers.people(conn, list_id) == [replace(by_hand, variables={"name": "Анна", "debt": "2,00"})]
    assert upserts.upsert(conn, list_id, [plain], kept) == Upserted(created=0, updated=0, unchanged=1)
    upserts.upsert(conn, list_id, [Person("1", "", ANNA.numbers, {"due": "1.12.2026"})], {*kept, "variables"})
    assert subscribers.people(conn, list_id)[0].variables == {"name": "Анна", "debt": "2,00", "due": "1.12.2026"}
