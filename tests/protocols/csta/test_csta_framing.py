"""Frames of two length octets, and the ABRT that comes without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.csta.framing import FrameReader, frame
from protocols.errors import RemoteProtocolError

BARE = bytes.fromhex("6403800100")

# a stream, and the APDUs in it
STREAMS = [
    ("0003A20100", ["A20100"]),
    ("0001A1" + "0002A200", ["A1", "A200"]),
    ("6403800100", ["6403800100"]),
    ("0001A1" + "6403800100", ["A1", "6403800100"]),
    ("00056403800100", ["6403800100"]),
    ("0003800100", ["800100"]),
    ("64058001008100" + "0001A1", ["64058001008100", "A1"]),
    ("6480800100" + "0000" + "0001A1", ["64808001000000", "A1"]),
    ("00F0" + "A1" * 240, ["A1" * 240]),
]


def apdus(reader: FrameReader) -> list[bytes]:
    found = []
    while (apdu := reader.next_apdu()) is not None:
        found.append(apdu)
    return found


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_a_stream_whole_and_octet_by_octet(stream: str, expected: list[str]) -> None:
    octets, wanted = bytes.fromhex(stream), [bytes.fromhex(each) for each in expected]
    whole = FrameReader(240)
    whole.feed(octets)
    assert apdus(whole) == wanted
    assert not whole.held
    single = FrameReader(240)
    found: list[bytes] = []
    for octet in octets:
        single.feed(bytes((octet,)))
        found += apdus(single)
    assert found == wanted


def test_a_partial_frame_is_known_to_be_one() -> None:
    reader = FrameReader(240)
    assert reader.next_apdu() is None
    assert not reader.held
    reader.feed(b"\x00")
    assert reader.next_apdu() is None
    assert reader.held == 1


def test_frames_are_written_with_their_length() -> None:
    assert frame(b"\xa1" * 3) == b"\x00\x03\xa1\xa1\xa1"
    assert frame(b"\xa1" * 256) == b"\x01\x00" + b"\xa1" * 256


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ("0000", "empty frame"),
        ("00F1", "frame of 241 octets"),
        ("FFFF", "frame of 65535 octets"),
        ("6489", "length of 9 octets"),
        ("6482FFFF" + "00" * 240, "bare ABRT of more than 240"),
    ],
)
def test_what_is_no_frame(stream: str, why: str) -> None:
    reader = FrameReader(240)
    reader.feed(bytes.fromhex(stream))
    with pytest.raises(RemoteProtocolError, match=why):
        reader.next_apdu()


def test_a_limit_that_would_hide_a_bare_abort_is_lowered() -> None:
    reader = FrameReader(0xFFFF)
    reader.feed(BARE)
    assert apdus(reader) == [BARE]


@given(st.lists(st.binary(min_size=1, max_size=240), max_size=5), st.lists(st.integers(1, 40), max_size=60))
def test_any_chunking_gives_the_same_apdus(contents: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(frame(each) for each in contents)
    reader = FrameReader(240)
    found: list[bytes] = []
    for size in [*sizes, len(stream)]:
        reader.feed(stream[:size])
        stream = stream[size:]
        found += apdus(reader)
    assert found == contents
