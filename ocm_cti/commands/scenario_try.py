"""``ocm scenario try``: a scenario gone through in the terminal, with typed keys in the place of a telephone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.commands.people_found import found, named, region_of
from ocm_cti.commands.scenario_files import scenario_of, subscribed
from ocm_cti.domain.fragments import Fragment, Recording, Spoken, VariableMissing
from ocm_cti.domain.outcomes import of_answered
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenario_actions import (
    Action,
    Announce,
    HangUp,
    Play,
    Record,
    RunResult,
    StartTimer,
    StopPlaying,
    Transfer,
)
from ocm_cti.domain.scenario_questions import questions
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenario_walk import HANG_UP, NOBODY, walk
from ocm_cti.domain.scenarios import Scenario, Step, required_fragments
from ocm_cti.reports import reasons
from ocm_cti.reports.words import Words
from ocm_cti.speech import words
from ocm_cti.store.attempts import Told

#: Typed in the place of keys.
HANG_UP_TYPED = "h"


@dataclass(frozen=True)
class Whom:
    """Who is told: his values, and the language of his list (None: the scenario's)."""

    variables: Mapping[str, str]
    language: str | None = None
    name: str = ""
    shown: str = ""  # who was found on the list


def walk_through(
    config_path: Path,
    path: Path,
    *,
    list_name: str | None,
    person_key: str | None,
    values: Sequence[str],
    keys: str | None,
    nobody_there: bool,
) -> int:
    scenario = scenario_of(path)
    whom = whom_to_try(config_path, list_name, person_key, values)
    check_speakable(scenario, whom)
    console = open_console()
    tell_whom(console, whom, list_name)
    typed = _from_list(keys) if keys is not None else _from_terminal(console)
    by_hand = keys is None and sys.stdin.isatty()
    if by_hand:
        console.print(f"keys and Enter; Enter alone: silence; {HANG_UP_TYPED}: hang up", style="dim")
    result = _walked(Run(scenario, whom.variables, whom.language), console, typed, nobody_there, echo=not by_hand)
    tell(console, scenario, result)
    return 0


def whom_to_try(config_path: Path, list_name: str | None, person_key: str | None, values: Sequence[str]) -> Whom:
    """Raises CommandError for a person who is not there and for a value without a name."""
    variables: dict[str, str] = {}
    language, name, shown = None, "", ""
    if person_key is not None and list_name is None:
        raise CommandError("--person is somebody of a list; name it with --list")
    if list_name is not None:
        config = configuration.load(config_path)
        people = subscribed(config, list_name)
        language = people.language
        person = _person(people.people, list_name, person_key, region_of(config, list_name))
        variables |= person.variables
        name, shown = person.name or person.key, named([person])
    for value in values:
        variable, equals, told = value.partition("=")
        if not equals or not variable.strip():
            raise CommandError(f"--set {value}: write --set name=value")
        variables[variable.strip()] = told
    return Whom(variables, language, name, shown)


def _person(people: Sequence[Person], list_name: str, typed: str | None, region: str) -> Person:
    if not people:
        raise CommandError(f"there is nobody on list {list_name}; import people first")
    if typed is None:
        return people[0]
    meant = found(people, typed, region)
    if not meant:
        raise CommandError(f"nobody on list {list_name} has the id, the number or the name {typed!r}")
    if len(meant) > 1:
        raise CommandError(f"{len(meant)} people on list {list_name} may be meant by {typed!r}: {named(meant)}")
    return meant[0]


def tell_whom(console: Console, whom: Whom, list_name: str | None) -> None:
    if whom.shown:
        console.print(f"as it is said to {whom.shown} of {list_name}", style="dim", soft_wrap=True)


def check_speakable(scenario: Scenario, whom: Whom) -> None:
    """Raises CommandError for a value that is missing or can't be spoken."""
    try:
        for fragment in required_fragments(scenario, whom.variables, whom.language):
            words.check(fragment)
    except VariableMissing as error:
        raise CommandError(f"{error}; give it with --set {error.variable}=VALUE, or somebody's with --list") from None
    except words.UnspeakableValue as error:
        raise CommandError(str(error)) from None


def _from_list(keys: str) -> Callable[[Step], str]:
    """One entry after another, separated by commas; after the last the person is silent."""
    entries = [entry.strip() for entry in keys.split(",")]
    for entry in entries:
        _checked(entry)

    def typed(_: Step) -> str:
        return _checked(entries.pop(0)) if entries else ""

    return typed


def _from_terminal(console: Console) -> Callable[[Step], str]:
    """A line for each wait; the end of the input is the person's hanging up."""

    def typed(step: Step) -> str:
        while True:
            if sys.stdin.isatty():
                console.print(f"{step.name}> ", end="")
            line = sys.stdin.readline()
            if not line:
                return HANG_UP
            try:
                return _checked(line.strip())
            except CommandError as error:
                if not sys.stdin.isatty():
                    raise
                console.print(str(error), style="red")

    return typed


def _checked(entry: str) -> str:
    if entry == HANG_UP_TYPED:
        return HANG_UP
    wrong = sorted(set(entry) - set("0123456789*#ABCD"))
    if wrong:
        raise CommandError(f"{wrong[0]!r} is no key of a telephone; 0-9, * and #, or {HANG_UP_TYPED} to hang up")
    return entry


def _walked(run: Run, console: Console, typed: Callable[[Step], str], nobody_there: bool, *, echo: bool) -> RunResult:
    walking = walk(run)
    answer: str | None = None
    try:
        while True:
            action = walking.send(answer) if answer is not None else next(walking)
            _print(console, run.at, action)
            answer = ""
            if isinstance(action, StartTimer) and run.at.kind != "pause":
                answer = typed(run.at)
                if echo:
                    console.print(Text(f"{'':14} ← {_pressed(run.at, answer)}", style="cyan"))
            elif isinstance(action, Transfer) and nobody_there:
                answer = NOBODY
    except StopIteration as end:
        result: RunResult = end.value
        return result


def _pressed(step: Step, answer: str) -> str:
    if answer == HANG_UP:
        return "(he hangs up)"
    if step.pin is not None and answer.strip("#*"):
        return "(keys of a PIN)"
    return answer or "(silence)"


def _print(console: Console, step: Step, action: Action) -> None:
    match action:
        case Play():
            told = " ".join(spoken(fragment) for fragment in action.fragments)
        case Announce():
            told = f"(message {action.ogm} of the switch)"
        case StopPlaying():
            told = "(the key stops it)"
        case StartTimer() if step.kind == "pause":
            told = f"(a pause of {action.seconds:g} s)"
        case StartTimer():
            told = f"(waits {action.seconds:g} s for a key)"
        case Record():
            told = f"(a reply of up to {action.max_ms / 1000:g} s is recorded)"
        case Transfer():
            told = f"(is connected with {action.to})"
        case HangUp():
            told = "(the call ends)"
        case _:
            return
    style = "dim" if told.startswith("(") else ""
    console.print(Text.assemble((f"{step.name:14} ", "bold"), (told, style)), soft_wrap=True)


def spoken(fragment: Fragment) -> str:
    """As it is going to be heard: values in words, recordings by their names."""
    if isinstance(fragment, Spoken):
        return words.sentence(fragment)
    return f"<{fragment.path_name}>" if isinstance(fragment, Recording) else "<beep>"


def tell(console: Console, scenario: Scenario, result: RunResult) -> None:
    """What came of it, as the report would have it."""
    outcome = of_answered(
        confirmed=result.confirmed, heard_out=result.heard_out, fault=False, transferred=bool(result.transferred_to)
    )
    lines = [("outcome", outcome.value), ("keys", result.keys), *answer_lines(scenario, result.answers)]
    labels = {question.step: question.label for question in questions(scenario)}
    lines += [(labels.get(step, step), "a reply") for step, _ in result.recordings]
    lines += [("wrong entries", str(result.wrong_keys))] if result.wrong_keys else []
    lines += [("transferred to", result.transferred_to)] if result.transferred_to else []
    lines += [("stop list", name) for name in result.stop_lists]
    console.print()
    for what, told in lines:
        console.print(Text.assemble((f"{what}: ", "bold"), told), soft_wrap=True)


def answer_lines(scenario: Scenario, answers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each question by its label, with its answer and what that is called."""
    labels = {question.step: question for question in questions(scenario)}
    lines = []
    for step, value in answers:
        asked = labels.get(step)
        label = asked.label_of(value) if asked is not None else value
        lines.append(
            (asked.label if asked is not None else step, label if label.startswith(value) else f"{value} ({label})")
        )
    return lines


def outcome_lines(scenario: Scenario, told: Told) -> list[tuple[str, str]]:
    """What the ledger has of a call."""
    lines = [("outcome", told.outcome), ("cause", reasons.told(told.cause, told.native_cause, Words()))]
    if told.of_ms:
        lines.append(("heard", f"{told.heard_ms / 1000:.0f} of {told.of_ms / 1000:.0f} s"))
    return [*lines, ("keys", told.keys), *answer_lines(scenario, told.answers), *told.recordings]
