"""A trunk of ours to a real Asterisk in the operator's role: registrar, authenticated trunk, TCP, what is heard."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from asterisk_process import PrivateAsterisk
from peer_process import wait_until
from peers import require
from trunk_caller import HOST, TrunkCaller

from ocm_cti.voice.commands import DialFailed
from ocm_cti.voice.tones import tone
from ocm_cti.voice.trunks import Trunk
from protocols.rtp import g711

ACCOUNT = """
[{name}]
type = auth
auth_type = userpass
username = {auth}
password = {password}
realm = {realm}
{more}

[{name}]
type = aor
max_contacts = 2
remove_existing = yes

[{name}]
type = endpoint
context = operator
disallow = all
allow = {codecs}
auth = {name}
aors = {name}
identify_by = auth_username,username
direct_media = no
rtp_symmetric = yes
dtmf_mode = rfc4733
trust_id_inbound = yes
"""

SOUND = tone((440, 480), 1500)
GONE = ("registration_changed", "t", False)

DIALPLAN = """
[operator]
exten => _+X!,1,Goto(operator,${EXTEN:1},1)
exten => 100,1,Answer()
 same => n,Echo()
exten => 200,1,Answer()
 same => n,Wait(0.5)
 same => n,SendDTMF(159*0#,60,120)
 same => n,Wait(600)
exten => 300,1,Answer()
 same => n,Record({folder}/far.wav,0,60,kqx)
exten => 400,1,Progress()
 same => n,Playtones(busy)
 same => n,Wait(1)
 same => n,Hangup(17)
exten => _5XX,1,Hangup(${EXTEN:1})
exten => 600,1,Answer()
 same => n,Set(WHO=${CALLERID(num)}|${CALLERID(name)})
 same => n,Set(WHO=${WHO}|${PJSIP_HEADER(read,P-Asserted-Identity)}|${PJSIP_HEADER(read,Privacy)})
 same => n,System(printf "%s" "${WHO}" > {folder}/caller)
 same => n,Hangup(16)
exten => 700,1,Ringing()
 same => n,Wait(600)
exten => 800,1,Answer()
 same => n,Wait(600)
"""


ACCOUNTS = [
    {"name": "acc1", "auth": "acc1", "password": "p w1", "realm": "operator one", "codecs": "alaw", "more": ""},
    {"name": "acc2", "auth": "login2", "password": "pw2", "realm": "other", "codecs": "ulaw", "more": ""},
    {
        "name": "acc3",
        "auth": "acc3",
        "password": "pw3",
        "realm": "three",
        "codecs": "alaw",
        "more": "supported_algorithms_uas = SHA-256",  # Asterisk 16 knows none but MD5
    },
    {
        "name": "acc4",
        "auth": "acc4",
        "password": "pw4",
        "realm": "four",
        "codecs": "alaw",
        "more": "supported_algorithms_uas = SHA-256,MD5",
    },
]
PJSIP = "[global](+)\nendpoint_identifier_order = auth_username,username\n" + "".join(
    ACCOUNT.format(**account) for account in ACCOUNTS
)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    require("asterisk")
    folder = tmp_path_factory.mktemp("operator")
    running = PrivateAsterisk.start(folder, extra_pjsip=PJSIP, extra_dialplan=DIALPLAN.replace("{folder}", str(folder)))
    yield running
    running.stop()


@pytest.fixture
def caller() -> Iterator[TrunkCaller]:
    with TrunkCaller() as made:
        yield made


def trunk(operator: PrivateAsterisk, **more: object) -> Trunk:
    fields = {"name": "t", "user": "acc1", "password": "p w1", "domain": HOST, "host": HOST, "port": operator.sip_port}
    return Trunk(**{**fields, **more})  # type: ignore[arg-type]


def samples(path: Path) -> bytes:
    """Linear samples of a WAV."""
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


def vias(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.split("\r\n")[1:2] if line.startswith("Via:")]


@pytest.mark.asterisk16
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registered_and_echoed(operator: PrivateAsterisk, caller: TrunkCaller, transport: str, tmp_path: Path) -> None:
    """The registrar knows us; what we play comes back, octet by octet."""
    caller.open(trunk(operator, transport=transport))
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND)
    key = caller.calls.call("t", "+100")
    caller.until_told("established", key)
    recorded = caller.calls.record(key, tmp_path / "back.wav", 2500, 60000, "")
    played = caller.result(caller.calls.play(key, [prompt]))
    assert played.finished and played.heard_ms == 1500
    assert caller.result(recorded).why == "limit"
    caller.calls.hang_up(key)
    assert caller.over(key) == ("ended", key, "us", "hung up", None)
    assert g711.decode_alaw(SOUND) in samples(tmp_path / "back.wav")
    assert {text.split()[1].split("/")[2] for text in vias(caller.sent)} == {transport.upper()}


@pytest.mark.asterisk16
def test_unregistered_when_closed(operator: PrivateAsterisk) -> None:
    with TrunkCaller() as caller:
        caller.open(trunk(operator))
        contact = f"acc1@{HOST}:{caller.port}"
        assert contact in operator.cli("pjsip show contacts")
    assert contact not in operator.cli("pjsip show contacts")


@pytest.mark.asterisk16
def test_keys_from_the_far_side(operator: PrivateAsterisk, caller: TrunkCaller) -> None:
    caller.open(trunk(operator))
    key = caller.calls.call("t", "200")
    caller.until(lambda: len(caller.keys(key)) >= 5, "five keys")
    caller.run(0.3)
    assert caller.keys(key) == "159*0#"[: len(caller.keys(key))] == "159*0#"


@pytest.mark.asterisk16
def test_what_the_far_side_records(operator: PrivateAsterisk, caller: TrunkCaller, tmp_path: Path) -> None:
    """Sample by sample what was played, in one piece at one offset, and silence around it."""
    caller.open(trunk(operator))
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND)
    key = caller.calls.call("t", "300")
    caller.until_told("established", key)
    caller.run(0.3)
    assert caller.result(caller.calls.play(key, [prompt, prompt])).heard_ms == 3000
    caller.run(0.3)
    caller.calls.hang_up(key)
    far = operator.folder / "far.wav"
    sent = np.frombuffer(g711.decode_alaw(SOUND + SOUND), "<i2")
    wait_until("the recording", lambda: far.exists() and far.stat().st_size > len(sent) * 2)
    heard = np.frombuffer(samples(far), "<i2")
    start = int(np.argmax(np.abs(heard) > 1000)) - int(np.argmax(np.abs(sent) > 1000))
    assert start >= 0
    assert np.array_equal(heard[start : start + len(sent)], sent)
    around = np.concatenate([heard[:start], heard[start + len(sent) :]])
    assert np.abs(around).max() <= 8


@pytest.mark.asterisk16
@pytest.mark.parametrize(
    ("cause", "codes"),
    [(1, {404}), (17, {486}), (21, {403, 603}), (34, {503}), (19, {480}), (27, {480, 502}), (18, {480, 408})],
)
def test_refusals_carry_their_q850_cause(
    operator: PrivateAsterisk, caller: TrunkCaller, cause: int, codes: set[int]
) -> None:
    caller.open(trunk(operator))
    key = caller.calls.call("t", f"5{cause:02}")
    name, _, code, _, q850, wait_s = caller.over(key)
    assert (name, q850, wait_s) == ("refused", cause, None)
    assert code in codes
    assert len(caller.requests("INVITE")) == 2  # asked for proof once, and not again


@pytest.mark.asterisk16
def test_early_media_is_no_answer(operator: PrivateAsterisk, caller: TrunkCaller) -> None:
    caller.open(trunk(operator))
    key = caller.calls.call("t", "400")
    assert caller.over(key)[:3] == ("refused", key, 486)
    assert [told[0] for told in caller.told if told[1] == key] == ["ringing", "refused"]
    assert ("ringing", key, 183) in caller.told


@pytest.mark.asterisk16
@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ({}, ["acc1", "Robot", "", ""]),
        ({"caller_id": "+74951234567"}, ["+74951234567", "Robot", "", ""]),
        (
            {"caller_id": "+74951234567", "asserted": "+74950000001", "headers": [("Privacy", "none")]},
            ["+74950000001", "", f"<sip:+74950000001@{HOST}>", "none"],
        ),
    ],
)
def test_who_is_seen_to_call(
    operator: PrivateAsterisk, caller: TrunkCaller, asked: dict[str, object], seen: list[str]
) -> None:
    """Caller ID in From; P-Asserted-Identity wins where the operator trusts it."""
    (operator.folder / "caller").unlink(missing_ok=True)
    caller.open(trunk(operator, display_name="Robot"))
    key = caller.calls.call("t", "600", **asked)  # type: ignore[arg-type]
    assert caller.over(key) == ("ended", key, "them", "Q.850;cause=16", 16)
    assert (operator.folder / "caller").read_text().rstrip("\n").split("|") == seen


@pytest.mark.asterisk16
def test_two_accounts_at_once(operator: PrivateAsterisk, caller: TrunkCaller, tmp_path: Path) -> None:
    """Each with its own password, realm and name for proving; one speaks A-law, the other mu-law."""
    caller.open(trunk(operator))
    caller.open(trunk(operator, name="u", user="acc2", auth_user="login2", password="pw2"))
    calls = [caller.calls.call(name, "100") for name in "tu"]
    for key in calls:
        caller.until_told("established", key)
    caller.calls.close_trunk("t")
    caller.until(lambda: ("registration_changed", "t", False, "") in caller.told, "t to be given back")
    with pytest.raises(DialFailed, match="no trunk t is open"):
        caller.calls.call("t", "100")
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND)
    recordings = [caller.calls.record(key, tmp_path / f"{key}.wav", 2500, 60000, "") for key in calls]
    plays = [caller.calls.play(key, [prompt]) for key in calls]
    for asked in (*plays, *recordings):
        caller.result(asked)
    assert g711.decode_alaw(SOUND) in samples(tmp_path / f"{calls[0]}.wav")
    through_ulaw = SOUND.translate(g711.ALAW_TO_ULAW).translate(g711.ULAW_TO_ALAW)
    assert g711.decode_alaw(through_ulaw) in samples(tmp_path / f"{calls[1]}.wav")


@pytest.mark.asterisk16
def test_a_trunk_without_registration(operator: PrivateAsterisk, caller: TrunkCaller) -> None:
    """Calls at once; the INVITE itself is asked for proof."""
    caller.open(trunk(operator, registers=False))
    key = caller.calls.call("t", "800")
    caller.until_told("established", key)
    caller.calls.hang_up(key)
    assert caller.requests("REGISTER") == [] and len(caller.requests("INVITE")) == 2


@pytest.mark.asterisk16
def test_a_wrong_password(operator: PrivateAsterisk, caller: TrunkCaller) -> None:
    """Told with the registrar's words; nothing can be dialled; without registration the INVITE is refused."""
    caller.calls.open_trunk(trunk(operator, password="wrong"))
    told = caller.until_told("registration_changed", "t")
    assert not told[2] and told[3].startswith("401")
    with pytest.raises(DialFailed, match="not registered: 401"):
        caller.calls.call("t", "800")
    caller.calls.open_trunk(trunk(operator, password="wrong", registers=False))
    key = caller.calls.call("t", "800")
    assert caller.over(key)[:3] == ("refused", key, 401)
    assert len(caller.requests("REGISTER")) == 2 and len(caller.requests("INVITE")) == 2


@pytest.mark.asterisk16
def test_they_hang_up(operator: PrivateAsterisk, caller: TrunkCaller, tmp_path: Path) -> None:
    """While a prompt plays: it reports how far it got, then the end."""
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND * 20)
    caller.open(trunk(operator))
    key = caller.calls.call("t", "800")
    caller.until_told("established", key)
    playing = caller.calls.play(key, [prompt])
    caller.run(0.5)
    operator.cli("channel request hangup all")
    report = caller.result(playing)
    assert not report.finished and 300 <= report.heard_ms < 30000
    assert caller.over(key)[:3] == ("ended", key, "them")


