"""Calls that our extensions dial, and transfers by REFER: between a SIP that is a list and UDP that is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_bench import HOLD, OFFER, PEER, VIDEO, VoiceCase

from ocm_cti.voice.calls import RING_LIMIT_S
from ocm_cti.voice.commands import CallOver, DialFailed, ReferRefused
from protocols.errors import LocalProtocolError
from protocols.rtp.packets import decode
from protocols.sip import sdp
from protocols.sip import user_agent as sip

ACCOUNT = sip.Account("301", "pw301", "192.0.2.1", 5061)
ANSWER = sdp.offer(*PEER)


class Case(VoiceCase):
    """With extension 301 registered."""

    def __init__(self, account: sip.Account = ACCOUNT, **options: Any) -> None:
        super().__init__(**options)
        self.calls.register(account)
        self.calls.sip_event(sip.Registered("301", 60))
        self.taken()
        self.reports()

    def dial(self, digits: str = "984951234567") -> str:
        return self.calls.dial("301", digits)

    def dialled_up(self) -> str:
        key = self.dial()
        self.calls.sip_event(sip.Answered(key, ANSWER))
        self.taken()
        self.reports()
        return key

    def transfer(self, key: str, digits: str = "201") -> list[Any]:
        """What its Deferred gives, errors too."""
        found: list[Any] = []
        self.calls.refer(key, digits).addBoth(lambda result: found.append(getattr(result, "value", result)))
        return found


def test_a_dialled_call_from_invite_to_bye() -> None:
    """The INVITE goes to the registrar with the credentials of the registration; early audio is no answer, for keys
    and prompts neither; once answered it is as any call."""
    case = Case()
    key = case.dial()
    ((name, target, more),) = case.taken()
    assert (name, target) == ("invite", "sip:984951234567@192.0.2.1:5061")
    assert (more["from_user"], more["destination"], more["credentials"]) == ("301", ("192.0.2.1", 5061), ACCOUNT)
    assert [name for _, name in sdp.parse(more["sdp"]).codecs] == ["PCMA", "PCMU"]
    case.reactor.run(0.1)
    assert case.reactor.sent == []
    case.calls.sip_event(sip.Ringing(key, 180, None, False))
    case.calls.sip_event(sip.Ringing(key, 180, None, False))
    case.calls.sip_event(sip.Ringing(key, 183, ANSWER, True))
    case.calls.sip_event(sip.DigitInfo(key, "1"))
    with pytest.raises(CallOver):
        case.calls.play(key, [])
    with pytest.raises(CallOver):
        case.calls.record(key, Path("/r.wav"), 1, 1, "")
    case.calls.answer(key)  # not ours to answer
    assert case.taken() == []
    mu_law, _ = sdp.answer(more["sdp"].replace(b"RTP/AVP 8 0 101", b"RTP/AVP 0 101"), *PEER)
    case.calls.sip_event(sip.Answered(key, mu_law))
    case.calls.sip_event(sip.DigitInfo(key, "2"))
    case.reactor.sent.clear()
    case.reactor.run(0.04)
    assert decode(case.reactor.sent[-1]).payload_type == 0
    case.calls.sip_event(sip.Reoffered(key, HOLD))
    assert [asked[0] for asked in case.taken()] == ["answer_offer"]
    case.calls.sip_event(sip.Ended(key, True, "BYE"))
    assert case.reports() == [
        ("ringing", key, 180),
        ("ringing", key, 183),
        ("established", key),
        ("digit", key, "2"),
        ("ended", key, "them", "BYE"),
    ]
    assert case.nothing_left()


def test_who_may_dial() -> None:
    """Only a registered extension; why it is not is said."""
    case = VoiceCase()

    def why(extension: str = "301") -> str:
        with pytest.raises(DialFailed) as failed:
            case.calls.dial(extension, "201")
        return str(failed.value)

    assert why() == "extension 301 is not registered"
    case.calls.register(ACCOUNT)
    assert why() == "extension 301 is not registered"
    case.calls.sip_event(sip.RegistrationFailed("301", 403, "Forbidden"))
    assert why() == "extension 301 is not registered: 403 Forbidden"
    case.calls.sip_event(sip.Registered("301", 60))
    case.calls.hang_up(case.calls.dial("301", "201"))
    assert why("302") == "extension 302 is not registered"
    case.calls.sip_event(sip.RegistrationFailed("301", 408, "no answer"))
    assert why() == "extension 301 is not registered: 408 no answer"
    case.calls.sip_event(sip.Registered("301", 60))
    case.calls.unregister("301")
    case.calls.sip_event(sip.Unregistered("301"))
    assert why() == "extension 301 is not registered"
    assert [asked[0] for asked in case.taken()] == ["register", "invite", "hang_up", "unregister"]
    assert case.nothing_left()


@pytest.mark.parametrize("digits", ["", "12 34", "201@evil", "201;x=y", "x" * 65, "2\r\n", "+"])
def test_what_cannot_be_dialled(digits: str) -> None:
    case = Case()
    with pytest.raises(DialFailed, match="can't be dialled"):
        case.dial(digits)
    assert case.taken() == [] and case.nothing_left()


@pytest.mark.parametrize(("digits", "user"), [("*21#", "*21%23"), ("+74951234567", "+74951234567"), ("201", "201")])
def test_how_a_number_is_written(digits: str, user: str) -> None:
    """RFC 3261 section 25.1: # must be escaped; the port is left out where it is the usual one."""
    case = Case(sip.Account("301", "pw", "pbx", domain="example.org"))
    case.calls.hang_up(case.dial(digits))
    target = case.taken()[0][1]
    assert target == f"sip:{user}@example.org"
    assert case.nothing_left()


