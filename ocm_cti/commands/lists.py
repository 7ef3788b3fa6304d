"""``ocm import``, ``ocm start``: what is done with lists, and how it is told to a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config, ListConfig
from ocm_cti.domain.fragments import VariableMissing
from ocm_cti.domain.moments import appointed
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import required_fragments
from ocm_cti.domain.settings import ListSettings
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.tables import Table
from ocm_cti.service import FolderLock, utc_now
from ocm_cti.speech import words
from ocm_cti.store import campaigns, lists, subscribers, tasks
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
        reason = _unspeakable(person, settings)
        if reason is None:
            accepted.append(person)
            rows.append(row)
        else:
            refused.append(Refusal(row, reason))
    return People(accepted, sorted(refused, key=lambda refusal: refusal.row), reading.remarks, rows)


def _unspeakable(person: Person, settings: ListConfig) -> str | None:
    try:
        for fragment in required_fragments(settings.scenario, person.variables, settings.settings.language):
            words.check(fragment)
    except (VariableMissing, words.UnspeakableValue) as error:
        return str(error)
    return None


def start(
    config_path: Path, list_name: str, *, also_invalid: bool, at: str | None, only_after: Sequence[str] = ()
) -> int:
    config = configuration.load(config_path)
    begins_at = None
    if at is not None:
        zone = config.lists[list_name].settings.zone if list_name in config.lists else ""
        try:
            begins_at = appointed(at, utc_now(), zone)
        except ValueError as error:
            raise CommandError(f"--at: {error}") from None
    outcomes = [Outcome(name) for name in only_after] if only_after else None
    console = open_console()
    start_campaign(config, list_name, console, also_invalid=also_invalid, begins_at=begins_at, only_after=outcomes)
    return 0


def start_campaign(
    config: Config,
    list_name: str,
    console: Console,
    *,
    also_invalid: bool = False,
    begins_at: datetime | None = None,
    only_after: Sequence[Outcome] | None = None,
) -> int:
    """Freeze and start, to begin at once or at ``begins_at``; gives the campaign's id.

    Raises CommandError or StoreError with nothing written.
    """
    settings = config.lists.get(list_name)
    if settings is None:
        known = ", ".join(config.lists) or "none"
        raise CommandError(f"{config.path}: no [lists.{list_name}] with the scenario of this list (there are: {known})")

    missing = [name for name in settings.scenario.recordings if not (config.audio / name).is_file()]
    if missing:
        raise CommandError(f"{settings.scenario_path}: no recording {', '.join(missing)} in {config.audio}")

    def write(conn: Connection) -> tuple[int, tasks.Counts]:
        list_id = lists.find(conn, list_name)
        if list_id is None:
            raise CommandError(f"there is no list {list_name}; import one: ocm import --list {list_name} FILE")
        _check_speakable(list_name, subscribers.people(conn, list_id), settings)
        scenario, frozen = settings.scenario_text, settings.settings
        campaign_id = campaigns.start(
            conn,
            list_id,
            utc_now(),
            scenario,
            frozen,
            also_invalid=also_invalid,
            begins_at=begins_at,
            only_after=only_after,
        )
        return campaign_id, tasks.counts(conn, campaign_id)

    campaign_id, counts = _store(config).run_now(write)
    left_out = f", {counts.done} have no number that exists (--also-invalid dials them)" if counts.done else ""
    begins = "" if begins_at is None else f" from {begins_at.astimezone():%d.%m.%Y %H:%M %Z} on"
    when = "" if FolderLock.is_held(config.data) else "; the calls begin when `ocm serve` runs"
    console.print(
        f"{list_name}: campaign {campaign_id} started, {counts.total - counts.done} people are going to be called"
        f"{begins}{left_out}{when}",
        soft_wrap=True,
    )
    return campaign_id


def _check_speakable(list_name: str, subscribed: Sequence[Person], settings: ListConfig) -> None:
    """The scenario may be newer than the import: nobody may be found to be without a message when he is due."""
    wrong = [
        f"{person.name or person.key}: {reason}"
        for person in subscribed
        if (reason := _unspeakable(person, settings)) is not None
    ]
    if wrong:
        more = f" and {len(wrong) - PEOPLE_NAMED} more" if len(wrong) > PEOPLE_NAMED else ""
        raise CommandError(
            f"{list_name}: {settings.scenario_path.name} can't be said to {'; '.join(wrong[:PEOPLE_NAMED])}{more}; "
            "nothing was started; mend the list and import it again"
        )


def stop(config_path: Path, list_name: str) -> int:
    config = configuration.load(config_path)

    def write(conn: Connection) -> int:
        list_id = lists.find(conn, list_name)
        if list_id is None:
            raise CommandError(f"there is no list {list_name}")
        return campaigns.stop(conn, list_id, utc_now())

    stopped = _store(config).run_now(write)
    open_console().print(f"{list_name}: stopped; {stopped} people were still waiting and are not called")
    return 0


def pause(config_path: Path, list_name: str) -> int:
    _change(config_path, list_name, campaigns.pause)
    open_console().print(f"{list_name}: paused; calls that are up go on to their end; ocm resume {list_name} goes on")
    return 0


def resume(config_path: Path, list_name: str) -> int:
    _change(config_path, list_name, lambda conn, list_id: campaigns.resume(conn, list_id, utc_now()))
    open_console().print(f"{list_name}: resumed")
    return 0


def _change(config_path: Path, list_name: str, change: Callable[[Connection, int], int]) -> None:
    def write(conn: Connection) -> int:
        list_id = lists.find(conn, list_name)
        if list_id is None:
            raise CommandError(f"there is no list {list_name}")
        return change(conn, list_id)

    _store(configuration.load(config_path)).run_now(write)


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
