"""The CSTA codec: APDUs per second, decode and encode, next to asn1tools doing the same with the same events.

Equal work: from the octets of an APDU, ROSE invoke to event report to every field of the event, to Python values, and
back. asn1tools compiles the schema below, which has the fields that the events use and the optional ones between them;
ours runs its whole tables. Before anything is timed, the values and the octets of the two are compared. Rounds of the
two take turns; the figures are medians. Exits with 1 when they disagree, or when ours is not twice as fast.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import asn1tools

from protocols import rose
from protocols.csta import operations
from protocols.csta.panasonic import connection_id, device_number, dialing_number

WANTED_RATIO = 2.0

SCHEMA = """
Bench DEFINITIONS ::= BEGIN

Rose ::= CHOICE { invoke [1] IMPLICIT Invoke }
Invoke ::= SEQUENCE {
  invokeId CHOICE { present INTEGER, absent NULL },
  linkedId CHOICE { present [0] IMPLICIT INTEGER, absent [1] IMPLICIT NULL } OPTIONAL,
  opcode CHOICE { local INTEGER, global OBJECT IDENTIFIER },
  argument CSTAEventReportArgument
}
CSTAEventReportArgument ::= SEQUENCE {
  crossRefIdentifier [APPLICATION 21] IMPLICIT OCTET STRING,
  eventSpecificInfo CHOICE {
    callControlEvents [0] CHOICE {
      connectionCleared [3] IMPLICIT ConnectionClearedEvent,
      delivered [4] IMPLICIT DeliveredEvent,
      established [7] IMPLICIT EstablishedEvent,
      failed [8] IMPLICIT FailedEvent,
      networkReached [11] IMPLICIT NetworkReachedEvent,
      originated [13] IMPLICIT OriginatedEvent,
      serviceInitiated [16] IMPLICIT ServiceInitiatedEvent,
      ...
    }
  }
}
DeviceID ::= SEQUENCE {
  deviceIdentifier CHOICE {
    dialingNumber [0] IMPLICIT IA5String,
    deviceNumber [1] IMPLICIT INTEGER,
    implicitPublic [2] IMPLICIT IA5String,
    implicitPrivate [4] IMPLICIT IA5String,
    other [6] IMPLICIT OCTET STRING
  },
  privateNumber [0] IA5String OPTIONAL,
  privateName [1] IA5String OPTIONAL
}
Party ::= CHOICE { deviceIdentifier DeviceID, notKnown [7] IMPLICIT NULL, restricted [8] IMPLICIT NULL }
CallingDeviceID ::= [APPLICATION 1] Party
CalledDeviceID ::= [APPLICATION 2] Party
SubjectDeviceID ::= [APPLICATION 3] Party
RedirectionDeviceID ::= [APPLICATION 4] CHOICE {
  numberdialed DeviceID, notKnown [7] IMPLICIT NULL, notRequired [8] IMPLICIT NULL,
  notSpecified [9] IMPLICIT NULL, restricted [10] IMPLICIT NULL
}
AssociatedCallingDeviceID ::= [APPLICATION 5] Party
AssociatedCalledDeviceID ::= [APPLICATION 6] Party
NetworkCallingDeviceID ::= [APPLICATION 7] Party
NetworkCalledDeviceID ::= [APPLICATION 8] Party
ConnectionID ::= [APPLICATION 11] CHOICE {
  callID [0] IMPLICIT OCTET STRING,
  deviceID [1] LocalDeviceID,
  both SEQUENCE { callID [0] IMPLICIT OCTET STRING, deviceID [1] LocalDeviceID }
}
LocalDeviceID ::= CHOICE { staticID DeviceID, dynamicID [3] IMPLICIT OCTET STRING }
LocalConnectionState ::= [APPLICATION 14] IMPLICIT ENUMERATED {
  null(0), initiated(1), alerting(2), connected(3), hold(4), queued(5), fail(6)
}
EventCause ::= ENUMERATED {
  busy(3), callCancelled(5), callNotAnswered(10), newCall(22), trunksBusy(33), makeCall(44), normalClearing(48),
  networkDialling(76), normal(78)
}
ServiceInitiatedEvent ::= SEQUENCE {
  initiatedConnection ConnectionID,
  initiatingDevice SubjectDeviceID,
  calledDevice CalledDeviceID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  correlatorData [0] IMPLICIT OCTET STRING OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL,
  associatedCallingDevice AssociatedCallingDeviceID OPTIONAL
}
OriginatedEvent ::= SEQUENCE {
  originatedConnection ConnectionID,
  callingDevice SubjectDeviceID,
  calledDevice CalledDeviceID,
  originatingDevice DeviceID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  correlatorData [2] IMPLICIT OCTET STRING OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL,
  associatedCallingDevice AssociatedCallingDeviceID OPTIONAL,
  associatedCalledDevice AssociatedCalledDeviceID OPTIONAL
}
NetworkReachedEvent ::= SEQUENCE {
  outboundConnection ConnectionID,
  networkInterfaceUsed SubjectDeviceID,
  callingDevice CallingDeviceID,
  calledDevice CalledDeviceID,
  lastRedirectionDevice RedirectionDeviceID,
  originatingNIDConneciton ConnectionID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  correlatorData [0] IMPLICIT OCTET STRING OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL,
  associatedCallingDevice AssociatedCallingDeviceID OPTIONAL
}
DeliveredEvent ::= SEQUENCE {
  connection ConnectionID,
  alertingDevice SubjectDeviceID,
  callingDevice CallingDeviceID,
  calledDevice CalledDeviceID,
  lastRedirectionDevice RedirectionDeviceID,
  originatingNIDConnection ConnectionID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL,
  associatedCallingDevice AssociatedCallingDeviceID OPTIONAL,
  associatedCalledDevice AssociatedCalledDeviceID OPTIONAL
}
EstablishedEvent ::= SEQUENCE {
  establishedConnection ConnectionID,
  answeringDevice SubjectDeviceID,
  callingDevice CallingDeviceID,
  calledDevice CalledDeviceID,
  lastRedirectionDevice RedirectionDeviceID,
  originatingNIDConnection ConnectionID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL,
  associatedCallingDevice AssociatedCallingDeviceID OPTIONAL,
  associatedCalledDevice AssociatedCalledDeviceID OPTIONAL
}
FailedEvent ::= SEQUENCE {
  failedConnection ConnectionID,
  failingDevice SubjectDeviceID,
  callingDevice CallingDeviceID,
  calledDevice CalledDeviceID,
  lastRedirectionDevice RedirectionDeviceID,
  originatingNIDConnection ConnectionID OPTIONAL,
  localConnectionInfo LocalConnectionState OPTIONAL,
  cause EventCause,
  networkCallingDevice NetworkCallingDeviceID OPTIONAL,
  networkCalledDevice NetworkCalledDeviceID OPTIONAL
}
ConnectionClearedEvent ::= SEQUENCE {
  droppedConnection ConnectionID,
  releasingDevice SubjectDeviceID,
  localConnectionInfo LocalConnectionState OPTIONAL,
  correlatorData [0] IMPLICIT OCTET STRING OPTIONAL,
  cause EventCause
}
END
"""

EXTENSION = dialing_number("301")
TRUNK = device_number("trunk", 3)
OUTSIDE = dialing_number("989161234501")
CALL_ID = bytes.fromhex("00012A7C")
PARTIES = {
    "callingDevice": ("deviceIdentifier", EXTENSION),
    "calledDevice": ("deviceIdentifier", OUTSIDE),
    "lastRedirectionDevice": ("notKnown", None),
}
OURS, THEIRS = connection_id(CALL_ID, EXTENSION), connection_id(CALL_ID, TRUNK)

EVENTS: list[tuple[str, dict[str, Any]]] = [
    (
        "serviceInitiated",
        {
            "initiatedConnection": OURS,
            "initiatingDevice": ("deviceIdentifier", EXTENSION),
            "localConnectionInfo": "initiated",
            "cause": "makeCall",
        },
    ),
    (
        "originated",
        {
            "originatedConnection": OURS,
            "callingDevice": ("deviceIdentifier", EXTENSION),
            "calledDevice": ("deviceIdentifier", OUTSIDE),
            "localConnectionInfo": "connected",
            "cause": "newCall",
            "associatedCalledDevice": ("deviceIdentifier", TRUNK),
        },
    ),
    (
        "networkReached",
        {
            "outboundConnection": THEIRS,
            "networkInterfaceUsed": ("deviceIdentifier", TRUNK),
            **PARTIES,
            "localConnectionInfo": "connected",
            "cause": "networkDialling",
        },
    ),
    (
        "delivered",
        {
            "connection": THEIRS,
            "alertingDevice": ("deviceIdentifier", TRUNK),
            **PARTIES,
            "localConnectionInfo": "connected",
            "cause": "newCall",
            "networkCalledDevice": ("deviceIdentifier", OUTSIDE),
            "associatedCalledDevice": ("deviceIdentifier", TRUNK),
        },
    ),
    (
        "established",
        {
            "establishedConnection": THEIRS,
            "answeringDevice": ("deviceIdentifier", TRUNK),
            **PARTIES,
            "localConnectionInfo": "connected",
            "cause": "normal",
            "associatedCalledDevice": ("deviceIdentifier", TRUNK),
        },
    ),
    (
        "failed",
        {
            "failedConnection": OURS,
            "failingDevice": ("deviceIdentifier", OUTSIDE),
            **PARTIES,
            "localConnectionInfo": "fail",
            "cause": "busy",
        },
    ),
    (
        "connectionCleared",
        {
            "droppedConnection": OURS,
            "releasingDevice": ("deviceIdentifier", EXTENSION),
            "localConnectionInfo": "null",
            "cause": "normalClearing",
        },
    ),
]
CROSS_REFERENCE = bytes.fromhex("00000011")
REPORTS: list[dict[str, Any]] = [
    {"crossRefIdentifier": CROSS_REFERENCE, "eventSpecificInfo": ("callControlEvents", event)} for event in EVENTS
]
EVENT_REPORT = 21


def decode_ours(octets: bytes) -> tuple[int | None, Any]:
    apdu = rose.decode(octets)
    assert isinstance(apdu, rose.Invoke) and apdu.argument is not None
    return apdu.invoke_id, operations.by_code(apdu.opcode).argument.decode_all(apdu.argument)


def encode_ours(invoke_id: int, report: dict[str, Any]) -> bytes:
    argument = operations.by_code(EVENT_REPORT).argument.encode(report)
    return rose.encode(rose.Invoke(invoke_id, EVENT_REPORT, argument))


class Asn1Tools:
    """The same with asn1tools; the invoke and the report in one go, which spares it a copy of the argument."""

    def __init__(self) -> None:
        compiled = asn1tools.compile_string(SCHEMA, "ber")
        self._decode, self._encode = compiled.decode, compiled.encode

    def decode(self, octets: bytes) -> tuple[int | None, Any]:
        _, invoke = self._decode("Rose", octets)
        form, invoke_id = invoke["invokeId"]
        return invoke_id if form == "present" else None, invoke["argument"]

    def encode(self, invoke_id: int, report: dict[str, Any]) -> bytes:
        invoke = {"invokeId": ("present", invoke_id), "opcode": ("local", EVENT_REPORT), "argument": report}
        return bytes(self._encode("Rose", ("invoke", invoke)))


def disagreement(theirs: Asn1Tools, octets: list[bytes]) -> str:
    """Where the two codecs don't give the same values and octets; "" when they do."""
    for number, (report, apdu) in enumerate(zip(REPORTS, octets, strict=True), 1):
        for name, value in (("ours", decode_ours(apdu)), ("asn1tools", theirs.decode(apdu))):
            if value != (number, report):
                return f"{name} decodes {apdu.hex()} to {value}, not {report}"
        if theirs.encode(number, report) != apdu:
            return f"asn1tools encodes {report} to {theirs.encode(number, report).hex()}, not {apdu.hex()}"
    return ""


