"""``ocm lists``: which there are, and taking one away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import config as configuration
from ocm_cti.clock import utc_now
from ocm_cti.commands.campaigns import who
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, open_console
from ocm_cti.store import audit, kept_lists, lists
from ocm_cti.store.kept_lists import Kept
from ocm_cti.store.transactions import Connection, Store


def show(config_path: Path) -> int:
    config = configuration.load(config_path)
    there = {one.name: one for one in Store.open(config.database).read_now(kept_lists.kept)}
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("list", "people", "last import", "last campaign", "campaigns", "in ocm.toml"):
        grid.add_column(heading, overflow="fold", justify="right" if heading in ("people", "campaigns") else "left")
    for name in sorted({*there, *config.lists}):
        one = there.get(name, Kept(name, 0, 0, 0))
        people = str(one.people)
        if one.removed_at is not None:
            people = f"removed {_moment(one.removed_at)}"
        grid.add_row(
            name,
            people if name in there else "never imported",
            _moment(one.imported_at),
            _moment(one.started_at),
            str(one.campaigns),
            "yes" if name in config.lists else "no",
        )
    open_console().print(grid if grid.row_count else "there are no lists; make one: ocm import --list NAME FILE")
    return 0


def remove(config_path: Path, name: str, *, sure: bool) -> int:
    """Raises CommandError while it is in use, and, unless ``sure``, while somebody is on it or was called."""
    config = load_for_ledger(config_path)

    def write(conn: Connection) -> Kept:
        found = kept_lists.kept(conn, name)
        if not found:
            raise CommandError(lists.no_such(conn, name))
        (one,) = found
        if (one.people or one.attempts) and not sure:
            raise CommandError(
                f"{name} has {one.people} people, and {one.attempts} calls were made for it in {one.campaigns} "
                "campaigns (their reports would stay). To remove it: --yes"
            )
        kept_lists.remove(conn, name)
        details = {"people": one.people, "campaigns": one.campaigns}
        audit.write(conn, audit.Entry(utc_now(), who(), kept_lists.REMOVED, name, details))
        return one

    one = Store.open(config.database).run_now(write)
    reports = f"; the reports of its {one.campaigns} campaigns stay" if one.campaigns else ""
    console = open_console()
    console.print(f"{name}: removed, {one.people} people were on it{reports}", soft_wrap=True)
    if name in config.lists:
        console.print(f"[lists.{name}] still stands in {config.path}", style="yellow", soft_wrap=True)
    return 0


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone():%d.%m.%Y %H:%M}"
