"""Work in processes of its own, beside the server: a report of a million rows, a file that somebody has brought.

A child gets one text on its standard input, and tells line by line on its standard output how far it is.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress


class Children:
    """For any thread. ``at_once`` of them at most; more wait for their turn."""

    def __init__(self, command: Sequence[str], at_once: int) -> None:
        self._command = tuple(command)
        self._turns = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def run(self, order: str, begun: Callable[[], None], told: Callable[[str], None]) -> int | None:
        """Blocks until it is over; its exit code (negative: the signal that ended it), None when we are closed.

        ``begun`` is called when its turn has come, ``told`` with each line. Raises OSError when it can't be started.
        """
        with self._turns:
            with self._lock:
                if self._closed:
                    return None
                process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
                )
                self._running.add(process)
            begun()
            try:
                with process:
                    assert process.stdin is not None and process.stdout is not None
                    with suppress(BrokenPipeError), process.stdin as stdin:
                        stdin.write(order)
                    for line in process.stdout:
                        told(line.strip())
            finally:
                with self._lock:
                    self._running.discard(process)
            return process.returncode

    def close(self) -> None:
        """End what is being made; nothing is begun any more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()
