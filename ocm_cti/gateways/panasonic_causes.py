"""What the PBX's reasons mean to us: CSTA event causes and errors of MakeCall -> Cause, one row each.

Numbers and names are those of ECMA-285. DOC a Panasonic manual, RE working client code by others, INF our inference: no
row was tried on a real PBX.
"""

from __future__ import annotations

from collections.abc import Mapping

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import Native
from protocols.csta.link import RequestError, RequestFailed
from protocols.csta.panasonic import CAUSE_NUMBERS

#: Cause of Failed, and of a ConnectionCleared that comes before the answer.
EVENT_CAUSES: Mapping[str, Cause] = {
    "busy": Cause.BUSY,  # 3, RE: in a client's list for Failed
    "aCDBusy": Cause.BUSY,  # 57: a queue of the far side that is full
    "busyOverflow": Cause.BUSY,  # 94
    "lockout": Cause.BUSY,  # 18: the telephone is off the hook with nobody talking
    "callNotAnswered": Cause.NO_ANSWER,  # 10: the network gave up ringing
    "alertTimeExpired": Cause.NO_ANSWER,  # 60
    "timeout": Cause.NO_ANSWER,  # 56
    "maxTimeout": Cause.NO_ANSWER,  # 104
    "callCancelled": Cause.REJECTED,  # 5, INF: in the list for Failed; the called side does not want the call
    "doNotDisturb": Cause.REJECTED,  # 14, RE
    "callInterception": Cause.REJECTED,  # 116: barred on the way
    "normalClearing": Cause.REJECTED,  # 48, INF: the called side cleared without having answered (Q.850 16)
    "invalidNumberFormat": Cause.INVALID_NUMBER,  # 69, RE: in the list for Failed
    "numberUnallocated": Cause.INVALID_NUMBER,  # 81: ECMA-285, Q.850 1
    "numberChanged": Cause.INVALID_NUMBER,  # 50: Q.850 22; nobody is at the old number any more
    "destNotObtainable": Cause.UNREACHABLE,  # 13, RE; INF: nothing says that the number itself is wrong
    "incompatibleDestination": Cause.UNREACHABLE,  # 15, RE: Q.850 88, often a passing fault of the far switch
    "destOutOfOrder": Cause.UNREACHABLE,  # 65, RE: Q.850 27, a mobile that is switched off
    "networkCongestion": Cause.UNREACHABLE,  # 20: Q.850 42
    "networkNotObtainable": Cause.UNREACHABLE,  # 21
    "networkOutOfOrder": Cause.UNREACHABLE,  # 77: Q.850 38
    "networkSignal": Cause.UNREACHABLE,  # 46, RE: a tone or message of the network, meaning not known
    "normal": Cause.UNREACHABLE,  # 78, INF: in the list for Failed; no reason given
    "noAvailableAgents": Cause.UNREACHABLE,  # 23
    "trunksBusy": Cause.LINE_FAULT,  # 33: all our lines are taken, the person is not to blame
    "selectedTrunkBusy": Cause.LINE_FAULT,  # 85
    "campOnTrunks": Cause.LINE_FAULT,  # 62
    "reorderTone": Cause.LINE_FAULT,  # 29, INF: DOC says reorder tone is what a caller hears when no trunk is free
    "resourcesNotAvailable": Cause.LINE_FAULT,  # 30 of the PBX; written 40 in one client, see below
    "durationExceeded": Cause.LINE_FAULT,  # 40, INF: before an answer it can only be that client's 30
    "blocked": Cause.LINE_FAULT,  # 35, RE: our extension's line is blocked
    "invalidAccountCode": Cause.LINE_FAULT,  # 16: the PBX wants an account code of us
    "maintenance": Cause.LINE_FAULT,  # 19
    "switchingFunctionTerminated": Cause.LINE_FAULT,  # 54
    "notAvaliableBearerService": Cause.LINE_FAULT,  # 79 (ECMA-285's own spelling)
    "notSupportedBearerService": Cause.LINE_FAULT,  # 80
    "unauthorisedBearerService": Cause.LINE_FAULT,  # 87
}

