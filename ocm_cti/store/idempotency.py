"""Requests that are done once however often they are sent: what the first was answered, the others are answered too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ocm_cti.store import locks
from ocm_cti.store.schema import idempotency_key

#: After that the same key is a new request.
KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Earlier:
    """A request of the same key. ``answer`` None: it is still being done, or died in the middle."""

    request: str
    answer: Mapping[str, Any] | None


def take(conn: Connection, caller: str, key: str, request: str, now: datetime) -> Earlier | None:
    """Remember that ``request`` (a digest) is being done; gives the earlier one of this key, None: it is the first."""
    locks.wait_for(conn, "idempotency keys")
    conn.execute(delete(idempotency_key).where(idempotency_key.c.created_at < now - KEPT))
    row = conn.execute(
        select(idempotency_key).where(idempotency_key.c.caller == caller, idempotency_key.c.key == key)
    ).first()
    if row is not None:
        return Earlier(row.request, row.answer)
    conn.execute(insert(idempotency_key).values(caller=caller, key=key, request=request, created_at=now))
    return None


def answered(conn: Connection, caller: str, key: str, answer: Mapping[str, Any]) -> None:
    conn.execute(
        update(idempotency_key)
        .where(idempotency_key.c.caller == caller, idempotency_key.c.key == key)
        .values(answer=dict(answer))
    )


def forget(conn: Connection, caller: str, key: str) -> None:
    """It was not done: the same key may try again."""
    conn.execute(delete(idempotency_key).where(idempotency_key.c.caller == caller, idempotency_key.c.key == key))
