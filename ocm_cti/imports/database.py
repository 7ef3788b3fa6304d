"""The customer's own database as a list: a SELECT gives its people, an UPDATE may take back what came of them.

His table is his: it is only read, but for the one statement that he wrote himself. This is the one place outside of
``store`` that speaks SQL, because it is not our ledger that it speaks to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ocm_cti.domain.sources import RESULT_FIELDS, Source
from ocm_cti.imports.columns import NoNumberColumn, map_columns
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Row, Table

#: dialect -> what to install for it, where SQLAlchemy's own name does not say so
_PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "cx_Oracle": "oracledb",
}
#: Databases that say what an UPDATE would do without doing it: EXPLAIN UPDATE ...
_EXPLAINED = ("sqlite", "postgresql", "mysql", "mariadb")
_COLON = re.compile(r"(?<![:\\]):(?=\w)")  # to SQLAlchemy a parameter; a SELECT has none
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_select(source: Source) -> Table:
    """Whom the SELECT gives, with its columns as headings; the first row has the number 1. Raises ImportFailed.

    Blocks until it is read: not for the reactor's thread.
    """
    with _connected(source) as connection:
        result = connection.execution_options(stream_results=True).execute(text(_COLON.sub(r"\:", source.select)))
        header = tuple(result.keys())
        rows = [Row(number, tuple(_text(value) for value in row)) for number, row in enumerate(result, 1)]
    try:
        map_columns(header)
    except NoNumberColumn:
        raise ImportFailed(
            f"select: no column of telephone numbers among {', '.join(header)}; name it so: SELECT tel AS phone"
        ) from None
    return Table(header, rows)


def write_back(source: Source, results: Sequence[Mapping[str, object]]) -> list[str]:
    """Run the UPDATE once for each result, all in one transaction; gives the keys of which it found nobody.

    Raises ImportFailed with nothing written. Blocks: not for the reactor's thread.
    """
    unknown = []
    with _connected(source) as connection:
        statement = text(source.write_back)
        for result in results:
            if connection.execute(statement, dict(result)).rowcount == 0:
                unknown.append(str(result["key"]))
        connection.commit()
    return unknown


def try_write_back(source: Source, key: str) -> bool:
    """Ask the database how it would run the UPDATE for ``key``, without running it; False: it can't be asked that.

    Raises ImportFailed where a table, a column or a right is missing. Blocks: not for the reactor's thread.
    """
    with _connected(source) as connection:
        if connection.dialect.name not in _EXPLAINED:
            return False
        connection.execute(text(f"EXPLAIN {source.write_back}"), {**dict.fromkeys(RESULT_FIELDS), "key": key})
        connection.rollback()
    return True


@contextmanager
def _connected(source: Source) -> Iterator[Connection]:
    try:
        url = make_url(_from_environment(source.url))
    except ArgumentError:
        raise ImportFailed("url: is no URL of a database, as postgresql+psycopg://user:${PASSWORD}@host/name") from None
    shown = url.render_as_string(hide_password=True)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not file.startswith("file:") and not Path(file).exists():
        raise ImportFailed(f"{shown}: there is no such file")  # SQLite would make an empty one
    try:
        engine = create_engine(url, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(error.name or "", error.name)
        raise ImportFailed(f"{shown}: its driver is not installed: pip install '{package}'") from None
    except NoSuchModuleError:
        raise ImportFailed(f"{shown}: SQLAlchemy knows no such kind of database") from None
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise ImportFailed(f"{shown}: {reason}") from None


def _from_environment(url: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ImportFailed(f"url: ${{{found[1]}}} is not set in the environment of this process")
        return _quoted(os.environ[found[1]])

    return _ENVIRONMENT.sub(value, url)


def _quoted(value: str) -> str:
    """A password may hold any sign; in a URL some of them mean something."""
    return "".join(
        sign if sign.isalnum() or sign in "-._~" else "".join(f"%{o:02X}" for o in sign.encode()) for sign in value
    )


def _text(value: object) -> str:
    """As it would stand in a file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y}" if value.time() == time(0) else f"{value:%d.%m.%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return str(value).strip()
