"""The people of a report on the terminal: a table where it has room, else two lines a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti.commands.live import OUTCOME_STYLES
from ocm_cti.commands.output import shown
from ocm_cti.domain.numbers import mask
from ocm_cti.reports.about import About
from ocm_cti.reports.reasons import sentence, told
from ocm_cti.store.report_rows import PersonRow

#: Columns from which on a table can be read.
WIDE = 120
_HEADINGS = ("list", "name", "number", "outcome", "tries", "heard", "keys", "reply", "cause", "waits for")
#: Of them those on the first of two lines; a name gives way to the others, down to so many columns.
_FIRST = 5
_SHORTEST_NAME = 10


class People:
    """``add`` each who is to be shown, in order; then ``drawn`` once."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._rows: list[tuple[PersonRow, list[str]]] = []
        self._any_time = False

    def add(self, row: PersonRow) -> None:
        words = self._about.words
        cells = [
            row.list_name,
            row.name,
            row.number if self._about.show_numbers else mask(row.number),
            words.code(row.outcome or "open"),
            str(row.tries),
            words("{heard} of {whole} s", heard=f"{row.heard_s:.0f}", whole=f"{row.of_s:.0f}") if row.of_s else "",
            row.keys,
            row.recordings or words.answers(row.answers),
            told(row.cause, row.native_cause, words),
            self._waits_for(row),
        ]
        self._rows.append((row, [shown(cell) for cell in cells]))

    def drawn(self, console: Console) -> Iterator[RenderableType]:
        yield from [self._table()] if console.width >= WIDE else self._lines(console.width)
        if self._any_time:
            zone = self._about.zone or self._about.made_at.astimezone().tzname()
            yield Text("  " + self._about.words("times are those of {zone}", zone=zone), style="dim")

    def _table(self) -> Grid:
        grid = Grid(box=None, padding=(0, 1), header_style="bold")
        for heading in _HEADINGS:
            grid.add_column(self._about.words(heading), overflow="fold")
        for row, cells in self._rows:
            grid.add_row(*(Text(cell, style=_style(row) if place == 3 else "") for place, cell in enumerate(cells)))
        return grid

    def _lines(self, width: int) -> Iterator[RenderableType]:
        words = self._about.words
        heads = [words(heading) for heading in _HEADINGS]
        # One list needs no column of its own.
        places = [place for place in range(_FIRST) if place or len({row.list_name for row, _ in self._rows}) > 1]
        widths = {
            place: max([cell_len(heads[place]), *(cell_len(cells[place]) for _, cells in self._rows)])
            for place in places
        }
        excess = sum(widths.values()) + 2 * len(places) - width
        widths[1] = max(_SHORTEST_NAME, min(widths[1], widths[1] - excess))
        yield Text(_line([heads[place] for place in places], list(widths.values())), style="bold", no_wrap=True)
        for row, cells in self._rows:
            line = Text(no_wrap=True, overflow="ellipsis")
            for place in places:
                style = _style(row) if place == 3 else ""
                line.append(_line([cells[place]], [widths[place]]), style=style)
            yield line
            own = [f"{heads[place]} {cells[place]}" for place in (5, 6, 7, 9) if cells[place]]
            own += [shown(words(why))] if (why := sentence(row.cause, row.native_cause)) else []
            if own:
                yield Padding(Text("; ".join(own), style="dim"), (0, 0, 0, 4))

    def _waits_for(self, row: PersonRow) -> str:
        why = self._about.words.code(row.why)
        if row.outcome is not None or row.next_call_at is None or not why:
            return why
        self._any_time = True
        return f"{why} {self._about.local(row.next_call_at):%d.%m. %H:%M}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f" {set_cell_size(cell, width)} " for cell, width in zip(cells, widths, strict=True))


def _style(row: PersonRow) -> str:
    return OUTCOME_STYLES.get(row.outcome or "", "")
