"""Who of an import is on the list already: nobody becomes two people, nobody takes another's place unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ocm_cti.domain.people import Person
from ocm_cti.store import lists, subscribers, upserts
from ocm_cti.store.schema import subscriber
from ocm_cti.store.transactions import Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
A, B, C = "+74951234501", "+74951234502", "+74951234503"


def person(key: str, *numbers: str, name: str = "") -> Person:
    return Person(key, name, tuple((number, "") for number in numbers))


@pytest.fixture
def conn(database: Path | str) -> Iterator[Connection]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield connection
    store.close()


class List:
    def __init__(self, conn: Connection, *people: Person) -> None:
        self.conn, self.id = conn, lists.find_or_create(conn, "debtors", T0)
        self.upsert(*people)

    def upsert(self, *people: Person) -> upserts.Upserted:
        return upserts.upsert(self.conn, self.id, people)

    @property
    def people(self) -> dict[str, tuple[str, ...]]:
        found = subscribers.people(self.conn, self.id)
        return {one.key: tuple(number for number, _ in one.numbers) for one in found}


def test_numbers_in_another_order_are_the_same_person(conn: Connection) -> None:
    debtors = List(conn, person(A, A, B))
    assert debtors.upsert(person(B, B, A)).updated == 1
    assert debtors.people == {A: (B, A)}
    assert debtors.upsert(person(B, B, C)).updated == 1, "he changed one of them"
    assert debtors.people == {A: (B, C)}


def test_a_row_without_an_id_is_the_one_person_who_has_its_number(conn: Connection) -> None:
    debtors = List(conn, person("7", A, B))
    done = debtors.upsert(person(B, B))
    assert (done.created, done.updated, done.keys) == (0, 1, {"7"})
    assert debtors.people == {"7": (B,)}


def test_who_may_be_one_of_several_is_refused(conn: Connection) -> None:
    family = person("7", A), person("8", A)
    debtors = List(conn, *family)
    done = debtors.upsert(person(A, A), person("9", C))
    assert (done.created, done.updated, done.keys) == (1, 0, {"9"})
    assert done.refused == {A: "2 people of the list have a number of his: without an id it can't be told who it is"}
    assert debtors.people == {"7": (A,), "8": (A,), "9": (C,)}


def test_who_gets_an_id_stays_the_same_person(conn: Connection) -> None:
    debtors = List(conn, person(A, A))
    before = conn.execute(select(subscriber.c.id)).scalars().all()
    done = debtors.upsert(person("7", A), person("8", A))
    assert (done.created, done.updated, debtors.people) == (1, 1, {"7": (A,), "8": (A,)})
    assert conn.execute(select(subscriber.c.id).where(subscriber.c.key == "7")).scalars().all() == before


@pytest.mark.parametrize("turned", [False, True])
def test_a_number_that_went_from_one_to_another_loses_nobody(conn: Connection, turned: bool) -> None:
    debtors = List(conn, person("7", A))
    rows = [person("7", B), person(A, A)]
    done = debtors.upsert(*(reversed(rows) if turned else rows))
    assert (done.created, done.updated, debtors.people) == (1, 1, {"7": (B,), A: (A,)})


def test_new_people_stand_in_the_order_of_the_file(conn: Connection) -> None:
    """Those without an id behind those with one."""
    List(conn, person(C, C), person("7", A), person(B, B), person("6", B))
    assert conn.execute(select(subscriber.c.key).order_by(subscriber.c.id)).scalars().all() == ["7", "6", C]


@pytest.mark.parametrize("ids", [True, False])
def test_more_people_than_are_looked_at_at_a_time(conn: Connection, ids: bool) -> None:
    """Whoever was written a moment ago is known to those who come later."""
    many = [person(f"+7495{place:07}", f"+7495{place:07}") for place in range(2 * upserts.PORTION + 3)]
    debtors = List(conn)
    again = [replace(one, note="again") for one in many]
    done = upserts.upsert(conn, debtors.id, [*many, *again, *again], ids=ids)
    assert (done.created, done.updated, done.unchanged) == (len(many), len(many), len(many))
    assert subscribers.people(conn, debtors.id) == again
    assert len(done.keys) == len(many)


def test_an_id_that_comes_to_somebody_else_is_told(conn: Connection) -> None:
    debtors = List(conn, person("7", A, name="Анна"), person("8", B, name="Борис"))
    done = debtors.upsert(person("7", C, name="Вера"), person("8", B, name="Борис П."))
    assert done.remarks == {"7": "the id 7 was Анна (+7495***4501) until now, who is replaced"}


def test_who_comes_back_keeps_what_was_written_of_him_by_hand(conn: Connection) -> None:
    by_hand = replace(person("7", A, name="Анна"), note="deaf", groups=("vip",), zone="Asia/Omsk")
    debtors = List(conn, by_hand)
    subscribers.delete(conn, debtors.id, ["7"])
    assert debtors.people == {}
    back = upserts.upsert(conn, debtors.id, [person("7", A, name="Анна")], {"note", "groups", "zone"})
    assert (back.created, back.remarks) == (1, {"7": "had been taken off this list; he is on it again"})
    assert subscribers.people(conn, debtors.id) == [by_hand]


def test_who_was_taken_off_the_list_is_nobody_for_a_number(conn: Connection) -> None:
    debtors = List(conn, person("7", A), person("8", A))
    subscribers.delete(conn, debtors.id, ["7"])
    assert debtors.upsert(person(A, A)).keys == {"8"}
