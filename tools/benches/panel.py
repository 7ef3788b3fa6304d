"""The panel beside a campaign of 1,000,000 people: how long pages take, what watchers cost, what a large upload does.

A real server calls through a simulated PBX meanwhile. Time of a page is what a client on the same machine waits for it
on an open connection, so it is somewhat more than the server's own. What watchers cost is the CPU time of the server
with them less that without them, in turn within one run. While the file comes in, the reactor is asked for a style
sheet again and again: the longest wait is what somebody's call could have waited. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _panel_server import CONFIG, ROOT, Visitor, login, server, simulated_pbx
from _process import cpu_s, resident_mb
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection

from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import campaign_start, lists, subscribers
from ocm_cti.store.transactions import Store

SETTINGS = {"zone": "UTC", "windows": {"mon-sun": "00:00-24:00"}}
SCENARIO = """\
language = "en"
[[step]]
name = "m"
type = "say"
message = "The water is off."
"""
PORTION = 50_000
PAGE_P95_MS, WATCHERS_CORE, LATE_MS, GROWTH_MB = 60.0, 0.05, 250.0, 150.0
SURNAMES = ("Орлова", "Журавлёв", "Зуева", "Щукин", "Кравченко", "Мельник", "Соколова", "Ковальчук")
#: What -> query of the campaign's page.
PAGES = {
    "first page": "",
    "page 1000": "?after=%5B50000%5D",
    "last page": "?backwards=1",
    "by name": "?order=name",
    "waiting": "?state=waiting",
    "done": "?state=done",
    "a group": "?group=west",
    "search: some": "?search=%D0%BE%D1%80%D0%BB%D0%BE%D0%B2%D0%B0+999",
    "search: one number": "?search=9000777777",
    "search: nobody": "?search=nobodyatall",
}


def person(number: int) -> Person:
    """Most telephones of these last digits answer, some are busy."""
    name = f"{SURNAMES[number % len(SURNAMES)]} {number}"
    groups = ("west",) if number % 1000 == 0 else ()
    return Person(str(number), name, ((f"+7{9000000000 + number}", ""),), {"debt": str(number)}, groups=groups)


def fill(path: Path, people: int, console: Console) -> int:
    """A campaign that is at work; its id."""
    store = Store.open(path)
    now = datetime.now(UTC)
    list_id = store.run_now(lambda conn: lists.find_or_create(conn, "large", now))
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("filling", total=people)
        for start in range(0, people, PORTION):

            def portion(conn: Connection, start: int = start) -> None:
                for first in range(start, min(start + PORTION, people), 1000):
                    new = [person(number) for number in range(first, min(first + 1000, people))]
                    subscribers.create(conn, list_id, new)

            store.run_now(portion)
            progress.advance(bar, min(PORTION, people - start))
        settings = ListSettings.from_table(SETTINGS)
        campaign_id = store.run_now(lambda conn: campaign_start.start(conn, list_id, now, SCENARIO, settings))
    store.close()
    return campaign_id


def time_pages(visitor: Visitor, campaign_id: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page, in turn."""
    paths = {"monitor": "/", **{what: f"/campaigns/{campaign_id}{query}" for what, query in PAGES.items()}}
    took: dict[str, list[float]] = {what: [] for what in paths}
    for _ in range(rounds):
        for what, path in paths.items():
            began_s = time.perf_counter()
            visitor.get(path)
            took[what].append((time.perf_counter() - began_s) * 1000)
    return took


class Watchers:
    """So many browsers that watch the monitor; ``frames`` is how many have come to all of them."""

    def __init__(self, visitor: Visitor, count: int) -> None:
        self.frames = 0
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        asked = f"GET /events HTTP/1.1\r\nHost: bench\r\nCookie: {visitor.cookie}\r\n\r\n".encode()
        for _ in range(count):
            connection = socket.create_connection(visitor.where)
            connection.sendall(asked)
            self._selector.register(connection, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.2):
                connection: Any = key.fileobj
                self.frames += connection.recv(1 << 18).count(b"event: frame")

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()


def cost_of_watchers(visitor: Visitor, pid: int, count: int, seconds: float) -> tuple[float, float, float]:
    """Cores that the server takes alone and more with ``count`` watchers; frames a second that each of them gets."""
    alone: list[float] = []
    watched: list[float] = []
    frames: list[float] = []
    for _ in range(3):
        for watchers in (0, count):
            watching = Watchers(visitor, watchers) if watchers else None
            time.sleep(1.0)  # until all of them are let in
            began_s, cpu, seen = time.perf_counter(), cpu_s(pid), watching.frames if watching else 0
            time.sleep(seconds)
            took_s = time.perf_counter() - began_s
            (watched if watching else alone).append((cpu_s(pid) - cpu) / took_s)
            if watching is not None:
                frames.append((watching.frames - seen) / took_s / count)
                watching.close()
                time.sleep(1.0)
    base = statistics.median(alone)
    return base, statistics.median(watched) - base, statistics.median(frames)


