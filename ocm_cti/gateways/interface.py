"""What every switch offers to the dialer; the dialer and the reports see nothing else.

A **gateway** is our adapter to one switch. It offers **ports**; a port can hold one call. ``place`` starts a call on a
port and returns at once; everything that happens then is told to the call's observer, in order, each at most once:

    dialing -> ringing? -> machine? -> answered -> digit* ... -> ended
                        \\-> failed

``dialing``  the switch is calling the person (the robot's own extension has been picked up where there is one).
``ringing``  the far end rings (only where the switch can tell).
``machine``  an answering machine picked up (only where the switch listens for that): the observer says whether it is to
             be talked to; then ``answered`` follows when its greeting is over, else ``failed``.
``answered`` somebody or something picked up; ``certain`` is False where the switch has only a timer for it.
``failed``   terminal: nobody was reached; nothing follows.
``ended``    terminal: an answered call is over; nothing follows.

Exactly one terminal report is made for every placed call, whatever breaks: a fault of the switch, the link or the voice
process is ``failed(Cause.LINE_FAULT)`` before the answer and ``ended(cause, EndedBy.FAULT)`` after it. After the
terminal report the port is free again and ``port_freed`` has been told to the gateway's observer.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred

from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause


class EndedBy(enum.Enum):
    """Who ended an answered call."""

    US = "us"
    THEM = "them"
    FAULT = "fault"  # the switch, the link or the voice process broke


class LinkState(enum.Enum):
    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"  # the switch does not want us; ``reason`` says why; retried slowly


@dataclass(frozen=True)
class Health:
    """State of a gateway's way to its switch; ``since_at`` is aware UTC, ``reason`` for people ("": all is well)."""

    state: LinkState
    since_at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Native:
    """The switch's own words for a cause, kept beside ours: e.g. system ``csta``, code ``3``, text ``busy``."""

    system: str
    code: str
    text: str


@dataclass(frozen=True)
class Played:
    """How far a prompt got. ``heard_ms`` of ``of_ms``; ``finished`` is False when it was stopped or the call ended."""

    heard_ms: int
    of_ms: int
    finished: bool


@dataclass(frozen=True)
class Recorded:
    """A reply on disk (WAV, 8 kHz, 16 bit, mono). ``why``: ``silence``, ``key``, ``limit``, ``hangup``."""

    path: Path
    length_ms: int
    why: str


@dataclass(frozen=True)
class RecordLimits:
    """When to stop: after ``max_ms``, after ``silence_ms`` without speech, or at one of ``stop_keys``."""

    max_ms: int = 30_000
    silence_ms: int = 3_000
    stop_keys: str = "#"


class CallObserver(Protocol):
    """Told what becomes of one call."""

    def dialing(self) -> None: ...
    def ringing(self) -> None: ...
    def machine(self) -> bool: ...
    def answered(self, certain: bool) -> None: ...
    def digit(self, digit: str) -> None: ...
    def failed(self, cause: Cause, native: Native) -> None: ...
    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None: ...


class Call(Protocol):
    """One call on one port. The media commands are for an answered call; when it is over they fail with CallOver."""

    @property
    def native_id(self) -> str | None:
        """The switch's identifier of the call, None until it is known; what a crash recovery asks the switch about."""

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        """Play files of raw A-law (8 kHz) without a gap between them; fires when done, stopped or the call ended."""

    def stop_playing(self) -> None: ...

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        """Record what the person says; fires also (``hangup``) when the call ends under it."""

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        """Play the switch's own recorded message (its number); NotSupported when the switch has none."""

    def transfer(self, number: str) -> Deferred[None]:
        """Connect the person of an answered call with ``number``, digits as they are dialled at the switch.

        Fires when he has been handed over: ``ended(Cause.TRANSFERRED, EndedBy.US)`` follows. TransferFailed when it
        came to nothing and he is back on the line with us: the call goes on. CallOver when he hung up meanwhile.
        """

    def hang_up(self) -> None:
        """End the call at any stage; the terminal report follows. Harmless when it is over."""


class CallOver(Exception):
    """The call has ended; there is nobody to play to."""


class NotSupported(Exception):
    """The switch, or this gateway as it is set up, can't do that; the text says what."""


class TransferFailed(Exception):
    """The destination was busy, did not answer or is not there (``reason``); the call goes on with us."""

    def __init__(self, reason: Cause, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class GatewayObserver(Protocol):
    def port_freed(self, gateway: Gateway, port: str) -> None:
        """A port became usable (call over, registration back, link up): a due task may go now."""

    def health_changed(self, gateway: Gateway, health: Health) -> None: ...

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None:
        """The switch has written a call down, ours or somebody else's; the same record may come again."""


class NotPlaced(Exception):
    """``place`` was refused before anything left for the switch (port not idle, link down); the text says why."""


class Settled(enum.Enum):
    """What a switch knows about an attempt that was in flight when we crashed."""

    NEVER_REACHED = "never_reached"  # the person's telephone cannot have rung: not counted, may be called again
    UNKNOWN = "unknown"  # it may have rung or been answered: counts, never redialled silently


@dataclass(frozen=True)
class InFlight:
    """An attempt found in flight after a crash."""

    attempt_id: int
    port: str
    number: str
    native_id: str | None


class Gateway(Protocol):
    """One switch."""

    @property
    def name(self) -> str: ...

    @property
    def ports(self) -> Sequence[str]:
        """All configured ports, idle or not."""

    @property
    def idle_ports(self) -> Sequence[str]:
        """Ports that could take a call at this moment; empty while the link is down."""

    @property
    def starts_left(self) -> int | None:
        """How many of them may do so at once by the switch's pace; None: all."""

    @property
    def health(self) -> Health: ...

    def port_reason(self, port: str) -> str:
        """Why the port can't take a call now, for people; "" when it can."""

    def start(self, observer: GatewayObserver) -> None:
        """Begin connecting; keeps trying until ``stop``. Returns at once."""

    def stop(self) -> Deferred[None]:
        """Hang up what is up, un-register, close; fires when nothing of this gateway is left behind."""

    def place(
        self,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        caller_id: str | None,
        observer: CallObserver,
    ) -> Call:
        """Call ``number`` (E.164 with +) from an idle ``port``.

        The attempt must have been committed before. ``ring_timeout_s`` counts from ``dialing``: the gateway clears the
        call itself then and reports ``failed(Cause.NO_ANSWER)``. Raises NotPlaced when nothing was sent.
        """

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        """Ask the switch what became of attempts after a crash and clear what is left of them on our ports.

        Needs the link up; fires with an answer for every attempt_id. Ports are not idle until they have been settled.
        """
