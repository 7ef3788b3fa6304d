"""APDUs out of what a technician has: hex from a terminal, a recording or log in text, octets of a stream.

No I/O: text and octets in, ``Captured`` out. TCP segments of a packet capture are put together in segments.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from protocols import ber
from protocols.csta.apdus import APDUS, is_apdu, unframed
from protocols.csta.recording import Direction, Recorded, parse_line
from protocols.errors import NeedMoreData, RemoteProtocolError

MAX_APDU = 0x63FF
"""Octets; a longer frame would begin with the tag of an ABRT (see framing.py)."""
LENGTH_OCTETS = 2
LOST_HEADER = 0x80
"""First octet of an ABRT that lost its tag and length in a frame: ``00 03 80 01 00``."""


@dataclass(frozen=True)
class Captured:
    """One APDU as it was found; what the source does not tell is None or ""."""

    apdu: bytes
    direction: Direction | None = None
    at: datetime | None = None
    flow: str = ""
    """``10.0.0.5:40112 > 10.0.0.1:33333``: client and switch."""
    fault: str = ""
    """What is wrong: the octets are then no APDU, but what stood in its place."""


_SEPARATORS = str.maketrans("", "", " \t\r\n\f\v:,;-_")
_PREFIX = re.compile(r"(?:0[xX]|\\x)(?=[0-9A-Fa-f]{2})")
_NO_HEX = re.compile(r"[^0-9A-Fa-f]")


def octets_of(text: str) -> bytes:
    """The octets of hex digits, in either case, with or without blanks, colons, commas, ``0x``.

    RemoteProtocolError says what is wrong.
    """
    digits = text.translate(_SEPARATORS)
    if "x" in digits or "X" in digits:
        digits = _PREFIX.sub("", digits)
    if not digits:
        raise RemoteProtocolError("no octets")
    odd = _NO_HEX.search(digits)
    if odd is not None:
        raise RemoteProtocolError(f"no hex digit: {odd.group()!r}")
    if len(digits) % 2:
        raise RemoteProtocolError(f"an odd number of hex digits ({len(digits)})")
    return bytes.fromhex(digits)


def apdu_of(text: str) -> bytes:
    """One APDU in hex, with or without its 2-octet length."""
    return unframed(octets_of(text))


_HEX_LINE = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f \t:,-]*[0-9A-Fa-f]\s*(?:#.*)?")
_HEX_RUN = re.compile(r"(?:\b[0-9A-Fa-f]{2}[ :](?=[0-9A-Fa-f]{2}\b))+[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{2}){5,}\b")
_ARROW = re.compile(r"(?:^|[\s\]:])([<>])\s*$")


def of_text(lines: Iterable[str]) -> Iterator[Captured]:
    """APDUs of a recording, of lines of hex, or of a log that has APDUs in hex among its other words.

    A line of nothing but hex is an APDU, right or wrong; other lines that hold none are passed over.
    """
    for line in lines:
        text = line.strip()
        if _HEX_LINE.fullmatch(text):
            yield _of_hex(text.partition("#")[0])
            continue
        try:
            entry = parse_line(text)
        except RemoteProtocolError:
            yield from _of_log_line(text)
            continue
        if isinstance(entry, Recorded):
            yield Captured(unframed(entry.apdu), entry.direction, entry.at)


def _of_hex(text: str) -> Captured:
    try:
        return Captured(apdu_of(text))
    except RemoteProtocolError as error:
        return Captured(b"", fault=str(error))


def _of_log_line(text: str) -> Iterator[Captured]:
    for run in _HEX_RUN.finditer(text):
        apdu = apdu_of(run.group())
        if not is_apdu(apdu):
            continue
        try:
            after = ber.element(apdu, 0, len(apdu))[3]
        except (NeedMoreData, RemoteProtocolError):
            continue
        if after == len(apdu):
            arrow = _ARROW.search(text[: run.start()])
            yield Captured(apdu, Direction(arrow.group(1)) if arrow else None)


class StreamCutter:
    """One direction of a link, fed in pieces, cut into APDUs; goes on behind what it can't read.

    ``feed`` is given the pieces as they came (TCP segments): after octets that begin no frame it looks for one at the
    beginning of the next piece.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[tuple[bytes, str]]:
        """(APDU, "") or (octets, what is wrong with them)."""
        self._held += piece
        while self._held:
            try:
                found = self._next()
            except RemoteProtocolError as error:
                junk = bytes(self._held)
                self._held.clear()
                yield junk, str(error)
                return
            if found is None:
                return
            yield found, ""

    def end(self) -> Iterator[tuple[bytes, str]]:
        """What is left when the stream ends, or where octets of it are missing from the capture."""
        if self._held:
            yield bytes(self._held), f"{len(self._held)} octets of an APDU that is not all there"
        self._held.clear()

    def _next(self) -> bytes | None:
        held = self._held
        if held[0] in APDUS:  # bare: an ABRT of the PBX, or a file of unframed APDUs
            try:
                end = ber.element(bytes(held[: MAX_APDU + 1]), 0, min(len(held), MAX_APDU + 1))[3]
            except NeedMoreData:
                if len(held) > MAX_APDU:
                    raise RemoteProtocolError(f"bare APDU of more than {MAX_APDU} octets") from None
                return None
            return self._take(0, end)
        if len(held) <= LENGTH_OCTETS:
            return None
        length = int.from_bytes(held[:LENGTH_OCTETS], "big")
        if not 0 < length <= MAX_APDU:
            raise RemoteProtocolError(f"no frame: a length of {length}")
        first = held[LENGTH_OCTETS]
        if first not in APDUS and first != LOST_HEADER:
            raise RemoteProtocolError(f"no frame: a length of {length}, then tag {first:02X}")
        if len(held) < LENGTH_OCTETS + length:
            return None
        return self._take(LENGTH_OCTETS, LENGTH_OCTETS + length)

    def _take(self, start: int, end: int) -> bytes:
        apdu = bytes(self._held[start:end])
        del self._held[:end]
        return apdu


def of_octets(octets: bytes) -> Iterator[Captured]:
    """APDUs of one direction of a link, framed or bare, as a terminal program saves them."""
    cutter = StreamCutter()
    for piece in (cutter.feed(octets), cutter.end()):
        for apdu, fault in piece:
            yield Captured(apdu, fault=fault)
