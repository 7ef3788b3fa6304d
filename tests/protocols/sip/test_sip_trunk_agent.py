"""A user agent against an operator written out by hand: TCP, lost connections, session timers, PRACK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sip_peer import PEER, SDP, Peer, field, standing

from protocols.sip.core import TCP
from protocols.sip.events import Answered, Ended, Reanswered, Refused, Registered, RegistrationFailed, Ringing
from protocols.sip.user_agent import Account, UserAgent

OPERATOR = TCP(*PEER)
GW = "Contact: <sip:gw@192.0.2.9:5070>"


@pytest.fixture
def peer(wire: Any, alice: UserAgent) -> Iterator[Peer]:
    yield Peer(wire, alice)


class Caller:
    """A call of ours, and what came of it."""

    def __init__(self, peer: Peer, tcp: bool = False, **more: Any) -> None:
        self.peer, self.source = peer, OPERATOR if tcp else PEER
        self.key = peer.agent.invite(
            "sip:+74951234501@trunk.example",
            from_user="301", destination=self.source, sdp=b"v=0\r\nours", now=peer.wire.now, **more,
        )  # fmt: skip
        self.invite = peer.taken()[-1]

    def told(self) -> list[Any]:
        return list(self.peer.wire.told(self.peer.agent))

    def stand(self, *more: str) -> None:
        self.peer.respond(self.invite, 200, more="\n".join([GW, SDP, *more]), body="v=0\r\n")
        assert [type(event) for event in self.told()] == [Answered]
        assert self.peer.heads()[0].startswith("ACK")


def from_callee(
    peer: Peer, invite: str, method: str, seq: int, more: str = "", body: str = "", tag: str = "pt"
) -> None:
    peer.send(
        f"""{method} sip:301@127.0.0.1:5061 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{method}{seq}{tag}
From: {field(invite, "To")};tag={tag}
To: {field(invite, "From")}
Call-ID: {field(invite, "Call-ID")}
CSeq: {seq} {method}
{GW}
{more}""".strip(),
        body,
    )


# TCP


def test_nothing_is_sent_again_over_tcp(peer: Peer) -> None:
    """No timer A or E; B and F still say that nobody answers. The Via and Contact name TCP."""
    caller = Caller(peer, tcp=True)
    assert field(caller.invite, "Via").startswith("SIP/2.0/TCP 127.0.0.1:5061;")
    assert field(caller.invite, "Contact") == "<sip:301@127.0.0.1:5061;transport=tcp>"
    peer.wire.run(31.9)
    assert peer.taken() == [] and caller.told() == []
    peer.wire.run(0.2)
    (refused,) = caller.told()
    assert (refused.code, refused.made_here, refused.unsent) == (408, True, False)


def test_a_refusal_over_tcp_is_not_waited_for_again(peer: Peer) -> None:
    """Timers D and K are 0: no transaction is kept for what can't come again."""
    caller = Caller(peer, tcp=True)
    peer.respond(caller.invite, 486)
    assert peer.heads() == ["ACK sip:+74951234501@trunk.example SIP/2.0"]
    peer.wire.run(0.0)
    assert peer.agent._core.clients == {} and peer.agent.next_timeout() is None


def test_in_the_dialog_it_stays_with_tcp(peer: Peer) -> None:
    """Unless the Contact names another transport."""
    caller = Caller(peer, tcp=True)
    caller.stand()
    assert isinstance(peer.agent._book.calls[caller.key].dialog.next_hop(), TCP)
    other = Caller(peer, tcp=True)
    peer.respond(other.invite, 200, more="Contact: <sip:gw@192.0.2.9:5071;transport=UDP>\n" + SDP, body="v=0\r\n")
    hop = peer.agent._book.calls[other.key].dialog.next_hop()
    assert hop == ("192.0.2.9", 5071) and not isinstance(hop, TCP)


def test_a_lost_connection_before_any_response(peer: Peer) -> None:
    """The call has come to nothing, and whether he had it is not known; a response that comes late changes nothing."""
    caller, elsewhere = Caller(peer, tcp=True), Caller(peer)
    peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
    assert caller.told() == [Refused(caller.key, 503, "gone")]
    assert peer.taken() == []
    peer.respond(elsewhere.invite, 180)
    assert [type(event) for event in caller.told()] == [Ringing]


