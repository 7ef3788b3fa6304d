"""When campaigns are started by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import prepared_list, schedule


class ScheduleRefused(StoreError):
    """It can't be planned so; the text says why."""


@dataclass(frozen=True)
class Planned:
    """``last_result``: what came of it at ``last_at``; "" and None before the first time."""

    schedule_id: int
    list_name: str
    cron: str
    zone: str
    next_at: datetime
    last_at: datetime | None
    last_result: str


def add(conn: Connection, list_id: int, cron: str, zone: str, next_at: datetime, now: datetime) -> None:
    """Raises ScheduleRefused when the list has this line already."""
    same = select(schedule.c.id).where(schedule.c.list_id == list_id, schedule.c.cron == cron)
    if conn.execute(same).first() is not None:
        raise ScheduleRefused(f"{cron!r} is planned for this list already")
    conn.execute(insert(schedule).values(list_id=list_id, cron=cron, zone=zone, next_at=next_at, created_at=now))


def remove(conn: Connection, list_id: int, cron: str | None) -> int:
    """One line of the list, or all of them; gives how many there were."""
    query = delete(schedule).where(schedule.c.list_id == list_id)
    if cron is not None:
        query = query.where(schedule.c.cron == cron)
    return int(conn.execute(query).rowcount)


def planned(conn: Connection, due_at: datetime | None = None) -> list[Planned]:
    """All of them, or those due at that moment; the next first."""
    query = select(schedule, prepared_list.c.name).join(prepared_list).order_by(schedule.c.next_at, schedule.c.id)
    if due_at is not None:
        query = query.where(schedule.c.next_at <= due_at)
    return [
        Planned(row.id, row.name, row.cron, row.zone, row.next_at, row.last_at, row.last_result)
        for row in conn.execute(query)
    ]


def take(conn: Connection, schedule_id: int, expected_at: datetime) -> bool:
    """Whether it is due still at that moment: not if another server has seen to it, or somebody has taken it off.

    None of them can before this transaction ends.
    """
    still = select(schedule.c.id).where(schedule.c.id == schedule_id, schedule.c.next_at == expected_at)
    return conn.execute(still.with_for_update()).first() is not None


def advance(conn: Connection, schedule_id: int, expected_at: datetime, next_at: datetime, result: str) -> None:
    """It was its moment (``take``): when it is next, and what came of it."""
    conn.execute(
        update(schedule)
        .where(schedule.c.id == schedule_id, schedule.c.next_at == expected_at)
        .values(next_at=next_at, last_at=expected_at, last_result=result[:300])
    )
