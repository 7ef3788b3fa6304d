"""Rows, one by one -> figures. What is kept grows by a few octets a person, however long the report."""

from __future__ import annotations

import math
import statistics
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.reports.figures import (
    Answered,
    Bills,
    HourFigures,
    LineFigures,
    NotReached,
    QuestionFigures,
    Spread,
    Summary,
    Totals,
)
from ocm_cti.reports.questions import Question, questions
from ocm_cti.store.report_rows import (
    ON_STOP_LIST,
    REACHED,
    AnswerRow,
    AttemptRow,
    CampaignRow,
    DifferentPeople,
    PersonRow,
)

#: Different answers in digits that are listed, and kept while counting.
DIGITS_LISTED = 50
_DIGITS_KEPT = 100_000


class Tally:
    """Give it every person, attempt and answer of these campaigns once, in any order; then ask for the ``summary``.

    ``zone`` is the clock of lists that name none; None: of this machine.
    """

    def __init__(
        self,
        campaigns: Sequence[CampaignRow],
        zone: tzinfo | None = None,
        different_people: DifferentPeople | None = None,
    ) -> None:
        self._different_people = different_people
        self._campaigns = {each.campaign_id: each for each in campaigns}
        self._zones = {
            each.campaign_id: ZoneInfo(each.settings.zone) if each.settings.zone else zone for each in campaigns
        }
        self.questions = _Questions(campaigns)
        self._groups = {each.campaign_id: _Group() for each in campaigns}
        self._not_reached: Counter[tuple[bool, str]] = Counter()
        self._hours: dict[str, Counter[int]] = defaultdict(Counter)
        self._tries: Counter[int] = Counter()
        self._ports: dict[tuple[str, str], _Line] = defaultdict(_Line)
        self._trunks: dict[tuple[str, str], _Line] = defaultdict(_Line)

    def add_person(self, row: PersonRow) -> None:
        self._groups[row.campaign_id].add_person(row)
        self.questions.add_person(row)
        if row.is_reached:
            self._tries[row.tries] += 1
        elif row.outcome is None:
            self._not_reached[True, row.why.partition(":")[0] or "calling"] += 1
        else:
            self._not_reached[False, ON_STOP_LIST if row.why == ON_STOP_LIST else row.outcome] += 1

    def add_attempt(self, row: AttemptRow) -> None:
        self._groups[row.campaign_id].add_attempt(row)
        hour = row.claimed_at.astimezone(self._zones[row.campaign_id]).hour
        self._hours["attempts"][hour] += 1
        self._hours["answered"][hour] += row.answered_at is not None
        self._hours["reached"][hour] += row.outcome in REACHED
        self._ports[row.gateway, row.port].add(row)
        for trunk in row.trunks.split(", ") if row.trunks else ():
            self._trunks[row.gateway, trunk].add(row)

    def add_answer(self, row: AnswerRow) -> None:
        self.questions.add_answer(row)

    def summary(self) -> Summary:
        by_list: dict[str, list[_Group]] = defaultdict(list)
        for campaign_id, group in self._groups.items():
            by_list[self._campaigns[campaign_id].list_name].append(group)
        not_reached = [NotReached(is_open, reason, count) for (is_open, reason), count in self._not_reached.items()]
        return Summary(
            total=_totals(self._groups.values()),
            campaigns=tuple((self._campaigns[key], _totals([group])) for key, group in self._groups.items()),
            lists=tuple((name, _totals(groups)) for name, groups in sorted(by_list.items())),
            questions=self.questions.figures(),
            not_reached=tuple(sorted(not_reached, key=lambda each: (not each.is_open, -each.people, each.reason))),
            hours=tuple(
                HourFigures(hour, *(self._hours[what][hour] for what in ("attempts", "answered", "reached")))
                for hour in range(24)
            ),
            tries=dict(sorted(self._tries.items())),
            ports=_lines(self._ports),
            trunks=_lines(self._trunks),
            different_people=self._different_people,
        )


class _Bills:
    def __init__(self) -> None:
        self.seconds: int | None = None
        self.costs: dict[str, Decimal] = {}

    def add(self, seconds: int | None, cost: Decimal | None, currency: str) -> None:
        if seconds is not None:
            self.seconds = (self.seconds or 0) + seconds
        if cost is not None:
            self.costs[currency] = self.costs.get(currency, Decimal(0)) + cost


def _bills(parts: Iterable[_Bills]) -> Bills:
    total = _Bills()
    for part in parts:
        total.add(part.seconds, None, "")
        for currency, cost in part.costs.items():
            total.add(None, cost, currency)
    return Bills(total.seconds, dict(sorted(total.costs.items())))


class _Group:
    """Of one campaign."""

    def __init__(self) -> None:
        self.people = self.called = self.answered = self.attempts = self.attempts_answered = self.not_counted = 0
        self.outcomes: Counter[str] = Counter()
        self.after_start, self.after_first = array("d"), array("d")
        self.bills = _Bills()

    def add_person(self, row: PersonRow) -> None:
        self.people += 1
        self.called += row.attempts > 0
        self.answered += row.times_answered > 0
        if row.outcome is not None:
            self.outcomes[row.outcome] += 1
        if row.reached_after_start_s is not None:
            self.after_start.append(row.reached_after_start_s)
        if row.reached_after_first_s is not None:
            self.after_first.append(row.reached_after_first_s)

    def add_attempt(self, row: AttemptRow) -> None:
        self.attempts += 1
        self.attempts_answered += row.answered_at is not None
        self.not_counted += not row.counted
        self.bills.add(row.billed_s, row.cost, row.currency)


