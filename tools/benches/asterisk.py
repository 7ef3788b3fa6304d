"""Calls through the Asterisk gateway against call files for the same calls in the same run: CPU per call, pace.

A private Asterisk calls SIPp over PJSIP; each call rings 0.3 s, hears one prompt and is hung up. Half of the calls go
through our gateway (AMI and AsyncAGI), half by call files (pbx_spool), in turns so that both see the same machine.
Measured is the CPU (user and system) of the whole Asterisk process and of ours. Exits with 1 when calls went wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk import AsteriskGateway
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.asterisk_site import dialplan
from ocm_cti.gateways.interface import Call, EndedBy, Native, NotPlaced, Played
from ocm_cti.voice.tones import tone

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from asterisk_process import GATEWAY, PrivateAsterisk
from peer_process import Sipp

GOALS = {"asterisk": 1.1, "ours_ms": 3.0}
WARM_UP = 30
#: After the last call, until Asterisk has tidied up behind it.
SETTLE_S = 1.5

CALLEE = """\
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="rings, answers in A-law, waits for the end">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <pause milliseconds="300"/>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv request="ACK" crlf="true"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench asterisk", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="each way")
    parser.add_argument("--per-second", type=float, default=100.0, help="starts a second, each way")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of the prompt")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args(argv)

    from twisted.internet import reactor as installed

    reactor: Any = installed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        callee = Sipp.start(folder / "callee", CALLEE, calls=10_000_000, log=False)
        asterisk = None
        try:
            asterisk = PrivateAsterisk.start(
                folder / "asterisk",
                ports={"callee": f"127.0.0.1:{callee.port}", "rtp": "22000-31999"},
                extra_dialplan=dialplan(_settings(1, options.per_second, options.seconds)),
            )
            bench = Bench(reactor, asterisk, folder, options.calls, options.per_second, options.seconds)
            reactor.callWhenRunning(bench.run)
            reactor.run()
        finally:
            if asterisk is not None:
                asterisk.stop()
            callee.stop()
    if bench.error:
        print(bench.error, file=sys.stderr)
        return 1
    figures = bench.figures()
    print(json.dumps(figures) if options.json else _table(figures))
    return 0 if not figures["failed"] else 1


def _settings(ami_port: int, per_s: float, seconds: float) -> AsteriskSettings:
    table = {
        "kind": "asterisk",
        "link": f"tcp:127.0.0.1:{ami_port}",
        "username": GATEWAY[0],
        "secret": GATEWAY[1],
        "channel": "PJSIP/{number}@trunk",
        "channels": int(per_s * (seconds + 2)) + 20,
        "originate_per_s": per_s,
        "originate_burst": max(1, int(per_s / 10)),
    }
    return AsteriskSettings.from_table("bench", table)


def _table(figures: dict[str, Any]) -> str:
    rows = [f"{'':14}{'calls':>7}{'starts/s':>10}{'most at once':>14}{'Asterisk ms/call':>18}{'our ms/call':>13}"]
    for name, way in (("our gateway", figures["gateway"]), ("call files", figures["call_files"])):
        ours = f"{way['our_ms']:.2f}" if name == "our gateway" else "-"
        rows.append(
            f"{name:14}{way['calls']:7}{way['starts_per_s']:10.1f}{way['peak']:14}{way['asterisk_ms']:18.2f}{ours:>13}"
        )
    rows.append(
        f"Asterisk's CPU per call, ours / call files: {figures['ratio']:.3f} (goal {GOALS['asterisk']}); "
        f"our own: {figures['gateway']['our_ms']:.2f} ms (goal {GOALS['ours_ms']}); calls that went wrong: "
        f"{figures['failed']}"
    )
    return "\n".join(rows)


@dataclass
class Way:
    """What one way of calling took, over all its rounds."""

    calls: int = 0
    asterisk_s: float = 0.0
    our_s: float = 0.0
    starting_s: float = 0.0
    starts: int = 0
    peak: int = 0
    failed: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "starts_per_s": self.starts / max(self.starting_s, 1e-9),
            "peak": self.peak,
            "asterisk_ms": 1000 * self.asterisk_s / max(self.calls, 1),
            "our_ms": 1000 * self.our_s / max(self.calls, 1),
        }


class Person:
    """Observer of one call of ours: plays the prompt once he has answered, then hangs up."""

    def __init__(self, over: Callable[[str], None], prompt: Path) -> None:
        self._over = over
        self._prompt = prompt
        self._heard = False
        self.call: Call | None = None

    def dialing(self) -> None: ...
    def ringing(self) -> None: ...
    def digit(self, digit: str) -> None: ...

    def answered(self, certain: bool) -> None:
        assert self.call is not None
        self.call.play([self._prompt]).addCallback(self._played).addErrback(lambda _: None)

    def _played(self, played: Played) -> None:
        self._heard = played.finished
        assert self.call is not None
        self.call.hang_up()

    def failed(self, cause: Cause, native: Native) -> None:
        self._over(f"{cause.value} {native.system} {native.code} {native.text}")

    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None:
        self._over("" if self._heard else f"{cause.value} {by.value}: the prompt was not played to its end")


