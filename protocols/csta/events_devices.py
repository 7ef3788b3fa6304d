"""Events of devices (ECMA-285): physical and logical features, maintenance."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    IA5_STRING,
    INTEGER,
    OCTET_STRING,
    enumerated,
    implicit,
    may,
    must,
    raw,
    sequence,
    sequence_of,
)
from protocols.csta.causes import EventCause
from protocols.csta.device_kinds import (
    AgentID,
    AgentPassword,
    ButtonID,
    CallOrigination,
    CharacterSet,
    DisplayID,
    ForwardDefault,
    ForwardingType,
    HookswitchID,
    PendingAgentState,
)
from protocols.csta.identifiers import DeviceID, SubjectDeviceID
from protocols.csta.private import CSTACommonArguments

BackInServiceEvent = sequence(
    "BackInServiceEvent",
    must("device", SubjectDeviceID),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
OutOfServiceEvent = sequence(
    "OutOfServiceEvent",
    must("device", SubjectDeviceID),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
HookswitchEvent = sequence(
    "HookswitchEvent",
    must("device", SubjectDeviceID),
    must("hookswitch", HookswitchID),
    must("hookswitchOnHook", BOOLEAN),
    may("extensions", CSTACommonArguments),
)
ButtonPressEvent = sequence(
    "ButtonPressEvent",
    must("device", SubjectDeviceID),
    must("button", ButtonID),
    may("buttonLabel", IA5_STRING),
    may("buttonAssociatedNumber", DeviceID),
    may("extensions", CSTACommonArguments),
)
DisplayUpdatedEvent = sequence(
    "DisplayUpdatedEvent",
    must("device", SubjectDeviceID),
    may("displayID", DisplayID),
    must("logicalRows", INTEGER),
    must("logicalColumns", INTEGER),
    may("physicalRows", implicit(0, INTEGER)),
    may("physicalColumns", implicit(1, INTEGER)),
    may("physicalBaseRowNumber", implicit(2, INTEGER)),
    may("physicalBaseColumnNumber", implicit(3, INTEGER)),
    may("characterSet", CharacterSet),
    must("contentsOfDisplay", IA5_STRING),
    may("extensions", CSTACommonArguments),
)
MessageWaitingEvent = sequence(
    "MessageWaitingEvent",
    must("targetDevice", SubjectDeviceID),
    may("deviceForMessage", DeviceID),
    must("messageWaitingOn", BOOLEAN),
    may("extensions", CSTACommonArguments),
)
DoNotDisturbEvent = sequence(
    "DoNotDisturbEvent",
    must("device", SubjectDeviceID),
    must("doNotDisturbOn", BOOLEAN),
    may("callOrigination", CallOrigination),
    may("callingDeviceList", sequence_of(DeviceID, "callingDeviceList")),
    may("extensions", CSTACommonArguments),
)
ForwardingEvent = sequence(
    "ForwardingEvent",
    must("device", SubjectDeviceID),
    may("forwardingType", ForwardingType),
    must("forwardStatus", BOOLEAN),
    may("forwardTo", DeviceID),
    may("forwardDefault", ForwardDefault),
    may("ringCount", INTEGER),
    may("ringDuration", implicit(4, INTEGER)),
    may("extensions", CSTACommonArguments),
)
AgentLoggedOnEvent = sequence(
    "AgentLoggedOnEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", implicit(2, AgentID)),
    may("acdGroup", DeviceID),
    may("agentPassword", implicit(3, AgentPassword)),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
AgentLoggedOffEvent = sequence(
    "AgentLoggedOffEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", implicit(2, AgentID)),
    may("acdGroup", DeviceID),
    may("agentPassword", implicit(3, AgentPassword)),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
AgentReadyEvent = sequence(
    "AgentReadyEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", AgentID),
    may("acdGroup", DeviceID),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
AgentNotReadyEvent = sequence(
    "AgentNotReadyEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", AgentID),
    may("acdGroup", DeviceID),
    may("cause", EventCause),
    may("extensions", CSTACommonArguments),
)
AgentBusyEvent = sequence(
    "AgentBusyEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", AgentID),
    may("acdGroup", DeviceID),
    may("pendingAgentState", implicit(2, PendingAgentState)),
    may("cause", implicit(3, EventCause)),
    may("extensions", CSTACommonArguments),
)
AgentWorkingAfterCallEvent = sequence(
    "AgentWorkingAfterCallEvent",
    must("agentDevice", SubjectDeviceID),
    may("agentID", AgentID),
    may("acdGroup", DeviceID),
    may("pendingAgentState", implicit(2, enumerated("pendingAgentState", "0 notReady 1 ready 2 null"))),
    may("cause", implicit(3, EventCause)),
    may("extensions", CSTACommonArguments),
)
RingerStatusEvent = sequence(
    "RingerStatusEvent",
    must("device", SubjectDeviceID),
    must("ringer", OCTET_STRING),
    may("ringMode", enumerated("ringMode", "0 ringing 1 notRinging")),
    may("ringCount", implicit(0, INTEGER)),
    may("ringPattern", implicit(1, INTEGER)),
    may("ringVolume", raw(2)),
    may("extensions", CSTACommonArguments),
)
