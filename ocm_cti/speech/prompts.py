"""Fragments as files: what a fragment's audio depends on, and where it lies in the cache.

The name of a file is the hash of everything that makes its sound, so a file is never stale, and a sentence that a
thousand people share is made once. No text and no name of a person appears in a file name.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ocm_cti.domain.fragments import Beep, Fragment, Recording, Spoken
from ocm_cti.speech.errors import RecordingUnusable
from ocm_cti.speech.words import sentence

#: Raised when the audio chain or the words change what is heard.
CHAIN_VERSION = 1
#: Words per minute that are understood over a telephone.
RATE_WPM = 140
#: Silence after a fragment: a breath between sentences.
PAUSE_MS = 250
#: Octets of A-law in a millisecond.
OCTETS_PER_MS = 8


@lru_cache(1)
def engine_version() -> tuple[str, ...]:
    """Versions of what synthesizes."""
    found = []
    for package in ("pyttsx3", "espeakng-loader"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} from the system")
    return tuple(found)


def recording_path(audio_dir: Path, name: str) -> Path:
    """Where a recorded fragment lies. Raises RecordingUnusable if it is not there or outside ``audio_dir``."""
    path = (audio_dir / name).resolve()
    if not path.is_relative_to(audio_dir.resolve()):
        raise RecordingUnusable(f"recording {name!r} lies outside {audio_dir}")
    if not path.is_file():
        raise RecordingUnusable(f"recording {name!r} is not in {audio_dir}")
    return path


def cache_key(fragment: Fragment, language: str, voice: str | None, audio_dir: Path) -> str:
    """Hash of all that the audio depends on. Raises UnspeakableValue or RecordingUnusable: it can't be made at all."""
    made_of: list[object]
    match fragment:
        case Spoken():
            text = unicodedata.normalize("NFC", sentence(fragment))
            made_of = ["spoken", *engine_version(), RATE_WPM, fragment.language or language, voice, text]
        case Recording():
            told = recording_path(audio_dir, fragment.path_name).stat()
            made_of = ["recording", fragment.path_name, told.st_size, told.st_mtime_ns]
        case Beep():
            made_of = ["beep", fragment.frequency_hz, fragment.length_ms]
    return hashlib.sha256(json.dumps([CHAIN_VERSION, PAUSE_MS, *made_of]).encode()).hexdigest()


def cache_path(cache_dir: Path, key: str) -> Path:
    return cache_dir / key[:2] / f"{key}.alaw"


def length_ms(path: Path) -> int:
    """Length of a rendered fragment."""
    return path.stat().st_size // OCTETS_PER_MS
