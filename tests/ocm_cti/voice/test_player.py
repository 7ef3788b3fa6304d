"""Prompts: gapless, counted, stoppable; files kept in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from ocm_cti.voice.commands import AudioUnreadable
from ocm_cti.voice.player import AudioCache, Played, Player
from protocols.rtp.packets import decode
from protocols.rtp.stream import SendStream


def at_once(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    return succeed(function(*arguments))


def sent(stream: SendStream, ticks: int) -> bytes:
    return b"".join(decode(octets).payload for octets in (stream.tick() for _ in range(ticks)) if octets)


def test_plays_files_without_a_gap_and_reports_after_the_last_packet() -> None:
    stream = SendStream(1, 0, 0)
    reports: list[Played] = []
    Player(stream).play([b"a" * 200, b"b" * 120]).addCallback(reports.append)
    assert sent(stream, 2) == b"a" * 200 + b"b" * 120
    assert reports == []
    sent(stream, 1)
    assert reports == [Played(40, 40, True)]


def test_stop_reports_what_was_heard() -> None:
    stream = SendStream(1, 0, 0)
    player, reports = Player(stream), list[Played]()
    player.play([b"a" * 8000]).addCallback(reports.append)
    sent(stream, 3)
    player.stop()
    player.stop()
    assert reports == [Played(60, 1000, False)]
    assert sent(stream, 1) == b"\xd5" * 160
    assert not player.playing


def test_a_new_prompt_replaces_the_old_one() -> None:
    stream = SendStream(1, 0, 0)
    player, reports = Player(stream), list[Played]()
    player.play([b"a" * 8000]).addCallback(reports.append)
    sent(stream, 1)
    player.play([b"b" * 160]).addCallback(reports.append)
    assert sent(stream, 1) == b"b" * 160
    sent(stream, 1)
    assert reports == [Played(20, 1000, False), Played(20, 20, True)]


def test_the_next_prompt_may_follow_from_the_report_without_a_gap() -> None:
    stream = SendStream(1, 0, 0)
    player = Player(stream)
    player.play([b"a" * 160]).addCallback(lambda _: player.play([b"b" * 160]) and None)
    assert sent(stream, 3) == b"a" * 160 + b"b" * 160 + b"\xd5" * 160


def test_nothing_to_say_is_said_at_once() -> None:
    reports: list[Played] = []
    Player(SendStream(1, 0, 0)).play([]).addCallback(reports.append)
    assert reports == [Played(0, 0, True)]


def loaded(cache: AudioCache, path: Path) -> bytes:
    got: list[bytes] = []
    cache.load(path).addCallback(got.append)
    return got[0]


def test_files_are_read_once_until_they_change(tmp_path: Path) -> None:
    reads = []

    def counted(function: Callable[..., Any], path: Path) -> Deferred[Any]:
        reads.append(path)
        return at_once(function, path)

    cache, path = AudioCache(counted), tmp_path / "a.alaw"
    path.write_bytes(b"one")
    assert [loaded(cache, path), loaded(cache, path), len(reads)] == [b"one", b"one", 1]
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert [loaded(cache, path), len(reads)] == [b"two", 2]


def test_the_least_used_files_go_first(tmp_path: Path) -> None:
    reads = []

    def counted(function: Callable[..., Any], path: Path) -> Deferred[Any]:
        reads.append(path.name)
        return at_once(function, path)

    cache = AudioCache(counted, limit=10)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(b"x" * 5)
    for name in "abacab":  # c drops b, b drops c
        loaded(cache, tmp_path / name)
    assert reads == ["a", "b", "c", "b"]


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_what_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    errors: list[Any] = []

    def in_thread(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        deferred: Deferred[Any] = Deferred()
        try:
            deferred.callback(function(*arguments))
        except Exception:
            deferred.errback()
        return deferred

    AudioCache(in_thread).load(path).addErrback(lambda failure: errors.append(failure.value))
    (error,) = errors
    assert isinstance(error, AudioUnreadable)
    assert str(path) in str(error)
