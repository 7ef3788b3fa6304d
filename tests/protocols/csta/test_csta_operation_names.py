"""The numbers of the operations, typed from the standard's list, and what is declared for them."""

from __future__ import annotations

import pytest

from protocols.asn1 import ANY, Type
from protocols.csta import (
    events,
    operations,
    services_calls,
    services_capabilities,
    services_cdr,
    services_devices,
    services_escape,
    services_io,
    services_monitor,
    services_routeing,
    services_snapshot,
    services_system,
    services_voice,
)

CODES = {
    # call control
    1: "alternateCall",
    2: "answerCall",
    4: "clearCall",
    5: "clearConnection",
    6: "conferenceCall",
    7: "consultationCall",
    9: "holdCall",
    10: "makeCall",
    11: "makePredictiveCall",
    13: "reconnectCall",
    14: "retrieveCall",
    16: "transferCall",
    18: "parkCall",
    20: "singleStepConf",
    50: "singleStepTrans",
    214: "acceptCall",
    215: "callBack",
    216: "callBackMessage",
    217: "campOn",
    218: "deflectCall",
    219: "dialDigits",
    220: "directedPickupCall",
    221: "groupPickupCall",
    222: "intrudeCall",
    223: "joinCall",
    375: "makeConnection",
    376: "sendMessage",
    # call associated, media
    230: "associateData",
    231: "cancelTelephonyTones",
    232: "generateDigits",
    233: "generateTelephonyTones",
    234: "sendUserInformation",
    377: "changeConnectionInformation",
    244: "attachMediaService",
    245: "detachMediaService",
    # event report, monitoring, snapshot
    21: "cSTAEventReport",
    71: "monitorStart",
    72: "changeMonitorFilter",
    73: "monitorStop",
    373: "getMonitors",
    374: "monitorInfo",
    74: "snapshotDevice",
    75: "snapshotCall",
    76: "snapshotCallData",
    77: "snapshotDeviceData",
    # capability exchange, system
    201: "getLogicalDeviceInformation",
    202: "getPhysicalDeviceInformation",
    203: "getSwitchingFunctionCapabilities",
    204: "getSwitchingFunctionDevices",
    205: "switchingFunctionDevices",
    370: "getCSTAFeatures",
    206: "changeSysStatFilter",
    207: "systemRegister",
    208: "systemRegisterAbort",
    209: "systemRegisterCancel",
    210: "requestSysStat",
    211: "systemStatus",
    212: "swFunctionCapsChanged",
    213: "swFunctionDevicesChanged",
    371: "getRegistrations",
    372: "registrationInfo",
    # escape
    51: "escape",
    365: "escapeRegister",
    366: "escapeRegisterAbort",
    367: "escapeRegisterCancel",
    368: "privateDataVersionSelection",
    # routeing
    31: "routeRequest",
    32: "reRouteRequest",
    33: "routeSelectRequest",
    34: "routeUsedRequest",
    35: "routeEndRequest",
    36: "routeReject",
    248: "routeRegister",
    249: "routeRegisterAbort",
    250: "routeRegisterCancel",
    # I/O, data collection
    110: "startDataPath",
    111: "stopDataPath",
    112: "sendData",
    113: "sendMulticastData",
    114: "sendBroadcastData",
    115: "suspendDataPath",
    116: "dataPathSuspended",
    117: "resumeDataPath",
    118: "dataPathResumed",
    119: "fastData",
    340: "ioRegister",
    341: "ioRegisterAbort",
    342: "ioRegisterCancel",
    343: "dataCollected",
    344: "dataCollectionResumed",
    345: "dataCollectionSuspended",
    346: "resumeDataCollection",
    347: "startDataCollection",
    348: "stopDataCollection",
    349: "suspendDataCollection",
    # physical devices
    260: "buttonPress",
    261: "getAuditoryApparatusInformation",
    262: "getButtonInformation",
    263: "getDisplay",
    264: "getHookswitchStatus",
    265: "getLampInformation",
    266: "getLampMode",
    267: "getMessageWaitingIndicator",
    268: "getMicrophoneGain",
    269: "getMicrophoneMute",
    270: "getRingerStatus",
    271: "getSpeakerMute",
    272: "getSpeakerVolume",
    273: "setButtonInformation",
    274: "setDisplay",
    275: "setHookswitchStatus",
    276: "setLampMode",
    277: "setMessageWaitingIndicator",
    278: "setMicrophoneGain",
    279: "setMicrophoneMute",
    280: "setRingerStatus",
    281: "setSpeakerMute",
    282: "setSpeakerVolume",
    # logical devices
    300: "callBackNonCallRelated",
    301: "callBackMessageNonCallRelated",
    302: "cancelCallBack",
    303: "cancelCallBackMessage",
    304: "getAgentState",
    305: "getAutoAnswer",
    306: "getAutoWorkMode",
    307: "getCallerIDStatus",
    308: "getDoNotDisturb",
    309: "getForwarding",
    310: "getLastNumberDialed",
    311: "getRouteingMode",
    312: "setAgentState",
    313: "setAutoAnswer",
    314: "setAutoWorkMode",
    315: "setCallerIDStatus",
    316: "setDoNotDisturb",
    317: "setForwarding",
    318: "setRouteingMode",
    378: "getCallBack",
    # call detail records
    360: "cDRNotification",
    361: "cDRReport",
    362: "sendStoredCDR",
    363: "startCDRTransmission",
    364: "stopCDRTransmission",
    # voice unit
    500: "concatenateMessage",
    501: "deleteMessage",
    502: "playMessage",
    503: "queryVoiceAttribute",
    504: "reposition",
    505: "resume",
    506: "review",
    507: "setVoiceAttribute",
    508: "stop",
    509: "suspend",
    510: "synthesizeMessage",
    511: "recordMessage",
    512: "activate",
    513: "clear",
    514: "deactivate",
    515: "queue",
    516: "start",
}
# ALWAYS RESPONDS FALSE.
NEVER_ANSWERED = {21, 31, 32, 33, 34, 35, 36, 76, 77, 208, 249, 341, 366}


