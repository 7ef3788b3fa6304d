"""The drawing of a scenario: its steps one below the other, as in the file, and the ways between them as arcs.

What simply follows is a short arrow down. Ways forward run on the right, ways back on the left, each in a lane of its
own as far out as it must be, so that thirty steps can still be read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocm_cti.domain.scenario_ways import asked, next_of, short, ways
from ocm_cti.domain.scenarios import Scenario, Step

BOX_W, BOX_H = 300, 62
END_W, END_H = 150, 28
GAP = 34
LANE_W = 26
EDGE = 14
#: Letters of a line in a box, and beside an arc.
LONGEST, LONGEST_LABEL = 40, 22
_LETTER_W = 6.4


@dataclass(frozen=True)
class Box:
    """``number`` counts the steps from 1. ``delivered``: from here on the call counts as delivered."""

    number: int
    name: str
    kind: str
    says: str
    asks: str
    x: float
    y: float
    delivered: bool
    is_end: bool = False


@dataclass(frozen=True)
class Arc:
    """``path`` is of SVG; the label stands at its beginning."""

    path: str
    label: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...]


@dataclass(frozen=True)
class _Way:
    at: int
    to: int
    label: str


def drawing(scenario: Scenario, *, is_draft: bool = False) -> Drawing:
    """``is_draft``: it has faults; ways to steps that are not there are left out, and what is not said follows."""
    if is_draft:
        found_steps = {name: _going_on(scenario, step) for name, step in scenario.steps.items()}
        scenario = replace(scenario, steps=found_steps)
    steps = list(scenario.steps.values())
    rows = {step.name: row for row, step in enumerate(steps)}
    end = len(steps)
    found = [way for row, step in enumerate(steps) for way in _ways_of(scenario, step, row, rows, end)]
    straight = [way for way in found if way.to == way.at + 1 and not way.label]
    forward = _lanes([way for way in found if way not in straight and way.to > way.at])
    back = _lanes([way for way in found if way.to <= way.at])
    label_w = LONGEST_LABEL * _LETTER_W
    left = EDGE + (max((lane for _, lane in back), default=-1) + 1) * LANE_W + (label_w if back else 0)
    right = (max((lane for _, lane in forward), default=-1) + 1) * LANE_W + (label_w if forward else 0)

    def top(row: int) -> float:
        return EDGE + row * (BOX_H + GAP)

    boxes = [
        Box(
            row + 1,
            step.name,
            f"{step.kind} {step.survey}" if step.survey else step.kind,
            _cut(short(step.message), LONGEST),
            _cut(asked(step), LONGEST),
            left,
            top(row),
            scenario.delivered_after == step.name,
        )
        for row, step in enumerate(steps)
    ]
    boxes.append(Box(end + 1, "", "", "", "", left, top(end), False, is_end=True))
    middle = left + BOX_W / 2
    arcs = [Arc(f"M{middle:g} {top(way.at) + BOX_H:g}V{top(way.to) - 4:g}", "", 0, 0, "start") for way in straight]
    #: Several ways of one box leave it one below the other.
    left_at: dict[int, int] = {}
    for side, ways_here in ((1, forward), (-1, back)):
        for way, lane in ways_here:
            place = left_at.get(way.at, 0)
            left_at[way.at] = place + 1
            begins = top(way.at) + 12 + min(place, 3) * 13
            is_end = way.to == end
            ends = top(way.to) + (END_H / 2 if is_end else BOX_H / 2 + side * 6)
            edge = left + BOX_W if side == 1 else left
            tip = edge - side * ((BOX_W - END_W) / 2 if is_end else 0) + side * 5
            out = edge + side * (label_w + lane * LANE_W + LANE_W / 2)
            path = f"M{edge:g} {begins:g}H{out:g}V{ends:g}H{tip:g}"
            arcs.append(
                Arc(path, _cut(way.label, LONGEST_LABEL), edge + side * 6, begins - 3, "start" if side == 1 else "end")
            )
    return Drawing(left + BOX_W + right + EDGE, top(end) + BOX_H / 2 + EDGE, tuple(boxes), tuple(arcs))


def _going_on(scenario: Scenario, step: Step) -> Step:
    following = next_of(scenario, step)
    return step.replaced(then=step.then or following, otherwise=step.otherwise or following)


def _ways_of(scenario: Scenario, step: Step, row: int, rows: dict[str, int], end: int) -> list[_Way]:
    def place(target: str | None) -> int | None:
        return end if target is None else rows.get(target)

    found = [(label, place(target)) for label, target in ways(scenario, step)]
    goes_on = step.kind != "hang_up" and step.kind != "transfer" and (not step.collects or step.takes_then)
    if goes_on and not (step.when is not None and step.then != next_of(scenario, step)):
        found.insert(0, ("" if step.then == next_of(scenario, step) else "then", place(step.then)))
    if step.kind == "hang_up":
        found.append(("", end))
    if step.kind == "transfer":
        found.insert(0, ("connected", end))
    merged: dict[int, list[str]] = {}
    for label, to in found:
        if to is not None:
            merged.setdefault(to, []).append(label)
    return [_Way(row, to, ", ".join(label for label in labels if label)) for to, labels in merged.items()]


def _lanes(found: list[_Way]) -> list[tuple[_Way, int]]:
    """Short ways inside, long ones outside; two that would cover each other are not in one lane."""
    lanes: list[list[tuple[int, int]]] = []
    placed = []
    for way in sorted(found, key=lambda one: (abs(one.to - one.at), one.at)):
        first, last = sorted((way.at, way.to))
        lane = next(
            (
                place
                for place, taken in enumerate(lanes)
                if all(last < other_first or first > other_last for other_first, other_last in taken)
            ),
            len(lanes),
        )
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((first, last))
        placed.append((way, lane))
    return placed


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
