"""``ocm rehearse``: the dry run of a list, told to a person."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
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
from ocm_cti.commands.output import on_clock, open_console, zone_name
from ocm_cti.config import Config
from ocm_cti.domain.people import Person
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.kinds import GatewaySettings
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.imagined import ImaginedGateway, JumpingClock, People, presses
from ocm_cti.rehearsal import Rehearsed, SameThreadStore, SilentPrompts, rehearse
from ocm_cti.store import campaigns, lists, readiness, subscribers, tasks
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.upserts import upsert

#: Hours of the picture; a longer campaign is drawn by days.
HOURS_DRAWN = 48
#: Where there is no terminal: so often a line says how far it is.
LINE_EVERY_S = 5.0


def run(config_path: Path, list_name: str, *, at: str | None, people: People) -> int:
    if people.answer + people.busy + people.reject > 100:
        raise CommandError("--answer, --busy and --reject are shares of a hundred calls; together they are more")
    config = configuration.load(config_path)
    console = open_console()
    began_at = utc_now() if at is None else moment(config, list_name, at)
    zone = config.lists[list_name].settings.zone if list_name in config.lists else ""
    with tempfile.TemporaryDirectory(prefix="ocm-rehearsal-") as folder:
        store = _copy(config, list_name, Path(folder))
        try:
            with _told(console, list_name, zone) as told:
                done = _rehearse(config, list_name, store, Path(folder), began_at, people, told)
        finally:
            store.close()
    files = config.lists[list_name].files
    by_pin = any(step.pin is not None for file in files for step in file.scenario.steps.values())
    _print(console, list_name, done, people, zone, by_pin=by_pin)
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
    told: Callable[[datetime, tasks.Counts], None],
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
    together = SameThreadStore(store)
    entry = config.lists[list_name]

    def keys(attempt_id: int) -> Iterator[str]:
        own, variables = together.now(lambda conn: tasks.of_attempt(conn, attempt_id))
        file = entry.scenario_of(own)
        scenario = entry.scenario if file is None else file.scenario
        return presses(scenario, variables, people, random.Random(f"keys {attempt_id}"))

    gateways = [
        ImaginedGateway(name, _ports(settings), clock, people, keys)
        for name, settings in config.gateways.items()
        if not entry.settings.gateways or name in entry.settings.gateways
    ]
    prompts = SilentPrompts(folder, config.audio)
    return rehearse(together, gateways, clock, prompts, campaign_id, folder, told)


def _ports(settings: GatewaySettings) -> Sequence[str]:
    if isinstance(settings, PanasonicSettings):
        return settings.extensions
    if isinstance(settings, AsteriskSettings):
        return settings.ports
    if isinstance(settings, SipTrunkSettings):
        return [name for name, _, _ in settings.lines]
    raise TypeError(f"{settings!r} is of no known kind")


@contextmanager
def _told(console: Console, list_name: str, zone: str) -> Iterator[Callable[[datetime, tasks.Counts], None]]:
    """How far it is: a bar in a terminal, elsewhere a line now and then."""
    if not console.is_terminal:
        next_s = time.monotonic() + LINE_EVERY_S

        def line(now: datetime, counts: tasks.Counts) -> None:
            nonlocal next_s
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + LINE_EVERY_S
                at = f"{on_clock(now, zone):%d.%m. %H:%M}"
                console.print(f"{list_name}: {counts.done} of {counts.total} people are done with by {at}")

        yield line
        return
    columns = TextColumn("{task.fields[at]}"), BarColumn(), TextColumn("{task.completed} of {task.total} people")
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=None, at="preparing")

        def update(now: datetime, counts: tasks.Counts) -> None:
            progress.update(bar, total=counts.total, completed=counts.done, at=f"{on_clock(now, zone):%d.%m. %H:%M}")

        yield update


def _print(console: Console, list_name: str, done: Rehearsed, people: People, zone: str, *, by_pin: bool) -> None:
    pins = f", of 100 PINs {people.right_pin} are right" if by_pin else ""
    calls = sum(done.calls.values())
    span = done.ended_at - done.began_at
    end = f"{on_clock(done.ended_at, zone):%A, %d.%m.%Y %H:%M} {zone_name(done.ended_at, zone)}"
    over = f"over on {end}, after {_span(span)}" if done.finished else f"NOT over after {_span(span)}"
    console.print(f"{list_name}: a rehearsal; nobody was called", style="bold")
    console.print(
        f"{done.counts.total} people, {calls} calls over {done.lines} lines: {over}", highlight=False, soft_wrap=True
    )
    if calls:
        console.print(_hours(done, zone))
    console.print(outcome_bars(done.counts.outcomes))
    console.print(
        f"assumed: of 100 calls {people.answer} are answered, {people.busy} busy, {people.reject} rejected; of the "
        f"answered {people.hang_up_early} in 100 hang up early{pins}. Lines are busy "
        f"{done.busy_s / 3600:.1f} hours in all.",
        style="dim",
        soft_wrap=True,
    )


def _hours(done: Rehearsed, zone: str) -> Grid:
    by_day = len({hour for hour in done.calls}) > HOURS_DRAWN
    counted: dict[str, int] = {}
    for hour in sorted(done.calls):
        there = on_clock(hour, zone)
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
