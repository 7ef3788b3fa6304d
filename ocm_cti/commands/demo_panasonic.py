"""The demo's Panasonic: the simulated PBX as a process of its own."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from pathlib import Path

from ocm_cti.commands.errors import CommandError

READY_LIMIT_S = 30.0
EXTENSIONS = "301-308"

GATEWAY = """\
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:{csta_port}"
extensions = "{extensions}"
sip_host = "127.0.0.1"
sip_port = {sip_port}
password_pattern = "pw{{extension}}"
dial = [["+7", "98"], ["+", "9810"]]
"""


class SimulatedPBX:
    """A simulated KX-NS1000 with its callees, CSTA and SIP on loopback."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], csta_port: int, sip_port: int) -> None:
        self.folder = folder
        self.process = process
        self.csta_port = csta_port
        self.sip_port = sip_port

    @classmethod
    def start(cls, folder: Path) -> SimulatedPBX:
        """Raises CommandError when it does not come up; its own words are in ``folder/simulator.log``."""
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(sys.executable, "-m", "ocm_cti.simulator.process", "--csta-port", "0", "--sip-port", "0"),
            *("--extensions", EXTENSIONS, "--log", str(folder / "calls.jsonl"), "--heard", str(folder / "heard")),
        ]
        with (folder / "simulator.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for us: we end it after our calls are over
            )
        assert process.stdout is not None  # PIPE was asked for
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(READY_LIMIT_S) else ""
        if not line:
            process.kill()
            process.wait()
            raise CommandError(f"the simulated PBX did not start; see {folder / 'simulator.log'}")
        ready = json.loads(line)
        return cls(folder, process, ready["csta_port"], ready["sip_port"])

    @property
    def introduction(self) -> str:
        return (
            f"simulated PBX: CSTA on 127.0.0.1:{self.csta_port}, SIP on 127.0.0.1:{self.sip_port}, "
            f"robot extensions {EXTENSIONS}"
        )

    @property
    def gateway(self) -> str:
        """``[gateways.office]`` of the demo's configuration."""
        return GATEWAY.format(csta_port=self.csta_port, sip_port=self.sip_port, extensions=EXTENSIONS)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
