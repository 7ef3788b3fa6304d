"""One user agent against a peer written out by hand: what only a stranger would send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sip_peer import PEER, SDP, Peer, field, standing

from protocols.sip.events import (
    Answered,
    Confirmed,
    DigitInfo,
    Ended,
    Incoming,
    Malformed,
    Reanswered,
    Reoffered,
    ReofferRefused,
)
from protocols.sip.user_agent import Account, UserAgent


@pytest.fixture
def peer(wire: Any, alice: UserAgent) -> Iterator[Peer]:
    yield Peer(wire, alice)


def test_an_incoming_call_from_a_pbx(peer: Peer) -> None:
    """A host name that ends in a digit, a display name, and Record-Route returned as it came, in its order."""
    routes = "Record-Route: <sip:192.0.2.1;lr;ftag=a%b>, <sip:192.0.2.2:5080;lr=on>\nRecord-Route: <sip:192.0.2.3;lr>"
    peer.request("INVITE", 1, more=f"{SDP}\n{routes}", body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    assert (incoming.from_uri, incoming.display_name, incoming.source) == ("sip:100@pbx1", "Ivan", PEER)
    (trying,) = peer.taken()
    assert trying.startswith("SIP/2.0 100 Trying") and "tag=" not in field(trying, "To")
    peer.agent.ring(incoming.call, peer.wire.now)
    peer.agent.answer(incoming.call, b"v=0\r\n", peer.wire.now)
    for text in peer.taken():
        assert field(text, "Record-Route") == routes.replace("Record-Route: ", "").replace("\n", " | ")
        assert field(text, "Contact") == "<sip:301@127.0.0.1:5061>"
    peer.request("ACK", 1, tag=field(text, "To").partition("tag=")[2])
    peer.agent.hang_up(incoming.call, peer.wire.now)
    peer.wire.carry()
    ((octets, destination),) = peer.wire.held
    bye = octets.decode()
    # The callee keeps the order of Record-Route (12.1.1).
    assert destination == ("192.0.2.1", 5060)
    assert field(bye, "Route") == "<sip:192.0.2.1;lr;ftag=a%b> | <sip:192.0.2.2:5080;lr=on> | <sip:192.0.2.3;lr>"
    assert bye.startswith("BYE sip:100@192.0.2.9:5070 SIP/2.0")
    assert field(bye, "To") == '"Ivan" <sip:100@pbx1>;tag=pt'


def outgoing(peer: Peer, **more: Any) -> tuple[str, str]:
    """A call of ours to the peer: its key and the INVITE."""
    call = peer.agent.invite(
        "sip:+74951234501@trunk.example", from_user="301", destination=PEER, sdp=b"v=0\r\n", now=peer.wire.now, **more
    )
    return call, peer.taken()[0]


def test_routes_of_a_call_of_ours(peer: Peer) -> None:
    """The caller reverses Record-Route (12.1.2); ACK and BYE follow it; the target is the Contact of the 200."""
    call, invite = outgoing(peer)
    routes = "Record-Route: <sip:192.0.2.1:5090;lr>, <sip:192.0.2.2;lr>"
    peer.respond(invite, 200, more=f"Contact: <sip:gw@10.0.0.1:5999;x=y>\n{routes}\n{SDP}", body="v=0\r\n")
    peer.agent.hang_up(call, peer.wire.now)
    peer.wire.carry()
    for octets, destination in peer.wire.held:
        text = octets.decode()
        assert text.split(" ")[1] == "sip:gw@10.0.0.1:5999;x=y"
        assert field(text, "Route") == "<sip:192.0.2.2;lr> | <sip:192.0.2.1:5090;lr>"
        assert destination == ("192.0.2.2", 5060)
    assert [octets.split(b" ")[0] for octets, _ in peer.wire.held] == [b"ACK", b"BYE"]


def test_strict_router(peer: Peer) -> None:
    """A first route without ``lr`` becomes the Request-URI, and the target the last route (12.2.1.1)."""
    _, invite = outgoing(peer)
    peer.respond(invite, 200, more="Contact: <sip:gw@10.0.0.1>\nRecord-Route: <sip:192.0.2.2;lr>, <sip:192.0.2.1>")
    (ack,) = peer.taken()
    assert ack.startswith("ACK sip:192.0.2.1 SIP/2.0")
    assert field(ack, "Route") == "<sip:192.0.2.2;lr> | <sip:gw@10.0.0.1>"


def test_a_target_by_name_is_reached_the_way_we_came(peer: Peer) -> None:
    """Without an address in the Contact, the ACK goes where the INVITE went."""
    _, invite = outgoing(peer)
    peer.respond(invite, 200, more="Contact: <sip:gw@pbx.local:5999>")
    assert peer.wire.held[0][1] == PEER


def test_forked_answers(peer: Peer) -> None:
    """The first 200 is kept, every other is acknowledged and hung up, each repeated one acknowledged again."""
    call, invite = outgoing(peer)
    peer.respond(invite, 200, tag="one", more="Contact: <sip:one@192.0.2.9:5070>")
    assert [type(event) for event in peer.wire.told(peer.agent)] == [Answered]
    assert [text.split(" ")[0:2] for text in peer.taken()] == [["ACK", "sip:one@192.0.2.9:5070"]]
    peer.respond(invite, 200, tag="two", more="Contact: <sip:two@192.0.2.9:5070>")
    ack, bye = peer.taken()
    assert ack.startswith("ACK sip:two@") and bye.startswith("BYE sip:two@")
    assert field(bye, "To").endswith(";tag=two")
    peer.respond(invite, 200, tag="two", more="Contact: <sip:two@192.0.2.9:5070>")
    assert peer.taken() == [ack]
    peer.respond(bye, 200)
    peer.agent.hang_up(call, peer.wire.now)
    assert peer.taken()[0].startswith("BYE sip:one@")
    assert [type(event) for event in peer.wire.told(peer.agent)] == [Ended]


def test_a_fork_that_hangs_up_first(peer: Peer) -> None:
    """A BYE from the fork that we are leaving crosses ours: 200, and the call with the other goes on."""
    call, invite = outgoing(peer)
    for tag in ("one", "two"):
        peer.respond(invite, 200, tag=tag, more="Contact: <sip:x@192.0.2.9:5070>")
    peer.taken()
    text = f"""BYE sip:301@127.0.0.1:5061 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKbye
