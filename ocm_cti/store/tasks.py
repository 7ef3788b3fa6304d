"""Tasks: one person in one campaign, ``preparing`` -> ``waiting`` -> ``calling`` -> ``waiting`` or ``done``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, literal_column, select, update

from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.outcomes import NOT_COUNTED, Outcome
from ocm_cti.domain.retries import Again, Done, decide, first_number
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaigns, locks, stop_lists, subscribers
from ocm_cti.store.schema import attempt, calling, task

#: A person who is being called elsewhere is looked at again this much later.
BEING_CALLED_S = 5.0

#: So many people are passed over in one transaction (capped, on a stop list, being called), about half a second's work:
#: calls that are up wait for the same writer.
LOOKS = 300

#: Spelt out, not bound: only then every planner sees that the partial index serves.
_IS_WAITING = task.c.state == literal_column("'waiting'")

# Built once: at each claim half of the time was the building of statements.
_WAITING_HERE = (task.c.campaign_id == bindparam("campaign_id"), _IS_WAITING)
_FIRST_PRIORITY = select(func.min(task.c.priority)).where(*_WAITING_HERE)
_NEXT_PRIORITY = _FIRST_PRIORITY.where(task.c.priority > bindparam("priority"))
_FIRST_ZONE = select(func.min(task.c.zone)).where(*_WAITING_HERE, task.c.priority == bindparam("priority"))
_NEXT_ZONE = _FIRST_ZONE.where(task.c.zone > bindparam("zone"))
_FIRST_DUE = (
    select(task)
    .where(
        *_WAITING_HERE,
        task.c.priority == bindparam("priority"),
        task.c.zone == bindparam("zone"),
        task.c.due_at <= bindparam("now"),
    )
    .order_by(task.c.due_at)
    .limit(1)
)
_FIRST_DUE_OURS = _FIRST_DUE.with_for_update(skip_locked=True)  # nobody whom another node has in hand
_BEING_CALLED = select(calling.c.number).where(calling.c.number.in_(bindparam("numbers", expanding=True))).limit(1)
_TAKE = update(task).where(task.c.id == bindparam("task_id"), task.c.state == "waiting").values(state="calling", why="")
_LAST_ATTEMPT = select(func.max(attempt.c.attempt_no)).where(attempt.c.task_id == bindparam("task_id"))
_NEW_ATTEMPT = insert(attempt).returning(attempt.c.id)
_NEW_LOCKS = insert(calling)


@dataclass(frozen=True)
class Claim:
    """A task taken for one attempt, with all that the call needs. ``number_index`` is the place among his numbers.

    ``language`` "": that of the scenario, as it is his own and not the list's. ``machine``: the scenario that an
    answering machine gets; "": it is hung up on.
    """

    attempt_id: int
    task_id: int
    campaign_id: int
    subscriber_id: int
    attempt_no: int
    name: str
    number: str
    number_index: int
    variables: Mapping[str, str]
    scenario: str
    language: str
    ring_timeout_s: float
    caller_id: str | None
    machine: str = ""


@dataclass
class Looks:
    """How many more people one transaction may pass over; ``spent``: there may be others behind them."""

    left: int = field(default_factory=lambda: LOOKS)

    @property
    def spent(self) -> bool:
        return self.left <= 0


@dataclass(frozen=True)
class Counts:
    """Tasks of a campaign. ``outcomes`` counts the done ones by outcome value."""

    total: int
    waiting: int
    calling: int
    done: int
    outcomes: Mapping[str, int]


def claim(
    conn: Connection,
    campaign_id: int,
    gateway: str,
    port: str,
    node: str,
    now: datetime,
    priority: int | None = None,
    looks: Looks | None = None,
) -> Claim | None:
    """Take the next due task of the campaign: the attempt row exists before anybody hears of it.

    None: nothing is due, the campaign is not running, or it is not the hour for any of those who wait. ``priority``:
    only among those who wait under it. Somebody who is being called already (in any campaign, on any of his numbers) is
    passed over and looked at again shortly; the person lock is the primary key of ``calling``. Of nodes that claim at
    the same time each passes over what another one has in hand. ``looks``: how many may be passed over; None: all.
    """
    frozen = campaigns.frozen(conn, campaign_id)
    if frozen is None or frozen.state != campaigns.RUNNING:
        return None
    for under in list(priorities(conn, campaign_id)) if priority is None else [priority]:
        while (row := _first_due(conn, frozen, under, now)) is not None:
            if looks is not None:
                if looks.spent:
                    return None
                looks.left -= 1
            numbers = list(dict.fromkeys(row.numbers))
            if _is_being_called(conn, numbers, frozen.settings):
                later = now + timedelta(seconds=BEING_CALLED_S)
                conn.execute(update(task).where(task.c.id == row.id).values(due_at=later, why="being_called"))
                continue
            barred = stop_lists.stopped(conn, numbers)
            if row.numbers[row.number_index] in barred:
                _pass_over(conn, row, barred, frozen.settings, now)
                continue
            free_at = capped_until(conn, frozen, numbers, row.zone, now)
            if free_at is not None:
                conn.execute(update(task).where(task.c.id == row.id).values(due_at=free_at, why="cap"))
                continue
            taken = conn.execute(_TAKE, {"task_id": row.id})
            if taken.rowcount == 1:
                attempt_id, attempt_no = _insert_attempt(conn, row, numbers, gateway, port, node, now)
                return _claim(row, attempt_id, attempt_no, frozen)
    return None


def _scenario_of(own: str, own_scenarios: Mapping[str, str], scenario: str) -> str:
    """The text of his own scenario, or of the list's. ``campaign_start.start`` sees that the campaign has his own."""
    return own_scenarios[own] if own else scenario


