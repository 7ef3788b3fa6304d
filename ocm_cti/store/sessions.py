"""Who is logged in to the panel. Of a session's token only the hash is kept: a stolen ledger opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ocm_cti.store import accounts
from ocm_cti.store.accounts import Account
from ocm_cti.store.schema import panel_session

#: Nobody was seen for so long: the session is over.
IDLE = timedelta(hours=12)
#: ``seen_at`` is written no oftener than this: a page a second must not be a write a second.
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Session:
    """One browser where somebody is logged in."""

    session_id: int
    account_id: int
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(conn: Connection, account_id: int, now: datetime, address: str, agent: str) -> str:
    """Gives the token that the browser keeps. Sessions that are over are cleared away."""
    conn.execute(delete(panel_session).where(panel_session.c.seen_at < now - IDLE))
    token = secrets.token_urlsafe(32)
    conn.execute(
        insert(panel_session).values(
            account_id=account_id,
            token_hash=digest(token),
            created_at=now,
            seen_at=now,
            address=address[:60],
            agent=agent[:200],
        )
    )
    return token


def find(conn: Connection, token: str, now: datetime) -> tuple[Session, Account] | None:
    """Whose it is; None when it is over, unknown, or its account is disabled."""
    row = conn.execute(select(panel_session).where(panel_session.c.token_hash == digest(token))).first()
    if row is None or row.seen_at < now - IDLE:
        return None
    account = accounts.by_id(conn, row.account_id)
    return None if account is None or account.disabled else (_session(row), account)


def seen(conn: Connection, session_id: int, now: datetime) -> None:
    conn.execute(update(panel_session).where(panel_session.c.id == session_id).values(seen_at=now))


def of_account(conn: Connection, account_id: int) -> list[Session]:
    """The one seen last first."""
    query = (
        select(panel_session).where(panel_session.c.account_id == account_id).order_by(panel_session.c.seen_at.desc())
    )
    return [_session(row) for row in conn.execute(query)]


def end(conn: Connection, token: str) -> None:
    conn.execute(delete(panel_session).where(panel_session.c.token_hash == digest(token)))


def end_all(conn: Connection, account_id: int, but: int | None = None) -> int:
    """Log him out everywhere, except in the session ``but``; gives how many were ended."""
    query = delete(panel_session).where(panel_session.c.account_id == account_id)
    if but is not None:
        query = query.where(panel_session.c.id != but)
    return int(conn.execute(query).rowcount)


def _session(row: Row[Any]) -> Session:
    plain = row._mapping
    return Session(
        plain["id"], plain["account_id"], plain["created_at"], plain["seen_at"], plain["address"], plain["agent"]
    )
