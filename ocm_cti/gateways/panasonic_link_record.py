"""A recording of what goes over a link, in the text form of ``protocols.csta.recording``, for a technician."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from twisted.logger import Logger

from protocols.csta.recording import Direction, format_apdu, format_end


class Recorder:
    """Appends to a file that only its owner may read: telephone numbers stand in it in full.

    A disk that is full ends the recording, never the link.
    """

    def __init__(self, path: str, now: Callable[[], datetime]) -> None:
        """``now`` gives aware UTC."""
        self._path = path
        self._now = now
        self._log = Logger()
        self._file: TextIO | None = None

    def open(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._file = open(descriptor, "a", encoding="ascii", buffering=1)  # noqa: SIM115 it stays open
        except OSError as error:
            self._log.error("{path}: no recording of the link: {error}", path=self._path, error=error)
        else:
            self._log.warn("{path}: the link is recorded, telephone numbers included", path=self._path)

    def apdu(self, direction: Direction, apdu: bytes) -> None:
        self._write(format_apdu(direction, apdu, self._now()))

    def connection_ended(self) -> None:
        self._write(format_end(self._now()))

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._log.error("{path}: {error}", path=self._path, error=error)

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
        except OSError as error:
            self._log.error("{path}: the recording of the link ends: {error}", path=self._path, error=error)
            self.close()
