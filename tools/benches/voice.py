"""The voice process under load: loss, pacing at the receiver, CPU per call next to an Asterisk that plays a file.

A peer process calls N times over loopback; each call plays a prompt and hears one (G.711 A-law, 20 ms a packet). It
calls our voice process, then an Asterisk that plays a file, and both once more, so that both meet the same machine.
Pacing is the time between the packets of one call by the receiver's kernel: the peer's own load is not measured.
With --short-calls: memory of the voice process over so many calls of a few tenths of a second.
Exits with 1 when calls are missing, packets were lost by us, or memory grew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import _voice_short
from _process import cpu_s, drops
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater

from ocm_cti.voice.client import VoiceClient
from ocm_cti.voice.tones import tone

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from asterisk_process import NoAsterisk, PrivateAsterisk

PEER = Path(__file__).with_name("_voice_peer.py")
SETTLE_S = 1.0
PROMPT_S = 600
ROUNDS = 2
GOALS = {"p99_ms": 25.0, "ratio": 1.0}

#: Whoever calls hears the file.
SIP = """\
[caller]
type = endpoint
context = bench
disallow = all
allow = alaw
direct_media = no
media_address = 127.0.0.1
bind_rtp_to_media_address = yes

[caller]
type = identify
endpoint = caller
match = 127.0.0.1
"""
DIALPLAN = """\
[bench]
exten => bench,1,Answer()
 same => n,Playback({prompt})
