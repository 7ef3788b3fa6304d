"""Escape services (ECMA-285): what carries a vendor's own messages."""

from __future__ import annotations

from protocols.asn1 import (
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    choice,
    explicit,
    may,
    must,
    sequence,
)
from protocols.csta.private import (
    CSTACommonArguments,
    CSTAPrivateData,
    CSTASecurityData,
)

EscapeRegisterID = explicit(0, OCTET_STRING)
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
