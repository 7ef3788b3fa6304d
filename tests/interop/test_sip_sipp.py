"""A trunk of ours to SIPp in the operator's role, who does what an operator may do; scenarios in ``sipp/``.

SIPp judges our side message by message, and says so by its exit code (``Sipp.wait``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from peer_process import Sipp
from peers import require
from trunk_caller import HOST, TrunkCaller

from ocm_cti.voice.commands import DialFailed
from ocm_cti.voice.trunks import Trunk
from protocols.sip.digest import digest_response

SCENARIOS = Path(__file__).with_name("sipp")
Operator = Callable[..., Sipp]


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    require("sipp")
    running: list[Sipp] = []

    def start(scenario: str, *arguments: str, remote: str = "", **keys: str) -> Sipp:
        text = (SCENARIOS / f"{scenario}.xml").read_text(encoding="utf-8")
        for name, value in keys.items():  # SIPp's own keys can't be codes
            text = text.replace(f"[{name}]", value)
        running.append(Sipp.start(tmp_path / "sipp", text, remote=remote, arguments=arguments))
        return running[-1]

    yield start
    for sipp in running:
        sipp.stop()


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[TrunkCaller]:
    with TrunkCaller(**getattr(request, "param", {})) as made:
        yield made


def trunk(port: int, **more: object) -> Trunk:
    fields = {"name": "t", "user": "2000", "password": "pw", "domain": "operator.example", "host": HOST, "port": port}
    return Trunk(**{"registers": False, **fields, **more})  # type: ignore[arg-type]


def call(caller: TrunkCaller, sipp: Sipp, **more: object) -> str:
    caller.open(trunk(sipp.port, **more))
    return caller.calls.call("t", "+74951234567")


def text_of(message: str, name: str) -> str:
    """The first header of that name, "" without it."""
    return next((line.partition(": ")[2] for line in message.split("\r\n") if line.startswith(f"{name}: ")), "")


def done(caller: TrunkCaller, sipp: Sipp) -> None:
    """SIPp has seen all that it wanted to see."""
    caller.until(lambda: sipp.process.poll() is not None, "SIPp's end")
    sipp.wait(0)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("code", "phrase", "extra", "q850", "wait_s"),
    [
        ("486", "Busy Here", "X: y", None, None),
        ("404", "Not Found", "Reason: Q.850;cause=1", 1, None),
        ("603", "Decline", 'Reason: SIP;cause=603;text="no"', None, None),
        ("480", "Temporarily Unavailable", "Reason: q.850 ; cause=18 ; text=\"x;y\"", 18, None),
        ("503", "Service Unavailable", "Retry-After: 17 (later)", None, 17),
        ("302", "Moved Temporarily", "Contact: <sip:else@127.0.0.1:9>", None, None),
        ("487", "Request Terminated", "Reason: Q.850;cause=999", None, None),
        ("408", "Request Timeout", "Retry-After: soon", None, None),
        ("422", "Session Interval Too Small", "Min-SE: 60", None, None),
        ("491", "Request Pending", "X: y", None, None),
        ("401", "Unauthorized", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", None, None),
        ("401", "Unauthorized", "WWW-Authenticate: Negotiate", None, None),
    ],
)  # fmt: skip
def test_refused(
    operator: Operator,
    caller: TrunkCaller,
    code: str,
    phrase: str,
    extra: str,
    q850: int | None,
    wait_s: int | None,
    transport: str,
) -> None:
    """With the operator's own code, cause and time to wait; asked once."""
    sipp = operator("refuse", "-t", "t1" if transport == "tcp" else "u1", code=code, phrase=phrase, extra=extra)
    key = call(caller, sipp, transport=transport)
    name, _, told_code, reason, *cause = caller.over(key)
    assert (name, told_code, *cause) == ("refused", int(code), q850, wait_s)
    assert reason.startswith(phrase)
    if code == "401":
        assert "which is not supported" in reason or "only auth is supported" in reason
    done(caller, sipp)
    assert len(caller.requests("INVITE")) == 1


def test_busy_after_early_media(operator: Operator, caller: TrunkCaller) -> None:
    sipp = operator("progress_refuse")
    key = call(caller, sipp)
    assert caller.over(key) == ("refused", key, 486, 'Busy Here: Q.850;cause=17;text="User busy"', 17, None)
    assert caller.told == [("ringing", key, 183), caller.told[-1]]
    done(caller, sipp)


