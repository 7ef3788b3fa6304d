"""The gateway's side of one of its voice processes: which accounts are open there, whose a call is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.gateways.sip_trunk_around import Voice
from ocm_cti.gateways.sip_trunk_lines import Line
from ocm_cti.gateways.sip_trunk_placed import PlacedCall
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings


class VoiceSide:
    """Observes voice process ``number`` (``VoiceObserver``). ``voice`` must be set before anything is told.

    All accounts are open in every process; an account is registered by one of them only.
    """

    voice: Voice

    def __init__(
        self,
        number: int,
        settings: SipTrunkSettings,
        lines: Mapping[str, Line],
        changed: Callable[[], None],
        log: Logger,
    ) -> None:
        self.number = number
        self._settings = settings
        self._lines = lines
        self._changed = changed
        self._log = log
        self._calls: dict[str, PlacedCall] = {}
        self._ready = False
        self._why_lost = ""
        self._stopping = False

    @property
    def reason(self) -> str:
        """Why it can't take a call, for people; "" when it can."""
        if self._ready:
            return ""
        return f"the voice process is gone: {self._why_lost}" if self._why_lost else "the voice process is starting"

    @property
    def is_lost(self) -> bool:
        return not self._ready and bool(self._why_lost)

    def named(self, call_id: str, call: PlacedCall) -> None:
        """The voice process has this name for a call."""
        self._calls[call_id] = call

    def forget(self, call: PlacedCall) -> None:
        """Nothing more of it matters."""
        self._calls.pop(call.voice_id, None)

    def stopping(self) -> None:
        self._stopping = True
        self._ready = False

    # Told by the voice process

    def process_ready(self) -> None:
        if self._stopping:
            return
        self._ready, self._why_lost = True, ""
        for line in self._lines.values():
            registers = self._settings.registers and line.process == self.number
            opening = self.voice.open_trunk(self._settings.trunk(line.account, registers))
            opening.addErrback(self._not_opened, line)
        self._changed()

    def _not_opened(self, failure: Failure, line: Line) -> None:
        # When the process is lost it will be asked again; anything else shows with the first call.
        self._log.warn(
            "{gateway}: account {account} was not opened: {why}",
            gateway=self._settings.name,
            account=line.key,
            why=failure.getErrorMessage(),
        )

    def process_lost(self, reason: str) -> None:
        self._ready, self._why_lost = False, reason or "no reason given"
        self._log.error(
            "{gateway}: voice process {number} is gone: {reason}",
            gateway=self._settings.name,
            number=self.number,
            reason=reason,
        )
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.voice_lost(reason)
        for line in self._lines.values():
            if line.process == self.number:
                line.process_lost()
        self._changed()

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None:
        line = self._lines.get(extension)
        if line is not None and line.process == self.number and not self._stopping:
            line.told(registered, reason)

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        # Of a trunk the voice process refuses them by itself.
        self.voice.refuse(call_id, self._settings.refuse_incoming)

    def ringing(self, call_id: str, code: int) -> None:
        self._tell(call_id, "progress", code)

    def established(self, call_id: str) -> None:
        self._tell(call_id, "established")

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None:
        self._tell(call_id, "refused", code, reason, q850, retry_after_s)

    def digit(self, call_id: str, digit: str) -> None:
        self._tell(call_id, "pressed", digit)

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None:
        if by == "fault" and not self.voice.ready:
            # It died, and its calls with it; the operator has no part in it.
            self._tell(call_id, "voice_lost", reason)
        else:
            self._tell(call_id, "ended", by, reason, q850)

    def _tell(self, call_id: str, what: str, *said: Any) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            getattr(call, what)(*said)
