"""What keeps people who wait from being called, as far as the ledger knows: for ``ocm waiting`` and for reports alike.

Asked for many people at once: a list of a hundred thousand must not cost as many questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from ocm_cti.domain.why_not import Case
from ocm_cti.store import attempts, campaigns, stop_lists, subscribers
from ocm_cti.store.readiness import PREPARING
from ocm_cti.store.schema import campaign

#: People asked about in one statement, and moments remembered.
PORTION = 500
_WAITS = ("preparing", "waiting")


class Holds:
    """Of one campaign, at one moment (aware)."""

    def __init__(self, conn: Connection, frozen: campaigns.Frozen, now: datetime) -> None:
        self._conn, self._frozen, self._now = conn, frozen, now
        self._paused = _paused(conn, frozen)
        self._opens: dict[tuple[datetime, str], datetime | None] = {}

    def cases(self, rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], Case]]:
        """Each task of ``rows`` that waits, with all that is known of it: stop lists and caps too."""
        waiting = iter(row for row in rows if row.state in _WAITS)
        while portion := list(islice(waiting, PORTION)):
            barred = stop_lists.stopped(self._conn, sorted({number for row in portion for number in row.numbers}))
            free = self._free_at(portion)
            for row in portion:
                yield row, self._case(row, bool(row.numbers) and barred.issuperset(row.numbers), free.get(row.id))

    def plain(self, state: str, priority: int, zone: str, why: str, due_at: datetime) -> Case:
        """Of somebody whose numbers are not known: stop lists and caps are not asked."""
        return Case(
            self._frozen.campaign_id,
            state == PREPARING,
            self._paused,
            due_at,
            why,
            priority,
            opens_at=self._closed_until(max(due_at, self._now), zone),
            gateways=self._frozen.settings.gateways,
            ports=self._frozen.settings.ports,
        )

    def _case(self, row: Row[Any], stopped: bool, free_at: datetime | None) -> Case:
        # Whom a claim has found capped is due when he is free: what keeps him until then is the cap.
        due_at = self._now if row.why == "cap" else row.due_at
        if row.why == "cap" and row.due_at > self._now:
            free_at = max(row.due_at, free_at or row.due_at)
        plain = self.plain(row.state, row.priority, row.zone, row.why, due_at)
        return Case(
            **{
                **vars(plain),
                "stopped": stopped,
                "free_at": free_at,
                "free_opens_at": None if free_at is None else self._closed_until(free_at, row.zone),
            }
        )

    def _free_at(self, rows: Sequence[Row[Any]]) -> Mapping[int, datetime]:
        """By task, until when a cap holds: as ``tasks.capped_until``, at the moment when he is due."""
        settings = self._frozen.settings
        if settings.caps.unlimited or self._frozen.override_why:
            return {}
        his = subscribers.numbers_of_same_by_number(self._conn, {number for row in rows for number in row.numbers})
        at = {row.id: (max(row.due_at, self._now), row.zone or settings.zone) for row in rows}
        since_at = min(settings.caps.since_at(*when) for when in at.values())
        called = attempts.called_at_by_number(
            self._conn, {number for all_his in his.values() for number in all_his}, since_at
        )
        free: dict[int, datetime] = {}
        for row in rows:
            all_his = {number for one in row.numbers for number in his.get(one, frozenset({one}))}
            calls = [moment for number in all_his for moment in called.get(number, ())]
            free_at = settings.caps.free_at(calls, *at[row.id]) if calls else None
            if free_at is not None:
                free[row.id] = free_at
        return free

    def _closed_until(self, at: datetime, zone: str) -> datetime | None:
        key = at, zone
        if key not in self._opens:
            if len(self._opens) > PORTION:  # moments of retries are as many as people
                self._opens.clear()
            self._opens[key] = self._frozen.closed_until(at, zone)
        return self._opens[key]


def _paused(conn: Connection, frozen: campaigns.Frozen) -> str | None:
    if frozen.state != campaigns.PAUSED:
        return None
    return str(conn.execute(select(campaign.c.paused_why).where(campaign.c.id == frozen.campaign_id)).scalar_one())
