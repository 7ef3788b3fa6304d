"""``ocm calls``: what the switches wrote down about calls, and what of it belongs to no attempt."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from ocm_cti.clock import utc_now
from ocm_cti.commands.output import json_line, load_for_ledger, open_console, shown
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.store import call_records
from ocm_cti.store.call_records import KeptRecord
from ocm_cti.store.transactions import Store

UNKNOWN = "?"


def calls(config_path: Path, *, which: str, days: float | None, limit: int, as_json: bool) -> int:
    """Print the newest records: ``which`` is all, unmatched (of our extensions), others (of none of ours), unread."""
    config = load_for_ledger(config_path)
    since = None if days is None else utc_now() - timedelta(days=days)
    store = Store.open(config.database)
    kept = store.read_now(
        lambda conn: call_records.kept(
            conn,
            unmatched=which in ("unmatched", "others"),
            unread_only=which == "unread",
            since=since,
        )
    )
    store.close()
    if which in ("unmatched", "others"):
        kept = [each for each in kept if not each.record.fault and is_ours(config, each) == (which == "unmatched")]
    shown = kept[:limit]
    console = open_console()
    if as_json:
        for each in shown:
            console.out(json_line(as_object(each)), highlight=False)
        return 0
    _print(console, shown, config)
    if len(kept) > len(shown):
        console.print(f"... and {len(kept) - len(shown)} older; --limit shows more")
    return 0


def is_ours(config: Config, kept: KeptRecord) -> bool:
    """An outgoing call of one of the robot's extensions: there should be an attempt for it."""
    settings = config.gateways.get(kept.record.gateway)
    extensions = settings.extensions if isinstance(settings, PanasonicSettings) else ()
    return kept.record.direction == "out" and kept.record.extension in extensions


def as_object(kept: KeptRecord) -> dict[str, object]:
    record = kept.record
    return {
        "gateway": record.gateway,
        "source": record.source,
        "received_at": _utc(kept.received_at),
        "started_at": _utc(record.started_at),
        "ended_at": _utc(record.ended_at),
        "direction": record.direction,
        "extension": record.extension,
        "trunk": record.trunk,
        "number": record.number,
        "ring_s": record.ring_s,
        "duration_s": record.duration_s,
        "cost": None if record.cost is None else str(record.cost),
        "currency": record.currency,
        "account": record.account,
        "condition": record.condition,
        "attempt_id": kept.attempt_id,
        "name": kept.name,
        "fault": record.fault,
        "raw": record.raw,
    }


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _print(console: Console, kept: list[KeptRecord], config: Config) -> None:
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("ended at", "gateway", "way", "ext", "co", "number", "talked", "cost", "cond", "attempt", "name"):
        grid.add_column(heading, overflow="fold")
    for each in kept:
        record = each.record
        if record.fault:
            continue
        grid.add_row(
            UNKNOWN if record.ended_at is None else f"{record.ended_at.astimezone():%Y-%m-%d %H:%M}",
            record.gateway,
            record.direction,
            record.extension,
            record.trunk,
            record.number if config.show_numbers or len(record.number) < 6 else mask(record.number),
            "" if record.duration_s is None else f"{record.duration_s} s",
            "" if record.cost is None else f"{record.cost} {record.currency}".rstrip(),
            record.condition,
            "" if each.attempt_id is None else str(each.attempt_id),
            each.name,
        )
    if grid.rows:
        console.print(grid)
    for each in kept:
        if each.record.fault:
            words = f"{each.record.gateway}: not read: {shown(each.record.fault)}\n    {shown(each.record.raw)}"
            console.print(words, style="yellow", soft_wrap=True)
    if not kept:
        console.print("there are no such records")
