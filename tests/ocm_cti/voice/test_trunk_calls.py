"""Calls on an operator's trunk: who may call, how the INVITE looks, what is told of it, whose calls come in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import succeed
from twisted.internet.testing import StringTransport
from twisted.protocols.amp import parseString
from voice_bench import HOLD, OFFER, PEER, VoiceCase

from ocm_cti.voice.commands import CallOver, DialFailed, ReferRefused
from ocm_cti.voice.parent_link import ParentLink
from ocm_cti.voice.sip_side import RING_LIMIT_S
from ocm_cti.voice.trunk_lines import account_of
from ocm_cti.voice.trunks import Trunk
from protocols.sip import sdp
from protocols.sip import user_agent as sip
from protocols.sip.core import TCP

TRUNK = Trunk("op", "74950000000", "pw", domain="op.example", host="192.0.2.1", port=5070, registers=False)
ANSWER = sdp.offer(*PEER)


class Case(VoiceCase):
    def __init__(self, trunk: Trunk = TRUNK, **options: Any) -> None:
        super().__init__(**options)
        self.calls.open_trunk(trunk)

    def call(self, digits: str = "+79161234567", **more: Any) -> str:
        return self.calls.call("op", digits, **more)

    def invited(self) -> tuple[str, dict[str, Any]]:
        ((name, target, more),) = self.taken()
        assert name == "invite"
        return target, more

    def comes(self, user: str, source: str) -> None:
        event = sip.Incoming("in", "sip:+79031112233@x", user, OFFER, {}, source=(source, 5060))
        self.calls.sip_event(event)


def test_an_invite() -> None:
    case = Case()
    case.call()
    target, more = case.invited()
    assert target == "sip:+79161234567@op.example"
    assert more.pop("sdp").startswith(b"v=0")
    assert more == {
        "from_user": "74950000000",
        "destination": ("192.0.2.1", 5070),
        "headers": (),
        "credentials": account_of(TRUNK),
        "identity": "<sip:74950000000@op.example>",
        "session_expires_s": 1800,
    }
    assert not isinstance(more["destination"], TCP)
    assert case.nothing_left()


@pytest.mark.parametrize(
    ("asked", "identity", "headers"),
    [
        ({"caller_id": "+74951112233"}, '"Robot" <sip:+74951112233@op.example>', []),
        ({"caller_id": "anonymous"}, '"Anonymous" <sip:anonymous@anonymous.invalid>', []),
        (
            {"caller_id": "anonymous", "asserted": "+74951112233", "headers": [("Privacy", "id")]},
            '"Anonymous" <sip:anonymous@anonymous.invalid>',
            [("P-Asserted-Identity", "<sip:+74951112233@op.example>"), ("Privacy", "id")],
        ),
        ({"asserted": "tel:+7495"}, '"Robot" <sip:74950000000@op.example>', [("P-Asserted-Identity", "<tel:+7495>")]),
    ],
)
def test_who_calls(asked: dict[str, Any], identity: str, headers: list[tuple[str, str]]) -> None:
    case = Case(Trunk("op", "74950000000", "pw", "op.example", "h", display_name="Robot", registers=False))
    case.call(**asked)
    _, more = case.invited()
    assert (more["identity"], list(more["headers"])) == (identity, headers)
    assert case.nothing_left()


def test_over_tcp_and_to_a_port() -> None:
    """An operator who is known by his address alone has his port in the address too."""
    case = Case(Trunk("op", "1", "", domain="192.0.2.1", host="192.0.2.1", port=5080, transport="tcp", registers=False))
    case.call("100")
    target, more = case.invited()
    assert target == "sip:100@192.0.2.1:5080" and isinstance(more["destination"], TCP)
    assert case.nothing_left()


@pytest.mark.parametrize(
    ("digits", "more", "why"),
    [
        ("me", {}, "can't be dialled"),
        ("", {}, "can't be dialled"),
        ("1;2", {}, "can't be dialled"),
        ("1", {"caller_id": "x\r\nEvil: y"}, "can't be a caller ID"),
        ("1", {"caller_id": 'a"@b'}, "can't be a caller ID"),
        ("1", {"asserted": "http://x"}, "can't be asserted"),
        ("1", {"asserted": "sip:a@b>,<sip:c@d"}, "can't be asserted"),
    ],
)
def test_what_is_no_call(digits: str, more: dict[str, Any], why: str) -> None:
    case = Case()
    with pytest.raises(DialFailed, match=why):
        case.call(digits, **more)
    assert case.taken() == [] and case.nothing_left()


def test_a_trunk_that_registers() -> None:
    """Calls only while it is registered; opened anew it keeps its registration, and closed it gives it back."""
    trunk = Trunk("op", "1", "pw", "op.example", "192.0.2.1", 5070, auth_user="login", registrar_host="192.0.2.2")
    case = Case(trunk)
    account = account_of(trunk)
    assert (account.key, account.auth_user, account.registrar, account.realm_host) == (
        "op",
        "login",
        ("192.0.2.2", 5060),
        "op.example",
    )
    assert account_of(TRUNK).registrar == ("192.0.2.1", 5070)
    assert case.taken() == [("register", account)]
    with pytest.raises(DialFailed, match=r"trunk op is not registered$"):
        case.call()
    case.calls.sip_event(sip.RegistrationFailed("op", 403, "Forbidden"))
    with pytest.raises(DialFailed, match="trunk op is not registered: 403 Forbidden"):
        case.call()
    case.calls.sip_event(sip.Registered("op", 300))
    case.call()
    assert case.reports() == [
        ("registration_changed", "op", False, "403 Forbidden"),
        ("registration_changed", "op", True, ""),
    ]
    case.taken()
    case.calls.open_trunk(trunk)
    assert case.taken() == [("register", account)]
    case.calls.open_trunk(TRUNK)
    assert case.taken() == [("unregister", "op")]
    case.call()
    case.calls.open_trunk(trunk)
    case.taken()
    case.calls.close_trunk("op")
    case.calls.close_trunk("op")
    assert case.taken() == [("unregister", "op")]
    with pytest.raises(DialFailed, match="no trunk op is open"):
        case.call()
    assert case.nothing_left()


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"code": 486, "reason": "Busy"}, ("refused", 486, "Busy")),
        ({"code": 486, "reason": "Busy", "q850": 17}, ("refused", 486, "Busy", 17)),
        ({"code": 503, "reason": "", "retry_after_s": 9}, ("refused", 503, "", None, 9)),
        ({"code": 408, "reason": "no answer to INVITE", "made_here": True}, ("ended", "fault", "no answer to INVITE")),
        ({"code": 503, "reason": "lost", "made_here": True}, ("ended", "fault", "lost")),
        ({"code": 503, "reason": "no way", "made_here": True, "unsent": True}, ("refused", 0, "no way")),
    ],
)
def test_what_came_of_it(event: dict[str, Any], told: tuple[Any, ...]) -> None:
    """A code is always the operator's own; where he said nothing it is a fault, and where nothing was sent it is 0."""
    case = Case()
    key = case.call()
    case.calls.sip_event(sip.Refused(key, **event))
    assert case.reports() == [(told[0], key, *told[1:])]
    assert case.nothing_left()


