"""Who did what that somebody may ask about later: written in the transaction of the deed itself, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select

from ocm_cti.store.schema import LARGEST_ID, audit


@dataclass(frozen=True)
class Entry:
    """``deed`` is a code as ``campaign.override``; ``subject`` what it was done to; ``details`` what belongs to it.

    ``entry_id``: of one that was read; later ones have larger ones.
    """

    at: datetime
    who: str
    deed: str
    subject: str
    details: Mapping[str, object]
    entry_id: int = 0


def write(conn: Connection, entry: Entry) -> None:
    conn.execute(
        insert(audit).values(
            at=entry.at, who=entry.who, deed=entry.deed, subject=entry.subject, details=dict(entry.details)
        )
    )


def last_by(conn: Connection, deed: str) -> dict[int, str]:
    """Who did this last to each campaign, by its number in the details."""
    rows = conn.execute(select(audit.c.who, audit.c.details).where(audit.c.deed == deed).order_by(audit.c.id))
    return {row.details["campaign"]: row.who for row in rows if "campaign" in row.details}


def entries(conn: Connection, limit: int = 1000, before: int | None = None, search: str = "") -> list[Entry]:
    """The last ones, newest first; ``before``: those before that one; ``search``: part of who, deed or subject."""
    query = select(audit)
    if before is not None:
        query = query.where(audit.c.id < min(before, LARGEST_ID))
    if search:
        part = search.lower()
        columns = (audit.c.who, audit.c.deed, audit.c.subject)
        query = query.where(or_(*(func.lower(column).contains(part, autoescape=True) for column in columns)))
    rows = conn.execute(query.order_by(audit.c.id.desc()).limit(limit))
    return [Entry(row.at, row.who, row.deed, row.subject, row.details, row.id) for row in rows]
