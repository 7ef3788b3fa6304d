"""A PBX that says it has too much to do is given fewer new calls, or none, until it says that it is well again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.clock import Clock
from ocm_cti.gateways.panasonic_settings import PanasonicSettings

#: SystemStatus -> calls are held back (True), or may be placed again (False); all others change nothing. RE: only
#: normal, messagesLost and overloadReached are in Panasonic's list, the rest is ECMA-269's.
HOLDS_BACK = {
    "overloadImminent": True,
    "overloadReached": True,
    "overloadRelieved": False,
    "normal": False,
    "enabled": False,
    "disabled": True,
    "initializing": True,
}
#: Events may be missing: what we think of our extensions must be asked again.
MESSAGES_LOST = "messagesLost"


class Overload:
    """Whether new calls may go to the PBX now. ``changed`` is told whenever the answer may be another one."""

    def __init__(self, settings: PanasonicSettings, clock: Clock, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._changed = changed
        self._state = ""
        self._rest: Any = None
        self._slot: Any = None

    @property
    def reason(self) -> str:
        """Why calls are held back, for people; "" when they are not."""
        if not self._state:
            return ""
        every_s = self._settings.overload_call_every_s
        less = f"one new call every {every_s:g} s" if every_s else "no new calls"
        return f"the PBX reports {self._state}: {less}"

    @property
    def calls_allowed(self) -> int | None:
        """How many calls may be placed now; None: any number."""
        if not self._state:
            return None
        return 1 if self._settings.overload_call_every_s and self._slot is None else 0

    def told(self, status: str | int) -> None:
        """A SystemStatus of the PBX."""
        holds_back = HOLDS_BACK.get(str(status))
        if holds_back is None:
            return
        if not holds_back:
            self.over()
            return
        before, self._state = self._state, str(status)
        _stop(self._rest)
        self._rest = self._clock.callLater(self._settings.overload_rest_s, self.over)
        if before != self._state:
            self._changed()

    def placed(self) -> None:
        """A call was placed."""
        if self._state and self._settings.overload_call_every_s:
            _stop(self._slot)
            self._slot = self._clock.callLater(self._settings.overload_call_every_s, self._next)
            self._changed()

    def _next(self) -> None:
        self._slot = None
        self._changed()

    def over(self) -> None:
        """The PBX is well again, or is taken to be, or the link that said so is gone."""
        was, self._state = self._state, ""
        _stop(self._rest)
        _stop(self._slot)
        self._slot = None
        if was:
            self._changed()


def _stop(timer: Any) -> None:
    if timer is not None and timer.active():
        timer.cancel()
