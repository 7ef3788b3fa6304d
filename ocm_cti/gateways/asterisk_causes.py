"""What Asterisk's reasons mean to us: Cause (Q.850) and TechCause of Hangup, Reason of OriginateResponse, DialStatus.

SEEN on Asterisk 22 by the events of a call that ended so; Q.850 the standard's own words, not seen there. A cause that
says nothing (0, 16) before an answer is judged by what else was told of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.interface import Native

SYSTEM = "asterisk"
OURS = "ocm"

#: Cause of Hangup before an answer -> (ours, Q.850's words).
CAUSES: Mapping[int, tuple[Cause, str]] = {
    1: (Cause.INVALID_NUMBER, "unallocated number"),  # SEEN: 404
    2: (Cause.UNREACHABLE, "no route to transit network"),
    3: (Cause.UNREACHABLE, "no route to destination"),
    5: (Cause.INVALID_NUMBER, "misdialled trunk prefix"),
    6: (Cause.LINE_FAULT, "channel unacceptable"),
    7: (Cause.LINE_FAULT, "call awarded and delivered in an established channel"),
    17: (Cause.BUSY, "user busy"),  # SEEN: 486
    18: (Cause.NO_ANSWER, "no user responding"),  # 408
    19: (Cause.NO_ANSWER, "no answer"),  # SEEN: 480, and Timeout ran out
    20: (Cause.UNREACHABLE, "subscriber absent"),
    21: (Cause.REJECTED, "call rejected"),  # SEEN: 603; 401, 403, 407 by the table below
    22: (Cause.INVALID_NUMBER, "number changed"),  # 410
    23: (Cause.UNREACHABLE, "redirected to new destination"),
    26: (Cause.UNREACHABLE, "answered elsewhere"),
    27: (Cause.UNREACHABLE, "destination out of order"),  # 502
    28: (Cause.INVALID_NUMBER, "invalid number format"),  # 484
    29: (Cause.UNREACHABLE, "facility rejected"),  # 501
    30: (Cause.UNREACHABLE, "response to status enquiry"),
    31: (Cause.UNREACHABLE, "normal, unspecified"),
    34: (Cause.UNREACHABLE, "no circuit available"),  # SEEN: 503; the trunk rests
    38: (Cause.UNREACHABLE, "network out of order"),  # SEEN: 500
    41: (Cause.UNREACHABLE, "temporary failure"),  # 409
    42: (Cause.UNREACHABLE, "switching equipment congestion"),
    43: (Cause.UNREACHABLE, "access information discarded"),
    44: (Cause.UNREACHABLE, "requested circuit not available"),
    45: (Cause.UNREACHABLE, "pre-empted"),
    47: (Cause.UNREACHABLE, "resource unavailable"),
    50: (Cause.LINE_FAULT, "facility not subscribed"),
    52: (Cause.LINE_FAULT, "outgoing calls barred"),
    54: (Cause.REJECTED, "incoming calls barred"),
    57: (Cause.LINE_FAULT, "bearer capability not authorised"),
    58: (Cause.LINE_FAULT, "bearer capability not available"),  # 488, 606: no codec in common
    65: (Cause.LINE_FAULT, "bearer capability not implemented"),
    66: (Cause.LINE_FAULT, "channel type not implemented"),
    69: (Cause.LINE_FAULT, "facility not implemented"),
    81: (Cause.LINE_FAULT, "invalid call reference"),
    88: (Cause.UNREACHABLE, "incompatible destination"),
    95: (Cause.LINE_FAULT, "invalid message"),
    96: (Cause.LINE_FAULT, "mandatory information element missing"),
    97: (Cause.LINE_FAULT, "message type not implemented"),
    98: (Cause.LINE_FAULT, "wrong message"),
    99: (Cause.LINE_FAULT, "information element not implemented"),
    100: (Cause.LINE_FAULT, "invalid information element contents"),
    101: (Cause.LINE_FAULT, "wrong call state"),
    102: (Cause.UNREACHABLE, "recovery on timer expiry"),  # 504
    103: (Cause.LINE_FAULT, "mandatory information element length error"),
    111: (Cause.UNREACHABLE, "protocol error"),
    127: (Cause.UNREACHABLE, "interworking"),  # SIP answers that Asterisk has no row for
}
#: They say that the call is over, and nothing more.
VAGUE = {0: "unknown", 16: "normal clearing"}

#: SIP status (TechCause) that says more than the cause that Asterisk makes of it.
TECH_CAUSES: Mapping[int, Cause] = {
    401: Cause.LINE_FAULT,  # user or password of the trunk; Asterisk calls them 21, rejected
    403: Cause.LINE_FAULT,  # the operator does not want our account: it would be every person's fate
    407: Cause.LINE_FAULT,
    410: Cause.INVALID_NUMBER,
    484: Cause.INVALID_NUMBER,
    485: Cause.INVALID_NUMBER,
    604: Cause.INVALID_NUMBER,
    415: Cause.LINE_FAULT,  # media that both understand: our codecs
    488: Cause.LINE_FAULT,
    606: Cause.LINE_FAULT,
    487: Cause.NO_ANSWER,  # cancelled, and not by us
    600: Cause.BUSY,
    607: Cause.REJECTED,  # RFC 8197
    608: Cause.REJECTED,  # RFC 8688
}

#: Reason of OriginateResponse. SEEN: 0 for nearly everything; 5 and 8 only where a Local channel's dialplan ran out.
REASONS: Mapping[int, tuple[Cause, str]] = {
    1: (Cause.UNREACHABLE, "hung up"),
    3: (Cause.NO_ANSWER, "Timeout ran out"),  # SEEN
    5: (Cause.BUSY, "busy"),  # SEEN
    8: (Cause.UNREACHABLE, "congestion"),  # SEEN
}
DIAL_STATUS: Mapping[str, Cause] = {
    "BUSY": Cause.BUSY,  # SEEN
    "CONGESTION": Cause.UNREACHABLE,  # SEEN
    "CHANUNAVAIL": Cause.UNREACHABLE,
    "DONTCALL": Cause.REJECTED,
    "TORTURE": Cause.REJECTED,
}

#: The trunk has no channel free: another call would fare the same.
CONGESTED = frozenset({34, 42, 44})


@dataclass(frozen=True)
class Seen:
    """What was told of an unanswered call that is over; None, "": nothing."""

    code: int | None = None  # Cause of Hangup
    tech: int | None = None  # TechCause: the SIP status
    reason: int | None = None  # of OriginateResponse Failure
    dial_status: str = ""  # of DialEnd
    begun: bool = False  # the trunk was asked (DialBegin)
    rang: bool = False

    @property
    def is_vague(self) -> bool:
        return self.code is None or self.code in VAGUE

    @property
    def congested(self) -> bool:
        return self.code in CONGESTED


def failure_cause(seen: Seen) -> tuple[Cause, Native]:
    """Why nobody was reached. LINE_FAULT only where nobody can have been rung, or the trunk itself was refused."""
    native = Native(SYSTEM, "" if seen.code is None else str(seen.code), _words(seen))
    if seen.tech is not None and seen.tech in TECH_CAUSES:
        return TECH_CAUSES[seen.tech], native
    if seen.code is not None and seen.code not in VAGUE:
        return CAUSES.get(seen.code, (Cause.UNKNOWN, ""))[0], native
    if seen.reason is not None and seen.reason in REASONS:
        return REASONS[seen.reason][0], native
    if seen.dial_status in DIAL_STATUS:
        return DIAL_STATUS[seen.dial_status], native
    if not seen.begun and not seen.rang:
        return Cause.LINE_FAULT, native
    return (Cause.NO_ANSWER if seen.rang else Cause.UNREACHABLE), native


def ended_native(code: int | None, tech: int | None) -> Native:
    """The switch's words for the end of an answered call."""
    return Native(SYSTEM, "" if code is None else str(code), _words(Seen(code, tech, begun=True)))


