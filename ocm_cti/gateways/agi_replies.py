"""Replies: where Asterisk writes them, and how they come from there to where they belong.

By the shared folder, or by ARI (GET /ari/recordings/stored/NAME/file) from Asterisk's spool where no folder is shared.
AMI itself has no way to fetch a file.
"""

from __future__ import annotations

import os
import time
import wave
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from ocm_cti.gateways.agi_commands import MediaFailed
from ocm_cti.gateways.agi_prompts import REPLIES, Folders, InThread
from ocm_cti.gateways.agi_settings import AgiSettings

RATE_HZ, HEADER_OCTETS = 8000, 44
#: A file in a network folder is looked for again after this.
LOOK_AGAIN_S = 0.1
ARI_TIMEOUT_S = 10.0
#: Nothing louder than this (RMS of 100 ms, full scale 1) is dead silence, as in ocm_cti/voice/recorder.py: on a noisy
#: line rather an empty reply than a lost one.
SPEECH = 10 ** (-45 / 20)
BLOCK = RATE_HZ // 10


class RecordFailed(MediaFailed):
    """A reply could not be recorded, or its file did not come."""


@dataclass(frozen=True)
class Fetched:
    """``length_ms`` 0: nobody said anything, and there is no file."""

    length_ms: int


class Replies:
    """``place`` gives the name for RECORD FILE, ``fetch`` brings what has been recorded there."""

    def place(self, name: str) -> str:
        """What RECORD FILE is given, without the extension."""
        raise NotImplementedError

    def prepare(self) -> Deferred[Any]:
        """What must be there before. RecordFailed."""
        raise NotImplementedError

    def fetch(self, name: str, samples: int, path: Path) -> Deferred[Fetched]:
        """To ``path``, whole or not at all; nothing is left there where it came from. RecordFailed."""
        raise NotImplementedError


class FolderReplies(Replies):
    def __init__(self, folders: Folders, patience_s: float, in_thread: InThread) -> None:
        self._folders = folders
        self._patience_s = patience_s
        self._in_thread = in_thread
        self._prepared = False

    def place(self, name: str) -> str:
        return f"{self._folders.theirs}/{REPLIES}/{name}"

    def prepare(self) -> Deferred[Any]:
        return self._in_thread(self._prepare)

    def fetch(self, name: str, samples: int, path: Path) -> Deferred[Fetched]:
        return self._in_thread(self._fetch, self._folders.ours / REPLIES / f"{name}.wav", samples, path)

    def _prepare(self) -> None:
        try:
            self._folders.open()
        except OSError as error:
            raise RecordFailed(f"the shared folder can't be made: {error.filename}: {error.strerror}") from error

    def _fetch(self, source: Path, samples: int, path: Path) -> Fetched:
        # What has no samples need not be there, and is not waited for.
        octets = wait_for(source, HEADER_OCTETS + 2 * samples, self._patience_s if samples else 0.0)
        fetched = keep(octets, path, source)
        try:
            source.unlink()
        except OSError as error:
            raise RecordFailed(f"{source} can't be removed: {error.strerror}; its folder must be ours, too") from error
        return fetched


