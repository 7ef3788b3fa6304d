"""A CSTA client against the PBX, back to back in memory on a task.Clock; the telephones are a fake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.effects import Tone
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.pbx import Pbx
from protocols.csta.association import (
    NEED_DATA,
    Aborted,
    Associated,
    Association,
    Event,
    Failed,
    Invoked,
    Refused,
    Rejected,
    Released,
    Returned,
    Role,
)

EXTENSIONS = [str(number) for number in range(301, 309)]
NUMBER = "984951234501"


class Telephones:
    """Writes down what the PBX wants of the extensions."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def ring(self, serial: int, extension: str, dialled: str) -> None:
        self.done.append(("ring", serial, extension))

    def release(self, serial: int) -> None:
        self.done.append(("release", serial))

    def tone(self, serial: int, tone: Tone) -> None:
        self.done.append(("tone", serial, tone))

    def connect(self, serial: int, callee: Callee, number: str, party: int = 0) -> None:
        self.done.append(("connect", serial, callee.name, number))

    def media(self, effect: Any) -> None:
        self.done.append(("media", effect))

    def drop_media(self, serial: int) -> None:
        self.done.append(("drop media", serial))


class Client:
    """A CSTA client wired to the PBX's server role; every exchange is moved by hand, octet by octet if wanted."""

    def __init__(self, bench: Bench, chunk: int = 10_000) -> None:
        self.link = bench.pbx.csta.buildProtocol(None)
        self.transport = StringTransport()
        self.link.makeConnection(self.transport)
        self.association = Association(Role.CLIENT)
        self.chunk = chunk
        self.largest = 0

    def send(self, octets: bytes) -> list[Event]:
        for at in range(0, len(octets), self.chunk):
            self.link.dataReceived(octets[at : at + self.chunk])
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

    def associate(self) -> list[Event]:
        return self.send(self.association.associate())

    def ask(self, operation: str, argument: Any) -> tuple[Any, list[Event]]:
        """(result or error of the answer, everything else that came)."""
        invoke_id, octets = self.association.invoke(operation, argument)
        answer: Any = None
        others: list[Event] = []
        for event in self.send(octets):
            match event:
                case Returned(invoke_id=n, result=result) if n == invoke_id:
                    answer = result
                case Failed(invoke_id=n, error=error) if n == invoke_id:
                    answer = error
                case _:
                    others.append(event)
        return answer, others

    def monitor(self, device: dict[str, Any], **more: Any) -> bytes:
        result, _ = self.ask("monitorStart", {"monitorObject": ("deviceObject", device), **more})
        reference = result["crossRefIdentifier"]
        assert isinstance(reference, bytes)
        return reference

    def call(self, extension: str = "301", number: str = NUMBER) -> tuple[Any, list[Event]]:
        return self.ask("makeCall", {"callingDevice": digits(extension), "calledDirectoryNumber": digits(number)})


class Bench:
    """A PBX on a clock, with a fake for its telephones and a journal on disk."""

    def __init__(self, log: Path, *variants: str) -> None:
        self.clock = Clock()
        self.log = log
        self.telephones = Telephones()
        self.said: list[str] = []
        self.journal = Journal(log, self.clock.seconds)
        settings = Settings.from_pairs(variants)
        self.pbx = Pbx(
            settings,
            EXTENSIONS,
            Directory.load(),
            self.clock,
            self.journal,
            lambda pbx: self.telephones,
            self.said.append,
        )
        for extension in EXTENSIONS:
            self.pbx.extension_registered(extension, True)

    def client(self, chunk: int = 10_000) -> Client:
        client = Client(self, chunk)
        events = client.associate()
        assert isinstance(events[0], Associated)
        return client

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def close(self) -> None:
        self.pbx.close()
        self.journal.close()
        assert self.clock.getDelayedCalls() == []


def digits(number: str) -> dict[str, Any]:
    return {"deviceIdentifier": ("dialingNumber", number)}


def numbered(number: int) -> dict[str, Any]:
    return {"deviceIdentifier": ("deviceNumber", number)}


