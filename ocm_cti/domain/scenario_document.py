"""A checked scenario as a value, and what it needs for one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocm_cti.domain.fragments import (
    Beep,
    Fragment,
    Message,
    Part,
    Recording,
    Spoken,
    Variable,
    VariableMissing,
    resolve,
    slots,
    value_of,
)
from ocm_cti.domain.scenario_grammar import DIALLED
from ocm_cti.domain.scenario_steps import Step


@dataclass(frozen=True)
class Scenario:
    """A checked scenario. ``variables`` are the names used, in order of first use; ``steps`` by name, in order."""

    language: str
    declared: Mapping[str, Variable]
    steps: Mapping[str, Step]
    delivered_after: str | None = None
    name: str = ""
    variables: tuple[str, ...] = field(default=())

    @property
    def first(self) -> Step:
        return next(iter(self.steps.values()))

    @property
    def recordings(self) -> tuple[str, ...]:
        """Paths of all recordings, relative to the directory of recordings, each once."""
        found = (
            piece.path_name
            for step in self.steps.values()
            for message in step.messages
            for piece in message
            if isinstance(piece, Recording)
        )
        return tuple(dict.fromkeys(found))

    @property
    def needed(self) -> tuple[str, ...]:
        """Variables that a person must have a value of: they are spoken, dialled or a PIN, and have no default."""
        found: dict[str, None] = {}
        for step in self.steps.values():
            named = [name for message in step.messages for name in slots(message)]
            named += [told[1:-1] for told in (step.pin, step.to) if told is not None and told.startswith("{")]
            for name in named:
                if name in self.declared:
                    found.update(dict.fromkeys(self.declared[name].needs()))
        return tuple(name for name in found if name in self.declared and self.declared[name].default is None)

    @property
    def announcements(self) -> tuple[str, ...]:
        """Numbers of the switch's own messages that it plays, each once."""
        return tuple(dict.fromkeys(step.announcement for step in self.steps.values() if step.announcement))

    @property
    def has_sound_of_ours(self) -> bool:
        """Whether it plays or records anything itself, so that the call needs a voice of ours."""
        own = (
            step.kind == "record" or step.read_back is not None or any(step.messages) for step in self.steps.values()
        )
        return any(own)

    def destination_of(self, step: Step, values: Mapping[str, str]) -> str:
        """The digits that a transfer step leads to for this person. Raises VariableMissing, also for no digits."""
        assert step.to is not None
        if not step.to.startswith("{"):
            return step.to
        value = value_of(self.declared[step.to[1:-1]], values)
        if not DIALLED.fullmatch(value):
            raise VariableMissing(step.to[1:-1], f"{step.to}: {value!r} can't be dialled")
        return value

    def fragments_of(self, message: Message, values: Mapping[str, str], language: str | None) -> tuple[Fragment, ...]:
        return resolve(message, self.declared, values, language or self.language)

    def read_back_of(
        self, step: Step, entry: str, values: Mapping[str, str], language: str | None
    ) -> tuple[Fragment, ...]:
        """What the person pressed, said to him again digit by digit: each digit is a fragment that all share."""
        before, after = step.read_back or ((), ())
        digits = tuple(_digit(digit, language or self.language) for digit in entry)
        return (*self.fragments_of(before, values, language), *digits, *self.fragments_of(after, values, language))

    def pin_of(self, step: Step, values: Mapping[str, str]) -> str:
        """The PIN that a confirm step expects of this person. Raises VariableMissing; digits only are its business."""
        assert step.pin is not None
        if not step.pin.startswith("{"):
            return step.pin
        return value_of(self.declared[step.pin[1:-1]], values)


def required_fragments(scenario: Scenario, variables: Mapping[str, str], language: str | None = None) -> list[Fragment]:
    """Everything that could be played to this person, each once. VariableMissing, also for a PIN not made of digits."""
    found: dict[Fragment, None] = {}
    for step in scenario.steps.values():
        if step.pin is not None:
            pin_digits(scenario, step, variables)
        if step.to is not None:
            scenario.destination_of(step, variables)
        for message in step.messages:
            found.update(dict.fromkeys(scenario.fragments_of(message, variables, language)))
        if step.beep:
            found[Beep()] = None
        if step.read_back is not None:
            found.update(dict.fromkeys(_digit(digit, language or scenario.language) for digit in "0123456789"))
    return list(found)


def pin_digits(scenario: Scenario, step: Step, variables: Mapping[str, str]) -> str:
    """The PIN that is expected of this person. Raises VariableMissing, also for one that is not made of digits."""
    pin = scenario.pin_of(step, variables)
    if not (pin.isascii() and pin.isdecimal()):
        raise VariableMissing((step.pin or "").strip("{}"), f"{step.pin}: a PIN is made of digits only")
    return pin


def _digit(digit: str, language: str) -> Spoken:
    return Spoken((Part("digits", digit),), language)
