"""X.227 association control: AARQ, AARE, RLRQ, RLRE, ABRT as declared types.

Fields that no CSTA switch sends (AP titles, AE qualifiers) are declared so that they survive, mostly as raw elements.
"""

from __future__ import annotations

from typing import Any

from protocols.asn1 import (
    ANY,
    BIT_STRING,
    GRAPHIC_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    Type,
    alternative,
    application_implicit,
    bit_string,
    choice,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    raw,
    sequence,
    sequence_of,
)
from protocols.errors import NeedMoreData, RemoteProtocolError

External = implicit(
    8,
    sequence(
        "EXTERNAL",
        may("direct-reference", OBJECT_IDENTIFIER),
        may("indirect-reference", INTEGER),
        may("data-value-descriptor", implicit(7, GRAPHIC_STRING, tag_class=0, name="ObjectDescriptor")),
        must(
            "encoding",
            choice(
                "encoding",
                alternative("single-ASN1-type", explicit(0, ANY)),
                alternative("octet-aligned", implicit(1, OCTET_STRING)),
                alternative("arbitrary", implicit(2, BIT_STRING)),
            ),
        ),
    ),
    tag_class=0,
    name="EXTERNAL",
)
UserInformation = sequence_of(External, "user-information")
ProtocolVersion = bit_string("protocol-version", "0 version1")
Requirements = bit_string("acse-requirements", "0 authentication 1 aso-context-negotiation")
AuthenticationValue = choice(
    "authentication-value",
    alternative("charstring", implicit(0, GRAPHIC_STRING)),
    alternative("bitstring", implicit(1, BIT_STRING)),
    alternative("external", implicit(2, External)),
    alternative("other", raw(3)),
)

AARQ = application_implicit(
    0,
    sequence(
        "AARQ",
        may("protocol-version", implicit(0, ProtocolVersion)),
        must("application-context-name", explicit(1, OBJECT_IDENTIFIER)),
        may("called-AP-title", raw(2)),
        may("called-AE-qualifier", raw(3)),
        may("called-AP-invocation-identifier", explicit(4, INTEGER)),
        may("called-AE-invocation-identifier", explicit(5, INTEGER)),
        may("calling-AP-title", raw(6)),
        may("calling-AE-qualifier", raw(7)),
        may("calling-AP-invocation-identifier", explicit(8, INTEGER)),
        may("calling-AE-invocation-identifier", explicit(9, INTEGER)),
        may("sender-acse-requirements", implicit(10, Requirements)),
        may("mechanism-name", implicit(11, OBJECT_IDENTIFIER)),
        may("calling-authentication-value", explicit(12, AuthenticationValue)),
        may("application-context-name-list", raw(13)),
        may("implementation-information", implicit(29, GRAPHIC_STRING)),
        may("user-information", implicit(30, UserInformation)),
    ),
)

Diagnostic = choice(
    "result-source-diagnostic",
    alternative("acse-service-user", explicit(1, INTEGER)),
    alternative("acse-service-provider", explicit(2, INTEGER)),
)
AARE = application_implicit(
    1,
    sequence(
        "AARE",
        may("protocol-version", implicit(0, ProtocolVersion)),
        must("application-context-name", explicit(1, OBJECT_IDENTIFIER)),
        must("result", explicit(2, INTEGER)),
        must("result-source-diagnostic", explicit(3, Diagnostic)),
        may("responding-AP-title", raw(4)),
        may("responding-AE-qualifier", raw(5)),
        may("responding-AP-invocation-identifier", explicit(6, INTEGER)),
        may("responding-AE-invocation-identifier", explicit(7, INTEGER)),
        may("responder-acse-requirements", implicit(8, Requirements)),
        may("mechanism-name", implicit(9, OBJECT_IDENTIFIER)),
        may("responding-authentication-value", explicit(10, AuthenticationValue)),
        may("application-context-name-list", raw(11)),
        may("implementation-information", implicit(29, GRAPHIC_STRING)),
        may("user-information", implicit(30, UserInformation)),
    ),
)


def _release(number: int, name: str) -> Type:
    return application_implicit(
        number,
        sequence(name, may("reason", implicit(0, INTEGER)), may("user-information", implicit(30, UserInformation))),
    )


RLRQ = _release(2, "RLRQ")
RLRE = _release(3, "RLRE")

AbortDiagnostic = enumerated(
    "abort-diagnostic",
    """
    1 no-reason
    2 protocol-error
    3 authentication-mechanism-name-not-recognized
    4 authentication-mechanism-name-required
    5 authentication-failure
    6 authentication-required
    """,
)
ABRT = application_implicit(
    4,
    sequence(
        "ABRT",
        must("abort-source", implicit(0, INTEGER)),
        may("abort-diagnostic", implicit(1, AbortDiagnostic)),
        may("user-information", implicit(30, UserInformation)),
    ),
)

APDUS: dict[int, tuple[str, Type]] = {
    0x60: ("aarq", AARQ),
    0x61: ("aare", AARE),
    0x62: ("rlrq", RLRQ),
    0x63: ("rlre", RLRE),
    0x64: ("abrt", ABRT),
}

RESULTS = {0: "accepted", 1: "rejected-permanent", 2: "rejected-transient"}
ABORT_SOURCES = {0: "acse-service-user", 1: "acse-service-provider"}
DIAGNOSTICS: dict[str, dict[int, str]] = {
    "acse-service-user": dict(
        enumerate(
            (
                "null",
                "no-reason-given",
                "application-context-name-not-supported",
                "calling-AP-title-not-recognized",
                "calling-AP-invocation-identifier-not-recognized",
                "calling-AE-qualifier-not-recognized",
                "calling-AE-invocation-identifier-not-recognized",
                "called-AP-title-not-recognized",
                "called-AP-invocation-identifier-not-recognized",
                "called-AE-qualifier-not-recognized",
                "called-AE-invocation-identifier-not-recognized",
                "authentication-mechanism-name-not-recognized",
                "authentication-mechanism-name-required",
                "authentication-failure",
                "authentication-required",
            )
        )
    ),
    "acse-service-provider": {0: "null", 1: "no-reason-given", 2: "no-common-acse-version"},
}


def decode(octets: bytes) -> tuple[str, dict[str, Any]]:
    """Decode one whole APDU: (``aarq`` | ``aare`` | ``rlrq`` | ``rlre`` | ``abrt``, value).

    NeedMoreData while it is not all there, RemoteProtocolError when it is none.
    """
    if not octets:
        raise NeedMoreData
    if octets[0] not in APDUS:
        raise RemoteProtocolError(f"no ACSE APDU: tag {octets[0]:02X}")
    name, type_ = APDUS[octets[0]]
    value, after = type_.decode(octets)
    if after != len(octets):
        raise RemoteProtocolError(f"{len(octets) - after} octets too many after the {name} at octet {after}")
    return name, value


def encode(name: str, value: dict[str, Any]) -> bytes:
    """The octets of one APDU by the names that ``decode`` gives."""
    types = dict(APDUS.values())
    return types[name].encode(value)
