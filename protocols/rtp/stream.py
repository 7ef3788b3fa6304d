"""One call's RTP in each direction, without socket or clock.

``SendStream`` makes a packet for every 20 ms tick out of A-law octets that were queued whole; ``ReceiveStream`` takes
datagrams and gives A-law octets and digits. Callers always speak A-law: the other law is translated on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from protocols.errors import RemoteProtocolError
from protocols.rtp import g711
from protocols.rtp.packets import HEADER, MARKER, PCMA, PCMU, PLAIN, decode
from protocols.rtp.telephone_event import EventReceiver, EventSender

TICK_MS: Final = 20
SAMPLES_PER_TICK: Final = 160
#: Octets of A-law in a millisecond.
OCTETS_PER_MS: Final = 8

#: RFC 3550 A.1: a jump of more than this forward, or further back than that, is another stream under the same SSRC.
MAX_DROPOUT: Final = 3000
MAX_MISORDER: Final = 100
#: Lost packets up to this many are filled with silence at once; a longer hole is the recorder's, which counts time.
MAX_FILLED: Final = 5
#: Another source may take over a stream when the one we listen to has been silent for this long.
RELATCH_S: Final = 1.0

#: Static payload types -> table into A-law, None where it is A-law.
LAWS: Final[Mapping[int, bytes | None]] = {PCMA: None, PCMU: g711.ULAW_TO_ALAW}

Address = tuple[str, int]


class SendStream:
    """Our voice. ``tick`` is called every 20 ms and returns the datagram to send, None where nothing is to be sent.

    ``silent`` (default) sends silence when nothing is queued: it keeps the peer's jitter buffer and the way through
    NATs and border controllers alive. ``held`` sends nothing and keeps what is queued.
    """

    def __init__(self, ssrc: int, sequence: int, timestamp: int, *, drained: Callable[[], None] | None = None) -> None:
        self.ssrc = ssrc
        self.payload_type = PCMA
        #: What is sent is mu-law; what is queued stays A-law.
        self.mu_law = False
        self.telephone_event_pt: int | None = 101
        self.silent = True
        self.held = False
        #: Called by the first tick that finds the queue empty; what it queues goes out in that same tick.
        self.drained = drained
        self.packets_sent = 0
        self.octets_sent = 0
        #: Octets of what was queued (not of silence) that have gone out; 8 are a millisecond.
        self.audio_sent = 0
        self._sequence = sequence
        self._timestamp = timestamp
        self._silence = bytes([g711.ALAW_SILENCE]) * SAMPLES_PER_TICK
        self._chunks: deque[bytes] = deque()
        self._offset = 0
        self._talking = False
        self._marker = True
        self._events = EventSender(SAMPLES_PER_TICK)
        self._event_timestamp = timestamp

    @property
    def timestamp(self) -> int:
        """RTP time of the next tick."""
        return self._timestamp

    @property
    def queued(self) -> int:
        """Octets still to be sent."""
        return sum(map(len, self._chunks)) - self._offset

    @property
    def sending_digits(self) -> bool:
        return self._events.busy

    def queue(self, alaw: bytes) -> None:
        """Send these octets after what is queued already, without a gap. They are not copied."""
        if alaw:
            self._chunks.append(alaw)
            self._talking = True

    def clear(self) -> None:
        """Forget what is queued; ``drained`` is not called for it."""
        self._chunks.clear()
        self._offset = 0
        if self._talking:
            self._talking = False
            self._marker = True

    def send_digits(self, digits: str, duration_ms: int = 160, gap_ms: int = 80) -> None:
        """Press keys (RFC 4733); queued audio waits meanwhile. LocalProtocolError for a character that is no key."""
        self._events.queue(digits, duration_ms, gap_ms)

    def skip(self, ticks: int) -> None:
        """We slept through so many ticks: their time passes, nothing is sent for it."""
        self._timestamp = (self._timestamp + ticks * SAMPLES_PER_TICK) & 0xFFFF_FFFF
        self._marker = True

    def tick(self) -> bytes | None:
        """The datagram of these 20 ms."""
        timestamp = self._timestamp
        self._timestamp = (timestamp + SAMPLES_PER_TICK) & 0xFFFF_FFFF
        if self.held:
            self._marker = True
            return None
        if self._events.busy:
            return self._event_tick(timestamp)
        if not self._chunks and self._talking:
            self._talking = False
            if self.drained is not None:
                self.drained()
        if self._chunks:
            payload = self._next_slice()
        elif self.silent:
            payload = self._silence
        else:
            self._marker = True
            return None
        # A talkspurt begins where silence ended (RFC 3551 §4.1), also where the silence was sent.
        return self._audio_packet(timestamp, payload)

    def _next_slice(self) -> bytes:
        start = self._offset
        chunk = self._chunks[0]
        payload = chunk[start : start + SAMPLES_PER_TICK]
        self._offset = start + SAMPLES_PER_TICK
        if self._offset >= len(chunk):
            self._chunks.popleft()
            self._offset = 0
            while self._chunks and len(payload) < SAMPLES_PER_TICK:
                self._offset = SAMPLES_PER_TICK - len(payload)
                chunk = self._chunks[0]
                payload += chunk[: self._offset]
                if self._offset >= len(chunk):
                    self._chunks.popleft()
                    self._offset = 0
        self.audio_sent += len(payload)
        if len(payload) < SAMPLES_PER_TICK:
            payload += self._silence[len(payload) :]
        return payload

    def _event_tick(self, timestamp: int) -> bytes | None:
        step = self._events.next_step()
        self._marker = True
        if step.payload is None or self.telephone_event_pt is None:
            return self._audio_packet(timestamp, self._silence) if self.silent else None
        if step.first:
            self._event_timestamp = timestamp
        self._marker = step.first
        datagram = self._packet(self.telephone_event_pt, self._event_timestamp, step.payload)
        self._marker = True
        return datagram

    def _audio_packet(self, timestamp: int, alaw: bytes) -> bytes:
        return self._packet(self.payload_type, timestamp, alaw.translate(g711.ALAW_TO_ULAW) if self.mu_law else alaw)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes) -> bytes:
        if self._marker:
            payload_type |= MARKER
            self._marker = False
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self.packets_sent += 1
        self.octets_sent += len(payload)
        return HEADER.pack(PLAIN, payload_type, sequence, timestamp, self.ssrc) + payload


class ReceiveStream:
    """Their voice: ``audio(alaw)`` for every packet in order, ``digit(key)`` for every key, as datagrams arrive.

    Duplicates and late packets are counted and dropped (a late key still counts); a few lost packets become silence.
    The stream belongs to the first source that sends (symmetric RTP); another takes over when that one has been silent
    for ``RELATCH_S`` or after ``latch``.
    """

    def __init__(self, audio: Callable[[bytes], None], digit: Callable[[str], None]) -> None:
        self.audio = audio
        self.digit = digit
        self.telephone_event_pt: int | None = 101
        #: As LAWS, with whatever payload types were agreed.
        self.laws: Mapping[int, bytes | None] = LAWS
        #: Where their packets come from, None before the first; packets go there (symmetric RTP).
        self.source: Address | None = None
        #: Clock time of the last packet that counted, None before the first.
        self.last_heard_s: float | None = None
        self.ssrc: int | None = None
        self.received = 0
        self.lost = 0
        self.late = 0
        self.duplicates = 0
        self.malformed = 0
        self.foreign = 0
        self.jitter_samples = 0.0
        self.base_sequence = 0
        self._cycles = 0
        self._highest = 0
        self._seen = 0
        self._restart: int | None = None
        self._transit: float | None = None
        self._timestamp = 0
        self._events = EventReceiver()

    @property
    def highest_sequence(self) -> int:
        """Extended highest sequence number (RFC 3550 §6.4.1)."""
        return self._cycles + self._highest

    def latch(self, source: Address | None = None) -> None:
        """Forget whom we listened to, e.g. after a new offer; None: the next that sends."""
        self.source = source
        self.last_heard_s = None

    def receive(self, octets: bytes, source: Address, now_s: float) -> None:
        """Take one datagram. Nothing is raised whatever it holds: garbage is counted in ``malformed``."""
        if len(octets) >= 12 and octets[0] == PLAIN:
            _, second, sequence, timestamp, ssrc = HEADER.unpack_from(octets)
            payload_type = second & 0x7F
            payload = octets[12:]
        else:
            try:
                packet = decode(octets)
            except RemoteProtocolError:
                self.malformed += 1
                return
            payload_type, sequence, timestamp, ssrc = (
                packet.payload_type,
                packet.sequence,
                packet.timestamp,
                packet.ssrc,
            )
            payload = packet.payload
        if source != self.source and not self._may_latch(source, now_s):
            self.foreign += 1
            return
        self.last_heard_s = now_s
        if ssrc != self.ssrc:
            self._begin(ssrc, sequence)
            step = 1
        else:
            step = (sequence - self._highest) & 0xFFFF
            if step != 1 and not (step := self._step_of(step, sequence)):
                return
            if step > 0:
                if sequence < self._highest:
                    self._cycles += 0x10000
                self._highest = sequence
                self._seen = ((self._seen << step) | 1) & 0xFFFF_FFFF_FFFF_FFFF
        self.received += 1
        if payload_type == self.telephone_event_pt:
            self._event(timestamp, payload)
        elif payload_type in self.laws and step > 0:
            self._audio(payload_type, timestamp, payload, step, now_s)
        # Anything else (comfort noise, RTCP on the same port) has been counted, and that is all we want of it.

    def _may_latch(self, source: Address, now_s: float) -> bool:
        if self.source is not None and self.last_heard_s is not None and now_s - self.last_heard_s < RELATCH_S:
            return False
        self.source = source
        return True

    def _begin(self, ssrc: int, sequence: int) -> None:
        self.ssrc = ssrc
        self.base_sequence = self._highest = sequence
        self._cycles = 0
        self._seen = 1
        self._restart = None
        self._transit = None
        self.received = 0
        self.lost = 0
        self._events = EventReceiver()

    def _step_of(self, step: int, sequence: int) -> int:
        """How far forward a packet is that is not simply the next: negative when late, 0 to drop it."""
        if step == 0:
            self.duplicates += 1
            return 0
        if step < MAX_DROPOUT:
            self.lost += step - 1
            return step
        back = 0x10000 - step
        if back <= MAX_MISORDER:
            bit = 1 << back
            if back >= 64 or self._seen & bit:
                self.duplicates += 1
                return 0
            self._seen |= bit
            self.late += 1
            self.lost -= 1
            return -back
        # RFC 3550 A.1: two in a row after a jump are a peer that started anew; one alone is a stray.
        if sequence == self._restart:
            restarted_ssrc = self.ssrc
            if restarted_ssrc is not None:
                self._begin(restarted_ssrc, sequence)
            return 1
        self._restart = (sequence + 1) & 0xFFFF
        return 0

    def _event(self, timestamp: int, payload: bytes) -> None:
        try:
            digit = self._events.receive(timestamp, payload)
        except RemoteProtocolError:
            self.malformed += 1
            return
        if digit is not None:
            self.digit(digit)

    def _audio(self, payload_type: int, timestamp: int, payload: bytes, step: int, now_s: float) -> None:
        transit = now_s * 8000 - timestamp
        if self._transit is not None:
            # RFC 3550 A.8
            self.jitter_samples += (abs(transit - self._transit) - self.jitter_samples) / 16
        self._transit = transit
        if 1 < step <= MAX_FILLED + 1:
            gap = (timestamp - self._timestamp) & 0xFFFF_FFFF
            # Only where time jumped just as far: silence suppression leaves no hole in the sequence.
            if gap == (step - 1) * len(payload):
                self.audio(bytes([g711.ALAW_SILENCE]) * gap)
        self._timestamp = (timestamp + len(payload)) & 0xFFFF_FFFF
        table = self.laws[payload_type]
        self.audio(payload if table is None else payload.translate(table))
