"""Who waits, and why he is not being called at this moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, func, literal, literal_column, select
from sqlalchemy import case as case_of

from ocm_cti.domain.why_not import WhyNot, World, why_not
from ocm_cti.store import campaigns, tasks
from ocm_cti.store.holds import Holds
from ocm_cti.store.schema import campaign, task

#: So many people are looked at one by one, with stop lists and caps: a second or two. Of the others it is counted.
ASKED = 20_000

_WAITS = task.c.state.in_([literal_column("'preparing'"), literal_column("'waiting'")])


@dataclass(frozen=True)
class Waiter:
    """One person who waits; ``number`` is the one to be called next."""

    task_id: int
    name: str
    number: str
    priority: int
    reason: WhyNot


@dataclass(frozen=True)
class Group:
    """So many people of a campaign wait for the same; ``reason.until_at`` is when the first of them goes on."""

    reason: WhyNot
    people: int


@dataclass(frozen=True)
class Look:
    """``waiters`` are the first in the order of calling; ``groups`` everybody, most people first, by the same reasons.

    Of ``not_asked`` of them stop lists and caps were not asked: they are called later than the ASKED first.
    """

    waiters: Sequence[Waiter]
    groups: Sequence[Group]
    not_asked: int


def look(conn: Connection, campaign_id: int, world: World, now: datetime, *, search: str = "", limit: int = 50) -> Look:
    """Who waits, and for what. ``search`` is a part of a name or of a number, in any case: it chooses the waiters."""
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None:
        return Look((), (), 0)
    world, holds = _urgent(conn, world, now), Holds(conn, frozen, now)
    of_it = (task.c.campaign_id == campaign_id, _WAITS)
    in_order = (task.c.priority, task.c.due_at, task.c.id)
    counted, asked = _Counted(), 0
    waiters: list[Waiter] = []
    for row, case in holds.cases(conn.execute(select(task).where(*of_it).order_by(*in_order).limit(ASKED))):
        reason = why_not(case, world, now)
        counted.add(reason, 1)
        asked += 1
        if len(waiters) < limit and _is_meant(row, search):
            waiters.append(_waiter(row, reason))
    not_asked = 0
    if asked == ASKED:
        first = select(task.c.id).where(*of_it).order_by(*in_order).limit(ASKED)
        rest = (*of_it, task.c.id.not_in(first))
        when = case_of((task.c.due_at <= now, literal(now, task.c.due_at.type)), else_=task.c.due_at).label("due_at")
        columns = (task.c.state, task.c.priority, task.c.zone, task.c.why, when)
        for state, priority, zone, why, due_at, people in conn.execute(
            select(*columns, func.count()).where(*rest).group_by(*columns)
        ):
            counted.add(why_not(holds.plain(state, priority, zone, why, due_at), world, now), people)
            not_asked += people
        if search and len(waiters) < limit:
            found = (
                row for row in conn.execute(select(task).where(*rest).order_by(*in_order)) if _is_meant(row, search)
            )
            for row, case in holds.cases(islice(found, limit - len(waiters))):
                waiters.append(_waiter(row, why_not(case, world, now)))
    return Look(tuple(waiters), counted.groups(), not_asked)


def _is_meant(row: Row[Any], search: str) -> bool:
    looked_for = search.casefold()
    return not looked_for or any(looked_for in text.casefold() for text in (row.name, *row.numbers))


def _waiter(row: Row[Any], reason: WhyNot) -> Waiter:
    return Waiter(row.id, row.name, row.numbers[row.number_index], row.priority, reason)


class _Counted:
    """People by what they wait for; of the moments the first."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}

    def add(self, reason: WhyNot, people: int) -> None:
        same = self._groups.get((reason.code, reason.detail))
        if same is not None:
            moments = [at for at in (same.reason.until_at, reason.until_at) if at is not None]
            reason = replace(reason, until_at=min(moments, default=None))
            people += same.people
        self._groups[reason.code, reason.detail] = Group(reason, people)

    def groups(self) -> tuple[Group, ...]:
        return tuple(sorted(self._groups.values(), key=lambda group: -group.people))


def open_campaigns(conn: Connection, list_id: int | None = None) -> Sequence[int]:
    """Ids of the campaigns that are not done, oldest first."""
    query = select(campaign.c.id).where(campaign.c.state != campaigns.DONE).order_by(campaign.c.id)
    if list_id is not None:
        query = query.where(campaign.c.list_id == list_id)
    return list(conn.execute(query).scalars())


def _urgent(conn: Connection, world: World, now: datetime) -> World:
    def heads() -> Iterator[int]:
        for campaign_id in campaigns.running(conn):
            frozen = campaigns.frozen(conn, campaign_id)
            head = None if frozen is None else tasks.head_priority(conn, frozen, now, only_look=True)
            if head is not None:
                yield head

    return replace(world, urgent=min(heads(), default=None)) if world.serving else world