def test_stale_nonce(operator: Operator, caller: TrunkCaller) -> None:
    """SIPp can't check the proof, so it is checked here; BYE goes on with the nonce, and answers another realm."""
    sipp = operator("stale")
    key = call(caller, sipp, auth_user="login")
    caller.until_told("established", key)
    caller.calls.hang_up(key)
    done(caller, sipp)
    invites = caller.requests("INVITE")
    assert len(invites) == 3
    header = re.search(r"Proxy-Authorization: Digest (.*)\r\n", invites[2])
    assert header is not None
    said = dict(re.findall(r'(\w+)="?([^",]*)"?', header[1]))
    assert said["username"] == "login" and said["nc"] == "00000001"
    uri = "sip:+74951234567@operator.example"
    assert said["uri"] == uri
    assert said["response"] == digest_response(
        "MD5", "login", "operator", "pw", "INVITE", uri, "n2", "auth", said["nc"], said["cnonce"]
    )
    again = caller.requests("BYE")[1]
    assert re.search('\r\nAuthorization: Digest .*realm="registrar", nonce="n3".*algorithm=SHA-256\r\n', again)
    assert "\r\nProxy-Authorization: " in again


def _forked(caller: TrunkCaller) -> None:
    said = [(text.split()[0], text_of(text, "To").rpartition("=")[2]) for text in caller.sent if "SIP/2.0\r\n" in text]
    assert said[1:] == [("ACK", "one"), ("ACK", "two"), ("BYE", "two"), ("BYE", "one")]


def _too_small(caller: TrunkCaller) -> None:
    first, second = caller.requests("INVITE")
    assert (text_of(first, "Session-Expires"), text_of(first, "Min-SE")) == ("1800", "")
    assert (text_of(second, "Session-Expires"), text_of(second, "Min-SE")) == ("3600", "3600")
    assert text_of(first, "Call-ID") == text_of(second, "Call-ID") and text_of(second, "CSeq") == "2 INVITE"


def _refreshed(caller: TrunkCaller) -> None:
    updates = caller.requests("UPDATE")
    assert {text_of(text, "Session-Expires") for text in updates} == {"4;refresher=uac"}
    assert ["Proxy-Authorization" in text for text in updates] == [False, True, True]
    assert all(text.endswith("\r\n\r\n") for text in updates)  # no offer


def _routed(caller: TrunkCaller) -> None:
    """The request goes to the outbound proxy though the address names another host; Record-Route is kept in order."""
    (invite,), (ack,), (bye,) = (caller.requests(method) for method in ("INVITE", "ACK", "BYE"))
    assert invite.startswith("INVITE sip:+74951234567@operator.example SIP/2.0") and text_of(invite, "Route") == ""
    for text in (ack, bye):
        assert text.split()[1] == "sip:gateway@192.0.2.77:5099"
        assert [host for host in re.findall(r"Route: <sip:([^:;>]*)", text)] == [HOST, "far.example"]


CHECKS = {
    "forked": _forked,
    "too_small": _too_small,
    "refreshed": _refreshed,
    "routed": _routed,
}


@pytest.mark.parametrize("scenario", CHECKS)
def test_stands_until_hung_up(operator: Operator, caller: TrunkCaller, scenario: str) -> None:
    """The scenario says what happens meanwhile."""
    sipp = operator(scenario)
    key = call(caller, sipp)
    caller.until_told("established", key)
    caller.run(4.5 if scenario == "refreshed" else 0.3)
    assert [told[0] for told in caller.told if told[0] != "ringing"] == ["established"]
    caller.calls.hang_up(key)
    done(caller, sipp)
    CHECKS[scenario](caller)
    assert caller.over(key) == ("ended", key, "us", "hung up", None)


