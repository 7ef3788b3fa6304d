"""REFER inside a call: every pair of its table, every way in which a peer may take it, and what must not be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sip_peer import Peer, field, standing

from protocols.errors import LocalProtocolError
from protocols.sip.events import Ended, Event, ReferDone, ReferFailed
from protocols.sip.refer import LIMIT_S, TABLE, UNTOLD_S, Do, Happening, State, status_of
from protocols.sip.user_agent import Account, UserAgent

OPERATOR = "sip:201@192.0.2.9"
ACCOUNT = Account("301", "pw", "pbx")


@pytest.fixture
def peer(wire: Any, alice: UserAgent) -> Peer:
    return Peer(wire, alice)


class Referring:
    """A call from the peer that stands, with a REFER of ours in it."""

    def __init__(self, peer: Peer) -> None:
        self.peer, self.seq = peer, 10
        self.call, self.tag = standing(peer)
        peer.agent.refer(self.call, OPERATOR, ACCOUNT, peer.wire.now)
        (self.refer,) = peer.taken()

    def answer(self, code: int, more: str = "") -> None:
        self.peer.respond(self.refer, code, more=more)

    def notify(self, body: str, state: str = "active;expires=60", event: str = "refer") -> int:
        """The code that we answer."""
        self.seq += 1
        more = f"Event: {event}\nSubscription-State: {state}\nContent-Type: message/sipfrag;version=2.0"
        self.peer.request("NOTIFY", self.seq, tag=self.tag, more=more, body=body)
        (code,) = self.peer.codes()
        return code

    def bye(self) -> None:
        self.peer.request("BYE", 99, tag=self.tag)
        assert self.peer.codes() == [200]

    def told(self) -> list[Event]:
        events: list[Event] = self.peer.wire.told(self.peer.agent)
        return events


@pytest.fixture
def referring(peer: Peer) -> Referring:
    return Referring(peer)


def test_what_is_sent(referring: Referring) -> None:
    """RFC 3515 section 2: in the dialog, one Refer-To, a Contact; and who refers (RFC 3892)."""
    text = referring.refer
    assert text.startswith("REFER sip:100@192.0.2.9:5070 SIP/2.0")
    assert field(text, "Refer-To") == "<sip:201@192.0.2.9>"
    assert field(text, "Referred-By") == "<sip:301@127.0.0.1:5061>"
    assert field(text, "Contact") == "<sip:301@127.0.0.1:5061>"
    assert (field(text, "Call-ID"), field(text, "CSeq")) == ("x@peer", "1 REFER")
    assert field(text, "From").endswith(f";tag={referring.tag}")


def test_as_the_standard_has_it(referring: Referring) -> None:
    """202, NOTIFY 100, NOTIFY 200: done once, and a BYE after it is the end of the call."""
    referring.answer(202)
    assert referring.notify("SIP/2.0 100 Trying\r\n") == 200
    assert referring.notify("SIP/2.0 180 Ringing\r\n", event="refer;id=1") == 200
    assert referring.told() == []
    assert referring.notify("SIP/2.0 200 OK\r\n", "terminated;reason=noresource") == 200
    assert referring.told() == [ReferDone(referring.call)]
    assert referring.notify("SIP/2.0 603 Decline\r\n", "terminated") == 200
    referring.bye()
    (ended,) = referring.told()
    assert isinstance(ended, Ended) and ended.by_them


@pytest.mark.parametrize(
    "body", ["SIP/2.0 486 Busy Here\r\n", "SIP/2.0 486 Busy Here", "\r\nSIP/2.0 486 Busy Here\r\nTo: <sip:x>\r\n"]
)
def test_a_destination_that_is_busy(referring: Referring, body: str) -> None:
    """The call goes on, and another REFER may follow, meant by its own id."""
    referring.answer(202)
    referring.notify("SIP/2.0 100 Trying")
    assert referring.notify(body, "terminated;reason=noresource") == 200
    assert referring.told() == [ReferFailed(referring.call, 486, "Busy Here")]
    referring.peer.agent.refer(referring.call, OPERATOR, ACCOUNT, referring.peer.wire.now)
    (again,) = referring.peer.taken()
    assert field(again, "CSeq") == "2 REFER"
    assert referring.notify("SIP/2.0 200 OK", event="refer;id=1") == 481
    assert referring.told() == []
    assert referring.notify("SIP/2.0 200 OK", event="refer;id=2") == 200
    assert referring.told() == [ReferDone(referring.call)]


@pytest.mark.parametrize("code", [302, 403, 405, 481, 491, 501, 603])
def test_refused(referring: Referring, code: int) -> None:
    """The other side is still with us: the call stands, and it is us who end it."""
    referring.answer(code)
    assert referring.told() == [ReferFailed(referring.call, code, "Whatever")]
    referring.peer.agent.hang_up(referring.call, referring.peer.wire.now)
    assert referring.peer.heads()[0].startswith("BYE")


@pytest.mark.parametrize("code", [401, 407])
def test_challenged(referring: Referring, code: int) -> None:
    """Also in a call that was theirs the extension proves itself; the NOTIFYs mean the REFER that was accepted."""
    asking, answering = {401: ("WWW", "Authorization"), 407: ("Proxy", "Proxy-Authorization")}[code]
    referring.answer(code, f'{asking}-Authenticate: Digest realm="r", nonce="n1", qop="auth"')
    (again,) = referring.peer.taken()
    assert field(again, "CSeq") == "2 REFER"
    assert 'username="301"' in field(again, answering)
    referring.peer.respond(again, 202)
    assert referring.notify("SIP/2.0 200 OK", event="refer;id=1") == 481
    assert referring.notify("SIP/2.0 200 OK", event="refer;id=2") == 200
    assert referring.told() == [ReferDone(referring.call)]


def test_a_wrong_password(referring: Referring) -> None:
    referring.answer(401, 'WWW-Authenticate: Digest realm="r", nonce="n1"')
    (again,) = referring.peer.taken()
    referring.peer.respond(again, 401, more='WWW-Authenticate: Digest realm="r", nonce="n2"')
    assert referring.told() == [ReferFailed(referring.call, 401, "Whatever")]


def test_a_peer_that_says_bye_instead_of_the_last_word(referring: Referring) -> None:
    """It has agreed and takes us out of the call: done, and then ended."""
    referring.answer(202)
    referring.bye()
    done, ended = referring.told()
    assert done == ReferDone(referring.call) and isinstance(ended, Ended)


def test_a_bye_of_a_peer_that_has_told_of_the_ringing(referring: Referring) -> None:
    """It would have told of the answer too: its party has hung up, and only that is told."""
    referring.answer(202)
    referring.notify("SIP/2.0 100 Trying")
    referring.notify("SIP/2.0 180 Ringing")
    referring.bye()
    (ended,) = referring.told()
    assert isinstance(ended, Ended)


def test_a_peer_that_hangs_up_before_it_has_agreed(referring: Referring) -> None:
    """Only the end is told; a late 202 changes nothing."""
    referring.bye()
    (ended,) = referring.told()
    assert isinstance(ended, Ended)
    referring.answer(202)
    assert referring.told() == []


def test_the_notify_overtakes_the_202(referring: Referring) -> None:
    assert referring.notify("SIP/2.0 100 Trying") == 200
    referring.answer(202)
    referring.peer.wire.run(40.0)
    assert referring.told() == [] and referring.peer.taken() == []
    referring.notify("SIP/2.0 200 OK")
    assert referring.told() == [ReferDone(referring.call)]


def test_a_refer_that_nobody_answers(referring: Referring) -> None:
    referring.peer.wire.run(33.0)
    assert referring.told() == [ReferFailed(referring.call, 408, "no answer to REFER")]
    assert {head.split(" ")[0] for head in referring.peer.heads()} == {"REFER"}


def test_no_last_word_within_the_limit(referring: Referring) -> None:
    """It fails, the call stands; what comes after is answered and changes nothing."""
    referring.answer(202)
    referring.notify("SIP/2.0 180 Ringing")
    referring.peer.wire.run(LIMIT_S - 1)
    assert referring.told() == []
    referring.peer.wire.run(2.0)
    assert referring.told() == [ReferFailed(referring.call, 408, "no word of what became of the REFER")]
    assert referring.notify("SIP/2.0 200 OK") == 200
    assert referring.told() == []


@pytest.mark.parametrize("body", ["SIP/2.0 100 Trying", ""])
def test_a_peer_that_ends_the_subscription_without_a_word(peer: Peer, body: str) -> None:
    """Nothing more comes but perhaps a BYE, and that soon."""
    for leaves in (True, False):
        referring = Referring(peer)
        referring.answer(202)
        assert referring.notify(body, "terminated;reason=noresource") == 200
        assert referring.told() == []
        if leaves:
            referring.bye()
            assert referring.told()[0] == ReferDone(referring.call)
        else:
            peer.wire.run(UNTOLD_S + 1)
            assert referring.told() == [ReferFailed(referring.call, 408, "no word of what became of the REFER")]
        peer.wire.run(40.0)
        peer.taken()


def test_hanging_up_while_it_goes_on(referring: Referring) -> None:
    """The end of the call is all that is told; neither a timer nor a challenge brings the REFER back."""
    referring.peer.agent.hang_up(referring.call, referring.peer.wire.now)
    referring.answer(401, 'WWW-Authenticate: Digest realm="r", nonce="n1"')
    assert [head.split(" ")[0] for head in referring.peer.heads()] == ["BYE"]
    referring.peer.wire.run(LIMIT_S + 1)
    (ended,) = referring.told()
    assert isinstance(ended, Ended)


@pytest.mark.parametrize(
    ("event", "content", "body", "code"),
    [
        ("", "message/sipfrag", "SIP/2.0 200 OK", 489),
        ("message-summary", "message/sipfrag", "SIP/2.0 200 OK", 489),
        ("REFER ; id=1", "message/sipfrag", "SIP/2.0 100 Trying", 200),
        ("refer;id=9", "message/sipfrag", "SIP/2.0 200 OK", 481),
        ("refer", "text/plain", "SIP/2.0 200 OK", 415),
        ("refer", "message/sipfrag", "all went well", 400),
        ("refer", "message/sipfrag", "SIP/2.0 999 What", 400),
        ("refer", "message/sipfrag", "SIP/2.0 2000 What", 400),
    ],
)
def test_notifies_that_say_nothing(referring: Referring, event: str, content: str, body: str, code: int) -> None:
    """Answered as they should be, and nothing is told."""
    referring.answer(202)
    more = f"Event: {event}\nSubscription-State: active\nContent-Type: {content}"
    referring.peer.request("NOTIFY", 2, tag=referring.tag, more=more, body=body)
    (response,) = referring.peer.taken()
    assert int(response.split(" ")[1]) == code and referring.told() == []
    assert field(response, "Allow-Events") == ("refer" if code == 489 else "")


def test_the_compact_forms(referring: Referring) -> None:
    referring.answer(202)
    more = "o: refer\nSubscription-State: terminated\nc: message/sipfrag"
    referring.peer.request("NOTIFY", 2, tag=referring.tag, more=more, body="SIP/2.0 200 OK")
    assert referring.told() == [ReferDone(referring.call)]


def test_when_it_makes_no_sense(peer: Peer) -> None:
    """Nothing is sent before the call stands, while a REFER is open, after the end, or to what is no address."""
    agent, wire = peer.agent, peer.wire
    call = agent.invite("sip:9@x", from_user="301", destination=("192.0.2.9", 5070), sdp=b"v=0\r\n", now=wire.now)
    with pytest.raises(LocalProtocolError, match="cannot refer"):
        agent.refer(call, OPERATOR, None, wire.now)
    referring = Referring(peer)
    with pytest.raises(LocalProtocolError, match="another REFER"):
        agent.refer(referring.call, OPERATOR, None, wire.now)
    referring.answer(403)
    for target in ("201", "sip:201@x>\r\nX: y", "mailto:a@b"):
        with pytest.raises(LocalProtocolError):
            agent.refer(referring.call, target, None, wire.now)
    referring.bye()
    with pytest.raises(LocalProtocolError, match="over"):
        agent.refer(referring.call, OPERATOR, None, wire.now)
    assert peer.taken() == []
    agent.hang_up(call, wire.now)


def test_the_table_is_whole() -> None:
    """Nothing leaves OVER; every other state can be left by the time or by an answer, and only ends are told."""
    assert not [pair for pair in TABLE if pair[0] is State.OVER]
    for state in (State.ACCEPTED, State.FOLLOWED, State.UNTOLD):
        assert TABLE[state, Happening.LATE] == (Do.FAIL, State.OVER)
    for state in (State.ACCEPTED, State.UNTOLD):
        assert TABLE[state, Happening.BYE] == (Do.DONE, State.OVER)
    assert (State.ASKING, Happening.BYE) not in TABLE
    for do, state in TABLE.values():
        assert (state is State.OVER) == (do in (Do.DONE, Do.FAIL))


@given(st.binary(max_size=40) | st.binary(max_size=12).map(b"SIP/2.0 ".__add__))
def test_any_sipfrag(octets: bytes) -> None:
    found = status_of(octets)
    assert found is None or 100 <= found[0] < 700


STEPS = ("202", "403", "notify 100", "notify 180", "notify 200", "notify 486", "notify end", "bye", "hang up", "time")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STEPS), max_size=6))
def test_any_history(wire: Any, history: list[str]) -> None:
    """One word on the REFER at most, none after the end of the call; nothing is left behind."""
    agent = UserAgent("127.0.0.1", 5061, token=iter(f"t{number}" for number in range(10_000)).__next__)
    wire.agents = {("127.0.0.1", 5061): agent}
    wire.events = {("127.0.0.1", 5061): []}
    referring = Referring(Peer(wire, agent))
    events: list[Event] = []
    for step in history:
        match step.split():
            case ["202" | "403" as code]:
                referring.answer(int(code))
            case ["notify", "end"]:
                referring.notify("", "terminated")
            case ["notify", code]:
                referring.notify(f"SIP/2.0 {code} So")
            case ["bye"]:
                referring.peer.request("BYE", 99, tag=referring.tag)
            case ["hang", _]:
                agent.hang_up(referring.call, wire.now)
            case _:
                wire.run(40.0)
        referring.peer.taken()
        events += referring.told()
    agent.hang_up(referring.call, wire.now)
    wire.run(LIMIT_S + 40)
    events += referring.told()
    words = [event for event in events if isinstance(event, ReferDone | ReferFailed)]
    assert len(words) <= 1
    assert [type(event) for event in events].count(Ended) == 1 and isinstance(events[-1], Ended)
    assert agent.at_rest and agent.next_timeout() is None
