"""Digits as named events in RTP (RFC 4733).

Sending: the event's packets all carry the timestamp of its start and a growing duration; the last is sent three times
(§2.5.1.4). Receiving: one digit per RTP timestamp, counted at the first packet that arrives, so that a lost start still
counts by its end and the tripled end does not count again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from construct import BitsInteger, BitStruct, Bytewise, ConstructError, Flag, Int8ub, Int16ub, Padding

from protocols.errors import LocalProtocolError, RemoteProtocolError

#: §3.2, events 0 to 15; 16 is a hook flash, the rest are tones and line signals that we do not take.
DIGITS = "0123456789*#ABCD"
END_REPEATS = 3
LONGEST = 0xFFFF

PAYLOAD = BitStruct(
    "event" / Bytewise(Int8ub),
    "end" / Flag,
    Padding(1),
    "volume" / BitsInteger(6),
    "duration" / Bytewise(Int16ub),
)


@dataclass(frozen=True)
class TelephoneEvent:
    """One payload. ``duration`` in samples since the event's start; ``volume`` in -dBm0 (0..63)."""

    event: int
    end: bool
    volume: int
    duration: int

    @property
    def digit(self) -> str | None:
        """The key, None for an event that is none."""
        return DIGITS[self.event] if self.event < len(DIGITS) else None


def decode(payload: bytes) -> TelephoneEvent:
    """The first event of a payload. RemoteProtocolError when it is too short."""
    try:
        found = PAYLOAD.parse(payload)
    except ConstructError as error:
        raise RemoteProtocolError(f"a telephone-event of {len(payload)} octets; four are needed") from error
    return TelephoneEvent(found.event, found.end, found.volume, found.duration)


def encode(event: TelephoneEvent) -> bytes:
    """The four octets of an event."""
    try:
        return bytes(PAYLOAD.build(vars(event)))
    except ConstructError as error:
        raise LocalProtocolError(f"{event} does not fit a telephone-event: {error}") from error


class EventReceiver:
    """Turns the packets of telephone events into digits, each once."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=8)
        self._open: tuple[int, int] | None = None

    def receive(self, timestamp: int, payload: bytes) -> str | None:
        """The digit that this packet begins, None when it was counted already or is no key.

        RemoteProtocolError for a payload that is too short.
        """
        event = decode(payload)
        known = timestamp in self._seen
        # §2.5.1.3: an event longer than the duration field goes on in a segment that starts where the last one ended.
        continued = not known and self._open == (event.event, timestamp)
        if not known:
            self._seen.append(timestamp)
        if not known or event.duration == LONGEST:
            self._open = (event.event, (timestamp + LONGEST) & 0xFFFF_FFFF) if event.duration == LONGEST else None
        if event.end:
            self._open = None
        return None if known or continued else event.digit


@dataclass(frozen=True)
class _Step:
    """One tick of a digit: its payload and marker, or None in the gap after it."""

    payload: bytes | None
    first: bool = False
    offset: int = 0  # samples since the event's start


class EventSender:
    """Cuts digits into packets, one for every tick; whoever sends them asks ``next_step`` while ``busy``."""

    def __init__(self, samples_per_tick: int = 160, volume: int = 10) -> None:
        self._samples = samples_per_tick
        self._volume = volume
        self._steps: deque[_Step] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._steps)

    def queue(self, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Add digits; each lasts ``duration_ms`` (rounded up to ticks), with ``gap_ms`` after it.

        LocalProtocolError for a character that is no key.
        """
        unknown = [digit for digit in digits if digit.upper() not in DIGITS]
        if unknown:
            raise LocalProtocolError(f"{unknown[0]!r} is no key; the keys are {DIGITS}")
        ticks = max(1, -(-duration_ms * 8 // self._samples))
        gap = max(0, -(-gap_ms * 8 // self._samples) - (END_REPEATS - 1))
        for digit in digits.upper():
            event = DIGITS.index(digit)
            for tick in range(ticks + END_REPEATS - 1):
                duration = min((min(tick, ticks - 1) + 1) * self._samples, LONGEST)
                payload = encode(TelephoneEvent(event, tick >= ticks - 1, self._volume, duration))
                self._steps.append(_Step(payload, tick == 0, tick * self._samples))
            self._steps.extend([_Step(None)] * gap)

    def next_step(self) -> _Step:
        """What to send in this tick; only while ``busy``."""
        return self._steps.popleft()