def _is_being_called(conn: Connection, numbers: Sequence[str], settings: ListSettings) -> bool:
    """Already, or another node is about to; if not, no other node can claim him before this transaction ends.

    His caps are over all numbers that are known of him, so with caps all of them are to be ours: a call that is going
    on has no outcome yet which says whether it counts.
    """
    his = numbers if settings.caps.unlimited else subscribers.numbers_of_same(conn, numbers)
    if not locks.person(conn, his):
        return True
    return conn.execute(_BEING_CALLED, {"numbers": list(his)}).first() is not None


def capped_until(
    conn: Connection, frozen: campaigns.Frozen, numbers: Sequence[str], zone: str, now: datetime
) -> datetime | None:
    """When he who has these numbers may be called again as far as caps go; None: at ``now``."""
    settings = frozen.settings
    if settings.caps.unlimited or frozen.override_why:
        return None
    there = zone or settings.zone
    his = sorted(subscribers.numbers_of_same(conn, numbers))
    called_at = attempts.called_at(conn, his, settings.caps.since_at(now, there))
    return settings.caps.free_at(called_at, now, there)


def _pass_over(conn: Connection, row: Row[Any], barred: frozenset[str], settings: ListSettings, now: datetime) -> None:
    """His number stands on a stop list: another one of his is next, or he is done."""
    never = {place for place, number in enumerate(row.numbers) if number in barred}
    never |= subscribers.invalid_places(conn, row.subscriber_id, row.numbers)
    # After a fault of the line the same number would be next; what counts is what came of him before.
    past = [one for one in attempts.history(conn, row.id) if one.outcome not in NOT_COUNTED]
    if past:
        following = decide(past, len(row.numbers), settings, frozenset(never))
    else:
        first = first_number(len(row.numbers), frozenset(never))
        following = Done(Outcome.STOPPED) if first is None else Again(row.due_at, first, "due")
    values: dict[str, object] = (
        {"state": "done", "outcome": following.outcome.value, "done_at": now, "why": "stop_list"}
        if isinstance(following, Done)
        else {"due_at": following.due_at, "number_index": following.number_index, "why": following.why}
    )
    conn.execute(update(task).where(task.c.id == row.id, task.c.state == "waiting").values(values))
    campaigns.finish_if_done(conn, row.campaign_id, now)


def priorities(conn: Connection, campaign_id: int) -> Iterator[int]:
    """Those that somebody waits under, first things first; one probe of the index each, however many wait."""
    which = {"campaign_id": campaign_id}
    priority = conn.execute(_FIRST_PRIORITY, which).scalar()
    while priority is not None:
        yield priority
        priority = conn.execute(_NEXT_PRIORITY, {**which, "priority": priority}).scalar()


def zones(conn: Connection, campaign_id: int, priority: int) -> Iterator[str]:
    """Those that somebody waits in under this priority; "": by the list's clock. One probe of the index each."""
    which = {"campaign_id": campaign_id, "priority": priority}
    zone = conn.execute(_FIRST_ZONE, which).scalar()
    while zone is not None:
        yield zone
        zone = conn.execute(_NEXT_ZONE, {**which, "zone": zone}).scalar()


def head_priority(conn: Connection, frozen: campaigns.Frozen, now: datetime, *, only_look: bool = False) -> int | None:
    """The first priority under which somebody is due whom it is the hour to call; None: there is nobody.

    ``only_look``: for a reader, who may lock nothing; whom another node is just claiming counts too.
    """
    for priority in priorities(conn, frozen.campaign_id):
        if _first_due(conn, frozen, priority, now, _FIRST_DUE if only_look else _FIRST_DUE_OURS) is not None:
            return priority
    return None


