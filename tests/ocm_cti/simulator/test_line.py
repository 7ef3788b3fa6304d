"""Tones, voices and recordings of one line, frame by frame."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from ocm_cti.simulator import audio
from ocm_cti.simulator.callees import Callee, parse_step
from ocm_cti.simulator.effects import Tone
from ocm_cti.simulator.line import Line, Matrix
from ocm_cti.simulator.person import Circumstances, Person
from protocols.rtp import g711

LOUD = audio.speech(1.0, "robot")[800:960]
QUIET = audio.SILENT_FRAME


class Ear:
    """The robot's end: what was sent to it, frame by frame, and the keys."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.keys: list[tuple[int, str]] = []

    def send(self, frame: bytes) -> None:
        assert len(frame) == audio.FRAME_SAMPLES
        self.frames.append(frame)

    def press(self, keys: str, duration_ms: int, gap_ms: int) -> None:
        self.keys.append((len(self.frames), keys))


class Bench:
    """One line and whoever is with it."""

    def __init__(self, directory: Path | None = None, rtp_timeout_s: float = 5.0, keys: bool = True) -> None:
        self.ear = Ear()
        self.hang_ups = 0
        self.said: list[str] = []
        self.pressed: list[str] = []
        self.around = Circumstances(
            self.said.append, directory and directory / "heard", directory and directory / "said", rtp_timeout_s
        )
        self.line = Line(self.ear, keys=keys)
        self.matrix = Matrix()
        self.matrix.add_line(7, self.line)
        for name in ("heard", "said"):
            if directory is not None:
                (directory / name).mkdir()

    def _hung_up(self) -> None:
        self.hang_ups += 1

    def _pressed(self, keys: str) -> None:
        self.pressed.append(keys)
        self.matrix.pressed(1, keys)

    def person(self, *steps: str, directory: Path = Path()) -> Person:
        lines = tuple(parse_step(step, "test", directory) for step in steps)
        callee = Callee("", "x", 1.0, steps=lines)
        return Person(callee, "984951232310", "7", self.around, self._hung_up, self._pressed)

    def connect(self, *steps: str, directory: Path = Path()) -> None:
        self.matrix.seat(1, self.person(*steps, directory=directory))
        self.matrix.join(1, 7)

    def run(self, payload: bytes | None, frames: int) -> None:
        for _ in range(frames):
            if payload is not None:
                self.line.heard(payload)
            self.matrix.frame()


