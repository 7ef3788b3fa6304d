"""The CTI side of the PBX: associations of clients over TCP, their requests, and the reports to their monitors.

The order on the wire is that of the Panasonic notes, section 3: AARQ, AARE, SystemStatus(normal) with invoke id 1, and
so on for as long as the link lives. Losing the link drops its monitors and no call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ocm_cti.simulator import device_list
from ocm_cti.simulator.clock import Clock, DelayedCall
from ocm_cti.simulator.effects import Device, Report, RequestError
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.reports import Names, audience, suppressed
from ocm_cti.simulator.switch import Switch
from protocols.csta.association import (
    MAX_APDU,
    NEED_DATA,
    Aborted,
    Association,
    AssociationRequested,
    Closed,
    Event,
    Invoked,
    Released,
    Role,
    Undecoded,
)
from protocols.csta.states import State
from protocols.errors import RemoteProtocolError

# X.227: result rejected-permanent (CYR saw it), diagnostic no-reason.
REJECTED_PERMANENT, NO_REASON = 1, 1
MISTYPED_ARGUMENT = ("invoke", 2)


@dataclass(frozen=True)
class Monitor:
    """One cross reference of one client; ``kept_back`` is its MonitorFilter."""

    reference: bytes
    device: Device
    kept_back: Mapping[str, Any]


class CstaServer(Factory):
    """All clients. ``carry_out`` is called after every request that the switch took: it must drain its effects."""

    noisy = False

    def __init__(
        self,
        settings: Settings,
        switch: Switch,
        clock: Clock,
        carry_out: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.switch = switch
        self.clock = clock
        self.log = log
        self.names = Names(settings, switch.extensions)
        self.links: list[ClientLink] = []
        self._carry_out = carry_out
        self._references = 0
        self._held: list[Report] | None = None

    def buildProtocol(self, addr: IAddress | None) -> ClientLink:
        return ClientLink(self, _written(addr))

    def report(self, report: Report) -> None:
        """Tell every monitor; what a request causes is told after its answer (or before: ``events_before_result``)."""
        if self._held is not None:
            self._held.append(report)
            return
        for link in list(self.links):
            link.report(report)

    def serve(self, request: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Carry out a request and its consequences; ``answer`` gets its result. RequestError passes through."""
        self._held = []
        try:
            result = request()
        finally:
            # A refusal has consequences too: its line in the journal.
            self._carry_out()
            held, self._held = self._held, None
        if self.settings.events_before_result:
            self._tell(held)
            answer(result)
        else:
            answer(result)
            self._tell(held)

    def _tell(self, reports: list[Report]) -> None:
        for report in reports:
            self.report(report)

    def admit(self, link: ClientLink) -> bool:
        """Whether a client may associate now; with ``replace`` the older association is aborted."""
        living = [other for other in self.links if other is not link and other.associated]
        if not living or self.settings.second_association == "accept":
            return True
        if self.settings.second_association == "replace":
            for other in living:
                other.abort("another client has associated")
            return True
        return False

    def next_reference(self) -> bytes:
        """A cross reference that no monitor of any client has."""
        octets = self.settings.cross_ref_octets
        self._references = self._references % (256**octets - 1) + 1
        return self._references.to_bytes(octets, "big")

    def close(self) -> None:
        """Drop all links, as when the PBX is switched off."""
        for link in list(self.links):
            link.drop()


