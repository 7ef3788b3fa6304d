"""ROSE APDUs (X.880) both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import ber, rose
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError
from protocols.rose import Invoke, Reject, ReturnError, ReturnResult

ARGUMENT = bytes.fromhex("30030A0102")

ROWS: list[tuple[rose.Apdu, str]] = [
    (Invoke(1, 211, ARGUMENT), "A10C020101 020200D3 30030A0102"),
    (Invoke(224, 5), "A107 020200E0 020105"),
    (Invoke(None, 21, ARGUMENT), "A10A 0500 020115 30030A0102"),
    (Invoke(7, 51, ARGUMENT, linked_id=3), "A10E 020107 800103 020133 30030A0102"),
    (Invoke(7, "1.3.12.0.218", ARGUMENT), "A10F 020107 06052B0C00815A 30030A0102"),
    (Invoke(1, 211, ARGUMENT, unknown=(b"\x05\x00",)), "A10E020101 020200D3 30030A0102 0500"),
    (ReturnResult(1, 211, b"\x05\x00"), "A20B020101 3006020200D30500"),
    (ReturnResult(1), "A203020101"),
    (ReturnResult(1, 71), "A208020101 3003020147"),
    (ReturnError(1, 1, bytes.fromhex("A0030A010C")), "A30B020101 020101 A0030A010C"),
    (ReturnError(1, 1), "A306020101 020101"),
    (Reject(1, ("invoke", 1)), "A406020101 810101"),
    (Reject(None, ("general", 2)), "A4050500 800102"),
    (Reject(9, ("returnResult", 0)), "A406020109 820100"),
    (Reject(9, ("returnError", 4)), "A406020109 830104"),
]


@pytest.mark.parametrize(("apdu", "octets"), ROWS)
def test_both_ways_whole_octet_by_octet_and_with_more_behind(apdu: rose.Apdu, octets: str) -> None:
    whole = bytes.fromhex(octets)
    assert rose.encode(apdu) == whole
    assert rose.decode(whole) == apdu
    for short in range(len(whole)):
        with pytest.raises(NeedMoreData):
            rose.decode(whole[:short])
    with pytest.raises(RemoteProtocolError, match="too many"):
        rose.decode(whole + b"\x05\x00")


READ_ONLY: list[tuple[str, rose.Apdu]] = [
    ("A180 020101 020200D3 3080 0A0102 0000 0000", Invoke(1, 211, ARGUMENT)),
    ("A10E 02020001 02030000D3 30030A0102", Invoke(1, 211, ARGUMENT)),
    ("A10D 020107 8100 020133 30030A0102", Invoke(7, 51, ARGUMENT)),
]


@pytest.mark.parametrize(("octets", "apdu"), READ_ONLY)
def test_tolerated_forms(octets: str, apdu: rose.Apdu) -> None:
    assert rose.decode(bytes.fromhex(octets)) == apdu


@pytest.mark.parametrize(
    "octets",
    ["A500", "30030A0102", "A100", "A103020101", "A10604010102010A", "A106020101040105", "A303020101", "A403020101"],
)
def test_what_is_none(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        rose.decode(bytes.fromhex(octets))


def test_a_result_needs_its_opcode() -> None:
    with pytest.raises(LocalProtocolError):
        rose.encode(ReturnResult(1, None, b"\x05\x00"))


def test_problems_in_words() -> None:
    assert rose.problem_text(("invoke", 1)) == "invoke: unrecognizedOperation"
    assert rose.problem_text(("invoke", 77)) == "invoke: 77"
    assert rose.problem_text(("_unknown", 1)) == "_unknown: 1"


IDS = st.integers(-(2**31), 2**31)
CODES = st.one_of(st.integers(-(2**31), 2**31), st.just("1.3.12.0.218"))
ELEMENTS = st.builds(ber.tlv, st.sampled_from([0x04, 0x30, 0xA4, 0xBF26]), st.binary(max_size=200))
APDUS = st.one_of(
    st.builds(Invoke, st.none() | IDS, CODES, st.none() | ELEMENTS, st.none() | IDS),
    st.builds(ReturnResult, IDS, CODES, st.none() | ELEMENTS),
    st.builds(ReturnError, IDS, CODES, st.none() | ELEMENTS),
    st.builds(Reject, st.none() | IDS, st.tuples(st.sampled_from(sorted(rose.PROBLEMS)), IDS)),
)


@given(APDUS)
def test_any_apdu_survives(apdu: rose.Apdu) -> None:
    assert rose.decode(rose.encode(apdu)) == apdu


@given(st.binary(max_size=40), st.sampled_from([b"", b"\xa1", b"\xa2", b"\xa3", b"\xa4"]))
def test_any_octets_are_an_apdu_or_short_or_malformed(octets: bytes, first: bytes) -> None:
    try:
        apdu = rose.decode(first + octets)
    except (NeedMoreData, RemoteProtocolError):
        return
    assert rose.decode(rose.encode(apdu)) == apdu
