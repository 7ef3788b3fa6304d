"""``[gateways.NAME]``: what is read, and that every mistake names its key."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ocm_cti.gateways.panasonic_settings import DIAL_RULES, PanasonicSettings
from ocm_cti.gateways.settings import SettingError
from ocm_cti.voice.process import arguments

WHOLE: dict[str, Any] = {
    "kind": "panasonic",
    "link": "tcp:192.168.0.101:33333",
    "extensions": "301-303",
    "sip_host": "192.168.0.101",
    "password_pattern": "pw{extension}",
}


def read(**changed: Any) -> PanasonicSettings:
    table = {key: value for key, value in {**WHOLE, **changed}.items() if value is not None}
    return PanasonicSettings.from_table("office", table)


def test_the_least_that_must_be_said() -> None:
    settings = read()
    assert settings.name == "office"
    assert settings.extensions == ("301", "302", "303")
    assert settings.passwords == {"301": "pw301", "302": "pw302", "303": "pw303"}
    assert (settings.sip_port, settings.originate, settings.answer) == (5060, "csta", "signalled")
    assert settings.dial == DIAL_RULES


@pytest.mark.parametrize(
    ("value", "extensions"),
    [
        (["301", "305"], ("301", "305")),
        ("301", ("301",)),
        ("301, 305 - 307", ("301", "305", "306", "307")),
        (["301-302", "400"], ("301", "302", "400")),
        ("008-011", ("008", "009", "010", "011")),
    ],
)
def test_forms_of_extensions(value: object, extensions: tuple[str, ...]) -> None:
    assert read(extensions=value).extensions == extensions


def test_a_password_of_its_own() -> None:
    assert read(passwords={"302": "secret"}).passwords == {"301": "pw301", "302": "secret", "303": "pw303"}
    own = {"301": "a", "302": "b", "303": "c"}
    assert read(password_pattern=None, passwords=own).passwords == own


def test_passwords_are_not_shown() -> None:
    assert "pw301" not in repr(read())


def test_dial_rules() -> None:
    assert read(dial=[["+38", "0"], ["+", "900"]]).dial == (("+38", "0"), ("+", "900"))


def test_every_plain_setting_can_be_set() -> None:
    """Each field is read from its key: nothing that the docs promise is silently left at its default."""
    given: dict[str, Any] = {
        "answer": "timer",
        "monitor_by": "deviceNumber",
        "local_host": "10.0.0.1",
        "originate": "sip",
        "transfer": "refer",
        "transfer_waits_for": "ringing",
        "record": "link.txt",
    }
    for row in dataclasses.fields(PanasonicSettings):
        if row.name not in given and isinstance(row.default, bool | int | float):
            given[row.name] = (not row.default) if isinstance(row.default, bool) else type(row.default)(row.default + 7)
    settings = read(**given)
    for name, value in given.items():
        assert getattr(settings, name) == value, name


@pytest.mark.parametrize(
    ("changed", "key", "says"),
    [
        ({"link": None}, "gateways.office", "link is missing"),
        ({"link": "33333"}, "gateways.office.link", "tcp:host:port"),
        ({"link": "tcp:pbx:0"}, "gateways.office.link", "no TCP port"),
        ({"link": 3}, "gateways.office.link", "text in quotes"),
        ({"lnik": "tcp:pbx:1"}, "gateways.office.lnik", "did you mean link?"),
        ({"colour": "red"}, "gateways.office.colour", "known keys"),
        ({"extensions": None}, "gateways.office", "extensions is missing"),
        ({"extensions": []}, "gateways.office.extensions", "names no extension"),
        ({"extensions": 301}, "gateways.office.extensions", "301-308"),
        ({"extensions": "308-301"}, "gateways.office.extensions", "lower first"),
        ({"extensions": "98-101"}, "gateways.office.extensions", "same length"),
        ({"extensions": "0000-9999"}, "gateways.office.extensions", "no range"),
        ({"extensions": "robot"}, "gateways.office.extensions", "no extension number"),
        ({"extensions": "301,300-302"}, "gateways.office.extensions", "301 stands there twice"),
        ({"sip_host": None}, "gateways.office", "sip_host is missing"),
        ({"sip_port": 0}, "gateways.office.sip_port", "1 to 65535"),
        ({"sip_port": True}, "gateways.office.sip_port", "whole number"),
        ({"password_pattern": None}, "gateways.office", "passwords are missing"),
        ({"password_pattern": "pw{ext}"}, "gateways.office.password_pattern", "{extension}"),
        ({"password_pattern": None, "passwords": {"301": "a"}}, "gateways.office.passwords", "extension 302"),
        ({"passwords": {"999": "a"}}, "gateways.office.passwords.999", "none of the extensions"),
        ({"passwords": {"301": ""}}, "gateways.office.passwords.301", "text in quotes"),
        ({"passwords": "pw"}, "gateways.office.passwords", "must be a table"),
        ({"dial": []}, "gateways.office.dial", "list of pairs"),
        ({"dial": [["+7"]]}, "gateways.office.dial", "no pair"),
        ({"dial": [["8", "9"]]}, "gateways.office.dial", "+ and digits"),
        ({"dial": [["+7", "9w"]]}, "gateways.office.dial", "can't be dialled"),
        ({"sip_200_is_answer": True}, "gateways.office.sip_200_is_answer", "sip"),
        ({"voice": "ogm", "originate": "sip"}, "gateways.office.originate", "voice"),
        ({"voice": "ogm", "transfer": "refer"}, "gateways.office.transfer", "voice"),
        ({"transfer": "blind"}, "gateways.office.transfer", "consultation"),
        ({"originate": "dtmf"}, "gateways.office.originate", "csta, sip"),
        ({"answer": "by_ear"}, "gateways.office.answer", "comes with the voice issue"),
        ({"answer": "signaled"}, "gateways.office.answer", "did you mean signalled?"),
        ({"answer_timer_s": 5}, "gateways.office.answer_timer_s", "timer"),
        ({"clear_timeout_s": "3"}, "gateways.office.clear_timeout_s", "must be a number"),
        ({"clear_timeout_s": 0}, "gateways.office.clear_timeout_s", "0.1"),
        ({"silent_peer_s": -1}, "gateways.office.silent_peer_s", "0 to"),
        ({"call_limit_s": 0}, "gateways.office.call_limit_s", "0.1"),
        ({"reached_is_ringing": 1}, "gateways.office.reached_is_ringing", "true or false"),
    ],
)
def test_a_mistake_names_its_key(changed: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(SettingError) as mistake:
        read(**changed)
    assert mistake.value.key == key
    assert says in mistake.value.what
    assert "\n" not in str(mistake.value)


def test_the_voice_of_the_pbx_needs_no_sip() -> None:
    settings = read(voice="ogm", sip_host=None, password_pattern=None)
    assert (settings.sip_host, dict(settings.passwords)) == ("", {})


def test_the_voice_process_is_told_how_long_a_peer_may_be_silent() -> None:
    """In the form that its command line takes; 0 leaves the watchdog off."""
    assert read().voice_options() == ("--silent-peer-s", "60")
    assert arguments(list(read(silent_peer_s=2.5).voice_options())).silent_peer_s == 2.5
    assert read(silent_peer_s=0).voice_options() == ()
    assert arguments([]).silent_peer_s is None


def test_our_own_address_is_the_one_on_the_way_to_the_pbx() -> None:
    assert read(local_host="10.1.2.3").voice_host() == "10.1.2.3"
    assert read(sip_host="127.0.0.1").voice_host() == "127.0.0.1"
