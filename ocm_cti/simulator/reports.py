"""What the switch knows, in CSTA values: device and connection identifiers, call-control events, snapshots.

Sequences of fields are those that CYR lists for this family (ECMA-285 has more, all optional). Identifiers of devices:
extensions 0x0111xxxx, CO lines 0x0131xxxx (CYR), the lower 16 bits count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ocm_cti.simulator.effects import Connected, Device, Extension, Report, ReportPrivate, Trunk
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.numbering import Numbering
from protocols.csta.panasonic import additional_data, digits_report, ogm_status

EXTENSION_TYPE = 0x0111
TRUNK_TYPE = 0x0131

# Bits of CallControlEventsBits in a monitor filter; a bit that is set suppresses the event (ECMA-285; not the tags).
_FILTER_BITS = {
    "connectionCleared": 2,
    "delivered": 3,
    "diverted": 4,
    "established": 5,
    "failed": 6,
    "held": 7,
    "networkReached": 8,
    "originated": 9,
    "retrieved": 11,
    "serviceInitiated": 12,
    "transferred": 13,
}
# The same of the other groups: (member of MonitorFilter, bit).
_OTHER_BITS = {
    "backInService": ("maintenance", 0),
    "outOfService": ("maintenance", 1),
    "ogmStatus": ("private", 0),
    "digitsReport": ("private", 0),
}

# Events that have room for the CO line besides the parties (CYR).
_WITH_ASSOCIATED = frozenset({"delivered", "established", "failed", "diverted"})

# Trailing octets that newer firmware was seen to append (LTM): an INTEGER to device entries, an OCTET STRING to
# DeviceIDs. What they mean is not known.
NEWER_ENTRY = b"\x02\x01\x00"
NEWER_DEVICE_ID = b"\x04\x01\x00"


def suppressed(event: str, monitor_filter: Mapping[str, Any]) -> bool:
    """Whether a MonitorFilter value keeps an event back."""
    group, bit = _OTHER_BITS.get(event) or ("callControl", _FILTER_BITS[event])
    bits = monitor_filter.get(group, "")
    return isinstance(bits, str) and bits[bit : bit + 1] == "1"


class Names:
    """Both directions between the switch's devices and CSTA's DeviceID and ConnectionID values."""

    def __init__(self, settings: Settings, numbering: Numbering) -> None:
        self._settings = settings
        self._extensions = list(numbering.extensions)
        self._trunks = frozenset(numbering.trunks)

    def number_of(self, device: Device) -> int:
        """The deviceNumber."""
        if isinstance(device, Trunk):
            return TRUNK_TYPE << 16 | device.index
        return EXTENSION_TYPE << 16 | (self._extensions.index(device) + 1)

    def device_id(self, device: Device) -> dict[str, Any]:
        if isinstance(device, Extension) and self._settings.extension_form == "dialingNumber":
            return self._newer({"deviceIdentifier": ("dialingNumber", device.number)})
        return self._newer({"deviceIdentifier": ("deviceNumber", self.number_of(device))})

    def _newer(self, device_id: dict[str, Any]) -> dict[str, Any]:
        return {**device_id, "_unknown": [NEWER_DEVICE_ID]} if self._settings.newer_firmware else device_id

    def outside_id(self, digits: str) -> dict[str, Any]:
        """A number outside as events name it."""
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
                if kind == TRUNK_TYPE and Trunk(index) in self._trunks:
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

    def party(self, who: Device | str) -> tuple[str, Any]:
        """A CallingDeviceID or the like: a device, digits outside, or notKnown for ""."""
        if isinstance(who, str):
            return ("deviceIdentifier", self.outside_id(who)) if who else ("notKnown", None)
        return ("deviceIdentifier", self.device_id(who))

    def event(self, report: Report, told: Device) -> tuple[str, dict[str, Any]]:
        """The CallControlEvents value of a report, as the monitor of the device ``told`` gets it."""
        calling, called = self.party(report.calling), self.party(report.called)
        subject = self.party(report.subject)
        outside = isinstance(report.subject, Trunk) and report.subject == report.called_trunk
        far_end = called if self._settings.far_end_form == "number" and outside else subject
        connection = self.connection_id(report.call_id, report.subject)
        redirected = (
            ("notKnown", None) if report.redirected is None else ("numberdialed", self.device_id(report.redirected))
        )
        parties = {"callingDevice": calling, "calledDevice": called, "lastRedirectionDevice": redirected}
        destination = self.party(report.destination)
        bodies: dict[str, dict[str, Any]] = {
            "serviceInitiated": {"initiatedConnection": connection, "initiatingDevice": subject},
            "originated": {"originatedConnection": connection, "callingDevice": subject, "calledDevice": called},
            "networkReached": {"outboundConnection": connection, "networkInterfaceUsed": subject, **parties},
            "delivered": {"connection": connection, "alertingDevice": far_end, **parties},
            "established": {"establishedConnection": connection, "answeringDevice": far_end, **parties},
            "failed": {"failedConnection": connection, "failingDevice": subject, **parties},
            "connectionCleared": {"droppedConnection": connection, "releasingDevice": subject},
            "held": {"heldConnection": connection, "holdingDevice": subject},
            "retrieved": {"retrievedConnection": connection, "retrievingDevice": subject},
            "diverted": {
                "connection": connection,
                "divertingDevice": subject,
                "newDestination": destination,
                **parties,
            },
            "transferred": self._transferred(report),
        }
        body = {**bodies[report.name], "localConnectionInfo": dict(report.states)[told], "cause": report.cause}
        if report.name in _WITH_ASSOCIATED:
            # LTM finds the CO line here when the answering device is named by its number.
            if report.calling_trunk is not None:
                body["associatedCallingDevice"] = self.party(report.calling_trunk)
            if report.called_trunk is not None:
                body["associatedCalledDevice"] = self.party(report.called_trunk)
        if report.hold_type:
            body["extensions"] = additional_data(("holdType", report.hold_type))
        return report.name, body

    def _transferred(self, report: Report) -> dict[str, Any]:
        transfer = report.transfer
        if transfer is None:
            return {}
        connections = [
            {
                "newConnection": self.connection_id(report.call_id, moved.device),
                "oldConnection": self.connection_id(moved.old_call_id, moved.device),
            }
            for moved in transfer.connections
        ]
        primary = transfer.active if transfer.held is None else transfer.held
        body: dict[str, Any] = {"primaryOldCall": self.connection_id(primary, report.subject)}
        if transfer.held is not None:
            body["secondaryOldCall"] = self.connection_id(transfer.active, report.subject)
        return {
            **body,
            "transferringDevice": self.party(report.subject),
            "transferredToDevice": self.party(transfer.transferred_to),
            "transferredConnections": connections,
        }

    def other_event(self, report: ReportPrivate, port: str) -> tuple[str, Any]:
        """The EventSpecificInfo value of what is no call-control event; ``port`` of the message card."""
        if report.name in ("outOfService", "backInService"):
            return ("deviceMaintenanceEvents", (report.name, {"device": self.party(report.subject)}))
        connection = self.connection_id(report.call_id, report.subject)
        if report.name == "digitsReport":
            return digits_report(connection, report.content["digits"])
        return ogm_status(connection, report.content["state"], report.content["ogm"], port)

    def snapshot(self, connections: Sequence[Connected]) -> list[dict[str, Any]]:
        """A SnapshotDeviceData value: connection, the other end, compound call state, own state first."""
        entries: list[dict[str, Any]] = []
        for one in connections:
            entry: dict[str, Any] = {"connectionIdentifier": self.connection_id(one.call_id, one.device)}
            if one.other is not None:
                entry["endpointDevice"] = self.party(one.other)
            entry["localCallState"] = ("compoundCallState", list(one.states))
            entries.append(entry)
        return entries

    def snapshot_call(
        self, call_id: bytes, calling: Device | str, called: Device | str, sides: Sequence[tuple[Device, str]]
    ) -> dict[str, Any]:
        """A SnapshotCallResult value."""
        entries = [
            {
                "deviceOnCall": self.party(device),
                "callIdentifier": self.connection_id(call_id, device),
                "localConnectionState": state,
            }
            for device, state in sides
        ]
        return {
            "crossRefIDorSnapshotData": ("snapshotData", entries),
            "callingDevice": self.party(calling),
            "calledDevice": self.party(called),
        }
