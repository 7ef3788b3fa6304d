"""Scenarios of campaigns that are not over, as they were frozen."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ocm_cti.store.campaigns import DONE
from ocm_cti.store.schema import campaign, prepared_list


def still_needed(conn: Connection) -> list[tuple[str, str]]:
    """(list, text) of every scenario that somebody may still be called with."""
    query = select(prepared_list.c.name, campaign.c.scenario, campaign.c.own_scenarios).select_from(
        campaign.join(prepared_list)
    )
    rows = conn.execute(query.where(campaign.c.state != DONE).order_by(campaign.c.id)).all()
    return [(row.name, text) for row in rows for text in (row.scenario, *dict(row.own_scenarios).values())]
