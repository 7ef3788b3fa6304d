"""A synthesizer without a library: a tone whose length grows with the text. For tests and for trying a machine."""

from __future__ import annotations

import numpy as np

from ocm_cti.speech.synthesizers import Sound

MS_PER_SIGN = 60
_RATE_HZ = 22_050


class ToneEngine:
    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """60 ms a sign; the pitch differs with the text, so that two sentences can be told apart."""
        moments = np.arange(len(text) * MS_PER_SIGN * _RATE_HZ // 1000) / _RATE_HZ
        pitch_hz = 400 + sum(text.encode()) % 800
        return Sound((0.5 * np.sin(2 * np.pi * pitch_hz * moments)).astype(np.float32), _RATE_HZ)
