"""Attempts: what was tried, and what the ledger makes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, String, Update, bindparam, delete, func, insert, select, update
from twisted.logger import Logger

from ocm_cti.domain import webhooks as events
from ocm_cti.domain.attempts import AttemptState, before
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import NOT_COUNTED, Outcome, best
from ocm_cti.domain.retries import Again, Done, Past, decide
from ocm_cti.store import campaigns, stop_lists, subscribers, webhooks
from ocm_cti.store.schema import answer, attempt, calling, campaign, prepared_list, subscriber, task

_log = Logger()

# Built once: at some hundred attempts a second half of their cost was the building of statements.
_BEFORE_PLACING = (
    select(campaign.c.state, campaign.c.settings, campaign.c.override_why, task.c.zone, attempt.c.number)
    .select_from(attempt.join(task).join(campaign))
    .where(attempt.c.id == bindparam("attempt_id"))
)
_MARK: dict[AttemptState, Update] = {
    state: update(attempt)
    .where(attempt.c.id == bindparam("attempt_id"), attempt.c.state.in_([earlier.value for earlier in before(state)]))
    .values(
        {
            "state": bindparam("new_state"),
            f"{state.value}_at": bindparam("at"),
            "native_id": func.coalesce(bindparam("known_id", type_=String), attempt.c.native_id),
        }
    )
    for state in AttemptState
    if state is not AttemptState.FINISHED
}
_OF_THE_END = ("ended_at", "outcome", "cause", "native_cause", "ended_by", "certain", "heard_ms", "of_ms", "keys")
_FINISH = (
    update(attempt)
    .where(attempt.c.id == bindparam("attempt_id"), attempt.c.state != AttemptState.FINISHED.value)
    .values({name: bindparam(name) for name in _OF_THE_END} | {"state": AttemptState.FINISHED.value})
)
_FREE = delete(calling).where(calling.c.attempt_id == bindparam("of_attempt"))
_TO_DECIDE = (
    select(
        task.c.id,
        task.c.campaign_id,
        task.c.subscriber_id,
        task.c.numbers,
        attempt.c.number,
        attempt.c.dialing_at,
        campaign.c.settings,
        campaign.c.state,
    )
    .select_from(attempt.join(task).join(campaign))
    .where(attempt.c.id == bindparam("attempt_id"))
)
_GO_ON = (
    update(task)
    .where(task.c.id == bindparam("task_id"), task.c.state == "calling")
    .values(
        {name: bindparam(name) for name in ("state", "why", "outcome", "done_at")}
        | {
            name: func.coalesce(bindparam(name, type_=task.c[name].type), task.c[name])
            for name in ("due_at", "number_index")
        }
    )
)
_HISTORY = (
    select(
        attempt.c.number_index,
        attempt.c.outcome,
        attempt.c.cause,
        attempt.c.ended_at,
        attempt.c.placing_at,
        attempt.c.ringing_at,
        attempt.c.answered_at,
    )
    .where(attempt.c.task_id == bindparam("task_id"), attempt.c.state == AttemptState.FINISHED.value)
    .order_by(attempt.c.attempt_no)
)
_CALLED_AT = select(attempt.c.placing_at).where(
    attempt.c.number.in_(bindparam("numbers", expanding=True)),
    attempt.c.placing_at >= bindparam("since_at"),
    attempt.c.outcome.not_in([outcome.value for outcome in NOT_COUNTED])
    | attempt.c.ringing_at.is_not(None)
    | attempt.c.answered_at.is_not(None),
)


@dataclass(frozen=True)
class Finish:
    """How an attempt ended. ``answers`` are (step, value), ``recordings`` (step, file name); ``keys`` as pressed.

    ``stop_lists`` are those on which the person asked to be put.
    """

    outcome: Outcome
    cause: Cause
    ended_at: datetime
    native_system: str = ""
    native_code: str = ""
    native_text: str = ""
    ended_by: str = ""
    certain: bool = True
    heard_ms: int = 0
    of_ms: int = 0
    keys: str = ""
    answers: Sequence[tuple[str, str]] = ()
    recordings: Sequence[tuple[str, str]] = ()
    stop_lists: Sequence[str] = ()

    @property
    def native_cause(self) -> str:
        return sound(" ".join(part for part in (self.native_system, self.native_code, self.native_text) if part))


@dataclass(frozen=True)
class InFlightRow:
    """An attempt that has no outcome yet."""

    attempt_id: int
    task_id: int
    gateway: str
    port: str
    number: str
    native_id: str | None
    state: str


@dataclass(frozen=True)
class Told:
    """What the ledger has of a finished attempt, for who waits for it."""

    outcome: str
    native_cause: str
    keys: str
    heard_ms: int
    of_ms: int
    answers: Sequence[tuple[str, str]]
    recordings: Sequence[tuple[str, str]]
    cause: str = ""


def sound(text: str) -> str:
    """``text`` without what no database takes: octets of a peer that were no text are kept as lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


