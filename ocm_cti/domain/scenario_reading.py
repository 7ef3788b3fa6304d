"""Reading a whole scenario: everything that is wrong with it in one go, and what only looks wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ocm_cti.domain import scenario_checks
from ocm_cti.domain.fragments import CURRENCIES, Variable, slots
from ocm_cti.domain.scenario_document import Scenario
from ocm_cti.domain.scenario_faults import Faults, Lines, ScenarioError, located
from ocm_cti.domain.scenario_fields import Reader
from ocm_cti.domain.scenario_grammar import FIELDS, NAME, REQUIRED, REQUIRED_OF_SURVEY, SPEAK, SPELLED, fields_of
from ocm_cti.domain.scenario_steps import END, Option, Step

#: What yes and no are called in reports where the scenario does not say it, by its language.
YES_NO = {"ru": ("да", "нет"), "uk": ("так", "ні"), "en": ("yes", "no")}
#: A scenario is a page or two; what is longer is some other file.
LONGEST = 200_000
_AT_LINE = re.compile(r"\(at line (\d+),")
_TOP = ("name", "language", "delivered_after", "variables", "step")


@dataclass(frozen=True)
class Reading:
    """``scenario`` is None where something is ``wrong``; ``remarks`` are worth a look.

    Both in the order of finding: what may be the cause of another fault stands before it. ``draft`` is as much of the
    scenario as could be read, for looking at its recordings and variables; None where nothing could.
    """

    scenario: Scenario | None
    draft: Scenario | None
    wrong: tuple[ScenarioError, ...] = ()
    remarks: tuple[ScenarioError, ...] = ()


def read(text: str) -> Reading:
    """Read and check a scenario; never raises."""
    faults = Faults()
    draft = _read(text, faults)
    return Reading(None if faults.wrong else draft, draft, tuple(faults.wrong), tuple(faults.remarks))


def _read(text: str, faults: Faults) -> Scenario | None:
    if len(text) > LONGEST:
        faults.add("scenario", f"is longer than {LONGEST} letters")
        return None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        faults.add("scenario", f"not readable as TOML: {error}", int(at[1]) if at else None)
        return None
    except (RecursionError, ValueError) as error:  # brackets without end; a year 0 or a number of 5000 digits
        faults.add("scenario", f"not readable as TOML: {error}")
        return None
    tables = document.get("step")
    steps_there = isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables)
    lines = Lines(text, len(tables) if isinstance(tables, list) and steps_there else 0)
    top = Reader(document, "scenario", lambda key: lines.top(key) if key else None)
    top.refuse_unknown(_TOP, faults)
    language = "ru"
    with faults.kept():
        language = top.text("language", None) or "ru"
    declared = _variables(document.get("variables", {}), lines, faults)
    if not isinstance(tables, list) or not steps_there:
        faults.add("scenario", "a scenario has at least one [[step]]")
        return None
    steps: dict[str, Step] = {}
    names: set[str] = set()
    for number, table in enumerate(tables):
        step = _step(table, number, lines, language, faults)
        names.add(str(table.get("name")))
        if step is None:
            continue
        if step.name in steps:
            faults.add(
                f"step {step.name!r}", f"there is another step of this name on line {steps[step.name].line}", step.line
            )
        steps.setdefault(step.name, step)
    all_read = not faults.wrong
    scenario_checks.targets(steps, names, faults)
    marked = _delivered_after(top, steps, names, faults)
    used = _used(steps, names, declared, faults)
    for name in declared:
        if all_read and name not in used:
            faults.remark(f"variable {name!r}", "is used nowhere", lines.variable(name))
    if not all_read or faults.wrong:
        return Scenario(language, declared, steps, marked, "", used) if steps else None
    steps = scenario_checks.with_barge_in(scenario_checks.with_successors(steps))
    scenario_checks.reachable(steps, faults)
    scenario_checks.no_endless_loop(steps, faults)
    scenario_checks.look_again(steps, marked, faults)
    title = ""
    with faults.kept():
        title = top.text("name", None) or ""
    return Scenario(language, declared, steps, marked, title, used)


def _variables(table: Any, lines: Lines, faults: Faults) -> dict[str, Variable]:
    if not isinstance(table, dict):
        faults.add("scenario", "[variables] is a table: name = kind", lines.top("variables"))
        return {}
    declared = {}
    for name, told in table.items():
        place = f"variable {name!r}"
        line = partial(lambda name, _: lines.variable(name), name)
        with faults.kept():
            declared[name] = Reader(told if isinstance(told, dict) else {"kind": told}, place, line).variable(
                name, faults
            )
    for variable in declared.values():
        place, at = f"variable {variable.name!r}", lines.variable(variable.name)
        for inner in variable.needs()[1:]:
            if inner not in table:
                faults.add(place, f"its currency {{{inner}}} is not declared under [variables]", at)
        if variable.kind == "money" and not variable.currency:
            faults.add(place, f"money needs a currency: {', '.join(CURRENCIES)}", at)
    # One that could not be read is declared all the same: no second fault for each of its uses.
    return {**{name: Variable(name) for name in table}, **declared}


def _step(table: dict[str, Any], number: int, lines: Lines, language: str, faults: Faults) -> Step | None:
    name = table.get("name")
    place = f"step {name!r}" if isinstance(name, str) and name else f"step number {number + 1}"
    line = lines.step(number)
    reader = Reader(table, place, partial(lines.step, number))
    kind = table.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        why = "type is missing" if kind is None else f"type {kind!r} is none of {', '.join(FIELDS)}"
        faults.wrong.append(reader.wrong(why, "type"))
        return None
    known = fields_of(kind, table.get("kind"))
    reader.refuse_unknown(("name", "type", *known), faults)
    needed = REQUIRED.get(kind, ()) + (REQUIRED_OF_SURVEY.get(str(table.get("kind")), ()) if kind == "survey" else ())
    for key in ("name", *needed):
        with faults.kept():
            reader.required(key)
    fields: dict[str, Any] = {}
    for key in known:
        if key in table:
            with faults.kept():
                fields[SPELLED.get(key, key)] = reader.value(key)
    with faults.kept():
        own_name = reader.text("name", "") or ""
        if "message" in fields:
            fields["mark"] = reader.mark()
        step = Step(name=own_name, kind=kind, place=located(place, line), line=line, **fields)
        _agree(step, table, reader, faults)
        return _filled(step, language)
    return None


def _agree(step: Step, table: Mapping[str, Any], reader: Reader, faults: Faults) -> None:
    """What of one step must fit together."""

    def wrong(why: str, key: str | None = None) -> None:
        faults.wrong.append(reader.wrong(why, key))

    if step.name and not NAME.fullmatch(step.name):
        wrong("name: at most 100 letters, without / and \\, not beginning with a dot", "name")
    if step.name == END and step.kind != "hang_up":
        wrong("the name hang_up is kept for a step of type hang_up", "name")
    if step.message and step.announcement is not None:
        wrong("message and announcement exclude each other", "announcement")
    if step.kind in SPEAK and "message" not in table and "announcement" not in table:
        wrong("message is missing")
    if step.kind == "confirm" and ("key" in table) == ("pin" in table):
        wrong("confirm needs either key or pin")
    own_keys = [*step.keys, *([step.repeat] if step.repeat else [])]
    if step.pin is not None and any(key[0] not in "*#" for key in own_keys):
        wrong("beside a pin, other keys begin with * or #, or they couldn't be told from its digits", "keys")
    if step.is_number and any(key[0] in "0123456789#" for key in own_keys):
        wrong(
            "beside an answer of digits, which # ends, other keys begin with *, or they couldn't be told from it",
            "keys",
        )
    answers = list(step.options) if step.survey in ("single", "yes_no") else []
    if step.survey == "yes_no" and "options" not in table:
        answers = ["1", "2"]
    taken = [*answers, *([step.key] if step.key else [])]
    for key in step.keys:
        if key in taken:
            wrong(f"key {key} is also among {'options' if answers else 'keys'}", "keys" if not answers else "options")
    if step.repeat is not None and any(key.startswith(step.repeat) for key in (*taken, *step.keys)):
        wrong(f"repeat: key {step.repeat} has another meaning too", "repeat")
    if step.survey is not None and None in step.keys.values():
        wrong("keys of a survey are a table key = step: its answers are its options", "keys")
    if step.survey == "yes_no" and "options" in table and len(step.options) not in (0, 2):
        wrong("options of yes_no are two: the first means yes, the second no", "options")
    if step.survey == "scale" and "max" in table and step.maximum <= step.minimum:
        wrong(f"max {step.maximum} is not above min {step.minimum}", "max")
    if step.survey == "scale":
        for value in step.options:
            if str(int(value)) != value or not step.minimum <= int(value) <= step.maximum:
                wrong(f"options: {value} is no mark from {step.minimum} to {step.maximum}", "options")
    if step.survey == "digits" and "max_length" in table and step.maximum < step.minimum:
        wrong(f"max_length {step.maximum} is below min_length {step.minimum}", "max_length")
    if step.kind == "goto" and step.otherwise is not None and step.when is None:
        wrong("else without when is never taken", "else")
    if step.kind in ("ask", "confirm", "survey") and step.tries == 1:
        for key in ("wrong", "silent"):
            if key in table:
                faults.remarks.append(reader.wrong(f"{key} is never said, as tries is 1", key))


def _filled(step: Step, language: str) -> Step:
    """With what is understood where it is not written."""
    if step.survey == "digits" and step.minimum == 0:
        step = step.replaced(minimum=1)
    if step.survey == "yes_no":
        yes, no = YES_NO.get(language, YES_NO["en"])
        written = step.options or {"1": Option("1", yes), "2": Option("2", no)}
        meant = zip(written.items(), ("yes", "no"), strict=False)
        step = step.replaced(
            options={key: Option(value, option.label, option.target) for (key, option), value in meant}
        )
    if step.heard is None:
        by_pin = step.kind == "confirm" and step.pin is not None
        step = step.replaced(heard=step.kind in SPEAK and not by_pin)
    return step


def _delivered_after(top: Reader, steps: Mapping[str, Step], names: set[str], faults: Faults) -> str | None:
    marked = [step for step in steps.values() if step.mark is not None]
    written = None
    with faults.kept():
        written = top.text("delivered_after", None)
        if written is not None and written not in names:
            raise top.wrong(f"delivered_after names {written!r}, which is no step", "delivered_after")
    named = [*([written] if written is not None else []), *(step.name for step in marked)]
    if len(named) > 1:
        other = marked[-1]
        where = "delivered_after at the top" if written is not None else f"step {marked[0].name!r}"
        faults.add(f"step {other.name!r}", f"{{ delivered = true }} stands once; there is {where} too", other.line)
    return named[0] if named else None


def _used(
    steps: Mapping[str, Step], names: set[str], declared: Mapping[str, Variable], faults: Faults
) -> tuple[str, ...]:
    used: dict[str, None] = {}
    for step in steps.values():
        wanted = [name for message in step.messages for name in slots(message)]
        if step.pin is not None and step.pin.startswith("{"):
            wanted.append(step.pin[1:-1])
        if step.to is not None and step.to.startswith("{"):
            wanted.append(step.to[1:-1])
        if step.when is not None and step.when.variable is not None:
            wanted.append(step.when.variable)
        for name in dict.fromkeys(wanted):
            if name in declared:
                used.update(dict.fromkeys(declared[name].needs()))
            else:
                faults.add(f"step {step.name!r}", f"{{{name}}} is not declared under [variables]", step.line)
        if step.when is not None and step.when.answer is not None:
            asked = steps.get(step.when.answer)
            answers = asked is not None and (asked.collects or asked.kind == "record")
            if not answers and (asked is not None or step.when.answer not in names):
                why = f"when looks at the answer of {step.when.answer!r}, which is no step that asks"
                faults.add(f"step {step.name!r}", why, step.line)
    return tuple(used)
