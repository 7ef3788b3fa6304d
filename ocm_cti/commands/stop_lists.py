"""``ocm stop-list``: who is never to be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti.clock import utc_now
from ocm_cti.commands.campaigns import who
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, open_console
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.stop_lists import is_pattern
from ocm_cti.imports.stop_files import read_entries, too_wide
from ocm_cti.store import audit, stop_lists
from ocm_cti.store.transactions import Connection, Store

#: So many entries of one command stand in the audit.
ENTRIES_IN_AUDIT = 20


def add(
    config_path: Path, list_name: str, written: Sequence[str], reason: str, *, region: str | None, sure: bool
) -> int:
    """Raises CommandError for what is no number or pattern, and unless ``sure`` for what means most of a country."""
    config = load_for_ledger(config_path)
    entries = _entries(config, written, region)
    wide = too_wide(entries)
    if wide and not sure:
        raise CommandError(
            f"{', '.join(wide)}: nobody in the whole country, or in most of it, would be called any more. If that is "
            "meant: --yes; nothing was changed"
        )

    def write(conn: Connection) -> int:
        new = stop_lists.add(conn, list_name, entries, reason, utc_now())
        _audit(conn, "stop_list.add", list_name, entries, {"new": new, "reason": reason})
        return new

    new = Store.open(config.database).run_now(write)
    open_console().print(f"{list_name}: {new} added, {len(entries) - new} stood on it already")
    return 0


def remove(config_path: Path, list_name: str, written: Sequence[str], *, region: str | None) -> int:
    config = load_for_ledger(config_path)
    entries = _entries(config, written, region)

    def write(conn: Connection) -> int:
        gone = stop_lists.remove(conn, list_name, entries)
        _audit(conn, "stop_list.remove", list_name, entries, {"removed": gone})
        return gone

    gone = Store.open(config.database).run_now(write)
    open_console().print(f"{list_name}: {gone} removed, {len(entries) - gone} did not stand on it")
    return 0


def show(config_path: Path, list_name: str | None) -> int:
    """Numbers in full: they are what the person who asks wants to see."""
    found = _store(config_path).read_now(lambda conn: stop_lists.entries(conn, list_name))
    console = open_console()
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("stop list", "number or pattern", "since", "reason"):
        grid.add_column(heading, overflow="fold")
    for one in found:
        grid.add_row(one.list_name, one.entry, f"{one.added_at.astimezone():%d.%m.%Y %H:%M %Z}", one.reason)
    console.print(grid if found else "nobody stands on it")
    return 0


def _entries(config: Config, written: Sequence[str], region: str | None) -> Sequence[str]:
    """Numbers without a country are of ``region``, else of that of all lists where they agree."""
    regions = {entry.settings.region for entry in config.lists.values()}
    found = read_entries(written, region or (regions.pop() if len(regions) == 1 else None))
    if len(found.wrong) == 1:
        raise CommandError(f"{found.wrong[0]}; nothing was changed")
    if found.wrong:
        console = open_console()
        for line in found.wrong:
            console.print(line, style="red", soft_wrap=True)
        raise CommandError(f"{len(found.wrong)} entries are no numbers and no patterns; nothing was changed")
    return found.kept


def _audit(conn: Connection, deed: str, list_name: str, entries: Sequence[str], details: Mapping[str, object]) -> None:
    """The first of them by name: patterns in full, numbers so that one who knows his own can find it."""
    shown = [one if is_pattern(one) else mask(one) for one in entries[:ENTRIES_IN_AUDIT]]
    audit.write(
        conn,
        audit.Entry(utc_now(), who(), deed, list_name, {**details, "given": len(entries), "entries": " ".join(shown)}),
    )


def _store(config_path: Path) -> Store:
    return Store.open(load_for_ledger(config_path).database)
