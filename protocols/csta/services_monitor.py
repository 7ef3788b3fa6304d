"""Monitoring (ECMA-285). In a filter **a bit that is set suppresses its event** (trap 9); no filter is every event."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    OCTET_STRING,
    application_implicit,
    bit_string,
    enumerated,
    implicit,
    may,
    must,
    sequence,
)
from protocols.csta.identifiers import CSTAObject
from protocols.csta.private import CSTACommonArguments

MonitorObject = CSTAObject
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
MonitorStartArgument = sequence(
    "MonitorStartArgument",
    must("monitorObject", MonitorObject),
    may("requestedMonitorFilter", implicit(0, MonitorFilter)),
    may("monitorType", MonitorType),
    may("requestedMonitorMediaClass", implicit(1, MonitorMediaClass)),
    may("extensions", CSTACommonArguments),
)
MonitorCrossRefID = application_implicit(21, OCTET_STRING, "MonitorCrossRefID")
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
ChangeMonitorFilterArgument = sequence(
    "ChangeMonitorFilterArgument",
    must("crossRefIdentifier", MonitorCrossRefID),
    must("requestedFilterList", MonitorFilter),
    may("extensions", CSTACommonArguments),
)
ChangeMonitorFilterResult = sequence(
    "ChangeMonitorFilterResult",
    may("actualFilterList", MonitorFilter),
    may("extensions", CSTACommonArguments),
)
