"""CSTA sessions out of the TCP segments of a packet capture: reassembled, cut into APDUs, in the order of time.

Which end is the switch: the one that was connected to; where the capture began later, the one that an AARQ was sent to,
or the one with port 33333, or with the lower port. Connections that carry no APDU at all are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from protocols.csta.apdus import APDUS
from protocols.csta.capture import Captured, StreamCutter
from protocols.csta.panasonic import TCP_PORT
from protocols.csta.recording import Direction

End = tuple[str, int]
"""(address, TCP port)."""

MAX_HELD = 64
"""Segments that wait for one before them; then that one is missing from the capture."""
SEQUENCE_NUMBERS = 1 << 32


@dataclass(frozen=True)
class Segment:
    """One TCP segment. ``sequence`` is the number of its first octet (of the SYN itself for one)."""

    at: datetime
    source: End
    destination: End
    sequence: int
    payload: bytes
    syn: bool = False
    ack: bool = True
    ends: bool = False
    """FIN or RST."""


@dataclass
class _Half:
    """One direction of a connection: segments in order, each once."""

    cutter: StreamCutter = field(default_factory=StreamCutter)
    expected: int | None = None
    early: dict[int, Segment] = field(default_factory=dict)
    found: list[tuple[datetime, bytes, str]] = field(default_factory=list)
    last_at: datetime | None = None

    def take(self, segment: Segment) -> None:
        self.last_at = segment.at
        if segment.syn:
            self._gap()
            self.expected = (segment.sequence + 1) % SEQUENCE_NUMBERS
        if segment.payload:
            if self.expected is None:
                self.expected = segment.sequence
            self.early[segment.sequence] = segment
            self._in_order()
            if len(self.early) > MAX_HELD:
                self._skip()

    def finish(self) -> None:
        while self.early:
            self._skip()
        self._gap()

    def _in_order(self) -> None:
        while True:
            # Segments sent again may begin before what is expected, with or without something new at their end.
            due = next((number for number in self.early if _distance(self.expected or 0, number) <= 0), None)
            if due is None:
                return
            segment = self.early.pop(due)
            known = -_distance(self.expected or 0, due)
            fresh = segment.payload[known:]
            if fresh:
                self.expected = (due + len(segment.payload)) % SEQUENCE_NUMBERS
                self._found(segment.at, self.cutter.feed(fresh))

    def _skip(self) -> None:
        """Go on behind octets that the capture does not have."""
        self._gap()
        self.expected = min(self.early, key=lambda number: _distance(self.expected or 0, number))
        self._in_order()

    def _gap(self) -> None:
        if self.last_at is not None:
            self._found(self.last_at, self.cutter.end())

    def _found(self, at: datetime, pieces: Iterable[tuple[bytes, str]]) -> None:
        for apdu, fault in pieces:
            if self.found:
                at = max(at, self.found[-1][0])  # what waited for a segment sent again came with that one
            self.found.append((at, apdu, fault))


def _distance(expected: int, number: int) -> int:
    """How far ``number`` lies ahead of ``expected``, negative behind it; sequence numbers wrap."""
    ahead = (number - expected) % SEQUENCE_NUMBERS
    return ahead - SEQUENCE_NUMBERS if ahead >= SEQUENCE_NUMBERS // 2 else ahead


@dataclass
class _Connection:
    halves: dict[End, _Half]
    client: End | None = None
    ended: bool = False


def apdus(segments: Iterable[Segment]) -> list[Captured]:
    """All APDUs of all CSTA connections, by time; faults only of connections that have an APDU."""
    open_now: dict[frozenset[End], _Connection] = {}
    connections: list[_Connection] = []
    for segment in segments:
        key = frozenset((segment.source, segment.destination))
        connection = open_now.get(key)
        opens = segment.syn and not segment.ack
        if connection is None or (opens and connection.ended):
            connection = _Connection({segment.source: _Half(), segment.destination: _Half()})
            open_now[key] = connection
            connections.append(connection)
        if opens:
            connection.client = segment.source
        elif segment.syn and connection.client is None:
            connection.client = segment.destination
        connection.ended = connection.ended or segment.ends
        connection.halves[segment.source].take(segment)
    found = [each for connection in connections for each in _of_connection(connection)]
    return sorted(found, key=_time)


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _time(captured: Captured) -> datetime:
    return captured.at or _BEGINNING


def _of_connection(connection: _Connection) -> Iterator[Captured]:
    for half in connection.halves.values():
        half.finish()
    if not any(not fault for half in connection.halves.values() for _, _, fault in half.found):
        return
    client = connection.client or _guessed_client(connection)
    switch = next((end for end in connection.halves if end != client), client)
    flow = f"{_text(client)} > {_text(switch)}"
    for end, half in connection.halves.items():
        direction = Direction.TO_SWITCH if end == client else Direction.TO_CLIENT
        for at, apdu, fault in half.found:
            yield Captured(apdu, direction, at, flow, fault)


def _guessed_client(connection: _Connection) -> End:
    """The end that sent an AARQ, or that has not the switch's port."""
    for end, half in connection.halves.items():
        if any(not fault and APDUS.get(apdu[0], ("",))[0] == "aarq" for _, apdu, fault in half.found):
            return end
    return max(connection.halves, key=lambda end: (end[1] != TCP_PORT, end[1]))


def _text(end: End) -> str:
    address, port = end
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