def reports(events: list[Event]) -> list[tuple[bytes, str, str]]:
    """(cross reference, event name, cause) of the event reports among events."""
    found = []
    for event in events:
        if isinstance(event, Invoked) and event.operation == "cSTAEventReport":
            group, (name, body) = event.argument["eventSpecificInfo"]
            assert group == "callControlEvents"
            found.append((event.argument["crossRefIdentifier"], name, body["cause"]))
    return found


def bodies(events: list[Event]) -> dict[str, dict[str, Any]]:
    return {
        event.argument["eventSpecificInfo"][1][0]: event.argument["eventSpecificInfo"][1][1]
        for event in events
        if isinstance(event, Invoked) and event.operation == "cSTAEventReport"
    }


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Any]:
    """Makes benches by their variants; all are closed and left without timers."""
    made: list[Bench] = []

    def make(*variants: str) -> Bench:
        made.append(Bench(tmp_path / f"calls-{len(made)}.jsonl", *variants))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def test_the_association_begins_as_a_real_one_does(benches: Any) -> None:
    client = Client(benches())
    octets = client.association.associate()
    client.link.dataReceived(octets)
    # AARE and the first SystemStatus, as captured (Panasonic notes, section 8)
    assert client.transport.value() == bytes.fromhex(
        "0031 612F80020780A10706052B0C00815AA203020100A305A103020101BE142812"
        "06072B0C00821D8148A007A00503030008 00 000E A10C020101020200D330030A0102"
    )


def test_the_lenient_form_of_the_request_is_accepted(benches: Any) -> None:
    # LTM: no user-information, and a protocol-version of 64 bits that spell "version3"
    client = Client(benches())
    aarq = bytes.fromhex("6014 8009 00") + b"version3" + bytes.fromhex("A107 06052B0C00815A")
    client.link.dataReceived(len(aarq).to_bytes(2, "big") + aarq)
    assert client.transport.value()[2] == 0x61
    assert b"\xa2\x03\x02\x01\x00" in client.transport.value()
    assert client.link.associated


def test_system_status_comes_again_and_again(benches: Any) -> None:
    bench = benches("system_status_period_s=60")
    client = bench.client()
    for _ in range(3):
        assert client.events() == []
        bench.clock.advance(60)
        (event,) = client.events()
        assert isinstance(event, Invoked)
        assert (event.operation, event.argument) == ("systemStatus", {"systemStatus": "normal"})
        assert event.invoke_id is not None
        client.send(client.association.respond(event.invoke_id, "systemStatus"))


def test_requests_may_come_octet_by_octet(benches: Any) -> None:
    client = benches().client(chunk=1)
    assert isinstance(client.monitor(digits("301")), bytes)


@pytest.mark.parametrize(
    ("category", "devices"),
    [
        ("station", [(0x0111_0001 + n, f"{301 + n}", "ins") for n in range(8)]),
        ("networkInterface", [(0x0131_0001 + n, f"{n + 1:02}", "ins") for n in range(20)]),
        ("park", []),
    ],
)
def test_device_lists_come_in_segments_that_fit(
    benches: Any, category: str, devices: list[tuple[int, str, str]]
) -> None:
    client = benches("trunks=20").client()
    request = {
        "privateData": (
            "private",
            ("systemData", ("getSystemData", ("deviceList", ("category", ("standardDevice", category))))),
        )
    }
    (extensions, acknowledged), replies = client.ask("escape", request)
    assert extensions == "extensions"
    ((_, (_, (kind, reference))),) = acknowledged["privateData"]
    assert kind == "systemDataPosAck"
    found: list[tuple[int, str, str]] = []
    for number, event in enumerate(replies, 1):
        assert isinstance(event, Invoked)
        assert event.operation == "escape"
        _, (_, (_, reply)) = event.argument["privateData"]
        assert (reply["crossRefID"], reply["segmentID"], reply["lastSegment"]) == (
            reference,
            number,
            number == len(replies),
        )
        for entry in reply["sysData"]["deviceList"]:
            found.append((entry["deviceID"]["deviceIdentifier"][1], entry["number"], entry["status"]))
    assert found == devices
    assert client.largest <= 240
    assert len(replies) == (2 if category == "networkInterface" else 1)


