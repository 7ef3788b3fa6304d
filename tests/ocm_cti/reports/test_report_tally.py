"""Figures of rows: every person counted once, shares that add up, durations, questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_made import SURVEY, T0, answer, attempt, campaign, person

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings
from ocm_cti.reports import tally as tallies
from ocm_cti.reports.figures import Spread
from ocm_cti.reports.tally import Tally
from ocm_cti.store.report_rows import REACHED, PersonRow

OUTCOMES = [None, *(outcome.value for outcome in Outcome)]


@st.composite
def some_people(draw: st.DrawFn) -> list[PersonRow]:
    outcomes = draw(st.lists(st.tuples(st.sampled_from(OUTCOMES), st.integers(1, 2), st.integers(0, 4)), max_size=30))
    return [
        person(
            campaign_id=campaign_id,
            outcome=outcome,
            why="" if outcome else "retry_busy",
            attempts=tries,
            times_answered=min(tries, 1),
        )
        for outcome, campaign_id, tries in outcomes
    ]


@settings(max_examples=100)
@given(some_people())
def test_everybody_is_counted_once(people: list[PersonRow]) -> None:
    tally = Tally([campaign(1), campaign(2, "staff")])
    for row in people:
        tally.add_person(row)
    summary = tally.summary()
    total = summary.total
    assert total.people == len(people) == total.done + total.open
    assert total.done == sum(total.outcomes.values())
    assert total.reached + sum(each.people for each in summary.not_reached) == len(people)
    assert sum(each.people for each in summary.not_reached if each.is_open) == total.open
    assert sum(summary.tries.values()) == total.reached == sum(row.outcome in REACHED for row in people)
    for parts in ([totals for _, totals in summary.campaigns], [totals for _, totals in summary.lists]):
        assert sum(each.people for each in parts) == len(people)
        assert sum(each.reached for each in parts) == total.reached


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_ninety_of_a_hundred_are_within(durations: list[float]) -> None:
    tally = Tally([campaign()])
    for duration in durations:
        tally.add_person(person(reached_after_start_s=duration))
    spread = tally.summary().total.after_start
    assert spread.count == len(durations) and spread.most_s is not None and spread.median_s is not None
    assert sum(each <= spread.most_s for each in durations) >= 0.9 * len(durations)
    assert sum(each < spread.most_s for each in durations) < 0.9 * len(durations)
    assert min(durations) <= spread.median_s <= spread.most_s


def test_of_nobody() -> None:
    summary = Tally([]).summary()
    assert (summary.total.people, summary.total.reached_share, summary.total.after_start) == (0, 0.0, Spread())
    assert summary.questions == summary.ports == summary.campaigns == ()


def test_attempts_by_port_trunk_and_hour() -> None:
    """The hour is that of the list's clock; a call over two trunks belongs to both; currencies are not added up."""
    tally = Tally([campaign(settings=ListSettings(zone="Europe/Moscow"))])
    tally.add_attempt(attempt(billed_s=20, cost=Decimal("1.10"), currency="EUR", trunks="01, 02"))
    tally.add_attempt(attempt(billed_s=10, cost=Decimal("0.90"), currency="EUR", trunks="01", port="302"))
    tally.add_attempt(attempt(cost=Decimal("5"), currency="RUB", claimed_at=T0 + timedelta(hours=11, minutes=59)))
    fault = {"outcome": "line_fault", "counted": False, "answered_at": None, "talked_s": None}
    tally.add_attempt(attempt(port="302", **fault))
    summary = tally.summary()
    assert [(line.name, line.attempts, line.answered, line.reached, line.line_faults) for line in summary.ports] == [
        ("301", 2, 2, 2, 0),
        ("302", 2, 1, 1, 1),
    ]
    assert [(line.name, line.attempts, line.billed.seconds) for line in summary.trunks] == [
        ("01", 2, 30),
        ("02", 1, 20),
    ]
    assert {hour.hour: hour.attempts for hour in summary.hours if hour.attempts} == {12: 3, 23: 1}
    total = summary.total
    assert (total.attempts, total.attempts_answered, total.not_counted, total.billed.seconds) == (4, 3, 1, 30)
    assert total.billed.costs == {"EUR": Decimal("2.00"), "RUB": Decimal("5")}


