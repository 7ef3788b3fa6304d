"""How fast new calls may start on one gateway: so many a second, and none at all for a while where the switch said so.

The switch's own limit is kept here because going over it costs calls: an operator turns the surplus away with 503 or
blocks the account, Asterisk takes all that it is given and falls behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocm_cti.clock import Clock


class Pace:
    """A bucket of ``burst`` starts that fills with ``per_s`` of them a second (0: no limit).

    ``opened`` is called when a start has become possible again, never from within ``spend`` or ``hold``.
    """

    def __init__(self, per_s: float, burst: int, clock: Clock, opened: Callable[[], None]) -> None:
        self._per_s = per_s
        self._burst = max(1, burst)
        self._clock = clock
        self._opened = opened
        self._starts = float(self._burst)
        self._counted_s = clock.seconds()
        self._held_until_s = 0.0
        self._why_held = ""
        self._timer: Any = None

    @property
    def open(self) -> bool:
        """Whether a call may start at this moment."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why none may start now, for people; "" when one may."""
        if self._clock.seconds() < self._held_until_s:
            return self._why_held
        self._fill()
        # What was counted in binary fractions may fall short of a whole start by one of them.
        return "" if self._per_s <= 0 or self._starts >= 1 - 1e-9 else f"no more than {self._per_s:g} calls a second"

    @property
    def starts_left(self) -> int | None:
        """How many calls may start at this moment, one upon the other; None: any number."""
        if self.reason:
            return 0
        return None if self._per_s <= 0 else int(self._starts + 1e-9)

    def spend(self) -> None:
        """A call starts. Also when the pace is not open: then the next ones wait the longer."""
        if self._per_s > 0:
            self._fill()
            self._starts -= 1
            self._wait()

    def hold(self, seconds: float, why: str) -> None:
        """Let no call start for so long (Retry-After, congestion). A longer hold that is under way stays."""
        until_s = self._clock.seconds() + seconds
        if seconds > 0 and until_s > self._held_until_s:
            self._held_until_s, self._why_held = until_s, why
            self._wait()

    def close(self) -> None:
        """No timer stays."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _fill(self) -> None:
        now_s = self._clock.seconds()
        passed_s, self._counted_s = max(0.0, now_s - self._counted_s), now_s
        self._starts = min(float(self._burst), self._starts + passed_s * self._per_s)

    def _wait(self) -> None:
        self.close()
        now_s = self._clock.seconds()
        short_s = (1 - self._starts) / self._per_s if self._per_s > 0 else 0.0
        after_s = max(self._held_until_s - now_s, short_s)
        if after_s > 0:
            self._timer = self._clock.callLater(after_s, self._over)

    def _over(self) -> None:
        self._timer = None
        if self.open:
            self._opened()
        else:
            self._wait()
