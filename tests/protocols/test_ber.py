"""Octets of X.690: known values both ways, whole, octet by octet and with more behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import ber
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

INTEGERS = [
    (0, "00"),
    (1, "01"),
    (-1, "FF"),
    (127, "7F"),
    (128, "0080"),
    (211, "00D3"),
    (255, "00FF"),
    (256, "0100"),
    (-128, "80"),
    (-129, "FF7F"),
    (32767, "7FFF"),
    (0x01110001, "01110001"),
    (-(2**31), "80000000"),
]


@pytest.mark.parametrize(("value", "octets"), INTEGERS)
def test_integer_both_ways(value: int, octets: str) -> None:
    contents = bytes.fromhex(octets)
    assert ber.integer_contents(value) == contents
    assert ber.read_integer(contents, 0, len(contents)) == value


@pytest.mark.parametrize(("octets", "value"), [("0000D3", 211), ("FFFF80", -128), ("00000001", 1)])
def test_integers_longer_than_needed_are_read(octets: str, value: int) -> None:
    contents = bytes.fromhex(octets)
    assert ber.read_integer(contents, 0, len(contents)) == value


@pytest.mark.parametrize("size", [0, ber.MAX_INTEGER_OCTETS + 1])
def test_integer_of_an_impossible_size(size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        ber.read_integer(bytes(size), 0, size)


BITS = [
    ("", "00"),
    ("1", "0780"),
    ("0", "0700"),
    ("00001", "0308"),
    ("0" * 16, "000000"),
    ("0000100000000000", "000800"),
]


@pytest.mark.parametrize(("bits", "octets"), BITS)
def test_bits_both_ways_keep_trailing_zeros(bits: str, octets: str) -> None:
    contents = bytes.fromhex(octets)
    assert ber.bits_contents(bits) == contents
    assert ber.read_bits(contents, ber.BIT_STRING, 0, len(contents)) == bits


@pytest.mark.parametrize("octets", ["", "0800", "01", "FF00"])
def test_bits_with_a_wrong_first_octet(octets: str) -> None:
    contents = bytes.fromhex(octets)
    with pytest.raises(RemoteProtocolError):
        ber.read_bits(contents, ber.BIT_STRING, 0, len(contents))


OBJECT_IDENTIFIERS = [
    ("1.3.12.0.218", "2B0C00815A"),
    ("1.3.12.0.285.200", "2B0C00821D8148"),
    ("0.0", "00"),
    ("2.999", "8837"),
    ("1.39.1", "4F01"),
]


@pytest.mark.parametrize(("dotted", "octets"), OBJECT_IDENTIFIERS)
def test_object_identifier_both_ways(dotted: str, octets: str) -> None:
    contents = bytes.fromhex(octets)
    assert ber.object_identifier_contents(dotted) == contents
    assert ber.read_object_identifier(contents, 0, len(contents)) == dotted


@pytest.mark.parametrize("octets", ["", "2B81", "80" * 200])
def test_object_identifier_that_is_none(octets: str) -> None:
    contents = bytes.fromhex(octets)
    with pytest.raises(RemoteProtocolError):
        ber.read_object_identifier(contents, 0, len(contents))


@pytest.mark.parametrize("dotted", ["", "1", "3.1", "1.40", "1.2.x", "1.2.-3"])
def test_object_identifier_that_cannot_be_written(dotted: str) -> None:
    with pytest.raises(LocalProtocolError):
        ber.object_identifier_contents(dotted)


IDENTIFIERS = [
    ((ber.UNIVERSAL, 16, True), "30"),
    ((ber.CONTEXT, 0, False), "80"),
    ((ber.CONTEXT, 30, True), "BE"),
    ((ber.CONTEXT, 31, True), "BF1F"),
    ((ber.CONTEXT, 38, True), "BF26"),
    ((ber.CONTEXT, 127, False), "9F7F"),
    ((ber.CONTEXT, 128, False), "9F8100"),
    ((ber.APPLICATION, 30, True), "7E"),
    ((ber.PRIVATE, 2097151, True), "FFFFFF7F"),
]


@pytest.mark.parametrize(("tag", "octets"), IDENTIFIERS)
def test_identifier_both_ways(tag: tuple[int, int, bool], octets: str) -> None:
    tag_class, number, constructed = tag
    identifier = ber.identifier(tag_class, number, constructed=constructed)
    assert ber.identifier_octets(identifier) == bytes.fromhex(octets)
    assert ber.is_constructed(identifier) is constructed
    element = bytes.fromhex(octets) + b"\x00"
    assert ber.element(element, 0, len(element))[0] == identifier


# identifier, contents, the element; written forms first
ELEMENTS = [
    (0x05, "", "0500"),
    (0x04, "AB" * 127, "047F" + "AB" * 127),
    (0x04, "AB" * 128, "048180" + "AB" * 128),
    (0x04, "AB" * 255, "0481FF" + "AB" * 255),
    (0x04, "AB" * 256, "04820100" + "AB" * 256),
    (0xBF26, "3000", "BF26023000"),
]
# forms that are read only
READ_ONLY = [
    (0x04, "ABCD", "048102ABCD"),
    (0x04, "ABCD", "0484" + "00000002" + "ABCD"),
    (0x30, "0500", "308005000000"),
    (0x30, "30800500" + "0000", "3080" + "308005000000" + "0000"),
    (0x30, "040200000500", "3080" + "04020000" + "0500" + "0000"),
]


@pytest.mark.parametrize(("tag", "contents", "octets"), ELEMENTS)
def test_element_written(tag: int, contents: str, octets: str) -> None:
    assert ber.tlv(tag, bytes.fromhex(contents)) == bytes.fromhex(octets)


@pytest.mark.parametrize(("tag", "contents", "octets"), ELEMENTS + READ_ONLY)
def test_element_read_whole_octet_by_octet_and_with_more_behind(tag: int, contents: str, octets: str) -> None:
    whole = bytes.fromhex(octets)
    for behind in (b"", b"\x00", b"\x30\x80\xff"):
        found, start, stop, after = ber.element(whole + behind, 0, len(whole + behind))
        assert (found, (whole + behind)[start:stop], after) == (tag, bytes.fromhex(contents), len(whole))
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            ber.element(whole[:short], 0, short)


MALFORMED = {
    "0480AB0000": "indefinite length on a primitive",
    "04FF": "reserved length octet (X.690 8.1.3.5)",
    "0489" + "00" * 9: "length of nine octets",
    "1F8181818101": "tag number without end",
}


@pytest.mark.parametrize("octets", MALFORMED, ids=MALFORMED.values())
def test_malformed_headers(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        ber.element(bytes.fromhex(octets), 0, len(octets) // 2)


PIECES = [("0402ABCD", "ABCD"), ("0401AB0401CD", "ABCD"), ("24060401AB0401CD0401EF", "ABCDEF"), ("", "")]


@pytest.mark.parametrize(("octets", "joined"), PIECES)
def test_strings_in_pieces_are_joined(octets: str, joined: str) -> None:
    contents = bytes.fromhex(octets)
    assert ber.read_string(contents, 0x24, 0, len(contents)) == bytes.fromhex(joined)


def test_bits_in_pieces_are_joined() -> None:
    contents = bytes.fromhex("030200F0 03020480")
    assert ber.read_bits(contents, 0x23, 0, len(contents)) == "111100001000"


def test_pieces_without_end_are_refused() -> None:
    octets = b""
    for _ in range(50):
        octets = ber.tlv(0x24, octets)
    with pytest.raises(RemoteProtocolError):
        ber.read_string(octets, 0x24, 0, len(octets))


def test_deep_indefinite_nesting_needs_no_recursion() -> None:
    depth = 5000
    octets = b"\x30\x80" * depth + b"\x00\x00" * depth
    assert ber.element(octets, 0, len(octets))[3] == len(octets)


@given(st.integers(-(2**200), 2**200))
def test_any_integer_survives(value: int) -> None:
    contents = ber.integer_contents(value)
    assert ber.read_integer(contents, 0, len(contents)) == value


@given(st.text(alphabet="01", max_size=200))
def test_any_bits_survive(bits: str) -> None:
    contents = ber.bits_contents(bits)
    assert ber.read_bits(contents, ber.BIT_STRING, 0, len(contents)) == bits


@given(st.binary(max_size=64))
def test_any_octets_are_an_element_or_short_or_malformed(octets: bytes) -> None:
    try:
        tag, start, stop, after = ber.element(octets, 0, len(octets))
    except (NeedMoreData, RemoteProtocolError):
        return
    assert 0 <= start <= stop <= after <= len(octets)
    assert octets.startswith(ber.identifier_octets(tag))
