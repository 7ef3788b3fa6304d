"""What can be wrong with the database, as one line for the person who runs the server."""

from __future__ import annotations

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError


class StoreError(Exception):
    """The database can't be opened, migrated or written; the text names it and says why."""


def may_pass(error: Exception) -> bool:
    """Whether it was the database that could not (link, lock, disk): the same may succeed later.

    What it refused for what it is, as a text that is too long, it refuses again.
    """
    return isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError | ProgrammingError)
