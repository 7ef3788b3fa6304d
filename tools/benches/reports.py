"""Reports of campaigns of 10,000 and 100,000 people, two attempts each: time, memory, and what a writer feels of them.

Each report is made in a process of its own, so that its memory is its own; the ratios compare runs of one and the same
minute. While the large one is read, a writer commits without a pause, and its latency is compared with that before.
Exits with 1 when memory grows with the people by more than the goal, or the writer waits for the reader.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Connection, insert, update

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store.schema import answer, attempt, call_record, campaign, prepared_list, subscriber, task
from ocm_cti.store.transactions import Store

BEGAN_AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PORTION = 10_000
#: Peak memory of the large report over that of the small one; the median commit during a report over that before.
MEMORY_RATIO, COMMIT_RATIO = 1.5, 5.0
FORMATS = ("csv", "xlsx", "json", "pdf")

SCENARIO = """\
language = "ru"
[[step]]
name = "satisfied"
type = "survey"
kind = "scale"
question = "Насколько вы довольны обслуживанием?"
message = "Оцените обслуживание от одного до пяти."
min = 1
max = 5
[[step]]
name = "reason"
type = "survey"
kind = "single"
question = "Почему вы к нам обратились?"
message = "Почему вы к нам обратились?"
options = { 1 = "покупка", 2 = { label = "ремонт", to = "again" }, 3 = "жалоба" }
[[step]]
name = "again"
type = "survey"
kind = "yes_no"
question = "Обратитесь ли вы к нам ещё раз?"
message = "Обратитесь ли вы к нам ещё раз?"
[[step]]
name = "index"
type = "survey"
kind = "digits"
question = "Ваш почтовый индекс"
message = "Наберите ваш почтовый индекс."
max_length = 6
[[step]]
name = "reply"
type = "record"
question = "Что нам улучшить?"
message = "Скажите, что нам улучшить."
"""
_WEIGHTS = {
    Outcome.CONFIRMED: 30,
    Outcome.DELIVERED: 22,
    Outcome.CUT_SHORT: 8,
    Outcome.MACHINE: 5,
    Outcome.BUSY: 8,
    Outcome.NO_ANSWER: 14,
    Outcome.REJECTED: 4,
    Outcome.INVALID_NUMBER: 3,
    Outcome.UNREACHABLE: 3,
    Outcome.STOPPED: 1,
}
_ANSWERED = (Outcome.CONFIRMED, Outcome.DELIVERED, Outcome.CUT_SHORT)


def fill(conn: Connection, name: str, people: int, tries: int, seed: int = 1) -> int:
    """A campaign of so many people with so many attempts each (the last gives the outcome); gives its id."""
    chance = random.Random(seed)
    list_id = conn.execute(insert(prepared_list).values(name=name, created_at=BEGAN_AT).returning(prepared_list.c.id))
    values = {"list_id": list_id.scalar_one(), "state": "running", "scenario": SCENARIO, "started_at": BEGAN_AT}
    settings = ListSettings(zone="Europe/Moscow").to_json()
    made = conn.execute(insert(campaign).values(values | {"settings": settings}).returning(campaign.c.id))
    campaign_id = int(made.scalar_one())
    for start in range(0, people, PORTION):
        _portion(conn, campaign_id, values["list_id"], range(start, min(people, start + PORTION)), tries, chance)
    return campaign_id


def _portion(
    conn: Connection, campaign_id: int, list_id: Any, numbers: range, tries: int, chance: random.Random
) -> None:
    first = [_next_id(conn, table) for table in (subscriber, task, attempt)]
    rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in (subscriber, task, attempt, answer, call_record)}
    for place, number in enumerate(numbers):
        person, called = first[0] + place, f"+7{9_000_000_000 + number}"
        is_open = chance.random() < 0.04
        outcome = None if is_open else chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        name = f"Абонент {number}"
        rows[subscriber].append(
            {"id": person, "list_id": list_id, "key": str(number), "name": name, "variables": {"debt": "1"}}
        )
        rows[task].append(
            {
                "id": first[1] + place,
                "campaign_id": campaign_id,
                "subscriber_id": person,
                "name": name,
                "variables": {"debt": "1"},
                "numbers": [called],
                "priority": 5,
                "state": "waiting" if is_open else "done",
                "due_at": BEGAN_AT + timedelta(hours=20),
                "number_index": 0,
                "why": "retry_busy" if is_open else "",
                "outcome": None if outcome is None else outcome.value,
                "done_at": None if is_open else BEGAN_AT,
            }
        )
        at = BEGAN_AT + timedelta(seconds=min(39_000.0, chance.expovariate(1 / 9000)))
        last = tries if tries < 3 else chance.randint(1, tries)
        for attempt_no in range(1, last + 1):
            came = outcome if attempt_no == last and outcome is not None else Outcome.BUSY
            attempt_id = first[2] + len(rows[attempt])
            answered_at = at + timedelta(seconds=8) if came in _ANSWERED else None
            ended_at = at + timedelta(seconds=chance.randint(20, 70))
            rows[attempt].append(
                {
                    "id": attempt_id,
                    "task_id": first[1] + place,
                    "attempt_no": attempt_no,
                    "node": "bench",
                    "gateway": "office",
                    "port": str(301 + chance.randint(0, 7)),
                    "number": called,
                    "number_index": 0,
                    "state": "finished",
                    "claimed_at": at,
                    "placing_at": at,
                    "dialing_at": at,
                    "answered_at": answered_at,
                    "ended_at": ended_at,
                    "outcome": came.value,
                    "cause": "normal",
                    "native_cause": "csta 48 normalClearing",
                    "certain": True,
                    "heard_ms": 12_300,
                    "of_ms": 15_000,
                    "keys": "1",
                }
            )
            if answered_at is not None:
                rows[call_record].append(_record(attempt_id, ended_at, chance))
                if came is not Outcome.CUT_SHORT:
                    rows[answer] += _answers(attempt_id, chance)
            at += timedelta(minutes=chance.randint(10, 60))
    for table, values in rows.items():
        if values:
            conn.execute(insert(table), values)


def _record(attempt_id: int, ended_at: datetime, chance: random.Random) -> dict[str, Any]:
    seconds = chance.randint(15, 60)
    return {
        "gateway": "office",
        "source": "smdr",
        "raw": f"line of {attempt_id}",
        "copy": 1,
        "received_at": ended_at,
        "started_at": ended_at - timedelta(seconds=seconds),
        "ended_at": ended_at,
        "extension": "301",
        "trunk": f"{chance.randint(1, 4):02}",
        "number": "",
        "direction": "out",
        "duration_s": seconds,
        "cost": f"{seconds * 0.02:.2f}",
        "currency": "RUB",
        "account": "",
        "condition": "",
        "fault": "",
        "attempt_id": attempt_id,
    }


def _answers(attempt_id: int, chance: random.Random) -> list[dict[str, Any]]:
    given = {
        "satisfied": str(chance.choices(range(1, 6), (5, 8, 15, 40, 32))[0]),
        "reason": str(chance.choices(range(1, 4), (55, 30, 15))[0]),
        "again": chance.choices(("yes", "no"), (80, 20))[0],
        "index": f"{chance.randint(101000, 101040)}",
    }
    left = chance.randint(1, 4)
    rows: list[dict[str, Any]] = [
        {"attempt_id": attempt_id, "step": step, "value": value, "recording": None}
        for step, value in list(given.items())[:left]
    ]
    if chance.random() < 0.05:
        rows.append({"attempt_id": attempt_id, "step": "reply", "value": None, "recording": f"{attempt_id}-reply.wav"})
    return rows


def _next_id(conn: Connection, table: Any) -> int:
    return int(conn.exec_driver_sql(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}").scalar_one())


#: What a process of its own does: a report of one list in one format, and what it took.
CHILD = """\
import json, resource, sys, time
from pathlib import Path
from rich.console import Console
from ocm_cti import config
from ocm_cti.commands.reports import Wanted, write_reports
path, name, kind, out = sys.argv[1:]
read = config.load(Path(path))
began = time.perf_counter()
write_reports(read, Wanted(name), Path(out), Console(quiet=True), [kind] if kind else [])
taken = time.perf_counter() - began
print(json.dumps({"s": taken, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
CONFIG = """\
data = "."
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301-308"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
"""


def start_report(folder: Path, name: str, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(folder / "ocm.toml"), name, kind, str(folder / name)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result_of(process: subprocess.Popen[str]) -> dict[str, float]:
    told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the report failed")
    return dict(json.loads(told))


def commit_ms(store: Store, campaign_id: int, process: subprocess.Popen[str] | None, least: int) -> list[float]:
    """How long commits take, at least so many, and as long as the process runs."""
    took: list[float] = []
    while len(took) < least or (process is not None and process.poll() is None):
        why = f"bench {len(took)}"
        began_s = time.perf_counter()
        store.run_now(partial(_write, campaign_id=campaign_id, why=why))
        took.append((time.perf_counter() - began_s) * 1000)
        time.sleep(0.005)
    return took


def _write(conn: Connection, campaign_id: int, why: str) -> None:
    conn.execute(update(campaign).where(campaign.c.id == campaign_id).values(paused_why=why))


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench reports", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="of the large campaign")
    parser.add_argument("--small", type=int, default=10_000, help="of the small one")
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    figures: dict[str, Any] = {"people": given.people, "small": given.small, "tries": given.tries}
    with tempfile.TemporaryDirectory() as place, console.status("filling") as status:
        folder = Path(place)
        (folder / "ocm.toml").write_text(CONFIG, encoding="utf-8")
        store = Store.open(folder / "ocm.db")
        store.run_now(lambda conn: fill(conn, "small", given.small, given.tries))
        large = store.run_now(lambda conn: fill(conn, "large", given.people, given.tries))
        alone = commit_ms(store, large, None, 200)
        beside: list[float] = []
        for kind in ("", *FORMATS):
            status.update(f"reporting {kind or 'on the screen'}")
            small = result_of(start_report(folder, "small", kind))
            process = start_report(folder, "large", kind)
            beside += commit_ms(store, large, process, 1)
            big = result_of(process)
            figures[kind or "screen"] = {
                "small_s": small["s"],
                "large_s": big["s"],
                "small_mb": small["mb"],
                "large_mb": big["mb"],
                "memory_ratio": big["mb"] / small["mb"],
                "time_per_person_ratio": (big["s"] / given.people) / (small["s"] / given.small),
            }
        store.close()
    figures["commit_ms"] = {
        "alone_median": statistics.median(alone),
        "beside_median": statistics.median(beside),
        "beside_most": max(beside),
    }
    ratio = statistics.median(beside) / statistics.median(alone)
    if given.json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"{given.small:,} and {given.people:,} people, {given.tries} attempts each")
        for kind in ("screen", *FORMATS):
            row = figures[kind]
            took = f"{row['small_s']:6.1f} s {row['large_s']:6.1f} s (a person x{row['time_per_person_ratio']:.2f})"
            peak = (
                f"{row['small_mb']:5.0f} MB {row['large_mb']:5.0f} MB (x{row['memory_ratio']:.2f}, goal {MEMORY_RATIO})"
            )
            print(f"  {kind:6} {took}   {peak}")
        print(
            f"  a commit: median {figures['commit_ms']['alone_median']:.1f} ms alone, "
            f"{figures['commit_ms']['beside_median']:.1f} ms beside a report (x{ratio:.1f}, goal {COMMIT_RATIO:g}), "
            f"at most {max(beside):.0f} ms"
        )
    missed = ratio > COMMIT_RATIO or any(figures[kind]["memory_ratio"] > MEMORY_RATIO for kind in ("screen", *FORMATS))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
