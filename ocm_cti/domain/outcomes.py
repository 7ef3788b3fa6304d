"""What came of an attempt for the person; the switch's own cause is kept beside it."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from ocm_cti.domain.causes import Cause


class Outcome(enum.Enum):
    """Names are what reports and the API show."""

    CONFIRMED = "confirmed"  # the expected key or PIN
    DELIVERED = "delivered"  # heard to the end
    CUT_SHORT = "cut_short"  # answered, heard n of m seconds
    MACHINE = "machine"  # an answering machine, which was told nothing, or what the list has for machines
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"  # congestion, out of service
    LINE_FAULT = "line_fault"  # ours; not counted against the person
    STOPPED = "stopped"  # by the operator
    UNKNOWN = "unknown"  # in flight at a crash, or the switch could not tell; never redialled silently


#: Every cause of a call that was not answered.
_OF_FAILURE: dict[Cause, Outcome] = {
    Cause.BUSY: Outcome.BUSY,
    Cause.NO_ANSWER: Outcome.NO_ANSWER,
    Cause.REJECTED: Outcome.REJECTED,
    Cause.MACHINE: Outcome.MACHINE,
    Cause.INVALID_NUMBER: Outcome.INVALID_NUMBER,
    Cause.UNREACHABLE: Outcome.UNREACHABLE,
    Cause.LINE_FAULT: Outcome.LINE_FAULT,
    Cause.CANCELLED: Outcome.LINE_FAULT,  # we hung up before the answer: our doing, so it is not counted
    Cause.UNKNOWN: Outcome.UNKNOWN,
    Cause.TRANSFERRED: Outcome.UNKNOWN,  # nobody unanswered can be handed over
    Cause.NORMAL: Outcome.UNREACHABLE,  # cleared normally though nobody answered: the network gave up
}

#: After these nobody is called again on the same task.
FINAL = frozenset({Outcome.CONFIRMED, Outcome.DELIVERED, Outcome.STOPPED, Outcome.UNKNOWN})
#: These cost the person none of his budgets.
NOT_COUNTED = frozenset({Outcome.LINE_FAULT})

#: When nothing more is due, the task ends with the best that ever came of it: nearest to the person first.
_BEST_FIRST = (
    Outcome.CONFIRMED,
    Outcome.DELIVERED,
    Outcome.MACHINE,
    Outcome.CUT_SHORT,
    Outcome.REJECTED,
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.UNREACHABLE,
    Outcome.INVALID_NUMBER,
    Outcome.STOPPED,
    Outcome.UNKNOWN,
    Outcome.LINE_FAULT,
)


def of_failure(cause: Cause) -> Outcome:
    """The outcome of a call that was never answered."""
    return _OF_FAILURE[cause]


def of_answered(
    *, confirmed: bool, heard_out: bool, fault: bool, transferred: bool = False, machine: bool = False
) -> Outcome:
    """The outcome of an answered call. What the person did stands; a fault of ours only excuses what he did not do.

    Who was handed over to somebody has been reached, whatever he had heard of us before. A ``machine`` that presses the
    right key was a person; else it is one, however much of its message it took.
    """
    if confirmed:
        return Outcome.CONFIRMED
    if machine and not fault:
        return Outcome.MACHINE
    if (heard_out and not machine) or transferred:
        return Outcome.DELIVERED
    return Outcome.LINE_FAULT if fault else Outcome.CUT_SHORT


def best(outcomes: Iterable[Outcome]) -> Outcome:
    """The one that the task ends with. Raises ValueError for none at all."""
    return min(outcomes, key=_BEST_FIRST.index)
