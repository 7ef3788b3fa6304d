"""A-law octets as browsers and people take them: a WAV of 8 kHz and 16 bit, and the shape of the sound as a few peaks.

Pure Python: it runs in the server, a message of half a minute takes some milliseconds.
"""

from __future__ import annotations

import struct

RATE_HZ = 8000
_SILENCE = b"\xd5"


def _linear(octet: int) -> int:
    """G.711 A-law, even bits inverted as on the wire -> a sample of 16 bits."""
    code = octet ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    size = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return size if code & 0x80 else -size


_SAMPLES = [struct.pack("<h", _linear(octet)) for octet in range(256)]
#: How loud an octet is, in order: so that the loudest of many is found by ``max``.
_RANKS = bytes((octet ^ 0x55) & 0x7F for octet in range(256))
_LOUDEST = abs(_linear(0x7F ^ 0x55))
_HEIGHTS = [round(100 * abs(_linear((rank | 0x80) ^ 0x55)) / _LOUDEST) for rank in range(128)]


def head(octets: int) -> bytes:
    """Of a WAV with so many octets of samples of 16 bits, mono, 8 kHz."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + octets,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        RATE_HZ,
        2 * RATE_HZ,
        2,
        16,
        b"data",
        octets,
    )


def wav(alaw: bytes) -> bytes:
    """As a file."""
    return head(2 * len(alaw)) + b"".join([_SAMPLES[octet] for octet in alaw])


def silence(length_ms: int) -> bytes:
    """A-law octets of nothing."""
    return _SILENCE * (RATE_HZ * length_ms // 1000)


def peaks(alaw: bytes, count: int) -> list[int]:
    """The loudest of each of ``count`` equal stretches, 0 to 100; fewer where there are not so many octets."""
    ranks = alaw.translate(_RANKS)
    count = min(count, len(ranks))
    return [
        _HEIGHTS[max(ranks[len(ranks) * place // count : len(ranks) * (place + 1) // count])] for place in range(count)
    ]
