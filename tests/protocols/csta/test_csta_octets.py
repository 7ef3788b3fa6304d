"""APDUs of a real link, and examples worked out by hand from the tables, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from protocols import rose
from protocols.csta import operations
from protocols.csta.association import NEED_DATA, Association, Event, Invoked, Role
from protocols.csta.causes import UniversalFailure
from protocols.csta.identifiers import CallingDeviceID, ConnectionID, DeviceID, LocalConnectionState
from protocols.csta.panasonic import connection_id, device_number, dialing_number
from protocols.errors import NeedMoreData, RemoteProtocolError


def dev(digits: str) -> tuple[str, Any]:
    return ("deviceIdentifier", dialing_number(digits))


CALL = connection_id(bytes.fromhex("010203"), dialing_number("301"))
CALL_HEX = "6B10 300E 8003010203 A107 3005 8003333031"
TRUNK = device_number("trunk", 3)
TRUNK_HEX = "3006 8104 01310003"

# type, value, octets
TYPES: list[tuple[Any, Any, str]] = [
    (DeviceID, dialing_number("1001"), "3006 8004 31303031"),  # trap 13
    (DeviceID, device_number("extension", 1), "3006 8104 01110001"),
    (DeviceID, {"deviceIdentifier": ("other", b"74951234501")}, "300D 860B 3734393531323334353031"),
    (
        DeviceID,
        {"deviceIdentifier": ("explicitPublic", ("international", "7495")), "privateNumber": "1", "privateName": "x"},
        "3012 A306 810437343935 A003160131 A103160178",
    ),
    (CallingDeviceID, dev("1001"), "6108 3006 8004 31303031"),  # trap 1
    (CallingDeviceID, ("notKnown", None), "6102 8700"),
    (ConnectionID, CALL, CALL_HEX),
    (ConnectionID, ("callID", b"\x01"), "6B03 800101"),
    (ConnectionID, ("deviceID", ("staticID", dialing_number("301"))), "6B09 A107 3005 8003333031"),
    (ConnectionID, ("deviceID", ("dynamicID", b"\x09")), "6B05 A103 830109"),
    (LocalConnectionState, "connected", "4E0103"),
    (UniversalFailure, ("operation", "invalidDeviceID"), "A003 0A010C"),  # trap 4
    (UniversalFailure, ("unspecified", None), "A702 0500"),
    (UniversalFailure, ("systemResourceAvailability", "resourceBusy"), "A303 0A0102"),
    (UniversalFailure, ("stateIncompatibility", 99), "A203 0A0163"),
    (UniversalFailure, ("_unknown", bytes.fromhex("A8020500")), "A8020500"),
]


@pytest.mark.parametrize(("type_", "value", "octets"), TYPES)
def test_types_both_ways(type_: Any, value: Any, octets: str) -> None:
    whole = bytes.fromhex(octets)
    assert type_.encode(value) == whole
    assert type_.decode_all(whole) == value
    assert type_.decode(whole + b"\x00") == (value, len(whole))
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            type_.decode(whole[:short])


def report(event: str) -> str:
    """An event report of cross reference 00000001 around the octets of EventSpecificInfo."""
    body = bytes.fromhex("5504 00000001" + event)
    return f"30{len(body):02X}" + body.hex()


def seen(group: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"crossRefIdentifier": bytes.fromhex("00000001"), "eventSpecificInfo": (group, (name, fields))}


PARTIES = {
    "callingDevice": dev("301"),
    "calledDevice": dev("9123"),
    "lastRedirectionDevice": ("notRequired", None),
}
PARTIES_HEX = "6107 3005 8003333031" + "6208 3006 800439313233" + "6402 8800"

# operation, argument, octets of the argument
ARGUMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("systemStatus", {"systemStatus": "normal"}, "30 03 0A 01 02"),
    ("systemStatus", {"systemStatus": 99}, "30 03 0A 01 63"),
    (
        "makeCall",
        {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")},
        "300F 30058003333031 3006800439313233",
    ),
    (  # trap 5: autoOriginate [3] stands before correlatorData [2]
        "makeCall",
        {
            "callingDevice": dialing_number("301"),
            "calledDirectoryNumber": dialing_number("9123"),
            "autoOriginate": "doNotPrompt",
            "correlatorData": b"\x07",
            "userData": b"\x02",
        },
        "301A 30058003333031 3006800439313233 830101 820107 7D03040102",
    ),
    ("clearConnection", {"connectionToBeCleared": CALL}, "3012" + CALL_HEX),
    ("answerCall", {"callToBeAnswered": CALL}, "3012" + CALL_HEX),
    (
        "monitorStart",
        {"monitorObject": ("deviceObject", dialing_number("101")), "requestedMonitorFilter": {}},
        "3009 30058003313031 A000",
    ),
    (
        "monitorStart",  # trap 9: [5] comes before [4]; named bits with trailing zeros
        {
            "monitorObject": ("callObject", CALL),
            "requestedMonitorFilter": {"callControl": "0001000000000000", "voiceUnit": "0", "private": "1"},
            "monitorType": "device",
        },
        "3024" + CALL_HEX + "A00D 8003001000 85020700 84020780 0A0101",
    ),
    ("monitorStop", {"crossRefIdentifier": b"\x01\x02"}, "3004 5502 0102"),
    ("snapshotDevice", {"snapshotObject": dialing_number("301")}, "3007 30058003333031"),
    (
        "escape",  # the device list request, whose octets are known from a client
        {
            "privateData": (
                "private",
                ("systemData", ("getSystemData", ("deviceList", ("category", ("standardDevice", "station"))))),
            )
        },
        "30 0D A4 0B A0 09 A4 07 A1 05 A0 03 0A 01 05",
    ),
    ("escape", {"escapeRegisterID": b"\x01", "privateData": ("string", b"\x02")}, "3008 A003040101 040102"),
    (
        "cSTAEventReport",
        seen(
            "callControlEvents",
            "serviceInitiated",
            {"initiatedConnection": CALL, "initiatingDevice": dev("301"), "cause": "makeCall"},
        ),
        report("A020 B01E" + CALL_HEX + "63073005 8003333031" + "0A012C"),
    ),
    (
        "cSTAEventReport",
        seen(
            "callControlEvents",
            "delivered",
            {
                "connection": CALL,
                "alertingDevice": ("deviceIdentifier", TRUNK),
                **PARTIES,
                "localConnectionInfo": "connected",
                "cause": "newCall",
            },
        ),
        report("A03B A439" + CALL_HEX + "6308" + TRUNK_HEX + PARTIES_HEX + "4E0103" + "0A0116"),
    ),
    (
        "cSTAEventReport",
        seen(
            "callControlEvents",
            "connectionCleared",
            {"droppedConnection": CALL, "releasingDevice": ("notKnown", None), "cause": "normalClearing"},
        ),
        report("A01B A319" + CALL_HEX + "6302 8700" + "0A0130"),
    ),
    (
        "cSTAEventReport",
        seen(
            "callControlEvents",
            "failed",
            {"failedConnection": CALL, "failingDevice": ("restricted", None), **PARTIES, "cause": 200},
        ),
        report("A033 A831" + CALL_HEX + "63028800" + PARTIES_HEX + "0A0200C8"),
    ),
    (
        "cSTAEventReport",  # trap 2: secondaryOldCall [0] IMPLICIT ConnectionID keeps the inner CHOICE
        seen(
            "callControlEvents",
            "transferred",
            {
                "primaryOldCall": ("callID", b"\x01"),
                "secondaryOldCall": ("callID", b"\x02"),
                "transferringDevice": ("notKnown", None),
                "transferredToDevice": ("notKnown", None),
                "transferredConnections": [{"newConnection": ("callID", b"\x03"), "endpoint": ("notKnown", None)}],
                "cause": "transfer",
            },
        ),
        report("A026 B124 6B03800101 A003800102 63028700 63028700 A10D 300B A0056B03800103 A2020500 0A0120"),
    ),
    (
        "cSTAEventReport",  # trap 6: extensions of conferenced is [5] IMPLICIT and comes last
        seen(
            "callControlEvents",
            "conferenced",
            {
                "primaryOldCall": ("callID", b"\x01"),
                "conferencingDevice": ("notKnown", None),
                "addedParty": ("notKnown", None),
                "conferenceConnections": [],
                "cause": "conference",
                "extensions": {"privateData": [("string", b"\x01")]},
            },
        ),
        report("A01B A219 6B03800101 63028700 63028700 3000 0A013F A505 A103040101"),
    ),
    (
        "cSTAEventReport",
        seen("deviceMaintenanceEvents", "backInService", {"device": dev("301")}),
        report("A50B A009 6307 30058003333031"),
    ),
    (
        "cSTAEventReport",
        seen("deviceMaintenanceEvents", "outOfService", {"device": dev("301"), "cause": "maintenance"}),
        report("A50E A20C 6307 30058003333031 0A0113"),
    ),
]


@pytest.mark.parametrize(("operation", "argument", "octets"), ARGUMENTS)
def test_arguments_both_ways(operation: str, argument: dict[str, Any], octets: str) -> None:
    whole = bytes.fromhex(octets)
    type_ = operations.by_name(operation).argument
    assert type_.encode(argument).hex(" ") == whole.hex(" ")
    assert type_.decode_all(whole) == argument
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            type_.decode(whole[:short])
    with pytest.raises(RemoteProtocolError):
        type_.decode_all(whole + b"\x05\x00")


# operation, result, octets of the result
RESULTS: list[tuple[str, Any, str]] = [
    ("systemStatus", ("noData", None), "05 00"),
    ("makeCall", {"callingDevice": CALL}, "3012" + CALL_HEX),
    ("clearConnection", ("noData", None), "0500"),
    ("answerCall", ("extensions", {}), "7E00"),
    ("monitorStart", {"crossRefIdentifier": b"\x00\x00\x00\x01"}, "3006 5504 00000001"),
    ("monitorStart", {"crossRefIdentifier": b"\x01", "actualmonitorFilter": {}}, "3005 550101 A000"),
    ("monitorStop", ("noData", None), "0500"),
    (
        "snapshotDevice",  # trap 2: endpointDevice [3] IMPLICIT SubjectDeviceID
        {
            "crossRefIDorSnapshotData": (
                "snapshotData",
                [
                    {
                        "connectionIdentifier": CALL,
                        "endpointDevice": ("notKnown", None),
                        "localCallState": ("compoundCallState", ["connected", "alerting"]),
                    }
                ],
            )
        },
        "3022 7620 301E" + CALL_HEX + "A3028700 A006 4E0103 4E0102",
    ),
    ("snapshotDevice", {"crossRefIDorSnapshotData": ("serviceCrossRefID", b"\x01")}, "3003 040101"),  # trap 11
    ("snapshotDevice", {"crossRefIDorSnapshotData": ("snapshotData", [])}, "3002 7600"),
    (
        "escape",
        ("extensions", {"privateData": [("private", ("systemData", ("systemDataPosAck", b"\x01\x02")))]}),
        "7E 0A A1 08 A4 06 A4 04 04 02 01 02",
    ),
]


@pytest.mark.parametrize(("operation", "result", "octets"), RESULTS)
def test_results_both_ways(operation: str, result: Any, octets: str) -> None:
    whole = bytes.fromhex(octets)
    type_ = operations.by_name(operation).result
    assert type_.encode(result).hex(" ") == whole.hex(" ")
    assert type_.decode_all(whole) == result
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            type_.decode(whole[:short])


def test_newer_firmware_adds_elements_that_survive() -> None:
    """Ed.4 and newer firmware append to DeviceID and to events: kept, and written again at the end."""
    device = bytes.fromhex("300A 8003333031 0401AA 0500")
    value = DeviceID.decode_all(device)
    assert value["_unknown"] == [b"\x04\x01\xaa", b"\x05\x00"]
    assert DeviceID.encode(value) == device
    event = operations.by_name("cSTAEventReport").argument
    octets = bytes.fromhex(report("A01F A31D" + CALL_HEX + "63028700 0A0130 BF7F01 07"))
    cleared = event.decode_all(octets)
    assert cleared["eventSpecificInfo"][1][1]["_unknown"] == [bytes.fromhex("BF7F0107")]
    assert event.encode(cleared) == octets


def test_unknown_event_and_unknown_group_survive() -> None:
    event = operations.by_name("cSTAEventReport").argument
    for octets in (report("A005 BF6302 0500"), report("A904 A002 0500"), report("A003 800101")):
        whole = bytes.fromhex(octets)
        assert event.encode(event.decode_all(whole)) == whole


def test_operations_have_unique_names_and_numbers() -> None:
    assert len(operations.BY_NAME) == len(operations.OPERATIONS)
    assert operations.by_code(10).name == "makeCall"
    assert operations.by_code(9).name == "holdCall"
    assert operations.by_code(999).name == "operation-999"
    assert operations.by_name("operation-999").code == 999
    assert operations.by_code("1.2.3").name == "operation-1.2.3"
    with pytest.raises(KeyError):
        operations.by_name("makecall")
    assert not operations.is_answered("cSTAEventReport")
    assert not operations.is_answered("snapshotDeviceData")
    assert operations.is_answered("makeCall")
    assert operations.is_answered("operation-999")
    assert not operations.by_code(34).answered
    assert operations.by_name("operation-10").name == "makeCall"


# Section 8 of the PBX's facts: whole APDUs as framed on the link, sent by whom, and how they come about.
AARQ = "60 23 80 02 07 80 A1 07 06 05 2B 0C 00 81 5A BE 14 28 12 06 07 2B 0C 00 82 1D 81 48 A0 07 A0 05 03 03 00 08 00"
AARE = (
    "61 2F 80 02 07 80 A1 07 06 05 2B 0C 00 81 5A A2 03 02 01 00 A3 05 A1 03 02 01 01"
    "BE 14 28 12 06 07 2B 0C 00 82 1D 81 48 A0 07 A0 05 03 03 00 08 00"
)
STATUS = "A1 0C 02 01 01 02 02 00 D3 30 03 0A 01 02"
STATUS_RESULT = "A2 0B 02 01 01 30 06 02 02 00 D3 05 00"


def framed(octets: str) -> bytes:
    apdu = bytes.fromhex(octets)
    return len(apdu).to_bytes(2, "big") + apdu


def told(association: Association, octets: bytes) -> list[Event]:
    """What an association makes of octets, and that it makes the same of them one by one."""
    for octet in octets[:-1]:
        association.receive_data(bytes((octet,)))
        assert association.next_event() is NEED_DATA
    association.receive_data(octets[-1:])
    events: list[Event] = []
    while (event := association.next_event()) is not NEED_DATA:
        events.append(event)
    return events


def test_the_constants_of_the_link_both_ways() -> None:
    client, switch = Association(Role.CLIENT), Association(Role.SWITCH)
    request = client.associate()
    assert request == framed(AARQ)
    assert len(told(switch, request)) == 1
    acceptance = switch.accept()
    assert acceptance == framed(AARE)
    assert len(told(client, acceptance)) == 1
    invoke_id, status = switch.invoke("systemStatus", {"systemStatus": "normal"})
    assert (invoke_id, status) == (1, framed(STATUS))
    assert told(client, status) == [Invoked(1, "systemStatus", {"systemStatus": "normal"})]
    result = client.respond(1, "systemStatus")
    assert result == framed(STATUS_RESULT)
    assert len(told(switch, result)) == 1
    assert switch.abort() == bytes.fromhex("64 03 80 01 00")


def test_the_codec_keeps_the_rose_envelope_of_the_constants() -> None:
    for octets in (STATUS, STATUS_RESULT):
        assert rose.encode(rose.decode(bytes.fromhex(octets))) == bytes.fromhex(octets)
