"""``ocm import``: files and databases that become lists."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ocm_cti import config as configuration
from ocm_cti.commands import import_screen
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config
from ocm_cti.importing import How, Imported, T, Watch, unwatched, write_people
from ocm_cti.imports.columns import UnknownColumn, check_said
from ocm_cti.imports.database import read_select
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.refused import check_place, write_refused
from ocm_cti.imports.tables import Table
from ocm_cti.store import lists
from ocm_cti.store.transactions import Store

#: Fewer rows are read before anybody has looked.
MANY = 2000


def import_file(
    config_path: Path, list_name: str, file: Path, how: How, *, as_json: bool = False, preview: bool = False
) -> int:
    config = configuration.load(config_path)
    console = open_console()
    silent = as_json or preview
    done = import_into(config, list_name, file, console, replace(how, dry_run=how.dry_run or preview), silent=silent)
    return _tell(console, config, list_name, file.name, done, as_json=as_json, preview=preview)


def import_into(
    config: Config, list_name: str, file: Path, console: Console, how: How | None = None, *, silent: bool = False
) -> Imported:
    """Read the file and write its people into the list, all of them in one transaction or none. ``silent``: nothing is
    shown of how far it has come.
    """
    how = how or How()
    if how.refused is not None:
        check_place(how.refused, file)
    is_new = isinstance(config.database, Path) and not config.database.exists()
    # A dry run makes nothing, not even the ledger.
    store = None if is_new and how.dry_run else Store.open(config.database)
    said = _said(list_name, how, store)
    if silent:
        table = _read(file, how, said)
    else:
        with console.status(f"reading {file.name} …"):
            table = _read(file, how, said)
    return _written(config, list_name, table, said, how, store, unwatched if silent else _watch(console))


def import_source(config_path: Path, list_name: str, how: How, *, as_json: bool = False, preview: bool = False) -> int:
    """``ocm import --from-database``: the list's own source, as a file would be."""
    config = configuration.load(config_path)
    console = open_console()
    settings = config.lists.get(list_name)
    if settings is None or settings.source is None:
        raise CommandError(f"{config.path}: no [lists.{list_name}.source] with the url and the select of its database")
    how = replace(how, dry_run=how.dry_run or preview)
    store = Store.open(config.database)
    said = _said(list_name, how, store)
    with console.status("asking its database …"):
        table = read_select(settings.source)
    watch = unwatched if as_json or preview else _watch(console)
    done = _written(config, list_name, table, said, how, store, watch)
    return _tell(console, config, list_name, "its database", done, as_json=as_json, preview=preview)


def _said(list_name: str, how: How, store: Store | None) -> Mapping[str, str]:
    remembered = {} if store is None else store.read_now(lambda conn: lists.mapping(conn, list_name))
    return {**remembered, **(how.said or {})}


def _read(file: Path, how: How, said: Mapping[str, str]) -> Table:
    table = read_rows(file, encoding=how.encoding, delimiter=how.delimiter, sheet=how.sheet, said=said)
    try:
        check_said(table.header, how.said or {})
    except UnknownColumn as error:
        raise CommandError(f"{file}: --map: {error}") from None
    return table


def _written(
    config: Config,
    list_name: str,
    table: Table,
    said: Mapping[str, str],
    how: How,
    store: Store | None,
    watch: Watch,
) -> Imported:
    done = write_people(config, list_name, table, said, how, store, watch)
    if how.refused is not None and not how.dry_run:
        done = replace(done, refused_file=write_refused(how.refused, done.table, done.people))
    return done


def _watch(console: Console) -> Watch:
    def shown(rows: Collection[T], what: str, /) -> Iterable[T]:
        return track(rows, description=what, console=console, transient=True, disable=len(rows) < MANY)

    return shown


def _tell(
    console: Console, config: Config, list_name: str, source: str, done: Imported, *, as_json: bool, preview: bool
) -> int:
    if as_json:
        console.out(json.dumps(import_screen.as_json(done), ensure_ascii=False, indent=2), highlight=False)
    elif preview:
        import_screen.print_preview(console, list_name, source, done, show_numbers=config.show_numbers)
    else:
        import_screen.print_import(console, list_name, source, done)
    return 0 if done.people.accepted else 2  # nobody could be imported: a script must see it