def samples(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.mark.parametrize(
    ("tone", "on", "cycle"), [(Tone.RINGBACK, 50, 250), (Tone.BUSY, 18, 36), (Tone.REORDER, 9, 18)]
)
def test_tones_have_the_cadence_and_pitch_of_the_plan(tone: Tone, on: int, cycle: int) -> None:
    bench = Bench()
    bench.matrix.tone(7, tone)
    bench.run(QUIET, 2 * cycle)
    sounding = [audio.is_sound(frame) for frame in bench.ear.frames]
    assert sounding == ([True] * on + [False] * (cycle - on)) * 2
    heard = np.frombuffer(g711.decode_alaw(b"".join(bench.ear.frames[:on])), "<i2")
    spectrum = np.abs(np.fft.rfft(heard))
    assert abs(int(np.argmax(spectrum)) * 8000 / len(heard) - 425) < 10


def test_nothing_is_heard_before_there_is_a_tone() -> None:
    bench = Bench()
    bench.run(LOUD, 3)
    assert bench.ear.frames == [QUIET] * 3


def test_a_callee_presses_his_key_after_the_message() -> None:
    bench = Bench()
    bench.connect("listen 1", "press 1", "hear_out")
    bench.run(LOUD, 100)
    bench.run(QUIET, 49)
    assert bench.ear.keys == []
    bench.run(QUIET, 1)
    assert bench.ear.keys == [(149, "1")]


def test_keys_may_not_get_through() -> None:
    bench = Bench(keys=False)
    bench.connect("press 1", "hear_out")
    bench.run(QUIET, 10)
    assert (bench.ear.keys, bench.pressed) == ([], ["1"])


def test_what_was_heard_and_said_lies_in_files_once_the_callee_is_gone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.line.heard(LOUD)  # before the answer: nobody hears it
    bench.connect("listen_for 1", "say 2", "hear_out")
    bench.run(LOUD, 200)
    bench.matrix.end(7)
    heard, said = samples(tmp_path / "heard" / "7-984951232310.wav"), samples(tmp_path / "said" / "7-984951232310.wav")
    assert heard.tobytes() == g711.decode_alaw(LOUD * 200)
    assert said.tobytes() == g711.decode_alaw(b"".join(bench.ear.frames))
    loudness = np.abs(said.reshape(-1, 160).astype(int)).max(axis=1) > 500
    assert not loudness[:49].any()
    assert loudness[49:149].sum() > 60
    assert not loudness[150:].any()
    assert bench.hang_ups == 0


def test_somebody_who_says_nothing_leaves_no_file_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connect("hear_out")
    bench.run(QUIET, 5)
    bench.matrix.end(7)
    bench.matrix.end(7)
    assert [path.name for path in (tmp_path / "heard").iterdir()] == ["7-984951232310.wav"]
    assert list((tmp_path / "said").iterdir()) == []


def test_hanging_up_completes_the_files_first_and_is_told_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connect("listen_for 0.2", "hang_up")
    bench.run(LOUD, 20)
    assert bench.hang_ups == 1
    assert len(samples(tmp_path / "heard" / "7-984951232310.wav")) == 11 * 160


def test_a_callee_who_gets_no_packets_hangs_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rtp_timeout_s=5)
    bench.connect("hear_out")
    bench.run(None, 200)
    bench.run(QUIET, 1)
    bench.run(None, 250)
    assert bench.hang_ups == 0
    bench.run(None, 10)
    assert bench.hang_ups == 1
    assert "no audio" in bench.said[0]


def test_a_wav_is_said_whole_and_the_script_goes_on(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "reply.wav", LOUD * 10)
    bench = Bench()
    bench.connect("say_wav reply.wav", "press 2", "hear_out", directory=tmp_path)
    bench.run(QUIET, 30)
    assert bench.ear.frames[:10] == [g711.encode_alaw(g711.decode_alaw(LOUD))] * 10
    assert bench.ear.keys == [(10, "2")]


def test_a_wav_that_cannot_be_read_is_told_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    bench = Bench()
    bench.connect("say_wav none.wav", "say_wav bad.wav", "press 2", directory=tmp_path)
    bench.run(QUIET, 30)
    assert [key for _, key in bench.ear.keys] == ["2"]
    assert len(bench.said) == 2


def test_the_tone_after_the_callee_has_gone() -> None:
    bench = Bench()
    bench.connect("hear_out")
    bench.run(QUIET, 5)
    bench.matrix.tone(7, Tone.BUSY)
    bench.run(QUIET, 5)
    assert audio.is_sound(bench.ear.frames[-1])


def test_voices_differ_from_each_other_and_stay_the_same() -> None:
    assert audio.speech(1.0, "a") == audio.speech(1.0, "a")
    one, other = (np.frombuffer(g711.decode_alaw(audio.speech(1.0, seed)), "<i2").astype(float) for seed in ("a", "b"))
    assert len(one) == 8000
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.3
    assert audio.speech(0, "a") == b""


def test_other_wav_formats_are_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "cd.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(b"\0" * 400)
    with pytest.raises(ValueError, match="not 8 kHz"):
        audio.read_wav(tmp_path / "cd.wav")


# Who is with whom


def two_lines() -> tuple[Bench, Line, Ear]:
    bench, ear = Bench(), Ear()
    other = Line(ear)
    bench.matrix.add_line(8, other)
    return bench, other, ear