#: Causes that say that our own lines, or the PBX's means to use them, are all taken: the person has no part in it, and
#: the next call of any port would fare the same. networkCongestion is not among them: that is beyond our lines.
TRUNKS_BUSY = frozenset(
    {
        "trunksBusy",
        "selectedTrunkBusy",
        "campOnTrunks",
        "reorderTone",
        "resourcesNotAvailable",
        "durationExceeded",
    }
)

#: What a cause means after the trunk was reached: then it is not our lines that are busy.
REACHED_CAUSES: Mapping[str, Cause] = {
    "reorderTone": Cause.UNREACHABLE,  # INF: the network's tone for congestion, heard on the line
    "resourcesNotAvailable": Cause.UNREACHABLE,  # INF: Q.850 47 from the network
}

#: Errors of MakeCall that are about the number; all others are about us (LINE_FAULT).
MAKE_CALL_ERRORS: Mapping[tuple[str, str], Cause] = {
    ("operation", "invalidCalledDeviceID"): Cause.INVALID_NUMBER,  # RE: the only one of Panasonic's list
    ("operation", "invalidDestination"): Cause.INVALID_NUMBER,
    ("operation", "invalidDestinationDeviceID"): Cause.INVALID_NUMBER,
}

#: Errors of ClearConnection that say that there is nothing (any more) to be cleared.
NOTHING_TO_CLEAR = frozenset(
    {
        ("operation", "invalidConnectionID"),
        ("operation", "invalidCallID"),
        ("operation", "objectNotKnown"),
        ("stateIncompatibility", "noConnectionToClear"),
        ("stateIncompatibility", "noCallToClear"),
        ("stateIncompatibility", "noActiveCall"),
    }
)

SYSTEM = "csta"
SIP = "sip"
OURS = "ocm"


#: Final SIP answers to an INVITE of ours (RFC 3261 §21), where the PBX says nothing by CSTA -> Cause. INF all of them.
SIP_CAUSES: Mapping[int, Cause] = {
    404: Cause.INVALID_NUMBER,
    410: Cause.INVALID_NUMBER,
    414: Cause.INVALID_NUMBER,
    416: Cause.INVALID_NUMBER,
    484: Cause.INVALID_NUMBER,  # not all digits
    485: Cause.INVALID_NUMBER,
    604: Cause.INVALID_NUMBER,
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    487: Cause.NO_ANSWER,  # cancelled, and not by us: the PBX gave up ringing
    486: Cause.BUSY,
    600: Cause.BUSY,
    603: Cause.REJECTED,
    607: Cause.REJECTED,  # RFC 8197
    502: Cause.UNREACHABLE,
    504: Cause.UNREACHABLE,
}


def event_cause(name: str | int) -> tuple[Cause, Native]:
    """What an event cause means before an answer; a number that ECMA-285 does not have comes as int."""
    if isinstance(name, int):
        return Cause.UNKNOWN, Native(SYSTEM, str(name), "")
    return EVENT_CAUSES.get(name, Cause.UNKNOWN), Native(SYSTEM, str(CAUSE_NUMBERS.get(name, "")), name)


def reached_cause(cause: Cause, native: Native) -> Cause:
    """What ``cause`` becomes once a trunk has carried the number."""
    return REACHED_CAUSES.get(native.text, cause) if native.system == SYSTEM else cause


def sip_cause(code: int, reason: str) -> tuple[Cause, Native]:
    """What a final answer of the PBX to our INVITE means; what no row says is a fault: of ours, or of the PBX."""
    return SIP_CAUSES.get(code, Cause.LINE_FAULT), Native(SIP, str(code), reason)


def trunks_busy(cause: Cause, native: Native) -> bool:
    """Whether a call failed because no line of ours was free."""
    return cause is Cause.LINE_FAULT and native.system == SYSTEM and native.text in TRUNKS_BUSY


def make_call_error(error: RequestError) -> tuple[Cause, Native]:
    """What a refused MakeCall means."""
    if isinstance(error, RequestFailed):
        key = (error.category, str(error.value))
        return MAKE_CALL_ERRORS.get(key, Cause.LINE_FAULT), Native(SYSTEM, error.category, str(error.value))
    return Cause.LINE_FAULT, Native(SYSTEM, "rejected", str(error))


def nothing_to_clear(error: RequestError) -> bool:
    return isinstance(error, RequestFailed) and (error.category, str(error.value)) in NOTHING_TO_CLEAR
