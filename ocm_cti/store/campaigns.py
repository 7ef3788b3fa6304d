"""Campaigns: one run of a list, with its scenario and settings frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, literal_column, select, update

from ocm_cti.domain import webhooks as events
from ocm_cti.domain.breaker import tripped
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import webhooks
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import attempt, campaign, prepared_list, task

RUNNING = "running"
PAUSED = "paused"  # calls that are up come to their end, the others wait for ``resume``
STOPPING = "stopping"  # calls that are up come to their end, nobody more is called
HANGING_UP = "hanging_up"  # nobody more is called, and calls that are up are ended
DONE = "done"
#: Why a campaign is paused that somebody has paused; any other words are the dialer's own.
BY_HAND = "by hand"
#: The deed of the audit whose details have the number of the ``campaign``.
STOPPED = "campaign.stop"


# Built once: asked at each claim, and at each end of an attempt.
_FROZEN = select(campaign, prepared_list.c.name).join(prepared_list).where(campaign.c.id == bindparam("campaign_id"))
_OPEN_TASK = (
    select(task.c.id)
    .where(task.c.campaign_id == bindparam("campaign_id"), task.c.state != literal_column("'done'"))
    .limit(1)
)


class CampaignRefused(StoreError):
    """The campaign can't be started; the text says why and what to do."""


@dataclass(frozen=True)
class Frozen:
    """A campaign with what was frozen at its start. ``override_why``: why hours and caps don't hold; "": they do."""

    campaign_id: int
    state: str
    list_name: str
    scenario: str
    own_scenarios: Mapping[str, str]
    settings: ListSettings
    override_why: str
    test: bool

    @property
    def machine(self) -> str:
        """The scenario that an answering machine gets; "": it is hung up on."""
        return self.own_scenarios[self.settings.machine] if self.settings.machine else ""

    def closed_until(self, at: datetime, zone: str = "") -> datetime | None:
        """As ``ListSettings.closed_until``; None always where an emergency overrides the hours."""
        return None if self.override_why else self.settings.closed_until(at, zone)


def frozen(conn: Connection, campaign_id: int) -> Frozen | None:
    """None when there is no such campaign."""
    row = conn.execute(_FROZEN, {"campaign_id": campaign_id}).first()
    if row is None:
        return None
    return Frozen(
        row.id,
        row.state,
        row.name,
        row.scenario,
        row.own_scenarios,
        settings_of(row.settings),
        row.override_why,
        row.test,
    )


@lru_cache(maxsize=1024)
def settings_of(text: str) -> ListSettings:
    """Settings as a campaign keeps them. They are asked for at each claim, and a campaign's never change."""
    return ListSettings.from_json(text)


def running(conn: Connection) -> list[int]:
    """Ids of the campaigns that are running, oldest first."""
    return list(
        conn.execute(select(campaign.c.id).where(campaign.c.state == RUNNING).order_by(campaign.c.id)).scalars()
    )


def lock(conn: Connection, campaign_id: int) -> None:
    """Nobody else changes the campaign, or finishes an attempt of it, before this transaction ends.

    Without it two nodes that finish the last two attempts each see the other's still open, and nobody ends the
    campaign; and an attempt that ends while the campaign is stopped would leave somebody waiting in it.
    """
    if conn.dialect.name != "sqlite":  # there is one writer
        conn.execute(select(campaign.c.id).where(campaign.c.id == campaign_id).with_for_update(key_share=True))


def lists_at_work(conn: Connection) -> list[int]:
    """Ids of the lists that have a running or paused campaign."""
    return list(conn.execute(select(campaign.c.list_id).where(campaign.c.state.in_([RUNNING, PAUSED]))).scalars())


