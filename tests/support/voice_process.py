"""Runs a real voice process in a reactor of the test's own."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor

HOST = "127.0.0.1"
GUARD_S = 60.0


class Robot:
    """Observer of the voice process; ``story`` is what was told, and ``then`` says what to do about it."""

    def __init__(self) -> None:
        self.story: list[tuple[Any, ...]] = []
        self.then: dict[str, Callable[..., object]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def told(*arguments: Any) -> None:
            self.story.append((name, *arguments))
            if name in self.then:
                self.then[name](*arguments)

        return told


def run(build: Callable[[Any], Callable[[], Deferred[Any]]]) -> None:
    """Run a reactor of this test's own until the script that ``build`` makes has called ``stop`` on it."""
    reactor = SelectReactor()
    late: list[bool] = []

    def too_late() -> None:
        late.append(True)
        reactor.stop()

    guard = reactor.callLater(GUARD_S, too_late)
    clean_up = build(reactor)
    reactor.addSystemEventTrigger("before", "shutdown", clean_up)
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    try:
        reactor.run()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if guard.active():
            guard.cancel()
    assert not late, "the script did not come to its end"
    assert reactor.getDelayedCalls() == []
