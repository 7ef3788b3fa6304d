"""The process with fixtures/config/pbx.toml against a client that has nothing of ours: octets on a socket."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "fixtures" / "config" / "pbx.toml"
PATIENCE_S = 20.0

# The Panasonic notes, section 8 and 4.2; each with its length before it.
AARQ = bytes.fromhex("0025 6023 8002 0780 A107 0605 2B0C00815A BE14 2812 0607 2B0C00821D8148 A007 A005 0303 000800")
AARQ_LENIENT = bytes.fromhex("0016 6014 8009 00 7665 7273 696F 6E33 A107 0605 2B0C00815A")
AARE = bytes.fromhex(
    "0031 612F 8002 0780 A107 0605 2B0C00815A A203 0201 00 A305 A103 0201 01"
    "BE14 2812 0607 2B0C00821D8148 A007 A005 0303 000800"
)
REFUSED = bytes.fromhex("A203 0201 01")
STATUS = bytes.fromhex("000E A10C 0201 01 0202 00D3 3003 0A01 02")
STATUS_TAKEN = bytes.fromhex("000D A20B 0201 01 3006 0202 00D3 0500")
OVERLOAD = bytes.fromhex("0202 00D3 3003 0A01 06")
MONITOR_201 = bytes.fromhex("0013 A111 0201 02 0201 47 3009 3005 8003 323031 A000")
MONITOR_202 = bytes.fromhex("0013 A111 0201 03 0201 47 3009 3005 8003 323032 A000")
STATIONS = bytes.fromhex("0017 A115 0201 04 0201 33 300D A40B A009 A407 A105 A003 0A01 05")
MAKE_CALL = bytes.fromhex("0018 A116 0201 05 0201 0A 300E 3005 8003 323031 3005 8003 323032")
ABORT = bytes.fromhex("6403 8001 00")
# CSTAEventReport: what event it is stands after the cross reference, callControlEvents [0], by its number.
ORIGINATED, DELIVERED, ESTABLISHED, CLEARED = 0xAD, 0xA4, 0xA7, 0xA3


class Wire:
    """A client without any library: frames by their 2-octet length."""

    def __init__(self, read: Any, write: Any) -> None:
        self._read = read
        self.write = write
        self._octets = b""

    @classmethod
    def tcp(cls, port: int) -> tuple[Wire, socket.socket]:
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        return cls(lambda: connection.recv(4096), connection.sendall), connection

    @classmethod
    def descriptor(cls, line: int) -> Wire:
        def read() -> bytes:
            ready, _, _ = select.select([line], [], [], PATIENCE_S)
            assert ready, "nothing came"
            return os.read(line, 4096)

        return cls(read, lambda octets: os.write(line, octets))

    def octets(self, count: int) -> bytes:
        while len(self._octets) < count:
            more = self._read()
            assert more, f"the end, with {self._octets.hex(' ')} left over"
            self._octets += more
        taken, self._octets = self._octets[:count], self._octets[count:]
        return taken

    def frame(self) -> bytes:
        head = self.octets(2)
        return head + self.octets(int.from_bytes(head, "big"))

    def until(self, piece: bytes) -> list[bytes]:
        """Frames up to one that has ``piece`` in it."""
        frames = []
        while True:
            frames.append(self.frame())
            if piece in frames[-1]:
                return frames

    def ended(self) -> bool:
        """Whatever is still to come, and then the end."""
        try:
            while self._read():
                pass
        except ConnectionResetError:
            pass
        return True

    def log_on(self, aarq: bytes = AARQ) -> None:
        self.write(aarq)
        assert self.frame() == AARE
        assert self.frame() == STATUS
        self.write(STATUS_TAKEN)


class Firm:
    """The simulated firm, running."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "ocm_cti.simulator.process", "--config", str(EXAMPLE), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        self.open: list[socket.socket] = []

    def client(self) -> Wire:
        wire, connection = Wire.tcp(self.ready["csta_port"])
        self.open.append(connection)
        return wire

    def order(self, **order: Any) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self.ready["control_port"]), timeout=PATIENCE_S) as control:
            control.sendall(json.dumps(order).encode() + b"\n")
            answer: dict[str, Any] = json.loads(control.makefile().readline())
        return answer

    def stop(self) -> None:
        for connection in self.open:
            connection.close()
        self.process.send_signal(signal.SIGTERM)
        printed, errors = self.process.communicate(timeout=PATIENCE_S)
        assert (self.process.returncode, printed + errors) == (0, "")


