"""Reports by the page and by the person, for screens: what a table shows, what somebody did, where his replies lie."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, cast, exists, func, or_, select

from ocm_cti.store import reports
from ocm_cti.store.pages import SHORTEST_NUMBER, lowered
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, CampaignRow, PersonRow
from ocm_cti.store.schema import LARGEST_ID, answer, attempt, campaign, prepared_list, subscriber, task

#: ``Filter.outcome`` for people who are not done yet.
OPEN = "open"
_IS_REPLY = answer.c.recording.is_not(None) & (answer.c.recording != "")


@dataclass(frozen=True)
class Filter:
    """Which people of a report: ``outcome`` is a code, OPEN, or "" for any; ``replied``: only who left a reply."""

    outcome: str = ""
    search: str = ""
    replied: bool = False


@dataclass(frozen=True)
class Reply:
    """``recording`` is a file name in the folder of recordings."""

    answer_id: int
    attempt_id: int
    step: str
    recording: str


@dataclass(frozen=True)
class Reported:
    """Somebody in a campaign; ``person`` is the row of files."""

    task_id: int
    person: PersonRow
    replies: tuple[Reply, ...]


@dataclass(frozen=True)
class OnePerson:
    """All that a campaign has of somebody."""

    campaign: CampaignRow
    reported: Reported
    attempts: tuple[AttemptRow, ...]
    answers: tuple[AnswerRow, ...]


def size(conn: Connection, campaign_ids: Collection[int]) -> int:
    """How many rows a report of these campaigns reads."""
    people = select(func.count()).select_from(task).where(task.c.campaign_id.in_(campaign_ids))
    attempts = select(func.count()).select_from(attempt.join(task)).where(task.c.campaign_id.in_(campaign_ids))
    return int(conn.execute(people).scalar_one()) + int(conn.execute(attempts).scalar_one())


def people(
    conn: Connection, campaign_ids: Sequence[int], wanted: Filter, *, after: int = 0, limit: int = 50, now: datetime
) -> tuple[list[Reported], bool]:
    """Those with a task beyond ``after``, and whether there are more.

    ``wanted.search`` is looked for in name, key and note in any case, and in the numbers.
    """
    bounds = select(func.min(task.c.id), func.max(task.c.id)).where(task.c.campaign_id.in_(campaign_ids))
    lowest, highest = conn.execute(bounds).one()
    if lowest is None:
        return [], False
    # The sum keeps SQLite from the index of campaigns: it is to step through the table in the order of the page.
    query = (
        select(task.c.id, task.c.campaign_id)
        .where(task.c.id.between(max(lowest, after + 1), highest), (task.c.campaign_id + 0).in_(campaign_ids))
        .order_by(task.c.id)
    )
    if wanted.outcome == OPEN:
        query = query.where(task.c.outcome.is_(None))
    elif wanted.outcome:
        query = query.where(task.c.outcome == wanted.outcome)
    if wanted.replied:
        left = answer.join(attempt)
        query = query.where(
            exists(select(answer.c.id).select_from(left).where(attempt.c.task_id == task.c.id, _IS_REPLY))
        )
    words = wanted.search.lower().split()
    if words:
        query = query.join(subscriber)
    for word in words:
        places = [
            lowered(conn, column).contains(word, autoescape=True)
            for column in (task.c.name, subscriber.c.key, subscriber.c.note)
        ]
        digits = "".join(sign for sign in word if sign.isdecimal())
        if len(digits) >= SHORTEST_NUMBER and len(digits) * 2 >= len(word):
            places.append(cast(task.c.numbers, Text).contains(digits))
        query = query.where(or_(*places))
    rows = conn.execute(query.limit(limit + 1)).all()
    shown = rows[:limit]
    replies = replies_of(conn, [row.id for row in shown])
    found: dict[int, PersonRow] = {}
    for of in reports.campaign_rows(conn, sorted({row.campaign_id for row in shown}), now):
        ids = [row.id for row in shown if row.campaign_id == of.campaign_id]
        hold = reports.Hold(conn, of, now)
        found |= zip(ids, reports.people_where(conn, of, (task.c.id.in_(ids),), hold), strict=True)
    return [Reported(row.id, found[row.id], replies.get(row.id, ())) for row in shown], len(rows) > limit


def one(conn: Connection, task_id: int, now: datetime) -> OnePerson | None:
    if task_id > LARGEST_ID:
        return None
    campaign_id = conn.execute(select(task.c.campaign_id).where(task.c.id == task_id)).scalar()
    if campaign_id is None:
        return None
    [of] = reports.campaign_rows(conn, [campaign_id], now)
    here = (task.c.id == task_id,)
    [person] = reports.people_where(conn, of, here, reports.Hold(conn, of, now))
    return OnePerson(
        of,
        Reported(task_id, person, replies_of(conn, [task_id]).get(task_id, ())),
        tuple(reports.attempts_where(conn, of, here)),
        tuple(reports.answers_where(conn, of, here)),
    )


def replies_of(conn: Connection, task_ids: Iterable[int]) -> dict[int, tuple[Reply, ...]]:
    """Recorded replies by task, of each in the order in which they were left."""
    query = (
        select(answer, attempt.c.task_id)
        .select_from(answer.join(attempt))
        .where(attempt.c.task_id.in_(list(task_ids)), _IS_REPLY)
    )
    found: dict[int, list[Reply]] = {}
    for row in sorted(conn.execute(query), key=lambda row: int(row.id)):
        found.setdefault(row.task_id, []).append(Reply(row.id, row.attempt_id, row.step, row.recording))
    return {task_id: tuple(replies) for task_id, replies in found.items()}


def reply(conn: Connection, answer_id: int) -> tuple[str, str] | None:
    """The list of whoever left it, and the file's name; None: no such reply."""
    if answer_id > LARGEST_ID:
        return None
    query = (
        select(prepared_list.c.name, answer.c.recording)
        .select_from(answer.join(attempt).join(task).join(campaign).join(prepared_list))
        .where(answer.c.id == answer_id, _IS_REPLY)
    )
    row = conn.execute(query).first()
    return None if row is None else (row.name, row.recording)
