"""`ocm demo --switch asterisk` where no Asterisk can be had: it says so and what to do, and leaves nothing running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[3] / "fixtures"
#: What tools/asterisk needs before it finds that there is no apt-get.
PROGRAMS = ("bash", "dirname", "mkdir", "head", "sed", "realpath")


@pytest.mark.parametrize("switch", ["asterisk", "sip"])
def test_a_machine_without_apt(tmp_path: Path, switch: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None, name
        (programs / name).symlink_to(found)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ocm_cti.cli", "demo", "--once", "--no-panel", "--switch", switch),
            *("--data", str(tmp_path / "data"), "--fixtures", str(FIXTURES)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": str(programs), "OCM_ASTERISK_PREFIX": str(tmp_path / "nothing")},
    )
    assert done.returncode == 2
    assert "apt-get is needed" in done.stderr
    assert "Debian or Ubuntu" in done.stderr and "--switch panasonic" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "demo.toml").exists()


def test_a_switch_that_there_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ocm_cti.cli", "demo", "--switch", "avaya", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "panasonic" in done.stderr
