"""What ``ocm check`` says of an extension that the PBX never answers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ocm_cti import config as configuration
from ocm_cti.commands.check import _Check
from ocm_cti.commands.output import open_console

CONFIG = """\
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
sip_port = 5999
password_pattern = "pw{extension}"
"""


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "not registered by SIP: not yet",
            "not registered by SIP: no answer from 127.0.0.1:5999 (UDP; sip_host, sip_port) in 15 s",
        ),
        ("not registered by SIP: 403 Forbidden", "not registered by SIP: 403 Forbidden"),
    ],
)
def test_where_no_answer_came_from_is_named(tmp_path: Path, reason: str, said: str) -> None:
    (tmp_path / "ocm.toml").write_text(CONFIG)
    check = _Check(configuration.load(tmp_path / "ocm.toml"), open_console(), 15.0)
    gateway = SimpleNamespace(name="office", port_reason=lambda port: reason)
    assert check._not_registered(gateway, "301") == said  # type: ignore[arg-type]
