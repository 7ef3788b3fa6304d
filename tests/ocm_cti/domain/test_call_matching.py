"""Which record belongs to which attempt, and which to none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain import call_matching
from ocm_cti.domain.call_matching import (
    CUT,
    EXACT,
    HIDDEN,
    WITHOUT_ACCESS,
    Candidate,
    Matching,
    match,
    number_fit,
)
from ocm_cti.domain.call_records import CallRecord, started_at

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LONG = "9810441234567890123456789012"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def record(ended_s: float, number: str = "984951234501", extension: str = "301", **more: Any) -> CallRecord:
    """As SMDR has it: the end in whole minutes."""
    ended_at = at(ended_s).replace(second=0)
    duration_s = more.pop("duration_s", 30)
    made = CallRecord(
        "office",
        "smdr",
        f"line {ended_s} {number}",
        started_at(ended_at, duration_s),
        ended_at,
        extension,
        "01",
        number,
        "out",
        duration_s=duration_s,
    )
    return replace(made, **more)


def attempt(attempt_id: int, placed_s: float, ended_s: float | None, **more: Any) -> Candidate:
    answered_s = more.pop("answered_s", placed_s + 5 if ended_s is None or ended_s > placed_s + 5 else None)
    return Candidate(
        attempt_id,
        more.pop("extension", "301"),
        more.pop("dialled", "984951234501"),
        at(placed_s),
        None if answered_s is None else at(answered_s),
        None if ended_s is None else at(ended_s),
        **more,
    )


@pytest.mark.parametrize(
    ("recorded", "dialled", "fit"),
    [
        ("984951234501", "984951234501", EXACT),
        ("84951234501", "984951234501", WITHOUT_ACCESS),
        ("4951234501", "984951234501", WITHOUT_ACCESS),
        ("9P84951F234501", "984951234501", EXACT),
        ("9=84951-234501", "984951234501", EXACT),
        (LONG[:20], LONG, CUT),
        (LONG[:25], LONG, CUT),
        (LONG[1:21], LONG, CUT),
        ("9849512345..", "984951234501", HIDDEN),
        ("98495.", "984951234501", HIDDEN),
        (".", "984951234501", HIDDEN),
        ("9849512345XX", "984951234501", HIDDEN),
        ("4951234501", "4951234501", EXACT),
        ("84951234502", "984951234501", 0),
        (LONG[:19], LONG, 0),  # shorter than any column: not cut, another number
        ("501", "984951234501", 0),  # an extension of three digits proves nothing
        ("9849512345X", "984951234501", 0),
        ("984951234501", "84951234501", 0),  # more than was dialled
        ("97.", "984951234501", 0),
        ("", "984951234501", 0),
        ("984951234501", "", 0),
    ],
)
def test_numbers(recorded: str, dialled: str, fit: int) -> None:
    assert number_fit(recorded, dialled) == fit


def test_the_plain_case() -> None:
    assert match({7: record(40)}, [attempt(1, 0, 40)]) == {7: 1}


@pytest.mark.parametrize(
    ("shift_s", "found"),
    [(-239, False), (-181, False), (-179, True), (0, True), (59, True), (61, True), (239, True), (241, False)],
)
def test_the_window_is_around_the_minute_of_the_end(shift_s: float, found: bool) -> None:
    """The record says 10:10: its call ended in that minute; the clocks may be 180 s apart."""
    minute = at(600)
    call = replace(record(0), ended_at=minute, started_at=None)
    candidate = replace(attempt(1, 0, 0), ended_at=minute + timedelta(seconds=shift_s), placed_at=minute)
    assert match({7: call}, [candidate]) == ({7: 1} if found else {})


@pytest.mark.parametrize(
    "other",
    [
        {"extension": "302"},
        {"number": "984951234509"},
        {"direction": "in"},
        {"direction": "internal"},
        {"fault": "unreadable"},
        {"ended_at": None},
        {"ended_at": T0 + timedelta(hours=1)},
        {"ended_at": T0 - timedelta(hours=1)},
    ],
)
def test_a_record_of_something_else(other: dict[str, Any]) -> None:
    assert match({7: replace(record(40), **other)}, [attempt(1, 0, 40)]) == {}


def test_one_record_to_one_attempt_and_one_attempt_to_one_record() -> None:
    calls = {1: record(40), 2: record(100), 3: record(160)}
    attempts = [attempt(1, 0, 40), attempt(2, 60, 100), attempt(3, 120, 160)]
    assert match(calls, attempts) == {1: 1, 2: 2, 3: 3}
    assert match({**calls, 4: record(160)}, attempts) == {1: 1, 2: 2, 3: 3}


def test_an_attempt_that_has_its_record_takes_no_other() -> None:
    assert match({7: record(40)}, [attempt(1, 0, 40, has_record=True)]) == {}


def test_the_better_number_wins_whatever_the_time() -> None:
    nearer = attempt(1, 0, 40, dialled="7984951234501")
    assert match({7: record(40)}, [nearer, attempt(2, 60, 130)]) == {7: 2}


def test_a_conversation_belongs_to_the_attempt_that_was_answered() -> None:
    """Called twice within the window; only the second time somebody answered, and only that was recorded."""
    unanswered, answered = attempt(1, 0, 30, answered_s=None), attempt(2, 60, 110)
    assert match({7: record(110, duration_s=45)}, [unanswered, answered]) == {7: 2}
    assert match({7: record(110, duration_s=0)}, [unanswered, answered]) == {7: 1}


def test_a_backlog_of_days_is_compared_hour_by_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counting(recorded: str, dialled: str) -> int:
        nonlocal compared
        compared += 1
        return number_fit(recorded, dialled)

    monkeypatch.setattr(call_matching, "number_fit", counting)
    attempts = [attempt(each, each * 600, each * 600 + 50) for each in range(432)]  # three days
    records = {each: record(each * 600 + 50) for each in range(432)}
    assert match(records, attempts) == {each: each for each in range(432)}
    assert compared < 432 * 15


def test_a_record_that_comes_before_the_outcome_waits_for_it() -> None:
    """It must not go to an earlier attempt just because that one has ended."""
    earlier, going_on = attempt(1, 0, 30, answered_s=None), attempt(2, 60, None)
    assert match({7: record(110)}, [earlier, going_on]) == {}
    assert match({7: record(110)}, [earlier, attempt(2, 60, 111)]) == {7: 2}


def test_a_later_attempt_that_goes_on_does_not_hold_a_record_of_the_one_before() -> None:
    assert match({7: record(40)}, [attempt(1, 0, 40), attempt(2, 130, None)]) == {7: 1}


def test_a_verified_code_hides_the_extension() -> None:
    attempts = [attempt(1, 0, 40, extension="302"), attempt(2, 0, 40, extension="303", dialled="984951234502")]
    assert match({7: record(40, extension="*1234")}, attempts) == {7: 1}


def test_a_transferred_call_has_the_record_of_the_operator_too() -> None:
    ours = record(60, condition="TR", duration_s=50)
    operators = record(300, extension="101", duration_s=240)
    assert match({7: ours, 8: operators}, [attempt(1, 0, 60)]) == {7: 1, 8: 1}


def test_the_rest_of_a_transfer_may_come_later() -> None:
    handed_over = attempt(1, 0, 60, has_record=True, was_transferred=True)
    assert match({8: record(300, extension="101", duration_s=240)}, [handed_over]) == {8: 1}
    assert match({8: record(300, extension="101", duration_s=240, number="984951234502")}, [handed_over]) == {}
    assert match({8: record(3000, extension="101", duration_s=240)}, [handed_over]) == {}


def test_one_record_of_the_whole_call_by_the_operator() -> None:
    handed_over = attempt(1, 0, 60, was_transferred=True)
    assert match({8: record(300, extension="101", duration_s=290)}, [handed_over]) == {8: 1}


def test_another_extension_has_nothing_of_a_call_that_was_not_transferred() -> None:
    assert match({8: record(100, extension="101", duration_s=40)}, [attempt(1, 0, 60)]) == {}


def test_csta_is_exact_to_the_second() -> None:
    exact = replace(record(0), source="csta", ended_at=at(40), duration_s=35)
    assert match({7: exact}, [attempt(1, 0, 40)], Matching(window_s=0)) == {7: 1}
    assert match({7: exact}, [attempt(1, 0, 41)], Matching(window_s=0)) == {}


CALLS = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from(["301", "302"]), st.sampled_from(["984951234501", "984951234502"])),
    max_size=12,
)


@settings(max_examples=100)
@given(CALLS, CALLS)
def test_nothing_is_given_twice(printed: list[tuple[int, str, str]], tried: list[tuple[int, str, str]]) -> None:
    records = {number: record(ended, digits, extension) for number, (ended, extension, digits) in enumerate(printed)}
    attempts = [
        attempt(number, ended - 30, ended, extension=extension, dialled=digits)
        for number, (ended, extension, digits) in enumerate(tried)
    ]
    found = match(records, attempts)
    assert len(set(found.values())) == len(found)
    for record_id, attempt_id in found.items():
        assert records[record_id].extension == attempts[attempt_id].extension
        assert records[record_id].number == attempts[attempt_id].dialled
    # What is left on both sides could not have been put together.
    left = {key: each for key, each in records.items() if key not in found}
    free = [each for each in attempts if each.attempt_id not in found.values()]
    assert match(left, free) == {}