From: <sip:x@y>;tag=two
To: {field(invite, "From")}
Call-ID: {field(invite, "Call-ID")}
CSeq: 1 BYE"""
    peer.send(text)
    peer.send(text.replace("BYE", "OPTIONS"))
    assert peer.codes() == [200, 481]
    assert [type(event) for event in peer.wire.told(peer.agent)] == [Answered]
    assert not peer.agent.at_rest and call in peer.agent._book.calls


def test_an_answer_without_a_usable_contact(peer: Peer) -> None:
    """It is acknowledged and hung up, so that the peer does not wait; to us the call has broken."""
    call, invite = outgoing(peer)
    peer.respond(invite, 200, more="Contact: nonsense <")
    (ended,) = peer.wire.told(peer.agent)
    assert isinstance(ended, Ended) and ended.call == call and ended.fault
    assert [head.split()[0] for head in peer.heads()] == ["ACK", "BYE"]


@pytest.mark.parametrize("code", [401, 407])
def test_challenged_invite(peer: Peer, code: int) -> None:
    """The 401 or 407 is acknowledged, the INVITE sent again with the answer, a new branch and the next CSeq; then the
    ACK carries the credentials too (22.3)."""
    asking, answering = {401: ("WWW", "Authorization"), 407: ("Proxy", "Proxy-Authorization")}[code]
    call, invite = outgoing(peer, credentials=Account("301", "pw", "pbx"))
    peer.respond(invite, code, more=f'{asking}-Authenticate: Digest realm="r", nonce="n1", qop="auth,auth-int"')
    ack, again = peer.taken()
    assert ack.startswith("ACK") and field(again, "CSeq") == "2 INVITE"
    assert field(again, "Via") != field(invite, "Via") and field(again, "From") == field(invite, "From")
    assert 'nonce="n1"' in field(again, answering) and "nc=00000001" in field(again, answering)
    peer.respond(again, 200, more="Contact: <sip:x@192.0.2.9:5070>")
    (ack,) = peer.taken()
    assert field(ack, "CSeq") == "2 ACK" and field(ack, answering) == field(again, answering)
    peer.agent.hang_up(call, peer.wire.now)
    (bye,) = peer.taken()
    assert field(bye, "CSeq") == "3 BYE" and "nc=00000002" in field(bye, answering)


def test_wrong_password_ends_the_call(peer: Peer) -> None:
    """A second challenge that is not stale is a refusal; a stale one is answered once more."""
    call, invite = outgoing(peer, credentials=Account("301", "pw", "pbx"))
    peer.respond(invite, 407, more='Proxy-Authenticate: Digest realm="r", nonce="n1"')
    again = peer.taken()[1]
    peer.respond(again, 407, more='Proxy-Authenticate: Digest realm="r", nonce="n2", stale=true')
    again = peer.taken()[1]
    assert 'nonce="n2"' in field(again, "Proxy-Authorization")
    peer.respond(again, 407, more='Proxy-Authenticate: Digest realm="r", nonce="n3"')
    assert peer.heads() == ["ACK sip:+74951234501@trunk.example SIP/2.0"]
    (refused,) = peer.wire.told(peer.agent)
    assert (refused.call, refused.code) == (call, 407)


def test_challenge_after_hanging_up(peer: Peer) -> None:
    """A call that is being hung up is not dialled anew because of a challenge."""
    call, invite = outgoing(peer, credentials=Account("301", "pw", "pbx"))
    peer.agent.hang_up(call, peer.wire.now)
    peer.respond(invite, 401, more='WWW-Authenticate: Digest realm="r", nonce="n1"')
    assert [head.split()[0] for head in peer.heads()] == ["ACK"]
    assert peer.wire.told(peer.agent) == [Ended(call, False, "hung up")]


def test_reinvite_and_update(peer: Peer) -> None:
    """Hold by re-INVITE and by UPDATE are offered to the owner; his answer goes out, the ACK stops its repetition."""
    call, tag = standing(peer)
    peer.request("INVITE", 2, tag=tag, more=SDP, body="v=0\r\nhold")
    assert peer.wire.told(peer.agent) == [Reoffered(call, b"v=0\r\nhold")]
    assert peer.codes() == [100]
    peer.agent.answer_offer(call, b"v=0\r\nheld", peer.wire.now)
    (ok,) = peer.taken()
    assert ok.startswith("SIP/2.0 200") and ok.endswith("held") and field(ok, "To").endswith(tag)
    peer.wire.run(0.6)
    assert peer.codes() == [200]
    peer.request("ACK", 2, tag=tag)
    peer.wire.run(5.0)
    assert peer.taken() == [] and peer.wire.told(peer.agent) == []
    peer.request("UPDATE", 3, tag=tag, more=SDP, body="v=0\r\nback")
    assert peer.wire.told(peer.agent) == [Reoffered(call, b"v=0\r\nback")]
    peer.agent.answer_offer(call, b"v=0\r\nok", peer.wire.now)
    assert peer.codes() == [200]
    peer.request("UPDATE", 4, tag=tag)
    assert peer.codes() == [200] and peer.wire.told(peer.agent) == []


def test_reinvite_overtakes_the_ack(peer: Peer) -> None:
    """Each ACK belongs to its own INVITE, in whichever order they come."""
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    peer.agent.answer(incoming.call, b"v=0\r\n", peer.wire.now)
    tag = field(peer.taken()[-1], "To").partition("tag=")[2]
    peer.request("INVITE", 2, tag=tag, more=SDP, body="v=0\r\n")
    peer.agent.answer_offer(incoming.call, b"v=0\r\n", peer.wire.now)
    peer.request("ACK", 2, tag=tag)
    assert peer.wire.told(peer.agent) == [Reoffered(incoming.call, b"v=0\r\n")]
    peer.request("ACK", 1, tag=tag)
    assert peer.wire.told(peer.agent) == [Confirmed(incoming.call)]
    peer.taken()
    peer.wire.run(40.0)
    assert peer.taken() == []


def test_reinvite_without_offer(peer: Peer) -> None:
    """They ask for our offer; their answer comes with the ACK."""
    call, tag = standing(peer)
    peer.request("INVITE", 2, tag=tag)
    assert peer.wire.told(peer.agent) == [Reoffered(call, b"")]
    peer.agent.answer_offer(call, b"v=0\r\n", peer.wire.now)
    peer.request("ACK", 2, tag=tag, more=SDP, body="v=0\r\ntheirs")
    assert peer.wire.told(peer.agent) == [Confirmed(call, b"v=0\r\ntheirs")]


def test_reinvite_refused_cancelled_and_overtaken(peer: Peer) -> None:
    """A refusal leaves the call as it was; a CANCEL takes the offer back; a second offer while one is open gets 500."""
    call, tag = standing(peer)
    peer.request("INVITE", 2, tag=tag, more=SDP, body="v=0\r\n")
    peer.agent.refuse_offer(call, 488, peer.wire.now)
    assert peer.codes() == [100, 488]
    peer.request("ACK", 2, tag=tag, branch="z9hG4bKINVITE2")
    peer.request("INVITE", 3, tag=tag, more=SDP, body="v=0\r\n")
    peer.request("INVITE", 4, tag=tag, more=SDP, body="v=0\r\n")
    assert peer.codes() == [100, 500]
    peer.request("CANCEL", 3, tag=tag, branch="z9hG4bKINVITE3")
    assert sorted(peer.codes()) == [200, 487]
    peer.request("ACK", 3, tag=tag, branch="z9hG4bKINVITE3")
    peer.request("ACK", 4, tag=tag, branch="z9hG4bKINVITE4")
    peer.request("BYE", 5, tag=tag)
    assert peer.codes() == [200]
    assert isinstance(peer.wire.told(peer.agent)[-1], Ended)


def test_reinvite_never_acknowledged(peer: Peer) -> None:
    """Its 200 is repeated for 32 seconds, then the call has broken and is hung up (14.2)."""
    call, tag = standing(peer)
    peer.request("INVITE", 2, tag=tag, more=SDP, body="v=0\r\n")
    peer.agent.answer_offer(call, b"v=0\r\n", peer.wire.now)
    peer.wire.told(peer.agent)
    peer.wire.run(32.5)
    heads = peer.heads()
    assert heads.count("SIP/2.0 200 OK") == 11 and heads[-1].startswith("BYE")
    (ended,) = peer.wire.told(peer.agent)
    assert ended.fault and not ended.by_them


def test_our_own_offer_and_glare(peer: Peer) -> None:
    """Our re-INVITE is answered and acknowledged, again when its 200 comes again; theirs meanwhile gets 491."""
    call, tag = standing(peer)
    peer.agent.reoffer(call, b"v=0\r\nhold", peer.wire.now)
    (ours,) = peer.taken()
    peer.request("INVITE", 2, tag=tag, more=SDP, body="v=0\r\n")
    assert peer.codes() == [491]
    peer.request("ACK", 2, tag=tag, branch="z9hG4bKINVITE2")
    more = f"Contact: <sip:moved@192.0.2.9:5071>\n{SDP}"
    peer.respond(ours, 100, tag="")
    peer.respond(ours, 200, more=more, body="v=0\r\nyes")
    assert peer.wire.told(peer.agent) == [Reanswered(call, b"v=0\r\nyes")]
    (ack,) = peer.taken()
    peer.respond(ours, 200, more=more, body="v=0\r\nyes")
    assert peer.taken() == [ack] and ack.startswith("ACK sip:moved@192.0.2.9:5071")
    peer.wire.told(peer.agent)
    peer.agent.reoffer(call, b"v=0\r\n", peer.wire.now)
    (ours,) = peer.taken()
    peer.respond(ours, 200, more="Contact: <")
    assert peer.heads() == ["ACK sip:moved@192.0.2.9:5071 SIP/2.0"]
    peer.wire.told(peer.agent)
    peer.agent.reoffer(call, b"v=0\r\n", peer.wire.now)
    (ours,) = peer.taken()
    peer.respond(ours, 491)
    assert peer.wire.told(peer.agent) == [ReofferRefused(call, 491, "Whatever")]
    peer.taken()
    peer.agent.reoffer(call, b"v=0\r\n", peer.wire.now)
    (ours,) = peer.taken()
    peer.respond(ours, 481)
    (ended,) = peer.wire.told(peer.agent)
    assert ended.fault and ended.reason == "481 Whatever"


def test_our_offer_unanswered_at_the_end_of_the_call(peer: Peer) -> None:
    """After BYE, a late 200 to our re-INVITE is acknowledged and told to nobody."""
    call, tag = standing(peer)
    peer.agent.reoffer(call, b"v=0\r\n", peer.wire.now)
    (ours,) = peer.taken()
    peer.request("BYE", 2, tag=tag)
    peer.taken()
    peer.wire.told(peer.agent)
    peer.respond(ours, 200, more="Contact: <sip:100@192.0.2.9:5070>")
    assert [head.split()[0] for head in peer.heads()] == ["ACK"] and peer.wire.told(peer.agent) == []


def test_session_timer(peer: Peer) -> None:
    """Session-Expires is answered with refresher=uac; a refresh moves the end, and without one the call breaks."""
    call, tag = standing(peer, "Supported: timer\nSession-Expires: 90\nMin-SE: 90")
    peer.wire.run(80.0)
    peer.request("UPDATE", 2, tag=tag, more="Supported: timer\nSession-Expires: 90;refresher=uac")
    (ok,) = peer.taken()
    assert field(ok, "Session-Expires") == "90;refresher=uac" and field(ok, "Require") == "timer"
    peer.wire.run(89.0)
    assert peer.wire.told(peer.agent) == []
    peer.wire.run(2.0)
    assert peer.wire.told(peer.agent) == [Ended(call, False, "session timer ran out", {}, True)]
    assert peer.heads()[0].startswith("BYE")


@pytest.mark.parametrize(
    "header", ["Session-Expires: 90;refresher=uas\nSupported: timer", "Session-Expires: 90", "x: 90"]
)
@pytest.mark.parametrize("takes_update", [True, False])
def test_session_timer_that_we_refresh(peer: Peer, header: str, takes_update: bool) -> None:
    """Where the caller wants us to refresh, or can't himself, goes an UPDATE at half the time, or a re-INVITE with the
    session as it is where he takes no UPDATE."""
    call, _ = standing(peer, header + ("\nAllow: INVITE, UPDATE" if takes_update else ""))
    for _ in range(5):
        peer.wire.run(44.0)
        assert peer.taken() == []
        peer.wire.run(1.2)
        (refresh,) = peer.taken()
        assert field(refresh, "Session-Expires") == "90;refresher=uac" and field(refresh, "Supported") == "timer"
        assert refresh.startswith("UPDATE " if takes_update else "INVITE ")
        assert refresh.endswith("\r\n\r\n" if takes_update else "v=0\r\nours")
        peer.respond(refresh, 200, more="Require: timer\nSession-Expires: 90;refresher=uac")
        if not takes_update:
            assert [head.split()[0] for head in peer.heads()] == ["ACK"]
            assert peer.wire.told(peer.agent) == [Reanswered(call, b"")]
    assert peer.wire.told(peer.agent) == []


@pytest.mark.parametrize(
    ("method", "more", "body", "code"),
    [
        ("OPTIONS", "", "", 200),
        ("INFO", "", "", 200),
        ("INFO", "Content-Type: text/plain", "hello", 415),
        ("INFO", "Info-Package: x", "", 469),
        ("UPDATE", "Content-Type: text/plain", "hello", 415),
        ("REFER", "", "", 405),
        ("NOTIFY", "", "", 489),
        ("NOTIFY", "Event: refer", "", 481),
        ("REFER", "Refer-To: <sip:1@h>", "", 405),
        ("SUBSCRIBE", "Event: refer", "", 405),
        ("MESSAGE", "", "", 405),
        ("DANCE", "", "", 501),
    ],
)
def test_requests_inside_a_call(peer: Peer, method: str, more: str, body: str, code: int) -> None:
    """Each gets its answer and the call stands."""
    call, tag = standing(peer)
    peer.request(method, 2, tag=tag, more=more, body=body)
    assert peer.codes() == [code]
    peer.request("BYE", 3, tag=tag, more='Reason: Q.850;cause=16;text="Normal; clearing"')
    (ended,) = peer.wire.told(peer.agent)
    assert (ended.call, ended.by_them, ended.reason) == (call, True, "Normal; clearing")
    assert ended.headers["reason"].startswith("Q.850;cause=16")


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Signal= *\r\nDuration= 160\r\n", "*"),
        ("application/dtmf-relay", "Duration=160\r\nsignal=11\r\n", "#"),
        ("application/dtmf-relay", "Signal=10", "*"),
        ("application/dtmf", "1", "1"),
        ("application/dtmf", " d\r\n", "D"),
    ],
)
def test_keys_by_info(peer: Peer, kind: str, body: str, digit: str) -> None:
    """The ways in which keys are written in INFO."""
    call, tag = standing(peer)
    peer.request("INFO", 2, tag=tag, more=f"Content-Type: {kind}", body=body)
    assert peer.wire.told(peer.agent) == [DigitInfo(call, digit)]
    assert peer.codes() == [200]


@pytest.mark.parametrize("body", ["", "Signal=x", "Signal=16", "\n" * 20000])
def test_keys_that_are_none(peer: Peer, body: str) -> None:
    """A body that names no key is refused and told to nobody."""
    _, tag = standing(peer)
    peer.request("INFO", 2, tag=tag, more="Content-Type: application/dtmf-relay", body=body)
    assert peer.codes() == [415 if body else 200] and peer.wire.told(peer.agent) == []


def test_sequence_numbers(peer: Peer) -> None:
    """A number that is not higher than the last is refused with 500 (12.2.2); gaps are allowed."""
    _, tag = standing(peer)
    peer.request("OPTIONS", 7, tag=tag)
    peer.request("OPTIONS", 6, tag=tag)
    assert peer.codes() == [200, 500]


def test_strangers_to_a_dialog(peer: Peer) -> None:
    """Requests for a dialog that is none of ours get 481; an ACK gets nothing, ever."""
    _, tag = standing(peer)
    peer.request("BYE", 2, tag="other")
    peer.request("BYE", 3, tag=tag, ours="stranger")
    peer.request("INVITE", 4, tag="other", more=SDP, body="v=0\r\n")
    peer.request("BYE", 5)
    peer.request("CANCEL", 6)
    assert peer.codes() == [481] * 5
    peer.request("ACK", 4, tag="other", branch="z9hG4bKINVITE4")
    peer.request("ACK", 9, tag="other")
    peer.request("ACK", 9, tag=tag)
    assert peer.taken() == [] and peer.wire.told(peer.agent) == []


@pytest.mark.parametrize(
    ("method", "more", "body", "code"),
    [
        ("OPTIONS", "", "", 200),
        ("NOTIFY", "Event: message-summary", "", 489),
        ("NOTIFY", "Event: refer", "", 481),
        ("REGISTER", "", "", 405),
        ("PRACK", "", "", 481),
        ("DANCE", "", "", 501),
        ("INVITE", "Require: timer, sorcery", "", 420),
        ("INVITE", "Content-Type: text/plain", "hello", 415),
        ("INVITE", "Contact:", "", 400),
    ],
)
def test_requests_outside_a_call(peer: Peer, method: str, more: str, body: str, code: int) -> None:
    """OPTIONS is a PBX asking whether we live; the rest is refused as it should be and makes no call."""
    text = f"""{method} sip:301@127.0.0.1:5061 SIP/2.0
