"""Who may use the panel, and what a wrong password costs. Passwords come here as hashes only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ocm_cti.domain.access import Role, wait_s
from ocm_cti.store import locks
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import account


class AccountRefused(StoreError):
    """What is asked for can't be done with the account; the text says why."""


@dataclass(frozen=True)
class Account:
    """``lists``: names of those he may see; empty: all. ``closed_until`` (aware) after too many wrong passwords."""

    account_id: int
    name: str
    role: Role
    lists: frozenset[str]
    password_hash: str
    must_change: bool
    language: str
    disabled: bool
    created_at: datetime
    closed_until: datetime | None


def folded(name: str) -> str:
    """Anna and ANNA are one user."""
    return name.strip().casefold()


def add(
    conn: Connection,
    name: str,
    role: Role,
    password_hash: str,
    now: datetime,
    *,
    lists: Collection[str] = (),
    must_change: bool = True,
) -> Account:
    """Raises AccountRefused when there is one of that name, or it is none."""
    wanted = folded(name)
    if not wanted or len(wanted) > 100 or not wanted.isprintable():
        raise AccountRefused("a user's name has 1 to 100 letters")
    locks.wait_for(conn, "account names")
    if find(conn, wanted) is not None:
        raise AccountRefused(f"there is a user {wanted} already")
    values = {
        "name": wanted,
        "role": role.value,
        "lists": sorted(lists),
        "password_hash": password_hash,
        "must_change": must_change,
        "created_at": now,
    }
    return _account(conn.execute(insert(account).values(values).returning(account)).one())


def find(conn: Connection, name: str) -> Account | None:
    row = conn.execute(select(account).where(account.c.name == folded(name))).first()
    return None if row is None else _account(row)


def by_id(conn: Connection, account_id: int) -> Account | None:
    row = conn.execute(select(account).where(account.c.id == account_id)).first()
    return None if row is None else _account(row)


def everybody(conn: Connection) -> list[Account]:
    """By name."""
    return [_account(row) for row in conn.execute(select(account).order_by(account.c.name))]


def are_any(conn: Connection) -> bool:
    return conn.execute(select(account.c.id).limit(1)).first() is not None


def set_password(conn: Connection, account_id: int, password_hash: str, *, must_change: bool) -> None:
    """It opens a closed account as well."""
    values = {"password_hash": password_hash, "must_change": must_change, "failures": 0, "closed_until": None}
    _change(conn, account_id, values)


def set_language(conn: Connection, account_id: int, language: str) -> None:
    _change(conn, account_id, {"language": language})


def set_access(
    conn: Connection, account_id: int, *, role: Role, lists: Collection[str], disabled: bool, now: datetime
) -> None:
    """Raises AccountRefused when nobody would be left who may administer."""
    locks.wait_for(conn, "account names")
    _change(conn, account_id, {"role": role.value, "lists": sorted(lists), "disabled": disabled})
    left = select(func.count()).where(account.c.role == Role.ADMIN.value, ~account.c.disabled)
    if conn.execute(left).scalar() == 0:
        raise AccountRefused("there must be one admin left who can log in")


def failed(conn: Connection, account_id: int, now: datetime) -> datetime | None:
    """A wrong password was given; gives until when the account is closed for it, None: it isn't."""
    failures = conn.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(failures=account.c.failures + 1)
        .returning(account.c.failures)
    ).scalar_one()
    closed_s = wait_s(failures)
    closed_until = now + timedelta(seconds=closed_s) if closed_s else None
    _change(conn, account_id, {"closed_until": closed_until})
    return closed_until


def succeeded(conn: Connection, account_id: int) -> None:
    _change(conn, account_id, {"failures": 0, "closed_until": None})


def _change(conn: Connection, account_id: int, values: dict[str, object]) -> None:
    if conn.execute(update(account).where(account.c.id == account_id).values(values)).rowcount != 1:
        raise AccountRefused("there is no such user any more")


def _account(row: Row[Any]) -> Account:
    plain = row._mapping
    return Account(
        account_id=plain["id"],
        name=plain["name"],
        role=Role(plain["role"]),
        lists=frozenset(plain["lists"]),
        password_hash=plain["password_hash"],
        must_change=plain["must_change"],
        language=plain["language"],
        disabled=plain["disabled"],
        created_at=plain["created_at"],
        closed_until=plain["closed_until"],
    )
