"""Tokens of the API: 32 random octets, of which only the hash is kept and a prefix is shown."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ocm_cti.domain.access import Scope
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import LARGEST_ID, api_token
from ocm_cti.store.sessions import digest

#: So that a token is known for one when it lies about somewhere.
MARK = "ocm_"
#: ``used_at`` is written no oftener than this.
USED_EVERY = timedelta(minutes=1)


class TokenRefused(StoreError):
    """The token can't be made or revoked; the text says why."""


@dataclass(frozen=True)
class Token:
    """``revoked_at`` None: it works."""

    token_id: int
    name: str
    prefix: str
    scope: Scope
    made_by: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def make(conn: Connection, name: str, scope: Scope, made_by: str, now: datetime) -> tuple[str, Token]:
    """The token itself, which is nowhere to be had later, and what is kept of it."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise TokenRefused("a token has a name of 1 to 100 letters: which system uses it?")
    secret = MARK + secrets.token_urlsafe(32)
    values = {
        "name": name.strip(),
        "prefix": secret[:10],
        "token_hash": digest(secret),
        "scope": scope.value,
        "made_by": made_by,
        "created_at": now,
    }
    return secret, _token(conn.execute(insert(api_token).values(values).returning(api_token)).one())


def find(conn: Connection, secret: str) -> Token | None:
    """None: it is none of ours, or revoked."""
    row = conn.execute(select(api_token).where(api_token.c.token_hash == digest(secret))).first()
    return None if row is None or row.revoked_at is not None else _token(row)


def used(conn: Connection, token_id: int, now: datetime) -> None:
    conn.execute(update(api_token).where(api_token.c.id == token_id).values(used_at=now))


def revoke(conn: Connection, token_id: int, now: datetime) -> Token:
    """It works no more. Raises TokenRefused when there is none, or it is revoked already."""
    if token_id > LARGEST_ID:
        raise TokenRefused("there is no such token that works")
    row = conn.execute(
        update(api_token)
        .where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_token)
    ).first()
    if row is None:
        raise TokenRefused("there is no such token that works")
    return _token(row)


def everyone(conn: Connection) -> list[Token]:
    """The newest first, revoked ones too."""
    return [_token(row) for row in conn.execute(select(api_token).order_by(api_token.c.id.desc()))]


def _token(row: Row[Any]) -> Token:
    plain = row._mapping
    return Token(
        plain["id"],
        plain["name"],
        plain["prefix"],
        Scope(plain["scope"]),
        plain["made_by"],
        plain["created_at"],
        plain["used_at"],
        plain["revoked_at"],
    )
