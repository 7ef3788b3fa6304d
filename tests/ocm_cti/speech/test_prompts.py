"""Cache keys: the same sound has one name, another sound another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocm_cti.domain.fragments import Beep, Fragment, Part, Recording, Spoken
from ocm_cti.speech import prompts
from ocm_cti.speech.errors import RecordingUnusable
from ocm_cti.speech.words import UnspeakableValue


def key(fragment: Fragment, folder: Path, language: str = "ru", voice: str | None = None) -> str:
    return prompts.cache_key(fragment, language, voice, folder)


def money(value: str, language: str = "ru") -> Spoken:
    return Spoken((Part("text", "Долг "), Part("money", value, "debt", "RUB")), language)


def test_the_words_decide_not_how_the_value_was_written(tmp_path: Path) -> None:
    assert key(money("1 000,00"), tmp_path) == key(money("1000"), tmp_path)
    assert key(money("1000"), tmp_path) == key(Spoken((Part("text", "Долг одна тысяча рублей"),), "ru"), tmp_path)


def test_whatever_changes_the_sound_changes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [
        key(money("1000"), tmp_path),
        key(money("1001"), tmp_path),
        key(money("1000", "uk"), tmp_path),
        key(money("1000"), tmp_path, voice="ru+f3"),
        key(Beep(), tmp_path),
        key(Beep(800), tmp_path),
        key(Beep(1000, 300), tmp_path),
    ]
    monkeypatch.setattr(prompts, "RATE_WPM", 150)
    keys.append(key(money("1000"), tmp_path))
    monkeypatch.setattr(prompts, "CHAIN_VERSION", 99)
    keys.append(key(money("1000"), tmp_path))
    assert len(set(keys)) == len(keys)


def test_a_changed_recording_is_another_one(tmp_path: Path) -> None:
    recording = tmp_path / "hi.wav"
    recording.write_bytes(b"1")
    before = key(Recording("hi.wav"), tmp_path)
    assert key(Recording("hi.wav"), tmp_path, voice="other") == before
    os.utime(recording, ns=(1, 1))
    assert key(Recording("hi.wav"), tmp_path) != before


def test_what_can_not_be_made_is_found_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(UnspeakableValue):
        key(money("abc"), tmp_path)
    with pytest.raises(RecordingUnusable, match=r"'hi\.wav' is not in"):
        key(Recording("hi.wav"), tmp_path)
    with pytest.raises(RecordingUnusable, match="outside"):
        key(Recording("../hi.wav"), tmp_path)


def test_no_name_of_a_person_is_in_the_path(tmp_path: Path) -> None:
    name = key(Spoken((Part("name", "Ivan", "name"),), "ru"), tmp_path)
    path = prompts.cache_path(tmp_path, name)
    assert path.relative_to(tmp_path).parts == (name[:2], f"{name}.alaw") and len(name) == 64


def test_length_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.alaw").write_bytes(b"\xd5" * 8000)
    assert prompts.length_ms(tmp_path / "x.alaw") == 1000
