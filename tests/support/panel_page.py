"""A running server's panel, and the way into it as a person takes it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect
from whole_system import ROOT, wait_for

PASSWORD = "correct horse 1"


@contextmanager
def serving(config: Path, *options: str) -> Iterator[str]:
    """The address of its panel; at the end it must have stopped well, with nothing unexpected in its log."""
    said = config.parent / "said.txt"
    with said.open("w") as out:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "ocm_cti.cli", "serve", "-c", str(config)),
                *("--no-table", "--panel", "127.0.0.1:0", "--drain", "0", *options),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    try:
        yield wait_for("the panel", lambda: re.search(r"^panel: (http://\S+/)$", said.read_text(), re.M))[1]
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(60)  # though a page with a live stream may be open
    assert code == 0, said.read_text()
    log = (config.parent / "data" / "ocm.log").read_text()
    assert "Traceback" not in log, log


def come_in(page: Page, address: str, folder: Path) -> None:
    """By the first password, which is changed."""
    first = (folder / "data" / "first-password.txt").read_text().splitlines()[1]
    page.goto(address)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(first)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Present password").fill(first)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("heading", name="Monitor")).to_be_visible()
