"""Call records of the switches: kept once each, read again when they could not be read, and found their attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from ocm_cti.domain.call_matching import TRANSFERRED, Candidate, Matching, match
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.store.schema import attempt, call_record, task

#: Lengths of the table's columns: what a switch sends may be longer, and is then cut, not refused.
_LENGTHS = {"raw": 1024, "extension": 40, "trunk": 40, "number": 100, "currency": 10, "account": 40}
_LENGTHS |= {"condition": 20, "fault": 300}
#: A longer amount is none, and one that is cut would be another.
_COST_LENGTH = 20
#: No call is longer: an attempt that was placed earlier than this before the first record ended is none of its.
_LONGEST_CALL = timedelta(hours=12)


@dataclass(frozen=True)
class KeptRecord:
    """A record as it is kept, with the attempt it belongs to (None: none) and the person who was called."""

    record_id: int
    record: CallRecord
    received_at: datetime
    attempt_id: int | None
    name: str = ""


def add(conn: Connection, records: Sequence[CallRecord], received_at: datetime) -> int:
    """Keep those that are not there yet (the same line again is the same record); gives how many were new."""
    new = 0
    for record in records:
        key = _key(record)
        if conn.execute(select(call_record.c.id).where(*key)).first() is not None:
            continue
        values = {**_values(record), "received_at": received_at}
        try:
            with conn.begin_nested():
                conn.execute(insert(call_record).values(values))
        except IntegrityError:  # another node was faster
            continue
        new += 1
    return new


def unread(conn: Connection, gateway: str, source: str = "smdr", most: int = 2000) -> list[CallRecord]:
    """Those that could not be read, in the order in which they came, of very many (a wrong baud rate) the last."""
    rows = conn.execute(
        select(call_record)
        .where(call_record.c.gateway == gateway, call_record.c.source == source, call_record.c.fault != "")
        .order_by(call_record.c.id.desc())
        .limit(most)
    ).all()
    return [_record(row) for row in reversed(rows)]


def read_again(conn: Connection, records: Sequence[CallRecord]) -> int:
    """Put what can now be read in the place of what could not; gives how many."""
    changed = 0
    for record in records:
        if not record.fault:
            changed += conn.execute(
                update(call_record).where(*_key(record), call_record.c.fault != "").values(_values(record))
            ).rowcount
    return changed


def find_attempts(
    conn: Connection,
    gateway: str,
    since: datetime,
    dialled: Callable[[str], str],
    matching: Matching | None = None,
) -> int:
    """Give records that ended since then the attempts that they are about; gives how many found theirs.

    ``dialled``: E.164 number -> the digits that this switch was given for it.
    """
    rules = matching or Matching()
    slack = timedelta(seconds=rules.window_s + rules.resolution_s)
    rows = conn.execute(
        select(call_record).where(
            call_record.c.gateway == gateway,
            call_record.c.attempt_id.is_(None),
            call_record.c.ended_at >= since - slack,
            call_record.c.direction == "out",
            call_record.c.fault == "",
        )
    ).all()
    if not rows:
        return 0
    records = {row.id: _record(row) for row in rows}
    found: dict[int, int] = {}
    for source in {record.source for record in records.values()}:  # one call may be told both ways
        of_source = {record_id: record for record_id, record in records.items() if record.source == source}
        found |= match(of_source, _candidates(conn, gateway, source, of_source, dialled, slack), rules)
    for record_id, attempt_id in found.items():
        conn.execute(update(call_record).where(call_record.c.id == record_id).values(attempt_id=attempt_id))
    return len(found)


def _candidates(
    conn: Connection,
    gateway: str,
    source: str,
    records: Mapping[int, CallRecord],
    dialled: Callable[[str], str],
    slack: timedelta,
) -> list[Candidate]:
    moments = [moment for each in records.values() for moment in (each.started_at, each.ended_at) if moment is not None]
    first, last = min(moments) - slack, max(moments) + slack
    columns = (
        attempt.c.id,
        attempt.c.port,
        attempt.c.number,
        attempt.c.placing_at,
        attempt.c.answered_at,
        attempt.c.ended_at,
        attempt.c.cause,
        call_record.c.source,
        call_record.c.condition,
    )
    query = (
        select(*columns)
        .select_from(attempt.outerjoin(call_record, call_record.c.attempt_id == attempt.c.id))
        .where(
            attempt.c.gateway == gateway,
            attempt.c.placing_at.is_not(None),
            attempt.c.placing_at <= last,
            attempt.c.placing_at >= first - _LONGEST_CALL,
        )
    )
    # Asked twice: with an "or" between them the index would not help, and this is asked after every call.
    ended = conn.execute(query.where(attempt.c.ended_at >= first)).all()
    going_on = conn.execute(query.where(attempt.c.ended_at.is_(None))).all()
    candidates: dict[int, Candidate] = {}
    for row in (*ended, *going_on):
        before = candidates.get(row.id)
        candidates[row.id] = Candidate(
            attempt_id=row.id,
            extension=row.port,
            dialled=dialled(row.number),
            placed_at=row.placing_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            has_record=(before is not None and before.has_record) or row.source == source,
            was_transferred=(before is not None and before.was_transferred)
            or (row.condition or "").upper() == TRANSFERRED
            or row.cause == Cause.TRANSFERRED.value,
        )
    return list(candidates.values())


def kept(
    conn: Connection,
    gateway: str | None = None,
    *,
    unmatched: bool = False,
    unread_only: bool = False,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[KeptRecord]:
    """What is kept, the newest first: all, those without an attempt, or those that could not be read."""
    query = (
        select(call_record, task.c.name)
        .select_from(call_record.outerjoin(attempt, call_record.c.attempt_id == attempt.c.id).outerjoin(task))
        .order_by(call_record.c.id.desc())
    )
    if gateway is not None:
        query = query.where(call_record.c.gateway == gateway)
    if unmatched:
        query = query.where(call_record.c.attempt_id.is_(None))
    if unread_only:
        query = query.where(call_record.c.fault != "")
    if since is not None:
        query = query.where(call_record.c.received_at >= since)
    if limit is not None:
        query = query.limit(limit)
    return [
        KeptRecord(row.id, _record(row), row.received_at, row.attempt_id, row.name or "") for row in conn.execute(query)
    ]


def by_attempt(conn: Connection, attempt_ids: Select[Any]) -> dict[int, list[CallRecord]]:
    """The records of the attempts that ``attempt_ids`` selects, of each in the order in which they came."""
    found: dict[int, list[CallRecord]] = {}
    rows = conn.execute(select(call_record).where(call_record.c.attempt_id.in_(attempt_ids))).all()
    for row in sorted(rows, key=lambda row: int(row.id)):
        found.setdefault(row.attempt_id, []).append(_record(row))
    return found


def _key(record: CallRecord) -> tuple[Any, ...]:
    return (
        call_record.c.gateway == record.gateway,
        call_record.c.source == record.source,
        call_record.c.raw == record.raw[: _LENGTHS["raw"]],
        call_record.c.copy == record.copy,
    )


def _values(record: CallRecord) -> dict[str, object]:
    values: dict[str, object] = {
        "gateway": record.gateway,
        "source": record.source,
        "copy": record.copy,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "direction": record.direction,
        "ring_s": record.ring_s,
        "duration_s": record.duration_s,
        "cost": None if record.cost is None or len(str(record.cost)) > _COST_LENGTH else str(record.cost),
    }
    for name, length in _LENGTHS.items():
        values[name] = str(getattr(record, name))[:length]
    return values


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(
        gateway=row.gateway,
        source=row.source,
        raw=row.raw,
        started_at=row.started_at,
        ended_at=row.ended_at,
        extension=row.extension,
        trunk=row.trunk,
        number=row.number,
        direction=row.direction,
        ring_s=row.ring_s,
        duration_s=row.duration_s,
        cost=None if row.cost is None else Decimal(row.cost),
        currency=row.currency,
        account=row.account,
        condition=row.condition,
        fault=row.fault,
        copy=row.copy,
    )
