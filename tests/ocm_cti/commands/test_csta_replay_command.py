"""ocm csta replay: the player on a transport in memory, and two processes that play both sides of one recording."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from ocm_cti.cli import main
from ocm_cti.commands.csta_replay import Player
from protocols.csta.association import AARE, AARQ
from protocols.csta.framing import frame
from protocols.csta.recording import Direction, Recorded
from protocols.csta.replay import Replay

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
UP, DOWN = Direction.TO_SWITCH, Direction.TO_CLIENT
STATUS = bytes.fromhex("A10C020101020200D330030A0102")
ANSWER = bytes.fromhex("A20B0201013006020200D30500")
ABRT = bytes.fromhex("6403800100")
WAIT_S = 5.0


class Line:
    """A player on a transport in memory."""

    def __init__(self, *said: tuple[Direction, bytes], plays: Direction = UP) -> None:
        self.clock = Clock()
        self.words: list[str] = []
        self.replay = Replay([Recorded(direction, apdu) for direction, apdu in said], plays)
        self.player = Player(self.clock, self.replay, plays is DOWN, WAIT_S, self.words.append)
        self.transport = StringTransport()
        self.player.makeConnection(self.transport)

    def sent(self) -> bytes:
        octets = self.transport.value()
        self.transport.clear()
        return octets

    def marked(self) -> list[str]:
        return [line for line in self.words if line.startswith("!")]


def test_sends_compares_and_hangs_up() -> None:
    line = Line((UP, AARQ), (DOWN, AARE), (DOWN, STATUS), (UP, ANSWER))
    assert line.sent() == frame(AARQ)
    for octet in frame(AARE) + frame(STATUS):
        line.player.dataReceived(bytes((octet,)))
    assert line.sent() == frame(ANSWER)
    assert line.transport.disconnecting
    assert line.clock.getDelayedCalls() == []
    assert line.marked() == []
    assert [each.split("|")[0].split() for each in line.words] == [
        [">", "aarq"],
        ["<", "aare", "accepted"],
        ["<", "invoke", "systemStatus", "(id", "1),", "systemStatus", "normal"],
        [">", "returnResult", "systemStatus", "(id", "1)"],
    ]


def test_gives_up_after_the_wait_and_goes_on() -> None:
    line = Line((UP, AARQ), (DOWN, AARE), (UP, STATUS))
    line.clock.advance(WAIT_S - 0.1)
    assert line.sent() == frame(AARQ)
    line.clock.advance(0.2)
    assert line.sent() == frame(STATUS)
    assert line.transport.disconnecting
    assert [each.split("|")[1].split() for each in line.marked()] == [["-", "missing"]]


def test_a_peer_that_goes_away_leaves_no_timer() -> None:
    line = Line((UP, AARQ), (DOWN, AARE), (UP, STATUS))
    line.player.connectionLost(Failure(ConnectionLost()))
    assert line.clock.getDelayedCalls() == []
    assert line.marked()[0] == "! the other side ended the connection"
    assert len(line.marked()) == 3  # that, the AARE that did not come, the SystemStatus that was not sent
    assert line.player.ended.called


def test_a_peer_that_sends_no_frames_ends_it() -> None:
    line = Line((UP, AARQ), (DOWN, AARE))
    line.player.dataReceived(b"\x00\x00")
    assert line.marked()[0] == "! the other side sends no frames: empty frame"
    assert line.transport.disconnecting and line.replay.differences == 2
    line.player.dataReceived(frame(AARE))  # what was on its way changes nothing
    assert line.clock.getDelayedCalls() == []


def test_as_a_switch_an_abort_goes_out_bare() -> None:
    line = Line((UP, AARQ), (DOWN, ABRT), plays=DOWN)
    assert line.sent() == b""
    line.player.dataReceived(frame(AARQ))
    assert line.sent() == ABRT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([str(CAPTURES / "our-client.txt"), "--to", "nowhere"], "'nowhere': expected tcp:host:port"),
        ([str(CAPTURES / "our-client.txt"), "--to", "tcp:127.0.0.1:0"], "is no TCP port"),
        (["EMPTY", "--to", "tcp:127.0.0.1:1"], "no CSTA in it"),
        (["BAD", "--to", "tcp:127.0.0.1:1"], "line 1: an odd number of hex digits"),
        (["RAW", "--to", "tcp:127.0.0.1:1"], "neither a recording nor a packet capture"),
    ],
)
def test_what_can_not_be_played_is_one_line_and_code_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    for name, octets in {"EMPTY": b"# nothing\n", "BAD": b"> A1 0\n", "RAW": frame(STATUS)}.items():
        (tmp_path / name).write_bytes(octets)
    file = tmp_path / arguments[0]
    result = CliRunner().invoke(main, ["csta", "replay", str(file), *arguments[1:]])
    assert result.exit_code == 2
    assert words in result.stderr and result.stderr.count("\n") == 1


OCM = [sys.executable, "-m", "ocm_cti.cli", "csta", "replay"]


@pytest.mark.sockets
@pytest.mark.parametrize("name", ["panasonic-constants.txt", "our-client.txt"])
def test_two_processes_play_the_two_sides(name: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp:127.0.0.1:{probe.getsockname()[1]}"
    file = str(CAPTURES / name)
    with subprocess.Popen([*OCM, file, "--as", "switch", "--to", address], stdout=subprocess.PIPE, text=True) as switch:
        assert switch.stdout is not None
        while not switch.stdout.readline().startswith("waiting for a client"):
            assert switch.poll() is None
        client = subprocess.run([*OCM, file, "--to", address], capture_output=True, text=True, check=False)
        assert "nothing differs in kind" in client.stdout, client.stdout + client.stderr
        assert client.returncode == 0
        assert "nothing differs in kind" in switch.stdout.read()
        assert switch.wait(60) == 0


@pytest.mark.sockets
def test_nobody_there_is_one_line_and_code_2() -> None:
    file = str(CAPTURES / "our-client.txt")
    done = subprocess.run([*OCM, file, "--to", "tcp:127.0.0.1:1"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ocm: tcp:127.0.0.1:1: ") and done.stderr.count("\n") == 1
