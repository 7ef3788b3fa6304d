"""What is wrong with a scenario beyond its own text: recordings that are not there, people whom it can't be said to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.domain.fragments import Recording, VariableMissing, resolve, slots
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenario_document import pin_digits
from ocm_cti.domain.scenario_faults import Faults, Lines
from ocm_cti.domain.scenarios import Scenario, read, required_fragments
from ocm_cti.speech import words


@dataclass(frozen=True)
class Subscribed:
    """The people of a list as they are in the store, and the language they are called in (None: not configured)."""

    list_name: str
    people: Sequence[Person]
    language: str | None


def all_faults(text: str, audio: Path | None, whom: Subscribed | None) -> Faults:
    """Also what the text alone does not show: recordings that are not in ``audio``, people whom it can't be said to."""
    faults = Faults()
    reading = read(text)
    faults.wrong += reading.wrong
    faults.remarks += reading.remarks
    draft = reading.draft
    if draft is None:
        return faults
    lines = Lines(text, 0)
    if draft.language not in words.LANGUAGES:
        faults.add(
            "scenario", f"language {draft.language!r} is none of {', '.join(words.LANGUAGES)}", lines.top("language")
        )
        return faults
    _sounds(draft, audio, faults)
    _defaults(draft, lines, faults)
    if whom is not None:
        lacking = _lacking(draft, whom, lines, faults)
        if reading.scenario is not None:
            _speakable(reading.scenario, whom, lacking, faults)
    return faults


def _defaults(scenario: Scenario, lines: Lines, faults: Faults) -> None:
    """A default that can't be said would be found out only by the first person who has no value of his own."""
    spoken = {name for step in scenario.steps.values() for message in step.messages for name in slots(message)}
    for variable in scenario.declared.values():
        currency = variable.currency or ""
        if variable.default is None or variable.name not in spoken or currency.startswith("{"):
            continue
        try:
            words.say(variable.kind, variable.default, scenario.language, currency=variable.currency)
        except words.UnspeakableValue as error:
            faults.add(f"variable {variable.name!r}", f"its default {error}", lines.variable(variable.name))
    for step in scenario.steps.values():
        name = (step.pin or step.to or "")[1:-1]
        if name not in scenario.declared or scenario.declared[name].default is None:
            continue
        try:
            if step.pin is not None:
                pin_digits(scenario, step, {})
            if step.to is not None:
                scenario.destination_of(step, {})
        except VariableMissing as error:
            faults.add(f"variable {name!r}", f"its default is used by {step.place}: {error}", lines.variable(name))


def _sounds(scenario: Scenario, audio: Path | None, faults: Faults) -> None:
    for step in scenario.steps.values():
        for piece in (piece for message in step.messages for piece in message):
            place = f"step {step.name!r}"
            if isinstance(piece, Recording):
                if audio is not None and not (audio / piece.path_name).is_file():
                    faults.add(place, f"no recording {piece.path_name} in {audio}", step.line)
            elif not slots((piece,)):
                try:
                    for fragment in resolve((piece,), {}, {}, scenario.language):
                        words.check(fragment)
                except words.UnspeakableValue as error:
                    faults.add(place, str(error), step.line)


def _lacking(scenario: Scenario, whom: Subscribed, lines: Lines, faults: Faults) -> frozenset[str]:
    """Keys of the people who have no value for something."""
    if whom.language is not None and whom.language != scenario.language:
        faults.remark(
            "scenario",
            f"is written in {scenario.language}, but list {whom.list_name} is called in {whom.language} "
            "(its setting language)",
        )
    lacking = _missing_values(scenario, whom.people)
    for name, people in lacking.items():
        count = f"{len(people)} of {len(whom.people)} people of list {whom.list_name} have no"
        who = f"nobody of list {whom.list_name} has a" if len(people) == len(whom.people) else count
        faults.add(f"variable {name!r}", f"{who} value for it{_first(people)}", lines.variable(name))
    return frozenset(person.key for people in lacking.values() for person in people)


def _speakable(scenario: Scenario, whom: Subscribed, incomplete: frozenset[str], faults: Faults) -> None:
    unspeakable: dict[str, list[Person]] = {}
    for person in whom.people:
        if person.key in incomplete:
            continue
        try:
            for fragment in required_fragments(scenario, person.variables, whom.language):
                words.check(fragment)
        except (VariableMissing, words.UnspeakableValue) as error:
            unspeakable.setdefault(str(error), []).append(person)
    for why, people in unspeakable.items():
        faults.add(f"list {whom.list_name}", f"can't be said to {len(people)} people: {why}{_first(people)}")


def _missing_values(scenario: Scenario, people: Sequence[Person]) -> Mapping[str, list[Person]]:
    found: dict[str, list[Person]] = {}
    for name in scenario.needed:
        without = [person for person in people if not person.variables.get(name, "").strip()]
        if without:
            found[name] = without
    return found


def _first(people: Sequence[Person]) -> str:
    return f" (the first: {people[0].name or people[0].key})" if people else ""
