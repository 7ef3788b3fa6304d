"""Timers of a server whose clock is set while it runs; in a process of its own, as the reactor is one of a process."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import time
real, shift = time.time, [0.0]
time.time = lambda: real() + shift[0]
from twisted.internet import reactor
from ocm_cti.clock import steady
reactor = steady(reactor)
reactor.callLater(0.3, reactor.stop)
reactor.callWhenRunning(shift.__setitem__, 0, -3600.0)
reactor.run()
"""


def test_a_clock_that_is_set_back_an_hour_makes_no_timer_late() -> None:
    """Without ``steady`` this one would end in an hour."""
    subprocess.run([sys.executable, "-c", SCRIPT], timeout=60, check=True)
