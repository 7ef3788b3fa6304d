"""The sixteen places where an encoder of CSTA written from the standard goes wrong, each by its number.

All octets are written by hand. ``both`` decodes them to the value and encodes the value to them.
"""

from __future__ import annotations

from typing import Any

import pytest

from protocols.asn1 import Type
from protocols.csta import causes, common, events, operations, panasonic, private, user_information
from protocols.csta.events_calls import ConferencedEvent, DeliveredEvent, TransferredEvent
from protocols.csta.events_voice import PlayEvent
from protocols.csta.identifiers import CallingDeviceID, ConnectionID, DeviceID, RedirectionDeviceID
from protocols.csta.services_escape import EscapeRegisterID
from protocols.csta.services_io import IOCrossRefID
from protocols.csta.services_monitor import CallControlEventsBits, MonitorFilter
from protocols.csta.services_snapshot import SnapshotDeviceResponseInfo
from protocols.csta.services_system import StatusFilter, SystemStatus
from protocols.errors import RemoteProtocolError

DEVICE = {"deviceIdentifier": ("dialingNumber", "301")}  # 30 05 80 03 33 30 31
AT_10 = {"deviceIdentifier": ("dialingNumber", "10")}
CONNECTION = ("both", {"callID": b"\x01\x02\x03", "deviceID": ("staticID", AT_10)})
CONNECTION_OCTETS = "6B 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30"


def both(type_: Type, octets: str, value: Any) -> None:
    assert type_.decode_all(bytes.fromhex(octets)) == value
    assert type_.encode(value).hex(" ").upper() == octets


def argument(name: str) -> Type:
    return operations.by_name(name).argument


def result(name: str) -> Type:
    return operations.by_name(name).result


def test_trap_01_devices_in_their_part_are_explicit_around_an_untagged_choice() -> None:
    device = {"deviceIdentifier": ("dialingNumber", "1001")}
    both(CallingDeviceID, "61 08 30 06 80 04 31 30 30 31", ("deviceIdentifier", device))
    both(CallingDeviceID, "61 02 87 00", ("notKnown", None))
    both(RedirectionDeviceID, "64 08 30 06 80 04 31 30 30 31", ("numberdialed", device))
    both(RedirectionDeviceID, "64 02 89 00", ("notSpecified", None))


def test_trap_02_implicit_before_a_connection_replaces_only_the_application_tag() -> None:
    both(
        argument("consultationCall"),
        "30 1A A0 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30 A1 07 30 05 80 03 33 30 31",
        {"existingCall": CONNECTION, "consultedDevice": DEVICE},
    )
    both(
        common.DeviceHistory,
        "30 18 30 05 80 03 33 30 31 A2 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30",
        {"oldDeviceID": DEVICE, "oldConnectionID": CONNECTION},
    )
    both(
        SnapshotDeviceResponseInfo,
        f"30 1C {CONNECTION_OCTETS} A3 07 30 05 80 03 33 30 31 82 00",
        {
            "connectionIdentifier": CONNECTION,
            "endpointDevice": ("deviceIdentifier", DEVICE),
            "localCallState": ("unknown", None),
        },
    )
    both(
        TransferredEvent,
        f"30 2F {CONNECTION_OCTETS} A0 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30"
        " 63 02 87 00 63 02 88 00 A1 00 0A 01 20",
        {
            "primaryOldCall": CONNECTION,
            "secondaryOldCall": CONNECTION,
            "transferringDevice": ("notKnown", None),
            "transferredToDevice": ("restricted", None),
            "transferredConnections": [],
            "cause": "transfer",
        },
    )


def test_trap_03_user_data_is_explicit() -> None:
    both(common.UserData, "7D 04 04 02 AB CD", b"\xab\xcd")
    both(
        argument("consultationCall"),
        "30 20 A0 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30 A1 07 30 05 80 03 33 30 31 A6 04 04 02 AB CD",
        {"existingCall": CONNECTION, "consultedDevice": DEVICE, "userData": b"\xab\xcd"},
    )
    both(
        argument("clearCall"),
        f"30 17 {CONNECTION_OCTETS} 7D 04 04 02 AB CD",
        {"callToBeCleared": CONNECTION, "userData": b"\xab\xcd"},
    )


