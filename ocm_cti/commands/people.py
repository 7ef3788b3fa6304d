"""``ocm people``: the people of a list, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.commands.people_found import found, named, region_of, shown_key
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.people import Person
from ocm_cti.importing import How, write_people
from ocm_cti.imports.tables import Row, Table
from ocm_cti.store import lists, subscribers
from ocm_cti.store.transactions import Connection, Store


def show(config_path: Path, list_name: str, search: str, limit: int) -> int:
    config = configuration.load(config_path)

    def read(conn: Connection) -> list[Person]:
        return subscribers.people(conn, _list(conn, list_name))

    everybody = Store.open(config.database).read_now(read)
    people = everybody if not search else _searched(everybody, search, region_of(config, list_name))
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("id", "name", "numbers", "variables", "groups", "priority", "zone", "scenario", "note"):
        grid.add_column(heading, overflow="fold")
    shown = str if config.show_numbers else mask
    for person in people[:limit]:
        grid.add_row(
            person.key if config.show_numbers else shown_key(person.key),
            person.name,
            ", ".join(f"{shown(number)} {kind}".strip() for number, kind in person.numbers),
            ", ".join(f"{name}={value}" for name, value in person.variables.items() if name != "name"),
            ", ".join(person.groups),
            "" if person.priority is None else str(person.priority),
            person.zone,
            person.scenario,
            person.note,
        )
    console = open_console()
    console.print(grid)
    more = f", {limit} shown (--limit)" if len(people) > limit else ""
    console.print(f"{len(people)} of {len(everybody)} people{more}")
    return 0


def add(config_path: Path, list_name: str, fields: Sequence[tuple[str, str]], *, new_list: bool = False) -> int:
    """``fields`` are (field, value) as a column of a file would have them; who is known already is changed.

    A list that neither the configuration nor the ledger knows is made with ``new_list`` only.
    """
    config = configuration.load(config_path)
    if all(name != "phone" for name, _ in fields):
        raise CommandError("a telephone number is needed: phone=+74951234501")
    # As a row of a file, so that the same is checked in the same way.
    header = tuple(f"{name} {place}" for place, (name, _) in enumerate(fields))
    table = Table(header, [Row(1, tuple(value for _, value in fields))])
    said = dict(zip(table.header, (name for name, _ in fields), strict=True))
    store = Store.open(config.database)
    if list_name not in config.lists and not new_list:
        store.read_now(lambda conn: _list(conn, list_name, "; to make it: --new"))
    done = write_people(config, list_name, table, said, How(by_hand=True), store)
    if done.people.refused:
        raise CommandError(f"{list_name}: {done.people.refused[0].reason}")
    counts = done.counts
    what = "added" if counts.created else "changed" if counts.updated else "is so already"
    console = open_console()
    (person,) = done.people.accepted
    console.print(f"{list_name}: {person.name or shown_key(person.key)} {what}")
    for remark in done.people.remarks:
        console.print(f"{list_name}: {remark.reason}", style="yellow", soft_wrap=True)
    return 0


def remove(config_path: Path, list_name: str, typed: Sequence[str]) -> int:
    """Each is an id or a number. Raises CommandError that says of each who stays why; the others are taken off."""
    config = configuration.load(config_path)
    region = region_of(config, list_name)

    def write(conn: Connection) -> tuple[int, list[str]]:
        list_id = _list(conn, list_name)
        everybody = subscribers.people(conn, list_id)
        at_work = subscribers.at_work(conn, list_id)
        keys, stay = [], []
        for one in dict.fromkeys(typed):
            meant = found(everybody, one, region, by_name=False)
            if not meant:
                stay.append(f"{one} is nobody's id or telephone number there")
            elif len(meant) > 1:
                stay.append(f"{one} is the number of {len(meant)} people, name one by his id: {named(meant)}")
            elif meant[0].key in at_work:
                stay.append(f"{one} is in a campaign that is going on, and stays until it has ended")
            else:
                keys.append(meant[0].key)
        return subscribers.delete(conn, list_id, keys), stay

    removed, stay = Store.open(config.database).run_now(write)
    if stay:
        raise CommandError(f"{list_name}: {removed} removed; {'; '.join(stay)}")
    open_console().print(f"{list_name}: {removed} removed")
    return 0


def _searched(everybody: Sequence[Person], search: str, region: str) -> list[Person]:
    """Who has this in his id, his name or his number; or whose number is meant, however it is written."""
    looked_for = search.casefold()
    there = [
        person
        for person in everybody
        if any(looked_for in text.casefold() for text in (person.key, person.name, *(one for one, _ in person.numbers)))
    ]
    return there or found(everybody, search, region)


def _list(conn: Connection, name: str, hint: str = "") -> int:
    found = lists.find(conn, name)
    if found is None:
        raise CommandError(lists.no_such(conn, name) + hint)
    return found
