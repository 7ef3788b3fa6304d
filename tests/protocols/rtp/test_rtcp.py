"""RTCP compounds, and the figures that go into them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import RemoteProtocolError
from protocols.rtp import rtcp
from protocols.rtp.packets import RTPPacket, encode
from protocols.rtp.reports import Reports
from protocols.rtp.stream import ReceiveStream, SendStream

U32 = st.integers(0, 0xFFFF_FFFF)
BLOCKS = st.lists(
    st.builds(rtcp.ReportBlock, U32, st.integers(0, 255), st.integers(-0x80_0000, 0x7F_FFFF), U32, U32, U32, U32),
    max_size=3,
).map(tuple)
CONTROLS: st.SearchStrategy[rtcp.Control] = st.one_of(
    st.builds(rtcp.SenderReport, U32, st.integers(0, 2**64 - 1), U32, U32, U32, BLOCKS),
    st.builds(rtcp.ReceiverReport, U32, BLOCKS),
    st.builds(rtcp.SourceDescription, U32, st.text(max_size=40)),
    st.builds(rtcp.Goodbye, st.lists(U32, max_size=5).map(tuple)),
    st.builds(
        rtcp.UnknownControl, st.integers(204, 210), st.integers(0, 31), st.binary(max_size=5).map(lambda b: b * 4)
    ),
)


def test_a_sender_report_octet_by_octet() -> None:
    report = rtcp.SenderReport(1, 0x0000000200000003, 4, 5, 6, (rtcp.ReportBlock(7, 8, -1, 9, 10, 11, 12),))
    octets = bytes.fromhex(
        "81 c8 000c 00000001 00000002 00000003 00000004 00000005 00000006"
        "00000007 08 ffffff 00000009 0000000a 0000000b 0000000c"
    )
    assert rtcp.encode([report]) == octets
    assert rtcp.decode(octets) == [report]


@settings(max_examples=60, deadline=None)
@given(st.lists(CONTROLS, min_size=1, max_size=4))
def test_round_trip(controls: list[rtcp.Control]) -> None:
    assert rtcp.decode(rtcp.encode(controls)) == controls


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: b"\x81\xc8\x00\x01" + rest))
def test_any_octets_are_a_compound_or_the_peers_fault(octets: bytes) -> None:
    try:
        found = rtcp.decode(octets)
    except RemoteProtocolError:
        return
    assert found


def test_our_report_counts_what_was_lost() -> None:
    send, receive = SendStream(1, 0, 0), ReceiveStream(lambda _: None, lambda _: None)
    reports = Reports(send, receive, "us@ocm", lambda: 0.0)
    for sequence in (65534, 65535, 1, 2):  # 0 is lost, over the wrap
        receive.receive(encode(RTPPacket(8, sequence, sequence * 160, 9, bytes(160))), ("127.0.0.1", 4000), 0.0)
    report, description = rtcp.decode(reports.make(0.0))
    assert isinstance(report, rtcp.ReceiverReport)
    (block,) = report.blocks
    assert (block.ssrc, block.lost, block.fraction_lost, block.highest_sequence) == (9, 1, 256 // 5, 0x10002)
    assert description == rtcp.SourceDescription(1, "us@ocm")
    assert rtcp.decode(reports.make(5.0))[0] == rtcp.ReceiverReport(
        1, (rtcp.ReportBlock(9, 0, 1, 0x10002, block.jitter, 0, 0),)
    )


def test_a_sender_reports_its_time_and_answers_theirs() -> None:
    send, receive = SendStream(1, 0, 1000), ReceiveStream(lambda _: None, lambda _: None)
    reports = Reports(send, receive, "us@ocm", lambda: 1.5)
    receive.receive(encode(RTPPacket(8, 1, 160, 9, bytes(160))), ("127.0.0.1", 4000), 0.0)
    reports.receive(rtcp.encode([rtcp.SenderReport(9, 0x1122_3344_5566_7788, 0, 0, 0)]), 2.0)
    send.tick()
    report = rtcp.decode(reports.make(2.5))[0]
    assert isinstance(report, rtcp.SenderReport)
    assert (report.ntp >> 32, report.ntp & 0xFFFF_FFFF) == (2_208_988_801, 1 << 31)
    assert (report.timestamp, report.packets, report.octets) == (1160, 1, 160)
    assert (report.blocks[0].last_report, report.blocks[0].delay) == (0x3344_5566, 0x8000)


def test_goodbye_is_a_whole_compound() -> None:
    reports = Reports(SendStream(1, 0, 0), ReceiveStream(lambda _: None, lambda _: None), "us@ocm", lambda: 0.0)
    assert rtcp.decode(reports.goodbye())[-1] == rtcp.Goodbye((1,))


def test_garbage_names_its_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="version 1"):
        rtcp.decode(b"\x40\xc8\x00\x00")
