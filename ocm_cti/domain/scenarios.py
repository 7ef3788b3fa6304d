"""The scenario language: a TOML document of named steps, read and checked as a whole before anybody is called.

    language = "ru"

    [variables]                      # every variable that is used, and how it is spoken
    name = "name"
    debt = { kind = "money", currency = "RUB" }

    [[step]]
    name = "message"
    type = "say"
    message = [{ recording = "greeting_ru.wav" }, "{name}, ваш долг {debt}."]

    [[step]]
    name = "agree"
    type = "confirm"
    message = "Нажмите один, чтобы подтвердить."
    key = "1"
    else = "goodbye"

Steps follow one another as written; ``then`` names another successor, ``else`` where to go when nobody answered or the
tries are used up (default: the call ends). The name ``hang_up`` may be used as a target without a step of that name.

======== ========================================================================================================
say      ``message``
ask      ``message``, ``keys`` (a list, or key -> step); the keys pressed are the answer
confirm  ``message``, ``key`` or ``pin`` (digits or ``"{variable}"``), other ``keys`` -> step; ``then`` if right
record   ``message``, a beep, then the reply: ``max_s``, ``silence_s``, ``stop_keys``, ``beep``
pause    ``seconds``
transfer ``to`` (digits as dialled at the switch, or ``"{variable}"``), ``message`` before; connected, the scenario is
         at its end; busy, not answered: ``else`` (default: the next step), and the person is back with us
goto     ``then``, or with ``when = {variable|answer = "…", is = "…"}`` then/else
hang_up  ``message`` (not counted as part of what had to be heard), then the end
======== ========================================================================================================

ask and confirm: ``tries`` (2), ``timeout_s`` (5, from the end of the message or the last key), ``wrong`` and ``silent``
(said before the message is repeated). ``barge_in``: a key stops the message; by default wherever a key is awaited then
or later, so that a stray key can't cut a message which expects none. ``heard``: the step's message belongs to what the
person must have heard (say, ask and confirm by key do unless told otherwise). ``delivered_after`` at the top names a
step: once its message has been heard out, the call counts as delivered.

``announcement = "12"`` in place of a ``message``: the switch plays its own recorded message of that number (OGM).
Experimental, and only where the gateway says that its switch does (``voice = "ogm"``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocm_cti.domain import scenario_checks
from ocm_cti.domain.fragments import (
    CURRENCIES,
    Beep,
    Fragment,
    Message,
    Part,
    Recording,
    Sentence,
    Spoken,
    Variable,
    VariableMissing,
    resolve,
    slots,
    value_of,
)
from ocm_cti.domain.scenario_fields import DESTINATION, FIELDS, REQUIRED, SPEAK, SPELLED, Reader, ScenarioError
from ocm_cti.domain.scenario_steps import END, Condition, Step

__all__ = [
    "END",
    "Beep",
    "Condition",
    "Fragment",
    "Part",
    "Recording",
    "Scenario",
    "ScenarioError",
    "Sentence",
    "Spoken",
    "Step",
    "Variable",
    "VariableMissing",
    "parse",
    "required_fragments",
]

_HEADER = re.compile(r"^\s*\[\[\s*step\s*\]\]", re.MULTILINE)


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
    def announcements(self) -> tuple[str, ...]:
        """Numbers of the switch's own messages that it plays, each once."""
        return tuple(dict.fromkeys(step.announcement for step in self.steps.values() if step.announcement))

    @property
    def has_sound_of_ours(self) -> bool:
        """Whether it plays or records anything itself, so that the call needs a voice of ours."""
        return any(step.kind == "record" or any(step.messages) for step in self.steps.values())

    def destination_of(self, step: Step, values: Mapping[str, str]) -> str:
        """The digits that a transfer step leads to for this person. Raises VariableMissing, also for no digits."""
        assert step.to is not None
        if not step.to.startswith("{"):
            return step.to
        value = value_of(self.declared[step.to[1:-1]], values)
        if not DESTINATION.fullmatch(value):
            raise VariableMissing(step.to[1:-1], f"{step.to}: {value!r} can't be dialled")
        return value

    def fragments_of(self, message: Message, values: Mapping[str, str], language: str | None) -> tuple[Fragment, ...]:
        return resolve(message, self.declared, values, language or self.language)

    def pin_of(self, step: Step, values: Mapping[str, str]) -> str:
        """The PIN that a confirm step expects of this person. Raises VariableMissing; digits only are its business."""
        assert step.pin is not None
        if not step.pin.startswith("{"):
            return step.pin
        return value_of(self.declared[step.pin[1:-1]], values)


