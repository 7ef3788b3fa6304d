"""What the gateway contract needs of a switch: its gateway, its people, its faults. One bench per kind of gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import Call, EndedBy, Gateway, Health, Native


@dataclass(frozen=True)
class Sees:
    """What a switch, as it is set up, can tell; where it can't, the contract expects something else instead."""

    certain: bool = True  # a true answer; else a timer: every number that is called is "answered" in the end
    ringing: bool = True  # Delivered, or whatever counts as ringing
    reasons: bool = True  # why a call failed
    far_end: bool = True  # that the person has hung up; else it lets us go in its own time
    answers_blindly: bool = False  # the timer is ours, and runs also without a link
    voice: bool = True  # a voice of ours, that can break; else the switch's own, which listens while it speaks
    voice_breaks: bool = True  # ... which is a process of ours; else the voice goes when the switch or the link does
    dials_by_link: bool = True  # without a link nobody can have been called
    transfers: bool = True  # it can hand a person over
    announces: bool = True  # it has recorded messages of its own
    supervised: bool = True  # ... and waits for the operator before it does
    link_is_watched: bool = True  # a switch that is not there any more is noticed; else by the next call
    clears_after_voice: bool = True  # what a killed voice process leaves is cleared; else by the switch in its own time


class Bench(Protocol):
    sees: Sees
    gateway: Gateway
    watcher: Watcher
    prompt: Path  # a second of A-law

    # Numbers by what becomes of them
    answers: str
    busy: str
    never_answers: str
    rejects: str
    does_not_exist: str
    congested: str
    # Extensions of the switch, as they are dialled there
    operator: str  # answers after a second
    operator_absent: str
    operator_unwilling: str
    announcement: str  # a message of the switch's own, of five seconds

    def start(self) -> None:
        """All ports are idle when it returns."""

    def close(self) -> None:
        """Stop the gateway, if it still runs; fails the test when anything of it is left."""

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
        """Let time pass until it holds; fails the test when it never does."""

    def pass_s(self, seconds: float) -> None: ...
    def far_hangs_up(self, port: str) -> None: ...
    def far_presses(self, port: str, keys: str) -> None: ...
    def all_hang_up(self) -> None:
        """Everybody who is in a call puts his telephone down."""

    def break_link(self) -> None: ...
    def mend_link(self) -> None: ...
    def kill_voice(self) -> None: ...

    @property
    def calls_asked(self) -> int:
        """How many calls the switch was asked for, ever."""

    @property
    def calls_up(self) -> int:
        """How many calls the switch has now."""


class Watcher:
    """A GatewayObserver that remembers."""

    def __init__(self) -> None:
        self.freed: list[str] = []
        self.healths: list[Health] = []
        self.records: list[CallRecord] = []

    def port_freed(self, gateway: Gateway, port: str) -> None:
        assert port in gateway.idle_ports, "a freed port can take a call at once"
        self.freed.append(port)

    def health_changed(self, gateway: Gateway, health: Health) -> None:
        assert health.since_at.tzinfo is not None
        assert gateway.health == health
        self.healths.append(health)

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None:
        assert record.gateway == gateway.name
        self.records.append(record)


class Listener:
    """A CallObserver that remembers, and checks the order that the interface promises as it goes."""

    ORDER = ("dialing", "ringing", "answered", "digit", "over")

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.call: Call | None = None
        self.machines = 0
        self.talks_to_machines = False

    @property
    def names(self) -> list[str]:
        return [str(told[0]) for told in self.told]

    @property
    def over(self) -> bool:
        return bool(self.told) and self.told[-1][0] in ("failed", "ended")

    @property
    def verdict(self) -> tuple[Any, ...]:
        assert self.over, self.told
        return self.told[-1]

    def _note(self, *told: Any) -> None:
        assert not self.over, f"{told} after {self.told}"
        assert told[0] == "digit" or told[0] not in self.names, f"{told} twice: {self.told}"
        self.told.append(told)

    def dialing(self) -> None:
        assert self.told == []
        self._note("dialing")

    def ringing(self) -> None:
        assert self.names == ["dialing"]
        self._note("ringing")

    def machine(self) -> bool:
        assert "answered" not in self.names
        self.machines += 1
        return self.talks_to_machines

    def answered(self, certain: bool) -> None:
        assert self.names in (["dialing"], ["dialing", "ringing"])
        self._note("answered", certain)

    def digit(self, digit: str) -> None:
        assert "answered" in self.names
        self._note("digit", digit)

    def failed(self, cause: Cause, native: Native) -> None:
        assert "answered" not in self.names
        self._note("failed", cause, native)

    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None:
        assert "answered" in self.names
        self._note("ended", cause, by, native)
