"""Arguments and results of the services (ECMA-285), fields in the order of the standard's text.

Which operation has which stands in operations.py.
"""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    NULL,
    OCTET_STRING,
    alternative,
    application_implicit,
    bit_string,
    choice,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    raw,
    sequence,
    sequence_of,
)
from protocols.csta.causes import EventCause
from protocols.csta.common import (
    AccountInfo,
    AuthCode,
    AutoOriginate,
    CallCharacteristics,
    CallLinkageData,
    CorrelatorData,
    LanguagePreferences,
    ServicesPermitted,
    SubjectOfCall,
    UserData,
)
from protocols.csta.identifiers import (
    ConnectionID,
    ConnectionInformation,
    CSTAObject,
    DeviceID,
    LocalConnectionState,
    MediaCallCharacteristics,
    SubjectDeviceID,
)
from protocols.csta.private import CSTACommonArguments, CSTAPrivateData, CSTASecurityData

MakeCallArgument = sequence(
    "MakeCallArgument",
    must("callingDevice", DeviceID),
    must("calledDirectoryNumber", DeviceID),
    may("accountCode", implicit(0, AccountInfo)),
    may("authCode", implicit(1, AuthCode)),
    may("autoOriginate", implicit(3, AutoOriginate)),
    may("correlatorData", implicit(2, CorrelatorData)),
    may("userData", UserData),
    may("callCharacteristics", CallCharacteristics),
    may("mediaCallCharacteristics", implicit(4, MediaCallCharacteristics)),
    may("callingConnectionInfo", implicit(5, ConnectionInformation)),
    may("subjectOfCall", implicit(6, SubjectOfCall)),
    may("languagePreferences", implicit(7, LanguagePreferences)),
    may("reason", implicit(8, EventCause)),
    may("extensions", CSTACommonArguments),
)
MakeCallResult = sequence(
    "MakeCallResult",
    must("callingDevice", ConnectionID),
    may("mediaCallCharacteristics", implicit(0, MediaCallCharacteristics)),
    may("initiatedCallInfo", implicit(1, ConnectionInformation)),
    may("callLinkageData", implicit(2, CallLinkageData)),
    may("extensions", CSTACommonArguments),
)
ClearConnectionArgument = sequence(
    "ClearConnectionArgument",
    must("connectionToBeCleared", ConnectionID),
    may("correlatorData", CorrelatorData),
    may("userData", UserData),
    may("reason", EventCause),
    may("extensions", CSTACommonArguments),
)
ClearConnectionResult = choice(
    "ClearConnectionResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
AnswerCallArgument = sequence(
    "AnswerCallArgument",
    must("callToBeAnswered", ConnectionID),
    may("correlatorData", CorrelatorData),
    may("userData", UserData),
    may("extensions", CSTACommonArguments),
)
AnswerCallResult = choice(
    "AnswerCallResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
CallControlEventsBits = bit_string(
    "CallControlEventsBits",
    """
    0 callCleared 1 conferenced 2 connectionCleared 3 delivered 4 diverted 5 established 6 failed 7 held
    8 networkReached 9 originated 10 queued 11 retrieved 12 serviceInitiated 13 transferred 14 digitsDialed
    15 bridged 16 networkCapabilitiesChanged 17 offered
    """,
)
CallAssociatedEventsBits = bit_string(
    "CallAssociatedEventsBits",
    """
    0 callInformation 1 charging 2 dTMFDigitsDetected 3 telephonyTonesDetected 4 serviceCompletionFailure
    """,
)
MediaAttachmentEventsBits = bit_string("MediaAttachmentEventsBits", "0 mediaAttached 1 mediaDetached")
PhysicalDeviceFeatureEventsBits = bit_string(
    "PhysicalDeviceFeatureEventsBits",
    """
    0 buttonInformation 1 buttonPress 2 displayUpdated 3 hookswitch 4 lampMode 5 messageWaiting 6 microphoneGain
    7 microphoneMute 8 ringerStatus 9 speakerMute 10 speakerVolume
    """,
)
LogicalDeviceFeatureEventsBits = bit_string(
    "LogicalDeviceFeatureEventsBits",
    """
    0 agentBusy 1 agentLoggedOn 2 agentLoggedOff 3 agentNotReady 4 agentReady 5 agentWorkingAfterCall
    6 autoAnswer 7 autoWorkMode 8 callBack 9 callBackMessage 10 callerIDStatus 11 doNotDisturb 12 forwarding
    13 routeingMode 14 presenceState
    """,
)
DeviceMaintenanceEventsBits = bit_string(
    "DeviceMaintenanceEventsBits",
    """
    0 backInService 1 outOfService 2 deviceCapabilityChanged 3 partiallyInService
    """,
)
VoiceUnitEventsBits = bit_string(
    "VoiceUnitEventsBits",
    """
    0 stop 1 play 2 suspendPlay 3 record 4 suspendRecord 5 review 6 voiceAttributesChange 7 bookmarkReached
    8 completed 9 dtmfDetected 10 emptied 11 interruptionDetected 12 notRecognized 13 recognized 14 started
    15 silenceTimeoutExpired 16 speechDetected 17 voiceErrorOccured
    """,
)
VendorSpecEventsBits = bit_string("VendorSpecEventsBits", "0 privateEvent")
MonitorFilter = sequence(
    "MonitorFilter",
    may("callControl", implicit(0, CallControlEventsBits)),
    may("callAssociated", implicit(6, CallAssociatedEventsBits)),
    may("mediaAttachment", implicit(7, MediaAttachmentEventsBits)),
    may("physicalDeviceFeature", implicit(8, PhysicalDeviceFeatureEventsBits)),
    may("logicalDeviceFeature", implicit(9, LogicalDeviceFeatureEventsBits)),
    may("maintenance", implicit(3, DeviceMaintenanceEventsBits)),
    may("voiceUnit", implicit(5, VoiceUnitEventsBits)),
    may("private", implicit(4, VendorSpecEventsBits)),
)
MonitorType = enumerated("MonitorType", "0 call 1 device")
MonitorMediaClass = bit_string(
    "MonitorMediaClass",
    """
    0 voice 1 data 2 image 3 other 4 audio 5 notKnown 6 chat 7 email 8 message 9 im 10 sms 11 mms
    """,
)
MonitorCrossRefID = application_implicit(21, OCTET_STRING, "MonitorCrossRefID")
MonitorObject = CSTAObject
MonitorStartArgument = sequence(
    "MonitorStartArgument",
    must("monitorObject", MonitorObject),
    may("requestedMonitorFilter", implicit(0, MonitorFilter)),
    may("monitorType", MonitorType),
    may("requestedMonitorMediaClass", implicit(1, MonitorMediaClass)),
    may("extensions", CSTACommonArguments),
)
MonitorStartResult = sequence(
    "MonitorStartResult",
    must("crossRefIdentifier", MonitorCrossRefID),
    may("actualmonitorFilter", implicit(0, MonitorFilter)),
    may("actualMonitorMediaClass", implicit(1, MonitorMediaClass)),
    may("monitorExistingCalls", BOOLEAN),
    may("extensions", CSTACommonArguments),
)
MonitorStopArgument = sequence(
    "MonitorStopArgument",
    must("crossRefIdentifier", MonitorCrossRefID),
    may("extensions", CSTACommonArguments),
)
ServiceCrossRefID = OCTET_STRING
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
SnapshotDeviceResponseInfo = sequence(
    "SnapshotDeviceResponseInfo",
    must("connectionIdentifier", ConnectionID),
    may("endpointDevice", implicit(3, SubjectDeviceID)),
    must("localCallState", CallState),
    may("servicesPermitted", implicit(0, ServicesPermitted)),
    may("mediaServiceInfoList", raw(1)),
    may("mediaCallCharacteristics", implicit(2, MediaCallCharacteristics)),
    may("callLinkageData", implicit(4, CallLinkageData)),
)
SnapshotDeviceData = application_implicit(
    22, sequence_of(SnapshotDeviceResponseInfo, "SnapshotDeviceData"), "SnapshotDeviceData"
)
SnapshotDeviceArgument = sequence(
    "SnapshotDeviceArgument",
    must("snapshotObject", DeviceID),
    may("extensions", CSTACommonArguments),
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
SystemStatus = enumerated(
    "SystemStatus",
    """
    0 initializing 1 enabled 2 normal 3 messagesLost 4 disabled 5 overloadImminent 6 overloadReached
    7 overloadRelieved 8 partiallyDisabled
    """,
)
SysStatRegisterID = OCTET_STRING
SystemStatusArg = sequence(
    "SystemStatusArg",
    may("sysStatRegisterID", SysStatRegisterID),
    must("systemStatus", SystemStatus),
    may("extensions", CSTACommonArguments),
)
SystemStatusRes = choice(
    "SystemStatusRes",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
EscapeRegisterID = explicit(0, OCTET_STRING)
EscapeArgument = sequence(
    "EscapeArgument",
    may("escapeRegisterID", EscapeRegisterID),
    may("security", CSTASecurityData),
    must("privateData", CSTAPrivateData),
)
EscapeResult = choice(
    "EscapeResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