@pytest.mark.parametrize("answers", [True, False])
def test_a_lost_connection_while_it_rings(peer: Peer, answers: bool) -> None:
    """CANCEL goes by a new connection; an answer that comes all the same is acknowledged and hung up."""
    caller = Caller(peer, tcp=True)
    peer.respond(caller.invite, 180)
    peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
    refused = caller.told()[1]
    assert (refused.code, refused.made_here, refused.unsent) == (503, True, False)
    (cancel,) = peer.taken()
    assert cancel.startswith("CANCEL ")
    if answers:
        peer.respond(caller.invite, 200, more=GW)
        assert [head.split()[0] for head in peer.heads()] == ["ACK", "BYE"]
    assert caller.told() == []
    peer.wire.run(70.0)
    assert peer.agent._core.clients == {} and peer.agent.at_rest


def test_what_could_not_be_sent(peer: Peer) -> None:
    """Nobody can have been called; of a repetition that could not be sent nothing can be said."""
    call = peer.agent.invite("sip:1@h", from_user="301", destination=PEER, sdp=b"", now=peer.wire.now)
    ((octets, _),) = peer.agent.datagrams_to_send()
    peer.agent.undelivered(octets, "no way there", peer.wire.now)
    (refused,) = peer.wire.told(peer.agent)
    assert (refused.call, refused.made_here, refused.unsent, refused.reason) == (call, True, True, "no way there")
    repeated = Caller(peer)
    peer.wire.run(0.6)
    ((octets, _),) = peer.wire.held
    peer.agent.undelivered(peer.agent._core.clients[next(iter(peer.agent._core.clients))]._octets, "x", peer.wire.now)
    assert repeated.told() == []


def test_a_bye_that_was_lost_goes_once_more(peer: Peer) -> None:
    caller = Caller(peer, tcp=True)
    caller.stand()
    peer.agent.hang_up(caller.key, peer.wire.now)
    assert len(peer.taken()) == 1 and caller.told() == [Ended(caller.key, False, "hung up")]
    peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
    assert [head.split()[0] for head in peer.heads()] == ["BYE"] and not peer.agent.at_rest
    peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
    assert peer.taken() == [] and peer.agent.at_rest


def test_a_standing_call_outlives_its_connection(peer: Peer) -> None:
    caller = Caller(peer, tcp=True)
    caller.stand()
    peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
    peer.wire.run(60.0)
    assert caller.told() == []
    from_callee(peer, caller.invite, "BYE", 1)
    assert peer.codes() == [200] and [type(event) for event in caller.told()] == [Ended]


def test_registered_anew_after_a_loss(peer: Peer) -> None:
    """The registrar may have bound us to the connection; while a REGISTER waits it has failed."""
    agent, wire = peer.agent, peer.wire
    agent.register(Account("301", "pw", *PEER, domain="op", name="trunk", auth_user="login", tcp=True), wire.now)
    (register,) = peer.taken()
    assert field(register, "Contact") == "<sip:301@127.0.0.1:5061;transport=tcp>"
    peer.respond(register, 401, more='WWW-Authenticate: Digest realm="r", nonce="n"')
    (register,) = peer.taken()
    assert 'username="login"' in register
    peer.respond(register, 200, more="Expires: 300")
    assert wire.told(agent) == [Registered("trunk", 300)]
    agent.connection_lost(OPERATOR, "gone", wire.now)
    assert wire.told(agent) == []
    wire.run(2.0)
    (register,) = peer.taken()
    agent.connection_lost(OPERATOR, "gone", wire.now)
    assert wire.told(agent) == [RegistrationFailed("trunk", 503, "gone")]
    wire.run(2.0)
    (register,) = peer.taken()
    peer.respond(register, 200, more="Expires: 300")
    assert wire.told(agent) == [Registered("trunk", 300)]
    agent.unregister("trunk", wire.now)
    peer.taken()


# Proof


