"""Charts as numbers: where the bars and columns of a drawing stand. Drawn as SVG by templates, coloured by classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The drawing of columns, in its own units.
WIDTH, HEIGHT = 720, 220
_LEFT, _TOP, _BOTTOM = 44, 12, 26
_GAP = 0.25


@dataclass(frozen=True)
class Bar:
    """A lying bar: ``width`` is of 100, ``kind`` the class of its colour."""

    name: str
    count: int
    share: float
    width: float
    kind: str = ""


@dataclass(frozen=True)
class Column:
    """Standing rectangles of one place, the widest behind: (class, y, height, count)."""

    name: str
    x: float
    width: float
    parts: tuple[tuple[str, float, float, int], ...]


@dataclass(frozen=True)
class Columns:
    """``lines`` are those of the scale: (y, what stands beside it)."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[float, int], ...]
    floor: float


def bars(counts: Sequence[tuple[str, int, str]], of: int = 0) -> list[Bar]:
    """(name, count, class) each; shares are of ``of``, else of their sum. The longest bar is whole."""
    most = max((count for _, count, _ in counts), default=0) or 1
    whole = of or sum(count for _, count, _ in counts) or 1
    return [Bar(name, count, count / whole, round(100 * count / most, 2), kind) for name, count, kind in counts]


def columns(rows: Sequence[Mapping[str, Any]], name: str, series: Sequence[str]) -> Columns:
    """``rows`` have a ``name`` and a count of each of ``series``, each of which contains the next one."""
    most = max((int(row[one]) for row in rows for one in series), default=0)
    step = _step(most)
    top = max(step, -(-most // step) * step)
    high = HEIGHT - _TOP - _BOTTOM
    place = (WIDTH - _LEFT) / max(len(rows), 1)
    drawn = []
    for at, row in enumerate(rows):
        parts = []
        for one in series:
            tall = high * int(row[one]) / top
            parts.append((one, round(_TOP + high - tall, 2), round(tall, 2), int(row[one])))
        left = _LEFT + place * (at + _GAP / 2)
        drawn.append(Column(str(row[name]), round(left, 2), round(min(place * (1 - _GAP), 60), 2), tuple(parts)))
    lines = tuple((round(_TOP + high - high * value / top, 2), value) for value in range(0, top + 1, step))
    return Columns(tuple(drawn), lines, _TOP + high)


def busy(hours: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Of the hours of the day those from the first to the last with calls, and one more on both sides."""
    used = [place for place, hour in enumerate(hours) if hour["attempts"]]
    return hours[max(0, used[0] - 1) : used[-1] + 2] if used else ()


def _step(most: int) -> int:
    """A round number of which four or five make the scale."""
    unit = 1
    while True:
        for times in (1, 2, 5):
            if unit * times * 5 >= most:
                return unit * times
        unit *= 10
