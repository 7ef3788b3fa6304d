"""People of a list one by one, or as another system sends them: judged as the rows of a file are, by the same rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ocm_cti.config import Config
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.importing import How, write_people
from ocm_cti.imports.columns import FIELDS
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Row, Table
from ocm_cti.office.errors import NotNow, NotThere, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.lists import ListDesk
from ocm_cti.office.settings import ConfigFile
from ocm_cti.store import lists, pages, subscribers
from ocm_cti.store.errors import StoreError
from ocm_cti.store.pages import PersonRow
from ocm_cti.store.transactions import Connection, Store

#: People of one request.
MOST = 5000
KINDS = ("", "mobile", "home", "work")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,99}")
_OWN = ("name", "priority", "groups", "zone", "scenario", "note")


@dataclass(frozen=True)
class Wanted:
    """As it is written; ``numbers`` are (number, kind of KINDS). None: what is known of it stays as it is, as long as
    nobody of the request has it. ``person_id`` is the customer's own id of him; "": he is found by his numbers.
    """

    numbers: Sequence[tuple[str, str]]
    person_id: str = ""
    name: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    priority: str | None = None
    groups: Sequence[str] | None = None
    zone: str | None = None
    scenario: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Put:
    """What came of it. ``refused`` and ``remarks``: (place in the request from 0, why)."""

    created: int
    updated: int
    unchanged: int
    refused: Sequence[tuple[int, str]]
    remarks: Sequence[tuple[int, str]]


class PeopleDesk:
    def __init__(self, ledger: Ledger, store: Store, settings: ConfigFile, lists_: ListDesk) -> None:
        self._ledger = ledger
        self._store = store
        self._settings = settings
        self._lists = lists_

    def one(self, caller: Caller, list_name: str, subscriber_id: int) -> PersonRow:
        """Raises NotThere."""
        self._lists.entry(caller, list_name)

        def read(conn: Connection) -> PersonRow | None:
            list_id = lists.find(conn, list_name)
            rows = [] if list_id is None else pages.people(conn, list_id, after=subscriber_id - 1, limit=1)[0]
            return next((row for row in rows if row.subscriber_id == subscriber_id), None)

        found = self._ledger.read(read)
        if found is None:
            raise NotThere(f"there is nobody {subscriber_id} on {list_name}")
        return found

    def put(self, caller: Caller, list_name: str, people: Sequence[Wanted]) -> Put:
        """Who is known is changed, the others are added; whoever can't be used is told with the reason.

        His variables become those that are given. Raises NotThere for a list that is not there, Refused.
        """
        must(caller, Scope.OPERATE)
        self._lists.entry(caller, list_name)
        if len(people) > MOST:
            raise Refused(f"at most {MOST} people at a time; bring a file for more")
        config = self._config()
        try:
            table, said = _table(people)
            done = write_people(config, list_name, table, said, How(who=caller.name), self._store)
        except ImportFailed as error:
            raise Refused(str(error)) from None
        except StoreError as error:
            raise NotNow(str(error)) from error
        counts = done.counts
        refused = [(one.row, one.reason) for one in done.people.refused]
        remarks = [(one.row, one.reason) for one in done.people.remarks]
        return Put(counts.created, counts.updated, counts.unchanged, refused, remarks)

    def remove(self, caller: Caller, list_name: str, subscriber_id: int) -> None:
        """Off the list; what was done with him stays in reports. Raises NotThere, and Refused while he is called."""
        must(caller, Scope.OPERATE)
        person = self.one(caller, list_name, subscriber_id).person

        def write(conn: Connection) -> int:
            list_id = lists.find(conn, list_name)
            gone = 0 if list_id is None else subscribers.delete(conn, list_id, [person.key])
            if gone:
                self._ledger.note(conn, caller, "person.remove", list_name, {"person": subscriber_id})
            return gone

        if not self._ledger.write(write):
            raise Refused(
                f"{person.name or person.key} is in a campaign that is going on, and stays until it has ended"
            )

    def _config(self) -> Config:
        """As the file is now: what a list's people must have is set there. Raises Refused for a mistake in it."""
        return self._settings.load()


def _table(people: Sequence[Wanted]) -> tuple[Table, dict[str, str]]:
    """Rows of a file, and what its columns are. A column is there when anybody has it."""
    wrong = sorted({kind for person in people for _, kind in person.numbers} - set(KINDS))
    if wrong:
        raise Refused(f"a number can't be of the kind {wrong[0]!r}: {', '.join(KINDS[1:])}, or none")
    most = max((len(person.numbers) for person in people), default=0)
    phones = [(place, kind) for place in range(max(most, 1)) for kind in KINDS]
    own = [name for name in _OWN if any(getattr(person, name) is not None for person in people)]
    variables = sorted({name for person in people for name in person.variables} - {"name"})  # that is his name
    for name in variables:
        if name in FIELDS or _VARIABLE.fullmatch(name) is None:
            raise Refused(
                f"a variable can't be called {name[:100]!r}: small Latin letters, digits and _, a letter first"
            )
    # A heading says the kind of its numbers; the number makes each another one.
    said = {f"{kind or 'phone'} {place}": "phone" for place, kind in phones}
    said |= {"id": "id"} | {f"own {name}": name for name in own}
    said |= {f"variable {place}": name for place, name in enumerate(variables)}

    def cells(person: Wanted) -> list[str]:
        numbers = {(place, kind): number for place, (number, kind) in enumerate(person.numbers)}
        texts = {name: getattr(person, name) for name in own} | {"groups": "; ".join(person.groups or ())}
        written = [
            *(numbers.get(each, "") for each in phones),
            person.person_id,
            *(texts[name] or "" for name in own),
            *(person.variables.get(name, "") for name in variables),
        ]
        return [text.replace("\0", "").strip() for text in written]

    rows = [Row(place, tuple(cells(person))) for place, person in enumerate(people)]
    empty = [place for place, row in enumerate(rows) if row.empty]
    if empty:
        raise Refused(f"nothing is said of number {empty[0]} (from 0)")
    return Table(tuple(said), rows), said