def test_no_port_for_rtp_dials_nothing() -> None:
    case = Case()
    case.reactor.full = True
    with pytest.raises(DialFailed):
        case.dial()
    assert case.taken() == [] and case.nothing_left()


def test_sip_that_refuses_the_command_leaves_no_port_open() -> None:
    case = Case()

    def invite(*arguments: Any, **more: Any) -> str:
        raise LocalProtocolError("the SIP socket is not open")

    case.calls._sip = type("Sip", (), {"invite": staticmethod(invite)})()
    with pytest.raises(DialFailed, match="not open"):
        case.dial()
    assert case.nothing_left()


def test_refused() -> None:
    """Told once, with the PBX's own reason (RFC 3326) where there is one; ``ended`` does not follow."""
    case = Case()
    busy, odd = case.dial(), case.dial()
    case.calls.sip_event(sip.Refused(busy, 486, "Busy Here"))
    case.calls.sip_event(sip.Refused(odd, 480, "", {"Reason": 'Q.850;cause=20;text="absent"'}))
    case.calls.sip_event(sip.Ended(busy, True, "BYE"))
    case.calls.hang_up(busy)
    assert case.reports() == [
        ("refused", busy, 486, "Busy Here"),
        ("refused", odd, 480, 'Q.850;cause=20;text="absent"'),
    ]
    assert case.nothing_left()


def test_hung_up_before_the_answer() -> None:
    """Told at once; whatever crosses it on the way, an answer too, changes nothing (SIP sends the BYE)."""
    case = Case()
    key = case.dial()
    case.calls.hang_up(key)
    case.calls.sip_event(sip.Answered(key, ANSWER))
    case.calls.sip_event(sip.Ended(key, False, "hung up"))
    assert [asked[0] for asked in case.taken()] == ["invite", "hang_up"]
    assert case.reports() == [("ended", key, "us", "hung up")]
    assert case.nothing_left()


def test_nobody_answers_for_ever() -> None:
    case = Case()
    key = case.dial()
    case.calls.sip_event(sip.Ringing(key, 180, None, False))
    case.reactor.advance(RING_LIMIT_S - 1)
    assert case.reports() == [("ringing", key, 180)]
    case.reactor.advance(1)
    assert case.taken()[-1] == ("hang_up", key)
    assert case.reports() == [("refused", key, 408, "not answered within 300 s")]
    answered = case.dialled_up()
    case.reactor.advance(RING_LIMIT_S + 1)
    assert case.reports() == []
    case.calls.hang_up(answered)
    assert case.nothing_left()


def test_an_answer_without_audio() -> None:
    """What was agreed before the answer counts where it says nothing; else the call can't go on."""
    case = Case()
    early, none, video = case.dial(), case.dial(), case.dial()
    case.calls.sip_event(sip.Ringing(early, 183, ANSWER, True))
    case.calls.sip_event(sip.Ringing(none, 183, VIDEO, True))
    for key, octets in ((early, b""), (none, b""), (video, VIDEO)):
        case.calls.sip_event(sip.Answered(key, octets))
    told = [report[:3] for report in case.reports()]
    assert told == [
        ("ringing", early, 183),
        ("ringing", none, 183),
        ("established", early),
        ("ended", none, "fault"),
        ("ended", video, "fault"),
    ]
    assert [asked for asked in case.taken() if asked[0] == "hang_up"] == [("hang_up", none), ("hang_up", video)]
    assert case.nothing_left()


def test_a_call_that_breaks_before_its_answer() -> None:
    case = Case()
    key = case.dial()
    case.calls.sip_event(sip.Ended(key, False, "no Contact", fault=True))
    assert case.reports() == [("ended", key, "fault", "no Contact")]
    assert case.nothing_left()


def test_silence_counts_from_the_answer() -> None:
    """Before it nobody owes us a sound, whatever was agreed early."""
    case = Case(silent_peer_s=5.0)
    other = case.dialled_up()
    key = case.dial()
    case.calls.sip_event(sip.Ringing(key, 183, ANSWER, True))
    case.calls.sip_event(sip.Reoffered(other, HOLD))
    case.reactor.run(20.0)
    case.calls.sip_event(sip.Answered(key, b""))
    case.reactor.run(4.0)
    assert [report[0] for report in case.reports()] == ["ringing", "established"]
    case.reactor.run(2.1)
    assert case.reports() == [("ended", key, "fault", "no RTP from the peer for 5 s")]
    assert case.nothing_left()


