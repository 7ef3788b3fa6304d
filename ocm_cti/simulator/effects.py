"""The words of the simulated PBX: its devices, and the effects that the switch wants carried out.

Effects are drained from the switch and carried out in order by pbx.py. Two kinds of ends have a voice: the ``serial``
of an effect is one telephone call at a SIP extension (a leg), ``party`` one simulated person, be it an outside callee
behind a trunk or whoever sits at a simulated desk telephone. Both count up for ever, each for itself. A leg may take
part in several calls of the switch, one after another or one of them held.
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
    OGM = "ogm"


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


@dataclass(frozen=True)
class Moved:
    """A connection that a transfer carried over into the call ``call_id``; ``old_call_id`` is the one before."""

    device: Device
    old_call_id: bytes


@dataclass(frozen=True)
class Transfer:
    """What Transferred tells beyond other events; ``held`` and ``active`` are calls at the transferring device."""

    held: bytes | None
    active: bytes
    transferred_to: Device | str
    connections: tuple[Moved, ...]


# Effects
@dataclass(frozen=True)
class Report:
    """Tell the monitors of all devices in ``states``: event ``name`` (ECMA-285) at ``subject``'s connection.

    ``states`` has the LocalConnectionState after it for each. ``calling`` and ``called`` are a device, or digits of
    somebody outside ("" where they are not known); ``calling_trunk`` and ``called_trunk`` the lines to them.
    ``redirected`` is the device that the call was at before, ``destination`` where Diverted sends it.
    """

    name: str
    call_id: bytes
    subject: Device
    cause: str
    states: tuple[tuple[Device, str], ...]
    calling: Device | str = ""
    called: Device | str = ""
    calling_trunk: Trunk | None = None
    called_trunk: Trunk | None = None
    redirected: Device | None = None
    destination: Device | str = ""
    hold_type: str = ""
    transfer: Transfer | None = None


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
    """The callee is on the line with the leg ``serial``: his audio both ways, his script begins."""

    serial: int
    callee: Callee
    number: str
    party: int = 0


@dataclass(frozen=True)
class SeatCallee:
    """A simulated person is on the line, but no leg is with him yet; his script waits until he is joined."""

    party: int
    callee: Callee
    number: str


@dataclass(frozen=True)
class JoinCallee:
    """From now on ``party`` and the leg ``serial`` hear each other; each leaves whomever he was with."""

    party: int
    serial: int


@dataclass(frozen=True)
class JoinCallees:
    """Two simulated persons talk with each other; no leg is with them."""

    party_a: int
    party_b: int


@dataclass(frozen=True)
class HoldCallee:
    """``party`` stays on the line but hears and says nothing: his script stands still."""

    party: int


@dataclass(frozen=True)
class DropCallee:
    """``party`` is gone; his recordings are completed."""

    party: int


@dataclass(frozen=True)
class PlayAnnouncement:
    """The PBX's own recorded message sounds for ``party``, in place of his leg; his keys are told meanwhile."""

    party: int
    ogm: str


@dataclass(frozen=True)
class StopAnnouncement:
    party: int


@dataclass(frozen=True)
class ConnectExtensions:
    """Two legs hear each other; each leaves whomever it was with."""

    serial_a: int
    serial_b: int


@dataclass(frozen=True)
class HoldExtension:
    """The leg stays up but is with nobody: it hears silence until a tone or a person is put on it."""

    serial: int


@dataclass(frozen=True)
class AnswerExtension:
    """Answer the INVITE of an extension that dialled: 180 and 183 are progress (183 with audio), 200 is the answer."""

    serial: int
    code: int


@dataclass(frozen=True)
class RejectExtension:
    """Refuse the INVITE of an extension that dialled, with a final SIP code; the leg is gone."""

    serial: int
    code: int


@dataclass(frozen=True)
class ReferResult:
    """Tell the extension what became of its REFER (NOTIFY, RFC 3515): 200, or the SIP code of the failure.

    After 200 the leg is released by its own effect; after a failure the person is back on it.
    """

    serial: int
    code: int


@dataclass(frozen=True)
class CallAccount:
    """One ended call for the books. Times are seconds of the PBX's clock (since 1970 on a real reactor).

    ``direction``: ``out`` over a trunk, ``in`` over a trunk, ``internal``. ``dialled`` is what was dialled with its
    access code, of an incoming call the number of the caller. ``condition``: ``cl`` ``tr`` ``fw`` ``d0`` ``rm`` ``na``
    as in the condition code of CDR, "" for none.
    """

    serial: int
    call_id: bytes
    extension: str
    trunk: int | None
    dialled: str
    direction: str
    started_s: float
    answered_s: float | None
    ended_s: float
    answered: bool
    condition: str = ""


@dataclass(frozen=True)
class CallEnded:
    """Account for a call: one line of SMDR, one record of CDR."""

    account: CallAccount


@dataclass(frozen=True)
class ReportPrivate:
    """Tell the monitors of ``devices`` what is not about call control, ``subject`` being the device that it is about.

    Panasonic's private events ``ogmStatus`` and ``digitsReport`` are about a call and have ``content``: ``state`` and
    ``ogm``, or ``digits``. ``outOfService`` and ``backInService`` are about the device alone, ``call_id`` is empty.
    """

    name: str
    call_id: bytes
    subject: Device
    devices: tuple[Device, ...]
    content: dict[str, str] = field(default_factory=dict)


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
    Report
    | ReportPrivate
    | RingExtension
    | ReleaseExtension
    | AnswerExtension
    | RejectExtension
    | ReferResult
    | DropMedia
    | PlayTone
    | ConnectCallee
    | SeatCallee
    | JoinCallee
    | JoinCallees
    | HoldCallee
    | DropCallee
    | PlayAnnouncement
    | StopAnnouncement
    | ConnectExtensions
    | HoldExtension
    | StartTimer
    | StopTimers
    | Write
    | CallEnded
)
