"""Target: any stream is cut into the same APDUs however it comes, and never more is held than one frame."""

from __future__ import annotations

from protocols.csta.framing import FrameReader, FramingError
from protocols.errors import RemoteProtocolError

LIMIT = 240
HEADER = 2


def cut(stream: bytes, sizes: list[int]) -> tuple[list[bytes], str]:
    """(APDUs, fault that ended it or "") of a stream that comes in pieces of these sizes, then the rest."""
    reader, found, at = FrameReader(LIMIT), [], 0
    for size in [*sizes, len(stream)]:
        piece = stream[at : at + size]
        at += len(piece)
        reader.feed(piece)
        try:
            while (apdu := reader.next_apdu()) is not None:
                assert apdu
                found.append(apdu)
        except FramingError as error:
            return found, str(error)
        except RemoteProtocolError as error:  # a bare ABRT whose length is none
            return found, str(error)
        assert reader.held < LIMIT + HEADER
    return found, ""


def check(octets: bytes) -> None:
    """The first eight octets are sizes of pieces, the rest is the stream."""
    sizes, stream = [1 + octet % 64 for octet in octets[:8]], octets[8:]
    whole = cut(stream, [])
    assert cut(stream, sizes) == whole
    assert cut(stream, [1] * len(stream)) == whole
    assert sum(map(len, whole[0])) <= len(stream)
