"""A simulated switch with its CSTA side on a task.Clock, and clients of it; telephones only keep what they get."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.csta_server import CstaServer
from ocm_cti.simulator.effects import (
    CallAccount,
    CallEnded,
    Effect,
    Report,
    ReportPrivate,
    StartTimer,
    StopTimers,
    Timer,
    Write,
)
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.numbering import Group, Numbering, Station
from ocm_cti.simulator.switch import Switch
from protocols.csta.association import NEED_DATA, Association, Event, Failed, Invoked, Rejected, Returned, Role

PEOPLE = [
    Callee("", "answers", answer_after_s=1.0),
    Callee("06", "busy", fail="busy"),
    Callee("07", "never"),
    Callee("08", "rejects", fail="rejected"),
]
STATIONS = [
    Station("301"),
    Station("302"),
    Station("350", kind="phone"),
    Station("351", kind="phone"),
    Station("352", kind="phone", answer_after_s=2.0),
]
GROUPS = [
    Group("city", "9", "isdn", 2),
    Group("old", "7", "lco", 1, first_index=3),
    Group("provider", "8", "sip", 1, first_index=4),
    Group("silent", "6", "reached_only", 1, first_index=5),
]


class PbxBench:
    """``done`` has what telephones were told, ``journal`` the lines of calls, ``accounts`` the ended calls."""

    def __init__(self, *variants: str) -> None:
        self.clock = Clock()
        self.settings = Settings.from_pairs(variants)
        numbering = Numbering(STATIONS, GROUPS)
        self.switch = Switch(self.settings, (), Directory(PEOPLE), numbering=numbering, seconds=self.clock.seconds)
        self.said: list[str] = []
        self.done: list[Effect] = []
        self.journal: list[tuple[str, int | None]] = []
        self.accounts: list[CallAccount] = []
        self._timers: dict[tuple[int, Timer], Any] = {}
        self.csta = CstaServer(self.settings, self.switch, self.clock, self.carry_out, self.said.append)
        for extension in ("301", "302"):
            self.switch.extension_registered(extension, True)

    def carry_out(self) -> None:
        while effects := self.switch.effects():
            for effect in effects:
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Write(event=event, call=call):
                self.journal.append((event, call))
            case Report() | ReportPrivate():
                self.csta.report(effect)
            case CallEnded(account=account):
                self.accounts.append(account)
                self.csta.call_ended(account)
            case StartTimer(serial, timer, after_s):
                self._timers[serial, timer] = self.clock.callLater(after_s, self._fired, serial, timer)
            case StopTimers(serial):
                for timer in Timer:
                    running = self._timers.pop((serial, timer), None)
                    if running is not None and running.active():
                        running.cancel()
            case _:
                self.done.append(effect)

    def _fired(self, serial: int, timer: Timer) -> None:
        self._timers.pop((serial, timer), None)
        self.switch.timer_fired(serial, timer)
        self.carry_out()

    def happens(self, what: Any, *args: Any) -> Any:
        """A method of the switch, with its consequences."""
        try:
            return what(*args)
        finally:
            self.carry_out()

    def client(self) -> CstaClient:
        """One that is associated."""
        client = CstaClient(self)
        client.send(client.association.associate())
        return client

    def kinds(self) -> list[str]:
        """Names of the telephone effects since the last time."""
        names = [type(effect).__name__ for effect in self.done]
        self.done.clear()
        return names

    def close(self) -> None:
        self.csta.close()
        for call in self.switch.calls:
            if call in self.switch.calls:
                self.happens(self.switch.clear, call.call_id, None)
        assert self.switch.calls == ()
        assert self.clock.getDelayedCalls() == []


class CstaClient:
    """Moves octets by hand; ``events`` are those that came since."""

    def __init__(self, bench: PbxBench) -> None:
        self.link = bench.csta.buildProtocol(None)
        self.transport = StringTransport()
        self.link.makeConnection(self.transport)
        self.association = Association(Role.CLIENT)
        self.largest = 0

    def send(self, octets: bytes) -> list[Event]:
        self.link.dataReceived(octets)
        return self.events()

    def events(self) -> list[Event]:
        received = self.transport.value()
        self.transport.clear()
        at = 0
        while at < len(received) and received[at] != 0x64:
            length = int.from_bytes(received[at : at + 2], "big")
            self.largest = max(self.largest, length)
            at += 2 + length
        if received:  # no octets would mean the end of the stream
            self.association.receive_data(received)
        found: list[Event] = []
        while (event := self.association.next_event()) is not NEED_DATA:
            found.append(event)
        return found

    def ask(self, operation: str, argument: Any) -> tuple[Any, list[Event]]:
        """(result, error or reject of the answer, everything else that came)."""
        invoke_id, octets = self.association.invoke(operation, argument)
        answer: Any = None
        others: list[Event] = []
        for event in self.send(octets):
            match event:
                case Returned(invoke_id=n, result=result) if n == invoke_id:
                    answer = result
                case Failed(invoke_id=n, error=("universalFailure", error)) if n == invoke_id:
                    answer = error
                case Rejected(invoke_id=n, problem=problem) if n == invoke_id:
                    answer = problem
                case _:
                    others.append(event)
        return answer, others

    def monitor(self, device: dict[str, Any], **more: Any) -> bytes:
        result, _ = self.ask("monitorStart", {"monitorObject": ("deviceObject", device), **more})
        reference = result["crossRefIdentifier"]
        assert isinstance(reference, bytes)
        return reference

    def call(self, extension: str, number: str) -> tuple[Any, list[Event]]:
        """(the caller's ConnectionID or the error, events)."""
        result, events = self.ask(
            "makeCall", {"callingDevice": digits(extension), "calledDirectoryNumber": digits(number)}
        )
        return (result["callingDevice"] if isinstance(result, dict) else result), events


def digits(number: str) -> dict[str, Any]:
    return {"deviceIdentifier": ("dialingNumber", number)}


def numbered(number: int) -> dict[str, Any]:
    return {"deviceIdentifier": ("deviceNumber", number)}


def at(call: Any, device: dict[str, Any]) -> tuple[str, Any]:
    """The ConnectionID of the same call at another device."""
    return ("both", {"callID": call[1]["callID"], "deviceID": ("staticID", device)})


def told(events: list[Event]) -> list[tuple[bytes, str, dict[str, Any]]]:
    """(cross reference, event, body) of all event reports among events."""
    found = []
    for event in events:
        if isinstance(event, Invoked) and event.operation == "cSTAEventReport":
            _, (name, body) = event.argument["eventSpecificInfo"]
            found.append((event.argument["crossRefIdentifier"], name, body))
    return found


def states(events: list[Event], reference: bytes) -> list[tuple[str, str, str]]:
    """(event, localConnectionInfo, cause) of call-control events for one monitor, in order."""
    return [
        (name, body["localConnectionInfo"], body["cause"])
        for cross, name, body in told(events)
        if cross == reference and "cause" in body
    ]
