"""Features of physical and logical devices (ECMA-285): buttons, displays, forwarding, do not disturb, agents."""

from __future__ import annotations

from protocols.asn1 import BOOLEAN, IA5_STRING, INTEGER, enumerated, implicit, may, must, sequence, sequence_of
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
from protocols.csta.identifiers import DeviceID
from protocols.csta.private import CSTACommonArguments

AgentState = enumerated(
    "AgentState",
    """
    0 agentNotReady 1 agentNull 2 agentReady 3 agentBusy 4 agentWorkingAfterCall
    """,
)
AgentStateCondition = enumerated("AgentStateCondition", "0 forcedPause 1 other")
AgentInfo = sequence(
    "AgentInfo",
    may("acdGroup", DeviceID),
    must("agentState", AgentState),
    may("pendingAgentState", implicit(0, PendingAgentState)),
    may("agentStateCondition", implicit(1, AgentStateCondition)),
)
AgentStateEntry = sequence(
    "AgentStateEntry",
    may("agentID", AgentID),
    must("loggedOn", BOOLEAN),
    may("agentInfo", sequence_of(AgentInfo, "agentInfo")),
)
AgentStateList = sequence_of(AgentStateEntry, "AgentStateList")
ButtonPressArgument = sequence(
    "ButtonPressArgument",
    must("device", DeviceID),
    must("button", ButtonID),
    may("extensions", CSTACommonArguments),
)
SetDisplayArgument = sequence(
    "SetDisplayArgument",
    must("device", DeviceID),
    may("display", DisplayID),
    may("physicalBaseRowNumber", implicit(0, INTEGER)),
    may("physicalBaseColumnNumber", implicit(1, INTEGER)),
    must("contentsOfDisplay", IA5_STRING),
    may("offset", implicit(2, INTEGER)),
    may("characterSet", implicit(3, CharacterSet)),
    may("extensions", CSTACommonArguments),
)
GetHookswitchStatusArgument = sequence(
    "GetHookswitchStatusArgument",
    must("device", DeviceID),
    may("hookswitch", HookswitchID),
    may("extensions", CSTACommonArguments),
)
HookswitchStatusList = sequence_of(
    sequence("", must("hookswitch", HookswitchID), must("hookswitchOnHook", BOOLEAN)), "HookswitchStatusList"
)
GetHookswitchStatusResult = sequence(
    "GetHookswitchStatusResult",
    must("hookswitchStatusList", HookswitchStatusList),
    may("extensions", CSTACommonArguments),
)
SetMessageWaitingIndicatorArgument = sequence(
    "SetMessageWaitingIndicatorArgument",
    must("device", DeviceID),
    must("messageWaitingOn", BOOLEAN),
    may("deviceForMessage", DeviceID),
    may("extensions", CSTACommonArguments),
)
SetDoNotDisturbArgument = sequence(
    "SetDoNotDisturbArgument",
    must("device", DeviceID),
    must("doNotDisturbOn", BOOLEAN),
    may("callOrigination", CallOrigination),
    may("callingDeviceList", sequence_of(DeviceID, "callingDeviceList")),
    may("extensions", CSTACommonArguments),
)
GetDoNotDisturbArgument = sequence(
    "GetDoNotDisturbArgument",
    must("device", DeviceID),
    may("extensions", CSTACommonArguments),
)
GetDoNotDisturbResult = sequence(
    "GetDoNotDisturbResult",
    must("doNotDisturbOn", BOOLEAN),
    may("callOrigination", CallOrigination),
    may("callingDeviceList", sequence_of(DeviceID, "callingDeviceList")),
    may("extensions", CSTACommonArguments),
)
SetForwardingArgument = sequence(
    "SetForwardingArgument",
    must("device", DeviceID),
    may("forwardingType", ForwardingType),
    must("activateForward", BOOLEAN),
    may("forwardDN", DeviceID),
    may("ringCount", INTEGER),
    may("ringDuration", implicit(3, INTEGER)),
    may("extensions", CSTACommonArguments),
)
GetForwardingArgument = sequence(
    "GetForwardingArgument",
    must("device", DeviceID),
    may("extensions", CSTACommonArguments),
)
ForwardList = sequence_of(
    sequence(
        "",
        may("forwardingType", ForwardingType),
        must("forwardStatus", BOOLEAN),
        may("forwardDN", DeviceID),
        may("forwardDefault", ForwardDefault),
        may("ringDuration", implicit(0, INTEGER)),
        may("ringCount", INTEGER),
    ),
    "ForwardList",
)
GetForwardingResult = sequence(
    "GetForwardingResult",
    must("forwardingList", ForwardList),
    may("extensions", CSTACommonArguments),
)
ReqAgentState = enumerated("ReqAgentState", "0 loggedOn 1 loggedOff 2 notReady 3 ready 4 workingAfterCall")
SetAgentStateArgument = sequence(
    "SetAgentStateArgument",
    must("device", DeviceID),
    must("requestedAgentState", ReqAgentState),
    may("agentID", implicit(2, AgentID)),
    may("password", implicit(3, AgentPassword)),
    may("group", DeviceID),
    may("extensions", CSTACommonArguments),
)
SetAgentStateResult = sequence(
    "SetAgentStateResult",
    may("pendingAgentState", PendingAgentState),
    may("extensions", CSTACommonArguments),
)
GetAgentStateArgument = sequence(
    "GetAgentStateArgument",
    must("device", DeviceID),
    may("acdGroup", DeviceID),
    may("extensions", CSTACommonArguments),
)
GetAgentStateResult = sequence(
    "GetAgentStateResult",
    must("agentStateList", AgentStateList),
    may("extensions", CSTACommonArguments),
)
