"""The declared layout and the struct path are one format."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.rtp.packets import RTPPacket, decode, decode_declared, encode

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
PACKETS = st.builds(
    RTPPacket,
    payload_type=st.integers(0, 127),
    sequence=U16,
    timestamp=U32,
    ssrc=U32,
    payload=st.binary(max_size=400),
    marker=st.booleans(),
    csrcs=st.lists(U32, max_size=15).map(tuple),
    extension=st.none() | st.tuples(U16, st.lists(U32, max_size=4).map(tuple)),
)


def test_a_whole_packet_octet_by_octet() -> None:
    packet = RTPPacket(8, 0x1234, 0x56789ABC, 0xDEADBEEF, b"\xd5\x55", True, (7,), (0xBEDE, (1,)))
    octets = bytes.fromhex("91 88 1234 56789abc deadbeef 00000007 bede 0001 00000001 d555")
    assert encode(packet) == octets
    assert decode(octets) == packet


@settings(max_examples=60, deadline=None)
@given(PACKETS)
def test_round_trip(packet: RTPPacket) -> None:
    assert decode(encode(packet)) == packet


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 127), U16, U32, U32, st.binary(max_size=200), st.booleans())
def test_the_plain_path_equals_the_declaration(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool
) -> None:
    packet = RTPPacket(payload_type, sequence, timestamp, ssrc, payload, marker)
    assert decode(encode(packet)) == decode_declared(encode(packet)) == packet


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda rest: b"\xb2" + rest))
def test_any_octets_are_a_packet_or_the_peers_fault(octets: bytes) -> None:
    try:
        found = decode(octets)
    except RemoteProtocolError:
        return
    assert len(found.payload) <= len(octets) - 12


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "ends inside"),
        (b"\x80" * 11, "ends inside"),
        (b"\x81" + bytes(11), "ends inside"),  # a contributing source is announced, none is there
        (b"\x40" + bytes(11), "version 1"),
        (b"\xa0" + bytes(11), "padding of 0"),
        (b"\xa0" + bytes(11) + b"\x00\x03", "padding of 3"),
    ],
)
def test_refused_with_its_reason(octets: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        decode(octets)


def test_padding_is_no_payload() -> None:
    assert decode(b"\xa0\x08" + bytes(10) + b"ab\x00\x02").payload == b"ab"


def test_what_does_not_fit_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError):
        encode(RTPPacket(8, 0x1_0000, 0, 0, b""))