def test_trap_04_failures_and_event_groups_are_explicit_the_events_in_them_implicit() -> None:
    both(causes.UniversalFailure, "A0 03 0A 01 0C", ("operation", "invalidDeviceID"))
    both(causes.UniversalFailure, "A7 02 05 00", ("unspecified", None))
    both(
        events.EventSpecificInfo,
        "A0 26 A4 24 6B 0F 30 0D 80 03 01 02 03 A1 06 30 04 80 02 31 30"
        " 63 02 87 00 61 02 87 00 62 02 87 00 64 02 88 00 0A 01 16",
        (
            "callControlEvents",
            (
                "delivered",
                {
                    "connection": CONNECTION,
                    "alertingDevice": ("notKnown", None),
                    "callingDevice": ("notKnown", None),
                    "calledDevice": ("notKnown", None),
                    "lastRedirectionDevice": ("notRequired", None),
                    "cause": "newCall",
                },
            ),
        ),
    )


def test_trap_05_fields_stand_in_the_order_of_the_text_not_of_their_tags() -> None:
    both(
        argument("makeCall"),
        "30 15 30 05 80 03 33 30 31 30 05 80 03 33 30 31 83 01 01 82 02 AB CD",
        {
            "callingDevice": DEVICE,
            "calledDirectoryNumber": DEVICE,
            "autoOriginate": "doNotPrompt",
            "correlatorData": b"\xab\xcd",
        },
    )
    both(
        argument("recordMessage"),
        f"30 1B {CONNECTION_OCTETS} 82 02 52 31 80 01 08 81 01 3C",
        {"callToBeRecorded": CONNECTION, "resource": "R1", "samplingRate": 8, "maxDuration": 60},
    )
    both(
        PlayEvent,
        f"30 1B {CONNECTION_OCTETS} 04 01 07 83 02 52 31 80 01 05",
        {"connection": CONNECTION, "message": b"\x07", "resource": "R1", "length": 5},
    )
    # In the order of their tags, the one that comes too late is no field any more, but is not lost.
    late = bytes.fromhex("30 14 30 05 80 03 33 30 31 30 05 80 03 33 30 31 82 01 AB 83 01 01")
    value = argument("makeCall").decode_all(late)
    assert (value["correlatorData"], value["_unknown"]) == (b"\xab", [b"\x83\x01\x01"])
    assert "autoOriginate" not in value
    assert argument("makeCall").encode(value) == late


def test_trap_06_extensions_of_conferenced_are_tagged_5_and_come_last() -> None:
    start = f"{CONNECTION_OCTETS} 63 02 87 00 63 02 87 00 30 00 0A 01 3F"
    value = {
        "primaryOldCall": CONNECTION,
        "conferencingDevice": ("notKnown", None),
        "addedParty": ("notKnown", None),
        "conferenceConnections": [],
        "cause": "conference",
    }
    both(ConferencedEvent, f"30 22 {start} A9 00 A5 00", value | {"locationInfo": [], "extensions": {}})
    # All others have them untagged.
    cleared = events.CallControlEvents.parts[1].type
    assert cleared.decode_all(bytes.fromhex(f"A1 16 {CONNECTION_OCTETS} 0A 01 30 7E 00")) == {
        "clearedCall": CONNECTION,
        "cause": "normalClearing",
        "extensions": {},
    }
    assert [name for name, type_ in _event_bodies() if type_.parts[-1].type.identifier != 0x7E] == ["conferenced"]


def _event_bodies() -> list[tuple[str, Type]]:
    groups = [part.type.inner for part in events.EventSpecificInfo.parts[:7]]
    bodies = [(part.name, part.type) for group in groups if group is not None for part in group.parts]
    return [(name, type_) for name, type_ in bodies if type_.kind == "SEQUENCE"]


def test_trap_07_escape_register_id_is_explicit_and_private_data_mandatory() -> None:
    both(EscapeRegisterID, "A0 03 04 01 07", b"\x07")
    both(
        argument("escape"),
        "30 08 A0 03 04 01 07 04 01 AB",
        {"escapeRegisterID": b"\x07", "privateData": ("string", b"\xab")},
    )
    # As a client in production has it, [APPLICATION 0]: read, and written the right way.
    for octets in ("30 08 60 03 04 01 07 04 01 AB", "30 06 40 01 07 04 01 AB"):
        value = argument("escape").decode_all(bytes.fromhex(octets))
        assert value == {"escapeRegisterID": b"\x07", "privateData": ("string", b"\xab")}
        assert argument("escape").encode(value) == bytes.fromhex("30 08 A0 03 04 01 07 04 01 AB")
    with pytest.raises(RemoteProtocolError, match="privateData is missing"):
        argument("escape").decode_all(bytes.fromhex("30 05 A0 03 04 01 07"))
    assert [part.name for part in argument("escape").parts] == ["escapeRegisterID", "security", "privateData"]