def rate(run: Callable[[], None], apdus: int, seconds: float) -> float:
    """APDUs per second of ``run``, which does ``apdus`` of them, repeated for so long."""
    rounds = 0
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        run()
        rounds += 1
    return rounds * apdus / took


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/bench codec", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="repetitions of each [9]")
    parser.add_argument("--seconds", type=float, default=0.4, help="length of one repetition [0.4]")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args(argv)

    theirs = Asn1Tools()
    octets = [encode_ours(number, report) for number, report in enumerate(REPORTS, 1)]
    wrong = disagreement(theirs, octets)
    if wrong:
        print(wrong, file=sys.stderr)
        return 1
    numbered = list(enumerate(REPORTS, 1))
    runs: dict[str, Callable[[], None]] = {
        "decode ours": lambda: _each(decode_ours, octets),
        "decode asn1tools": lambda: _each(theirs.decode, octets),
        "encode ours": lambda: _each_pair(encode_ours, numbered),
        "encode asn1tools": lambda: _each_pair(theirs.encode, numbered),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, run in runs.items():
            rates[name].append(rate(run, len(octets), options.seconds))
    medians = {name: statistics.median(each) for name, each in rates.items()}
    figures: dict[str, Any] = {
        "events": len(octets),
        "octets": [len(apdu) for apdu in octets],
        **{f"{name.replace(' ', '_')}_per_s": round(value) for name, value in medians.items()},
    }
    for way in ("decode", "encode"):
        figures[f"{way}_ratio"] = round(medians[f"{way} ours"] / medians[f"{way} asn1tools"], 2)
    enough = min(figures["decode_ratio"], figures["encode_ratio"]) >= WANTED_RATIO
    if options.json:
        print(json.dumps(figures))
        return 0 if enough else 1
    print(
        f"{len(octets)} kinds of event, {min(figures['octets'])} to {max(figures['octets'])} octets; APDUs per second,"
    )
    print(f"median of {options.rounds} rounds (lowest to highest):")
    for name, each in rates.items():
        print(f"  {name:18} {medians[name]:9,.0f}   ({min(each):,.0f} to {max(each):,.0f})")
    print(f"ours is {figures['decode_ratio']:.1f} times as fast decoding, {figures['encode_ratio']:.1f} times encoding")
    return 0 if enough else 1


def _each(decode: Callable[[bytes], Any], octets: list[bytes]) -> None:
    for apdu in octets:
        decode(apdu)


def _each_pair(encode: Callable[[int, dict[str, Any]], bytes], numbered: list[tuple[int, dict[str, Any]]]) -> None:
    for number, report in numbered:
        encode(number, report)
