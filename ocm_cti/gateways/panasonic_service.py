"""The device list of the PBX: which of our extensions it has, and whether they are in service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.gateways.panasonic_link import PbxLink
from ocm_cti.gateways.panasonic_ports import Port
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.panasonic import ListedDevice

#: A registered extension may have come into service with its registration, and a list that has changed may change
#: again: it is read this soon.
LIST_AGAIN_S = 1.0


class Service:
    """Reads the list once for every link, and again while an extension is out of service."""

    def __init__(
        self, settings: PanasonicSettings, clock: Clock, link: PbxLink, ports: Mapping[str, Port], log: Logger
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._link = link
        self._ports = ports
        self._log = log
        self._links = 0
        self._again: Any = None

    def link_up(self) -> None:
        """Read the list, then bring each port up; without a list every extension counts as in service."""
        self._links += 1
        self._read(self._bring_up)

    def look_for(self, port: Port) -> None:
        """An extension that is out of service: ask now and then whether it still is."""
        if port.out_of_service:
            self._read_after(LIST_AGAIN_S if port.registration.is_new else self._settings.device_list_period_s)

    def changed(self) -> None:
        """The PBX says that its devices have changed."""
        self._read_after(LIST_AGAIN_S)

    def close(self) -> None:
        again, self._again = self._again, None
        if again is not None and again.active():
            again.cancel()

    def _read_after(self, after_s: float) -> None:
        if self._again is None:
            self._again = self._clock.callLater(after_s, self._read_now)
        elif self._again.getTime() > self._clock.seconds() + after_s:
            self._again.reset(after_s)

    def _read_now(self) -> None:
        self._again = None
        if self._link.is_up:
            self._read(self._known)

    def _read(self, then: Callable[[dict[str, ListedDevice]], None]) -> None:
        links = self._links

        def listed(devices: list[ListedDevice]) -> dict[str, ListedDevice]:
            return {device.number: device for device in devices if device.number is not None}

        def unlisted(failure: Failure) -> dict[str, ListedDevice]:
            self._log.warn(
                "{gateway}: no device list: {why}", gateway=self._settings.name, why=failure.getErrorMessage()
            )
            return {}

        def go_on(devices: dict[str, ListedDevice]) -> None:
            if links == self._links and self._link.is_up:
                then(devices)

        self._link.devices("station").addCallbacks(listed, unlisted).addCallback(go_on).addErrback(
            lambda failure: self._log.failure(
                "{gateway}: bringing the ports up failed", failure, gateway=self._settings.name
            )
        )

    def _bring_up(self, devices: dict[str, ListedDevice]) -> None:
        for name, port in self._ports.items():
            if devices and name not in devices:
                self._log.warn(
                    "{gateway}: the PBX does not list extension {port}", gateway=self._settings.name, port=name
                )
            port.link_up(devices.get(name))

    def _known(self, devices: dict[str, ListedDevice]) -> None:
        for name, port in self._ports.items():
            if name in devices:
                port.service_known(devices[name].in_service)
