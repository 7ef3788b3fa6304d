"""The demo's operator and its callees, called by a telephone that is not ours."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from peer_process import Baresip, wait_until
from peers import require
from whole_system import FIXTURES, account

from ocm_cti.commands.demo_asterisk import ACCOUNT, Operator


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    require("asterisk", "baresip")
    running = Operator.start(tmp_path / "operator", FIXTURES)
    yield running
    running.stop()


def phone_of(operator: Operator, folder: Path, password: str) -> Baresip:
    (port,) = re.findall(r"^port = (\d+)", operator.gateway, re.MULTILINE)
    line = f"<sip:{ACCOUNT}@127.0.0.1:{port}>;auth_pass={password};regint=60;audio_codecs=PCMA/8000/1"
    return Baresip.start(folder, account=line)


def password_of(operator: Operator) -> str:
    (password,) = re.findall(r'^password = "(\w+)"', operator.gateway, re.MULTILINE)
    return password


def test_an_account_registers_and_calls(operator: Operator, tmp_path: Path) -> None:
    phone = phone_of(operator, tmp_path / "phone", password_of(operator))
    try:
        wait_until("the registration", lambda: " OK " in phone.registered())
        phone.command("dial", "+74951234503")  # answers after a second, hangs up three seconds later
        phone.wait_for("CALL_ESTABLISHED")
        phone.wait_for("CALL_CLOSED")
        phone.command("dial", "+74951234508")
        assert "603" in phone.wait_for("CALL_CLOSED")["param"]
    finally:
        phone.stop()
    assert [call["number"] for call in account(operator.folder)] == ["74951234503", "74951234508"]
    (heard,) = wait_until("what the callee heard", lambda: list((operator.folder / "heard").glob("*4503.wav")))
    with wave.open(str(heard)) as file:
        assert 2.5 < file.getnframes() / file.getframerate() < 4


def test_a_wrong_password_is_refused(operator: Operator, tmp_path: Path) -> None:
    phone = phone_of(operator, tmp_path / "phone", "wrong")
    try:
        wait_until("the refusal", lambda: " ERR " in phone.registered())
    finally:
        phone.stop()
