"""What became of attempts that were in flight when we crashed: the PBX is asked, and what is left there is cleared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, FirstError, TimeoutError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.gateways.interface import InFlight, Settled
from ocm_cti.gateways.panasonic_ports import Port
from ocm_cti.gateways.panasonic_settings import PanasonicSettings


class Settling:
    """Over the ports of one gateway."""

    def __init__(self, settings: PanasonicSettings, clock: Any, ports: Mapping[str, Port], log: Logger) -> None:
        self._settings = settings
        self._clock = clock
        self._ports = ports
        self._log = log

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        """As ``interface.Gateway.settle``; the link must be up, and LinkDown comes when it goes meanwhile."""
        names = sorted({row.port for row in in_flight if row.port in self._ports})

        def answer(free: list[bool]) -> dict[int, Settled]:
            freed = {name for name, is_free in zip(names, free, strict=True) if is_free}
            return {row.attempt_id: self._settled(row, row.port in freed) for row in in_flight}

        return gatherResults([self._when_free(name) for name in names], consumeErrors=True).addCallbacks(
            answer, _first_error
        )

    def _when_free(self, name: str) -> Deferred[bool]:
        """Whether the port was seen with nothing on it in time."""

        def late(failure: Failure) -> bool:
            if not isinstance(failure.value, TimeoutError):
                failure.raiseException()
            self._log.warn("extension {port}: what a crash left there can't be cleared", port=name)
            return False

        settled = self._ports[name].when_settled()
        settled.addTimeout(self._settings.settle_timeout_s, self._clock)
        return settled.addCallbacks(lambda _: True, late)

    def _settled(self, row: InFlight, is_free: bool) -> Settled:
        settings = self._settings
        # An extension that dials by itself, or that the PBX takes off the hook, has dialled once there is a call.
        waits = settings.dials_after_pick_up and settings.originate == "csta" and settings.voice == "sip"
        if not is_free or not waits:
            return Settled.UNKNOWN
        seen = self._ports[row.port].first_look or []
        its = [one for one in seen if row.native_id in (None, one.call_id.hex())]
        return Settled.NEVER_REACHED if its and all(one.not_dialled_yet for one in its) else Settled.UNKNOWN


def _first_error(failure: Failure) -> Failure:
    """gatherResults wraps what went wrong; the caller wants the thing itself."""
    return failure.value.subFailure if isinstance(failure.value, FirstError) else failure
