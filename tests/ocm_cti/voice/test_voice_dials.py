"""The real voice process dials: to a PBX of the test's own over SIP and RTP on loopback, which asks for proof."""

from __future__ import annotations

import os
import random
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from voice_process import HOST, Robot, run

from ocm_cti.simulator.sip_agent import PbxAgent, PbxLink, PbxRegistrar, Referred
from ocm_cti.voice.client import PlayReport, VoiceClient
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.events import Confirmed, Ended, Event, Incoming

BUSY = 486


class Exchange:
    """Takes calls of its extension: ``983`` is busy, ``982`` rings for ever, everything else is answered after 183."""

    def __init__(self, reactor: Any) -> None:
        self.registrar = PbxRegistrar("pbx", {"301": "pw301"})
        self.link = PbxLink(self._agent, reactor, self._told)
        self.port = self.link.listen(reactor, HOST, 0)
        self.reactor = reactor
        self.ticker = Ticker(reactor)
        self.heard = bytearray()
        self.media: list[MediaPort] = []
        self.dialled: list[str] = []
        self.calls: list[str] = []
        self.referred_to: list[str] = []
        self.ended: list[Ended] = []
        self.keys = ""

    def _agent(self, host: str, port: int) -> PbxAgent:
        return PbxAgent(host, port, token=lambda: secrets.token_hex(8), registrar=self.registrar)

    def _told(self, event: Event) -> None:
        match event:
            case Incoming(call=call, to_user=digits, sdp=offer):
                self.dialled.append(digits)
                self.calls.append(call)
                if digits == "983":
                    self.link.refuse(call, BUSY)
                elif digits == "982":
                    self.link.ring(call)
                else:
                    self._take(call, offer)
            case Confirmed():
                self.media[-1].send_digits("5#")
            case Referred(call=call, user=user):
                self.referred_to.append(user)
                if user == "202":
                    self.link.report(call, BUSY)
                else:
                    self.link.report(call, 200)
                    self.link.hang_up(call)
            case Ended():
                self.ended.append(event)

    def _take(self, call: str, offer: bytes) -> None:
        media = MediaPort(self.ticker, self.reactor, self.heard.extend, lambda digit: None)
        media.listen(self.reactor, HOST)
        self.media.append(media)
        answer, agreed = sdp.answer(sdp.parse(offer), HOST, media.port, media.port)
        media.connect(agreed.remote_host, agreed.remote_port)
        self.link.progress(call, 183, answer)
        self.link.answer(call, answer)

    def stop(self) -> Deferred[None]:
        for media in self.media:
            media.close()
        return self.link.stop(0.0)


@pytest.mark.sockets
def test_dialled_calls(tmp_path: Path) -> None:
    """Busy; hung up while it rings; answered, heard, a key, a transfer that fails and one that does not; then the
    process is killed while it rings. Every call has one end; the PBX takes no INVITE without proof."""
    draw = random.Random(2)
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(bytes(draw.choice(b"\x01\x23\x45\x67\x89") for _ in range(2000)))
    robot, results, kept = Robot(), list[Any](), dict[str, Any]()

    def build(reactor: Any) -> Callable[[], Deferred[Any]]:
        pbx, client = Exchange(reactor), VoiceClient(reactor, robot, restart_delay_s=0.05)
        kept.update(pbx=pbx, names=[], ready=[])

        def dial(digits: str) -> None:
            client.dial("301", digits).addCallbacks(kept["names"].append, results.append)

        def registered(extension: str, up: bool, reason: str) -> None:
            if up:
                client.dial("302", "1").addErrback(lambda failure: results.append(str(failure.value)))
                dial("983")

        def refused(call: str, code: int, reason: str, *more: Any) -> None:
            dial("982")

        def ringing(call: str, code: int) -> None:
            if code == 180 and "97" not in pbx.dialled:
                client.hang_up(call)
            elif code == 180:
                os.kill(client.pid or 0, signal.SIGKILL)

        def established(call: str) -> None:
            client.play(call, [prompt]).addCallback(played, call)

        def played(report: PlayReport, call: str) -> None:
            results.append(report)
            transfer_when_both(call)

        def digit(call: str, key: str) -> None:
            if key == "#":
                transfer_when_both(call)

        def transfer_when_both(call: str) -> None:
            kept["ready"].append(call)
            if len(kept["ready"]) == 2:
                client.refer(call, "202").addErrback(not_transferred, call)

        def not_transferred(failure: Any, call: str) -> None:
            results.append(str(failure.value))
            client.refer(call, "201").addCallback(results.append)

        def ended(call: str, by: str, reason: str, *more: Any) -> None:
            if by == "us":
                dial("97")
            elif by == "them":
                dial("982")

        def lost(reason: str) -> None:
            reactor.stop()

        robot.then = {
            "process_ready": lambda: client.register("301", "pw301", HOST, pbx.port),
            "registration_changed": registered,
            "refused": refused,
            "ringing": ringing,
            "established": established,
            "digit": digit,
            "ended": ended,
            "process_lost": lost,
        }
        reactor.callWhenRunning(client.start)
        return lambda: client.stop().addCallback(lambda _: pbx.stop())

    run(build)
    pbx: Exchange = kept["pbx"]
    assert pbx.dialled == ["983", "982", "97", "982"]
    busy, left, talked, killed = kept["names"]
    assert results == [
        "extension 302 is not registered",
        PlayReport(250, 250, True),
        "486 Busy Here",
        None,
    ]
    story = [told for told in robot.story if told[0] not in ("process_ready", "registration_changed", "process_lost")]
    assert [told[:3] for told in story if told[0] != "digit"] == [
        ("refused", busy, 486),
        ("ringing", left, 180),
        ("ended", left, "us"),
        ("ringing", talked, 183),
        ("established", talked),
        ("ended", talked, "them"),
        ("ringing", killed, 180),
        ("ended", killed, "fault"),
    ]
    assert [told[1:] for told in story if told[0] == "digit"] == [(talked, "5"), (talked, "#")]
    assert prompt.read_bytes() in bytes(pbx.heard)
    assert pbx.referred_to == ["202", "201"]
    assert [ended.by_them for ended in pbx.ended[:3]] == [False, True, False]
