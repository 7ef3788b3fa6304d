"""RTCP (RFC 3550 §6): sender and receiver reports, source description, goodbye; whatever else comes is kept raw.

Some session border controllers drop a call that sends no RTCP, so every call reports each five seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from construct import (
    Array,
    BitsInteger,
    BitStruct,
    Bytes,
    ConstructError,
    Flag,
    GreedyBytes,
    GreedyRange,
    Int8ub,
    Int16ub,
    Int24sb,
    Int32ub,
    Int64ub,
    Prefixed,
    Struct,
    this,
)

from protocols.errors import RemoteProtocolError

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
CNAME = 1

#: ``length`` counts 32-bit words after the first (RFC 3550 §6.4.1).
HEADER = Struct(
    "bits" / BitStruct("version" / BitsInteger(2), "padding" / Flag, "count" / BitsInteger(5)),
    "packet_type" / Int8ub,
    "length" / Int16ub,
    "body" / Bytes(this.length * 4),
)
BLOCK = Struct(
    "ssrc" / Int32ub,
    "fraction_lost" / Int8ub,
    "lost" / Int24sb,
    "highest_sequence" / Int32ub,
    "jitter" / Int32ub,
    "last_report" / Int32ub,
    "delay" / Int32ub,
)
SENDER = Struct(
    "ssrc" / Int32ub,
    "ntp" / Int64ub,
    "timestamp" / Int32ub,
    "packets" / Int32ub,
    "octets" / Int32ub,
    "blocks" / GreedyBytes,
)
RECEIVER = Struct("ssrc" / Int32ub, "blocks" / GreedyBytes)
#: One chunk with one CNAME; the item list ends with a zero octet and is padded to a word (RFC 3550 §6.5).
CHUNK = Struct("ssrc" / Int32ub, "item" / Int8ub, "text" / Prefixed(Int8ub, GreedyBytes), "rest" / GreedyBytes)
COMPOUND = GreedyRange(HEADER)


@dataclass(frozen=True)
class ReportBlock:
    """What a receiver says of one source. ``fraction_lost`` in 1/256 since its last report; ``jitter`` in samples;
    ``last_report`` the middle 32 bits of the last sender report's NTP time; ``delay`` since then in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_report: int
    delay: int


@dataclass(frozen=True)
class SenderReport:
    """SR: ``ntp`` is 32.32 fixed point seconds since 1900, the same moment as RTP ``timestamp``."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True)
class ReceiverReport:
    """RR: sent by who has sent no RTP since the last report."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True)
class SourceDescription:
    """SDES with the one item that must be there; None when the first item of the first chunk is another."""

    ssrc: int
    cname: str | None


@dataclass(frozen=True)
class Goodbye:
    """BYE: these sources have left."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True)
class UnknownControl:
    """Any other packet type, e.g. APP or feedback, as it came."""

    packet_type: int
    count: int
    body: bytes


Control = SenderReport | ReceiverReport | SourceDescription | Goodbye | UnknownControl


def ntp_time(unix_s: float) -> int:
    """Seconds since 1970 as 32.32 fixed point since 1900."""
    return int((unix_s + 2_208_988_800) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def encode(controls: list[Control]) -> bytes:
    """One compound packet; RFC 3550 §6.1 wants a report first, which is the caller's affair."""
    return b"".join(_encode_one(control) for control in controls)


def decode(octets: bytes) -> list[Control]:
    """All packets of a compound. RemoteProtocolError when it is no RTCP."""
    found: list[Control] = []
    try:
        headers = COMPOUND.parse(octets)
        if sum(4 + 4 * header.length for header in headers) != len(octets) or not headers:
            raise RemoteProtocolError(f"a compound of {len(octets)} octets does not end with a whole RTCP packet")
        for header in headers:
            if header.bits.version != 2:
                raise RemoteProtocolError(f"version {header.bits.version} is not RTCP's 2")
            body: bytes = header.body
            if header.bits.padding:
                pad = body[-1] if body else 0
                if not 0 < pad <= len(body):
                    raise RemoteProtocolError(f"padding of {pad} octets in an RTCP packet of {len(body)}")
                body = body[:-pad]
            found.append(_decode_one(header.packet_type, header.bits.count, body))
    except ConstructError as error:
        raise RemoteProtocolError(f"an RTCP packet ends too early: {error}") from error
    return found


def _decode_one(packet_type: int, count: int, body: bytes) -> Control:
    match packet_type:
        case 200:
            sender = SENDER.parse(body)
            return SenderReport(
                sender.ssrc, sender.ntp, sender.timestamp, sender.packets, sender.octets, _blocks(count, sender.blocks)
            )
        case 201:
            receiver = RECEIVER.parse(body)
            return ReceiverReport(receiver.ssrc, _blocks(count, receiver.blocks))
        case 202 if count:
            chunk = CHUNK.parse(body)
            return SourceDescription(chunk.ssrc, chunk.text.decode("utf-8", "replace") if chunk.item == CNAME else None)
        case 203:
            return Goodbye(tuple(Array(count, Int32ub).parse(body)))
        case _:
            return UnknownControl(packet_type, count, body)


def _blocks(count: int, octets: bytes) -> tuple[ReportBlock, ...]:
    # Profile-specific extensions may follow the blocks (RFC 3550 §6.4.3); they are not ours.
    return tuple(
        ReportBlock(
            block.ssrc,
            block.fraction_lost,
            block.lost,
            block.highest_sequence,
            block.jitter,
            block.last_report,
            block.delay,
        )
        for block in Array(count, BLOCK).parse(octets)
    )


def _encode_one(control: Control) -> bytes:
    match control:
        case SenderReport(blocks=blocks):
            packet_type, count = SENDER_REPORT, len(blocks)
            body = SENDER.build({**vars(control), "blocks": _encode_blocks(blocks)})
        case ReceiverReport(blocks=blocks):
            packet_type, count = RECEIVER_REPORT, len(blocks)
            body = RECEIVER.build({**vars(control), "blocks": _encode_blocks(blocks)})
        case SourceDescription(ssrc, cname):
            packet_type, count = SOURCE_DESCRIPTION, 1
            body = CHUNK.build({"ssrc": ssrc, "item": CNAME, "text": (cname or "").encode()[:255], "rest": b"\0"})
            body += b"\0" * (-len(body) % 4)
        case Goodbye(ssrcs):
            packet_type, count = GOODBYE, len(ssrcs)
            body = Array(count, Int32ub).build(ssrcs)
        case UnknownControl():
            packet_type, count, body = control.packet_type, control.count, control.body
    bits = {"version": 2, "padding": False, "count": count}
    return bytes(HEADER.build({"bits": bits, "packet_type": packet_type, "length": len(body) // 4, "body": body}))


def _encode_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(BLOCK.build(vars(block)) for block in blocks)
