"""The people of one campaign by the page: who is where, and why not now. A page far down costs what the first does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, cast, func, literal, or_, select, tuple_

from ocm_cti.domain.why_not import WhyNot, World, why_not
from ocm_cti.store import campaigns
from ocm_cti.store.holds import Holds
from ocm_cti.store.pages import SHORTEST_NUMBER, lowered
from ocm_cti.store.schema import LARGEST_ID, attempt, subscriber, task

#: What a page is ordered by, each from either end; the second tells equals apart.
ORDERS = {"id": (task.c.id,), "name": (task.c.name, task.c.id)}
STATES = ("waiting", "calling", "done")
#: So many are sorted in no time.
FEW = 5000


@dataclass(frozen=True)
class Wanted:
    """Which of them: ``state`` one of STATES, ``outcome`` a code of those who are done, ``search`` a part of a name or
    number, ``group`` one of the list's groups; "": any."""

    state: str = ""
    outcome: str = ""
    search: str = ""
    group: str = ""


@dataclass(frozen=True)
class TaskRow:
    """``number`` is the one that is called, or is next, or was last. ``line`` is "" unless he is being called.

    ``tries`` counts attempts, ``keys`` are those of the last, ``called_at`` when it began. ``why`` is None but for who
    waits.
    """

    task_id: int
    subscriber_id: int
    name: str
    key: str
    number: str
    numbers: Sequence[str]
    groups: Sequence[str]
    priority: int
    scenario: str
    variables: dict[str, str]
    state: str
    outcome: str
    gateway: str
    line: str
    tries: int
    keys: str
    called_at: datetime | None
    due_at: datetime
    done_at: datetime | None
    why: WhyNot | None


def page(
    conn: Connection,
    campaign_id: int,
    wanted: Wanted,
    world: World,
    now: datetime,
    *,
    order: str = "id",
    backwards: bool = False,
    after: str = "",
    limit: int = 50,
) -> tuple[list[TaskRow], str]:
    """Those behind ``after``, and what the next page is asked with; "": there is none.

    ``order`` is a key of ORDERS. Raises ValueError for an ``after`` that no page gave.
    """
    columns = ORDERS[order]
    behind = _read(after, len(columns)) if after else None
    query = select(task).where(*conditions(conn, wanted))
    many = order == "id" and _many(conn, campaign_id, wanted)
    if many:
        # One step of the table's own order after the other; the sum keeps SQLite from sorting all that an index finds.
        lowest, highest = _bounds(conn, campaign_id)
        if behind is not None:
            lowest, highest = (lowest, min(highest, behind[0] - 1)) if backwards else (behind[0] + 1, highest)
        query = query.where(task.c.id.between(lowest, highest), task.c.campaign_id + 0 == campaign_id)
    else:
        query = query.where(task.c.campaign_id == campaign_id)
        if behind is not None:
            here, there = tuple_(*columns), tuple_(*map(literal, behind))
            query = query.where(here < there if backwards else here > there)
    # Few are found by their index and sorted; it would rather go through all who are in this order already.
    sorts = (task.c.id + 0,) if order == "id" and not many else columns
    query = query.order_by(*(column.desc() if backwards else column for column in sorts)).limit(limit + 1)
    rows = conn.execute(query).all()
    shown = rows[:limit]
    further = json.dumps([getattr(shown[-1], column.name) for column in columns]) if len(rows) > limit else ""
    return _rows(conn, campaign_id, shown, world, now), further


def matching(conn: Connection, campaign_id: int, wanted: Wanted, task_ids: Sequence[int] | None) -> Select[Any]:
    """Their ids: of ``task_ids`` (of this campaign, whatever else), or of all who are ``wanted``."""
    query = select(task.c.id).where(task.c.campaign_id == campaign_id)
    if task_ids is not None:
        return query.where(task.c.id.in_([one for one in task_ids if 0 < one <= LARGEST_ID]))
    return query.where(*conditions(conn, wanted))


