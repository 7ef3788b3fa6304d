"""What somebody does by hand with people of a campaign that goes on. Nobody who is being called is touched.

Each deed is one condition on the state in the row itself, so that whom the dialer claims meanwhile is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.retries import first_number
from ocm_cti.store import campaigns, stop_lists, subscribers
from ocm_cti.store.readiness import PREPARING, SPEECH
from ocm_cti.store.schema import task

#: The priority under which nobody goes before.
FIRST = 0
_WAITS = task.c.state.in_(["preparing", "waiting"])


def call_first(conn: Connection, task_ids: Sequence[int]) -> int:
    """Those who wait go before all others, when their hour and their next time are there; gives how many."""
    changed = conn.execute(
        update(task).where(task.c.id.in_(task_ids), _WAITS, task.c.priority > FIRST).values(priority=FIRST)
    )
    return int(changed.rowcount)


def skip(conn: Connection, campaign_id: int, task_ids: Sequence[int], now: datetime) -> int:
    """Those who wait are not called in this campaign; gives how many. What came of them before stays in the report."""
    campaigns.lock(conn, campaign_id)
    changed = conn.execute(
        update(task)
        .where(task.c.id.in_(task_ids), _WAITS)
        .values(state="done", outcome=Outcome.STOPPED.value, done_at=now, why="")
    )
    campaigns.finish_if_done(conn, campaign_id, now)
    return int(changed.rowcount)


def again(conn: Connection, campaign_id: int, task_ids: Sequence[int], now: datetime) -> int:
    """Those who are done are called once more: windows, caps and stop lists hold, spent tries do not; gives how many.

    Who has no number that exists is left out. ``campaigns.CampaignRefused`` unless the campaign goes on.
    """
    campaigns.lock(conn, campaign_id)
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None or frozen.state not in (campaigns.RUNNING, campaigns.PAUSED):
        raise campaigns.CampaignRefused("this campaign is over; start one that follows it up")
    changed = 0
    for row in conn.execute(select(task).where(task.c.id.in_(task_ids), task.c.state == "done")).all():
        invalid = subscribers.invalid_places(conn, row.subscriber_id, row.numbers)
        first = first_number(len(row.numbers), invalid)
        if first is None:
            continue
        values = {"state": PREPARING, "why": SPEECH, "due_at": now, "number_index": first, "outcome": None}
        done = update(task).where(task.c.id == row.id, task.c.state == "done").values(**values, done_at=None)
        changed += conn.execute(done).rowcount
    return changed


def change_scenario(conn: Connection, campaign_id: int, task_ids: Sequence[int], scenario: str) -> int:
    """Those who wait hear this one of the campaign's ("": the list's); their message is made anew. Gives how many.

    ``campaigns.CampaignRefused`` for one that the campaign has not.
    """
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None or (scenario and scenario not in frozen.own_scenarios):
        raise campaigns.CampaignRefused(f"this campaign has no scenario {scenario!r}")
    changed = conn.execute(
        update(task)
        .where(task.c.id.in_(task_ids), _WAITS, task.c.scenario != scenario)
        .values(scenario=scenario, state=PREPARING, why=SPEECH)
    )
    return int(changed.rowcount)


def stop_list(conn: Connection, task_ids: Sequence[int], name: str, reason: str, now: datetime) -> int:
    """All numbers of these people, from whatever list they are known, go on a stop list; gives how many were new."""
    rows = conn.execute(select(task.c.numbers).where(task.c.id.in_(task_ids))).scalars()
    numbers = {number for his in rows for number in his}
    everything = set(numbers)
    for his in subscribers.numbers_of_same_by_number(conn, numbers).values():
        everything |= his
    return stop_lists.add(conn, name, sorted(everything), reason, now)
