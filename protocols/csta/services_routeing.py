"""Routeing services (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    alternative,
    application_implicit,
    choice,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    sequence,
    sequence_of,
)
from protocols.csta.causes import UniversalFailure
from protocols.csta.common import (
    CallCharacteristics,
    CallLinkageData,
    CorrelatorData,
    DeviceHistory,
    LanguagePreferences,
    MessageInfo,
    SubjectOfCall,
)
from protocols.csta.identifiers import (
    AssociatedCalledDeviceID,
    AssociatedCallingDeviceID,
    CalledDeviceID,
    CallingDeviceID,
    ConnectionID,
    ConnectionInformation,
    DeviceID,
    MediaCallCharacteristics,
    MediaClass,
    SubjectDeviceID,
)
from protocols.csta.private import CSTACommonArguments

RouteRegisterReqID = OCTET_STRING  # assumed: the tables name it only
RouteRegisterArgument = sequence(
    "RouteRegisterArgument",
    may("routeingDevice", DeviceID),
    may("requestedRouteingMediaClass", MediaClass),
    may("extensions", CSTACommonArguments),
)
RouteRegisterResult = sequence(
    "RouteRegisterResult",
    must("routeRegisterReqID", RouteRegisterReqID),
    may("actualRouteingMediaClass", MediaClass),
    may("extensions", CSTACommonArguments),
)
RouteingCrossRefID = application_implicit(24, OCTET_STRING, "RouteingCrossRefID")
SelectValue = enumerated("SelectValue", "0 normal 1 leastCost 2 emergency 3 aCD 4 userDefined")
RouteRequestArgument = sequence(
    "RouteRequestArgument",
    must("crossRefIdentifier", RouteingCrossRefID),
    may("routeRegisterReqID", implicit(0, RouteRegisterReqID)),
    must("currentRoute", CalledDeviceID),
    may("callingDevice", CallingDeviceID),
    may("routeingDevice", SubjectDeviceID),
    may("routedCall", ConnectionID),
    may("routeSelAlgorithm", implicit(1, SelectValue)),
    may("associatedCallingDevice", AssociatedCallingDeviceID),
    may("associatedCalledDevice", AssociatedCalledDeviceID),
    may("priority", implicit(2, BOOLEAN)),
    may("replyTimeout", implicit(3, INTEGER)),
    may("correlatorData", implicit(4, CorrelatorData)),
    may("mediaCallCharacteristics", implicit(5, MediaCallCharacteristics)),
    may("callCharacteristics", implicit(6, CallCharacteristics)),
    may("routeCallInfo", implicit(7, ConnectionInformation)),
    may("callLinkageData", implicit(8, CallLinkageData)),
    may("subjectOfCall", implicit(9, SubjectOfCall)),
    may("messageInfo", implicit(10, MessageInfo)),
    may("languagePreferences", implicit(11, LanguagePreferences)),
    may("deviceHistory", implicit(12, DeviceHistory)),
    may("extensions", CSTACommonArguments),
)
RetryValue = choice(
    "RetryValue",
    alternative("noListAvailable", implicit(0, BOOLEAN)),
    alternative("noCountAvailable", implicit(1, BOOLEAN)),
    alternative("retryCount", implicit(2, INTEGER)),
)
RouteSelectRequestArgument = sequence(
    "RouteSelectRequestArgument",
    must("crossRefIdentifier", RouteingCrossRefID),
    may("routeRegisterReqID", implicit(0, RouteRegisterReqID)),
    must("routeSelected", explicit(1, DeviceID)),
    may("alternateRoutes", implicit(2, sequence_of(DeviceID, "alternateRoutes"))),
    may("remainRetries", explicit(3, RetryValue)),
    may("routeUsedReq", implicit(4, BOOLEAN)),
    may("correlatorData", implicit(5, CorrelatorData)),
    may("extensions", CSTACommonArguments),
)
RouteEndRequestArgument = sequence(
    "RouteEndRequestArgument",
    must("crossRefIdentifier", RouteingCrossRefID),
    may("routeRegisterReqID", implicit(0, RouteRegisterReqID)),
    may("errorValue", explicit(1, UniversalFailure)),
    may("correlatorData", implicit(2, CorrelatorData)),
    may("extensions", CSTACommonArguments),
)
RejectCause = enumerated(
    "RejectCause",
    """
    1 busyOverflow 2 queueTimeOverflow 3 capacityOverflow 4 calendarOverflow 5 unknownOverflow
    """,
)
RouteRejectArgument = sequence(
    "RouteRejectArgument",
    must("crossRefIdentifier", RouteingCrossRefID),
    may("routeRegisterReqID", implicit(0, RouteRegisterReqID)),
    may("rejectCause", implicit(1, RejectCause)),
    may("correlatorData", implicit(2, CorrelatorData)),
    may("extensions", CSTACommonArguments),
)
