"""The people of a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from ocm_cti.domain.people import Person
from ocm_cti.store.schema import subscriber, subscriber_number


@dataclass(frozen=True)
class Upserted:
    created: int
    updated: int
    unchanged: int


def upsert(conn: Connection, list_id: int, people: Iterable[Person]) -> Upserted:
    """Create or update each by his key; nobody is deleted. A number's ``invalid`` mark stays while the number does."""
    known = {
        row.key: (row.id, row.name, row.variables)
        for row in conn.execute(
            select(subscriber.c.id, subscriber.c.key, subscriber.c.name, subscriber.c.variables).where(
                subscriber.c.list_id == list_id
            )
        )
    }
    numbers: dict[int, list[tuple[str, str]]] = {}
    query = (
        select(subscriber_number.c.subscriber_id, subscriber_number.c.number, subscriber_number.c.kind)
        .join(subscriber)
        .where(subscriber.c.list_id == list_id)
        .order_by(subscriber_number.c.place)
    )
    for row in conn.execute(query):
        numbers.setdefault(row.subscriber_id, []).append((row.number, row.kind))
    created = updated = unchanged = 0
    for person in people:
        found = known.get(person.key)
        wanted = [(number, kind) for number, kind in person.numbers]
        if found is None:
            values = {"list_id": list_id, "key": person.key, "name": person.name, "variables": dict(person.variables)}
            subscriber_id = int(conn.execute(insert(subscriber).values(values).returning(subscriber.c.id)).scalar_one())
            _write_numbers(conn, subscriber_id, wanted, frozenset())
            known[person.key] = (subscriber_id, person.name, dict(person.variables))
            numbers[subscriber_id] = wanted
            created += 1
            continue
        subscriber_id, name, variables = found
        if name == person.name and variables == dict(person.variables) and numbers.get(subscriber_id, []) == wanted:
            unchanged += 1
            continue
        conn.execute(
            update(subscriber)
            .where(subscriber.c.id == subscriber_id)
            .values(name=person.name, variables=dict(person.variables))
        )
        if numbers.get(subscriber_id, []) != wanted:
            invalid = frozenset(_invalid(conn, subscriber_id))
            conn.execute(delete(subscriber_number).where(subscriber_number.c.subscriber_id == subscriber_id))
            _write_numbers(conn, subscriber_id, wanted, invalid)
            numbers[subscriber_id] = wanted
        updated += 1
    return Upserted(created, updated, unchanged)


def _invalid(conn: Connection, subscriber_id: int) -> Iterable[str]:
    query = select(subscriber_number.c.number).where(
        subscriber_number.c.subscriber_id == subscriber_id, subscriber_number.c.invalid
    )
    return conn.execute(query).scalars()


def _write_numbers(
    conn: Connection, subscriber_id: int, numbers: Sequence[tuple[str, str]], invalid: frozenset[str]
) -> None:
    conn.execute(
        insert(subscriber_number),
        [
            {
                "subscriber_id": subscriber_id,
                "place": place,
                "number": number,
                "kind": kind,
                "invalid": number in invalid,
            }
            for place, (number, kind) in enumerate(numbers)
        ],
    )


def invalid_places(conn: Connection, subscriber_id: int, numbers: Sequence[str]) -> frozenset[int]:
    """Places in ``numbers`` of those that are known not to exist."""
    known = set(_invalid(conn, subscriber_id))
    return frozenset(place for place, number in enumerate(numbers) if number in known)


def mark_invalid(conn: Connection, subscriber_id: int, number: str) -> None:
    """The network said that this number does not exist: no campaign dials it again."""
    conn.execute(
        update(subscriber_number)
        .where(subscriber_number.c.subscriber_id == subscriber_id, subscriber_number.c.number == number)
        .values(invalid=True)
    )
