"""Target: any octets are a value, short, or malformed, for every declared type; a value survives its own octets."""

from __future__ import annotations

from protocols import acse, rose
from protocols.asn1 import Type, unknown_parts
from protocols.csta import causes, operations
from protocols.errors import NeedMoreData, RemoteProtocolError

TYPES: tuple[Type, ...] = (
    *(operation.argument for operation in operations.DECLARED),
    *(operation.result for operation in operations.DECLARED),
    causes.UniversalFailure,
    *(type_ for _, type_ in acse.APDUS.values()),
)


def check(octets: bytes) -> None:
    """The first octet chooses a type, the rest is what it is to read; then the same octets as a whole APDU."""
    if octets:
        _value(TYPES[octets[0] % len(TYPES)], octets[1:])
    _apdu(octets)


def _value(type_: Type, octets: bytes) -> None:
    try:
        value, after = type_.decode(octets)
    except (NeedMoreData, RemoteProtocolError):
        return
    assert 0 < after <= len(octets)
    again = type_.encode(value)
    assert type_.decode_all(again) == value
    assert type_.encode(type_.decode_all(again)) == again
    unknown_parts(type_, value)


def _apdu(octets: bytes) -> None:
    try:
        apdu = rose.decode(octets)
    except (NeedMoreData, RemoteProtocolError):
        try:
            name, value = acse.decode(octets)
        except (NeedMoreData, RemoteProtocolError):
            return
        assert acse.decode(acse.encode(name, value)) == (name, value)
        return
    assert rose.decode(rose.encode(apdu)) == apdu
    if isinstance(apdu, rose.Invoke) and apdu.argument is not None:
        _value(operations.by_code(apdu.opcode).argument, apdu.argument)
    if isinstance(apdu, rose.ReturnResult) and apdu.result is not None and apdu.opcode is not None:
        _value(operations.by_code(apdu.opcode).result, apdu.result)
