"""Snapshots of devices and calls (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    application_implicit,
    choice,
    enumerated,
    implicit,
    may,
    must,
    raw,
    sequence,
    sequence_of,
)
from protocols.csta.common import (
    CallCharacteristics,
    CallLinkageData,
    CorrelatorData,
    DeviceHistory,
    LanguagePreferences,
    MessageInfo,
    ServicesPermitted,
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
    LocalConnectionState,
    MediaCallCharacteristics,
    SubjectDeviceID,
)
from protocols.csta.location import LocationInfoList
from protocols.csta.private import CSTACommonArguments

ServiceCrossRefID = OCTET_STRING
MediaStreamID = OCTET_STRING  # assumed: the tables name it only
SnapshotDeviceArgument = sequence(
    "SnapshotDeviceArgument",
    must("snapshotObject", DeviceID),
    may("extensions", CSTACommonArguments),
)
CompoundCallState = sequence_of(LocalConnectionState, "CompoundCallState")
SimpleCallState = enumerated(
    "SimpleCallState",
    """
    0 callNull 1 callPending 3 callOriginated 35 callDelivered 36 callDeliveredHeld 50 callReceived
    51 callEstablished 52 callEstablishedHeld 66 callReceivedOnHold 67 callEstablishedOnHold 83 callQueued
    84 callQueuedHeld 96 callBlocked 99 callFailed 100 callFailedHeld
    """,
)
CallState = choice(
    "CallState",
    alternative("compoundCallState", implicit(0, CompoundCallState)),
    alternative("simpleCallState", implicit(1, SimpleCallState)),
    alternative("unknown", implicit(2, NULL)),
)
DeviceMediaInfoList = sequence_of(
    sequence("", may("mediaStreamID", MediaStreamID), may("connectionInformation", ConnectionInformation)),
    "DeviceMediaInfoList",
)
SnapshotDeviceResponseInfo = sequence(
    "SnapshotDeviceResponseInfo",
    must("connectionIdentifier", ConnectionID),
    may("endpointDevice", implicit(3, SubjectDeviceID)),
    must("localCallState", CallState),
    may("servicesPermitted", implicit(0, ServicesPermitted)),
    may("mediaServiceInfoList", implicit(1, DeviceMediaInfoList)),
    may("mediaCallCharacteristics", implicit(2, MediaCallCharacteristics)),
    may("callLinkageData", implicit(4, CallLinkageData)),
)
SnapshotDeviceData = application_implicit(
    22, sequence_of(SnapshotDeviceResponseInfo, "SnapshotDeviceData"), "SnapshotDeviceData"
)
SnapshotDeviceResult = sequence(
    "SnapshotDeviceResult",
    must(
        "crossRefIDorSnapshotData",
        choice(
            "crossRefIDorSnapshotData",
            alternative("serviceCrossRefID", ServiceCrossRefID),
            alternative("snapshotData", SnapshotDeviceData),
        ),
    ),
    may("extensions", CSTACommonArguments),
)
SnapshotDeviceDataArgument = sequence(
    "SnapshotDeviceDataArgument",
    must("serviceCrossRefID", ServiceCrossRefID),
    may("segmentID", INTEGER),
    must("lastSegment", BOOLEAN),
    must("snapshotData", SnapshotDeviceData),
    may("extensions", CSTACommonArguments),
)
SnapshotCallArgument = sequence(
    "SnapshotCallArgument",
    must("snapshotObject", ConnectionID),
    may("extensions", CSTACommonArguments),
)
CallMediaInfoList = sequence_of(
    sequence(
        "",
        must("mediaServiceType", raw(0)),
        may("mediaServiceVersion", implicit(1, INTEGER)),
        may("mediaServiceInstance", raw(2)),
        may("mediaStreamID", implicit(3, MediaStreamID)),
        may("connectionInformation", implicit(4, ConnectionInformation)),
    ),
    "CallMediaInfoList",
)
SnapshotCallResponseInfo = sequence(
    "SnapshotCallResponseInfo",
    must("deviceOnCall", SubjectDeviceID),
    may("callIdentifier", ConnectionID),
    may("localConnectionState", LocalConnectionState),
    may("servicesPermitted", implicit(0, ServicesPermitted)),
    may("mediaServiceInfoList", implicit(1, CallMediaInfoList)),
    may("locationInfo", implicit(2, LocationInfoList)),
)
SnapshotCallData = application_implicit(
    23, sequence_of(SnapshotCallResponseInfo, "SnapshotCallData"), "SnapshotCallData"
)
SnapshotCallResult = sequence(
    "SnapshotCallResult",
    must(
        "crossRefIDorSnapshotData",
        choice(
            "crossRefIDorSnapshotData",
            alternative("serviceCrossRefID", implicit(0, ServiceCrossRefID)),
            alternative("snapshotData", SnapshotCallData),
        ),
    ),
    may("mediaCallCharacteristics", MediaCallCharacteristics),
    may("callCharacteristics", CallCharacteristics),
    may("callingDevice", CallingDeviceID),
    may("calledDevice", CalledDeviceID),
    may("associatedCallingDeviceID", AssociatedCallingDeviceID),
    may("associatedCalledDeviceID", AssociatedCalledDeviceID),
    may("correlatorData", implicit(1, CorrelatorData)),
    may("callLinkageData", implicit(2, CallLinkageData)),
    may("subjectOfCall", implicit(3, SubjectOfCall)),
    may("messageInfo", implicit(4, MessageInfo)),
    may("languagePreferences", implicit(5, LanguagePreferences)),
    may("deviceHistory", implicit(6, DeviceHistory)),
    may("extensions", CSTACommonArguments),
)
SnapshotCallDataArgument = sequence(
    "SnapshotCallDataArgument",
    must("serviceCrossRefID", ServiceCrossRefID),
    may("segmentID", INTEGER),
    must("lastSegment", BOOLEAN),
    must("snapshotData", SnapshotCallData),
    may("extensions", CSTACommonArguments),
)
