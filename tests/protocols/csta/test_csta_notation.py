"""APDUs as JSON and back: the exact form, the octets again, and mistakes named by their path."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols import acse, ber
from protocols.asn1 import Type
from protocols.csta import apdus, operations
from protocols.csta.causes import UniversalFailure
from protocols.csta.notation import from_json, to_json
from protocols.csta.user_information import ACSEUserInformationForCSTA
from protocols.errors import LocalProtocolError, RemoteProtocolError

USER_INFORMATION = [
    {
        "direct-reference": "1.3.12.0.285.200",
        "encoding": {"single-ASN1-type": {"newDefinition": {"cSTAVersion": "0000100000000000"}}},
    }
]
EXTENSION = {"deviceIdentifier": {"dialingNumber": "301"}}

# octets, JSON; both ways
BOTH_WAYS: list[tuple[str, dict[str, Any]]] = [
    (
        "6023 80020780 A10706052B0C00815A BE14 2812 06072B0C00821D8148 A007 A005 0303000800",
        {
            "aarq": {
                "protocol-version": "1",
                "application-context-name": "1.3.12.0.218",
                "user-information": USER_INFORMATION,
            }
        },
    ),
    (
        "6014 8009 00 76657273696F6E33 A10706052B0C00815A",
        {
            "aarq": {
                "protocol-version": "".join(f"{octet:08b}" for octet in b"version3"),
                "application-context-name": "1.3.12.0.218",
            }
        },
    ),
    (
        "612F 80020780 A10706052B0C00815A A203020100 A305A103020101 BE14 2812 06072B0C00821D8148 A007 A005 0303000800",
        {
            "aare": {
                "protocol-version": "1",
                "application-context-name": "1.3.12.0.218",
                "result": 0,
                "result-source-diagnostic": {"acse-service-user": 1},
                "user-information": USER_INFORMATION,
            }
        },
    ),
    (
        "6014 A10706052B0C00815A BE09 2807 A003 0A0105 0500",
        {
            "aarq": {
                "application-context-name": "1.3.12.0.218",
                "user-information": [{"encoding": {"single-ASN1-type": {"_unknown": "0A0105"}}, "_unknown": ["0500"]}],
            }
        },
    ),
    (
        "6014 A10706052B0C00815A 8A020780 AC05 8003616263",
        {
            "aarq": {
                "application-context-name": "1.3.12.0.218",
                "sender-acse-requirements": "1",
                "calling-authentication-value": {"charstring": "abc"},
            }
        },
    ),
    ("6403800100", {"abrt": {"abort-source": 0}}),
    ("6406800101810102", {"abrt": {"abort-source": 1, "abort-diagnostic": "protocol-error"}}),
    ("6406800100810163", {"abrt": {"abort-source": 0, "abort-diagnostic": 99}}),
    ("6203800100", {"rlrq": {"reason": 0}}),
    ("6300", {"rlre": {}}),
    (
        "A10C 020101 020200D3 3003 0A0102",
        {"invoke": {"invokeId": 1, "opcode": 211, "argument": {"systemStatus": "normal"}}},
    ),
    ("A20B 020101 3006 020200D3 0500", {"returnResult": {"invokeId": 1, "opcode": 211, "result": {"noData": None}}}),
    ("A203 020105", {"returnResult": {"invokeId": 5}}),
    ("A208 020105 3003 020105", {"returnResult": {"invokeId": 5, "opcode": 5}}),
    (
        "A20D 020105 3006 02017B 8501AA 8500",
        {"returnResult": {"invokeId": 5, "opcode": 123, "result": {"_unknown": "8501AA"}, "_unknown": ["8500"]}},
    ),
    (
        "A30B 020105 020101 A0030A010C",
        {"returnError": {"invokeId": 5, "errcode": 1, "parameter": {"operation": "invalidDeviceID"}}},
    ),
    ("A30A 020105 020101 A7020500", {"returnError": {"invokeId": 5, "errcode": 1, "parameter": {"unspecified": None}}}),
    ("A306 020105 020101", {"returnError": {"invokeId": 5, "errcode": 1}}),
    ("A308 020105 020107 0500", {"returnError": {"invokeId": 5, "errcode": 7, "parameter": {"_unknown": "0500"}}}),
    ("A406 020101 810101", {"reject": {"invokeId": 1, "problem": {"invoke": 1}}}),
    ("A405 0500 800102", {"reject": {"invokeId": None, "problem": {"general": 2}}}),
    ("A406 020101 890101", {"reject": {"invokeId": 1, "problem": {"_unknown": "890101"}}}),
    ("A106 020101 02017B", {"invoke": {"invokeId": 1, "opcode": 123}}),
    ("A108 0500 02017B 0401AA", {"invoke": {"invokeId": None, "opcode": 123, "argument": {"_unknown": "0401AA"}}}),
    ("A109 020101 800102 02017B", {"invoke": {"invokeId": 1, "linkedId": 2, "opcode": 123}}),
    ("A108 020101 8100 02017B", {"invoke": {"invokeId": 1, "linkedId": None, "opcode": 123}}),
    ("A10A 020101 06052B0C00815A", {"invoke": {"invokeId": 1, "opcode": "1.3.12.0.218"}}),
    (
        "A11A 020101 02010A 3012 30058003333031 30098007 39313631323334",
        {
            "invoke": {
                "invokeId": 1,
                "opcode": 10,
                "argument": {
                    "callingDevice": EXTENSION,
                    "calledDirectoryNumber": {"deviceIdentifier": {"dialingNumber": "9161234"}},
                },
            }
        },
    ),
    (
        "A111 020102 020147 3009 30058003313031 A000",
        {
            "invoke": {
                "invokeId": 2,
                "opcode": 71,
                "argument": {
                    "monitorObject": {"deviceObject": {"deviceIdentifier": {"dialingNumber": "101"}}},
                    "requestedMonitorFilter": {},
                },
            }
        },
    ),
    (
        "A115 020101 020133 300D A40BA009A407A105A0030A0105",
        {
            "invoke": {
                "invokeId": 1,
                "opcode": 51,
                "argument": {
                    "privateData": {
                        "private": {
                            "systemData": {"getSystemData": {"deviceList": {"category": {"standardDevice": "station"}}}}
                        }
                    }
                },
            }
        },
    ),
    (
        "A149 020105 020115 3041 55020102 A03B A339 6B10300E 8003010203 A107 30058003333031 6307 30058003333031"
        "4E0100 0A017E 7E11 A00F 80 01 07 18 0A 32303236313132333132 8500 BF7F00",
        {
            "invoke": {
                "invokeId": 5,
                "opcode": 21,
                "argument": {
                    "crossRefIdentifier": "0102",
                    "eventSpecificInfo": {
                        "callControlEvents": {
                            "connectionCleared": {
                                "droppedConnection": {
                                    "both": {"callID": "010203", "deviceID": {"staticID": EXTENSION}}
                                },
                                "releasingDevice": {"deviceIdentifier": EXTENSION},
                                "localConnectionInfo": "null",
                                "cause": 126,
                                "extensions": {"security": {"messageSequenceNumber": 7, "timestamp": "2026112312"}},
                                "_unknown": ["8500", "BF7F00"],
                            }
                        }
                    },
                },
            }
        },
    ),
]


def sized(octets: str) -> bytes:
    return bytes.fromhex(octets)


@pytest.mark.parametrize(("octets", "value"), BOTH_WAYS, ids=range(len(BOTH_WAYS)))
def test_both_ways(octets: str, value: dict[str, Any]) -> None:
    assert apdus.decode(sized(octets)) == value
    assert apdus.encode(json.loads(json.dumps(value))) == sized(octets)


def test_what_is_tolerated_becomes_the_plain_form() -> None:
    """Indefinite lengths, a length that is longer than needed, a non-minimal integer."""
    plain = sized("A10C 020101 020200D3 3003 0A0102")
    for octets in (
        "A180 020101 020200D3 3080 0A0102 0000 0000",
        "A1810C 020101 020200D3 3003 0A0102",
        "A184 00000012 02020001 02030000D3 3084 00000003 0A0102",
    ):
        value = apdus.decode(sized(octets))
        assert value == apdus.decode(plain)
        assert apdus.encode(value) == plain


def test_unknown_elements_inside_a_result_keep_their_place() -> None:
    octets = sized("A20E 020105 3007 02017B 0500 8500 8600")
    value = apdus.decode(octets)
    assert value["returnResult"] == {
        "invokeId": 5,
        "opcode": 123,
        "result": {"_unknown": "0500"},
        "_unknownInResult": ["8500"],
        "_unknown": ["8600"],
    }
    assert apdus.encode(value) == octets


def test_an_external_that_is_not_what_its_reference_says_is_kept() -> None:
    octets = sized("601C A10706052B0C00815A BE11 280F 06072B0C00821D8148 A004 A0020500")
    value = apdus.decode(octets)
    (external,) = value["aarq"]["user-information"]
    assert external["encoding"] == {"single-ASN1-type": {"_unknown": "A0020500"}}
    assert apdus.encode(value) == octets


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("", "no octets"),
        ("30", "no APDU: tag 30"),
        ("A1", "cut short"),
        ("A100", "invokeId is missing"),
        ("A10A 0101FF 02017B", "cut short"),
        ("A106 0101FF 02017B", "invokeId: unexpected element 01 01 FF"),
        ("A106 020101 04017B", "opcode: unexpected element 04 01 7B"),
        ("A106 020101 02017B 00", "1 octets too many"),
        ("A108 020101 02010A 3000", "argument of makeCall 10: .*callingDevice is missing"),
        ("6000", "application-context-name is missing"),
    ],
)
def test_bad_octets(octets: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        apdus.decode(sized(octets))


MAKE_CALL = {"callingDevice": EXTENSION, "calledDirectoryNumber": EXTENSION}


def invoke(argument: Any, opcode: int = 10) -> dict[str, Any]:
    return {"invoke": {"invokeId": 1, "opcode": opcode, "argument": argument}}


BAD_JSON: list[tuple[Any, str]] = [
    (5, "takes an object with one of invoke, "),
    ({}, "takes an object with one of invoke, "),
    ({"invoke": {}, "reject": {}}, "takes an object with one of invoke, "),
    ({"error": "x"}, "no APDU 'error'"),
    ({"invoke": []}, r"invoke: takes an object, not \[\]"),
    ({"invoke": {"opcode": 10}}, "invoke: field 'invokeId' is missing"),
    ({"invoke": {"invokeId": 1}}, "invoke: field 'opcode' is missing"),
    ({"invoke": {"invokeId": True, "opcode": 10}}, "invoke.invokeId: takes a whole number, not True"),
    ({"invoke": {"invokeId": 1.0, "opcode": 10}}, "invoke.invokeId: takes a whole number, not 1.0"),
    ({"invoke": {"invokeId": 1 << 1100, "opcode": 10}}, "invoke.invokeId: a number of more than 128 octets"),
    ({"invoke": {"invokeId": 1, "opcode": "makeCall"}}, "invoke.opcode: .*OBJECT IDENTIFIER"),
    ({"invoke": {"invokeId": 1, "opcode": None}}, "invoke.opcode: takes a whole number"),
    ({"invoke": {"invokeId": 1, "opcode": 10, "linkedID": 1}}, "invoke: no field 'linkedID'"),
    ({"returnResult": {"invokeId": 1, "result": {}}}, "returnResult: field 'opcode' is missing"),
    ({"reject": {"invokeId": 1, "problem": {"other": 1}}}, "reject.problem: no alternative 'other'"),
    ({"reject": {"invokeId": 1, "problem": 1}}, "reject.problem: takes an object with an alternative"),
    (invoke({"callingDevice": EXTENSION}), "invoke.argument: field 'calledDirectoryNumber' is missing"),
    (invoke([]), r"invoke.argument: takes an object, not \[\]"),
    (invoke(MAKE_CALL | {"x": 1}), "invoke.argument: no field 'x'"),
    (
        invoke({"callingDevice": {"deviceIdentifier": {"x": 1}}}),
        "invoke.argument.callingDevice.deviceIdentifier: no alternative 'x'",
    ),
    (
        invoke({"callingDevice": {"deviceIdentifier": {"dialingNumber": 301}}}),
        "invoke.argument.callingDevice.deviceIdentifier.dialingNumber: takes a string, not 301",
    ),
    (
        invoke({"callingDevice": {"deviceIdentifier": {"dialingNumber": "\u0444"}}}),
        "invoke.argument.callingDevice.deviceIdentifier.dialingNumber: no single-octet characters",
    ),
    (
        invoke({"callingDevice": {"deviceIdentifier": {"other": "1"}}}),
        "invoke.argument.callingDevice.deviceIdentifier.other: takes a string of hex digits, not '1'",
    ),
    (
        invoke({"callingDevice": {"deviceIdentifier": {"_unknown": "8500FF"}}}),
        "invoke.argument.callingDevice.deviceIdentifier._unknown: takes the hex of one element",
    ),
    (invoke({"systemStatus": "fine"}, 211), "invoke.argument.systemStatus: takes a number or one of .*not 'fine'"),
    (invoke(MAKE_CALL | {"correlatorData": []}), "invoke.argument.correlatorData: takes a string of hex digits"),
    (invoke(MAKE_CALL | {"_unknown": 5}), "invoke.argument._unknown: takes a list of hex strings"),
    (invoke(MAKE_CALL | {"_unknown": ["85"]}), r"invoke.argument._unknown\[0\]: takes the hex of a whole element"),
    (invoke({"x": 1}, 123), "invoke.argument: no declared type"),
    (invoke({"_unknown": "zz"}, 123), "invoke.argument._unknown: takes a string of hex digits"),
    (invoke(MAKE_CALL | {"callCharacteristics": "012"}), "invoke.argument.callCharacteristics: .*0 and 1"),
    (
        {"aarq": {"application-context-name": "1.3.12.0.218", "user-information": {}}},
        "aarq.user-information: takes a list",
    ),
    (
        {
            "aarq": {
                "application-context-name": "1.3",
                "user-information": [{"encoding": {"single-ASN1-type": {"newDefinition": {}}}}],
            }
        },
        r"aarq.user-information\[0\].encoding.single-ASN1-type.newDefinition: field 'cSTAVersion' is missing",
    ),
    ({"aarq": {"application-context-name": "1"}}, "aarq.application-context-name: .*OBJECT IDENTIFIER"),
]


@pytest.mark.parametrize(("value", "words"), BAD_JSON, ids=range(len(BAD_JSON)))
def test_bad_json_is_named_by_its_path(value: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        apdus.encode(value)


def test_a_length_before_the_apdu_is_taken_off_only_where_it_fits() -> None:
    apdu = sized("A106 020101 02017B")
    assert apdus.unframed(b"\x00\x08" + apdu) == apdu
    assert apdus.unframed(apdu) == apdu
    assert apdus.unframed(b"\x00\x09" + apdu) == b"\x00\x09" + apdu
    assert apdus.unframed(b"\x00\x08") == b"\x00\x08"


# Every declared type

PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "BOOLEAN": st.booleans(),
    "INTEGER": st.integers(-(2**63), 2**63),
    "NULL": st.none(),
    "OCTET STRING": st.binary(max_size=6),
    "BIT STRING": st.text(alphabet="01", max_size=20),
    "IA5String": st.text(alphabet=st.characters(max_codepoint=255), max_size=6),
    "GraphicString": st.text(alphabet=st.characters(max_codepoint=255), max_size=6),
    "GeneralizedTime": st.just("20261123120000"),
    "OBJECT IDENTIFIER": st.sampled_from(["1.3.12.0.218", "2.999.1"]),
}
UNKNOWN = st.builds(ber.tlv, st.sampled_from([0xBF7F, 0x9F7E, 0xDF7D]), st.binary(max_size=5))


@functools.cache
def values(type_: Type) -> st.SearchStrategy[Any]:
    if type_.kind in PLAIN:
        return PLAIN[type_.kind]
    if type_.kind == "ENUMERATED":
        return st.one_of(st.sampled_from(sorted(type_.names.values())), st.integers(1000, 70000))
    if type_.kind == "ANY":
        return st.builds(ber.tlv, st.sampled_from(sorted(type_.accepts) or [0x04, 0x30]), st.binary(max_size=6))
    if type_.kind == "CHOICE":
        named = [st.tuples(st.just(part.name), values(part.type)) for part in type_.parts]
        return st.one_of(*named, st.tuples(st.just("_unknown"), UNKNOWN))
    if type_.inner is not None:
        return values(type_.inner) if type_.kind == "EXPLICIT" else st.lists(values(type_.inner), max_size=2)
    return st.fixed_dictionaries(
        {part.name: values(part.type) for part in type_.parts if not part.optional},
        optional={part.name: values(part.type) for part in type_.parts if part.optional}
        | {"_unknown": st.lists(UNKNOWN, min_size=1, max_size=2)},
    )


DECLARED = {f"{each.name} argument": each.argument for each in operations.DECLARED}
DECLARED |= {f"{each.name} result": each.result for each in operations.DECLARED}
DECLARED |= dict(acse.APDUS.values())
DECLARED |= {"universalFailure": UniversalFailure, "user information": ACSEUserInformationForCSTA}


@pytest.mark.parametrize("name", DECLARED)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_value_survives_its_json(name: str, data: st.DataObject) -> None:
    type_ = DECLARED[name]
    value = data.draw(values(type_))
    text = json.dumps(to_json(type_, value))
    assert from_json(type_, json.loads(text), name) == value


APDU_TAGS = sorted(apdus.APDUS)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([None, *APDU_TAGS]), st.sampled_from([10, 21, 51, 71, 211]))
def test_any_octets_are_an_apdu_or_a_typed_error(octets: bytes, tag: int | None, opcode: int) -> None:
    whole = octets if tag is None else ber.tlv(tag, octets)
    for attempt in (
        octets,
        whole,
        ber.tlv(0xA1, ber.tlv(2, b"\1") + ber.tlv(2, ber.integer_contents(opcode)) + octets),
    ):
        try:
            value = apdus.decode(attempt)
        except RemoteProtocolError:
            continue
        assert apdus.decode(apdus.encode(json.loads(json.dumps(value)))) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["invokeId", "opcode", "argument", "_unknown", "deviceIdentifier", "x"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*apdus.TYPES, "x"]), JSON)
def test_any_json_is_octets_or_a_typed_error(kind: str, value: Any) -> None:
    for attempt in (value, {kind: value}, invoke(value), invoke(value, 51)):
        try:
            octets = apdus.encode(attempt)
        except LocalProtocolError:
            continue
        assert octets[0] in apdus.APDUS


def test_deep_and_huge_input_is_an_answer_too() -> None:
    nested = b"\x05\x00"
    for _ in range(3000):
        nested = ber.tlv(0xA4, nested)
    octets = ber.tlv(0xA1, bytes.fromhex("020101020133") + nested)
    with pytest.raises(RemoteProtocolError):
        apdus.decode(octets)
    octets = ber.tlv(0xA1, bytes.fromhex("02010102017B") + nested)
    assert apdus.encode(apdus.decode(octets)) == octets
    unclosed = bytes.fromhex("A180020101020133") + b"\xa4\x80" * 20000
    with pytest.raises(RemoteProtocolError):
        apdus.decode(unclosed)
    closed = unclosed + b"\x00\x00" * 20001
    with pytest.raises(RemoteProtocolError):
        apdus.decode(closed)
