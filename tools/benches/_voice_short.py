"""``tools/bench voice --short-calls N``: what is left in memory by calls that are over."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

from _process import resident_mb
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from ocm_cti.voice.client import VoiceClient
from ocm_cti.voice.tones import tone
from protocols.sip import sdp
from protocols.sip.link import SIPLink
from protocols.sip.user_agent import Answered, Ended, Event, Refused, UserAgent

HOST = "127.0.0.1"
AT_ONCE = 40
CALL_S = 0.15
#: From here on memory has to stay where it is: imports and caches are filled by then, and as many transactions are
#: kept as ever will be at this pace (SIP over UDP remembers each for 32 s, for whoever repeats a request).
FROM_CALL = 2_000
FROM_S = 45.0
#: More than this is growth, not the allocator's habits.
ALLOWED_MB = 3.0
#: Every so many calls one is recorded as well.
RECORDED = 10


def main(reactor: Any, calls: int, *, as_json: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        bench = ShortCalls(reactor, calls, Path(folder))
        reactor.callWhenRunning(bench.run)
        reactor.run()
    if not bench.error and not bench.settled:
        bench.error = f"too few calls: it takes {FROM_CALL} and {FROM_S:.0f} s until nothing is filled up any more"
    if bench.error:
        print(bench.error, file=sys.stderr)
        return 1
    figures = bench.figures()
    if as_json:
        print(json.dumps(figures))
    else:
        for done, voice_mb, our_mb in bench.seen:
            print(f"after {done:6} calls: voice process {voice_mb:7.1f} MB, its parent and the caller {our_mb:7.1f} MB")
        print(f"voice process from call {figures['from']} on: {figures['grown_mb']:+.1f} MB (goal: flat)")
    return 1 if figures["grown_mb"] > ALLOWED_MB else 0


class ShortCalls:
    """Calls the voice process as a PBX would, AT_ONCE at a time. Observer of the voice process."""

    def __init__(self, reactor: Any, calls: int, folder: Path) -> None:
        self.error = ""
        self.seen: list[tuple[int, float, float]] = []  # calls that are over, MB of the voice process, MB of this one
        self._settled_at = 0  # index in seen
        self._began_s = 0.0
        self._reactor = reactor
        self._wanted = calls
        self._folder = folder
        self._prompt = folder / "prompt.alaw"
        self._prompt.write_bytes(tone([425, 700], 2_000, -15.0))
        self._client = VoiceClient(reactor, self)
        self._link = SIPLink(
            lambda host, port: UserAgent(host, port, token=lambda: secrets.token_hex(8)), reactor, self._told
        )
        self._ready: Deferred[None] = Deferred()
        self._over: Deferred[None] = Deferred()
        self._begun = self._done = 0
        self._answered = 0

    @inlineCallbacks
    def run(self) -> Any:
        self._client.start()
        yield self._ready
        self._link.listen(self._reactor, HOST, 0)
        self._began_s = self._reactor.seconds()
        for _ in range(min(AT_ONCE, self._wanted)):
            self._call()
        yield self._over
        yield deferLater(self._reactor, 2.0, lambda: None)
        self._look()
        yield self._link.stop()
        yield self._client.stop()
        self._reactor.stop()

    @property
    def settled(self) -> bool:
        return bool(self._settled_at)

    def figures(self) -> dict[str, Any]:
        settled = self.seen[self._settled_at :]
        return {
            "calls": self._done,
            "from": settled[0][0],
            "grown_mb": settled[-1][1] - settled[0][1],
            "voice_mb": settled[-1][1],
        }

    def _call(self) -> None:
        self._begun += 1
        self._link.invite(
            f"sip:bench@{HOST}:{self._client.sip_port}",
            from_user="bench",
            destination=(HOST, self._client.sip_port),
            sdp=sdp.offer(HOST, 9),
        )

    def _told(self, event: Event) -> None:
        match event:
            case Answered(call=call):
                self._reactor.callLater(CALL_S, self._link.hang_up, call)
            case Refused():
                self._fail(f"a call was refused: {event}")
            case Ended():
                self._done += 1
                if self._done % max(1, self._wanted // 20) == 0:
                    self._look()
                if self._begun < self._wanted:
                    self._call()
                elif self._done == self._wanted and not self._over.called:
                    self._over.callback(None)

    def _look(self) -> None:
        if not self._settled_at and self._done >= FROM_CALL and self._reactor.seconds() - self._began_s >= FROM_S:
            self._settled_at = len(self.seen)
        if self._client.pid is not None:
            self.seen.append((self._done, resident_mb(self._client.pid), resident_mb(os.getpid())))

    def _fail(self, why: str) -> None:
        self.error = self.error or why
        if not self._over.called:
            self._over.callback(None)

    def process_ready(self) -> None:
        self._ready.callback(None)

    def process_lost(self, reason: str) -> None:
        self._fail(f"voice process: {reason}")

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        self._client.answer(call_id).addErrback(lambda _: None)

    def established(self, call_id: str) -> None:
        self._answered += 1
        # The call may be over before its end: that is the point.
        if self._answered % RECORDED:
            self._client.play(call_id, [self._prompt]).addErrback(lambda _: None)
        else:
            path = self._folder / "reply.wav"
            self._client.record(call_id, path).addErrback(lambda _: None)

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None: ...
    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def ringing(self, call_id: str, code: int) -> None: ...
    def digit(self, call_id: str, digit: str) -> None: ...

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None: ...