def test_an_extension_hears_408_as_before() -> None:
    """Of a PBX that does not answer; but not of what was not sent."""
    case = Case()
    case.calls.register(sip.Account("301", "pw", "192.0.2.3"))
    case.calls.sip_event(sip.Registered("301", 60))
    case.reports()
    silent, unsent = case.calls.dial("301", "1"), case.calls.dial("301", "2")
    case.calls.sip_event(sip.Refused(silent, 408, "no answer to INVITE", made_here=True))
    case.calls.sip_event(sip.Refused(unsent, 503, "no way", made_here=True, unsent=True))
    assert case.reports() == [("refused", silent, 408, "no answer to INVITE"), ("refused", unsent, 0, "no way")]
    assert case.nothing_left()


def test_the_end_with_its_cause() -> None:
    case = Case()
    key = case.call()
    case.calls.sip_event(sip.Answered(key, ANSWER))
    case.calls.sip_event(sip.Ended(key, True, "BYE", q850=31))
    assert case.reports() == [("established", key), ("ended", key, "them", "BYE", 31)]
    assert case.nothing_left()


def test_their_answer_to_an_offer_of_ours_moves_the_sound() -> None:
    """A refresh of the session by re-INVITE; one that is no session any more ends the call."""
    case = Case()
    key = case.call()
    case.calls.sip_event(sip.Answered(key, ANSWER))
    case.calls.sip_event(sip.Reanswered(key, HOLD))
    case.reactor.run(0.1)
    assert case.reactor.sent == []  # they don't want to hear us
    case.calls.sip_event(sip.Reanswered(key, ANSWER))
    case.reactor.run(0.1)
    assert case.reactor.sent
    case.calls.sip_event(sip.Reanswered(key, b"v=0\r\n"))
    assert [told[:3] for told in case.reports()] == [("established", key), ("ended", key, "fault")]
    assert case.nothing_left()


def test_nobody_answers_for_ever() -> None:
    case = Case()
    key = case.call()
    case.reactor.advance(RING_LIMIT_S)
    assert case.reports() == [("refused", key, 408, "not answered within 300 s")]
    assert case.nothing_left()