@pytest.mark.asterisk16
def test_hung_up_while_it_rings(operator: PrivateAsterisk, caller: TrunkCaller) -> None:
    caller.open(trunk(operator))
    key = caller.calls.call("t", "700")
    caller.until_told("ringing", key)
    caller.calls.hang_up(key)
    assert caller.over(key) == ("ended", key, "us", "hung up", None)
    caller.until(lambda: any("487" in line for line in caller.first_lines(caller.received)), "487")
    wait_until("no channel", lambda: "0 active channels" in operator.cli("core show channels"))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_operator_is_restarted(tmp_path: Path, transport: str) -> None:
    """Calls that wait fail where that is seen (TCP); the registration is lost and comes back by itself."""
    require("asterisk")
    running = PrivateAsterisk.start(
        tmp_path / "a",
        extra_pjsip=PJSIP,
        extra_dialplan=DIALPLAN.replace("{folder}", str(tmp_path)),
    )
    try:
        with TrunkCaller() as caller:
            caller.open(trunk(running, transport=transport, expires_s=60))
            waits, stands = caller.calls.call("t", "700"), caller.calls.call("t", "800")
            caller.until_told("ringing", waits)
            caller.until_told("established", stands)
            running.kill()
            if transport == "tcp":
                assert caller.over(waits)[:3] == ("ended", waits, "fault")
                lost = caller.until(lambda: [told for told in caller.told if told[:3] == GONE], "the loss")
                assert "no connection" in lost[0][3]
            caller.told.clear()
            running.start_again()
            caller.calls.hang_up(stands)
            assert caller.over(stands)[2] == "us"
            if transport == "tcp":
                caller.until_told("registration_changed", "t")
                key = caller.calls.call("t", "800")
                caller.until_told("established", key)
    finally:
        running.stop()


@pytest.mark.parametrize("number", [3, 4])
def test_proof_by_sha_256(operator: PrivateAsterisk, caller: TrunkCaller, number: int) -> None:
    """Where it is all that is taken, and where MD5 would be taken too but stands behind it."""
    caller.open(trunk(operator, user=f"acc{number}", password=f"pw{number}"))
    key = caller.calls.call("t", "800")
    caller.until_told("established", key)
    assert all("algorithm=SHA-256" in text for text in (caller.requests("REGISTER")[1], caller.requests("INVITE")[1]))
