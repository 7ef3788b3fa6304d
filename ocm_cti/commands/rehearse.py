"""``ocm rehearse``: the dry run of a list, told to a person."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti import starting
from ocm_cti.clock import utc_now
from ocm_cti.commands.campaigns import moment, who
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.live import outcome_bars
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.kinds import GatewaySettings
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.rehearsal import ImaginedGateway, JumpingClock, People, Rehearsed, SilentPrompts, rehearse
from ocm_cti.store import campaigns, lists, readiness, subscribers, tasks
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.upserts import upsert

#: Hours of the picture; a longer campaign is drawn by days.
HOURS_DRAWN = 48


def run(config_path: Path, list_name: str, *, at: str | None, people: People) -> int:
    if people.answer + people.busy + people.reject > 100:
        raise CommandError("--answer, --busy and --reject are shares of a hundred calls; together they are more")
    config = configuration.load(config_path)
    console = open_console()
    began_at = utc_now() if at is None else moment(config, list_name, at)
    with tempfile.TemporaryDirectory(prefix="ocm-rehearsal-") as folder:
        store = _copy(config, list_name, Path(folder))
        try:
            with _progress(console) as progress:
                bar = progress.add_task("", total=None, at="")

                def told(now: datetime, counts: tasks.Counts) -> None:
                    progress.update(
                        bar, total=counts.total, completed=counts.done, at=f"{now.astimezone():%d.%m. %H:%M}"
                    )

                done = _rehearse(config, list_name, store, Path(folder), began_at, people, told)
        finally:
            store.close()
    _print(console, list_name, done, people)
    return 0


def _copy(config: Config, list_name: str, folder: Path) -> Store:
    """The ledger as it stands, on a file that is thrown away; of PostgreSQL's the list alone."""
    path = folder / "ledger.db"
    if isinstance(config.database, Path):
        if not config.database.exists():
            raise CommandError(f"there is no list {list_name}; import one: ocm import --list {list_name} FILE")
        with closing(sqlite3.connect(config.database)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
        return Store.open(path)
    original = Store.open(config.database)

    def read(conn: Connection) -> list[Person]:
        list_id = lists.find(conn, list_name)
        if list_id is None:
            raise CommandError(f"there is no list {list_name}")
        return subscribers.people(conn, list_id)

    try:
        people = original.read_now(read)
    finally:
        original.close()
    store = Store.open(path)
    now = utc_now()
    store.run_now(lambda conn: upsert(conn, lists.find_or_create(conn, list_name, now), people))
    return store


def _rehearse(
    config: Config,
    list_name: str,
    store: Store,
    folder: Path,
    began_at: datetime,
    people: People,
    told: object,
) -> Rehearsed:
    def start(conn: Connection) -> int:
        for list_id in campaigns.lists_at_work(conn):
            campaigns.stop(conn, list_id, began_at)
        started = starting.start(conn, config, list_name, starting.How(who()), began_at)
        while unprepared := readiness.unprepared(conn, started.campaign_id, 0, 1000):
            readiness.ready(conn, [one.task_id for one in unprepared], began_at)
        return started.campaign_id

    campaign_id = store.run_now(start)
    clock = JumpingClock(began_at)
    keys = _keys(config.lists[list_name].scenario)
    gateways = [
        ImaginedGateway(name, _ports(settings), clock, people, keys) for name, settings in config.gateways.items()
    ]
    prompts = SilentPrompts(folder, config.audio)
    return rehearse(store, gateways, clock, prompts, campaign_id, folder, told)  # type: ignore[arg-type]


def _ports(settings: GatewaySettings) -> Sequence[str]:
    if isinstance(settings, PanasonicSettings):
        return settings.extensions
    if isinstance(settings, AsteriskSettings):
        return settings.ports
    if isinstance(settings, SipTrunkSettings):
        return [name for name, _, _ in settings.lines]
    raise TypeError(f"{settings!r} is of no known kind")


def _keys(scenario: Scenario) -> list[str]:
    """What somebody presses who does what he is asked: the first right entry of each step that waits for one."""
    pressed = []
    for step in scenario.steps.values():
        if step.collects:
            entry = step.key or next(iter(step.options), None) or next(iter(step.keys), None)
            pressed.append(entry or "1" * max(1, step.minimum))
    return pressed


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.fields[at]}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} people"),
        console=console,
        transient=True,
    )


def _print(console: Console, list_name: str, done: Rehearsed, people: People) -> None:
    calls = sum(done.calls.values())
    span = done.ended_at - done.began_at
    end = f"{done.ended_at.astimezone():%A, %d.%m.%Y %H:%M}"
    over = f"over on {end}, after {_span(span)}" if done.finished else f"NOT over after {_span(span)}"
    console.print(f"{list_name}: a rehearsal; nobody was called", style="bold")
    console.print(
        f"{done.counts.total} people, {calls} calls over {done.lines} lines: {over}", highlight=False, soft_wrap=True
    )
    if calls:
        console.print(_hours(done))
    console.print(outcome_bars(done.counts.outcomes))
    console.print(
        f"assumed: of 100 calls {people.answer} are answered, {people.busy} busy, {people.reject} rejected; of the "
        f"answered {people.hang_up_early} in 100 hang up early. Lines are busy {done.busy_s / 3600:.1f} hours in all.",
        style="dim",
        soft_wrap=True,
    )


def _hours(done: Rehearsed) -> Grid:
    by_day = len({hour for hour in done.calls}) > HOURS_DRAWN
    counted: dict[str, int] = {}
    for hour in sorted(done.calls):
        there = hour.astimezone()
        label = f"{there:%a %d.%m.}" if by_day else f"{there:%a %d.%m. %H}:00"
        counted[label] = counted.get(label, 0) + done.calls[hour]
    most = max(counted.values())
    grid = Grid.grid(padding=(0, 1))
    for label, count in counted.items():
        grid.add_row(f"  {label}", Text("█" * max(1, round(40 * count / most)), style="cyan"), f"{count} calls")
    return grid


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60:02d} min"
