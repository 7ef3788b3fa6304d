"""I/O services (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    IA5_STRING,
    INTEGER,
    OCTET_STRING,
    alternative,
    choice,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    sequence,
)
from protocols.csta.causes import EventCause
from protocols.csta.device_kinds import DisplayID
from protocols.csta.identifiers import CSTAObject, DeviceID
from protocols.csta.private import CSTACommonArguments

IORegisterReqID = OCTET_STRING  # assumed: the tables name it only
IORegisterArgument = sequence(
    "IORegisterArgument",
    may("ioDevice", DeviceID),
    may("extensions", CSTACommonArguments),
)
IORegisterResult = sequence(
    "IORegisterResult",
    must("ioRegisterReqID", IORegisterReqID),
    may("extensions", CSTACommonArguments),
)
DataPathDirection = enumerated(
    "DataPathDirection", "0 computeFunctionToObject 1 objectToComputeFunction 2 bidirectional"
)
DataPathType = enumerated("DataPathType", "0 text 1 voice")
StartDataPathArgument = sequence(
    "StartDataPathArgument",
    may("ioRegisterReqID", IORegisterReqID),
    must("object", CSTAObject),
    may("dataPathDirection", implicit(0, DataPathDirection)),
    may("dataPathType", implicit(1, DataPathType)),
    may("displayID", DisplayID),
    may("numberOfCharactersToCollect", implicit(2, INTEGER)),
    may("terminationCharacter", IA5_STRING),
    may("timeout", implicit(3, INTEGER)),
    may("extensions", CSTACommonArguments),
)
IOCrossRefID = choice(
    "IOCrossRefID",
    alternative("switchProvided", explicit(0, OCTET_STRING)),
    alternative("computerProvided", explicit(1, OCTET_STRING)),
)
StartDataPathResult = sequence(
    "StartDataPathResult",
    must("ioCrossRefID", IOCrossRefID),
    may("numberOfCharactersToCollect", implicit(0, INTEGER)),
    may("terminationCharacter", IA5_STRING),
    may("timeout", implicit(1, INTEGER)),
    may("extensions", CSTACommonArguments),
)
StopDataPathArgument = sequence(
    "StopDataPathArgument",
    must("ioCrossRefID", IOCrossRefID),
    may("ioRegisterReqID", IORegisterReqID),
    may("extensions", CSTACommonArguments),
)
DisplayAttributeList = sequence(
    "DisplayAttributeList",
    may("physicalBaseRowNumber", implicit(0, INTEGER)),
    may("physicalBaseColumnNumber", implicit(1, INTEGER)),
    may("offset", implicit(2, INTEGER)),
)
SendDataArgument = sequence(
    "SendDataArgument",
    must("ioCrossRefID", IOCrossRefID),
    may("ioRegisterReqID", implicit(0, IORegisterReqID)),
    may("displayAttributes", DisplayAttributeList),
    must("ioData", OCTET_STRING),
    may("ioCause", EventCause),
    may("extensions", CSTACommonArguments),
)
DisplayAttribute = sequence(
    "DisplayAttribute",
    may("displayID", DisplayID),
    may("physicalBaseRowNumber", implicit(0, INTEGER)),
    may("physicalBaseColumnNumber", implicit(1, INTEGER)),
    may("offset", implicit(2, INTEGER)),
)
FastDataArgument = sequence(
    "FastDataArgument",
    may("ioRegisterReqID", IORegisterReqID),
    must("object", CSTAObject),
    may("dataPathType", DataPathType),
    may("displayAttributes", DisplayAttribute),
    must("ioData", OCTET_STRING),
    may("extensions", CSTACommonArguments),
)
