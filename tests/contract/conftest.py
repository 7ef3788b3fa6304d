"""The switches that the gateway contract is run on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_bench import Bench
from panasonic_bench import PanasonicBench


@pytest.fixture(params=["panasonic"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A started gateway with all its ports idle; nothing of it may be left afterwards."""
    made = {"panasonic": PanasonicBench}[request.param]()
    made.start()
    yield made
    made.close()
