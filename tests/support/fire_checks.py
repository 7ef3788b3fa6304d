"""What must hold of the ledger and the switch's own account; both read past the product's code."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fire_server import Broken

if TYPE_CHECKING:
    from fire_switch import Seen
    from fire_world import World

TABLES = ("task", "attempt", "answer", "calling", "campaign", "subscriber_number", "stop_entry")
NOT_SENT = ("not-placed", "crash")


class Ledger:
    """The file, by plain SQL."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.row_factory = sqlite3.Row

    def ask(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._base.execute(sql, values).fetchall()

    def close(self) -> None:
        self._base.close()

    def everything(self) -> list[tuple[Any, ...]]:
        return [tuple(row) for table in TABLES for row in self.ask(f"SELECT * FROM {table} ORDER BY 1")]

    def attempt(self, attempt_id: int) -> sqlite3.Row | None:
        rows = self.ask(
            "SELECT attempt.*, task.numbers, task.campaign_id, list.name AS list_name FROM attempt "
            "JOIN task ON task.id = task_id JOIN campaign ON campaign.id = campaign_id "
            "JOIN list ON list.id = campaign.list_id WHERE attempt.id = ?",
            attempt_id,
        )
        return rows[0] if rows else None

    def numbers(self, attempt_id: int) -> set[str]:
        row = self.attempt(attempt_id)
        return set() if row is None else set(json.loads(row["numbers"]))

    def running(self, list_name: str) -> list[int]:
        sql = "SELECT campaign.id FROM campaign JOIN list ON list.id = list_id WHERE name = ? AND state <> 'done'"
        return [row[0] for row in self.ask(sql, list_name)]

    def paused(self) -> list[str]:
        return [
            row[0]
            for row in self.ask("SELECT name FROM campaign JOIN list ON list.id = list_id WHERE state = 'paused'")
        ]

    def open_campaigns(self) -> int:
        return int(self.ask("SELECT count(*) FROM campaign WHERE state <> 'done'")[0][0])

    def attempts(self) -> int:
        return int(self.ask("SELECT count(*) FROM attempt")[0][0])

    def open_tasks(self) -> list[dict[str, Any]]:
        return [
            dict(row) for row in self.ask("SELECT id, campaign_id, state, why, due_at FROM task WHERE state <> 'done'")
        ]

    def lines_held(self, now: datetime) -> dict[str, tuple[int, int]]:
        """Of each list with a campaign that goes on: (people who are due and wait, people who have a line)."""
        sql = (
            "SELECT list.name, sum(task.state = 'waiting' AND due_at <= ?), sum(task.state = 'calling') FROM task "
            "JOIN campaign ON campaign.id = campaign_id JOIN list ON list.id = list_id "
            "WHERE campaign.state = 'running' GROUP BY list.name"
        )
        moment = now.replace(tzinfo=None).isoformat(timespec="microseconds")
        return {name: (due, held) for name, due, held in self.ask(sql, moment)}

    def emergencies_waiting(self) -> list[tuple[datetime, str]]:
        """(since when he is due, what he waits for) of each."""
        sql = (
            "SELECT due_at, why FROM task JOIN campaign ON campaign.id = campaign_id "
            "WHERE override_why <> '' AND campaign.state = 'running' AND task.state = 'waiting'"
        )
        return [(_moment(row["due_at"]), row["why"]) for row in self.ask(sql)]

    def next_due_at(self) -> datetime | None:
        (row,) = self.ask("SELECT min(due_at) FROM task WHERE state = 'waiting'")
        return None if row[0] is None else _moment(row[0])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fail(what: str) -> None:
    raise Broken(what)


def check_calls(world: World) -> None:
    """Calls at the switch are the attempts that were placed, and none is over a budget or a cap."""
    seen = {each.attempt_id: each for each in world.switch.seen}
    rows = world.ledger.ask(
        "SELECT attempt.*, task.numbers, campaign_id, list.name AS list_name FROM attempt "
        "JOIN task ON task.id = task_id "
        "JOIN campaign ON campaign.id = campaign_id JOIN list ON list.id = campaign.list_id ORDER BY attempt.id"
    )
    placed = {row["id"] for row in rows if row["placing_at"] is not None}
    if not set(seen) <= placed:
        fail(f"the switch had calls of which the ledger does not know: attempts {sorted(set(seen) - placed)}")
    for row in rows:
        if row["id"] in placed and row["id"] not in seen and not any(word in row["native_cause"] for word in NOT_SENT):
            fail(f"the switch never heard of attempt {row['id']}: {row['outcome']} {row['native_cause']}")
        if row["id"] in seen:
            check_outcome(row, seen[row["id"]])
    tasks: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        tasks.setdefault(row["task_id"], []).append(row)
    for tries in tasks.values():
        check_budgets(world, tries, seen)
    check_caps(world, {row["id"]: row for row in rows})


def check_outcome(row: sqlite3.Row, seen: Seen) -> None:
    """What the ledger says of a call, against what the switch says."""
    if row["outcome"] == "line_fault" and "crash" in row["native_cause"] and seen.rang:
        fail(f"attempt {row['id']} rang, and was not counted")
    if row["outcome"] == "confirmed" and seen.kind != "key":
        fail(f"attempt {row['id']} is confirmed, and nobody pressed a key: {seen.kind}")
    if row["outcome"] in ("busy", "no_answer", "rejected") and seen.kind != row["outcome"]:
        fail(f"attempt {row['id']} is {row['outcome']}, and it was {seen.kind}")


def check_budgets(world: World, tries: list[sqlite3.Row], seen: dict[int, Seen]) -> None:
    settings = world.settings[tries[0]["list_name"]]
    who = f"task {tries[0]['task_id']}"
    if [row["attempt_no"] for row in tries] != list(range(1, len(tries) + 1)):
        fail(f"{who}: attempts are numbered {[row['attempt_no'] for row in tries]}")
    counted = [row for row in tries if row["outcome"] != "line_fault"]
    if len(counted) > settings.tries_per_person:
        fail(f"{who} was called {len(counted)} times of {settings.tries_per_person}")
    for number, times in Counter(row["number"] for row in counted).items():
        if times > settings.tries_per_number:
            fail(f"{who}: {number} was called {times} times of {settings.tries_per_number}")
    rules = {outcome.value: rule.tries for outcome, rule in settings.rules.items()}
    for (number, outcome), times in Counter((row["number"], row["outcome"]) for row in counted).items():
        if outcome in rules and times > rules[outcome]:
            fail(f"{who}: {number} was {outcome} {times} times of {rules[outcome]}")
    for place, row in enumerate(tries):
        earlier = [(before["number"], before["outcome"]) for before in tries[:place]]
        if row["id"] in seen and (row["number"], "invalid_number") in earlier:
            fail(f"{who}: {row['number']} does not exist and was called again")
        if {"unknown", "confirmed", "delivered", "stopped"} & {outcome for _, outcome in earlier}:
            fail(f"{who} was called again after {earlier}")
    rung = sum(row["id"] in seen and seen[row["id"]].told for row in tries)
    if rung > settings.tries_per_person + settings.tries_after_fault:
        fail(f"{who}: his telephone rang {rung} times")


def check_caps(world: World, rows: dict[int, sqlite3.Row]) -> None:
    """At each call of a capped list: how many he had that day, on all numbers of whoever shares one with him."""
    people: dict[int, set[str]] = {}
    for row in world.ledger.ask("SELECT subscriber_id, number FROM subscriber_number"):
        people.setdefault(row[0], set()).add(row[1])
    before: list[tuple[str, datetime]] = []
    for each in sorted(world.switch.seen, key=lambda each: each.attempt_id):  # as they were claimed
        row = rows[each.attempt_id]
        there = ZoneInfo(world.zones.get((row["list_name"], each.number), "UTC"))
        placing_at = _moment(row["placing_at"])
        day = placing_at.astimezone(there).date()
        cap = 0 if row["campaign_id"] in world.emergencies else world.settings[row["list_name"]].caps.day
        numbers = set(json.loads(row["numbers"]))
        his = numbers.union(*(own for own in people.values() if own & numbers))
        earlier = sum(number in his and at.astimezone(there).date() == day for number, at in before)
        if cap and earlier >= cap:
            fail(f"attempt {row['id']} to {each.number} is call {earlier + 1} of {cap} on {day}")
        if row["outcome"] != "line_fault" or row["ringing_at"] or row["answered_at"]:
            before.append((each.number, placing_at))


def check_end(world: World) -> None:
    """Everybody has his outcome, and nothing is held."""
    assert world.life is not None
    ask = world.ledger.ask
    if world.ledger.open_tasks():
        fail(f"not everybody is done: {world.ledger.open_tasks()}")
    if rows := ask("SELECT id FROM task WHERE outcome IS NULL OR done_at IS NULL"):
        fail(f"done without an outcome: tasks {[row[0] for row in rows]}")
    if rows := ask("SELECT id, state FROM attempt WHERE state <> 'finished' OR outcome IS NULL"):
        fail(f"attempts in flight at the end: {[tuple(row) for row in rows]}")
    if rows := ask("SELECT number FROM calling"):
        fail(f"persons are locked at the end: {[row[0] for row in rows]}")
    if world.switch.up or any(gateway.calls for gateway in world.life.gateways):
        fail(f"calls are up at the end: {world.switch.up}")
    if world.life.dialer.calls_up:
        fail("the dialer holds a port at the end")
