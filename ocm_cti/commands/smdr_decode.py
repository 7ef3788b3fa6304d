"""``ocm smdr decode``: the lines of a file as records, or with the reason why they are none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.table import Table as Grid

from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import json_line, open_console, shown
from ocm_cti.domain.call_records import started_at
from protocols.smdr.reader import Line, Lines, Reader, Recorded, Unread
from protocols.smdr.records import Form, SmdrRecord, with_order


def decode(source: str, form: Form, encoding: str, received_on: date | None, *, as_json: bool) -> int:
    """Print every record of a file (``-``: standard input); code 2 when there is none that can be read."""
    lines = _lines(_octets(source), encoding)
    reads = list(_read(lines, form, received_on))
    read = sum(isinstance(each, Recorded) for each in reads)
    if as_json:
        for each in reads:
            print(json_line(as_object(each)))
    else:
        _print(reads)
    sys.stdout.flush()
    if reads and not read:
        raise CommandError(f"none of {len(reads)} lines is a record that can be read; the first: {_reason(reads[0])}")
    return 0


def as_object(read: Recorded | Unread) -> dict[str, Any]:
    """A line as JSON. ``ended_at`` and ``started_at`` are the PBX's local time; seconds and cost null where none is."""
    if isinstance(read, Unread):
        return {"raw": read.raw, "error": read.reason}
    record = read.record
    begun_at = _begun_at(record)
    return {
        "ended_at": record.printed_at.isoformat(timespec="minutes"),
        "started_at": None if begun_at is None else begun_at.isoformat(timespec="seconds"),
        "direction": record.direction,
        "extension": record.extension,
        "trunk": record.trunk,
        "number": record.number,
        "ddi": record.ddi,
        "text": record.text,
        "ring_s": record.ring_s,
        "duration_s": record.duration_s,
        "cost": None if record.cost is None else str(record.cost),
        "currency": record.currency,
        "account": record.account,
        "condition": record.condition,
        "raw": record.raw,
    }


def _begun_at(record: SmdrRecord) -> datetime | None:
    return started_at(record.printed_at, record.duration_s)


def _octets(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise CommandError(f"{source}: can't be read: {error.strerror or error}") from None


def _lines(octets: bytes, encoding: str) -> list[Line]:
    lines = Lines()
    try:
        return lines.feed(octets.decode(encoding, errors="replace")) + lines.finish()
    except LookupError:
        raise CommandError(f"encoding {encoding!r} is not known here") from None


def _read(lines: Sequence[Line], form: Form, received_on: date | None) -> list[Recorded | Unread]:
    """Twice: what only a later line tells (pattern, order of a date) holds for the earlier ones too."""
    learning = Reader(form)
    for line in lines:
        learning.read(line, received_on)
    reader = Reader(with_order(form, learning.decoder))
    return [read for line in lines if (read := reader.read(line, received_on)) is not None]


def _print(reads: list[Recorded | Unread]) -> None:
    console = open_console()
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("ended at", "way", "ext", "co", "number", "rang", "talked", "cost", "account", "cond"):
        grid.add_column(heading, overflow="fold")
    for each in reads:
        if isinstance(each, Recorded):
            record = each.record
            grid.add_row(
                f"{record.printed_at:%Y-%m-%d %H:%M}",
                record.direction,
                record.extension,
                record.trunk,
                record.number + (f" (to {record.ddi})" if record.ddi else "") or record.text,
                "" if record.ring_s is None else f"{record.ring_s} s",
                "" if record.duration_s is None else f"{record.duration_s} s",
                "" if record.cost is None else f"{record.cost} {record.currency}".rstrip(),
                record.account,
                record.condition,
            )
    if grid.rows:
        console.print(grid)
    for each in reads:
        if isinstance(each, Unread):
            console.print(f"not read: {shown(each.reason)}\n    {shown(each.raw)}", style="yellow", soft_wrap=True)


def _reason(read: Recorded | Unread) -> str:
    return read.reason if isinstance(read, Unread) else ""
