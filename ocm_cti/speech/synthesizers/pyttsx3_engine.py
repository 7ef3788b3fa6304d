"""pyttsx3 as a synthesizer: on Linux over our own driver, elsewhere over the system's.

Its rules, each learned from a fault: subscribe to ``error``, because nothing is raised; set voice, rate and volume
before every utterance, because a failed one leaves them as they were (the voice, which takes a third of the time of a
short sentence, only where it is another one or the last utterance failed); look whether there is audio at all.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ocm_cti.speech.errors import SynthesisFailed
from ocm_cti.speech.prompts import RATE_WPM
from ocm_cti.speech.synthesizers import Sound, espeak_sync

VOLUME = 1.0
VOICES = {"ru": "ru", "uk": "uk", "en": "en-us", "kk": "kk"}


class Pyttsx3Engine:
    """Raises errors.LibraryMissing when it can't be made."""

    def __init__(self, rate_wpm: int = RATE_WPM) -> None:
        import pyttsx3

        on_windows = sys.platform == "win32"
        if not on_windows:
            espeak_sync.register()
        self._on_windows = on_windows
        self._rate_wpm = rate_wpm
        self._voice: str | None = None  # what the engine surely speaks with
        self._faults: list[BaseException] = []
        self._engine: Any = pyttsx3.init("sapi5" if on_windows else espeak_sync.NAME)
        self._engine.connect("error", self._error)
        self._engine.runAndWait()  # flushes what the constructor queued
        self._folder = tempfile.TemporaryDirectory(prefix="ocm-speech-")

    def close(self) -> None:
        self._folder.cleanup()

    def _error(self, name: str | None = None, exception: BaseException | None = None) -> None:
        self._faults.append(exception or RuntimeError(f"unknown error in {name}"))

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        wanted = voice or VOICES.get(language)
        path = Path(self._folder.name, "utterance.wav")
        path.unlink(missing_ok=True)
        self._faults.clear()
        # SAPI's voices have names of the installation's own; without a wish the system's default speaks.
        chosen = wanted is not None and (voice is not None or not self._on_windows)
        if chosen:
            if wanted != self._voice:
                self._engine.setProperty("voice", wanted)
        elif not self._on_windows:
            raise SynthesisFailed(f"no voice for the language {language!r}")
        self._engine.setProperty("rate", self._rate_wpm)
        self._engine.setProperty("volume", VOLUME)
        self._engine.save_to_file(text, str(path))
        self._voice = None
        self._engine.runAndWait()
        if self._faults:
            raise SynthesisFailed(str(self._faults[0]))
        if not path.exists():
            raise SynthesisFailed("the synthesizer wrote no audio")
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        if not len(samples) or not np.any(samples):
            raise SynthesisFailed("the synthesizer gave only silence")
        self._voice = wanted if chosen else None
        return Sound(samples.mean(axis=1, dtype=np.float32), int(rate_hz))