class WrongState(Exception):
    """The attempt is not in a state from which it may go there; nothing was changed."""


def mark(conn: Connection, attempt_id: int, state: AttemptState, at: datetime, native_id: str | None = None) -> None:
    """Take the attempt a step on (not to ``finished``: see ``finish``). Raises WrongState."""
    values: dict[str, object] = {"new_state": state.value, "at": at}
    values["known_id"] = sound(native_id)[:100] if native_id is not None else None
    changed = conn.execute(_MARK[state], {**values, "attempt_id": attempt_id})
    if changed.rowcount != 1:
        raise WrongState(f"attempt {attempt_id} can't become {state.value} now")


class NoLonger(Exception):
    """The person is not to be called any more now, though he was when he was claimed; the text says why."""


def place(conn: Connection, attempt_id: int, at: datetime, by_hand: bool = False) -> None:
    """The last look before the call leaves: ``placing``, if he may still be called. Raises NoLonger and WrongState.

    Between the claim and this his message was prepared, which may take minutes: meanwhile the hour can be over, the
    campaign paused or stopped, his number put on a stop list. ``by_hand``: that the campaign is stopped means nothing.
    """
    row = conn.execute(_BEFORE_PLACING, {"attempt_id": attempt_id}).one()
    if row.state != campaigns.RUNNING and not (by_hand and row.state == campaigns.STOPPING):
        raise NoLonger("the campaign was paused or stopped meanwhile")
    if not row.override_why and campaigns.settings_of(row.settings).closed_until(at, row.zone) is not None:
        raise NoLonger("it is not the hour to call any more")
    if stop_lists.stopped(conn, [row.number]):
        raise NoLonger("the number was put on a stop list meanwhile")
    mark(conn, attempt_id, AttemptState.PLACING, at)


def finish(conn: Connection, attempt_id: int, end: Finish, now: datetime) -> Again | Done | None:
    """Write the outcome, free the person, decide what is next: one transaction. None when it was finished before."""
    _lock_campaign(conn, attempt_id)
    values = {
        "ended_at": end.ended_at,
        "outcome": end.outcome.value,
        "cause": end.cause.value,
        "native_cause": end.native_cause[:200],
        "ended_by": end.ended_by,
        "certain": end.certain,
        "heard_ms": end.heard_ms,
        "of_ms": end.of_ms,
        "keys": sound(end.keys)[:200],
    }
    changed = conn.execute(_FINISH, {**values, "attempt_id": attempt_id})
    if changed.rowcount != 1:
        return None
    said = [(step, sound(value)) for step, value in end.answers]
    rows = [{"attempt_id": attempt_id, "step": step, "value": value, "recording": None} for step, value in said]
    rows += [{"attempt_id": attempt_id, "step": step, "value": None, "recording": ref} for step, ref in end.recordings]
    if rows:
        conn.execute(insert(answer), rows)
    conn.execute(_FREE, {"of_attempt": attempt_id})
    if end.stop_lists:
        put_on_stop_lists(conn, attempt_id, end.stop_lists, now)
    following = _decide(conn, attempt_id, end.outcome, now, never_again=bool(end.stop_lists))
    _tell(conn, attempt_id, end, following, now)
    return following


