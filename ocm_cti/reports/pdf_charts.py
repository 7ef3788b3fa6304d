"""Charts on paper, drawn to be read at a glance and in grey: every bar has its number beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

from ocm_cti.reports.pdf_fonts import BOLD, PLAIN, fitted

DARK, MIDDLE, PALE = HexColor("#1F5FA8"), HexColor("#6FB1E4"), HexColor("#DCE6F0")
INK, GREY, RULE = HexColor("#222222"), HexColor("#666666"), HexColor("#CCCCCC")
#: Points.
_SIZE = 9.0
_BAR_HEIGHT, _BAR_STEP = 12.0, 18.0
_COLUMNS_HEIGHT = 120.0
_FOOT = 16.0


@dataclass(frozen=True)
class Bar:
    """``label`` before it, ``told`` behind it."""

    label: str
    value: float
    told: str
    colour: Color = DARK


def bars(width: float, shown: Sequence[Bar], *, most: float | None = None) -> Drawing:
    """Lying bars below one another; ``most`` is the value of a full one (None: the greatest)."""
    height = _BAR_STEP * len(shown)
    drawing = Drawing(width, height)
    names = min(0.42 * width, max((stringWidth(bar.label, PLAIN, _SIZE) for bar in shown), default=0.0) + 8)
    told = max((stringWidth(bar.told, BOLD, _SIZE) for bar in shown), default=0.0) + 10
    room = width - names - told
    full = most or max((bar.value for bar in shown), default=0.0) or 1.0
    for place, bar in enumerate(shown):
        bottom = height - _BAR_STEP * (place + 1) + (_BAR_STEP - _BAR_HEIGHT) / 2
        text = bottom + (_BAR_HEIGHT - _SIZE) / 2 + 1.5
        label = fitted(bar.label, PLAIN, _SIZE, names - 6)
        drawing.add(String(names - 6, text, label, fontName=PLAIN, fontSize=_SIZE, fillColor=INK, textAnchor="end"))
        drawing.add(Rect(names, bottom, room, _BAR_HEIGHT, fillColor=PALE, strokeColor=None, fillOpacity=0.45))
        length = room * min(1.0, bar.value / full)
        if length:
            drawing.add(Rect(names, bottom, max(length, 1.0), _BAR_HEIGHT, fillColor=bar.colour, strokeColor=None))
        drawing.add(String(width - told + 6, text, bar.told, fontName=BOLD, fontSize=_SIZE, fillColor=INK))
    return drawing


@dataclass(frozen=True)
class Series:
    """One colour of standing columns; ``values`` belong to the labels in their order."""

    name: str
    values: Sequence[float]
    colour: Color


def columns(width: float, labels: Sequence[str], series: Sequence[Series], *, numbered: bool = False) -> Drawing:
    """Standing columns; several series stand in front of one another, the first at the back: parts of the first.

    ``numbered``: the value of the first series stands on top of each column. Of several the names are shown.
    """
    key = 16.0 if len(series) > 1 else 0.0
    drawing = Drawing(width, _COLUMNS_HEIGHT + _FOOT + key)
    greatest = max((value for one in series for value in one.values), default=0.0)
    top, step = _scale(greatest)
    left = stringWidth(f"{top:g}", PLAIN, 7.5) + 8
    high = _COLUMNS_HEIGHT - 14
    for mark in range(0, int(top) + 1, int(step)):
        at = _FOOT + high * mark / top
        drawing.add(Line(left, at, width, at, strokeColor=RULE, strokeWidth=0.4))
        drawing.add(
            String(left - 4, at - 2.5, f"{mark}", fontName=PLAIN, fontSize=7.5, fillColor=GREY, textAnchor="end")
        )
    slot = (width - left) / max(1, len(labels))
    thick = min(0.7 * slot, 46.0)
    for place, label in enumerate(labels):
        middle = left + slot * (place + 0.5)
        for one in series:
            tall = high * one.values[place] / top
            if tall:
                drawing.add(Rect(middle - thick / 2, _FOOT, thick, tall, fillColor=one.colour, strokeColor=None))
        if numbered and series:
            value = series[0].values[place]
            at = _FOOT + high * value / top + 3
            text = {"fontName": BOLD, "fontSize": 8, "fillColor": INK, "textAnchor": "middle"}
            drawing.add(String(middle, at, f"{value:g}", **text))
        text = {"fontName": PLAIN, "fontSize": 7.5, "fillColor": INK, "textAnchor": "middle"}
        drawing.add(String(middle, 4, fitted(label, PLAIN, 7.5, slot), **text))
    at = left
    for one in series if key else ():
        drawing.add(Rect(at, _COLUMNS_HEIGHT + _FOOT + 3, 8, 8, fillColor=one.colour, strokeColor=None))
        drawing.add(String(at + 12, _COLUMNS_HEIGHT + _FOOT + 4, one.name, fontName=PLAIN, fontSize=8.5, fillColor=INK))
        at += 28 + stringWidth(one.name, PLAIN, 8.5)
    return drawing


def _scale(greatest: float) -> tuple[float, float]:
    """The end of an axis, and the distance of its marks: whole, round numbers, at most five of them."""
    if greatest <= 0:
        return 1.0, 1.0
    raw = greatest / 5
    power = 10.0 ** math.floor(math.log10(raw)) if raw >= 1 else 1.0
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw)
    return step * math.ceil(greatest / step), step
