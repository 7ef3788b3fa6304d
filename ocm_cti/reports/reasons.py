"""Why a call ended as it did, in one short sentence for people; the switch's own words stay beside it for technicians.

The sentences are English, and keys of the table of words.
"""

from __future__ import annotations

from collections.abc import Mapping

from ocm_cti.domain.causes import Cause
from ocm_cti.reports.words import Words

_WE_HUNG_UP = "we ended the call"
#: By our cause, whatever the switch.
BY_CAUSE: Mapping[str, str] = {
    Cause.NORMAL.value: "the call ended in the usual way",
    Cause.TRANSFERRED.value: "handed over to somebody",
    Cause.BUSY.value: "the telephone was busy",
    Cause.NO_ANSWER.value: "nobody picked up",
    Cause.REJECTED.value: "the call was declined",
    Cause.MACHINE.value: "an answering machine picked up",
    Cause.INVALID_NUMBER.value: "there is no such number",
    Cause.UNREACHABLE.value: "the network could not reach the telephone",
    Cause.LINE_FAULT.value: "our line or the switch failed",
    Cause.CANCELLED.value: _WE_HUNG_UP,
    Cause.UNKNOWN.value: "what came of the call is not known",
}
#: By what OCM itself has written as the native cause, ``ocm CODE …``; it says more than the cause.
BY_OWN_CODE: Mapping[str, str] = {
    "too-long": "the call lasted longer than it may",
    "link-lost": "the link to the switch was lost during the call",
    "blind-late": "the link to the switch was lost during the call",
    "voice": "the sound of the call broke off",
    "voice-lost": "the sound of the call broke off",
    "voice-broke": "the sound of the call broke off",
    "not-placed": "the call was not begun",
    "not-sent": "the call could not be sent to the switch",
    "not-dialled": "the call could not be sent to the switch",
    "unsent": "the call could not be sent to the switch",
    "dial": "the call could not be sent to the switch",
    "dial-failed": "the call could not be sent to the switch",
    "crash": "the server ended during the call",
    "conversation": "a fault of OCM ended the call",
    "fault": "a fault of OCM ended the call",
}
SENTENCES = frozenset({*BY_CAUSE.values(), *BY_OWN_CODE.values(), _WE_HUNG_UP})


def sentence(cause: str, native_cause: str) -> str:
    """Of an attempt's ``cause`` (a code) and ``native_cause``; "" for none of both."""
    system, _, rest = native_cause.partition(" ")
    code = rest.partition(" ")[0] if system == "ocm" else ""
    if code == "hang-up" and cause in ("", Cause.NORMAL.value):
        return _WE_HUNG_UP
    return BY_OWN_CODE.get(code) or BY_CAUSE.get(cause) or (BY_CAUSE[Cause.UNKNOWN.value] if native_cause else "")


def told(cause: str, native_cause: str, words: Words) -> str:
    """``nobody picked up (csta 10 callNotAnswered)``."""
    plain = words(sentence(cause, native_cause))
    return f"{plain} ({native_cause})" if plain and native_cause else plain
