"""Octets of the services, put together from the tables of the standard by tag and contents: both directions."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.csta import events, operations, panasonic


def el(tag: str, *contents: str) -> str:
    """Hex of one element; the codec's own writer has no part in it."""
    inner = "".join(contents).replace(" ", "")
    length = len(inner) // 2
    return tag + (f"{length:02X}" if length < 0x80 else f"81{length:02X}") + inner


AT_301 = panasonic.dialing_number("301")
AT_302 = panasonic.dialing_number("302")
TRUNK = panasonic.device_number("trunk", 3)
D301 = el("30", "80 03 33 30 31")
D302 = el("30", "80 03 33 30 32")
DTRUNK = el("30", "81 04 01 31 00 03")
# Call 00 01 at 301, call 00 02 at 302.
FIRST = panasonic.connection_id(b"\x00\x01", AT_301)
SECOND = panasonic.connection_id(b"\x00\x02", AT_302)
ONE_BOTH = el("30", "80 02 00 01", el("A1", D301))
ONE = el("6B", ONE_BOTH)
TWO = el("6B", el("30", "80 02 00 02", el("A1", D302)))
NOTHING = ("noData", None)
PARTY_301 = ("deviceIdentifier", AT_301)
PARTY_302 = ("deviceIdentifier", AT_302)

