"""What came of campaigns: their people, attempts and answers, read in portions, so that a million fits as well.

Everything here reads only. Inside one ``Store.read`` all of it is of one moment, and no writer waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from ocm_cti.domain.bills import Bill, add_bills, bill
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.outcomes import NOT_COUNTED
from ocm_cti.domain.why_not import kept_by
from ocm_cti.store import call_records, campaigns
from ocm_cti.store.holds import Holds
from ocm_cti.store.report_rows import (
    REACHED,
    AnswerRow,
    AttemptRow,
    CampaignCounts,
    CampaignRow,
    DifferentPeople,
    PersonRow,
)
from ocm_cti.store.schema import answer, attempt, campaign, prepared_list, subscriber, task

__all__ = [
    "AnswerRow",
    "AttemptRow",
    "CampaignCounts",
    "CampaignRow",
    "DifferentPeople",
    "PersonRow",
    "attempts",
    "campaign_rows",
    "counts",
    "different_people",
    "each_answer",
    "each_attempt",
    "each_person",
    "people",
    "started",
]

#: Ids of one portion.
PORTION = 1000
_NOT_CALLED = ("preparing", "waiting")
_Where = tuple[ColumnElement[bool], ...]
_NOT_COUNTED = frozenset(outcome.value for outcome in NOT_COUNTED)


def started(
    conn: Connection,
    list_id: int | None = None,
    *,
    since_at: datetime | None = None,
    until_at: datetime | None = None,
    tests: bool = True,
) -> list[int]:
    """Ids of the campaigns of the list (None: of every list) that began from ``since_at`` on and before ``until_at``,

    oldest first; the moments are aware, None is no limit. ``tests``: also those that called testers only.
    """
    query = select(campaign.c.id).order_by(campaign.c.id)
    if list_id is not None:
        query = query.where(campaign.c.list_id == list_id)
    if not tests:
        query = query.where(~campaign.c.test)
    if since_at is not None:
        query = query.where(campaign.c.started_at >= since_at)
    if until_at is not None:
        query = query.where(campaign.c.started_at < until_at)
    return list(conn.execute(query).scalars())


def campaign_rows(conn: Connection, campaign_ids: Sequence[int], now: datetime | None = None) -> list[CampaignRow]:
    """These campaigns, oldest first; unknown ids are left out. ``now`` (aware) is needed for ``held`` only."""
    rows = conn.execute(
        select(campaign, prepared_list.c.name.label("list_name"))
        .select_from(campaign.join(prepared_list))
        .where(campaign.c.id.in_(campaign_ids))
        .order_by(campaign.c.id)
    ).all()
    return [
        CampaignRow(
            campaign_id=row.id,
            list_name=row.list_name,
            state=row.state,
            paused_why=row.paused_why,
            started_at=row.started_at,
            ended_at=row.ended_at,
            scenario=row.scenario,
            own_scenarios=dict(row.own_scenarios),
            settings=campaigns.settings_of(row.settings),
            held=None if now is None else campaigns.held(conn, row.id, now),
            test=row.test,
        )
        for row in rows
    ]


def counts(conn: Connection, campaign_ids: Sequence[int], now: datetime) -> list[CampaignCounts]:
    """How far each of these campaigns is, oldest first."""
    states: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    outcomes: dict[int, dict[str, int]] = defaultdict(dict)
    query = (
        select(task.c.campaign_id, task.c.state, task.c.outcome, func.count().label("people"))
        .where(task.c.campaign_id.in_(campaign_ids))
        .group_by(task.c.campaign_id, task.c.state, task.c.outcome)
    )
    for row in conn.execute(query):
        states[row.campaign_id][row.state] += row.people
        if row.state == "done":
            outcomes[row.campaign_id][row.outcome] = row.people
    return [
        CampaignCounts(
            campaign=each,
            people=sum(states[each.campaign_id].values()),
            waiting=states[each.campaign_id]["waiting"] + states[each.campaign_id]["preparing"],
            calling=states[each.campaign_id]["calling"],
            done=states[each.campaign_id]["done"],
            outcomes=outcomes[each.campaign_id],
            begins_at=_begins_at(conn, each.campaign_id, now) if each.state == campaigns.RUNNING else None,
        )
        for each in campaign_rows(conn, campaign_ids, now)
    ]


def _begins_at(conn: Connection, campaign_id: int, now: datetime) -> datetime | None:
    """Of a campaign that waits for its beginning everybody is still in preparation, or ready for that moment."""
    called = select(attempt.c.id).join(task).where(task.c.campaign_id == campaign_id).limit(1)
    first_at = conn.execute(
        select(func.min(task.c.due_at)).where(task.c.campaign_id == campaign_id, task.c.state.in_(_NOT_CALLED))
    ).scalar()
    return first_at if first_at is not None and first_at > now and conn.execute(called).first() is None else None


def different_people(conn: Connection, campaign_ids: Sequence[int]) -> DifferentPeople:
    """How many they are, whoever is in several of the campaigns counted once; on two lists he is two."""
    query = select(func.count(task.c.subscriber_id.distinct())).where(task.c.campaign_id.in_(campaign_ids))
    reached = query.where(task.c.outcome.in_(sorted(REACHED)))
    return DifferentPeople(int(conn.execute(query).scalar_one()), int(conn.execute(reached).scalar_one()))


def people(conn: Connection, campaign_ids: Sequence[int]) -> list[PersonRow]:
    """``each_person`` at once, for campaigns that are known to be small."""
    return list(each_person(conn, campaign_ids))


def attempts(conn: Connection, campaign_ids: Sequence[int]) -> list[AttemptRow]:
    """``each_attempt`` at once, for campaigns that are known to be small."""
    return list(each_attempt(conn, campaign_ids))


def each_person(conn: Connection, campaign_ids: Sequence[int], now: datetime | None = None) -> Iterator[PersonRow]:
    """Everybody of these campaigns, also those who were not called yet, in the order of the list.

    With ``now`` (aware), what keeps the whole campaign (a pause, the hours on the person's clock) goes before what the
    person himself waits for.
    """
    for each in campaign_rows(conn, campaign_ids, now):
        hold = None if now is None else Hold(conn, each, now)
        for first, last in _portions(conn, task.c.id, each.campaign_id):
            yield from people_where(conn, each, (task.c.id.between(first, last), _belongs_to(each)), hold)


def each_attempt(conn: Connection, campaign_ids: Sequence[int]) -> Iterator[AttemptRow]:
    """Every attempt of these campaigns, counted or not; of each campaign in the order in which they were made."""
    for each in campaign_rows(conn, campaign_ids):
        for first, last in _portions(conn, attempt.c.id, each.campaign_id):
            yield from attempts_where(conn, each, (attempt.c.id.between(first, last), _belongs_to(each)))


def each_answer(conn: Connection, campaign_ids: Sequence[int]) -> Iterator[AnswerRow]:
    """Every answer and every recorded reply, person by person, of each in the order in which they were given."""
    for each in campaign_rows(conn, campaign_ids):
        for first, last in _portions(conn, task.c.id, each.campaign_id):
            yield from answers_where(conn, each, (task.c.id.between(first, last), _belongs_to(each)))


def _portions(conn: Connection, key: Any, campaign_id: int) -> Iterator[tuple[int, int]]:
    """First and last id of each portion. Ids of one campaign lie close together: a campaign is made at once."""
    query = select(func.min(key), func.max(key)).select_from(task).where(task.c.campaign_id == campaign_id)
    if key.table is attempt:
        query = query.join(attempt)
    lowest, highest = conn.execute(query).one()
    if lowest is not None:
        for first in range(lowest, highest + 1, PORTION):
            yield first, min(first + PORTION - 1, highest)


def _belongs_to(of: CampaignRow) -> ColumnElement[bool]:
    # The sum keeps SQLite from the index: it is to step through the portion by the key of its table, and not to read
    # the whole campaign again for each portion.
    return task.c.campaign_id + 0 == of.campaign_id


class Hold:
    """What keeps those who wait, of one campaign: by the same reasons as ``ocm waiting`` has."""

    def __init__(self, conn: Connection, of: CampaignRow, now: datetime) -> None:
        frozen = campaigns.frozen(conn, of.campaign_id)
        self._holds = None if frozen is None else Holds(conn, frozen, now)
        self._now = now

    def of(self, rows: Sequence[Any]) -> dict[int, tuple[str, datetime | None]]:
        """By task, why, and until when; who may be called now has the task's own."""
        told = {row.id: (str(row.why), row.due_at if row.state == "waiting" else None) for row in rows}
        for row, case in () if self._holds is None else self._holds.cases(rows):
            reason = kept_by(case, self._now)
            if reason is not None:
                why = f"{reason.code}: {reason.detail}" if reason.detail else reason.code
                told[row.id] = why, reason.until_at
        return told


def people_where(conn: Connection, of: CampaignRow, here: _Where, hold: Hold | None) -> Iterator[PersonRow]:
    """Those of one campaign whose tasks are as ``here`` says, in their order."""
    tasks = conn.execute(
        select(
            task.c.id,
            task.c.name,
            task.c.numbers,
            task.c.number_index,
            task.c.state,
            task.c.priority,
            task.c.due_at,
            task.c.why,
            task.c.zone,
            task.c.outcome,
            task.c.scenario,
            subscriber.c.key,
        )
        .select_from(task.join(subscriber))
        .where(*here)
        .order_by(task.c.id)
    ).all()
    tries: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(select(attempt).join(task).where(*here)):
        tries[row.task_id].append(row)
    said = _Said(conn, select(attempt.c.id).join(task).where(*here))
    held = {} if hold is None else hold.of(tasks)
    for row in tasks:
        yield _person(of, row, sorted(tries.get(row.id, []), key=_id), said, held.get(row.id))


def _person(
    of: CampaignRow,
    row: Row[Any],
    tries: Sequence[Row[Any]],
    said: _Said,
    held: tuple[str, datetime | None] | None,
) -> PersonRow:
    # The last try that gave the person his outcome; else the last that counted; else the last at all.
    telling = (
        [each for each in tries if row.outcome is not None and each.outcome == row.outcome]
        or [each for each in tries if each.outcome not in _NOT_COUNTED]
        or tries
    )
    shown = telling[-1] if telling else None
    ids = [each.id for each in tries]
    billed = add_bills([said.bill(attempt_id) for attempt_id in ids])
    first_at = tries[0].claimed_at if tries else None
    reached_at = shown.answered_at if shown is not None and row.outcome in REACHED else None
    why, next_call_at = held or (row.why, row.due_at if row.state == "waiting" else None)
    return PersonRow(
        campaign_id=of.campaign_id,
        list_name=of.list_name,
        name=row.name,
        number=shown.number if shown is not None else row.numbers[row.number_index] if row.numbers else "",
        outcome=row.outcome,
        attempts=len(tries),
        not_counted=sum(each.outcome in _NOT_COUNTED for each in tries),
        last_attempt_at=tries[-1].claimed_at if tries else None,
        answered_at=shown.answered_at if shown is not None else None,
        keys=(shown.keys or "") if shown is not None else "",
        heard_s=_seconds(shown.heard_ms) if shown is not None else 0.0,
        of_s=_seconds(shown.of_ms) if shown is not None else 0.0,
        recordings=said.recordings(*ids),
        answers=said.answers(*ids),
        cause=(shown.cause or "") if shown is not None else "",
        native_cause=(shown.native_cause or "") if shown is not None else "",
        why=why,
        billed_s=billed.seconds,
        cost=billed.cost,
        currency=billed.currency,
        key=row.key,
        first_attempt_at=first_at,
        next_call_at=next_call_at,
        times_answered=sum(each.answered_at is not None for each in tries),
        reached_after_start_s=_between(of.started_at, reached_at),
        reached_after_first_s=_between(first_at, reached_at),
        scenario=row.scenario,
    )


def attempts_where(conn: Connection, of: CampaignRow, here: _Where) -> Iterator[AttemptRow]:
    """Attempts of one campaign that are, or whose tasks are, as ``here`` says, in their order."""
    rows = conn.execute(
        select(attempt, task.c.name, subscriber.c.key)
        .select_from(attempt.join(task).join(subscriber))
        .where(*here)
        .order_by(attempt.c.id)
    ).all()
    said = _Said(conn, select(attempt.c.id).join(task).where(*here))
    for row in rows:
        billed = said.bill(row.id)
        yield AttemptRow(
            campaign_id=of.campaign_id,
            list_name=of.list_name,
            name=row.name,
            attempt_no=row.attempt_no,
            number=row.number,
            gateway=row.gateway,
            port=row.port,
            state=row.state,
            outcome=row.outcome,
            counted=row.outcome not in _NOT_COUNTED,
            claimed_at=row.claimed_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            ended_by=row.ended_by or "",
            certain=row.certain if row.answered_at else None,
            keys=row.keys or "",
            heard_s=_seconds(row.heard_ms),
            of_s=_seconds(row.of_ms),
            recordings=said.recordings(row.id),
            answers=said.answers(row.id),
            cause=row.cause or "",
            native_cause=row.native_cause or "",
            billed_s=billed.seconds,
            cost=billed.cost,
            currency=billed.currency,
            trunks=said.trunks(row.id),
            rang_s=_between(row.dialing_at, row.answered_at or row.ended_at),
            talked_s=_between(row.answered_at, row.ended_at),
            key=row.key,
            attempt_id=row.id,
        )


def answers_where(conn: Connection, of: CampaignRow, here: _Where) -> Iterator[AnswerRow]:
    """Answers and replies of one campaign to whose tasks ``here`` applies."""
    rows = conn.execute(
        select(
            answer,
            attempt.c.task_id,
            attempt.c.number,
            attempt.c.ended_at,
            task.c.name,
            task.c.scenario,
            subscriber.c.key,
        )
        .select_from(answer.join(attempt).join(task).join(subscriber))
        .where(*here)
    ).all()
    rows = sorted(rows, key=lambda row: (row.task_id, row.id))
    lasting = {(row.task_id, row.step, row.value is None): row.id for row in rows}
    for row in rows:
        yield AnswerRow(
            campaign_id=of.campaign_id,
            list_name=of.list_name,
            name=row.name,
            key=row.key,
            number=row.number,
            attempt_id=row.attempt_id,
            at=row.ended_at,
            scenario=row.scenario,
            step=row.step,
            value=row.value,
            recording=row.recording,
            is_last=lasting[row.task_id, row.step, row.value is None] == row.id,
        )


class _Said:
    """What people answered, left as replies and cost, by attempt; ``attempt_ids`` selects which."""

    def __init__(self, conn: Connection, attempt_ids: Select[Any]) -> None:
        self._rows: dict[int, list[Row[Any]]] = defaultdict(list)
        # Sorted here: asked for the order, SQLite would go through the whole table in it.
        for row in sorted(conn.execute(select(answer).where(answer.c.attempt_id.in_(attempt_ids))), key=_id):
            self._rows[row.attempt_id].append(row)
        self._records: dict[int, list[CallRecord]] = call_records.by_attempt(conn, attempt_ids)

    def recordings(self, *attempt_ids: int) -> str:
        return ", ".join(row.recording for row in self._of(attempt_ids) if row.recording)

    def answers(self, *attempt_ids: int) -> str:
        """Of each step the last."""
        last = {row.step: row.value for row in self._of(attempt_ids) if row.value is not None}
        return ", ".join(f"{step}={value}" for step, value in last.items())

    def bill(self, attempt_id: int) -> Bill:
        records = self._records.get(attempt_id)
        return bill(records) if records else Bill()

    def trunks(self, attempt_id: int) -> str:
        return ", ".join(dict.fromkeys(one.trunk for one in self._records.get(attempt_id, ()) if one.trunk))

    def _of(self, attempt_ids: Sequence[int]) -> list[Row[Any]]:
        return [row for attempt_id in attempt_ids for row in self._rows.get(attempt_id, ())]


def _id(row: Row[Any]) -> int:
    return int(row.id)


def _seconds(milliseconds: int | None) -> float:
    return round((milliseconds or 0) / 1000, 1)


def _between(since_at: datetime | None, until_at: datetime | None) -> float | None:
    if since_at is None or until_at is None:
        return None
    return round((until_at - since_at).total_seconds(), 1)
