"""Prompts where Asterisk can take them: each as one file, however many fragments it is made of.

One file has no gap in it, one stop ends all of it, and its ``endpos`` is what was heard. The name is the hash of what
is in it, so that a message that a thousand people share is made once and fetched once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.threads import deferToThreadPool

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_commands import MediaFailed
from ocm_cti.gateways.agi_settings import AgiSettings

OCTETS_PER_MS = 8
#: Below the shared folder.
PROMPTS, REPLIES = "prompts", "replies"
SWEEP_S = 3600.0
#: The time of last use is written down so often.
TOUCH_S = 3600.0

#: Runs a function that blocks, in another thread as a rule.
InThread = Callable[..., Deferred[Any]]


class PlayFailed(MediaFailed):
    """A prompt could not be played."""


@dataclass(frozen=True)
class Published:
    """``name`` is what STREAM FILE takes; ``octets`` of A-law are its samples."""

    name: str
    octets: int

    @property
    def of_ms(self) -> int:
        return self.octets // OCTETS_PER_MS


@dataclass(frozen=True)
class Prompt:
    """Fragments in their order, and the hash of what is in them."""

    paths: tuple[Path, ...]
    octets: int
    key: str

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Prompt:
        """PlayFailed when one of them is not there."""
        octets, made_of = 0, hashlib.sha256()
        for path in paths:
            try:
                found = path.stat()
            except OSError as error:
                raise PlayFailed(f"the prompt {path} can't be played: {error.strerror}") from None
            octets += found.st_size
            made_of.update(f"{path.absolute()}\0{found.st_size}\0{found.st_mtime_ns}\0".encode("utf-8", "replace"))
        return cls(tuple(paths), octets, made_of.hexdigest()[:40])

    def read(self) -> bytes:
        """Blocks."""
        return b"".join(path.read_bytes() for path in self.paths)


def in_thread_of(reactor: Any) -> InThread:
    """A test's clock has no threads: there it runs at once."""
    get_pool = getattr(reactor, "getThreadPool", None)
    if get_pool is None:
        return execute
    return lambda function, *arguments: deferToThreadPool(reactor, get_pool(), function, *arguments)


@dataclass(frozen=True)
class Folders:
    """The shared folder as we see it and as Asterisk does."""

    ours: Path
    theirs: str

    @classmethod
    def of(cls, settings: AgiSettings, recordings: Path) -> Folders:
        ours = Path(settings.shared_folder or recordings.absolute().parent / "asterisk")
        return cls(ours, (settings.asterisk_folder or str(ours.absolute())).rstrip("/"))

    def open(self) -> None:
        """Make what is missing; blocks. OSError.

        Asterisk writes replies as a user of its own: into a folder that its group may write, as check says.
        """
        for name, mode in ((PROMPTS, 0o755), (REPLIES, 0o2775)):
            folder = self.ours / name
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(mode)


class FolderPrompts:
    """Prompts as files of the shared folder; those that we made and nobody used for long are removed."""

    def __init__(self, folders: Folders, keep_s: float, clock: Clock, in_thread: InThread) -> None:
        self._folders = folders
        self._keep_s = keep_s
        self._clock = clock
        self._in_thread = in_thread
        self._known: dict[str, float] = {}  # key -> when its use was written down
        self._swept_s = clock.seconds()

    def publish(self, paths: Sequence[Path]) -> Deferred[Published]:
        """Fires when Asterisk can play it. PlayFailed."""
        prompt = Prompt.of(paths)
        there = self._in_place(prompt)
        if there:
            return succeed(Published(there, prompt.octets))
        now_s = self._clock.seconds()
        name = f"{self._folders.theirs}/{PROMPTS}/{prompt.key}"
        target = self._folders.ours / PROMPTS / f"{prompt.key}.alaw"
        if now_s - self._swept_s > SWEEP_S:
            self._swept_s = now_s
            self._in_thread(sweep, self._folders.ours, self._keep_s).addErrback(lambda _: None)
        if now_s - self._known.get(prompt.key, -TOUCH_S) < TOUCH_S and target.exists():
            return succeed(Published(name, prompt.octets))
        made: Deferred[Published] = self._in_thread(self._make, prompt, target)

        def known(_: object) -> Published:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[prompt.key] = now_s
            return Published(name, prompt.octets)

        return made.addCallback(known)

    def _in_place(self, prompt: Prompt) -> str:
        """A single file that lies in the shared folder already, as Asterisk sees it; "" when it does not."""
        if len(prompt.paths) != 1 or prompt.paths[0].suffix != ".alaw":
            return ""
        path, ours = prompt.paths[0].absolute(), self._folders.ours.absolute()
        return f"{self._folders.theirs}/{path.relative_to(ours).with_suffix('')}" if path.is_relative_to(ours) else ""

    def _make(self, prompt: Prompt, target: Path) -> None:
        """The file appears whole or not at all."""
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            if target.exists() and target.stat().st_size == prompt.octets:
                os.utime(target)
                return
            self._folders.open()
            part.write_bytes(prompt.read())
            part.chmod(0o644)
            os.replace(part, target)
        except OSError as error:
            raise PlayFailed(
                f"a prompt can't be put into the shared folder: {error.filename}: {error.strerror}"
            ) from error


def sweep(shared: Path, keep_s: float) -> None:
    """Remove our files that were not used for ``keep_s``, and replies that nobody fetched; blocks."""
    newest_s = max((path.stat().st_mtime for path in (shared / PROMPTS).glob("*.alaw")), default=0.0)
    for name, pattern in ((PROMPTS, "*.alaw*"), (REPLIES, "*.wav")):
        for path in (shared / name).glob(pattern):
            try:
                if newest_s - path.stat().st_mtime > keep_s + TOUCH_S:
                    path.unlink()
            except OSError:
                continue  # gone already, or Asterisk's own
