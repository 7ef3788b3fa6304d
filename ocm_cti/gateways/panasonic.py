"""The gateway to one Panasonic PBX: calls by CSTA, the voice by SIP extensions of that PBX.

Connect -> associate -> device list -> monitor each robot extension -> register each by SIP -> snapshot of each; then a
port is idle. A call: MakeCall from the extension -> the PBX rings it -> the voice process picks up -> the PBX dials ->
events tell the progress (panasonic_calls.py has the table).

With ``originate = "sip"`` the extension dials by itself and CSTA only watches; with ``voice = "ogm"`` (experimental)
the voice is the PBX's own, and there is no SIP at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, inlineCallbacks
from twisted.logger import Logger

from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.numbers import digits_to_dial, mask
from ocm_cti.gateways.interface import (
    Call,
    CallObserver,
    GatewayObserver,
    Health,
    InFlight,
    NotPlaced,
    Settled,
)
from ocm_cti.gateways.last_calls import LastCalls
from ocm_cti.gateways.panasonic_around import PortSurroundings, Voice
from ocm_cti.gateways.panasonic_causes import trunks_busy
from ocm_cti.gateways.panasonic_link import PbxLink
from ocm_cti.gateways.panasonic_machine import Verdict
from ocm_cti.gateways.panasonic_ports import LinkDown, Port
from ocm_cti.gateways.panasonic_rest import TrunksRest
from ocm_cti.gateways.panasonic_service import Service
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.panasonic_settling import Settling
from ocm_cti.gateways.panasonic_voices import VoiceSide
from ocm_cti.voice.client import VoiceObserver
from protocols.csta.panasonic import parse_private_event


class PanasonicGateway:
    """``interface.Gateway`` over one PBX; observes its link (``Owner``)."""

    def __init__(
        self, settings: PanasonicSettings, reactor: Any, voice_factory: Callable[[VoiceObserver], Voice]
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._log = Logger()
        self._observer: GatewayObserver | None = None
        self._link = PbxLink(settings, reactor, self)
        self._ports: dict[str, Port] = {}
        self._voices = VoiceSide(settings.name, self._ports, self._log)
        self._voice = self._voices.voice = voice_factory(self._voices)
        self._trunks_rest = TrunksRest(settings.trunks_rest_s, reactor, self._ports_changed)
        around = PortSurroundings(
            settings,
            reactor,
            self._link.ask,
            self._voice,
            self._port_monitored,
            self._port_changed,
            self._log,
            self._voices.named,
            lambda: self._trunks_rest.reason,
            self._call_over,
            self._link.withdraw,
        )
        self._ports.update((extension, Port(extension, around)) for extension in settings.extensions)
        self._settling = Settling(settings, reactor, self._ports, self._log)
        self._service = Service(settings, reactor, self._link, self._ports, self._log)
        self._idle: set[str] = set()
        self._monitors: dict[bytes, Port] = {}
        self._stopping = False
        self._last_calls = LastCalls(settings.name, reactor, settings.stop_timeout_s, self._log)

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def ports(self) -> Sequence[str]:
        return self._settings.extensions

    @property
    def idle_ports(self) -> Sequence[str]:
        idle = [name for name, port in self._ports.items() if port.idle and not self._stopping]
        return idle[: self._link.calls_allowed]

    @property
    def starts_left(self) -> int | None:
        return None  # requests wait for their turn in the link

    @property
    def health(self) -> Health:
        return self._link.health

    def port_reason(self, port: str) -> str:
        """Why a port is not idle, one line for people; "" when it is."""
        return self._ports[port].reason or self._link.holds_back

    def start(self, observer: GatewayObserver) -> None:
        self._observer = observer
        if self._settings.voice == "sip":
            self._voice.start()
        self._link.start()

    @inlineCallbacks
    def stop(self) -> Any:
        self._stopping = True
        self._service.close()
        for port in self._ports.values():
            if port.call is not None:
                port.call.hang_up()
        if any(port.call is not None for port in self._ports.values()):
            yield self._last_calls.wait()
        self._voices.stopping()
        yield self._voice.stop()
        yield self._link.stop()
        for port in self._ports.values():
            port.close()
        self._trunks_rest.close()

    def place(
        self,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        caller_id: str | None,
        observer: CallObserver,
    ) -> Call:
        """As the interface says; ``caller_id`` is the PBX's own business here: MakeCall can't carry one."""
        line = self._ports.get(port)
        if line is None:
            raise NotPlaced(f"{self.name} has no extension {port}")
        if self._stopping:
            raise NotPlaced(f"{self.name} is being stopped")
        if line.reason:
            raise NotPlaced(f"extension {port}: {line.reason}")
        if not self._link.is_up:
            raise NotPlaced(f"extension {port}: no link to the PBX")
        if self._link.holds_back:
            raise NotPlaced(f"extension {port}: {self._link.holds_back}")
        digits = digits_to_dial(number, self._settings.dial)
        if re.fullmatch(r"[0-9*#]{1,32}", digits) is None:
            raise NotPlaced(f"{mask(number)} can't be dialled by the rules of {self.name}")
        self._log.info(
            "{gateway}: attempt {attempt} from {port} to {number}",
            gateway=self.name,
            attempt=attempt_id,
            port=port,
            number=mask(number),
        )
        self._idle.discard(port)
        self._link.placed()
        return line.place(digits, attempt_id, ring_timeout_s, observer)

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        """As the interface says; fails with LinkDown when the link goes meanwhile: ask again at the next one."""
        if not self._link.is_up:
            return fail(LinkDown(f"{self.name}: no link to the PBX"))
        return self._settling.settle(in_flight)

    # Told by the ports

    def _port_monitored(self, cross_reference: bytes, port: Port) -> None:
        self._monitors[cross_reference] = port
        self._voices.port_monitored(port)

    def _port_changed(self, port: Port) -> None:
        name = port.extension
        if port.call is None and self._calls_up == 0:
            self._last_calls.over()
        if not port.idle:
            self._idle.discard(name)
            if not self._stopping:
                self._service.look_for(port)
        elif name not in self._idle and not self._stopping:
            self._idle.add(name)
            self._link.worked()
            free = self._link.calls_allowed is None or name in self.idle_ports
            if self._observer is not None and free:
                self._observer.port_freed(self, name)

    def _call_over(self, verdict: Verdict | None) -> None:
        if verdict is not None and trunks_busy(verdict.cause, verdict.native):
            self._log.warn("{gateway}: all trunks are busy: {why}", gateway=self.name, why=verdict.native.text)
            self._trunks_rest.begin()
        else:
            self._trunks_rest.end()  # it had a trunk, and has given it back

    def _ports_changed(self) -> None:
        for port in self._ports.values():
            self._port_changed(port)

    @property
    def _calls_up(self) -> int:
        return sum(port.call is not None for port in self._ports.values())

    # Told by the link (Owner)

    def link_up(self) -> None:
        self._monitors.clear()
        self._service.link_up()

    def link_down(self, reason: str) -> None:
        self._monitors.clear()
        for port in self._ports.values():
            port.link_down(LinkDown(f"{self.name}: {reason}"))

    def reported(self, cross_reference: bytes, name: str, body: Any) -> None:
        port = self._monitors.get(cross_reference)
        if port is None:
            return
        if name == "privateEvent":
            event = parse_private_event(body)
            if event is not None:
                port.told_privately(event)
        else:
            port.told(name, body)

    def service_changed(self, cross_reference: bytes, in_service: bool) -> None:
        port = self._monitors.get(cross_reference)
        if port is not None:
            port.service_known(in_service)

    def devices_changed(self) -> None:
        if not self._stopping:
            self._service.changed()

    def events_lost(self) -> None:
        for port in self._ports.values():
            if port.monitored:
                port.look()

    def calls_allowed_changed(self) -> None:
        if self._observer is not None:
            for name in self.idle_ports:
                self._observer.port_freed(self, name)

    def call_recorded(self, record: CallRecord) -> None:
        if self._observer is not None:
            self._observer.call_recorded(self, record)

    def health_changed(self, health: Health) -> None:
        if self._observer is not None:
            self._observer.health_changed(self, health)
