"""Rows by the page, for screens and the API: after an id, so that the last page costs what the first does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, or_, select

from ocm_cti.domain.people import Person
from ocm_cti.store import subscribers
from ocm_cti.store.schema import LARGEST_ID, campaign, prepared_list, schedule, subscriber, subscriber_number

#: Fewer digits are looked for in names and ids only: they would be in every other number.
SHORTEST_NUMBER = 3


@dataclass(frozen=True)
class ListRow:
    """A list of the ledger. ``campaign_state`` is its last campaign's, "" when it has not been called yet."""

    list_id: int
    name: str
    created_at: datetime
    people: int
    campaign_id: int | None
    campaign_state: str
    called_at: datetime | None
    next_at: datetime | None  # when the clock starts it


@dataclass(frozen=True)
class PersonRow:
    """Somebody on a list; ``invalid``: which of his numbers are known not to exist."""

    subscriber_id: int
    person: Person
    invalid: frozenset[str]


@dataclass(frozen=True)
class CampaignRow:
    campaign_id: int
    list_name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    paused_why: str
    test: bool


def all_lists(conn: Connection, *, name: str | None = None, idle: bool = False) -> list[ListRow]:
    """By name; people who were taken off are not counted. ``name``: only this one. ``idle``: only those that nobody
    calls; counting the people of the others takes a while when there are a million.
    """
    last = select(func.max(campaign.c.id)).group_by(campaign.c.list_id)
    campaigns = {row.list_id: row for row in conn.execute(select(campaign).where(campaign.c.id.in_(last)))}
    starts: dict[int, datetime] = dict(
        conn.execute(select(schedule.c.list_id, func.min(schedule.c.next_at)).group_by(schedule.c.list_id)).all()
    )
    query = select(prepared_list).order_by(prepared_list.c.name)
    if name is not None:
        query = query.where(prepared_list.c.name == name)
    found = []
    for row in conn.execute(query).all():
        called = campaigns.get(row.id)
        if idle and called is not None and called.state != "done":
            continue
        people = select(func.count()).where(subscriber.c.list_id == row.id, ~subscriber.c.gone)
        found.append(
            ListRow(
                row.id,
                row.name,
                row.created_at,
                int(conn.execute(people).scalar_one()),
                None if called is None else called.id,
                "" if called is None else called.state,
                None if called is None else called.started_at,
                starts.get(row.id),
            )
        )
    return found


def people(
    conn: Connection, list_id: int, *, search: str = "", after: int = 0, limit: int = 50
) -> tuple[list[PersonRow], bool]:
    """Those of the list with an id beyond ``after``, and whether there are more.

    ``search`` is looked for in name, key and note in any case, also of Cyrillic letters, and in the numbers.
    """
    query = select(subscriber).where(subscriber.c.list_id == list_id, ~subscriber.c.gone, subscriber.c.id > after)
    for word in search.lower().split():
        digits = "".join(sign for sign in word if sign.isdecimal())
        places = [
            lowered(conn, column).contains(word, autoescape=True)
            for column in (subscriber.c.name, subscriber.c.key, subscriber.c.note)
        ]
        if len(digits) >= SHORTEST_NUMBER and len(digits) * 2 >= len(word):
            places.append(
                exists().where(
                    subscriber_number.c.subscriber_id == subscriber.c.id,
                    subscriber_number.c.number.contains(digits, autoescape=True),
                )
            )
        query = query.where(or_(*places))
    rows = conn.execute(query.order_by(subscriber.c.id).limit(limit + 1)).all()
    shown = rows[:limit]
    numbers: dict[int, list[Row[Any]]] = {}
    of_them = select(subscriber_number).where(subscriber_number.c.subscriber_id.in_([row.id for row in shown]))
    for number in conn.execute(of_them.order_by(subscriber_number.c.subscriber_id, subscriber_number.c.place)):
        numbers.setdefault(number.subscriber_id, []).append(number)
    return [
        PersonRow(
            row.id,
            subscribers.person_of(row, tuple((one.number, one.kind) for one in numbers.get(row.id, []))),
            frozenset(one.number for one in numbers.get(row.id, []) if one.invalid),
        )
        for row in shown
    ], len(rows) > limit


def lowered(conn: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """In small letters, also Cyrillic ones: PostgreSQL's own idea of them depends on how the database was made."""
    return func.lower(column.collate("und-x-icu") if conn.dialect.name == "postgresql" else column)


def campaigns(
    conn: Connection, *, lists: Collection[str] = (), before: int | None = None, limit: int = 50
) -> tuple[list[CampaignRow], bool]:
    """The newest first, those with an id below ``before``, and whether there are more. ``lists`` (): of all."""
    query = select(campaign, prepared_list.c.name).join(prepared_list)
    if lists:
        query = query.where(prepared_list.c.name.in_(lists))
    if before is not None:
        query = query.where(campaign.c.id < before)
    rows = conn.execute(query.order_by(campaign.c.id.desc()).limit(limit + 1)).all()
    return [_campaign(row) for row in rows[:limit]], len(rows) > limit


def one_campaign(conn: Connection, campaign_id: int) -> CampaignRow | None:
    if campaign_id > LARGEST_ID:
        return None
    row = conn.execute(
        select(campaign, prepared_list.c.name).join(prepared_list).where(campaign.c.id == campaign_id)
    ).first()
    return None if row is None else _campaign(row)


def _campaign(row: Row[Any]) -> CampaignRow:
    return CampaignRow(row.id, row.name, row.state, row.started_at, row.ended_at, row.paused_why, row.test)
