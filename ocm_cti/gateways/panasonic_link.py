"""The CTI link of one PBX: connecting and reconnecting, the association, requests, what the PBX tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from ocm_cti.clock import moment
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.gateways.panasonic_link_cdr import CallRecords
from ocm_cti.gateways.panasonic_link_lists import DeviceListFailed, DeviceLists, SnapshotFailed, Snapshots
from ocm_cti.gateways.panasonic_link_overload import MESSAGES_LOST, Overload
from ocm_cti.gateways.panasonic_link_record import Recorder
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta import losses
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol, LinkLost
from protocols.csta.panasonic import ListedDevice
from protocols.serial_line import endpoint_from_setting, is_serial

__all__ = ["DeviceListFailed", "Owner", "PbxLink", "SnapshotFailed"]

#: A connection that does not close in order is cut after this.
CLOSE_TIMEOUT_S = 2.0
#: Events of deviceMaintenanceEvents -> whether the device is in service.
SERVICE_EVENTS = {"backInService": True, "outOfService": False}


class Owner(Protocol):
    """Whom the link tells."""

    def link_up(self) -> None:
        """Associated; requests may be made."""

    def link_down(self, reason: str) -> None:
        """Told once after each ``link_up``."""

    def reported(self, cross_reference: bytes, name: str, body: Any) -> None:
        """An event under a monitor, by its ECMA-285 name; those of device maintenance are told as below."""

    def service_changed(self, cross_reference: bytes, in_service: bool) -> None:
        """A monitored device went out of service or came back."""

    def devices_changed(self) -> None:
        """The device list, or what it says, may be another one now."""

    def events_lost(self) -> None:
        """The PBX could not tell us everything: what is on the extensions must be looked at."""

    def calls_allowed_changed(self) -> None:
        """``PbxLink.calls_allowed`` may be another now."""

    def call_recorded(self, record: CallRecord) -> None: ...

    def health_changed(self, health: Health) -> None: ...


@implementer(IStreamClientEndpoint)
class _Watched:
    """An endpoint of which we hear when it can't be connected, and why: ClientService keeps that to itself."""

    def __init__(self, endpoint: Any, failed: Callable[[Failure], Failure]) -> None:
        self._endpoint = endpoint
        self._failed = failed

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addErrback(self._failed)


