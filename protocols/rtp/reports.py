"""What we report of one call in RTCP, with the peer's time in it (RFC 3550 §6.4, A.3); no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable

from protocols.rtp import rtcp
from protocols.rtp.stream import ReceiveStream, SendStream


class Reports:
    """Makes the compound packets of one call out of its two streams. ``wall_clock`` gives seconds since 1970."""

    def __init__(self, send: SendStream, receive: ReceiveStream, cname: str, wall_clock: Callable[[], float]) -> None:
        self._send = send
        self._receive = receive
        self._cname = cname
        self._wall_clock = wall_clock
        self._packets_reported = 0
        self._expected_before = 0
        self._received_before = 0
        self._ssrc_before: int | None = None
        self._last_report = 0
        self._last_report_at_s = 0.0

    def make(self, now_s: float) -> bytes:
        """SR when we sent RTP since the last one, else RR, with our CNAME."""
        return rtcp.encode([self._report(now_s), rtcp.SourceDescription(self._send.ssrc, self._cname)])

    def goodbye(self) -> bytes:
        """The last compound: we leave."""
        ssrc = self._send.ssrc
        return rtcp.encode(
            [rtcp.ReceiverReport(ssrc), rtcp.SourceDescription(ssrc, self._cname), rtcp.Goodbye((ssrc,))]
        )

    def receive(self, octets: bytes, now_s: float) -> None:
        """Take the peer's compound. RemoteProtocolError when it is none."""
        for control in rtcp.decode(octets):
            if isinstance(control, rtcp.SenderReport):
                self._last_report = (control.ntp >> 16) & 0xFFFF_FFFF
                self._last_report_at_s = now_s

    def _report(self, now_s: float) -> rtcp.Control:
        send = self._send
        blocks = self._blocks(now_s)
        if send.packets_sent == self._packets_reported:
            return rtcp.ReceiverReport(send.ssrc, blocks)
        self._packets_reported = send.packets_sent
        ntp = rtcp.ntp_time(self._wall_clock())
        return rtcp.SenderReport(
            send.ssrc, ntp, send.timestamp, send.packets_sent & 0xFFFF_FFFF, send.octets_sent & 0xFFFF_FFFF, blocks
        )

    def _blocks(self, now_s: float) -> tuple[rtcp.ReportBlock, ...]:
        heard = self._receive
        if heard.ssrc is None:
            return ()
        if heard.ssrc != self._ssrc_before:
            self._ssrc_before, self._expected_before, self._received_before = heard.ssrc, 0, 0
        expected = heard.highest_sequence - heard.base_sequence + 1
        newly_expected = expected - self._expected_before
        newly_lost = newly_expected - (heard.received - self._received_before)
        self._expected_before, self._received_before = expected, heard.received
        fraction = (newly_lost << 8) // newly_expected if newly_expected > 0 and newly_lost > 0 else 0
        lost = max(-0x80_0000, min(0x7F_FFFF, expected - heard.received))
        delay = int((now_s - self._last_report_at_s) * 65536) & 0xFFFF_FFFF if self._last_report else 0
        return (
            rtcp.ReportBlock(
                heard.ssrc,
                min(fraction, 255),
                lost,
                heard.highest_sequence & 0xFFFF_FFFF,
                int(heard.jitter_samples),
                self._last_report,
                delay,
            ),
        )
