"""Prepared lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Connection, insert, select, update

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


def names(conn: Connection) -> list[str]:
    """Of all lists, in the order of the alphabet."""
    return list(conn.execute(select(prepared_list.c.name).order_by(prepared_list.c.name)).scalars())


def no_such(conn: Connection, name: str) -> str:
    """What to tell who named a list that there is not: those that there are, the likeliest first."""
    known = names(conn)
    near = get_close_matches(name, known)
    there = [*near, *(one for one in known if one not in near)]
    return f"there is no list {name} (there are: {', '.join(there) or 'none'})"


def mapping(conn: Connection, name: str) -> dict[str, str]:
    """What the user has said of the columns of its files: heading -> field; {} when there is no such list."""
    found = conn.execute(select(prepared_list.c.mapping).where(prepared_list.c.name == name)).scalar()
    return dict(found or {})


def remember_mapping(conn: Connection, list_id: int, said: Mapping[str, str]) -> None:
    """In place of what was remembered."""
    conn.execute(update(prepared_list).where(prepared_list.c.id == list_id).values(mapping=dict(said)))