def _tell(conn: Connection, attempt_id: int, end: Finish, following: Again | Done, now: datetime) -> None:
    """Other systems that want to know what came of it."""

    def query(*columns: Any) -> Row[Any]:
        joined = attempt.join(task).join(subscriber, task.c.subscriber_id == subscriber.c.id)
        joined = joined.join(campaign).join(prepared_list)
        return conn.execute(select(*columns).select_from(joined).where(attempt.c.id == attempt_id)).one()

    def said() -> Mapping[str, Any]:
        row = query(attempt, task.c.campaign_id, task.c.name, subscriber.c.key, campaign.c.test)
        return {
            "campaign": row.campaign_id,
            "test": row.test,
            "person": row.key,
            "name": row.name,
            "attempt": attempt_id,
            "try": row.attempt_no,
            "number": row.number,
            "outcome": end.outcome.value,
            "cause": end.cause.value,
            "heard_ms": end.heard_ms,
            "of_ms": end.of_ms,
            "keys": sound(end.keys),
            "answers": [{"step": step, "value": sound(value)} for step, value in end.answers],
            "recordings": [{"step": step, "file": file} for step, file in end.recordings],
            "ended_at": end.ended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            # What it came to with him; null: he is called again.
            "final": following.outcome.value if isinstance(following, Done) else None,
        }

    webhooks.emit(conn, events.ATTEMPT_FINISHED, lambda: str(query(prepared_list.c.name)[0]), said, now)


def _lock_campaign(conn: Connection, attempt_id: int) -> None:
    """First of all: everybody takes the campaign before its tasks, so that nobody waits in a circle."""
    if conn.dialect.name == "sqlite":
        return
    campaign_id = conn.execute(
        select(task.c.campaign_id).join(attempt, attempt.c.task_id == task.c.id).where(attempt.c.id == attempt_id)
    ).scalar()
    if campaign_id is not None:
        campaigns.lock(conn, campaign_id)


def put_on_stop_lists(conn: Connection, attempt_id: int, names: Sequence[str], now: datetime) -> None:
    """The person asked for it: all his numbers, from whatever list they are known. Again is harmless."""
    query = select(task.c.numbers, prepared_list.c.name)
    joined = attempt.join(task).join(campaign).join(prepared_list)
    row = conn.execute(query.select_from(joined).where(attempt.c.id == attempt_id)).one()
    numbers = sorted(subscribers.numbers_of_same(conn, row.numbers))
    for name in names:
        stop_lists.add(conn, name, numbers, f"asked on the telephone: list {row.name}, attempt {attempt_id}"[:300], now)


def _decide(
    conn: Connection, attempt_id: int, outcome: Outcome, now: datetime, *, never_again: bool = False
) -> Again | Done:
    row = conn.execute(_TO_DECIDE, {"attempt_id": attempt_id}).one()
    if outcome is Outcome.INVALID_NUMBER and row.dialing_at is not None:
        # The network said so. Before that it was our own PBX, whose dialling rules are as likely to be wrong.
        subscribers.mark_invalid(conn, row.subscriber_id, row.number)
    past = history(conn, row.id)
    invalid = subscribers.invalid_places(conn, row.subscriber_id, row.numbers)
    following = decide(past, len(row.numbers), campaigns.settings_of(row.settings), invalid)
    if isinstance(following, Again) and row.state not in (campaigns.RUNNING, campaigns.PAUSED):
        following = Done(Outcome.STOPPED)
    if isinstance(following, Again) and never_again:
        following = Done(best(one.outcome for one in past))
    if isinstance(following, Done):
        values: dict[str, object] = {"state": "done", "outcome": following.outcome.value, "done_at": now, "why": ""}
    else:
        values = {
            "state": "waiting",
            "due_at": following.due_at,
            "number_index": following.number_index,
            "why": following.why,
            "done_at": None,
        }
    conn.execute(_GO_ON, {"due_at": None, "number_index": None, "outcome": None, **values, "task_id": row.id})
    if not campaigns.finish_if_done(conn, row.campaign_id, now) and outcome in NOT_COUNTED:
        why = campaigns.mind_the_breaker(conn, row.campaign_id, now)
        if why:
            _log.error("campaign {campaign} is paused: {why}; ocm resume goes on", campaign=row.campaign_id, why=why)
    return following


