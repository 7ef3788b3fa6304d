"""What an operator's reasons mean to us: the SIP status of an INVITE and the Q.850 cause in its Reason header -> Cause.

The cause (RFC 3326) comes from the network behind the operator and says more than the status that was made of it, so
it goes first, unless it only says that the call is over. LINE_FAULT is what is about us: the account, our request, our
codecs; it would be every person's fate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import Native

SYSTEM: Final = "sip"
OURS: Final = "ocm"
#: Nothing has left for the operator (``VoiceObserver.refused``).
UNSENT: Final = 0

#: Final status of an INVITE; the others by their class (RFC 3261 section 8.1.3.2), see CLASSES.
STATUSES: Final[Mapping[int, Cause]] = {
    400: Cause.LINE_FAULT,  # our request is not understood
    401: Cause.LINE_FAULT,  # user or password
    402: Cause.LINE_FAULT,  # payment required
    403: Cause.LINE_FAULT,  # the account may not call; with a cause, what that says
    404: Cause.INVALID_NUMBER,
    405: Cause.LINE_FAULT,
    406: Cause.LINE_FAULT,
    407: Cause.LINE_FAULT,  # user or password
    408: Cause.NO_ANSWER,
    410: Cause.INVALID_NUMBER,  # gone
    413: Cause.UNREACHABLE,  # too large, also sent for "too many"
    414: Cause.INVALID_NUMBER,
    415: Cause.LINE_FAULT,  # media
    416: Cause.INVALID_NUMBER,
    480: Cause.NO_ANSWER,
    482: Cause.UNREACHABLE,  # loop
    483: Cause.UNREACHABLE,  # too many hops
    484: Cause.INVALID_NUMBER,  # not all digits
    485: Cause.INVALID_NUMBER,  # ambiguous
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,  # cancelled, and not by us: the operator gave up ringing
    488: Cause.LINE_FAULT,  # no codec in common
    500: Cause.UNREACHABLE,
    501: Cause.LINE_FAULT,
    502: Cause.UNREACHABLE,
    503: Cause.UNREACHABLE,
    504: Cause.UNREACHABLE,
    600: Cause.BUSY,
    603: Cause.REJECTED,
    604: Cause.INVALID_NUMBER,
    606: Cause.LINE_FAULT,  # no codec in common
    607: Cause.REJECTED,  # unwanted, RFC 8197
    608: Cause.REJECTED,  # RFC 8688
}
#: A status that no row knows, by its first digit.
CLASSES: Final[Mapping[int, Cause]] = {
    3: Cause.UNREACHABLE,  # redirected; we call whom we were told to call and nobody else
    4: Cause.LINE_FAULT,
    5: Cause.UNREACHABLE,
    6: Cause.REJECTED,
}
#: They challenge us again after we have answered: no cause makes that a matter of the person.
CREDENTIALS: Final = frozenset({401, 407})
#: The account itself is refused: everybody's call would be.
ACCOUNT_REFUSED: Final = frozenset({401, 402, 403, 407})
#: A Retry-After on these is about the operator; on others (480, 486, 600, 603) about the person.
OPERATOR_WAITS: Final = frozenset({413, 500, 501, 502, 503, 504})

#: Q.850 -> (ours, its words). Those of VAGUE say only that the call is over: then the status is asked.
CAUSES: Final[Mapping[int, tuple[Cause, str]]] = {
    1: (Cause.INVALID_NUMBER, "unallocated number"),
    2: (Cause.UNREACHABLE, "no route to transit network"),
    3: (Cause.UNREACHABLE, "no route to destination"),
    5: (Cause.INVALID_NUMBER, "misdialled trunk prefix"),
    17: (Cause.BUSY, "user busy"),
    18: (Cause.NO_ANSWER, "no user responding"),
    19: (Cause.NO_ANSWER, "no answer"),
    20: (Cause.UNREACHABLE, "subscriber absent"),
    21: (Cause.REJECTED, "call rejected"),
    22: (Cause.INVALID_NUMBER, "number changed"),
    23: (Cause.UNREACHABLE, "redirected to new destination"),
    25: (Cause.UNREACHABLE, "exchange routing error"),
    26: (Cause.UNREACHABLE, "non-selected user clearing"),
    27: (Cause.UNREACHABLE, "destination out of order"),
    28: (Cause.INVALID_NUMBER, "invalid number format"),
    29: (Cause.UNREACHABLE, "facility rejected"),
    34: (Cause.UNREACHABLE, "no circuit available"),
    38: (Cause.UNREACHABLE, "network out of order"),
    41: (Cause.UNREACHABLE, "temporary failure"),
    42: (Cause.UNREACHABLE, "switching equipment congestion"),
    43: (Cause.UNREACHABLE, "access information discarded"),
    44: (Cause.UNREACHABLE, "requested circuit not available"),
    46: (Cause.UNREACHABLE, "precedence call blocked"),
    47: (Cause.UNREACHABLE, "resource unavailable"),
    50: (Cause.LINE_FAULT, "facility not subscribed"),
    52: (Cause.LINE_FAULT, "outgoing calls barred"),
    53: (Cause.LINE_FAULT, "outgoing calls barred within the group"),
    54: (Cause.REJECTED, "incoming calls barred"),
    55: (Cause.REJECTED, "incoming calls barred within the group"),
    57: (Cause.LINE_FAULT, "bearer capability not authorised"),
    58: (Cause.LINE_FAULT, "bearer capability not available"),
    63: (Cause.UNREACHABLE, "service not available"),
    65: (Cause.LINE_FAULT, "bearer capability not implemented"),
    69: (Cause.LINE_FAULT, "facility not implemented"),
    79: (Cause.UNREACHABLE, "service not implemented"),
    87: (Cause.REJECTED, "not a member of the group"),
    88: (Cause.UNREACHABLE, "incompatible destination"),
    102: (Cause.UNREACHABLE, "recovery on timer expiry"),
    111: (Cause.UNREACHABLE, "protocol error"),
}
VAGUE: Final[Mapping[int, str]] = {16: "normal clearing", 31: "normal, unspecified", 127: "interworking"}

#: The operator has no channel for us: the next call would fare the same.
CONGESTED: Final = frozenset({34, 42, 44})


def refusal_cause(
    code: int, reason: str, q850: int | None = None, overrides: Mapping[int, Cause] | None = None
) -> tuple[Cause, Native]:
    """Why a call was refused. ``overrides``: what a status means at this operator, whatever else he says."""
    native = Native(SYSTEM, str(code), _words(code, reason, q850))
    if code == UNSENT:
        return Cause.LINE_FAULT, native
    if overrides and code in overrides:
        return overrides[code], native
    if q850 in CAUSES and q850 is not None and code not in CREDENTIALS:
        return CAUSES[q850][0], native
    if code in STATUSES:
        return STATUSES[code], native
    return CLASSES.get(code // 100, Cause.UNKNOWN), native


def ended_native(by: str, reason: str, q850: int | None) -> Native:
    """The operator's words for the end of an answered call."""
    return Native(SYSTEM, "BYE" if by == "them" else by, _words(None, reason, q850))


def is_congested(code: int, q850: int | None) -> bool:
    """Whether the operator has no room for another call of ours just now."""
    return q850 in CONGESTED or (code == 503 and (q850 is None or q850 in VAGUE))


#: How the Reason header stands behind the phrase in what the voice process tells.
_RAW: Final = re.compile(r'(?:: |, )?Q\.850\s*;\s*cause\s*=\s*\d+(?:\s*;\s*text\s*=\s*"([^"]*)")?', re.IGNORECASE)


def _words(code: int | None, reason: str, q850: int | None) -> str:
    said = _RAW.sub(lambda raw: f": {raw[1]}" if raw[1] else "", reason).strip(" :")
    if q850 is None:
        return said or ("no reason given" if code is None else f"status {code}")
    meaning = VAGUE.get(q850) or CAUSES.get(q850, (Cause.UNKNOWN, "a cause that no table knows"))[1]
    told = f"Q.850 {q850}, {meaning}"
    return f"{said} ({told})" if said else told
