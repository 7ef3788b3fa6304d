"""The simulated PBX and a configuration for it, as a fixture; see tests/support/whole_system.py."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_system import FIXTURES, PATIENCE_S, ROOT, System


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with (tmp_path / "simulator.log").open("w") as log:
        simulator = subprocess.Popen(
            [
                *(sys.executable, "-m", "ocm_cti.simulator.process", "--csta-port", "0", "--sip-port", "0"),
                *(
                    "--extensions",
                    "301-304",
                    "--log",
                    str(tmp_path / "calls.jsonl"),
                    "--heard",
                    str(tmp_path / "heard"),
                ),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    assert simulator.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(simulator.stdout, selectors.EVENT_READ)
        line = simulator.stdout.readline() if selector.select(PATIENCE_S) else ""
    if not line:
        simulator.kill()
        raise AssertionError("no simulator: " + (tmp_path / "simulator.log").read_text())
    ready = json.loads(line)
    config = tmp_path / "ocm.toml"
    # A copy: a test may change it in the panel.
    shutil.copy(FIXTURES / "scenarios" / "debt.toml", tmp_path)
    config.write_text(
        f"""
data = "data"
audio = {json.dumps(str(FIXTURES / "audio"))}
node = "test"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:{ready["csta_port"]}"
extensions = "301-304"
sip_host = "127.0.0.1"
sip_port = {ready["sip_port"]}
password_pattern = "pw{{extension}}"
dial = [["+7", "98"], ["+", "9810"]]

[lists.debtors]
scenario = "debt.toml"
ring_timeout_s = 7.0
line_fault_delay_s = 2.0
retry.busy = {{ tries = 3, delay_s = 1.0 }}
retry.no_answer = {{ tries = 2, delay_s = 1.0 }}
retry.cut_short = {{ tries = 2, delay_s = 1.0 }}
retry.unreachable = {{ tries = 2, delay_s = 1.0 }}
""",
        encoding="utf-8",
    )
    system = System(tmp_path, simulator, config)
    try:
        yield system
    finally:
        system.close()
