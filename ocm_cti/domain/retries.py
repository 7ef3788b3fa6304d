"""When a person is called next, on which number, or why not any more. Pure: a history in, a decision out.

Budgets stand side by side: tries of one result on one number (``rules``), tries of a number, tries of the person.
Faults of ours or of the line cost none of them and only back off, so that a dead line does not spin; but nobody whose
telephone rang is called without end because of our faults (``tries_after_fault``), and a message that can't be made is
given up. What was called off before anything was sent (the hour was over, somebody paused) is as if it had not been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocm_cti.domain.outcomes import FINAL, NOT_COUNTED, Outcome, best
from ocm_cti.domain.settings import ListSettings

#: A dead line is tried again ever more slowly, but never given up.
LONGEST_LINE_FAULT_DELAY_S = 600.0
#: Whoever was called off so often in a row waits as after a fault: should the ledger and the last look before a call
#: ever be of two minds about somebody, he must not be claimed without end.
CALLED_OFF_AT_ONCE = 3
#: A message that could not be prepared so often (over about an hour and a half) will not be prepared by itself.
TRIES_TO_PREPARE = 12


@dataclass(frozen=True)
class Past:
    """One finished attempt: which of the person's numbers (from 0), what came of it, when it ended."""

    number_index: int
    outcome: Outcome
    ended_at: datetime
    was_placed: bool = True  # the switch was asked for the call
    may_have_rung: bool = False
    called_off: bool = False  # by us, before the switch was asked


@dataclass(frozen=True)
class Done:
    """Nothing more is due; the task ends with this."""

    outcome: Outcome


@dataclass(frozen=True)
class Again:
    """Call again not before ``due_at``; ``why`` is a code for the screen: what is waited for."""

    due_at: datetime
    number_index: int
    why: str


def decide(
    history: Sequence[Past], numbers: int, settings: ListSettings, invalid: frozenset[int] = frozenset()
) -> Done | Again:
    """After the last attempt of ``history`` (which is not empty) for a person with ``numbers`` numbers.

    ``invalid`` are numbers known from elsewhere not to exist; they are never dialled.
    """
    last = history[-1]
    if last.called_off:
        return _as_before(history, numbers, settings, invalid)
    history = [past for past in history if not past.called_off]
    if last.outcome in FINAL:
        return Done(last.outcome)
    if last.outcome in NOT_COUNTED:
        faults = [past for past in history if past.outcome in NOT_COUNTED]
        if (
            sum(past.may_have_rung for past in faults) >= settings.tries_after_fault
            or sum(not past.was_placed for past in faults) >= TRIES_TO_PREPARE
        ):
            return Done(best(past.outcome for past in history))
        return Again(last.ended_at + _line_fault_delay(history, settings), last.number_index, "line_fault")
    counted = [past for past in history if past.outcome not in NOT_COUNTED]
    usable = [index for index in range(numbers) if _usable(index, counted, settings, invalid)]
    if len(counted) >= settings.tries_per_person or not usable:
        return Done(best(past.outcome for past in counted))
    index = _next_number(last, usable, counted, settings)
    on_it = [past for past in counted if past.number_index == index]
    if not on_it:
        return Again(last.ended_at, index, "next_number")
    rule = settings.rules[on_it[-1].outcome]
    due_at = max(last.ended_at, on_it[-1].ended_at + timedelta(seconds=rule.delay_s))
    return Again(due_at, index, f"retry_{on_it[-1].outcome.value}")


def _as_before(history: Sequence[Past], numbers: int, settings: ListSettings, invalid: frozenset[int]) -> Done | Again:
    """He is due when he was due before he was claimed: which hours and holds are in the way is found out then."""
    last = history[-1]
    before = list(history)
    while before and before[-1].called_off:
        before.pop()
    if len(history) - len(before) > CALLED_OFF_AT_ONCE:
        due_at = last.ended_at + timedelta(seconds=settings.line_fault_delay_s)
        return Again(due_at, last.number_index, "line_fault")
    return decide(before, numbers, settings, invalid) if before else Again(last.ended_at, last.number_index, "due")


def first_number(numbers: int, invalid: frozenset[int]) -> int | None:
    """Where a new task begins; None when none of the numbers is known to exist."""
    return next((index for index in range(numbers) if index not in invalid), None)


def _usable(index: int, counted: Sequence[Past], settings: ListSettings, invalid: frozenset[int]) -> bool:
    on_it = [past.outcome for past in counted if past.number_index == index]
    if index in invalid or Outcome.INVALID_NUMBER in on_it or len(on_it) >= settings.tries_per_number:
        return False
    return all(
        outcome in settings.rules and times < settings.rules[outcome].tries for outcome, times in Counter(on_it).items()
    )


def _next_number(last: Past, usable: Sequence[int], counted: Sequence[Past], settings: ListSettings) -> int:
    """Round by round: the number called least so far, the next in order first. Who hung up is called where he was."""
    rule = settings.rules.get(last.outcome)
    move_on = rule.next_number if rule is not None else None
    if move_on is None:
        move_on = settings.next_number_first and last.outcome is not Outcome.CUT_SHORT
    if last.number_index in usable and not move_on:
        return last.number_index
    times = Counter(past.number_index for past in counted)
    return min(usable, key=lambda index: (times[index], index <= last.number_index, index))


def _line_fault_delay(history: Sequence[Past], settings: ListSettings) -> timedelta:
    in_a_row = 0
    for past in reversed(history):
        if past.outcome not in NOT_COUNTED:
            break
        in_a_row += 1
    delay_s = settings.line_fault_delay_s * 2 ** min(in_a_row - 1, 10)
    return timedelta(seconds=min(delay_s, max(LONGEST_LINE_FAULT_DELAY_S, settings.line_fault_delay_s)))
