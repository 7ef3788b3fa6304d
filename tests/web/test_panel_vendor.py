"""Static files of other projects are what VENDOR says, and everything that pages name is there."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent.parent / "web"
VENDOR = WEB / "static" / "vendor"


def test_every_file_is_the_one_that_was_fetched() -> None:
    rows = [line.split("\t") for line in (VENDOR / "VENDOR").read_text().splitlines() if not line.startswith("#")]
    assert {row[0] for row in rows} == {path.name for path in VENDOR.iterdir()} - {"VENDOR"}
    for name, package, version, licence, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, f"{name}: tools/vendor"
        assert package and re.fullmatch(r"\d+\.\d+\.\d+", version) and licence


def test_every_icon_and_file_that_is_named_is_there() -> None:
    """A missing icon is an empty place, which nobody notices."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in [*WEB.rglob("*.html"), *WEB.rglob("*.py")])
    icons = set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "icons.svg").read_text()))
    named = set(re.findall(r'icon\("([\w-]+)"', sources)) | set(re.findall(r'empty\("([\w-]+)"', sources))
    from web.pages.set_up import ROOMS
    from web.words import LINES

    named |= {icon for _, _, icon in ROOMS.values()} | {icon for _, _, icon in LINES.values()}
    assert len(named) > 15 and named - icons == set()
    for file in re.findall(r"filename='([^']+)'", sources):
        assert (WEB / "static" / file).is_file(), file
