"""Personalised messages through the real speech processes: messages a second, what the sentence cache spares.

The people of an invented list (names as common as names are, a sum of their own, one of sixty days) each get the
message of fixtures/scenarios/debt.toml: a recording, his name, money and a date, about 15 s. Everything that the
scenario could play to them is rendered as the server does it, into an empty cache; then the same list once more, which
is all hits; then some people of another list by a single process, to tell what the second one brings. Exits with 1
when the goal is missed: 10,000 messages in three minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from _process import cpu_s, resident_mb
from rich.console import Console
from rich.progress import Progress
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.task import Cooperator

from ocm_cti.domain.fragments import Fragment
from ocm_cti.domain.scenarios import Scenario, parse, required_fragments
from ocm_cti.speech.client import SpeechClient
from ocm_cti.speech.prompts import length_ms

ROOT = Path(__file__).resolve().parents[2]
MESSAGES_PER_S = 10_000 / 180

_FIRST = """
Александр Сергей Елена Андрей Ольга Татьяна Алексей Дмитрий Наталья Ирина Владимир Светлана Анна Екатерина Михаил
Мария Юлия Евгений Николай Людмила Иван Галина Максим Павел Марина Роман Игорь Виктор Олег Надежда
"""
_ROOTS = "Иван Смирн Кузнец Попов Васил Петр Соколов Михайл Новик Фёдор Мороз Волк Алексе Лебед Семён Егор Павл Козл"
_ENDINGS = "ов ев ин енко ченко юк ук ский цкий ович янц ыгин ец ук-Белый ко"


def people(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Values of so many people; the n-th name is n times as rare as the first."""
    chance = random.Random(seed)
    last = [root + ending for root in _ROOTS.split() for ending in _ENDINGS.split()]

    def drawn(names: list[str]) -> list[str]:
        weights = list(accumulate(1 / place for place in range(1, len(names) + 1)))
        return chance.choices(names, cum_weights=weights, k=count)

    for name, surname in zip(drawn(_FIRST.split()), drawn(last), strict=True):
        day = chance.randrange(60)
        yield {
            "name": f"{name} {surname}",
            "debt": f"{chance.randrange(50_00, 80_000_00) / 100:.2f}".replace(".", ","),
            "due": f"{1 + day % 28:02d}.{11 + day // 30}.2026",
        }


@dataclass
class Rendered:
    """What one pass over a list took and gave."""

    messages: int = 0
    parts: int = 0
    message_ms: int = 0
    took_s: float = 0.0


@inlineCallbacks
def render(
    reactor: Any, client: SpeechClient, scenario: Scenario, rows: Iterable[dict[str, str]], at_once: int, note: Any
) -> Any:
    """Prepare everybody, so many at a time; gives Rendered and the set of files."""
    told, files = Rendered(), set[Path]()
    message = scenario.steps["message"].message
    lengths: dict[Path, int] = {}

    def one(row: dict[str, str]) -> Deferred[Any]:
        fragments = required_fragments(scenario, row)
        rendered = gatherResults([client.render(fragment, scenario.language) for fragment in fragments])
        return rendered.addCallback(done, fragments, row)

    def done(paths: list[Path], fragments: list[Fragment], row: dict[str, str]) -> None:
        by_fragment = dict(zip(fragments, paths, strict=True))
        for path in paths:
            if path not in lengths:
                lengths[path] = length_ms(path)
        told.messages += 1
        told.parts += len(paths)
        told.message_ms += sum(lengths[by_fragment[part]] for part in scenario.fragments_of(message, row, None))
        files.update(paths)
        note()

    began_s = time.perf_counter()
    rows = iter(rows)
    cooperator = Cooperator()
    shared = (one(row) for row in rows)
    yield gatherResults([cooperator.coiterate(shared) for _ in range(at_once)])
    cooperator.stop()
    told.took_s = time.perf_counter() - began_s
    return told, files


