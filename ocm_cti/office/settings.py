"""The configuration file as it stands at this moment: the commands and the panel read the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ocm_cti import config as configuration
from ocm_cti.config import Config, ConfigError
from ocm_cti.office.errors import Refused


class ConfigFile:
    """Read again when it, or a scenario that it names, has changed. ``first`` is what the server was started with."""

    def __init__(self, first: Config, read: Callable[[Path], Config] = configuration.load) -> None:
        self.first = first
        self._read = read
        self._lock = threading.Lock()
        self._last = first
        self._stamp = self._stamp_of(first)

    def load(self) -> Config:
        """Raises Refused with the line of the file that is wrong."""
        with self._lock:
            if self._stamp_of(self._last) != self._stamp:
                try:
                    fresh = self._read(self.first.path)
                except ConfigError as error:
                    raise Refused(str(error)) from None
                self._last, self._stamp = fresh, self._stamp_of(fresh)
            return self._last

    def _stamp_of(self, config: Config) -> tuple[tuple[str, int, int], ...]:
        files = {config.path, *(file.path for entry in config.lists.values() for file in entry.files)}
        return tuple(sorted(_stamp(path) for path in files))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), found.st_mtime_ns, found.st_size