def test_every_operation_has_its_number() -> None:
    assert {code: operation.name for code, operation in operations.OPERATIONS.items()} == CODES
    for code, name in CODES.items():
        assert operations.by_code(code).name == name
        assert operations.by_name(name).code == code


def test_who_is_never_answered() -> None:
    assert {code for code, name in CODES.items() if not operations.is_answered(name)} == NEVER_ANSWERED
    assert operations.is_answered("operation-52")


SERVICES = (
    services_calls,
    services_capabilities,
    services_cdr,
    services_devices,
    services_escape,
    services_io,
    services_monitor,
    services_routeing,
    services_snapshot,
    services_system,
    services_voice,
)


def test_no_argument_or_result_is_declared_and_forgotten() -> None:
    wired = {id(operation.argument) for operation in operations.DECLARED}
    wired |= {id(operation.result) for operation in operations.DECLARED}
    declared = {
        name: type_
        for module in SERVICES
        for name, type_ in vars(module).items()
        if isinstance(type_, Type) and name.endswith(("Argument", "Result", "Arg", "Res"))
    }
    assert len(declared) > 80
    assert [name for name, type_ in declared.items() if id(type_) not in wired] == []


@pytest.mark.parametrize("operation", operations.DECLARED, ids=lambda operation: str(operation.name))
def test_argument_and_result_belong_to_their_operation(operation: operations.Operation) -> None:
    """The declarations carry the standard's names, which hold the operation's."""

    def bare(name: str) -> str:
        for ending in ("Argument", "Result", "Arg", "Res"):
            name = name.removesuffix(ending)
        return name.lower()

    expected = operation.name.lower().removesuffix("capabilities").removesuffix("caps")
    assert operation.argument is not ANY
    if operation.code != 368:  # its argument is a plain INTEGER
        assert bare(operation.argument.name).removesuffix("caps") == expected
    if operation.answered:
        assert operation.result is operations.NoData or bare(operation.result.name).removesuffix("caps") == expected


def test_what_has_no_result_takes_noData_too() -> None:
    """205 and 372 declare no result: an empty ReturnResult is the rule, NULL must do."""
    for code in (205, 372):
        operation = operations.by_code(code)
        assert operation.answered
        assert operation.result.decode_all(b"\x05\x00") == ("noData", None)


def test_groups_of_events_are_whole() -> None:
    groups = {part.name: part.type.inner for part in events.EventSpecificInfo.parts}
    counts = {name: len(type_.parts) for name, type_ in groups.items() if type_ is not None}
    assert counts == {
        "callControlEvents": 18,
        "callAssociatedEvents": 5,
        "mediaAttachmentEvents": 2,
        "physicalDeviceFeatureEvents": 11,
        "logicalDeviceFeatureEvents": 15,
        "deviceMaintenanceEvents": 4,
        "voiceUnitEvents": 18,
        "vendorSpecEvents": 1,
    }
    for name, type_ in groups.items():
        assert type_ is not None
        numbers = sorted({min(part.type.accepts) & 0x1F for part in type_.parts})
        assert numbers == list(range(len(type_.parts))), name
