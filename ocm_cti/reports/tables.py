"""Figures as tables: the same rows for the sheets of a workbook, the summary CSV and the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ocm_cti.reports.figures import Bills, LineFigures, QuestionFigures, Summary, Totals
from ocm_cti.reports.words import Words

#: A cell: text, a number, a Share, or None for nothing.
Cell = str | int | float | Decimal | None


class Share(float):
    """Of one: 0.25 is shown as 25 %."""


@dataclass(frozen=True)
class Table:
    """``headings`` are English (keys of the words); ``codes`` are the places of columns whose cells are codes."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    codes: frozenset[int] = frozenset()


_TOTALS = (
    "people",
    "done",
    "called",
    "answered",
    "reached",
    "reached share",
    "attempts",
    "not counted",
    "after start: median s",
    "after start: 90 % s",
    "after first try: median s",
    "after first try: 90 % s",
    "billed s",
    "cost",
    "currency",
)


def cost(billed: Bills) -> tuple[Cell, Cell]:
    """Cost and currency; of several currencies no number, but all of them as text."""
    if len(billed.costs) > 1:
        return None, ", ".join(f"{amount} {currency}".strip() for currency, amount in billed.costs.items())
    return next(((amount, currency) for currency, amount in billed.costs.items()), (None, None))


def groups(summary: Summary) -> Table:
    """Everything, each list and each campaign."""
    rows: list[list[Cell]] = [["", "total", *_totals(summary.total)]]
    rows += [[name, "total", *_totals(totals)] for name, totals in summary.lists]
    rows += [[row.list_name, row.campaign_id, *_totals(totals)] for row, totals in summary.campaigns]
    return Table("campaigns", ("list", "campaign", *_TOTALS), rows, frozenset({1}))


def outcomes(totals: Totals) -> Table:
    counts = [*totals.outcomes.items(), *([("open", totals.open)] if totals.open else [])]
    counts.sort(key=lambda item: -item[1])
    rows: list[list[Cell]] = [[outcome, people, Share(people / totals.people)] for outcome, people in counts]
    return Table("People by outcome", ("outcome", "people", "share"), rows, frozenset({0}))


def not_reached(summary: Summary) -> Table:
    rows = [["open" if each.is_open else "done", each.reason, each.people] for each in summary.not_reached]
    return Table("not reached", ("state", "reason", "people"), rows, frozenset({0, 1}))


def hours(summary: Summary) -> Table:
    rows = [[each.hour, each.attempts, each.answered, each.reached] for each in summary.hours]
    return Table("by hour", ("hour", "attempts", "answered", "reached"), rows)


def tries(summary: Summary) -> Table:
    return Table("Tries until reached", ("tries", "people"), [list(item) for item in summary.tries.items()])


def lines(title: str, name: str, figures: Sequence[LineFigures]) -> Table:
    counted = ("attempts", "answered", "reached", "line faults", "talked s", "billed s", "cost", "currency")
    rows: list[list[Cell]] = [
        [
            each.gateway,
            each.name,
            each.attempts,
            each.answered,
            each.reached,
            each.line_faults,
            each.talked_s,
            each.billed.seconds,
            *cost(each.billed),
        ]
        for each in figures
    ]
    return Table(title, ("gateway", name, *counted), rows)


def answers(figures: QuestionFigures) -> Table:
    rows: list[list[Cell]] = [[each.value, each.meaning, each.people, Share(each.share)] for each in figures.answers]
    if figures.left_out:
        rows.append(["…", "other answers", figures.left_out, Share(figures.left_out / figures.people)])
    return Table(figures.question.label, ("answer", "meaning", "people", "share"), rows, frozenset({1}))


def long(summary: Summary) -> Iterator[tuple[str, str, str, Cell]]:
    """Every figure as (section, of, measure, value): one shape for all, for whoever pivots it."""
    for place, table in enumerate(
        (groups(summary), lines("", "port", summary.ports), lines("", "trunk", summary.trunks))
    ):
        section = ("", "port", "trunk")[place]
        for row in table.rows:
            own = section or ("total" if not row[0] else "list" if row[1] == "total" else "campaign")
            of = {"total": "", "list": f"{row[0]}", "campaign": f"{row[1]}"}.get(own, f"{row[0]}/{row[1]}")
            yield from ((own, of, measure, value) for measure, value in zip(table.headings[2:], row[2:], strict=True))
    if summary.different_people is not None:
        yield "total", "", "different people", summary.different_people.people
        yield "total", "", "different people reached", summary.different_people.reached
    for outcome, people, _ in outcomes(summary.total).rows:
        yield "outcome", str(outcome), "people", people
    for each in summary.not_reached:
        yield "not reached", each.reason, "open" if each.is_open else "done", each.people
    for hour in summary.hours:
        for measure in ("attempts", "answered", "reached"):
            yield "hour", str(hour.hour), measure, getattr(hour, measure)
    for tried, people in summary.tries.items():
        yield "tries", str(tried), "people", people
    for figures in summary.questions:
        of = f"{figures.list_name}/{figures.question.label}"
        yield "question", of, "answered", figures.people
        yield "question", of, "mean", figures.mean
        for answer in figures.answers:
            yield "question", f"{of}: {figures.question.told(answer.value, Words())}", "people", answer.people


def _totals(totals: Totals) -> list[Cell]:
    return [
        totals.people,
        totals.done,
        totals.called,
        totals.answered,
        totals.reached,
        Share(totals.reached_share),
        totals.attempts,
        totals.not_counted,
        totals.after_start.median_s,
        totals.after_start.most_s,
        totals.after_first.median_s,
        totals.after_first.most_s,
        totals.billed.seconds,
        *cost(totals.billed),
    ]
