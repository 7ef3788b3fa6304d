"""Stop lists: who is not to be called, whatever list he stands on; asked each time before somebody is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from ocm_cti.domain import stop_lists
from ocm_cti.store import locks
from ocm_cti.store.schema import stop_entry

#: Spelt out, not compared with a value: only then the planner sees that the partial index serves.
_IS_PATTERN = text("stop_entry.is_pattern")
_EXACT = select(stop_entry.c.entry).where(stop_entry.c.entry.in_(bindparam("numbers", expanding=True)))
_PATTERNS = select(stop_entry.c.entry).where(_IS_PATTERN)


@dataclass(frozen=True)
class Entry:
    """``entry`` is a number (E.164) or a pattern; ``reason`` is for people."""

    list_name: str
    entry: str
    reason: str
    added_at: datetime


def add(conn: Connection, list_name: str, entries: Iterable[str], reason: str, now: datetime) -> int:
    """Put entries (``domain.stop_lists.entry``) on a list, which is made with its first; gives how many were new."""
    locks.wait_for(conn, "stop lists")
    wanted = list(dict.fromkeys(entries))
    known = set(conn.execute(select(stop_entry.c.entry).where(stop_entry.c.list_name == list_name)).scalars())
    rows = [
        {
            "list_name": list_name,
            "entry": one,
            "is_pattern": stop_lists.is_pattern(one),
            "reason": reason,
            "added_at": now,
        }
        for one in wanted
        if one not in known
    ]
    if rows:
        conn.execute(insert(stop_entry), rows)
    return len(rows)


def remove(conn: Connection, list_name: str, entries: Iterable[str]) -> int:
    """Gives how many were there."""
    gone = 0
    for one in entries:
        gone += conn.execute(
            delete(stop_entry).where(stop_entry.c.list_name == list_name, stop_entry.c.entry == one)
        ).rowcount
    return gone


def entries(conn: Connection, list_name: str | None = None) -> list[Entry]:
    """Those of one list or of all, by list and entry."""
    query = select(stop_entry).order_by(stop_entry.c.list_name, stop_entry.c.entry)
    if list_name is not None:
        query = query.where(stop_entry.c.list_name == list_name)
    return [Entry(row.list_name, row.entry, row.reason, row.added_at) for row in conn.execute(query)]


def stopped(conn: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that stand on any list."""
    exact = conn.execute(_EXACT, {"numbers": list(numbers)}).scalars()
    patterns = conn.execute(_PATTERNS).scalars()
    return frozenset(exact) | stop_lists.stopped(numbers, patterns)
