"""Where the panel's sounds are made: in short processes of their own, so that calls never wait for them.

What is made for a fragment lies where calls look for it too; so what was listened to need not be made again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocm_cti.config import Config
from ocm_cti.domain.fragments import Beep, Fragment, Recording, Spoken
from ocm_cti.office.errors import NotNow, Refused
from ocm_cti.speech import words
from ocm_cti.speech.errors import SpeechError
from ocm_cti.speech.prompts import cache_key, cache_path, recording_path
from ocm_cti.speech.words import sentence

COMMAND = (sys.executable, "-m", "ocm_cti.speech.workshop")
#: At once; a thread of the panel that waits for its turn can't show pages meanwhile.
PROCESSES = 2
TURN_S = 5.0
LIMIT_S = 90.0


class SoundRoom:
    """For any thread."""

    def __init__(self, config: Config, command: Sequence[str] = COMMAND) -> None:
        self._config = config
        self._command = tuple(command)
        self._turns = threading.Semaphore(PROCESSES)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def octets(self, fragments: Iterable[Fragment], language: str, voice: str = "") -> list[bytes]:
        """Of each fragment its A-law. ``voice`` "": that of the configuration. Raises Refused, NotNow."""
        chosen = voice or self._config.speech.voices.get(language)
        paths: list[Path] = []
        missing: dict[Path, dict[str, Any]] = {}
        for fragment in fragments:
            try:
                key = cache_key(fragment, language, chosen, self._config.audio)
                path = cache_path(self._config.prompts, key)
                if not path.is_file():
                    missing[path] = self._job(fragment, language, chosen) | {"target": str(path.absolute())}
            except (SpeechError, words.UnspeakableValue) as error:
                raise Refused(str(error)) from None
            paths.append(path)
        if missing:
            self.run(list(missing.values()))
        try:
            return [path.read_bytes() for path in paths]
        except OSError as error:  # cleared away at this very moment
            raise NotNow(f"a sound is not there any more: {error.strerror}; try again") from None

    def run(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        """``jobs`` are those of ``speech.workshop``. Raises Refused with what was wrong, NotNow."""
        if not self._turns.acquire(timeout=TURN_S):
            raise NotNow("other sounds are being made at this moment; try again")
        try:
            self._run(json.dumps(list(jobs)).encode())
        finally:
            self._turns.release()

    def close(self) -> None:
        """End what is being made; nothing more is."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _run(self, order: bytes) -> None:
        with subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            with self._lock:
                self._running.add(process)
                if self._closed:
                    process.kill()
            try:
                said, _ = process.communicate(order, LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise Refused("this takes too long to be turned into sound") from None
            finally:
                with self._lock:
                    self._running.discard(process)
        answer: Any = None
        with suppress(ValueError):
            answer = json.loads(said)
        if process.returncode != 0 or not isinstance(answer, dict):
            raise Refused("this can't be turned into sound: the process that tried came to its end over it")
        if "error" in answer:
            raise Refused(str(answer["error"]))

    def _job(self, fragment: Fragment, language: str, voice: str | None) -> dict[str, Any]:
        match fragment:
            case Spoken():
                spoken = fragment.language or language
                return {"what": "speak", "text": sentence(fragment), "language": spoken, "voice": voice or ""}
            case Recording():
                return {"what": "convert", "source": str(recording_path(self._config.audio, fragment.path_name))}
            case Beep():
                return {"what": "beep", "frequency_hz": fragment.frequency_hz, "length_ms": fragment.length_ms}
