"""What came of people, for the customer's own database: only what it has not been told yet."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select

from ocm_cti.store.schema import answer, attempt, campaign, subscriber, task, written_back

#: People read at a time.
PORTION = 500


@dataclass(frozen=True)
class Result:
    """``values`` are by the names of ``domain.sources.RESULT_FIELDS``; ``what`` is their digest."""

    task_id: int
    values: Mapping[str, object]
    what: str


def changed(conn: Connection, list_id: int, since_at: datetime | None = None) -> Iterator[list[Result]]:
    """Of the list's last campaign that is no test, in portions; of what ended from ``since_at`` on, if it is given."""
    query = select(campaign.c.id).where(campaign.c.list_id == list_id, ~campaign.c.test).order_by(campaign.c.id.desc())
    campaign_id = conn.execute(query.limit(1)).scalar()
    if campaign_id is None:
        return
    from_at = since_at or datetime(2000, 1, 1, tzinfo=UTC)
    ended = select(attempt.c.task_id).join(task).where(task.c.campaign_id == campaign_id, attempt.c.ended_at >= from_at)
    done = task.c.done_at >= from_at
    ids = conn.execute(
        select(task.c.id).where(task.c.campaign_id == campaign_id, or_(done, task.c.id.in_(ended))).order_by(task.c.id)
    ).scalars()
    everybody = list(ids)
    for start in range(0, len(everybody), PORTION):
        told = _portion(conn, everybody[start : start + PORTION])
        if told:
            yield told


def written(conn: Connection, results: Sequence[Result]) -> None:
    """The customer's database knows these now."""
    if results:
        conn.execute(delete(written_back).where(written_back.c.task_id.in_([result.task_id for result in results])))
        conn.execute(insert(written_back), [{"task_id": result.task_id, "what": result.what} for result in results])


def _portion(conn: Connection, ids: Sequence[int]) -> list[Result]:
    told = select(written_back).where(written_back.c.task_id.in_(ids))
    known = {row.task_id: row.what for row in conn.execute(told)}
    tries: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(select(attempt).where(attempt.c.task_id.in_(ids)).order_by(attempt.c.id)):
        tries[row.task_id].append(row)
    answers: dict[int, dict[str, str]] = defaultdict(dict)  # by step the last
    said = select(attempt.c.task_id, answer.c.step, answer.c.value).join(answer).where(attempt.c.task_id.in_(ids))
    for row in conn.execute(said.order_by(answer.c.id)):
        if row.value is not None:
            answers[row.task_id][row.step] = row.value
    found = []
    for row in conn.execute(
        select(task, subscriber.c.key).join(subscriber).where(task.c.id.in_(ids)).order_by(task.c.id)
    ):
        values = _values(row, tries.get(row.id, []), answers.get(row.id, {}))
        what = hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()
        if known.get(row.id) != what:
            found.append(Result(row.id, values, what))
    return found


def _values(row: Row[Any], tries: Sequence[Row[Any]], answers: Mapping[str, str]) -> dict[str, object]:
    waits = row.state in ("preparing", "waiting")
    return {
        "key": row.key,
        "attempts": len(tries),
        "outcome": row.outcome,
        "keys": next((one.keys for one in reversed(tries) if one.keys), ""),
        "answers": "; ".join(f"{step}={value}" for step, value in answers.items()),
        "number": tries[-1].number if tries else "",
        "next_try": _plain(row.due_at) if waits else None,
        "done_at": _plain(row.done_at),
    }


def _plain(at: datetime | None) -> datetime | None:
    """UTC without its zone: what every kind of database takes."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