def conditions(conn: Connection, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.outcome:
        yield and_(task.c.state == "done", task.c.outcome == wanted.outcome)
    elif wanted.state == "waiting":
        yield task.c.state.in_(["preparing", "waiting"])
    elif wanted.state:
        yield task.c.state == wanted.state
    for word in wanted.search.lower().split():
        digits = "".join(sign for sign in word if sign.isdecimal())
        places = [lowered(conn, task.c.name).contains(word, autoescape=True)]
        if len(digits) >= SHORTEST_NUMBER and len(digits) * 2 >= len(word):
            places.append(cast(task.c.numbers, Text).contains(digits, autoescape=True))
        yield or_(*places)
    if wanted.group:
        # As JSON writes it into the column, whatever letters it has.
        texts = {json.dumps(wanted.group), json.dumps(wanted.group, ensure_ascii=False)}
        groups = cast(subscriber.c.groups, Text)
        in_it = select(subscriber.c.id).where(or_(*(groups.contains(text, autoescape=True) for text in texts)))
        yield task.c.subscriber_id.in_(in_it)


def _many(conn: Connection, campaign_id: int, wanted: Wanted) -> bool:
    """Whether so many are in that state that they are better met by going through everybody."""
    if wanted.outcome or wanted.state == "calling":
        return False
    states = ["preparing", "waiting"] if wanted.state == "waiting" else [wanted.state] if wanted.state else None
    some = select(literal(1)).where(task.c.campaign_id == campaign_id)
    if states is not None:
        some = some.where(task.c.state.in_(states))
    some = some.limit(FEW + 1)
    return int(conn.execute(select(func.count()).select_from(some.subquery())).scalar_one()) > FEW


def _bounds(conn: Connection, campaign_id: int) -> tuple[int, int]:
    """The first and the last id of its people. Two questions, each one step in an index: asked together SQLite goes
    through all of them."""
    query = select(task.c.id).where(task.c.campaign_id == campaign_id).limit(1)
    first = conn.execute(query.order_by(task.c.campaign_id, task.c.id)).scalar()
    last = conn.execute(query.order_by(task.c.campaign_id.desc(), task.c.id.desc())).scalar()
    return first or 0, last or 0


def _read(after: str, length: int) -> list[Any]:
    try:
        values = json.loads(after)
    except ValueError:
        values = None
    if (
        not isinstance(values, list)
        or len(values) != length
        or not isinstance(values[-1], int)
        or not 0 <= values[-1] <= LARGEST_ID
        or not all(isinstance(one, str) for one in values[:-1])
    ):
        raise ValueError("no page has given this")
    return values


def _rows(conn: Connection, campaign_id: int, rows: Sequence[Row[Any]], world: World, now: datetime) -> list[TaskRow]:
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None:
        return []
    ids = [row.id for row in rows]
    reasons = {row.id: why_not(case, world, now) for row, case in Holds(conn, frozen, now).cases(rows)}
    people = {
        row.id: row
        for row in conn.execute(select(subscriber).where(subscriber.c.id.in_([row.subscriber_id for row in rows])))
    }
    tries = dict(
        conn.execute(
            select(attempt.c.task_id, func.max(attempt.c.attempt_no))
            .where(attempt.c.task_id.in_(ids))
            .group_by(attempt.c.task_id)
        ).all()
    )
    last = {
        row.task_id: row
        for row in conn.execute(select(attempt).where(attempt.c.task_id.in_(ids)).order_by(attempt.c.attempt_no))
    }
    return [_row(row, people[row.subscriber_id], tries.get(row.id, 0), last.get(row.id), reasons) for row in rows]


def _row(row: Row[Any], person: Row[Any], tries: int, last: Row[Any] | None, reasons: dict[int, WhyNot]) -> TaskRow:
    calling = row.state == "calling" and last is not None
    number = row.numbers[row.number_index] if row.number_index < len(row.numbers) else ""
    if last is not None and row.state in ("calling", "done"):
        number = last.number
    return TaskRow(
        task_id=row.id,
        subscriber_id=row.subscriber_id,
        name=row.name,
        key=person.key,
        number=number,
        numbers=list(row.numbers),
        groups=list(person.groups),
        priority=row.priority,
        scenario=row.scenario,
        variables=dict(row.variables),
        state="waiting" if row.state == "preparing" else row.state,
        outcome=row.outcome or "",
        gateway=last.gateway if calling and last is not None else "",
        line=last.port if calling and last is not None else "",
        tries=tries,
        keys=(last.keys or "") if last is not None else "",
        called_at=None if last is None else last.placing_at or last.claimed_at,
        due_at=row.due_at,
        done_at=row.done_at,
        why=reasons.get(row.id),
    )
