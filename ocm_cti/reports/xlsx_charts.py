"""Native charts of a workbook: they stay charts, and follow their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: The same colours on every chart of a report, told apart also in grey.
COLOURS = ("#1F5FA8", "#6FB1E4", "#B8D8F0")
#: Pixels.
WIDTH = 620
_BAR, _FRAME = 30, 110
_COLUMNS_HEIGHT = 320


@dataclass(frozen=True)
class Span:
    """Cells of one column of a sheet, from row ``first`` to ``last`` (from 0, both inclusive)."""

    sheet: str
    first: int
    last: int
    column: int

    def cells(self) -> list[str | int]:
        return [self.sheet, self.first, self.column, self.last, self.column]


def bars(book: Any, title: str, names: Span, values: Span, *, percent: bool = False) -> Any:
    """Lying bars, the first on top: for names that need room."""
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "categories": names.cells(),
            "values": values.cells(),
            "fill": {"color": COLOURS[0]},
            "data_labels": {"value": True, **({"num_format": "0%"} if percent else {})},
            "gap": 40,
        }
    )
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True, "major_tick_mark": "none"})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    _finish(chart, title, _FRAME + _BAR * (values.last - values.first + 1))
    return chart


def columns(book: Any, title: str, axis: str, names: Span, series: Sequence[tuple[str, Span]]) -> Any:
    """Standing columns, side by side for each of ``series`` (name, values): for hours and other counts."""
    chart = book.add_chart({"type": "column"})
    for colour, (name, values) in zip(COLOURS, series, strict=False):
        chart.add_series(
            {
                "name": name,
                "categories": names.cells(),
                "values": values.cells(),
                "fill": {"color": colour},
                "gap": 50,
                **({"data_labels": {"value": True}} if len(series) == 1 else {}),
            }
        )
    chart.set_legend({"none": True} if len(series) == 1 else {"position": "bottom"})
    chart.set_x_axis({"name": axis, "major_tick_mark": "none", "name_font": {"bold": False}})
    chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}, "min": 0})
    _finish(chart, title, _COLUMNS_HEIGHT)
    return chart


def rows_high(chart: Any) -> int:
    """Rows of the usual height that a chart covers, and one between it and the next."""
    return int(chart.height) // 20 + 2


def _finish(chart: Any, title: str, height: int) -> None:
    # "Well!A1" would be taken for a reference to a cell, were it not for a space without width.
    title = title.replace("!", "!\N{ZERO WIDTH SPACE}", 1)
    chart.set_title({"name": title, "name_font": {"size": 13}, "overlay": False})
    chart.set_size({"width": WIDTH, "height": height})
    chart.set_chartarea({"border": {"color": "#CCCCCC"}})
