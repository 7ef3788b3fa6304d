"""Orders to a running simulator: the protocol in memory, and the command line against the process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from ocm_cti.simulator import control_client
from ocm_cti.simulator.control import MAX_LINE, Control
from ocm_cti.simulator.effects import RequestError
from ocm_cti.simulator.fault_table import Fault, FaultError, read_line
from protocols.csta.association import NEED_DATA, Associated, Association, Event, Invoked, Returned, Role


class Simulated:
    """Writes down what is ordered."""

    def __init__(self) -> None:
        self.orders: list[Any] = []

    def inject(self, fault: Fault) -> None:
        if getattr(fault, "device", "") == "999":
            raise FaultError("no device '999'")
        self.orders.append(fault)

    def clear(self, name: str | None = None) -> list[Fault]:
        self.orders.append(("clear", name))
        return [read_line("split octets=2"), read_line("silence")]

    def call_in(self, number: str, destination: str) -> int:
        if destination == "302":
            raise RequestError("systemResourceAvailability", "resourceBusy")
        if destination == "999":
            raise RequestError("operation", "invalidDeviceID")
        self.orders.append((number, destination))
        return 7

    def status(self) -> dict[str, Any]:
        return {"calls": [], "name": "Приёмная"}


class Bench:
    """A connection to the control port of something simulated."""

    def __init__(self) -> None:
        self.simulated = Simulated()
        self.logged: list[str] = []
        self.control = Control(self.simulated, self.logged.append)
        self.connection = self.control.buildProtocol(None)
        self.transport = StringTransport()  # type: ignore[no-untyped-call]
        self.connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def send(self, octets: bytes) -> list[dict[str, Any]]:
        self.connection.dataReceived(octets)  # type: ignore[no-untyped-call]
        answers = [json.loads(line) for line in self.transport.value().splitlines()]  # type: ignore[no-untyped-call]
        self.transport.clear()  # type: ignore[no-untyped-call]
        return answers

    def ask(self, order: Any) -> dict[str, Any]:
        (answer,) = self.send(json.dumps(order).encode() + b"\n")
        return answer


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_fault_is_ordered(bench: Bench) -> None:
    order = {"do": "fault", "name": "drop", "options": {"nth": 3, "every": True, "after": 1.5, "what": "events"}}
    assert bench.ask(order) == {"fault": "drop after_s=1.5 nth=3 every=true what=events"}
    assert bench.simulated.orders == [read_line("drop nth=3 every=yes after=1.5 what=events")]
    assert "drop" in bench.logged[0]


def test_everything_else_is_ordered(bench: Bench) -> None:
    assert bench.ask({"do": "clear"}) == {"cleared": ["split octets=2", "silence"]}
    assert bench.ask({"do": "clear", "name": "split"}) == {"cleared": ["split octets=2", "silence"]}
    assert bench.ask({"do": "call-in", "from": "84951234501", "to": "301"}) == {"call": 7}
    assert bench.ask({"do": "status"}) == {"calls": [], "name": "Приёмная"}
    assert bench.simulated.orders == [("clear", None), ("clear", "split"), ("84951234501", "301")]


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({}, "do is missing"),
        ({"do": 3}, "do is a text, not 3"),
        ({"do": "dance"}, "do is one of fault, clear, status, call-in, not 'dance'"),
        ({"do": "fault"}, "name is missing"),
        ({"do": "fault", "name": "dropp"}, "fault 'dropp' does not exist, did you mean 'drop'?"),
        ({"do": "fault", "name": "drop", "options": [1]}, "options are an object, not [1]"),
        ({"do": "fault", "name": "drop", "options": {"nth": [1]}}, "option nth is a text, a number, true or false"),
        ({"do": "fault", "name": "drop", "options": {"nth": "x"}}, "fault drop: nth is a number, not 'x'"),
        ({"do": "fault", "name": "drop", "nth": 1}, "fault has no 'nth'; it has name, options"),
        ({"do": "fault", "name": "out_of_service", "options": {"device": 999}}, "no device '999'"),
        ({"do": "clear", "name": "dropp"}, "name is that of a fault (split, "),
        ({"do": "clear", "name": ["drop"]}, "name is a text, not ['drop']"),
        ({"do": "status", "of": "calls"}, "status has no 'of'; it has nothing"),
        ({"do": "call-in", "from": "1"}, "to is missing"),
        ({"do": "call-in", "from": "1", "to": "302"}, "the PBX refuses (resourceBusy): 302 is busy, not registered"),
        ({"do": "call-in", "from": "1", "to": "999"}, "the PBX refuses (invalidDeviceID): there is no extension '999'"),
    ],
)
def test_what_can_not_be_done_is_told_and_the_next_order_is_taken(bench: Bench, order: Any, says: str) -> None:
    answer = bench.ask(order)
    assert list(answer) == ["error"]
    assert answer["error"].startswith(says)
    assert bench.simulated.orders == []
    assert bench.ask({"do": "status"})["calls"] == []


def test_orders_come_in_pieces_and_together(bench: Bench) -> None:
    line = b'{"do": "status"}\r\n'
    assert bench.send(line[:5]) == []
    assert len(bench.send(line[5:] + line + line[:3])) == 2


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\r\n", b"[1]\n", b"\xff\xfe\n", b"\n", b"[" * 9000 + b"\n", b"7\n"])
def test_somebody_who_speaks_something_else_is_sent_away(bench: Bench, line: bytes) -> None:
    assert bench.send(line) == [{"error": "expected one JSON object a line"}]
    assert bench.transport.disconnecting


def test_after_the_first_such_line_nothing_more_is_done(bench: Bench) -> None:
    bench.send(b'POST / HTTP/1.1\r\n\r\n{"do": "clear"}\r\n')
    assert bench.simulated.orders == []


def test_a_line_without_end_is_refused(bench: Bench) -> None:
    assert bench.send(b"{" * (MAX_LINE + 1)) == [{"error": f"a line of more than {MAX_LINE} octets"}]
    assert bench.transport.disconnecting


def test_all_connections_are_closed_with_the_simulator(bench: Bench) -> None:
    bench.control.close()
    assert bench.transport.disconnecting
    bench.connection.connectionLost()
    assert bench.control.connections == []


_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_VALUE = st.recursive(
    _SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(
    st.sampled_from(["fault", "clear", "call-in", "status"]),
    st.dictionaries(st.sampled_from(["name", "options", "from", "to", "x"]), _VALUE),
)
def test_no_order_breaks_it(do: str, order: dict[str, Any]) -> None:
    assert Control(Simulated(), lambda text: None).answer({"do": do, **order})


# The command line


def test_nobody_there_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert control_client.main(["status", "--control", "nowhere"]) == 2
    assert control_client.main(["fault", "dropp", "--control", "127.0.0.1:1"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "simulate status: --control 'nowhere': expected HOST:PORT",
        "simulate fault: fault 'dropp' does not exist, did you mean 'drop'?",
    ]


def test_help_of_fault_lists_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        control_client.main(["fault", "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "  half_frame         the link stops in the midst of the next frame" in shown
    assert "      gap_s=0.002  pause between pieces" in shown


def ocm(*words: str) -> tuple[int, str, str]:
    """``ocm simulate`` with these words, as a person runs it."""
    command = [sys.executable, "-m", "ocm_cti.cli", "simulate", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Client:
    """A CSTA client on a socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.association = Association(Role.CLIENT)
        self.socket.sendall(self.association.associate())
        assert isinstance(self.next(), Associated)
        self.next()  # SystemStatus

    def next(self) -> Event:
        """The next event, whenever it comes; a time-out of the socket fails the test."""
        while (event := self.association.next_event()) is NEED_DATA:
            self.association.receive_data(self.socket.recv(1000))
        return event

    def ask(self, operation: str, argument: Any) -> Event:
        self.socket.sendall(self.association.invoke(operation, argument)[1])
        return self.next()