@pytest.mark.parametrize(
    ("challenge", "why"),
    [
        ('Digest realm="r", nonce="n", qop="auth-int"', "it asks for qop=auth-int, and only auth is supported"),
        ('Digest realm="r", nonce="n", algorithm=SHA-1', "it asks for the algorithm SHA-1, which is not supported"),
        ('Digest realm="r"', "its challenge has no nonce"),
        ("Basic realm=r", "it asks for basic authentication, which is not supported"),
    ],
)
def test_proof_that_we_cannot_give(peer: Peer, challenge: str, why: str) -> None:
    caller = Caller(peer, credentials=Account("301", "pw", "pbx"))
    peer.respond(caller.invite, 407, more=f"Proxy-Authenticate: {challenge}")
    (refused,) = caller.told()
    assert (refused.code, refused.reason) == (407, f"Whatever ({why})")


def test_where_the_proof_stands(peer: Peer) -> None:
    """Behind the CSeq, before what a reader looks for last."""
    caller = Caller(peer, credentials=Account("301", "pw", "pbx"), headers=[("X-A", "1"), ("X-A", "2")])
    peer.respond(caller.invite, 407, more='Proxy-Authenticate: Digest realm="r", nonce="n"')
    again = peer.taken()[1]
    names = [line.partition(":")[0] for line in again.partition("\r\n\r\n")[0].split("\r\n")[1:]]
    assert names == [
        "Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Proxy-Authorization", "Contact", "X-A", "X-A", "Allow",
        "User-Agent", "Content-Type", "Content-Length",
    ]  # fmt: skip


# Session timers


def test_a_session_timer_is_offered_and_kept(peer: Peer) -> None:
    """Who answers without one has none; one of theirs is kept though we have offered none."""
    caller = Caller(peer, session_expires_s=600)
    assert (field(caller.invite, "Session-Expires"), field(caller.invite, "Supported")) == ("600", "timer")
    caller.stand()
    assert peer.agent.next_timeout() is None or peer.wire.run(4000.0) is None
    assert caller.told() == [] and peer.taken() == []
    none = Caller(peer, session_expires_s=0)
    assert (field(none.invite, "Session-Expires"), field(none.invite, "Supported")) == ("", "timer")
    none.stand("Session-Expires: 90;refresher=uas")
    peer.wire.run(91.0)
    assert none.told() == [Ended(none.key, False, "session timer ran out", {}, True)]


@pytest.mark.parametrize("code", [408, 481])
def test_a_refresh_that_finds_nobody(peer: Peer, code: int) -> None:
    caller = Caller(peer, session_expires_s=90)
    caller.stand("Allow: UPDATE", "Session-Expires: 90;refresher=uac")
    peer.wire.run(45.0)
    peer.respond(peer.taken()[0], code)
    assert caller.told() == [Ended(caller.key, False, f"{code} Whatever", {}, True)]


def test_a_refresh_that_is_not_answered(peer: Peer) -> None:
    caller = Caller(peer, session_expires_s=90)
    caller.stand("Allow: UPDATE", "Session-Expires: 90;refresher=uac")
    peer.wire.run(45.0 + 32.1)
    assert caller.told() == [Ended(caller.key, False, "no answer to the refresh of the session", {}, True)]


def test_a_refresh_by_other_means(peer: Peer) -> None:
    """405 to UPDATE: then by re-INVITE, the session as it is; 491 and 500 are tried again; 422 asks for longer."""
    caller = Caller(peer, session_expires_s=90)
    caller.stand("Allow: UPDATE", "Session-Expires: 90;refresher=uac")
    peer.wire.run(45.0)
    peer.respond(peer.taken()[0], 405)
    (first,) = peer.taken()
    assert first.startswith("INVITE ") and first.endswith("v=0\r\nours")
    peer.respond(first, 491)
    peer.taken()
    peer.wire.run(2.0)
    assert peer.taken() == []
    peer.wire.run(2.1)
    second = peer.taken()[0]
    peer.respond(second, 500)
    peer.taken()
    peer.wire.run(10.0)
    third = peer.taken()[0]
    peer.respond(third, 422, more="Min-SE: 180")
    fourth = peer.taken()[1]
    assert field(fourth, "Session-Expires") == "180;refresher=uac" and field(fourth, "Min-SE") == "180"
    peer.respond(fourth, 200, more=f"{GW}\n{SDP}\nSession-Expires: 180;refresher=uas", body="v=0\r\ntheirs")
    assert caller.told() == [Reanswered(caller.key, b"v=0\r\ntheirs")]
    peer.taken()
    peer.wire.run(179.0)
    assert caller.told() == [] and peer.taken() == []
    peer.wire.run(2.0)
    assert [type(event) for event in caller.told()] == [Ended]


