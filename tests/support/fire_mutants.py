"""Faults put into the product on purpose: the machine that finds none of them would be worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from twisted.internet.defer import succeed

from ocm_cti import attempt as attempt_module
from ocm_cti.domain.settings import ListSettings
from ocm_cti.recovery import Recovery
from ocm_cti.store import attempts, campaigns, stop_lists, tasks
from ocm_cti.store.schema import attempt, calling, campaign, task

Attempt = attempt_module.Attempt


def sends_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The call leaves while ``placing`` is on its way to the disk."""

    def prepared(self: Any, fragments: Any) -> None:
        commit, self._store = self._store, _Uncommitted(self._store)
        try:
            honest(self, fragments)
        finally:
            self._store = commit

    honest = Attempt._prepared
    patch.setattr(Attempt, "_prepared", prepared)


class _Uncommitted:
    """Says that a job is done as soon as it is asked for."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def run(self, job: Any) -> Any:
        self._store.run(job).addErrback(lambda failure: None)
        return succeed(None)


def claims_without_the_persons_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tasks, "_is_being_called", lambda conn, numbers, settings: False)

    def insert_attempt(conn: Any, row: Any, numbers: Any, *more: Any) -> Any:
        conn.execute(delete(calling).where(calling.c.number.in_(numbers)))
        return honest(conn, row, numbers, *more)

    honest = tasks._insert_attempt
    patch.setattr(tasks, "_insert_attempt", insert_attempt)


def claims_whoever_is_being_called(patch: pytest.MonkeyPatch) -> None:
    """The claim without its condition: also somebody who is in a call of this very campaign."""

    def first_due(conn: Any, frozen: Any, priority: int, now: datetime, *more: Any) -> Any:
        row = conn.execute(
            select(task)
            .where(task.c.campaign_id == frozen.campaign_id, task.c.state.in_(["waiting", "calling"]))
            .where(task.c.due_at <= now)
            .order_by(task.c.due_at)
            .limit(1)
        ).first()
        if row is not None:
            conn.execute(update(task).where(task.c.id == row.id).values(state="waiting"))
        return row

    patch.setattr(tasks, "_first_due", first_due)
    claims_without_the_persons_lock(patch)


def lock_is_kept(patch: pytest.MonkeyPatch) -> None:
    def finish(conn: Any, attempt_id: int, end: Any, now: datetime) -> Any:
        rows = conn.execute(calling.select().where(calling.c.attempt_id == attempt_id)).all()
        told = honest(conn, attempt_id, end, now)
        if end.outcome.value == "busy":
            conn.execute(insert(calling), [dict(row._mapping) for row in rows])
        return told

    honest = attempts.finish
    patch.setattr(attempts, "finish", finish)


def a_crash_never_reached_anybody(patch: pytest.MonkeyPatch) -> None:
    honest = attempts.settle
    patch.setattr(attempts, "settle", lambda conn, one, never_reached, now: honest(conn, one, True, now))


def nothing_is_recovered(patch: pytest.MonkeyPatch) -> None:
    honest = Recovery._sort
    patch.setattr(Recovery, "_sort", lambda self, rows: honest(self, []))


def an_outcome_is_written_once_only(patch: pytest.MonkeyPatch) -> None:
    """What the disk refused is not tried again."""

    def write(self: Any, finish: Any) -> None:
        def job(conn: Any) -> None:
            attempts.finish(conn, self.claim.attempt_id, finish, self._now())

        self._store.run(job).addBoth(lambda _: self._done.callback(None))

    patch.setattr(Attempt, "_write", write)


def caps_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tasks, "capped_until", lambda *_: None)


def hours_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ListSettings, "closed_until", lambda self, at, zone="": None)


def stop_lists_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stop_lists, "stopped", lambda conn, numbers: frozenset())


def no_last_look(patch: pytest.MonkeyPatch) -> None:
    """As it was before this machine found it."""
    state = attempts.AttemptState.PLACING
    patch.setattr(attempts, "place", lambda conn, one, at, by_hand: attempts.mark(conn, one, state, at))


def history_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    honest = attempts.history
    patch.setattr(attempts, "history", lambda conn, one: honest(conn, one)[-1:])


def an_end_is_written_over(patch: pytest.MonkeyPatch) -> None:
    """An attempt that is over is finished again by whoever comes later, and his task opened again."""

    def settle(conn: Any, attempt_id: int, never_reached: bool, now: datetime) -> Any:
        told = honest(conn, attempt_id, never_reached, now)
        conn.execute(update(attempt).where(attempt.c.id == attempt_id).values(state="ringing", outcome=None))
        return told

    honest = attempts.settle
    patch.setattr(attempts, "settle", settle)


def a_pause_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    """At the claim nor at the last look; one of them alone does."""
    no_last_look(patch)

    def running(conn: Any) -> list[int]:
        states = [campaigns.RUNNING, campaigns.PAUSED]
        query = select(campaign.c.id).where(campaign.c.state.in_(states))
        return list(conn.execute(query).scalars())

    def frozen(conn: Any, campaign_id: int) -> Any:
        found = honest(conn, campaign_id)
        return replace(found, state=campaigns.RUNNING) if found and found.state == campaigns.PAUSED else found

    honest = campaigns.frozen
    patch.setattr(campaigns, "running", running)
    patch.setattr(campaigns, "frozen", frozen)


def hours_are_those_of_the_list(patch: pytest.MonkeyPatch) -> None:
    """Wherever the person lives."""
    honest = ListSettings.closed_until
    patch.setattr(ListSettings, "closed_until", lambda self, at, zone="": honest(self, at))


def an_emergency_is_none(patch: pytest.MonkeyPatch) -> None:
    """Hours and caps hold for it as for any other."""
    honest = campaigns.frozen

    def frozen(conn: Any, campaign_id: int) -> Any:
        found = honest(conn, campaign_id)
        return found and replace(found, override_why="")

    patch.setattr(campaigns, "frozen", frozen)


def an_emergency_has_caps(patch: pytest.MonkeyPatch) -> None:
    """The hours don't hold, the caps do."""
    honest = tasks.capped_until

    def capped_until(conn: Any, frozen: Any, *more: Any) -> Any:
        return honest(conn, replace(frozen, override_why=""), *more)

    patch.setattr(tasks, "capped_until", capped_until)


