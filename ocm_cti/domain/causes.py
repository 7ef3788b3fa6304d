"""Why a call failed or ended: one enumeration over all switches; the switch's own code is kept beside it."""

from __future__ import annotations

import enum


class Cause(enum.Enum):
    """The reason the switch gave, in our words. What came of the call for the person is an Outcome, see outcomes.py."""

    NORMAL = "normal"  # normal clearing after an answer
    TRANSFERRED = "transferred"  # we handed the person over to somebody else
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    MACHINE = "machine"  # the switch heard an answering machine, and hung up before we spoke
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"  # network congestion, destination out of order: the far side's or the network's
    LINE_FAULT = "line_fault"  # ours: no trunk, link down, voice process gone; never counts against the person
    CANCELLED = "cancelled"  # ended by us: operator, shutdown, or not begun after all
    UNKNOWN = "unknown"  # the switch gave a reason that no table knows
