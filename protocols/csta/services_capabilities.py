"""The three long answers of capability exchange (ECMA-285): devices, and what the switch can do.

Their lists of capabilities are not tabulated in our sources: those members are kept as whole elements.
"""

from __future__ import annotations

from dataclasses import replace

from protocols.asn1 import (
    ANY,
    BIT_STRING,
    BOOLEAN,
    IA5_STRING,
    INTEGER,
    Part,
    bit_string,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    raw,
    sequence,
    sequence_of,
)
from protocols.csta.device_kinds import DeviceCategory, GroupDeviceAttributes, NamedDeviceTypes
from protocols.csta.identifiers import DeviceID
from protocols.csta.private import CSTACommonArguments
from protocols.csta.services_monitor import MonitorFilter

GetLogicalDeviceInformationResult = sequence(
    "GetLogicalDeviceInformationResult",
    may("deviceCategory", implicit(0, DeviceCategory)),
    may("groupDeviceAttributes", implicit(1, GroupDeviceAttributes)),
    may("namedDeviceTypes", implicit(2, NamedDeviceTypes)),
    may("shortFormDeviceID", explicit(3, DeviceID)),
    must("hasPhysicalElement", BOOLEAN),
    must("acdModels", bit_string("acdModels", "0 visible 1 nonVisible")),
    may("agentLogOnModels", raw(4)),
    must("appearanceAddressable", BOOLEAN),
    must(
        "appearanceType",
        enumerated(
            "appearanceType",
            """
            0 selectedStandard 1 basicStandard 2 basicBridged 3 exclusiveBridged 4 independentSharedBridged
            5 interdependentSharedBridged
            """,
        ),
    ),
    may("appearanceList", implicit(5, sequence_of(IA5_STRING, "appearanceList"))),
    may("otherPhysicalDeviceList", implicit(6, sequence_of(DeviceID, "otherPhysicalDeviceList"))),
    may("miscMonitorCaps", raw(7)),
    may("associatedGroupList", implicit(8, sequence_of(DeviceID, "associatedGroupList"))),
    may("maxCallbacks", implicit(9, INTEGER)),
    may("maxAutoAnswerRings", implicit(10, INTEGER)),
    may("maxActiveCalls", implicit(11, INTEGER)),
    may("maxHeldCalls", implicit(12, INTEGER)),
    may("maxFwdSettings", implicit(13, INTEGER)),
    may("maxDevicesInConf", implicit(14, INTEGER)),
    may(
        "transAndConfSetup",
        implicit(
            15,
            bit_string(
                "transAndConfSetup",
                "0 consultationCall 1 holdCallMakeCall 2 alternateCall 3 twoCallsInHold 4 twoCallsInConnected",
            ),
        ),
    ),
    may("deviceOnDevice", implicit(16, MonitorFilter)),
    may("deviceOnConnection", implicit(17, MonitorFilter)),
    may("callOnDevice", implicit(18, MonitorFilter)),
    may("callOnConnection", implicit(19, MonitorFilter)),
    may("mediaClassSupport", raw(20)),
    may("mediaServiceCapsList", raw(21)),
    may("connectionRateList", raw(22)),
    may("delayToleranceList", raw(23)),
    may("numberOfChannels", raw(24)),
    may("maxChannelBind", raw(25)),
    may("routeingServList", raw(26)),
    may("logDevServList", raw(27)),
    may("logDevEvtsList", raw(28)),
    may("deviceMaintEvtsList", raw(29)),
    may("extensions", CSTACommonArguments),
)
GetPhysicalDeviceInformationResult = sequence(
    "GetPhysicalDeviceInformationResult",
    may("deviceCategory", implicit(0, DeviceCategory)),
    may("groupDeviceAttributes", implicit(1, GroupDeviceAttributes)),
    may("namedDeviceTypes", implicit(2, NamedDeviceTypes)),
    must("hasLogicalElement", BOOLEAN),
    may("otherLogicalDeviceList", implicit(3, sequence_of(DeviceID, "otherLogicalDeviceList"))),
    may("deviceModelName", implicit(4, IA5_STRING)),
    may("deviceOnDevice", implicit(5, MonitorFilter)),  # the names of these four are taken over from the one above
    may("deviceOnConnection", implicit(6, MonitorFilter)),
    may("callOnDevice", implicit(7, MonitorFilter)),
    may("callOnConnection", implicit(8, MonitorFilter)),
    may("maxDisplays", implicit(9, INTEGER)),
    may("maxButtons", implicit(10, INTEGER)),
    may("maxLamps", implicit(11, INTEGER)),
    may("maxRingPatterns", implicit(12, INTEGER)),
    may("physDevServList", raw(13)),
    may("physDevEvtsList", raw(14)),
    may("extensions", CSTACommonArguments),
)

# An element of the universal class whose type our sources do not tell, kept whole. It has a place of its own in the
# order of the text, so it must not leave its octets to a later field of the same tag, as ANY does.
UNTYPED = replace(ANY, name="untyped", accepts=frozenset(tag | form for tag in range(1, 31) for form in (0, 0x20)))


def _capabilities(first: int, last: int) -> tuple[Part, ...]:
    """Lists of which only the tag is known."""
    return tuple(may(f"capability{number}", raw(number)) for number in range(first, last + 1))


# [28] stands twice: the fields are found by their place in the text (trap 14).
GetSwitchingFunctionCapsResult = sequence(
    "GetSwitchingFunctionCapsResult",
    must("switchingSubDomainName", IA5_STRING),
    must("manufacturerName", IA5_STRING),
    must("profiles", BIT_STRING),
    must("deviceIDFormat", UNTYPED),
    must("swDomainFeatures", UNTYPED),
    must("swAppearanceAddressability", UNTYPED),
    must("swAppearanceTypes", UNTYPED),
    must("ignoreUnsupportedParameters", UNTYPED),
    may("callCharacteristicsSupported", raw(0)),
    *_capabilities(1, 18),
    may("callLinkageOptions", raw(28)),
    *_capabilities(19, 20),
    may("agentStateModels", raw(21)),
    must("connectionView", enumerated("connectionView", "0 fixed 1 local")),
    must("maxLengthParameters", UNTYPED),
    may("maxLengthParametersContinued", raw(28)),
    may("servEvtsList", raw(22)),
    may("privateDataVersionList", implicit(23, sequence_of(INTEGER, "privateDataVersionList"))),
    may("systemStatusTimer", implicit(24, INTEGER)),
    may("simpleThreshold", raw(25)),
    may("filterThreshold", raw(26)),
    may("mediaServiceCapsList", raw(27)),
    may("maxDeviceHistoryLength", raw(29)),
    may("maxDestinationDevicesForDeflect", raw(30)),
    may("extensions", CSTACommonArguments),
)
