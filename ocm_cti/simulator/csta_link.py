"""One CSTA client of the simulated PBX: its association, its monitors, its requests and their answers.

The order on the wire is that of the Panasonic notes, section 3: AARQ, AARE, SystemStatus(normal) with invoke id 1, and
so on for as long as the link lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ocm_cti.simulator import csta_cdr
from ocm_cti.simulator.clock import DelayedCall
from ocm_cti.simulator.csta_services import OPTIONAL, SERVICES
from ocm_cti.simulator.effects import Device, Report, ReportPrivate, RequestError
from ocm_cti.simulator.reports import suppressed
from protocols.csta.association import (
    CONTEXT_NAME,
    MAX_APDU,
    NEED_DATA,
    Aborted,
    Association,
    AssociationRequested,
    Closed,
    Event,
    Failed,
    Invoked,
    Rejected,
    Released,
    Returned,
    Role,
    Undecoded,
)
from protocols.csta.states import State
from protocols.errors import RemoteProtocolError

if TYPE_CHECKING:
    from ocm_cti.simulator.csta_server import CstaServer

# X.227: result rejected-permanent (CYR saw it), diagnostic no-reason.
REJECTED_PERMANENT, NO_REASON, CONTEXT_NOT_SUPPORTED = 1, 1, 2
UNRECOGNIZED_OPERATION, MISTYPED_ARGUMENT = ("invoke", 1), ("invoke", 2)

# Services whose argument has nothing that must be there.
_NO_ARGUMENT = frozenset({"requestSysStat", "systemStatus"})

Told = Report | ReportPrivate


@dataclass(frozen=True)
class Monitor:
    """One cross reference of one client; ``kept_back`` is its MonitorFilter."""

    reference: bytes
    device: Device
    kept_back: Mapping[str, Any]


class ClientLink(Protocol):
    """One TCP connection of a client."""

    transport: Any  # ITransport, whose declaration mypy takes for one of plain functions

    def __init__(self, server: CstaServer, peer: str) -> None:
        self.server = server
        self.peer = peer
        settings = server.settings
        self._association = Association(
            Role.SWITCH, max_apdu=max(MAX_APDU, settings.segment_octets), bare_abort=not settings.abort_framed
        )
        self._monitors: dict[bytes, Monitor] = {}
        self._following: list[tuple[str, dict[str, Any]]] = []
        self._transmission: csta_cdr.Transmission | None = None
        self._associated_at_s = 0.0
        self._periodic: DelayedCall | None = None
        self._gone = False
        self._silent = False

    @property
    def associated(self) -> bool:
        return self._association.state is State.OPEN and not self._gone and not self._silent

    @property
    def monitors(self) -> tuple[Monitor, ...]:
        """In the order that they were started."""
        return tuple(self._monitors.values())

    # The transport

    def connectionMade(self) -> None:
        self.server.links.append(self)

    def dataReceived(self, data: bytes) -> None:
        if self._gone or self._silent:
            return
        self._association.receive_data(data)
        try:
            while not self._gone and (event := self._association.next_event()) is not NEED_DATA:
                self._happened(event)
        except RemoteProtocolError as error:
            self.server.log(f"CSTA client {self.peer} dropped: {error}")
            self.drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.associated:
            self.server.log(f"CSTA client {self.peer} left: {reason.getErrorMessage()}")
        self._forget()

    def drop(self) -> None:
        """Close the connection; the client counts as gone from now on."""
        self._forget()
        if self.transport is not None:
            self.transport.loseConnection()

    def _forget(self) -> None:
        self._gone = True
        self._forget_all()
        if self in self.server.links:
            self.server.links.remove(self)

    def fall_silent(self) -> None:
        """The PBX has forgotten this client; TCP lives."""
        self._silent = True
        self._forget_all()

    def _forget_all(self) -> None:
        self._monitors.clear()
        self._transmission = None
        if self._periodic is not None and self._periodic.active():
            self._periodic.cancel()

    def abort(self, why: str) -> None:
        """ABRT and close."""
        self.server.log(f"CSTA client {self.peer} aborted: {why}")
        self._send(self._association.abort())
        self.drop()

    def _send(self, octets: bytes) -> None:
        if self.transport is not None:
            self.transport.write(octets)

    # The association

    def _happened(self, event: Event) -> None:
        match event:
            case AssociationRequested(aarq=aarq):
                self._associate(aarq)
            case Invoked():
                self._invoked(event)
            case Undecoded(apdu="invoke", invoke_id=int(invoke_id)):
                self._send(self._association.reject(invoke_id, MISTYPED_ARGUMENT))
            case Released():
                self._send(self._association.confirm_release())
                self.drop()
            case Aborted() | Closed():
                self.drop()
            case Returned(operation="cDRReport") | Failed(operation="cDRReport") | Rejected(operation="cDRReport"):
                if self._transmission is not None:
                    self._transmission.answered()
            case _:
                pass  # answers to SystemStatus; a PBX asks for nothing else

    def _associate(self, aarq: Mapping[str, Any]) -> None:
        name = aarq["application-context-name"]
        if name != CONTEXT_NAME and self.server.settings.foreign_context == "refuse":
            self._refuse(f"its application context is {name}", CONTEXT_NOT_SUPPORTED)
        elif not self.server.admit(self):
            self._refuse("another client is associated", NO_REASON)
        else:
            self._send(self._association.accept())
            self.server.log(f"CSTA client {self.peer} associated")
            self._associated_at_s = self.server.clock.seconds()
            self.tell_status()

    def _refuse(self, why: str, diagnostic: int) -> None:
        self.server.log(f"CSTA client {self.peer} refused: {why}")
        self._send(self._association.refuse(REJECTED_PERMANENT, diagnostic))
        self.drop()

    def tell_status(self) -> None:
        """Send SystemStatus, and again after the period."""
        self._invoke("systemStatus", {"systemStatus": self.server.status})
        if self._periodic is not None and self._periodic.active():
            self._periodic.cancel()
        period_s = self.server.settings.system_status_period_s
        if period_s:
            self._periodic = self.server.clock.callLater(period_s, self.tell_status)

    def _invoke(self, operation: str, argument: Any) -> None:
        """Whether and how long a real PBX waits for an answer is not known: this one goes on without."""
        invoke_id, octets = self._association.invoke(operation, argument)
        if operation != "cDRReport":
            self._association.forget(invoke_id)
        self._send(octets)

    def report(self, report: Told) -> None:
        """Send an event to those of our monitors whom it concerns."""
        if not self.associated:
            return
        for monitor in list(self._monitors.values()):
            told = self._event(report, monitor)
            if told is not None:
                argument = {"crossRefIdentifier": monitor.reference, "eventSpecificInfo": told}
                self._send(self._association.invoke("cSTAEventReport", argument)[1])

    def _event(self, report: Told, monitor: Monitor) -> tuple[str, Any] | None:
        names, settings = self.server.names, self.server.settings
        if suppressed(report.name, monitor.kept_back):
            return None
        if isinstance(report, Report):
            known = monitor.device in dict(report.states)
            return ("callControlEvents", names.event(report, monitor.device)) if known else None
        if monitor.device not in report.devices or not (report.call_id or settings.maintenance_events):
            return None
        return names.other_event(report, "1")

    # What services keep here

    def monitor(self, device: Device, kept_back: Mapping[str, Any]) -> bytes:
        """Begin to tell about a device; the cross reference. RequestError when it is monitored already."""
        monitored = any(monitor.device == device for monitor in self._monitors.values())
        if monitored and self.server.settings.second_monitor == "refuse":
            raise RequestError("systemResourceAvailability", "resourceLimitExceeded")
        reference = self.server.next_reference()
        self._monitors[reference] = Monitor(reference, device, kept_back)
        return reference

    def change_filter(self, reference: bytes, kept_back: Mapping[str, Any]) -> None:
        """RequestError when there is no such monitor."""
        if reference not in self._monitors:
            raise RequestError("operation", "invalidCrossRefID")
        self._monitors[reference] = replace(self._monitors[reference], kept_back=kept_back)

    def stop_monitor(self, reference: bytes) -> None:
        """RequestError when there is no such monitor."""
        if self._monitors.pop(reference, None) is None:
            raise RequestError("operation", "invalidCrossRefID")

    def follow(self, operation: str, argument: dict[str, Any]) -> None:
        """Invoke this after the answer to the present request."""
        self._following.append((operation, argument))

    @property
    def transmits(self) -> bool:
        return self._transmission is not None

    def start_cdr(self) -> bytes:
        """StartCDR of this client; the cross reference. RequestError for a second client, ABRT when too early."""
        settings = self.server.settings
        age_s = self.server.clock.seconds() - self._associated_at_s
        if settings.cdr_too_early == "abort" and age_s < settings.cdr_earliest_s:
            self.abort("StartCDR too early")
            raise RequestError("operation", "generic")
        if self.server.cdr_taken():
            raise RequestError("operation", "generic")
        reference = self.server.next_reference()
        self._transmission = csta_cdr.Transmission(
            reference, lambda report: self._invoke("cDRReport", report), waits=settings.cdr_waits
        )
        return reference

    def stop_cdr(self, reference: bytes) -> None:
        """RequestError when this client has no such transmission."""
        if self._transmission is None or self._transmission.reference != reference:
            raise RequestError("operation", "invalidCrossRefID")
        self._transmission = None

    def record(self, record: dict[str, Any], condition: str) -> None:
        """A call record, if this client wants them."""
        if self._transmission is not None and self.associated:
            self._transmission.record(record, condition)

    # Requests

    def _invoked(self, event: Invoked) -> None:
        invoke_id, settings = event.invoke_id, self.server.settings
        if invoke_id is None:
            return
        if event.operation.startswith("operation-") and settings.unknown_operation == "reject":
            self._send(self._association.reject(invoke_id, UNRECOGNIZED_OPERATION))
            return
        service = SERVICES.get(event.operation)
        setting = OPTIONAL.get(event.operation)
        if setting is not None and not getattr(settings, setting):
            service = None
        if service is not None and event.argument is None and event.operation not in _NO_ARGUMENT:
            self._send(self._association.reject(invoke_id, MISTYPED_ARGUMENT))
            return
        try:
            if service is None:
                raise RequestError("operation", "serviceNotSupported")
            argument = event.argument if event.argument is not None else {}
            self.server.serve(
                lambda: service(self, argument),
                lambda result: self._answer(invoke_id, event.operation, result),
            )
        except RequestError as refusal:
            self._following.clear()
            if self.associated:
                self._send(self._association.fail(invoke_id, refusal.error))
            return
        following, self._following = self._following, []
        for operation, argument in following:
            self._invoke(operation, argument)

    def _answer(self, invoke_id: int, operation: str, result: Any) -> None:
        if self.associated:
            self._send(self._association.respond(invoke_id, operation, result))
