"""Stop lists: who is not to be called, whatever list he stands on; asked each time before somebody is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, text

from ocm_cti.domain import stop_lists
from ocm_cti.store import locks
from ocm_cti.store.pages import lowered
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


def names(conn: Connection) -> dict[str, int]:
    """How many entries each list has, by name."""
    query = select(stop_entry.c.list_name, func.count()).group_by(stop_entry.c.list_name)
    return {row[0]: int(row[1]) for row in conn.execute(query.order_by(stop_entry.c.list_name))}


def page(
    conn: Connection, list_name: str | None, search: str = "", after: str = "", limit: int = 50
) -> tuple[list[Entry], bool]:
    """So many entries behind ``after`` (an entry; "": from the first), by entry, and whether there are more.

    ``search`` is a part of an entry or of its reason. With ``list_name`` None those of all lists, where one entry may
    stand on several: then a page may be longer, so that it ends between two entries.
    """
    query = select(stop_entry).where(stop_entry.c.entry > after)
    if list_name is not None:
        query = query.where(stop_entry.c.list_name == list_name)
    if search:
        reason = lowered(conn, stop_entry.c.reason).contains(search.lower(), autoescape=True)
        query = query.where(or_(stop_entry.c.entry.contains(search, autoescape=True), reason))
    found = conn.execute(query.order_by(stop_entry.c.entry, stop_entry.c.list_name).limit(limit + 1)).all()
    more = len(found) > limit
    if more:
        last = found[limit - 1].entry
        same = query.where(stop_entry.c.entry == last).order_by(stop_entry.c.list_name)
        found = [row for row in found[:limit] if row.entry != last] + list(conn.execute(same))
    return [Entry(row.list_name, row.entry, row.reason, row.added_at) for row in found], more


def stopped(conn: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that stand on any list."""
    exact = conn.execute(_EXACT, {"numbers": list(numbers)}).scalars()
    patterns = conn.execute(_PATTERNS).scalars()
    return frozenset(exact) | stop_lists.stopped(numbers, patterns)
