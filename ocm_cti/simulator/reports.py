"""What the switch knows, in CSTA values: device and connection identifiers, call-control events, snapshots.

Sequences of fields are those that CYR lists for this family (ECMA-285 has more, all optional). Identifiers of devices:
extensions 0x0111xxxx, CO lines 0x0131xxxx (CYR), the lower 16 bits count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ocm_cti.simulator.effects import Connected, Device, Extension, Report, Trunk
from ocm_cti.simulator.faults import Settings

EXTENSION_TYPE = 0x0111
TRUNK_TYPE = 0x0131

# Bits of CallControlEventsBits in a monitor filter; a bit that is set suppresses the event (ECMA-285; not the tags).
_FILTER_BITS = {
    "connectionCleared": 2,
    "delivered": 3,
    "established": 5,
    "failed": 6,
    "networkReached": 8,
    "originated": 9,
    "serviceInitiated": 12,
}

# Which devices an event is told to besides the extension.
_TOLD_TO_TRUNK = frozenset({"networkReached", "delivered", "established", "failed", "connectionCleared"})


def suppressed(event: str, monitor_filter: Mapping[str, Any]) -> bool:
    """Whether a MonitorFilter value keeps an event back."""
    bits = monitor_filter.get("callControl", "")
    bit = _FILTER_BITS[event]
    return isinstance(bits, str) and bits[bit : bit + 1] == "1"


def audience(report: Report) -> tuple[Device, ...]:
    """The devices whose monitors are told."""
    if report.trunk is not None and report.name in _TOLD_TO_TRUNK:
        return (report.extension, report.trunk)
    return (report.extension,)


class Names:
    """Both directions between the switch's devices and CSTA's DeviceID and ConnectionID values."""

    def __init__(self, settings: Settings, extensions: Sequence[Extension]) -> None:
        self._settings = settings
        self._extensions = list(extensions)

    def number_of(self, device: Device) -> int:
        """The deviceNumber."""
        if isinstance(device, Trunk):
            return TRUNK_TYPE << 16 | device.index
        return EXTENSION_TYPE << 16 | (self._extensions.index(device) + 1)

    def device_id(self, device: Device) -> dict[str, Any]:
        if isinstance(device, Extension) and self._settings.extension_form == "dialingNumber":
            return {"deviceIdentifier": ("dialingNumber", device.number)}
        return {"deviceIdentifier": ("deviceNumber", self.number_of(device))}

    def outside_id(self, digits: str) -> dict[str, Any]:
        """The dialled number as events name it."""
        if self._settings.number_form == "other":
            return {"deviceIdentifier": ("other", digits.encode("ascii"))}
        return {"deviceIdentifier": ("dialingNumber", digits)}

    def device(self, device_id: Any) -> Device | None:
        """The device of a DeviceID value; None when it names none, or a form that a PBX does not know.

        Extensions answer to their digits and to their deviceNumber, CO lines to the deviceNumber only.
        """
        match device_id:
            case {"deviceIdentifier": ("dialingNumber", str(digits))}:
                extension = Extension(digits)
                return extension if extension in self._extensions else None
            case {"deviceIdentifier": ("deviceNumber", int(number))}:
                kind, index = number >> 16, number & 0xFFFF
                if kind == TRUNK_TYPE and 1 <= index <= self._settings.trunks:
                    return Trunk(index)
                if kind == EXTENSION_TYPE and 1 <= index <= len(self._extensions):
                    return self._extensions[index - 1]
        return None

    def connection_id(self, call_id: bytes, device: Device) -> tuple[str, Any]:
        return ("both", {"callID": call_id, "deviceID": ("staticID", self.device_id(device))})

    def connection(self, connection_id: Any) -> tuple[bytes, Device | None] | None:
        """(callID, device or None for any) of a ConnectionID value; None when it can't name one of ours."""
        match connection_id:
            case ("callID", bytes(call_id)):
                return call_id, None
            case ("both", {"callID": bytes(call_id), "deviceID": ("staticID", device_id)}):
                device = self.device(device_id)
                return None if device is None else (call_id, device)
        return None

    def event(self, report: Report, told: Device) -> tuple[str, dict[str, Any]]:
        """The CallControlEvents value of a report, as the monitor of the device ``told`` gets it."""
        calling = ("deviceIdentifier", self.device_id(report.extension))
        called = ("deviceIdentifier", self.outside_id(report.dialled))
        subject = ("deviceIdentifier", self.device_id(report.subject))
        far_end = called if self._settings.far_end_form == "number" and report.subject == report.trunk else subject
        connection = self.connection_id(report.call_id, report.subject)
        parties = {"callingDevice": calling, "calledDevice": called, "lastRedirectionDevice": ("notKnown", None)}
        bodies: dict[str, dict[str, Any]] = {
            "serviceInitiated": {"initiatedConnection": connection, "initiatingDevice": subject},
            "originated": {"originatedConnection": connection, "callingDevice": subject, "calledDevice": called},
            "networkReached": {"outboundConnection": connection, "networkInterfaceUsed": subject, **parties},
            "delivered": {"connection": connection, "alertingDevice": far_end, **parties},
            "established": {"establishedConnection": connection, "answeringDevice": far_end, **parties},
            "failed": {"failedConnection": connection, "failingDevice": subject, **parties},
            "connectionCleared": {"droppedConnection": connection, "releasingDevice": subject},
        }
        own_state = report.states[0] if told == report.extension else report.states[1]
        body = {**bodies[report.name], "localConnectionInfo": own_state, "cause": report.cause}
        if report.name == "established" and report.trunk is not None:
            # LTM finds the CO line here when the answering device is named by its number.
            body["associatedCalledDevice"] = ("deviceIdentifier", self.device_id(report.trunk))
        return report.name, body

    def snapshot(self, connections: Sequence[Connected]) -> dict[str, Any]:
        """A SnapshotDeviceResult value: connection, the other end, compound call state."""
        entries: list[dict[str, Any]] = []
        for one in connections:
            entry: dict[str, Any] = {"connectionIdentifier": self.connection_id(one.call_id, one.device)}
            if one.other is not None:
                entry["endpointDevice"] = ("deviceIdentifier", self.device_id(one.other))
            entry["localCallState"] = ("compoundCallState", list(one.states))
            entries.append(entry)
        return {"crossRefIDorSnapshotData": ("snapshotData", entries)}