def test_lost_acks(operator: Operator, caller: TrunkCaller) -> None:
    """His 200 is repeated until he has our ACK; each time goes the very same one."""
    sipp = operator("repeated_answer")
    caller.lose = lambda text: text.startswith("ACK") and len(caller.requests("ACK")) <= 2
    key = call(caller, sipp)
    caller.until_told("established", key)
    caller.until(lambda: len(caller.requests("ACK")) == 3, "three ACKs")
    caller.run(0.2)
    caller.calls.hang_up(key)
    done(caller, sipp)
    assert len(caller.requests("ACK")) == 3 and len(set(caller.requests("ACK"))) == 1
    assert [told[0] for told in caller.told] == ["established", "ended"]


def test_answered_while_we_cancel(operator: Operator, caller: TrunkCaller) -> None:
    sipp = operator("answer_after_cancel")
    key = call(caller, sipp)
    caller.until_told("ringing", key)
    caller.calls.hang_up(key)
    done(caller, sipp)
    assert caller.over(key) == ("ended", key, "us", "hung up", None)
    assert [told[0] for told in caller.told] == ["ringing", "ended"]


def test_reliable_provisional_responses(operator: Operator, caller: TrunkCaller) -> None:
    """100rel is not offered; who may not do without gets it, and a PRACK for each. His 200 then needs no SDP."""
    sipp = operator("reliable")
    key = call(caller, sipp)
    caller.until_told("established", key)
    caller.calls.hang_up(key)
    done(caller, sipp)
    invites = caller.requests("INVITE")
    assert "100rel" not in invites[0] and "Supported: 100rel" in invites[1]
    assert [told[2] for told in caller.told if told[0] == "ringing"] == [180, 183]
    assert [text_of(text, "RAck") for text in caller.requests("PRACK")] == ["7 2 INVITE", "8 2 INVITE"]
    assert text_of(caller.requests("BYE")[0], "CSeq") == "5 BYE"


def test_held_asked_and_told_a_key(operator: Operator, caller: TrunkCaller) -> None:
    sipp = operator("hold")
    key = call(caller, sipp)
    assert caller.over(key) == ("ended", key, "them", "completed elsewhere", 31)
    assert caller.keys(key) == "7"
    done(caller, sipp)


def test_hung_up_in_a_prompt(operator: Operator, caller: TrunkCaller, tmp_path: Path) -> None:
    sipp = operator("bye_in_prompt")
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(b"\x55" * 80000)
    key = call(caller, sipp)
    caller.until_told("established", key)
    report = caller.result(caller.calls.play(key, [prompt]))
    assert not report.finished and 200 < report.heard_ms < 5000
    assert caller.over(key) == ("ended", key, "them", "Normal call clearing", 16)
    done(caller, sipp)


@pytest.mark.parametrize("caller", [{"silent_peer_s": 2.0}], indirect=True)
def test_no_rtp_at_all(operator: Operator, caller: TrunkCaller) -> None:
    sipp = operator("answer")
    key = call(caller, sipp)
    caller.until_told("established", key)
    assert caller.over(key) == ("ended", key, "fault", "no RTP from the peer for 2 s", None)
    done(caller, sipp)


def test_a_session_that_they_do_not_refresh(operator: Operator, caller: TrunkCaller) -> None:
    sipp = operator("expired")
    key = call(caller, sipp)
    assert caller.over(key) == ("ended", key, "fault", "session timer ran out", None)
    done(caller, sipp)


@pytest.mark.parametrize(("service", "known"), [("2000", True), ("anybody", True), ("anybody", False)])
def test_calls_that_come_in(operator: Operator, caller: TrunkCaller, service: str, known: bool) -> None:
    """Refused with the trunk's code, by its user or by where they come from; a stranger's with another."""
    caller.open(trunk(9, host=HOST if known else "192.0.2.1"))
    sipp = operator("calls_us" if known else "strange", "-s", service, remote=f"{HOST}:{caller.port}")
    done(caller, sipp)
    assert caller.told == []
    assert "Allow: INVITE, ACK, CANCEL, BYE" in caller.sent[0]


def test_nobody_there(caller: TrunkCaller) -> None:
    """No connection: nothing was sent, and that is told at once."""
    caller.open(trunk(1, transport="tcp"))
    key = caller.calls.call("t", "100")
    name, _, code, reason, *_ = caller.over(key)
    assert (name, code) == ("refused", 0) and reason.startswith("no connection to 127.0.0.1:1: ")
    with pytest.raises(DialFailed):
        caller.calls.call("t", "me")
