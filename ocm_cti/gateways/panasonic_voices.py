"""The gateway's side of its voice process: whose a SIP call is, and when the extensions are registered."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.logger import Logger

from ocm_cti.domain.numbers import mask
from ocm_cti.gateways.panasonic_around import Voice
from ocm_cti.gateways.panasonic_placed import PlacedCall
from ocm_cti.gateways.panasonic_ports import Port

BUSY_HERE = 486  # RFC 3261 §21.4.20


class VoiceSide:
    """Observes the voice process (``VoiceObserver``). ``voice`` must be set before anything is told."""

    voice: Voice

    def __init__(self, gateway: str, ports: Mapping[str, Port], log: Logger) -> None:
        self._gateway = gateway
        self._ports = ports
        self._log = log
        self._calls: dict[str, PlacedCall] = {}
        self._ready = False
        self._wanted: list[
            Port
        ] = []  # have been monitored once: an extension that can't be does not hold up the others

    def named(self, call_id: str, call: PlacedCall) -> None:
        """The voice process has this name for a call that our extension dials."""
        self._calls[call_id] = call

    def port_monitored(self, port: Port) -> None:
        if port not in self._wanted:
            self._wanted.append(port)
        if self._ready:
            # Also where it is registered as far as we know: a PBX that was off remembers nobody.
            port.registration.register()

    def stopping(self) -> None:
        """No registration is wanted any more."""
        self._wanted.clear()
        for port in self._ports.values():
            port.registration.unregister()

    # Told by the voice process

    def process_ready(self) -> None:
        self._ready = True
        for port in self._wanted:
            port.registration.register()

    def process_lost(self, reason: str) -> None:
        self._ready = False
        self._log.error("{gateway}: the voice process is gone: {reason}", gateway=self._gateway, reason=reason)
        for port in self._ports.values():
            port.voice_lost(reason)

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None:
        port = self._ports.get(extension)
        if port is not None:
            port.registration.told(registered, reason)

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        port = self._ports.get(extension)
        call = port.call if port is not None else None
        if call is None or not call.awaits_ring:
            self._log.info("extension {port}: a call of {caller} refused", port=extension, caller=mask(caller))
            self.voice.refuse(call_id, BUSY_HERE)
            return
        self._calls[call_id] = call
        call.offered(call_id)

    def ringing(self, call_id: str, code: int) -> None:
        if call_id in self._calls:
            self._calls[call_id].voice_progress(code)

    def established(self, call_id: str) -> None:
        if call_id in self._calls:
            self._calls[call_id].voice_up(call_id)

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            call.voice_refused(code, reason)

    def digit(self, call_id: str, digit: str) -> None:
        if call_id in self._calls:
            self._calls[call_id].pressed(digit)

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            call.voice_ended(call_id, by, reason)
