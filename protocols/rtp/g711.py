"""G.711 (ITU-T): A-law and mu-law against 16-bit linear samples, by tables made once with numpy.

Octets are as they go over the wire (A-law with even bits inverted, mu-law complemented); linear audio is little-endian
signed 16 bit, as in a WAV file. Rounding of negative values is that of the widespread Sun code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: The quietest code word of each law: what to send when there is nothing to say.
ALAW_SILENCE = 0xD5
ULAW_SILENCE = 0xFF

_CODES = np.arange(256, dtype=np.int32)


def _alaw_linear() -> npt.NDArray[np.int16]:
    code = _CODES ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_linear() -> npt.NDArray[np.int16]:
    code = ~_CODES & 0xFF
    magnitude = (((code & 15) << 3) + 0x84 << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _segment(magnitude: npt.NDArray[np.int32], first_end: int) -> npt.NDArray[np.int32]:
    """Number of the segment (0..7, 8 is overload) that holds each magnitude; segments double from ``first_end``."""
    ends = np.array([((first_end + 1) << n) - 1 for n in range(8)], dtype=np.int32)
    return np.searchsorted(ends, magnitude).astype(np.int32)


def _alaw_code() -> npt.NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32) >> 3
    magnitude = np.where(linear >= 0, linear, -linear - 1)
    segment = _segment(magnitude, 0x1F)
    step = (magnitude >> np.maximum(segment, 1)) & 15
    code = np.where(segment >= 8, 0x7F, (segment << 4) | step)
    return (code ^ np.where(linear >= 0, 0xD5, 0x55)).astype(np.uint8)


def _ulaw_code() -> npt.NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32) >> 2
    magnitude = np.minimum(np.abs(linear), 8159) + (0x84 >> 2)
    segment = _segment(magnitude, 0x3F)
    step = (magnitude >> (segment + 1)) & 15
    code = np.where(segment >= 8, 0x7F, (segment << 4) | step)
    return (code ^ np.where(linear >= 0, 0xFF, 0x7F)).astype(np.uint8)


#: code word -> linear, and linear (as unsigned 16 bit index) -> code word
ALAW_LINEAR, ULAW_LINEAR = _alaw_linear(), _ulaw_linear()
LINEAR_ALAW, LINEAR_ULAW = np.roll(_alaw_code(), 32768), np.roll(_ulaw_code(), 32768)

#: For ``bytes.translate``: one law into the other.
ALAW_TO_ULAW = bytes(LINEAR_ULAW[ALAW_LINEAR.view(np.uint16)])
ULAW_TO_ALAW = bytes(LINEAR_ALAW[ULAW_LINEAR.view(np.uint16)])


def decode_alaw(octets: bytes) -> bytes:
    """A-law octets as linear samples, two octets each."""
    return ALAW_LINEAR[np.frombuffer(octets, np.uint8)].astype("<i2").tobytes()


def encode_alaw(linear: bytes) -> bytes:
    """Linear samples as A-law octets; a trailing odd octet is an error (ValueError)."""
    return LINEAR_ALAW[np.frombuffer(linear, "<i2").astype(np.int16).view(np.uint16)].tobytes()


def mean_square(alaw: bytes) -> float:
    """Mean of the squared linear samples of A-law octets, 0.0 for none: how loud it is."""
    return float(_ALAW_SQUARE[np.frombuffer(alaw, np.uint8)].mean()) if alaw else 0.0


_ALAW_SQUARE = ALAW_LINEAR.astype(np.float64) ** 2