def _totals(groups: Iterable[_Group]) -> Totals:
    groups = list(groups)
    outcomes: Counter[str] = Counter()
    for group in groups:
        outcomes.update(group.outcomes)
    return Totals(
        people=sum(group.people for group in groups),
        done=outcomes.total(),
        called=sum(group.called for group in groups),
        answered=sum(group.answered for group in groups),
        reached=sum(outcomes[outcome] for outcome in REACHED),
        outcomes=dict(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
        attempts=sum(group.attempts for group in groups),
        attempts_answered=sum(group.attempts_answered for group in groups),
        not_counted=sum(group.not_counted for group in groups),
        after_start=_spread([group.after_start for group in groups]),
        after_first=_spread([group.after_first for group in groups]),
        billed=_bills(group.bills for group in groups),
    )


def _spread(parts: Sequence[array[float]]) -> Spread:
    durations = array("d")
    for part in parts:
        durations.extend(part)
    if not durations:
        return Spread()
    ordered = sorted(durations)
    return Spread(len(ordered), statistics.median(ordered), ordered[math.ceil(0.9 * len(ordered)) - 1])


class _Line:
    def __init__(self) -> None:
        self.attempts = self.answered = self.reached = self.line_faults = 0
        self.talked_s = 0.0
        self.bills = _Bills()

    def add(self, row: AttemptRow) -> None:
        self.attempts += 1
        self.answered += row.answered_at is not None
        self.reached += row.outcome in REACHED
        self.line_faults += row.outcome == Outcome.LINE_FAULT.value
        self.talked_s += row.talked_s or 0.0
        self.bills.add(row.billed_s, row.cost, row.currency)


def _lines(lines: dict[tuple[str, str], _Line]) -> tuple[LineFigures, ...]:
    return tuple(
        LineFigures(
            gateway,
            name,
            line.attempts,
            line.answered,
            line.reached,
            line.line_faults,
            round(line.talked_s, 1),
            _bills([line.bills]),
        )
        for (gateway, name), line in sorted(lines.items())
    )


class _Questions:
    """Which question an answer belongs to, and how many gave it."""

    def __init__(self, campaigns: Sequence[CampaignRow]) -> None:
        self._lists = {each.campaign_id: each.list_name for each in campaigns}
        #: (campaign, scenario) -> its questions
        self._asked = {
            (each.campaign_id, name): questions(text)
            for each in campaigns
            for name, text in (("", each.scenario), *each.own_scenarios.items())
        }
        self._answered_call: Counter[tuple[int, str]] = Counter()
        self._values: dict[tuple[str, Question], Counter[str]] = defaultdict(Counter)

    def find(self, row: AnswerRow) -> Question | None:
        """What the row answers; None for what is no question (whom somebody was connected with)."""
        return self._asked.get((row.campaign_id, row.scenario), {}).get(row.step)

    def add_person(self, row: PersonRow) -> None:
        if row.times_answered:
            self._answered_call[row.campaign_id, row.scenario] += 1

    def add_answer(self, row: AnswerRow) -> None:
        question = self.find(row)
        if question is None or not row.is_last or (row.value is None) != (question.kind == "reply"):
            return
        values = self._values[self._lists[row.campaign_id], question]
        value = "" if row.value is None else row.value
        # Digits of a million people are a million different ones: those that can't be listed are only counted.
        values[value if value in values or len(values) < _DIGITS_KEPT else "…"] += 1

    def figures(self) -> tuple[QuestionFigures, ...]:
        found: dict[tuple[str, Question], int] = defaultdict(int)
        for (campaign_id, scenario), asked in self._asked.items():
            for question in asked.values():
                found[self._lists[campaign_id], question] += self._answered_call[campaign_id, scenario]
        return tuple(
            _figures(name, question, answered_call, self._values.get((name, question), Counter()))
            for (name, question), answered_call in found.items()
        )


def _figures(list_name: str, question: Question, answered_call: int, values: Counter[str]) -> QuestionFigures:
    people = values.total()
    shown = dict.fromkeys(option for option, _ in question.options)
    if question.kind == "digits":
        shown |= dict.fromkeys(value for value, _ in values.most_common(DIGITS_LISTED))
    elif question.kind != "reply":
        shown |= dict.fromkeys(sorted(values, key=_as_number))
    answers = tuple(
        Answered(value, question.meaning(value), values[value], values[value] / people if people else 0.0)
        for value in shown
    )
    marks = [(int(value), count) for value, count in values.items() if value.isascii() and value.isdecimal()]
    mean = None
    if question.kind == "scale" and marks:
        mean = sum(mark * count for mark, count in marks) / sum(count for _, count in marks)
    left_out = people - sum(each.people for each in answers) if question.kind == "digits" else 0
    return QuestionFigures(list_name, question, answered_call, people, answers, left_out, mean)


def _as_number(value: str) -> tuple[bool, int, str]:
    is_number = value.isascii() and value.isdecimal() and len(value) < 10
    return not is_number, int(value) if is_number else 0, value
