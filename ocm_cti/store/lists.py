"""Prepared lists."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from ocm_cti.store import locks
from ocm_cti.store.schema import prepared_list


def find(conn: Connection, name: str) -> int | None:
    """The list's id, or None when there is none of that name."""
    return conn.execute(select(prepared_list.c.id).where(prepared_list.c.name == name)).scalar()


def find_or_create(conn: Connection, name: str, now: datetime) -> int:
    found = find(conn, name)
    if found is None:
        locks.wait_for(conn, "list names")
        found = find(conn, name)
    if found is not None:
        return found
    return int(
        conn.execute(insert(prepared_list).values(name=name, created_at=now).returning(prepared_list.c.id)).scalar_one()
    )