class Bench:
    """One run. Observer of the gateway."""

    def __init__(
        self, reactor: Any, asterisk: PrivateAsterisk, folder: Path, calls: int, per_s: float, seconds: float
    ) -> None:
        self.error = ""
        self._reactor = reactor
        self._asterisk = asterisk
        self._calls = calls
        self._per_s = per_s
        self._prompt_s = seconds
        self._prompt = folder / "prompt.alaw"
        self._prompt.write_bytes(tone([425, 700], int(seconds * 1000), -15.0))
        self._spool = folder / "asterisk" / "spool" / "outgoing"
        self._written = folder / "asterisk" / "spool" / "written"
        self._written.mkdir()
        recordings = folder / "recordings"
        recordings.mkdir()
        self._gateway = AsteriskGateway(_settings(asterisk.ami_port, per_s, seconds), reactor, recordings)
        self._ways = {"gateway": Way(), "call_files": Way()}
        self._serial = 0
        # of the round of our gateway that runs
        self._way = Way()
        self._left = 0
        self._up = 0
        self._began_s = 0.0
        self._done: Deferred[None] | None = None
        self._connected: Deferred[None] = Deferred()

    @inlineCallbacks
    def run(self) -> Any:
        try:
            half = self._calls // 2
            self._gateway.start(self)
            yield self._connected
            yield self._through_gateway(WARM_UP, Way())
            yield self._by_call_files(WARM_UP, Way())
            for round_of in (self._through_gateway, self._by_call_files) * 2:
                name = "gateway" if round_of == self._through_gateway else "call_files"
                way = self._ways[name]
                calls = half if not way.calls else self._calls - half
                yield round_of(calls, way)
            yield self._gateway.stop()
        except Exception as error:
            self.error = f"{type(error).__name__}: {error}"
        self._reactor.stop()

    @inlineCallbacks
    def _through_gateway(self, calls: int, way: Way) -> Any:
        asterisk_s, our_s = self._asterisk.cpu_s(), time.process_time()
        self._way, self._left, self._done = way, calls, Deferred()
        self._began_s = self._reactor.seconds()
        self._place()
        yield self._done
        our_s = time.process_time() - our_s
        yield deferLater(self._reactor, SETTLE_S, lambda: None)
        way.calls += calls
        way.our_s += our_s
        way.asterisk_s += self._asterisk.cpu_s() - asterisk_s

    def port_freed(self, gateway: Any, port: str) -> None:
        if not self._connected.called:
            self._connected.callback(None)
        self._place()

    def health_changed(self, gateway: Any, health: Any) -> None: ...
    def call_recorded(self, gateway: Any, record: Any) -> None: ...

    def _place(self) -> None:
        for port in self._gateway.idle_ports if self._left else ():
            if not self._left:
                break
            self._serial += 1
            person = Person(self._over, self._prompt)
            try:
                person.call = self._gateway.place(port, f"+7495{self._serial:07}", self._serial, 30.0, None, person)
            except NotPlaced:
                break  # the pace: port_freed comes when it goes on
            self._left -= 1
            self._up += 1
            self._way.peak = max(self._way.peak, self._up)
            if not self._left:
                self._way.starting_s += self._reactor.seconds() - self._began_s
        if not self._left and self._done is not None and not self._up:
            done, self._done = self._done, None
            done.callback(None)

    def _over(self, wrong: str) -> None:
        self._up -= 1
        self._way.starts += 1
        if wrong:
            self._way.failed.append(wrong)
        self._reactor.callLater(0, self._place)

    @inlineCallbacks
    def _by_call_files(self, calls: int, way: Way) -> Any:
        for number in range(calls):
            self._serial += 1
            (self._written / f"{number}.call").write_text(
                f"Channel: PJSIP/7495{self._serial:07}@trunk\nContext: playback\nExtension: s\nPriority: 1\n"
                f"MaxRetries: 0\nWaitTime: 30\nSetvar: PROMPT={self._prompt.with_suffix('')}\n",
                encoding="ascii",
            )
        asterisk_s = self._asterisk.cpu_s()
        began_s = self._reactor.seconds()
        for number in range(calls):
            wait_s = began_s + number / self._per_s - self._reactor.seconds()
            if wait_s > 0:
                yield deferLater(self._reactor, wait_s, lambda: None)
            os.rename(self._written / f"{number}.call", self._spool / f"{number}.call")
        way.starting_s += self._reactor.seconds() - began_s
        way.peak = max(way.peak, int(self._asterisk.cli("core show channels count").split()[0]))
        while any(self._spool.iterdir()):
            yield deferLater(self._reactor, 0.1, lambda: None)
        yield deferLater(self._reactor, self._prompt_s + SETTLE_S, lambda: None)
        up = int(self._asterisk.cli("core show channels count").split()[0])
        way.starts += calls
        way.calls += calls
        way.asterisk_s += self._asterisk.cpu_s() - asterisk_s
        way.failed += ["is still up"] * up

    def figures(self) -> dict[str, Any]:
        ours, files = (self._ways[name].figures() for name in ("gateway", "call_files"))
        failed = self._ways["gateway"].failed + self._ways["call_files"].failed
        for why in sorted(set(failed)):
            print(f"{failed.count(why)} calls: {why}", file=sys.stderr)
        return {
            "gateway": ours,
            "call_files": files,
            "ratio": ours["asterisk_ms"] / max(files["asterisk_ms"], 1e-9),
            "failed": len(failed),
        }
