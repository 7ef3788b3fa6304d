"""A dry run: the real list through the real dialer and a switch that is only imagined, on a clock that jumps.

What is true of it: who is called when, on which number, how the retries, hours, caps, stop lists, priorities and lines
play together, and when it is over; nothing is dialled. What is assumed is the people: ``People`` says how many answer,
and is printed with the result. It works on a copy of the ledger that is thrown away.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from ocm_cti.dialer import Dialer
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.fragments import Beep, Fragment, Recording
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
from ocm_cti.speech.words import sentence
from ocm_cti.store import campaigns, tasks
from ocm_cti.store.transactions import Store

NATIVE = Native("rehearsal", "", "imagined")
#: A campaign that is not over by then will not be.
LONGEST = timedelta(days=60)
#: How fast a synthesizer speaks, in signs a second.
SIGNS_PER_S = 13.0
#: Lengths of prompts are rounded up to this, so that a few files serve for all.
STEP_MS = 250
OCTETS_PER_MS = 8


@dataclass(frozen=True)
class People:
    """What is assumed of them: shares of a hundred calls, seconds. Who is left over does not answer."""

    answer: int = 55
    busy: int = 10
    reject: int = 8
    hang_up_early: int = 10  # of those who answer
    answers_after_s: tuple[float, float] = (4.0, 18.0)
    presses_after_s: float = 2.0
    speaks_s: float = 6.0  # a reply after the tone


@dataclass
class Rehearsed:
    """What came of it. ``calls`` counts the calls by the hour in which they began, ``busy_s`` is that of all lines."""

    campaign_id: int
    began_at: datetime
    ended_at: datetime
    finished: bool
    counts: tasks.Counts
    calls: Counter[datetime] = field(default_factory=Counter)
    busy_s: float = 0.0
    lines: int = 0


class JumpingClock(Clock):
    """``task.Clock`` that also tells aware UTC, from ``began_at`` on."""

    def __init__(self, began_at: datetime) -> None:
        super().__init__()
        self.began_at = began_at

    def now(self) -> datetime:
        return self.began_at + timedelta(seconds=self.seconds())


class SameThreadStore:
    """The real store, its jobs run at once: on a clock that jumps nothing may happen beside it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, job: Callable[[Any], Any]) -> Deferred[Any]:
        return maybeDeferred(self._store.run_now, job)

    def read(self, job: Callable[[Any], Any]) -> Deferred[Any]:
        return maybeDeferred(self._store.read_now, job)


class SilentPrompts:
    """Files of the length that the prompt would have, with nothing in them (they take no room on the disk)."""

    def __init__(self, folder: Path, audio: Path) -> None:
        self._folder = folder
        self._audio = audio

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]:
        return succeed({fragment: self._file(fragment) for fragment in fragments})

    def _file(self, fragment: Fragment) -> Path:
        steps = -(-self._length_ms(fragment) // STEP_MS)
        path = self._folder / f"{steps * STEP_MS}.alaw"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(steps * STEP_MS * OCTETS_PER_MS)
        return path

    def _length_ms(self, fragment: Fragment) -> int:
        if isinstance(fragment, Beep):
            return fragment.length_ms
        if isinstance(fragment, Recording):
            try:
                return int((self._audio / fragment.path_name).stat().st_size / 16)  # about: 8 kHz, 16 bit
            except OSError:
                return 3000
        return int(len(sentence(fragment)) / SIGNS_PER_S * 1000)


class ImaginedCall:
    """One call to somebody who does what the dice say."""

    def __init__(self, gateway: ImaginedGateway, port: str, number: str, ring_timeout_s: float, observer: CallObserver):
        self.native_id = None
        self._gateway, self._port, self._observer = gateway, port, observer
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
        self._keys = iter(self._gateway.keys)
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
        report()
        if self._playing is not None:
            (done, of_ms, since_s), self._playing = self._playing, None
            done.callback(Played(min(of_ms, int((self._clock.seconds() - since_s) * 1000)), of_ms, False))
        self._said()
        self._gateway.over(self._port)


class ImaginedGateway:
    """As many lines as the real one has."""

    starts_left = None

    def __init__(
        self, name: str, ports: Sequence[str], clock: JumpingClock, people: People, keys: Sequence[str]
    ) -> None:
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
        return ImaginedCall(self, port, number, ring_timeout_s, observer)

    def over(self, port: str) -> None:
        self.busy_s += self.clock.seconds() - self.calls.pop(port)
        if self._observer is not None:
            self._observer.port_freed(self, port)

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        return succeed({row.attempt_id: Settled.NEVER_REACHED for row in in_flight})


def rehearse(
    store: Store,
    gateways: Sequence[ImaginedGateway],
    clock: JumpingClock,
    prompts: SilentPrompts,
    campaign_id: int,
    recordings: Path,
    progress: Callable[[datetime, tasks.Counts], None] = lambda at, counts: None,
) -> Rehearsed:
    """Call everybody of the campaign, which is the only one running in ``store``, until it is over or LONGEST."""
    dialer = Dialer(
        SameThreadStore(store),  # type: ignore[arg-type]
        gateways,
        prompts,
        recordings,
        clock,
        clock.now,
        "rehearsal",
    )
    dialer.start()
    told_s = -1e9
    while (dialer.calls_up or store.read_now(campaigns.running)) and clock.now() - clock.began_at < LONGEST:
        if clock.seconds() - told_s >= 600:
            told_s = clock.seconds()
            progress(clock.now(), store.read_now(lambda conn: tasks.counts(conn, campaign_id)))
        clock.advance(_step_s(store, dialer, clock))
    dialer.stop()
    return Rehearsed(
        campaign_id,
        clock.began_at,
        clock.now(),
        campaign_id not in store.read_now(campaigns.running),
        store.read_now(lambda conn: tasks.counts(conn, campaign_id)),
        sum((gateway.began for gateway in gateways), Counter()),
        sum(gateway.busy_s for gateway in gateways),
        sum(len(gateway.ports) for gateway in gateways),
    )


def _step_s(store: Store, dialer: Dialer, clock: JumpingClock) -> float:
    """To the next thing that happens; over a night in one step."""
    if not dialer.calls_up:
        due_at = store.read_now(lambda conn: tasks.next_due_at(conn, clock.now()))
        if due_at is not None and due_at > clock.now():
            return (due_at - clock.now()) / timedelta(seconds=1)
    waiting = clock.getDelayedCalls()
    first_s = min(float(call.getTime()) for call in waiting) if waiting else clock.seconds() + 1.0  # type: ignore[misc]
    return max(first_s - clock.seconds(), 0.0)
