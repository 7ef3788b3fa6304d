"""What the whole-system tests share: a simulated PBX and servers as processes, with its own account of calls."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures"
#: No test waits longer for anything; a machine under load may be ten times slower than a quiet one.
PATIENCE_S = 240.0


def ocm(*arguments: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """One command to its end, as a user would type it."""
    return subprocess.run(
        [sys.executable, "-m", "ocm_cti.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        cwd=ROOT,
    )


def wait_for(what: str, ready: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """Poll until ``ready`` gives something true; polling is what a test of foreign processes is left with."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = ready()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {timeout_s:.0f} s in vain for {what}")


def account(folder: Path) -> list[dict[str, Any]]:
    """What the simulated PBX wrote of its calls, whole lines only."""
    path = folder / "calls.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@dataclass
class System:
    """A simulated PBX and a configuration that points at it; servers are started and killed by the test."""

    folder: Path
    simulator: subprocess.Popen[str]
    config: Path
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The simulator's own account, whole lines only."""
        text = (
            (self.folder / "calls.jsonl").read_text(encoding="utf-8") if (self.folder / "calls.jsonl").exists() else ""
        )
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def count(self, event: str) -> int:
        return sum(1 for call in self.calls if call["event"] == event)

    def serve(self, *arguments: str) -> subprocess.Popen[str]:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ocm_cti.cli",
                "serve",
                "-c",
                str(self.config),
                "--once",
                "--no-table",
                "--panel",
                "off",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self.servers.append(server)
        return server

    def close(self) -> None:
        for process in [*self.servers, self.simulator]:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL if process in self.servers else signal.SIGTERM)
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()
