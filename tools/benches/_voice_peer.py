"""The other side of the voice bench: calls a SIP port N times, speaks on every call, and times what it hears.

Prints {"up": N} when all are answered. Reads "begin" and "end" from stdin; after "end" it prints its figures as one
line of JSON. When stdin closes it hangs up and leaves.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from _process import drops
from twisted.internet import reactor as installed
from twisted.internet import stdio
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from ocm_cti.voice.tones import tone
from protocols.rtp.link import Ticker
from protocols.rtp.stream import SendStream
from protocols.sip import sdp
from protocols.sip.link import SIPLink
from protocols.sip.user_agent import Answered, Ended, Event, Refused, UserAgent

HOST = "127.0.0.1"
#: How fast calls are made.
CALL_EVERY_S = 0.010
#: Linux: the kernel says when a packet came. Elsewhere the peer's own clock must do.
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@qq")
PCMA = 8
#: A burst of 200 streams must not overflow a socket while this interpreter is busy with the others.
RECEIVE_BUFFER = 1 << 20


class Line:
    """One call's media: a socket of its own, so that the kernel's time of each packet can be read."""

    def __init__(self, reactor: Any, serial: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if sys.platform == "linux":
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.port: int = self.socket.getsockname()[1]
        self.send = SendStream(serial, 0, 0)
        self.send.queue(tone([300, 500], 60_000, -20.0) * 20)
        self.heard: list[tuple[float, int]] = []  # arrival in seconds, sequence number
        self._reactor = reactor
        self._left = False

    def leave(self) -> None:
        self._left = True
        self._reactor.removeReader(self)

    def connect(self, agreed: sdp.Agreed) -> None:
        self.socket.connect((agreed.remote_host, agreed.remote_port))
        self._reactor.addReader(self)

    def tick(self, now_s: float, skipped: int) -> None:
        if self._left:
            return
        if skipped:
            self.send.skip(skipped)
        if octets := self.send.tick():
            self.socket.send(octets)

    # the reactor's reader

    def fileno(self) -> int:
        return self.socket.fileno()

    def doRead(self) -> None:
        octets, ancillary, _, _ = self.socket.recvmsg(2048, 64)
        arrived_s = time.time()
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = TIMESPEC.unpack(content[: TIMESPEC.size])
                arrived_s = seconds + nanoseconds / 1e9
        if octets[1] & 0x7F == PCMA:  # comfort noise and the like are no packets of the prompt
            self.heard.append((arrived_s, octets[2] << 8 | octets[3]))

    def connectionLost(self, reason: Failure) -> None:
        self.socket.close()

    def logPrefix(self) -> str:
        return "line"


class Peer(LineOnlyReceiver):
    """All calls."""

    delimiter = b"\n"

    def __init__(self, reactor: Any, sip_port: int, calls: int) -> None:
        self._reactor = reactor
        self._sip_port = sip_port
        self._wanted = calls
        self._ticker = Ticker(reactor)
        self._lines: dict[str, Line] = {}
        self._reported = False
        self._answered = 0
        self._began_s = 0.0
        self._link = SIPLink(
            lambda host, port: UserAgent(host, port, token=lambda: secrets.token_hex(8)), reactor, self._told
        )
        self._link.listen(reactor, HOST, 0)
        self._call()

    def _call(self) -> None:
        line = Line(self._reactor, len(self._lines))
        call = self._link.invite(
            f"sip:bench@{HOST}:{self._sip_port}",
            from_user="bench",
            destination=(HOST, self._sip_port),
            sdp=sdp.offer(HOST, line.port),
        )
        self._lines[call] = line
        if len(self._lines) < self._wanted:
            self._reactor.callLater(CALL_EVERY_S, self._call)

    def _told(self, event: Event) -> None:
        match event:
            case Answered(call=call, sdp=answer):
                line = self._lines[call]
                line.connect(sdp.accept(answer))
                self._ticker.add(line.tick)
                self._answered += 1
                if self._answered == self._wanted:
                    self.sendLine(json.dumps({"up": self._answered}).encode())
            case Refused() | Ended() if not self._reported:
                print(f"a call came to nothing: {event}", file=sys.stderr)

    def lineReceived(self, line: bytes) -> None:
        deeds: dict[bytes, Callable[[], None]] = {b"begin": self._begin, b"end": self._end}
        deeds[line.strip()]()

    def _begin(self) -> None:
        self._began_s = self._reactor.seconds()
        for line in self._lines.values():
            line.heard.clear()

    def _end(self) -> None:
        # What is still in the sockets belongs to it.
        self._reactor.callLater(0.1, self._report)

    def _report(self) -> None:
        gaps_ms: list[float] = []
        received = lost = 0
        for line in self._lines.values():
            arrivals = line.heard
            gaps_ms += [(then - before) * 1000 for (before, _), (then, _) in pairwise(arrivals)]
            steps = [(then - before) & 0xFFFF for (_, before), (_, then) in pairwise(arrivals)]
            received += len(arrivals)
            lost += sum(step - 1 for step in steps if 0 < step < 0x8000)
        self._reported = True
        gaps_ms.sort()
        figures = {
            "p50_ms": gaps_ms[len(gaps_ms) // 2],
            "p99_ms": gaps_ms[int(len(gaps_ms) * 0.99)],
            "max_ms": gaps_ms[-1],
            "packets": received,
            "seconds": self._reactor.seconds() - self._began_s,
            "lost": lost,
            "dropped_here": drops(os.getpid()),  # by the kernel, before this process took them: not the other's fault
        }
        self.sendLine(json.dumps(figures).encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for line in self._lines.values():
            line.leave()
        self._link.stop().addBoth(lambda _: self._reactor.stop())


if __name__ == "__main__":
    reactor: Any = installed
    reactor.seconds = time.monotonic
    peer = Peer(reactor, int(sys.argv[1]), int(sys.argv[2]))
    stdio.StandardIO(peer, reactor=reactor)
    reactor.run()
