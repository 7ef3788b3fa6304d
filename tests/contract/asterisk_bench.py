"""The Asterisk gateway against a real Asterisk, in real time; its people are a dialplan behind Local channels."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from asterisk_process import ManagerTalk, PrivateAsterisk
from gateway_bench import Sees, Watcher
from peer_process import free_port
from twisted.internet.protocol import ClientFactory
from twisted.internet.selectreactor import SelectReactor
from twisted.protocols.portforward import ProxyFactory, ProxyServer

from ocm_cti.gateways.asterisk import AsteriskGateway
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.asterisk_site import dialplan, manager_user
from ocm_cti.gateways.interface import LinkState

CHANNEL = "Local/{number}@people"
SECOND_HALF = ";2"


def settings(ami_port: int, **changed: Any) -> AsteriskSettings:
    return AsteriskSettings.from_table(
        "office",
        {
            "kind": "asterisk",
            "link": f"tcp:127.0.0.1:{ami_port}",
            "username": "ocm",
            "secret": "ocm-secret",
            "channel": CHANNEL,
            "channels": 3,
            "context": "ocm-bench",
            "retry_min_s": 0.2,
            "rest_after_fault_s": 0.3,
            "congestion_rest_s": 0.3,
            "blind_limit_s": 3.0,
            "transfer_context": "operators",
            "transfer_wait_s": 5.0,
            **changed,
        },
    )


#: A variant of the bench: what the gateway is told, and what is not as on the whole one.
FAST_PORT = free_port()
FAST = {"voice": "fastagi", "fastagi_port": FAST_PORT, "context": "ocm-fast"}

#: People by the last two digits of their number; operators as they are dialled.
DIALPLAN = f"""
{dialplan(settings(1))}
{dialplan(settings(1, **FAST))}
[people]
exten => _XXXXXXXXX01,1,Ringing()
 same => n,Wait(0.3)
 same => n,Answer()
 same => n,Wait(600)
exten => _XXXXXXXXX06,1,Hangup(17)
exten => _XXXXXXXXX07,1,Ringing()
 same => n,Wait(600)
exten => _XXXXXXXXX08,1,Hangup(21)
exten => _XXXXXXXXX09,1,Hangup(1)
exten => _XXXXXXXXX13,1,Hangup(34)

[operators]
exten => 200,1,Ringing()
 same => n,Wait(1)
 same => n,Answer()
 same => n,Wait(600)
exten => 201,1,Ringing()
 same => n,Wait(600)
exten => 202,1,Hangup(17)
"""

#: The user with the least rights, as it is printed for a site.
MANAGER = manager_user(settings(1), secret=True)


class _CountingServer(ProxyServer):
    """From the gateway to the switch: counts what it asks for."""

    factory: Any

    def dataReceived(self, data: bytes) -> None:
        self.factory.bench.sent(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]


class _Line(ProxyFactory):
    """A TCP line that can be cut."""

    protocol = _CountingServer
    noisy = False

    def __init__(self, bench: AsteriskBench, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.bench = bench
        self.open: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        made: Any = super().buildProtocol(addr)
        made.reactor = self.bench.reactor
        self.open.append(made)
        return made

    def cut(self) -> None:
        for one in self.open:
            for end in (one, one.peer):
                if end is not None and end.transport is not None:
                    end.transport.abortConnection()
        self.open.clear()


ClientFactory.noisy = False


class AsteriskBench:
    """The reactor runs only inside ``until`` and ``pass_s``."""

    sees = Sees(dials_by_link=False, voice_breaks=False, announces=False)

    answers = "+74951234501"
    busy = "+74951234506"
    never_answers = "+74951234507"
    rejects = "+74951234508"
    does_not_exist = "+74951234509"
    congested = "+74951234513"
    operator = "200"
    operator_absent = "201"
    operator_unwilling = "202"
    announcement = "1"

    def __init__(
        self, asterisk: PrivateAsterisk, make_sound: Callable[[str], Any] | None = None, **changed: Any
    ) -> None:
        self._asterisk = asterisk
        self._make_sound = make_sound
        self._changed = changed
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        self.prompt = folder / "prompt.alaw"
        self.prompt.write_bytes(b"\xd5" * 8000)
        self.recordings = folder / "recordings"
        self.recordings.mkdir()
        self.reactor: Any = SelectReactor()
        self.watcher = Watcher()
        self.gateway: AsteriskGateway
        self.calls_asked = 0
        self._tail = b""

    def start(self) -> None:
        self.reactor.startRunning(installSignalHandlers=False)
        self._admin = self._asterisk.as_admin()
        self._line = _Line(self, self._asterisk.ami_port)
        self._listening = self.reactor.listenTCP(0, self._line, interface="127.0.0.1")
        self._port = self._listening.getHost().port
        self.gateway = AsteriskGateway(
            settings(self._port, **self._changed), self.reactor, self.recordings, make_sound=self._make_sound
        )
        self.gateway.start(self.watcher)
        self.until(lambda: list(self.gateway.idle_ports) == list(self.gateway.ports), "all ports idle")

    def close(self) -> None:
        """Stop; nothing may be left."""
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        self.until(lambda: gone, "the gateway has stopped")
        assert gone[0] is None, gone
        assert self.gateway.health.state is LinkState.DOWN
        self._line.cut()
        self._listening.stopListening()
        self.until(lambda: not self.reactor.getDelayedCalls(), "no timer is left", 40.0)
        self.all_hang_up()
        self.until(lambda: self.calls_up == 0, "the switch has no call left")
        self._admin.close()
        self.reactor.stop()
        self.reactor.iterate(0)
        self._folder.cleanup()

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never: {what}"
            self.reactor.iterate(0.01)

    def pass_s(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, "time passes")

    def sent(self, data: bytes) -> None:
        """What the gateway writes to the switch."""
        whole = self._tail + data
        self.calls_asked += whole.count(b"Action: Originate\r\n")
        self._tail = whole[-len(b"Action: Originate\r\n") + 1 :]

    def _channel(self, port: str) -> str:
        call = self.gateway._ports[port].call
        assert call is not None
        return call.channel_id

    def far_hangs_up(self, port: str) -> None:
        self._admin.ask("Hangup", Channel=self._channel(port) + SECOND_HALF, Cause="16")

    def far_presses(self, port: str, keys: str) -> None:
        for key in keys:
            self._admin.ask("PlayDTMF", Channel=self._channel(port), Digit=key, Receive="true")
            self.pass_s(0.15)

    def _channels(self) -> list[dict[str, str]]:
        return listed(self._admin)

    def all_hang_up(self) -> None:
        for row in self._channels():
            with suppress(RuntimeError):  # it may go with another one
                self._admin.ask("Hangup", Channel=row["Uniqueid"], Cause="16")

    def break_link(self) -> None:
        self._listening.stopListening()
        self._line.cut()

    def mend_link(self) -> None:
        self._listening = self.reactor.listenTCP(self._port, self._line, interface="127.0.0.1")

    def kill_voice(self) -> None:
        raise NotImplementedError("the voice is the switch's: sees.voice_breaks says so")

    @property
    def calls_up(self) -> int:
        return len({row["Linkedid"] for row in self._channels()})


def listed(talk: ManagerTalk) -> list[dict[str, str]]:
    """All channels of the switch."""
    talk.ask("CoreShowChannels")
    rows = []
    while (block := talk._block()).get("Event") != "CoreShowChannelsComplete":
        rows.append(block)
    return rows
