"""Who may use the panel and the API: accounts, sessions, tokens, requests that are done once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ocm_cti.domain.access import Role, Scope
from ocm_cti.store import accounts, idempotency, sessions, tokens
from ocm_cti.store.accounts import AccountRefused
from ocm_cti.store.schema import api_token, panel_session
from ocm_cti.store.tokens import TokenRefused
from ocm_cti.store.transactions import Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def conn(database: Path | str) -> Iterator[Connection]:
    store = Store.open(database)
    with store._writer.begin() as connection:
        yield connection
    store.close()


def test_an_account_is_found_in_any_case_and_is_there_once(conn: Connection) -> None:
    assert not accounts.are_any(conn)
    made = accounts.add(conn, " Анна ", Role.OPERATOR, "hash", T0, lists=["staff"])
    assert accounts.find(conn, "АННА") == made
    assert (made.name, made.lists, made.must_change) == ("анна", frozenset({"staff"}), True)
    with pytest.raises(AccountRefused, match="already"):
        accounts.add(conn, "анна", Role.ADMIN, "hash", T0)
    assert accounts.are_any(conn)


@pytest.mark.parametrize("name", ["", "   ", "a" * 101, "a\nb"])
def test_a_name_that_is_none_is_refused(conn: Connection, name: str) -> None:
    with pytest.raises(AccountRefused, match="1 to 100"):
        accounts.add(conn, name, Role.ADMIN, "hash", T0)


def test_wrong_passwords_close_an_account_longer_and_longer(conn: Connection) -> None:
    made = accounts.add(conn, "anna", Role.ADMIN, "hash", T0)
    closed = [accounts.failed(conn, made.account_id, T0) for _ in range(8)]
    assert closed[:4] == [None] * 4
    assert closed[4:] == [T0 + timedelta(seconds=wait) for wait in (5, 10, 20, 40)]
    accounts.succeeded(conn, made.account_id)
    assert accounts.failed(conn, made.account_id, T0) is None


def test_one_admin_stays(conn: Connection) -> None:
    anna = accounts.add(conn, "anna", Role.ADMIN, "hash", T0)
    with pytest.raises(AccountRefused, match="one admin"):
        accounts.set_access(conn, anna.account_id, role=Role.ADMIN, lists=(), disabled=True, now=T0)


def test_a_session_is_known_by_its_token_until_it_idles_or_its_account_is_closed(conn: Connection) -> None:
    anna = accounts.add(conn, "anna", Role.ADMIN, "hash", T0)
    token = sessions.begin(conn, anna.account_id, T0, "127.0.0.1", "a browser" * 100)
    found = sessions.find(conn, token, T0 + timedelta(hours=11))
    assert found is not None and found[1] == anna
    assert sessions.find(conn, token + "x", T0) is None
    assert sessions.find(conn, token, T0 + timedelta(hours=13)) is None
    sessions.seen(conn, found[0].session_id, T0 + timedelta(hours=11))
    assert sessions.find(conn, token, T0 + timedelta(hours=13)) is not None
    stored = conn.execute(select(panel_session.c.token_hash)).scalar()
    assert stored != token, "a stolen ledger must open nothing"
    accounts.add(conn, "boris", Role.ADMIN, "hash", T0)
    accounts.set_access(conn, anna.account_id, role=Role.ADMIN, lists=(), disabled=True, now=T0)
    assert sessions.find(conn, token, T0 + timedelta(hours=11)) is None


def test_log_out_everywhere(conn: Connection) -> None:
    anna = accounts.add(conn, "anna", Role.ADMIN, "hash", T0)
    here, there, elsewhere = (sessions.begin(conn, anna.account_id, T0, "", "") for _ in range(3))
    kept = sessions.find(conn, here, T0)
    assert kept is not None
    assert sessions.end_all(conn, anna.account_id, but=kept[0].session_id) == 2
    assert [sessions.find(conn, token, T0) is None for token in (here, there, elsewhere)] == [False, True, True]
    sessions.end(conn, here)
    assert sessions.of_account(conn, anna.account_id) == []


def test_a_token_works_until_it_is_revoked(conn: Connection) -> None:
    secret, made = tokens.make(conn, "billing", Scope.OPERATE, "anna", T0)
    assert tokens.find(conn, secret) == made
    assert secret.startswith(made.prefix) and len(made.prefix) < 12
    assert conn.execute(select(api_token.c.token_hash)).scalar() != secret
    tokens.used(conn, made.token_id, T0)
    tokens.revoke(conn, made.token_id, T0)
    assert tokens.find(conn, secret) is None
    with pytest.raises(TokenRefused):
        tokens.revoke(conn, made.token_id, T0)
    assert [one.revoked_at for one in tokens.everyone(conn)] == [T0]


def test_a_request_is_remembered_with_its_answer_for_two_days(conn: Connection) -> None:
    assert idempotency.take(conn, "token:1", "k", "digest", T0) is None
    earlier = idempotency.take(conn, "token:1", "k", "digest", T0)
    assert earlier == idempotency.Earlier("digest", None)
    idempotency.answered(conn, "token:1", "k", {"status": 201, "body": {}})
    earlier = idempotency.take(conn, "token:1", "k", "other", T0)
    assert earlier == idempotency.Earlier("digest", {"status": 201, "body": {}})
    assert idempotency.take(conn, "token:2", "k", "digest", T0) is None, "another caller's key is another key"
    idempotency.forget(conn, "token:2", "k")
    assert idempotency.take(conn, "token:2", "k", "digest", T0) is None
    assert idempotency.take(conn, "token:1", "k", "digest", T0 + timedelta(days=3)) is None