def history(conn: Connection, task_id: int) -> list[Past]:
    """The finished attempts of a task, oldest first."""
    return [
        Past(
            past.number_index,
            Outcome(past.outcome),
            past.ended_at,
            was_placed=past.placing_at is not None,
            may_have_rung=past.ringing_at is not None or past.answered_at is not None,
            called_off=past.placing_at is None and past.cause == Cause.CANCELLED.value,
        )
        for past in conn.execute(_HISTORY, {"task_id": task_id})
    ]


def told(conn: Connection, attempt_id: int) -> Told:
    """Of one attempt; its outcome is "" while it has none."""
    row = conn.execute(select(attempt).where(attempt.c.id == attempt_id)).one()
    said = conn.execute(select(answer).where(answer.c.attempt_id == attempt_id).order_by(answer.c.id)).all()
    return Told(
        row.outcome or "",
        row.native_cause or "",
        row.keys or "",
        row.heard_ms or 0,
        row.of_ms or 0,
        [(one.step, one.value) for one in said if one.recording is None],
        [(one.step, one.recording) for one in said if one.recording is not None],
        row.cause or "",
    )


def called_at(conn: Connection, numbers: Sequence[str], since_at: datetime) -> list[datetime]:
    """When a person was called on any of his numbers, by whatever campaign; what cannot have rung is no call."""
    return list(conn.execute(_CALLED_AT, {"numbers": list(numbers), "since_at": since_at}).scalars())


def called_at_by_number(
    conn: Connection, numbers: Collection[str], since_at: datetime
) -> Mapping[str, Sequence[datetime]]:
    """``called_at`` of each of them."""
    found: dict[str, list[datetime]] = defaultdict(list)
    query = _CALLED_AT.add_columns(attempt.c.number)
    for at, number in conn.execute(query, {"numbers": sorted(numbers), "since_at": since_at}):
        found[number].append(at)
    return found


def in_flight(conn: Connection, node: str) -> list[InFlightRow]:
    """Attempts without an outcome: after a start of ``node``, what a crash left behind.

    On SQLite those of whatever node: the data folder's lock proves that no other is at work, and a server whose host
    was renamed must not lose those whom it was calling. On PostgreSQL other nodes are at work; theirs are left alone.
    """
    query = select(attempt).where(attempt.c.state != AttemptState.FINISHED.value)
    if conn.dialect.name != "sqlite":
        query = query.where(attempt.c.node == node)
    rows = conn.execute(query.order_by(attempt.c.id))
    return [
        InFlightRow(row.id, row.task_id, row.gateway, row.port, row.number, row.native_id, row.state) for row in rows
    ]


def give_back(conn: Connection, node: str, known: Collection[int], now: datetime) -> None:
    """End what this node claimed and does not know of: whether the claim was written, nobody could tell it then.

    ``known``: those that it is seeing through. Nothing was sent, for ``placing`` comes first.
    """
    query = select(attempt.c.id).where(attempt.c.state == AttemptState.CLAIMED.value, attempt.c.node == node)
    words = "the ledger did not say whether it was claimed"
    for attempt_id in list(conn.execute(query.order_by(attempt.c.id)).scalars()):
        if attempt_id not in known:
            end = Finish(Outcome.LINE_FAULT, Cause.CANCELLED, now, "ocm", "not-placed", words, ended_by="fault")
            finish(conn, attempt_id, end, now)


def settle(conn: Connection, attempt_id: int, never_reached: bool, now: datetime) -> Again | Done | None:
    """End an attempt that a crash left in flight: not counted when the person's telephone cannot have rung."""
    outcome = Outcome.LINE_FAULT if never_reached else Outcome.UNKNOWN
    cause = Cause.CANCELLED if never_reached else Cause.UNKNOWN
    words = "in flight at a crash; never reached the person" if never_reached else "in flight at a crash; not settled"
    return finish(conn, attempt_id, Finish(outcome, cause, now, "ocm", "crash", words, ended_by="fault"), now)
