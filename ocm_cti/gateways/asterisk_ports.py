"""One port of an Asterisk gateway: room for one call. It is idle when it holds none and does not rest after a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.clock import Clock
from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_causes import OURS
from ocm_cti.gateways.asterisk_machine import Verdict
from ocm_cti.gateways.asterisk_placed import PlacedCall
from ocm_cti.gateways.asterisk_settings import AsteriskSettings


class Port:
    """``changed`` is called when it has become idle again after a rest."""

    def __init__(self, name: str, settings: AsteriskSettings, clock: Clock, changed: Callable[[], None]) -> None:
        self.name = name
        self.call: PlacedCall | None = None
        self._settings = settings
        self._clock = clock
        self._changed = changed
        self._faults = 0
        self._rest: Any = None
        self._why = ""

    @property
    def reason(self) -> str:
        """Why it can't take a call now, for people; "" when it can, as far as the port goes."""
        if self.call is not None:
            return "in a call"
        return f"rests after a fault: {self._why}" if self._rest is not None else ""

    def freed(self, verdict: Verdict | None) -> None:
        """Its call is over."""
        self.call = None
        if verdict is None or not _is_our_fault(verdict):
            self._faults = 0
            return
        rest_s = min(self._settings.rest_after_fault_s * 2.0 ** min(self._faults, 16), self._settings.rest_max_s)
        self._faults += 1
        self._why = verdict.native.text
        if rest_s > 0:
            self.close()
            self._rest = self._clock.callLater(rest_s, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._changed()

    def close(self) -> None:
        """No timer is left."""
        rest, self._rest = self._rest, None
        if rest is not None and rest.active():
            rest.cancel()


def _is_our_fault(verdict: Verdict) -> bool:
    """Also where it is not known whether anybody was rung, and it was not the switch that said so."""
    unseen = verdict.cause is Cause.UNKNOWN and verdict.by is None and verdict.native.system == OURS
    return unseen or verdict.cause is Cause.LINE_FAULT