@pytest.fixture
def firm(request: pytest.FixtureRequest) -> Iterator[Firm]:
    running = Firm(*getattr(request, "param", ()))
    try:
        yield running
        running.stop()
    finally:
        running.process.kill()
        running.process.wait()


def event_of(frame: bytes) -> int:
    """The tag of the event in a CSTAEventReport, 0 where it is none."""
    apdu = frame[2:]
    if apdu[0] != 0xA1:
        return 0
    inside = _value(apdu)
    _, inside = _element(inside)  # the invoke id
    operation, inside = _element(inside)
    if operation != bytes.fromhex("020115"):
        return 0
    _, rest = _element(_value(inside))  # the cross reference
    specific = _value(rest)  # callControlEvents [0] and so on
    return specific[0]


def _element(octets: bytes) -> tuple[bytes, bytes]:
    head = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    length = octets[1] if head == 2 else int.from_bytes(octets[2:head], "big")
    return octets[: head + length], octets[head + length :]


def _value(octets: bytes) -> bytes:
    head = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    element, _ = _element(octets)
    return element[head:]


@pytest.mark.sockets
def test_somebody_elses_client_logs_on_monitors_and_calls(firm: Firm) -> None:
    assert set(firm.ready) == {"host", "csta_port", "sip_port", "smdr_port", "control_port"}
    records, connection = Wire.tcp(firm.ready["smdr_port"])
    firm.open.append(connection)
    assert records.octets(1) == b"-"
    records.write(b"SMDR\r\n")
    assert records.octets(15) == b"Enter Password:"
    records.write(b"PCCSMDR\r\n")
    assert records.octets(2) == b"\r\n"

    client = firm.client()
    client.log_on()
    client.write(MONITOR_201)
    assert client.frame()[2:8].hex().upper().startswith("A2")
    client.write(MONITOR_202)
    client.frame()
    client.write(STATIONS)
    listed = client.frame()
    assert listed[2] == 0xA2 and bytes.fromhex("0201 33 7E") in listed
    segments = b""
    while bytes.fromhex("A203 0101 FF") not in segments:
        segments += client.frame()
    for number in ("201", "206", "301", "310"):
        assert b"\x16\x03" + number.encode() in segments

    client.write(MAKE_CALL)
    assert client.until(b"\x02\x01\x0a")[-1][2] == 0xA2
    tags: list[int] = []
    while tags.count(ESTABLISHED) < 2:
        tags.append(event_of(client.frame()))
    assert tags.index(ORIGINATED) < tags.index(DELIVERED) < tags.index(ESTABLISHED)
    (call,) = firm.order(do="status")["calls"]
    assert [one["state"] for one in call["connections"]] == ["connected", "connected"]

    # ClearConnection of 201; the callID, 4 octets, as the status has it.
    connection_id = bytes.fromhex(f"6B 11 30 0F 80 04 {call['call_id']} A1 07 30 05 80 03 323031")
    client.write(bytes.fromhex("001D A11B 0201 06 0201 05 30 13") + connection_id)
    while tags.count(CLEARED) < 2:
        tags.append(event_of(client.frame()))
    printed = b""
    while printed.count(b"\n") < 3:  # the head of a page, and the call
        printed += records.octets(1)
    assert printed.decode().splitlines()[2].split()[2:4] == ["201", "EXT202"]


@pytest.mark.sockets
@pytest.mark.parametrize("firm", [("--variant", "second_association=refuse")], indirect=True)
def test_an_untidy_aarq_is_taken_and_a_second_client_refused(firm: Firm) -> None:
    first = firm.client()
    first.log_on(AARQ_LENIENT)
    second = firm.client()
    second.write(AARQ)
    assert REFUSED in second.frame()
    assert second.ended()
    first.write(MONITOR_201)
    assert first.frame()[2] == 0xA2


