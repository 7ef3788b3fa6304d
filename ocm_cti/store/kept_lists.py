"""What the ledger has of each list, and taking one out of it: reports of what was stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, select, update

from ocm_cti.store import lists
from ocm_cti.store.campaigns import DONE
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import attempt, audit, campaign, prepared_list, schedule, subscriber, subscriber_number, task

#: What the audit calls these deeds, by the name of the list.
IMPORTED, REMOVED = "list.import", "list.remove"


class ListInUse(StoreError):
    """It can't be removed now."""


@dataclass(frozen=True)
class Kept:
    """``people`` are those who are on it; ``removed_at``: it was removed, and nobody has come to it since. A moment is
    None where nothing is known of it; of imports the audit knows.
    """

    name: str
    people: int
    campaigns: int
    attempts: int
    imported_at: datetime | None = None
    started_at: datetime | None = None
    removed_at: datetime | None = None


def kept(conn: Connection, name: str | None = None) -> list[Kept]:
    """All of them, or that of this name, by name."""
    query = select(prepared_list.c.id, prepared_list.c.name).order_by(prepared_list.c.name)
    if name is not None:
        query = query.where(prepared_list.c.name == name)
    people = _counts(
        conn, select(subscriber.c.list_id, func.count()).where(~subscriber.c.gone).group_by(subscriber.c.list_id)
    )
    runs = {
        row.list_id: row
        for row in conn.execute(
            select(
                campaign.c.list_id, func.count().label("times"), func.max(campaign.c.started_at).label("at")
            ).group_by(campaign.c.list_id)
        )
    }
    called = _counts(
        conn,
        select(campaign.c.list_id, func.count())
        .select_from(campaign.join(task).join(attempt))
        .group_by(campaign.c.list_id),
    )
    deeds = {(row.deed, row.subject): row.at for row in conn.execute(_DEEDS)}
    found = []
    for list_id, its_name in conn.execute(query):
        run = runs.get(list_id)
        there = people.get(list_id, 0)
        imported_at, removed_at = deeds.get((IMPORTED, its_name)), deeds.get((REMOVED, its_name))
        if there or (removed_at and imported_at and imported_at > removed_at):
            removed_at = None
        found.append(
            Kept(
                its_name,
                there,
                run.times if run else 0,
                called.get(list_id, 0),
                imported_at,
                run.at if run else None,
                removed_at,
            )
        )
    return found


def _counts(conn: Connection, query: Select[int, int]) -> dict[int, int]:
    return {list_id: count for list_id, count in conn.execute(query)}


_DEEDS = (
    select(audit.c.deed, audit.c.subject, func.max(audit.c.at).label("at"))
    .where(audit.c.deed.in_([IMPORTED, REMOVED]))
    .group_by(audit.c.deed, audit.c.subject)
)


def remove(conn: Connection, name: str) -> None:
    """Take everybody off it and forget its schedules and what was said of its columns. Raises ListInUse while a
    campaign of it is going on.

    A list that was never called is gone without a trace; of another the rows stay that its reports are made of, and an
    import to this name fills it again.
    """
    list_id = lists.find(conn, name)
    assert list_id is not None
    conn.execute(select(prepared_list.c.id).where(prepared_list.c.id == list_id).with_for_update())
    its_own = select(campaign.c.id).where(campaign.c.list_id == list_id)
    if conn.execute(its_own.where(campaign.c.state != DONE)).first() is not None:
        raise ListInUse(f"{name}: a campaign of this list is going on; wait for its end, or end it: ocm stop {name}")
    conn.execute(delete(schedule).where(schedule.c.list_id == list_id))
    if conn.execute(its_own.limit(1)).first() is not None:
        conn.execute(update(subscriber).where(subscriber.c.list_id == list_id).values(gone=True))
        lists.remember_mapping(conn, list_id, {})
        return
    of_list = select(subscriber.c.id).where(subscriber.c.list_id == list_id)
    conn.execute(delete(subscriber_number).where(subscriber_number.c.subscriber_id.in_(of_list)))
    conn.execute(delete(subscriber).where(subscriber.c.list_id == list_id))
    conn.execute(delete(prepared_list).where(prepared_list.c.id == list_id))