def _words(seen: Seen) -> str:
    if seen.code is None:
        reason = REASONS.get(seen.reason or 0, (Cause.UNKNOWN, ""))[1]
        made = "" if seen.begun or seen.rang else NO_CHANNEL
        return reason or made or "the switch gave no cause"
    words = VAGUE.get(seen.code) or CAUSES.get(seen.code, (Cause.UNKNOWN, "unknown cause"))[1]
    if seen.reason == 3:
        words = REASONS[3][1]
    if seen.code in VAGUE and not seen.begun and not seen.rang:
        words = NO_NUMBER
    return f"{words} ({seen.tech})" if seen.tech is not None else words


#: OriginateResponse Failure without any Hangup. SEEN: unknown technology or endpoint, ChannelId in use.
NO_CHANNEL = "no channel was made: technology, endpoint or trunk of the setting channel is not there, or is offline"
#: SEEN: Local/... to a context or extension that is not there.
NO_NUMBER = "nothing was dialled: the context or extension of the setting channel is not there"


def refusal(message: str, settings: AsteriskSettings) -> str:
    """Why Originate was refused, and what to do."""
    return message + _CURES.get(message.strip(" .").lower(), "").format(settings=settings)


#: SEEN: immediate Response Error of Originate.
_CURES = {
    "extension does not exist": (
        " The context {settings.context} with extension {settings.exten} is not in the dialplan:"
        " ocm asterisk-config prints it"
    ),
    "invalid channel": " The setting channel is {settings.channel}; it must be technology/resource",
    "permission denied": " User {settings.username} needs write = originate; ocm asterisk-config prints it",
}


def no_agi(settings: AsteriskSettings) -> str:
    """Somebody was answered by a dialplan that did not bring him to us."""
    return (
        f"answered, but the dialplan did not come to {settings.application} in context {settings.context};"
        " ocm asterisk-config prints the lines"
    )
