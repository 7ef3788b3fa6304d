"""Runs a target under atheris: ``run_atheris.py fuzz_codec CORPUS -runs=20000 -seed=1``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent))
with atheris.instrument_imports(include=["protocols"]):
    TARGET = importlib.import_module(sys.argv.pop(1))

atheris.Setup(sys.argv, TARGET.check)
atheris.Fuzz()
