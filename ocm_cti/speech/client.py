"""The server's side of speech: every fragment a file, each made once.

Texts become words here (pure, and an unreadable value is found at once); audio is made in the speech processes.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, fail, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.protocols.amp import Command
from twisted.python.failure import Failure

from ocm_cti.domain.fragments import Beep, Fragment, Recording, Spoken
from ocm_cti.speech.cache import PromptCache
from ocm_cti.speech.commands import Convert, MakeBeep, Speak
from ocm_cti.speech.errors import NotBegun, SpeechProcessLost, SpeechStopped
from ocm_cti.speech.prompts import OCTETS_PER_MS, PAUSE_MS, cache_key, cache_path, recording_path
from ocm_cti.speech.words import sentence
from ocm_cti.speech.worker import AHEAD, Worker

COMMAND = (sys.executable, "-m", "ocm_cti.speech.process")
#: A process is lost over the same fragment so often before the fragment fails.
TRIES = 2
TIMEOUT_S = 5.0
#: More for a long text; it is spoken about fifteen signs a second and made much faster.
TIMEOUT_PER_SIGN_S = 0.01
#: A recording may be ten minutes of MP3.
RECORDING_TIMEOUT_S = 60.0


@dataclass
class _Job:
    """One file that is being made."""

    path: Path
    command: type[Command]
    arguments: dict[str, Any]
    timeout_s: float
    waiting: list[Deferred[Path]]
    tries: int = 0


class SpeechClient:
    """Renders fragments to files of raw A-law (8 kHz) under ``cache_dir``; recordings are looked up in ``audio_dir``.

    ``workers`` processes work beside each other. ``command`` is what to start as a process. Beyond ``cache_mb`` the
    files that were not used for the longest time go; None lets the folder grow.
    """

    def __init__(
        self,
        reactor: Any,
        cache_dir: Path,
        *,
        audio_dir: Path,
        workers: int = 1,
        command: Sequence[str] = COMMAND,
        cache_mb: int | None = None,
        log: Logger | None = None,
    ) -> None:
        self._cache_dir = Path(cache_dir)
        self._audio_dir = Path(audio_dir)
        self._cache = None if cache_mb is None else PromptCache(reactor, self._cache_dir, cache_mb, log=log)
        self._running = False
        self._jobs: dict[str, _Job] = {}  # single flight: key -> the job under way
        self._queue: deque[tuple[str, _Job]] = deque()
        self._workers = [Worker(reactor, command, log or Logger()) for _ in range(workers)]

    @property
    def pids(self) -> list[int]:
        """Of the processes that are up."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def start(self) -> None:
        """Begin; the processes start at once so that the first fragment need not wait for them."""
        self._running = True
        if self._cache is not None:
            self._cache.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> Deferred[None]:
        """End the processes; what was not finished fails with SpeechStopped. Fires when nothing is left behind."""
        if self._running and self._cache is not None:
            self._cache.stop()
        self._running = False
        queued, self._queue = self._queue, deque()
        for key, job in queued:
            self._finish(key, job, _stopped())
        done: Deferred[Any] = DeferredList([worker.stop() for worker in self._workers])
        return done.addCallback(lambda _results: None)

    def render(self, fragment: Fragment, language: str, voice: str | None = None) -> Deferred[Path]:
        """The fragment's file. ``language`` chooses the voice where the fragment names none.

        Fails with UnspeakableValue (the person's value), RecordingUnusable, SynthesisFailed, LibraryMissing,
        CacheUnwritable, SpeechProcessLost or SpeechStopped; each text is one line for the operator.
        """
        try:
            key = cache_key(fragment, language, voice, self._audio_dir)
            path = cache_path(self._cache_dir, key)
            if path.is_file():
                if self._cache is not None:
                    self._cache.used(path)
                return succeed(path)
            if not self._running:
                return fail(SpeechStopped("speech is not running"))
            wanted: Deferred[Path] = Deferred()
            if key in self._jobs:
                self._jobs[key].waiting.append(wanted)
                return wanted
            command, arguments, timeout_s = self._asked(fragment, language, voice)
        except Exception:
            return fail()
        arguments["target"] = str(path.absolute())
        job = self._jobs[key] = _Job(path, command, arguments, timeout_s, [wanted])
        self._queue.append((key, job))
        self._dispatch()
        return wanted

    def _asked(
        self, fragment: Fragment, language: str, voice: str | None
    ) -> tuple[type[Command], dict[str, Any], float]:
        match fragment:
            case Spoken():
                text = sentence(fragment)
                arguments = {
                    "text": text,
                    "language": fragment.language or language,
                    "voice": voice or "",
                    "pause_ms": PAUSE_MS,
                }
                return Speak, arguments, TIMEOUT_S + TIMEOUT_PER_SIGN_S * len(text)
            case Recording():
                source = recording_path(self._audio_dir, fragment.path_name)
                return Convert, {"source": str(source), "pause_ms": PAUSE_MS}, RECORDING_TIMEOUT_S
            case Beep():
                return MakeBeep, {"frequency_hz": fragment.frequency_hz, "tone_ms": fragment.length_ms}, TIMEOUT_S

    def _dispatch(self) -> None:
        while self._queue:
            worker = min(self._workers, key=lambda worker: worker.load)
            if worker.load >= AHEAD:
                return
            key, job = self._queue.popleft()
            job.tries += 1
            answer = maybeDeferred(worker.run, job.command, job.timeout_s, **job.arguments)
            answer.addBoth(self._answered, key, job)

    def _answered(self, answer: Any, key: str, job: _Job) -> None:
        lost = isinstance(answer, Failure) and isinstance(answer.value, SpeechProcessLost)
        if isinstance(answer, Failure) and isinstance(answer.value, NotBegun) and self._running:
            job.tries -= 1
            self._queue.appendleft((key, job))
            return  # the one that was lost follows at once
        if lost and self._running and job.tries < TRIES:
            self._queue.appendleft((key, job))
        elif lost and not self._running:
            self._finish(key, job, _stopped())
        elif isinstance(answer, Failure):
            self._finish(key, job, answer)
        else:
            if self._running and self._cache is not None:
                self._cache.made(job.path, answer["length_ms"] * OCTETS_PER_MS)
            self._finish(key, job, job.path)
        if self._running:
            self._dispatch()

    def _finish(self, key: str, job: _Job, outcome: Path | Failure) -> None:
        del self._jobs[key]
        for wanted in job.waiting:
            if isinstance(outcome, Failure):
                wanted.errback(outcome)
            else:
                wanted.callback(outcome)


def _stopped() -> Failure:
    return Failure(SpeechStopped("speech has been stopped"))  # type: ignore[no-untyped-call]