def test_a_refresh_waits_for_their_offer(peer: Peer) -> None:
    """While they offer we don't; and a refresh whose connection breaks is sent again."""
    caller = Caller(peer, session_expires_s=90)
    caller.stand("Session-Expires: 90;refresher=uac")
    peer.wire.run(44.0)
    from_callee(peer, caller.invite, "INVITE", 1, SDP, "v=0\r\nhold")
    peer.taken()
    caller.told()
    peer.wire.run(5.0)
    assert [head.split()[0] for head in peer.heads()] == []
    peer.agent.answer_offer(caller.key, b"v=0\r\nheld", peer.wire.now)
    from_callee(peer, caller.invite, "ACK", 1)
    peer.taken()
    peer.wire.run(3700.0)
    assert caller.told() == [] and peer.taken() == []  # their re-INVITE has ended the timer: it asked for none


def test_a_refresh_whose_connection_breaks(peer: Peer) -> None:
    for allow in ("Allow: UPDATE", "Allow: INVITE"):
        caller = Caller(peer, tcp=True, session_expires_s=90)
        caller.stand(allow, "Session-Expires: 90;refresher=uac")
        peer.wire.run(45.0)
        assert len(peer.taken()) == 1
        peer.agent.connection_lost(OPERATOR, "gone", peer.wire.now)
        peer.wire.run(9.9)
        assert peer.taken() == [] and caller.told() == []
        peer.wire.run(0.2)
        (again,) = peer.taken()
        peer.respond(again, 200, more=f"{GW}\nSession-Expires: 90;refresher=uac")
        peer.agent.hang_up(caller.key, peer.wire.now)
        peer.respond(peer.taken()[-1], 200)
        caller.told()


def test_422_that_makes_no_sense(peer: Peer) -> None:
    """Asked again with more only, and not for ever."""
    caller = Caller(peer, session_expires_s=600)
    invite, least_s = caller.invite, 700
    for _ in range(3):
        peer.respond(invite, 422, more=f"Min-SE: {least_s}")
        invite, least_s = peer.taken()[1], least_s + 100
    peer.respond(invite, 422, more=f"Min-SE: {least_s}")
    assert [event.code for event in caller.told()] == [422]
    for header in ("Min-SE: 600", "Min-SE: 999999", "X: y"):
        other = Caller(peer, session_expires_s=600)
        peer.respond(other.invite, 422, more=header)
        assert [event.code for event in other.told()] == [422]


def test_the_other_side_takes_the_refreshing_over(peer: Peer) -> None:
    """A re-INVITE or UPDATE of theirs says who refreshes from now on."""
    _, tag = standing(peer, "Supported: timer\nSession-Expires: 90;refresher=uas")
    peer.request("UPDATE", 2, tag=tag, more="Supported: timer\nSession-Expires: 90;refresher=uac")
    assert field(peer.taken()[0], "Session-Expires") == "90;refresher=uac"
    peer.wire.run(89.0)
    assert peer.taken() == []
    peer.request("UPDATE", 3, tag=tag, more="Supported: timer\nSession-Expires: 120;refresher=uas")
    assert field(peer.taken()[0], "Session-Expires") == "120;refresher=uas"
    peer.wire.run(60.0)
    assert peer.taken()[0].startswith("INVITE ")
    assert peer.wire.told(peer.agent) == []


# Before the answer


RELIABLE = f"Require: 100rel\nRSeq: {{}}\n{GW}"


