"""What a frozen scenario asked: its questions, and what each answer means.

Read from the TOML itself and not from the checked scenario, so that a campaign of an older or newer version, with kinds
of steps that this one does not know, still has its report. Where the scenario does pass the check,
``domain.scenario_questions`` is the truth, and this one says the same in fewer words.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocm_cti.reports.words import Words

#: Of a survey step, which names it; ``ask`` is a choice, ``record`` a reply.
KINDS = ("single", "yes_no", "scale", "digits", "reply")
_KIND_OF_STEP = {"ask": "single", "survey": "single", "record": "reply"}
#: As they are kept, whatever keys they are given by.
_YES_NO = ("yes", "no")
#: As the name of a step it says nothing.
_NO_MEANING = "hang_up"
#: A wider scale is not shown value by value, but by what was answered.
_WIDEST_SCALE = 20


@dataclass(frozen=True)
class Question:
    """``kind`` is one of KINDS; ``label`` is what was asked, at least the name of the step.

    ``options`` are (answer, meaning) in the order of the scenario, as answers are kept; the meaning is "" where the
    scenario has none. There are none for replies, and for digits only the keys that lead elsewhere.
    """

    step: str
    kind: str
    label: str
    options: tuple[tuple[str, str], ...] = ()

    def meaning(self, value: str) -> str:
        return next((meaning for option, meaning in self.options if option == value), "")

    def told(self, value: str, words: Words) -> str:
        """The answer as people read it: what it means, and what was pressed for it."""
        meaning = words(self.meaning(value))
        if not meaning or value in _YES_NO:
            return meaning or value
        return f"{value} – {meaning}"


def questions(scenario: str) -> dict[str, Question]:
    """The questions of a scenario by the name of their step, in its order. What can't be read asks nothing."""
    try:
        document = tomllib.loads(scenario)
    except tomllib.TOMLDecodeError:
        return {}
    steps = document.get("step")
    tables = [table for table in steps if isinstance(table, dict)] if isinstance(steps, list) else []
    return {
        table["name"]: _question(table)
        for table in tables
        if isinstance(table.get("name"), str) and str(table.get("type")) in _KIND_OF_STEP
    }


def _question(table: Mapping[str, Any]) -> Question:
    name, kind = str(table["name"]), str(table.get("kind", ""))
    if kind not in KINDS:
        kind = _KIND_OF_STEP[str(table["type"])]
    told = table.get("question")
    options: dict[str, str] = {}
    if kind in ("single", "yes_no", "scale"):
        options = _options(table.get("options"))
    if kind == "yes_no":
        # The first option is yes, the second no; their names are the scenario's.
        names = [*options.values(), "", ""]
        options = {answer: names[place] or answer for place, answer in enumerate(_YES_NO)}
    if kind == "scale":
        options = {value: options.get(value, "") for value in _scale(table)} or options
    if kind != "reply":
        options |= _options(table.get("keys"))  # those that lead elsewhere; of an ask step all
    return Question(name, kind, told if isinstance(told, str) and told.strip() else name, tuple(options.items()))


def _options(given: object) -> dict[str, str]:
    """``{1 = "gladly"}``, ``{1 = {label = "gladly"}}``, ``["1", "2"]``, or of an ask step ``{1 = "operator"}``: the
    step that the key leads to is as near to a meaning as it comes."""
    if isinstance(given, list):
        return {str(option): "" for option in given}
    found = {}
    for option, told in given.items() if isinstance(given, Mapping) else ():
        label = told.get("label") if isinstance(told, Mapping) else told
        found[str(option)] = label if isinstance(label, str) and label != _NO_MEANING else ""
    return found


def _scale(table: Mapping[str, Any]) -> list[str]:
    lowest, highest = table.get("min", 0), table.get("max")
    if not isinstance(lowest, int) or not isinstance(highest, int) or not 0 <= highest - lowest < _WIDEST_SCALE:
        return []
    return [str(value) for value in range(lowest, highest + 1)]
