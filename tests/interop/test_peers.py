"""The peers themselves: they come up side by side, do what the tests count on, and nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asterisk_process import GATEWAY, ManagerTalk, PrivateAsterisk
from peer_process import Baresip, PeerFailed, Sipp, wait_until
from peers import require

from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.asterisk_site import manager_user

SUPPORT = Path(__file__).parents[1] / "support"


def test_the_shared_asterisk_is_up(asterisk: PrivateAsterisk) -> None:
    assert "Asterisk" in asterisk.cli("core show version")
    assert "gateway" in asterisk.cli("manager show users")


@pytest.mark.asterisk16
def test_the_gateway_user_has_few_rights(asterisk: PrivateAsterisk) -> None:
    with ManagerTalk(asterisk.ami_port, *GATEWAY) as talk:
        assert talk.ask("Ping")["Response"] == "Success"
        with pytest.raises(RuntimeError, match="ermission denied"):
            talk.ask("Command", Command="core show version")


def test_the_gateway_user_is_the_one_that_a_site_is_told_to_make(asterisk: PrivateAsterisk) -> None:
    settings = AsteriskSettings("office", "tcp:127.0.0.1:5038", *GATEWAY, "PJSIP/{number}@trunk")
    told = [line.partition(" ;")[0].strip() for line in manager_user(settings, secret=True).splitlines()]
    lines = (asterisk.folder / "etc" / "manager.conf").read_text(encoding="utf-8").splitlines()
    first = lines.index("[gateway]")
    made = lines[first : lines.index("", first)]
    assert made == [line for line in told if line and not line.startswith(";")]


@pytest.mark.asterisk16
def test_two_at_once_with_fragments_of_their_own(tmp_path: Path) -> None:
    require("asterisk")
    first = PrivateAsterisk.start(
        tmp_path / "a",
        extra_dialplan="[mine]\nexten => s,1,Hangup()\n[sim]\nexten => more,1,Hangup()\n",
        extra_pjsip="[somebody]\ntype = endpoint\ncontext = sim\ndisallow = all\nallow = alaw\n",
        manager="[other]\nsecret = x\npermit = 127.0.0.0/255.0.0.0\nread = call\n",
    )
    second = PrivateAsterisk.start(tmp_path / "b")
    try:
        assert len({first.sip_port, first.ami_port, first.http_port, second.sip_port, second.ami_port}) == 5
        assert "mine" in first.cli("dialplan show mine")
        assert "more" in first.cli("dialplan show more@sim")
        assert "busy" in first.cli("dialplan show busy@sim")
        assert "somebody" in first.cli("pjsip show endpoints")
        assert "other" in first.cli("manager show users")
        assert "There is no existence of 'mine'" in second.cli("dialplan show mine")
        first.kill()
        first.start_again()
        assert "mine" in first.cli("dialplan show mine")
    finally:
        first.stop()
        second.stop()
    assert first.process.returncode is not None


def test_it_ends_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    require("asterisk")
    script = (
        f"import sys, time; sys.path.insert(0, {str(SUPPORT)!r}); from pathlib import Path\n"
        "from asterisk_process import PrivateAsterisk\n"
        f"print(PrivateAsterisk.start(Path({str(tmp_path)!r})).process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        os.kill(pid, 0)
        run.send_signal(signal.SIGKILL)
    wait_until("Asterisk to end", lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _is_zombie(pid: int) -> bool:
    """Ended; whoever inherited it has not collected it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_asterisk_calls_sipp(tmp_path: Path) -> None:
    require("asterisk", "sipp")
    callee = Sipp.start(tmp_path / "callee", "uas")
    running = PrivateAsterisk.start(tmp_path / "a", ports={"callee": f"127.0.0.1:{callee.port}"})
    try:
        running.cli("channel originate PJSIP/100@trunk application Wait 0.2")
        callee.wait()
    finally:
        running.stop()
        callee.stop()
    assert "INVITE sip:100@127.0.0.1" in callee.messages()


BUSY = """<scenario name="busy"><recv request="INVITE"/><send><![CDATA[
SIP/2.0 486 Busy Here
[last_Via:]
[last_From:]
[last_To:];tag=1
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send><recv request="ACK"/></scenario>"""


def test_a_scenario_that_fails_says_so(tmp_path: Path) -> None:
    require("sipp")
    callee = Sipp.start(tmp_path / "uas", BUSY)
    caller = Sipp.start(tmp_path / "uac", "uac", remote=f"127.0.0.1:{callee.port}")
    with pytest.raises(PeerFailed, match="486 Busy Here"):
        caller.wait()
    callee.wait()


def test_a_key_pressed_on_baresip_arrives(tmp_path: Path) -> None:
    require("asterisk", "baresip")
    phone = Baresip.start(tmp_path / "phone")
    running = PrivateAsterisk.start(
        tmp_path / "a",
        ports={"callee": f"127.0.0.1:{phone.port}"},
        extra_dialplan="[taken]\nexten => s,1,Read(KEYS,,2,,1,5)\n same => n,UserEvent(Keys,Got: ${KEYS})\n"
        f" same => n,System(echo ${{KEYS}} > {tmp_path}/keys)\n same => n,Playback(vm-goodbye)\n",
    )
    try:
        running.cli("channel originate PJSIP/phone@trunk extension s@taken")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(0.3)
        phone.press("42")
        phone.wait_for("CALL_CLOSED")
        wait_until("what baresip heard", phone.heard)
    finally:
        running.stop()
        phone.stop()
    assert (tmp_path / "keys").read_text().strip() == "42"
    assert phone.heard()[0].stat().st_size > 8000
