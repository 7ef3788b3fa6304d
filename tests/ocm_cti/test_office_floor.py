"""The running dialer as the panel's threads see it, and what keeps a thread from waiting for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from ocm_cti.control import Control, Snapshot
from ocm_cti.office import floor as floor_module
from ocm_cti.office.errors import NotNow
from ocm_cti.office.floor import LiveFloor

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FakeControl:
    def __init__(self, answer: Callable[[], Deferred[Snapshot]]) -> None:
        self.latest: Snapshot | None = None
        self.asked = 0
        self._answer = answer

    def refresh(self) -> Deferred[Snapshot]:
        self.asked += 1
        return self._answer()


class OtherThread:
    """A reactor whose thread is another one: what is posted runs there, or with ``deaf`` never."""

    def __init__(self, deaf: bool = False) -> None:
        self._deaf = deaf

    def callFromThread(self, work: Callable[..., Any], *args: Any) -> None:
        if not self._deaf:
            thread = threading.Thread(target=work, args=args)
            thread.start()
            thread.join(30)


def snapshot(at: datetime) -> Snapshot:
    return Snapshot(at, [], [], {})


def floor_of(control: FakeControl, *, deaf: bool = False, woken: list[int] | None = None) -> LiveFloor:
    calls = [] if woken is None else woken
    return LiveFloor(cast(Control, control), lambda: calls.append(1), OtherThread(deaf), lambda: T0)


def test_a_fresh_snapshot_is_not_taken_again() -> None:
    control = FakeControl(lambda: succeed(snapshot(T0)))
    control.latest = snapshot(T0 - timedelta(milliseconds=900))
    assert floor_of(control).snapshot() is control.latest
    control.latest = snapshot(T0 - timedelta(milliseconds=1100))
    assert floor_of(control).snapshot() == snapshot(T0)
    assert control.asked == 1


def test_what_goes_wrong_there_is_told_here() -> None:
    control = FakeControl(lambda: fail(RuntimeError("the ledger is gone")))
    with pytest.raises(RuntimeError, match="the ledger is gone"):
        floor_of(control).snapshot()


def test_a_reactor_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor_module, "ANSWER_LIMIT_S", 0.01)
    with pytest.raises(NotNow, match="does not answer"):
        floor_of(FakeControl(lambda: succeed(snapshot(T0))), deaf=True).snapshot()
    late: Deferred[Snapshot] = Deferred()
    with pytest.raises(NotNow):
        floor_of(FakeControl(lambda: late)).snapshot()
    late.callback(snapshot(T0))  # nobody waits any more, and nothing breaks


def test_the_dialer_is_woken_on_its_own_thread() -> None:
    woken: list[int] = []
    floor_of(FakeControl(lambda: succeed(snapshot(T0))), woken=woken).wake()
    assert woken == [1]
