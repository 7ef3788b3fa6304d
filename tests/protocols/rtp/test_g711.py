"""G.711 tables against the recommendation's figures and, where Python still has it, an independent codec."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from protocols.rtp import g711

ALL_LINEAR = np.arange(-32768, 32768, dtype="<i2").tobytes()
ALL_CODES = bytes(range(256))


def ulaw(linear: bytes) -> bytes:
    """By the table that the translation of one law into the other is made of."""
    return g711.LINEAR_ULAW[np.frombuffer(linear, "<i2").view(np.uint16)].tobytes()


def ulaw_linear() -> bytes:
    return g711.ULAW_LINEAR.astype("<i2").tobytes()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="audioop left the standard library in 3.13")
def test_every_value_agrees_with_an_independent_codec() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    assert g711.decode_alaw(ALL_CODES) == audioop.alaw2lin(ALL_CODES, 2)
    assert ulaw_linear() == audioop.ulaw2lin(ALL_CODES, 2)
    assert g711.encode_alaw(ALL_LINEAR) == audioop.lin2alaw(ALL_LINEAR, 2)
    assert ulaw(ALL_LINEAR) == audioop.lin2ulaw(ALL_LINEAR, 2)


@pytest.mark.parametrize(
    ("linear", "alaw", "mu_law"),
    [(0, 0xD5, 0xFF), (-1, 0x55, 0x7E), (32767, 0xAA, 0x80), (-32768, 0x2A, 0x00), (1000, 0xFA, 0xCE)],
)
def test_known_values(linear: int, alaw: int, mu_law: int) -> None:
    octets = int(linear).to_bytes(2, "little", signed=True)
    assert g711.encode_alaw(octets) == bytes([alaw])
    assert ulaw(octets) == bytes([mu_law])


def test_codes_survive_linear() -> None:
    assert g711.encode_alaw(g711.decode_alaw(ALL_CODES)) == ALL_CODES
    # mu-law has two zeros, and both are the linear 0
    assert ulaw(ulaw_linear()) == ALL_CODES.replace(b"\x7f", b"\xff")


def test_one_law_into_the_other_is_by_way_of_linear() -> None:
    assert ALL_CODES.translate(g711.ALAW_TO_ULAW) == ulaw(g711.decode_alaw(ALL_CODES))
    assert ALL_CODES.translate(g711.ULAW_TO_ALAW) == g711.encode_alaw(ulaw_linear())


def test_loudness() -> None:
    assert g711.mean_square(b"") == 0.0
    assert g711.mean_square(b"\xd5\x55") == 64.0
