"""The audio chain: rate, band, silence, level, and octets equal to those of the line's own codec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.speech import audio
from ocm_cti.speech.errors import CacheUnwritable, RecordingUnusable
from ocm_cti.speech.synthesizers import Sound
from protocols.rtp import g711


def tone(hz: float, seconds: float, rate_hz: int = audio.RATE_HZ, peak: float = 0.5) -> audio.Samples:
    moments = np.arange(int(seconds * rate_hz)) / rate_hz
    return (peak * np.sin(2 * np.pi * hz * moments)).astype(np.float32)


def heard(octets: bytes) -> audio.Samples:
    """What the line's decoder makes of it, from -1 to 1."""
    return np.frombuffer(g711.decode_alaw(octets), "<i2").astype(np.float32) / 32768


def strongest_hz(samples: audio.Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * audio.RATE_HZ / len(samples))


def test_every_sample_is_encoded_as_the_line_does() -> None:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    assert audio.alaw((linear / 32768).astype(np.float32)) == g711.encode_alaw(linear.astype("<i2").tobytes())


def test_silence_is_the_quietest_octet_and_as_long_as_asked() -> None:
    assert audio.silence(250) == bytes([g711.ALAW_SILENCE]) * 2000


def test_what_is_too_loud_is_clipped_not_wrapped() -> None:
    assert audio.alaw(np.array([3.0, -3.0], dtype=np.float32)) == audio.alaw(np.array([1.0, -1.0], dtype=np.float32))


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_keeps_pitch_and_length(rate_hz: int) -> None:
    samples = audio.resampled(Sound(tone(1000, 1.0, rate_hz), rate_hz))
    assert abs(len(samples) - audio.RATE_HZ) <= 1
    assert abs(strongest_hz(samples) - 1000) < 2


def test_nothing_above_the_band_folds_into_it() -> None:
    """audioop's ratecv let a tone of 5 kHz through at 3 kHz; it must be 40 dB down."""
    samples = audio.resampled(Sound(tone(5000, 1.0, 22_050), 22_050))[800:-800]
    assert np.sqrt((samples**2).mean()) < 0.5 / np.sqrt(2) / 100


def test_the_high_pass_takes_the_rumble_and_leaves_the_voice() -> None:
    rumble, voice = tone(60, 1.0), tone(500, 1.0)
    middle = slice(2000, 6000)
    assert np.abs(audio.high_pass(rumble)[middle]).max() < 0.05
    assert np.abs(audio.high_pass(voice)[middle] - voice[middle]).max() < 0.02
    assert len(audio.high_pass(rumble)) == len(rumble)


def test_silence_around_is_cut_to_twenty_milliseconds_and_pauses_within_stay() -> None:
    quiet = np.zeros(8000, dtype=np.float32)
    samples = np.concatenate([quiet, tone(500, 0.3), quiet, tone(500, 0.3), quiet])
    cut = audio.trimmed(samples)
    assert abs(len(cut) / 8 - (300 + 1000 + 300 + 2 * 20)) <= 20
    assert cut[0] == 0 and cut[-1] == 0


@settings(max_examples=40, deadline=None)
@given(st.floats(0.005, 1.0), st.floats(0.1, 3.0), st.floats(0.0, 2.0))
def test_every_prompt_is_equally_loud_whatever_its_pauses(peak: float, seconds: float, pause_s: float) -> None:
    pause = np.zeros(int(pause_s * audio.RATE_HZ), dtype=np.float32)
    samples = np.concatenate([tone(700, seconds, peak=peak), pause, tone(700, seconds, peak=peak)])
    level = audio.levelled(samples)
    assert abs(audio.active_dbfs(level) - audio.LEVEL_DBFS) < 0.5
    assert np.abs(level).max() <= 10 ** (-3 / 20)


def test_peaks_are_bent_below_the_ceiling() -> None:
    samples = tone(700, 1.0, peak=0.05)
    samples[4000:4020] = 1.0
    assert np.abs(audio.levelled(samples)).max() <= 10 ** (-3 / 20) + 1e-6


def test_speech_comes_out_as_telephone_octets_with_a_pause() -> None:
    octets = audio.spoken_octets(Sound(tone(700, 1.0, 22_050), 22_050), 250)
    assert abs(len(octets) / 8 - (1000 + 250 + 20)) < 30
    assert octets.endswith(audio.silence(250))
    assert abs(strongest_hz(heard(octets)) - 700) < 2


def test_a_recording_keeps_its_silence() -> None:
    quiet = np.zeros(8000, dtype=np.float32)
    octets = audio.recorded_octets(Sound(np.concatenate([quiet, tone(700, 1.0)]), 8000), 0)
    assert len(octets) == 16_000


def test_the_beep_is_as_long_and_as_high_as_asked() -> None:
    octets = audio.beep_octets(1000, 200)
    assert len(octets) == 1600
    samples = heard(octets)
    assert abs(strongest_hz(samples) - 1000) < 5 and abs(samples[0]) < 0.01
    assert 0.2 < np.abs(samples).max() < 0.3


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_recordings_of_many_kinds_are_read_as_mono(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    stereo = np.stack([tone(700, 0.5, 44_100), tone(700, 0.5, 44_100)], axis=1)
    soundfile.write(path, stereo, 44_100)
    sound = audio.read(path)
    assert sound.samples.ndim == 1 and sound.rate_hz == 44_100
    assert abs(len(sound.samples) - 22_050) < 1200


def test_unusable_recordings_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"RIFF no audio")
    soundfile.write(tmp_path / "silent.wav", np.zeros(800), 8000)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    for name, why in (
        ("no.wav", "can't be read"),
        ("silent.wav", "only silence"),
        ("empty.wav", "only silence"),
        ("none.wav", "can't be read"),
    ):
        with pytest.raises(RecordingUnusable, match=why) as error:
            audio.read(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "long.wav", np.ones(8000 * 3) / 2, 8000)
    monkeypatch.setattr(audio, "MAX_S", 2)
    with pytest.raises(RecordingUnusable, match="longer than"):
        audio.read(tmp_path / "long.wav")
    monkeypatch.setattr(audio, "MAX_OCTETS", 1000)
    with pytest.raises(RecordingUnusable, match="larger than"):
        audio.read(tmp_path / "long.wav")


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    audio.write(tmp_path / "ab" / "x.alaw", b"123")
    assert [path.name for path in (tmp_path / "ab").iterdir()] == ["x.alaw"]
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnwritable, match="can't be written"):
        audio.write(tmp_path / "file" / "x.alaw", b"123")


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 44_100, 192_000])
def test_what_is_brought_is_what_would_have_been_resampled(tmp_path: Path, rate_hz: int) -> None:
    """Block by block as at once, also with another sound on the other channel."""
    moments = np.arange(3 * rate_hz) / rate_hz
    both = np.stack([0.5 * np.sin(2 * np.pi * 440 * moments), 0.3 * np.sin(2 * np.pi * 900 * moments)], axis=1)
    soundfile.write(tmp_path / "both.wav", both, rate_hz)
    at_once = audio.resampled(audio.read(tmp_path / "both.wav"))
    brought = audio.brought(tmp_path / "both.wav")
    assert abs(len(brought) - len(at_once)) <= 1 and abs(len(brought) - 24_000) <= 1
    shorter = min(len(brought), len(at_once))
    assert np.max(np.abs(brought[:shorter] - at_once[:shorter])) < 0.001
