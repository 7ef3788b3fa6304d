"""``ocm scenario try --call``: one call for the ledger over a free line, and never a second one for it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from whole_system import FIXTURES, ROOT, System, ocm, wait_for

pytestmark = pytest.mark.end_to_end

DEBT = str(FIXTURES / "scenarios" / "debt.toml")
VALUES = ("--set", "name=Иван", "--set", "debt=100,50", "--set", "due=24.11.2026")


def test_a_telephone_rings_once_and_the_ledger_knows_it(system: System) -> None:
    """Somebody listens and presses 1; then somebody else is busy, which is not tried again."""
    config = ("-c", str(system.config))
    call = ("scenario", "try", DEBT, *config, *VALUES, "--call")
    done = ocm(*call, "+74951234501")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "office 301 → +7495***4501: attempt 1"
    assert "outcome: confirmed" in lines and "keys: 1" in lines
    done = ocm(*call, "8 (495) 123-45-06")
    assert "outcome: busy" in done.stdout.splitlines(), done.stdout
    assert system.count("make_call") == 2
    server = system.serve()
    assert server.wait(120) == 0
    assert system.count("make_call") == 2, "the server finds nothing to do"
    report = ocm("report", *config)
    assert "test-calls" in report.stdout and "busy" in report.stdout


ASKS = """
language = "en"

[[step]]
name = "q"
type = "survey"
kind = "yes_no"
question = "Content"
message = "Well? Or one, and we never call you again."
options = { 5 = "yes", 6 = "no" }
keys = { 1 = "never" }

[[step]]
name = "never"
type = "stop_list"
list = "asked"
"""


def test_who_asks_for_it_is_not_called_again(system: System) -> None:
    """He listens, presses 1, and that is the key for it."""
    path = system.folder / "asks.toml"
    path.write_text(ASKS)
    call = ("scenario", "try", str(path), "-c", str(system.config), "--call", "+74951234501")
    lines = ocm(*call).stdout.splitlines()
    assert lines[-3:] == ["keys: 1", "Content: 1 → never", "stop list: asked"]
    assert "+74951234501" in ocm("stop-list", "show", "asked", "-c", str(system.config)).stdout
    again = ocm(*call)
    assert again.returncode == 2 and "stands on a stop list" in again.stdout
    assert system.count("make_call") == 1


def test_what_a_killed_test_call_leaves_is_settled_by_the_server(system: System) -> None:
    config = ("-c", str(system.config))
    call = ("scenario", "try", DEBT, *config, *VALUES, "--call")
    killed = subprocess.Popen(
        [sys.executable, "-m", "ocm_cti.cli", *call, "+74951234502"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    system.servers.append(killed)
    wait_for("the answer", lambda: system.count("answered"))
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    refused = ocm(*call, "+74951234501")
    assert refused.returncode == 2 and "1 calls were up when a server ended here" in refused.stdout
    assert system.serve().wait(120) == 0
    assert system.count("make_call") == 1, "nobody is called for it a second time"
    assert ocm(*call, "+74951234501").returncode == 0


def test_without_a_line_nobody_is_called(tmp_path: Path) -> None:
    config = tmp_path / "ocm.toml"
    config.write_text(
        f'data = "data"\naudio = "{FIXTURES / "audio"}"\n[gateways.office]\nkind = "panasonic"\n'
        'link = "tcp:127.0.0.1:1"\nextensions = "301"\nsip_host = "127.0.0.1"\npassword_pattern = "pw{extension}"\n'
    )
    call = ("scenario", "try", DEBT, "-c", str(config), *VALUES, "--wait", "1", "--call")
    for number, why in (
        ("+74951234501", "no line of the robot is free (gateway office: "),
        ("301", "--call 301: is a line of the robot itself (gateway office)"),
        ("12345678", "--call: '12345678' is no telephone number"),
    ):
        done = ocm(*call, number)
        assert done.returncode == 2
        (line,) = (done.stdout + done.stderr).splitlines()
        assert line.startswith("ocm: ") and why in line