@pytest.fixture
def process() -> Iterator[dict[str, Any]]:
    """The ready line of a simulator with a control port."""
    command = [sys.executable, "-m", "ocm_cti.cli", "simulate", "--control", "0", "--extensions", "301-302"]
    running = subprocess.Popen(
        [*command, "--fault", "split octets=5 after=3600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    yield json.loads(running.stdout.readline())
    running.send_signal(signal.SIGTERM)
    printed, errors = running.communicate(timeout=20)
    assert (running.returncode, printed + errors) == (0, "")


@pytest.mark.sockets
def test_faults_from_the_command_line_while_it_runs(process: dict[str, Any]) -> None:
    assert set(process) == {"csta_port", "sip_port", "host", "control_port"}
    where = ("--control", f"127.0.0.1:{process['control_port']}")
    client = Client(process["csta_port"])
    device = {"deviceIdentifier": ("dialingNumber", "301")}
    assert isinstance(client.ask("monitorStart", {"monitorObject": ("deviceObject", device)}), Returned)

    assert ocm("fault", "duplicate", *where) == (0, "duplicate\n", "")
    assert ocm("fault", "out_of_service", "device=301", *where) == (0, "out_of_service device=301\n", "")
    for _ in range(2):
        event = client.next()
        assert isinstance(event, Invoked)
        assert event.argument["eventSpecificInfo"][1][0] == "outOfService"

    code, printed, errors = ocm("status", *where)
    assert (code, errors) == (0, "")
    rows = [line.split() for line in printed.splitlines()]
    assert "power on, system status normal" in printed
    assert ["yes", "301"] in [row[-2:] for row in rows]
    assert ["split", "after_s=3600", "octets=5", "to", "come"] in rows
    assert ["out", "of", "service:", "301"] in rows
    code, printed, errors = ocm("status", "--json", *where)
    assert json.loads(printed)["links"][0]["monitors"] == ["301"]

    code, printed, errors = ocm("call-in", "84951234501", "302", *where)
    assert (code, printed) == (2, "")
    assert errors.startswith("simulate call-in: the PBX refuses (resourceBusy): 302 is busy, not registered")
    code, printed, errors = ocm("clear", *where)
    assert (code, errors) == (0, "")
    assert printed == "cleared: duplicate, out_of_service device=301, split after_s=3600 octets=5\n"

    assert ocm("fault", "restart", "down_s=0.01", *where)[0] == 0
    while client.socket.recv(1000):
        pass  # what was still to come
    client.socket.close()
