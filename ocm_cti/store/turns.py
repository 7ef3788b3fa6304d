"""Whose turn it is: one free line, several campaigns with people who are due.

First the priority of who is due, over all campaigns; among equals the campaign that has the fewest calls up for its
share; among equals still, the one whose last turn is longest ago by its share. One ``Turns`` serves one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from ocm_cti.store import campaigns, tasks
from ocm_cti.store.tasks import Claim, Looks


@dataclass
class Shares:
    """What campaigns have had so far; kept from transaction to transaction, and lost with the server."""

    #: campaign -> turns taken, divided by its share
    had: dict[int, float] = field(default_factory=dict)

    def meet(self, running: Iterable[int]) -> None:
        """Forget who is over; a newcomer begins where those are who had least, and catches nothing up."""
        known = {one: self.had[one] for one in running if one in self.had}
        least = min(known.values(), default=0.0)
        self.had = {one: known.get(one, least) for one in running}


class Turns:
    """``up``: how many calls each campaign has up at this moment, those of this transaction are added."""

    def __init__(self, conn: Connection, now: datetime, shares: Shares, up: Mapping[int, int]) -> None:
        self._conn = conn
        self._now = now
        self._shares = shares
        self._up = dict(up)
        self._running: dict[int, campaigns.Frozen] = {}
        for campaign_id in campaigns.running(conn):
            frozen = campaigns.frozen(conn, campaign_id)
            if frozen is not None:
                self._running[campaign_id] = frozen
        shares.meet(self._running)
        self._heads: dict[int, int | None] = {}
        self._looks = Looks()

    @property
    def cut_off(self) -> bool:
        """So many were passed over that the rest is for another transaction: somebody may be due behind them."""
        return self._looks.spent

    def claim(self, gateway: str, port: str, node: str) -> Claim | None:
        """Take the person whose turn it is for this line; None: there is nobody for it."""
        while (turn := self._next(gateway)) is not None:
            campaign_id, priority = turn
            found = tasks.claim(self._conn, campaign_id, gateway, port, node, self._now, priority, self._looks)
            if found is not None:
                self._up[campaign_id] = self._up.get(campaign_id, 0) + 1
                self._shares.had[campaign_id] += 1 / self._running[campaign_id].settings.share
                return found
            if self._looks.spent:
                return None
            del self._heads[campaign_id]  # those who seemed due were passed over
        return None

    def _next(self, gateway: str) -> tuple[int, int] | None:
        """The campaign, and the priority to look under."""
        best: tuple[tuple[int, float, float, int], int] | None = None
        for campaign_id, frozen in self._running.items():
            settings = frozen.settings
            up = self._up.get(campaign_id, 0)
            if (settings.gateways and gateway not in settings.gateways) or (settings.ports and up >= settings.ports):
                continue
            if campaign_id not in self._heads:
                self._heads[campaign_id] = tasks.head_priority(self._conn, frozen, self._now)
            head = self._heads[campaign_id]
            if head is not None:
                rank = (head, up / settings.share, self._shares.had[campaign_id], campaign_id)
                best = min(best, (rank, campaign_id)) if best is not None else (rank, campaign_id)
        return None if best is None else (best[1], best[0][0])
