"""AgiSound on calls through a private Asterisk, without the gateway; and a far end that keeps every octet it hears."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from asterisk_process import GATEWAY, PrivateAsterisk
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.selectreactor import SelectReactor
from twisted.logger import Logger

from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.agi_sound import AgiAround, AgiSound
from ocm_cti.gateways.settings import Table
from protocols.ami.link import AmiLink
from protocols.ami.messages import Event

#: What the voice is tried on. ``ocm`` is the context of a site, ``fast`` that of one with FastAGI.
DIALPLAN = """
[ocm]
exten => s,1,AGI(agi:async)
 same => n,GotoIf($["${AGISTATUS}"="HANGUP"]?end:1)
 same => n(end),Hangup()

[fast]
exten => s,1,AGI(agi://127.0.0.1:${FASTAGI})
 same => n,Hangup()

[people]
exten => quiet,1,Answer()
 same => n,Wait(600)
exten => hello,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(hello-world)
 same => n,Playback(silence/10)
 same => n,Wait(600)
exten => still,1,Answer()
 same => n,Playback(silence/10)
 same => n,Wait(600)
exten => greets,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(demo-thanks)
 same => n,Playback(silence/10)
 same => n,Wait(600)
exten => talks,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(demo-congrats)
 same => n,Wait(600)

[operators]
exten => 200,1,Ringing()
 same => n,Wait(0.5)
 same => n,Answer()
 same => n,Wait(600)
exten => 201,1,Ringing()
 same => n,Wait(600)
exten => 202,1,Hangup(17)
exten => 203,1,Answer()
 same => n,Wait(0.1)
 same => n,Hangup()
"""
MODULES = "".join(
    f"load = {name}.so\n"
    for name in (
        "res_rtp_multicast",
        "chan_rtp",
        "res_websocket_client",
        "res_stasis_device_state",
        "res_ari_model",
        "res_ari",
        "res_ari_recordings",
        "app_stasis",
    )
)
ARI_USER = ("ocm", "ari-secret")
ARI = f"[general]\nenabled = yes\n[{ARI_USER[0]}]\ntype = user\nread_only = no\npassword = {ARI_USER[1]}\n"


def start_asterisk(folder: Path) -> PrivateAsterisk:
    """With everything that the voice may be set to use."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "ari.conf").write_text(ARI)
    return PrivateAsterisk.start(folder, extra_dialplan=DIALPLAN, extra={"modules": MODULES})


class Line:
    """One call. ``over`` is the reason once it has ended."""

    def __init__(self, channel: str, sound: AgiSound) -> None:
        self.channel = channel
        self.sound = sound
        self.starts = 0
        self.keys = ""
        self.taken_keys = ""
        self.over = ""


class VoiceDesk:
    """The reactor runs only inside ``until``."""

    def __init__(self, asterisk: PrivateAsterisk, recordings: Path, **settings: object) -> None:
        self.asterisk = asterisk
        self.recordings = recordings
        self.reactor: Any = SelectReactor()
        self.reactor.startRunning(installSignalHandlers=False)
        self.settings = AgiSettings.read(Table("gateways.office", settings, AgiSettings.rows()))
        endpoint: Any = TCP4ClientEndpoint(self.reactor, "127.0.0.1", asterisk.ami_port)
        self.link = AmiLink(
            endpoint, username=GATEWAY[0], secret=GATEWAY[1], clock=self.reactor, owner=self, retry_min_s=0.1
        )
        self.lines: dict[str, Line] = {}
        self.around = AgiAround(
            ask=self.link.ask,
            clock=self.reactor,
            log=Logger(),
            settings=self.settings,
            recordings=recordings,
            event=self.event,
        )
        self.around.open()
        self.admin = asterisk.as_admin()
        self.link.start()
        self.until(lambda: self.link.is_up, "logged in")

    def link_up(self, version: str) -> None:
        for line in self.lines.values():
            line.sound.link_back()

    def link_down(self, reason: str) -> None:
        for line in self.lines.values():
            line.sound.link_lost()

    def link_refused(self, reason: str) -> None:
        raise AssertionError(reason)

    def event(self, event: Event) -> None:
        line = self.lines.get(event.get("Uniqueid"))
        if line is None or line.over:
            return
        match event.name:
            case "AsyncAGIStart":
                line.starts += 1
                line.sound.agi_started(event)
            case "AsyncAGIExec":
                line.sound.agi_executed(event)
            case "AsyncAGIEnd":
                line.sound.agi_ended(event)
            case "DTMFEnd" if event.get("Direction") == "Received":
                if line.sound.digit(event.get("Digit")):
                    line.taken_keys += event.get("Digit")
                else:
                    line.keys += event.get("Digit")
            case "Hangup":
                line.over = "hung up"
                line.sound.over(line.over)

    def call(self, channel: str) -> Line:
        """An answered call that has come to AGI."""
        name = f"voice-{time.monotonic_ns()}"
        line = self.lines[name] = Line(name, AgiSound(self.around, name))
        fast = self.around.fast
        self.result(
            self.link.ask(
                "Originate",
                ("Channel", channel),
                ("Context", "ocm" if fast is None else "fast"),
                ("Exten", "s"),
                ("Priority", "1"),
                ("ChannelId", name),
                ("Async", "true"),
                *([("Variable", f"FASTAGI={fast.tcp_port}")] if fast is not None else []),
            )
        )
        self.until(lambda: line.starts, "it came to AGI")
        return line

    def rtp_port(self, line: Line) -> int:
        """Where Asterisk listens for the far end of a UnicastRTP call."""
        answer = self.admin.ask("Getvar", Channel=line.channel, Variable="UNICASTRTP_LOCAL_PORT")
        return int(answer["Value"])

    def hang_up(self, line: Line, far: bool = False) -> None:
        self.admin.ask("Hangup", Channel=line.channel + (";2" if far else ""), Cause="16")

    def press(self, line: Line, key: str) -> None:
        self.admin.ask("PlayDTMF", Channel=line.channel, Digit=key, Receive="true")

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 30.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never: {what}"
            self.reactor.iterate(0.005)

    def pass_s(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, "time passes")

    def result(self, asked: Any, patience_s: float = 30.0) -> Any:
        """What it fired with; a failure is returned as its exception."""
        results: list[Any] = []
        asked.addBoth(results.append)
        self.until(lambda: results, "answered", patience_s)
        return getattr(results[0], "value", results[0])

    def close(self) -> None:
        """Nothing may be left."""
        for line in self.lines.values():
            if not line.over:
                with suppress(RuntimeError):
                    self.hang_up(line)
        self.until(lambda: all(line.over for line in self.lines.values()), "all are over")
        self.admin.close()
        self.result(self.around.close())
        self.result(self.link.stop())
        self.until(lambda: not self.reactor.getDelayedCalls(), "no timer is left", 15)
        self.reactor.stop()
        self.reactor.iterate(0)


class FarEnd:
    """A far end at a UDP port (UnicastRTP): keeps every packet and when it came, and says what it is told to."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self.channel = f"UnicastRTP/127.0.0.1:{self.port}/c(alaw)"
        self.packets: list[tuple[float, int, bytes]] = []  # arrival, time stamp, A-law
        self._talking: threading.Thread | None = None
        self._quiet = threading.Event()

    def listen(self) -> int:
        """Take what has come; the number of packets so far."""
        with suppress(BlockingIOError):
            while True:
                packet = self._socket.recv(2048)
                stamp = struct.unpack_from("!HHII", packet)[2]
                self.packets.append((time.monotonic(), stamp, packet[12:]))
        return len(self.packets)

    @property
    def heard(self) -> bytes:
        self.listen()
        return b"".join(alaw for _, _, alaw in self.packets)

    def longest_gap_ms(self, first: int = 0) -> float:
        """The longest time between two packets, less the 20 ms that belong there."""
        self.listen()
        times = [arrived for arrived, _, _ in self.packets[first:]]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        return max(gaps, default=0.0) * 1000 - 20

    def say(self, to_port: int, alaw: bytes) -> None:
        """Begin to say it, 20 ms a packet, and then silence until ``close``."""
        self._talking = threading.Thread(target=self._say, args=(to_port, alaw), daemon=True)
        self._talking.start()

    def _say(self, to_port: int, alaw: bytes) -> None:
        began_s = time.monotonic()
        number = 0
        while not self._quiet.wait(max(0.0, began_s + number * 0.02 - time.monotonic())):
            words = alaw[number * 160 : number * 160 + 160].ljust(160, b"\xd5")
            header = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160, 0x0C0FFEE)
            self._socket.sendto(header + words, ("127.0.0.1", to_port))
            number += 1

    def close(self) -> None:
        self._quiet.set()
        if self._talking is not None:
            self._talking.join()
        self._socket.close()
