"""The folder of prompts stays below its limit, and what may still be played stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.speech.cache import IN_USE_S, TOUCH_S, PromptCache

NOW = 1_800_000_000.0
MB = 1_000_000


class Folder:
    """A folder of prompts and its cache, with clocks of its own; no file is really large."""

    def __init__(self, path: Path, limit_mb: int = 10) -> None:
        self.path = path
        self.reactor = Clock()
        self.now = NOW
        self.told: list[dict[str, Any]] = []
        log = Logger(observer=self.told.append)  # type: ignore[arg-type]
        self.cache = PromptCache(self.reactor, path, limit_mb, now=lambda: self.now, log=log)

    def put(self, name: str, octets: int, age_s: float) -> Path:
        path = self.path / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(octets)
        os.utime(path, (self.now - age_s, self.now - age_s))
        return path

    def turn(self, turns: int = 1000) -> None:
        for _ in range(turns):
            self.reactor.advance(1)

    def left(self) -> list[str]:
        return sorted(path.name for path in self.path.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "prompts")


def test_the_oldest_go_until_a_tenth_is_free(folder: Folder) -> None:
    for day in range(1, 13):
        folder.put(f"{day:02d}.alaw", MB, day * 86400)
    folder.cache.start()
    folder.turn()
    assert folder.left() == [f"{day:02d}.alaw" for day in range(1, 10)]
    assert folder.reactor.getDelayedCalls() == []


def test_below_the_limit_nothing_goes(folder: Folder) -> None:
    folder.put("aa.alaw", 9 * MB, 10**8)
    folder.cache.start()
    folder.turn()
    assert folder.left() == ["aa.alaw"]


def test_what_was_handed_out_lately_stays_and_the_operator_is_told(folder: Folder) -> None:
    for number in range(20):
        folder.put(f"{number:02d}.alaw", MB, IN_USE_S - 60)
    folder.cache.start()
    folder.turn()
    assert len(folder.left()) == 20
    assert [event["taken"] for event in folder.told] == [20]
    assert "speech.cache_mb" in folder.told[0]["log_format"]


def test_a_use_makes_an_old_file_young(folder: Folder) -> None:
    paths = [folder.put(f"{number:02d}.alaw", MB, 86400 + number) for number in range(20)]
    folder.cache.used(paths[19])
    folder.cache.start()
    folder.turn()
    assert "19.alaw" in folder.left() and len(folder.left()) == 9


def test_a_use_while_the_folder_is_looked_through_counts(folder: Folder) -> None:
    """Between the look at a file and its turn to go it is handed out."""
    paths = [folder.put(f"{number:02d}.alaw", MB, 86400 + number) for number in range(20)]
    clearing = folder.cache._clear()
    for _ in range(20):
        next(clearing)
    folder.cache.used(paths[19])
    for _ in clearing:
        pass
    assert "19.alaw" in folder.left() and "18.alaw" not in folder.left()


def test_another_process_that_uses_a_file_counts_as_well(folder: Folder) -> None:
    paths = [folder.put(f"{number:02d}.alaw", MB, 86400 + number) for number in range(20)]
    clearing = folder.cache._clear()
    for _ in range(20):
        next(clearing)
    os.utime(paths[19], (NOW, NOW))
    for _ in clearing:
        pass
    assert "19.alaw" in folder.left()


def test_a_use_is_noted_in_the_file_now_and_then(folder: Folder) -> None:
    path = folder.put("aa.alaw", 10, 86400)
    folder.cache.used(path)
    assert path.stat().st_mtime == NOW
    folder.now += TOUCH_S - 1
    folder.cache.used(path)
    assert path.stat().st_mtime == NOW
    folder.now += 1
    folder.cache.used(path)
    assert path.stat().st_mtime == NOW + TOUCH_S


def test_new_files_are_reason_to_look_again(folder: Folder) -> None:
    folder.cache.start()
    folder.turn()
    for number in range(12):
        folder.put(f"{number:02d}.alaw", MB, 2 * IN_USE_S)
    new = folder.put("zz.alaw", MB, 0)
    folder.cache.made(new, 1)
    folder.turn()
    assert len(folder.left()) == 13, "too little to look again"
    folder.cache.made(new, MB)
    folder.turn()
    assert len(folder.left()) == 9 and "zz.alaw" in folder.left()


def test_what_a_killed_process_left_goes_and_what_is_no_prompt_stays(folder: Folder) -> None:
    folder.put("aa.alaw.77.part", 10, 2 * IN_USE_S)
    folder.put("bb.alaw.78.part", 10, 5)
    folder.put("notes.txt", 20 * MB, 10**8)
    folder.cache.start()
    folder.turn()
    assert folder.left() == ["bb.alaw.78.part", "notes.txt"]


def test_stop_in_the_middle_leaves_nothing_and_is_no_fault(folder: Folder) -> None:
    for number in range(50):
        folder.put(f"{number:02d}.alaw", MB, 86400)
    folder.cache.start()
    folder.cache.stop()
    folder.turn()
    assert folder.reactor.getDelayedCalls() == [] and folder.told == []
    assert len(folder.left()) == 50


def test_a_folder_that_is_not_there_and_a_file_that_went_are_no_fault(folder: Folder) -> None:
    folder.cache.start()
    folder.turn()
    folder.cache.used(folder.path / "aa" / "gone.alaw")
    assert [event["log_format"] for event in folder.told] == ["the use of {name} can't be noted: {error}"]
