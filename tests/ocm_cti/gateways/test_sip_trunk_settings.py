"""Settings of a SIP trunk: what the example says, what a wrong one is told, what comes of them."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ocm_cti.config import load
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.scenarios import parse as parse_scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.settings import SettingError
from ocm_cti.gateways.sip_trunk import wish
from ocm_cti.gateways.sip_trunk_settings import ACCOUNT_KEYS, KEYS, SipTrunkSettings

EXAMPLE = Path(__file__).resolve().parents[3] / "fixtures" / "config" / "sip_trunk.toml"
#: Without a default, or where the file shows an example instead of it.
EXAMPLES_ONLY = {"kind", "host", "user", "password", "rtp_ports", "dial"}
NUMBER = "+74951234567"

LEAST: dict[str, Any] = {"kind": "sip", "host": "sip.example", "user": "4950000", "password": "secret"}
TWO = [{"user": "one", "password": "1"}, {"name": "second", "user": "two", "password": "2", "channels": 1}]


def settings(**changed: Any) -> SipTrunkSettings:
    table = {**LEAST, **changed}
    return SipTrunkSettings.from_table("op", {key: value for key, value in table.items() if value is not None})


def several(rows: list[dict[str, Any]], **changed: Any) -> SipTrunkSettings:
    return settings(user=None, password=None, accounts=rows, **changed)


def explained(first: str, last: str) -> dict[str, tuple[bool, Any, str]]:
    text = EXAMPLE.read_text(encoding="utf-8")
    part = text[text.index(first) : text.index(last)]
    lines = re.findall(r"^(# )?([a-z_0-9]+) = (.*?) +# (.+)$", part, flags=re.MULTILINE)
    keys = [key for _, key, _, _ in lines]
    assert len(keys) == len(set(keys)), "a setting is explained twice"
    return {key: (bool(off), tomllib.loads(f"x = {value}")["x"], meaning) for off, key, value, meaning in lines}


OWN = explained("[gateways.operator]", "# Several accounts")


# The example


def test_every_setting_is_explained_and_no_other() -> None:
    assert set(OWN) == set(KEYS) - {"accounts"}
    text = EXAMPLE.read_text(encoding="utf-8")
    rows = text[text.index("[[gateways.operator.accounts]]") : text.index("[lists.")]
    assert set(re.findall(r"^# ([a-z_]+) = ", rows, flags=re.MULTILINE)) == set(ACCOUNT_KEYS)


def test_the_defaults_are_those_of_the_code() -> None:
    """Also their type: 10.0 seconds, not 10, so that it is seen that a part of a second may be given."""
    defaults = {field.name: field.default for field in dataclasses.fields(SipTrunkSettings)}
    defaults |= {"auth_user": "", "domain": "", "display_name": "", "caller_id": "", "channels": 10, "statuses": {}}
    for key, (_, value, meaning) in OWN.items():
        assert len(meaning) > 10, key
        if key not in EXAMPLES_ONLY:
            assert (value, type(value)) == (defaults[key], type(defaults[key])), key


def test_only_what_has_no_default_must_be_given() -> None:
    assert {key for key, (off, _, _) in OWN.items() if not off} == {"kind", "host", "user", "password"}


def test_the_example_is_a_configuration() -> None:
    config = load(EXAMPLE)
    gateway = config.gateways["operator"]
    assert gateway.name == "operator" and gateway.takes_caller_id and gateway.smdr is None
    assert gateway.beside(Path("/elsewhere")) == gateway


def test_all_that_is_commented_out_may_be_switched_on() -> None:
    table = {key: value for key, (_, value, _) in OWN.items()}
    assert SipTrunkSettings.from_table("op", {**table, "format": "national", "registrar": "reg.example:5070"})


# Numbers


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ({}, "+74951234567"),
        ({"format": "digits"}, "74951234567"),
        ({"format": "digits", "access_prefix": "9#"}, "9#74951234567"),
        ({"format": "national", "dial": [["+7", "8"], ["+", "810"]]}, "84951234567"),
        ({"format": "national", "dial": [["+7495", ""], ["+", "00"]]}, "1234567"),
        ({"format": "national", "dial": [["+7", "8"]], "access_prefix": "0"}, "084951234567"),
        ({"format": "national", "dial": [["+1", "1"], ["+", "+"]]}, "+74951234567"),
    ],
)
def test_how_a_number_is_written(given: dict[str, Any], dialled: str) -> None:
    assert settings(**given).digits(NUMBER) == dialled


# Who we are


@pytest.mark.parametrize(
    ("given", "of_list", "sender", "asserted", "headers"),
    [
        ({}, None, "", "", ()),
        ({"caller_id": "+7495111"}, None, "+7495111", "", ()),
        ({"caller_id": "+7495111"}, "2000", "2000", "", ()),
        ({}, "Firm <2000>", "2000", "", ()),
        ({"from_user": "account", "asserted": "caller_id"}, "2000", "", "2000", ()),
        ({"asserted": "caller_id"}, None, "", "4950000", ()),
        ({"asserted": "account"}, "2000", "2000", "4950000", ()),
        ({}, "anonymous", "anonymous", "4950000", (("Privacy", "id"),)),
        ({"caller_id": "Anonymous", "asserted": "caller_id"}, None, "anonymous", "4950000", (("Privacy", "id"),)),
    ],
)
def test_who_calls(
    given: dict[str, Any], of_list: str | None, sender: str, asserted: str, headers: tuple[tuple[str, str], ...]
) -> None:
    made = settings(**given)
    wanted = wish(made, made.accounts[0], "123", of_list)
    assert (wanted.trunk, wanted.digits) == ("4950000", "123")
    assert (wanted.caller_id, wanted.asserted, wanted.headers) == (sender, asserted, headers)


def test_a_list_whose_caller_id_is_none_is_found_out_at_once() -> None:
    with pytest.raises(SettingError, match=r"lists\.debtors\.caller_id: 'two words' is no caller id"):
        settings().check_lists({"debtors": ListSettings(caller_id="two words")}, {})
    settings().check_lists({"debtors": ListSettings(caller_id="+74950000000"), "other": ListSettings()}, {})


def test_a_list_that_plays_a_message_of_the_switch_is_found_out_at_once() -> None:
    scenario = parse_scenario('[[step]]\nname = "a"\ntype = "say"\nannouncement = "12"\n')
    with pytest.raises(SettingError, match="use a recording"):
        settings().check_lists({}, {"debtors": scenario})


# The trunk as the voice process is given it


def test_a_trunk_has_the_hosts_that_it_needs() -> None:
    made = settings(
        port=5070, outbound_proxy="proxy.example", registrar="reg.example:5090", auth_user="login", transport="tcp"
    )
    trunk = made.trunk(made.accounts[0], registers=True)
    assert (trunk.host, trunk.port, trunk.domain) == ("proxy.example", 5060, "sip.example")
    assert (trunk.registrar, trunk.proves_as, trunk.transport) == (("reg.example", 5090), "login", "tcp")
    assert trunk.name == trunk.user == "4950000" and trunk.registers and trunk.refuses_with == 603
    plain = settings(port=5070, domain="ims.example").trunk(settings(domain="ims.example").accounts[0], registers=False)
    assert (plain.host, plain.port, plain.domain) == ("sip.example", 5070, "ims.example")
    assert plain.registrar == ("sip.example", 5070) and not plain.registers


def test_no_password_is_shown() -> None:
    made = settings()
    assert "secret" not in repr(made) and "secret" not in repr(made.trunk(made.accounts[0], registers=True))


# Ports, accounts, processes


def test_ports_of_one_account() -> None:
    assert [name for name, _, _ in settings(channels=3, port_prefix="op").lines] == ["op1", "op2", "op3"]


def test_accounts_share_what_is_left_of_the_channels() -> None:
    made = several([{"user": "a", "password": "1"}, *TWO], channels=6)
    assert [(account.key, account.channels) for account in made.accounts] == [("a", 3), ("one", 2), ("second", 1)]
    assert [name for name, _, _ in made.lines] == ["a-1", "a-2", "a-3", "one-1", "one-2", "second-1"]


def test_ports_are_spread_over_the_voice_processes() -> None:
    made = several(TWO, channels=5, voice_processes=2)
    assert [process for _, _, process in made.lines] == [0, 1, 0, 1, 0]


def test_what_stands_in_the_gateway_is_for_all_its_accounts() -> None:
    made = several([{"user": "a", "password": "1", "domain": "own.example"}, *TWO], domain="all.example", caller_id="1")
    assert [account.domain for account in made.accounts] == ["own.example", "all.example", "all.example"]
    assert {account.caller_id for account in made.accounts} == {"1"}


def test_each_voice_process_has_ports_of_its_own() -> None:
    made = settings(local_host="10.0.0.1", local_sip_port=5060, rtp_ports=[20000, 20041], voice_processes=2)
    assert made.sip_listener() == ("10.0.0.1", 5060)
    assert [made.voice_port(number) for number in (0, 1)] == [5060, 5061]
    wanted = [("20000", "20019"), ("20020", "20039")]
    assert [made.voice_options(number)[-2:] for number in (0, 1)] == wanted
    assert settings().sip_listener() is None and settings().voice_port(1) == 0
    assert settings(silent_peer_s=0).voice_options(0) == ("--stranger-code", "603")


def test_our_address_is_that_of_the_route() -> None:
    assert settings(host="127.0.0.1").voice_host() == "127.0.0.1"
    assert settings(local_host="10.0.0.1").voice_host() == "10.0.0.1"


def test_what_a_status_means_here() -> None:
    made = settings(statuses={"480": "unreachable", "403": "rejected"})
    assert made.statuses == ((403, Cause.REJECTED), (480, Cause.UNREACHABLE))


# What is wrong


@pytest.mark.parametrize(
    ("changed", "key", "what"),
    [
        ({"host": None}, "gateways.op", "host is missing"),
        ({"host": "sip:op"}, "gateways.op.host", "is no host"),
        ({"host": "sip.example:5060"}, "gateways.op.host", "the port has a key of its own"),
        ({"user": None}, "gateways.op", "user is missing"),
        ({"user": "me@op"}, "gateways.op.user", "before the @"),
        ({"password": None}, "gateways.op", "registers = false"),
        ({"password": "a\nb"}, "gateways.op.password", "one line"),
        ({"hosts": "x"}, "gateways.op.hosts", "did you mean host?"),
        ({"transport": "tls"}, "gateways.op.transport", "udp, tcp"),
        ({"outbound_proxy": "proxy:0"}, "gateways.op.outbound_proxy", "host or host:port"),
        ({"registrar": "re gistrar"}, "gateways.op.registrar", "host or host:port"),
        ({"registers": False, "registrar": "r"}, "gateways.op.registrar", "of no use"),
        ({"format": "e.164"}, "gateways.op.format", "did you mean e164?"),
        ({"format": "national"}, "gateways.op", "dial is missing"),
        ({"format": "national", "dial": []}, "gateways.op.dial", "a list of pairs"),
        ({"format": "national", "dial": [["8", "9"]]}, "gateways.op.dial", "must be \\+ and digits"),
        ({"format": "national", "dial": [["+7", "x"]]}, "gateways.op.dial", "can't be dialled"),
        ({"format": "national", "dial": [["+7"]]}, "gateways.op.dial", "no pair"),
        ({"dial": [["+7", "8"]]}, "gateways.op.dial", 'is for format = "national"'),
        ({"access_prefix": "9"}, "gateways.op.access_prefix", "nothing stands before a \\+"),
        ({"format": "digits", "access_prefix": "x"}, "gateways.op.access_prefix", "can't be dialled"),
        ({"caller_id": "two words"}, "gateways.op.caller_id", "is no caller id"),
        ({"from_user": "me"}, "gateways.op.from_user", "caller_id, account"),
        ({"session_expires_s": 60}, "gateways.op.session_expires_s", "at least 90"),
        ({"rest_after_fault_s": 400}, "gateways.op.rest_after_fault_s", "not be more than rest_max_s"),
        ({"options_ping_s": 5, "transport": "tcp"}, "gateways.op.options_ping_s", "is for udp"),
        ({"refuse_incoming": 200}, "gateways.op.refuse_incoming", "from 400 to 699"),
        ({"local_sip_port": 65535, "voice_processes": 2}, "gateways.op.local_sip_port", "the last would be 65536"),
        ({"rtp_ports": [20001, 20100]}, "gateways.op.rtp_ports", "the first is even"),
        ({"rtp_ports": [20000]}, "gateways.op.rtp_ports", "the first and the last"),
        ({"rtp_ports": [20000, 20009]}, "gateways.op.rtp_ports", "room for 5 calls"),
        ({"statuses": {"200": "busy"}}, "gateways.op.statuses", "no final SIP status"),
        ({"statuses": {"480": "bussy"}}, "gateways.op.statuses", "480 can mean"),
        ({"statuses": ["480"]}, "gateways.op.statuses", "a table"),
        ({"accounts": TWO}, "gateways.op.user", "in each of the accounts"),
    ],
)
def test_what_can_not_be_is_named(changed: dict[str, Any], key: str, what: str) -> None:
    with pytest.raises(SettingError, match=what) as wrong:
        settings(**changed)
    assert wrong.value.key == key


@pytest.mark.parametrize(
    ("rows", "changed", "key", "what"),
    [
        ([], {}, "accounts", "must be tables"),
        (["one"], {}, "accounts", "must be tables"),
        ([{"user": "a"}], {}, "accounts", "password is missing"),
        ([{"user": "a", "password": "1", "pasword": "x"}], {}, "accounts.pasword", "did you mean password?"),
        ([TWO[0], TWO[0]], {}, "accounts", "one stands there twice"),
        (TWO, {"channels": 1}, "channels", "not enough"),
        ([{**TWO[1], "channels": 2}], {"channels": 3}, "channels", "have 2 together"),
        ([{**TWO[1], "channels": 0}], {}, "accounts.channels", "from 1"),
    ],
)
def test_what_accounts_can_not_be_is_named(rows: list[Any], changed: dict[str, Any], key: str, what: str) -> None:
    with pytest.raises(SettingError, match=what) as wrong:
        several(rows, **changed)
    assert wrong.value.key == f"gateways.op.{key}"


def test_an_account_that_does_not_register_needs_no_password() -> None:
    assert settings(registers=False, password=None).accounts[0].password == ""
