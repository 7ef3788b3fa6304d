"""What happens inside a dialog before our answer to its INVITE, and after the end of the call."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import LocalProtocolError
from protocols.sip.events import Confirmed, Ended, Event, Incoming, Reoffered
from protocols.sip.user_agent import UserAgent

PEER = ("192.0.2.9", 5070)
OFFER = "v=0\r\n"


class Caller:
    """A peer who has called and hears it ring, with all that the agent sent him since the last question."""

    def __init__(self, wire: Any, agent: UserAgent, *, offer: str = OFFER, more: str = "") -> None:
        self.wire, self.agent = wire, agent
        wire.held = []
        self.tag = ""
        self.request("INVITE", 1, more=more, body=offer)
        (incoming,) = self.told()
        assert isinstance(incoming, Incoming)
        self.call = incoming.call
        agent.ring(self.call, wire.now)
        ringing = self.taken()[-1]
        self.tag = field(ringing, "To").partition(";tag=")[2]

    def request(self, method: str, seq: int, *, more: str = "", body: str = "", branch: str = "") -> None:
        lines = [
            f"{method} sip:301@127.0.0.1:5061 SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{branch or f'{method}{seq}'}",
            "From: <sip:100@pbx1>;tag=pt",
            f"To: <sip:301@127.0.0.1>{';tag=' + self.tag if self.tag else ''}",
            "Call-ID: x@peer",
            f"CSeq: {seq} {method}",
            "Contact: <sip:100@192.0.2.9:5070>",
            *more.splitlines(),
            *(["Content-Type: application/sdp"] if body else []),
        ]
        self.hear("\r\n".join(lines) + "\r\n\r\n" + body)

    def respond(self, request: str, code: int, more: str = "") -> None:
        lines = [f"{name}: {field(request, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.hear("\r\n".join([f"SIP/2.0 {code} Whatever", *lines, *more.splitlines()]) + "\r\n\r\n")

    def hear(self, text: str) -> None:
        self.agent.receive_datagram(text.encode(), PEER, self.wire.now)
        self.wire.carry()

    def answer(self) -> None:
        self.agent.answer(self.call, OFFER.encode(), self.wire.now)

    def told(self) -> list[Event]:
        events: list[Event] = self.wire.told(self.agent)
        return events

    def taken(self) -> list[str]:
        self.wire.carry()
        texts, self.wire.held = [octets.decode() for octets, _ in self.wire.held], []
        return texts

    def heads(self) -> list[str]:
        """``INVITE`` or ``200`` of each."""
        firsts = [text.split(" ", 2) for text in self.taken()]
        return [first[1] if first[0] == "SIP/2.0" else first[0] for first in firsts]


def field(text: str, name: str) -> str:
    return next((line.partition(": ")[2] for line in text.split("\r\n") if line.startswith(f"{name}: ")), "")


def test_no_session_timer_before_the_answer(wire: Any, alice: UserAgent) -> None:
    """An UPDATE in the early dialog gets its 200 without a session timer; the call may ring longer than it asked for,
    and the timer of the INVITE starts with our 2xx."""
    caller = Caller(wire, alice, more="Supported: timer\nSession-Expires: 120")
    caller.request("UPDATE", 2, more="Supported: timer\nSession-Expires: 90")
    (ok,) = caller.taken()
    assert ok.startswith("SIP/2.0 200") and field(ok, "Session-Expires") == ""
    wire.run(300.0)
    assert caller.told() == [] and caller.taken() == []
    caller.answer()
    (ok,) = caller.taken()
    assert field(ok, "Session-Expires") == "120;refresher=uac"
    caller.request("ACK", 1, branch="ack")
    wire.run(119.0)
    assert caller.told() == [Confirmed(caller.call, b"")]
    wire.run(2.0)
    assert caller.told() == [Ended(caller.call, False, "session timer ran out", {}, True)]


def test_breaking_off_before_the_answer(wire: Any, alice: UserAgent) -> None:
    """A call to us that breaks unanswered is refused with a final response, not by BYE, and leaves nothing behind."""
    caller = Caller(wire, alice)
    alice._book.calls[caller.call].break_off("no way on", wire.now)
    assert caller.heads() == ["500"]
    assert caller.told() == [Ended(caller.call, False, "no way on", {}, True)]
    caller.request("ACK", 1, branch="INVITE1")
    wire.run(40.0)
    assert caller.taken() == [] and alice.at_rest and not alice._core.servers


def test_no_offer_of_ours_before_the_call_stands(wire: Any, alice: UserAgent, bob: UserAgent) -> None:
    """``reoffer`` asks for a call that is answered and acknowledged (14.1), incoming or outgoing; nothing is sent."""
    caller = Caller(wire, alice)
    with pytest.raises(LocalProtocolError, match="waits for our answer"):
        alice.reoffer(caller.call, b"v=0\r\n", wire.now)
    assert caller.taken() == []
    caller.answer()
    caller.taken()
    with pytest.raises(LocalProtocolError, match="ACK is awaited"):
        alice.reoffer(caller.call, b"v=0\r\n", wire.now)
    assert caller.taken() == []
    caller.request("ACK", 1, branch="ack")
    alice.reoffer(caller.call, b"v=0\r\n", wire.now)
    assert caller.heads() == ["INVITE"]
    call = bob.invite("sip:9@x", from_user="301", destination=PEER, sdp=b"v=0\r\n", now=wire.now)
    with pytest.raises(LocalProtocolError, match="our INVITE is out"):
        bob.reoffer(call, b"v=0\r\n", wire.now)
    bob.hang_up(call, wire.now)


@pytest.mark.parametrize(("method", "body"), [("INVITE", OFFER), ("INVITE", ""), ("UPDATE", OFFER)])
def test_their_second_offer_before_our_answer(wire: Any, alice: UserAgent, method: str, body: str) -> None:
    """500 with Retry-After of 0 to 10 seconds (14.2, RFC 3311 section 5.2), told to nobody; the first offer is answered
    as if nothing had been, and then a new one is welcome."""
    caller = Caller(wire, alice)
    caller.request(method, 2, body=body)
    (refusal,) = caller.taken()
    assert refusal.startswith("SIP/2.0 500") and 0 <= int(field(refusal, "Retry-After")) <= 10
    assert caller.told() == []
    if method == "INVITE":
        caller.request("ACK", 2, branch="INVITE2")
    caller.answer()
    assert caller.heads() == ["200"]
    caller.request("ACK", 1, branch="ack")
    assert caller.told() == [Confirmed(caller.call, b"")]
    caller.request(method, 3, body=body)
    assert caller.told() == [Reoffered(caller.call, body.encode())]


def test_retry_after_is_not_always_the_same(wire: Any, alice: UserAgent) -> None:
    """Two who collided would collide again."""
    caller = Caller(wire, alice)
    waits = set()
    for seq in range(2, 22):
        caller.request("UPDATE", seq, body=OFFER)
        waits.add(int(field(caller.taken()[0], "Retry-After")))
    assert len(waits) > 3 and waits <= set(range(11))


def test_their_offer_while_ours_waits_for_the_ack(wire: Any, alice: UserAgent) -> None:
    """An INVITE without an offer is answered with ours; until the ACK brings the answer to it, theirs get 491."""
    caller = Caller(wire, alice, offer="")
    caller.answer()
    caller.taken()
    caller.request("UPDATE", 2, body=OFFER)
    caller.request("INVITE", 3, body=OFFER)
    assert caller.heads() == ["491", "491"] and caller.told() == []
    caller.request("ACK", 3, branch="INVITE3")
    caller.request("ACK", 1, branch="ack", body=OFFER)
    assert caller.told() == [Confirmed(caller.call, OFFER.encode())]
    caller.request("UPDATE", 4, body=OFFER)
    assert caller.told() == [Reoffered(caller.call, OFFER.encode())]


def offered_and_trying(caller: Caller) -> str:
    """Our re-INVITE in a call that stands, to which a 100 has come."""
    caller.answer()
    caller.request("ACK", 1, branch="ack")
    caller.agent.reoffer(caller.call, b"v=0\r\n", caller.wire.now)
    ours = caller.taken()[-1]
    caller.respond(ours, 100)
    return ours


@pytest.mark.parametrize("by_them", [True, False])
def test_our_offer_dies_with_the_call(wire: Any, alice: UserAgent, by_them: bool) -> None:
    """The transaction of a re-INVITE that got 100 and nothing more is abandoned 64*T1 after the end of the call."""
    caller = Caller(wire, alice)
    offered_and_trying(caller)
    if by_them:
        caller.request("BYE", 2)
    else:
        alice.hang_up(caller.call, wire.now)
    wire.run(31.0)
    assert [transaction.request.method for transaction in alice._core.clients.values()].count("INVITE") == 1
    wire.run(6.0)
    assert not alice._core.clients
    assert [type(event) for event in caller.told()] == [Confirmed, Ended]
    assert alice.next_timeout() is None


@pytest.mark.parametrize("code", [200, 487])
def test_a_late_answer_to_our_offer_is_acknowledged(wire: Any, alice: UserAgent, code: int) -> None:
    """Until then a final response gets its ACK, or the peer would go on repeating it (15.1.2 makes it 487)."""
    caller = Caller(wire, alice)
    ours = offered_and_trying(caller)
    caller.request("BYE", 2)
    caller.taken()
    wire.run(5.0)
    caller.respond(ours, code, "Contact: <sip:100@192.0.2.9:5070>")
    assert caller.heads() == ["ACK"]
    wire.run(40.0)
    assert not alice._core.clients and alice.next_timeout() is None
    assert [type(event) for event in caller.told()] == [Confirmed, Ended]