def test_an_unregistered_extension_may_be_listed_as_out_of_service(benches: Any) -> None:
    bench = benches("unregistered_in_service=no")
    bench.pbx.extension_registered("302", False)
    client = bench.client()
    request = {
        "privateData": (
            "private",
            ("systemData", ("getSystemData", ("deviceList", ("category", ("standardDevice", "station"))))),
        )
    }
    _, (event,) = client.ask("escape", request)
    entries = event.argument["privateData"][1][1][1]["sysData"]["deviceList"]
    assert [entry["number"] for entry in entries if entry["status"] == "ous"] == ["302"]


def test_an_escape_that_is_not_known_is_refused(benches: Any) -> None:
    client = benches().client()
    assert client.ask("escape", {"privateData": ("string", b"\1\2")})[0] == (
        "universalFailure",
        ("operation", "serviceNotSupported"),
    )


def test_a_whole_call_told_to_the_monitors_of_extension_and_trunk(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    extension, trunk = client.monitor(digits("301")), client.monitor(numbered(0x0131_0001))
    other = client.monitor(digits("302"))
    result, events = client.call()
    form, connection = result["callingDevice"]
    assert form == "both"
    assert len(connection["callID"]) == 4
    assert reports(events) == [(extension, "serviceInitiated", "makeCall")]
    assert bench.telephones.done == [("ring", 1, "301")]
    bench.pbx.extension_answered(1)
    assert reports(client.events()) == [(extension, "originated", "newCall")]
    bench.clock.advance(0.2)
    events = client.events()
    assert reports(events) == [(extension, "networkReached", "normal"), (trunk, "networkReached", "normal")]
    used = bodies(events)["networkReached"]["networkInterfaceUsed"]
    assert used == ("deviceIdentifier", numbered(0x0131_0001))
    bench.clock.advance(0.2)
    assert [name for _, name, _ in reports(client.events())] == ["delivered", "delivered"]
    bench.clock.advance(1)
    events = client.events()
    assert [name for _, name, _ in reports(events)] == ["established", "established"]
    established = bodies(events)["established"]
    assert established["calledDevice"] == ("deviceIdentifier", digits(NUMBER))
    assert established["establishedConnection"][1]["callID"] == connection["callID"]
    assert bench.telephones.done[1:] == [("tone", 1, Tone.RINGBACK), ("connect", 1, "confirms", NUMBER)]
    bench.pbx.callee_hung_up(1)
    assert [(reference, name) for reference, name, _ in reports(client.events())] == [
        (extension, "connectionCleared"),
        (trunk, "connectionCleared"),
        (extension, "connectionCleared"),
        (trunk, "connectionCleared"),
    ]
    assert bench.telephones.done[3:] == [("drop media", 1), ("release", 1)]
    assert [line["event"] for line in bench.lines()] == ["make_call", "dialed", "answered", "ended"]
    assert other not in (extension, trunk)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        ("984951234506", "busy"),
        ("984951234508", "callCancelled"),
        ("984951234509", "invalidNumberFormat"),
        ("984951234513", "networkCongestion"),
        ("84951234501", "invalidNumberFormat"),
    ],
)
def test_a_failed_call_keeps_the_extension_until_it_is_cleared(benches: Any, number: str, cause: str) -> None:
    bench = benches()
    client = bench.client()
    reference = client.monitor(digits("301"))
    result, _ = client.call(number=number)
    bench.pbx.extension_answered(1)
    bench.clock.pump([0.2, 0.2, 0.5])
    assert reports(client.events())[-1] == (reference, "failed", cause)
    assert client.call()[0] == ("universalFailure", ("stateIncompatibility", "invalidObjectState"))
    answer, events = client.ask("clearConnection", {"connectionToBeCleared": result["callingDevice"]})
    assert answer == ("noData", None)
    assert {name for _, name, _ in reports(events)} == {"connectionCleared"}
    assert bench.telephones.done[-1] == ("release", 1)
    assert client.call()[0]["callingDevice"]