class PbxLink:
    """Keeps an association with the PBX from ``start`` to ``stop``. Implements ``CSTAObserver``."""

    def __init__(self, settings: PanasonicSettings, reactor: Any, owner: Owner) -> None:
        self._settings = settings
        self._reactor = reactor
        self._owner = owner
        self._log = Logger()
        self._service: ClientService | None = None
        self._link: CSTAProtocol | None = None
        self._failures = 0  # connections since the last one that worked
        self._refused = ""
        self._lists = DeviceLists(self.ask, reactor, settings.device_list_timeout_s)
        self._snapshots = Snapshots(reactor, settings.device_list_timeout_s)
        self._overload = Overload(settings, reactor, self._calls_allowed_changed)
        self._records = CallRecords(settings, reactor, self.ask, owner.call_recorded, self._log)
        self._recorder = Recorder(settings.record, self._now) if settings.record else None
        self.health = self._health_now(LinkState.DOWN, "not started")

    @property
    def is_up(self) -> bool:
        return self._link is not None and self._link.is_open

    @property
    def calls_allowed(self) -> int | None:
        """How many new calls the PBX may be given now; None: any number."""
        return self._overload.calls_allowed

    @property
    def holds_back(self) -> str:
        """Why new calls are held back, for people; "" when they are not."""
        return "" if self.calls_allowed != 0 else self._overload.reason

    def start(self) -> None:
        if self._recorder is not None:
            self._recorder.open()
        endpoint: Any = _Watched(endpoint_from_setting(self._reactor, self._settings.link), self._not_connected)
        factory: Any = Factory.forProtocol(self._protocol)
        factory.noisy = False
        self._service = ClientService(endpoint, factory, retryPolicy=self._delay_s, clock=self._reactor)
        self._set(LinkState.CONNECTING, f"connecting to {self._settings.link}")
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Close; fires when the connection is gone and nothing will connect again."""
        service, self._service = self._service, None
        if service is None:
            return succeed(None)
        link = self._link

        def cut() -> None:
            abort = getattr(link.transport, "abortConnection", None) if link is not None else None
            if abort is not None:
                abort()  # the peer reads nothing any more

        def stopped(_: object) -> None:
            if timer.active():
                timer.cancel()
            if self._recorder is not None:
                self._recorder.close()
            self._set(LinkState.DOWN, "stopped")

        if link is not None:
            link.close("stopped")  # on a serial line the PBX has to be told
        timer = self._reactor.callLater(CLOSE_TIMEOUT_S, cut)
        return service.stopService().addCallback(stopped)

    def worked(self) -> None:
        """The owner could do its work over this association: the next loss is a first one."""
        self._failures = 0

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        """A request; fails as ``CSTAProtocol.invoke``, with LinkLost when there is no link.

        A snapshot comes whole, also where the PBX gives it in pieces under a reference; else SnapshotFailed.
        """
        if self._link is None:
            return fail(LinkLost(operation, self.health.reason or "no link", sent=False))
        answer = self._link.invoke(operation, argument)
        return self._snapshots.of(answer) if operation == "snapshotDevice" else answer

    def withdraw(self, answer: Deferred[Any]) -> bool:
        """Take back a request that has not left for the PBX (RequestWithdrawn); False: it has, or it is over."""
        return self._link is not None and self._link.withdraw(answer)

    def placed(self) -> None:
        """The owner placed a call: where calls are held back it was the only one for a while."""
        self._overload.placed()

    def devices(self, category: str) -> Deferred[list[ListedDevice]]:
        """The PBX's devices of a category, all segments; DeviceListFailed, or as ``ask``. One at a time."""
        return self._lists.read(category)

    # CSTAObserver

    def associated(self, link: CSTAProtocol) -> None:
        self._link = link
        self._log.info("{gateway}: associated with {link}", gateway=self._settings.name, link=self._settings.link)
        self._set(LinkState.UP, "")
        self._records.link_up()
        self._owner.link_up()

    def refused(self, link: CSTAProtocol, reason: str) -> None:
        self._refused = reason
        self._log.error(
            "{gateway}: the PBX refuses us ({reason}); it may have another CTI client. Next try in {delay} s",
            gateway=self._settings.name,
            reason=reason,
            delay=self._settings.refused_retry_s,
        )
        self._set(LinkState.REFUSED, reason)

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        match event.operation, event.argument:
            case "cSTAEventReport", {"crossRefIdentifier": bytes(reference), "eventSpecificInfo": (group, told)}:
                self._event(reference, group, told)
            case "escape", dict(argument):
                self._escaped(argument)  # RE: other clients don't answer these, and the PBX works on
            case "systemStatus", {"systemStatus": status}:
                self._status(status)
            case "requestSysStat", _:
                link.respond(event.invoke_id, event.operation, {"systemStatus": "normal"})
            case "snapshotDeviceData", dict(argument):
                self._snapshots.told(argument)
            case "cDRReport", dict(argument):
                link.respond(event.invoke_id, event.operation)
                self._records.reported(argument)
            case "cDRNotification", dict(argument):
                link.respond(event.invoke_id, event.operation)
                self._records.stored(argument)
            case (("swFunctionDevicesChanged" | "switchingFunctionDevices" as operation), _):
                link.respond(event.invoke_id, operation)
                self._owner.devices_changed()

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        was_up, self._link = self._link is link, None
        self._failures += 1
        self._lists.lost(reason)
        self._snapshots.lost(reason)
        self._records.link_down()
        if self._recorder is not None:
            self._recorder.connection_ended()
        hung_up = isinstance(link.loss, losses.ClosedByPeer | losses.ConnectionBroken)
        if hung_up and not was_up and not is_serial(self._settings.link):
            reason = f"{reason}, before there was an association; the PBX may have another CTI client"
        if self._service is not None:
            if not self._refused:
                self._set(LinkState.DOWN, reason)
            self._log.warn("{gateway}: {reason}", gateway=self._settings.name, reason=reason)
        if was_up:
            self._owner.link_down(reason)
            self._overload.over()

    # What the PBX tells

    def _event(self, reference: bytes, group: str, told: Any) -> None:
        match group, told:
            case "deviceMaintenanceEvents", (name, _) if name in SERVICE_EVENTS:
                self._owner.service_changed(reference, SERVICE_EVENTS[name])
            case _, (str(name), body):
                self._owner.reported(reference, name, body)

    def _escaped(self, argument: dict[str, Any]) -> None:
        match argument.get("privateData"):
            case ("private", ("systemData", ("systemDataChanged", _))):
                self._owner.devices_changed()
            case _:
                self._lists.told(argument)

    def _status(self, status: str | int) -> None:
        if status not in ("normal", "enabled"):
            self._log.warn("{gateway}: the PBX reports {status}", gateway=self._settings.name, status=status)
        self._overload.told(status)
        if status == MESSAGES_LOST:
            self._owner.events_lost()

    def _calls_allowed_changed(self) -> None:
        if self.is_up:
            self._set(LinkState.UP, self._overload.reason)
        self._owner.calls_allowed_changed()

    # Within

    def _protocol(self) -> CSTAProtocol:
        self._refused = ""  # what the PBX says to this connection counts
        settings = self._settings
        return CSTAProtocol(
            Role.CLIENT,
            self,
            self._reactor,
            settings.request_timeout_s,
            associate_timeout_s=settings.associate_timeout_s,
            silence_limit_s=settings.silence_limit_s,
            probe_s=settings.probe_s or None,
            frame_timeout_s=settings.frame_timeout_s,
            window=settings.window or None,
            per_s=settings.requests_per_s,
            burst=settings.request_burst,
            quiet_s=settings.serial_quiet_s if is_serial(settings.link) else None,
            abort_first=settings.serial_abort_first,
            max_apdu=settings.max_apdu_octets,
            old_status=settings.answer_old_status,
            tap=None if self._recorder is None else self._recorder.apdu,
        )

    def _delay_s(self, failed_attempts: int) -> float:
        if self._refused:
            return self._settings.refused_retry_s
        # A connection that breaks at once counts as well, so both counts matter.
        doublings = min(max(failed_attempts, self._failures) - 1, 16)
        return min(self._settings.retry_min_s * 2.0 ** max(doublings, 0), self._settings.retry_max_s)

    def _not_connected(self, failure: Failure) -> Failure:
        self._refused = ""
        if self._service is not None:
            self._failures += 1
            reason = f"{self._settings.link}: {failure.getErrorMessage()}"
            if reason != self.health.reason:
                self._log.warn("{gateway}: {reason}", gateway=self._settings.name, reason=reason)
            self._set(LinkState.DOWN, reason)
        return failure

    def _now(self) -> datetime:
        return moment(self._reactor)

    def _health_now(self, state: LinkState, reason: str) -> Health:
        return Health(state, self._now(), reason)

    def _set(self, state: LinkState, reason: str) -> None:
        if (state, reason) != (self.health.state, self.health.reason):
            self.health = self._health_now(state, reason)
            self._owner.health_changed(self.health)
