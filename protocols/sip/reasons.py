"""Why a call came to its end, as a peer says it: the Reason header (RFC 3326), Retry-After (RFC 3261 section 20.33)."""

from __future__ import annotations

import re

from . import addresses
from .messages import Message, Request, Response

#: No Retry-After is obeyed beyond this: an operator who means "never" must not stop us for ever.
LONGEST_S = 86400


def reason_of(message: Request | Response, otherwise: str) -> str:
    """``text`` of the first Reason that has one, or the header, or ``otherwise``."""
    reasons = message.all("Reason")
    for reason in reasons:
        if text := addresses.parameters(";" + reason.partition(";")[2]).get("text"):
            return text
    return ", ".join(reasons) or otherwise


def q850_of(message: Message) -> int | None:
    """The ISDN cause (ITU-T Q.850, 1 to 127) of ``Reason: Q.850;cause=17``; None when there is none."""
    for reason in message.all("Reason"):
        protocol, _, rest = reason.partition(";")
        if protocol.strip().lower() == "q.850":
            cause = addresses.parameters(";" + rest).get("cause") or ""
            if re.fullmatch(r"\d{1,3}", cause.strip()) and 0 < int(cause) < 128:
                return int(cause)
    return None


def retry_after_s_of(message: Message) -> int | None:
    """Seconds of Retry-After (a comment or parameter behind them is passed over); None when there is none."""
    wait_s = message.number("Retry-After")
    return None if wait_s is None else min(wait_s, LONGEST_S)
