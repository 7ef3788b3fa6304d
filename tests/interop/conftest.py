"""Tests against peers that are not ours: each says with ``peers.require`` which ones it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them use real sockets and real time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.sockets)
