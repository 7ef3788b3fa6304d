"""A pyttsx3 driver over espeak-ng that has finished when it returns.

The driver shipped with pyttsx3 2.99 returns while espeak's own thread still speaks and loses utterances. This one runs
the library in AUDIO_OUTPUT_SYNCHRONOUS and writes the file within the command itself. It keeps to the interface that
pyttsx3 expects of a module ``pyttsx3.drivers.<name>``; ``register`` makes it one. One engine and one thread a process:
the library is global.
"""

from __future__ import annotations

import ctypes
import os
import sys
import wave
from typing import Any

from ocm_cti.speech.errors import LibraryMissing

#: speak_lib.h: espeakINITIALIZE_DONT_EXIT, or a missing data directory would end the process.
_DONT_EXIT = 0x8000
NAME = "espeak_sync"


def register() -> None:
    """Load the library and make this module ``pyttsx3.drivers.espeak_sync``. Raises LibraryMissing."""
    _load()
    import pyttsx3.drivers

    sys.modules[f"pyttsx3.drivers.{NAME}"] = sys.modules[__name__]
    pyttsx3.drivers.espeak_sync = sys.modules[__name__]


def _load() -> None:
    """espeakng_loader's library first (its SONAME is what pyttsx3's own dlopen then finds), else the system's."""
    try:
        import espeakng_loader

        ctypes.CDLL(espeakng_loader.get_library_path(), ctypes.RTLD_GLOBAL)
    except (ImportError, OSError):
        try:
            ctypes.CDLL("libespeak-ng.so.1", ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise LibraryMissing(
                f"the espeak-ng library can't be loaded ({error}); reinstall the package espeakng-loader "
                "or install espeak-ng (apt-get install espeak-ng)"
            ) from None


def _data_path() -> bytes | None:
    """Where the voices are; None leaves it to the system's library."""
    try:
        import espeakng_loader

        return os.fsencode(espeakng_loader.get_data_path())
    except (ImportError, RuntimeError):
        return None


def buildDriver(proxy: Any) -> EspeakSyncDriver:
    """pyttsx3 calls this to make its driver."""
    return EspeakSyncDriver(proxy)


class EspeakSyncDriver:
    """What pyttsx3's DriverProxy drives. Errors are raised inside a command and reach the ``error`` subscribers."""

    def __init__(self, proxy: Any) -> None:
        from pyttsx3.drivers import _espeak

        self._espeak = _espeak
        self._proxy = proxy
        self._pcm: list[bytes] = []
        self._rate_hz = _espeak.Initialize(_espeak.AUDIO_OUTPUT_SYNCHRONOUS, 0, _data_path(), _DONT_EXIT)
        if self._rate_hz <= 0:
            raise LibraryMissing("espeak-ng found no voices; reinstall the package espeakng-loader")
        _espeak.SetSynthCallback(self._collect)

    def _collect(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._pcm.append(ctypes.string_at(samples, count * ctypes.sizeof(ctypes.c_short)))
        return 0

    def destroy(self) -> None:
        """Nothing: the library stays for the life of the process, ending it from Python crashes."""

    def startLoop(self) -> None:
        self._proxy.setBusy(False)  # runs the whole queue, synchronously

    def endLoop(self) -> None: ...

    def iterate(self) -> Any:
        self._proxy.setBusy(False)
        yield

    def stop(self) -> None: ...

    def say(self, text: str) -> None:
        raise NotImplementedError("this driver writes files; there is no loudspeaker on a server")

    def save_to_file(self, text: str, filename: str) -> None:
        """Synthesize ``text`` into a WAV, complete on return; the file appears whole or not at all."""
        self._pcm = []
        code = self._espeak.Synth(text.encode("utf-8"), flags=self._espeak.ENDPAUSE | self._espeak.CHARS_UTF8)
        if code != self._espeak.EE_OK:
            raise RuntimeError(f"espeak_Synth failed with {code}")
        part = filename + ".part"
        with wave.open(part, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(self._rate_hz)
            out.writeframes(b"".join(self._pcm))
        os.replace(part, filename)
        self._pcm = []

    def getProperty(self, name: str) -> Any:
        from pyttsx3.voice import Voice

        espeak = self._espeak
        if name == "voices":
            voices = []
            for voice in espeak.ListVoices(None):
                identifier = voice.identifier.decode().lower()
                if not identifier.startswith("mb"):  # MBROLA voices are listed though not installed
                    # languages: a priority octet, then the language, NUL-terminated
                    language = voice.languages[1:].decode("ascii", "ignore") if voice.languages else ""
                    voices.append(Voice(id=identifier, name=voice.name.decode(), languages=[language]))
            return voices
        if name == "voice":
            return espeak.GetCurrentVoice().contents.identifier.decode().lower()
        if name == "rate":
            return espeak.GetParameter(espeak.RATE)
        if name == "volume":
            return espeak.GetParameter(espeak.VOLUME) / 100.0
        raise KeyError(f"unknown property {name}")

    def setProperty(self, name: str, value: Any) -> None:
        espeak = self._espeak
        if name == "voice":
            code = espeak.SetVoiceByName(str(value).encode("utf-8"))
            if code != espeak.EE_OK:
                raise ValueError(f"there is no voice {value!r}")
        elif name == "rate":
            espeak.SetParameter(espeak.RATE, int(value), 0)
        elif name == "volume":
            espeak.SetParameter(espeak.VOLUME, round(float(value) * 100), 0)
        else:
            raise KeyError(f"unknown property {name}")
