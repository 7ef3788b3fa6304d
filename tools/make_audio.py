#!/usr/bin/env python3
"""Make the recorded fragments of the demo: a chime and a sentence, as fixtures/audio/*.wav (8 kHz, 16 bit, mono).

They were made once and are kept in the repository; run this only to change them:

    .venv/bin/python tools/make_audio.py
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from ocm_cti.speech import audio
from ocm_cti.speech.synthesizers.pyttsx3_engine import Pyttsx3Engine

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "audio"

#: file -> notes of the chime in Hz, what is said, whether the chime comes first. The voice differs from the message's.
FRAGMENTS = {
    "greeting_ru.wav": ((523, 659, 784), "Вам звонит автоматическая служба.", True),
    "goodbye_ru.wav": ((784, 523), "Всего доброго.", False),
}
LANGUAGE, VOICE = "ru", "ru+f3"
NOTE_MS, GAP_MS = 180, 120


def chime(notes_hz: tuple[int, ...]) -> audio.Samples:
    """Struck notes that die away."""
    moments = np.arange(audio.RATE_HZ * NOTE_MS // 1000) / audio.RATE_HZ
    struck = [0.3 * np.sin(2 * np.pi * note * moments) * np.exp(-moments * 9) for note in notes_hz]
    return np.concatenate(struck).astype(np.float32)


def main() -> None:
    engine = Pyttsx3Engine()
    gap = np.zeros(audio.RATE_HZ * GAP_MS // 1000, dtype=np.float32)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (notes_hz, text, chime_first) in FRAGMENTS.items():
        speech = audio.levelled(audio.trimmed(audio.resampled(engine.synthesize(text, LANGUAGE, VOICE))))
        parts = (chime(notes_hz), gap, speech) if chime_first else (speech, gap, chime(notes_hz))
        samples = (np.clip(np.concatenate(parts), -1, 1) * 32767).astype("<i2")
        with wave.open(str(FOLDER / name), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(audio.RATE_HZ)
            out.writeframes(samples.tobytes())
        print(f"{name}: {len(samples) / audio.RATE_HZ:.2f} s")
    engine.close()


if __name__ == "__main__":
    main()
