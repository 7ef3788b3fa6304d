"""Where the interpreter of a scenario stands between two things that happen."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Phase(enum.Enum):
    """What the interpreter waits for."""

    NEW = "new"
    PLAYING = "playing"
    STOPPING = "stopping"  # StopPlaying was asked for, its ``played`` has not come yet
    WAITING = "waiting"  # for a key; the timer runs
    PAUSING = "pausing"  # the timer runs
    RECORDING = "recording"
    TRANSFERRING = "transferring"
    OVER = "over"


class What(enum.Enum):
    """Which message of the step is playing."""

    MESSAGE = "message"
    REMARK = "remark"  # ``wrong`` or ``silent``; the message follows
    READ_BACK = "read back"
    BEEP = "beep"


@dataclass(frozen=True)
class Go:
    """Stands last in the place of an action: the step of this name is next, None ends the call."""

    to: str | None
