"""The ledger on SQLite: claims among many waiting tasks, attempts a second to their outcome, start of a campaign.

Claims are timed within their transaction, in turn in a small and in a large campaign that differ in nothing else, so
that both meet the same machine. Attempts go through the store as the server does it: every step (claim, placing,
dialing, answered, outcome) a job of its own, committed with synchronous=FULL, as many attempts at a time as --lines.
Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection, event
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import gatherResults, inlineCallbacks

from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaign_start, lists, stop_lists, subscribers, tasks
from ocm_cti.store.transactions import Store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SETTINGS = ListSettings.from_table(
    {"zone": "UTC", "caps": {"day": 3, "month": 30}, "windows": {"mon-sun": "00:00-24:00"}}
)
SCENARIO = 'name = "n"\nlanguage = "en"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Hello."\n'
PORTION = 50_000
STOPPED = ["+7800*", *(f"+1{number}" for number in range(2_000_000_000, 2_000_100_000))]
P99_RATIO, ATTEMPTS_PER_S, START_S, START_PEOPLE = 1.5, 300.0, 15.0, 100_000


def person(number: int) -> Person:
    return Person(str(number), f"Person {number}", ((f"+7{9000000000 + number}", ""),), {"debt": str(number)})


def fill(store: Store, name: str, first: int, people: int, note: Callable[[int], None]) -> tuple[int, float]:
    """A campaign of so many people; gives its id and the seconds of its start."""

    def add(conn: Connection, list_id: int, start: int) -> None:
        # Not ``upsert``, which looks for each of them first: that is none of what is measured here.
        subscribers.create(conn, list_id, [person(first + start + place) for place in range(min(1000, people - start))])

    list_id = store.run_now(lambda conn: lists.find_or_create(conn, name, NOW))
    for start in range(0, people, PORTION):

        def portion(conn: Connection, start: int = start) -> None:
            for each in range(start, min(start + PORTION, people), 1000):
                add(conn, list_id, each)

        store.run_now(portion)
        note(min(PORTION, people - start))
    began_s = time.perf_counter()
    campaign_id = store.run_now(lambda conn: campaign_start.start(conn, list_id, NOW, SCENARIO, SETTINGS))
    return campaign_id, time.perf_counter() - began_s


def time_claims(store: Store, campaign_ids: Sequence[int], each: int) -> dict[int, list[float]]:
    """Milliseconds of each claim, the campaigns in turn; every claim is finished as busy."""
    took: dict[int, list[float]] = {campaign_id: [] for campaign_id in campaign_ids}

    def one(conn: Connection, campaign_id: int) -> None:
        began_s = time.perf_counter()
        claim = tasks.claim(conn, campaign_id, "office", "301", "bench", NOW)
        took[campaign_id].append((time.perf_counter() - began_s) * 1000)
        if claim is None:
            raise RuntimeError("nobody was due")
        attempts.finish(conn, claim.attempt_id, attempts.Finish(Outcome.REJECTED, Cause.REJECTED, NOW), NOW)

    for _ in range(each):
        for campaign_id in campaign_ids:
            store.run_now(partial(one, campaign_id=campaign_id))
    return took


def plans(store: Store, campaign_id: int) -> list[str]:
    """How SQLite goes about each question that a claim asks."""
    asked: list[tuple[str, Any]] = []

    def look(conn: Connection) -> list[str]:
        def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            asked.append((statement, parameters))

        event.listen(conn, "before_cursor_execute", note)
        tasks.claim(conn, campaign_id, "office", "301", "bench", NOW)
        event.remove(conn, "before_cursor_execute", note)
        told = []
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                steps = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                told.append("; ".join(str(step[3]) for step in steps))
        raise _Undone(list(dict.fromkeys(told)))

    try:
        store.run_now(look)
    except _Undone as undone:
        return undone.told
    raise RuntimeError("the look was committed")


class _Undone(Exception):
    def __init__(self, told: list[str]) -> None:
        self.told = told


@inlineCallbacks
def run_attempts(store: Store, campaign_id: int, count: int, lines: int) -> Any:
    """Deferred of attempts a second."""
    left = count

    @inlineCallbacks
    def line(port: str) -> Any:
        nonlocal left
        while left > 0:
            left -= 1
            claim = yield store.run(lambda conn: tasks.claim(conn, campaign_id, "office", port, "bench", NOW))
            yield store.run(partial(attempts.place, attempt_id=claim.attempt_id, at=NOW))
            for state in (AttemptState.DIALING, AttemptState.ANSWERED):
                yield store.run(partial(attempts.mark, attempt_id=claim.attempt_id, state=state, at=NOW))
            end = attempts.Finish(Outcome.CONFIRMED, Cause.NORMAL, NOW, keys="1")
            yield store.run(partial(attempts.finish, attempt_id=claim.attempt_id, end=end, now=NOW))

    began_s = time.perf_counter()
    yield gatherResults([line(str(port)) for port in range(lines)])
    return count / (time.perf_counter() - began_s)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench ledger", description=__doc__)
    parser.add_argument("--waiting", type=int, default=1_000_000, help="tasks of the large campaign")
    parser.add_argument("--small", type=int, default=10_000, help="tasks of the small one")
    parser.add_argument("--claims", type=int, default=1000, help="timed in each")
    parser.add_argument("--attempts", type=int, default=6000)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    reactor: Any = twisted_reactor
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ocm.db"
        store = Store.open(path)
        store.run_now(lambda conn: stop_lists.add(conn, "asked", STOPPED, "", NOW))
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("filling", total=given.small + START_PEOPLE + given.waiting)

            def note(count: int) -> None:
                progress.advance(bar, count)

            small, _ = fill(store, "small", 0, given.small, note)
            _, start_s = fill(store, "start", 10_000_000, START_PEOPLE, note)
            large, _ = fill(store, "large", 20_000_000, given.waiting, note)
        told = plans(store, large)
        took = time_claims(store, [small, large], given.claims)
        store.close()
        rates: list[Any] = []
        running = Store.open(path, reactor)

        def measure() -> None:
            run_attempts(running, large, given.attempts, given.lines).addBoth(rates.append).addBoth(
                lambda _: reactor.stop()
            )

        reactor.callWhenRunning(measure)
        reactor.run()
        running.close()
    if not isinstance(rates[0], float):
        rates[0].raiseException()
    p99 = {key: statistics.quantiles(took[key], n=100)[98] for key in (small, large)}
    figures = {
        "claim_p50_ms": {"small": statistics.median(took[small]), "large": statistics.median(took[large])},
        "claim_p99_ms": {"small": p99[small], "large": p99[large]},
        "claim_p99_ratio": p99[large] / p99[small],
        "attempts_per_s": rates[0],
        "start_s": start_s,
        "start_people": START_PEOPLE,
    }
    if given.json:
        print(json.dumps(figures | {"plans": told}, indent=2))
    else:
        for plan in told:
            print(f"  {plan}")
        for name, key in ((f"{given.small:,} waiting", small), (f"{given.waiting:,} waiting", large)):
            print(f"claim among {name:>18}: p50 {statistics.median(took[key]):6.3f} ms, p99 {p99[key]:6.3f} ms")
        print(f"p99, large / small: {figures['claim_p99_ratio']:.2f} (goal {P99_RATIO})")
        print(f"attempts through to their outcome: {rates[0]:.0f} a second (goal {ATTEMPTS_PER_S:.0f})")
        print(f"start of a campaign of {START_PEOPLE:,}: {start_s:.1f} s (goal {START_S:.0f})")
    missed = p99[large] > P99_RATIO * p99[small] or rates[0] < ATTEMPTS_PER_S or start_s > START_S
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
