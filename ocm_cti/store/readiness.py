"""Whose message is not made yet: a task is ``preparing``, and nobody claims it, until its audio is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, literal, literal_column, select, update

from ocm_cti.store import campaigns
from ocm_cti.store.schema import task

PREPARING = "preparing"
SPEECH = "speech"  # ``why`` of those whose turn has not come
FAILED = "speech_failed"  # ``why`` of those whose message could not be made

#: Spelt out, not bound: only then every planner sees that the partial index of open tasks serves.
_IS_PREPARING = task.c.state == literal_column("'preparing'")
_IS_OPEN = task.c.state != literal_column("'done'")


@dataclass(frozen=True)
class Unprepared:
    """What is going to be said to somebody. ``language`` "": that of the scenario. ``machine``: what an answering
    machine would get instead, in its scenario's language; "": nothing.
    """

    task_id: int
    variables: Mapping[str, str]
    scenario: str
    language: str
    machine: str = ""


def to_prepare(conn: Connection) -> list[tuple[int, int]]:
    """(campaign, its list's priority) of those that are running, the most urgent first, then the oldest."""
    found = []
    for campaign_id in campaigns.running(conn):
        frozen = campaigns.frozen(conn, campaign_id)
        if frozen is not None:
            found.append((campaign_id, frozen.settings.priority))
    return sorted(found, key=lambda one: (one[1], one[0]))


def unprepared(conn: Connection, campaign_id: int, after_task_id: int, limit: int) -> list[Unprepared]:
    """The next tasks by id whose messages are to be made; tasks were numbered in the order of calling."""
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None:
        return []
    rows = conn.execute(
        select(task.c.id, task.c.variables, task.c.scenario)
        .where(task.c.campaign_id == campaign_id, task.c.id > after_task_id, _IS_OPEN, _IS_PREPARING)
        .order_by(task.c.id)
        .limit(limit)
    )
    return [
        Unprepared(
            row.id,
            dict(row.variables),
            frozen.own_scenarios[row.scenario] if row.scenario else frozen.scenario,
            "" if row.scenario else frozen.settings.language,
            frozen.machine,
        )
        for row in rows
    ]


def ready(conn: Connection, task_ids: Sequence[int], now: datetime) -> int:
    """These may be called from now on; gives how many were still being prepared."""
    why = case((task.c.due_at > now, literal("start")), else_=literal("due"))
    changed = conn.execute(update(task).where(task.c.id.in_(task_ids), _IS_PREPARING).values(state="waiting", why=why))
    return int(changed.rowcount)


def failed(conn: Connection, task_ids: Sequence[int]) -> None:
    """The messages of these could not be made this time."""
    conn.execute(update(task).where(task.c.id.in_(task_ids), _IS_PREPARING).values(why=FAILED))