def test_the_answer_comes_before_the_events_it_causes_or_after_them(benches: Any) -> None:
    for variant, first in (("events_before_result=no", Returned), ("events_before_result=yes", Invoked)):
        client = benches(variant).client()
        client.monitor(digits("301"))
        _, octets = client.association.invoke(
            "makeCall", {"callingDevice": digits("301"), "calledDirectoryNumber": digits(NUMBER)}
        )
        assert isinstance(client.send(octets)[0], first)


@pytest.mark.parametrize(
    ("extension", "number", "error"),
    [
        ("399", NUMBER, ("operation", "invalidDeviceID")),
        ("301", "call me", ("operation", "invalidCalledDeviceID")),
        ("305", NUMBER, ("systemResourceAvailability", "resourceOutOfService")),
    ],
)
def test_a_refused_call_is_answered_with_the_error(
    benches: Any, extension: str, number: str, error: tuple[str, str]
) -> None:
    bench = benches()
    bench.pbx.extension_registered("305", False)
    assert bench.client().call(extension, number) == (("universalFailure", error), [])
    (line,) = bench.lines()
    assert (line["event"], line["refused"]) == ("make_call", error[1])


def test_a_call_from_an_extension_by_its_number(benches: Any) -> None:
    bench = benches()
    argument = {"callingDevice": numbered(0x0111_0002), "calledDirectoryNumber": digits(NUMBER)}
    bench.client().ask("makeCall", argument)
    assert bench.telephones.done == [("ring", 1, "302")]


