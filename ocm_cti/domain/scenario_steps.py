"""One step of a scenario as a value; what its fields mean is told in scenarios.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocm_cti.domain.fragments import Message

#: As a target: the call ends (by the step of this name, where there is one).
END = "hang_up"
#: Kinds of a survey's question.
SURVEY_KINDS = ("single", "yes_no", "scale", "digits")
#: What ``when = { answer = … }`` sees of a confirm that was answered rightly, and of a reply that was left.
CONFIRMED = "confirmed"
RECORDED = "recorded"


@dataclass(frozen=True)
class Condition:
    """``when`` of a goto: compares a variable or an earlier answer with a value, or an answer with bounds.

    ``equals`` None: by the bounds, both inclusive, None for none; what is no number is within no bounds.
    """

    variable: str | None
    answer: str | None
    equals: str | None
    at_least: int | None = None
    at_most: int | None = None

    def holds(self, told: str) -> bool:
        """``told`` is the value of the variable or the answer, "" for none."""
        if self.equals is not None:
            return told == self.equals
        if not (told.isascii() and told.isdecimal()):
            return False
        number = int(told)
        return (self.at_least is None or self.at_least <= number) and (self.at_most is None or number <= self.at_most)


@dataclass(frozen=True)
class Option:
    """One answer to a survey's question: what is stored, what reports call it, where it leads (None: ``then``)."""

    value: str
    label: str
    target: str | None = None


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
    mark: int | None = None  # so many pieces of ``message`` heard make the call delivered
    question: str = ""  # what reports call it; "": its name
    repeat: str | None = None  # this key says the message again, which is not a try
    survey: str | None = None  # one of SURVEY_KINDS
    options: Mapping[str, Option] = field(default_factory=dict)  # by key; of a scale by value, and only those named
    minimum: int = 0  # of a scale its lowest answer, of digits how many at least
    maximum: int = 0
    next_key_s: float = 3.0  # an answer of several keys has come to its end when no other follows
    read_back: tuple[Message, Message] | None = None  # said before and after the digits
    stop_list: str | None = None
    then: str | None = None
    otherwise: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return (self.message, self.wrong, self.silent, *(self.read_back or ()))

    @property
    def collects(self) -> bool:
        """It waits for keys."""
        return self.kind in ("ask", "confirm", "survey")

    @property
    def is_number(self) -> bool:
        """Its answer is made of digits and ends by # or when no more come."""
        return self.survey in ("scale", "digits")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Where its keys lead that lead elsewhere than ``then``."""
        named = (*self.keys.values(), *(option.target for option in self.options.values()))
        return tuple(target for target in named if target is not None)

    @property
    def takes_then(self) -> bool:
        """An answer may lead to ``then``."""
        if self.kind == "confirm" or self.is_number:
            return True
        return None in self.keys.values() or any(option.target is None for option in self.options.values())

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
        return (*((self.then,) if self.takes_then else ()), self.otherwise, *self.chosen)

    def replaced(self, **changes: Any) -> Step:
        return dataclasses.replace(self, **changes)
