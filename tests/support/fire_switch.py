"""A telephone system that outlives the server: it keeps its own account of calls, and plays people and faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from ocm_cti.domain.causes import Cause
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

if TYPE_CHECKING:
    from fire_server import Life

SETTLES = 5.0
EARLY = {"line_fault": Cause.LINE_FAULT, "unreachable": Cause.UNREACHABLE, "invalid": Cause.INVALID_NUMBER}
RANG = {"busy": Cause.BUSY, "rejected": Cause.REJECTED, "rang_fault": Cause.LINE_FAULT, "lost": Cause.UNKNOWN}
PEOPLE = ("busy", "no_answer", "rejected", "unreachable", "invalid", "key", "key", "listens", "hangs_up")
FAULTS = ("line_fault", "rang_fault", "lost", "breaks")


@dataclass
class Seen:
    """One call as the switch saw it. Seconds are the world's; ``rang``: the person's telephone rang."""

    attempt_id: int
    gateway: str
    port: str
    number: str
    begun_s: float
    wall_at: datetime
    kind: str
    rang: bool = False
    told: bool = False  # the server was told that it rings, or was answered
    ended_s: float | None = None


class Switch:
    """The truth. ``at_call`` is asked for each new call before it is written down."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self.seen: list[Seen] = []
        self.calm = False
        self.talk = 1.0  # how much longer than its prompts a message takes
        self.at_call: Callable[[Seen], None] = lambda seen: None

    @property
    def up(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.ended_s is None]

    def kind(self) -> str:
        if not self.calm and self.rng.random() < 0.2:
            return self.rng.choice(FAULTS)
        return self.rng.choice(PEOPLE)

    def begin(self, attempt_id: int, gateway: str, port: str, number: str, wall_at: datetime) -> Seen:
        seen = Seen(attempt_id, gateway, port, number, self.clock.seconds(), wall_at, self.kind())
        self.at_call(seen)
        self.seen.append(seen)
        return seen

    def end(self, seen: Seen) -> None:
        if seen.ended_s is None:
            seen.ended_s = self.clock.seconds()

    def server_died(self) -> None:
        """Its calls go on for a while by themselves: some begin to ring, some end, the others stay until cleared."""
        for seen in self.up:
            if self.rng.random() < 0.5:
                seen.rang = True
            if self.rng.random() < 0.5:
                self.end(seen)


class FireGateway:
    """Our adapter to the switch within one life of the server."""

    def __init__(self, name: str, ports: Sequence[str], switch: Switch, life: Life) -> None:
        self.name = name
        self.ports = tuple(ports)
        self.switch, self.life = switch, life
        self.rng = switch.rng
        self.observer: GatewayObserver | None = None
        self.calls: dict[str, FireCall] = {}
        self.link_up = False
        self.starts_left = None

    @property
    def idle_ports(self) -> Sequence[str]:
        return [port for port in self.ports if port not in self.calls] if self.link_up else []

    @property
    def health(self) -> Health:
        return Health(LinkState.UP if self.link_up else LinkState.DOWN, self.life.now())

    def port_reason(self, port: str) -> str:
        return "" if port in self.idle_ports else "in use"

    def start(self, observer: GatewayObserver) -> None:
        self.observer = observer
        self.life.clock.callLater(self.rng.choice((0.0, 0.1, 3.0)), self.link, True)

    def stop(self) -> Deferred[None]:
        raise AssertionError("the machine stops no gateway")

    def link(self, up: bool) -> None:
        if up == self.link_up:
            return
        self.link_up = up
        if not up:
            for call in list(self.calls.values()):
                call.broke()
        assert self.observer is not None
        self.observer.health_changed(self, self.health)  # type: ignore[arg-type]

    def place(
        self,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        caller_id: str | None,
        observer: CallObserver,
    ) -> FireCall:
        self.life.must_live()
        if not self.link_up:
            raise NotPlaced("the link is down")
        if not self.switch.calm and self.rng.random() < 0.03:
            raise NotPlaced("the port is not registered")
        if port in self.calls:
            self.life.broken(f"port {port} of {self.name} is held")
        self.life.burn("before send")
        seen = self.switch.begin(attempt_id, self.name, port, number, self.life.now())
        self.life.burn("after send")
        call = FireCall(self, seen, observer, ring_timeout_s)
        self.calls[port] = call
        call.play_out()
        return call

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        answered: Deferred[dict[int, Settled]] = Deferred()

        def answer() -> None:
            if not self.link_up:
                answered.errback(ConnectionError("the link went"))
                return
            answers = {}
            for row in in_flight:
                seen = [each for each in self.switch.seen if each.attempt_id == row.attempt_id]
                surely_not = not any(each.rang for each in seen)
                answers[row.attempt_id] = (
                    Settled.NEVER_REACHED if surely_not and self.rng.random() < 0.7 else Settled.UNKNOWN
                )
                for each in seen:
                    self.switch.end(each)
            answered.callback(answers)

        self.life.clock.callLater(self.rng.choice((0.0, 0.5, SETTLES)), answer)
        return answered