def test_an_extension_that_does_not_answer(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    client.monitor(digits("301"))
    client.call()
    client.events()
    bench.clock.advance(5)
    assert [name for _, name, _ in reports(client.events())] == ["failed", "connectionCleared"]
    assert ("release", 1) in bench.telephones.done
    assert [line["event"] for line in bench.lines()] == ["make_call", "failed", "ended"]


def test_losing_the_link_drops_monitors_but_no_call(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    client.monitor(digits("301"))
    client.call()
    bench.pbx.extension_answered(1)
    client.link.connectionLost()
    client.transport.clear()
    bench.clock.pump([0.2, 0.2, 1.0, 10.0])
    assert client.transport.value() == b""
    assert [line["event"] for line in bench.lines()] == ["make_call", "dialed", "answered"]
    again = bench.client()
    (connection,) = again.ask("snapshotDevice", {"snapshotObject": digits("301")})[0]["crossRefIDorSnapshotData"][1]
    assert connection["localCallState"] == ("compoundCallState", ["connected", "connected"])
    answer, events = again.ask("clearConnection", {"connectionToBeCleared": connection["connectionIdentifier"]})
    assert answer == ("noData", None)
    assert reports(events) == []  # nobody monitors
    assert again.ask("snapshotDevice", {"snapshotObject": digits("301")})[0] == {
        "crossRefIDorSnapshotData": ("snapshotData", [])
    }


def test_a_second_client_is_refused_while_the_first_lives(benches: Any) -> None:
    bench = benches()
    first = bench.client()
    second = Client(bench)
    assert second.associate() == [Refused(1, "acse-service-user", 1)]
    assert second.transport.disconnecting
    first.link.connectionLost()
    bench.client()


def test_a_second_client_replaces_the_first(benches: Any) -> None:
    for variant in ("abort_framed=no", "abort_framed=yes"):
        bench = benches("second_association=replace", variant)
        first = bench.client()
        bench.client()
        assert first.events() == [Aborted(0)]
        assert first.transport.disconnecting


def test_two_clients_at_once(benches: Any) -> None:
    bench = benches("second_association=accept")
    first, second = bench.client(), bench.client()
    references = {first.monitor(digits("301")), second.monitor(digits("301"))}
    assert len(references) == 2
    first.call()
    assert [name for _, name, _ in reports(second.events())] == ["serviceInitiated"]


def test_a_second_monitor_on_a_device(benches: Any) -> None:
    client = benches().client()
    client.monitor(digits("301"))
    error, _ = client.ask("monitorStart", {"monitorObject": ("deviceObject", numbered(0x0111_0001))})
    assert error == ("universalFailure", ("systemResourceAvailability", "resourceLimitExceeded"))
    client = benches("second_monitor=allow").client()
    assert client.monitor(digits("301")) != client.monitor(numbered(0x0111_0001))


def test_monitors_can_be_stopped_and_filtered(benches: Any) -> None:
    client = benches().client()
    reference = client.monitor(digits("301"))
    assert client.ask("monitorStop", {"crossRefIdentifier": reference})[0] == ("noData", None)
    assert client.ask("monitorStop", {"crossRefIdentifier": reference})[0][1] == ("operation", "invalidCrossRefID")
    assert reports(client.call()[1]) == []
    # bit 12: serviceInitiated is kept back
    client.monitor(digits("302"), requestedMonitorFilter={"callControl": "0000000000001000"})
    assert reports(client.call("302")[1]) == []
    client.monitor(digits("303"), requestedMonitorFilter={})
    assert len(reports(client.call("303")[1])) == 1


@pytest.mark.parametrize(
    ("operation", "argument", "error"),
    [
        ("monitorStart", {"monitorObject": ("deviceObject", digits("999"))}, "invalidDeviceID"),
        ("monitorStart", {"monitorObject": ("deviceObject", numbered(0x0131_0063))}, "invalidDeviceID"),
        ("monitorStart", {"monitorObject": ("callObject", ("callID", b"\1"))}, "requestIncompatibleWithObject"),
        ("snapshotDevice", {"snapshotObject": digits("999")}, "invalidDeviceID"),
        ("clearConnection", {"connectionToBeCleared": ("callID", b"\0\0\0\7")}, "invalidConnectionID"),
        (
            "clearConnection",
            {"connectionToBeCleared": ("deviceID", ("staticID", digits("301")))},
            "invalidConnectionID",
        ),
        ("operation-999", b"\x05\x00", "serviceNotSupported"),
        ("answerCall", {"callToBeAnswered": ("callID", b"\1")}, "invalidConnectionID"),
        ("groupPickupCall", b"\x30\x00", "serviceNotSupported"),
        ("conferenceCall", {"heldCall": ("callID", b"\1"), "activeCall": ("callID", b"\2")}, "serviceNotSupported"),
    ],
)
def test_what_cannot_be_done_is_refused_and_the_link_goes_on(
    benches: Any, operation: str, argument: Any, error: str
) -> None:
    client = benches().client()
    assert client.ask(operation, argument)[0] == ("universalFailure", ("operation", error))
    assert isinstance(client.monitor(digits("301")), bytes)


def test_an_argument_that_does_not_fit_is_rejected(benches: Any) -> None:
    client = benches().client()
    # MakeCall with an INTEGER where its SEQUENCE should be
    (event,) = client.send(bytes.fromhex("000B A109 02010A 02010A 020105"))
    assert event == Rejected(10, ("invoke", 2))


def test_a_client_that_breaks_the_protocol_is_dropped(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    client.link.dataReceived(b"\x00\x04\xff\xff\xff\xff")
    assert client.transport.disconnecting
    assert bench.pbx.csta.links == []
    bench.client()


def test_a_client_may_release_or_abort(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    assert [type(event) for event in client.send(client.association.release())] == [Released]
    assert client.transport.disconnecting
    client = bench.client()
    client.send(client.association.abort())
    assert client.transport.disconnecting


def test_forms_of_identifiers_are_variants(benches: Any) -> None:
    bench = benches("extension_form=deviceNumber", "number_form=other", "far_end_form=number", "call_id_octets=3")
    client = bench.client()
    client.monitor(digits("301"))
    result, _ = client.call()
    assert result["callingDevice"][1] == {"callID": b"\0\0\1", "deviceID": ("staticID", numbered(0x0111_0001))}
    bench.pbx.extension_answered(1)
    bench.clock.pump([0.2, 0.2])
    delivered = bodies(client.events())["delivered"]
    number = ("deviceIdentifier", {"deviceIdentifier": ("other", NUMBER.encode())})
    assert (delivered["alertingDevice"], delivered["calledDevice"]) == (number, number)


def test_switching_off_ends_the_calls_in_the_journal(benches: Any) -> None:
    bench = benches()
    client = bench.client()
    client.call()
    bench.pbx.close()
    assert [line["event"] for line in bench.lines()] == ["make_call", "ended"]
    assert client.transport.disconnecting
