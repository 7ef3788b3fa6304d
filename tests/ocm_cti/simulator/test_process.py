"""The command line, and the process on real sockets."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocm_cti.simulator.faults import SettingError, Settings
from ocm_cti.simulator.process import ArgumentError, Recordings, main, parse, parse_extensions
from protocols.csta.association import AARE, AARQ


@pytest.mark.parametrize(
    ("text", "extensions"),
    [
        ("301-303", ("301", "302", "303")),
        ("301, 305", ("301", "305")),
        ("0098-0101,7", ("0098", "0099", "0100", "0101", "7")),
    ],
)
def test_extensions_are_ranges_and_lists(text: str, extensions: tuple[str, ...]) -> None:
    assert parse_extensions(text) == extensions


@pytest.mark.parametrize("text", ["", "30x", "308-301", "99-101", "301,301", "301-", "1000-9999"])
def test_extensions_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="extensions "):
        parse_extensions(text)


def test_the_command_line_is_that_of_the_product(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text('[[callee]]\nsuffix = ""\nname = "everybody"', "utf-8")
    line = f"--csta-port 1 --sip-port 2 --extensions 301-302 --callees {tmp_path}/people.toml --log calls.jsonl"
    arguments = parse(f"{line} --heard {tmp_path}/heard --variant trunks=3 --variant delivered=no".split())
    assert (arguments.csta_port, arguments.sip_port, arguments.extensions) == (1, 2, ("301", "302"))
    assert (arguments.directory.find("1").name, arguments.log) == ("everybody", Path("calls.jsonl"))
    assert arguments.recordings == Recordings(tmp_path / "heard", tmp_path / "said")
    assert arguments.settings == Settings(trunks=3, delivered=False)
    assert (arguments.host, arguments.password_pattern) == ("127.0.0.1", "pw{extension}")


def test_without_a_file_there_is_somebody_at_a_desk_to_call() -> None:
    devices = {one.number: one for one in parse(["--password-pattern", "secret{extension}"]).devices}
    assert [number for number, one in devices.items() if one.kind == "sip"] == [*map(str, range(301, 309)), "310"]
    desk = devices["201"]
    assert desk.kind == "phone" and desk.answer_after_s is not None and desk.person is not None
    assert parse(["--password-pattern", "secret{extension}"]).passwords["310"] == "secret310"


def test_wrong_arguments_are_refused_before_anything_listens() -> None:
    with pytest.raises(SettingError):
        parse(["--variant", "trunkz=3"])
    with pytest.raises(ArgumentError, match="password-pattern"):
        parse(["--password-pattern", "{user}"])
    with pytest.raises(ArgumentError, match="no port number"):
        parse(["--sip-port", "70000"])


def test_help_shows_every_variant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    shown = capsys.readouterr().out
    assert "second_association=refuse (refuse | replace | accept)" in shown


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--variant", "trunkz=3"], "simulate: variant 'trunkz' does not exist, did you mean 'trunks'?"),
        (["--extensions", "x"], "simulate: extensions 'x': expected 301-308 or 301,305"),
        (["--callees", "/nowhere/people.toml"], "simulate: callees: cannot read /nowhere/people.toml"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(says)
    assert captured.err.count("\n") == 1


class Running:
    """The process, ready."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "ocm_cti.simulator.process", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self) -> tuple[int, str]:
        """(exit code, what it printed after the ready line and on standard error)."""
        self.process.send_signal(signal.SIGTERM)
        printed, errors = self.process.communicate(timeout=20)
        return self.process.returncode, printed + errors


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    simulator = Running("--log", str(tmp_path / "calls.jsonl"), "--heard", str(tmp_path / "heard"))
    yield simulator
    if simulator.process.poll() is None:
        simulator.process.kill()
        simulator.process.communicate()


@pytest.mark.sockets
def test_the_process_is_ready_when_it_says_so_and_stops_when_told(running: Running, tmp_path: Path) -> None:
    assert set(running.ready) == {"csta_port", "sip_port", "host"}
    with socket.create_connection((running.ready["host"], running.ready["csta_port"]), timeout=20) as client:
        client.sendall(len(AARQ).to_bytes(2, "big") + AARQ)
        received = b""
        while len(received) < 2 + len(AARE) + 2 + 14:
            received += client.recv(1000)
    assert received == bytes.fromhex("0031") + AARE + bytes.fromhex("000E A10C020101020200D330030A0102")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
        telephone.settimeout(20)
        telephone.bind(("127.0.0.1", 0))
        port = telephone.getsockname()[1]
        options = (
            f"OPTIONS sip:pbx SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
            "From: <sip:301@pbx>;tag=1\r\nTo: <sip:pbx@pbx>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        telephone.sendto(options.encode(), (running.ready["host"], running.ready["sip_port"]))
        assert telephone.recv(2000).startswith(b"SIP/2.0 200 ")
    assert running.stop() == (0, "")
    assert (tmp_path / "calls.jsonl").read_bytes() == b""
    assert (tmp_path / "heard").is_dir()


@pytest.mark.sockets
@pytest.mark.parametrize(("option", "key"), [("--csta-port", "csta_port"), ("--sip-port", "sip_port")])
def test_a_port_that_is_taken_is_one_line_and_exit_code_2(running: Running, option: str, key: str) -> None:
    port = str(running.ready[key])
    second = subprocess.run(
        [sys.executable, "-m", "ocm_cti.simulator.process", option, port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == f"simulate: can't listen on 127.0.0.1 port {port}: Address already in use\n"
