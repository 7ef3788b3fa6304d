"""The name of a server among those of one PostgreSQL: a lock that its own session holds as long as it lives.

The session ends with its link, as when the database is restarted. Then the name is taken again; meanwhile, and while
somebody else has it, calls go on: they are no less ours.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DatabaseError
from twisted.logger import Logger

from ocm_cti.store import locks


class NodeName:
    """``keep`` is for one thread; the others may make links on ``engine`` meanwhile."""

    def __init__(self, engine: Engine, name: str, place: str) -> None:
        self._engine = engine
        self._name = name
        self._place = place
        self._log = Logger()
        self._session: Connection | None = None
        self._is_ours = False
        self._in_doubt = False
        self._told = False

    def take(self) -> bool:
        """Once, at first. False: another server has it."""
        self._look()
        event.listen(self._engine, "connect", self._link_made)
        return self._is_ours

    def keep(self) -> None:
        """After a transaction: where a new link was made, the one before may have broken, and our session with it."""
        if not self._in_doubt:
            return
        try:
            self._look()
        except Exception:  # the transaction was committed, whatever this is
            self._log.failure(
                "{place}: whether this server is {name} still is not known", place=self._place, name=self._name
            )
            return
        self._in_doubt = not self._is_ours  # then it is tried again
        if self._told != self._is_ours:
            return
        self._told = not self._is_ours
        if self._is_ours:
            self._log.info("{place}: this server is {name} again", place=self._place, name=self._name)
        else:
            self._log.error(
                "{place}: another server has come to work as {name}; end one of them, for each takes the other's calls "
                "for what a crash has left",
                place=self._place,
                name=self._name,
            )

    def release(self) -> None:
        """Its session ends, and with it the lock."""
        if self._session is not None:
            self._session.invalidate()
            self._session.close()
            self._session = None
        self._is_ours = False

    def _link_made(self, connection: object, record: object) -> None:
        self._in_doubt = True

    def _look(self) -> None:
        if self._session is None or not _is_up(self._session):
            self.release()
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._is_ours:
            self._is_ours = locks.be_the_only(self._session, self._name)


def _is_up(session: Connection) -> bool:
    try:
        session.exec_driver_sql("SELECT 1")
    except DatabaseError:
        return False
    return True
