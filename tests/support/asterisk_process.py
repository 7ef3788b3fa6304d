"""A private Asterisk as a process of the tests: started and stopped through ``tools/asterisk``."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "asterisk"
HOST = "127.0.0.1"
INSTALL_LIMIT_S = 180.0
START_LIMIT_S = 40.0
STOP_LIMIT_S = 10.0

#: The manager users: what the gateway is given on a real switch, and one for the test itself with all rights.
GATEWAY = ("gateway", "gateway-secret")
ADMIN = ("admin", "admin-secret")


class NoAsterisk(Exception):
    """Asterisk can't be had on this machine, or did not start; the text says why."""


def install() -> None:
    """Fetch it unless it is there already. Raises NoAsterisk with the tool's own words."""
    _tool("install", limit_s=INSTALL_LIMIT_S)


def _tool(*arguments: str, limit_s: float = START_LIMIT_S) -> str:
    try:
        done = subprocess.run(
            [str(TOOL), *arguments],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAsterisk(f"tools/asterisk {arguments[0]}: {error}") from error
    if done.returncode:
        raise NoAsterisk(f"tools/asterisk {' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


@dataclass
class PrivateAsterisk:
    """One running Asterisk. Everything listens on 127.0.0.1; it ends with the test process whatever becomes of that.

    ``extra_*`` texts are read after the standard ones: a section of the same name with ``(+)`` adds to it
    (``[general](+)``), a context of the same name in the dialplan is added to.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    sip_port: int
    ami_port: int
    http_port: int
    rtp_ports: range

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        extra_pjsip: str = "",
        extra_dialplan: str = "",
        manager: str = "",
        extra: dict[str, str] | None = None,
        ports: dict[str, int | str] | None = None,
    ) -> PrivateAsterisk:
        """Install it when it is missing, configure it in ``folder``, run it, wait until it is up.

        ``extra`` are further fragments by file name without its ending ("http", "queues", "modules" ...).
        ``ports`` fixes ports ("sip", "ami", "http", "rtp", and "callee" = "host:port" where the endpoint ``trunk``
        calls); those not named are free ones. Raises NoAsterisk.
        """
        install()
        fragments = {"pjsip": extra_pjsip, "extensions": extra_dialplan, "manager": manager, **(extra or {})}
        (folder / "extra").mkdir(parents=True, exist_ok=True)
        for name, text in fragments.items():
            if text:
                (folder / "extra" / f"{name}.conf").write_text(text, encoding="utf-8")
        words = _tool("configure", str(folder), *(f"{name}={port}" for name, port in (ports or {}).items()))
        told = dict(line.split("=", 1) for line in words.split())
        first, last = map(int, told["rtp"].split("-"))
        made = cls(
            folder,
            cls._run(folder),
            sip_port=int(told["sip"]),
            ami_port=int(told["ami"]),
            http_port=int(told["http"]),
            rtp_ports=range(first, last + 1),
        )
        made._wait()
        return made

    @staticmethod
    def _run(folder: Path) -> subprocess.Popen[bytes]:
        # In a session of its own: a Ctrl-C in the terminal is for the tests, which then stop it in order.
        return subprocess.Popen(
            [str(TOOL), "run", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait(self) -> None:
        try:
            _tool("wait", str(self.folder), str(self.process.pid))
        except NoAsterisk:
            self.stop()
            raise

    def cli(self, command: str) -> str:
        """One command of its console and what it says."""
        return _tool("cli", str(self.folder), command)

    def cpu_s(self) -> float:
        """CPU seconds (user and system) that it has used since its start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def log(self) -> str:
        """Notices, warnings and errors so far."""
        path = self.folder / "log" / "messages"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def kill(self) -> None:
        """As when its machine loses power; ``start_again`` brings it back with the same ports."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """The same folder, configuration and ports, after ``stop`` or ``kill``."""
        self.process = self._run(self.folder)
        self._wait()

    def stop(self) -> None:
        """In order; twice is once. When it does not end, it is killed."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def as_admin(self) -> ManagerTalk:
        """A manager connection with all rights, for the test itself. Close it."""
        return ManagerTalk(self.ami_port, *ADMIN)

    def press(self, channel: str, keys: str, *, gap_s: float = 0.15) -> None:
        """Keys that Asterisk is to take as pressed by the person on ``channel`` (a name or a ChannelId)."""
        with self.as_admin() as admin:
            for number, key in enumerate(keys):
                if number:
                    time.sleep(gap_s)
                admin.ask("PlayDTMF", Channel=channel, Digit=key, Receive="true")


class ManagerTalk:
    """A blocking manager connection of the tests' own, independent of the client that is tested."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=10)
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\r\n")
        self._lines.readline()
        self.ask("Login", Username=user, Secret=secret, Events="off")

    def ask(self, action: str, **headers: str) -> dict[str, str]:
        """The response's headers. Raises RuntimeError with Asterisk's words when it refuses."""
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        while True:
            answer = self._block()
            if "Response" in answer:
                break
        if answer["Response"] == "Error":
            raise RuntimeError(f"{action}: {answer.get('Message')}")
        return answer

    def _block(self) -> dict[str, str]:
        told: dict[str, str] = {}
        while line := self._lines.readline():
            if line == "\r\n":
                return told
            name, _, value = line.rstrip("\r\n").partition(": ")
            told[name] = value
        raise RuntimeError("the manager connection was closed")

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def __enter__(self) -> ManagerTalk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
