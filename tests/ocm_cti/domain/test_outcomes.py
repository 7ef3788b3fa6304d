"""What came of an attempt: every cause, every answered call, and which outcome a task ends with."""

from __future__ import annotations

import itertools

import pytest

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import FINAL, NOT_COUNTED, Outcome, best, of_answered, of_failure


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_an_outcome(cause: Cause) -> None:
    """And none of a call that nobody answered says that somebody heard anything."""
    assert of_failure(cause) not in {Outcome.CONFIRMED, Outcome.DELIVERED, Outcome.CUT_SHORT}
    assert (of_failure(cause) is Outcome.MACHINE) == (cause is Cause.MACHINE)


@pytest.mark.parametrize(
    "name", ["busy", "no_answer", "rejected", "invalid_number", "unreachable", "line_fault", "unknown"]
)
def test_a_cause_and_an_outcome_of_one_name_are_one_thing(name: str) -> None:
    assert of_failure(Cause(name)) is Outcome(name)


def test_what_we_hung_up_ourselves_is_not_counted() -> None:
    assert of_failure(Cause.CANCELLED) in NOT_COUNTED


@pytest.mark.parametrize(
    ("confirmed", "heard_out", "fault", "outcome"),
    [
        (True, True, False, Outcome.CONFIRMED),
        (True, False, False, Outcome.CONFIRMED),
        (True, False, True, Outcome.CONFIRMED),
        (True, True, True, Outcome.CONFIRMED),
        (False, True, False, Outcome.DELIVERED),
        (False, True, True, Outcome.DELIVERED),
        (False, False, False, Outcome.CUT_SHORT),
        (False, False, True, Outcome.LINE_FAULT),
    ],
)
def test_answered_calls(confirmed: bool, heard_out: bool, fault: bool, outcome: Outcome) -> None:
    """What the person did stands, whatever broke afterwards."""
    assert of_answered(confirmed=confirmed, heard_out=heard_out, fault=fault) is outcome


@pytest.mark.parametrize(
    ("confirmed", "heard_out", "fault", "outcome"),
    [
        (False, False, False, Outcome.MACHINE),
        (False, True, False, Outcome.MACHINE),
        (False, True, True, Outcome.LINE_FAULT),
        (True, False, True, Outcome.CONFIRMED),
    ],
)
def test_a_machine_that_was_talked_to(confirmed: bool, heard_out: bool, fault: bool, outcome: Outcome) -> None:
    assert of_answered(confirmed=confirmed, heard_out=heard_out, fault=fault, machine=True) is outcome


def test_final_and_not_counted_are_different_things() -> None:
    assert not FINAL & NOT_COUNTED
    assert Outcome.UNKNOWN in FINAL


def test_best_is_one_order_of_all_outcomes() -> None:
    """Of any two the same one wins whichever came first, and nothing is missing from the table."""
    for one, other in itertools.product(Outcome, repeat=2):
        assert best([one, other]) is best([other, one])
    assert best([Outcome.NO_ANSWER, Outcome.CUT_SHORT, Outcome.BUSY]) is Outcome.CUT_SHORT
    assert best([Outcome.INVALID_NUMBER, Outcome.NO_ANSWER]) is Outcome.NO_ANSWER
    with pytest.raises(ValueError):
        best([])
