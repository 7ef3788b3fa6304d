"""Replies: when they end, and what is on disk then."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twisted.internet.defer import Deferred, maybeDeferred

from ocm_cti.voice.commands import RecordingFailed
from ocm_cti.voice.recorder import RecordedReply, Recorder, WavFile
from ocm_cti.voice.tones import mean_square_of, tone
from protocols.rtp import g711

SILENCE = b"\xd5" * 160


class Disk:
    """The writing thread: does its jobs when told to."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.lazy = False

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self.jobs.append((waiting, function, arguments))
        if not self.lazy:
            self.work()
        return waiting

    def work(self) -> None:
        while self.jobs:
            waiting, function, arguments = self.jobs.pop(0)
            maybeDeferred(function, *arguments).chainDeferred(waiting)


class Case:
    """A recorder with what it reports."""

    def __init__(self, path: Path, max_ms: int = 10_000, silence_ms: int = 2_000, stop_keys: str = "#") -> None:
        self.disk = Disk()
        self.reports: list[RecordedReply] = []
        self.errors: list[Exception] = []
        self.stopped = 0
        self.recorder = Recorder(path, max_ms, silence_ms, stop_keys, self.disk, self._stopped)
        self.recorder.done.addCallbacks(self.reports.append, lambda failure: self.errors.append(failure.value))

    def _stopped(self) -> None:
        self.stopped += 1

    def say(self, alaw: bytes) -> None:
        """As the network brings it: a packet, a tick."""
        for start in range(0, len(alaw), 160):
            self.recorder.audio(alaw[start : start + 160])
            self.recorder.tick(0.0, 0)

    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.recorder.tick(0.0, 0)


def frames(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return file.readframes(file.getnframes())


def speech(duration_ms: int) -> bytes:
    return tone([300, 450], duration_ms, -20.0)


def test_silence_after_speech_ends_it_and_all_of_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "reply.wav"
    case = Case(path)
    said = speech(3000) + SILENCE * 200
    case.say(said)
    assert case.reports == [RecordedReply(path, 5000, "silence")]
    assert frames(path) == g711.decode_alaw(said[:40_000])
    assert [found.name for found in path.parent.iterdir()] == ["reply.wav"]
    assert case.stopped == 1


def test_silence_instead_of_speech(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", silence_ms=500)
    case.say(SILENCE * 100)
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 0, "silence")]
    assert list(tmp_path.iterdir()) == []


def test_a_long_silence_leaves_no_file_either(tmp_path: Path) -> None:
    """Also when a part of it was on disk already."""
    case = Case(tmp_path / "reply.wav", silence_ms=4000)
    case.say(SILENCE * 150)
    assert [found.name for found in tmp_path.iterdir()] == ["reply.wav.part"]
    case.say(SILENCE * 60)
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 0, "silence")]
    assert list(tmp_path.iterdir()) == []


def test_a_quiet_voice_is_kept(tmp_path: Path) -> None:
    """-40 dBFS is hardly to be heard, and yet a reply."""
    case = Case(tmp_path / "reply.wav")
    case.say(tone([300, 450], 400, -40.0) + SILENCE * 200)
    assert case.reports[0].length_ms > 0 and (tmp_path / "reply.wav").exists()


def test_a_noisy_line_is_silent_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, np.sqrt(mean_square_of(-40.0)), 8000 * 4).astype("<i2").tobytes()
    case = Case(tmp_path / "reply.wav", silence_ms=1000)
    case.say(speech(1000) + g711.encode_alaw(noise))
    (report,) = case.reports
    assert (report.length_ms, report.why) == (2000, "silence")


def test_speech_goes_on_up_to_the_limit(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", max_ms=1510)
    case.say(speech(3000))
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 1510, "limit")]
    assert frames(tmp_path / "reply.wav") == g711.decode_alaw(speech(3000)[: 1510 * 8])


def test_a_stop_key_ends_it_and_is_nobody_elses(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", stop_keys="#*")
    case.say(speech(200))
    assert not case.recorder.key("1")
    assert case.recorder.key("*")
    assert not case.recorder.key("*")
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 200, "key")]


def test_no_stop_keys(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", stop_keys="")
    assert not case.recorder.key("1")
    case.recorder.stop("hangup")
    assert case.reports[0].why == "hangup"


def test_hang_up_before_anything_was_said_leaves_no_file(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav")
    case.recorder.stop("hangup")
    case.recorder.audio(SILENCE)
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 0, "hangup")]
    assert list(tmp_path.iterdir()) == []


def test_a_peer_that_sends_nothing_while_silent_comes_to_an_end(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", silence_ms=1000)
    case.say(speech(400))
    case.wait(200)
    (report,) = case.reports
    assert (report.length_ms, report.why) == (1400, "silence")


def test_what_is_lost_becomes_silence_and_time_stays_right(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav", silence_ms=5000)
    case.say(speech(1000))
    case.wait(50)  # a second is lost
    case.say(speech(1000))
    case.recorder.stop("hangup")
    assert 2900 <= case.reports[0].length_ms <= 3000


def test_a_burst_does_not_count_twice(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav")
    for _ in range(20):  # 400 ms at once, after a pause of the network that the slack does not cover
        case.recorder.audio(speech(20))
    case.wait(25)
    case.recorder.stop("hangup")
    assert case.reports[0].length_ms == 400 + (25 * 20 - 20 - 100)


def test_skipped_ticks_are_time_too(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav")
    case.recorder.audio(speech(100))
    case.recorder.tick(0.0, 49)
    case.recorder.stop("hangup")
    assert case.reports[0].length_ms == 900


def test_the_part_is_a_valid_wav_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "reply.wav"
    case = Case(path)
    case.say(speech(2500))
    assert not path.exists()
    assert frames(tmp_path / "reply.wav.part") == g711.decode_alaw(speech(2500)[:16_000])
    case.recorder.stop("hangup")
    assert frames(path) == g711.decode_alaw(speech(2500))


def test_a_slow_disk_keeps_the_order(tmp_path: Path) -> None:
    case = Case(tmp_path / "reply.wav")
    case.disk.lazy = True
    case.say(speech(3500))
    case.recorder.stop("hangup")
    assert len(case.disk.jobs) == 1
    assert case.reports == []
    case.disk.work()
    assert case.reports == [RecordedReply(tmp_path / "reply.wav", 3500, "hangup")]
    assert frames(tmp_path / "reply.wav") == g711.decode_alaw(speech(3500))


def test_a_disk_that_refuses_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    case = Case(tmp_path / "file" / "reply.wav")
    case.say(speech(4000))
    case.recorder.stop("hangup")
    (error,) = case.errors
    assert isinstance(error, RecordingFailed)
    assert "reply.wav" in str(error)
    assert case.stopped == 1


def test_a_name_that_is_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "reply.wav").mkdir()
    with pytest.raises(RecordingFailed, match=r"reply\.wav"):
        WavFile(tmp_path / "reply.wav").finish(SILENCE)
