"""Prepared lists."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from ocm_cti.store.schema import prepared_list, subscriber


def find(conn: Connection, name: str) -> int | None:
    """The list's id, or None when there is none of that name."""
    return conn.execute(select(prepared_list.c.id).where(prepared_list.c.name == name)).scalar()


def find_or_create(conn: Connection, name: str, now: datetime) -> int:
    found = find(conn, name)
    if found is not None:
        return found
    return int(
        conn.execute(insert(prepared_list).values(name=name, created_at=now).returning(prepared_list.c.id)).scalar_one()
    )


def names(conn: Connection) -> list[tuple[int, str, int]]:
    """(id, name, number of people) of every list, by name."""
    query = (
        select(prepared_list.c.id, prepared_list.c.name, func.count(subscriber.c.id))
        .select_from(prepared_list.outerjoin(subscriber))
        .group_by(prepared_list.c.id, prepared_list.c.name)
        .order_by(prepared_list.c.name)
    )
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]
