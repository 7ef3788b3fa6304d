"""System status and capability exchange (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    IA5_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    bit_string,
    choice,
    enumerated,
    implicit,
    may,
    must,
    sequence,
    sequence_of,
)
from protocols.csta.device_kinds import DeviceAttributes, DeviceCategory, NamedDeviceTypes
from protocols.csta.identifiers import DeviceID
from protocols.csta.private import CSTACommonArguments
from protocols.csta.services_snapshot import ServiceCrossRefID

SysStatRegisterID = OCTET_STRING
RequestSysStatArg = sequence(
    "RequestSysStatArg",
    may("sysStatRegisterID", SysStatRegisterID),
    may("extensions", CSTACommonArguments),
)
SystemStatus = enumerated(
    "SystemStatus",
    """
    0 initializing 1 enabled 2 normal 3 messagesLost 4 disabled 5 overloadImminent 6 overloadReached
    7 overloadRelieved 8 partiallyDisabled
    """,
)
RequestSysStatRes = sequence(
    "RequestSysStatRes",
    must("systemStatus", SystemStatus),
    may("extensions", CSTACommonArguments),
)
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
RequestTypes = bit_string(
    "RequestTypes",
    """
    0 systemStatus 1 requestSystemStatus 2 switchingFunctionCapsChanged 3 switchingFunctionDevicesChanged
    """,
)
StatusFilter = bit_string(
    "StatusFilter",
    """
    0 initializing 1 enabled 2 normal 3 messageLost 4 disabled 5 partiallyDisabled 6 overloadImminent
    7 overloadReached 8 overloadRelieved
    """,
)
SystemRegisterArgument = sequence(
    "SystemRegisterArgument",
    must("requestTypes", RequestTypes),
    may("requestedStatusFilter", StatusFilter),
    may("extensions", CSTACommonArguments),
)
SystemRegisterResult = sequence(
    "SystemRegisterResult",
    must("sysStatRegisterID", SysStatRegisterID),
    may("actualStatusFilter", StatusFilter),
    may("extensions", CSTACommonArguments),
)
ReqDeviceCategory = enumerated(
    "ReqDeviceCategory",
    """
    0 acd 1 groupACD 2 groupHunt 3 groupPick 4 groupOther 5 networkInterface 6 park 7 routeingDevice 8 station
    9 voiceUnit 10 other 11 conference 12 dtmfIV 13 genericIV 14 groupUser 15 listenerIV 16 messageIV
    17 promptIV 18 promptQueue
    """,
)
GetSwitchingFunctionDevicesArgument = sequence(
    "GetSwitchingFunctionDevicesArgument",
    may("requestedDeviceID", DeviceID),
    may("requestedDeviceCategory", ReqDeviceCategory),
    may("extensions", CSTACommonArguments),
)
GetSwitchingFunctionDevicesResult = sequence(
    "GetSwitchingFunctionDevicesResult",
    must("serviceCrossRefID", ServiceCrossRefID),
    may("extensions", CSTACommonArguments),
)
DeviceList = sequence_of(
    sequence(
        "",
        must("deviceID", DeviceID),
        may("deviceCategory", implicit(0, DeviceCategory)),
        may("namedDeviceTypes", implicit(1, NamedDeviceTypes)),
        may("deviceAttributes", DeviceAttributes),
        may("deviceModelName", IA5_STRING),
        may("nidGroup", DeviceID),
    ),
    "DeviceList",
)
SwitchingFunctionDevicesArgument = sequence(
    "SwitchingFunctionDevicesArgument",
    must("serviceCrossRefID", ServiceCrossRefID),
    may("segmentID", INTEGER),
    must("lastSegment", BOOLEAN),
    must("deviceList", DeviceList),
    may("extensions", CSTACommonArguments),
)
GetSwitchingFunctionCapsArgument = choice(
    "GetSwitchingFunctionCapsArgument",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
GetLogicalDeviceInformationArgument = sequence(
    "GetLogicalDeviceInformationArgument",
    must("device", DeviceID),
    may("extensions", CSTACommonArguments),
)
GetPhysicalDeviceInformationArgument = sequence(
    "GetPhysicalDeviceInformationArgument",
    must("device", DeviceID),
    may("extensions", CSTACommonArguments),
)
