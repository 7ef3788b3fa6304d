"""The real voice process, called by a switch of the test's own over SIP and RTP on loopback."""

from __future__ import annotations

import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from voice_process import HOST, Robot, run

from ocm_cti.voice.client import PlayReport, VoiceClient, VoiceProcessLost
from ocm_cti.voice.tones import tone
from protocols.rtp import g711
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.link import SIPLink
from protocols.sip.registrar import Registrar
from protocols.sip.user_agent import Answered, Ended, Event, UserAgent


class Switch:
    """A registrar that calls its extension, with one line's media."""

    def __init__(self, reactor: Any) -> None:
        self.registrar = Registrar("pbx", {"301": "pw301"})
        self.link = SIPLink(self._agent, reactor, self._told)
        self.port = self.link.listen(reactor, HOST, 0)
        self.ticker = Ticker(reactor)
        self.heard = bytearray()
        self.ended: list[Ended] = []
        self.reactor = reactor
        self.media: list[MediaPort] = []
        self.call = ""

    def _agent(self, host: str, port: int) -> UserAgent:
        return UserAgent(host, port, token=lambda: secrets.token_hex(8), challenge=self.registrar)

    def ring(self) -> None:
        media = MediaPort(self.ticker, self.reactor, self.heard.extend, lambda digit: None)
        media.listen(self.reactor, HOST)
        self.media.append(media)
        binding = self.registrar.bindings["301"]
        self.call = self.link.invite(
            binding.contact,
            from_user="95",
            destination=(binding.host, binding.port),
            sdp=sdp.offer(HOST, media.port),
        )

    def _told(self, event: Event) -> None:
        if isinstance(event, Answered):
            agreed = sdp.accept(event.sdp)
            self.media[-1].connect(agreed.remote_host, agreed.remote_port)
        elif isinstance(event, Ended):
            self.ended.append(event)


@pytest.mark.sockets
def test_the_whole_of_a_call(tmp_path: Path) -> None:
    """Registers, is called, answers; what it plays arrives bit by bit, a key is told, the reply on disk is what was
    said; and a process that is killed in a call ends that call and comes back."""
    draw = random.Random(1)
    # No silence in it, so that it can be found again.
    pieces = [bytes(draw.choice(b"\x01\x23\x45\x67\x89") for _ in range(size)) for size in (1000, 1603, 7)]
    prompt = [tmp_path / f"{number}.alaw" for number in range(3)]
    for path, piece in zip(prompt, pieces, strict=True):
        path.write_bytes(piece)
    said = tone([350, 620], 1200, -15.0)
    robot, reports = Robot(), list[Any]()
    kept: dict[str, Any] = {}

    def build(reactor: Any) -> Callable[[], Deferred[Any]]:
        switch, client = Switch(reactor), VoiceClient(reactor, robot, restart_delay_s=0.05)
        kept.update(switch=switch, client=client)

        def registered(extension: str, up: bool, reason: str) -> None:
            if up:
                switch.ring()

        def established(call: str) -> None:
            if not reports:
                client.play(call, prompt).addCallback(played, call)
            else:
                client.play(call, [prompt[0]] * 500).addErrback(reports.append)
                os.kill(client.pid or 0, signal.SIGKILL)

        def played(report: PlayReport, call: str) -> None:
            reports.append(report)
            client.record(call, tmp_path / "reply.wav", stop_keys="#").addCallback(recorded)
            # Silence first, as long as a slow machine may need to begin.
            switch.media[-1].queue(b"\xd5" * 4000 + said)
            switch.media[-1].send.drained = lambda: switch.media[-1].send_digits("1#")

        def recorded(report: Any) -> None:
            reports.append(report)
            switch.link.hang_up(switch.call)

        def ended(call: str, by: str, reason: str, *more: Any) -> None:
            if by == "them":
                switch.ring()

        def ready() -> None:
            if len(reports) < 3:
                client.register("301", "pw301", HOST, switch.port)
            else:
                reactor.stop()

        robot.then = {
            "process_ready": ready,
            "registration_changed": registered,
            "incoming": lambda call, extension, caller: client.answer(call),
            "established": established,
            "ended": ended,
        }
        reactor.callWhenRunning(client.start)

        def clean_up() -> Deferred[Any]:
            for media in switch.media:
                media.close()
            return client.stop().addCallback(lambda _: switch.link.stop(0.0))

        return clean_up

    run(build)
    first, second = [told[1] for told in robot.story if told[0] == "incoming"]
    assert robot.story[:5] == [
        ("process_ready",),
        ("registration_changed", "301", True, ""),
        ("incoming", first, "301", "95"),
        ("established", first),
        ("digit", first, "1"),
    ]
    assert [told[1:3] for told in robot.story if told[0] == "ended"] == [(first, "them"), (second, "fault")]
    assert [told[0] for told in robot.story[-2:]] == ["process_lost", "process_ready"]
    assert first != second
    played, recorded, lost = reports
    assert played == PlayReport(sum(map(len, pieces)) // 8, sum(map(len, pieces)) // 8, True)
    assert b"".join(pieces) in bytes(kept["switch"].heard)
    assert recorded.why == "key"
    assert lost.check(VoiceProcessLost)
    with wave.open(str(tmp_path / "reply.wav")) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        assert g711.decode_alaw(said) in file.readframes(file.getnframes())


@pytest.mark.sockets
def test_stop_hangs_up_and_gives_the_registration_back() -> None:
    robot, kept = Robot(), dict[str, Any]()

    def build(reactor: Any) -> Callable[[], Deferred[Any]]:
        switch, client = Switch(reactor), VoiceClient(reactor, robot)
        kept.update(switch=switch)
        robot.then = {
            "process_ready": lambda: client.register("301", "pw301", HOST, switch.port),
            "registration_changed": lambda extension, up, reason: switch.ring() if up else None,
            "incoming": lambda call, extension, caller: client.answer(call),
            "established": lambda call: reactor.stop(),
        }
        reactor.callWhenRunning(client.start)

        def clean_up() -> Deferred[Any]:
            for media in switch.media:
                media.close()
            return client.stop().addCallback(lambda _: switch.link.stop(0.0))

        return clean_up

    run(build)
    assert [ended.by_them for ended in kept["switch"].ended] == [True]
    assert kept["switch"].registrar.bindings == {}
    assert [told[2] for told in robot.story if told[0] == "ended"] == ["us"]


@pytest.mark.sockets
def test_a_port_that_is_taken_is_one_line_and_exit_code_2() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", "ocm_cti.voice.process", "--sip-port", str(port)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1].startswith(f"SIP port {HOST}:{port} can't be opened: ")


@pytest.mark.sockets
def test_the_process_leaves_when_its_stdin_closes() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ocm_cti.voice.process"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
