"""The text form of a recorded CSTA session: one APDU a line, for replaying, for decoding, for a bug report.

    # from: KX-TDE100, firmware 4.0                       (a comment, also at the end of a line)
    2023-11-23T03:26:00.125Z > 60 23 80 02 07 80 ...      (client to switch; the time, aware UTC, may be missing)
    < A1 0C 02 01 01 02 02 00 D3 30 03 0A 01 02           (switch to client)
    |                                                     (the connection ended; the next line belongs to a new one)

The octets are the APDU alone, without its 2-octet length. No I/O here: text in, values out, and back.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from protocols.errors import RemoteProtocolError


class Direction(enum.Enum):
    TO_SWITCH = ">"
    TO_CLIENT = "<"

    @property
    def opposite(self) -> Direction:
        return Direction.TO_CLIENT if self is Direction.TO_SWITCH else Direction.TO_SWITCH


@dataclass(frozen=True)
class Recorded:
    """One APDU of a session. ``at`` is None where the recording has no times."""

    direction: Direction
    apdu: bytes
    at: datetime | None = None


@dataclass(frozen=True)
class ConnectionEnded:
    """The TCP connection or serial line was closed here."""

    at: datetime | None = None


Entry = Recorded | ConnectionEnded

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)?\s*"
    r"(?:(?P<way>[<>])\s*(?P<hex>[0-9A-Fa-f\s]+)|(?P<end>\|))"
)


def format_apdu(direction: Direction, apdu: bytes, at: datetime | None = None) -> str:
    """One line, without its line end."""
    return f"{_time(at)}{direction.value} {apdu.hex(' ').upper()}"


def format_end(at: datetime | None = None) -> str:
    """The line that says that the connection ended."""
    return f"{_time(at)}|"


def format_entry(entry: Entry) -> str:
    if isinstance(entry, ConnectionEnded):
        return format_end(entry.at)
    return format_apdu(entry.direction, entry.apdu, entry.at)


def _time(at: datetime | None) -> str:
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") + " "


def parse_line(line: str) -> Entry | None:
    """What one line says; None for a comment or a blank line. RemoteProtocolError says what is wrong with it."""
    text = line.partition("#")[0].strip()
    if not text:
        return None
    found = _LINE.fullmatch(text)
    if found is None:
        raise RemoteProtocolError(f"no line of a recording ([time] > HEX, [time] < HEX, |, # comment): {text[:60]!r}")
    at = None
    if found["time"]:
        try:
            at = datetime.fromisoformat(found["time"])
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise RemoteProtocolError(f"no time: {found['time']!r}: {error}") from None
    if found["end"]:
        return ConnectionEnded(at)
    digits = "".join(found["hex"].split())
    if len(digits) % 2:
        raise RemoteProtocolError(f"an odd number of hex digits ({len(digits)})")
    return Recorded(Direction(found["way"]), bytes.fromhex(digits), at)


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a recording in order; RemoteProtocolError names the line."""
    for number, line in enumerate(lines, 1):
        try:
            entry = parse_line(line)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"line {number}: {error}") from None
        if entry is not None:
            yield entry