class ClientLink(Protocol):
    """One TCP connection of a client."""

    transport: Any  # ITransport, whose declaration mypy takes for one of plain functions

    def __init__(self, server: CstaServer, peer: str) -> None:
        self._server = server
        self._peer = peer
        settings = server.settings
        self._association = Association(
            Role.SWITCH, max_apdu=max(MAX_APDU, settings.segment_octets), bare_abort=not settings.abort_framed
        )
        self._monitors: dict[bytes, Monitor] = {}
        self._replies: list[dict[str, Any]] = []
        self._periodic: DelayedCall | None = None
        self._gone = False

    @property
    def associated(self) -> bool:
        return self._association.state is State.OPEN and not self._gone

    # The transport

    def connectionMade(self) -> None:
        self._server.links.append(self)

    def dataReceived(self, data: bytes) -> None:
        if self._gone:
            return
        self._association.receive_data(data)
        try:
            while not self._gone and (event := self._association.next_event()) is not NEED_DATA:
                self._happened(event)
        except RemoteProtocolError as error:
            self._server.log(f"CSTA client {self._peer} dropped: {error}")
            self.drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.associated:
            self._server.log(f"CSTA client {self._peer} left: {reason.getErrorMessage()}")
        self._forget()

    def drop(self) -> None:
        """Close the connection; the client counts as gone from now on."""
        self._forget()
        if self.transport is not None:
            self.transport.loseConnection()

    def _forget(self) -> None:
        self._gone = True
        self._monitors.clear()
        if self._periodic is not None and self._periodic.active():
            self._periodic.cancel()
        if self in self._server.links:
            self._server.links.remove(self)

    def abort(self, why: str) -> None:
        """ABRT and close."""
        self._server.log(f"CSTA client {self._peer} aborted: {why}")
        self._send(self._association.abort())
        self.drop()

    def _send(self, octets: bytes) -> None:
        if self.transport is not None:
            self.transport.write(octets)

    # The association

    def _happened(self, event: Event) -> None:
        match event:
            case AssociationRequested():
                self._associate()
            case Invoked():
                self._invoked(event)
            case Undecoded(apdu="invoke", invoke_id=int(invoke_id)):
                self._send(self._association.reject(invoke_id, MISTYPED_ARGUMENT))
            case Released():
                self._send(self._association.confirm_release())
                self.drop()
            case Aborted() | Closed():
                self.drop()
            case _:
                pass  # answers to SystemStatus; a PBX asks for nothing else

    def _associate(self) -> None:
        if not self._server.admit(self):
            self._server.log(f"CSTA client {self._peer} refused: another client is associated")
            self._send(self._association.refuse(REJECTED_PERMANENT, NO_REASON))
            self.drop()
            return
        self._send(self._association.accept())
        self._server.log(f"CSTA client {self._peer} associated")
        self._tell_status()

    def _tell_status(self) -> None:
        invoke_id, octets = self._association.invoke("systemStatus", {"systemStatus": "normal"})
        # Whether and how long a real PBX waits for the answer is not known: this one goes on without.
        self._association.forget(invoke_id)
        self._send(octets)
        period_s = self._server.settings.system_status_period_s
        if period_s:
            self._periodic = self._server.clock.callLater(period_s, self._tell_status)

    def report(self, report: Report) -> None:
        """Send an event to those of our monitors whom it concerns."""
        if not self.associated:
            return
        told = audience(report)
        for monitor in list(self._monitors.values()):
            if monitor.device in told and not suppressed(report.name, monitor.kept_back):
                event = self._server.names.event(report, monitor.device)
                argument = {
                    "crossRefIdentifier": monitor.reference,
                    "eventSpecificInfo": ("callControlEvents", event),
                }
                self._send(self._association.invoke("cSTAEventReport", argument)[1])

    # Requests

    def _invoked(self, event: Invoked) -> None:
        invoke_id = event.invoke_id
        if invoke_id is None:
            return
        service = _SERVICES.get(event.operation)
        try:
            if service is None:
                raise RequestError("operation", "serviceNotSupported")
            argument = event.argument if event.argument is not None else {}
            self._server.serve(
                lambda: service(self, argument),
                lambda result: self._send(self._association.respond(invoke_id, event.operation, result)),
            )
        except RequestError as refusal:
            self._send(self._association.fail(invoke_id, refusal.error))
            return
        self._send_linked_replies()

    def _make_call(self, argument: Any) -> dict[str, Any]:
        match argument["callingDevice"]:
            case {"deviceIdentifier": ("dialingNumber", str(extension))}:
                pass
            case device_id:
                device = self._device(device_id)
                extension = getattr(device, "number", "")
        match argument["calledDirectoryNumber"]:
            case {"deviceIdentifier": ("dialingNumber", str(digits))}:
                pass
            case _:
                digits = ""
        call = self._server.switch.make_call(extension, digits)
        return {"callingDevice": self._server.names.connection_id(call.call_id, call.extension)}

    def _clear_connection(self, argument: Any) -> None:
        connection = self._server.names.connection(argument["connectionToBeCleared"])
        if connection is None:
            raise RequestError("operation", "invalidConnectionID")
        self._server.switch.clear(*connection)

    def _monitor_start(self, argument: Any) -> dict[str, Any]:
        match argument["monitorObject"]:
            case ("deviceObject", device_id):
                device = self._device(device_id)
            case _:
                raise RequestError("operation", "requestIncompatibleWithObject")
        monitored = any(monitor.device == device for monitor in self._monitors.values())
        if monitored and self._server.settings.second_monitor == "refuse":
            raise RequestError("systemResourceAvailability", "resourceLimitExceeded")
        reference = self._server.next_reference()
        self._monitors[reference] = Monitor(reference, device, argument.get("requestedMonitorFilter", {}))
        return {"crossRefIdentifier": reference}

    def _monitor_stop(self, argument: Any) -> None:
        if self._monitors.pop(argument["crossRefIdentifier"], None) is None:
            raise RequestError("operation", "invalidCrossRefID")

    def _snapshot_device(self, argument: Any) -> dict[str, Any]:
        device = self._device(argument["snapshotObject"])
        return self._server.names.snapshot(self._server.switch.snapshot(device))

    def _escape(self, argument: Any) -> tuple[str, Any]:
        segments = device_list.answer(self._server.switch, self._server.names, argument["privateData"])
        reference = self._server.next_reference()
        self._replies = [
            device_list.linked_reply(reference, number, number == len(segments), content)
            for number, content in enumerate(segments, 1)
        ]
        return device_list.acknowledgement(reference)

    def _send_linked_replies(self) -> None:
        for reply in self._replies:
            invoke_id, octets = self._association.invoke("escape", reply)
            # CYR and LTM never answer these.
            self._association.forget(invoke_id)
            self._send(octets)
        self._replies = []

    def _device(self, device_id: Any) -> Device:
        device = self._server.names.device(device_id)
        if device is None:
            raise RequestError("operation", "invalidDeviceID")
        return device


_SERVICES: dict[str, Callable[[ClientLink, Any], Any]] = {
    "makeCall": ClientLink._make_call,
    "clearConnection": ClientLink._clear_connection,
    "monitorStart": ClientLink._monitor_start,
    "monitorStop": ClientLink._monitor_stop,
    "snapshotDevice": ClientLink._snapshot_device,
    "escape": ClientLink._escape,
}


def _written(address: IAddress | None) -> str:
    return f"{address.host}:{address.port}" if isinstance(address, IPv4Address) else "in memory"
