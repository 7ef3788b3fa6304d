"""The ledger under fire: plays seeds, prints the one that fails with the command that repeats it, and what it needs.

``tools/fire --seeds 10000`` is the nightly run; ``tools/fire --seed 17 --log`` repeats one.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from fire_server import Broken
from fire_shares import SharedWorld
from fire_world import FEATURES, World, make_template
from twisted.logger import globalLogBeginner

#: Every so manieth world is one of lists that share lines.
SHARED_EVERY = 10


def world_of(seed: int, folder: Path, template: Path, without: Collection[str]) -> World:
    kind = SharedWorld if seed % SHARED_EVERY == 0 and "shares" not in without else World
    return kind(seed, folder, template, without)


def play(seed: int, template: Path, without: Collection[str] = ()) -> World:
    """Play one world in a folder of its own, gone afterwards; raises Broken with a note of how to repeat it."""
    with tempfile.TemporaryDirectory(prefix="ocm-fire-") as folder:
        world = world_of(seed, Path(folder), template, without)
        try:
            world.run()
        except Broken as fault:
            fault.add_note(f"repeat it: {command(seed, without)}\n" + "\n".join(world.log[-40:]))
            raise
        return world


def command(seed: int, without: Collection[str]) -> str:
    left_out = f" --without {','.join(sorted(without))}" if without else ""
    return f"tools/fire --seed {seed}{left_out} --log"


def shrink(seed: int, template: Path) -> tuple[frozenset[str], Broken] | None:
    """Leave out whatever it breaks without; None when it does not break any more."""
    without: frozenset[str] = frozenset()
    found = breaks(seed, template, without)
    if found is None:
        return None
    for feature in FEATURES:
        smaller = breaks(seed, template, without | {feature})
        if smaller is not None:
            without, found = without | {feature}, smaller
    return without, found


def breaks(seed: int, template: Path, without: Collection[str] = ()) -> Broken | None:
    try:
        play(seed, template, without)
    except Broken as fault:
        return fault
    return None


def _one(job: tuple[int, Path, frozenset[str]]) -> tuple[int, str]:
    seed, template, without = job
    try:
        fault = breaks(seed, template, without)
    except Exception as error:
        return seed, f"{type(error).__name__}: {error}"
    return seed, "" if fault is None else str(fault)


def _quiet() -> None:
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    logging.disable(logging.CRITICAL)


def outcomes(seeds: Sequence[int], template: Path, without: frozenset[str], workers: int) -> Iterator[tuple[int, str]]:
    jobs = ((seed, template, without) for seed in seeds)
    with multiprocessing.Pool(workers, _quiet) as pool:
        yield from pool.imap_unordered(_one, jobs, chunksize=4)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/fire", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one, here, without shrinking")
    parser.add_argument("--without", default="", help=f"leave out, with commas: {', '.join(FEATURES)}")
    parser.add_argument("--log", action="store_true", help="with --seed: print all that happened")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(argv)
    without = frozenset(filter(None, given.without.split(",")))
    if unknown := without - set(FEATURES):
        parser.error(f"--without {', '.join(sorted(unknown))}: known are {', '.join(FEATURES)}")
    _quiet()
    with tempfile.TemporaryDirectory(prefix="ocm-fire-") as folder:
        template = make_template(Path(folder))
        if given.seed is not None:
            return _repeat(given.seed, template, without, given.log)
        began_s = time.monotonic()
        broken = played = 0
        for seed, fault in outcomes(range(given.first, given.first + given.seeds), template, without, given.workers):
            played += 1
            if fault:
                broken += 1
                print(f"\nseed {seed}: {fault}")
                small = shrink(seed, template) if not without else None
                print(f"  repeat it: {command(seed, small[0] if small else without)}", flush=True)
            if sys.stderr.isatty() or played % 100 == 0:
                rate = played / (time.monotonic() - began_s)
                print(
                    f"\r{played} of {given.seeds} seeds, {rate:.1f} a second, {broken} broken", end="", file=sys.stderr
                )
        print(file=sys.stderr)
        print(f"{played} seeds, {broken} broken, {time.monotonic() - began_s:.0f} s")
    return 1 if broken else 0


def _repeat(seed: int, template: Path, without: frozenset[str], log: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="ocm-fire-") as folder:
        world = world_of(seed, Path(folder), template, without)
        try:
            world.run()
        except Broken as fault:
            print("\n".join(world.log if log else world.log[-20:]))
            print(f"seed {seed}: {fault}")
            return 1
        if log:
            print("\n".join(world.log))
        print(f"seed {seed}: nothing is wrong; {len(world.switch.seen)} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
