"""``ocm start``, ``stop``, ``pause``, ``resume``, ``audit``: what is done with campaigns, and how it is told."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti import bulletin, starting
from ocm_cti import config as configuration
from ocm_cti.clock import utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.import_screen import REFUSALS_SHOWN
from ocm_cti.commands.output import load_for_ledger, on_clock, open_console, zone_name
from ocm_cti.config import Config
from ocm_cti.domain.moments import appointed
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.why_not import World
from ocm_cti.service import FolderLock
from ocm_cti.store import audit, campaigns, lists, waiting
from ocm_cti.store.transactions import Connection, Store


def start(
    config_path: Path,
    list_name: str,
    *,
    also_invalid: bool,
    at: str | None,
    only_after: Sequence[str] = (),
    test: bool = False,
    override_why: str = "",
    groups: Sequence[str] = (),
    instead: bool = False,
) -> int:
    config = configuration.load(config_path)
    how = starting.How(
        who(),
        also_invalid=also_invalid,
        begins_at=None if at is None else moment(config, list_name, at),
        only_after=[Outcome(name) for name in only_after] if only_after else None,
        test=test,
        override_why=override_why,
        groups=groups,
        instead=instead,
    )
    start_campaign(config, list_name, open_console(), how)
    return 0


def who() -> str:
    """Whoever gives the command, for the audit."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return "unknown"


def moment(config: Config, list_name: str, at: str) -> datetime:
    """What ``--at`` means on the clock of the list. Raises CommandError."""
    zone = config.lists[list_name].settings.zone if list_name in config.lists else ""
    try:
        return appointed(at, utc_now(), zone)
    except ValueError as error:
        raise CommandError(f"--at: {error}") from None


def start_campaign(config: Config, list_name: str, console: Console, how: starting.How | None = None) -> int:
    """Freeze and start; says what is going to happen and gives the campaign's id.

    Raises CampaignRefused or another StoreError with nothing written.
    """
    how = how or starting.How(who())
    fetched = starting.fetch(config, list_name)
    started = Store.open(config.database).run_now(
        lambda conn: starting.start(conn, config, list_name, how, utc_now(), fetched)
    )
    if started.refused:
        console.print(
            f"{list_name}: {started.refused} rows of its database can't be called; see: ocm import --list {list_name} "
            "--from-database --dry-run",
            style="yellow",
            soft_wrap=True,
        )
    for remark in started.remarks[:REFUSALS_SHOWN]:
        words = f"{list_name}: row {remark.row} of its database: {remark.reason}"
        console.print(Text(words, style="yellow"), soft_wrap=True)
    counts = started.counts
    left_out = f", {counts.done} have no number that exists (--also-invalid dials them)" if counts.done else ""
    begins = ""
    if how.begins_at is not None:
        zone = config.lists[list_name].settings.zone
        begins = f" from {on_clock(how.begins_at, zone):%d.%m.%Y %H:%M} {zone_name(how.begins_at, zone)} on"
    when = ""
    world = bulletin.read(config.data)
    unknown = _unknown_gateways(config, list_name, world)
    if not FolderLock.is_held(config.data):
        when = "; the calls begin when `ocm serve` runs"
    elif not world.serving:
        when = "; the server is ending: the calls begin when `ocm serve` runs again"
    elif unknown:
        when = (
            f"; the server began with an older ocm.toml and has no gateway {', '.join(unknown)}: the calls begin when "
            "it has been ended and `ocm serve` runs again"
        )
    if started.instead_of is not None:
        words = f"{list_name}: the campaign before it is ended; {started.instead_of} people were still waiting in it"
        console.print(words, style="yellow", soft_wrap=True)
    kind = "test " if how.test else ""
    console.print(
        f"{list_name}: {kind}campaign {started.campaign_id} started, {counts.total - counts.done} people are going to "
        f"be called{begins}{left_out}{when}",
        soft_wrap=True,
    )
    if how.override_why:
        console.print(
            f"{list_name}: hours and caps do not hold for this campaign: {how.override_why} (written to the audit)",
            style="yellow",
            soft_wrap=True,
        )
    return started.campaign_id


def _unknown_gateways(config: Config, list_name: str, world: World) -> list[str]:
    """Those that alone may call the list, where the server at work has none of them; []: it has one, or can't tell."""
    may = config.lists[list_name].settings.gateways or tuple(config.gateways)
    return [] if not world.gateways or {*may} & {*world.gateways} else list(may)


def stop(config_path: Path, list_name: str, *, hang_up: bool) -> int:
    stopped = _change(
        config_path,
        list_name,
        campaigns.STOPPED,
        lambda conn, list_id: campaigns.stop(conn, list_id, utc_now(), hang_up=hang_up),
    )
    calls = "calls that are up are ended" if hang_up else "calls that are up go on to their end"
    open_console().print(
        f"{list_name}: stopped; {stopped} people were still waiting and are not called; {calls}", soft_wrap=True
    )
    return 0


def pause(config_path: Path, list_name: str) -> int:
    _change(config_path, list_name, "campaign.pause", campaigns.pause)
    open_console().print(f"{list_name}: paused; calls that are up go on to their end; ocm resume {list_name} goes on")
    return 0


def resume(config_path: Path, list_name: str) -> int:
    _change(config_path, list_name, "campaign.resume", lambda conn, list_id: campaigns.resume(conn, list_id, utc_now()))
    open_console().print(f"{list_name}: resumed")
    return 0


def _change(config_path: Path, list_name: str, deed: str, change: Callable[[Connection, int], int]) -> int:
    """With a line of the audit for each campaign that it was done to, as the panel writes it."""

    def write(conn: Connection) -> int:
        list_id = lists.find(conn, list_name)
        if list_id is None:
            raise CommandError(lists.no_such(conn, list_name))
        open_ones = waiting.open_campaigns(conn, list_id)
        changed = change(conn, list_id)
        for campaign_id in open_ones:
            audit.write(conn, audit.Entry(utc_now(), who(), deed, list_name, {"campaign": campaign_id}))
        return changed

    return Store.open(load_for_ledger(config_path).database).run_now(write)


def show_audit(config_path: Path) -> int:
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("at", "who", "deed", "subject", "details"):
        grid.add_column(heading, overflow="fold")
    for entry in Store.open(load_for_ledger(config_path).database).read_now(audit.entries):
        details = ", ".join(f"{key}: {value}" for key, value in entry.details.items())
        grid.add_row(f"{entry.at.astimezone():%d.%m.%Y %H:%M:%S %Z}", entry.who, entry.deed, entry.subject, details)
    open_console().print(grid)
    return 0
