"""The figures of a report, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ocm_cti.reports.questions import Question
from ocm_cti.store.report_rows import CampaignRow, DifferentPeople


@dataclass(frozen=True)
class Spread:
    """Of so many durations the one in the middle, and the one that 90 % don't exceed; None of none."""

    count: int = 0
    median_s: float | None = None
    most_s: float | None = None


@dataclass(frozen=True)
class Bills:
    """What the switch recorded; ``seconds`` None where it recorded nothing. Costs by currency are not added up."""

    seconds: int | None
    costs: Mapping[str, Decimal]


@dataclass(frozen=True)
class Totals:
    """Of a campaign, a list, or everything.

    ``called`` people have an attempt, ``answered`` ones answered one, ``reached`` ones got the message. ``outcomes``
    counts people who are done, most first. Times run to the answer of the call that reached the person.
    """

    people: int
    done: int
    called: int
    answered: int
    reached: int
    outcomes: Mapping[str, int]
    attempts: int
    attempts_answered: int
    not_counted: int
    after_start: Spread
    after_first: Spread
    billed: Bills

    @property
    def open(self) -> int:
        return self.people - self.done

    @property
    def reached_share(self) -> float:
        return self.reached / self.people if self.people else 0.0


@dataclass(frozen=True)
class LineFigures:
    """What one port, or one outside line, did. ``reached`` counts its attempts that brought the message."""

    gateway: str
    name: str
    attempts: int
    answered: int
    reached: int
    line_faults: int
    talked_s: float
    billed: Bills


@dataclass(frozen=True)
class NotReached:
    """So many people have not been reached: not yet (``is_open``; ``reason`` is what they wait for, or ``calling``), or
    not at all (``reason`` is their outcome, or ``stop_list``)."""

    is_open: bool
    reason: str
    people: int


@dataclass(frozen=True)
class HourFigures:
    """Of one hour of the day, on the clock of the list: attempts begun, answered ones, ones that reached somebody."""

    hour: int
    attempts: int
    answered: int
    reached: int


@dataclass(frozen=True)
class Answered:
    """One answer to a question: how many gave it, of those who gave any; ``meaning`` may be ""."""

    value: str
    meaning: str
    people: int
    share: float


@dataclass(frozen=True)
class QuestionFigures:
    """A question of a list's scenario, over all its campaigns in which it was the same.

    Of each person the last answer counts. ``answered_call`` people picked up, ``people`` answered the question.
    ``answers`` are in the order of the scenario, those beside its options after them; of digits the most frequent
    first, ``left_out`` more are not among them. ``mean`` is that of a scale.
    """

    list_name: str
    question: Question
    answered_call: int
    people: int
    answers: tuple[Answered, ...]
    left_out: int = 0
    mean: float | None = None

    def most_frequent(self, most: int) -> tuple[tuple[Answered, ...], int]:
        """Of digits so many of the answers, and how many people gave others; all answers to anything else."""
        if self.question.kind != "digits":
            return self.answers, self.left_out
        return self.answers[:most], self.left_out + sum(each.people for each in self.answers[most:])


@dataclass(frozen=True)
class Summary:
    """Everything but the single people. ``tries`` counts people by the number of tries until they were reached.

    ``different_people``: whoever is in several of the campaigns counts once; None: not counted.
    """

    total: Totals
    campaigns: tuple[tuple[CampaignRow, Totals], ...]
    lists: tuple[tuple[str, Totals], ...]
    questions: tuple[QuestionFigures, ...]
    not_reached: tuple[NotReached, ...]
    hours: tuple[HourFigures, ...]
    tries: Mapping[int, int]
    ports: tuple[LineFigures, ...]
    trunks: tuple[LineFigures, ...]
    different_people: DifferentPeople | None = None
