"""One extension's registration with the PBX by SIP."""

from __future__ import annotations

from collections.abc import Callable

from ocm_cti.gateways.panasonic_around import PortSurroundings


class Registration:
    """``changed`` is called whenever it may be another. The voice process keeps it up and tries again by itself."""

    def __init__(self, extension: str, around: PortSurroundings, changed: Callable[[], None]) -> None:
        self.is_up = False
        self.is_new = False  # it came up with the last word
        self.wanted = False  # the voice process that runs now has been asked
        self._extension = extension
        self._around = around
        self._changed = changed
        self._why_not = ""

    @property
    def reason(self) -> str:
        """Why the extension has no voice, for people; "" when it has, or when none is needed."""
        if self.is_up or self._around.settings.voice != "sip":
            return ""
        return f"not registered by SIP: {self._why_not or 'not yet'}"

    def register(self) -> None:
        """Keep the extension registered from now on."""
        self.wanted = True
        settings = self._around.settings
        self._around.voice.register(
            self._extension,
            settings.passwords[self._extension],
            settings.sip_host,
            settings.sip_port,
            settings.sip_expires_s,
        ).addErrback(lambda failure: self.told(False, failure.getErrorMessage()))

    def unregister(self) -> None:
        """Give the registration back, if there is one."""
        if self.wanted:
            self.wanted = False
            self._around.voice.unregister(self._extension).addErrback(lambda _: None)

    def told(self, is_up: bool, reason: str) -> None:
        """By the voice process; ``reason`` is the registrar's refusal, if there is one."""
        if is_up != self.is_up or reason != self._why_not:
            log = self._around.log.info if is_up or not self.wanted else self._around.log.warn
            state = "registered" if is_up else "not registered"
            log("extension {port}: {state} {reason}", port=self._extension, state=state, reason=reason)
        self.is_new = is_up and not self.is_up
        self.is_up, self._why_not = is_up, reason
        self._changed()

    def lost(self, reason: str) -> None:
        """The voice process is gone, and the registration with it; a new process has to be asked again."""
        self.wanted = False
        self.is_up, self._why_not = False, reason