def shares_are_all_alike(patch: pytest.MonkeyPatch) -> None:
    honest = campaigns.frozen

    def frozen(conn: Any, campaign_id: int) -> Any:
        found = honest(conn, campaign_id)
        return found and replace(found, settings=replace(found.settings, share=1.0))

    patch.setattr(campaigns, "frozen", frozen)


def hanging_up_is_only_stopping(patch: pytest.MonkeyPatch) -> None:
    """Calls that are up go on to their own end."""
    patch.setattr(campaigns, "hanging_up", lambda conn: frozenset())


def what_is_replaced_goes_on(patch: pytest.MonkeyPatch) -> None:
    """The campaign in whose place another one begins still calls its people, whatever the last look says."""
    no_last_look(patch)
    states = [campaigns.RUNNING, campaigns.STOPPING]

    def end_open(conn: Any, list_id: int, now: datetime) -> int:
        open_ones = (campaign.c.list_id == list_id, campaign.c.state.in_([*states, campaigns.PAUSED]))
        conn.execute(update(campaign).where(*open_ones).values(state=campaigns.STOPPING))
        return 0

    def running(conn: Any) -> list[int]:
        return list(conn.execute(select(campaign.c.id).where(campaign.c.state.in_(states))).scalars())

    def frozen(conn: Any, campaign_id: int) -> Any:
        found = honest(conn, campaign_id)
        return replace(found, state=campaigns.RUNNING) if found and found.state in states else found

    honest = campaigns.frozen
    patch.setattr(campaigns, "end_open", end_open)
    patch.setattr(campaigns, "running", running)
    patch.setattr(campaigns, "frozen", frozen)


MUTANTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    mutant.__name__: mutant
    for mutant in (
        sends_before_the_commit,
        claims_without_the_persons_lock,
        claims_whoever_is_being_called,
        lock_is_kept,
        a_crash_never_reached_anybody,
        nothing_is_recovered,
        an_outcome_is_written_once_only,
        caps_are_not_asked,
        hours_are_not_asked,
        stop_lists_are_not_asked,
        no_last_look,
        history_is_forgotten,
        an_end_is_written_over,
        a_pause_is_not_seen,
        hours_are_those_of_the_list,
        an_emergency_is_none,
        an_emergency_has_caps,
        shares_are_all_alike,
        hanging_up_is_only_stopping,
        what_is_replaced_goes_on,
    )
}