# Transfer


@pytest.mark.parametrize("dialled", [True, False])
def test_transferred(dialled: bool) -> None:
    case = Case()
    if dialled:
        key = case.dialled_up()
    else:
        key = "k"
        case.up(key)
        case.taken()
        case.reports()
    found = case.transfer(key)
    assert case.taken() == [("refer", key, "sip:201@192.0.2.1:5061", ACCOUNT)]
    assert found == []
    case.calls.sip_event(sip.ReferDone(key))
    assert found == [None]
    case.calls.sip_event(sip.Ended(key, True, "BYE"))
    assert case.reports() == [("ended", key, "them", "BYE")]
    assert case.nothing_left()


def test_a_transfer_that_fails_may_be_tried_again() -> None:
    case = Case()
    key = case.dialled_up()
    first, at_once = case.transfer(key), case.transfer(key, "202")
    assert isinstance(at_once[0], ReferRefused) and at_once[0].code == 491
    case.calls.sip_event(sip.ReferFailed(key, 486, "Busy Here"))
    assert (first[0].code, first[0].reason, str(first[0])) == (486, "Busy Here", "486 Busy Here")
    again = case.transfer(key, "202")
    case.calls.sip_event(sip.ReferDone(key))
    assert again == [None]
    assert [asked[2] for asked in case.taken() if asked[0] == "refer"] == [
        "sip:201@192.0.2.1:5061",
        "sip:202@192.0.2.1:5061",
    ]
    case.calls.hang_up(key)
    assert case.nothing_left()


@pytest.mark.parametrize("how", ["theirs", "ours"])
def test_the_call_ends_while_it_is_transferred(how: str) -> None:
    """CallOver comes before the end of the call is told."""
    case = Case()
    key = case.dialled_up()
    case.calls.refer(key, "201").addErrback(lambda failure: case.told.append(("failed", failure.type)))
    if how == "theirs":
        case.calls.sip_event(sip.Ended(key, True, "BYE"))
    else:
        case.calls.hang_up(key)
    case.calls.sip_event(sip.ReferDone(key))
    assert [told[:2] for told in case.reports()] == [("failed", CallOver), ("ended", key)]
    assert case.nothing_left()


def test_what_cannot_be_transferred() -> None:
    """Nobody is asked: an extension that was given back, a number that is none, a call that is not up or is over."""
    case = Case()
    key, ringing = case.dialled_up(), case.dial()
    case.taken()
    assert case.transfer(key, "me")[0].code == 0
    for stranger in (ringing, "nobody"):
        with pytest.raises(CallOver):
            case.calls.refer(stranger, "201")
    case.over.add(key)  # SIP knows it, its event is on the way
    assert "over" in str(case.transfer(key)[0])
    case.over.clear()
    case.calls.unregister("301")
    assert "no registration" in case.transfer(key)[0].reason
    assert [asked[0] for asked in case.taken()] == ["unregister"]
    assert case.nothing_left()


STEPS: dict[str, Callable[[Case, str], object]] = {
    "180": lambda case, key: case.calls.sip_event(sip.Ringing(key, 180, None, False)),
    "183": lambda case, key: case.calls.sip_event(sip.Ringing(key, 183, ANSWER, True)),
    "200": lambda case, key: case.calls.sip_event(sip.Answered(key, OFFER)),
    "200 bare": lambda case, key: case.calls.sip_event(sip.Answered(key, b"")),
    "486": lambda case, key: case.calls.sip_event(sip.Refused(key, 486, "Busy")),
    "bye": lambda case, key: case.calls.sip_event(sip.Ended(key, True, "BYE")),
    "hang up": lambda case, key: case.calls.hang_up(key),
    "hold": lambda case, key: case.calls.sip_event(sip.Reoffered(key, HOLD)),
    "key": lambda case, key: case.calls.sip_event(sip.DigitInfo(key, "1")),
    "refer": lambda case, key: case.transfer(key),
    "done": lambda case, key: case.calls.sip_event(sip.ReferDone(key)),
    "not done": lambda case, key: case.calls.sip_event(sip.ReferFailed(key, 603, "Decline")),
    "time": lambda case, key: case.reactor.advance(100.0),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=20))
def test_any_history_ends_once(history: list[str]) -> None:
    """Refused or ended, once, and nothing after it; keys only of an answered call; nothing is left."""
    case = Case(silent_peer_s=30.0)
    key = case.dial()
    for step in history:
        with contextlib.suppress(CallOver):
            STEPS[step](case, key)
    assert case.nothing_left()
    names = [told[0] for told in case.told]
    assert names.count("refused") + names.count("ended") == 1 and names[-1] in ("refused", "ended")
    assert "refused" not in names or "established" not in names
    if "digit" in names:
        assert names.index("established") < names.index("digit")
