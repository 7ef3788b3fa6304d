"""What a SIP operator's answers become on their way through a real Asterisk: SIPp refuses, rings, answers, hangs up."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peers
import pytest
from asterisk_process import PrivateAsterisk
from peer_process import Sipp, free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from asterisk_bench import DIALPLAN, MANAGER, AsteriskBench
from asterisk_fake import FakeSound
from gateway_bench import Listener

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy

NUMBER = "+74951234501"


def response(line: str, *headers: str, body: str = "") -> str:
    return "\n".join(
        [
            "<send><![CDATA[",
            f"SIP/2.0 {line}",
            "Via:[$via]",
            "[last_From:]",
            "To:[$to];tag=[call_number]",
            "[last_Call-ID:]",
            "CSeq:[$cseq]",
            *headers,
            "Content-Length: [len]",
            "",
            body,
            "]]></send>",
        ]
    )


#: A 200 to whatever request came last.
OK = "\n".join(
    [
        "<send><![CDATA[",
        "SIP/2.0 200 OK",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:]",
        "[last_Call-ID:]",
        "[last_CSeq:]",
        "Content-Length: 0",
        "",
        "]]></send>",
    ]
)
SDP = """v=0
o=peer 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""
RINGING = response("180 Ringing")
ANSWER = response("200 OK", "Contact: <sip:peer@[local_ip]:[local_port]>", "Content-Type: application/sdp", body=SDP)
BYE = "\n".join(
    [
        '<send retrans="500"><![CDATA[',
        "BYE [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From:[$to];tag=[call_number]",
        "To:[$from]",
        "[last_Call-ID:]",
        "CSeq: 1 BYE",
        "Content-Length: 0",
        "",
        "]]></send>",
        '<recv response="200"/>',
    ]
)


def scenario(*steps: str) -> str:
    kept = "".join(
        f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{name}"/>'
        for header, name in (("Via", "via"), ("To", "to"), ("CSeq", "cseq"), ("From", "from"))
    )
    first = f'<recv request="INVITE" rrs="true"><action>{kept}</action></recv>'
    used = '<Reference variables="via,to,cseq,from"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="operator">{first}{"".join(steps)}{used}</scenario>'


def request(name: str) -> str:
    return f'<recv request="{name}"/>'


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PrivateAsterisk, int]]:
    """An Asterisk whose trunk goes to a port of ours."""
    peers.require("asterisk", "sipp")
    port = free_port()
    running = PrivateAsterisk.start(
        tmp_path_factory.mktemp("trunk"),
        extra_dialplan=DIALPLAN,
        manager=MANAGER,
        extra_pjsip=f"[open]\ntype = aor\ncontact = sip:127.0.0.1:{port}\n\n[open]\ntype = endpoint\n"
        "aors = open\ndisallow = all\nallow = alaw\n",
        ports={"callee": f"127.0.0.1:{port}"},
    )
    yield running, port
    running.stop()


@pytest.fixture(scope="module")
def tells_the_status(switch: tuple[PrivateAsterisk, int]) -> bool:
    """Hangup has TechCause: not yet in Asterisk 16."""
    found = re.search(r"Asterisk (\d+)", switch[0].cli("core show version"))
    assert found is not None
    return int(found[1]) >= 22


#: What becomes of an answer of which only Asterisk's own cause is told.
WITHOUT_THE_STATUS = {"403": Cause.REJECTED, "487": Cause.UNREACHABLE}


@contextmanager
def started(asterisk: PrivateAsterisk, channel: str) -> Iterator[AsteriskBench]:
    def sound(channel_id: str) -> FakeSound:
        return FakeSound(made.reactor, channel_id)

    made = AsteriskBench(asterisk, make_sound=sound, channel=channel, rest_after_fault_s=0)
    made.start()
    yield made
    made.close()


@pytest.fixture
def bench(switch: tuple[PrivateAsterisk, int]) -> Iterator[AsteriskBench]:
    with started(switch[0], "PJSIP/{number}@trunk") as made:
        yield made


Operator = Callable[..., Sipp]


@pytest.fixture
def operator(switch: tuple[PrivateAsterisk, int], tmp_path: Path) -> Iterator[Operator]:
    running: list[Sipp] = []

    def start(*steps: str) -> Sipp:
        running.append(Sipp.start(tmp_path / "sipp", scenario(*steps), port=switch[1]))
        return running[-1]

    yield start
    for sipp in running:
        sipp.stop()


def place(bench: AsteriskBench, ring_timeout_s: float = 20.0, caller_id: str | None = None) -> Listener:
    listener = Listener()
    listener.call = bench.gateway.place("1", NUMBER, 7, ring_timeout_s, caller_id, listener)
    return listener


def ended(bench: AsteriskBench, listener: Listener, sipp: Sipp) -> tuple[Any, ...]:
    bench.until(lambda: listener.over, "terminal report")
    bench.until(lambda: sipp.process.poll() is not None, "SIPp's end")
    sipp.wait()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports idle")
    return listener.verdict


