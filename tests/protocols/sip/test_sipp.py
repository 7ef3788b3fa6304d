"""Our user agent against SIPp, which is not ours: dialled with proof, answered, transferred, hung up."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from twisted.internet.selectreactor import SelectReactor

from protocols.sip.events import Answered, Event, ReferDone, Ringing
from protocols.sip.link import SIPLink
from protocols.sip.user_agent import Account, UserAgent

SIPP = shutil.which("sipp")
HOST = "127.0.0.1"


@pytest.mark.sockets
@pytest.mark.skipif(SIPP is None, reason="SIPp is not installed (apt-get install sip-tester)")
def test_a_call_with_a_transfer(tmp_path: Path) -> None:
    """SIPp judges our side by itself, message by message, and says so by its exit code."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    scenario = Path(__file__).with_name("sipp_refer.xml")
    command = [str(SIPP), "-sf", str(scenario), "-i", HOST, "-p", str(port), "-m", "1", "-nostdin"]
    command += ["-timeout", "50", "-timeout_error", "-trace_err", "-error_file", str(tmp_path / "errors")]
    told: list[Event] = []
    reactor = SelectReactor()
    account = Account("301", "pw301", HOST, port)

    def heard(event: Event) -> None:
        told.append(event)
        if isinstance(event, Answered):
            link.refer(event.call, f"sip:201@{HOST}:{port}", account)
        elif isinstance(event, ReferDone):
            link.hang_up(event.call)
            link.stop(5.0).addCallback(lambda _: reactor.stop())

    link = SIPLink(lambda host, bound: UserAgent(host, bound, token=lambda: secrets.token_hex(8)), reactor, heard)

    def begin() -> None:
        # An INVITE that comes before SIPp listens is sent again.
        link.listen(reactor, HOST, 0)
        link.invite(
            f"sip:984951234567@{HOST}:{port}",
            from_user="301",
            destination=(HOST, port),
            sdp=b"v=0\r\n",
            credentials=account,
        )

    guard = reactor.callLater(55.0, reactor.stop)
    reactor.callWhenRunning(begin)
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    sipp = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        reactor.run()
        assert sipp.wait(timeout=55) == 0, [path.read_text() for path in tmp_path.iterdir()]
    finally:
        sipp.kill()
        sipp.wait()
        for number, handler in previous.items():
            signal.signal(number, handler)
        if guard.active():
            guard.cancel()
    assert [type(event).__name__ for event in told] == ["Ringing", "Answered", "ReferDone", "Ended"]
    assert isinstance(told[0], Ringing) and told[0].code == 180
