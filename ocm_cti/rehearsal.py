"""A dry run: the real list through the real dialer and a switch that is only imagined, on a clock that jumps.

What is true of it: who is called when, on which number, how the retries, hours, caps, stop lists, priorities and lines
play together, and when it is over; nothing is dialled. What is assumed is the people: ``People`` says how many answer,
and is printed with the result. It works on a copy of the ledger that is thrown away.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, maybeDeferred, succeed

from ocm_cti.dialer import Dialer
from ocm_cti.domain.fragments import Beep, Fragment, Recording
from ocm_cti.imagined import ImaginedGateway, JumpingClock
from ocm_cti.speech.words import sentence
from ocm_cti.store import campaigns, tasks
from ocm_cti.store.transactions import Connection, Store

T = TypeVar("T")

#: A campaign that is not over by then will not be.
LONGEST = timedelta(days=60)
#: How fast a synthesizer speaks, in signs a second.
SIGNS_PER_S = 13.0
#: Lengths of prompts are rounded up to this, so that a few files serve for all.
STEP_MS = 250
OCTETS_PER_MS = 8
#: How often it is told how far it is, and how many steps of the clock are one transaction.
TOLD_EVERY_S = 1.0
STEPS = 1000


@dataclass
class Rehearsed:
    """What came of it. ``calls`` counts the calls by the hour in which they began, ``busy_s`` is that of all lines."""

    campaign_id: int
    began_at: datetime
    ended_at: datetime
    finished: bool
    counts: tasks.Counts
    calls: Counter[datetime] = field(default_factory=Counter)
    busy_s: float = 0.0
    lines: int = 0


class SameThreadStore:
    """The real store, its jobs run at once: on a clock that jumps nothing may happen beside it.

    Its ledger is thrown away, so nothing of it has to reach the disk: many jobs are one transaction (``together``).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: Connection | None = None

    def run(self, job: Callable[[Connection], T]) -> Deferred[T]:
        return maybeDeferred(self.now, job)

    def read(self, job: Callable[[Connection], T]) -> Deferred[T]:
        return maybeDeferred(self.now, job)

    def now(self, job: Callable[[Connection], T]) -> T:
        if self._conn is None:
            return self._store.run_now(job)
        with self._conn.begin_nested():
            return job(self._conn)

    def together(self, work: Callable[[], None]) -> None:
        """Every job that ``work`` asks for, in one transaction."""

        def job(conn: Connection) -> None:
            self._conn = conn
            try:
                work()
            finally:
                self._conn = None

        self._store.run_now(job)


class SilentPrompts:
    """Files of the length that the prompt would have, with nothing in them (they take no room on the disk)."""

    def __init__(self, folder: Path, audio: Path) -> None:
        self._folder = folder
        self._audio = audio

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]:
        return succeed({fragment: self._file(fragment) for fragment in fragments})

    def _file(self, fragment: Fragment) -> Path:
        steps = -(-self._length_ms(fragment) // STEP_MS)
        path = self._folder / f"{steps * STEP_MS}.alaw"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(steps * STEP_MS * OCTETS_PER_MS)
        return path

    def _length_ms(self, fragment: Fragment) -> int:
        if isinstance(fragment, Beep):
            return fragment.length_ms
        if isinstance(fragment, Recording):
            try:
                return int((self._audio / fragment.path_name).stat().st_size / 16)  # about: 8 kHz, 16 bit
            except OSError:
                return 3000
        return int(len(sentence(fragment)) / SIGNS_PER_S * 1000)


def rehearse(
    store: SameThreadStore,
    gateways: Sequence[ImaginedGateway],
    clock: JumpingClock,
    prompts: SilentPrompts,
    campaign_id: int,
    recordings: Path,
    progress: Callable[[datetime, tasks.Counts], None] = lambda at, counts: None,
    real_s: Callable[[], float] = time.monotonic,
) -> Rehearsed:
    """Call everybody of the campaign, which is the only one running in ``store``, until it is over or LONGEST.

    ``progress`` is told every TOLD_EVERY_S of ``real_s``.
    """
    dialer = Dialer(
        store,  # type: ignore[arg-type]
        gateways,
        prompts,
        recordings,
        clock,
        clock.now,
        "rehearsal",
    )
    dialer.start()
    told_s = real_s() - TOLD_EVERY_S

    def goes_on() -> bool:
        at_work = dialer.calls_up > 0 or campaign_id in store.now(campaigns.running)
        return at_work and clock.now() - clock.began_at < LONGEST

    def some_steps() -> None:
        nonlocal told_s
        for _ in range(STEPS):
            if not goes_on():
                return
            if real_s() - told_s >= TOLD_EVERY_S:
                told_s = real_s()
                progress(clock.now(), store.now(lambda conn: tasks.counts(conn, campaign_id)))
            clock.advance(_step_s(store, dialer, clock))

    while goes_on():
        store.together(some_steps)
    dialer.stop()
    return Rehearsed(
        campaign_id,
        clock.began_at,
        clock.now(),
        campaign_id not in store.now(campaigns.running),
        store.now(lambda conn: tasks.counts(conn, campaign_id)),
        sum((gateway.began for gateway in gateways), Counter()),
        sum(gateway.busy_s for gateway in gateways),
        sum(len(gateway.ports) for gateway in gateways),
    )


def _step_s(store: SameThreadStore, dialer: Dialer, clock: JumpingClock) -> float:
    """To the next thing that happens; over a night in one step."""
    if not dialer.calls_up:
        due_at = store.now(lambda conn: tasks.next_due_at(conn, clock.now()))
        if due_at is not None and due_at > clock.now():
            return (due_at - clock.now()) / timedelta(seconds=1)
    waiting = clock.getDelayedCalls()
    first_s = min(float(call.getTime()) for call in waiting) if waiting else clock.seconds() + 1.0  # type: ignore[misc]
    return max(first_s - clock.seconds(), 0.0)
