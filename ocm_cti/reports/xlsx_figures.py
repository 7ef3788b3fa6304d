"""The sheets of a workbook that hold figures, tables on the left and native charts beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ocm_cti.reports import tables, xlsx_charts
from ocm_cti.reports.figures import QuestionFigures, Summary
from ocm_cti.reports.tables import Table
from ocm_cti.reports.xlsx_cells import Cells, Page, on_paper
from ocm_cti.reports.xlsx_charts import Span

#: The column where charts stand.
_CHARTS_AT = 5
#: Of digits more different answers stand in the table only.
_BARS = 20


def summary_sheet(cells: Cells, sheet: Any, summary: Summary) -> None:
    """People by outcome, why others were not reached, tries until reached, calls by hour."""
    words, page, name = cells.about.words, Page(cells), sheet.get_name()
    charts: list[Any] = []
    outcomes = tables.outcomes(summary.total)
    row = page.table(0, outcomes, titled=False)
    if outcomes.rows:
        names, values = (Span(name, 1, len(outcomes.rows), place) for place in (0, 1))
        charts.append(xlsx_charts.bars(cells.book, words("People by outcome"), names, values))
    page.put(row, 0, words("people"), cells.bold)
    page.put(row, 1, summary.total.people, cells.bold)
    page.put(row + 1, 0, words("attempts"))
    page.put(row + 1, 1, summary.total.attempts)
    row += 3
    not_reached = tables.not_reached(summary)
    if not_reached.rows:
        row = page.table(row, not_reached) + 1
    tries = tables.tries(summary)
    if tries.rows:
        charts.append(_columns(cells, name, row + 2, tries, words("tries")))
        row = page.table(row, tries) + 1
    if summary.total.attempts:
        hours = tables.hours(summary)
        charts.append(_columns(cells, name, row + 2, hours, words("hour"), words("Calls by hour of day")))
        page.table(row, hours)
    at_row = 0
    for chart in charts:
        sheet.insert_chart(at_row, _CHARTS_AT, chart)
        at_row += xlsx_charts.rows_high(chart)
    sheet.set_column(0, 1, 21)
    sheet.set_column(2, 3, 12)
    on_paper(sheet, pages=1)
    sheet.set_portrait()
    page.flush(sheet)


def questions_sheet(cells: Cells, sheet: Any, questions: Sequence[QuestionFigures]) -> None:
    """One block a question: how many answered, what they answered, and the chart of it."""
    words, page, name, row = cells.about.words, Page(cells), sheet.get_name(), 0
    for figures in questions:
        label = figures.question.label
        page.put(row, 0, f"{figures.list_name}: {label}", cells.title)
        page.put(row + 1, 0, told(cells, figures))
        table = tables.answers(figures)
        if not table.rows:
            row += 3
            continue
        end = page.table(row + 2, table, titled=False)
        first, last = row + 3, min(end - 1, row + 2 + _BARS)
        # Bars are named by what the answers mean, where every answer means something.
        names = Span(name, first, last, 1 if all(values[1] for values in table.rows) else 0)
        values = Span(name, first, last, 2)
        if figures.question.kind == "scale":
            chart = xlsx_charts.columns(cells.book, label, "", names, [(words("people"), values)])
        else:
            chart = xlsx_charts.bars(cells.book, label, names, values)
        sheet.insert_chart(row, _CHARTS_AT, chart)
        row = max(end + 1, row + xlsx_charts.rows_high(chart))
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 34)
    sheet.set_column(2, 3, 12)
    on_paper(sheet)
    page.flush(sheet)


def tables_sheet(cells: Cells, sheet: Any, shown: Sequence[Table]) -> None:
    """Tables below one another; a single one has its headings frozen and can be filtered."""
    page, row = Page(cells), 0
    for table in shown:
        row = page.table(row, table, titled=len(shown) > 1) + 1
    if len(shown) == 1:
        sheet.set_row(0, 46)  # headings of three lines
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(shown[0].rows), 1), len(shown[0].headings) - 1)
    sheet.set_column(0, 15, 13)
    on_paper(sheet)
    page.flush(sheet)


def told(cells: Cells, figures: QuestionFigures) -> str:
    """How many answered; of a scale their mean."""
    words = cells.about.words
    people = words("{count} of {answered} who answered the call", count=figures.people, answered=figures.answered_call)
    return people + ("" if figures.mean is None else "; " + words("mean {mean}", mean=words.decimal(figures.mean, 2)))


def _columns(cells: Cells, name: str, first: int, table: Table, axis: str, title: str = "") -> Any:
    words, last = cells.about.words, first + len(table.rows) - 1
    series = [(words(heading), Span(name, first, last, place)) for place, heading in enumerate(table.headings) if place]
    return xlsx_charts.columns(cells.book, title or words(table.title), axis, Span(name, first, last, 0), series)
