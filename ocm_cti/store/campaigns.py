"""Campaigns: one run of a list, with its scenario and settings frozen."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, literal_column, select, update

from ocm_cti.domain.breaker import tripped
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.retries import first_number
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import subscribers
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import attempt, campaign, prepared_list, subscriber, subscriber_number, task

RUNNING = "running"
PAUSED = "paused"  # calls that are up come to their end, the others wait for ``resume``
STOPPING = "stopping"  # calls that are up come to their end, nobody more is called
HANGING_UP = "hanging_up"  # nobody more is called, and calls that are up are ended
DONE = "done"
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


def start(
    conn: Connection,
    list_id: int,
    now: datetime,
    scenario: str,
    settings: ListSettings,
    *,
    also_invalid: bool = False,
    begins_at: datetime | None = None,
    only_after: Collection[Outcome] | None = None,
    own_scenarios: Mapping[str, str] | None = None,
    zone_of: Callable[[str], str] = lambda number: "",
    testers: Sequence[str] = (),
    override_why: str = "",
    prepare: bool = False,
    groups: Collection[str] = (),
    beside_ending: bool = False,
) -> int:
    """Freeze scenario and settings, make a task for each person; gives the campaign's id.

    A person none of whose numbers exists gets his outcome at once; with ``also_invalid`` what was learned of that is
    forgotten before. Nobody is called before ``begins_at`` (aware). Raises CampaignRefused while another campaign of
    the list is running (its people would be called twice) and for an empty list. ``beside_ending``: not while one only
    brings the calls that are up to their end; who is in such a call is called when it is over.

    ``only_after``: a follow-up, of those only who ended so in the list's last campaign. ``own_scenarios``: by name,
    what people may have instead; CampaignRefused when somebody's own is not among them. ``zone_of`` a number is that of
    a person who has none of his own, "" when it can't be told. ``testers``: a test, which dials these numbers only, to
    say what would be said to those of the list who have them, and where nobody has, to somebody else of it.
    ``override_why``: neither hours nor caps hold, for this reason. ``prepare``: nobody is called before his message is
    made (``readiness``). ``groups``: only who is in one of them; (): everybody.
    """
    conn.execute(select(prepared_list.c.id).where(prepared_list.c.id == list_id).with_for_update())
    going_on = select(campaign.c.id).where(campaign.c.list_id == list_id, campaign.c.state != DONE)
    if beside_ending:
        going_on = going_on.where(campaign.c.state.in_([RUNNING, PAUSED]))
    if conn.execute(going_on).first():
        its = conn.execute(select(prepared_list.c.name).where(prepared_list.c.id == list_id)).scalar_one()
        shown = shlex.quote(its)
        raise CampaignRefused(
            "a campaign of this list is running, or waits for its hour; wait for its end, or end it: "
            f"ocm stop {shown}, or begin this one in its place: ocm start {shown} --instead"
        )
    if also_invalid:
        subscribers.forget_invalid(conn, list_id)
    numbers: dict[int, list[tuple[str, bool]]] = {}
    query = (
        select(subscriber_number.c.subscriber_id, subscriber_number.c.number, subscriber_number.c.invalid)
        .join(subscriber)
        .where(subscriber.c.list_id == list_id)
        .order_by(subscriber_number.c.subscriber_id, subscriber_number.c.place)
    )
    for row in conn.execute(query):
        numbers.setdefault(row.subscriber_id, []).append((row.number, row.invalid))
    whom = select(subscriber).where(subscriber.c.list_id == list_id, ~subscriber.c.gone)
    nobody = "there is nobody on this list; import people first"
    if only_after is not None:
        earlier = conn.execute(
            select(func.max(campaign.c.id)).where(campaign.c.list_id == list_id, ~campaign.c.test)
        ).scalar()
        if earlier is None:
            raise CampaignRefused("this list has not been called yet: there is nothing to follow up")
        outcomes = sorted(outcome.value for outcome in only_after)
        ended_so = select(task.c.subscriber_id).where(task.c.campaign_id == earlier, task.c.outcome.in_(outcomes))
        whom = whom.where(subscriber.c.id.in_(ended_so))
        nobody = f"nobody of the last campaign ended so: {', '.join(outcomes)}"
    people = conn.execute(whom.order_by(subscriber.c.id)).all()
    if groups and people:
        people = [person for person in people if {*person.groups} & {*groups}]
        nobody = f"nobody of them is in the group {', '.join(groups)}"
    if not people:
        raise CampaignRefused(nobody)
    named = {person.scenario for person in people if person.scenario}
    if settings.machine:
        named.add(settings.machine)
    missing = sorted(named - set(own_scenarios or {}))
    if missing:
        raise CampaignRefused(
            f"people have scenarios of their own that the list has not: {', '.join(missing)}; name their files under "
            "[lists.NAME.scenarios]"
        )
    campaign_id = int(
        conn.execute(
            insert(campaign)
            .values(
                list_id=list_id,
                state=RUNNING,
                scenario=scenario,
                own_scenarios={name: text for name, text in (own_scenarios or {}).items() if name in named},
                settings=settings.to_json(),
                started_at=now,
                override_why=override_why,
                test=bool(testers),
            )
            .returning(campaign.c.id)
        ).scalar_one()
    )
    rows = []
    for person, own in _whom(people, numbers, testers):
        first = first_number(len(own), frozenset(place for place, (_, invalid) in enumerate(own) if invalid))
        zone = person.zone or _zone_of(own, zone_of)
        if zone and not settings.knows_zone(zone):
            raise CampaignRefused(f"{person.name or person.key}: there is no time zone {zone!r}; as Asia/Yekaterinburg")
        rows.append(
            {
                "campaign_id": campaign_id,
                "subscriber_id": person.id,
                "name": person.name,
                "variables": person.variables,
                "numbers": [number for number, _ in own],
                "priority": settings.priority if person.priority is None else person.priority,
                "zone": zone,
                "scenario": person.scenario,
                "state": "done" if first is None else "preparing" if prepare else "waiting",
                "due_at": begins_at or now,
                "number_index": first or 0,
                "why": _first_why(first, begins_at, prepare),
                "outcome": None if first is not None else Outcome.INVALID_NUMBER.value,
                "done_at": None if first is not None else now,
            }
        )
    # Whose message is made first is whoever is called first.
    conn.execute(insert(task), sorted(rows, key=lambda row: row["priority"]))
    finish_if_done(conn, campaign_id, now)
    return campaign_id


def _first_why(first: int | None, begins_at: datetime | None, prepare: bool) -> str:
    if first is None:
        return ""
    return "speech" if prepare else "due" if begins_at is None else "start"


_Numbers = list[tuple[str, bool]]  # (E.164, whether it is known not to exist)


def _whom(
    people: Sequence[Row[Any]], numbers: Mapping[int, _Numbers], testers: Sequence[str]
) -> Iterator[tuple[Row[Any], _Numbers]]:
    """Everybody with his numbers; in a test one person for each tester, with the tester's number alone."""
    if not testers:
        for person in people:
            yield person, numbers.get(person.id, [])
        return
    his: dict[str, Row[Any] | None] = {
        number: person for person in reversed(people) for number, _ in numbers.get(person.id, [])
    }
    taken: set[int] = set()
    others = iter(
        [person for person in people if not {number for number, _ in numbers.get(person.id, [])} & {*testers}]
    )
    for tester in dict.fromkeys(testers):
        owner = his.get(tester)
        listener = owner if owner is not None and owner.id not in taken else next(others, None)
        if listener is not None:
            taken.add(listener.id)
            yield listener, [(tester, False)]


def _zone_of(numbers: _Numbers, zone_of: Callable[[str], str]) -> str:
    return next((zone for number, _ in numbers if (zone := zone_of(number))), "")


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
    conn.execute(
        update(campaign)
        .where(
            campaign.c.id == campaign_id,
            campaign.c.state.in_([RUNNING, PAUSED, STOPPING, HANGING_UP]),
            ~exists().where(task.c.campaign_id == campaign_id, task.c.state != literal_column("'done'")),
        )
        .values(state=DONE, ended_at=now)
    )
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


def pause(conn: Connection, list_id: int, why: str = "by hand") -> int:
    """Nobody more of the list's running campaign is called before ``resume``; gives the campaign's id.

    Attempts in flight come to their own end, and what is due after them waits as well. Raises CampaignRefused.
    """
    values = {"state": PAUSED, "paused_why": why}
    return _change(conn, list_id, RUNNING, values, "no campaign of this list is running")


def resume(conn: Connection, list_id: int, now: datetime) -> int:
    """The list's paused campaign goes on where it was; gives its id. Raises CampaignRefused."""
    values = {"state": RUNNING, "paused_why": "", "resumed_at": now}
    return _change(conn, list_id, PAUSED, values, "no campaign of this list is paused")


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
    return why


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