def _first_due(
    conn: Connection, frozen: campaigns.Frozen, priority: int, now: datetime, query: Select[Any] = _FIRST_DUE_OURS
) -> Row[Any] | None:
    """Whoever has been due for longest, among those in whose zone it is the hour."""
    heads = []
    for zone in list(zones(conn, frozen.campaign_id, priority)):
        if frozen.closed_until(now, zone) is None:
            which = {"campaign_id": frozen.campaign_id, "priority": priority, "zone": zone, "now": now}
            heads.append(conn.execute(query, which).first())
    return min((head for head in heads if head is not None), key=lambda head: (head.due_at, head.id), default=None)


def _insert_attempt(
    conn: Connection, row: Row[Any], numbers: Sequence[str], gateway: str, port: str, node: str, now: datetime
) -> tuple[int, int]:
    """The attempt and the tokens on every number of the person; gives (attempt_id, attempt_no)."""
    last = conn.execute(_LAST_ATTEMPT, {"task_id": row.id}).scalar()
    attempt_no = (last or 0) + 1
    values = {
        "task_id": row.id,
        "attempt_no": attempt_no,
        "node": node,
        "gateway": gateway,
        "port": port,
        "number": row.numbers[row.number_index],
        "number_index": row.number_index,
        "state": AttemptState.CLAIMED.value,
        "claimed_at": now,
    }
    attempt_id = conn.execute(_NEW_ATTEMPT, values).scalar_one()
    conn.execute(_NEW_LOCKS, [{"number": number, "attempt_id": attempt_id} for number in numbers])
    return attempt_id, attempt_no


def _claim(row: Row[Any], attempt_id: int, attempt_no: int, frozen: campaigns.Frozen) -> Claim:
    return Claim(
        attempt_id=attempt_id,
        task_id=row.id,
        campaign_id=row.campaign_id,
        subscriber_id=row.subscriber_id,
        attempt_no=attempt_no,
        name=row.name,
        number=row.numbers[row.number_index],
        number_index=row.number_index,
        variables=dict(row.variables),
        scenario=_scenario_of(row.scenario, frozen.own_scenarios, frozen.scenario),
        language="" if row.scenario else frozen.settings.language,
        ring_timeout_s=frozen.settings.ring_timeout_s,
        caller_id=frozen.settings.caller_id,
        machine=frozen.machine,
    )


def next_due_at(conn: Connection, now: datetime) -> datetime | None:
    """When the first waiting task of a running campaign is due after ``now``, or the hour comes for those who are due.

    None when nothing waits that long.
    """
    heads: list[datetime] = []
    for campaign_id in campaigns.running(conn):
        frozen = campaigns.frozen(conn, campaign_id)
        if frozen is None:
            continue
        for priority in list(priorities(conn, campaign_id)):
            for zone in list(zones(conn, campaign_id, priority)):
                opens_at = frozen.closed_until(now, zone)
                query = select(task.c.due_at).where(
                    task.c.campaign_id == campaign_id,
                    task.c.priority == priority,
                    task.c.zone == zone,
                    _IS_WAITING,
                    task.c.due_at > (opens_at or now),
                )
                due_at = opens_at or conn.execute(query.order_by(task.c.due_at).limit(1)).scalar()
                if due_at is not None:
                    heads.append(due_at)
    return min(heads, default=None)


def counts(conn: Connection, campaign_id: int) -> Counts:
    states = {"preparing": 0, "waiting": 0, "calling": 0, "done": 0}
    outcomes: dict[str, int] = {}
    query = (
        select(task.c.state, task.c.outcome, func.count())
        .where(task.c.campaign_id == campaign_id)
        .group_by(task.c.state, task.c.outcome)
    )
    for state, outcome, number in conn.execute(query):
        states[state] += number
        if state == "done":
            outcomes[outcome] = outcomes.get(outcome, 0) + number
    waiting = states["preparing"] + states["waiting"]
    return Counts(sum(states.values()), waiting, states["calling"], states["done"], outcomes)


def of_attempt(conn: Connection, attempt_id: int) -> tuple[str, Mapping[str, str]]:
    """The name of the scenario that is his own ("": the list's), and his variables."""
    query = select(task.c.scenario, task.c.variables).join(attempt).where(attempt.c.id == attempt_id)
    row = conn.execute(query).one()
    return row.scenario, dict(row.variables)


def next_waiting(conn: Connection, campaign_id: int) -> tuple[datetime, str] | None:
    """When the first of the waiting tasks is due, and what it waits for; None when nobody waits."""
    row = conn.execute(
        select(task.c.due_at, task.c.why)
        .where(task.c.campaign_id == campaign_id, task.c.state.in_(["preparing", "waiting"]))
        .order_by(task.c.due_at)
        .limit(1)
    ).first()
    return None if row is None else (row.due_at, row.why)
