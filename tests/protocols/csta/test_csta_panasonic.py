"""Builders and readers for the Panasonic family, both directions."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.csta import operations, panasonic
from protocols.csta.causes import EventCause, UniversalFailure, retry_may_help
from protocols.csta.panasonic import DeviceSegment, ListedDevice

EXTENSION = panasonic.device_number("extension", 5)
TRUNK = panasonic.device_number("trunk", 3)


def test_device_numbers_hold_type_and_index() -> None:
    assert EXTENSION == {"deviceIdentifier": ("deviceNumber", 0x01110005)}
    for kind in panasonic.DEVICE_TYPES:
        assert panasonic.device_kind(panasonic.device_number(kind, 65535)) == (kind, 65535)
    assert panasonic.device_kind(panasonic.dialing_number("301")) is None
    assert panasonic.device_kind({"deviceIdentifier": ("deviceNumber", 0x01990002)}) == ("type-0x0199", 2)


@pytest.mark.parametrize(
    ("device", "text"),
    [
        (panasonic.dialing_number("301"), "301"),
        (TRUNK, "trunk 3"),
        ({"deviceIdentifier": ("other", b"74951234501")}, "74951234501"),
        ({"deviceIdentifier": ("explicitPublic", ("international", "7495"))}, "7495"),
        (("deviceIdentifier", panasonic.dialing_number("301")), "301"),
        (("numberdialed", TRUNK), "trunk 3"),
        (("notKnown", None), "notKnown"),
        (("_unknown", b"\x8f\x00"), "_unknown"),
        ({"deviceIdentifier": ("_unknown", b"\x8f\x00")}, "b'\\x8f\\x00'"),
    ],
)
def test_devices_in_words(device: Any, text: str) -> None:
    assert panasonic.device_text(device) == text


def test_connections() -> None:
    both = panasonic.connection_id(b"\x01\x02\x03", EXTENSION)
    assert panasonic.call_id(both) == b"\x01\x02\x03"
    assert panasonic.connection_device(both) == EXTENSION
    assert panasonic.call_id(("callID", b"\x01")) == b"\x01"
    assert panasonic.connection_device(("callID", b"\x01")) is None
    assert panasonic.call_id(("deviceID", ("staticID", TRUNK))) is None
    assert panasonic.connection_device(("deviceID", ("staticID", TRUNK))) == TRUNK
    assert panasonic.connection_device(("deviceID", ("dynamicID", b"\x01"))) is None


def test_monitoring_everything_of_a_device() -> None:
    octets = operations.by_name("monitorStart").argument.encode(
        panasonic.monitor_argument(panasonic.dialing_number("101"))
    )
    assert octets == bytes.fromhex("30 09 30 05 80 03 31 30 31 A0 00")


@pytest.mark.parametrize("category", panasonic.DEVICE_CATEGORIES)
def test_device_list_request(category: str) -> None:
    type_ = operations.by_name("escape").argument
    argument = panasonic.get_device_list(category)
    assert panasonic.device_list_request(type_.decode_all(type_.encode(argument))) == category
    assert panasonic.parse_device_segment(argument) is None


def test_device_list_acknowledgement() -> None:
    type_ = operations.by_name("escape").result
    octets = type_.encode(panasonic.device_list_ack(b"\x00\x01"))
    assert octets == bytes.fromhex("7E 0A A1 08 A4 06 A4 04 04 02 00 01")
    assert panasonic.device_list_cross_reference(type_.decode_all(octets)) == b"\x00\x01"
    others: list[Any] = [("noData", None), ("extensions", {}), None, ("extensions", {"privateData": []})]
    for other in others:
        assert panasonic.device_list_cross_reference(other) is None


def test_device_list_segment() -> None:
    type_ = operations.by_name("escape").argument
    devices = (ListedDevice(EXTENSION, "301", True), ListedDevice(TRUNK, None, False))
    octets = type_.encode(panasonic.device_segment(b"\x01", 1, True, devices))
    assert octets == bytes.fromhex(
        "30 3D A4 3B A3 39 30 37 A0 03 04 01 01 A1 03 02 01 01 A2 03 01 01 FF"
        "A3 26 30 24 BF 26 21 30 1F"
        "30 10 30 06 81 04 01 11 00 05 16 03 33 30 31 0A 01 00"
        "30 0B 30 06 81 04 01 31 00 03 0A 01 01"
    )
    parsed = panasonic.parse_device_segment(type_.decode_all(octets))
    assert parsed == DeviceSegment(b"\x01", 1, True, devices)


def test_device_list_entry_of_newer_firmware() -> None:
    """An INTEGER was seen at the end of an entry."""
    entry = {"deviceID": EXTENSION, "number": "301", "status": "ins", "_unknown": [b"\x02\x01\x07"]}
    argument = panasonic.device_segment(b"\x01", 1, False, [])
    argument["privateData"][1][1][1]["sysData"]["deviceList"] = [entry]
    type_ = operations.by_name("escape").argument
    parsed = panasonic.parse_device_segment(type_.decode_all(type_.encode(argument)))
    assert parsed == DeviceSegment(b"\x01", 1, False, (ListedDevice(EXTENSION, "301", True),))


def test_a_linked_reply_without_a_list_is_an_empty_segment() -> None:
    argument = panasonic.device_segment(b"\x01", 1, True, [])
    del argument["privateData"][1][1][1]["sysData"]
    assert panasonic.parse_device_segment(argument) == DeviceSegment(b"\x01", 1, True, ())


def test_other_escapes_are_none_of_these() -> None:
    argument = {"privateData": ("string", b"\x01")}
    assert panasonic.device_list_request(argument) is None
    assert panasonic.parse_device_segment(argument) is None


@pytest.mark.parametrize("count", [0, 1, 8, 9, 25])
def test_segments_fit_their_apdu(count: int) -> None:
    devices = [ListedDevice(panasonic.device_number("extension", 65535 - n), "12345678", True) for n in range(count)]
    cut = panasonic.segments(devices)
    assert [device for segment in cut for device in segment] == devices
    assert len(cut) == max(1, -(-count // 8))
    for number, segment in enumerate(cut):
        argument = panasonic.device_segment(b"\x00\x00\x00\x01", number + 1, True, segment)
        assert len(operations.by_name("escape").argument.encode(argument)) <= 240 - 12  # the ROSE envelope


def test_the_tables_use_only_declared_names() -> None:
    assert set(panasonic.FAILED_CAUSES) <= set(EventCause.names.values())
    assert set(panasonic.FAILED_FREES_CALLER) <= set(panasonic.FAILED_CAUSES)
    for category, names in panasonic.FAILURES.items():
        for name in names:
            UniversalFailure.encode((category, name))
    assert panasonic.CAUSE_NUMBERS["busy"] == 3
    assert panasonic.CAUSE_NUMBERS["resourcesNotAvailable"] == 30
    assert retry_may_help("systemResourceAvailability")
    assert not retry_may_help("operation")
