"""Records what a person says into a WAV on disk, and decides when he has finished.

Time is counted in 20 ms ticks, so that a peer that sends nothing while its person is silent still comes to an end:
what does not arrive in time is silence. Audio goes to disk about once a second, in another thread, into
``<name>.part``; that is a valid WAV at any moment and gets its real name when it is complete.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ocm_cti.voice.commands import RecordingFailed
from ocm_cti.voice.tones import RATE_HZ, mean_square_of
from protocols.rtp import g711
from protocols.rtp.stream import OCTETS_PER_MS, SAMPLES_PER_TICK

#: Loudness is judged in blocks of this many octets (100 ms).
BLOCK: Final = 800
#: What arrives later than this is replaced by silence.
SLACK: Final = 5 * SAMPLES_PER_TICK
#: How much is collected before it goes to disk.
FLUSH: Final = RATE_HZ

#: Speech is what is 6 dB over the quietest block so far; that threshold stays between these two.
QUIETEST_SPEECH: Final = mean_square_of(-45.0)
LOUDEST_NOISE: Final = mean_square_of(-32.0)
OVER_NOISE: Final = 4.0

#: Runs a function in another thread; jobs may overtake each other.
InThread = Callable[..., Deferred[Any]]


@dataclass(frozen=True)
class RecordedReply:
    """A reply on disk. ``why``: ``silence``, ``key``, ``limit``, ``hangup``, or ``replaced`` by another recording.

    ``length_ms`` 0: nobody said anything, and there is no file.
    """

    path: Path
    length_ms: int
    why: str


class WavFile:
    """A WAV of 8 kHz, 16 bit, mono under its provisional name. All of it blocks, and belongs into another thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._wave: wave.Wave_write | None = None
        self._file: Any = None

    def append(self, alaw: bytes) -> None:
        """Add audio; the header is right again afterwards."""
        try:
            writer = self._wave or self._open()
            writer.writeframes(g711.decode_alaw(alaw))
        except OSError as error:
            self._close()
            raise RecordingFailed(f"{self._part}: {error.strerror or error}") from error

    def finish(self, alaw: bytes) -> None:
        """Add the last audio and give the file its name."""
        self.append(alaw)
        try:
            os.fsync(self._file.fileno())
            self._close()
            os.replace(self._part, self._path)
        except OSError as error:
            raise RecordingFailed(f"{self._path}: {error.strerror or error}") from error

    def discard(self, alaw: bytes) -> None:
        """There was nothing in it: leave no file."""
        self._close()
        try:
            self._part.unlink(missing_ok=True)
        except OSError as error:
            raise RecordingFailed(f"{self._part}: {error.strerror or error}") from error

    def _open(self) -> wave.Wave_write:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered, so that a crash leaves what was said so far.
        self._file = open(self._part, "wb", buffering=0)  # noqa: SIM115 - closed in _close
        self._wave = writer = wave.open(self._file, "wb")  # noqa: SIM115
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        return writer

    def _close(self) -> None:
        if self._wave is not None:
            self._wave.close()
            self._wave = None
        if self._file is not None:
            self._file.close()


class Recorder:
    """One recording of one call.

    ``audio`` takes the peer's A-law as it comes, ``tick`` every 20 ms, ``key`` a digit; ``stop`` ends it for a reason
    of the caller's. ``done`` fires with RecordedReply when the file is on disk, or fails with RecordingFailed.
    """

    def __init__(
        self, path: Path, max_ms: int, silence_ms: int, stop_keys: str, in_thread: InThread, stopped: Callable[[], None]
    ) -> None:
        self.done: Deferred[RecordedReply] = Deferred()
        self._path = path
        self._max = max_ms * OCTETS_PER_MS
        self._silence = silence_ms * OCTETS_PER_MS
        self._stop_keys = stop_keys
        self._in_thread = in_thread
        self._stopped = stopped
        self._file = WavFile(path)
        self._due = 0
        self._length = 0
        self._waiting = bytearray()
        self._judged = 0
        self._quiet = 0
        self._noise = LOUDEST_NOISE
        self._loudest = 0.0
        self._unjudged = bytearray()
        self._why: str | None = None
        self._writing = False

    @property
    def running(self) -> bool:
        return self._why is None

    def audio(self, alaw: bytes) -> None:
        """20 ms, or whatever the peer puts into a packet."""
        if self._why is not None:
            return
        room = self._max - self._length
        alaw = alaw[:room]
        self._length += len(alaw)
        self._waiting += alaw
        self._unjudged += alaw
        while len(self._unjudged) >= BLOCK:
            self._judge(bytes(self._unjudged[:BLOCK]))
            del self._unjudged[:BLOCK]
        if self._quiet >= self._silence:
            self.stop("silence")
        elif self._length >= self._max:
            self.stop("limit")
        elif len(self._waiting) >= FLUSH:
            self._flush()

    def tick(self, now_s: float, skipped: int) -> None:
        """20 ms have passed, and so many ticks more were skipped."""
        self._due += SAMPLES_PER_TICK * (1 + skipped)
        missing = self._due - self._length
        if missing > SLACK:
            self.audio(bytes([g711.ALAW_SILENCE]) * (missing - SLACK))
        elif missing < 0:
            # Their clock runs ahead of ours, or a burst made up for a pause.
            self._due = self._length

    def key(self, digit: str) -> bool:
        """True when this key ends the recording: then it is nobody else's."""
        if self._why is None and digit in self._stop_keys:
            self.stop("key")
            return True
        return False

    def stop(self, why: str) -> None:
        """Take no more; harmless when stopped."""
        if self._why is None:
            self._why = why
            if self._unjudged:
                self._judge(bytes(self._unjudged))
            self._stopped()
            self._flush()

    def _judge(self, block: bytes) -> None:
        energy = g711.mean_square(block)
        self._noise = min(self._noise, energy)
        self._loudest = max(self._loudest, energy)
        speech = min(max(self._noise * OVER_NOISE, QUIETEST_SPEECH), LOUDEST_NOISE)
        self._quiet = 0 if energy > speech else self._quiet + len(block)

    def _flush(self) -> None:
        # One job at a time: they must not overtake each other. What comes meanwhile goes with the next.
        if self._writing:
            return
        self._writing = True
        alaw = bytes(self._waiting)
        self._waiting.clear()
        if self._why is None:
            job = self._file.append
        elif self._loudest < QUIETEST_SPEECH:
            # Only a dead silence is thrown away: on a noisy line rather an empty reply than a lost one.
            job, self._length = self._file.discard, 0
        else:
            job = self._file.finish
        self._in_thread(job, alaw).addCallbacks(self._written, self._failed, callbackArgs=(self._why is not None,))

    def _written(self, _: object, finished: bool) -> None:
        self._writing = False
        if finished:
            self.done.callback(RecordedReply(self._path, self._length // OCTETS_PER_MS, self._why or ""))
        elif self._why is not None:
            self._flush()

    def _failed(self, failure: Failure) -> None:
        # _writing stays set: nothing more goes to that file.
        if self._why is None:
            self._why = "failed"
            self._stopped()
        self.done.errback(failure)