def finish_if_done(conn: Connection, campaign_id: int, now: datetime) -> bool:
    """Mark the campaign done when every task of it is; says whether it is done now."""
    lock(conn, campaign_id)
    if conn.execute(_OPEN_TASK, {"campaign_id": campaign_id}).first() is not None:
        return False
    done = conn.execute(
        update(campaign)
        .where(
            campaign.c.id == campaign_id,
            campaign.c.state.in_([RUNNING, PAUSED, STOPPING, HANGING_UP]),
            ~exists().where(task.c.campaign_id == campaign_id, task.c.state != literal_column("'done'")),
        )
        .values(state=DONE, ended_at=now)
    )
    if done.rowcount:
        tell(conn, events.CAMPAIGN_FINISHED, campaign_id, now, lambda: {"outcomes": _outcomes(conn, campaign_id)})
    return conn.execute(select(campaign.c.state).where(campaign.c.id == campaign_id)).scalar() == DONE


def stop(conn: Connection, list_id: int, now: datetime, *, hang_up: bool = False) -> int:
    """Nobody of the list's running or paused campaign is called any more; gives the number of those who were waiting.

    Attempts in flight come to their own end, or with ``hang_up`` to that which the dialer makes; what they would have
    waited for is not waited for (``attempts.finish``). One that is stopping may still be told to hang up. Raises
    CampaignRefused when no campaign of the list is running.
    """
    states = [RUNNING, PAUSED, STOPPING] if hang_up else [RUNNING, PAUSED]
    # The campaign before its tasks: who finishes an attempt meanwhile waits, and then sees that it is stopping.
    ended = conn.execute(
        update(campaign)
        .where(campaign.c.list_id == list_id, campaign.c.state.in_(states))
        .values(state=HANGING_UP if hang_up else STOPPING)
        .returning(campaign.c.id)
    ).scalars()
    ids = list(ended)  # several: one whose last calls go on, and one that was begun in its place
    if not ids:
        raise CampaignRefused("no campaign of this list is running")
    stopped = conn.execute(
        update(task)
        .where(task.c.campaign_id.in_(ids), task.c.state.in_(["preparing", "waiting"]))
        .values(state="done", outcome=Outcome.STOPPED.value, done_at=now, why="")
    )
    for campaign_id in ids:
        tell(conn, events.CAMPAIGN_STOPPED, campaign_id, now)
        finish_if_done(conn, campaign_id, now)
    return int(stopped.rowcount)


def end_open(conn: Connection, list_id: int, now: datetime) -> int | None:
    """``stop``, if a campaign of the list is running or paused; None: there is none."""
    try:
        return stop(conn, list_id, now)
    except CampaignRefused:
        return None


def hanging_up(conn: Connection) -> frozenset[int]:
    """Ids of the campaigns whose calls are to be ended."""
    return frozenset(conn.execute(select(campaign.c.id).where(campaign.c.state == HANGING_UP)).scalars())


def pause(conn: Connection, list_id: int, now: datetime, why: str = BY_HAND) -> int:
    """Nobody more of the list's running campaign is called before ``resume``; gives the campaign's id.

    Attempts in flight come to their own end, and what is due after them waits as well. Raises CampaignRefused.
    """
    values = {"state": PAUSED, "paused_why": why}
    paused = _change(conn, list_id, RUNNING, values, "no campaign of this list is running")
    tell(conn, events.CAMPAIGN_PAUSED, paused, now, lambda: {"why": why})
    return paused


def resume(conn: Connection, list_id: int, now: datetime) -> int:
    """The list's paused campaign goes on where it was; gives its id. Raises CampaignRefused."""
    values = {"state": RUNNING, "paused_why": "", "resumed_at": now}
    resumed = _change(conn, list_id, PAUSED, values, "no campaign of this list is paused")
    tell(conn, events.CAMPAIGN_RESUMED, resumed, now)
    return resumed


def _change(conn: Connection, list_id: int, before: str, values: Mapping[str, object], refusal: str) -> int:
    changed = conn.execute(
        update(campaign)
        .where(campaign.c.list_id == list_id, campaign.c.state == before)
        .values(values)
        .returning(campaign.c.id)
    ).scalar()
    if changed is None:
        raise CampaignRefused(refusal)
    return int(changed)


