"""The voice process under load: cores used, pacing and loss at the receiver, for N calls over real SIP and RTP.

A peer process calls the voice process N times over loopback; each call plays a prompt and hears one (G.711 A-law, 20 ms
a packet). Pacing is the time between the packets of one call by the receiver's kernel, so that the peer's own load is
not measured. Exits with 1 when calls are missing or packets were lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater

from ocm_cti.voice.client import VoiceClient
from ocm_cti.voice.tones import tone

PEER = Path(__file__).with_name("_voice_peer.py")
SETTLE_S = 1.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench voice", description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args(argv)

    from twisted.internet import reactor as installed

    reactor: Any = installed
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(reactor, options.calls, options.seconds, Path(folder))
        reactor.callWhenRunning(bench.run)
        reactor.run()
    if bench.error:
        print(bench.error, file=sys.stderr)
        return 1
    figures = bench.figures
    if options.json:
        print(json.dumps(figures))
    else:
        print(
            f"{figures['calls']} calls, {figures['seconds']:.1f} s: {figures['cores']:.3f} cores; pacing"
            f" p50 {figures['p50_ms']:.1f} p99 {figures['p99_ms']:.1f} max {figures['max_ms']:.1f} ms;"
            f" loss {figures['loss_percent']:.3f} %"
        )
    return 0 if figures["calls"] == options.calls and not figures["loss_percent"] else 1


class Peer(ProcessProtocol):
    """The other side's process; it answers with lines of JSON."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._line = b""
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._bench.peer_said(json.loads(line))

    def errReceived(self, data: bytes) -> None:
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(None)
        self._bench.peer_gone()


class Bench:
    """One run. Observer of the voice process."""

    def __init__(self, reactor: Any, calls: int, seconds: float, folder: Path) -> None:
        self.figures: dict[str, float] = {}
        self.error = ""
        self._reactor = reactor
        self._calls = calls
        self._seconds = seconds
        self._prompt = folder / "prompt.alaw"
        self._prompt.write_bytes(tone([425, 700], 10_000, -15.0))
        self._client = VoiceClient(reactor, self)
        self._peer = Peer(self)
        self._established = 0

    def run(self) -> None:
        self._client.start()

    def process_ready(self) -> None:
        command = [sys.executable, str(PEER), str(self._client.sip_port), str(self._calls)]
        self._reactor.spawnProcess(self._peer, sys.executable, command, None)

    def process_lost(self, reason: str) -> None:
        self._fail(f"voice process: {reason}")

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        self._client.answer(call_id).addErrback(lambda failure: self._fail(str(failure.value)))

    def established(self, call_id: str) -> None:
        prompts = [self._prompt] * (2 + int((self._seconds + 60) / 10))
        self._client.play(call_id, prompts).addErrback(lambda failure: self._fail(str(failure.value)))
        self._established += 1
        if self._established == self._calls:
            deferLater(self._reactor, SETTLE_S, self._measure)

    def ringing(self, call_id: str, code: int) -> None: ...

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None: ...

    def digit(self, call_id: str, digit: str) -> None: ...

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None:
        if not self.figures:
            self._fail(f"a call ended before its time, by {by}: {reason}")

    def _measure(self) -> None:
        self._peer.transport.write(b"begin\n")
        self._client.cpu_s().addCallback(self._measuring, self._reactor.seconds()).addErrback(self._broken)

    def _measuring(self, cpu_s: float, began_s: float) -> Deferred[Any]:
        def end() -> Deferred[Any]:
            self._peer.transport.write(b"end\n")
            return self._client.cpu_s().addCallback(self._measured, cpu_s, began_s)

        return deferLater(self._reactor, self._seconds, end)

    def _measured(self, cpu_s: float, before_s: float, began_s: float) -> None:
        seconds = self._reactor.seconds() - began_s
        self.figures = {"calls": self._established, "seconds": seconds, "cores": (cpu_s - before_s) / seconds}

    def peer_said(self, said: dict[str, Any]) -> None:
        self.figures |= said
        self._leave()

    def peer_gone(self) -> None:
        if not self.figures:
            self._fail("the peer process has gone")

    def _broken(self, failure: Any) -> None:
        self._fail(str(failure.value))

    def _fail(self, why: str) -> None:
        if not self.error and not self.figures:
            self.error = why
            self._leave()

    def _leave(self) -> None:
        transport = self._peer.transport
        leaving: list[Deferred[None]] = [self._client.stop()]
        if transport is not None and transport.pid is not None:
            transport.closeStdin()
            leaving.append(self._peer.ended)
        gatherResults(leaving).addBoth(lambda _: self._reactor.stop())
