"""How CSTA APDUs stand on a TCP stream of a Panasonic PBX: a 2-octet big-endian length before each, nothing else.

The same frames stand on a serial line that carries every octet as it is; that is a convention of ours (serial_line.py).

One exception: an ABRT comes without the length, as the bare octets ``64 03 80 01 00`` (inferred from a client in
production). 0x64 cannot begin a length, since that would be a frame of 25600 octets, so at the start of a frame it is
taken as a bare ABRT.
"""

from __future__ import annotations

from construct import GreedyBytes, Int16ub, Prefixed

from protocols import ber
from protocols.errors import NeedMoreData, RemoteProtocolError

LENGTH = Int16ub
FRAME = Prefixed(LENGTH, GreedyBytes)

BARE_ABORT = 0x64
MAX_BARE_ABORT = 240  # octets; one longer than that is read over and over, and no ABRT
MAX_LENGTH = 0x63FF  # a frame that began with 0x64 would be taken for a bare ABRT


class FramingError(RemoteProtocolError):
    """What came is no frame. There is no finding the next one in a stream: the link must be dropped."""


class EmptyFrame(FramingError):
    """A frame of no octets."""

    def __init__(self) -> None:
        super().__init__("empty frame")


class FrameTooLong(FramingError):
    """A frame (or a bare ABRT) of more octets than are taken."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what}; at most {limit} are taken")
        self.limit = limit


def frame(apdu: bytes) -> bytes:
    """The octets of one APDU on the link."""
    octets: bytes = FRAME.build(apdu)
    return octets


class FrameReader:
    """Cuts a stream into APDUs; never holds more than one frame of ``max_apdu`` octets beyond what it was last fed."""

    def __init__(self, max_apdu: int) -> None:
        self._max_apdu = min(max_apdu, MAX_LENGTH)
        self._held = bytearray()

    @property
    def held(self) -> int:
        """How many octets have not been taken: once ``next_apdu`` gave None, those of a frame that has only begun."""
        return len(self._held)

    def feed(self, octets: bytes) -> None:
        self._held += octets

    def next_apdu(self) -> bytes | None:
        """The next whole APDU, None when more octets are needed; FramingError for what is no frame."""
        held = self._held
        if not held:
            return None
        if held[0] == BARE_ABORT:
            return self._bare_abort()
        if len(held) < LENGTH.sizeof():
            return None
        length = LENGTH.parse(bytes(held[: LENGTH.sizeof()]))
        if not length:
            raise EmptyFrame
        if length > self._max_apdu:
            raise FrameTooLong(f"frame of {length} octets", self._max_apdu)
        end = LENGTH.sizeof() + length
        if len(held) < end:
            return None
        return self._take(LENGTH.sizeof(), end)

    def _bare_abort(self) -> bytes | None:
        limit = min(self._max_apdu, MAX_BARE_ABORT)
        held = bytes(self._held[:limit])
        try:
            end = ber.element(held, 0, len(held))[3]
        except NeedMoreData:
            if len(held) == limit:
                raise FrameTooLong(f"bare ABRT of more than {limit} octets", limit) from None
            return None
        return self._take(0, end)

    def _take(self, start: int, end: int) -> bytes:
        apdu = bytes(self._held[start:end])
        del self._held[:end]
        return apdu
