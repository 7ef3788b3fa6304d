"""The queue of timers."""

from __future__ import annotations

from protocols.sip.alarms import Alarms


class Sleeper:
    def __init__(self, alarms: Alarms) -> None:
        self.alarms = alarms
        self.woken: list[tuple[str, float]] = []

    def alarm(self, name: str, now: float) -> None:
        self.woken.append((name, now))
        if name == "again" and now < 3:
            self.alarms.set(self, "again", now + 1)


def test_alarms_ring_in_order_and_once() -> None:
    """By time, and among equals by when they were set; a cancelled or moved one does not ring at its old time."""
    alarms = Alarms()
    sleeper = Sleeper(alarms)
    for name, at in (("late", 2.0), ("first", 1.0), ("second", 1.0), ("moved", 1.0), ("gone", 1.0)):
        alarms.set(sleeper, name, at)
    alarms.set(sleeper, "moved", 3.0)
    alarms.cancel(sleeper, "gone")
    alarms.cancel(sleeper, "never set")
    assert alarms.next_at() == 1.0
    alarms.ring(0.9)
    assert sleeper.woken == []
    alarms.ring(2.5)
    assert [name for name, _ in sleeper.woken] == ["first", "second", "late"]
    alarms.ring(3.0)
    assert sleeper.woken[-1] == ("moved", 3.0)
    assert (alarms.next_at(), len(alarms)) == (None, 0)


def test_an_alarm_may_set_itself_again() -> None:
    """Also for a time that is due already."""
    alarms = Alarms()
    sleeper = Sleeper(alarms)
    alarms.set(sleeper, "again", 0.0)
    alarms.ring(1.0)
    assert sleeper.woken == [("again", 1.0)]
    assert alarms.next_at() == 2.0


def test_cancelled_alarms_take_no_room() -> None:
    """A process that makes a hundred calls a second cancels most of its timers long before their time."""
    alarms = Alarms()
    for _ in range(5000):
        sleeper = Sleeper(alarms)
        alarms.set(sleeper, "B", 32.0)
        alarms.cancel(sleeper, "B")
    assert len(alarms._heap) < 200
    assert alarms.next_at() is None
