"""Plays lists of A-law files into a call's stream, and counts how much of them was sent."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twisted.internet.defer import Deferred, succeed

from ocm_cti.voice.commands import AudioUnreadable
from protocols.rtp.stream import OCTETS_PER_MS, SendStream

#: Runs a function in another thread and fires with what it returns.
InThread = Callable[..., Deferred[bytes]]

#: About four hours of speech.
CACHE_OCTETS = 128 * 1024 * 1024


@dataclass(frozen=True)
class Played:
    """How far a prompt got. ``finished`` is False when it was stopped before its last packet was sent."""

    heard_ms: int
    of_ms: int
    finished: bool


class AudioCache:
    """Files of raw A-law in memory; the least recently used ones go first when there are more than ``limit`` octets.

    A file that has changed on disk (size or time) is read again. Reading happens in another thread: a slow disk must
    not be heard in other calls.
    """

    def __init__(self, in_thread: InThread, limit: int = CACHE_OCTETS) -> None:
        self._in_thread = in_thread
        self._limit = limit
        self._held: OrderedDict[tuple[Path, int, int], bytes] = OrderedDict()
        self._octets = 0

    def load(self, path: Path) -> Deferred[bytes]:
        """The octets of a file. AudioUnreadable when it is missing or can't be read."""
        try:
            found = os.stat(path)
        except OSError as error:
            return _unreadable(path, error)
        key = (path, found.st_size, found.st_mtime_ns)
        octets = self._held.get(key)
        if octets is not None:
            self._held.move_to_end(key)
            return succeed(octets)
        return self._in_thread(_read, path).addCallback(self._keep, key)

    def _keep(self, octets: bytes, key: tuple[Path, int, int]) -> bytes:
        if key not in self._held:
            self._held[key] = octets
            self._octets += len(octets)
            while self._octets > self._limit:
                _, dropped = self._held.popitem(last=False)
                self._octets -= len(dropped)
        return octets


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable_error(path, error) from error


def _unreadable_error(path: Path, error: OSError) -> AudioUnreadable:
    return AudioUnreadable(f"{path}: {error.strerror or error}")


def _unreadable(path: Path, error: OSError) -> Deferred[bytes]:
    failed: Deferred[bytes] = Deferred()
    failed.errback(_unreadable_error(path, error))
    return failed


class Player:
    """The one prompt that a call hears at a time; owns the queue of its stream."""

    def __init__(self, stream: SendStream) -> None:
        self._stream = stream
        self._started_at = 0
        self._total = 0
        self._report: Deferred[Played] | None = None
        stream.drained = self._drained

    @property
    def playing(self) -> bool:
        return self._report is not None

    def play(self, pieces: Sequence[bytes]) -> Deferred[Played]:
        """Play these one after another without a gap; a prompt that is still playing is stopped first.

        Fires when the last packet has been sent and its 20 ms are over, or at ``stop``.
        """
        self.stop()
        report: Deferred[Played] = Deferred()
        self._started_at = self._stream.audio_sent
        self._total = sum(map(len, pieces))
        self._report = report
        for piece in pieces:
            self._stream.queue(piece)
        if not self._total:
            self._finish()
        return report

    def stop(self) -> None:
        """Be silent at once; harmless when nothing plays."""
        self._stream.clear()
        self._finish()

    def _drained(self) -> None:
        self._finish()

    def _finish(self) -> None:
        report, self._report = self._report, None
        if report is not None:
            heard = self._stream.audio_sent - self._started_at
            report.callback(Played(heard // OCTETS_PER_MS, self._total // OCTETS_PER_MS, heard >= self._total))
