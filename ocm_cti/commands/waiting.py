"""``ocm waiting``: who is not being called at this moment, and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import bulletin
from ocm_cti.clock import utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, on_clock, open_console, zone_name
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.why_not import WhyNot, World
from ocm_cti.service import FolderLock
from ocm_cti.store import campaigns, lists, waiting
from ocm_cti.store.transactions import Connection, Store


def show(config_path: Path, list_name: str | None, search: str, limit: int) -> int:
    config = load_for_ledger(config_path)
    console = open_console()
    world = world_of(config)
    now = utc_now()

    def read(conn: Connection) -> list[tuple[str, str, waiting.Look]]:
        list_id = None if list_name is None else lists.find(conn, list_name)
        if list_name is not None and list_id is None:
            raise CommandError(lists.no_such(conn, list_name))
        return [
            (
                campaigns.name(conn, campaign_id),
                campaigns.zone(conn, campaign_id),
                waiting.look(conn, campaign_id, world, now, search=search, limit=limit),
            )
            for campaign_id in waiting.open_campaigns(conn, list_id)
        ]

    found = Store.open(config.database).read_now(read)
    if not found:
        console.print("no campaign is open; nobody waits")
    for name, zone, look in found:
        waiters, people = look.waiters, sum(group.people for group in look.groups)
        console.print(f"{name}: {people} people wait", style="bold")
        for group in look.groups:
            console.print(f"  {group.people:>7}  {_told(group.reason, now, zone)}", soft_wrap=True)
        if look.not_asked:
            later = f"  of the last {look.not_asked} of them stop lists and caps are asked when they come nearer"
            console.print(later, style="dim", soft_wrap=True)
        grid = Grid(box=None, padding=(0, 1), header_style="bold")
        for heading in ("name", "next number", "priority", "why not now"):
            grid.add_column(heading, overflow="fold")
        for one in waiters:
            number = one.number if config.show_numbers else mask(one.number)
            grid.add_row(one.name, number, str(one.priority), _told(one.reason, now, zone))
        if waiters:
            console.print(grid)
        left = people - len(waiters)
        if left and not search and waiters:
            console.print(f"  … and {left} more (--limit, --person)", style="dim")
    return 0


def world_of(config: Config) -> World:
    """What the server on this data folder knows; not serving when there is none."""
    return bulletin.read(config.data) if FolderLock.is_held(config.data) else World()


def _told(reason: WhyNot, now: datetime, zone: str) -> str:
    if reason.until_at is None:
        return reason.words
    at = on_clock(reason.until_at, zone)
    day = "" if at.date() == on_clock(now, zone).date() else f"{at:%d.%m.%Y} "
    return f"until {day}{at:%H:%M:%S} {zone_name(at, zone)}: {reason.words}"
