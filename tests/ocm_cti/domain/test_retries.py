"""When a person is called again: single decisions, then whole histories of a person under random results."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.outcomes import FINAL, NOT_COUNTED, Outcome, best
from ocm_cti.domain.retries import (
    CALLED_OFF_AT_ONCE,
    LONGEST_LINE_FAULT_DELAY_S,
    TRIES_TO_PREPARE,
    Again,
    Done,
    Past,
    decide,
    first_number,
)
from ocm_cti.domain.settings import DEFAULT_RULES, ListSettings, RetryRule

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def past(*tries: tuple[int, Outcome]) -> list[Past]:
    """One try a minute."""
    return [Past(number, outcome, T0 + place * MINUTE) for place, (number, outcome) in enumerate(tries)]


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome in FINAL])
def test_final_outcomes_end_the_task(outcome: Outcome) -> None:
    """Also ``unknown``: nobody is redialled silently, however many numbers and tries are left."""
    assert decide(past((0, outcome)), 3, ListSettings()) == Done(outcome)


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.UNREACHABLE, Outcome.CUT_SHORT])
def test_the_retry_clock_starts_at_the_end_of_the_attempt(outcome: Outcome) -> None:
    delay = timedelta(seconds=DEFAULT_RULES[outcome].delay_s)
    assert decide(past((0, outcome)), 1, ListSettings()) == Again(T0 + delay, 0, f"retry_{outcome.value}")


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.REJECTED, Outcome.INVALID_NUMBER])
def test_the_next_number_goes_at_once(outcome: Outcome) -> None:
    assert decide(past((0, outcome)), 2, ListSettings()) == Again(T0, 1, "next_number")


def test_after_the_last_number_the_first_waits_for_its_own_delay() -> None:
    history = past((0, Outcome.BUSY), (1, Outcome.NO_ANSWER))
    assert decide(history, 2, ListSettings()) == Again(T0 + timedelta(seconds=300), 0, "retry_busy")


def test_who_hung_up_is_called_again_where_he_was() -> None:
    again = decide(past((0, Outcome.CUT_SHORT)), 2, ListSettings())
    assert isinstance(again, Again) and (again.number_index, again.why) == (0, "retry_cut_short")


def test_without_next_number_first_a_number_is_used_up_before_the_next() -> None:
    chosen = ListSettings(next_number_first=False)
    again = decide(past((0, Outcome.BUSY)), 2, chosen)
    assert isinstance(again, Again) and again.number_index == 0
    assert decide(past(*[(0, Outcome.BUSY)] * 3), 2, chosen) == Again(T0 + 2 * MINUTE, 1, "next_number")


@pytest.mark.parametrize(("first", "own", "index"), [(True, False, 0), (False, True, 1), (True, None, 1)])
def test_a_result_may_have_its_own_order_of_numbers(first: bool, own: bool | None, index: int) -> None:
    rules = {**DEFAULT_RULES, Outcome.BUSY: RetryRule(3, 300, own)}
    again = decide(past((0, Outcome.BUSY)), 2, ListSettings(next_number_first=first, rules=rules))
    assert isinstance(again, Again) and again.number_index == index


def test_a_rejected_call_is_not_repeated_on_that_number() -> None:
    assert decide(past((0, Outcome.REJECTED)), 1, ListSettings()) == Done(Outcome.REJECTED)


def test_a_wrong_number_is_left_and_never_called_again() -> None:
    assert decide(past((0, Outcome.INVALID_NUMBER)), 1, ListSettings()) == Done(Outcome.INVALID_NUMBER)
    again = decide(past((0, Outcome.INVALID_NUMBER), (1, Outcome.BUSY)), 2, ListSettings())
    assert isinstance(again, Again) and again.number_index == 1


def test_a_number_known_to_be_wrong_from_elsewhere_is_passed_over() -> None:
    assert first_number(3, frozenset({0})) == 1
    assert first_number(2, frozenset({0, 1})) is None
    again = decide(past((1, Outcome.BUSY)), 3, ListSettings(), invalid=frozenset({0}))
    assert isinstance(again, Again) and again.number_index == 2


def test_the_task_ends_with_the_best_that_came_of_it() -> None:
    history = past((0, Outcome.CUT_SHORT), (0, Outcome.CUT_SHORT), (1, Outcome.REJECTED))
    assert decide(history, 2, ListSettings()) == Done(Outcome.CUT_SHORT)


def test_a_dead_line_backs_off_and_costs_nothing() -> None:
    delays = []
    for times in range(1, 20):
        history = past(*[(0, Outcome.LINE_FAULT)] * times)
        again = decide(history, 1, ListSettings(tries_per_person=1, tries_per_number=1))
        assert isinstance(again, Again) and again.why == "line_fault"
        delays.append((again.due_at - history[-1].ended_at).total_seconds())
    assert delays[:4] == [30, 60, 120, 240]
    assert delays == sorted(delays) and delays[-1] == LONGEST_LINE_FAULT_DELAY_S


def test_the_back_off_begins_anew_after_a_call_that_went_through() -> None:
    history = past((0, Outcome.LINE_FAULT), (0, Outcome.LINE_FAULT), (0, Outcome.BUSY), (0, Outcome.LINE_FAULT))
    again = decide(history, 1, ListSettings())
    assert isinstance(again, Again) and again.due_at == history[-1].ended_at + timedelta(seconds=30)


LISTS = st.builds(
    ListSettings,
    tries_per_person=st.integers(1, 8),
    tries_per_number=st.integers(1, 4),
    next_number_first=st.booleans(),
    line_fault_delay_s=st.floats(0, 1000),
    rules=st.dictionaries(
        st.sampled_from(list(DEFAULT_RULES)),
        st.builds(RetryRule, st.integers(1, 5), st.floats(0, 5000)),
    ),
)
NUMBERS = st.integers(1, 4)
WRONG = st.frozensets(st.integers(0, 3))
LASTING_S = st.floats(0, 300)


@settings(max_examples=100, deadline=None)
@given(
    LISTS,
    NUMBERS,
    WRONG,
    st.lists(st.tuples(st.sampled_from(Outcome), LASTING_S), max_size=60),
)
def test_any_life_of_a_person(
    chosen: ListSettings, numbers: int, invalid: frozenset[int], results: list[tuple[Outcome, float]]
) -> None:
    """Whatever the switch answers: no budget is passed, no wrong number is dialled again."""
    number = first_number(numbers, invalid)
    if number is None:
        return
    history: list[Past] = []
    now = T0
    decision: Again | Done = Again(now, number, "due")
    for outcome, lasting_s in results:
        if isinstance(decision, Done):
            break
        assert 0 <= decision.number_index < numbers and decision.number_index not in invalid
        wrong = {each.number_index for each in history if each.outcome is Outcome.INVALID_NUMBER}
        assert decision.number_index not in wrong
        now = max(now, decision.due_at) + timedelta(seconds=lasting_s)
        history.append(Past(decision.number_index, outcome, now))
        decision = decide(history, numbers, chosen, invalid)
        check_budgets(history, chosen)
        check_decision(decision, history, chosen)
    counted = [each for each in history if each.outcome not in NOT_COUNTED]
    if len(counted) >= chosen.tries_per_person:
        assert isinstance(decision, Done) or history[-1].outcome in NOT_COUNTED


def check_budgets(history: list[Past], chosen: ListSettings) -> None:
    counted = [each for each in history if each.outcome not in NOT_COUNTED]
    assert len(counted) <= chosen.tries_per_person
    assert max(Counter(each.number_index for each in counted).values(), default=0) <= chosen.tries_per_number
    for (_, outcome), times in Counter((each.number_index, each.outcome) for each in counted).items():
        assert times <= (chosen.rules[outcome].tries if outcome in chosen.rules else 1)


def check_decision(decision: Again | Done, history: list[Past], chosen: ListSettings) -> None:
    """A due time is the end of an attempt plus the delay of its result, never sooner."""
    last = history[-1]
    if isinstance(decision, Done):
        assert decision.outcome in {each.outcome for each in history}
        assert decision.outcome is (last.outcome if last.outcome in FINAL else best(each.outcome for each in history))
        return
    assert last.outcome not in FINAL
    assert decision.due_at >= last.ended_at
    counted = [each for each in history if each.outcome not in NOT_COUNTED]
    on_it = [each for each in counted if each.number_index == decision.number_index]
    if last.outcome not in NOT_COUNTED and on_it:
        delay = timedelta(seconds=chosen.rules[on_it[-1].outcome].delay_s)
        assert decision.due_at == max(last.ended_at, on_it[-1].ended_at + delay)


@settings(max_examples=60, deadline=None)
@given(LISTS, NUMBERS, st.data())
def test_everybody_is_finished_when_calls_are_counted(chosen: ListSettings, numbers: int, data: st.DataObject) -> None:
    """Without line faults a task takes at most ``tries_per_person`` calls."""
    outcomes = st.sampled_from([outcome for outcome in Outcome if outcome not in NOT_COUNTED])
    history: list[Past] = []
    decision: Again | Done = Again(T0, 0, "due")
    while isinstance(decision, Again):
        assert len(history) < chosen.tries_per_person
        history.append(Past(decision.number_index, data.draw(outcomes), decision.due_at))
        decision = decide(history, numbers, chosen)


def off(number: int, at: datetime) -> Past:
    return Past(number, Outcome.LINE_FAULT, at, was_placed=False, called_off=True)


def test_what_was_called_off_is_as_if_it_had_not_been() -> None:
    """The hour was over while his message was prepared, evening after evening: he is due when the hour is there."""
    late = T0 + timedelta(hours=9)
    assert decide([off(1, late)], 2, ListSettings()) == Again(late, 1, "due")
    history = past((0, Outcome.BUSY), (1, Outcome.NO_ANSWER))
    assert decide([*history, off(0, late)], 2, ListSettings()) == decide(history, 2, ListSettings())


def test_being_called_off_is_no_message_that_cannot_be_prepared() -> None:
    chosen = ListSettings()
    fault = Past(0, Outcome.LINE_FAULT, T0, was_placed=False)
    history = [one for _ in range(TRIES_TO_PREPARE - 1) for one in (off(0, T0), fault)]
    assert isinstance(decide([*history, off(0, T0)], 1, chosen), Again)
    assert isinstance(decide([*history, fault], 1, chosen), Done)


def test_who_is_called_off_again_and_again_does_not_spin() -> None:
    many = [off(0, T0)] * (CALLED_OFF_AT_ONCE + 1)
    assert decide(many[:-1], 1, ListSettings()) == Again(T0, 0, "due")
    assert decide(many, 1, ListSettings()) == Again(T0 + timedelta(seconds=30), 0, "line_fault")
