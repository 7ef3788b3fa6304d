"""The other side of the link bench: a PBX of 1,000 devices that tells so many events a second and times the commands.

A call of the client fails now and then; from its Failed event to the ClearConnection is what is timed, from before
the event's octets are made to after the command's have been read. Reads "begin" and "end" from stdin; after "end" it
prints its figures as one line of JSON. Leaves when stdin closes. The first line out is the port that it listens on.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet import stdio
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol
from protocols.csta.panasonic import (
    ListedDevice,
    connection_id,
    device_list_ack,
    device_number,
    device_segment,
    dialing_number,
    segments,
)

HOST = "127.0.0.1"
#: Events are sent in ticks of so long: the times between them are those of a busy switch, not of a metronome.
TICK_S = 0.01
#: A Failed follows its MakeCall by so long; the extension has been picked up by then.
FAIL_AFTER_S = 0.1
PARTY = ("deviceIdentifier", dialing_number("984951234567"))


class Pbx(Factory):
    """Observes its one client. ``ports`` are those that calls are made from; all else only chatters."""

    noisy = False

    def __init__(self, reactor: Any, per_s: int, ports: frozenset[str]) -> None:
        self._reactor = reactor
        self._per_s = per_s
        self._ports = ports
        self._link: CSTAProtocol | None = None
        self._references: dict[str, bytes] = {}
        self._chatter: deque[str] = deque()
        self._serial = 0
        self._calls: dict[bytes, str] = {}
        self._timed: dict[bytes, float] = {}
        self._due = 0.0
        self._last_s = 0.0
        self._ready = False
        self.latencies_ms: list[float] = []
        self.sent = 0
        self.began_s = 0.0
        self.devices: list[str] = []

    def buildProtocol(self, addr: Any) -> CSTAProtocol:
        return CSTAProtocol(Role.SWITCH, self, self._reactor, max_apdu=240)

    # CSTAObserver

    def associated(self, link: CSTAProtocol) -> None:
        self._link = link

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        self._link = None

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        match event.operation:
            case "clearConnection":
                call_id = event.argument["connectionToBeCleared"][1]["callID"]
                began_s = self._timed.pop(call_id, None)
                if began_s is not None:
                    self.latencies_ms.append((time.perf_counter() - began_s) * 1000)
                link.respond(event.invoke_id, "clearConnection")
                self._cleared(call_id)
            case "makeCall":
                self._make(link, event)
            case "monitorStart":
                extension = event.argument["monitorObject"][1]["deviceIdentifier"][1]
                reference = len(self._references).to_bytes(2, "big")
                self._references[extension] = reference
                if extension not in self._ports:
                    self._chatter.append(extension)
                link.respond(event.invoke_id, "monitorStart", {"crossRefIdentifier": reference})
            case "snapshotDevice":
                link.respond(event.invoke_id, "snapshotDevice", {"crossRefIDorSnapshotData": ("snapshotData", [])})
            case "escape":
                self._list(link, event)

    def _list(self, link: CSTAProtocol, event: Invoked) -> None:
        link.respond(event.invoke_id, "escape", device_list_ack(b"\x01"))
        listed = [ListedDevice(device_number("extension", at), name, True) for at, name in enumerate(self.devices)]
        parts = segments(listed)
        for number, part in enumerate(parts, 1):
            link.notify("escape", device_segment(b"\x01", number, number == len(parts), part))

    # Calls

    def _make(self, link: CSTAProtocol, event: Invoked) -> None:
        extension = event.argument["callingDevice"]["deviceIdentifier"][1]
        self._serial += 1
        call_id = self._serial.to_bytes(4, "big")
        self._calls[call_id] = extension
        connection = connection_id(call_id, dialing_number(extension))
        link.respond(event.invoke_id, "makeCall", {"callingDevice": connection})
        self._reactor.callLater(FAIL_AFTER_S, self._fail, call_id)

    def _fail(self, call_id: bytes) -> None:
        extension = self._calls[call_id]
        body = {
            "failedConnection": connection_id(call_id, dialing_number(extension)),
            "failingDevice": ("deviceIdentifier", dialing_number(extension)),
            "callingDevice": ("deviceIdentifier", dialing_number(extension)),
            "calledDevice": PARTY,
            "lastRedirectionDevice": ("notRequired", None),
            "localConnectionInfo": "fail",
            "cause": "busy",
        }
        self._timed[call_id] = time.perf_counter()
        self._tell(extension, "failed", body)

    def _cleared(self, call_id: bytes) -> None:
        extension = self._calls.pop(call_id, None)
        if extension is not None:
            body = {
                "droppedConnection": connection_id(call_id, dialing_number(extension)),
                "releasingDevice": ("deviceIdentifier", dialing_number(extension)),
                "cause": "normalClearing",
            }
            self._tell(extension, "connectionCleared", body)

    def _tell(self, extension: str, name: str, body: dict[str, Any]) -> None:
        if self._link is not None:
            report = {
                "crossRefIdentifier": self._references[extension],
                "eventSpecificInfo": ("callControlEvents", (name, body)),
            }
            self._link.notify("cSTAEventReport", report)
            self.sent += 1

    # Chatter of all the other devices

    def tick(self) -> None:
        now_s = time.perf_counter()
        if self._chatter and self._last_s:
            self._due += (now_s - self._last_s) * self._per_s
            while self._due >= 1:
                self._due -= 1
                self._chatter.rotate(-1)
                self._talk(self._chatter[0])
        self._last_s = now_s

    def _talk(self, extension: str) -> None:
        self._serial += 1
        call_id = self._serial.to_bytes(4, "big")
        body = {
            "connection": connection_id(call_id, dialing_number(extension)),
            "alertingDevice": ("deviceIdentifier", dialing_number(extension)),
            "callingDevice": PARTY,
            "calledDevice": ("deviceIdentifier", dialing_number(extension)),
            "lastRedirectionDevice": ("notRequired", None),
            "localConnectionInfo": "alerting",
            "cause": "newCall",
        }
        self._tell(extension, "delivered", body)

    def begin(self) -> None:
        self.latencies_ms.clear()
        self.sent = 0
        self.began_s = time.perf_counter()

    def figures(self) -> dict[str, float]:
        seconds = time.perf_counter() - self.began_s
        ordered = sorted(self.latencies_ms)
        found = {"events_per_s": self.sent / seconds, "commands": len(ordered), "unanswered": len(self._timed)}
        if ordered:
            found |= {
                "p50_ms": ordered[len(ordered) // 2],
                "p99_ms": ordered[int(len(ordered) * 0.99)],
                "max_ms": ordered[-1],
            }
        return found


class Orders(LineOnlyReceiver):
    """What the bench says."""

    delimiter = b"\n"

    def __init__(self, reactor: Any, pbx: Pbx, port: int) -> None:
        self._reactor = reactor
        self._pbx = pbx
        self._port = port

    def connectionMade(self) -> None:
        self._say({"port": self._port})

    def lineReceived(self, line: bytes) -> None:
        if line == b"begin":
            self._pbx.begin()
        elif line == b"end":
            self._say(self._pbx.figures())

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._reactor.stop()

    def _say(self, said: dict[str, float]) -> None:
        self.sendLine(json.dumps(said).encode())


def main() -> None:
    reactor: Any = installed
    devices, ports, per_s = json.loads(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    pbx = Pbx(reactor, per_s, frozenset(ports))
    pbx.devices = devices
    port = reactor.listenTCP(0, pbx, interface=HOST).getHost().port
    LoopingCall(pbx.tick).start(TICK_S)
    stdio.StandardIO(Orders(reactor, pbx, port))
    reactor.run()


if __name__ == "__main__":
    main()