def test_two_extensions_hear_each_other_and_their_keys() -> None:
    bench, other, ear = two_lines()
    bench.matrix.bridge(7, 8)
    bench.run(LOUD, 3)
    other.heard(QUIET)
    other.pressed("5")
    bench.matrix.frame()
    assert ear.frames == [LOUD] * 3
    assert (bench.ear.frames, bench.ear.keys) == ([QUIET], [(1, "5")])


def test_who_is_parted_hears_silence() -> None:
    bench, other, ear = two_lines()
    bench.matrix.bridge(7, 8)
    bench.matrix.hold_line(7)
    bench.run(LOUD, 2)
    assert ear.frames == bench.ear.frames == [QUIET] * 2
    bench.matrix.remove_line(7)
    other.heard(LOUD)
    bench.run(LOUD, 1)
    assert (ear.frames, len(bench.ear.frames)) == ([QUIET] * 3, 2)


@pytest.mark.parametrize("music", [True, False])
def test_whoever_is_held_by_the_other_extension_hears_music_or_nothing(music: bool) -> None:
    bench, other, ear = two_lines()
    bench.line._hold_music = other._hold_music = music
    bench.matrix.bridge(7, 8)
    bench.line.hold(True)
    bench.run(LOUD, 30)
    assert audio.is_sound(b"".join(ear.frames)) == music
    assert LOUD not in ear.frames
    bench.line.hold(False)
    bench.run(LOUD, 1)
    assert ear.frames[-1] == LOUD


def test_a_person_who_waits_does_nothing_and_goes_on_with_the_next_line() -> None:
    bench, other, ear = two_lines()
    bench.connect("listen_for 0.2", "press 1", "hear_out")
    bench.run(QUIET, 5)
    bench.matrix.hold(1)
    bench.run(QUIET, 300)
    assert (bench.hang_ups, bench.pressed) == (0, [])
    bench.matrix.join(1, 8)
    for _ in range(10):
        other.heard(QUIET)
        bench.matrix.frame()
    assert (ear.keys and ear.keys[0][1], bench.ear.keys) == ("1", [])


def test_two_persons_talk_with_each_other() -> None:
    bench = Bench()
    bench.matrix.seat(1, bench.person("say 1", "hear_out"))
    bench.matrix.seat(2, bench.person("listen 0.2", "press 4"))
    bench.matrix.join_people(1, 2)
    bench.run(None, 50)
    assert bench.pressed == []  # the other one still speaks
    bench.run(None, 50)
    assert bench.pressed == ["4"]
    assert bench.ear.frames == [QUIET] * 100


def test_a_recorded_message_sounds_in_place_of_the_line(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connect("listen 0.5", "press 3", "hear_out")
    bench.matrix.announce(1, "12")
    bench.run(LOUD, 100)
    bench.matrix.stop_announcement(1)
    bench.run(QUIET, 40)
    assert bench.pressed == ["3"]
    bench.matrix.drop(1)
    heard = samples(tmp_path / "heard" / "7-984951232310.wav")
    message = g711.decode_alaw(audio.speech(5.0, "message 12"))
    assert heard.tobytes()[: 100 * 320] == message[: 100 * 320]


def test_a_person_alone_with_a_message_listens_to_its_end() -> None:
    bench = Bench()
    bench.matrix.seat(1, bench.person("listen 0.2", "press 9"))
    bench.matrix.announce(1, "1")
    bench.run(None, 300)
    assert bench.pressed == ["9"]
    bench.matrix.drop(1)
    bench.matrix.drop(1)
    bench.matrix.remove_line(7)
    assert bench.matrix.idle


def test_naming_somebody_who_is_gone_does_nothing() -> None:
    matrix = Matrix()
    matrix.tone(1, Tone.BUSY)
    matrix.join(1, 1)
    matrix.join_people(1, 2)
    matrix.bridge(1, 2)
    matrix.hold(1)
    matrix.announce(1, "1")
    matrix.stop_announcement(1)
    matrix.pressed(1, "1")
    matrix.end(1)
    matrix.frame()
    assert matrix.idle
