"""``ocm import``: how a file becomes a list, and how that is told to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config, ListConfig
from ocm_cti.domain.settings import ListSettings
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.tables import Table
from ocm_cti.service import utc_now
from ocm_cti.starting import unspeakable
from ocm_cti.store import lists, subscribers
from ocm_cti.store.subscribers import Upserted
from ocm_cti.store.transactions import Connection, Store

#: More refused rows than this are counted, not printed.
REFUSALS_SHOWN = 30
#: So many people are named in an error of one line.
PEOPLE_NAMED = 3


@dataclass(frozen=True)
class Imported:
    """What came of one import; ``counts`` is None for a dry run."""

    table: Table
    people: People
    counts: Upserted | None
    configured: bool = True  # the configuration has this list


def import_file(config_path: Path, list_name: str, file: Path, *, dry_run: bool, as_json: bool) -> int:
    config = configuration.load(config_path)
    console = open_console()
    done = import_into(config, list_name, file, None if as_json else console, dry_run=dry_run)
    if as_json:
        console.out(json.dumps(_as_json(done), ensure_ascii=False, indent=2), highlight=False)
    return 0 if done.people.accepted else 2  # nobody could be imported: a script must see it


def import_into(
    config: Config, list_name: str, file: Path, console: Console | None, *, dry_run: bool = False
) -> Imported:
    """Read the file and write its people into the list, all of them in one transaction or none."""
    settings = config.lists.get(list_name)
    table = read_rows(file)
    reading = people(table, settings.settings.region if settings else ListSettings().region)
    if settings is not None:
        reading = _only_speakable(reading, settings)
    counts = None
    if not dry_run:

        def write(conn: Connection) -> Upserted:
            return subscribers.upsert(conn, lists.find_or_create(conn, list_name, utc_now()), reading.accepted)

        counts = _store(config).run_now(write)
    done = Imported(table, reading, counts, configured=settings is not None)
    if console is not None:
        _print_import(console, list_name, file, done)
    return done


def _only_speakable(reading: People, settings: ListConfig) -> People:
    """Whom the scenario can't be said to is refused now, with row and reason, not found out at three in the morning."""
    accepted, rows, refused = [], [], list(reading.refused)
    for person, row in zip(reading.accepted, reading.rows, strict=True):
        reason = unspeakable(person, settings)
        if reason is None:
            accepted.append(person)
            rows.append(row)
        else:
            refused.append(Refusal(row, reason))
    return People(accepted, sorted(refused, key=lambda refusal: refusal.row), reading.remarks, rows)


def _store(config: Config) -> Store:
    return Store.open(config.database)


def _print_import(console: Console, list_name: str, file: Path, done: Imported) -> None:
    table, reading, counts = done.table, done.people, done.counts
    how = f" ({table.encoding}, {table.delimiter!r})" if table.encoding else ""
    what = (
        f"created {counts.created}, updated {counts.updated}, unchanged {counts.unchanged}"
        if counts is not None
        else f"would import {len(reading.accepted)} (dry run)"
    )
    console.print(f"{list_name} ← {file.name}{how}: {what}, refused {len(reading.refused)}", highlight=False)
    if not done.configured:
        words = f"  there is no [lists.{list_name}] in the configuration yet: it can't be started without a scenario"
        console.print(words, style="yellow", soft_wrap=True)
    for refusal in reading.refused[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {refusal.row} refused: {refusal.reason}", style="red"), soft_wrap=True)
    if len(reading.refused) > REFUSALS_SHOWN:
        console.print(f"  … and {len(reading.refused) - REFUSALS_SHOWN} more", style="red")
    for remark in reading.remarks[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {remark.row}: {remark.reason}", style="yellow"), soft_wrap=True)


def _as_json(done: Imported) -> Mapping[str, object]:
    counts = done.counts
    return {
        "created": counts.created if counts else 0,
        "updated": counts.updated if counts else 0,
        "unchanged": counts.unchanged if counts else 0,
        "accepted": len(done.people.accepted),
        "refused": [{"row": refusal.row, "reason": refusal.reason} for refusal in done.people.refused],
        "encoding": done.table.encoding,
        "delimiter": done.table.delimiter,
        "header": list(done.table.header),
    }
