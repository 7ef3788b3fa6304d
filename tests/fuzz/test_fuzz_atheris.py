"""atheris (coverage-guided) over the same targets, for a bounded number of runs from a fixed seed."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import fuzz_seeds
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: setup.cfg installs atheris there, with the extra "test"; anywhere else there is no wheel of it.
HAS_WHEELS = sys.platform == "linux" and platform.machine() == "x86_64"
RUNS = {"fuzz_codec": 50_000, "fuzz_framing": 4_000, "fuzz_association": 20_000}
GUARD_S = 60


@pytest.mark.skipif(not HAS_WHEELS, reason=f"no atheris for {sys.platform} {platform.machine()}")
@pytest.mark.parametrize("target", RUNS)
def test_coverage_guided(target: str, tmp_path: Path) -> None:
    assert importlib.util.find_spec("atheris") is not None, 'install the extra "test"'
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, octets in enumerate(prefixed(target)):
        (corpus / f"{number:03}").write_bytes(octets)
    command = [
        sys.executable,
        str(HERE / "run_atheris.py"),
        target,
        str(corpus),
        f"-runs={RUNS[target]}",
        f"-max_total_time={GUARD_S}",
        "-seed=1",
        "-max_len=600",
        "-timeout=10",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={tmp_path}/",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S * 3, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    assert "Done" in run.stderr, run.stderr[-1000:]


def prefixed(target: str) -> list[bytes]:
    """The seeds in the form that a target takes."""
    if target == "fuzz_codec":
        return [bytes((number,)) + apdu for number, apdu in enumerate(fuzz_seeds.apdus())] + fuzz_seeds.apdus()
    if target == "fuzz_framing":
        return [bytes(range(8)) + stream for stream in fuzz_seeds.streams()]
    histories = []
    for role, opening in ((1, b"\x00"), (0, b"")):
        for stream in fuzz_seeds.streams():
            first = fuzz_seeds.streams()[1 - role if role else 0]
            pieces = [first, stream[:190]]
            histories.append(bytes((role,)) + opening + b"".join(bytes((len(p) + 63,)) + p for p in pieces if p))
    return histories
