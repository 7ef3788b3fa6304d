"""Who did what that somebody may ask about later: written in the transaction of the deed itself, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from ocm_cti.store.schema import audit


@dataclass(frozen=True)
class Entry:
    """``deed`` is a code as ``campaign.override``; ``subject`` what it was done to; ``details`` what belongs to it."""

    at: datetime
    who: str
    deed: str
    subject: str
    details: Mapping[str, object]


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


def entries(conn: Connection, limit: int = 1000) -> list[Entry]:
    """The last ones, newest first."""
    rows = conn.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [Entry(row.at, row.who, row.deed, row.subject, row.details) for row in rows]