def test_trap_08_panasonics_own_type_stands_in_place_of_null() -> None:
    both(
        argument("escape"),
        "30 0D A4 0B A0 09 A4 07 A1 05 A0 03 0A 01 05",
        {
            "privateData": (
                "private",
                ("systemData", ("getSystemData", ("deviceList", ("category", ("standardDevice", "station"))))),
            )
        },
    )
    both(
        argument("escape"),
        "30 2B A4 29 A3 27 30 25 A0 03 04 01 09 A1 03 02 01 01 A2 03 01 01 FF"
        " A3 14 30 12 BF 26 0F 30 0D 30 0B 30 04 80 02 31 30 16 00 0A 01 00",
        {
            "privateData": (
                "private",
                (
                    "systemData",
                    (
                        "systemDataLinkedReply",
                        {
                            "crossRefID": b"\x09",
                            "segmentID": 1,
                            "lastSegment": True,
                            "sysData": {
                                "deviceList": [
                                    {"deviceID": AT_10, "number": "", "status": "ins"},
                                ]
                            },
                        },
                    ),
                ),
            )
        },
    )
    both(
        result("escape"),
        "7E 09 A1 07 A4 05 A4 03 04 01 09",
        ("extensions", {"privateData": [("private", ("systemData", ("systemDataPosAck", b"\x09")))]}),
    )
    # A peer that leaves the placeholder as the standard prints it.
    assert private.CSTAPrivateData.decode_all(b"\x05\x00") == ("_unknown", b"\x05\x00")


def test_trap_09_a_set_bit_suppresses_and_filter_bits_are_no_event_tags() -> None:
    # delivered is bit 3, established bit 5: 0001 0100.
    both(MonitorFilter, "30 04 80 02 02 14", {"callControl": "000101"})
    both(
        MonitorFilter,
        "30 18 80 01 00 86 01 00 87 01 00 88 01 00 89 01 00 83 01 00 85 01 00 84 01 00",
        {
            "private": "",
            "voiceUnit": "",
            "maintenance": "",
            "logicalDeviceFeature": "",
            "physicalDeviceFeature": "",
            "mediaAttachment": "",
            "callAssociated": "",
            "callControl": "",
        },
    )
    # Everything: an empty filter, or none.
    device = {"deviceIdentifier": ("dialingNumber", "101")}
    both(argument("monitorStart"), "30 09 30 05 80 03 31 30 31 A0 00", panasonic.monitor_argument(device))
    both(argument("monitorStart"), "30 07 30 05 80 03 31 30 31", {"monitorObject": ("deviceObject", device)})
    bits = {name: bit for bit, name in CallControlEventsBits.names.items()}
    tags = {part.name: min(part.type.accepts) & 0x1F for part in events.CallControlEvents.parts}
    assert (bits["delivered"], tags["delivered"]) == (3, 4)
    assert (bits["established"], tags["established"]) == (5, 7)
    assert set(bits) == set(tags)


def test_trap_10_events_provided_counts_as_the_event_choice_does() -> None:
    # delivered and established are bits 4 and 7 here: 0000 1001.
    both(
        common.NetworkCapability,
        "30 07 0A 01 01 03 02 00 09",
        {"networkType": "nonISDNPublic", "eventsProvided": "00001001"},
    )
    bits = next(part.type for part in common.NetworkCapability.parts if part.name == "eventsProvided").names
    renamed = {"callCleared": "allCleared", "networkCapabilitiesChanged": "networkCapabilitiesChange"}
    for part in events.CallControlEvents.parts:
        assert bits[min(part.type.accepts) & 0x1F] == renamed.get(part.name, part.name)


def test_trap_11_the_cross_reference_of_a_call_snapshot_is_tagged_that_of_a_device_not() -> None:
    reference = {"crossRefIDorSnapshotData": ("serviceCrossRefID", b"\x07")}
    both(result("snapshotDevice"), "30 03 04 01 07", reference)
    both(result("snapshotCall"), "30 03 80 01 07", reference)


def test_trap_12_io_cross_references_are_explicit_and_the_register_id_follows_implicit() -> None:
    both(IOCrossRefID, "A0 03 04 01 07", ("switchProvided", b"\x07"))
    both(IOCrossRefID, "A1 03 04 01 07", ("computerProvided", b"\x07"))
    both(
        argument("sendData"),
        "30 0C A0 03 04 01 07 80 01 09 04 02 41 42",
        {"ioCrossRefID": ("switchProvided", b"\x07"), "ioRegisterReqID": b"\x09", "ioData": b"AB"},
    )


