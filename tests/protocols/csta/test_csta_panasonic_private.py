"""Panasonic's private data: what is known of it by octets, and what is assumed of it read without harm."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.csta import events, operations, panasonic, private
from protocols.csta.panasonic import DigitsReport, OgmStart, OgmStatus, OgmStop, OtherPrivateEvent
from protocols.csta.private import CSTACommonArguments, KmeSpecificPrivateData

AT_301 = panasonic.dialing_number("301")
CONNECTION = panasonic.connection_id(b"\x00\x01", AT_301)
CONNECTION_HEX = "6B 0F 30 0D 80 02 00 01 A1 07 30 05 80 03 33 30 31"
ESCAPE = operations.by_name("escape").argument
HELD = events.CallControlEvents.parts[9].type


# Names of section 4.8, typed from it.
ITEMS = {
    0: "sysTimeStamp", 2: "featureList", 4: "trunkGroup", 5: "extensionGroup", 6: "pickupGroup", 7: "pagingGroup",
    8: "incomingGroup", 9: "dayNight", 10: "doorPhone", 11: "vmGroup", 12: "manufacturerName", 13: "subdomainName",
    14: "softwareVersion", 15: "ctiVersion", 16: "regionCode", 17: "systemTime", 18: "numberOfMsgPort", 19: "psGroup",
    20: "whoAmI", 21: "broadcastGroup", 22: "pbxType", 23: "externalSensor", 24: "svm", 25: "pdn",
}  # fmt: skip
ADDITIONAL = {
    1: "forwardType", 2: "trunkId", 3: "otherDevice", 4: "vmRecExtNo", 5: "deviceCategory", 6: "device",
    7: "featureNumber", 8: "proprietaryContents", 9: "holdType", 10: "conditionCode", 11: "lockDisplay",
    12: "forcedAlerting", 13: "callID", 14: "ogmContinuation", 15: "broadcastGroupNo", 16: "ringPattern", 17: "didNo",
    18: "confGroupNo",
}  # fmt: skip
PRIVATE_EVENTS = {
    1: "digitsReport", 2: "ogmStatus", 3: "wakeupResult", 4: "unconferenced", 5: "tamEnded", 6: "pcRecEnded",
    7: "callbackNotification", 8: "freeOgmPort", 9: "pdfStatus",
}  # fmt: skip
PARTS = {
    1: "callControl", 2: "deviceStatus", 3: "deviceMonitor", 4: "systemData", 5: "localAlarm", 6: "additionalData",
    7: "privateEvent", 8: "resourceControl", 9: "generic", 10: "extendedDataAccess", 11: "pdfControl", 12: "alterIf",
    13: "hotelControl",
}  # fmt: skip
SYSTEM_DATA = {
    0: "getSystemData", 1: "setSystemData", 2: "systemDataChanged", 3: "systemDataLinkedReply", 4: "systemDataPosAck",
    5: "systemDataLock", 6: "systemDataStatus", 7: "systemDataRevision", 8: "systemDataRevisionReply",
    9: "setProgrammingEventOn",
}  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "names"),
    [
        (private.AdditionalData, ADDITIONAL),
        (private.KmePrivateEvent, PRIVATE_EVENTS),
        (KmeSpecificPrivateData, PARTS),
        (private.SystemData, SYSTEM_DATA),
        (private.ResourceControl, {0: "ogmStart", 1: "ogmStop"}),
    ],
)
def test_names_and_tags(type_: Any, names: dict[int, str]) -> None:
    assert {max(part.type.accepts) & 0x1F: part.name for part in type_.parts} == names


def test_names_of_system_data() -> None:
    assert private.SystemDataItem.names == ITEMS


@pytest.mark.parametrize("number", ITEMS)
def test_asking_for_system_data(number: int) -> None:
    octets = bytes.fromhex(f"30 09 A4 07 A0 05 A0 03 0A 01 {number:02X}")
    assert ESCAPE.encode(panasonic.get_system_data(ITEMS[number])) == octets
    assert panasonic.system_data_request(ESCAPE.decode_all(octets)) == ITEMS[number]


def test_system_data_that_nobody_names() -> None:
    assert panasonic.system_data_request(ESCAPE.decode_all(bytes.fromhex("3009A407A005A0030A0163"))) == "99"
    assert panasonic.system_data_request(panasonic.get_device_list("station")) is None
    assert panasonic.parse_system_data(panasonic.get_device_list("station")) is None


def test_system_data_answered() -> None:
    values = {"manufacturerName": "Panasonic", "pbxType": bytes.fromhex("BF2E020500")}
    argument = panasonic.system_data_reply(b"\x09", values)
    octets = ESCAPE.encode(argument)
    assert octets == bytes.fromhex(
        "30 2B A4 29 A3 27 30 25 A0 03 04 01 09 A1 03 02 01 01 A2 03 01 01 FF"
        "A3 14 30 12 B3 0B 16 09 50 61 6E 61 73 6F 6E 69 63 BF 2E 02 05 00"
    )
    assert panasonic.parse_system_data(ESCAPE.decode_all(octets)) == values


# Additional data


def test_hold_type_in_held() -> None:
    octets = bytes.fromhex(f"A9 23 {CONNECTION_HEX} 63 02 87 00 0A 01 11 7E 09 A1 07 A6 05 A9 03 0A 01 02")
    held = HELD.decode_all(octets)
    assert panasonic.additional_members(held["extensions"]) == [("holdType", "exclusive")]
    assert held["extensions"] == panasonic.additional_data(("holdType", "exclusive"))
    assert HELD.encode(held) == octets


def test_several_members_each_in_its_own_private_data() -> None:
    extensions = panasonic.additional_data(("conditionCode", "tr"), ("callID", bytes.fromhex("AD 03 04 01 05")))
    octets = CSTACommonArguments.encode(extensions)
    assert octets == bytes.fromhex("7E 10 A1 0E A6 05 AA 03 0A 01 01 A6 05 AD 03 04 01 05")
    members = [("conditionCode", "tr"), ("callID", bytes.fromhex("AD 03 04 01 05"))]
    assert panasonic.additional_members(CSTACommonArguments.decode_all(octets)) == members


def test_members_in_a_sequence_are_read_too() -> None:
    octets = bytes.fromhex("7E 10 A1 0E A6 0C 30 0A A9 03 0A 01 00 AA 03 0A 01 05")
    members = panasonic.additional_members(CSTACommonArguments.decode_all(octets))
    assert members == [("holdType", "consultation"), ("conditionCode", "na")]
    octets = bytes.fromhex("7E 0C A1 0A A6 08 30 06 A9 00 AA 02 05 00")  # no holdType that could be read
    members = panasonic.additional_members(CSTACommonArguments.decode_all(octets))
    assert members == [("_unknown", bytes.fromhex("30 06 A9 00 AA 02 05 00"))]


@pytest.mark.parametrize(
    "extensions",
    [None, {}, {"privateData": []}, {"privateData": [("string", b"\x01")]}, ("noData", None), ("extensions", {})],
)
def test_no_additional_data(extensions: Any) -> None:
    assert panasonic.additional_members(extensions) == []


def test_additional_data_of_a_result() -> None:
    result = ("extensions", panasonic.additional_data(("holdType", "normal")))
    assert panasonic.additional_members(result) == [("holdType", "normal")]


def test_a_number_nobody_names_and_a_member_nobody_names() -> None:
    extensions = CSTACommonArguments.decode_all(bytes.fromhex("7E 10 A1 0E A6 05 A9 03 0A 01 63 A6 05 BF 21 02 05 00"))
    assert panasonic.additional_members(extensions) == [("holdType", 99), ("_unknown", bytes.fromhex("BF21020500"))]


# Recorded messages


@pytest.mark.parametrize(("ogm_id", "form"), [("5", "02 01 05"), ("05", "16 02 30 35"), ("A", "16 01 41")])
def test_starting_a_message(ogm_id: str, form: str) -> None:
    octets = ESCAPE.encode(panasonic.ogm_start(CONNECTION, ogm_id))
    inner = bytes.fromhex(f"{CONNECTION_HEX} {form}")
    assert octets == _around(inner)
    assert panasonic.parse_ogm_request(ESCAPE.decode_all(octets)) == OgmStart(CONNECTION, ogm_id)


def _around(inner: bytes) -> bytes:
    """SEQUENCE in ogmStart [0] in resourceControl [8] in the argument."""
    for tag in (0x30, 0xA0, 0xA8, 0x30):
        inner = bytes((tag, len(inner))) + inner
    return inner


def test_ending_a_message() -> None:
    octets = bytes.fromhex(f"30 17 A8 15 A1 13 30 11 {CONNECTION_HEX}")
    assert ESCAPE.encode(panasonic.ogm_stop(CONNECTION)) == octets
    assert panasonic.parse_ogm_request(ESCAPE.decode_all(octets)) == OgmStop(CONNECTION)


def test_other_escapes_ask_nothing_of_the_message_card() -> None:
    assert panasonic.parse_ogm_request(panasonic.get_device_list("station")) is None
    assert panasonic.parse_ogm_request({"privateData": ("string", b"\x01")}) is None
    odd = ESCAPE.decode_all(bytes.fromhex("30 06 A8 04 A0 02 05 00"))  # ogmStart of another shape
    assert panasonic.parse_ogm_request(odd) is None
    odd = ESCAPE.decode_all(bytes.fromhex("30 06 A8 04 A1 02 05 00"))
    assert panasonic.parse_ogm_request(odd) is None


# Private events


def sent(event: tuple[str, Any]) -> Any:
    """The body as it arrives in an event report."""
    octets = events.EventSpecificInfo.encode(event)
    group, (name, body) = events.EventSpecificInfo.decode_all(octets)
    assert (group, name) == ("vendorSpecEvents", "privateEvent")
    return body


def test_keys_pressed() -> None:
    event = panasonic.digits_report(CONNECTION, "12#")
    octets = f"A7 1E A0 1C A7 1A A1 18 30 16 {CONNECTION_HEX} 16 03 31 32 23"
    assert events.EventSpecificInfo.encode(event) == bytes.fromhex(octets)
    assert panasonic.parse_private_event(sent(event)) == DigitsReport(CONNECTION, "12#")


@pytest.mark.parametrize(("digits", "text"), [("04 02 31 32", "12"), ("02 01 05", "5")])
def test_keys_in_another_type(digits: str, text: str) -> None:
    inner = bytes.fromhex(f"{CONNECTION_HEX} {digits}")
    element = bytes((0xA1, len(inner) + 2, 0x30, len(inner))) + inner
    body = {"privateData": ("private", ("privateEvent", ("digitsReport", element)))}
    assert panasonic.parse_private_event(body) == DigitsReport(CONNECTION, text)


@pytest.mark.parametrize("inner", [f"{CONNECTION_HEX} 81 01 31", "05 00 16 01 31", CONNECTION_HEX])
def test_keys_of_another_shape_are_told_with_their_octets(inner: str) -> None:
    contents = bytes.fromhex(inner)
    element = bytes((0xA1, len(contents) + 2, 0x30, len(contents))) + contents
    body = {"privateData": ("private", ("privateEvent", ("digitsReport", element)))}
    assert panasonic.parse_private_event(body) == OtherPrivateEvent("digitsReport", element)


@pytest.mark.parametrize("state", ["started", "ended"])
def test_a_message_started_or_ended(state: str) -> None:
    event = panasonic.ogm_status(CONNECTION, state, "5", "2")
    assert panasonic.parse_private_event(sent(event)) == OgmStatus(CONNECTION, state, "5", "2")
    event = panasonic.ogm_status(CONNECTION, state, "5")
    assert panasonic.parse_private_event(sent(event)) == OgmStatus(CONNECTION, state, "5", "")


def test_a_message_ended_by_octets() -> None:
    octets = bytes.fromhex(f"A7 26 A0 24 A7 22 A2 20 30 1E {CONNECTION_HEX} 0A 01 01 02 01 05 30 05 80 03 33 30 32")
    body = events.EventSpecificInfo.decode_all(octets)[1][1]
    assert panasonic.parse_private_event(body) == OgmStatus(CONNECTION, "ended", "5", "302")


@pytest.mark.parametrize("number", PRIVATE_EVENTS)
def test_private_events_of_any_other_shape_are_told_with_their_octets(number: int) -> None:
    element = bytes((0xA0 | number, 4, 0xA0, 2, 5, 0))
    event = events.EventSpecificInfo.decode_all(bytes((0xA7, 10, 0xA0, 8, 0xA7, 6)) + element)
    assert panasonic.parse_private_event(event[1][1]) == OtherPrivateEvent(PRIVATE_EVENTS[number], element)
    assert events.EventSpecificInfo.encode(event) == bytes((0xA7, 10, 0xA0, 8, 0xA7, 6)) + element


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"privateData": ("string", b"\x01")}, None),
        ({"privateData": ("private", ("systemData", ("systemDataPosAck", b"\x01")))}, None),
        (
            {"privateData": ("private", ("privateEvent", ("_unknown", b"\xaf\x00")))},
            OtherPrivateEvent("_unknown", b"\xaf\x00"),
        ),
    ],
)
def test_what_is_no_event_of_panasonics(body: dict[str, Any], told: OtherPrivateEvent | None) -> None:
    assert panasonic.parse_private_event(body) == told


def test_only_what_no_source_tells_is_assumed() -> None:
    """Everything in ASSUMED is kept whole by the declarations, so a wrong guess can't make a message unreadable."""
    whole = [*private.KmePrivateEvent.parts, *private.ResourceControl.parts]
    kinds = {part.name: part.type.kind for part in whole}
    for name, type_ in panasonic.ASSUMED.items():
        assert kinds[name] == "ANY"
        part = next(part for part in whole if part.name == name)
        assert type_.accepts <= part.type.accepts
