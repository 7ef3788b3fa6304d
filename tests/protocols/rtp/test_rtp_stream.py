"""Both directions of a call's RTP, without a socket."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.rtp import g711
from protocols.rtp.packets import RTPPacket, decode, encode
from protocols.rtp.stream import RELATCH_S, ReceiveStream, SendStream

HERE, THERE = ("127.0.0.1", 4000), ("127.0.0.1", 5000)
SILENCE = b"\xd5" * 160


class Heard:
    """A ReceiveStream and what it told."""

    def __init__(self) -> None:
        self.audio: list[bytes] = []
        self.digits = ""
        self.stream = ReceiveStream(self.audio.append, self._digit)

    def _digit(self, digit: str) -> None:
        self.digits += digit

    def feed(self, *sequences: int, ssrc: int = 9, source: tuple[str, int] = HERE, now_s: float = 0.0) -> None:
        for sequence in sequences:
            octets = encode(RTPPacket(8, sequence & 0xFFFF, sequence * 160 & 0xFFFF_FFFF, ssrc, mark(sequence)))
            self.stream.receive(octets, source, now_s)


def mark(sequence: int) -> bytes:
    return bytes([sequence & 0xFF]) * 160


def ticks(stream: SendStream, count: int) -> list[RTPPacket | None]:
    datagrams = [stream.tick() for _ in range(count)]
    return [None if octets is None else decode(octets) for octets in datagrams]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.binary(max_size=400))
def test_what_is_sent_is_what_the_declaration_writes(ssrc: int, sequence: int, timestamp: int, said: bytes) -> None:
    stream = SendStream(ssrc, sequence, timestamp)
    stream.queue(said)
    for _ in range(3):
        datagram = stream.tick()
        assert datagram is not None and encode(decode(datagram)) == datagram


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=700), max_size=6))
def test_pieces_are_sent_without_a_gap(pieces: list[bytes]) -> None:
    stream = SendStream(1, 65530, 0xFFFF_FF00)
    for piece in pieces:
        stream.queue(piece)
    whole = b"".join(pieces)
    assert stream.queued == len(whole)
    count = -(-len(whole) // 160)
    packets = [packet for packet in ticks(stream, count) if packet]
    assert b"".join(packet.payload for packet in packets) == whole + b"\xd5" * (-len(whole) % 160)
    assert stream.audio_sent == len(whole)
    assert stream.queued == 0
    assert [packet.sequence for packet in packets] == [(65530 + n) & 0xFFFF for n in range(count)]
    assert [packet.timestamp for packet in packets] == [(0xFFFF_FF00 + 160 * n) & 0xFFFF_FFFF for n in range(count)]


def test_silence_when_there_is_nothing_to_say() -> None:
    stream = SendStream(1, 0, 0)
    first, second = ticks(stream, 2)
    assert first and second
    assert (first.payload, first.marker, second.payload, second.marker) == (SILENCE, True, SILENCE, False)
    assert stream.audio_sent == 0


def test_without_silence_time_passes_and_the_next_talkspurt_is_marked() -> None:
    stream = SendStream(1, 0, 0)
    stream.silent = False
    stream.queue(b"a" * 160)
    first = ticks(stream, 3)
    stream.queue(b"b" * 320)
    second = ticks(stream, 2)
    assert first[0] and first[0].marker and first[1:] == [None, None]
    assert [(p.sequence, p.timestamp, p.marker) for p in second if p] == [(1, 480, True), (2, 640, False)]


def test_drained_is_told_once_and_can_go_on_without_a_gap() -> None:
    told = []
    stream = SendStream(1, 0, 0)

    def drained() -> None:
        told.append(stream.audio_sent)
        if len(told) == 1:
            stream.queue(b"b" * 160)

    stream.drained = drained
    stream.queue(b"a" * 160)
    payloads = [packet.payload for packet in ticks(stream, 4) if packet]
    assert payloads == [b"a" * 160, b"b" * 160, SILENCE, SILENCE]
    assert told == [160, 320]


def test_clear_forgets_the_rest() -> None:
    stream = SendStream(1, 0, 0, drained=lambda: pytest.fail("what was cleared is not drained"))
    stream.queue(b"a" * 400)
    ticks(stream, 1)
    stream.clear()
    assert [packet and packet.payload for packet in ticks(stream, 1)] == [SILENCE]
    assert (stream.audio_sent, stream.queued) == (160, 0)


def test_held_keeps_the_queue() -> None:
    stream = SendStream(1, 0, 0)
    stream.queue(b"a" * 160)
    stream.held = True
    assert ticks(stream, 2) == [None, None]
    stream.held = False
    (packet,) = ticks(stream, 1)
    assert packet and (packet.payload, packet.timestamp, packet.marker) == (b"a" * 160, 320, True)


def test_skipped_time_is_not_sent() -> None:
    stream = SendStream(1, 0, 0)
    ticks(stream, 1)
    stream.skip(5)
    (packet,) = ticks(stream, 1)
    assert packet and (packet.sequence, packet.timestamp, packet.marker) == (1, 960, True)


def test_the_other_law() -> None:
    stream = SendStream(1, 0, 0)
    stream.payload_type, stream.mu_law = 0, True
    alaw = bytes(range(160))
    stream.queue(alaw)
    (packet,) = ticks(stream, 1)
    assert packet and packet.payload == alaw.translate(g711.ALAW_TO_ULAW)
    heard = Heard()
    heard.stream.receive(encode(RTPPacket(0, 1, 0, 9, b"\xff\x00")), HERE, 0.0)
    assert heard.audio == [b"\xff\x00".translate(g711.ULAW_TO_ALAW)]


def test_keys_arrive_and_audio_waits_for_them() -> None:
    stream, heard = SendStream(1, 0, 0), Heard()
    stream.queue(b"a" * 320)
    ticks_of_one = stream.tick()
    stream.send_digits("1#", 40, 40)
    datagrams = [ticks_of_one, *(stream.tick() for _ in range(10))]
    packets = [decode(octets) for octets in datagrams if octets]
    for octets in datagrams:
        if octets:
            heard.stream.receive(octets, HERE, 0.0)
    assert heard.digits == "1#"
    assert b"".join(heard.audio).replace(b"\xd5", b"") == b"a" * 320
    assert [p.timestamp for p in packets if p.payload_type == 101] == [160] * 4 + [800] * 4
    assert [p.marker for p in packets if p.payload_type == 101] == [True, False, False, False] * 2
    assert packets[-1].timestamp == 1600


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 2**32), st.integers(2, 60))
def test_reordered_and_doubled_packets_are_heard_once_and_in_order(start: int, seed: int, count: int) -> None:
    heard = Heard()
    sequences = [start + n for n in range(count) for _ in range(2)]
    draw = random.Random(seed)
    shuffled = sorted(sequences, key=lambda n: n + draw.random() * 4)
    heard.feed(start - 1, *shuffled)
    order = [payload[0] for payload in heard.audio if payload != b"\xd5" * len(payload)]
    positions = [(value - start) & 0xFF for value in order[1:]]
    assert positions == sorted(set(positions))
    assert heard.stream.received == count + 1
    assert heard.stream.duplicates == count
    assert heard.stream.lost == 0
    assert heard.stream.highest_sequence - heard.stream.base_sequence == count


def test_a_small_hole_becomes_silence_and_a_large_one_is_left() -> None:
    heard = Heard()
    heard.feed(1, 4)
    assert heard.audio == [mark(1), b"\xd5" * 320, mark(4)]
    heard.feed(100)
    assert heard.audio[3:] == [mark(100)]
    assert heard.stream.lost == 2 + 95


def test_silence_suppression_is_no_loss() -> None:
    heard = Heard()
    heard.feed(1)
    heard.stream.receive(encode(RTPPacket(8, 2, 80_000, 9, mark(2))), HERE, 0.0)
    assert heard.audio == [mark(1), mark(2)]
    assert heard.stream.lost == 0


def test_a_new_ssrc_begins_anew() -> None:
    heard = Heard()
    heard.feed(500, ssrc=9)
    heard.feed(3, 4, ssrc=10)
    assert heard.audio == [mark(500), mark(3), mark(4)]
    assert (heard.stream.ssrc, heard.stream.base_sequence, heard.stream.lost) == (10, 3, 0)


def test_a_restart_under_the_same_ssrc_needs_two_in_a_row() -> None:
    heard = Heard()
    heard.feed(100, 40_000, 101)  # a stray
    assert heard.audio == [mark(100), mark(101)]
    heard.feed(50_000, 50_001, 50_002)
    assert heard.audio[2:] == [mark(50_001), mark(50_002)]


def test_the_first_source_keeps_the_stream_until_it_falls_silent() -> None:
    heard = Heard()
    heard.feed(1, source=HERE, now_s=0.0)
    heard.feed(900, ssrc=66, source=THERE, now_s=RELATCH_S / 2)
    assert (heard.audio, heard.stream.source, heard.stream.foreign) == ([mark(1)], HERE, 1)
    heard.feed(901, ssrc=66, source=THERE, now_s=RELATCH_S)
    assert (heard.audio, heard.stream.source) == ([mark(1), mark(901)], THERE)
    heard.stream.latch()
    heard.feed(2, source=HERE, now_s=RELATCH_S)
    assert heard.stream.source == HERE


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: b"\x80\x65" + rest), max_size=8))
def test_garbage_is_counted_and_harms_nothing(datagrams: list[bytes]) -> None:
    heard = Heard()
    for octets in datagrams:
        heard.stream.receive(octets, HERE, 0.0)
    stream = heard.stream
    assert stream.malformed <= len(datagrams)
    stream.latch()
    heard.feed(7, ssrc=77)
    assert heard.audio[-1] == mark(7)


def test_a_short_telephone_event_is_malformed() -> None:
    heard = Heard()
    heard.stream.receive(encode(RTPPacket(101, 1, 0, 9, b"\x01")), HERE, 0.0)
    assert (heard.stream.malformed, heard.digits) == (1, "")


def test_jitter_is_what_rfc_3550_says() -> None:
    heard = Heard()
    heard.feed(1, now_s=0.0)
    heard.feed(2, now_s=0.030)  # 10 ms late: 80 samples
    assert heard.stream.jitter_samples == pytest.approx(80 / 16)
    assert heard.stream.last_heard_s == 0.030
