"""Verified stand-ins for what the dialer talks to: a gateway played by the test, a store without threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.fragments import Fragment
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
from ocm_cti.store.transactions import Store

START = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
NATIVE = Native("fake", "0", "played by a test")


class InlineStore:
    """The real store, its jobs run at once in the calling thread. ``broken`` makes every write fail, ``silent`` happen
    without that we hear of it.
    """

    def __init__(self, path: Path) -> None:
        self._store = Store.open(path)
        self.broken: Exception | None = None
        self.silent: Exception | None = None

    def run(self, job: Callable[[Any], Any]) -> Deferred[Any]:
        if self.broken is not None:
            return fail(self.broken)
        if self.silent is not None:
            self._store.run_now(job)
            return fail(self.silent)
        return maybeDeferred(self._store.run_now, job)

    def read(self, job: Callable[[Any], Any]) -> Deferred[Any]:
        return maybeDeferred(self._store.read_now, job)

    def now(self, job: Callable[[Any], Any]) -> Any:
        return self._store.run_now(job)

    def close(self) -> None:
        self._store.close()


class InstantPrompts:
    """Every fragment is one file of a second; ``missing`` makes preparation fail."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "second.alaw"
        self.path.write_bytes(b"\xd5" * 8000)
        self.missing: Exception | None = None
        self.waits = False  # then nothing is ready before ``ready``
        self.waiting: list[tuple[Deferred[dict[Fragment, Path]], list[Fragment]]] = []
        self.asked: list[Fragment] = []

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]:
        if self.missing is not None:
            return fail(self.missing)
        wanted = list(fragments)
        self.asked += wanted
        if self.waits:
            made: Deferred[dict[Fragment, Path]] = Deferred()
            self.waiting.append((made, wanted))
            return made
        return succeed(dict.fromkeys(wanted, self.path))

    def ready(self) -> None:
        self.waits = False
        waiting, self.waiting = self.waiting, []
        for made, wanted in waiting:
            made.callback(dict.fromkeys(wanted, self.path))


class FakeCall:
    """One placed call; the test is the switch and the person."""

    def __init__(self, gateway: FakeGateway, port: str, number: str, attempt_id: int, observer: CallObserver) -> None:
        self.gateway, self.port, self.number, self.attempt_id = gateway, port, number, attempt_id
        self.observer = observer
        self.native_id: str | None = f"{attempt_id:06x}"
        self.answered = False
        self.over = False
        self.hung_up = False
        self.playing: Deferred[Played] | None = None
        self.recording: tuple[Deferred[Recorded], Path] | None = None
        self.transferring: tuple[str, Deferred[None]] | None = None

    # what the dialer asks

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if self.over:
            return fail(CallOver())
        if self.gateway.play_breaks is not None:
            raise self.gateway.play_breaks
        self.playing = Deferred()
        return self.playing

    def stop_playing(self) -> None:
        self.heard(500, 1000)

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        if self.over:
            return fail(CallOver())
        done: Deferred[Recorded] = Deferred()
        self.recording = (done, path)
        return done

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return fail(NotSupported("the switch of this test has no messages of its own"))

    def transfer(self, number: str) -> Deferred[None]:
        self.transferring = (number, Deferred())
        return self.transferring[1]

    def hang_up(self) -> None:
        if self.over or self.hung_up:
            return
        self.hung_up = True
        self.gateway.clock.callLater(0, self._hung_up)

    def _hung_up(self) -> None:
        if not self.over:
            self.end(EndedBy.US) if self.answered else self.fail(Cause.CANCELLED)

    # what the test does

    def answer(self) -> None:
        self.observer.dialing()
        self.observer.ringing()
        self.answered = True
        self.observer.answered(True)

    def heard(self, heard_ms: int = 1000, of_ms: int = 1000) -> None:
        if self.playing is not None:
            playing, self.playing = self.playing, None
            playing.callback(Played(heard_ms, of_ms, heard_ms == of_ms))

    def said(self, length_ms: int, why: str = "silence") -> None:
        if self.recording is not None:
            (done, path), self.recording = self.recording, None
            done.callback(Recorded(path, length_ms, why))

    def listen(self) -> None:
        """Hear everything, say nothing, until the scenario hangs up or waits for a key."""
        while (self.playing is not None or self.recording is not None) and not self.over:
            self.heard()
            self.said(0)

    def connect(self) -> None:
        """Hand the person over to whom we asked for."""
        assert self.transferring is not None
        self.transferring[1].callback(None)
        self._terminal(lambda: self.observer.ended(Cause.TRANSFERRED, EndedBy.US, NATIVE))

    def fail(self, cause: Cause) -> None:
        self._terminal(lambda: self.observer.failed(cause, NATIVE))

    def end(self, by: EndedBy) -> None:
        def report() -> None:
            self.observer.ended(Cause.NORMAL, by, NATIVE)
            self.heard(300, 1000)
            self.said(0, "hangup")

        self._terminal(report)

    def _terminal(self, report: Callable[[], None]) -> None:
        self.over = True
        report()
        del self.gateway.calls[self.port]
        if self.gateway.observer is not None:
            self.gateway.observer.port_freed(self.gateway, self.port)  # type: ignore[arg-type]


class FakeGateway:
    """Ports and calls; ``before_place`` is run as the switch would see the call, ``refuse`` makes place() fail."""

    def __init__(self, clock: Clock, ports: Sequence[str] = ("301", "302"), name: str = "office") -> None:
        self.clock = clock
        self.name = name
        self.ports = tuple(ports)
        self.observer: GatewayObserver | None = None
        self.calls: dict[str, FakeCall] = {}
        self.placed: list[FakeCall] = []
        self.up = True
        self.starts_left: int | None = None
        self.refuse: str | None = None
        self.before_place: Callable[[int], None] = lambda attempt_id: None
        self.settled: dict[int, Settled] = {}
        self.asked: list[InFlight] = []
        self.settle_fails: Exception | None = None
        self.place_breaks: Exception | None = None  # a fault of ours that nobody expects
        self.play_breaks: Exception | None = None

    @property
    def idle_ports(self) -> Sequence[str]:
        return [port for port in self.ports if port not in self.calls] if self.up else []

    @property
    def health(self) -> Health:
        return Health(LinkState.UP if self.up else LinkState.DOWN, START)

    def port_reason(self, port: str) -> str:
        return "" if port in self.idle_ports else "in use"

    def start(self, observer: GatewayObserver) -> None:
        self.observer = observer
        if self.up:
            observer.health_changed(self, self.health)  # type: ignore[arg-type]

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
    ) -> FakeCall:
        if self.refuse is not None:
            raise NotPlaced(self.refuse)
        assert port in self.idle_ports, f"port {port} is held"
        if self.starts_left is not None:
            assert self.starts_left > 0, "a call more than the pace allows"
            self.starts_left -= 1
        assert number not in [call.number for call in self.calls.values()], f"{number} is being called already"
        self.before_place(attempt_id)
        if self.place_breaks is not None:
            raise self.place_breaks
        call = FakeCall(self, port, number, attempt_id, observer)
        self.calls[port] = call
        self.placed.append(call)
        return call

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        self.asked += in_flight
        if self.settle_fails is not None:
            return fail(self.settle_fails)
        return succeed({row.attempt_id: self.settled.get(row.attempt_id, Settled.UNKNOWN) for row in in_flight})


class WallClock(Clock):
    """``task.Clock`` that also tells aware UTC."""

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.seconds())
