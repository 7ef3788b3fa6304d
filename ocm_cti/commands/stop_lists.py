"""``ocm stop-list``: who is never to be called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti.clock import utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, open_console
from ocm_cti.domain.stop_lists import entry
from ocm_cti.store import stop_lists
from ocm_cti.store.transactions import Store


def add(config_path: Path, list_name: str, written: Sequence[str], reason: str) -> int:
    entries = _entries(written)
    new = _store(config_path).run_now(lambda conn: stop_lists.add(conn, list_name, entries, reason, utc_now()))
    open_console().print(f"{list_name}: {new} added, {len(entries) - new} stood on it already")
    return 0


def remove(config_path: Path, list_name: str, written: Sequence[str]) -> int:
    entries = _entries(written)
    gone = _store(config_path).run_now(lambda conn: stop_lists.remove(conn, list_name, entries))
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
        grid.add_row(one.list_name, one.entry, f"{one.added_at.astimezone():%d.%m.%Y %H:%M}", one.reason)
    console.print(grid if found else "nobody stands on it")
    return 0


def _entries(written: Sequence[str]) -> list[str]:
    """Each of them, or of the lines of a file given as @FILE; # begins a remark."""
    entries = []
    for one in written:
        lines = [(one, "")]
        if one.startswith("@"):
            path = Path(one[1:])
            try:
                text = path.read_text(encoding="utf-8-sig")
            except OSError as error:
                raise CommandError(f"{path}: can't be read: {error.strerror or error}") from None
            except UnicodeDecodeError:
                raise CommandError(f"{path}: is no text in UTF-8") from None
            lines = [(line.partition("#")[0].strip(), f"{path}:{at}: ") for at, line in enumerate(text.splitlines(), 1)]
        for line, where in lines:
            if line or not where:
                try:
                    entries.append(entry(line))
                except ValueError as error:
                    raise CommandError(f"{where}{error}; nothing was changed") from None
    return list(dict.fromkeys(entries))


def _store(config_path: Path) -> Store:
    return Store.open(load_for_ledger(config_path).database)
