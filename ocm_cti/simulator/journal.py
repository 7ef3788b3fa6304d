"""The call journal: one JSON object a line, written through before what it tells about takes effect.

A test that kills things counts calls here, so a line must never be lost after its effect left, nor stand half-written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


class Journal:
    """Appends to ``path``; None keeps no journal. ``seconds`` is a monotonic clock.

    ``last_call`` is the highest call number in it when it was opened: the calls of a PBX that starts again go on from
    there, so that a number stands for one call in the whole file.
    """

    def __init__(self, path: Path | None, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._file: IO[bytes] | None = None
        self.last_call = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.last_call, whole = _last_call(path)
            # Unbuffered: one write() for a line, and the kernel has it, whatever becomes of this process.
            self._file = path.open("ab", buffering=0)
            if not whole:
                self._file.write(b"\n")  # a line that was cut off must not spoil the next one

    def write(self, event: str, call: int | None, fields: dict[str, Any]) -> None:
        """Append a line."""
        if self._file is not None:
            line = {"t": round(self._seconds(), 3), "event": event, "call": call, **fields}
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _last_call(path: Path) -> tuple[int, bool]:
    """(highest call number, whether the file ends with a line end); lines that are no JSON are passed over."""
    last, whole = 0, True
    try:
        with path.open("rb") as lines:
            for line in lines:
                whole = line.endswith(b"\n")
                try:
                    call = json.loads(line).get("call")
                except (ValueError, AttributeError):
                    continue
                if isinstance(call, int):
                    last = max(last, call)
    except FileNotFoundError:
        pass
    return last, whole
