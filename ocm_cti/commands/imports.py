"""``ocm import``: how a file becomes a list, and how that is told to a person."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.settings import ListSettings
from ocm_cti.imports.columns import REASON_HEADING, UnknownColumn, check_said, map_columns
from ocm_cti.imports.database import read_select
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.tables import Table
from ocm_cti.service import utc_now
from ocm_cti.starting import only_speakable
from ocm_cti.store import lists, subscribers
from ocm_cti.store.subscribers import Upserted
from ocm_cti.store.transactions import Connection, Store

#: More refused rows than this are counted, not printed.
REFUSALS_SHOWN = 30
PREVIEW_ROWS = 50


@dataclass(frozen=True)
class How:
    """How to read the file, where the user knows better than it can be found out; ``said``: heading -> field.

    ``refused``: a file for the rows that were refused. ``delete_missing``: who is not in it goes off the list.
    ``by_hand``: who is known keeps what he has of other variables.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    said: Mapping[str, str] | None = None
    dry_run: bool = False
    refused: Path | None = None
    delete_missing: bool = False
    by_hand: bool = False


@dataclass(frozen=True)
class Imported:
    """What came of one import; ``counts`` is None for a dry run, ``deleted`` where nobody was to be."""

    table: Table
    people: People
    counts: Upserted | None
    mapping: Mapping[str, str]
    configured: bool = True  # the configuration has this list
    deleted: int | None = None
    refused_file: Path | None = None


def import_file(
    config_path: Path, list_name: str, file: Path, how: How, *, as_json: bool = False, preview: bool = False
) -> int:
    config = configuration.load(config_path)
    console = open_console()
    if preview:
        how = replace(how, dry_run=True)
    done = import_into(config, list_name, file, None if as_json or preview else console, how)
    if as_json:
        console.out(json.dumps(_as_json(done), ensure_ascii=False, indent=2), highlight=False)
    elif preview:
        _print_preview(console, list_name, file.name, done, show_numbers=config.show_numbers)
    return 0 if done.people.accepted else 2  # nobody could be imported: a script must see it


def import_into(
    config: Config, list_name: str, file: Path, console: Console | None, how: How | None = None
) -> Imported:
    """Read the file and write its people into the list, all of them in one transaction or none."""
    how = how or How()
    is_new = isinstance(config.database, Path) and not config.database.exists()
    # A dry run makes nothing, not even the ledger.
    store = None if is_new and how.dry_run else Store.open(config.database)
    remembered = {} if store is None else store.read_now(lambda conn: lists.mapping(conn, list_name))
    said = {**remembered, **(how.said or {})}
    if console is not None:
        with console.status(f"reading {file.name} …"):
            return _read_and_write(config, list_name, file, console, how, said, store)
    return _read_and_write(config, list_name, file, None, how, said, store)


def _read_and_write(
    config: Config,
    list_name: str,
    file: Path,
    console: Console | None,
    how: How,
    said: Mapping[str, str],
    store: Store | None,
) -> Imported:
    table = read_rows(file, encoding=how.encoding, delimiter=how.delimiter, sheet=how.sheet, said=said)
    try:
        check_said(table.header, how.said or {})
    except UnknownColumn as error:
        raise CommandError(f"{file}: --map: {error}") from None
    done = write_people(config, list_name, table, said, how, store)
    if how.refused is not None and not how.dry_run:
        done = replace(done, refused_file=_write_refused(how.refused, done))
    if console is not None:
        _print_import(console, list_name, file.name, done)
    return done


def import_source(config_path: Path, list_name: str, how: How, *, as_json: bool = False, preview: bool = False) -> int:
    """``ocm import --from-database``: the list's own source, as a file would be."""
    config = configuration.load(config_path)
    console = open_console()
    settings = config.lists.get(list_name)
    if settings is None or settings.source is None:
        raise CommandError(f"{config.path}: no [lists.{list_name}.source] with the url and the select of its database")
    if preview:
        how = replace(how, dry_run=True)
    store = Store.open(config.database)
    said = {**store.read_now(lambda conn: lists.mapping(conn, list_name)), **(how.said or {})}
    done = write_people(config, list_name, read_select(settings.source), said, how, store)
    if how.refused is not None and not how.dry_run:
        done = replace(done, refused_file=_write_refused(how.refused, done))
    if as_json:
        console.out(json.dumps(_as_json(done), ensure_ascii=False, indent=2), highlight=False)
    elif preview:
        _print_preview(console, list_name, "its database", done, show_numbers=config.show_numbers)
    else:
        _print_import(console, list_name, "its database", done)
    return 0 if done.people.accepted else 2