def test_prack(peer: Peer) -> None:
    """Each reliable provisional response is acknowledged and told once, in order; the numbers go on into the call."""
    caller = Caller(peer)
    assert "100rel" not in caller.invite
    peer.respond(caller.invite, 183, more=RELIABLE.format(5))
    (prack,) = peer.taken()
    assert prack.startswith("PRACK sip:gw@192.0.2.9:5070 ") and field(prack, "RAck") == "5 1 INVITE"
    peer.respond(caller.invite, 183, more=RELIABLE.format(5))
    peer.respond(caller.invite, 180, more=RELIABLE.format(7))
    assert peer.taken() == []
    peer.respond(prack, 407, more='Proxy-Authenticate: Digest realm="r", nonce="n"')
    peer.respond(caller.invite, 180, more=RELIABLE.format(6))
    (second,) = peer.taken()
    assert field(second, "RAck") == "6 1 INVITE"
    for odd in ("Require: 100rel\nRSeq: x", "Require: 100rel", "RSeq: 7", "Require: 100rel\nRSeq: 1\nContact: <"):
        peer.respond(caller.invite, 180, more=odd, tag="odd" + str(len(odd)))
    assert peer.taken() == []
    assert [event.code for event in caller.told()][:2] == [183, 180]
    peer.respond(prack, 200)
    peer.respond(second, 200)
    peer.respond(caller.invite, 200, more=GW)
    assert field(peer.taken()[0], "CSeq") == "1 ACK"
    peer.agent.hang_up(caller.key, peer.wire.now)
    (bye,) = peer.taken()
    assert field(bye, "CSeq") == "4 BYE"
    peer.respond(bye, 200)


def test_421(peer: Peer) -> None:
    """Who may not do without 100rel gets it, once; any other demand is a refusal."""
    caller = Caller(peer, session_expires_s=0)
    peer.respond(caller.invite, 421, more="Require: 100rel")
    again = peer.taken()[1]
    assert field(again, "Supported") == "timer | 100rel" and field(again, "CSeq") == "2 INVITE"
    peer.respond(again, 421, more="Require: 100rel")
    assert [event.code for event in caller.told()] == [421]
    other = Caller(peer)
    peer.respond(other.invite, 421, more="Require: precondition")
    assert [event.code for event in other.told()] == [421]


@pytest.mark.parametrize(
    ("method", "more", "body", "code"),
    [
        ("UPDATE", "", "", 200),
        ("UPDATE", SDP, "v=0\r\n", 491),
        ("INVITE", SDP, "v=0\r\n", 491),
        ("INFO", "", "", 200),
        ("INFO", "Content-Type: text/plain", "x", 415),
        ("OPTIONS", "", "", 200),
        ("MESSAGE", "", "", 405),
        ("BYE", "", "", 481),
        ("X", "", "", 501),
    ],
)
def test_requests_before_the_answer(peer: Peer, method: str, more: str, body: str, code: int) -> None:
    caller = Caller(peer)
    peer.respond(caller.invite, 180, more=GW)
    from_callee(peer, caller.invite, method, 1, more, body)
    assert peer.codes()[-1] == code
    if method == "INVITE":
        from_callee(peer, caller.invite, "ACK", 1)
    if code != 481:
        from_callee(peer, caller.invite, "NOTIFY", 1)
        assert peer.codes() == [500]  # its number is not higher
    from_callee(peer, caller.invite, "OPTIONS", 2, tag="nobody")
    assert peer.codes() == [481]
    peer.respond(caller.invite, 486)
    peer.taken()
    from_callee(peer, caller.invite, "OPTIONS", 3)
    assert peer.codes()[-1] == 481 and [type(event) for event in caller.told()] == [Ringing, Refused]
    assert peer.agent.at_rest


def test_forks_that_ring_are_forgotten_with_the_answer(peer: Peer) -> None:
    caller = Caller(peer)
    for tag in ("one", "two"):
        peer.respond(caller.invite, 180, more=GW, tag=tag)
    peer.respond(caller.invite, 200, more=GW, tag="two")
    assert [dialog[2] for dialog in peer.agent._book.dialogs] == ["two"]


def test_glare(peer: Peer) -> None:
    """Both offer at once: theirs is refused with 491 and so is ours; the session goes on."""
    caller = Caller(peer)
    caller.stand()
    peer.agent.reoffer(caller.key, b"v=0\r\nanew", peer.wire.now)
    (ours,) = peer.taken()
    from_callee(peer, caller.invite, "INVITE", 1, SDP, "v=0\r\n")
    assert peer.codes() == [491]
    from_callee(peer, caller.invite, "ACK", 1)
    peer.respond(ours, 491)
    assert [type(event).__name__ for event in caller.told()] == ["ReofferRefused"]
