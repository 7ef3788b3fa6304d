"""Call records over CSTA: cDRReport after each ended call, to the one client that asked for them.

The fields are those that LTM reads (Panasonic notes 4.7): recordCreationTime is the start of the call, the duration
counts tenths of a second (RE, "check").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ocm_cti.simulator.effects import CallAccount, Device, Extension, Trunk
from ocm_cti.simulator.reports import Names
from protocols.csta.panasonic import cdr_report

_CONDITIONS = frozenset({"cl", "tr", "fw", "d0", "rm", "na"})


class Transmission:
    """One StartCDR. ``send`` gets each cDRReport argument; with ``waits`` the next one after ``answered``."""

    def __init__(self, reference: bytes, send: Callable[[dict[str, Any]], None], *, waits: bool) -> None:
        self.reference = reference
        self._send = send
        self._waits = waits
        self._queue: deque[dict[str, Any]] = deque()
        self._sent = 0
        self._outstanding = False

    def record(self, item: dict[str, Any], condition: str) -> None:
        """Send, or keep until the one before has been answered."""
        self._sent += 1
        item = {"recordNumber": self._sent, **item}
        self._queue.append(cdr_report(self.reference, [item], [condition] if condition in _CONDITIONS else []))
        self._go_on()

    def answered(self) -> None:
        """The client answered a record, or refused it."""
        self._outstanding = False
        self._go_on()

    def _go_on(self) -> None:
        while self._queue and not (self._waits and self._outstanding):
            self._outstanding = True
            self._send(self._queue.popleft())


def item(account: CallAccount, names: Names, local: Callable[[float], datetime]) -> dict[str, Any]:
    """A CDRInformationItem value; ``local`` turns the clock's seconds into the PBX's own time."""
    extension: Device = Extension(account.extension)
    trunk = None if account.trunk is None else Trunk(account.trunk)
    inbound = account.direction == "in"
    other: Device | str = account.dialled
    if account.direction == "internal" and (dialled := names.device(_dialled(account.dialled))) is not None:
        other = dialled
    calling, called = (other, extension) if inbound else (extension, other)
    found: dict[str, Any] = {
        "recordCreationTime": _time(local(account.started_s)),
        "callingDevice": names.party(calling),
        "calledDevice": names.party(called),
    }
    if trunk is not None:
        found["associatedCallingDevice" if inbound else "associatedCalledDevice"] = names.party(trunk)
    if trunk is not None and not inbound:
        found["chargedDevice"] = ("nonOperator", names.device_id(extension))
        found["billingID"] = "normalCharging"
    talked_s = account.ended_s - account.answered_s if account.answered_s is not None else 0.0
    return {
        **found,
        "recordedCall": names.connection_id(account.call_id, extension),
        "connectionEnd": _time(local(account.ended_s)),
        "connectionDuration": round(talked_s * 10),
        "reasonForTerm": _reason(account),
    }


def _reason(account: CallAccount) -> str:
    if account.condition == "tr":
        return "callTransferred"
    return "normalClearing" if account.answered else "unsuccessfulCallAttempt"


def _time(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S}"


def _dialled(digits: str) -> dict[str, Any]:
    return {"deviceIdentifier": ("dialingNumber", digits)}
