"""What the monitor shows of one moment, for one person: pure, so that a page and the live stream show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ocm_cti.control import CampaignProgress, Snapshot
from ocm_cti.dialer import Line
from ocm_cti.domain.access import Caller
from ocm_cti.gateways.interface import Health, LinkState

#: With fewer than that it can't be told how long it will take.
ENOUGH_DONE = 5
#: Nobody is asked to wait for a guess that is further away.
LONGEST_GUESS = timedelta(days=14)


@dataclass(frozen=True)
class Row:
    """One campaign. ``ends_at``: the expected end by what was done until now; None: it can't be told."""

    progress: CampaignProgress
    ends_at: datetime | None

    @property
    def percent(self) -> int:
        return 100 * self.progress.done // self.progress.total if self.progress.total else 100


@dataclass(frozen=True)
class Picture:
    """``idle`` and ``busy`` count the lines that could call and those that do; ``links`` by the gateway's name."""

    taken_at: datetime
    rows: Sequence[Row]
    lines: Sequence[Line]
    links: Mapping[str, Health]
    idle: int
    busy: int

    @property
    def all_up(self) -> bool:
        return all(health.state is LinkState.UP for health in self.links.values())


def picture(snapshot: Snapshot, caller: Caller) -> Picture:
    """Of the lists that he may see; who is called for another list stays unnamed."""
    rows = [
        Row(progress, _ends_at(progress, snapshot.taken_at))
        for progress in snapshot.campaigns
        if caller.sees(progress.name)
    ]
    his = {row.progress.campaign_id for row in rows}
    lines = [
        line if not line.number or not caller.lists or line.campaign_id in his else replace(line, number="", name="")
        for line in snapshot.lines
    ]
    states = [line.state.name for line in snapshot.lines]
    out = states.count("OUT_OF_SERVICE")
    idle = states.count("IDLE")
    rows.sort(key=lambda row: (row.progress.state == "done", -row.progress.campaign_id))
    return Picture(snapshot.taken_at, rows, lines, snapshot.health, idle, len(states) - out - idle)


def _ends_at(progress: CampaignProgress, now: datetime) -> datetime | None:
    if progress.state != "running" or progress.done < ENOUGH_DONE or progress.started_at is None:
        return None
    spent = now - progress.started_at
    if spent.total_seconds() <= 0:
        return None
    left = spent * (progress.total - progress.done) / progress.done
    return None if left > LONGEST_GUESS else now + left