@inlineCallbacks
def measure(reactor: Any, given: argparse.Namespace, folder: Path, console: Console) -> Any:
    """All passes; gives the figures."""
    scenario = parse((ROOT / "fixtures/scenarios/debt.toml").read_text(encoding="utf-8"))
    audio = ROOT / "fixtures/audio"
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("rendering", total=2 * given.messages + given.sample)

        def note() -> None:
            progress.advance(bar)

        client = SpeechClient(reactor, folder / "cache", audio_dir=audio, workers=given.workers, cache_mb=2000)
        client.start()
        own_s = time.process_time()
        cold, files = yield render(reactor, client, scenario, people(given.messages, 1), given.at_once, note)
        own_s = time.process_time() - own_s
        pids = client.pids
        workers_s, memory_mb = sum(map(cpu_s, pids)), max(map(resident_mb, pids))
        warm, again = yield render(reactor, client, scenario, people(given.messages, 1), given.at_once, note)
        yield client.stop()
        if again != files:
            raise RuntimeError("the second pass gave other files than the first")
        single = SpeechClient(reactor, folder / "single", audio_dir=audio, workers=1)
        single.start()
        alone, alone_files = yield render(reactor, single, scenario, people(given.sample, 2), given.at_once, note)
        yield single.stop()
    audio_s = sum(path.stat().st_size for path in files) / 8000
    parts_per_s, alone_parts_per_s = len(files) / cold.took_s, len(alone_files) / alone.took_s
    return {
        "messages": cold.messages,
        "took_s": cold.took_s,
        "messages_per_s": cold.messages / cold.took_s,
        "message_s": cold.message_ms / 1000 / cold.messages,
        "parts": cold.parts,
        "distinct_parts": len(files),
        "cache_hits": 1 - len(files) / cold.parts,
        "rendered_audio_s": audio_s,
        "message_audio_s": cold.message_ms / 1000,
        "times_real_time": cold.message_ms / 1000 / cold.took_s,
        "server_cpu_s": own_s,
        "workers_cpu_s": workers_s,
        "worker_memory_mb": memory_mb,
        "hits_per_s": warm.parts / warm.took_s,
        "hit_to_made_ratio": (warm.parts / warm.took_s) / parts_per_s,
        "workers": given.workers,
        "workers_to_one_ratio": parts_per_s / alone_parts_per_s,
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/bench speech", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10_000, help="people on the list [10000]")
    parser.add_argument("--workers", type=int, default=2, help="speech processes [2]")
    parser.add_argument("--at-once", type=int, default=50, help="people prepared at a time [50]")
    parser.add_argument("--sample", type=int, default=500, help="people for the single process [500]")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    reactor: Any = twisted_reactor
    outcome: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="ocm-bench-") as folder:

        def begin() -> None:
            asked = measure(reactor, given, Path(folder), console)
            asked.addBoth(outcome.append).addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(begin)
        reactor.run()
    if not isinstance(outcome[0], dict):
        outcome[0].raiseException()
    figures: dict[str, Any] = outcome[0]
    missed = figures["messages_per_s"] < MESSAGES_PER_S
    if given.json:
        print(json.dumps(figures, indent=2))
        return int(missed)
    print(
        f"{figures['messages']:,} messages of {figures['message_s']:.1f} s in {figures['took_s']:.1f} s by "
        f"{figures['workers']} processes: {figures['messages_per_s']:.0f} a second (goal {MESSAGES_PER_S:.0f}), "
        f"{figures['times_real_time']:,.0f} times as fast as they are spoken"
    )
    print(
        f"{figures['parts']:,} parts, {figures['distinct_parts']:,} distinct: {figures['cache_hits']:.1%} cache hits; "
        f"{figures['rendered_audio_s']:,.0f} s of audio made for {figures['message_audio_s']:,.0f} s of messages"
    )
    print(
        f"CPU: server {figures['server_cpu_s']:.1f} s, speech processes {figures['workers_cpu_s']:.1f} s; "
        f"memory of one at the end {figures['worker_memory_mb']:.0f} MB"
    )
    print(
        f"a part from the cache is {figures['hit_to_made_ratio']:.0f} times as fast as one made "
        f"({figures['hits_per_s']:,.0f} a second); {figures['workers']} processes make "
        f"{figures['workers_to_one_ratio']:.2f} times as many parts as one"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