v: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1
f: sip:100@pbx1;tag=pt
t: sip:301@127.0.0.1
i: y@peer
CSeq: 1 {method}
{more}""".strip()
    peer.send(text, body)
    (response,) = peer.taken()
    assert int(response.split(" ")[1]) == code
    assert field(response, "To").startswith("sip:301@127.0.0.1;tag=")
    assert not any(isinstance(event, Incoming) for event in peer.wire.told(peer.agent))
    assert not peer.agent._book.calls
    if code == 420:
        assert field(response, "Unsupported") == "sorcery"
    if code in (200, 405):
        assert "INVITE" in field(response, "Allow")


def test_required_100rel_is_met_by_not_ringing(peer: Peer) -> None:
    """Whoever requires reliable provisional responses gets none but 100, and then the answer."""
    peer.request("INVITE", 1, more=f"{SDP}\nRequire: 100rel", body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    peer.agent.ring(incoming.call, peer.wire.now)
    peer.agent.answer(incoming.call, b"v=0\r\n", peer.wire.now)
    assert peer.codes() == [100, 200]


def test_the_same_invite_by_two_ways(peer: Peer) -> None:
    """A copy with another branch is refused with 482 (8.2.2.2) and makes no second call."""
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n")
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n", branch="z9hG4bKother")
    assert peer.codes() == [100, 482]
    assert [type(event) for event in peer.wire.told(peer.agent)] == [Incoming]


def test_bye_before_the_answer(peer: Peer) -> None:
    """A caller may leave an early dialog by BYE: 200 for it and 487 for his INVITE."""
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    peer.agent.ring(incoming.call, peer.wire.now)
    ringing = peer.taken()[-1]
    peer.request("BYE", 2, tag=field(ringing, "To").partition("tag=")[2])
    assert sorted(peer.codes()) == [200, 487]
    assert peer.wire.told(peer.agent) == [Ended(incoming.call, True, "BYE")]


def test_cancel_with_a_reason(peer: Peer) -> None:
    """Answered elsewhere: the reason of the CANCEL is told."""
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    for _ in range(2):
        peer.request("CANCEL", 1, branch="z9hG4bKINVITE1", more='Reason: SIP;cause=200;text="Call completed elsewhere"')
    assert peer.codes() == [100, 200, 487, 200]
    (ended,) = peer.wire.told(peer.agent)
    assert (ended.call, ended.by_them, ended.reason) == (incoming.call, True, "Call completed elsewhere")


def test_cancel_after_the_answer_changes_nothing(peer: Peer) -> None:
    """It is answered with 200 and the call goes on."""
    peer.request("INVITE", 1, more=SDP, body="v=0\r\n")
    (incoming,) = peer.wire.told(peer.agent)
    peer.agent.answer(incoming.call, b"v=0\r\n", peer.wire.now)
    ok = peer.taken()[-1]
    peer.request("CANCEL", 1, branch="z9hG4bKINVITE1")
    assert peer.codes() == [200]
    # An ACK that repeats the branch of the INVITE is wrong, common, and taken.
    peer.request("ACK", 1, tag=field(ok, "To").partition("tag=")[2], branch="z9hG4bKINVITE1")
    assert peer.wire.told(peer.agent) == [Confirmed(incoming.call)]


@pytest.mark.parametrize(
    ("via", "source", "answer_to", "written"),
    [
        ("192.0.2.9:5070", PEER, PEER, "192.0.2.9:5070"),
        ("192.0.2.9:5070;rport", PEER, PEER, "192.0.2.9:5070;received=192.0.2.9;rport=5070"),
        ("10.0.0.5:5060;rport", PEER, PEER, "10.0.0.5:5060;received=192.0.2.9;rport=5070"),
        ("10.0.0.5:5080", PEER, ("192.0.2.9", 5080), "10.0.0.5:5080;received=192.0.2.9"),
        ("host-1", PEER, ("192.0.2.9", 5060), "host-1;received=192.0.2.9"),
    ],
)
def test_where_answers_go(
    peer: Peer, via: str, source: tuple[str, int], answer_to: tuple[str, int], written: str
) -> None:
    """received and rport (18.2.1, RFC 3581); further Vias stay as they are."""
    host, _, rest = via.partition(";")
    peer.send(
        f"""OPTIONS sip:301@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP {host};branch=z9hG4bK!x*{";" + rest if rest else ""}
Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKdeep~!
From: <sip:a@b>;tag=1
To: <sip:c@d>
Call-ID: z
CSeq: 1 OPTIONS""",
        source=source,
    )
    ((octets, destination),) = peer.wire.held
    assert destination == answer_to
    host, _, rest = written.partition(";")
    first = f"SIP/2.0/UDP {host};branch=z9hG4bK!x*{';' + rest if rest else ''}"
    assert field(octets.decode(), "Via") == f"{first} | SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKdeep~!"


def test_a_peer_without_magic_cookies(peer: Peer) -> None:
    """An RFC 2543 branch does not tell transactions apart; the other identifiers do."""
    for seq in (1, 1, 2):
        peer.request("OPTIONS", seq, branch="1")
    assert peer.codes() == [200, 200, 200]
    assert len(peer.agent._core.servers) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("OPTIONS sip:a@b SIP/3.0\nCSeq: 1 OPTIONS", 505),
        ("OPTIONS http://a SIP/2.0\nCSeq: 1 OPTIONS", 416),
        ("OPTIONS sip:a@b SIP/2.0\nCSeq: 1 INVITE", 400),
        ("BYE sip:a@b SIP/2.0\nCSeq: 1 BYE\nContent-Length: 99", 400),
        ("ACK sip:a@b SIP/2.0\nCSeq: 1 INVITE", None),
    ],
)
def test_malformed_but_answerable(peer: Peer, text: str, code: int | None) -> None:
    """What can be answered is answered, is told as Malformed, and leaves nothing behind."""
    start, _, rest = text.partition("\n")
    peer.send(f"{start}\nVia: SIP/2.0/UDP 192.0.2.9:5070\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: z\n{rest}")
    assert peer.codes() == ([] if code is None else [code])
    assert [type(event) for event in peer.wire.told(peer.agent)] == [Malformed]
    assert not peer.agent._core.servers and peer.agent.next_timeout() is None


def test_keep_alives_are_silent(peer: Peer) -> None:
    """Empty datagrams, CRLF and the zero octets of some devices are no news."""
    for octets in (b"", b"\r\n\r\n", b"\0\0\0\0", b"  \r\n"):
        peer.agent.receive_datagram(octets, PEER, peer.wire.now)
    assert peer.wire.told(peer.agent) == [] and peer.taken() == []


def test_responses_to_nothing(peer: Peer) -> None:
    """A response without a transaction, or with two Vias, is dropped without a word."""
    _, invite = outgoing(peer)
    via = field(invite, "Via")
    peer.respond(invite.replace(via, "SIP/2.0/UDP x;branch=z9hG4bKother"), 200, more="Contact: <sip:x@192.0.2.9>")
    peer.respond(invite.replace(via, f"{via}, SIP/2.0/UDP x"), 486)
    assert peer.taken() == [] and peer.wire.told(peer.agent) == []
