"""A-law as browsers take it: the same samples as the codec of calls has, and peaks where it is loud."""

from __future__ import annotations

import io
import wave

import numpy as np
import soundfile

from ocm_cti.speech import audio, telephone_wav


def test_every_octet_is_the_sample_that_others_decode() -> None:
    octets = bytes(range(256))
    with wave.open(io.BytesIO(telephone_wav.wav(octets))) as made:
        assert (made.getframerate(), made.getnchannels(), made.getsampwidth()) == (8000, 1, 2)
        ours = np.frombuffer(made.readframes(256), dtype="<i2")
    raw = io.BytesIO(octets)
    theirs, _ = soundfile.read(
        raw, dtype="int16", samplerate=8000, channels=1, format="RAW", subtype="ALAW", endian="FILE"
    )
    assert (ours == theirs).all()


def test_peaks_are_where_the_sound_is() -> None:
    loud = audio.beep_octets(1000, 500, dbfs=-0.5)
    soft = audio.beep_octets(1000, 500, dbfs=-20)
    peaks = telephone_wav.peaks(telephone_wav.silence(500) + loud + soft, 30)
    assert len(peaks) == 30
    assert max(peaks[:10]) <= 1 and min(peaks[11:19]) > 85 and all(8 <= peak <= 12 for peak in peaks[21:29])


def test_peaks_of_almost_nothing() -> None:
    assert telephone_wav.peaks(b"", 10) == []
    assert len(telephone_wav.peaks(b"\x55\xd5\x2a", 10)) == 3
    assert telephone_wav.peaks(b"\x2a\xaa", 1) == [100]