class FireCall:
    """One placed call: what its ``kind`` says happens, at random moments; some reports are late or get lost."""

    def __init__(self, gateway: FireGateway, seen: Seen, observer: CallObserver, ring_timeout_s: float) -> None:
        self.gateway, self.seen, self.observer = gateway, seen, observer
        self.ring_timeout_s = ring_timeout_s
        self.native_id: str | None = f"{seen.attempt_id:06x}"
        self.answered = self.over = self.hung_up = False
        self.pending: tuple[Deferred[Any], Callable[[], Any]] | None = None

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        def still_up() -> None:
            if not self.over:
                do()

        self.gateway.life.clock.callLater(seconds, still_up)

    def play_out(self) -> None:
        rng, kind = self.gateway.rng, self.seen.kind
        slow = 30.0 if not self.gateway.switch.calm and rng.random() < 0.1 else 1.0
        at_s = rng.choice((0.0, 0.1, 0.4))
        if kind == "line_fault":
            self.later(at_s * slow, lambda: self.fail(Cause.LINE_FAULT))
            return
        self.later(at_s, self.observer.dialing)
        at_s += rng.choice((0.0, 0.2, 1.0)) * slow
        if kind in EARLY:
            self.later(at_s, lambda: self.fail(EARLY[kind]))
            return
        self.later(at_s, self.ring)
        if kind == "no_answer":
            self.later(at_s + self.ring_timeout_s, lambda: self.fail(Cause.NO_ANSWER))
        elif kind in RANG:
            self.later(at_s + rng.choice((0.0, 0.5, 2.0)) * slow, lambda: self.fail(RANG[kind]))
        else:
            self.later(at_s + rng.choice((0.0, 0.5, 2.0)), self.answer)

    def ring(self) -> None:
        if self.seen.kind != "busy":
            self.seen.rang = True
        if self.seen.kind != "busy" and self.gateway.rng.random() < 0.8:
            self.seen.told = True
            self.observer.ringing()

    def answer(self) -> None:
        rng = self.gateway.rng
        self.answered = self.seen.told = self.seen.rang = True
        self.observer.answered(rng.random() < 0.9)
        after_s = rng.choice((0.1, 0.9, 1.0, 1.7, 3.0))
        if self.seen.kind == "key":
            self.later(after_s, lambda: self.observer.digit("1"))
        elif self.seen.kind == "hangs_up":
            self.later(after_s, lambda: self.end(EndedBy.THEM))
        elif self.seen.kind == "breaks":
            self.later(after_s, lambda: self.end(EndedBy.FAULT))

    def broke(self) -> None:
        """The link or the voice process went under the call."""
        if self.answered:
            self.end(EndedBy.FAULT)
        elif self.seen.rang:
            self.fail(Cause.UNKNOWN)
        else:
            self.fail(Cause.LINE_FAULT)

    # --- what the dialer asks (Call) ---

    def _media(self, seconds: float, result: Callable[[bool], Any]) -> Deferred[Any]:
        if self.over:
            return fail(CallOver())
        done: Deferred[Any] = Deferred()
        pending = (done, lambda: result(False))
        self.pending = pending

        def finished() -> None:
            if self.pending is pending:
                self.pending = None
                done.callback(result(True))

        self.later(seconds, finished)
        return done

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        of_ms = 1000 * len(prompt)
        return self._media(
            of_ms / 1000 * self.gateway.switch.talk, lambda whole: Played(of_ms if whole else of_ms // 3, of_ms, whole)
        )

    def stop_playing(self) -> None:
        if self.pending is not None:
            (done, cut), self.pending = self.pending, None
            done.callback(cut())

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        return self._media(2.0, lambda whole: Recorded(path, 2000, "silence" if whole else "hangup"))

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return fail(NotSupported("none"))

    def transfer(self, number: str) -> Deferred[None]:
        return fail(NotSupported("nobody"))

    def hang_up(self) -> None:
        if not self.over and not self.hung_up:
            self.hung_up = True
            self.later(
                self.gateway.rng.choice((0.0, 0.1, 2.0)),
                lambda: self.end(EndedBy.US) if self.answered else self.fail(Cause.CANCELLED),
            )

    # --- terminal reports ---

    def fail(self, cause: Cause) -> None:
        self._terminal(lambda: self.observer.failed(cause, Native("fire", self.seen.kind, "")))

    def end(self, by: EndedBy) -> None:
        self._terminal(lambda: self.observer.ended(Cause.NORMAL, by, Native("fire", self.seen.kind, "")))

    def _terminal(self, report: Callable[[], None]) -> None:
        self.over = True
        self.gateway.switch.end(self.seen)
        report()
        self.stop_playing()
        del self.gateway.calls[self.seen.port]
        if self.gateway.observer is not None:
            self.gateway.observer.port_freed(self.gateway, self.seen.port)  # type: ignore[arg-type]
