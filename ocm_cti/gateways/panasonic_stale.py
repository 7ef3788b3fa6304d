"""Words of an older call that had the same callID: PBXes use callIDs again (RE), and events may come late or twice.

An event that names our callID can belong to the call that the extension had before, if that one had the same callID and
has ended just now. Then the event alone proves nothing: a snapshot of the extension decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_reading import Seen

#: How a call can end: true as well when the PBX has nothing of it any more.
ENDS = frozenset({Event.FAILED, Event.FAR_CLEARED, Event.OWN_CLEARED})


def is_doubtful(formers: Mapping[bytes, float], call_id: bytes, now_s: float, reuse_s: float) -> bool:
    """Whether what is told of ``call_id`` may be about a former call; ``formers``: callID -> when it was over."""
    return call_id in formers and now_s - formers[call_id] < reuse_s


def is_confirmed(event: Event, number: bytes, seen: Sequence[Seen]) -> bool:
    """Whether a snapshot of the extension agrees with an event of the call ``number``."""
    ours = next((one for one in seen if one.call_id == number), None)
    if ours is None:
        return event in ENDS
    others = [other for other in ours.others if other != "null"]
    match event:
        case Event.OWN_CLEARED:
            return False
        case Event.FAR_CLEARED:
            return not others
        case Event.FAILED:
            return "fail" in (ours.own, *others)
        case Event.ANSWERED:
            return "connected" in others
        case Event.REACHED | Event.ALERTING:
            return bool(others)
    return True
