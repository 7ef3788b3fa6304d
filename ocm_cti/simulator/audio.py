"""What is heard in the simulated network: tones, something like speech, WAV files. All audio is A-law at 8 kHz."""

from __future__ import annotations

import functools
import os
import wave
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ocm_cti.simulator.effects import Tone
from protocols.rtp import g711

RATE = 8000
FRAME_SAMPLES = 160
SILENT_FRAME = bytes([g711.ALAW_SILENCE]) * FRAME_SAMPLES

# ITU-T E.180 plan of Russia, Ukraine, Kazakhstan: 425 Hz; (seconds on, seconds off).
TONE_HZ = 425
CADENCES = {
    Tone.RINGBACK: (1.0, 4.0),
    Tone.BUSY: (0.36, 0.36),
    Tone.REORDER: (0.18, 0.18),
}

# Louder than this is sound: about -44 dB below full scale, well above line noise and below any speech.
SOUND_RMS = 200.0

Samples = npt.NDArray[np.float64]


@functools.cache
def tone(which: Tone) -> bytes:
    """One cadence of a tone, to be repeated; whole frames."""
    on_s, off_s = CADENCES[which]
    time_s = np.arange(int(RATE * on_s)) / RATE
    samples = np.concatenate([0.25 * np.sin(2 * np.pi * TONE_HZ * time_s), np.zeros(int(RATE * off_s))])
    return _alaw(samples)


@functools.cache
def music() -> bytes:
    """What a held person hears, to be repeated: eight bars of a scale up and down, softly; whole frames."""
    notes_hz = 261.63 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 2, 5, 9, 14, 9, 5, 0, 4, 7, 12]) / 12)
    time_s = np.arange(int(RATE * 0.4)) / RATE
    fading = np.exp(-3 * time_s)
    return _alaw(np.concatenate([0.12 * fading * np.sin(2 * np.pi * note_hz * time_s) for note_hz in notes_hz]))


def speech(seconds: float, seed: str) -> bytes:
    """Something with the pitch, syllables and spectrum of a voice; the same for the same seed, different for others."""
    dice = np.random.default_rng(zlib.crc32(seed.encode()))
    count = int(seconds * RATE)
    time_s = np.arange(count) / RATE
    pitch_hz = dice.uniform(95, 190) * (1 + 0.12 * np.sin(2 * np.pi * dice.uniform(0.4, 0.9) * time_s))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    voice = np.zeros(count)
    for harmonic in range(1, 18):
        voice += np.sin(harmonic * phase + dice.uniform(0, 2 * np.pi)) / harmonic
    # Syllables: four a second, each with its own loudness; a short pause at the end of some.
    syllables = max(1, int(seconds * 4))
    loudness = np.repeat(dice.uniform(0.3, 1.0, syllables), -(-count // syllables))[:count]
    envelope = np.abs(np.sin(np.pi * np.arange(count) * syllables / max(count, 1))) ** 0.5
    peak = float(np.max(np.abs(voice), initial=1e-9))
    return _alaw(0.4 * voice / peak * envelope * loudness)


def read_wav(path: Path) -> bytes:
    """A WAV file (8 kHz, 16 bit, mono). OSError or ValueError when it can't be used."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
                raise ValueError(f"{path}: not 8 kHz, 16 bit, mono")
            linear = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: {error}") from None
    return _alaw(linear / 32768)


def is_sound(alaw: bytes) -> bool:
    """Whether somebody would hear something in these octets."""
    return g711.mean_square(alaw) > SOUND_RMS**2


def write_wav(path: Path, alaw: bytes) -> None:
    """Write a WAV file; whoever sees the name sees it whole."""
    partial = path.with_suffix(".part")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(g711.decode_alaw(alaw))
    os.replace(partial, path)


def _alaw(samples: Samples) -> bytes:
    """Samples of -1..1 as A-law, filled up to whole frames."""
    missing = -len(samples) % FRAME_SAMPLES
    linear = np.concatenate([samples, np.zeros(missing)])
    return g711.encode_alaw((linear * 32767).astype("<i2").tobytes())
