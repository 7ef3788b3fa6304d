"""A simulated PBX and a real server with its panel, as processes; and a visitor of it who keeps his connection."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "measured and not kept"
PATIENCE_S = 300.0

CONFIG = """\
data = "data"
audio = {audio}
node = "bench"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:{csta_port}"
extensions = "301-304"
sip_host = "127.0.0.1"
sip_port = {sip_port}
password_pattern = "pw{{extension}}"
dial = [["+7", "98"], ["+", "9810"]]
[lists.large]
scenario = "notice.toml"
zone = "UTC"
windows = {{ "mon-sun" = "00:00-24:00" }}
"""


class Visitor:
    """An administrator's browser. ``cookies`` are those of another one, which has logged in."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "", parts.port or 80)
        self._connection = http.client.HTTPConnection(*self._where, timeout=PATIENCE_S)
        self.cookies = dict(cookies or {})

    @property
    def where(self) -> tuple[str, int]:
        return self._where

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, path: str) -> bytes:
        """The body; RuntimeError for anything but 200."""
        return self._answer("GET", path, None, {})

    def send_form(self, path: str, fields: dict[str, str]) -> None:
        """With the token of the page at ``path``, which has the form."""
        body = urlencode({"csrf_token": self.token(path), **fields}).encode()
        self._answer("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self, path: str) -> str:
        found = re.search(rb'name="csrf-token" content="([^"]+)"', self.get(path))
        if found is None:
            raise RuntimeError(f"{path}: no token")
        return found[1].decode()

    def send_file(self, path: str, name: str, pieces: Iterable[bytes], size: int) -> str:
        """Where it can be seen then; ``path`` has the form, too, and ``size`` is in octets."""
        headers = {"X-CSRFToken": self.token(path), "X-File-Name": name, "Content-Length": str(size)}
        headers |= {"Content-Type": "application/octet-stream", "Cookie": self.cookie}
        self._connection.request("POST", path, pieces, headers)
        response = self._connection.getresponse()
        response.read()
        if response.status != 201:
            raise RuntimeError(f"{path}: {response.status}")
        return response.headers["Location"]

    def _answer(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, {**headers, "Cookie": self.cookie})
        response = self._connection.getresponse()
        content = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if response.status not in (200, 302, 303):
            raise RuntimeError(f"{path}: {response.status}")
        return content


def login(address: str, folder: Path) -> Visitor:
    """With the first password, which must be changed at once."""
    first = (folder / "data" / "first-password.txt").read_text(encoding="utf-8").splitlines()[1]
    visitor = Visitor(address)
    visitor.send_form("/login", {"name": "admin", "password": first})
    visitor.send_form("/password", {"old": first, "new": PASSWORD, "again": PASSWORD})
    return visitor


@contextmanager
def simulated_pbx(folder: Path) -> Iterator[dict[str, int]]:
    """Its ports, ``csta_port`` and ``sip_port``."""
    command = [sys.executable, "-m", "ocm_cti.simulator.process", "--csta-port", "0", "--sip-port", "0"]
    command += ["--extensions", "301-304", "--log", str(folder / "calls.jsonl")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (folder / "simulator.log").open("wb") as log:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
    try:
        line = child.stdout.readline() if child.stdout is not None else b""
        if not line:
            raise RuntimeError("no simulator: " + (folder / "simulator.log").read_text())
        yield json.loads(line)
    finally:
        child.kill()
        child.wait()


@contextmanager
def server(config: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and the address of its panel."""
    said = config.parent / "said.txt"
    command = [sys.executable, "-m", "ocm_cti.cli", "serve", "-c", str(config), "--no-table", "--drain", "0"]
    with said.open("wb") as out:
        child = subprocess.Popen([*command, "--panel", "127.0.0.1:0"], stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"^panel: (http://\S+/)$", said.read_text(), re.M)):
            if child.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError("no server: " + said.read_text())
            time.sleep(0.05)
        yield child, found[1]
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
