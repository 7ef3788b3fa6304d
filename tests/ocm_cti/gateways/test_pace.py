"""Pace: no more starts than allowed in any window, told when one is possible again, held when the switch says so."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from ocm_cti.gateways.pace import Pace


def make(per_s: float, burst: int = 1) -> tuple[Pace, Clock, list[float]]:
    clock = Clock()
    opened: list[float] = []
    return Pace(per_s, burst, clock, lambda: opened.append(clock.seconds())), clock, opened


def test_without_a_limit_it_is_always_open() -> None:
    pace, clock, _ = make(0)
    for _ in range(1000):
        pace.spend()
    assert pace.open
    assert clock.getDelayedCalls() == []


def test_it_opens_again_when_the_next_start_is_due() -> None:
    pace, clock, opened = make(4)
    pace.spend()
    assert not pace.open
    assert pace.reason == "no more than 4 calls a second"
    clock.advance(0.2)
    assert (pace.open, opened) == (False, [])
    clock.advance(0.05)
    assert (pace.open, opened) == (True, [0.25])


def test_starts_left_are_those_that_may_begin_at_once() -> None:
    pace, clock, _ = make(4, 3)
    assert pace.starts_left == 3
    pace.spend()
    assert pace.starts_left == 2
    clock.advance(0.2)
    assert pace.starts_left == 2
    clock.advance(0.05)
    assert pace.starts_left == 3
    pace.hold(1, "busy")
    assert pace.starts_left == 0
    assert make(0)[0].starts_left is None


def test_a_hold_of_the_switch_outlasts_the_pace() -> None:
    pace, clock, opened = make(10, 5)
    pace.hold(30, "Retry-After: 30")
    pace.hold(5, "shorter")
    assert pace.reason == "Retry-After: 30"
    pace.spend()
    clock.advance(29.9)
    assert (pace.open, opened) == (False, [])
    clock.advance(0.2)
    assert pace.open
    assert len(opened) == 1


def test_a_hold_without_a_limit_ends() -> None:
    pace, clock, opened = make(0)
    pace.hold(2, "congested")
    assert not pace.open
    clock.advance(2)
    assert (pace.open, opened) == (True, [2])


def test_closed_it_has_no_timer() -> None:
    pace, clock, _ = make(1)
    pace.spend()
    pace.close()
    assert clock.getDelayedCalls() == []


@settings(max_examples=100)
@given(
    st.sampled_from([0.5, 1.0, 3.0, 7.0, 20.0]),
    st.integers(1, 5),
    st.lists(st.floats(0, 3, allow_nan=False), max_size=40),
)
def test_never_more_than_burst_and_rate_allow(per_s: float, burst: int, waits: list[float]) -> None:
    """Whoever starts only when it is open, and as often as it is, stays within burst + per_s * t in every window."""
    pace, clock, opened = make(per_s, burst)
    starts = []
    for wait in waits:
        clock.advance(wait)
        while pace.open:
            pace.spend()
            starts.append(clock.seconds())
        count = len(opened)
        clock.advance(1 / per_s + 1e-6)
        assert len(opened) == count + 1, "who waits is told"
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            assert last - first + 1 <= burst + (starts[last] - starts[first]) * per_s + 1e-3
