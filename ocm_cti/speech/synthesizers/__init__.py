"""Synthesizers behind one small interface; they run inside the speech process only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sound:
    """Mono samples from -1 to 1."""

    samples: NDArray[np.float32]
    rate_hz: int


class Synthesizer(Protocol):
    """Synchronous; one thread, one object a process."""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """``text`` in words already. ``voice`` None: the default of ``language``. Raises errors.SynthesisFailed."""