@pytest.mark.parametrize(
    ("line", "cause", "code", "says"),
    [
        ("486 Busy Here", Cause.BUSY, "17", "486"),
        ("600 Busy Everywhere", Cause.BUSY, "17", "600"),
        ("404 Not Found", Cause.INVALID_NUMBER, "1", "404"),
        ("484 Address Incomplete", Cause.INVALID_NUMBER, "28", "484"),
        ("410 Gone", Cause.INVALID_NUMBER, "22", "410"),
        ("604 Does Not Exist Anywhere", Cause.INVALID_NUMBER, "1", "604"),
        ("603 Decline", Cause.REJECTED, "21", "603"),
        ("480 Temporarily Unavailable", Cause.NO_ANSWER, "19", "480"),
        ("408 Request Timeout", Cause.NO_ANSWER, "18", "408"),
        ("487 Request Terminated", Cause.NO_ANSWER, "127", "487"),
        ("503 Service Unavailable", Cause.UNREACHABLE, "34", "503"),
        ("500 Server Internal Error", Cause.UNREACHABLE, "38", "500"),
        ("502 Bad Gateway", Cause.UNREACHABLE, "27", "502"),
        ("504 Server Time-out", Cause.UNREACHABLE, "102", "504"),
        ("403 Forbidden", Cause.LINE_FAULT, "21", "403"),
        ("488 Not Acceptable Here", Cause.LINE_FAULT, "58", "488"),
    ],
)
@pytest.mark.parametrize("rings", [False, True])
def test_refused(
    bench: AsteriskBench,
    operator: Operator,
    tells_the_status: bool,
    line: str,
    cause: Cause,
    code: str,
    says: str,
    rings: bool,
) -> None:
    # A busy Asterisk tells nothing of a ringing that is over when it comes to it.
    sipp = operator(*([RINGING, '<pause milliseconds="500"/>'] if rings else []), response(line), request("ACK"))
    listener = place(bench)
    kind, found, native = ended(bench, listener, sipp)
    if tells_the_status:
        assert says in native.text
    else:
        cause = WITHOUT_THE_STATUS.get(says, cause)
    assert (kind, found) == ("failed", cause)
    assert native.system == "asterisk" and native.text
    assert native.code == code
    assert listener.names == (["dialing", "ringing", "failed"] if rings else ["dialing", "failed"])


def test_nobody_answers(bench: AsteriskBench, operator: Operator) -> None:
    sipp = operator(RINGING, request("CANCEL"), OK, response("487 Request Terminated"), request("ACK"))
    listener = place(bench, ring_timeout_s=1.0)
    assert ended(bench, listener, sipp)[:2] == ("failed", Cause.NO_ANSWER)


def test_hung_up_while_it_rings(bench: AsteriskBench, operator: Operator) -> None:
    sipp = operator(RINGING, request("CANCEL"), OK, response("487 Request Terminated"), request("ACK"))
    listener = place(bench)
    bench.until(lambda: "ringing" in listener.names, "ringing")
    assert listener.call is not None
    listener.call.hang_up()
    assert ended(bench, listener, sipp)[:2] == ("failed", Cause.CANCELLED)


def test_early_media_is_not_an_answer(bench: AsteriskBench, operator: Operator) -> None:
    progress = response(
        "183 Session Progress",
        "Contact: <sip:peer@[local_ip]:[local_port]>",
        "Content-Type: application/sdp",
        body=SDP,
    )
    sipp = operator(progress, '<pause milliseconds="500"/>', response("486 Busy Here"), request("ACK"))
    listener = place(bench)
    assert ended(bench, listener, sipp)[:2] == ("failed", Cause.BUSY)
    assert listener.names == ["dialing", "failed"]


def test_he_answers_and_hangs_up(bench: AsteriskBench, operator: Operator) -> None:
    sipp = operator(RINGING, ANSWER, request("ACK"), '<pause milliseconds="500"/>', BYE)
    listener = place(bench)
    assert ended(bench, listener, sipp)[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert listener.names == ["dialing", "ringing", "answered", "ended"]


def test_he_answers_and_we_hang_up(bench: AsteriskBench, operator: Operator) -> None:
    sipp = operator(ANSWER, request("ACK"), request("BYE"), OK)
    listener = place(bench)
    bench.until(lambda: "answered" in listener.names, "answered")
    assert listener.call is not None
    listener.call.hang_up()
    assert ended(bench, listener, sipp)[:3] == ("ended", Cause.NORMAL, EndedBy.US)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Firm <74950000000>", '"Firm" <sip:74950000000@'),
        ("+74950000000", "<sip:+74950000000@"),
        (None, "anonymous.invalid"),  # Asterisk's own way with a call without one
    ],
)
def test_the_caller_id_reaches_the_operator(
    switch: tuple[PrivateAsterisk, int], operator: Operator, given: str | None, shown: str
) -> None:
    """Of an endpoint that has no from_user of its own."""
    with started(switch[0], channel="PJSIP/{number}@open") as bench:
        sipp = operator(response("486 Busy Here"), request("ACK"))
        ended(bench, place(bench, caller_id=given), sipp)
        assert "INVITE sip:74951234501@" in sipp.messages()
        sender = next(line for line in sipp.messages().splitlines() if line.startswith("From:"))
        assert shown in sender


def test_an_endpoint_that_is_not_there(switch: tuple[PrivateAsterisk, int]) -> None:
    """No Hangup ever comes for it."""
    with started(switch[0], channel="PJSIP/{number}@nowhere") as bench:
        listener = place(bench)
        bench.until(lambda: listener.over, "terminal report", 5.0)
        assert listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
        assert "setting channel" in listener.verdict[2].text
