"""From any sound to telephone octets: 8 kHz, band, silence trimmed, level, G.711 A-law.

Arithmetic is in float32 from -1 to 1. Resampling comes first; the law is applied once, last.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ocm_cti.speech import telephone_wav
from ocm_cti.speech.errors import CacheUnwritable, RecordingUnusable
from ocm_cti.speech.synthesizers import Sound

RATE_HZ = 8000
SILENCE = b"\xd5"

#: Recordings come from people: longer or larger than this is a mistake.
MAX_OCTETS = 20_000_000
MAX_S = 600

#: Frames that are read together.
_BLOCK = 65_536

LEVEL_DBFS = -20.0
LOW_CUT_HZ = 220.0
_ACTIVE_DB = 40.0  # a frame within this of the loudest one is speech
_KEPT_MS = 20  # of the silence around it
_FADE_MS = 4
_KNEE, _CEILING = 10 ** (-6 / 20), 10 ** (-3 / 20)

Samples = NDArray[np.float32]


def read(path: Path) -> Sound:
    """An audio file (WAV, FLAC, OGG, MP3) as mono. Raises RecordingUnusable with one clear line."""
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise RecordingUnusable(f"{path.name} is larger than {MAX_OCTETS // 1_000_000} MB")
        with soundfile.SoundFile(path) as file:
            if file.frames > MAX_S * file.samplerate:
                raise RecordingUnusable(f"{path.name} is longer than {MAX_S // 60} minutes")
            # A header may lie about its length: never read more than the limit. And in blocks: of many channels only
            # their mean is kept.
            blocks = file.blocks(_BLOCK, frames=MAX_S * file.samplerate, dtype="float32", always_2d=True)
            heard = [np.nan_to_num(block).mean(axis=1, dtype=np.float32) for block in blocks]
            rate_hz = int(file.samplerate)
    except (soundfile.SoundFileError, OSError) as error:
        raise RecordingUnusable(f"{path.name} can't be read as audio: {error}") from None
    samples = np.concatenate(heard) if heard else np.zeros(0, dtype=np.float32)
    if not np.any(samples):
        raise RecordingUnusable(f"{path.name} holds only silence")
    return Sound(samples, rate_hz)


def brought(path: Path) -> Samples:
    """What ``read`` takes, at the rate of telephones at once: ten minutes need 20 MB, whatever the file's own rate and
    channels, so a small file that unpacks to gigabytes does no harm. Raises RecordingUnusable."""
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise RecordingUnusable(f"{path.name} is larger than {MAX_OCTETS // 1_000_000} MB")
        with soundfile.SoundFile(path) as file:
            if file.frames > MAX_S * file.samplerate:
                raise RecordingUnusable(f"{path.name} is longer than {MAX_S // 60} minutes")
            stream = soxr.ResampleStream(file.samplerate, RATE_HZ, 1, dtype="float32", quality="HQ")
            pieces = []
            for block in file.blocks(_BLOCK, frames=MAX_S * file.samplerate, dtype="float32", always_2d=True):
                mono = np.nan_to_num(block).mean(axis=1, dtype=np.float32)
                pieces.append(stream.resample_chunk(mono))
            pieces.append(stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    except (soundfile.SoundFileError, OSError) as error:
        raise RecordingUnusable(f"{path.name} can't be read as audio: {error}") from None
    samples = np.concatenate(pieces)
    if not np.any(samples):
        raise RecordingUnusable(f"{path.name} holds only silence")
    return samples


def resampled(sound: Sound) -> Samples:
    if sound.rate_hz == RATE_HZ:
        return sound.samples.astype(np.float32)
    return np.asarray(soxr.resample(sound.samples, sound.rate_hz, RATE_HZ, quality="HQ"), dtype=np.float32)


def _fft_size(samples: int) -> int:
    """The smallest of 4, 5, 6 and 7 times a power of two that holds so many: few sizes, each fast."""
    power = max(samples - 1, 1).bit_length() - 3
    return next(size for size in ((times << power) for times in (4, 5, 6, 7, 8)) if size >= samples)


@lru_cache(32)
def _high_pass_gain(size: int, cut_hz: float) -> Samples:
    frequencies = np.fft.rfftfreq(size, 1 / RATE_HZ)
    return np.asarray(1 / np.sqrt(1 + (cut_hz / np.maximum(frequencies, 1e-3)) ** 8), dtype=np.float32)


def high_pass(samples: Samples, cut_hz: float = LOW_CUT_HZ) -> Samples:
    """Take away what a telephone can't carry and the level would be spent on. Zero phase, 4th-order slope."""
    size = _fft_size(len(samples) + RATE_HZ // 10)  # room behind the end: the ends must not meet
    # All in single precision, which halves the time; A-law has thirteen bits.
    spectrum = np.fft.rfft(samples.astype(np.float32, copy=False), size) * _high_pass_gain(size, cut_hz)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32, copy=False)


