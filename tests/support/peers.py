"""The peers that are not ours: Asterisk, SIPp, baresip, Chromium. Tests that need one ``require`` it.

A missing peer skips the test and says why; with OCM_PEERS=required in the environment (as in CI) it is a failure.
``tools/test`` installs what it can beforehand.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator

import pytest
from asterisk_process import NoAsterisk, PrivateAsterisk, install

#: The program that shows that a peer is there, and the package that it is in.
PROGRAMS = {"sipp": "sip-tester", "baresip": "baresip", "chromium": "chromium"}


@functools.cache
def why_missing(peer: str) -> str:
    """Empty when ``peer`` ("asterisk" or one of PROGRAMS) can be had; fetches Asterisk when it is not there yet."""
    if peer == "asterisk":
        try:
            install()
        except NoAsterisk as error:
            return str(error)
        return ""
    program = shutil.which(peer)
    return "" if program else f"{peer} is not installed (apt-get install {PROGRAMS[peer]})"


def require(*peers: str) -> None:
    """Go on only with these peers: a skip with the reason, or a failure where OCM_PEERS=required."""
    for peer in peers:
        if reason := why_missing(peer):
            if os.environ.get("OCM_PEERS") == "required":
                pytest.fail(f"OCM_PEERS=required, but {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    """One private Asterisk with the standard configuration for all tests that change nothing in it."""
    require("asterisk")
    running = PrivateAsterisk.start(tmp_path_factory.mktemp("asterisk"))
    yield running
    running.stop()
