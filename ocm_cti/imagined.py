"""The switch and the people of a rehearsal: nobody is called, dice say what would have come of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.gateways.interface import (
    CallObserver,
    CallOver,
    EndedBy,
    GatewayObserver,
    Health,
    InFlight,
    LinkState,
    Native,
    NotPlaced,
    NotSupported,
    Played,
    Recorded,
    RecordLimits,
    Settled,
)
from ocm_cti.speech.prompts import length_ms

NATIVE = Native("rehearsal", "", "imagined")


@dataclass(frozen=True)
class People:
    """What is assumed of them: shares of a hundred calls, seconds. Who is left over does not answer."""

    answer: int = 55
    busy: int = 10
    reject: int = 8
    hang_up_early: int = 10  # of those who answer
    answers_after_s: tuple[float, float] = (4.0, 18.0)
    right_pin: int = 90  # of 100 times that a PIN is asked for
    presses_after_s: float = 2.0
    speaks_s: float = 6.0  # a reply after the tone


class JumpingClock(Clock):
    """``task.Clock`` that also tells aware UTC, from ``began_at`` on."""

    def __init__(self, began_at: datetime) -> None:
        super().__init__()
        self.began_at = began_at

    def now(self) -> datetime:
        return self.began_at + timedelta(seconds=self.seconds())


class ImaginedCall:
    """One call to somebody who does what the dice say."""

    def __init__(
        self,
        gateway: ImaginedGateway,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        observer: CallObserver,
    ) -> None:
        self.native_id = None
        self._gateway, self._port, self._observer = gateway, port, observer
        self._attempt_id = attempt_id
        self._clock, self._people = gateway.clock, gateway.people
        self._keys: Iterator[str] = iter(())
        self._playing: tuple[Deferred[Played], int, float] | None = None
        self._recording: tuple[Deferred[Recorded], Path] | None = None
        self._answered = self._over = False
        self._timers: list[Any] = []
        self._dice = random.Random(f"{number} {self._clock.seconds()}")
        self._later(1.0, observer.dialing)
        self._later(1.5, observer.ringing)
        die = self._dice.uniform(0, 100)
        people = self._people
        if die < people.answer:
            self._later(min(self._dice.uniform(*people.answers_after_s), ring_timeout_s), self._answer)
        elif die < people.answer + people.busy:
            self._later(2.0, lambda: self._failed(Cause.BUSY))
        elif die < people.answer + people.busy + people.reject:
            self._later(self._dice.uniform(*people.answers_after_s), lambda: self._failed(Cause.REJECTED))
        else:
            self._later(1.0 + ring_timeout_s, lambda: self._failed(Cause.NO_ANSWER))

    # what the dialer asks

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if self._over:
            return fail(CallOver())
        of_ms = sum(length_ms(path) for path in prompt)
        done: Deferred[Played] = Deferred()
        self._playing = (done, of_ms, self._clock.seconds())
        if self._dice.uniform(0, 100) < self._people.hang_up_early:
            self._later(of_ms / 2000, self._hangs_up)
        else:
            self._later(of_ms / 1000, self._played)
        return done

    def stop_playing(self) -> None:
        self._stop_timers()
        self._played()

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        done: Deferred[Recorded] = Deferred()
        self._recording = (done, path)
        self._later(self._people.speaks_s + limits.silence_ms / 1000, self._said)
        return done

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return fail(NotSupported("a rehearsal has no messages of the switch"))

    def transfer(self, number: str) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def connected() -> None:
            done.callback(None)
            self._terminal(lambda: self._observer.ended(Cause.TRANSFERRED, EndedBy.US, NATIVE))

        self._later(5.0, connected)
        return done

    def hang_up(self) -> None:
        if not self._over:
            self._stop_timers()
            self._later(0.5, self._hung_up)

    # what becomes of it

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        self._timers.append(self._clock.callLater(seconds, then))

    def _stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()

    def _answer(self) -> None:
        self._answered = True
        self._keys = iter(self._gateway.keys(self._attempt_id))
        self._observer.answered(True)

    def _played(self) -> None:
        if self._playing is None:
            return
        (done, of_ms, since_s), self._playing = self._playing, None
        heard_ms = min(of_ms, int((self._clock.seconds() - since_s) * 1000) + 1)
        self._later(self._people.presses_after_s, self._press)
        done.callback(Played(heard_ms, of_ms, heard_ms >= of_ms))

    def _press(self) -> None:
        """The next key that the scenario knows, if nothing is being said: it waits for one, or is over soon."""
        if self._over or self._playing is not None or self._recording is not None:
            return
        for key in next(self._keys, ""):
            if not self._over:
                self._observer.digit(key)

    def _said(self) -> None:
        if self._recording is not None:
            (done, path), self._recording = self._recording, None
            done.callback(Recorded(path, int(self._people.speaks_s * 1000), "silence"))

    def _hangs_up(self) -> None:
        self._terminal(lambda: self._observer.ended(Cause.NORMAL, EndedBy.THEM, NATIVE))

    def _failed(self, cause: Cause) -> None:
        self._terminal(lambda: self._observer.failed(cause, NATIVE))

    def _hung_up(self) -> None:
        if self._answered:
            self._terminal(lambda: self._observer.ended(Cause.NORMAL, EndedBy.US, NATIVE))
        else:
            self._failed(Cause.CANCELLED)

    def _terminal(self, report: Callable[[], None]) -> None:
        if self._over:
            return
        self._over = True
        self._stop_timers()
        self._gateway.free(self._port)  # whoever hears of the end may call again at once
        report()
        if self._playing is not None:
            (done, of_ms, since_s), self._playing = self._playing, None
            done.callback(Played(min(of_ms, int((self._clock.seconds() - since_s) * 1000)), of_ms, False))
        self._said()
        self._gateway.told_free(self._port)


class ImaginedGateway:
    """As many lines as the real one has."""

    starts_left = None

    def __init__(
        self,
        name: str,
        ports: Sequence[str],
        clock: JumpingClock,
        people: People,
        keys: Callable[[int], Iterable[str]],
    ) -> None:
        """``keys`` of an attempt: what he presses at the questions, one after the other (``presses``)."""
        self.name = name
        self.ports = tuple(ports)
        self.clock = clock
        self.people = people
        self.keys = keys
        self.calls: dict[str, float] = {}  # port -> since
        self.began: Counter[datetime] = Counter()
        self.busy_s = 0.0
        self._observer: GatewayObserver | None = None

    @property
    def idle_ports(self) -> Sequence[str]:
        return [port for port in self.ports if port not in self.calls]

    @property
    def health(self) -> Health:
        return Health(LinkState.UP, self.clock.began_at)

    def port_reason(self, port: str) -> str:
        return "in use" if port in self.calls else ""

    def start(self, observer: GatewayObserver) -> None:
        self._observer = observer

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def place(
        self,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        caller_id: str | None,
        observer: CallObserver,
    ) -> ImaginedCall:
        if port in self.calls:
            raise NotPlaced(f"{port} is in use")
        self.calls[port] = self.clock.seconds()
        self.began[self.clock.now().replace(minute=0, second=0, microsecond=0)] += 1
        return ImaginedCall(self, port, number, attempt_id, ring_timeout_s, observer)

    def free(self, port: str) -> None:
        self.busy_s += self.clock.seconds() - self.calls.pop(port)

    def told_free(self, port: str) -> None:
        """The port may have its next call by now: who has heard of the end of the call knew that it was free."""
        if self._observer is not None and port not in self.calls:
            self._observer.port_freed(self, port)

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        return succeed({row.attempt_id: Settled.NEVER_REACHED for row in in_flight})


def presses(scenario: Scenario, variables: Mapping[str, str], people: People, dice: random.Random) -> Iterator[str]:
    """What he presses who does what he is asked, question by question: the first right entry of each, and his PIN.

    That he gets wrong as often as ``people`` says, and then tries again while the step lets him.
    """
    for step in scenario.steps.values():
        if step.pin is not None:
            right = scenario.pin_of(step, variables)
            for _ in range(step.tries):
                if dice.uniform(0, 100) < people.right_pin:
                    yield right
                    break
                yield right[:-1] + str((int(right[-1]) + 1) % 10)
        elif step.collects:
            entry = step.key or next(iter(step.options), None) or next(iter(step.keys), None)
            yield entry or "1" * max(1, step.minimum)
