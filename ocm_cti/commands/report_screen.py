"""A report on the terminal: the people, then the figures as bars."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti.commands.live import OUTCOME_STYLES
from ocm_cti.commands.output import shown
from ocm_cti.commands.report_people import People
from ocm_cti.reports import tables
from ocm_cti.reports.about import About
from ocm_cti.reports.figures import QuestionFigures, Summary, Totals
from ocm_cti.reports.questions import Question
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow

#: More people than this stand in the files only.
PEOPLE_SHOWN = 200
DIGITS_SHOWN = 10
_BAR = 24


class Screen:
    """Knows all when it is finished (``reports.about.Written``), and prints it when it is told to ``show``."""

    def __init__(self, console: Console, about: About) -> None:
        self._console, self._about = console, about
        self._people = 0
        self._summary: Summary | None = None
        self._shown = People(about)

    def add_person(self, row: PersonRow) -> None:
        self._people += 1
        if self._people <= PEOPLE_SHOWN:
            self._shown.add(row)

    def add_attempt(self, row: AttemptRow) -> None:
        pass

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        pass

    def finish(self, summary: Summary) -> None:
        self._summary = summary

    def show(self) -> None:
        """Once, after ``finish``."""
        summary = self._summary
        if summary is None:
            raise RuntimeError("not finished")
        words, show = self._about.words, self._console.print
        for drawn in self._shown.drawn(self._console):
            show(drawn)
        if self._people > PEOPLE_SHOWN:
            count = words.whole(self._people - PEOPLE_SHOWN)
            show("  " + words("and {count} more: {where}", count=count, where="report.csv, report.xlsx"))
        outcomes = tables.outcomes(summary.total)
        show(_bars([(words.code(str(code)), int(str(people)), str(code)) for code, people, _ in outcomes.rows]))
        show("  " + self._told(summary.total))
        different = summary.different_people
        if different is not None and different.people < summary.total.people:
            several = words(
                "{count} different people: who is in several campaigns counts once; reached of them: {reached}",
                count=words.whole(different.people),
                reached=words.whole(different.reached),
            )
            show("  " + several)
        if any(each.is_open for each in summary.not_reached):
            show(f"\n  {words('What was not done, and why')}", style="bold")
            show(_bars([(words.code(each.reason), each.people, "") for each in summary.not_reached if each.is_open]))
        for figures in summary.questions:
            self._question(figures)

    def _told(self, totals: Totals) -> str:
        words = self._about.words
        parts = [
            f"{words('reached')} {words.whole(totals.reached)} / {words.whole(totals.people)}"
            f" ({words.percent(totals.reached_share)})",
            f"{words('attempts')} {words.whole(totals.attempts)}",
        ]
        if totals.after_start.count:
            parts.append(
                f"{words('Time to reach').lower()}: {words('median')} {words.duration(totals.after_start.median_s)}, "
                f"{words('90 % within')} {words.duration(totals.after_start.most_s)}"
            )
        if totals.billed.seconds is not None:
            cost = words.money(totals.billed.costs)
            parts.append(f"{words('billed')} {words.duration(totals.billed.seconds)}" + (f", {cost}" if cost else ""))
        return "; ".join(parts)

    def _question(self, figures: QuestionFigures) -> None:
        words = self._about.words
        told = words(
            "{count} of {answered} who answered the call", count=figures.people, answered=figures.answered_call
        )
        mean = "" if figures.mean is None else "; " + words("mean {mean}", mean=words.decimal(figures.mean, 2))
        self._console.print(
            f"\n  {shown(f'{figures.list_name}: {figures.question.label}')}", style="bold", soft_wrap=True
        )
        self._console.print(f"  {told}{mean}")
        answers, left_out = figures.most_frequent(DIGITS_SHOWN)
        bars = [(shown(figures.question.told(each.value, words)), each.people, "") for each in answers]
        if left_out:
            bars.append((words("other answers"), left_out, ""))
        if bars and figures.people:
            self._console.print(_bars(bars, of=figures.people, percent=words.percent))


def _bars(counts: list[tuple[str, int, str]], of: int = 0, percent: object = None) -> Grid:
    """(name, count, outcome) -> a bar each; with ``of`` its share as well."""
    grid = Grid.grid(padding=(0, 1))
    most = max((count for _, count, _ in counts), default=1) or 1
    for name, count, outcome in counts:
        bar = Text("█" * max(1 if count else 0, round(_BAR * count / most)), style=OUTCOME_STYLES.get(outcome, "cyan"))
        share = (percent(count / of),) if of and callable(percent) else ()
        grid.add_row(Text(f"  {name}"), bar, str(count), *share)
    return grid
