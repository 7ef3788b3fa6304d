"""Call control and call associated services (ECMA-285): arguments and results, fields in the order of the text.

Which operation has which stands in operations.py. What the second edition lacks (``reason``, ``subjectOfCall``,
``languagePreferences``) is there to be read; nothing of ours sends it.
"""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    IA5_STRING,
    INTEGER,
    NULL,
    alternative,
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
    CallLinkageDataList,
    ConsultOptions,
    CorrelatorData,
    LanguagePreferences,
    SubjectOfCall,
    UserData,
)
from protocols.csta.device_kinds import TelephonyTone
from protocols.csta.identifiers import (
    ConnectionID,
    ConnectionInformation,
    ConnectionList,
    DeviceID,
    MediaCallCharacteristics,
)
from protocols.csta.private import CSTACommonArguments

DeviceIDList = sequence_of(DeviceID, "DeviceIDList")  # assumed from its name
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
ClearCallArgument = sequence(
    "ClearCallArgument",
    must("callToBeCleared", ConnectionID),
    may("userData", UserData),
    may("reason", EventCause),
    may("extensions", CSTACommonArguments),
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
HoldCallArgument = sequence(
    "HoldCallArgument",
    must("callToBeHeld", ConnectionID),
    may("connectionReservation", BOOLEAN),
    may("extensions", CSTACommonArguments),
)
RetrieveCallArgument = sequence(
    "RetrieveCallArgument",
    must("callToBeRetrieved", ConnectionID),
    may("extensions", CSTACommonArguments),
)
ReconnectCallArgument = sequence(
    "ReconnectCallArgument",
    must("activeCall", ConnectionID),
    must("heldCall", ConnectionID),
    may("extensions", CSTACommonArguments),
)
AlternateCallArgument = sequence(
    "AlternateCallArgument",
    must("heldCall", ConnectionID),
    must("activeCall", ConnectionID),
    may("connectionReservation", BOOLEAN),
    may("consultOptions", ConsultOptions),
    may("extensions", CSTACommonArguments),
)
ConsultationCallArgument = sequence(
    "ConsultationCallArgument",
    must("existingCall", implicit(0, ConnectionID)),
    must("consultedDevice", explicit(1, DeviceID)),
    may("connectionReservation", implicit(2, BOOLEAN)),
    may("accountCode", implicit(3, AccountInfo)),
    may("authCode", implicit(4, AuthCode)),
    may("correlatorData", implicit(5, CorrelatorData)),
    may("userData", implicit(6, UserData)),
    may("callCharacteristics", implicit(7, CallCharacteristics)),
    may("mediaCallCharacteristics", implicit(8, MediaCallCharacteristics)),
    may("callingConnectionInfo", implicit(9, ConnectionInformation)),
    may("consultOptions", implicit(10, ConsultOptions)),
    may("subjectOfCall", implicit(11, SubjectOfCall)),
    may("languagePreferences", implicit(12, LanguagePreferences)),
    may("extensions", CSTACommonArguments),
)
ConsultationCallResult = sequence(
    "ConsultationCallResult",
    must("initiatedCall", ConnectionID),
    may("mediaCallCharacteristics", implicit(0, MediaCallCharacteristics)),
    may("initiatedCallInfo", implicit(1, ConnectionInformation)),
    may("callLinkageData", implicit(2, CallLinkageData)),
    may("extensions", CSTACommonArguments),
)
TransferCallArgument = sequence(
    "TransferCallArgument",
    must("heldCall", ConnectionID),
    must("activeCall", ConnectionID),
    may("extensions", CSTACommonArguments),
)
TransferCallResult = sequence(
    "TransferCallResult",
    must("transferredCall", ConnectionID),
    may("connections", implicit(0, ConnectionList)),
    may("transferredCallInfo", implicit(1, ConnectionInformation)),
    may("callLinkageDataList", implicit(2, CallLinkageDataList)),
    may("extensions", CSTACommonArguments),
)
ConferenceCallArgument = sequence(
    "ConferenceCallArgument",
    must("heldCall", ConnectionID),
    must("activeCall", ConnectionID),
    may("extensions", CSTACommonArguments),
)
ConferenceCallResult = sequence(
    "ConferenceCallResult",
    must("conferenceCall", ConnectionID),
    may("connections", implicit(0, ConnectionList)),
    may("conferenceCallInfo", implicit(1, ConnectionInformation)),
    may("callLinkageDataList", implicit(2, CallLinkageDataList)),
    may("extensions", CSTACommonArguments),
)
SingleStepTransArgument = sequence(
    "SingleStepTransArgument",
    must("activeCall", ConnectionID),
    must("transferredTo", DeviceID),
    may("accountCode", implicit(0, AccountInfo)),
    may("authCode", implicit(1, AuthCode)),
    may("correlatorData", implicit(2, CorrelatorData)),
    may("userData", UserData),
    may("callCharacteristics", implicit(3, CallCharacteristics)),
    may("subjectOfCall", implicit(4, SubjectOfCall)),
    may("languagePreferences", implicit(5, LanguagePreferences)),
    may("reason", implicit(6, EventCause)),
    may("extensions", CSTACommonArguments),
)
SingleStepTransResult = sequence(
    "SingleStepTransResult",
    must("transferredCall", ConnectionID),
    may("connections", implicit(0, ConnectionList)),
    may("transferredCallInfo", implicit(1, ConnectionInformation)),
    may("callLinkageDataList", implicit(2, CallLinkageDataList)),
    may("extensions", CSTACommonArguments),
)
ParticipationType = enumerated("ParticipationType", "0 silent 1 active 2 none")
SingleStepConfArgument = sequence(
    "SingleStepConfArgument",
    must("activeCall", ConnectionID),
    must("deviceToJoin", DeviceID),
    may("participationType", ParticipationType),
    may("accountCode", implicit(0, AccountInfo)),
    may("authCode", implicit(1, AuthCode)),
    may("correlatorData", implicit(2, CorrelatorData)),
    may("userData", UserData),
    may("subjectOfCall", implicit(3, SubjectOfCall)),
    may("languagePreferences", implicit(4, LanguagePreferences)),
    may("extensions", CSTACommonArguments),
)
SingleStepConfResult = sequence(
    "SingleStepConfResult",
    must("conferencedCall", ConnectionID),
    may("conferencedCallInfo", ConnectionInformation),
    may("callLinkageDataList", implicit(1, CallLinkageDataList)),
    may("extensions", CSTACommonArguments),
)
DeflectCallArgument = sequence(
    "DeflectCallArgument",
    must("callToBeDiverted", ConnectionID),
    must("newDestination", DeviceID),
    may("addNewDestinationsList", DeviceIDList),
    may("correlatorData", CorrelatorData),
    may("userData", UserData),
    may("callCharacteristics", implicit(0, CallCharacteristics)),
    may("subjectOfCall", implicit(1, SubjectOfCall)),
    may("languagePreferences", implicit(2, LanguagePreferences)),
    may("reason", implicit(3, EventCause)),
    may("extensions", CSTACommonArguments),
)
DialDigitsArgument = sequence(
    "DialDigitsArgument",
    must("diallingConnection", ConnectionID),
    must("diallingSequence", DeviceID),
    may("correlatorData", CorrelatorData),
    may("extensions", CSTACommonArguments),
)
SignallingCondition = enumerated("SignallingCondition", "0 callDelivered 1 callEstablished")
SignallingConditionsAction = enumerated("SignallingConditionsAction", "0 destinationDetection 1 remainConnected")
SignallingDetection = sequence(
    "SignallingDetection",
    must("signallingCondition", SignallingCondition),
    must("signallingConditionsAction", SignallingConditionsAction),
)
DestinationCondition = enumerated("DestinationCondition", "0 humanVoice 1 answeringMachine 2 facsimileMachine")
DetectionAction = enumerated("DetectionAction", "0 clearCalledConnection 1 remainConnected")
DestinationDetection = sequence_of(
    sequence("", must("destinationCondition", DestinationCondition), must("detectionAction", DetectionAction)),
    "DestinationDetection",
)
MakePredictiveCallArgument = sequence(
    "MakePredictiveCallArgument",
    must("callingDevice", DeviceID),
    must("calledDirectoryNumber", DeviceID),
    may("signallingDetection", implicit(0, SignallingDetection)),
    may("destinationDetection", implicit(1, DestinationDetection)),
    may("defaultAction", raw(2)),
    may("accountCode", implicit(3, AccountInfo)),
    may("authCode", implicit(4, AuthCode)),
    may("autoOriginate", implicit(5, AutoOriginate)),
    may("alertTime", implicit(6, INTEGER)),
    may("correlatorData", implicit(7, CorrelatorData)),
    may("callCharacteristics", implicit(8, CallCharacteristics)),
    may("userData", UserData),
    may("subjectOfCall", implicit(9, SubjectOfCall)),
    may("languagePreferences", implicit(10, LanguagePreferences)),
    may("extensions", CSTACommonArguments),
)
MakePredictiveCallResult = sequence(
    "MakePredictiveCallResult",
    must("initiatedCall", ConnectionID),
    may("initiatedCallInfo", ConnectionInformation),
    may("callLinkageData", implicit(1, CallLinkageData)),
    may("extensions", CSTACommonArguments),
)
DigitMode = enumerated("DigitMode", "0 rotaryPulse 1 dTMF")
GenerateDigitsArgument = sequence(
    "GenerateDigitsArgument",
    must("connectionToSendDigits", ConnectionID),
    may("digitMode", DigitMode),
    must("charactersToSend", IA5_STRING),
    may("toneDuration", implicit(0, INTEGER)),
    may("pulseRate", implicit(1, INTEGER)),
    may("pauseDuration", implicit(2, INTEGER)),
    may("extensions", CSTACommonArguments),
)
GenerateTelephonyTonesArgument = sequence(
    "GenerateTelephonyTonesArgument",
    must("connectionToSendTone", ConnectionID),
    must("toneToSend", TelephonyTone),
    may("toneDuration", INTEGER),
    may("extensions", CSTACommonArguments),
)