def _frame_power(samples: Samples, frame_ms: int) -> NDArray[np.float64]:
    size = RATE_HZ * frame_ms // 1000
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % size))
    return np.asarray((padded.reshape(-1, size) ** 2).mean(axis=1))


def _active(power: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(power >= power.max() * 10 ** (-_ACTIVE_DB / 10))


def trimmed(samples: Samples) -> Samples:
    """Without the silence around it but 20 ms, faded at both edges so that nothing clicks."""
    frame_ms = 10
    loud = np.flatnonzero(_active(_frame_power(samples, frame_ms)))
    per_ms = RATE_HZ // 1000
    first = max(0, int(loud[0]) * frame_ms - _KEPT_MS) * per_ms
    last = ((int(loud[-1]) + 1) * frame_ms + _KEPT_MS) * per_ms
    cut = samples[first:last].copy()
    ramp = np.linspace(0, 1, min(_FADE_MS * per_ms, len(cut) // 2), dtype=np.float32)
    cut[: len(ramp)] *= ramp
    cut[len(cut) - len(ramp) :] *= ramp[::-1]
    return cut


def active_dbfs(samples: Samples) -> float:
    """Level of the speech in it, pauses not counted; full scale square wave is 0."""
    power = _frame_power(samples, 20)
    return float(10 * np.log10(power[_active(power)].mean() + 1e-12))


def levelled(samples: Samples, dbfs: float = LEVEL_DBFS) -> Samples:
    """Brought to ``dbfs`` of active speech; peaks above -6 dBFS are bent so that none passes -3."""
    louder = samples * np.float32(10 ** ((dbfs - active_dbfs(samples)) / 20))
    over = np.abs(louder) > _KNEE
    room = _CEILING - _KNEE
    bent = np.sign(louder) * (_KNEE + room * np.tanh((np.abs(louder) - _KNEE) / room))
    return np.where(over, bent, louder).astype(np.float32)


def _alaw_table() -> NDArray[np.uint8]:
    """int16 (as unsigned index) -> G.711 A-law octet, even bits inverted as on the wire."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.where(linear < 0, ~linear, linear) >> 4  # 11 bits
    segment = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 3, 0)
    step = np.where(segment == 0, size, size >> np.maximum(segment - 1, 0)) & 15
    code = (segment << 4) | step
    return np.asarray(code ^ np.where(linear < 0, 0x55, 0xD5), dtype=np.uint8)


_ALAW = _alaw_table()


def alaw(samples: Samples) -> bytes:
    """A-law octets of samples from -1 to 1; what is beyond is clipped."""
    linear = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    return _ALAW[linear.view(np.uint16)].tobytes()


def spoken_octets(sound: Sound, pause_ms: int) -> bytes:
    """Synthesized speech, ready for the line, with ``pause_ms`` of silence behind it."""
    return alaw(levelled(trimmed(high_pass(resampled(sound))))) + silence(pause_ms)


def recorded_octets(sound: Sound, pause_ms: int) -> bytes:
    """A recording as its maker wanted it: only the rate and the level change."""
    return alaw(levelled(resampled(sound))) + silence(pause_ms)


def beep_octets(frequency_hz: int, length_ms: int, dbfs: float = -12.0) -> bytes:
    """A tone with 5 ms ramps, so that it does not click."""
    moments = np.arange(RATE_HZ * length_ms // 1000) / RATE_HZ
    ramp = np.clip(np.minimum(moments, moments[::-1]) / 0.005, 0, 1)
    return alaw((10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency_hz * moments) * ramp).astype(np.float32))


def silence(length_ms: int) -> bytes:
    return SILENCE * (RATE_HZ * length_ms // 1000)


def write_wav(path: Path, samples: Samples) -> None:
    """16 bit, mono, 8 kHz; samples beyond -1 to 1 are clipped. Raises CacheUnwritable."""
    linear = np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2")
    write(path, telephone_wav.head(linear.nbytes) + linear.tobytes())


def write(path: Path, octets: bytes) -> None:
    """The file appears whole or not at all. Raises CacheUnwritable."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(octets)
        os.replace(part, path)
    except OSError as error:
        raise CacheUnwritable(f"{path.parent} can't be written: {error.strerror}") from None
