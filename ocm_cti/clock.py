"""The clock that everything with a timer takes as an argument: the reactor in a server, ``task.Clock`` in a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol


class Timer(Protocol):
    """One call that is due later (Twisted's IDelayedCall)."""

    def active(self) -> bool: ...
    def cancel(self) -> None: ...


class Clock(Protocol):
    """What of Twisted's IReactorTime is used."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any) -> Any: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


def steady(reactor: Any) -> Any:
    """The same reactor, its timers by a clock that nobody sets; before anything asks it for a timer.

    Twisted counts by that of the wall. When that is set back an hour (by hand, by NTP after a long night without it),
    every timer would come an hour late: calls without an end, a dialer that sleeps.
    """
    reactor.seconds = time.monotonic
    reactor.wall_seconds = time.time
    return reactor


def moment(clock: Clock) -> datetime:
    """The time of day by whatever counts the seconds: aware UTC.

    A steady reactor's own seconds are since the machine was started; those of a test's clock are since 1970.
    """
    seconds: Callable[[], float] = getattr(clock, "wall_seconds", clock.seconds)
    return datetime.fromtimestamp(seconds(), UTC)
