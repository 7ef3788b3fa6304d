"""One life of the server in memory: the real dialer and the real store, killed at a commit, a send or a moment.

When it is dead nothing of it has any effect: its timers don't run, its jobs don't commit, its calls don't leave. What
it wrote is what the next life finds in the file.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fire_switch import FireGateway, Switch
from sqlalchemy import Connection, event
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from ocm_cti.dialer import Dialer
from ocm_cti.domain.fragments import Fragment
from ocm_cti.store.transactions import Store, _Job

#: Where a life may end, besides at a moment.
PLACES = ("before commit", "after commit", "before send", "after send")
LOCKED = "database is locked"
FULL = "database or disk is full"


class Killed(BaseException):
    """kill -9: nothing of ours runs any more."""


class Broken(AssertionError):
    """The product did what it must never do."""


class LifeClock:
    """The world's clock, as long as the server lives."""

    def __init__(self, clock: Clock, life: Life) -> None:
        self._clock, self._life = clock, life
        self.calls: list[Any] = []

    def seconds(self) -> float:
        return float(self._clock.seconds())

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        def run() -> None:
            if self._life.alive:
                call(*args, **named)

        self.calls = [each for each in self.calls if each.active()]
        self.calls.append(self._clock.callLater(delay, run))
        return self.calls[-1]

    def forget(self) -> None:
        for call in self.calls:
            if call.active():
                call.cancel()


class FireStore(Store):
    """The store as it is, its threads' loops played by timers: the same groups, savepoints and commits, one thread."""

    def __init__(self, path: Path, life: Life) -> None:
        super().__init__(path, life)
        self.life = life
        self.waiting: list[_Job] = []
        self.asked = False
        self.fault = ""
        event.listen(self._writer, "begin", self._begin)
        event.listen(self._writer, "commit", self._committing)
        event.listen(self._writer, "before_cursor_execute", self._executing)

    def run(self, job: Callable[[Connection], Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.waiting.append(_Job(job, lambda value: self._fire(done, value)))
        if not self.asked:
            self.asked = True
            self.life.clock.callLater(self.life.slowness_s(), self._flush)
        return done

    def read(self, job: Callable[[Connection], Any]) -> Deferred[Any]:
        try:
            return succeed(self.read_now(job))
        except Exception:
            return fail()

    def _fire(self, done: Deferred[Any], value: Any) -> None:
        # From the writer's thread to the reactor's: what others asked meanwhile may come before.
        self.life.clock.callLater(0, done.callback, value)

    def _flush(self) -> None:
        self.asked = False
        group, self.waiting = self.waiting, []
        self._commit(group)
        self.life.burn("after commit")

    def _begin(self, conn: Connection) -> None:
        self.life.must_live()
        if self.fault == LOCKED:
            raise sqlite3.OperationalError(LOCKED)

    def _executing(self, conn: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if self.fault == FULL and statement.startswith(("INSERT", "UPDATE")) and self.life.rng.random() < 0.5:
            # SQLite then rolls the whole transaction back by itself.
            raw: Any = conn.connection.dbapi_connection
            raw.execute("ROLLBACK")
            raise sqlite3.OperationalError(FULL)

    def _committing(self, conn: Connection) -> None:
        self.life.burn("before commit")
        if self.fault == "disk I/O error":
            raise sqlite3.OperationalError("disk I/O error")

    def abandon(self) -> None:
        self._dispose()


class FirePrompts:
    """Every prompt is a second; some take their time, some can't be made."""

    def __init__(self, life: Life, path: Path) -> None:
        self.life, self.path = life, path

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]:
        rng = self.life.rng
        wanted = list(fragments)
        made: Deferred[dict[Fragment, Path]] = Deferred()
        storm = not self.life.switch.calm
        if storm and rng.random() < 0.03:
            return fail(RuntimeError("the synthesizer died"))
        after_s = rng.choice((5.0, 40.0)) if storm and rng.random() < 0.1 else 0.0
        self.life.clock.callLater(after_s, made.callback, dict.fromkeys(wanted, self.path))
        return made


class Life:
    """From its start to its death; ``fuse`` is (place, count): where it dies."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        now: Callable[[], datetime],
        switch: Switch,
        gateways: dict[str, list[str]],
        rng: random.Random,
        fuse: tuple[str, int] | None,
        broken: Callable[[str], None],
    ) -> None:
        self.alive = True
        self.rng, self.switch, self.now, self.fuse, self.broken = rng, switch, now, fuse, broken
        self.counts = dict.fromkeys(PLACES, 0)
        self.clock = LifeClock(clock, self)
        self.store = FireStore(folder / "ocm.db", self)
        self.gateways = [FireGateway(name, ports, switch, self) for name, ports in gateways.items()]
        self.dialer = Dialer(
            self.store,
            self.gateways,  # type: ignore[arg-type]
            FirePrompts(self, folder / "second.alaw"),
            folder,
            self.clock,
            now,
            "fire",
        )
        self.starting = self.dialer.start()
        self.starting.addErrback(
            lambda failure: self.clock.callLater(0, self.die)
        )  # the process ends; systemd restarts

    def slowness_s(self) -> float:
        """How long a job waits for its commit."""
        return self.rng.choice((0.0, 0.0, 0.001, 0.05)) if self.switch.calm or self.rng.random() < 0.95 else 4.0

    def burn(self, place: str) -> None:
        self.must_live()
        self.counts[place] += 1
        if self.fuse == (place, self.counts[place]):
            self.die()
            raise Killed(place)

    def must_live(self) -> None:
        if not self.alive:
            raise Killed("dead already")

    def die(self) -> None:
        if self.alive:
            self.alive = False
            self.clock.forget()
            self.switch.server_died()

    @property
    def idle(self) -> bool:
        """Nothing is going on but the dialer's own looking."""
        return not self.store.waiting and not self.dialer.calls_up and all(each.link_up for each in self.gateways)


def wall(start: datetime, clock: Clock, jumped: Callable[[], timedelta]) -> Callable[[], datetime]:
    return lambda: start + timedelta(seconds=float(clock.seconds())) + jumped()
