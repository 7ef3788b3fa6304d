"""Sounds of the panel: what comes of processes that die, hang or talk nonsense, and that work is done once."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocm_cti.domain.fragments import Beep, Part, Recording, Spoken
from ocm_cti.office import sound_room
from ocm_cti.office.errors import NotNow, Refused
from ocm_cti.office.sound_room import COMMAND, SoundRoom

HELLO = Spoken((Part("text", "Hello."),), "en")


def room_of(folder: Path, command: tuple[str, ...] = (*COMMAND, "--synthesizer", "tone")) -> SoundRoom:
    config: Any = SimpleNamespace(
        audio=folder / "audio", prompts=folder / "prompts", speech=SimpleNamespace(voices={"ru": "ru+f3"})
    )
    return SoundRoom(config, command)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    first = room_of(tmp_path).octets([HELLO, Beep()], "en")
    assert [len(octets) > 1000 for octets in first] == [True, True]
    assert room_of(tmp_path, python("raise SystemExit(1)")).octets([HELLO, Beep()], "en") == first
    assert len(list((tmp_path / "prompts").rglob("*.alaw"))) == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "came to its end"),
        ("print('nonsense')", "came to its end"),
        ("print('[]')", "came to its end"),
        ('print(\'{"error": "no such voice"}\')', "no such voice"),
    ],
    ids=["dies", "nonsense", "list", "error"],
)
def test_a_process_that_fails_is_an_answer(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        room_of(tmp_path, python(code)).octets([HELLO], "en")


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_room, "LIMIT_S", 0.2)
    room = room_of(tmp_path, python("import time; time.sleep(600)"))
    with pytest.raises(Refused, match="takes too long"):
        room.octets([HELLO], "en")
    assert not room._running


def test_so_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_room, "TURN_S", 0.0)
    room = room_of(tmp_path)
    for _ in range(sound_room.PROCESSES):
        assert room._turns.acquire(blocking=False)
    with pytest.raises(NotNow, match="other sounds"):
        room.octets([HELLO], "en")


def test_a_recording_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name in ("none.wav", "../secret.wav"):
        with pytest.raises(Refused, match=r"recording .*audio"):
            room_of(tmp_path).octets([Recording(name)], "en")


def test_one_that_fails_leaves_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_room, "TURN_S", 0.0)
    room = room_of(tmp_path, python("raise SystemExit(1)"))
    for _ in range(sound_room.PROCESSES + 1):
        with pytest.raises(Refused, match="came to its end"):
            room.octets([HELLO], "en")
