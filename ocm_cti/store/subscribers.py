"""The people of a list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, insert, select, update

from ocm_cti.domain.people import Person
from ocm_cti.store.schema import subscriber, subscriber_number, task

#: People written by one statement.
PORTION = 1000

# Built once: asked at each claim.
_INVALID = select(subscriber_number.c.number).where(
    subscriber_number.c.subscriber_id == bindparam("subscriber_id"), subscriber_number.c.invalid
)
_OF_KEYS = select(subscriber.c.id, subscriber.c.key).where(
    subscriber.c.list_id == bindparam("list_id"), subscriber.c.key.in_(bindparam("keys", expanding=True))
)
# Without the list: with it SQLite goes through everybody on it.
_OF_NUMBERS = select(subscriber_number.c.subscriber_id).where(
    subscriber_number.c.number.in_(bindparam("numbers", expanding=True))
)
_OF_SAME = select(subscriber_number.c.number).where(
    subscriber_number.c.subscriber_id.in_(
        select(subscriber_number.c.subscriber_id).where(
            subscriber_number.c.number.in_(bindparam("numbers", expanding=True))
        )
    )
)


_ALIAS = subscriber_number.alias()
_OF_SAME_BY_NUMBER = (
    select(subscriber_number.c.number, _ALIAS.c.number)
    .join(_ALIAS, _ALIAS.c.subscriber_id == subscriber_number.c.subscriber_id)
    .where(subscriber_number.c.number.in_(bindparam("numbers", expanding=True)))
)


@dataclass(frozen=True)
class Known:
    """``gone``: taken off the list; the row stays for the reports of campaigns that called him."""

    subscriber_id: int
    person: Person
    gone: bool = False


def known_of(conn: Connection, list_id: int, keys: Collection[str], numbers: Collection[str]) -> dict[str, Known]:
    """Those of the list who have one of the keys or one of the numbers, as they are kept, by key."""
    found = set(conn.execute(_OF_KEYS, {"list_id": list_id, "keys": list(keys)}).scalars())
    found |= set(conn.execute(_OF_NUMBERS, {"numbers": list(numbers)}).scalars())
    return _known(conn, and_(subscriber.c.id.in_(found), subscriber.c.list_id == list_id)) if found else {}


def known(conn: Connection, list_id: int) -> dict[str, Known]:
    """The people of the list as they are kept, by key."""
    return _known(conn, subscriber.c.list_id == list_id)


def _known(conn: Connection, whom: ColumnElement[bool]) -> dict[str, Known]:
    numbers: dict[int, list[tuple[str, str]]] = {}
    query = (
        select(subscriber_number.c.subscriber_id, subscriber_number.c.number, subscriber_number.c.kind)
        .join(subscriber)
        .where(whom)
        .order_by(subscriber_number.c.place)
    )
    for row in conn.execute(query):
        numbers.setdefault(row.subscriber_id, []).append((row.number, row.kind))
    rows = conn.execute(select(subscriber).where(whom))
    return {row.key: Known(row.id, person_of(row, tuple(numbers.get(row.id, ()))), row.gone) for row in rows}


def person_of(row: Row[Any], numbers: tuple[tuple[str, str], ...]) -> Person:
    """A row of ``subscriber`` with its numbers as (E.164, kind)."""
    return Person(
        row.key,
        row.name,
        numbers,
        row.variables,
        priority=row.priority,
        groups=tuple(row.groups),
        zone=row.zone,
        scenario=row.scenario,
        note=row.note,
    )


def columns(person: Person) -> dict[str, object]:
    """Of ``subscriber``, but for whose he is."""
    return {
        "name": person.name,
        "variables": dict(person.variables),
        "priority": person.priority,
        "groups": list(person.groups),
        "zone": person.zone,
        "scenario": person.scenario,
        "note": person.note,
    }


def _portions(people: Sequence[Person]) -> Iterator[Sequence[Person]]:
    for start in range(0, len(people), PORTION):
        yield people[start : start + PORTION]


def create(conn: Connection, list_id: int, people: Sequence[Person]) -> None:
    """Put these on the list, many rows a statement: a list of 100,000 is a matter of seconds."""
    for portion in _portions(people):
        conn.execute(
            insert(subscriber), [{"list_id": list_id, "key": person.key, **columns(person)} for person in portion]
        )
        # Asked for afterwards: to give them with the rows, SQLite would be given each row by itself.
        keys = {"list_id": list_id, "keys": [person.key for person in portion]}
        ids = {row.key: row.id for row in conn.execute(_OF_KEYS, keys)}
        rows = [row for person in portion for row in number_rows(ids[person.key], person, frozenset())]
        conn.execute(insert(subscriber_number), rows)


def number_rows(subscriber_id: int, person: Person, invalid: frozenset[str]) -> list[dict[str, object]]:
    return [
        {
            "subscriber_id": subscriber_id,
            "place": place,
            "number": number,
            "kind": kind,
            "invalid": number in invalid,
        }
        for place, (number, kind) in enumerate(person.numbers)
    ]


def invalid(conn: Connection, subscriber_id: int) -> Iterable[str]:
    """Those of his numbers that are known not to exist."""
    return conn.execute(_INVALID, {"subscriber_id": subscriber_id}).scalars()


def invalid_places(conn: Connection, subscriber_id: int, numbers: Sequence[str]) -> frozenset[int]:
    """Places in ``numbers`` of those that are known not to exist."""
    wrong = set(invalid(conn, subscriber_id))
    return frozenset(place for place, number in enumerate(numbers) if number in wrong)


def numbers_of_same(conn: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """These and all other numbers of whoever has one of them on any list: to the caps he is one person."""
    return frozenset(numbers) | frozenset(conn.execute(_OF_SAME, {"numbers": list(numbers)}).scalars())


def numbers_of_same_by_number(conn: Connection, numbers: Collection[str]) -> Mapping[str, frozenset[str]]:
    """``numbers_of_same`` of each of them that is on any list."""
    found: dict[str, set[str]] = defaultdict(set)
    for known, his in conn.execute(_OF_SAME_BY_NUMBER, {"numbers": sorted(numbers)}):
        found[known].add(his)
    return {known: frozenset(his) for known, his in found.items()}


def mark_invalid(conn: Connection, subscriber_id: int, number: str) -> None:
    """The network said that this number does not exist: no campaign dials it again."""
    conn.execute(
        update(subscriber_number)
        .where(subscriber_number.c.subscriber_id == subscriber_id, subscriber_number.c.number == number)
        .values(invalid=True)
    )


def forget_invalid(conn: Connection, list_id: int) -> None:
    """All numbers of the list may be dialled again: it was not the numbers that were wrong."""
    of_list = select(subscriber.c.id).where(subscriber.c.list_id == list_id)
    conn.execute(update(subscriber_number).where(subscriber_number.c.subscriber_id.in_(of_list)).values(invalid=False))


def people(conn: Connection, list_id: int) -> list[Person]:
    """Everybody on the list, by key."""
    return [one.person for _, one in sorted(known(conn, list_id).items()) if not one.gone]


def missing(conn: Connection, list_id: int, keys: Collection[str]) -> tuple[int, list[str]]:
    """(how many people are on the list, the keys of those who have none of ``keys``)."""
    query = select(subscriber.c.key).where(subscriber.c.list_id == list_id, ~subscriber.c.gone)
    there = list(conn.execute(query).scalars())
    return len(there), [key for key in there if key not in keys]


def at_work(conn: Connection, list_id: int) -> frozenset[str]:
    """Keys of those who are in a campaign that is going on."""
    query = select(subscriber.c.key).join(task).where(subscriber.c.list_id == list_id, task.c.state != "done")
    return frozenset(conn.execute(query).scalars())


def delete(conn: Connection, list_id: int, keys: Collection[str]) -> int:
    """Take these off the list; gives how many were on it.

    The row stays for the reports of campaigns that called him. Who is in a campaign that is going on stays on the list:
    what was begun with him comes to its end first.
    """
    there, busy = known(conn, list_id), at_work(conn, list_id)
    meant = [there[key] for key in dict.fromkeys(keys) if key in there and key not in busy]
    ids = [one.subscriber_id for one in meant if not one.gone]
    for start in range(0, len(ids), PORTION):
        conn.execute(update(subscriber).where(subscriber.c.id.in_(ids[start : start + PORTION])).values(gone=True))
    return len(ids)