"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench voice", description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the measurements")
    parser.add_argument("--alone", action="store_true", help="without the Asterisk to compare with")
    parser.add_argument("--short-calls", type=int, metavar="N", help="memory over N short calls instead")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args(argv)

    from twisted.internet import reactor as installed

    reactor: Any = installed
    if options.short_calls:
        return _voice_short.main(reactor, options.short_calls, as_json=options.json)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prompt = folder / "prompt.alaw"
        prompt.write_bytes(tone([425, 700], 10_000, -15.0) * (PROMPT_S // 10))
        asterisk = None
        if not options.alone:
            try:
                asterisk = PrivateAsterisk.start(
                    folder / "asterisk",
                    ports={"rtp": "22000-31999"},
                    extra_pjsip=SIP,
                    extra_dialplan=DIALPLAN.format(prompt=prompt.with_suffix("")),
                )
            except NoAsterisk as error:
                print(f"without Asterisk: {error}", file=sys.stderr)
        try:
            bench = Bench(reactor, options.calls, options.seconds, prompt, asterisk)
            reactor.callWhenRunning(bench.run)
            reactor.run()
        finally:
            if asterisk is not None:
                asterisk.stop()
    if bench.error:
        print(bench.error, file=sys.stderr)
        return 1
    print(json.dumps(bench.figures) if options.json else _table(bench.figures))
    return 1 if bench.figures["ours"]["lost"] else 0


def _table(figures: dict[str, Any]) -> str:
    rows = [
        f"{'':10}{'calls':>6}{'cores':>8}{'ms CPU/call/s':>15}{'p50':>7}{'p99':>7}{'max ms':>8}{'lost':>6}{'due %':>8}"
    ]
    for name, title in (("ours", "ours"), ("asterisk", "Asterisk")):
        if name in figures:
            way = figures[name]
            rows.append(
                f"{title:10}{way['calls']:6}{way['cores']:8.3f}{1000 * way['cores'] / way['calls']:15.3f}"
                f"{way['p50_ms']:7.1f}{way['p99_ms']:7.1f}{way['max_ms']:8.1f}{way['lost']:6}{way['of_due_percent']:8.2f}"
            )
    if "ratio" in figures:
        rows.append(f"CPU per call, ours / Asterisk: {figures['ratio']:.3f} (goal {GOALS['ratio']})")
    ours = figures["ours"]
    rows.append(
        f"pacing p99 {ours['p99_ms']:.1f} ms (goal {GOALS['p99_ms']:.0f}); lost by us: {ours['lost']} of "
        f"{ours['packets']} sent, {ours['lost_incoming']} of those that came in; the receiver dropped "
        f"{ours['dropped_here']}"
    )
    return "\n".join(rows)


class Peer(ProcessProtocol):
    """The other side's process; it answers with lines of JSON."""

    def __init__(self) -> None:
        self._line = b""
        self._wanted: Deferred[dict[str, Any]] | None = None
        self.ended: Deferred[None] = Deferred()

    def next(self) -> Deferred[dict[str, Any]]:
        """What it says next; RuntimeError when it leaves instead."""
        self._wanted = Deferred()
        return self._wanted

    def say(self, word: bytes) -> None:
        assert self.transport is not None
        self.transport.write(word + b"\n")

    def leave(self) -> Deferred[None]:
        assert self.transport is not None
        self.transport.closeStdin()
        return self.ended

    def outReceived(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                wanted.callback(json.loads(line))

    def errReceived(self, data: bytes) -> None:
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Any) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            wanted.errback(RuntimeError("the peer process has gone"))
        self.ended.callback(None)


class Bench:
    """One run. Observer of the voice process."""

    def __init__(
        self, reactor: Any, calls: int, seconds: float, prompt: Path, asterisk: PrivateAsterisk | None
    ) -> None:
        self.figures: dict[str, Any] = {}
        self.error = ""
        self._reactor = reactor
        self._calls = calls
        self._seconds = seconds
        self._prompt = prompt
        self._asterisk = asterisk
        self._client = VoiceClient(reactor, self)
        self._ready: Deferred[None] = Deferred()
        self._measuring = False

    @inlineCallbacks
    def run(self) -> Any:
        try:
            self._client.start()
            yield self._ready
            rounds: dict[str, list[dict[str, Any]]] = {"ours": [], "asterisk": []}
            for _ in range(ROUNDS):
                ours = yield self._measure(self._client.sip_port, self._client.pid)
                rounds["ours"].append(ours)
                if self._asterisk is not None:
                    theirs = yield self._measure(self._asterisk.sip_port, self._asterisk.process.pid)
                    rounds["asterisk"].append(theirs)
            self.figures = {name: _together(found) for name, found in rounds.items() if found}
            if self._asterisk is not None:
                self.figures["ratio"] = self.figures["ours"]["cores"] / self.figures["asterisk"]["cores"]
        except Exception as error:
            self.error = self.error or f"{type(error).__name__}: {error}"
        self._measuring = False
        yield self._client.stop()
        self._reactor.stop()

    @inlineCallbacks
    def _measure(self, sip_port: int, pid: int) -> Any:
        peer = Peer()
        up = peer.next()
        command = [sys.executable, str(PEER), str(sip_port), str(self._calls)]
        self._reactor.spawnProcess(peer, sys.executable, command, None)
        yield up
        yield deferLater(self._reactor, SETTLE_S, lambda: None)
        self._measuring = True
        peer.say(b"begin")
        before_s, dropped, began_s = cpu_s(pid), drops(pid), self._reactor.seconds()
        yield deferLater(self._reactor, self._seconds, lambda: None)
        used_s, seconds = cpu_s(pid) - before_s, self._reactor.seconds() - began_s
        lost_incoming = drops(pid) - dropped
        told = peer.next()
        peer.say(b"end")
        found = yield told
        self._measuring = False
        yield peer.leave()
        found |= {"calls": self._calls, "cores": used_s / seconds, "lost_incoming": lost_incoming}
        return found

    def process_ready(self) -> None:
        self._ready.callback(None)

    def process_lost(self, reason: str) -> None:
        self.error = f"voice process: {reason}"

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        self._client.answer(call_id).addErrback(self._broken)

    def established(self, call_id: str) -> None:
        self._client.play(call_id, [self._prompt]).addErrback(self._broken)

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None:
        if self._measuring:
            self.error = f"a call ended before its time, by {by}: {reason}"

    def _broken(self, failure: Any) -> None:
        if self._measuring:
            self.error = str(failure.value)

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def ringing(self, call_id: str, code: int) -> None: ...
    def digit(self, call_id: str, digit: str) -> None: ...

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None: ...


def _together(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The rounds as one: sums, means, and the worse of what must not be exceeded."""
    first = rounds[0]
    mean = {name: sum(found[name] for found in rounds) / len(rounds) for name in ("cores", "p50_ms")}
    worst = {name: max(found[name] for found in rounds) for name in ("p99_ms", "max_ms")}
    total = {name: sum(found[name] for found in rounds) for name in ("packets", "dropped_here", "lost_incoming")}
    # What the receiver's own kernel threw away was sent all the same.
    lost = max(0, sum(found["lost"] for found in rounds) - total["dropped_here"])
    due = sum(found["seconds"] for found in rounds) * 50 * first["calls"]
    return {
        "calls": first["calls"],
        **mean,
        **worst,
        **total,
        "lost": lost,
        "of_due_percent": 100 * (total["packets"] + total["dropped_here"]) / due,
    }
