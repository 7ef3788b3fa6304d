"""What fuzzing begins with: octets seen on the wire, and messages of ours that touch every part of the codec."""

from __future__ import annotations

from pathlib import Path

from protocols import rose
from protocols.csta import operations
from protocols.csta.association import AARE, AARQ
from protocols.csta.framing import frame
from protocols.csta.panasonic import (
    ListedDevice,
    connection_id,
    device_list_ack,
    device_number,
    device_segment,
    dialing_number,
    get_device_list,
    monitor_argument,
)
from protocols.csta.recording import Recorded, parse

CAPTURES = Path(__file__).resolve().parents[2] / "fixtures" / "captures"

DEVICE = dialing_number("301")
TRUNK = ("deviceIdentifier", device_number("trunk", 3))
CALL = connection_id(b"\x01\x02\x03", DEVICE)
PARTY = ("deviceIdentifier", dialing_number("984951234567"))
PARTIES = {"callingDevice": ("deviceIdentifier", DEVICE), "calledDevice": PARTY}


def _invoke(operation: str, argument: object) -> bytes:
    known = operations.by_name(operation)
    return rose.encode(rose.Invoke(1, known.code, known.argument.encode(argument)))


def _result(operation: str, result: object) -> bytes:
    known = operations.by_name(operation)
    return rose.encode(rose.ReturnResult(1, known.code, known.result.encode(result)))


def _event(group: str, name: str, body: dict[str, object]) -> bytes:
    report = {"crossRefIdentifier": b"\x00\x07", "eventSpecificInfo": (group, (name, body))}
    return _invoke("cSTAEventReport", report)


def apdus() -> list[bytes]:
    """Whole APDUs without their frames."""
    failed = {
        "failedConnection": CALL,
        "failingDevice": PARTY,
        **PARTIES,
        "lastRedirectionDevice": ("notRequired", None),
        "localConnectionInfo": "fail",
        "cause": "busy",
    }
    cleared = {"droppedConnection": CALL, "releasingDevice": TRUNK, "cause": "normalClearing"}
    listed = [ListedDevice(device_number("extension", number), f"30{number}", True) for number in range(3)]
    compound = ("compoundCallState", ["connected", "alerting"])
    snapshot = [{"connectionIdentifier": CALL, "localCallState": compound}]
    made = [
        AARQ,
        AARE,
        bytes.fromhex("6403800100"),
        bytes.fromhex("6203800100"),
        bytes.fromhex("6303800100"),
        bytes.fromhex("A10C020101020200D330030A0102"),
        bytes.fromhex("A20B0201013006020200D30500"),
        bytes.fromhex("A30A020101020101A0030A0132".replace("A30A", "A30B")),
        rose.encode(rose.Reject(1, ("invoke", 1))),
        _invoke("makeCall", {"callingDevice": DEVICE, "calledDirectoryNumber": dialing_number("984951234567")}),
        _result("makeCall", {"callingDevice": CALL}),
        _invoke("clearConnection", {"connectionToBeCleared": CALL}),
        _invoke("monitorStart", monitor_argument(DEVICE)),
        _result("monitorStart", {"crossRefIdentifier": b"\x00\x07"}),
        _invoke("escape", get_device_list("station")),
        _result("escape", device_list_ack(b"\x01")),
        _invoke("escape", device_segment(b"\x01", 1, True, listed)),
        _event("callControlEvents", "failed", failed),
        _event("callControlEvents", "connectionCleared", cleared),
        _result("snapshotDevice", {"crossRefIDorSnapshotData": ("snapshotData", snapshot)}),
        # indefinite lengths, a string in pieces, a length of four octets, a number longer than needed
        bytes.fromhex("A180020101020200D330800A01020000" + "0000"),
        bytes.fromhex("A184000000120202000102030000D330050A03000002".replace("0202000102", "0202000102")),
        bytes.fromhex("A114020101020115300C55020007A006A304300A0A01".ljust(44, "0")),
        b"\xa1\x80" + b"\x30\x80" * 100,
    ]
    for path in sorted(set(CAPTURES.glob("*.txt")) - set(CAPTURES.glob("smdr*"))):
        lines = path.read_text(encoding="utf-8").splitlines()
        made += [entry.apdu for entry in parse(lines) if isinstance(entry, Recorded)]
    return made


def streams() -> list[bytes]:
    """Framed, and some of them one after the other; an ABRT bare."""
    whole = [frame(apdu) for apdu in apdus()]
    return [*whole, b"".join(whole), bytes.fromhex("6403800100"), bytes.fromhex("0003800100"), b"\x00\x00", b"\xff\xff"]
