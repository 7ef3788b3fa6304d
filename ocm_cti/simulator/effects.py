"""The words of the simulated PBX: its devices, and the effects that the switch wants carried out.

Effects are drained from the switch and carried out in order by pbx.py.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from ocm_cti.simulator.callees import Callee


class RequestError(Exception):
    """A request that the PBX answers with ROER; ``error`` is (category, value) of UniversalFailure, ECMA-285 names."""

    def __init__(self, category: str, value: str) -> None:
        super().__init__(f"{category} {value}")
        self.error = (category, value)


class Timer(enum.Enum):
    EXTENSION = "extension"
    DIAL = "dial"
    ALERT = "alert"
    ANSWER = "answer"
    REFUSE = "refuse"
    ASSUME = "assume"
    TONE = "tone"


class Tone(enum.Enum):
    RINGBACK = "ringback"
    BUSY = "busy"
    REORDER = "reorder"


@dataclass(frozen=True)
class Extension:
    """A device of the numbering plan, ``303``."""

    number: str


@dataclass(frozen=True)
class Trunk:
    """An outside line; ``index`` counts from 1."""

    index: int


Device = Extension | Trunk


@dataclass(frozen=True)
class Connected:
    """One connection of a snapshot; ``states``: LocalConnectionState of the device itself, then of the other end."""

    call_id: bytes
    device: Device
    other: Device | None
    states: tuple[str, ...]


# Effects
@dataclass(frozen=True)
class Report:
    """Tell the monitors of ``extension`` and ``trunk``: event ``name`` (ECMA-285) at ``subject``'s connection.

    ``states`` are the LocalConnectionStates after it, of (extension, trunk).
    """

    name: str
    call_id: bytes
    extension: Extension
    trunk: Trunk | None
    subject: Device
    dialled: str
    cause: str
    states: tuple[str, str]


@dataclass(frozen=True)
class RingExtension:
    """Send INVITE to the extension, from the number it is about to call."""

    serial: int
    extension: Extension
    dialled: str


@dataclass(frozen=True)
class ReleaseExtension:
    """CANCEL or BYE the extension, and drop the media."""

    serial: int


@dataclass(frozen=True)
class DropMedia:
    """The call is over: nothing more is heard or said, recordings are completed."""

    serial: int


@dataclass(frozen=True)
class PlayTone:
    serial: int
    tone: Tone


@dataclass(frozen=True)
class ConnectCallee:
    """The callee is on the line: his audio both ways, his script begins."""

    serial: int
    callee: Callee
    number: str


@dataclass(frozen=True)
class StartTimer:
    """Call ``timer_fired(serial, timer)`` after so long, unless the timers of the call are stopped before."""

    serial: int
    timer: Timer
    after_s: float


@dataclass(frozen=True)
class StopTimers:
    serial: int


@dataclass(frozen=True)
class Write:
    """A line of the call journal."""

    event: str
    call: int | None
    fields: dict[str, Any] = field(default_factory=dict)


Effect = (
    Report | RingExtension | ReleaseExtension | DropMedia | PlayTone | ConnectCallee | StartTimer | StopTimers | Write
)