@pytest.mark.parametrize(
    ("user", "source", "code"),
    [
        ("74950000000", "192.0.2.1", 486),
        ("74950000000", "203.0.113.9", 486),  # he knows our user: the operator by another of his addresses
        ("79161234567", "192.0.2.1", 486),  # a number of ours
        ("admin", "203.0.113.9", 404),
    ],
)
def test_calls_that_come_in(user: str, source: str, code: int) -> None:
    """Refused with the trunk's code, or that for strangers; nobody is told."""
    trunk = Trunk("op", "74950000000", "pw", "op.example", "192.0.2.1", registers=False, refuses_with=486)
    case = Case(trunk, stranger_code=404)
    case.comes(user, source)
    assert case.taken() == [("refuse", "in", code)] and case.reports() == []
    case.calls.register(sip.Account("301", "pw", "192.0.2.3"))
    case.taken()
    case.comes("301", "192.0.2.3")
    assert case.reports() == [("incoming", "in", "301", "+79031112233")]
    assert case.nothing_left()


def test_transfer() -> None:
    case = Case()
    key = case.call()
    case.calls.sip_event(sip.Answered(key, ANSWER))
    case.taken()
    found: list[Any] = []
    case.calls.refer(key, "+7495").addBoth(lambda result: found.append(getattr(result, "value", result)))
    assert case.taken() == [("refer", key, "sip:+7495@op.example", account_of(TRUNK))]
    case.calls.sip_event(sip.ReferFailed(key, 603, "Decline"))
    case.calls.close_trunk("op")
    case.calls.refer(key, "+7495").addBoth(lambda result: found.append(getattr(result, "value", result)))
    assert [(type(one), str(one)) for one in found] == [
        (ReferRefused, "603 Decline"),
        (ReferRefused, "trunk op is closed"),
    ]
    case.calls.hang_up(key)
    assert case.nothing_left()


@pytest.mark.parametrize(
    "wrong", [{"transport": "tls"}, {"session_expires_s": 30}, {"refuses_with": 200}, {"refuses_with": 700}]
)
def test_trunks_that_can_not_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="trunk op"):
        Trunk("op", "1", "pw", "d", "h", **wrong)
    assert "pw" not in repr(TRUNK)


STEPS: dict[str, Callable[[Case, str], object]] = {
    "180": lambda case, key: case.calls.sip_event(sip.Ringing(key, 180, None, False)),
    "183": lambda case, key: case.calls.sip_event(sip.Ringing(key, 183, ANSWER, True)),
    "200": lambda case, key: case.calls.sip_event(sip.Answered(key, OFFER)),
    "486": lambda case, key: case.calls.sip_event(sip.Refused(key, 486, "Busy", q850=17)),
    "silence": lambda case, key: case.calls.sip_event(sip.Refused(key, 408, "", made_here=True)),
    "unsent": lambda case, key: case.calls.sip_event(sip.Refused(key, 503, "", made_here=True, unsent=True)),
    "reanswered": lambda case, key: case.calls.sip_event(sip.Reanswered(key, HOLD)),
    "bye": lambda case, key: case.calls.sip_event(sip.Ended(key, True, "BYE", q850=16)),
    "hang up": lambda case, key: case.calls.hang_up(key),
    "close": lambda case, key: case.calls.close_trunk("op"),
    "time": lambda case, key: case.reactor.advance(100.0),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=20))
def test_any_history_ends_once(history: list[str]) -> None:
    case = Case(silent_peer_s=30.0)
    key = case.call()
    for step in history:
        with contextlib.suppress(CallOver):
            STEPS[step](case, key)
    assert case.nothing_left()
    names = [told[0] for told in case.told]
    assert names.count("refused") + names.count("ended") == 1 and names[-1] in ("refused", "ended")
    assert "refused" not in names or "established" not in names


def test_long_words_and_whole_seconds_reach_the_parent() -> None:
    """AMP raises for a text beyond 64 KiB, and for a whole number where it wants a Float: the report would be lost."""
    wire = StringTransport()
    link = ParentLink(lambda: succeed(None), lambda: None)
    link.makeConnection(wire)  # type: ignore[no-untyped-call]
    link.refused("k", 503, "ю" * 70000, 34, 7)
    link.ended("k", "them", "x" * 70000)
    boxes = parseString(wire.value())  # type: ignore[no-untyped-call]
    assert [box[b"_command"] for box in boxes] == [b"Refused", b"Ended"]
    assert boxes[0][b"retry_after_s"] == b"7.0" and boxes[0][b"reason"].decode() == "ю" * 1000
    assert b"q850" not in boxes[1]
