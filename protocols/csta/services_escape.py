"""Escape services (ECMA-285): what carries a vendor's own messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from protocols.asn1 import INTEGER, NULL, OCTET_STRING, alternative, choice, explicit, may, must, sequence
from protocols.csta.private import CSTACommonArguments, CSTAPrivateData, CSTASecurityData

_REGISTER_ID = explicit(0, OCTET_STRING, name="EscapeRegisterID")


def _read_register_id(octets: bytes, tag: int, start: int, stop: int) -> Any:
    if tag == 0x40:  # [APPLICATION 0] IMPLICIT: the octets themselves
        return OCTET_STRING.read(octets, tag, start, stop)
    return _REGISTER_ID.read(octets, tag, start, stop)


# Written as the standard has it; a client in production has [APPLICATION 0], so that is read as well (trap 7).
EscapeRegisterID = replace(_REGISTER_ID, accepts=_REGISTER_ID.accepts | {0x40, 0x60}, read=_read_register_id)
EscapeArgument = sequence(
    "EscapeArgument",
    may("escapeRegisterID", EscapeRegisterID),
    may("security", CSTASecurityData),
    must("privateData", CSTAPrivateData),
)
EscapeResult = choice(
    "EscapeResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
EscapeRegisterArgument = choice(
    "EscapeRegisterArgument",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
EscapeRegisterResult = sequence(
    "EscapeRegisterResult",
    must("escapeRegisterID", EscapeRegisterID),
    may("extensions", CSTACommonArguments),
)
EscapeRegisterCancelArgument = sequence(
    "EscapeRegisterCancelArgument",
    must("escapeRegisterID", EscapeRegisterID),
    may("extensions", CSTACommonArguments),
)
PrivateDataVersionSelectionArgument = INTEGER
