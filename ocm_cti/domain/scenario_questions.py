"""The questions that a checked scenario asks, and every answer that its interpreter may keep: this is the truth.

Reports read the text of a frozen scenario (``reports.questions``), which may be of another version and not pass the
check of this one; of what does pass they must say the same, and a test of theirs holds them to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ocm_cti.domain.scenario_steps import Option, Step
from ocm_cti.domain.scenarios import Scenario


@dataclass(frozen=True)
class Answer:
    """One possible answer: as the ledger keeps it (``answer.value``), and as reports call it."""

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """``step`` is the name under which answers are kept; ``kind`` is one of KINDS; ``label`` is for reports.

    ``answers`` are all possible ones in their order (of a scale all its marks), then keys that lead elsewhere; empty
    where anything may come: digits, reply.
    """

    step: str
    kind: str
    label: str
    answers: tuple[Answer, ...] = ()

    def label_of(self, value: str) -> str:
        """What reports call a kept answer; the value itself where it has no name."""
        return next((answer.label for answer in self.answers if answer.value == value), value)


#: A survey's own four; ``keys`` is an ask step (its answers are its keys), ``reply`` a record step.
KINDS = ("single", "yes_no", "scale", "digits", "keys", "reply")


def questions(scenario: Scenario) -> tuple[Question, ...]:
    """In the order of the scenario. Confirm steps are none: what came of them is the call's outcome."""
    return tuple(_question(step) for step in scenario.steps.values() if step.kind in ("survey", "ask", "record"))


def _question(step: Step) -> Question:
    kind = step.survey or {"ask": "keys", "record": "reply"}[step.kind]
    return Question(step.name, kind, step.question or step.name, tuple(_answers(step)))


def _answers(step: Step) -> Iterator[Answer]:
    if step.survey == "scale":
        for mark in range(step.minimum, step.maximum + 1):
            named = step.options.get(str(mark))
            yield Answer(str(mark), f"{mark} ({named.label})" if named else str(mark))
        options: Mapping[str, Option] = {}
    else:
        options = step.options
    for option in options.values():
        yield Answer(option.value, option.label)
    for key, target in step.keys.items():
        yield Answer(key, key if step.kind == "ask" else f"{key} → {target}")