ARGUMENTS: dict[str, tuple[str, Any]] = {
    "holdCall": (el("30", ONE, "01 01 FF"), {"callToBeHeld": FIRST, "connectionReservation": True}),
    "retrieveCall": (el("30", ONE), {"callToBeRetrieved": FIRST}),
    "reconnectCall": (el("30", ONE, TWO), {"activeCall": FIRST, "heldCall": SECOND}),
    "alternateCall": (el("30", ONE, TWO), {"heldCall": FIRST, "activeCall": SECOND}),
    "transferCall": (el("30", ONE, TWO), {"heldCall": FIRST, "activeCall": SECOND}),
    "conferenceCall": (el("30", ONE, TWO), {"heldCall": FIRST, "activeCall": SECOND}),
    "consultationCall": (
        el("30", el("A0", ONE_BOTH), el("A1", D302), "8A 01 02"),
        {"existingCall": FIRST, "consultedDevice": AT_302, "consultOptions": "transferOnly"},
    ),
    "singleStepTrans": (el("30", ONE, D302), {"activeCall": FIRST, "transferredTo": AT_302}),
    "singleStepConf": (
        el("30", ONE, D302, "0A 01 00"),
        {"activeCall": FIRST, "deviceToJoin": AT_302, "participationType": "silent"},
    ),
    "deflectCall": (
        el("30", ONE, D302, el("30", D301), "04 01 AB"),
        {
            "callToBeDiverted": FIRST,
            "newDestination": AT_302,
            "addNewDestinationsList": [AT_301],
            "correlatorData": b"\xab",
        },
    ),
    "dialDigits": (el("30", ONE, D302), {"diallingConnection": FIRST, "diallingSequence": AT_302}),
    "generateDigits": (
        el("30", ONE, "0A 01 01", "16 02 31 23", "80 01 64"),
        {"connectionToSendDigits": FIRST, "digitMode": "dTMF", "charactersToSend": "1#", "toneDuration": 100},
    ),
    "generateTelephonyTones": (
        el("30", ONE, "0A 01 78", "02 01 05"),
        {"connectionToSendTone": FIRST, "toneToSend": "switchSpec100", "toneDuration": 5},
    ),
    "makePredictiveCall": (
        el("30", D301, D302, el("A0", "0A 01 01 0A 01 00"), el("A1", el("30", "0A 01 01 0A 01 00")), "86 01 1E"),
        {
            "callingDevice": AT_301,
            "calledDirectoryNumber": AT_302,
            "signallingDetection": {
                "signallingCondition": "callEstablished",
                "signallingConditionsAction": "destinationDetection",
            },
            "destinationDetection": [
                {"destinationCondition": "answeringMachine", "detectionAction": "clearCalledConnection"}
            ],
            "alertTime": 30,
        },
    ),
    "changeMonitorFilter": (
        el("30", "55 01 07", el("30", "80 02 02 14")),
        {"crossRefIdentifier": b"\x07", "requestedFilterList": {"callControl": "000101"}},
    ),
    "monitorStop": (el("30", "55 01 07"), {"crossRefIdentifier": b"\x07"}),
    "snapshotCall": (el("30", ONE), {"snapshotObject": FIRST}),
    "startCDRTransmission": ("30 03 0A 01 00", {"transferMode": "transferAtEndOfCall"}),
    "stopCDRTransmission": ("30 06 04 01 07 0A 01 03", {"cdrCrossRefID": b"\x07", "cdrTermReason": "other"}),
    "cDRNotification": ("30 06 04 01 07 0A 01 01", {"cdrCrossRefID": b"\x07", "cdrReason": "thresholdReached"}),
    "sendStoredCDR": (
        el("30", "04 01 07", el("30", el("18", "323032363131323331323030"), el("18", "323032363131323431323030"))),
        {
            "cdrCrossRefID": b"\x07",
            "timePeriod": {"beginningOfCDR": "202611231200", "endOfCDR": "202611241200"},
        },
    ),
    "getAgentState": (el("30", D301), {"device": AT_301}),
    "setAgentState": (
        el("30", D301, "0A 01 00", "82 01 41", "83 01 42", D302),
        {"device": AT_301, "requestedAgentState": "loggedOn", "agentID": b"A", "password": b"B", "group": AT_302},
    ),
    "setForwarding": (
        el("30", D301, "0A 01 02", "01 01 FF", D302, "02 01 03", "83 01 14"),
        {
            "device": AT_301,
            "forwardingType": "forwardNoAns",
            "activateForward": True,
            "forwardDN": AT_302,
            "ringCount": 3,
            "ringDuration": 20,
        },
    ),
    "setDoNotDisturb": (el("30", D301, "01 01 00"), {"device": AT_301, "doNotDisturbOn": False}),
    "buttonPress": (el("30", D301, "04 01 0C"), {"device": AT_301, "button": b"\x0c"}),
    "setDisplay": (
        el("30", D301, "80 01 01", "16 02 4F 4B", "83 01 00"),
        {"device": AT_301, "physicalBaseRowNumber": 1, "contentsOfDisplay": "OK", "characterSet": "ascii"},
    ),
    "playMessage": (
        el("30", "04 01 05", ONE, "02 01 1E", "03 02 04 50"),
        {"messageToBePlayed": b"\x05", "overConnection": FIRST, "duration": 30, "termination": "0101"},
    ),
    "stop": (el("30", ONE, "80 02 52 31"), {"connection": FIRST, "resource": "R1"}),
    "resume": (
        el("30", ONE, "04 01 05", "80 02 52 31", "02 01 1E"),
        {"connection": FIRST, "messageToResume": b"\x05", "resource": "R1", "duration": 30},
    ),
    "routeRequest": (
        el("30", "58 01 07", el("62", D302), el("61", D301), "82 01 FF"),
        {
            "crossRefIdentifier": b"\x07",
            "currentRoute": PARTY_302,
            "callingDevice": PARTY_301,
            "priority": True,
        },
    ),
    "routeSelectRequest": (
        el("30", "58 01 07", el("A1", D302), el("A3", "82 01 02")),
        {"crossRefIdentifier": b"\x07", "routeSelected": AT_302, "remainRetries": ("retryCount", 2)},
    ),
    "routeEndRequest": (
        el("30", "58 01 07", el("A1", "A0 03 0A 01 01")),
        {"crossRefIdentifier": b"\x07", "errorValue": ("operation", "generic")},
    ),
    "startDataPath": (
        el("30", D301, "80 01 02"),
        {"object": ("deviceObject", AT_301), "dataPathDirection": "bidirectional"},
    ),
    "fastData": (
        el("30", "04 01 09", ONE, "0A 01 00", el("30", "80 01 01"), "04 02 4F 4B"),
        {
            "ioRegisterReqID": b"\x09",
            "object": ("callObject", FIRST),
            "dataPathType": "text",
            "displayAttributes": {"physicalBaseRowNumber": 1},
            "ioData": b"OK",
        },
    ),
    "requestSysStat": ("30 00", {}),
    "systemRegister": ("30 04 03 02 04 80", {"requestTypes": "1000"}),
    "switchingFunctionDevices": (
        el("30", "04 01 07", "02 01 01", "01 01 FF", el("30", el("30", D301, "80 01 05", "03 02 03 80"))),
        {
            "serviceCrossRefID": b"\x07",
            "segmentID": 1,
            "lastSegment": True,
            "deviceList": [{"deviceID": AT_301, "deviceCategory": "station", "deviceAttributes": "10000"}],
        },
    ),
    "getSwitchingFunctionCapabilities": ("05 00", NOTHING),
    "escapeRegister": ("05 00", NOTHING),
    "privateDataVersionSelection": ("02 01 02", 2),
}
RESULTS: dict[str, tuple[str, Any]] = {
    "consultationCall": (el("30", ONE), {"initiatedCall": FIRST}),
    "transferCall": (
        el("30", ONE, el("A0", el("30", el("A0", ONE), el("A1", TWO), el("A2", D302), el("A3", DTRUNK)))),
        {
            "transferredCall": FIRST,
            "connections": [
                {
                    "newConnection": FIRST,
                    "oldConnection": SECOND,
                    "endpoint": ("deviceID", AT_302),
                    "associatedNID": ("deviceID", TRUNK),
                }
            ],
        },
    ),
    "conferenceCall": (
        el("30", ONE, el("A0", el("30", el("A2", "05 00")), el("30", el("A2", "A1 02 05 00")))),
        {
            "conferenceCall": FIRST,
            "connections": [{"endpoint": ("notKnown", None)}, {"endpoint": ("restricted", None)}],
        },
    ),
    "singleStepTrans": (el("30", ONE), {"transferredCall": FIRST}),
    "singleStepConf": (
        el("30", ONE, el("30", "0A 01 02")),
        {"conferencedCall": FIRST, "conferencedCallInfo": {"flowDirection": "transmitAndReceive"}},
    ),
    "changeMonitorFilter": ("30 00", {}),
    "monitorStart": (
        el("30", "55 01 07", el("A0", "80 02 02 14"), "01 01 FF"),
        {"crossRefIdentifier": b"\x07", "actualmonitorFilter": {"callControl": "000101"}, "monitorExistingCalls": True},
    ),
    "snapshotDevice": (
        el("30", el("76", el("30", ONE, el("A3", D302), "A0 03 4E 01 03"))),
        {
            "crossRefIDorSnapshotData": (
                "snapshotData",
                [
                    {
                        "connectionIdentifier": FIRST,
                        "endpointDevice": PARTY_302,
                        "localCallState": ("compoundCallState", ["connected"]),
                    }
                ],
            )
        },
    ),
    "snapshotCall": (
        el("30", el("77", el("30", el("63", D301), ONE, "4E 01 04")), el("61", D301)),
        {
            "crossRefIDorSnapshotData": (
                "snapshotData",
                [{"deviceOnCall": PARTY_301, "callIdentifier": FIRST, "localConnectionState": "hold"}],
            ),
            "callingDevice": PARTY_301,
        },
    ),
    "startCDRTransmission": ("30 03 04 01 07", {"cdrCrossRefID": b"\x07"}),
    "requestSysStat": ("30 03 0A 01 02", {"systemStatus": "normal"}),
    "systemRegister": ("30 03 04 01 07", {"sysStatRegisterID": b"\x07"}),
    "getForwarding": (
        el("30", el("30", el("30", "0A 01 00", "01 01 FF", D302, "0A 01 00", "80 01 14", "02 01 03"))),
        {
            "forwardingList": [
                {
                    "forwardingType": "forwardImmediate",
                    "forwardStatus": True,
                    "forwardDN": AT_302,
                    "forwardDefault": "forwardingTypeAndForwardDN",
                    "ringDuration": 20,
                    "ringCount": 3,
                }
            ]
        },
    ),
    "getDoNotDisturb": (
        el("30", "01 01 FF", "03 02 06 40", el("30", D302)),
        {"doNotDisturbOn": True, "callOrigination": "01", "callingDeviceList": [AT_302]},
    ),
    "getHookswitchStatus": (
        el("30", el("30", el("30", "04 01 00", "01 01 FF"))),
        {"hookswitchStatusList": [{"hookswitch": b"\x00", "hookswitchOnHook": True}]},
    ),
    "getAgentState": (
        el("30", el("30", el("30", "04 01 41", "01 01 FF", el("30", el("30", D302, "0A 01 02", "80 01 00"))))),
        {
            "agentStateList": [
                {
                    "agentID": b"A",
                    "loggedOn": True,
                    "agentInfo": [
                        {"acdGroup": AT_302, "agentState": "agentReady", "pendingAgentState": "agentNotReady"}
                    ],
                }
            ]
        },
    ),
    "queryVoiceAttribute": ("30 03 82 01 0A", {"attribute": ("duration", 10)}),
    "recordMessage": ("30 03 04 01 05", {"resultingMessage": b"\x05"}),
    "getPhysicalDeviceInformation": (
        el("30", "80 01 05", "01 01 FF", el("A3", D301), "84 02 44 54", el("A5", "80 02 02 14"), "89 01 01"),
        {
            "deviceCategory": "station",
            "hasLogicalElement": True,
            "otherLogicalDeviceList": [AT_301],
            "deviceModelName": "DT",
            "deviceOnDevice": {"callControl": "000101"},
            "maxDisplays": 1,
        },
    ),
    "getLogicalDeviceInformation": (
        el("30", el("A3", D301), "01 01 FF", "03 02 06 00", "01 01 00", "0A 01 01", "A5 03 16 01 41", "8C 01 02"),
        {
            "shortFormDeviceID": AT_301,
            "hasPhysicalElement": True,
            "acdModels": "00",
            "appearanceAddressable": False,
            "appearanceType": "basicStandard",
            "appearanceList": ["A"],
            "maxHeldCalls": 2,
        },
    ),
}
WITHOUT_DATA = (
    "alternateCall", "answerCall", "buttonPress", "cDRNotification", "cDRReport", "clearCall", "clearConnection",
    "deflectCall", "deleteMessage", "dialDigits", "escape", "escapeRegisterCancel", "fastData", "generateDigits",
    "generateTelephonyTones", "holdCall", "monitorStop", "playMessage", "privateDataVersionSelection", "reconnectCall",
    "resume", "retrieveCall", "sendData", "sendStoredCDR", "setDisplay", "setDoNotDisturb", "setForwarding",
    "setMessageWaitingIndicator", "stop", "stopCDRTransmission", "stopDataPath", "suspend", "switchingFunctionDevices",
    "systemStatus",
)  # fmt: skip
LCS = "4E 01 03"
EVENTS: dict[str, tuple[str, str, Any]] = {
    "hookswitch": (
        "physicalDeviceFeatureEvents",
        el("A3", el("A3", el("63", D301), "04 01 00", "01 01 00")),
        {"device": PARTY_301, "hookswitch": b"\x00", "hookswitchOnHook": False},
    ),
    "ringerStatus": (
        "physicalDeviceFeatureEvents",
        el("A3", el("A8", el("63", D301), "04 01 01", "0A 01 00", "A2 03 80 01 05")),
        {"device": PARTY_301, "ringer": b"\x01", "ringMode": "ringing", "ringVolume": bytes.fromhex("A203800105")},
    ),
    "forwarding": (
        "logicalDeviceFeatureEvents",
        el("A4", el("AC", el("63", D301), "0A 01 00", "01 01 FF", D302, "84 01 14")),
        {
            "device": PARTY_301,
            "forwardingType": "forwardImmediate",
            "forwardStatus": True,
            "forwardTo": AT_302,
            "ringDuration": 20,
        },
    ),
    "agentBusy": (
        "logicalDeviceFeatureEvents",
        el("A4", el("A0", el("63", D301), "04 01 41", D302, "82 01 02", "83 01 16")),
        {
            "agentDevice": PARTY_301,
            "agentID": b"A",
            "acdGroup": AT_302,
            "pendingAgentState": "agentReady",
            "cause": "newCall",
        },
    ),
    "offered": (
        "callControlEvents",
        el("A0", el("AC", ONE, "63 02 87 00", "61 02 87 00", "62 02 87 00", "64 02 89 00", LCS, "0A 01 16")),
        {
            "offeredConnection": FIRST,
            "offeredDevice": ("notKnown", None),
            "callingDevice": ("notKnown", None),
            "calledDevice": ("notKnown", None),
            "lastRedirectionDevice": ("notSpecified", None),
            "localConnectionInfo": "connected",
            "cause": "newCall",
        },
    ),
    "digitsDialed": (
        "callControlEvents",
        el("A0", el("A5", ONE, el("63", D301), D302, "0A 01 16")),
        {"dialingConnection": FIRST, "dialingDevice": PARTY_301, "dialingSequence": AT_302, "cause": "newCall"},
    ),
    "digitsGeneratedEvent": (
        "callAssociatedEvents",
        el("A1", el("A2", ONE, "16 02 31 23", el("A0", "02 01 05"))),
        {"connection": FIRST, "digitGeneratedList": "1#", "digitDurationList": [5]},
    ),
    "callInformation": (
        "callAssociatedEvents",
        el("A1", el("A0", ONE, el("63", D301), "82 01 AB", el("A9", "80 03 33 30 32"))),
        {"connection": FIRST, "device": PARTY_301, "correlatorData": b"\xab", "deviceInfo": AT_302},
    ),
    "backInService": (
        "deviceMaintenanceEvents",
        el("A5", el("A0", el("63", DTRUNK))),
        {"device": ("deviceIdentifier", TRUNK)},
    ),
    "stop": (
        "voiceUnitEvents",
        el("A6", el("A3", ONE, "04 01 05", "82 02 52 31", "80 01 0A")),
        {"connection": FIRST, "message": b"\x05", "resource": "R1", "length": 10},
    ),
    # A body that no source tabulates: kept whole, with its tag.
    "autoAnswer": ("logicalDeviceFeatureEvents", el("A4", "A6 02 05 00"), b"\xa6\x02\x05\x00"),
    "completed": ("voiceUnitEvents", el("A6", "A8 02 05 00"), b"\xa8\x02\x05\x00"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_both_ways(name: str) -> None:
    octets, value = ARGUMENTS[name]
    type_ = operations.by_name(name).argument
    assert type_.decode_all(bytes.fromhex(octets)) == value
    assert type_.encode(value) == bytes.fromhex(octets)


@pytest.mark.parametrize("name", RESULTS)
def test_results_both_ways(name: str) -> None:
    octets, value = RESULTS[name]
    type_ = operations.by_name(name).result
    assert type_.decode_all(bytes.fromhex(octets)) == value
    assert type_.encode(value) == bytes.fromhex(octets)


def test_results_that_say_nothing() -> None:
    silent = [
        operation.name
        for operation in operations.DECLARED
        if operation.answered and "noData" in (part.name for part in operation.result.parts)
    ]
    assert sorted(silent) == sorted(WITHOUT_DATA)
    for name in silent:
        type_ = operations.by_name(name).result
        assert type_.decode_all(b"\x05\x00") == NOTHING
        assert type_.encode(NOTHING) == b"\x05\x00"
        assert type_.decode_all(bytes.fromhex("7E 00")) == ("extensions", {})


@pytest.mark.parametrize("name", EVENTS)
def test_events_both_ways(name: str) -> None:
    group, octets, body = EVENTS[name]
    value = (group, (name, body))
    assert events.EventSpecificInfo.decode_all(bytes.fromhex(octets)) == value
    assert events.EventSpecificInfo.encode(value) == bytes.fromhex(octets)


def test_what_a_later_edition_appends_comes_back() -> None:
    """An optional field of the fourth edition, an unknown number and an unknown alternative in one argument."""
    octets = bytes.fromhex(el("30", ONE, D302, "83 01 7E", el("BF2A", "04 01 01")))
    value = operations.by_name("deflectCall").argument.decode_all(octets)
    assert value["reason"] == 126
    assert value["_unknown"] == [bytes.fromhex(el("BF2A", "04 01 01"))]
    assert operations.by_name("deflectCall").argument.encode(value) == octets
    octets = bytes.fromhex(el("A0", el("BF 19", ONE)))
    value = events.EventSpecificInfo.decode_all(octets)
    assert value == ("callControlEvents", ("_unknown", bytes.fromhex(el("BF 19", ONE))))
    assert events.EventSpecificInfo.encode(value) == octets
