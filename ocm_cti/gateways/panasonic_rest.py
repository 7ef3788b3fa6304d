"""A rest for all ports of a gateway when its trunks are busy: another call would only fare the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.clock import Clock


class TrunksRest:
    """``changed`` is called when it begins, and when it is over: after ``rest_s``, or with a trunk that came back."""

    def __init__(self, rest_s: float, clock: Clock, changed: Callable[[], None]) -> None:
        self._rest_s = rest_s
        self._clock = clock
        self._changed = changed
        self._timer: Any = None

    @property
    def reason(self) -> str:
        """For people; "" when there is none."""
        return "" if self._timer is None else "all trunks were busy just now"

    def begin(self) -> None:
        self.close()
        self._timer = self._clock.callLater(self._rest_s, self.end)
        self._changed()

    def end(self) -> None:
        if self._timer is not None:
            self.close()
            self._changed()

    def close(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
