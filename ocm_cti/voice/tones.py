"""Levels and tones of the telephone network, for generating and for judging audio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from protocols.rtp import g711

RATE_HZ = 8000
#: ITU-T G.711 §4: a full-scale A-law sine is +3.14 dBm0.
FULL_SCALE_DBM0 = 3.14
FULL_SCALE = 32256


def mean_square_of(level_dbm0: float) -> float:
    """The mean square of linear samples at this level."""
    return float(FULL_SCALE**2 / 2 * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 10))


def tone(frequencies_hz: Sequence[float], duration_ms: int, level_dbm0: float = -10.0) -> bytes:
    """A-law octets of sines sounding together, each at this level."""
    time_s = np.arange(duration_ms * RATE_HZ // 1000) / RATE_HZ
    amplitude = np.sqrt(2 * mean_square_of(level_dbm0))
    wave = sum((amplitude * np.sin(2 * np.pi * hz * time_s) for hz in frequencies_hz), np.zeros(len(time_s)))
    return g711.encode_alaw(np.clip(wave, -32768, 32767).astype("<i2").tobytes())
