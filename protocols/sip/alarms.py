"""All timers of a user agent in one queue; the queue reads no clock."""

from __future__ import annotations

import heapq
from typing import Protocol


class Sleeper(Protocol):
    """Whoever sets an alarm. ``alarm`` is called once per ``set``, when the time has come."""

    def alarm(self, name: str, now: float) -> None: ...


class Alarms:
    """Named alarms, each at most once per owner. Setting one again moves it. Times: seconds of the caller's clock."""

    def __init__(self) -> None:
        self._at: dict[tuple[Sleeper, str], tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Sleeper, str]] = []
        self._count = 0

    def set(self, owner: Sleeper, name: str, at: float) -> None:
        self._count += 1  # also keeps alarms of one instant in the order in which they were set
        self._at[owner, name] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, owner, name))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._at):
            self._sweep()

    def cancel(self, owner: Sleeper, name: str) -> None:
        """Harmless when it is not set."""
        self._at.pop((owner, name), None)

    def next_at(self) -> float | None:
        """When the next alarm is due, None when there is none."""
        self._drop_cancelled()
        return self._heap[0][0] if self._heap else None

    def ring(self, now: float) -> None:
        """Call everybody whose time has come, in order; alarms set meanwhile count too when they are due."""
        while True:
            self._drop_cancelled()
            if not self._heap or self._heap[0][0] > now:
                return
            _, _, owner, name = heapq.heappop(self._heap)
            del self._at[owner, name]
            owner.alarm(name, now)

    def __len__(self) -> int:
        return len(self._at)

    def _drop_cancelled(self) -> None:
        while self._heap and self._at.get(self._heap[0][2:]) != self._heap[0][:2]:
            heapq.heappop(self._heap)

    def _sweep(self) -> None:
        # Most alarms are cancelled long before their time (timer B of a call that was answered): without this the heap
        # of a busy process would hold 32 s of them.
        self._heap = [entry for entry in self._heap if self._at.get(entry[2:]) == entry[:2]]
        heapq.heapify(self._heap)
