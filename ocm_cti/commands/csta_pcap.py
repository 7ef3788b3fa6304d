"""CSTA out of a packet capture (pcap, pcapng), read by dpkt, which is the extra "pcap" and not needed otherwise."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from protocols.csta.capture import Captured
from protocols.csta.segments import Segment, apdus
from protocols.errors import RemoteProtocolError

MAGIC = (
    bytes.fromhex("d4c3b2a1"),
    bytes.fromhex("a1b2c3d4"),
    bytes.fromhex("4d3cb2a1"),
    bytes.fromhex("a1b23c4d"),
    bytes.fromhex("0a0d0d0a"),
)
"""First four octets: pcap in either byte order, with micro- or nanoseconds, and pcapng."""

MISSING = "reading a packet capture needs the package dpkt: pip install 'ocm-cti[pcap]'"


class NoReader(Exception):
    """dpkt is not installed."""


def is_capture(beginning: bytes) -> bool:
    return beginning[:4] in MAGIC


def of_capture(file: BinaryIO) -> list[Captured]:
    """All APDUs of all CSTA connections in a capture; RemoteProtocolError when the file can't be read."""
    try:
        import dpkt
    except ImportError:
        raise NoReader(MISSING) from None
    return apdus(_segments(dpkt, file))


def _segments(dpkt: Any, file: BinaryIO) -> Iterator[Segment]:
    try:
        packets = dpkt.pcap.UniversalReader(file)
        link_type = packets.datalink()
    except Exception as error:  # dpkt raises many kinds on a file that is none
        raise RemoteProtocolError(f"no packet capture: {error}") from None
    records = iter(packets)
    while True:
        try:
            at, octets = next(records)
        except StopIteration:
            return
        except Exception:  # cut off in the middle of a packet: what came before counts
            return
        segment = _segment(dpkt, link_type, float(at), octets)
        if segment is not None:
            yield segment


def _segment(dpkt: Any, link_type: int, at: float, octets: bytes) -> Segment | None:
    try:
        packet = _network_layer(dpkt, link_type, octets)
        if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6) or not isinstance(packet.data, dpkt.tcp.TCP):
            return None
        tcp = packet.data
        family = socket.AF_INET if isinstance(packet, dpkt.ip.IP) else socket.AF_INET6
        return Segment(
            datetime.fromtimestamp(at, UTC),
            (socket.inet_ntop(family, packet.src), tcp.sport),
            (socket.inet_ntop(family, packet.dst), tcp.dport),
            tcp.seq,
            bytes(tcp.data),
            syn=bool(tcp.flags & dpkt.tcp.TH_SYN),
            ack=bool(tcp.flags & dpkt.tcp.TH_ACK),
            ends=bool(tcp.flags & (dpkt.tcp.TH_FIN | dpkt.tcp.TH_RST)),
        )
    except Exception:  # a packet that dpkt can't read is not the one that is looked for
        return None


def _network_layer(dpkt: Any, link_type: int, octets: bytes) -> Any:
    pcap = dpkt.pcap
    if link_type == pcap.DLT_EN10MB:
        return dpkt.ethernet.Ethernet(octets).data
    if link_type == pcap.DLT_LINUX_SLL:
        return dpkt.sll.SLL(octets).data
    if link_type == pcap.DLT_LINUX_SLL2:
        return dpkt.sll2.SLL2(octets).data
    if link_type in (pcap.DLT_NULL, pcap.DLT_LOOP):
        return dpkt.loopback.Loopback(octets).data
    return dpkt.ip6.IP6(octets) if octets[0] >> 4 == 6 else dpkt.ip.IP(octets)
