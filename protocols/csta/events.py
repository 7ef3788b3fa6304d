"""The event report: its groups and the events of each (ECMA-285). The bodies stand in events_calls, _devices, _voice.

Bodies that our sources do not tabulate are kept as whole elements. Choice tags differ from filter bits (trap 9).
"""

from __future__ import annotations

from protocols.asn1 import alternative, choice, explicit, implicit, may, must, raw, sequence
from protocols.csta.events_calls import (
    BridgedEvent,
    CallClearedEvent,
    CallInformationEvent,
    ConferencedEvent,
    ConnectionClearedEvent,
    DeliveredEvent,
    DigitsDialedEvent,
    DigitsGeneratedEvent,
    DivertedEvent,
    EstablishedEvent,
    FailedEvent,
    HeldEvent,
    NetworkCapabilitiesChangedEvent,
    NetworkReachedEvent,
    OfferedEvent,
    OriginatedEvent,
    QueuedEvent,
    RetrievedEvent,
    ServiceCompletionFailureEvent,
    ServiceInitiatedEvent,
    TelephonyTonesGeneratedEvent,
    TransferredEvent,
)
from protocols.csta.events_devices import (
    AgentBusyEvent,
    AgentLoggedOffEvent,
    AgentLoggedOnEvent,
    AgentNotReadyEvent,
    AgentReadyEvent,
    AgentWorkingAfterCallEvent,
    BackInServiceEvent,
    ButtonPressEvent,
    DisplayUpdatedEvent,
    DoNotDisturbEvent,
    ForwardingEvent,
    HookswitchEvent,
    MessageWaitingEvent,
    OutOfServiceEvent,
    RingerStatusEvent,
)
from protocols.csta.events_voice import PlayEvent, RecordEvent, StopEvent, SuspendPlayEvent
from protocols.csta.private import CSTAPrivateData, CSTASecurityData
from protocols.csta.services_monitor import MonitorCrossRefID