def upload(address: str, cookies: dict[str, str], size: int) -> None:
    """In a process of its own, so that making the file does not delay who measures."""
    Visitor(address, cookies).send_file("/lists/large/import", "people.csv", _table(size), size)


def _table(size: int) -> Iterator[bytes]:
    """A CSV of exactly ``size`` octets."""
    left = size
    head = "ФИО;Тел.;Долг\r\n".encode()
    yield head
    left -= len(head)
    number = 0
    while left > 0:
        rows = "".join(f"Орлова Мария {n};+7{9000000000 + n};{n % 9999},50\r\n" for n in range(number, number + 2000))
        number += 2000
        piece = rows.encode()[:left]
        left -= len(piece)
        yield piece


@dataclass(frozen=True)
class Upload:
    """``late_ms``: the longest wait for the reactor meanwhile, ``before_ms`` in the five seconds before it."""

    took_s: float
    late_ms: float
    before_ms: float
    growth_mb: float


def bring(address: str, visitor: Visitor, pid: int, size: int) -> Upload:
    probe = Visitor(address)

    def waits(until: Any) -> tuple[float, float]:
        longest, most = 0.0, 0.0
        while not until():
            began_s = time.perf_counter()
            probe.get("/static/panel.css")
            longest = max(longest, time.perf_counter() - began_s)
            most = max(most, resident_mb(pid))
            time.sleep(0.005)
        return longest * 1000, most

    quiet_s = time.perf_counter() + 5.0
    before_ms, memory = waits(lambda: time.perf_counter() > quiet_s)
    child = multiprocessing.get_context("spawn").Process(target=upload, args=(address, visitor.cookies, size))
    began_s = time.perf_counter()
    child.start()
    late_ms, most = waits(lambda: not child.is_alive())
    took_s = time.perf_counter() - began_s
    if child.exitcode:
        raise RuntimeError("the file was not taken")
    return Upload(took_s, late_ms, before_ms, most - memory)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench panel", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100, help="times that each page is asked for")
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="with watchers and without, three times each")
    parser.add_argument("--upload-mb", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        (folder / "notice.toml").write_text(SCENARIO, encoding="utf-8")
        campaign_id = fill(folder / "data" / "ocm.db", given.people, console)
        with simulated_pbx(folder) as ports:
            config = folder / "ocm.toml"
            config.write_text(CONFIG.format(audio=json.dumps(str(ROOT / "fixtures" / "audio")), **ports), "utf-8")
            with server(config) as (child, address):
                visitor = login(address, folder)
                console.print(f"pages, {given.rounds} times each ...")
                took = time_pages(visitor, campaign_id, given.rounds)
                console.print(f"{given.watchers} watchers ...")
                alone, more, frames = cost_of_watchers(visitor, child.pid, given.watchers, given.seconds)
                console.print(f"a file of {given.upload_mb} MB ...")
                brought = bring(address, visitor, child.pid, given.upload_mb * 2**20)
    p95 = {what: statistics.quantiles(each, n=20)[18] for what, each in took.items()}
    figures = {
        "page_p50_ms": {what: statistics.median(each) for what, each in took.items()},
        "page_p95_ms": p95,
        "watchers_cores": more,
        "alone_cores": alone,
        "frames_per_s": frames,
        "upload": asdict(brought),
    }
    if given.json:
        print(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        for what, each in took.items():
            print(f"{what:18} p50 {statistics.median(each):7.1f} ms, p95 {p95[what]:7.1f} ms")
        print(f"(goal of the monitor: p95 {PAGE_P95_MS:.0f} ms)")
        print(
            f"{given.watchers} watchers, {frames:.1f} frames a second each: {more:.3f} cores"
            f" (goal {WATCHERS_CORE}) more than {alone:.3f} without them"
        )
        print(
            f"{given.upload_mb} MB in {brought.took_s:.1f} s: memory +{brought.growth_mb:.0f} MB"
            f" (goal {GROWTH_MB:.0f}); the reactor was late by {brought.late_ms:.0f} ms at most (goal {LATE_MS:.0f}),"
            f" {brought.before_ms:.0f} ms before"
        )
    missed = (
        p95["monitor"] > PAGE_P95_MS
        or more > WATCHERS_CORE
        or brought.late_ms > LATE_MS
        or brought.growth_mb > GROWTH_MB
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
