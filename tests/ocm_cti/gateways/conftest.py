"""Fakes and benches of the contract suite serve the tests of one gateway as well."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "contract"))
