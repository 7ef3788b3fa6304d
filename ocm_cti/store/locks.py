"""Locks on what is not a row, for PostgreSQL, where others write at the same time; on SQLite everybody has them.

They are held to the end of the transaction. What they protect must be read after they were got: at READ COMMITTED a
statement sees what was committed before it began, and a lock is let go only when its holder's changes can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

#: Ours among all that use advisory locks in this database.
_OURS = 0x0C1
_PERSON = 0x0C2
_NODE = 0x0C3


def wait_for(conn: Connection, what: str) -> None:
    """Have the lock of that name, when whoever holds it has ended his transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_OURS, func.hashtext(what))))


def person(conn: Connection, numbers: Iterable[str]) -> bool:
    """Whether nobody else is at this moment claiming whoever has these numbers; never waits."""
    if conn.dialect.name != "postgresql":
        return True
    return all(
        conn.execute(select(func.pg_try_advisory_xact_lock(_PERSON, func.hashtext(number)))).scalar_one()
        for number in sorted(set(numbers))
    )


def be_the_only(conn: Connection, node: str) -> bool:
    """Whether no other session says that it is this node; held until the session ends."""
    return bool(conn.execute(select(func.pg_try_advisory_lock(_NODE, func.hashtext(node)))).scalar_one())