@pytest.mark.parametrize(
    ("why", "reason"), [("retry_busy", "retry_busy"), ("", "calling"), ("paused: by hand", "paused")]
)
def test_why_somebody_waits(why: str, reason: str) -> None:
    tally = Tally([campaign()])
    tally.add_person(person(outcome=None, why=why))
    assert [(each.is_open, each.reason) for each in tally.summary().not_reached] == [(True, reason)]


def test_whose_number_stands_on_a_stop_list() -> None:
    tally = Tally([campaign()])
    tally.add_person(person(outcome="busy", why="stop_list"))
    tally.add_person(person(outcome="stopped", why=""))
    assert [(each.is_open, each.reason) for each in tally.summary().not_reached] == [
        (False, "stop_list"),
        (False, "stopped"),
    ]


def test_answers_to_questions() -> None:
    """Of each person the last answer; shares of those who answered; what is no question is none."""
    tally = Tally([campaign()])
    for name in ("a", "b", "c", "d"):
        tally.add_person(person(name=name))
    tally.add_person(person(times_answered=0))
    for row in (
        answer("mark", "1", is_last=False),
        answer("mark", "5"),
        answer("mark", "4", name="b"),
        answer("mark", "9", name="c"),
        answer("why", "2"),
        answer("choice", "0"),
        answer("transferred to", "201"),
        answer("reply", None, "5-reply.wav"),
        answer("mark", "3", campaign_id=1, scenario="a scenario nobody knows"),
    ):
        tally.add_answer(row)
    asked = {each.question.step: each for each in tally.summary().questions}
    assert list(asked) == ["mark", "why", "again", "index", "choice", "reply"]
    mark = asked["mark"]
    assert (mark.people, mark.answered_call, mark.mean) == (3, 4, 6.0)
    assert [(each.value, each.people) for each in mark.answers] == [
        ("1", 0), ("2", 0), ("3", 0), ("4", 1), ("5", 1), ("9", 1),
    ]  # fmt: skip
    assert sum(each.share for each in mark.answers) == pytest.approx(1)
    assert [(each.meaning, each.people, each.share) for each in asked["why"].answers] == [
        ("price", 0, 0.0),
        ("quality", 1, 1.0),
    ]
    assert [(each.value, each.meaning, each.people) for each in asked["choice"].answers] == [
        ("0", "operator", 1),
        ("1", "", 0),
    ]
    assert (asked["again"].people, asked["again"].mean, asked["reply"].people, asked["reply"].answers) == (
        0,
        None,
        1,
        (),
    )


def test_the_most_frequent_digits_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "DIGITS_LISTED", 2)
    tally = Tally([campaign()])
    for value in ("10", "20", "20", "30", "30", "30", "40"):
        tally.add_answer(answer("index", value))
    (index,) = [each for each in tally.summary().questions if each.question.step == "index"]
    assert [(each.value, each.people) for each in index.answers] == [("30", 3), ("20", 2)]
    assert (index.people, index.left_out) == (7, 2)
    shown, left_out = index.most_frequent(1)
    assert ([each.value for each in shown], left_out) == (["30"], 4)


def test_a_question_is_the_same_over_campaigns_of_a_list_as_long_as_it_asks_the_same() -> None:
    """And apart from that of another list, of a changed scenario, or of somebody's own scenario."""
    changed = SURVEY.replace("price", "the price")
    mine = {"mine": '[[step]]\nname = "why"\ntype = "ask"\nkeys = ["1"]\n'}
    tally = Tally([campaign(1), campaign(2), campaign(3, scenario=changed), campaign(4, "staff", own_scenarios=mine)])
    for campaign_id in (1, 2, 3, 4):
        tally.add_answer(answer("why", "1", campaign_id=campaign_id))
    tally.add_answer(answer("why", "1", campaign_id=4, scenario="mine"))
    found = [
        (each.list_name, each.question.kind, each.question.meaning("1"), each.people)
        for each in tally.summary().questions
        if each.question.step == "why"
    ]
    assert found == [
        ("debtors", "single", "price", 2),
        ("debtors", "single", "the price", 1),
        ("staff", "single", "price", 1),
        ("staff", "single", "", 1),
    ]


def test_rows_of_a_person_are_values(tmp_path: Path) -> None:
    row = person()
    assert replace(row, attempts=3, not_counted=1).tries == 2 and row.is_reached
    assert not person(outcome="cut_short").is_reached
