"""Timers of a server whose clock is set while it runs; in a process of its own, as the reactor is one of a process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from twisted.internet.task import Clock

from ocm_cti.clock import moment

SCRIPT = """
import time
real, shift = time.time, [0.0]
time.time = lambda: real() + shift[0]
from twisted.internet import reactor
from ocm_cti.clock import moment, steady
reactor = steady(reactor)
assert abs(moment(reactor).timestamp() - real()) < 60, moment(reactor)
reactor.callLater(0.3, reactor.stop)
reactor.callWhenRunning(shift.__setitem__, 0, -3600.0)
reactor.run()
"""


def test_a_clock_that_is_set_back_an_hour_makes_no_timer_late() -> None:
    """Without ``steady`` this one would end in an hour."""
    subprocess.run([sys.executable, "-c", SCRIPT], timeout=60, check=True)


def test_the_time_of_day_by_the_clock_of_a_test() -> None:
    clock = Clock()
    clock.advance(3600.0)
    assert moment(clock) == datetime(1970, 1, 1, 1, tzinfo=UTC)
