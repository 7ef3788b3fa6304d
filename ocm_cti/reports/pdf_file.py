"""Report -> PDF, for a manager to read and print: figures and charts first, then as many people as paper bears."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.platypus import CondPageBreak, KeepTogether, Spacer

from ocm_cti.domain.numbers import mask
from ocm_cti.reports import pdf_fonts, pdf_layout
from ocm_cti.reports.about import About, said
from ocm_cti.reports.figures import LineFigures, QuestionFigures, Spread, Summary, Totals
from ocm_cti.reports.pdf_charts import DARK, MIDDLE, Bar, Series, bars, columns
from ocm_cti.reports.pdf_layout import HEADING, NOTE, SUBHEADING, TITLE, UNDER_TITLE, WIDTH, table, text
from ocm_cti.reports.questions import Question
from ocm_cti.reports.whole import whole
from ocm_cti.store.report_rows import REACHED, AnswerRow, AttemptRow, PersonRow

#: More stand in the files of rows only.
PEOPLE_SHOWN = 300
REPLIES_SHOWN = 100
CAMPAIGNS_SHOWN = 100
DIGITS_SHOWN = 12


class PdfReport:
    """Raises ReportNotWritten."""

    def __init__(self, path: Path, about: About) -> None:
        self._path, self._about = path, about
        self._stack = ExitStack()
        self._people: list[PersonRow] = []
        self._people_count = 0
        self._replies: list[tuple[str, str, str, str]] = []
        self._replies_count = 0

    @property
    def paths(self) -> list[Path]:
        return [self._path]

    def __enter__(self) -> PdfReport:
        pdf_fonts.register()
        self._unfinished = self._stack.enter_context(whole(self._path))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_person(self, row: PersonRow) -> None:
        self._people_count += 1
        if self._people_count <= PEOPLE_SHOWN:
            self._people.append(row)

    def add_attempt(self, row: AttemptRow) -> None:
        pass

    def add_answer(self, row: AnswerRow, question: Question | None) -> None:
        if row.recording is None:
            return
        self._replies_count += 1
        if self._replies_count <= REPLIES_SHOWN:
            label = said(row, question, "").question
            self._replies.append((row.name, self._number(row.number), label, row.recording))

    def finish(self, summary: Summary) -> None:
        words = self._about.words
        title = words("Report on calls")
        lists = ", ".join(self._about.lists)
        story = [
            text(f"{title}: {lists}" if len(lists) < 60 else title, TITLE),
            text(self._told_of(), UNDER_TITLE),
            Spacer(0, 8),
            pdf_layout.tiles(self._tiles(summary.total)),
            *self._outcomes(summary),
            *self._questions(summary.questions),
            *self._times(summary),
            *self._hours(summary),
            *self._campaigns(summary),
            *self._lines("Robot lines", "port", summary.ports),
            *self._lines("Outside lines", "trunk", summary.trunks),
            *self._replied(),
            *self._listed(),
        ]
        pdf_layout.build(self._unfinished, f"{title}: {lists}"[:90], words, story)

    # --- sections ---

    def _told_of(self) -> str:
        words, campaigns = self._about.words, self._about.campaigns
        began = min((each.started_at for each in campaigns), default=None)
        ends = [each.ended_at for each in campaigns]
        ended = max((each for each in ends if each is not None), default=None) if None not in ends else None
        span = f"{self._moment(began)} – {self._moment(ended) or '…'}"
        ids = ", ".join(str(each.campaign_id) for each in campaigns)
        of = words("campaign" if len(campaigns) == 1 else "campaigns")
        return f"{of} {ids if len(ids) < 40 else len(campaigns)}; {span}; " + words(
            "made {at}", at=f"{self._about.made_at.astimezone(self._about.zone):%d.%m.%Y %H:%M %Z}"
        )

    def _tiles(self, totals: Totals) -> list[tuple[str, str]]:
        words = self._about.words
        shown = [
            (words("people"), words.whole(totals.people)),
            (
                words("of whom reached"),
                f"{words.whole(totals.reached)}\N{NO-BREAK SPACE}({words.percent(totals.reached_share)})",
            ),
            (words("answered the call"), words.whole(totals.answered)),
            (words("attempts"), words.whole(totals.attempts)),
        ]
        if totals.billed.seconds is not None:
            shown.append((words("billed"), words.duration(totals.billed.seconds)))
        if totals.billed.costs:
            shown.append((words("cost"), words.money(totals.billed.costs)))
        return shown

    def _outcomes(self, summary: Summary) -> list[Any]:
        words, total = self._about.words, summary.total
        if not total.people:
            return [text(words("nobody"), NOTE)]
        counts = [*total.outcomes.items(), *([("open", total.open)] if total.open else [])]
        shown = [
            Bar(
                words.code_in_prose(outcome),
                people,
                f"{words.whole(people)} ({words.percent(people / total.people)})",
                DARK if outcome in REACHED else MIDDLE,
            )
            for outcome, people in sorted(counts, key=lambda item: -item[1])
        ]
        story = [KeepTogether([text(words("People by outcome"), HEADING), bars(WIDTH, shown)])]
        if summary.not_reached:
            rows = [
                [
                    words("open" if each.is_open else "done"),
                    words.code_in_prose(each.reason),
                    each.people,
                    Shown(words.percent(each.people / total.people)),
                ]
                for each in summary.not_reached
            ]
            head = [words(heading) for heading in ("state", "reason", "people", "share")]
            story.append(
                KeepTogether([text(words("What was not done, and why"), HEADING), table(head, rows, (3, 6, 2, 2))])
            )
        return story

    def _questions(self, questions: Iterable[QuestionFigures]) -> list[Any]:
        words = self._about.words
        story: list[Any] = []
        for figures in questions:
            mean = "" if figures.mean is None else "; " + words("mean {mean}", mean=words.decimal(figures.mean, 2))
            told = words(
                "{count} of {answered} who answered the call", count=figures.people, answered=figures.answered_call
            )
            name = figures.question.label
            name = f"{figures.list_name}: {name}" if len(self._about.lists) > 1 else name
            block = [text(name, SUBHEADING), text(told + mean + self._marks(figures), NOTE)]
            if figures.people and figures.answers:
                block.append(self._answers(figures))
            if not story:
                block.insert(0, text(words("Questions"), HEADING))
            story.append(KeepTogether(block))
        return story

    def _marks(self, figures: QuestionFigures) -> str:
        """What marks of a scale mean: their columns are too narrow for it."""
        if figures.question.kind != "scale":
            return ""
        named = [figures.question.told(each.value, self._about.words) for each in figures.answers if each.meaning]
        return "; " + ", ".join(named) if named else ""

    def _answers(self, figures: QuestionFigures) -> Any:
        words = self._about.words
        if figures.question.kind == "scale":
            labels = [each.value for each in figures.answers]
            counts = [float(each.people) for each in figures.answers]
            return columns(WIDTH, labels, [Series("", counts, DARK)], numbered=True)
        answers, left_out = figures.most_frequent(DIGITS_SHOWN)
        shown = [
            Bar(
                figures.question.told(each.value, words),
                each.share,
                f"{words.whole(each.people)} ({words.percent(each.share)})",
            )
            for each in answers
        ]
        if left_out:
            share = left_out / figures.people
            told = f"{words.whole(left_out)} ({words.percent(share)})"
            shown.append(Bar(words("other answers"), share, told, MIDDLE))
        return bars(WIDTH, shown, most=None if figures.question.kind == "digits" else 1.0)

    def _times(self, summary: Summary) -> list[Any]:
        words, total = self._about.words, summary.total
        if not summary.tries:
            return []
        story = []
        if total.after_start.count:
            rows = [
                [words(name), *self._spread(spread)]
                for name, spread in (
                    ("from the start of the campaign", total.after_start),
                    ("from the first attempt", total.after_first),
                )
            ]
            head = ["", words("median"), words("90 % within")]
            story.append(KeepTogether([text(words("Time to reach"), HEADING), table(head, rows, (6, 2, 2))]))
        labels = [str(tries) for tries in summary.tries]
        counts = [Series("", [float(people) for people in summary.tries.values()], DARK)]
        chart = columns(WIDTH, labels, counts, numbered=True)
        story.append(KeepTogether([text(words("Tries until reached"), HEADING), chart]))
        return story

    def _hours(self, summary: Summary) -> list[Any]:
        words = self._about.words
        if not summary.total.attempts:
            return []
        series = [
            Series(words("attempts"), [each.attempts for each in summary.hours], MIDDLE),
            Series(words("answered"), [each.answered for each in summary.hours], DARK),
        ]
        chart = columns(WIDTH, [f"{each.hour}" for each in summary.hours], series)
        return [KeepTogether([text(words("Calls by hour of day"), HEADING), chart])]

    def _campaigns(self, summary: Summary) -> list[Any]:
        words = self._about.words
        if len(summary.campaigns) < 2:
            return []
        rows = []
        for row, totals in summary.campaigns[:CAMPAIGNS_SHOWN]:
            share = Shown(words.percent(totals.reached_share))
            state = words("finished") if row.state == "done" else words.code_in_prose(row.state)
            rows.append(
                [
                    row.campaign_id,
                    row.list_name,
                    self._moment(row.started_at),
                    state,
                    totals.people,
                    totals.reached,
                    share,
                    totals.attempts,
                    *self._spread(totals.after_start)[:1],
                ]
            )
        names = ("", "list", "started at", "state", "people", "reached", "share", "attempts", "median")
        head = [words(name) for name in names]
        head[0] = "№" if words.language != "en" else "id"
        story = [
            CondPageBreak(80),
            text(words("Campaigns"), HEADING),
            table(head, rows, (1.2, 5, 4, 3, 2, 2.4, 2.2, 2.6, 2.9)),
        ]
        return [*story, *self._more(len(summary.campaigns) - CAMPAIGNS_SHOWN)]

    def _lines(self, title: str, name: str, lines: tuple[LineFigures, ...]) -> list[Any]:
        words = self._about.words
        if not lines:
            return []
        names = ["gateway", name, "attempts", "answered", "reached", "line faults", "talked s", "billed", "cost"]
        rows = [
            [
                line.gateway,
                line.name,
                line.attempts,
                line.answered,
                line.reached,
                line.line_faults,
                Shown(words.duration(line.talked_s)),
                Shown(words.duration(line.billed.seconds)),
                Shown(words.money(line.billed.costs)),
            ]
            for line in lines
        ]
        if all(line.billed.seconds is None and not line.billed.costs for line in lines):
            names, rows = names[:-2], [row[:-2] for row in rows]
        head = [words(each) if each != "talked s" else words("talked") for each in names]
        widths = (3, 2, 2.5, 2.7, 2.2, 2.2, 2.6, 2.8, 3.2)[: len(names)]
        # Long tables may break; a heading alone at the foot of a page may not.
        return [CondPageBreak(80), text(words(title), HEADING), table(head, rows, widths)]

    def _replied(self) -> list[Any]:
        words = self._about.words
        if not self._replies:
            return []
        head = [words(name) for name in ("name", "number", "question", "reply recording")]
        story = [CondPageBreak(80), text(words("Replies"), HEADING), table(head, self._replies, (5, 4, 4, 5))]
        return [*story, *self._more(self._replies_count - REPLIES_SHOWN)]

    def _listed(self) -> list[Any]:
        words = self._about.words
        if not self._people:
            return []
        rows = [
            [
                row.name,
                self._number(row.number),
                words.code_in_prose(row.outcome or row.why or "calling"),
                row.tries,
                self._moment(row.answered_at or row.last_attempt_at),
                words.answers(row.answers) or row.keys,
            ]
            for row in self._people
        ]
        head = [words(name) for name in ("name", "number", "outcome", "tries", "at", "answers")]
        story = [CondPageBreak(120), text(words("People"), HEADING), table(head, rows, (5, 3.3, 3.6, 2, 3.4, 5))]
        return [*story, *self._more(self._people_count - PEOPLE_SHOWN)]

    def _more(self, left: int) -> list[Any]:
        words = self._about.words
        if left <= 0:
            return []
        return [
            text(words("and {count} more: {where}", count=words.whole(left), where="report.xlsx, report.csv"), NOTE)
        ]

    # --- cells ---

    def _spread(self, spread: Spread) -> list[Shown]:
        words = self._about.words
        return [Shown(words.duration(spread.median_s)), Shown(words.duration(spread.most_s))]

    def _moment(self, moment: datetime | None) -> str:
        return "" if moment is None else f"{self._about.local(moment):%d.%m.%Y %H:%M}"

    def _number(self, number: str) -> str:
        return number if self._about.show_numbers else mask(number)


class Shown:
    """A number that is told in words already: it stands on the right like one."""

    def __init__(self, told: str) -> None:
        self._told = told

    def __str__(self) -> str:
        return self._told
