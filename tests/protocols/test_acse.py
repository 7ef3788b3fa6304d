"""ACSE APDUs (X.227) both ways; the octets of real Panasonic links are the first rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import acse
from protocols.errors import NeedMoreData, RemoteProtocolError

USER_INFORMATION = [
    {
        "direct-reference": "1.3.12.0.285.200",
        "encoding": ("single-ASN1-type", bytes.fromhex("A00503 03000800")),
    }
]
CONTEXT = {"protocol-version": "1", "application-context-name": "1.3.12.0.218"}

ROWS: list[tuple[str, dict[str, Any], str]] = [
    (
        "aarq",
        {**CONTEXT, "user-information": USER_INFORMATION},
        "60 23 80 02 07 80 A1 07 06 05 2B 0C 00 81 5ABE 14 28 12 06 07 2B 0C 00 82 1D 81 48 A0 07 A0 05 03 03 00 08 00",
    ),
    (
        "aare",
        {
            **CONTEXT,
            "result": 0,
            "result-source-diagnostic": ("acse-service-user", 1),
            "user-information": USER_INFORMATION,
        },
        "61 2F 80 02 07 80 A1 07 06 05 2B 0C 00 81 5A A2 03 02 01 00 A3 05 A1 03 02 01 01"
        "BE 14 28 12 06 07 2B 0C 00 82 1D 81 48 A0 07 A0 05 03 03 00 08 00",
    ),
    ("abrt", {"abort-source": 0}, "64 03 80 01 00"),
    ("abrt", {"abort-source": 1, "abort-diagnostic": "protocol-error"}, "64 06 80 01 01 81 01 02"),
    ("abrt", {"abort-source": 0, "abort-diagnostic": 9}, "64 06 80 01 00 81 01 09"),
    ("rlrq", {"reason": 0}, "62 03 80 01 00"),
    ("rlrq", {}, "62 00"),
    ("rlre", {"reason": 30}, "63 03 80 01 1E"),
    (
        "aarq",
        {
            "application-context-name": "1.3.12.0.218",
            "called-AP-title": bytes.fromhex("A20406022B0C"),
            "sender-acse-requirements": "1",
            "mechanism-name": "1.2.3",
            "calling-authentication-value": ("charstring", "secret"),
            "implementation-information": "x",
        },
        "60 24 A1 07 06 05 2B 0C 00 81 5A A2 04 06 02 2B 0C 8A 02 07 80 8B 02 2A 03 AC 08 80 06 73 65 63 72 65 74"
        "9D 01 78",
    ),
    (
        "aare",
        {
            **CONTEXT,
            "result": 1,
            "result-source-diagnostic": ("acse-service-provider", 2),
            "user-information": [{"encoding": ("octet-aligned", b"\x01")}, {"encoding": ("arbitrary", "101")}],
        },
        "61 26 80 02 07 80 A1 07 06 05 2B 0C 00 81 5A A2 03 02 01 01 A3 05 A2 03 02 01 02"
        "BE 0B 28 03 81 01 01 28 04 82 02 05 A0",
    ),
]


@pytest.mark.parametrize(("name", "value", "octets"), ROWS)
def test_both_ways_whole_octet_by_octet_and_with_more_behind(name: str, value: dict[str, Any], octets: str) -> None:
    whole = bytes.fromhex(octets)
    assert acse.encode(name, value) == whole
    assert acse.decode(whole) == (name, value)
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            acse.decode(whole[:short])
    with pytest.raises(RemoteProtocolError, match="too many"):
        acse.decode(whole + b"\x00")


def test_a_minimal_request_with_a_nonsense_version_is_read() -> None:
    """A client in production sends 64 bits of ASCII as protocol-version and no user information; PBXs take it."""
    octets = bytes.fromhex("60 14 80 09 00") + b"version3" + bytes.fromhex("A1 07 06 05 2B 0C 00 81 5A")
    name, value = acse.decode(octets)
    assert (name, value["application-context-name"]) == ("aarq", "1.3.12.0.218")
    assert len(value["protocol-version"]) == 64
    assert acse.encode(name, value) == octets


@pytest.mark.parametrize("octets", ["6500", "6000", "6100", "6400", "6403800200", "600780050000000000"])
def test_what_is_none(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        acse.decode(bytes.fromhex(octets))


@given(st.binary(max_size=60), st.sampled_from([b"", *(bytes((first,)) for first in acse.APDUS)]))
def test_any_octets_are_an_apdu_or_short_or_malformed(octets: bytes, first: bytes) -> None:
    try:
        name, value = acse.decode(first + octets)
    except (NeedMoreData, RemoteProtocolError):
        return
    assert acse.decode(acse.encode(name, value)) == (name, value)
