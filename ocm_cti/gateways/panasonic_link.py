"""The CTI link of one PBX: connecting and reconnecting, the association, requests, the device list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol, LinkLost
from protocols.csta.panasonic import (
    ListedDevice,
    device_list_cross_reference,
    get_device_list,
    parse_device_segment,
)
from protocols.serial_line import endpoint_from_setting

#: A connection that does not close in order is cut after this.
CLOSE_TIMEOUT_S = 2.0


class Owner(Protocol):
    """Whom the link tells."""

    def link_up(self) -> None:
        """Associated; requests may be made."""

    def link_down(self, reason: str) -> None:
        """Told once after each ``link_up``."""

    def reported(self, cross_reference: bytes, name: str, body: Any) -> None:
        """A call-control event under a monitor."""

    def health_changed(self, health: Health) -> None: ...


class DeviceListFailed(Exception):
    """The PBX promised a device list and did not finish it."""


class _DeviceList:
    """One device list on its way: segments of one cross reference until the last."""

    def __init__(self) -> None:
        self.cross_reference: bytes | None = None
        self.devices: list[ListedDevice] = []
        self.done: Deferred[list[ListedDevice]] = Deferred()


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
        self._list: _DeviceList | None = None
        self.health = self._health_now(LinkState.DOWN, "not started")

    @property
    def is_up(self) -> bool:
        return self._link is not None and self._link.is_open

    def start(self) -> None:
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
            self._set(LinkState.DOWN, "stopped")

        timer = self._reactor.callLater(CLOSE_TIMEOUT_S, cut)
        return service.stopService().addCallback(stopped)

    def worked(self) -> None:
        """The owner could do its work over this association: the next loss is a first one."""
        self._failures = 0

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        """A request; fails as ``CSTAProtocol.invoke``, with LinkLost when there is no link."""
        if self._link is None:
            return fail(LinkLost(operation, self.health.reason or "no link"))
        return self._link.invoke(operation, argument)

    def devices(self, category: str) -> Deferred[list[ListedDevice]]:
        """The PBX's devices of a category, all segments; DeviceListFailed, or as ``ask``. One at a time."""
        if self._list is not None:
            return fail(DeviceListFailed("another device list is on its way"))
        coming = self._list = _DeviceList()

        def promised(result: Any) -> Deferred[list[ListedDevice]]:
            coming.cross_reference = device_list_cross_reference(result)
            return coming.done

        def late() -> None:
            if not coming.done.called:
                coming.done.errback(DeviceListFailed("the device list was not finished in time"))

        def over(result: Any) -> Any:
            self._list = None
            if timer.active():
                timer.cancel()
            if not coming.done.called:
                coming.done.addErrback(lambda _: None)
                coming.done.cancel()
            return result

        timer = self._reactor.callLater(self._settings.device_list_timeout_s, late)
        return self.ask("escape", get_device_list(category)).addCallback(promised).addBoth(over)

    # CSTAObserver

    def associated(self, link: CSTAProtocol) -> None:
        self._link = link
        self._refused = ""
        self._log.info("{gateway}: associated with {link}", gateway=self._settings.name, link=self._settings.link)
        self._set(LinkState.UP, "")
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
                if group == "callControlEvents":
                    name, body = told
                    self._owner.reported(reference, name, body)
            case "escape", dict(argument):
                self._segment(argument)  # RE: other clients don't answer these, and the PBX works on
            case "systemStatus", {"systemStatus": state} if state not in ("normal", "enabled"):
                self._log.warn("{gateway}: the PBX reports {state}", gateway=self._settings.name, state=state)

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        was_up, self._link = self._link is link, None
        self._failures += 1
        if self._list is not None and not self._list.done.called:
            self._list.done.errback(DeviceListFailed(reason))
        if self._service is not None:
            if not self._refused:
                self._set(LinkState.DOWN, reason)
            self._log.warn("{gateway}: {reason}", gateway=self._settings.name, reason=reason)
        if was_up:
            self._owner.link_down(reason)

    # Within

    def _protocol(self) -> CSTAProtocol:
        settings = self._settings
        return CSTAProtocol(
            Role.CLIENT,
            self,
            self._reactor,
            settings.request_timeout_s,
            associate_timeout_s=settings.associate_timeout_s,
            silence_limit_s=settings.silence_limit_s,
            max_apdu=settings.max_apdu_octets,
        )

    def _delay_s(self, failed_attempts: int) -> float:
        if self._refused:
            return self._settings.refused_retry_s
        # A connection that breaks at once counts as well, so both counts matter.
        doublings = min(max(failed_attempts, self._failures) - 1, 16)
        return min(self._settings.retry_min_s * 2.0 ** max(doublings, 0), self._settings.retry_max_s)

    def _not_connected(self, failure: Failure) -> Failure:
        if self._service is not None:
            self._failures += 1
            reason = f"{self._settings.link}: {failure.getErrorMessage()}"
            if reason != self.health.reason:
                self._log.warn("{gateway}: {reason}", gateway=self._settings.name, reason=reason)
            self._set(LinkState.DOWN, reason)
        return failure

    def _segment(self, argument: dict[str, Any]) -> None:
        segment, coming = parse_device_segment(argument), self._list
        if segment is None or coming is None or coming.done.called:
            return
        if coming.cross_reference is not None and segment.cross_reference != coming.cross_reference:
            return
        coming.devices += segment.devices
        if segment.last:
            coming.done.callback(coming.devices)

    def _health_now(self, state: LinkState, reason: str) -> Health:
        return Health(state, datetime.fromtimestamp(self._reactor.seconds(), UTC), reason)

    def _set(self, state: LinkState, reason: str) -> None:
        if (state, reason) != (self.health.state, self.health.reason):
            self.health = self._health_now(state, reason)
            self._owner.health_changed(self.health)
