"""``ocm asterisk-config``: the lines a site needs, and a clear word where there is no such gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ocm_cti.cli import main
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.asterisk_site import ACTIONS, READ, WRITE, dialplan, manager_user, our_address

OFFICE = """
[gateways.office]
kind = "asterisk"
link = "tcp:127.0.0.1:5038"
username = "robot"
secret = "s3cret"
channel = "PJSIP/{number}@trunk"
"""
BRANCH = OFFICE.replace("gateways.office", "gateways.branch") + 'context = "calls"\nvoice = "fastagi"\n'
PANASONIC = """
[gateways.old]
kind = "panasonic"
link = "tcp:127.0.0.1:33333"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
"""


def run(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str]:
    path = tmp_path / "ocm.toml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["asterisk-config", "-c", str(path), *arguments])
    return done.exit_code, done.output


def settings(**changed: object) -> AsteriskSettings:
    table = {
        "kind": "asterisk",
        "link": "tcp:127.0.0.1:5038",
        "username": "robot",
        "secret": "s3cret",
        "channel": "PJSIP/{number}@trunk",
    }
    return AsteriskSettings.from_table("office", {**table, **changed})


def test_both_parts_and_where_they_go(tmp_path: Path) -> None:
    code, said = run(tmp_path, OFFICE)
    assert code == 0
    for line in (
        "extensions.conf",
        "[ocm]",
        "exten => s,1,AGI(agi:async)",
        "manager.conf",
        "[robot]",
        "permit = 127.0.0.1/255.255.255.255",
        "read = call,agi,dtmf",
        "write = call,agi,originate,reporting",
        "ocm check",
    ):
        assert line in said
    assert "s3cret" not in said, "the secret is shown only when asked for"


def test_the_secret_when_asked_for(tmp_path: Path) -> None:
    assert "secret = s3cret\n" in run(tmp_path, OFFICE, "--secret")[1]


def test_every_gateway_or_one(tmp_path: Path) -> None:
    whole = run(tmp_path, OFFICE + BRANCH + PANASONIC)[1]
    assert "[ocm]" in whole and "[calls]" in whole
    one = run(tmp_path, OFFICE + BRANCH, "--gateway", "branch")[1]
    assert "[ocm]" not in one and "exten => s,1,AGI(agi://127.0.0.1:4573)" in one


@pytest.mark.parametrize("arguments", [(), ("--gateway", "old"), ("--gateway", "nothing")])
def test_no_asterisk(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, said = run(tmp_path, PANASONIC, *arguments)
    assert code == 2
    assert "old" in said and 'kind = "asterisk"' in said


def test_the_loop_begins_where_the_call_lands() -> None:
    text = dialplan(settings(context="calls", exten="robot", priority=5))
    assert text.splitlines()[:2] == ["[calls]", "exten => robot,5,AGI(agi:async)"]
    assert "?end:5)" in text


def test_no_right_that_is_a_shell_on_the_switch() -> None:
    assert not {"system", "command", "config", "all"} & {*READ, *WRITE}
    assert set(ACTIONS.values()) == set(WRITE)
    assert "secret = s3cret\n" in manager_user(settings(), secret=True)


def test_a_switch_that_is_not_to_be_found_has_an_address_to_be_filled_in() -> None:
    assert our_address(settings(link="tcp:switch.invalid:5038")) == "ADDRESS"
