"""One call's media over a wire that is a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock

from ocm_cti.voice.call_media import CallMedia
from ocm_cti.voice.commands import AudioUnreadable
from ocm_cti.voice.player import AudioCache
from protocols.rtp.link import Ticker
from protocols.rtp.packets import decode
from protocols.rtp.stream import SendStream
from protocols.sip.sdp import Agreed

PEER = ("127.0.0.1", 5000)


class UDP:
    """A reactor for UDP; ``sent`` is what left the RTP port, and this is also that port."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.protocols: list[DatagramProtocol] = []
        self.open = 0
        self.socket = self

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Any:
        self.protocols.append(protocol)
        self.open += 1
        return self

    def getHost(self) -> Any:
        return type("Address", (), {"port": 4000})

    def sendto(self, octets: bytes, remote: tuple[str, int]) -> None:
        if remote == PEER:
            self.sent.append(octets)

    def stopListening(self) -> Deferred[None]:
        self.open -= 1
        return succeed(None)


class Case:
    def __init__(self) -> None:
        self.clock, self.udp = Clock(), UDP()
        self.digits: list[str] = []
        self.late: list[Deferred[Any]] | None = None
        cache = AudioCache(self._in_thread)
        self.media = CallMedia(Ticker(self.clock), self.clock, cache, self._in_thread, self.digits.append)
        assert self.media.listen(self.udp, "127.0.0.1", None) == 4000
        self.them = SendStream(7, 0, 0)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done = maybeDeferred(function, *arguments)
        if self.late is None:
            return done
        waiting: Deferred[Any] = Deferred()
        self.late.append(waiting.addCallback(lambda _: done))
        return waiting

    def connect(self, held: bool = False) -> None:
        self.media.connect(Agreed("PCMA", 8, 101, *PEER, direction="recvonly" if held else "sendrecv"))

    def run(self, ticks: int, talking: bool = True) -> bytes:
        """So many ticks of both sides; what we sent as audio."""
        before = len(self.udp.sent)
        for _ in range(ticks):
            if talking and (octets := self.them.tick()):
                self.udp.protocols[0].datagramReceived(octets, PEER)
            self.clock.advance(0.020)
        return b"".join(decode(octets).payload for octets in self.udp.sent[before:])

    def close(self) -> None:
        self.media.close()
        assert self.clock.getDelayedCalls() == []
        assert self.udp.open == 0


def prompt(tmp_path: Path, name: str, octets: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(octets)
    return path


def test_a_prompt_is_heard_and_the_end_of_the_call_reports_it(tmp_path: Path) -> None:
    case, reports = Case(), list[Any]()
    case.connect()
    one, two = prompt(tmp_path, "a", b"a" * 300), prompt(tmp_path, "b", b"b" * 8000)
    case.media.play([one, two]).addCallback(reports.append)
    assert case.run(10) == b"a" * 300 + b"b" * 1300
    case.close()
    (report,) = reports
    assert (report.heard_ms, report.of_ms, report.finished) == (200, 1037, False)


def test_stopped_before_the_disk_was_ready(tmp_path: Path) -> None:
    case, reports = Case(), list[Any]()
    case.connect()
    case.late = []
    case.media.play([prompt(tmp_path, "a", b"a" * 800)]).addCallback(reports.append)
    case.media.stop_playing()
    case.late[0].callback(None)
    assert case.run(2) == b"\xd5" * 320
    assert (reports[0].heard_ms, reports[0].of_ms, reports[0].finished) == (0, 100, False)
    case.close()


def test_one_file_missing_plays_none(tmp_path: Path) -> None:
    case, errors = Case(), list[Any]()
    case.connect()
    case.media.play([prompt(tmp_path, "a", b"a" * 800), tmp_path / "gone"]).addErrback(errors.append)
    assert case.run(1) == b"\xd5" * 160
    assert errors[0].check(AudioUnreadable)
    case.close()


def test_keys_by_event_and_by_info_count_once() -> None:
    case = Case()
    case.connect()
    case.media.press("5")
    case.them.send_digits("1")
    case.run(20)
    case.media.press("1")  # the same key again, by INFO
    assert case.digits == ["5", "1"]
    case.close()
    case.media.press("2")
    assert case.digits == ["5", "1"]


def test_a_reply_is_recorded_and_its_stop_key_told_nobody(tmp_path: Path) -> None:
    case, reports = Case(), list[Any]()
    case.connect()
    case.media.record(tmp_path / "r.wav", 10_000, 5_000, "#").addCallback(reports.append)
    case.them.queue(b"v" * 1600)
    case.run(11)
    case.them.send_digits("3#4")
    case.run(60)
    assert case.digits == ["3", "4"]
    assert reports[0].why == "key"
    assert reports[0].length_ms >= 200
    case.close()


def test_a_new_recording_replaces_the_old_one_and_hang_up_ends_it(tmp_path: Path) -> None:
    case, reports = Case(), list[Any]()
    case.connect()
    case.media.record(tmp_path / "1.wav", 10_000, 5_000, "").addCallback(reports.append)
    case.run(10)
    case.media.record(tmp_path / "2.wav", 10_000, 5_000, "").addCallback(reports.append)
    case.run(20)
    case.close()
    assert [(r.path.name, r.length_ms, r.why) for r in reports] == [
        ("1.wav", 0, "replaced"),
        ("2.wav", 0, "hangup"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_on_hold_nothing_is_sent_and_the_prompt_waits(tmp_path: Path) -> None:
    case = Case()
    case.connect()
    case.media.play([prompt(tmp_path, "a", b"a" * 800)])
    assert case.run(1) == b"a" * 160
    case.connect(held=True)
    assert case.run(100) == b""
    case.connect(held=False)
    assert case.run(1) == b"a" * 160
    case.close()


def test_a_silent_peer_is_noticed_but_not_on_hold() -> None:
    case = Case()
    case.connect()
    case.run(50)
    assert case.media.silent_s(case.clock.seconds()) <= 0.020 + 1e-9
    case.run(100, talking=False)
    assert case.media.silent_s(case.clock.seconds()) == pytest.approx(2.0, abs=0.03)
    case.connect(held=True)
    case.run(100, talking=False)
    assert case.media.silent_s(case.clock.seconds()) == 0.0
    case.connect(held=False)
    case.run(10, talking=False)
    assert case.media.silent_s(case.clock.seconds()) == pytest.approx(0.2, abs=0.001)
    case.close()
