"""Kinds of devices and displays, as several services name them (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import IA5_STRING, OCTET_STRING, bit_string, enumerated

DeviceCategory = enumerated(
    "DeviceCategory",
    """
    0 acd 1 group 2 networkInterface 3 park 4 routeingDevice 5 station 6 voiceUnit 7 other
    8 genericInteractiveVoice 9 listenerInteractiveVoice 10 dtmfInteractiveVoice 11 promptInteractiveVoice
    12 promptQueueInteractiveVoice 13 messageInteractiveVoice 14 conference
    """,
)
GroupDeviceAttributes = bit_string("GroupDeviceAttributes", "0 acd 1 hunt 2 pick 3 other 4 user 5 agent")
NamedDeviceTypes = enumerated(
    "NamedDeviceTypes",
    """
    0 acd 1 acdGroup 2 button 3 buttonGroup 4 conferenceBridge 5 line 6 lineGroup 7 operator 8 operatorGroup
    9 parkingDevice 10 station 11 stationGroup 12 trunk 13 trunkGroup 14 other 15 otherGroup
    """,
)
DeviceAttributes = bit_string(
    "DeviceAttributes",
    """
    0 mediaAccessDevice 1 routeingDevice 2 groupACD 3 groupHunt 4 groupPick
    """,
)
ButtonID = OCTET_STRING
DisplayID = OCTET_STRING
HookswitchID = OCTET_STRING
CharacterSet = enumerated("CharacterSet", "0 ascii 1 unicode 2 proprietary")
TelephonyTone = enumerated(
    "TelephonyTone",
    """
    0 beep 1 billing 2 busy 3 carrier 4 confirmation 5 dial 6 faxCNG 7 hold 8 howler 9 intrusion 10 modemCNG 11 park
    12 recordWarning 13 reorder 14 ringback 15 silence 16 sitVC 17 sitIC 18 sitRO 19 sitNC
    """
    + " ".join(f"{20 + number} switchSpec{number}" for number in range(101)),
)
ForwardingType = enumerated(
    "ForwardingType",
    """
    0 forwardImmediate 1 forwardBusy 2 forwardNoAns 3 forwardBusyInt 4 forwardBusyExt 5 forwardNoAnsInt
    6 forwardNoAnsExt 7 forwardImmInt 8 forwardImmExt 9 forwardDND 10 forwardDNDInt 11 forwardDNDExt
    """,
)
ForwardDefault = enumerated("ForwardDefault", "0 forwardingTypeAndForwardDN 1 forwardingType 2 forwardDN")
CallOrigination = bit_string("CallOrigination", "0 internal 1 external")
AgentID = OCTET_STRING  # assumed: the tables name it only
AgentPassword = OCTET_STRING  # assumed
PendingAgentState = enumerated("PendingAgentState", "0 agentNotReady 1 agentNull 2 agentReady 3 agentWorkingAfterCall")
MessageID = OCTET_STRING
ResourceID = IA5_STRING
