"""``ocm people``: the people of a list, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
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

    looked_for = search.casefold()
    everybody = Store.open(config.database).read_now(read)
    found = [
        person
        for person in everybody
        if any(looked_for in text.casefold() for text in (person.key, person.name, *(one for one, _ in person.numbers)))
    ]
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("id", "name", "numbers", "variables", "groups", "priority", "zone", "scenario", "note"):
        grid.add_column(heading, overflow="fold")
    shown = str if config.show_numbers else mask
    for person in found[:limit]:
        grid.add_row(
            shown(person.key) if person.key.startswith("+") else person.key,
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
    more = f", {min(limit, len(found))} shown (--limit)" if len(found) > limit else ""
    console.print(f"{len(found)} of {len(everybody)} people{more}")
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
    for remark in done.people.remarks:
        raise CommandError(f"{list_name}: {remark.reason}; the others were taken")
    counts = done.counts
    what = "added" if counts.created else "changed" if counts.updated else "is so already"
    open_console().print(f"{list_name}: {done.people.accepted[0].name or done.people.accepted[0].key} {what}")
    return 0


def remove(config_path: Path, list_name: str, keys: Sequence[str]) -> int:
    config = configuration.load(config_path)

    def write(conn: Connection) -> int:
        return subscribers.delete(conn, _list(conn, list_name), keys)

    removed = Store.open(config.database).run_now(write)
    if removed < len(set(keys)):
        raise CommandError(
            f"{list_name}: {removed} removed; the others are not on it (ids as `ocm people show` has them, with "
            "show_numbers = true where they are numbers), or are in a campaign that is going on"
        )
    open_console().print(f"{list_name}: {removed} removed")
    return 0


def _list(conn: Connection, name: str, hint: str = "") -> int:
    found = lists.find(conn, name)
    if found is None:
        raise CommandError(lists.no_such(conn, name) + hint)
    return found
