"""Whole calls between two of our own agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from protocols.errors import LocalProtocolError
from protocols.sip.client_transaction import ClientTransaction
from protocols.sip.events import Answered, Confirmed, DigitInfo, Ended, Incoming, Refused, Ringing
from protocols.sip.user_agent import UserAgent

Invite = Callable[[], str]


def answered(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> tuple[str, str]:
    """A standing call: its key at Alice's and at Bob's."""
    hers = invite()
    incoming = wire.told(bob)[0]
    assert isinstance(incoming, Incoming)
    bob.answer(incoming.call, b"v=0\r\nanswer", wire.now)
    assert wire.told(alice) == [Answered(hers, b"v=0\r\nanswer")]
    assert wire.told(bob) == [Confirmed(incoming.call)]
    return hers, incoming.call


def test_a_whole_call(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Ring, answer, hang up: the events of both sides and every message on the wire."""
    hers = invite()
    (incoming,) = wire.told(bob)
    assert (incoming.from_uri, incoming.to_user, incoming.sdp) == ("sip:100@127.0.0.1", "301", b"v=0\r\noffer")
    assert incoming.headers["user-agent"] == "OCM"
    bob.ring(incoming.call, wire.now)
    assert wire.told(alice) == [Ringing(hers, 180, None, False)]
    bob.answer(incoming.call, b"v=0\r\nanswer", wire.now)
    assert wire.told(alice) == [Answered(hers, b"v=0\r\nanswer")]
    assert wire.told(bob) == [Confirmed(incoming.call)]
    alice.hang_up(hers, wire.now)
    assert wire.told(alice) == [Ended(hers, False, "hung up")]
    assert wire.told(bob) == [Ended(incoming.call, True, "BYE")]
    assert wire.heads() == ["INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]


def test_the_callee_hangs_up(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """BYE from the other side, and nothing is left of the call."""
    hers, his = answered(wire, alice, bob, invite)
    bob.hang_up(his, wire.now)
    assert wire.told(alice) == [Ended(hers, True, "BYE")]
    assert wire.told(bob) == [Ended(his, False, "hung up")]
    alice.hang_up(hers, wire.now)
    with pytest.raises(LocalProtocolError):
        bob.ring(his, wire.now)
    wire.run(40.0)
    for agent in (alice, bob):
        assert agent.next_timeout() is None
        assert not agent._core.clients and not agent._core.servers and not agent._book.dialogs and not agent._book.calls


@pytest.mark.parametrize("code", [302, 403, 404, 480, 486, 488, 500, 503, 600, 603])
def test_refusals(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite, code: int) -> None:
    """Every class of refusal reaches the caller once, is acknowledged, and both sides forget the call."""
    hers = invite()
    (incoming,) = wire.told(bob)
    bob.refuse(incoming.call, code, wire.now)
    (refused,) = wire.told(alice)
    assert isinstance(refused, Refused)
    assert (refused.call, refused.code) == (hers, code)
    assert wire.told(bob) == [Ended(incoming.call, False, f"refused with {code}")]
    assert wire.heads() == ["INVITE", "100 INVITE", f"{code} INVITE", "ACK"]
    assert not alice._book.calls and not bob._book.calls and not bob._book.dialogs


def test_nobody_answers(wire: Any, alice: UserAgent, invite: Invite) -> None:
    """Timers A and B: seven INVITEs in 32 seconds, then 408 of our own making."""
    wire.agents.clear()
    wire.agents["127.0.0.1", 5061] = alice
    begin, hers = wire.now, invite()
    wire.run(31.9)
    assert wire.told(alice) == []
    wire.run(0.2)
    (refused,) = wire.told(alice)
    assert (refused.call, refused.code) == (hers, 408)
    assert [at for at, _ in wire.lines(begin)] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_a_ringing_call_rings_on(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """After a provisional response nothing is repeated or runs out: how long to ring is the owner's business."""
    invite()
    (incoming,) = wire.told(bob)
    bob.ring(incoming.call, wire.now)
    wire.run(300.0)
    assert wire.heads() == ["INVITE", "100 INVITE", "180 INVITE"]
    bob.answer(incoming.call, b"", wire.now)
    assert isinstance(wire.told(alice)[-1], Answered)


def lose_first(count: int, head: bytes) -> Callable[[bytes], bool]:
    """Loses the first ``count`` datagrams that begin with ``head`` and, for responses, are to an INVITE or BYE."""
    left = [count]

    def lost(octets: bytes) -> bool:
        method = head.split(b" ")[-1] if head.startswith(b"SIP") else b""
        start = head.rsplit(b" ", 1)[0] if method else head
        if left[0] and octets.startswith(start) and (not method or b" " + method + b"\r\n" in octets):
            left[0] -= 1
            return True
        return False

    return lost


def test_lost_invite(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timer A: the second INVITE comes through; there is one call."""
    wire.lose = lose_first(1, b"INVITE")
    invite()
    wire.run(0.6)
    assert [type(event) for event in wire.told(bob)] == [Incoming]
    assert wire.heads() == ["INVITE", "INVITE", "100 INVITE"]


def test_lost_100(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """A repeated INVITE is answered from the transaction and is no second call."""
    wire.lose = lose_first(2, b"SIP/2.0 100 INVITE")
    invite()
    wire.run(2.0)
    assert [type(event) for event in wire.told(bob)] == [Incoming]
    assert wire.heads() == ["INVITE", "100 INVITE", "INVITE", "100 INVITE", "INVITE", "100 INVITE"]


def test_lost_200(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """The callee repeats its 200 at 0.5 and 1.5 s until the ACK comes."""
    invite()
    (incoming,) = wire.told(bob)
    wire.lose = lose_first(2, b"SIP/2.0 200 INVITE")
    begin = wire.now
    bob.answer(incoming.call, b"", wire.now)
    wire.run(5.0)
    assert wire.lines(begin)[2:] == [(0.0, "200 INVITE"), (0.5, "200 INVITE"), (1.5, "200 INVITE"), (1.5, "ACK")]
    assert wire.told(bob) == [Confirmed(incoming.call)]


def test_lost_ack(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """A retransmitted 200 is acknowledged again, and told once."""
    invite()
    (incoming,) = wire.told(bob)
    wire.lose = lose_first(2, b"ACK")
    bob.answer(incoming.call, b"", wire.now)
    wire.run(5.0)
    assert wire.heads()[2:] == ["200 INVITE", "ACK"] * 3
    assert len({octets for _, _, octets in wire.log if octets.startswith(b"ACK")}) == 1
    assert len(wire.told(alice)) == 1
    assert wire.told(bob) == [Confirmed(incoming.call)]


def test_no_ack_at_all(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Eleven 200s in 32 seconds, then the callee gives the call up, with a BYE."""
    hers = invite()
    (incoming,) = wire.told(bob)
    wire.lose = lambda octets: octets.startswith(b"ACK")
    bob.answer(incoming.call, b"", wire.now)
    wire.run(31.0)
    assert wire.told(bob) == []
    wire.run(1.5)
    assert wire.told(bob) == [Ended(incoming.call, False, "no ACK for our answer", {}, True)]
    assert wire.told(alice)[-1] == Ended(hers, True, "BYE")
    assert wire.heads().count("200 INVITE") == 11


def test_hang_up_before_the_ack(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """The callee's BYE waits for the ACK (section 15)."""
    hers = invite()
    (incoming,) = wire.told(bob)
    wire.lose = lose_first(1, b"ACK")
    bob.answer(incoming.call, b"", wire.now)
    wire.carry()
    bob.hang_up(incoming.call, wire.now)
    assert wire.told(bob) == [Ended(incoming.call, False, "hung up")]
    assert "BYE" not in wire.heads()
    wire.run(1.0)
    assert wire.told(alice)[-1] == Ended(hers, True, "BYE")
    assert wire.heads()[-4:] == ["200 INVITE", "ACK", "BYE", "200 BYE"]


def test_lost_bye_and_its_answer(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timer E repeats a BYE; the callee answers the repeated one from the transaction, timer J."""
    hers, his = answered(wire, alice, bob, invite)
    wire.lose = lose_first(1, b"SIP/2.0 200 BYE")
    alice.hang_up(hers, wire.now)
    wire.run(1.0)
    assert wire.heads()[-4:] == ["BYE", "200 BYE", "BYE", "200 BYE"]
    assert wire.told(bob) == [Ended(his, True, "BYE")]


def test_bye_to_the_dead(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timer F: eleven BYEs, and then the dialog is forgotten too."""
    hers, _ = answered(wire, alice, bob, invite)
    wire.lose = lambda octets: True
    alice.hang_up(hers, wire.now)
    wire.run(33.0)
    assert wire.heads().count("BYE") == 11
    assert not alice._book.dialogs and alice.next_timeout() is None


def test_lost_refusal_and_its_ack(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timers G and D: a refusal is repeated until its ACK comes, and a repeated one is acknowledged again."""
    invite()
    (incoming,) = wire.told(bob)
    wire.lose = lose_first(1, b"ACK")
    bob.refuse(incoming.call, 486, wire.now)
    wire.run(3.0)
    assert wire.heads()[2:] == ["486 INVITE", "ACK", "486 INVITE", "ACK"]
    assert len(wire.told(alice)) == 1


def test_refusal_never_acknowledged(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timer H ends the repetition."""
    invite()
    (incoming,) = wire.told(bob)
    wire.lose = lambda octets: octets.startswith(b"ACK")
    bob.refuse(incoming.call, 486, wire.now)
    wire.run(33.0)
    assert wire.heads().count("486 INVITE") == 11
    assert not bob._core.servers


def test_cancel(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Hanging up while it rings: CANCEL, its 200, 487 and its ACK; one terminal event at each side."""
    hers = invite()
    (incoming,) = wire.told(bob)
    bob.ring(incoming.call, wire.now)
    wire.carry()
    alice.hang_up(hers, wire.now)
    alice.hang_up(hers, wire.now)
    assert wire.told(alice) == [Ringing(hers, 180, None, False), Ended(hers, False, "hung up")]
    assert wire.told(bob) == [Ended(incoming.call, True, "cancelled")]
    assert wire.heads()[3:] == ["CANCEL", "200 CANCEL", "487 INVITE", "ACK"]
    requests = [octets for _, _, octets in wire.log if octets.split(b" ")[0] in (b"INVITE", b"CANCEL", b"ACK")]
    assert len({line for octets in requests for line in octets.split(b"\r\n") if line.startswith(b"Via")}) == 1


def test_cancel_waits_for_a_provisional(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Without a provisional response no CANCEL is sent; with the first one it is (9.1)."""
    wire.lose = lambda octets: octets.startswith(b"SIP/2.0 100")
    hers = invite()
    wire.carry()
    alice.hang_up(hers, wire.now)
    wire.run(1.0)
    assert "CANCEL" not in wire.heads() and wire.told(alice) == []
    (incoming,) = wire.told(bob)
    bob.ring(incoming.call, wire.now)
    assert wire.told(alice) == [Ended(hers, False, "hung up")]
    assert "CANCEL" in wire.heads()


def test_cancel_of_an_invite_that_nobody_hears(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Timer B ends it, as hung up by us."""
    wire.lose = lambda octets: True
    hers = invite()
    alice.hang_up(hers, wire.now)
    wire.run(33.0)
    assert wire.told(alice) == [Ended(hers, False, "hung up")]
    assert "CANCEL" not in wire.heads()


def test_cancel_meets_the_answer(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """A 200 that crosses the CANCEL is acknowledged and hung up at once; it is never told as answered."""
    hers = invite()
    (incoming,) = wire.told(bob)
    bob.answer(incoming.call, b"", wire.now)
    alice.hang_up(hers, wire.now)
    assert wire.told(alice) == [Ended(hers, False, "hung up")]
    assert wire.told(bob) == [Confirmed(incoming.call), Ended(incoming.call, True, "BYE")]
    assert wire.heads()[2:] in (
        ["CANCEL", "200 INVITE", "200 CANCEL", "ACK", "BYE", "200 BYE"],
        ["CANCEL", "200 INVITE", "ACK", "BYE", "200 CANCEL", "200 BYE"],
        ["200 INVITE", "CANCEL", "ACK", "BYE", "200 CANCEL", "200 BYE"],
    )


def test_cancel_that_nobody_answers(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """64*T1 after the CANCEL the call is over even without a final response."""
    hers = invite()
    wire.carry()
    wire.lose = lambda octets: True
    alice.hang_up(hers, wire.now)
    wire.run(31.9)
    assert wire.told(alice) == []
    wire.run(0.2)
    assert wire.told(alice) == [Ended(hers, False, "no answer to CANCEL")]
    wire.run(1.0)
    assert not alice._core.clients and alice.next_timeout() is None


def test_hang_up_of_an_unanswered_incoming_call(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Without an answer there is nothing to hang up: it is a refusal."""
    hers = invite()
    (incoming,) = wire.told(bob)
    bob.hang_up(incoming.call, wire.now)
    (refused,) = wire.told(alice)
    assert (refused.call, refused.code) == (hers, 480)


def test_both_hang_up_at_once(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """Crossing BYEs are both answered with 200 and told once."""
    hers, his = answered(wire, alice, bob, invite)
    alice.hang_up(hers, wire.now)
    bob.hang_up(his, wire.now)
    assert wire.told(alice) == [Ended(hers, False, "hung up")]
    assert wire.told(bob) == [Ended(his, False, "hung up")]
    assert wire.heads().count("200 BYE") == 2


def test_early_media_is_told(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """183 with SDP: not an answer."""
    hers = invite()
    wire.carry()
    transaction = next(iter(bob._core.servers.values()))
    transaction.respond(183, wire.now, headers=[("Content-Type", "application/sdp")], body=b"v=0\r\n")
    assert wire.told(alice) == [Ringing(hers, 183, b"v=0\r\n", True)]


def test_commands_out_of_place(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """A command that makes no sense raises LocalProtocolError, sends nothing and changes nothing."""
    hers = invite()
    (incoming,) = wire.told(bob)
    sent = len(wire.log)
    for wrong in (
        lambda: alice.answer(hers, b"", wire.now),
        lambda: alice.reoffer(hers, b"", wire.now),
        lambda: bob.answer_offer(incoming.call, b"", wire.now),
        lambda: bob.refuse(incoming.call, 200, wire.now),
        lambda: bob.refuse("no such call", 486, wire.now),
        lambda: alice.invite("tcp:x", from_user="1", destination=("h", 1), sdp=b"", now=0.0),
        lambda: alice.invite("sip:x>y@h", from_user="1", destination=("h", 1), sdp=b"", now=0.0),
        lambda: alice.invite("sip:x@h", from_user="1", destination=("h", 1), sdp=b"", headers={"From": "x"}, now=0.0),
        lambda: alice.invite("sip:x@h", from_user="1", destination=("h", 1), sdp=b"", headers={"A": "\n"}, now=0.0),
    ):
        with pytest.raises(LocalProtocolError):
            wrong()
    alice.hang_up("no such call", wire.now)
    wire.carry()
    assert len(wire.log) == sent
    bob.answer(incoming.call, b"", wire.now)
    with pytest.raises(LocalProtocolError):
        bob.refuse(incoming.call, 486, wire.now)
    assert isinstance(wire.told(alice)[0], Answered)


def test_delayed_offer(wire: Any, alice: UserAgent, bob: UserAgent) -> None:
    """An INVITE without SDP is told with none; the offer then goes with the 200."""
    alice.invite("sip:9@127.0.0.1:5062", from_user="1", destination=("127.0.0.1", 5062), sdp=b"", now=wire.now)
    (incoming,) = wire.told(bob)
    assert incoming.sdp == b""
    bob.answer(incoming.call, b"v=0\r\noffer", wire.now)
    assert wire.told(alice)[0].sdp == b"v=0\r\noffer"


def test_headers_of_the_owner(wire: Any, alice: UserAgent, bob: UserAgent) -> None:
    """What the owner adds to an INVITE arrives; names are found in any case."""
    alice.invite(
        "sip:9@127.0.0.1:5062",
        from_user="7 5",
        destination=("127.0.0.1", 5062),
        sdp=b"v=0\r\n",
        headers={"P-Asserted-Identity": "<sip:+7495@x>"},
        now=wire.now,
    )
    (incoming,) = wire.told(bob)
    assert incoming.headers["p-asserted-identity"] == "<sip:+7495@x>"
    assert "X-None" not in incoming.headers and incoming.headers.get("x-none") is None
    assert incoming.from_uri == "sip:7%205@127.0.0.1"


def test_digit_info_is_told(wire: Any, alice: UserAgent, bob: UserAgent, invite: Invite) -> None:
    """A key by SIP INFO, from the dialog of the caller."""
    hers, his = answered(wire, alice, bob, invite)
    dialog = alice._book.calls[hers].dialog
    assert dialog is not None
    request = dialog.request("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n")
    codes: list[int] = []
    ClientTransaction(
        alice._core, request, dialog.next_hop(), wire.now, lambda r, now: codes.append(r.code), lambda now: None
    )
    assert wire.told(bob) == [DigitInfo(his, "5")]
    wire.carry()
    assert codes == [200]
