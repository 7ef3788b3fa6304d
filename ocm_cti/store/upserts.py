"""Writing an import: who of it is on the list already, and who is new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy import delete as delete_from

from ocm_cti.domain.numbers import mask
from ocm_cti.domain.people import Person
from ocm_cti.store import subscribers
from ocm_cti.store.schema import prepared_list, subscriber, subscriber_number
from ocm_cti.store.subscribers import Known

#: People who are compared with the list at a time.
PORTION = 500


@dataclass(frozen=True)
class Upserted:
    """How many people of an import were new, changed, and the same as before.

    By the key that the import gave him: ``refused``, who can't be told from others and why; ``remarks``, what somebody
    should know of one who was written. ``keys``: under which those who were not refused are on the list now.
    """

    created: int
    updated: int
    unchanged: int
    refused: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[str] = field(default=frozenset(), compare=False, repr=False)


def upsert(
    conn: Connection, list_id: int, people: Iterable[Person], kept: Collection[str] = (), *, ids: bool = True
) -> Upserted:
    """Create or update each; nobody is deleted. A number's ``invalid`` mark stays while the number does.

    He is found by his key. Who comes without an id (his key is his first number) is also the one person on the list who
    has any of his numbers, and keeps the id that he has there; who comes with an id takes the place of the one who was
    without. Whoever may be one of several is refused: he would be called twice.

    ``kept``: fields of Person that ``people`` say nothing of; who is or was on the list keeps his own. Of ``variables``
    he keeps those that are not among the new ones. ``ids`` False: nobody of them has one, so that nobody is kept for
    the end in memory.
    """
    # Another import of the same list waits, and then sees what this one has made.
    conn.execute(select(prepared_list.c.id).where(prepared_list.c.id == list_id).with_for_update())
    counts = _Counts()
    portion: list[Person] = []
    late: list[Person] = []
    for person in people:
        # Who comes with an id goes first: his new numbers say whose the others' are.
        if ids and _without_id(person):
            late.append(person)
            continue
        portion.append(person)
        if len(portion) == PORTION:
            _take(conn, list_id, portion, kept, counts)
            portion = []
    _take(conn, list_id, portion, kept, counts)
    for start in range(0, len(late), PORTION):
        _take(conn, list_id, late[start : start + PORTION], kept, counts)
    return Upserted(
        counts.created, counts.updated, counts.unchanged, counts.refused, counts.remarks, frozenset(counts.keys)
    )


@dataclass
class _Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)


def _take(conn: Connection, list_id: int, portion: Sequence[Person], kept: Collection[str], counts: _Counts) -> None:
    """Of the list only those are looked at who may be one of these."""
    numbers = {number for person in portion for number, _ in person.numbers}
    known = subscribers.known_of(conn, list_id, {person.key for person in portion}, numbers)
    writing = _Writing(conn, known, kept, counts)
    for person in sorted(portion, key=_without_id):
        writing.take(person)
    fresh = [writing.fresh.pop(person.key) for person in portion if person.key in writing.fresh]  # in the file's order
    subscribers.create(conn, list_id, fresh)
    counts.created += len(fresh)


def _without_id(person: Person) -> bool:
    """His key is a number: his first, when he came to the list."""
    return person.key.startswith("+") and person.key[1:].isdecimal()


class _Writing:
    def __init__(self, conn: Connection, known: dict[str, Known], kept: Collection[str], counts: _Counts) -> None:
        self._conn = conn
        self._counts = counts
        self._known = known
        self._kept = kept
        self._keys_of: dict[str, tuple[str, ...]] = {}  # number -> of those on the list who have it
        for key, found in known.items():
            if not found.gone:
                self._has(key, found.person)
        self.fresh: dict[str, Person] = {}

    def take(self, person: Person) -> None:
        found = self._known.get(person.key)
        if found is None or (found.gone and _without_id(person)):
            same = self._same(person)
            if len(same) > 1 and _without_id(person):
                self._counts.refused[person.key] = (
                    f"{len(same)} people of the list have a number of his: without an id it can't be told who it is"
                )
                return
            if len(same) == 1:
                found = self._known[same.pop()]
        if found is None:
            self._new(person)
            return
        given = person.key
        if _without_id(person):
            person = replace(person, key=found.person.key)
        self._counts.keys.add(person.key)
        person = _keeping(found.person, person, self._kept)
        if found.gone:
            self._counts.created += 1
            self._counts.remarks[given] = "had been taken off this list; he is on it again"
        elif found.person == person:
            self._counts.unchanged += 1
            return
        else:
            self._counts.updated += 1
            if replaced := _replaced(found.person, person):
                self._counts.remarks[given] = replaced
            self._has_not(found.person)
        _change(self._conn, found, person)
        del self._known[found.person.key]
        self._known[person.key] = Known(found.subscriber_id, person)
        self._has(person.key, person)

    def _new(self, person: Person) -> None:
        earlier = self.fresh.get(person.key)
        self._counts.keys.add(person.key)
        self.fresh[person.key] = person
        if earlier is None:
            return
        if earlier == person:
            self._counts.unchanged += 1
        else:
            self._counts.updated += 1

    def _same(self, person: Person) -> set[str]:
        """Keys of those who may be him. With an id of his own he may only be one who has none."""
        same = {key for number, _ in person.numbers for key in self._keys_of.get(number, ())}
        return same if _without_id(person) else {key for key in same if _without_id(self._known[key].person)}

    def _has(self, key: str, person: Person) -> None:
        for number, _ in person.numbers:
            self._keys_of[number] = (*self._keys_of.get(number, ()), key)

    def _has_not(self, person: Person) -> None:
        for number, _ in person.numbers:
            self._keys_of[number] = tuple(key for key in self._keys_of.get(number, ()) if key != person.key)


def _replaced(earlier: Person, person: Person) -> str | None:
    """An id that has come to somebody else altogether may be a mistake in the file."""
    if _without_id(person) or not (earlier.name and person.name) or earlier.name.casefold() == person.name.casefold():
        return None
    if {number for number, _ in earlier.numbers} & {number for number, _ in person.numbers}:
        return None
    return f"the id {person.key} was {earlier.name} ({mask(earlier.numbers[0][0])}) until now, who is replaced"


def _keeping(earlier: Person, person: Person, kept: Collection[str]) -> Person:
    fields: dict[str, Any] = {name: getattr(earlier, name) for name in kept}
    variables = dict(person.variables)
    if "variables" in kept:
        variables = {**earlier.variables, **variables}
    elif "name" in kept and "name" in earlier.variables:
        variables["name"] = earlier.variables["name"]
    return replace(person, **(fields | {"variables": variables}))


def _change(conn: Connection, found: Known, person: Person) -> None:
    conn.execute(
        update(subscriber)
        .where(subscriber.c.id == found.subscriber_id)
        .values(gone=False, key=person.key, **subscribers.columns(person))
    )
    if found.person.numbers != person.numbers:
        invalid = frozenset(subscribers.invalid(conn, found.subscriber_id))
        conn.execute(delete_from(subscriber_number).where(subscriber_number.c.subscriber_id == found.subscriber_id))
        conn.execute(insert(subscriber_number), subscribers.number_rows(found.subscriber_id, person, invalid))