def write_people(
    config: Config, list_name: str, table: Table, said: Mapping[str, str], how: How, store: Store | None
) -> Imported:
    """Judge the rows of a table, wherever it is from, and write those that can be used; without a store, none.

    What the table has no column for (a name, a note, …) stays as it is on the list.
    """
    settings = config.lists.get(list_name)
    reading = people(table, settings.settings.region if settings else ListSettings().region, said)
    if settings is not None:
        reading = only_speakable(reading, settings)
    if how.delete_missing and reading.refused and not how.dry_run:
        raise CommandError(
            f"--delete-missing: {len(reading.refused)} rows were refused (the first: row {reading.refused[0].row}: "
            f"{reading.refused[0].reason}); who stands in them would be deleted. Mend them first; nothing was changed"
        )
    columns = map_columns(table.header, said)
    counts = deleted = None
    if not how.dry_run and store is not None:

        def write(conn: Connection) -> tuple[Upserted, int | None]:
            list_id = lists.find_or_create(conn, list_name, utc_now())
            kept = columns.untold | ({"variables"} if how.by_hand else set())
            upserted = subscribers.upsert(conn, list_id, reading.accepted, kept)
            if how.said:
                lists.remember_mapping(conn, list_id, {**lists.mapping(conn, list_name), **how.said})
            if not how.delete_missing:
                return upserted, None
            return upserted, subscribers.delete_others(conn, list_id, {person.key for person in reading.accepted})

        counts, deleted = store.run_now(write)
    mapping = columns.mapping(table.header)
    return Imported(table, reading, counts, mapping, configured=settings is not None, deleted=deleted)


def _write_refused(path: Path, done: Imported) -> Path | None:
    """The refused rows as they stood and the reason, to be mended and imported again; None: there are none."""
    if not done.people.refused:
        return None
    reasons = {refusal.row: refusal.reason for refusal in done.people.refused}
    kept = [place for place, heading in enumerate(done.table.header) if heading != REASON_HEADING]
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow([*(done.table.header[place] for place in kept), REASON_HEADING])
            for row in done.table.rows:
                if row.number in reasons:
                    cells = [row.cells[place] if place < len(row.cells) else "" for place in kept]
                    beyond = row.cells[len(done.table.header) :]
                    writer.writerow([*cells, reasons[row.number], *beyond])
    except OSError as error:
        raise CommandError(f"{path}: the refused rows can't be written: {error.strerror or error}") from None
    return path


def _print_import(console: Console, list_name: str, source: str, done: Imported) -> None:
    table, reading, counts = done.table, done.people, done.counts
    found = [table.encoding, repr(table.delimiter) if table.delimiter else None]
    how = f" ({', '.join(filter(None, found))})" if table.encoding else ""
    what = (
        f"created {counts.created}, updated {counts.updated}, unchanged {counts.unchanged}"
        if counts is not None
        else f"would import {len(reading.accepted)} (dry run)"
    )
    deleted = "" if done.deleted is None else f", deleted {done.deleted}"
    console.print(f"{list_name} ← {source}{how}: {what}{deleted}, refused {len(reading.refused)}", highlight=False)
    console.print(Text(f"  {_mapping(done)}", style="dim"), soft_wrap=True)
    if not done.configured:
        words = f"  there is no [lists.{list_name}] in the configuration yet: it can't be started without a scenario"
        console.print(words, style="yellow", soft_wrap=True)
    _print_refused(console, reading.refused)
    if done.refused_file is not None:
        console.print(f"  the refused rows with their reasons: {done.refused_file}", soft_wrap=True)
    for remark in reading.remarks[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {remark.row}: {remark.reason}", style="yellow"), soft_wrap=True)


def _print_refused(console: Console, refused: Sequence[Refusal]) -> None:
    for refusal in refused[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {refusal.row} refused: {refusal.reason}", style="red"), soft_wrap=True)
    if len(refused) > REFUSALS_SHOWN:
        console.print(f"  … and {len(refused) - REFUSALS_SHOWN} more (--refused FILE has all)", style="red")


def _mapping(done: Imported) -> str:
    return ", ".join(f"{heading} = {field}" for heading, field in done.mapping.items())


def _print_preview(console: Console, list_name: str, source: str, done: Imported, *, show_numbers: bool) -> None:
    _print_import(console, list_name, source, done)
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("row", "id", "name", "numbers", "variables", "his own"):
        grid.add_column(heading, overflow="fold")
    for row, person in list(zip(done.people.rows, done.people.accepted, strict=True))[:PREVIEW_ROWS]:
        numbers = [f"{number if show_numbers else mask(number)} {kind}".strip() for number, kind in person.numbers]
        key = mask(person.key) if not show_numbers and person.key.startswith("+") else person.key
        own = {
            "priority": "" if person.priority is None else str(person.priority),
            "groups": ", ".join(person.groups),
            "scenario": person.scenario,
            "zone": person.zone,
            "note": person.note,
        }
        grid.add_row(
            str(row),
            key,
            person.name,
            ", ".join(numbers),
            ", ".join(f"{name}={value}" for name, value in person.variables.items() if name != "name"),
            ", ".join(f"{name}={value}" for name, value in own.items() if value),
        )
    console.print(grid)


def _as_json(done: Imported) -> Mapping[str, object]:
    counts = done.counts
    return {
        "created": counts.created if counts else 0,
        "updated": counts.updated if counts else 0,
        "unchanged": counts.unchanged if counts else 0,
        "deleted": done.deleted or 0,
        "accepted": len(done.people.accepted),
        "refused": [{"row": refusal.row, "reason": refusal.reason} for refusal in done.people.refused],
        "remarks": [{"row": remark.row, "reason": remark.reason} for remark in done.people.remarks],
        "encoding": done.table.encoding,
        "delimiter": done.table.delimiter,
        "header": list(done.table.header),
        "mapping": dict(done.mapping),
    }
