"""Who waits, and why he is not being called at this moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal_column, select

from ocm_cti.domain.why_not import Case, WhyNot, World, why_not
from ocm_cti.store import campaigns, stop_lists, tasks
from ocm_cti.store.readiness import PREPARING
from ocm_cti.store.schema import campaign, task

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


def who(
    conn: Connection, campaign_id: int, world: World, now: datetime, *, search: str = "", limit: int = 50
) -> list[Waiter]:
    """The first who wait, in the order of calling; ``search`` is a part of a name or of a number, in any case."""
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None:
        return []
    query = (
        select(task)
        .where(task.c.campaign_id == campaign_id, _WAITS)
        .order_by(task.c.priority, task.c.due_at, task.c.id)
    )
    looked_for = search.casefold()
    found: list[Waiter] = []
    world = _urgent(conn, world, now)
    paused = _paused(conn, frozen)
    for row in conn.execute(query if looked_for else query.limit(limit)):
        if looked_for and not any(looked_for in text.casefold() for text in (row.name, *row.numbers)):
            continue
        number = row.numbers[row.number_index]
        reason = why_not(_case(conn, frozen, row, paused, now), world, now)
        found.append(Waiter(row.id, row.name, number, row.priority, reason))
        if len(found) == limit:
            break
    return found


def groups(conn: Connection, campaign_id: int, world: World, now: datetime) -> list[Group]:
    """How many wait for what, most people first. Stop lists and caps are not asked here: they show when he is due."""
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None:
        return []
    world = _urgent(conn, world, now)
    paused = _paused(conn, frozen)
    is_due = task.c.due_at <= now
    query = (
        select(
            task.c.state,
            task.c.priority,
            task.c.zone,
            task.c.why,
            func.min(task.c.due_at).label("due_at"),
            func.count(),
        )
        .where(task.c.campaign_id == campaign_id, _WAITS)
        .group_by(task.c.state, task.c.priority, task.c.zone, task.c.why, is_due)
    )
    counted: dict[tuple[str, str], Group] = {}
    for state, priority, zone, why, due_at, people in conn.execute(query):
        case = _plain_case(frozen, state, priority, zone, why, due_at, paused, now)
        reason = why_not(case, world, now)
        same = counted.get((reason.code, reason.detail))
        if same is not None:
            moments = [at for at in (same.reason.until_at, reason.until_at) if at is not None]
            reason = replace(reason, until_at=min(moments, default=None))
            people += same.people
        counted[reason.code, reason.detail] = Group(reason, people)
    return sorted(counted.values(), key=lambda group: -group.people)


def open_campaigns(conn: Connection, list_id: int | None = None) -> Sequence[int]:
    """Ids of the campaigns that are not done, oldest first."""
    query = select(campaign.c.id).where(campaign.c.state != campaigns.DONE).order_by(campaign.c.id)
    if list_id is not None:
        query = query.where(campaign.c.list_id == list_id)
    return list(conn.execute(query).scalars())


def _paused(conn: Connection, frozen: campaigns.Frozen) -> str | None:
    if frozen.state != campaigns.PAUSED:
        return None
    return str(conn.execute(select(campaign.c.paused_why).where(campaign.c.id == frozen.campaign_id)).scalar_one())


def _urgent(conn: Connection, world: World, now: datetime) -> World:
    def heads() -> Iterator[int]:
        for campaign_id in campaigns.running(conn):
            frozen = campaigns.frozen(conn, campaign_id)
            head = None if frozen is None else tasks.head_priority(conn, frozen, now)
            if head is not None:
                yield head

    return replace(world, urgent=min(heads(), default=None)) if world.serving else world


def _plain_case(
    frozen: campaigns.Frozen,
    state: str,
    priority: int,
    zone: str,
    why: str,
    due_at: datetime,
    paused: str | None,
    now: datetime,
) -> Case:
    return Case(
        frozen.campaign_id,
        state == PREPARING,
        paused,
        due_at,
        why,
        priority,
        opens_at=frozen.closed_until(max(due_at, now), zone),
        gateways=frozen.settings.gateways,
        ports=frozen.settings.ports,
    )


def _case(conn: Connection, frozen: campaigns.Frozen, row: Row[Any], paused: str | None, now: datetime) -> Case:
    case = _plain_case(frozen, row.state, row.priority, row.zone, row.why, row.due_at, paused, now)
    at = max(row.due_at, now)
    free_at = tasks.capped_until(conn, frozen, row.numbers, row.zone, at)
    return replace(
        case,
        stopped=row.numbers[row.number_index] in stop_lists.stopped(conn, row.numbers),
        free_at=free_at,
        opens_at=frozen.closed_until(max(free_at or at, at), row.zone),
    )