def parse(text: str) -> Scenario:
    """Read and check a scenario. Raises ScenarioError naming the step, its line and what is wrong with it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not readable as TOML: {error}") from None
    lines = [text.count("\n", 0, found.end()) + 1 for found in _HEADER.finditer(text)]
    top = Reader(document, "scenario")
    top.refuse_unknown(("name", "language", "delivered_after", "variables", "step"))
    tables = document.get("step")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ScenarioError("a scenario has at least one [[step]]")
    declared = _variables(document.get("variables", {}))
    steps: dict[str, Step] = {}
    for number, table in enumerate(tables):
        line = lines[number] if len(lines) == len(tables) else None
        step = _step(table, number, line)
        if step.name in steps:
            raise ScenarioError(f"{step.place}: there is another step of this name on line {steps[step.name].line}")
        steps[step.name] = step
    scenario_checks.targets(steps)
    steps = scenario_checks.with_barge_in(scenario_checks.with_successors(steps))
    scenario_checks.reachable(steps)
    scenario_checks.no_endless_loop(steps)
    delivered_after = top.text("delivered_after", None)
    if delivered_after is not None and delivered_after not in steps:
        raise ScenarioError(f"scenario: delivered_after names {delivered_after!r}, which is no step")
    used = _used(steps, declared)
    return Scenario(
        top.text("language", None) or "ru", declared, steps, delivered_after, top.text("name", None) or "", used
    )


def required_fragments(scenario: Scenario, variables: Mapping[str, str], language: str | None = None) -> list[Fragment]:
    """Everything that could be played to this person, each once. VariableMissing, also for a PIN not made of digits."""
    found: dict[Fragment, None] = {}
    for step in scenario.steps.values():
        if step.pin is not None:
            pin = scenario.pin_of(step, variables)
            if not (pin.isascii() and pin.isdecimal()):
                raise VariableMissing(step.pin.strip("{}"), f"{step.pin}: a PIN is made of digits only")
        if step.to is not None:
            scenario.destination_of(step, variables)
        for message in step.messages:
            found.update(dict.fromkeys(scenario.fragments_of(message, variables, language)))
        if step.beep:
            found[Beep()] = None
    return list(found)


def _variables(table: Any) -> dict[str, Variable]:
    if not isinstance(table, dict):
        raise ScenarioError("[variables] is a table: name = kind")
    declared = {}
    for name, told in table.items():
        reader = Reader(told if isinstance(told, dict) else {"kind": told}, f"variable {name!r}")
        declared[name] = reader.variable(name)
    for variable in declared.values():
        for inner in variable.needs()[1:]:
            if inner not in declared:
                raise ScenarioError(
                    f"variable {variable.name!r}: its currency {{{inner}}} is not declared under [variables]"
                )
        if variable.kind == "money" and not variable.currency:
            raise ScenarioError(f"variable {variable.name!r}: money needs a currency: {', '.join(CURRENCIES)}")
    return declared


def _step(table: dict[str, Any], number: int, line: int | None) -> Step:
    name = table.get("name")
    place = f"step {name!r}" if isinstance(name, str) and name else f"step number {number + 1}"
    reader = Reader(table, place + (f" (line {line})" if line is not None else ""))
    kind = reader.required("type")
    if kind not in FIELDS:
        raise reader.wrong(f"type {kind!r} is none of {', '.join(FIELDS)}")
    reader.refuse_unknown(("name", "type", *FIELDS[kind]))
    for key in ("name", *REQUIRED.get(kind, ())):
        reader.required(key)
    if name == END and kind != "hang_up":
        raise reader.wrong("the name hang_up is kept for a step of type hang_up")
    fields = {SPELLED.get(key, key): reader.value(key) for key in FIELDS[kind] if key in table}
    step = Step(name=reader.text("name", "") or "", kind=kind, place=reader.place, line=line, **fields)
    if step.message and step.announcement is not None:
        raise reader.wrong("message and announcement exclude each other")
    if kind in SPEAK and not step.message and step.announcement is None:
        raise reader.wrong("message is missing")
    if kind == "confirm" and (step.key is None) == (step.pin is None):
        raise reader.wrong("confirm needs either key or pin")
    if step.pin is not None and any(key[0] not in "*#" for key in step.keys):
        raise reader.wrong("beside a pin, other keys begin with * or #, or they couldn't be told from its digits")
    if step.key is not None and step.key in step.keys:
        raise reader.wrong(f"key {step.key} is also among keys")
    if kind == "goto" and step.otherwise is not None and step.when is None:
        raise reader.wrong("else without when is never taken")
    if step.heard is None:
        step = step.replaced(heard=kind in ("say", "ask") or (kind == "confirm" and step.pin is None))
    return step


def _used(steps: Mapping[str, Step], declared: Mapping[str, Variable]) -> tuple[str, ...]:
    used: dict[str, None] = {}
    for step in steps.values():
        names = [name for message in step.messages for name in slots(message)]
        if step.pin is not None and step.pin.startswith("{"):
            names.append(step.pin[1:-1])
        if step.to is not None and step.to.startswith("{"):
            names.append(step.to[1:-1])
        if step.when is not None and step.when.variable is not None:
            names.append(step.when.variable)
        for name in names:
            if name not in declared:
                raise ScenarioError(f"{step.place}: {{{name}}} is not declared under [variables]")
            used.update(dict.fromkeys(declared[name].needs()))
    for step in steps.values():
        if step.when is not None and step.when.answer is not None:
            asked = steps.get(step.when.answer)
            if asked is None or asked.kind != "ask":
                raise ScenarioError(
                    f"{step.place}: when looks at the answer of {step.when.answer!r}, which is no ask step"
                )
    return tuple(used)
