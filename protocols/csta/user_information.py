"""What the two sides tell each other about CSTA in AARQ and AARE (ECMA-285): versions, functions, private data."""

from __future__ import annotations

from protocols.asn1 import (
    BIT_STRING,
    INTEGER,
    alternative,
    bit_string,
    choice,
    implicit,
    may,
    must,
    sequence,
    sequence_of,
)

# ECMA-180 is 0, ECMA-218 1; a Panasonic KX announces versionFive only, which is ECMA-285 2nd edition. It sends 16 bits
# with that one set, not the minimal form.
CSTAVersion = bit_string(
    "CSTAVersion",
    """
    0 versionOne 1 versionTwo 2 versionThree 3 versionFour 4 versionFive 5 versionSix 6 versionSeven 7 versionEight
    8 versionNine 9 versionTen 10 versionEleven 11 versionTwelve 12 versionThirteen 13 versionFourteen
    14 versionFifteen 15 versionSixteen 16 versionSeventeen 17 versionEighteen 18 versionNineteen
    """,
)
CSTAFunctionality = sequence(
    "CSTAFunctionality",
    may("switchingFunctionServices", implicit(0, BIT_STRING)),
    may("eventReportServices", implicit(1, BIT_STRING)),
    may("computingFunctionServices", implicit(2, BIT_STRING)),
    may("bidirectionalServices", implicit(3, BIT_STRING)),
    may("statusReportingServices", implicit(4, BIT_STRING)),
    may("inputOutputServices", implicit(5, BIT_STRING)),
    may("voiceUnitServices", implicit(6, BIT_STRING)),
)
CSTAPrivateDataVersionList = sequence_of(INTEGER, "CSTAPrivateDataVersionList")
OldACSEUserInformationForCSTA = sequence(
    "OldACSEUserInformationForCSTA",
    must("cSTAVersion", CSTAVersion),
    must("cSTAFunctionsRequiredByApplication", CSTAFunctionality),
    must("cSTAFunctionsThatCanBeSupplied", CSTAFunctionality),
)
NewACSEUserInformationForCSTA = sequence(
    "NewACSEUserInformationForCSTA",
    must("cSTAVersion", CSTAVersion),
    may("cSTAFunctionsRequiredByApplication", implicit(0, CSTAFunctionality)),
    may("cSTAFunctionsThatCanBeSupplied", implicit(1, CSTAFunctionality)),
    may("cSTAPrivateDataVersionList", implicit(2, CSTAPrivateDataVersionList)),
)
ACSEUserInformationForCSTA = choice(
    "ACSEUserInformationForCSTA",
    alternative("oldDefinition", OldACSEUserInformationForCSTA),
    alternative("newDefinition", implicit(0, NewACSEUserInformationForCSTA)),
)
