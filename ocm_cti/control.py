"""What the panel, the live table and the API may ask of a running dialer: snapshots out, commands in.

A snapshot is immutable and made on the reactor; any thread may read the last one (``Control.latest``) without a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Protocol
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred

from ocm_cti.dialer import Dialer, Line
from ocm_cti.gateways.interface import Gateway, Health
from ocm_cti.store import campaigns, pages, tasks
from ocm_cti.store.transactions import Connection, Store


@dataclass(frozen=True)
class CampaignProgress:
    """How far a campaign is. ``outcomes`` counts the finished tasks by outcome value; ``done`` is their sum."""

    campaign_id: int
    name: str
    total: int
    done: int
    calling: int
    outcomes: Mapping[str, int]
    running: bool = True
    waits: str = ""  # what the next of those who wait is waiting for, and until when (on the clock of its list)
    state: str = "running"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    test: bool = False
    paused_why: str = ""
    waits_for: str = ""  # the same as in ``waits``: a code of ``domain.why_not``
    waits_until_at: datetime | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything the monitor shows at one moment."""

    taken_at: datetime
    lines: Sequence[Line]
    campaigns: Sequence[CampaignProgress]
    health: Mapping[str, Health]


class Beside(Protocol):
    """A way to a switch beside its gateway, as the one on which its call records come."""

    @property
    def label(self) -> str: ...

    @property
    def health(self) -> Health: ...


class Control:
    """Over one dialer; lives on the reactor. ``beside`` are shown with their health beside the gateways."""

    def __init__(
        self,
        dialer: Dialer,
        store: Store,
        gateways: Sequence[Gateway],
        now: Callable[[], datetime],
        beside: Sequence[Beside] = (),
    ) -> None:
        self._beside = beside
        self._dialer = dialer
        self._store = store
        self._gateways = gateways
        self._now = now
        self._tally = Tally()
        self.latest: Snapshot | None = None

    def refresh(self) -> Deferred[Snapshot]:
        """A fresh snapshot with the last campaign of every list, kept as ``latest`` too."""

        def read(conn: Connection) -> list[CampaignProgress]:
            running = set(campaigns.running(conn))
            return [
                self._tally.progress(conn, campaign_id, campaign_id in running, self._now())
                for campaign_id in campaigns.latest(conn, tests=True)
            ]

        def publish(progress: list[CampaignProgress]) -> Snapshot:
            self.latest = Snapshot(
                taken_at=self._now(),
                lines=tuple(self._dialer.lines),
                campaigns=tuple(progress),
                health={gateway.name: gateway.health for gateway in self._gateways}
                | {line.label: line.health for line in self._beside},
            )
            return self.latest

        return self._store.read(read).addCallback(publish)


class Tally:
    """How far campaigns are, counted no oftener than is worth it. For one thread.

    Counting a million people takes a quarter of a second, in which pages wait: a campaign rests REST times as long as
    it took to count, unless its state changes. What is done does not change any more. ``clock`` gives seconds.
    """

    REST = 39

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._known: dict[int, tuple[CampaignProgress, float]] = {}  # with when it is worth counting again

    def progress(self, conn: Connection, campaign_id: int, running: bool, now: datetime) -> CampaignProgress:
        """As ``progress_of``."""
        known, rests_until_s = self._known.get(campaign_id, (None, 0.0))
        begun_s = self._clock()
        if known is not None:
            if known.state == campaigns.DONE:
                return known
            row = pages.one_campaign(conn, campaign_id)
            if begun_s < rests_until_s and row is not None and row.state == known.state:
                return known
        counted = progress_of(conn, campaign_id, running, now)
        ended_s = self._clock()
        self._known[campaign_id] = counted, ended_s + self.REST * (ended_s - begun_s)
        return counted


def progress_of(conn: Connection, campaign_id: int, running: bool, now: datetime) -> CampaignProgress:
    """How far one campaign is. Raises LookupError when there is none."""
    counts = tasks.counts(conn, campaign_id)
    hold = campaigns.held(conn, campaign_id, now) if counts.waiting else None
    waits = tasks.next_waiting(conn, campaign_id) if running and counts.waiting and not counts.calling else None
    if hold is not None and hold[0] is not None:
        waits = hold[0], hold[1]
    row = pages.one_campaign(conn, campaign_id)
    if row is None:
        raise LookupError(f"there is no campaign {campaign_id}")
    return CampaignProgress(
        campaign_id=campaign_id,
        name=row.list_name,
        total=counts.total,
        done=counts.done,
        calling=counts.calling,
        outcomes=counts.outcomes,
        running=running,
        waits=_words(
            waits, now, hold[1] if hold is not None and hold[0] is None else "", campaigns.zone(conn, campaign_id)
        ),
        state=row.state,
        started_at=row.started_at,
        ended_at=row.ended_at,
        test=row.test,
        paused_why=row.paused_why,
        waits_for="" if waits is None else waits[1],
        waits_until_at=None if waits is None else waits[0],
    )


def _words(waits: tuple[datetime, str] | None, now: datetime, paused: str, zone: str) -> str:
    if paused:
        return f"{paused}; ocm resume LIST goes on"
    if waits is None:
        return ""
    due_at, why = waits
    clock = ZoneInfo(zone) if zone else None
    there = due_at.astimezone(clock)
    day = "" if there.date() == now.astimezone(clock).date() else f"{there:%d.%m.} "
    return f"next at {day}{there:%H:%M:%S} {zone or there.tzname()} ({why})"
