"""``[gateways.NAME]`` of an Asterisk: what is read, that every mistake names its key, that the example says it all."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.asterisk_settings import DIAL_RULES, AsteriskSettings
from ocm_cti.gateways.kinds import GatewaySettings
from ocm_cti.gateways.settings import SettingError

WHOLE: dict[str, Any] = {
    "kind": "asterisk",
    "link": "tcp:127.0.0.1:5038",
    "username": "ocm",
    "secret": "s3cret",
    "channel": "PJSIP/{number}@trunk",
}
EXAMPLE = Path(__file__).resolve().parents[3] / "fixtures" / "config" / "asterisk.toml"


def read(**changed: Any) -> AsteriskSettings:
    table = {key: value for key, value in {**WHOLE, **changed}.items() if value is not None}
    return AsteriskSettings.from_table("office", table)


def test_the_least_that_must_be_said() -> None:
    settings: GatewaySettings = read()
    assert settings.name == "office"
    assert settings.takes_caller_id
    assert settings.smdr is None and settings.sip_listener() is None
    assert settings.digits("+74951234567") == "74951234567"
    assert read().ports == tuple(str(number) for number in range(1, 11))
    assert read(channels=2, port_prefix="line").ports == ("line1", "line2")
    assert (read().host, read().tcp_port, read().uses_tls) == ("127.0.0.1", 5038, False)
    assert read(link="tls:[fd00::5]:5039").host == "fd00::5"
    assert read().channel_for("123") == "PJSIP/123@trunk"
    assert read().account_code == "ocm-office" and read(account="x").account_code == "x"


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(read())


@pytest.mark.parametrize(
    ("rules", "digits"),
    [
        (None, "74951234567"),
        ([["+", "+"]], "+74951234567"),
        ([["+7", "8"], ["+", "810"]], "84951234567"),
        ([["+38", "0"], ["+", "00"]], "0074951234567"),
    ],
)
def test_dial_rules(rules: Any, digits: str) -> None:
    assert read(dial=rules).digits("+74951234567") == digits


@pytest.mark.parametrize(
    ("changed", "key", "says"),
    [
        ({"link": None}, "gateways.office", "link is missing"),
        ({"link": "serial:/dev/ttyS0"}, "gateways.office.link", "5038"),
        ({"link": "tcp:host:99999"}, "gateways.office.link", "tcp:host:port"),
        ({"link_ca": "ca.pem"}, "gateways.office.link_ca", "tls"),
        ({"username": None}, "gateways.office", "username is missing"),
        ({"secret": "a\nWrite: all"}, "gateways.office.secret", "one line"),
        ({"channel": "PJSIP/trunk"}, "gateways.office.channel", "{number}"),
        ({"channel": "PJSIP/{numbr}@trunk"}, "gateways.office.channel", "{number}"),
        ({"channel": "{number}"}, "gateways.office.channel", "technology/resource"),
        ({"channel": "PJSIP/{number}@trunk&PJSIP/1"}, "gateways.office.channel", "technology/resource"),
        ({"channels": 0}, "gateways.office.channels", "1 to"),
        ({"dial": [["7", "8"]]}, "gateways.office.dial", "must be + and digits"),
        ({"dial": [["+7", "8w"]]}, "gateways.office.dial", "can't be dialled"),
        ({"dial": "8"}, "gateways.office.dial", "list of pairs"),
        ({"caller_id": "no number"}, "gateways.office.caller_id", "Firm <2000>"),
        ({"context": "a b"}, "gateways.office.context", "letters"),
        ({"chanels": 3}, "gateways.office.chanels", "did you mean channels?"),
        ({"amd": "yes"}, "gateways.office.amd", "true or false"),
        ({"retry_min_s": 40.0}, "gateways.office.retry_min_s", "retry_max_s"),
        ({"probe_s": 60.0}, "gateways.office.probe_s", "silence_limit_s"),
        ({"blind_limit_s": 0}, "gateways.office.blind_limit_s", "number from"),
    ],
)
def test_a_mistake_names_its_key(changed: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(SettingError) as wrong:
        read(**changed)
    assert wrong.value.key == key
    assert says in wrong.value.what


@pytest.mark.parametrize("caller_id", ["2000", "+74951234567", "Firm <2000>", '"A, B" <+7495>', None])
def test_caller_ids_that_can_be_given(caller_id: str | None) -> None:
    read(caller_id=caller_id).check_lists({"debtors": ListSettings(caller_id=caller_id)}, {})


@pytest.mark.parametrize("caller_id", ["Firm", "Firm <>", "1\r\nAction: Logoff", "<2000> x"])
def test_caller_ids_that_can_not(caller_id: str) -> None:
    with pytest.raises(SettingError) as wrong:
        read().check_lists({"debtors": ListSettings(caller_id=caller_id)}, {})
    assert wrong.value.key == "lists.debtors.caller_id"


def test_every_plain_setting_can_be_set() -> None:
    """Each field is read from its key: nothing that the docs promise is silently left at its default."""
    given: dict[str, Any] = {"port_prefix": "x", "account": "a", "context": "c", "exten": "e", "caller_id": "2000"}
    for row in dataclasses.fields(AsteriskSettings):
        if row.name not in given and isinstance(row.default, int | float):
            given[row.name] = type(row.default)(row.default + 7)
    given["silence_limit_s"] = 99.0
    settings = read(**given)
    for name, value in given.items():
        assert getattr(settings, name) == value, name


def test_paths_are_beside_the_file() -> None:
    settings = read(link="tls:pbx:5039", link_ca="ca.pem", shared_folder="shared").beside(Path("/etc/ocm"))
    assert (settings.link_ca, settings.agi.shared_folder) == ("/etc/ocm/ca.pem", "/etc/ocm/shared")
    assert read().beside(Path("/etc/ocm")) == read()


# The example


def explained() -> dict[str, tuple[bool, Any, str]]:
    """Key -> (whether the line is commented out, value, meaning) of the gateway's table in the example."""
    text = EXAMPLE.read_text(encoding="utf-8")
    part = text[text.index("[gateways.office]") : text.index("[lists.")]
    lines = re.findall(r"^(# )?([a-z_0-9]+) = (.*?) +# (.+)$", part, flags=re.MULTILINE)
    keys = [key for _, key, _, _ in lines]
    assert len(keys) == len(set(keys)), "a setting is explained twice"
    return {key: (bool(off), tomllib.loads(f"x = {value}")["x"], meaning) for off, key, value, meaning in lines}


def rows() -> list[dataclasses.Field[Any]]:
    own = [row for row in dataclasses.fields(AsteriskSettings) if row.name not in ("name", "agi")]
    return [*own, *dataclasses.fields(AgiSettings)]


def test_every_setting_is_explained_and_no_other() -> None:
    assert set(explained()) - {"kind"} == {row.name for row in rows()}


def test_the_defaults_are_those_of_the_code() -> None:
    for row in rows():
        off, value, meaning = explained()[row.name]
        assert len(meaning) > 10, row.name
        if row.default is dataclasses.MISSING:
            assert not off, row.name
            continue
        default = [list(pair) for pair in DIAL_RULES] if row.name == "dial" else row.default
        default = list(default) if isinstance(default, tuple) else default
        assert off and (value, type(value)) == (default, type(default)), row.name


def test_the_example_can_be_read() -> None:
    table = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["gateways"]["office"]
    assert AsteriskSettings.from_table("office", table).channels == 10
    everything = {key: value for key, (_, value, _) in explained().items()}
    assert AsteriskSettings.from_table("office", everything) == AsteriskSettings.from_table("office", table)
