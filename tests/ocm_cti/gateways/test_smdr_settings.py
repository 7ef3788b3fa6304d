"""[gateways.NAME.smdr]: every mistake names its key; what is left out is as documented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.settings import SettingError
from ocm_cti.gateways.smdr_settings import SmdrSettings, utc_of, zone_of
from protocols.smdr.login import Credentials
from protocols.smdr.records import Form


def read(**smdr: Any) -> SmdrSettings:
    settings = PanasonicSettings.from_table(
        "office",
        {
            "kind": "panasonic",
            "link": "tcp:127.0.0.1:33333",
            "extensions": "301",
            "sip_host": "127.0.0.1",
            "password_pattern": "pw{extension}",
            "smdr": {"link": "tcp:127.0.0.1:2300", **smdr},
        },
    )
    assert settings.smdr is not None
    return settings.smdr


def test_defaults_are_as_documented() -> None:
    settings = read()
    assert settings == SmdrSettings("tcp:127.0.0.1:2300")
    made = settings.link_settings()
    assert made.login == Credentials("SMDR", "PCCSMDR")
    assert made.form == Form("auto", "auto", "auto")


def test_a_gateway_without_the_table_reads_none() -> None:
    settings = PanasonicSettings.from_table(
        "office",
        {
            "kind": "panasonic",
            "link": "tcp:127.0.0.1:33333",
            "extensions": "301",
            "sip_host": "127.0.0.1",
            "password_pattern": "pw{extension}",
        },
    )
    assert settings.smdr is None


@pytest.mark.parametrize(("link", "login"), [("tcp:127.0.0.1:2300", True), ("serial:/dev/ttyS0?baud=9600", False)])
def test_a_serial_line_has_no_login_unless_it_is_said(link: str, login: bool) -> None:
    assert read(link=link).login is login
    assert read(link=link, login=True).link_settings().login is not None
    assert read(link=link, login=False).link_settings().login is None


def test_a_printer_port_with_seven_bits_and_flow_control() -> None:
    assert read(link="serial:/dev/ttyS0?baud=1200&bytesize=7&parity=even&xonxoff=on").login is False


def test_everything_may_be_set() -> None:
    settings = read(
        user="me",
        password="secret",
        pattern="C",
        date_order="mm/dd/yy",
        clock="24",
        time_zone="Europe/Moscow",
        encoding="cp1252",
        match_window_s=60,
        quiet_s=0.5,
    )
    assert settings.form == Form("C", "mm/dd/yy", "24")
    assert settings.link_settings().login == Credentials("me", "secret")
    assert settings.link_settings().quiet_s == 0.5
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("link", "udp:1.2.3.4:5", "tcp:host:port"),
        ("pattern", "D", "one of A, B, C, auto"),
        ("date_order", "mm/dd/yyyy", "did you mean mm/dd/yy"),
        ("clock", 24, "must be a text"),
        ("time_zone", "Mars/Olympus", "no time zone"),
        ("time_zone", "../../etc/passwd", "no time zone"),
        ("encoding", "utf-16", "no encoding"),
        ("encoding", "utf-8", "no encoding"),
        ("encoding", "klingon", "no encoding"),
        ("encoding", "rot13", "no encoding"),
        ("encoding", "base64", "no encoding"),
        ("match_window_s", -1, "from 0"),
        ("login", "yes", "true or false"),
        ("user", "", "must be a text"),
        ("patern", "A", "did you mean pattern"),
        ("quiet_s", 0, "from 0.1"),
    ],
)
def test_mistakes_name_their_key(key: str, value: Any, words: str) -> None:
    with pytest.raises(SettingError, match=words) as caught:
        read(**{key: value})
    assert caught.value.key == f"gateways.office.smdr.{key}"


def test_no_table_at_all() -> None:
    with pytest.raises(SettingError, match="must be a table"):
        SmdrSettings.from_table("gateways.office.smdr", "tcp:1.2.3.4:2300", str)
    with pytest.raises(SettingError, match="link is missing"):
        SmdrSettings.from_table("gateways.office.smdr", {}, str)


@pytest.mark.parametrize(
    ("zone", "printed", "utc"),
    [
        ("UTC", (2026, 11, 22, 10, 3), (2026, 11, 22, 10, 3)),
        ("Europe/Moscow", (2026, 11, 22, 10, 3), (2026, 11, 22, 7, 3)),
        ("Europe/Berlin", (2026, 7, 1, 10, 3), (2026, 7, 1, 8, 3)),
        ("Europe/Berlin", (2026, 10, 25, 2, 30), (2026, 10, 25, 0, 30)),  # comes twice: the first
    ],
)
def test_times_of_the_pbx_as_utc(zone: str, printed: tuple[int, ...], utc: tuple[int, ...]) -> None:
    at = datetime(*printed)  # type: ignore[arg-type]  # noqa: DTZ001 - as printed
    assert utc_of(at, zone_of(zone)) == datetime(*utc, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("received", "utc"),
    [
        ((2026, 10, 25, 0, 31), (2026, 10, 25, 0, 30)),  # 02:31, summer time
        ((2026, 10, 25, 1, 31), (2026, 10, 25, 1, 30)),  # 02:31 again, an hour later
        ((2026, 10, 25, 1, 25), (2026, 10, 25, 1, 30)),  # the clock of the PBX goes before ours
    ],
)
def test_an_hour_that_comes_twice_is_told_by_when_the_record_came(
    received: tuple[int, ...], utc: tuple[int, ...]
) -> None:
    at = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - as printed
    by = datetime(*received, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert utc_of(at, zone_of("Europe/Berlin"), by) == datetime(*utc, tzinfo=UTC)  # type: ignore[misc,arg-type]
