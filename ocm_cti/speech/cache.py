"""Keeps the folder of rendered prompts below a limit: the files that were not used for the longest time go first.

When a file was last used is its time of modification. Everything here runs in the reactor's thread, in small steps, as
does handing out a file; so a file can't go between the two. What was handed out in the last while (a call may still
have to play it) never goes, even if the folder is too large then.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twisted.internet.task import Cooperator, SchedulerStopped
from twisted.logger import Logger
from twisted.python.failure import Failure

#: A file that was handed out so recently is in use: longer than from preparing a call to its end.
IN_USE_S = 3600.0
#: The time of use is written to the file at most so often.
TOUCH_S = 900.0
#: Cleared down to this share of the limit, so that not every new file clears one.
_KEPT = 0.9
#: New files of this share of the limit are reason to look again.
_LOOK_AGAIN = 0.05
#: Pause between two steps, each of a hundredth of a second at most.
_STEP_S = 0.05
_MB = 1_000_000


class PromptCache:
    """Keeps ``folder`` at ``limit_mb`` (10**6 octets) as far as its files are not in use; start and stop once each."""

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        limit_mb: int,
        *,
        now: Callable[[], float] = time.time,
        log: Logger | None = None,
    ) -> None:
        self._folder = folder
        self._limit = limit_mb * _MB
        self._now = now
        self._log = log or Logger()
        self._used_at: dict[str, float] = {}  # when the file's own time was set last
        self._new = 0  # octets since the folder was looked through
        self._looking = False
        self._cooperator = Cooperator(scheduler=lambda step: reactor.callLater(_STEP_S, step))

    def start(self) -> None:
        """Look through what is there."""
        self._look()

    def stop(self) -> None:
        """Nothing is cleared any more."""
        self._cooperator.stop()

    def used(self, path: Path) -> None:
        """``path`` is being handed out."""
        now, name = self._now(), str(path)
        if now - self._used_at.get(name, 0.0) < TOUCH_S:
            return
        try:
            os.utime(name, (now, now))
        except OSError as error:
            self._log.warn("the use of {name} can't be noted: {error}", name=path.name, error=error)
        self._used_at[name] = now

    def made(self, path: Path, octets: int) -> None:
        """``path`` is new, and is being handed out."""
        self._used_at[str(path)] = self._now()
        self._new += octets
        if self._new >= self._limit * _LOOK_AGAIN:
            self._look()

    def _look(self) -> None:
        if self._looking:
            return
        self._looking, self._new = True, 0
        self._cooperator.coiterate(self._clear()).addErrback(self._failed).addBoth(self._looked)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(SchedulerStopped):  # type: ignore[no-untyped-call]
            self._log.failure("the folder of prompts could not be cleared", failure)

    def _looked(self, _result: object) -> None:
        self._looking = False

    def _clear(self) -> Iterator[None]:
        """Look through the folder; where it is too large, remove the oldest."""
        found: list[tuple[float, int, str]] = []
        for folder in _entries(self._folder):
            for name in _entries(folder):
                told = _told(name)
                if told is None:
                    continue
                if name.endswith(".alaw"):
                    found.append((told.st_mtime, told.st_size, name))
                elif name.endswith(".part") and told.st_mtime < self._now() - IN_USE_S:
                    _removed(name)  # its process died over it
            yield
        total = sum(size for _, size, _ in found)
        if total > self._limit:
            for modified_at, size, name in sorted(found):
                if total <= self._limit * _KEPT or modified_at > self._now() - IN_USE_S:
                    break
                if self._gone(name, modified_at):
                    total -= size
                yield
        if total > self._limit:
            self._log.warn(
                "prompts in use take {taken} MB, more than speech.cache_mb = {limit} allows; raise it",
                taken=total // _MB,
                limit=self._limit // _MB,
            )
        forgotten = self._now() - TOUCH_S
        self._used_at = {name: at for name, at in self._used_at.items() if at > forgotten}

    def _gone(self, name: str, modified_at: float) -> bool:
        """Whether it is gone now; it stays where it was used since it was looked at, by us or by another process."""
        told = _told(name)
        if told is None:
            return True
        if told.st_mtime != modified_at or self._now() - self._used_at.get(name, 0.0) < IN_USE_S:
            return False
        return _removed(name)


def _told(name: str) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return os.stat(name)
    return None


def _removed(name: str) -> bool:
    with contextlib.suppress(OSError):
        os.remove(name)
    return not os.path.exists(name)


def _entries(folder: str | Path) -> list[str]:
    """Paths in ``folder``; none where it is no folder (any more)."""
    with contextlib.suppress(OSError):
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    return []