class AriReplies(Replies):
    """TESTED: reads what RECORD FILE has written into spool/recording; the ARI user may not be read-only."""

    def __init__(self, settings: AgiSettings, reactor: Any, in_thread: InThread) -> None:
        self._settings = settings
        self._in_thread = in_thread
        self._pool = HTTPConnectionPool(reactor, persistent=False)  # type: ignore[no-untyped-call]
        self._agent = Agent(reactor, connectTimeout=ARI_TIMEOUT_S, pool=self._pool)  # type: ignore[no-untyped-call]
        self._reactor = reactor
        login = f"{settings.ari_user}:{settings.ari_password}".encode()
        self._headers = {b"Authorization": [b"Basic " + b64encode(login)], b"User-Agent": [b"ocm"]}

    def place(self, name: str) -> str:
        return f"{self._settings.ari_folder.rstrip('/')}/{name}"

    def prepare(self) -> Deferred[Any]:
        return self._in_thread(lambda: None)

    @inlineCallbacks
    def fetch(self, name: str, samples: int, path: Path) -> Any:
        octets = yield self.request(b"GET", f"recordings/stored/{quote(name)}/file")
        fetched = yield self._in_thread(keep, octets, path, name)
        yield self.request(b"DELETE", f"recordings/stored/{quote(name)}")
        return fetched

    @inlineCallbacks
    def request(self, method: bytes, path: str) -> Any:
        """The body of the answer. RecordFailed for anything but success."""
        url = f"{self._settings.ari_url.rstrip('/')}/{path}"
        try:
            asking: Any = self._agent.request(method, url.encode(), Headers(self._headers))
            asking.addTimeout(ARI_TIMEOUT_S, self._reactor)
            response: Any = yield asking
            body = _Body()
            response.deliverBody(body)
            body.whole.addTimeout(ARI_TIMEOUT_S, self._reactor)
            octets: bytes = yield body.whole
        except Exception as error:
            raise RecordFailed(f"ARI at {self._settings.ari_url}: {error or type(error).__name__}") from error
        if not 200 <= response.code < 300:
            raise RecordFailed(
                f"ARI at {self._settings.ari_url}: {response.code}: {_ARI_CURES.get(response.code, path)}"
            )
        return octets


class _Body(Protocol):
    """Collects it. ``whole`` may be cancelled: the rest is not waited for."""

    transport: Any

    def __init__(self) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self.transport.loseConnection())
        self._parts: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.whole.called:
            return
        if isinstance(reason.value, ResponseDone | PotentialDataLoss):
            self.whole.callback(b"".join(self._parts))
        else:
            self.whole.errback(reason)


_ARI_CURES = {
    401: "ari_user or ari_password is wrong (ari.conf)",
    403: "the ARI user must not be read_only",
    404: "it has no such recording; ari_folder must be its spool/recording, and ari_url end in /ari",
    500: "it can't read its spool/recording; does the folder exist?",
}


def wait_for(source: Path, size: int, patience_s: float) -> bytes:
    """The file, once it is as large as Asterisk said; blocks. A network folder shows it later. RecordFailed."""
    until_s = time.monotonic() + patience_s
    while True:
        try:
            octets = source.read_bytes()
            if len(octets) >= size or time.monotonic() >= until_s:
                return octets
        except FileNotFoundError as error:
            if time.monotonic() >= until_s:
                raise RecordFailed(
                    f"Asterisk has recorded, but {source} is not there: is that the folder it writes to?"
                    " (shared_folder, asterisk_folder)"
                ) from error
        except OSError as error:
            raise RecordFailed(f"{source} can't be read: {error.strerror}") from error
        time.sleep(LOOK_AGAIN_S)


def keep(octets: bytes, path: Path, source: object) -> Fetched:
    """Write a reply to ``path``, whole or not at all; blocks. Without speech there is no file. RecordFailed."""
    samples = samples_of(octets, source)
    if not is_spoken(samples):
        return Fetched(0)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            with wave.open(file, "wb") as writer:
                writer.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
                writer.writeframes(samples)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise RecordFailed(f"{path}: {error.strerror}") from error
    return Fetched(len(samples) // 2 * 1000 // RATE_HZ)


def samples_of(octets: bytes, source: object) -> bytes:
    """16 bit linear. The header of a file that Asterisk is closing may not know its length yet."""
    where = octets.find(b"data", 12, 4096)
    if octets[:4] != b"RIFF" or octets[8:12] != b"WAVE" or where < 0:
        raise RecordFailed(f"{source} is no WAV file")
    samples = octets[where + 8 :]
    told = int.from_bytes(octets[where + 4 : where + 8], "little")
    samples = samples[:told] if 0 < told < len(samples) else samples
    return samples[: len(samples) // 2 * 2]


def is_spoken(samples: bytes) -> bool:
    """Whether there is more in it than dead silence."""
    levels = np.frombuffer(samples, dtype="<i2").astype(np.float32) / 32768
    blocks = np.pad(levels, (0, -len(levels) % BLOCK)).reshape(-1, BLOCK)
    return bool((np.sqrt((blocks**2).mean(axis=1)) >= SPEECH).any())