PrivateEvent = sequence(
    "PrivateEvent",
    may("security", CSTASecurityData),
    must("privateData", CSTAPrivateData),
)
CallControlEvents = choice(
    "CallControlEvents",
    alternative("bridged", implicit(0, BridgedEvent)),
    alternative("callCleared", implicit(1, CallClearedEvent)),
    alternative("conferenced", implicit(2, ConferencedEvent)),
    alternative("connectionCleared", implicit(3, ConnectionClearedEvent)),
    alternative("delivered", implicit(4, DeliveredEvent)),
    alternative("digitsDialed", implicit(5, DigitsDialedEvent)),
    alternative("diverted", implicit(6, DivertedEvent)),
    alternative("established", implicit(7, EstablishedEvent)),
    alternative("failed", implicit(8, FailedEvent)),
    alternative("held", implicit(9, HeldEvent)),
    alternative("networkCapabilitiesChanged", implicit(10, NetworkCapabilitiesChangedEvent)),
    alternative("networkReached", implicit(11, NetworkReachedEvent)),
    alternative("offered", implicit(12, OfferedEvent)),
    alternative("originated", implicit(13, OriginatedEvent)),
    alternative("queued", implicit(14, QueuedEvent)),
    alternative("retrieved", implicit(15, RetrievedEvent)),
    alternative("serviceInitiated", implicit(16, ServiceInitiatedEvent)),
    alternative("transferred", implicit(17, TransferredEvent)),
)
CallAssociatedEvents = choice(
    "CallAssociatedEvents",
    alternative("callInformation", implicit(0, CallInformationEvent)),
    alternative("charging", raw(1)),
    alternative("digitsGeneratedEvent", implicit(2, DigitsGeneratedEvent)),
    alternative("telephonyTonesGeneratedEvent", implicit(3, TelephonyTonesGeneratedEvent)),
    alternative("serviceCompletionFailure", implicit(4, ServiceCompletionFailureEvent)),
)
MediaAttachmentEvents = choice(
    "MediaAttachmentEvents",
    alternative("mediaAttached", raw(0)),
    alternative("mediaDetached", raw(1)),
)
PhysicalDeviceFeatureEvents = choice(
    "PhysicalDeviceFeatureEvents",
    alternative("buttonInformation", raw(0)),
    alternative("buttonPress", implicit(1, ButtonPressEvent)),
    alternative("displayUpdated", implicit(2, DisplayUpdatedEvent)),
    alternative("hookswitch", implicit(3, HookswitchEvent)),
    alternative("lampMode", raw(4)),
    alternative("messageWaiting", implicit(5, MessageWaitingEvent)),
    alternative("microphoneGain", raw(6)),
    alternative("microphoneMute", raw(7)),
    alternative("ringerStatus", implicit(8, RingerStatusEvent)),
    alternative("speakerMute", raw(9)),
    alternative("speakerVolume", raw(10)),
)
LogicalDeviceFeatureEvents = choice(
    "LogicalDeviceFeatureEvents",
    alternative("agentBusy", implicit(0, AgentBusyEvent)),
    alternative("agentLoggedOn", implicit(1, AgentLoggedOnEvent)),
    alternative("agentLoggedOff", implicit(2, AgentLoggedOffEvent)),
    alternative("agentNotReady", implicit(3, AgentNotReadyEvent)),
    alternative("agentReady", implicit(4, AgentReadyEvent)),
    alternative("agentWorkingAfterCall", implicit(5, AgentWorkingAfterCallEvent)),
    alternative("autoAnswer", raw(6)),
    alternative("autoWorkMode", raw(7)),
    alternative("callBack", raw(8)),
    alternative("callBackMessage", raw(9)),
    alternative("callerIDStatus", raw(10)),
    alternative("doNotDisturb", implicit(11, DoNotDisturbEvent)),
    alternative("forwarding", implicit(12, ForwardingEvent)),
    alternative("presenceState", raw(14)),
    alternative("routeingMode", raw(13)),
)
DeviceMaintenanceEvents = choice(
    "DeviceMaintenanceEvents",
    alternative("backInService", implicit(0, BackInServiceEvent)),
    alternative("deviceCapabilityChanged", raw(1)),
    alternative("outOfService", implicit(2, OutOfServiceEvent)),
    alternative("partiallyInService", raw(3)),
)
VoiceUnitEvents = choice(
    "VoiceUnitEvents",
    alternative("bookmarkReached", raw(7)),
    alternative("completed", raw(8)),
    alternative("dtmfDetected", raw(9)),
    alternative("emptied", raw(10)),
    alternative("interruptionDetected", raw(11)),
    alternative("notRecognized", raw(12)),
    alternative("play", implicit(0, PlayEvent)),
    alternative("recognized", raw(13)),
    alternative("record", implicit(1, RecordEvent)),
    alternative("review", raw(2)),
    alternative("silenceTimeoutExpired", raw(14)),
    alternative("speechDetected", raw(15)),
    alternative("started", raw(16)),
    alternative("stop", implicit(3, StopEvent)),
    alternative("suspendPlay", implicit(4, SuspendPlayEvent)),
    alternative("suspendRecord", raw(5)),
    alternative("voiceAttributesChange", raw(6)),
    alternative("voiceErrorOccured", raw(17)),
)
VendorSpecEvents = choice(
    "VendorSpecEvents",
    alternative("privateEvent", implicit(0, PrivateEvent)),
)
EventSpecificInfo = choice(
    "EventSpecificInfo",
    alternative("callControlEvents", explicit(0, CallControlEvents)),
    alternative("callAssociatedEvents", explicit(1, CallAssociatedEvents)),
    alternative("mediaAttachmentEvents", explicit(2, MediaAttachmentEvents)),
    alternative("physicalDeviceFeatureEvents", explicit(3, PhysicalDeviceFeatureEvents)),
    alternative("logicalDeviceFeatureEvents", explicit(4, LogicalDeviceFeatureEvents)),
    alternative("deviceMaintenanceEvents", explicit(5, DeviceMaintenanceEvents)),
    alternative("voiceUnitEvents", explicit(6, VoiceUnitEvents)),
    alternative("vendorSpecEvents", explicit(7, VendorSpecEvents)),
)
CSTAEventReportArgument = sequence(
    "CSTAEventReportArgument",
    must("crossRefIdentifier", MonitorCrossRefID),
    must("eventSpecificInfo", EventSpecificInfo),
)
