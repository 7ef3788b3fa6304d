"""``ocm schedule``: campaigns that the clock starts."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table as Grid
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti import cron
from ocm_cti.clock import utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, on_clock, open_console
from ocm_cti.service import FolderLock
from ocm_cti.store import lists, schedules
from ocm_cti.store.transactions import Connection, Store


def add(config_path: Path, list_name: str, line: str) -> int:
    config = configuration.load(config_path)
    entry = config.lists.get(list_name)
    if entry is None:
        raise CommandError(f"{config.path}: no [lists.{list_name}] (there are: {', '.join(config.lists) or 'none'})")
    if not entry.settings.zone:
        raise CommandError(f'{config.path}: [lists.{list_name}] needs zone = "Europe/Moscow": by whose clock?')
    now = utc_now()
    try:
        next_at = cron.next_after(line, entry.settings.zone, now)
    except cron.BadCron as error:
        raise CommandError(str(error)) from None

    def write(conn: Connection) -> None:
        list_id = lists.find_or_create(conn, list_name, now)
        schedules.add(conn, list_id, line, entry.settings.zone, next_at, now)

    Store.open(config.database).run_now(write)
    serving = "" if FolderLock.is_held(config.data) else "; `ocm serve` must be running then"
    there = on_clock(next_at, entry.settings.zone)
    open_console().print(f"{list_name}: next on {there:%A, %d.%m.%Y %H:%M} {there.tzinfo}{serving}", soft_wrap=True)
    return 0


def remove(config_path: Path, list_name: str, line: str | None) -> int:
    def write(conn: Connection) -> int:
        list_id = lists.find(conn, list_name)
        removed = 0 if list_id is None else schedules.remove(conn, list_id, line)
        if not removed:
            raise CommandError(f"{list_name}: nothing of the kind is planned; see: ocm schedule show")
        return removed

    removed = Store.open(load_for_ledger(config_path).database).run_now(write)
    open_console().print(f"{list_name}: {removed} removed")
    return 0


def show(config_path: Path) -> int:
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("list", "cron", "zone", "next", "last", "what came of it"):
        grid.add_column(heading, overflow="fold")
    for one in Store.open(load_for_ledger(config_path).database).read_now(schedules.planned):
        last, following = (
            "" if at is None else f"{on_clock(at, one.zone):%d.%m.%Y %H:%M %Z}" for at in (one.last_at, one.next_at)
        )
        began = not one.last_result or one.last_result.startswith("campaign ")
        result = Text(one.last_result, style="" if began else "yellow")
        grid.add_row(one.list_name, one.cron, one.zone, following, last, result)
    open_console().print(grid)
    return 0
