"""Declared types: octets both ways, tolerance of what is not declared, and mistakes on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from protocols import asn1
from protocols.asn1 import alternative, choice, explicit, implicit, may, must, raw, sequence, sequence_of
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

Colour = asn1.enumerated("Colour", "0 red 1 green 200 blue")
Untagged = choice("Untagged", alternative("number", asn1.INTEGER), alternative("text", implicit(0, asn1.IA5_STRING)))
Tagged = asn1.application_explicit(11, Untagged, "Tagged")
Inner = sequence("Inner", must("first", asn1.INTEGER), may("second", asn1.INTEGER))
Outer = sequence(
    "Outer",
    must("choice", Untagged),
    may("flag", asn1.BOOLEAN),
    may("late", implicit(3, asn1.OCTET_STRING)),
    may("early", implicit(2, asn1.OCTET_STRING)),
    may("inner", Inner),
    may("colour", implicit(38, Colour)),
    may("undeclared", raw(5)),
    may("items", explicit(6, sequence_of(Inner))),
)
Due = sequence("Due", may("before", asn1.BOOLEAN), must("choice", Untagged), may("after", Inner))

# type, value, octets: written so, and read back
BOTH_WAYS: list[tuple[asn1.Type, Any, str]] = [
    (asn1.BOOLEAN, True, "0101FF"),
    (asn1.BOOLEAN, False, "010100"),
    (asn1.INTEGER, 211, "020200D3"),
    (asn1.NULL, None, "0500"),
    (asn1.OCTET_STRING, b"\x01\x02", "04020102"),
    (asn1.IA5_STRING, "301", "1603333031"),
    (asn1.IA5_STRING, "caf\xe9", "1604636166E9"),
    (asn1.GENERALIZED_TIME, "20261123", "18083230323631313233"),
    (asn1.BIT_STRING, "0000100000000000", "0303000800"),
    (asn1.OBJECT_IDENTIFIER, "1.3.12.0.218", "06052B0C00815A"),
    (Colour, "green", "0A0101"),
    (Colour, "blue", "0A0200C8"),
    (Colour, 7, "0A0107"),
    (Untagged, ("number", 5), "020105"),
    (Untagged, ("text", "5"), "800135"),
    (Untagged, ("_unknown", bytes.fromhex("8F00")), "8F00"),
    (Tagged, ("text", "5"), "6B03800135"),
    (Tagged, ("_unknown", bytes.fromhex("8F00")), "6B028F00"),
    (implicit(0, Tagged), ("text", "5"), "A003800135"),  # replaces the outer tag only
    (implicit(6, asn1.application_explicit(29, asn1.OCTET_STRING)), b"\x02", "A603040102"),
    (explicit(0, asn1.OCTET_STRING), b"\x02", "A003040102"),
    (implicit(38, asn1.INTEGER), 1, "9F260101"),
    (raw(5), bytes.fromhex("A5020500"), "A5020500"),
    (asn1.ANY, bytes.fromhex("A5020500"), "A5020500"),
    (sequence_of(asn1.INTEGER), [], "3000"),
    (sequence_of(asn1.INTEGER), [1, 2], "3006020101020102"),
    (Inner, {"first": 1}, "3003020101"),
    (Inner, {"first": 1, "second": 2}, "3006020101020102"),
    (Inner, {"first": 1, "_unknown": [b"\x85\x00"]}, "30050201018500"),
    (Outer, {"choice": ("number", 1), "late": b"a", "early": b"b"}, "3009020101830161820162"),
    (Outer, {"choice": ("text", ""), "flag": True, "inner": {"first": 3}}, "300A8000" + "0101FF" + "3003020103"),
    (Outer, {"choice": ("number", 1), "colour": "blue"}, "30080201019F260200C8"),
    (Outer, {"choice": ("number", 1), "undeclared": b"\x85\x01\x07"}, "3006020101850107"),
    (Outer, {"choice": ("number", 1), "items": [{"first": 1}]}, "300C020101" + "A607" + "3005" + "3003020101"),
    (Due, {"choice": ("_unknown", b"\x8f\x00")}, "30028F00"),
    (Due, {"choice": ("_unknown", b"\x8f\x00"), "after": {"first": 1}}, "30078F003003020101"),
]


@pytest.mark.parametrize(("type_", "value", "octets"), BOTH_WAYS)
def test_both_ways_whole_octet_by_octet_and_with_more_behind(type_: asn1.Type, value: Any, octets: str) -> None:
    whole = bytes.fromhex(octets)
    assert type_.encode(value) == whole
    assert type_.decode_all(whole) == value
    assert type_.decode(whole + b"\x00\xff") == (value, len(whole))
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            type_.decode(whole[:short])
        with pytest.raises(RemoteProtocolError):
            type_.decode_all(whole[:short])
    with pytest.raises(RemoteProtocolError):
        type_.decode_all(whole + b"\x00")


# what is read, but not written so
READ_ONLY: list[tuple[asn1.Type, str, Any]] = [
    (asn1.BOOLEAN, "010101", True),
    (asn1.INTEGER, "02030000D3", 211),
    (Colour, "0A020001", "green"),
    (asn1.OCTET_STRING, "2480040101" + "040102" + "0000", b"\x01\x02"),
    (implicit(0, asn1.IA5_STRING), "A0061601331601" + "30", "30"),
    (Inner, "3080" + "020101" + "0000", {"first": 1}),
    (Inner, "308105" + "020101" + "8500", {"first": 1, "_unknown": [b"\x85\x00"]}),
    (Tagged, "6B80" + "800135" + "0000", ("text", "5")),
    # unknown between known ones
    (Inner, "30088500" + "020101" + "020102", {"first": 1, "second": 2, "_unknown": [b"\x85\x00"]}),
    # an unknown element of indefinite length is kept with its end
    (Inner, "3007020101A5800000", {"first": 1, "_unknown": [b"\xa5\x80\x00\x00"]}),
    # a field that comes too late is no longer that field
    (Outer, "3009020101820162830161", {"choice": ("number", 1), "early": b"b", "_unknown": [b"\x83\x01a"]}),
]


@pytest.mark.parametrize(("type_", "octets", "value"), READ_ONLY)
def test_tolerated_forms(type_: asn1.Type, octets: str, value: Any) -> None:
    decoded = type_.decode_all(bytes.fromhex(octets))
    assert decoded == value
    assert type_.decode_all(type_.encode(decoded)) == value


REFUSED: list[tuple[asn1.Type, str, str]] = [
    (asn1.BOOLEAN, "01020000", "2 octets"),
    (asn1.NULL, "050100", "1 octets"),
    (asn1.INTEGER, "0200", "0 octets"),
    (asn1.INTEGER, "0401AA", "unexpected tag 04"),
    (Inner, "3000", "first is missing"),
    (Inner, "3003020201", "runs past the end"),
    (Inner, "3003800135", "first is missing"),
    (Tagged, "6B00", "runs past the end"),
    (Tagged, "6B06800135800135", "more than one element"),
    (explicit(0, asn1.INTEGER), "A003040102", "unexpected tag 04"),
    (sequence_of(asn1.INTEGER), "3003040101", "unexpected tag 04"),
    (Outer, "3009020101" + "3004" + "04020000", "Outer.inner: Inner: first is missing"),
]


@pytest.mark.parametrize(("type_", "octets", "why"), REFUSED)
def test_what_is_refused_says_why(type_: asn1.Type, octets: str, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        type_.decode_all(bytes.fromhex(octets))


NOT_WRITTEN: list[tuple[asn1.Type, Any, str]] = [
    (asn1.BOOLEAN, 1, "takes bool"),
    (asn1.INTEGER, True, "takes int"),
    (asn1.INTEGER, "1", "takes int"),
    (asn1.NULL, 0, "takes None"),
    (asn1.OCTET_STRING, "text", "takes bytes"),
    (asn1.IA5_STRING, "\u0444", "single-octet"),
    (asn1.BIT_STRING, "012", "0 and 1"),
    (asn1.ANY, "05", "whole element"),
    (Colour, "pink", "no 'pink'"),
    (Untagged, ("nothing", 1), "Untagged takes"),
    (Untagged, 5, "Untagged takes"),
    (sequence_of(asn1.INTEGER), {}, "takes a list"),
    (Inner, [], "takes a dict"),
    (Inner, {}, "first is missing"),
    (Inner, {"first": 1, "frist": 2}, "has no frist"),
    (Outer, {"choice": ("number", 1), "inner": {"first": "x"}}, "Outer.inner: Inner.first: INTEGER takes int"),
]


@pytest.mark.parametrize(("type_", "value", "why"), NOT_WRITTEN)
def test_mistakes_of_ours_name_the_field(type_: asn1.Type, value: Any, why: str) -> None:
    with pytest.raises(LocalProtocolError, match=why):
        type_.encode(value)


def test_an_untagged_choice_cannot_be_implicit() -> None:
    with pytest.raises(TypeError, match="EXPLICIT"):
        implicit(0, Untagged)


@pytest.mark.parametrize("table", ["0 red 0 green", "0 red 1 red", "0 red 1"])
def test_a_table_with_a_slip_does_not_compile(table: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        asn1.numbered(table)


Wrapped = explicit(1, Untagged, name="Wrapped")
Everything = sequence(
    "Everything",
    must("wrapped", Wrapped),
    may("text", explicit(2, asn1.IA5_STRING)),
    may("either", choice("", alternative("a", implicit(3, asn1.OCTET_STRING)), alternative("b", implicit(4, Inner)))),
    may("colours", sequence_of(Colour)),
    may("high", implicit(40, asn1.IA5_STRING)),
)
LONG = "x" * 300


@pytest.mark.parametrize(
    "value",
    [
        {"wrapped": ("text", LONG), "text": LONG, "either": ("a", b"y" * 200), "high": LONG},
        {"wrapped": ("text", "x" * 125), "text": "x" * 124, "either": ("a", b"y" * 127), "high": "x" * 127},
        {"wrapped": ("text", "x" * 126), "text": "x" * 125, "either": ("a", b"y" * 128), "high": "x" * 128},
        {"wrapped": ("text", "x" * 128), "text": "x" * 128, "either": ("b", {"first": -1, "second": 2**64})},
        {"wrapped": ("_unknown", b"\x8f\x00"), "colours": ["red"] * 100},
    ],
)
def test_short_and_long_lengths_read_alike(value: dict[str, Any]) -> None:
    assert Everything.decode_all(Everything.encode(value)) == value


def test_strings_in_pieces_where_a_tag_wraps_them() -> None:
    octets = "3015" + "A105" + "A003" + "160131" + "A207" + "3605" + "160132" + "1600" + "A303" + "040141"
    assert Everything.decode_all(bytes.fromhex(octets)) == {
        "wrapped": ("text", "1"),
        "text": "2",
        "either": ("a", b"A"),
    }


def test_the_order_of_a_dict_is_no_matter() -> None:
    value = {"choice": ("number", 1), "flag": True, "late": b"a", "early": b"b", "_unknown": [b"\x8f\x00"]}
    backwards = dict(reversed(value.items()))
    assert Outer.encode(backwards) == Outer.encode(value) == bytes.fromhex("300E0201010101FF8301618201628F00")
    with pytest.raises(LocalProtocolError, match="Outer has no x, y"):
        Outer.encode(backwards | {"y": 1, "x": 2})


def test_what_is_not_declared_can_be_asked_for() -> None:
    value = {
        "wrapped": ("_unknown", b"\x8f\x00"),
        "either": ("b", {"first": 1, "_unknown": [b"\x85\x00", b"\xbf\x7f\x00"]}),
        "colours": ["red", 7, 200000],
        "_unknown": [b"\x05\x00"],
    }
    assert asn1.unknown_parts(Everything, value) == [
        ("wrapped: element 8F", b"\x8f\x00"),
        ("either.b: element 85", b"\x85\x00"),
        ("either.b: element BF7F", b"\xbf\x7f\x00"),
        ("colours: number 7", b"\x07"),
        ("colours: number 200000", b"\x03\x0d\x40"),
        (": element 05", b"\x05\x00"),
    ]
    assert asn1.unknown_parts(Everything, {"wrapped": ("text", "1"), "colours": ["red"]}) == []
    assert asn1.unknown_parts(asn1.ANY, b"\x05\x00") == []
