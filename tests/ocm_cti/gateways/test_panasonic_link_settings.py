"""The settings of the link: what is refused, and with which words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ocm_cti import config
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.settings import SettingError

ROOT = Path(__file__).resolve().parents[3]
LEAST: dict[str, Any] = {
    "kind": "panasonic",
    "link": "tcp:192.168.0.101:33333",
    "sip_host": "192.168.0.101",
    "extensions": "301-302",
    "password_pattern": "x{extension}",
}


def read(**changed: Any) -> PanasonicSettings:
    return PanasonicSettings.from_table("office", LEAST | changed)


def test_a_serial_line_by_the_same_setting() -> None:
    assert read(link="serial:/dev/ttyUSB0?baud=115200&rtscts=on").link.startswith("serial:")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"link": "serial:/dev/ttyUSB0?xonxoff=on"}, r"gateways\.office\.link: .*no xonxoff"),
        ({"link": "serial:/dev/ttyUSB0?bytesize=7"}, r"gateways\.office\.link: .*all 8 bits"),
        ({"link": "serial:/dev/ttyUSB0?speed=9600"}, r"gateways\.office\.link: .*unknown option 'speed'"),
        ({"window": -1}, r"gateways\.office\.window: must be a whole number from 0"),
        ({"window": 2.5}, r"gateways\.office\.window: "),
        ({"requests_per_s": "many"}, r"gateways\.office\.requests_per_s: must be a number"),
        ({"request_burst": 0}, r"gateways\.office\.request_burst: "),
        ({"frame_timeout_s": 0}, r"gateways\.office\.frame_timeout_s: "),
        ({"serial_quiet_s": 0}, r"gateways\.office\.serial_quiet_s: "),
        ({"cdr": "yes"}, r"gateways\.office\.cdr: must be true or false"),
        ({"record": 5}, r"gateways\.office\.record: must be a text"),
        ({"probes_s": 5}, r"gateways\.office\.probes_s: unknown key; did you mean probe_s\?"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingError, match=why):
        read(**changed)


def test_what_can_be_switched_off_is_off_at_zero() -> None:
    settings = read(window=0, requests_per_s=0, probe_s=0, overload_call_every_s=0, record="")
    assert (settings.window, settings.requests_per_s, settings.probe_s, settings.record) == (0, 0.0, 0.0, "")


def test_a_recording_is_beside_the_configuration(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    path = tmp_path / "fixtures" / "config" / "panasonic.toml"
    text = path.read_text(encoding="utf-8")
    assert '# record = ""' in text
    path.write_text(text.replace('# record = ""', 'record = "link.txt"'), encoding="utf-8")
    gateway = config.load(path).gateways["office"]
    assert gateway.record == str(path.parent / "link.txt")
    assert config.load(ROOT / "fixtures" / "config" / "panasonic.toml").gateways["office"].record == ""
