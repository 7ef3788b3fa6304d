"""What came of campaigns: a row for each person and one for each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from ocm_cti.domain.bills import Bill, add_bills, bill
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.outcomes import NOT_COUNTED
from ocm_cti.store import call_records
from ocm_cti.store.report_files import write_csv, write_xlsx
from ocm_cti.store.report_rows import AttemptRow, PersonRow
from ocm_cti.store.schema import answer, attempt, campaign, prepared_list, task

__all__ = ["AttemptRow", "PersonRow", "attempts", "people", "write_csv", "write_xlsx"]

_NOT_COUNTED = frozenset(outcome.value for outcome in NOT_COUNTED)


def people(conn: Connection, campaign_ids: Sequence[int]) -> list[PersonRow]:
    """Everybody of these campaigns, also those who were not called yet, in the order of the list."""
    said = _said(conn, campaign_ids)
    tries: dict[int, list[Row[Any]]] = {}
    query = (
        select(attempt).join(task).where(task.c.campaign_id.in_(campaign_ids)).order_by(attempt.c.task_id, attempt.c.id)
    )
    for row in conn.execute(query):
        tries.setdefault(row.task_id, []).append(row)
    tasks = conn.execute(
        select(task, prepared_list.c.name.label("list_name"))
        .select_from(task.join(campaign).join(prepared_list))
        .where(task.c.campaign_id.in_(campaign_ids))
        .order_by(task.c.campaign_id, task.c.id)
    )
    records = call_records.by_attempt(conn, campaign_ids)
    return [_person(row, tries.get(row.id, []), said, records) for row in tasks]


def attempts(conn: Connection, campaign_ids: Sequence[int]) -> list[AttemptRow]:
    """Every attempt of these campaigns, counted or not, in the order in which they were made."""
    said = _said(conn, campaign_ids)
    bills = {each: bill(records) for each, records in call_records.by_attempt(conn, campaign_ids).items()}
    rows = conn.execute(
        select(attempt, task.c.campaign_id, task.c.name, prepared_list.c.name.label("list_name"))
        .select_from(attempt.join(task).join(campaign).join(prepared_list))
        .where(task.c.campaign_id.in_(campaign_ids))
        .order_by(attempt.c.id)
    )
    return [
        AttemptRow(
            campaign_id=row.campaign_id,
            list_name=row.list_name,
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
            billed_s=bills.get(row.id, Bill()).seconds,
            cost=bills.get(row.id, Bill()).cost,
            currency=bills.get(row.id, Bill()).currency,
        )
        for row in rows
    ]


class _Said:
    """What people answered and left as replies, by attempt."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self._rows: dict[int, list[Row[Any]]] = {}
        for row in rows:
            self._rows.setdefault(row.attempt_id, []).append(row)

    def recordings(self, *attempt_ids: int) -> str:
        return ", ".join(row.recording for row in self._of(attempt_ids) if row.recording)

    def answers(self, *attempt_ids: int) -> str:
        return ", ".join(f"{row.step}={row.value}" for row in self._of(attempt_ids) if row.value is not None)

    def _of(self, attempt_ids: Sequence[int]) -> list[Row[Any]]:
        return [row for attempt_id in attempt_ids for row in self._rows.get(attempt_id, [])]


def _said(conn: Connection, campaign_ids: Sequence[int]) -> _Said:
    query = (
        select(answer)
        .select_from(answer.join(attempt).join(task))
        .where(task.c.campaign_id.in_(campaign_ids))
        .order_by(answer.c.id)
    )
    return _Said(conn.execute(query).all())


def _person(
    row: Row[Any], tries: Sequence[Row[Any]], said: _Said, records: Mapping[int, Sequence[CallRecord]]
) -> PersonRow:
    # The last try that gave the person his outcome; else the last that counted; else the last at all.
    telling = (
        [each for each in tries if row.outcome is not None and each.outcome == row.outcome]
        or [each for each in tries if each.outcome not in _NOT_COUNTED]
        or tries
    )
    shown = telling[-1] if telling else None
    ids = [each.id for each in tries]
    billed = add_bills([bill(records.get(attempt_id, ())) for attempt_id in ids])
    return PersonRow(
        campaign_id=row.campaign_id,
        list_name=row.list_name,
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
        why=row.why,
        billed_s=billed.seconds,
        cost=billed.cost,
        currency=billed.currency,
    )


def _seconds(milliseconds: int | None) -> float:
    return round((milliseconds or 0) / 1000, 1)