def test_trap_13_a_device_is_a_sequence_whose_first_member_is_an_untagged_choice() -> None:
    both(DeviceID, "30 06 80 04 31 30 30 31", {"deviceIdentifier": ("dialingNumber", "1001")})
    both(DeviceID, "30 03 81 01 05", {"deviceIdentifier": ("deviceNumber", 5)})
    both(
        DeviceID,
        "30 0C 80 03 33 30 31 A0 05 16 03 35 35 35",
        {"deviceIdentifier": ("dialingNumber", "301"), "privateNumber": "555"},
    )
    # Newer firmware appends a NULL and an OCTET STRING; they come back where they were.
    value = DeviceID.decode_all(bytes.fromhex("30 0A 80 03 33 30 31 05 00 04 01 AB"))
    assert value == {"deviceIdentifier": ("dialingNumber", "301"), "_unknown": [b"\x05\x00", b"\x04\x01\xab"]}
    assert DeviceID.encode(value) == bytes.fromhex("30 0A 80 03 33 30 31 05 00 04 01 AB")


def test_trap_14_a_tag_that_stands_twice_is_told_by_its_place() -> None:
    type_ = result("getSwitchingFunctionCapabilities")
    head = "16 02 4B 58 16 01 50 03 02 05 A0 03 01 00 03 01 00 03 01 00 03 01 00 0A 01 00"
    value = {
        "switchingSubDomainName": "KX",
        "manufacturerName": "P",
        "profiles": "101",
        "deviceIDFormat": b"\x03\x01\x00",
        "swDomainFeatures": b"\x03\x01\x00",
        "swAppearanceAddressability": b"\x03\x01\x00",
        "swAppearanceTypes": b"\x03\x01\x00",
        "ignoreUnsupportedParameters": b"\x0a\x01\x00",
        "connectionView": "local",
        "maxLengthParameters": b"\x30\x00",
    }
    options, continued = bytes.fromhex("9C 02 06 40"), bytes.fromhex("BC 00")
    both(type_, f"30 1F {head} 0A 01 01 30 00", value)
    both(type_, f"30 23 {head} 9C 02 06 40 0A 01 01 30 00", value | {"callLinkageOptions": options})
    both(type_, f"30 21 {head} 0A 01 01 30 00 BC 00", value | {"maxLengthParametersContinued": continued})
    both(
        type_,
        f"30 28 {head} 9C 02 06 40 0A 01 01 30 00 BC 00 98 01 3C",
        value | {"callLinkageOptions": options, "maxLengthParametersContinued": continued, "systemStatusTimer": 60},
    )


def test_trap_15_security_errors_start_at_0_the_others_at_1_and_numbers_are_missing() -> None:
    both(causes.UniversalFailure, "A1 03 0A 01 00", ("security", "generic"))
    both(causes.UniversalFailure, "A1 03 0A 01 03", ("security", 3))
    both(causes.UniversalFailure, "A1 03 0A 01 04", ("security", "securityInfoViolated"))
    for group in ("A0", "A2", "A3", "A4", "A5"):
        _, error = causes.UniversalFailure.decode_all(bytes.fromhex(f"{group} 03 0A 01 01"))
        assert error == "generic"
        _, error = causes.UniversalFailure.decode_all(bytes.fromhex(f"{group} 03 0A 01 00"))
        assert error == 0
    both(causes.UniversalFailure, "A0 03 0A 01 28", ("operation", 40))
    both(causes.UniversalFailure, "A0 03 0A 01 29", ("operation", 41))
    both(causes.UniversalFailure, "A0 04 0A 02 00 C3", ("operation", "invalidDestinationDeviceObject"))


def test_trap_16_trailing_zero_bits_stay_and_status_filter_counts_otherwise_than_the_status() -> None:
    both(user_information.CSTAVersion, "03 03 00 08 00", "0000100000000000")
    both(
        user_information.ACSEUserInformationForCSTA,
        "A0 05 03 03 00 08 00",
        ("newDefinition", {"cSTAVersion": "0000100000000000"}),
    )
    both(StatusFilter, "03 03 07 04 00", "000001000")
    assert (StatusFilter.names[5], SystemStatus.names[8]) == ("partiallyDisabled", "partiallyDisabled")
    both(SystemStatus, "0A 01 08", "partiallyDisabled")
    both(SystemStatus, "0A 01 05", "overloadImminent")
    both(MonitorFilter, "30 05 80 03 06 10 00", {"callControl": "0001000000"})
    both(ConnectionID, CONNECTION_OCTETS, CONNECTION)
    assert DeliveredEvent.parts[0].type is ConnectionID
