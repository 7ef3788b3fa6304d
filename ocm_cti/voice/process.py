"""The voice process, ``python -m ocm_cti.voice.process``: started by ``VoiceClient``, lives while its stdin is open.

SIP, RTP, prompts and recordings, and nothing else: a stall of 15 ms in this interpreter is heard on every call.
"""

from __future__ import annotations

import argparse
import gc
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet import stdio
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from ocm_cti.clock import steady
from ocm_cti.voice.calls import Calls
from ocm_cti.voice.parent_link import ParentLink
from protocols.sip.link import SIPLink
from protocols.sip.user_agent import Event, UserAgent

#: How long the registrar may take to let our extensions go before we leave without its answer.
UNREGISTER_S = 1.0


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line that VoiceClient writes."""
    parser = argparse.ArgumentParser(prog="python -m ocm_cti.voice.process", description=__doc__)
    parser.add_argument("--bind-host", default="127.0.0.1", help="our address, for SIP and RTP; it also stands in SDP")
    parser.add_argument("--sip-port", type=int, default=0, help="UDP port for SIP; 0: any")
    parser.add_argument("--rtp-ports", nargs=2, type=int, metavar=("FIRST", "LAST"), help="UDP ports for RTP")
    parser.add_argument("--stranger-code", type=int, default=403, help="SIP code for calls that are for none of us")
    parser.add_argument("--silent-peer-s", type=float, help="end a call whose peer sends no RTP for so long")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run until stdin closes. 2 when the SIP port can't be opened; the last line on stderr says why."""
    options = arguments(argv)
    # Ctrl-C reaches the whole process group; the parent decides when we go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _log_to_stderr()

    from twisted.internet import reactor as installed

    reactor: Any = steady(installed)  # a clock that is set would be heard on every call
    reactor.suggestThreadPoolSize(2)

    process = VoiceProcess(reactor, options)
    try:
        process.start()
    except CannotListenError as error:
        reason = f"SIP port {options.bind_host}:{options.sip_port} can't be opened: {error.socketError}"
        os.write(2, (reason + "\n").encode())
        return 2
    # What was loaded so far lives as long as we do; without it a collection takes a millisecond less.
    gc.collect()
    gc.freeze()
    reactor.run(installSignalHandlers=False)
    return 0


def _user_agent(host: str, port: int) -> UserAgent:
    return UserAgent(host, port, token=lambda: secrets.token_hex(8))


class VoiceProcess:
    """Wires the process: SIP link, calls, and the parent at our standard streams."""

    def __init__(self, reactor: Any, options: argparse.Namespace) -> None:
        self._reactor = reactor
        self._options = options
        self._stopping: Deferred[None] | None = None
        self._parent = ParentLink(self._shut_down, self._leave)
        self._sip = SIPLink(_user_agent, reactor, self._sip_event, resolve=reactor.resolve)
        ports = options.rtp_ports and range(options.rtp_ports[0], options.rtp_ports[1] + 1)
        self._calls = Calls(
            reactor,
            self._sip,
            self._parent,
            options.bind_host,
            deferToThread,
            rtp_ports=ports,
            silent_peer_s=options.silent_peer_s,
            stranger_code=options.stranger_code,
        )
        self._parent.serve(self._calls)

    def start(self) -> None:
        """Open the SIP port and report to the parent. CannotListenError when the port is taken."""
        sip_port = self._sip.listen(self._reactor, self._options.bind_host, self._options.sip_port)
        stdio.StandardIO(self._parent, reactor=self._reactor)  # type: ignore[no-untyped-call]
        self._parent.ready(sip_port)

    def _sip_event(self, event: Event) -> None:
        self._calls.sip_event(event)

    def _shut_down(self) -> Deferred[None]:
        """Calls first, then the registrations; both at most once."""
        if self._stopping is None:
            self._stopping = self._calls.shut_down().addBoth(lambda _: self._sip.stop(UNREGISTER_S))
        waiting: Deferred[None] = Deferred()
        self._stopping.addBoth(lambda _: waiting.callback(None))
        return waiting

    def _leave(self) -> None:
        self._shut_down().addBoth(lambda _: self._reactor.stop())


def _log_to_stderr() -> None:
    # Twisted tells of every port that opens and closes.
    important: Any = LogLevelFilterPredicate(LogLevel.warn)
    for ours in ("ocm_cti", "protocols"):
        important.setLogLevelForNamespace(ours, LogLevel.info)
    lines: Any = textFileLogObserver(os.fdopen(os.dup(2), "w", buffering=1))
    observer: Any = FilteringLogObserver(lines, [important])
    # Also what somebody prints: stdout belongs to AMP.
    globalLogBeginner.beginLoggingTo([observer], discardBuffer=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
