"""APDUs out of hex, text, streams and TCP segments; the tree and the line that show them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import ber
from protocols.csta import apdus, tree
from protocols.csta.association import AARE, AARQ
from protocols.csta.capture import Captured, StreamCutter, apdu_of, octets_of, of_octets, of_text
from protocols.csta.framing import frame
from protocols.csta.recording import Direction
from protocols.csta.segments import Segment
from protocols.csta.segments import apdus as of_segments
from protocols.csta.summary import heading, kind, summary
from protocols.errors import ProtocolError, RemoteProtocolError

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
STATUS = bytes.fromhex("A10C020101020200D330030A0102")
ANSWER = bytes.fromhex("A20B0201013006020200D30500")
ABRT = bytes.fromhex("6403800100")


# Hex and text


@pytest.mark.parametrize(
    "text",
    [
        "A10C020101020200D330030A0102",
        "a1 0c 02 01 01 02 02 00 d3 30 03 0a 01 02",
        "A1:0C:02:01:01:02:02:00:D3:30:03:0A:01:02",
        "000e a10c 0201 0102 0200 d330 030a 0102\r\n",
        "0xA1, 0x0C,0x02010102 0200D330030A0102",
        "\\xa1\\x0c020101020200D330030A0102",
    ],
)
def test_hex_in_many_dresses(text: str) -> None:
    assert apdu_of(text) == STATUS


@pytest.mark.parametrize(
    ("text", "words"), [("", "no octets"), ("A1 0", "odd number"), ("A1 G0", "no hex digit: 'G'"), ("é", "no hex")]
)
def test_no_hex(text: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        octets_of(text)


def test_a_text_may_be_a_recording_lines_of_hex_or_a_log() -> None:
    lines = [
        "# a comment",
        "2026-11-23T04:20:10.334Z > " + AARQ.hex(" "),
        "< " + frame(AARE).hex(),
        "|",
        STATUS.hex().upper() + "  # as it stood on the screen",
        "A10",
        f"2026-11-23T04:20:10+0000 [link#warn] what the peer sent fits nothing (octets {ANSWER.hex()})",
        f"03:20:10 pbx < {ABRT.hex(' ')}",
        "2026-11-23T04:20:10+0000 [link#info] associated with tcp:127.0.0.1:33333, deadbeef0102",
        "",
    ]
    found = list(of_text(lines))
    at = datetime(2026, 11, 23, 4, 20, 10, 334000, UTC)
    assert found == [
        Captured(AARQ, Direction.TO_SWITCH, at),
        Captured(AARE, Direction.TO_CLIENT),
        Captured(STATUS),
        Captured(b"", fault="an odd number of hex digits (3)"),
        Captured(ANSWER),
        Captured(ABRT, Direction.TO_CLIENT),
    ]


# Streams

FRAMES = [frame(AARQ), frame(STATUS), ABRT, frame(bytes.fromhex("800100")), frame(ANSWER)]
WHOLE = [AARQ, STATUS, ABRT, bytes.fromhex("800100"), ANSWER]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_any_pieces_of_a_stream_give_the_same_apdus(sizes: list[int]) -> None:
    octets, cutter, found = b"".join(FRAMES), StreamCutter(), []
    while octets:
        size = sizes.pop() if sizes else len(octets)
        found += cutter.feed(octets[:size])
        octets = octets[size:]
    assert found == [(apdu, "") for apdu in WHOLE]
    assert list(cutter.end()) == []


def test_raw_octets_bare_or_framed() -> None:
    assert [each.apdu for each in of_octets(STATUS + ANSWER + frame(AARQ) + ABRT)] == [STATUS, ANSWER, AARQ, ABRT]
    assert [each.fault for each in of_octets(STATUS + b"\x00\x05\xa1")] == [
        "",
        "3 octets of an APDU that is not all there",
    ]


def test_behind_junk_it_goes_on_at_the_next_piece() -> None:
    cutter = StreamCutter()
    pieces = [b"GET / HTTP/1.0", frame(STATUS), b"\x00\x03\x30\x00\x00", frame(ANSWER), b"\x00\x00"]
    found = [each for piece in pieces for each in cutter.feed(piece)]
    assert [apdu for apdu, fault in found if not fault] == [STATUS, ANSWER]
    assert [fault for _, fault in found if fault] == [
        "no frame: a length of 18245, then tag 54",
        "no frame: a length of 3, then tag 30",
    ]


# Segments

CLIENT, SWITCH = ("10.0.0.5", 40112), ("10.0.0.1", 33333)
BEGAN = datetime(2026, 11, 23, tzinfo=UTC)


def segments(*said: tuple[bool, bytes], opened: bool = True, first: int = 1000) -> list[Segment]:
    """A connection in which each (from the client?, payload) is one segment, a second apart."""
    ends = (SWITCH, CLIENT)
    numbers = {CLIENT: first, SWITCH: 5000}
    found = []
    if opened:
        found = [
            Segment(BEGAN, CLIENT, SWITCH, numbers[CLIENT], b"", syn=True, ack=False),
            Segment(BEGAN, SWITCH, CLIENT, numbers[SWITCH], b"", syn=True),
        ]
        numbers = {end: (number + 1) % 2**32 for end, number in numbers.items()}
    for second, (by_client, payload) in enumerate(said, 1):
        source, destination = ends[by_client], ends[not by_client]
        found.append(Segment(BEGAN + timedelta(seconds=second), source, destination, numbers[source], payload))
        numbers[source] = (numbers[source] + len(payload)) % 2**32
    return found


SAID = (
    (True, frame(AARQ)),
    (False, frame(AARE) + frame(STATUS)[:5]),
    (False, frame(STATUS)[5:]),
    (True, frame(ANSWER)),
    (False, ABRT),
)
SESSION = [
    (Direction.TO_SWITCH, AARQ),
    (Direction.TO_CLIENT, AARE),
    (Direction.TO_CLIENT, STATUS),
    (Direction.TO_SWITCH, ANSWER),
    (Direction.TO_CLIENT, ABRT),
]


def seen(found: list[Captured]) -> list[tuple[Direction | None, bytes]]:
    return [(each.direction, each.apdu) for each in found if not each.fault]


def test_a_session_out_of_segments() -> None:
    found = of_segments(segments(*SAID))
    assert seen(found) == SESSION
    assert {each.flow for each in found} == {"10.0.0.5:40112 > 10.0.0.1:33333"}
    assert [(each.at - BEGAN).seconds for each in found if each.at] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("first", [1000, 2**32 - 20])
def test_segments_sent_again_out_of_order_and_with_numbers_that_wrap(first: int) -> None:
    opening, order = segments(*SAID, first=first)[:2], segments(*SAID, first=first)[2:]
    swapped = [*opening, order[0], order[2], order[1], order[1], order[3], order[0], order[4]]
    assert [apdu for _, apdu in seen(of_segments(swapped))] == [apdu for _, apdu in SESSION]


def test_a_segment_that_the_capture_misses_costs_what_was_in_it_only() -> None:
    whole = segments(*SAID)
    found = of_segments([each for each in whole if each is not whole[3]])  # AARE and half of a SystemStatus
    assert seen(found) == [(Direction.TO_SWITCH, AARQ), (Direction.TO_SWITCH, ANSWER), (Direction.TO_CLIENT, ABRT)]


def test_without_the_opening_the_port_or_the_aarq_tells_the_switch() -> None:
    assert seen(of_segments(segments(*SAID, opened=False))) == SESSION
    assert seen(of_segments(segments(*SAID[3:], opened=False))) == SESSION[3:]


def test_other_connections_are_left_out() -> None:
    other = segments((True, b"GET / HTTP/1.0\r\n\r\n"), (False, b"HTTP/1.0 200 OK\r\n\r\n"))
    assert of_segments(other) == []
    assert of_segments([]) == []


# Tree and summary


def recorded(name: str) -> list[Captured]:
    return list(of_text((CAPTURES / name).read_text(encoding="utf-8").splitlines()))


def test_the_tree_has_offsets_names_values_and_octets() -> None:
    assert tree.lines(STATUS) == [
        "    0  invoke                                                       A1 0C",
        "    2    invokeId: 1                                                02 01 01",
        "    5    opcode: 211 (systemStatus)                                 02 02 00 D3",
        "    9    argument                                                   30 03",
        "   11      systemStatus: normal (2)                                 0A 01 02",
    ]
    text = "\n".join(tree.lines(AARQ))
    assert "application-context-name: 1.3.12.0.218 (CSTA II)" in text
    assert "encoding = single-ASN1-type = newDefinition" in text
    assert "cSTAVersion: 0000100000000000 (versionFive)" in text


def test_the_tree_of_what_is_broken_says_where() -> None:
    assert "systemStatus !! 1 octets announced, 0 are there" in tree.lines(STATUS[:-1])[-1]
    assert "!! missing: systemStatus" in "\n".join(tree.lines(bytes.fromhex("A109 020101 020200D3 3000")))
    assert "!! 1 octets too many" in tree.lines(STATUS + b"\x00")[-1]
    assert tree.lines(b"") == []
    assert "? [5]: 41 42 'AB'" in tree.lines(bytes.fromhex("A10B020101020200D385024142"))[-1]


@pytest.mark.parametrize("name", ["panasonic-constants.txt", "our-client.txt"])
def test_every_recorded_apdu_is_shown_whole_and_comes_back(name: str) -> None:
    found = recorded(name)
    assert len(found) > 12
    for captured in found:
        value = apdus.decode(captured.apdu)
        assert "_unknown" not in json.dumps(value)
        assert apdus.encode(value) == captured.apdu
        assert not any("!!" in line or "?" in line for line in tree.lines(captured.apdu))
        assert "!!" not in heading(captured)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_tree_of_anything_is_a_tree(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(recorded("our-client.txt"))).apdu)
    for _ in range(data.draw(st.integers(0, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(octets[: data.draw(st.integers(1, len(octets)))]) + data.draw(st.binary(max_size=4))
    shown = tree.lines(cut)
    try:
        apdus.decode(cut)
    except ProtocolError:
        return
    # Inside of what is not declared, and so taken whole, the tree may find more wrong than the decoder looks for.
    known = [line for line in shown if " ? " not in line]
    assert known and not any("announced" in line or "missing" in line for line in known)


def test_the_tree_of_deep_and_huge_octets_ends() -> None:
    assert len(tree.lines(b"\xa1\x80" + b"\xa4\x80" * 5000)) < 60
    assert len(tree.lines(bytes.fromhex("A180020101020133") + b"\x30\x80" * 5000)) < 60


def test_a_summary_names_what_is_looked_for_first() -> None:
    lines = [summary(apdus.decode(captured.apdu)) for captured in recorded("our-client.txt")]
    assert lines[:3] == ["aarq", "aare accepted", "invoke escape getSystemData deviceList (id 1)"]
    delivered = next(line for line in lines if " delivered" in line)
    assert "connection trunk 1, alertingDevice trunk 1, callingDevice 301, calledDevice 984951234501" in delivered
    assert kind({"returnError": {"invokeId": 1, "errcode": 1, "parameter": {"operation": "invalidDeviceID"}}}) == (
        "returnError operation invalidDeviceID"
    )
    assert kind({"reject": {"invokeId": 1, "problem": {"invoke": 1}}}) == "reject invoke: unrecognizedOperation"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50), st.sampled_from([1, 10, 21, 51, 211]))
def test_a_summary_of_anything_that_decodes(octets: bytes, opcode: int) -> None:
    argument = ber.tlv(0x02, b"\x01") + ber.tlv(0x02, ber.integer_contents(opcode)) + octets
    for whole in (octets, ber.tlv(0xA1, argument), ber.tlv(0xA2, b"\x02\x01\x01" + ber.tlv(0x30, argument[3:]))):
        line = heading(Captured(whole, Direction.TO_SWITCH, BEGAN))
        assert line.startswith("2026-11-23 00:00:00.000Z  > to switch  ")
        assert "\n" not in line
