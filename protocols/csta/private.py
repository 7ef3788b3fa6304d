"""Panasonic's private data, in the place that ECMA-285 leaves for a vendor (trap 8), and what carries it.

Source: the extract of Panasonic's own definition in an open client, and hex of its device list request. Where this part
was seen on the wire its context tags are EXPLICIT, so all are declared so. A member whose inner shape no source tells
is kept whole, so that a wrong guess never costs the event around it; panasonic.py has the guesses, and the builders.
"""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    IA5_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    application_implicit,
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
from protocols.csta.common import TimeInfo
from protocols.csta.identifiers import DeviceID

SystemDataItem = enumerated(
    "SystemDataItem",
    """
    0 sysTimeStamp 2 featureList 4 trunkGroup 5 extensionGroup 6 pickupGroup 7 pagingGroup 8 incomingGroup 9 dayNight
    10 doorPhone 11 vmGroup 12 manufacturerName 13 subdomainName 14 softwareVersion 15 ctiVersion 16 regionCode
    17 systemTime 18 numberOfMsgPort 19 psGroup 20 whoAmI 21 broadcastGroup 22 pbxType 23 externalSensor 24 svm 25 pdn
    """,
)
StandardDevice = enumerated(
    "StandardDevice",
    "0 acd 1 group 2 networkInterface 3 park 4 routeingDevice 5 station 6 voiceUnit 7 other",
)
DeviceListCategory = choice(
    "category",
    alternative("standardDevice", explicit(0, StandardDevice)),
    alternative("kmeDevice", raw(1)),
)
GetSystemData = choice(
    "getSystemData",
    alternative("systemData", explicit(0, SystemDataItem)),
    alternative("incomGMember", raw(3)),
    alternative(
        "deviceList",
        explicit(
            4,
            choice(
                "deviceList", alternative("device", raw(0)), alternative("category", explicit(1, DeviceListCategory))
            ),
        ),
    ),
)
SetSystemData = choice("setSystemData", alternative("acdQueue", raw(3)))
DeviceListEntry = sequence(
    "DeviceListEntry",
    must("deviceID", DeviceID),
    may("number", IA5_STRING),
    must("status", enumerated("status", "0 ins 1 ous")),
    # Newer firmware appends elements here (an INTEGER was seen).
)
SysData = sequence(
    "sysData",
    may("manufacturerName", explicit(19, IA5_STRING)),
    may("subdomainName", explicit(20, IA5_STRING)),
    may("softwareVersion", explicit(21, IA5_STRING)),
    may("ctiVersion", explicit(22, IA5_STRING)),
    may("regionCode", raw(23)),
    may("systemTime", raw(24)),
    may("numberOfMsgPort", raw(25)),
    may("deviceList", explicit(38, sequence_of(DeviceListEntry, "deviceList"))),
    may("pbxType", raw(46)),
)
SystemDataLinkedReply = sequence(
    "SystemDataLinkedReply",
    must("crossRefID", explicit(0, OCTET_STRING)),
    must("segmentID", explicit(1, INTEGER)),
    must("lastSegment", explicit(2, BOOLEAN)),
    may("sysData", explicit(3, SysData)),
)
SystemData = choice(
    "systemData",
    alternative("getSystemData", explicit(0, GetSystemData)),
    alternative("setSystemData", explicit(1, SetSystemData)),
    alternative("systemDataChanged", raw(2)),
    alternative("systemDataLinkedReply", explicit(3, SystemDataLinkedReply)),
    alternative("systemDataPosAck", explicit(4, OCTET_STRING)),
    alternative("systemDataLock", raw(5)),
    alternative("systemDataStatus", raw(6)),
    alternative("systemDataRevision", raw(7)),
    alternative("systemDataRevisionReply", raw(8)),
    alternative("setProgrammingEventOn", raw(9)),
)
# What is attached to a standard service or event, one member each; the comment says where it belongs.
AdditionalData = choice(
    "additionalData",
    alternative("forwardType", raw(1)),  # setForwarding
    alternative("trunkId", raw(2)),
    alternative("otherDevice", raw(3)),  # getSwitchingFunctionDevices
    alternative("vmRecExtNo", raw(4)),  # consultationCall
    alternative("deviceCategory", raw(5)),  # swFunctionDevicesChanged
    alternative("device", raw(6)),  # getAutoWorkMode, setAutoWorkMode
    alternative("featureNumber", raw(7)),  # answerCall, delivered
    alternative("proprietaryContents", raw(8)),  # setDisplay
    alternative("holdType", explicit(9, enumerated("holdType", "0 consultation 1 normal 2 exclusive"))),  # held
    alternative("conditionCode", explicit(10, enumerated("conditionCode", "0 cl 1 tr 2 fw 3 d0 4 rm 5 na"))),  # CDR
    alternative("lockDisplay", raw(11)),
    alternative("forcedAlerting", raw(12)),  # deflectCall
    alternative("callID", raw(13)),  # ringerStatus
    alternative("ogmContinuation", raw(14)),
    alternative("broadcastGroupNo", raw(15)),  # serviceInitiated, originated, delivered, established
    alternative("ringPattern", raw(16)),
    alternative("didNo", raw(17)),  # delivered, from V2.0
    alternative("confGroupNo", raw(18)),
)
KmePrivateEvent = choice(
    "privateEvent",
    alternative("digitsReport", raw(1)),
    alternative("ogmStatus", raw(2)),
    alternative("wakeupResult", raw(3)),
    alternative("unconferenced", raw(4)),
    alternative("tamEnded", raw(5)),
    alternative("pcRecEnded", raw(6)),
    alternative("callbackNotification", raw(7)),
    alternative("freeOgmPort", raw(8)),
    alternative("pdfStatus", raw(9)),
)
ResourceControl = choice("resourceControl", alternative("ogmStart", raw(0)), alternative("ogmStop", raw(1)))
KmeSpecificPrivateData = choice(
    "KmeSpecificPrivateData",
    alternative("callControl", raw(1)),
    alternative("deviceStatus", raw(2)),
    alternative("deviceMonitor", raw(3)),
    alternative("systemData", explicit(4, SystemData)),
    alternative("localAlarm", raw(5)),
    alternative("additionalData", explicit(6, AdditionalData)),
    alternative("privateEvent", explicit(7, KmePrivateEvent)),
    alternative("resourceControl", explicit(8, ResourceControl)),
    alternative("generic", raw(9)),
    alternative("extendedDataAccess", raw(10)),
    alternative("pdfControl", raw(11)),
    alternative("alterIf", raw(12)),
    alternative("hotelControl", raw(13)),
)
CSTAPrivateData = choice(
    "CSTAPrivateData",
    alternative("string", OCTET_STRING),
    alternative("private", KmeSpecificPrivateData),
)
SecurityInfo = choice("SecurityInfo", alternative("string", OCTET_STRING), alternative("private", NULL))
CSTASecurityData = sequence(
    "CSTASecurityData",
    may("messageSequenceNumber", implicit(0, INTEGER)),
    may("timestamp", TimeInfo),
    may("securityInfo", SecurityInfo),
)
CSTACommonArguments = application_implicit(
    30,
    sequence(
        "CSTACommonArguments",
        may("security", implicit(0, CSTASecurityData)),
        may("privateData", implicit(1, sequence_of(CSTAPrivateData))),
    ),
)
