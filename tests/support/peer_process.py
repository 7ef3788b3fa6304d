"""SIPp and baresip as processes of the tests: free ports on 127.0.0.1, stopped by the test and gone with it."""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
READY_LIMIT_S = 20.0
#: SIPp reads no scenario without it.
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n'
#: Below the ports that the kernel gives to whoever asks for any: nobody takes one before its process has.
PORTS = range(10_000, 22_000)


class PeerFailed(Exception):
    """A peer did not start, or ended otherwise than its scenario says; the text is the end of its own words."""


def free_port() -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP, with the one after it."""
    while True:
        port = random.choice(PORTS)
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True


def with_parent(command: list[str]) -> list[str]:
    """The command such that it ends when this process ends, also when that is killed."""
    return ["setpriv", "--pdeathsig", "KILL", *command] if shutil.which("setpriv") else command


def wait_until(what: str, ready: Callable[[], Any], limit_s: float = READY_LIMIT_S) -> Any:
    """Poll a foreign process until ``ready`` gives something true."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.02)
    raise PeerFailed(f"waited {limit_s:.0f} s in vain for {what}")


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Sipp:
    """SIPp running one scenario. As callee it listens on ``port``; as caller it calls ``remote``."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int

    @classmethod
    def start(
        cls,
        folder: Path,
        scenario: str,
        *,
        remote: str = "",
        calls: int = 1,
        port: int = 0,
        arguments: tuple[str, ...] = (),
        log: bool = True,
    ) -> Sipp:
        """``scenario`` is SIPp's XML, or the name of one of its own ("uas", "uac"). ``remote`` "host:port" is needed by
        a caller. It ends by itself after ``calls`` calls. ``arguments`` are SIPp's further ones
        (("-t", "t1") for TCP, ("-s", "100") for the called number, ("-au", ..., "-ap", ...)).
        ``log``: keep all ``messages()``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        if scenario.lstrip().startswith("<"):
            head = "" if scenario.lstrip().startswith("<?xml") else XML_HEAD
            (folder / "scenario.xml").write_text(head + scenario.lstrip(), encoding="utf-8")
            what = ["-sf", "scenario.xml"]
        else:
            what = ["-sn", scenario]
        command = [
            *("sipp", *([remote] if remote else []), *what, "-i", HOST, "-p", str(port), "-m", str(calls)),
            *("-mp", str(free_port()), "-nostdin", "-trace_err", "-error_file", "errors.txt"),
            *(("-trace_msg", "-message_file", "messages.txt") if log else ()),
            *arguments,
        ]
        (folder / "errors.txt").unlink(missing_ok=True)
        with (folder / "screen.txt").open("wb") as screen:
            process = subprocess.Popen(
                with_parent(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "TERM": "dumb"},
            )
        made = cls(folder, process, port)
        try:
            wait_until("SIPp to listen", lambda: process.poll() is not None or not _is_free(port))
        except PeerFailed:
            made.stop()
            raise
        if process.poll() and not remote:
            raise PeerFailed(made.words())
        return made

    def wait(self, limit_s: float = 60.0) -> None:
        """Until all its calls are over; PeerFailed when one did not go as the scenario says."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.stop()
            raise PeerFailed(f"SIPp was not done after {limit_s:.0f} s\n{self.words()}") from None
        if code:
            raise PeerFailed(f"SIPp ended with {code}\n{self.words()}")

    def messages(self) -> str:
        """All that it sent and received."""
        path = self.folder / "messages.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def words(self) -> str:
        """Its own errors, and the end of the exchange."""
        errors = self.folder / "errors.txt"
        told = errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else ""
        if not told:
            told = (self.folder / "screen.txt").read_text(encoding="utf-8", errors="replace")[-1500:]
        return f"{told[-3000:]}\n{self.messages()[-3000:]}"

    def stop(self) -> None:
        _ended(self.process)


BARESIP_CONFIG = """\
sip_listen {host}:{port}
sip_trans_def udp
audio_source aufile,{source}
net_interface {host}
audio_level no
audio_buffer 20-160
rtp_tos 184
rtp_ports 40000-49998
rtcp_mux no
rtp_timeout 60
jitter_buffer_type off
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
snd_path {folder}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
call_local_timeout 120
call_max_calls 200
"""


def _tone(path: Path) -> Path:
    """A minute of 440 Hz as WAV, 8 kHz mono."""
    second = b"".join(struct.pack("<h", int(8000 * math.sin(math.tau * 440 * at / 8000))) for at in range(8000))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(second * 60)
    return path


class Baresip:
    """A baresip phone. ``answers``: takes each call at once; else ``command("accept")`` does."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], port: int, control: socket.socket) -> None:
        self.folder = folder
        self.process = process
        self.port = port
        self.events: list[dict[str, Any]] = []
        self._control = control
        self._octets = b""

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        user: str = "phone",
        account: str = "",
        answers: bool = True,
        source: Path | None = None,
        port: int = 0,
    ) -> Baresip:
        """It listens on ``port`` as ``sip:{user}@127.0.0.1:{port}``, sends ``source`` (WAV, 8 kHz
        mono; none: a tone of 440 Hz) and writes what it hears as WAV into ``folder`` (``heard()``).
        ``account`` is a whole line of baresip's accounts file, for one that registers.
        """
        folder.mkdir(parents=True, exist_ok=True)
        port, control = port or free_port(), free_port()
        source = source or _tone(folder / "tone.wav")
        modules = next(path for path in Path("/usr/lib").glob("**/baresip/modules") if path.is_dir())
        config = BARESIP_CONFIG.format(
            host=HOST,
            port=port,
            control=control,
            folder=folder,
            source=source,
            modules=modules,
        )
        (folder / "config").write_text(config, encoding="utf-8")
        mode = "auto" if answers else "manual"
        line = account or f"<sip:{user}@{HOST}:{port}>;regint=0;answermode={mode};audio_codecs=PCMA/8000/1,PCMU/8000/1"
        (folder / "accounts").write_text(line + "\n", encoding="utf-8")
        (folder / "contacts").touch()
        with (folder / "screen.txt").open("wb") as screen:
            process = subprocess.Popen(
                with_parent(["baresip", "-f", str(folder), "-v"]),
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
            )
        try:
            return cls(folder, process, port, cls._connect(process, folder, control))
        except PeerFailed:
            _ended(process)
            raise

    @staticmethod
    def _connect(process: subprocess.Popen[bytes], folder: Path, control: int) -> socket.socket:
        def reached() -> socket.socket | None:
            if process.poll() is not None:
                raise PeerFailed(f"baresip ended: {(folder / 'screen.txt').read_text(errors='replace')[-2000:]}")
            try:
                return socket.create_connection((HOST, control), timeout=READY_LIMIT_S)
            except OSError:
                return None

        found: socket.socket = wait_until("baresip's control port", reached)
        return found

    def command(self, name: str, parameters: str = "") -> dict[str, Any]:
        """One of its commands ("dial", "accept", "hangup", "hold", "resume", "sndcode" ...) and its answer.
        Events that come before it are kept in ``events``.
        """
        asked = json.dumps({"command": name, "params": parameters, "token": "t"}).encode()
        self._control.sendall(b"%d:%s," % (len(asked), asked))
        while True:
            told = self._next()
            if "response" in told:
                return told

    def wait_for(self, kind: str) -> dict[str, Any]:
        """The next event of that type ("CALL_INCOMING", "CALL_ESTABLISHED", "CALL_CLOSED", "CALL_DTMF_START"
        ...); those before it are passed over. PeerFailed when none comes.
        """
        while True:
            while self.events:
                event = self.events.pop(0)
                if event.get("type") == kind:
                    return event
            try:
                self._next()
            except TimeoutError:
                raise PeerFailed(f"baresip told of no {kind}") from None

    def press(self, keys: str) -> None:
        """Keys on the established call (RFC 4733)."""
        for key in keys:
            self.command("sndcode", key)
            time.sleep(0.25)

    def hang_up(self) -> None:
        self.command("hangup")

    def registered(self) -> str:
        """What became of its registration, in its own words; it begins before we can ask."""
        return re.sub(r"\x1b\[[0-9;]*m", "", str(self.command("reginfo")["data"]))

    def heard(self) -> list[Path]:
        """The WAV files of what came in on its calls."""
        return sorted(self.folder.glob("dump-*-dec.wav"))

    def _next(self) -> dict[str, Any]:
        while True:
            length, colon, rest = self._octets.partition(b":")
            if colon and len(rest) > int(length):
                told: dict[str, Any] = json.loads(rest[: int(length)])
                self._octets = rest[int(length) + 1 :]
                if "response" not in told:
                    self.events.append(told)
                return told
            octets = self._control.recv(65536)
            if not octets:
                raise PeerFailed("baresip closed its control connection")
            self._octets += octets

    def stop(self) -> None:
        self._control.close()
        _ended(self.process)