def mind_the_breaker(conn: Connection, campaign_id: int, now: datetime) -> str:
    """Pause a running campaign whose calls break by faults of the line; says why, "" when it was left alone.

    Called when a call has ended so.
    """
    row = conn.execute(select(campaign).where(campaign.c.id == campaign_id, campaign.c.state == RUNNING)).first()
    if row is None:
        return ""
    settings = settings_of(row.settings)
    since_at = now - timedelta(seconds=settings.breaker_window_s)
    if row.resumed_at is not None:
        since_at = max(since_at, row.resumed_at)
    lately = (
        select(attempt.c.outcome, func.count())
        .join(task)
        .where(
            task.c.campaign_id == campaign_id,
            attempt.c.ended_at > since_at,
            attempt.c.outcome.is_not(None),
            # What we ended ourselves, or by our own end, says nothing of the line.
            attempt.c.cause != Cause.CANCELLED.value,
        )
        .group_by(attempt.c.outcome)
    )
    why = tripped({Outcome(outcome): count for outcome, count in conn.execute(lately)}, settings.breaker_calls)
    if why:
        conn.execute(update(campaign).where(campaign.c.id == campaign_id).values(state=PAUSED, paused_why=why))
        tell(conn, events.CAMPAIGN_PAUSED, campaign_id, now, lambda: {"why": why})
    return why


def tell(
    conn: Connection,
    event: str,
    campaign_id: int,
    now: datetime,
    details: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Other systems that want to know are told (``webhooks``)."""

    def said() -> Mapping[str, Any]:
        test = conn.execute(select(campaign.c.test).where(campaign.c.id == campaign_id)).scalar_one()
        return {"campaign": campaign_id, "test": test, **details()}

    webhooks.emit(conn, event, lambda: name(conn, campaign_id), said, now)


def _outcomes(conn: Connection, campaign_id: int) -> dict[str, int]:
    query = select(task.c.outcome, func.count()).where(task.c.campaign_id == campaign_id).group_by(task.c.outcome)
    return {outcome: count for outcome, count in conn.execute(query)}


def held(conn: Connection, campaign_id: int, now: datetime) -> tuple[datetime | None, str] | None:
    """Why nobody of the campaign is called at this moment whoever is due, ``paused: …`` or ``window``, and until when.

    None: there is no such reason. The moment is None where only a person can change it. ``window`` is by the list's own
    clock: people of another zone have hours of their own.
    """
    found = frozen(conn, campaign_id)
    if found is None:
        raise LookupError(f"there is no campaign {campaign_id}")
    if found.state == PAUSED:
        return (
            None,
            f"paused: {conn.execute(select(campaign.c.paused_why).where(campaign.c.id == campaign_id)).scalar()}",
        )
    until_at = found.closed_until(now) if found.state == RUNNING else None
    return None if until_at is None else (until_at, "window")


def name(conn: Connection, campaign_id: int) -> str:
    """The name of its list."""
    query = select(prepared_list.c.name).join(campaign).where(campaign.c.id == campaign_id)
    return str(conn.execute(query).scalar_one())


def zone(conn: Connection, campaign_id: int) -> str:
    """The clock of its list, as it was frozen; "": none of its own."""
    found = frozen(conn, campaign_id)
    return "" if found is None else found.settings.zone


def latest(conn: Connection, list_id: int | None = None, *, tests: bool = False) -> list[int]:
    """The last campaign of the list, or of every list; oldest first. Tests are none, unless ``tests`` says so."""
    query = select(func.max(campaign.c.id)).group_by(campaign.c.list_id).order_by(func.max(campaign.c.id))
    if not tests:
        query = query.where(~campaign.c.test)
    if list_id is not None:
        query = query.where(campaign.c.list_id == list_id)
    return list(conn.execute(query).scalars())
