"""States of an attempt, as a table.

``claimed`` is committed before anything else; ``placing`` is committed before anything leaves for the switch. So
an attempt found ``claimed`` after a crash was never sent, and one found in a later state is asked of the switch.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class AttemptState(enum.Enum):
    CLAIMED = "claimed"
    PLACING = "placing"
    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    FINISHED = "finished"


#: state -> the states that may follow it; what is not here is a fault of ours and changes nothing.
TRANSITIONS: Mapping[AttemptState, frozenset[AttemptState]] = {
    AttemptState.CLAIMED: frozenset({AttemptState.PLACING, AttemptState.FINISHED}),
    AttemptState.PLACING: frozenset(
        {AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.FINISHED}
    ),
    AttemptState.DIALING: frozenset({AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.FINISHED}),
    AttemptState.RINGING: frozenset({AttemptState.ANSWERED, AttemptState.FINISHED}),
    AttemptState.ANSWERED: frozenset({AttemptState.FINISHED}),
    AttemptState.FINISHED: frozenset(),
}


def before(state: AttemptState) -> frozenset[AttemptState]:
    """The states from which ``state`` may be entered; the condition of the UPDATE that enters it."""
    return frozenset(earlier for earlier, following in TRANSITIONS.items() if state in following)
