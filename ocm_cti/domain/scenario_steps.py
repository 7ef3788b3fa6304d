"""One step of a scenario as a value; what its fields mean is told in scenarios.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocm_cti.domain.fragments import Message

#: As a target: the call ends (by the step of this name, where there is one).
END = "hang_up"


@dataclass(frozen=True)
class Condition:
    """``when`` of a goto: compares a variable or an earlier answer with a value."""

    variable: str | None
    answer: str | None
    equals: str


@dataclass(frozen=True)
class Step:
    """A step after reading. ``then`` and ``otherwise`` are names of steps, None for the end of the call."""

    name: str
    kind: str
    place: str = ""  # "step 'name' (line 7)", for error texts
    line: int | None = None
    message: Message = ()
    announcement: str | None = None  # the switch's own recorded message, in place of ``message``
    to: str | None = None  # digits, or "{variable}"
    wrong: Message = ()
    silent: Message = ()
    keys: Mapping[str, str | None] = field(default_factory=dict)  # None: where ``then`` leads
    key: str | None = None
    pin: str | None = None
    tries: int = 2
    timeout_s: float = 5.0
    barge_in: bool | None = None  # never None after parse()
    heard: bool | None = None  # never None after parse()
    max_ms: int = 30_000
    silence_ms: int = 3_000
    stop_keys: str = "#"
    with_beep: bool = True
    seconds: float = 0.0
    when: Condition | None = None
    then: str | None = None
    otherwise: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return (self.message, self.wrong, self.silent)

    @property
    def collects(self) -> bool:
        """It waits for keys."""
        return self.kind in ("ask", "confirm")

    @property
    def beep(self) -> bool:
        return self.kind == "record" and self.with_beep

    def automatic(self) -> tuple[str | None, ...]:
        """Steps that may follow without the person doing anything."""
        if self.kind == "hang_up":
            return ()
        if self.collects or self.kind == "transfer":
            return (self.otherwise,)
        return (self.then, self.otherwise) if self.when is not None else (self.then,)

    def successors(self) -> tuple[str | None, ...]:
        """All steps that may follow; None is the end of the call."""
        if not self.collects:
            return self.automatic()  # a transfer that succeeds is the end
        chosen = tuple(target for target in self.keys.values() if target is not None)
        takes_then = self.kind == "confirm" or len(chosen) < len(self.keys)
        return (*((self.then,) if takes_then else ()), self.otherwise, *chosen)

    def replaced(self, **changes: Any) -> Step:
        return dataclasses.replace(self, **changes)
