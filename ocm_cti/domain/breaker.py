"""When a campaign is to stop by itself: calls that break one after another by a fault of ours or of the line.

Nobody's tries are spent by such calls, but telephones may ring for nothing, and somebody should look.
"""

from __future__ import annotations

from collections.abc import Mapping

from ocm_cti.domain.outcomes import NOT_COUNTED, Outcome


def tripped(ended: Mapping[Outcome, int], least_calls: int) -> str:
    """Why the campaign is to be paused, for people; "" when it is not.

    ``ended`` counts the calls that ended lately; more than half of at least ``least_calls`` must be faults. 0 calls:
    never.
    """
    calls = sum(ended.values())
    faults = sum(count for outcome, count in ended.items() if outcome in NOT_COUNTED)
    if not least_calls or calls < least_calls or 2 * faults <= calls:
        return ""
    return f"{faults} of the last {calls} calls broke by a fault of the line"
