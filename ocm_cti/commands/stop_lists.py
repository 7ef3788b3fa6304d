"""``ocm stop-list``: who is never to be called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti.clock import utc_now
from ocm_cti.commands.campaigns import who
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, open_console
from ocm_cti.config import Config
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.stop_lists import entry, is_pattern, is_wide
from ocm_cti.imports.telephones import to_e164
from ocm_cti.imports.text_files import decode
from ocm_cti.store import audit, stop_lists
from ocm_cti.store.transactions import Connection, Store

#: So many entries are named one by one.
NAMED = 10


def add(
    config_path: Path, list_name: str, written: Sequence[str], reason: str, *, region: str | None, sure: bool
) -> int:
    config = load_for_ledger(config_path)
    entries = _entries(written, region or _region(config))
    wide = [one for one in entries if is_wide(one)]
    if wide and not sure:
        raise CommandError(
            f"{', '.join(wide)}: nobody of a whole country would be called any more; with --yes it is put on the list. "
            "Nothing was changed"
        )

    def write(conn: Connection) -> int:
        now = utc_now()
        new = stop_lists.add(conn, list_name, entries, reason, now)
        _audit(conn, now, "stop_list.add", list_name, entries, reason)
        return new

    new = Store.open(config.database).run_now(write)
    open_console().print(f"{list_name}: {new} added, {len(entries) - new} stood on it already")
    return 0


def remove(config_path: Path, list_name: str, written: Sequence[str], *, region: str | None) -> int:
    config = load_for_ledger(config_path)
    entries = _entries(written, region or _region(config))

    def write(conn: Connection) -> int:
        gone = stop_lists.remove(conn, list_name, entries)
        _audit(conn, utc_now(), "stop_list.remove", list_name, entries, "")
        return gone

    gone = Store.open(config.database).run_now(write)
    open_console().print(f"{list_name}: {gone} removed, {len(entries) - gone} did not stand on it")
    return 0


def show(config_path: Path, list_name: str | None) -> int:
    """Numbers in full: they are what the person who asks wants to see."""
    found = Store.open(load_for_ledger(config_path).database).read_now(lambda conn: stop_lists.entries(conn, list_name))
    console = open_console()
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("stop list", "number or pattern", "since", "reason"):
        grid.add_column(heading, overflow="fold")
    for one in found:
        grid.add_row(one.list_name, one.entry, f"{one.added_at.astimezone():%d.%m.%Y %H:%M}", one.reason)
    console.print(grid if found else "nobody stands on it")
    return 0


def _audit(conn: Connection, now: datetime, deed: str, list_name: str, entries: Sequence[str], reason: str) -> None:
    details = {"entries": len(entries), "first": ", ".join(entries[:NAMED])} | ({"reason": reason} if reason else {})
    audit.write(conn, audit.Entry(now, who(), deed, list_name, details))


def _region(config: Config) -> str:
    """Of the lists, where they agree on one."""
    regions = {entry.settings.region for entry in config.lists.values()}
    return regions.pop() if len(regions) == 1 else ListSettings().region


def _entries(written: Sequence[str], region: str) -> list[str]:
    """Each of them, or of the lines of a file given as @FILE; # begins a remark. All that are wrong are named."""
    entries: list[str] = []
    wrong: list[str] = []
    for one in written:
        lines = [(one, "")]
        if one.startswith("@"):
            path = Path(one[1:])
            try:
                text, _ = decode(path.read_bytes(), str(path))
            except OSError as error:
                raise CommandError(f"{path}: can't be read: {error.strerror or error}") from None
            text = text.removeprefix("\ufeff")
            lines = [(line.partition("#")[0].strip(), f"{path}:{at}: ") for at, line in enumerate(text.splitlines(), 1)]
        for line, where in lines:
            if line or not where:
                try:
                    entries.append(_entry(line, region))
                except ValueError as error:
                    wrong.append(f"{where}{error}")
    if len(wrong) == 1:
        raise CommandError(f"{wrong[0]}; nothing was changed")
    if wrong:
        more = [f"and {len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
        raise CommandError("\n".join([*wrong[:NAMED], *more, "nothing was changed"]))
    return list(dict.fromkeys(entries))


def _entry(written: str, region: str) -> str:
    """A whole number may be written as at home; a pattern begins with its country."""
    if written.lstrip().startswith("+") or is_pattern(written):
        return entry(written)
    return to_e164(written, region)
