"""Types that services and events share (ECMA-285: common arguments, linkage, charging)."""

from __future__ import annotations

from protocols.asn1 import (
    BIT_STRING,
    GENERALIZED_TIME,
    IA5_STRING,
    INTEGER,
    OCTET_STRING,
    alternative,
    application_explicit,
    bit_string,
    choice,
    enumerated,
    implicit,
    may,
    must,
    sequence,
    sequence_of,
)
from protocols.csta.causes import EventCause
from protocols.csta.identifiers import ConnectionID, DeviceID

TimeInfo = GENERALIZED_TIME
UserData = application_explicit(29, OCTET_STRING, "UserData")
CorrelatorData = OCTET_STRING
AccountInfo = OCTET_STRING
AuthCode = OCTET_STRING
CallCharacteristics = bit_string(
    "CallCharacteristics",
    """
    0 acdCall 1 priorityCall 2 maintainanceCall 3 directAgent 4 assistCall 5 voiceUnitCall 6 privateCall
    7 personalCall 8 sensitiveCall 9 confidentialCall 10 encryptedCall 11 lowPriorityCall 12 highPriorityCall
    """,
)
AutoOriginate = enumerated("AutoOriginate", "0 prompt 1 doNotPrompt")
ConsultOptions = enumerated("ConsultOptions", "0 unrestricted 1 consultOnly 2 transferOnly 3 conferenceOnly")
GlobalCallLinkageID = choice(
    "GlobalCallLinkageID",
    alternative("subDomainCallLinkageID", implicit(0, OCTET_STRING)),
    alternative("globallyUniqueCallLinkageID", implicit(1, OCTET_STRING)),
)
GlobalCallData = sequence(
    "GlobalCallData",
    may("globalCallSwitchingSubDomainName", IA5_STRING),
    must("globalCallLinkageID", GlobalCallLinkageID),
    may("callLinkageIDTimestamp", TimeInfo),
)
ThreadLinkageID = choice(
    "ThreadLinkageID",
    alternative("subDomainThreadID", implicit(0, OCTET_STRING)),
    alternative("globallyUniqueThreadID", implicit(1, OCTET_STRING)),
)
ThreadData = sequence(
    "ThreadData",
    may("threadSwitchingSubDomainName", IA5_STRING),
    must("threadLinkageID", ThreadLinkageID),
    may("threadIDTimeStamp", TimeInfo),
)
CallLinkageData = sequence(
    "CallLinkageData",
    must("globalCallData", GlobalCallData),
    may("threadData", ThreadData),
)
CallLinkageDataList = sequence(
    "CallLinkageDataList",
    must("newCallLinkageData", CallLinkageData),
    must("oldCallLinkageData", CallLinkageData),
)
NetworkCapability = sequence(
    "NetworkCapability",
    must(
        "networkType", enumerated("networkType", "0 iSDNPublic 1 nonISDNPublic 2 iSDNPrivate 3 nonISDNPrivate 4 other")
    ),
    may(
        "eventsProvided",
        bit_string(
            "eventsProvided",
            """
            0 bridged 1 allCleared 2 conferenced 3 connectionCleared 4 delivered 5 digitsDialed 6 diverted 7 established
            8 failed 9 held 10 networkCapabilitiesChange 11 networkReached 12 offered 13 originated 14 queued
            15 retrieved 16 serviceInitiated 17 transferred
            """,
        ),
    ),
)
ProgressIndicator = sequence(
    "ProgressIndicator",
    must(
        "progressLocation",
        enumerated(
            "progressLocation",
            """
            0 user 1 privateNetServingLocal 2 publicNetServingLocal 3 transitNetwork 4 publicNetServingRemote
            5 privateNetServingRemote 6 localInterface 7 internationalNetwork 8 networkBeyondInterwk 9 other
            """,
        ),
    ),
    must("progressDescription", enumerated("progressDescription", "0 iSDNProgressDesc 1 qSIGProgressDesc 2 other")),
)
# The bits of the five groups are not tabulated in our sources: kept as they come.
ServicesPermitted = sequence(
    "ServicesPermitted",
    must("callControlServices", BIT_STRING),
    must("callAssociatedServices", BIT_STRING),
    must("mediaAttachmentServices", BIT_STRING),
    must("routeingServices", BIT_STRING),
    must("voiceUnitServices", BIT_STRING),
)
DeviceHistory = sequence(
    "DeviceHistory",
    must("oldDeviceID", DeviceID),
    may("eventCause", implicit(1, EventCause)),
    may("oldConnectionID", implicit(2, ConnectionID)),
)
MessageInfo = sequence(
    "MessageInfo",
    must("contents", IA5_STRING),
    may("contentTypeAndSubtype", IA5_STRING),
    may("contentsLength", INTEGER),
)
SubjectOfCall = IA5_STRING
LanguagePreferences = IA5_STRING
NumberOfChargingUnits = sequence_of(
    sequence("", must("chargingUnits", INTEGER), may("typeOfUnits", OCTET_STRING)), "NumberOfChargingUnits"
)
NumberOfCurrencyUnits = sequence(
    "NumberOfCurrencyUnits",
    must("currencyType", OCTET_STRING),
    must("currencyAmount", INTEGER),
    must(
        "currencyMultiplier",
        enumerated(
            "currencyMultiplier",
            """
            0 oneThousandth 1 oneHundredth 2 oneTenth 3 one 4 ten 5 hundred 6 thousand
            """,
        ),
    ),
)
NumberUnits = choice(
    "NumberUnits",
    alternative("numberOfChargeUnits", implicit(0, NumberOfChargingUnits)),
    alternative("numberOfCurrencyUnits", implicit(1, NumberOfCurrencyUnits)),
)
ChargingInfo = sequence(
    "ChargingInfo",
    must("numberUnits", NumberUnits),
    must("typeOfChargingInfo", enumerated("typeOfChargingInfo", "0 subTotal 1 total")),
)
