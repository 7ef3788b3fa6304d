"""Databases for tests of the store: a file of SQLite's, and one of a PostgreSQL that the test session starts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from peer_process import PeerFailed
from postgres import Postgres, programs

from ocm_cti.store.transactions import Store

_TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for this session (and worker); its absence is a skip, or with OCM_PEERS=required a failure."""
    required = os.environ.get("OCM_PEERS") == "required"
    if programs() is None:
        reason = "postgresql is not installed (apt-get install postgresql)"
        if required:
            pytest.fail(f"OCM_PEERS=required, but {reason}", pytrace=False)
        pytest.skip(reason)
    try:
        running = Postgres.start()
    except PeerFailed as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of a database from which others are made: copying it is faster than migrating each."""
    postgres.sql(f"CREATE DATABASE {_TEMPLATE}")
    Store.open(postgres.url(_TEMPLATE)).close()
    return _TEMPLATE


@pytest.fixture
def postgres_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    """A fresh database, of this version already."""
    name = f"test_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """What ``Store.open`` takes: the test runs on each."""
    if request.param == "sqlite":
        return tmp_path / "ocm.db"
    url: str = request.getfixturevalue("postgres_url")
    return url