@pytest.mark.sockets
def test_two_clients_watch_the_same_telephone(firm: Firm) -> None:
    one, two = firm.client(), firm.client()
    for client in (one, two):
        client.log_on()
        client.write(MONITOR_201)
        client.frame()
    two.write(MAKE_CALL)
    for client in (one, two):
        while event_of(client.frame()) != ESTABLISHED:
            pass
    assert [link["monitors"] for link in firm.order(do="status")["links"]] == [["201"], ["201"]]


@pytest.mark.sockets
def test_faults_on_the_wire_while_it_runs(firm: Firm) -> None:
    client = firm.client()
    client.log_on()
    assert firm.order(do="fault", name="overload") == {"fault": "overload"}
    assert client.frame().endswith(OVERLOAD)
    assert firm.order(do="clear")["cleared"] == ["overload"]
    client.frame()
    firm.order(do="fault", name="split", options={"octets": 1})
    client.write(MONITOR_201)
    assert client.frame()[2] == 0xA2
    firm.order(do="clear")
    firm.order(do="fault", name="junk", options={"octets": "DEADBEEF"})
    assert client.octets(4) == bytes.fromhex("DEADBEEF")
    firm.order(do="fault", name="abort")
    assert client.octets(5) == ABORT
    assert client.ended()
    assert "device" in firm.order(do="fault", name="out_of_service", options={"device": "999"})["error"]


@pytest.mark.sockets
def test_after_a_restart_it_is_the_same_pbx_on_the_same_ports(firm: Firm) -> None:
    client = firm.client()
    client.log_on()
    client.write(MONITOR_201)
    client.frame()
    client.write(MAKE_CALL)
    while event_of(client.frame()) != ESTABLISHED:
        pass
    firm.order(do="fault", name="restart", options={"down_s": 0.05})
    assert client.ended()
    for _ in range(2000):
        if firm.order(do="status")["power"] == "on":
            break
    status = firm.order(do="status")
    assert (status["calls"], status["links"]) == ([], [])
    again = firm.client()
    again.log_on()
    again.write(MAKE_CALL)
    assert bytes.fromhex("0201 0A") in again.frame()


@pytest.mark.sockets
@pytest.mark.parametrize("firm", [("--csta-pty",)], indirect=True)
def test_csta_on_a_serial_line(firm: Firm) -> None:
    line = os.open(firm.ready["csta_serial"], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line, termios.TCSANOW)
    try:
        client = Wire.descriptor(line)
        client.log_on()
        client.write(MONITOR_201)
        assert client.frame()[2] == 0xA2
        # A client that comes back without having said goodbye: a line has no connections.
        client.log_on()
        client.write(MONITOR_201)
        assert client.frame()[2] == 0xA2
        client.write(MAKE_CALL)
        while event_of(client.frame()) != ESTABLISHED:
            pass
        assert [link["associated"] for link in firm.order(do="status")["links"]] == [True]
    finally:
        os.close(line)


@pytest.mark.sockets
def test_csta_on_a_device_whose_plug_is_pulled() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    firm = Firm("--csta-serial", f"{os.ttyname(slave)}?baud=115200")
    try:
        os.close(slave)
        assert firm.ready["csta_serial"].startswith("/dev/")
        client = Wire.descriptor(master)
        client.log_on()
        client.write(MONITOR_201)
        assert client.frame()[2] == 0xA2
        os.close(master)
        while firm.order(do="status")["links"]:
            pass
        firm.client().log_on()  # TCP goes on
        firm.stop()
    finally:
        firm.process.kill()
        firm.process.wait()


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--csta-serial", "/dev/nowhere"], "simulate: /dev/nowhere can't be opened"),
        (
            ["--csta-serial", "/dev/null?baud=x"],
            "simulate: CSTA's serial line: 'serial:/dev/null?baud=x': baud can't be",
        ),
        (["--fault", "out_of_service", "device=999"], "simulate: fault out_of_service: no device '999'"),
        (["--fault", "splat"], "simulate: fault 'splat' does not exist, did you mean 'split'?"),
    ],
)
def test_what_cannot_be_begun_is_one_line_and_exit_code_2(options: list[str], says: str) -> None:
    command = [sys.executable, "-m", "ocm_cti.simulator.process", "--config", str(EXAMPLE), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1
