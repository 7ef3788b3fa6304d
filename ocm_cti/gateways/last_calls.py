"""Calls that are up when a gateway is stopped: they are being hung up, and it waits for them, but not for ever."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import Clock


class LastCalls:
    """``patience_s``: how long they may take to end."""

    def __init__(self, gateway: str, clock: Clock, patience_s: float, log: Logger) -> None:
        self._gateway = gateway
        self._clock = clock
        self._patience_s = patience_s
        self._log = log
        self._waiting: Deferred[None] | None = None

    def wait(self) -> Deferred[None]:
        """Fires when the last one is over, or when they have taken too long."""
        waiting: Deferred[None] = Deferred()
        self._waiting = waiting
        timer = self._clock.callLater(self._patience_s, self._hurry)

        def over(_: None) -> None:
            if timer.active():
                timer.cancel()

        return waiting.addCallback(over)

    def over(self) -> None:
        """No call is up any more; harmless while nobody waits for it."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _hurry(self) -> None:
        self._log.warn("{gateway}: calls are still up; closing all the same", gateway=self._gateway)
        self.over()
