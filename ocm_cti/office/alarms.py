"""What somebody must be told of at once, whatever page he looks at. Pure: a snapshot in, alarms out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocm_cti.control import Snapshot
from ocm_cti.domain.access import Caller
from ocm_cti.gateways.interface import LinkState
from ocm_cti.store.campaigns import BY_HAND

LINK_DOWN = "link_down"
LINES_OUT = "lines_out"
CAMPAIGN_PAUSED = "campaign_paused"
DISK_FULL = "disk_full"
NO_ANSWER = "no_answer"
CODES = (LINK_DOWN, LINES_OUT, CAMPAIGN_PAUSED, DISK_FULL, NO_ANSWER)
#: A link that is being made is none before this: each start begins so.
CONNECTING_LIMIT = timedelta(seconds=15)
#: With less free space than that, recordings and the ledger are in danger.
DISK_LOW = 500 * 2**20


@dataclass(frozen=True)
class Alarm:
    """``subject``: the gateway or the campaign; ``reason``: what is known of it, "": nothing. ``since_at`` None: it is
    not known. ``campaign_id`` 0: it is of none.
    """

    code: str
    subject: str
    reason: str
    since_at: datetime | None
    campaign_id: int = 0

    @property
    def name(self) -> str:
        """The same for the same trouble only: a link that falls again is another one."""
        return f"{self.code}:{self.subject}:{'' if self.since_at is None else self.since_at.isoformat()}"


def alarms(snapshot: Snapshot, caller: Caller, disk_free: int | None = None) -> list[Alarm]:
    """Those that concern him, of campaigns only of lists that he may see. ``disk_free``: octets, where data is kept."""
    found = [*_links(snapshot), *_lines(snapshot), *_campaigns(snapshot, caller)]
    if disk_free is not None and disk_free < DISK_LOW:
        found.append(Alarm(DISK_FULL, "", f"{disk_free // 2**20} MB", None))
    return found


def _links(snapshot: Snapshot) -> Iterator[Alarm]:
    for name, health in snapshot.health.items():
        slow = health.state is LinkState.CONNECTING and snapshot.taken_at - health.since_at > CONNECTING_LIMIT
        if slow or health.state in (LinkState.DOWN, LinkState.REFUSED):
            yield Alarm(LINK_DOWN, name, health.reason, health.since_at)


def _lines(snapshot: Snapshot) -> Iterator[Alarm]:
    """Only where the link is up: without it no line works."""
    for name, health in snapshot.health.items():
        lines = [line for line in snapshot.lines if line.gateway == name]
        out = [line for line in lines if line.state.name == "OUT_OF_SERVICE"]
        if health.state is LinkState.UP and out and snapshot.taken_at - health.since_at > CONNECTING_LIMIT:
            yield Alarm(LINES_OUT, name, ", ".join(line.port for line in out[:10]), max(line.since_at for line in out))


def _campaigns(snapshot: Snapshot, caller: Caller) -> Iterator[Alarm]:
    for one in snapshot.campaigns:
        if one.state == "paused" and one.paused_why not in ("", BY_HAND) and caller.sees(one.name):
            yield Alarm(CAMPAIGN_PAUSED, one.name, one.paused_why, None, one.campaign_id)
