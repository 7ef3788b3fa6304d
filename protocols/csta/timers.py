"""The timers of one link, by name."""

from __future__ import annotations

from collections.abc import Callable

from protocols.csta.requests import Clock, Timer


class Timers:
    """At most one timer of a name; a time of None is never."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}

    def __contains__(self, name: object) -> bool:
        """Whether it has been started and not stopped, fired or not."""
        return name in self._timers

    def start(self, name: str, after_s: float | None, then: Callable[[], None]) -> None:
        if after_s is not None:
            self._timers[name] = self._clock.callLater(after_s, then)

    def restart(self, name: str, after_s: float | None) -> bool:
        """Give a running timer its whole time again; False when it does not run."""
        timer = self._timers.get(name)
        if timer is None or after_s is None or not timer.active():
            return False
        timer.reset(after_s)
        return True

    def stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()

    def stop_all(self) -> None:
        for name in list(self._timers):
            self.stop(name)
