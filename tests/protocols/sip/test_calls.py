"""Whole calls between two of our own agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from protocols.errors import LocalProtocolError
from protocols.sip.events import Answered, Confirmed, Ended, Incoming, Ringing
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
