"""Where a party is (ECMA-285 4th edition): lists that events and snapshots of that edition may carry.

UsageRules, Method and ProvidedBy are only named by our sources and kept whole.
"""

from __future__ import annotations

from protocols.asn1 import IA5_STRING, OCTET_STRING, implicit, may, must, raw, sequence, sequence_of

GpLocationInfo = sequence(
    "GpLocationInfo",
    must(
        "civicLocGml",
        sequence(
            "civicLocGml",
            must("gmlFormat", OCTET_STRING),
            may(
                "civicLoc",
                sequence(
                    "civicLoc",
                    must("country", IA5_STRING),
                    may("a1", implicit(0, IA5_STRING)),
                    may("a2", implicit(1, IA5_STRING)),
                    may("a3", implicit(2, IA5_STRING)),
                    may("a4", implicit(3, IA5_STRING)),
                    may("a5", implicit(4, IA5_STRING)),
                    may("a6", implicit(5, IA5_STRING)),
                    may("prd", implicit(6, IA5_STRING)),
                    may("pod", implicit(7, IA5_STRING)),
                    may("sts", implicit(8, IA5_STRING)),
                    may("hno", implicit(9, IA5_STRING)),
                    may("hns", implicit(10, IA5_STRING)),
                    may("lmk", implicit(11, IA5_STRING)),
                    may("loc", implicit(12, IA5_STRING)),
                    may("flr", implicit(13, IA5_STRING)),
                    may("nam", implicit(14, IA5_STRING)),
                    may("pc", implicit(15, IA5_STRING)),
                ),
            ),
        ),
    ),
)
GpLocationInfoList = sequence_of(GpLocationInfo, "GpLocationInfoList")
GeoPriv = sequence(
    "GeoPriv",
    must("gpLocationInfo", GpLocationInfoList),
    may("usageRules", raw(0)),
    may("method", raw(1)),
    may("providedBy", raw(2)),
)
LocationInfo = sequence_of(GeoPriv, "LocationInfo")
LocationInfoList = sequence_of(LocationInfo, "LocationInfoList")
