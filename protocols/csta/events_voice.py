"""Events of voice units (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import INTEGER, implicit, may, must, sequence
from protocols.csta.causes import EventCause
from protocols.csta.common import ServicesPermitted
from protocols.csta.device_kinds import MessageID, ResourceID
from protocols.csta.identifiers import ConnectionID
from protocols.csta.private import CSTACommonArguments

PlayEvent = sequence(
    "PlayEvent",
    must("connection", ConnectionID),
    must("message", MessageID),
    may("resource", implicit(3, ResourceID)),
    may("length", implicit(0, INTEGER)),
    may("currentPosition", implicit(1, INTEGER)),
    may("speed", implicit(2, INTEGER)),
    may("cause", EventCause),
    may("servicesPermitted", ServicesPermitted),
    may("extensions", CSTACommonArguments),
)
RecordEvent = sequence(
    "RecordEvent",
    must("connection", ConnectionID),
    must("message", MessageID),
    may("resource", implicit(2, ResourceID)),
    may("length", implicit(0, INTEGER)),
    may("currentPosition", implicit(1, INTEGER)),
    may("cause", EventCause),
    may("servicesPermitted", ServicesPermitted),
    may("extensions", CSTACommonArguments),
)
StopEvent = sequence(
    "StopEvent",
    must("connection", ConnectionID),
    must("message", MessageID),
    may("resource", implicit(2, ResourceID)),
    may("length", implicit(0, INTEGER)),
    may("currentPosition", implicit(1, INTEGER)),
    may("cause", EventCause),
    may("servicesPermitted", ServicesPermitted),
    may("extensions", CSTACommonArguments),
)
SuspendPlayEvent = sequence(
    "SuspendPlayEvent",
    must("connection", ConnectionID),
    must("message", MessageID),
    may("resource", implicit(2, ResourceID)),
    may("length", implicit(0, INTEGER)),
    may("currentPosition", implicit(1, INTEGER)),
    may("cause", EventCause),
    may("servicesPermitted", ServicesPermitted),
    may("extensions", CSTACommonArguments),
)
