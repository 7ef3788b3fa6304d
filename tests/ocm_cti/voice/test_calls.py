"""The calls of the voice process between a SIP that is a list and UDP that is none: every call ends once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from voice_bench import G729, HOLD, OFFER, PEER, VIDEO, Recorder
from voice_bench import VoiceCase as Case

from ocm_cti.voice.calls import Calls
from ocm_cti.voice.commands import CallOver, Unanswerable
from protocols.rtp.packets import RTPPacket, decode, encode
from protocols.sip import sdp
from protocols.sip import user_agent as sip


def test_a_call_from_ring_to_hang_up() -> None:
    case = Case()
    case.invite()
    assert case.taken() == [("ring", "k")]
    case.calls.answer("k")
    case.calls.answer("k")  # once is enough
    ((name, key, octets),) = case.taken()
    assert (name, key) == ("answer", "k")
    assert sdp.parse(octets).codecs == ((8, "PCMA"),)
    case.calls.sip_event(sip.Confirmed("k"))
    case.calls.sip_event(sip.Confirmed("k"))
    case.calls.sip_event(sip.DigitInfo("k", "4"))
    case.reactor.run(0.1)
    assert decode(case.reactor.sent[-1]).payload == b"\xd5" * 160
    case.calls.hang_up("k")
    case.calls.hang_up("k")
    case.calls.sip_event(sip.Ended("k", False, "BYE"))
    assert case.taken() == [("hang_up", "k")]
    assert case.reports() == [
        ("incoming", "k", "301", "95"),
        ("established", "k"),
        ("digit", "k", "4"),
        ("ended", "k", "us", "hung up"),
    ]
    assert case.nothing_left()


@pytest.mark.parametrize(
    ("event", "by"),
    [
        (sip.Ended("k", True, "BYE"), "them"),
        (sip.Ended("k", False, "no ACK", fault=True), "fault"),
        (sip.Ended("k", False, "session timer"), "us"),
    ],
)
def test_who_ended_it(event: sip.Ended, by: str) -> None:
    case = Case()
    case.up()
    case.reports()
    case.calls.sip_event(event)
    case.calls.sip_event(event)
    assert case.reports() == [("ended", "k", by, event.reason)]
    assert case.nothing_left()


def test_the_prompt_and_the_reply_report_when_the_call_ends_under_them(tmp_path: Path) -> None:
    case, reports = Case(), list[Any]()
    case.up()
    prompt = tmp_path / "p.alaw"
    prompt.write_bytes(b"a" * 1600)
    case.calls.play("k", [prompt]).addCallback(reports.append)
    case.calls.record("k", tmp_path / "r.wav", 5000, 5000, "").addCallback(reports.append)
    case.reactor.run(0.06)
    case.calls.sip_event(sip.Ended("k", True, "BYE"))
    played, recorded = reports
    assert (played.heard_ms, played.of_ms, played.finished) == (60, 200, False)
    assert recorded.why == "hangup"
    with pytest.raises(CallOver):
        case.calls.play("k", [])
    with pytest.raises(CallOver):
        case.calls.record("k", tmp_path / "s.wav", 1, 1, "")
    case.calls.stop_playing("k")
    assert case.nothing_left()


def test_refused_by_us_and_cancelled_by_them() -> None:
    case = Case()
    case.invite("a")
    case.invite("b")
    case.calls.refuse("a", 486)
    case.calls.sip_event(sip.Ended("a", False, "486"))
    case.calls.sip_event(sip.Ended("b", True, "CANCEL"))
    with pytest.raises(CallOver):
        case.calls.answer("b")
    assert ("refuse", "a", 486) in case.taken()
    assert case.reports()[2:] == [("ended", "a", "us", "refused with 486"), ("ended", "b", "them", "CANCEL")]
    assert case.nothing_left()


def test_cancelled_before_we_heard_of_it() -> None:
    """SIP has ended the call already; its event is still on the way."""
    case = Case()
    case.invite("a")
    case.invite("b")
    case.over |= {"a", "b", "c"}
    with pytest.raises(CallOver):
        case.calls.answer("a")
    case.calls.refuse("b", 486)
    case.invite("c")
    for key in "abc":
        case.calls.sip_event(sip.Ended(key, True, "CANCEL"))
    ended = [told[:3] for told in case.reports() if told[0] == "ended"]
    assert ended == [("ended", "a", "them"), ("ended", "b", "us")]
    assert case.nothing_left()


@pytest.mark.parametrize(("octets", "full", "code"), [(G729, False, 488), (OFFER, True, 503)])
def test_what_cannot_be_answered_is_refused_and_told(octets: bytes, full: bool, code: int) -> None:
    case = Case()
    case.reactor.full = full
    case.invite(octets=octets)
    with pytest.raises(Unanswerable):
        case.calls.answer("k")
    assert case.taken() == [("ring", "k"), ("refuse", "k", code)]
    assert [told[:3] for told in case.reports()] == [("incoming", "k", "301"), ("ended", "k", "fault")]
    assert case.nothing_left()


def test_no_audio_is_refused_without_a_word() -> None:
    case = Case()
    case.invite(octets=VIDEO)
    assert (case.taken(), case.reports()) == ([("refuse", "k", 488)], [])


def test_a_caller_who_waits_for_our_offer() -> None:
    case = Case()
    case.invite(octets=b"")
    case.calls.answer("k")
    (_, (_, _, octets)) = case.taken()
    assert [name for _, name in sdp.parse(octets).codecs] == ["PCMA", "PCMU"]
    case.reactor.run(0.1)
    assert case.reactor.sent == []
    answer, _ = sdp.answer(octets.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 0 101"), *PEER)
    case.calls.sip_event(sip.Confirmed("k", answer))
    case.reactor.run(0.04)
    assert decode(case.reactor.sent[0]).payload_type == 0
    assert case.reports()[-1] == ("established", "k")
    case.calls.sip_event(sip.Reoffered("k", b""))
    (_, _, again) = case.taken()[-1]
    assert b"o=- 4000 2 " in again
    assert case.nothing_left()


def test_an_answer_to_our_offer_that_is_none_ends_the_call() -> None:
    case = Case()
    case.invite(octets=b"")
    case.calls.answer("k")
    case.calls.sip_event(sip.Confirmed("k", VIDEO))
    assert case.taken()[-1] == ("hang_up", "k")
    assert case.reports()[-1][:3] == ("ended", "k", "fault")
    assert case.nothing_left()


def test_hold_is_answered_and_silences_us_until_it_is_over() -> None:
    case = Case()
    case.up()
    case.taken()
    case.calls.sip_event(sip.Reoffered("k", HOLD))
    ((name, _, octets),) = case.taken()
    assert name == "answer_offer"
    assert sdp.parse(octets).direction == "recvonly"
    case.reactor.sent.clear()
    case.reactor.run(0.2)
    assert case.reactor.sent == []
    case.calls.sip_event(sip.Reoffered("k", G729))
    assert case.taken() == [("refuse_offer", "k", 488)]
    case.calls.sip_event(sip.Reoffered("k", OFFER))
    case.reactor.run(0.2)
    assert len(case.reactor.sent) == 10
    assert case.nothing_left()


def test_a_silent_peer_ends_by_fault_but_only_where_that_is_wished_and_not_on_hold() -> None:
    patient, strict = Case(), Case(silent_peer_s=5.0)
    for case in (patient, strict):
        case.up()
        case.reactor.run(4.0)
        case.reactor.ports[4000].protocol.datagramReceived(encode(RTPPacket(8, 1, 0, 9, b"\xd5")), PEER)
        case.reactor.run(4.0)
        case.calls.sip_event(sip.Reoffered("k", HOLD))
        case.reactor.run(20.0)
        case.calls.sip_event(sip.Reoffered("k", OFFER))
        case.reactor.run(4.0)
        assert case.reports()[-1] == ("established", "k")
        case.reactor.run(2.1)
    assert patient.reports() == []
    assert strict.reports() == [("ended", "k", "fault", "no RTP from the peer for 5 s")]
    assert strict.taken()[-1] == ("hang_up", "k")
    assert strict.reactor.getDelayedCalls() == []
    assert patient.nothing_left()


def test_registrations_are_passed_on() -> None:
    case = Case()
    case.calls.sip_event(sip.Registered("301", 60))
    case.calls.sip_event(sip.RegistrationFailed("302", 403, "Forbidden"))
    case.calls.sip_event(sip.Unregistered("301"))
    assert case.reports() == [
        ("registration_changed", "301", True, ""),
        ("registration_changed", "302", False, "403 Forbidden"),
        ("registration_changed", "301", False, ""),
    ]


def test_ports_of_a_range_are_used_in_turn() -> None:
    case = Case(rtp_ports=range(6000, 6008))
    ports = []
    for key in "abc":
        case.up(key)
        ports += [number for number in case.reactor.ports if number % 2 == 0]
        case.calls.hang_up(key)
    assert len(set(ports)) == 3
    assert case.nothing_left()


def test_shut_down_waits_for_the_disk(tmp_path: Path) -> None:
    waiting: list[Deferred[None]] = []

    def slow(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        waiting.append(Deferred())
        return waiting[-1].addCallback(lambda _: function(*arguments))

    case = Case()
    case.calls = Calls(case.reactor, Recorder(case, "asked"), Recorder(case, "told"), "127.0.0.1", slow)
    case.up()
    case.calls.record("k", tmp_path / "r.wav", 5000, 5000, "")
    done: list[Any] = []
    case.calls.shut_down().addCallback(done.append)
    assert done == []
    waiting.pop().callback(None)
    assert done == [None]
    assert list(tmp_path.iterdir()) == [], "nothing was said, so nothing may be left"


KEYS = st.sampled_from("ab")
EVENTS: st.SearchStrategy[Callable[[Case], None]] = st.one_of(
    KEYS.map(lambda key: lambda case: case.calls.answer(key)),
    KEYS.map(lambda key: lambda case: case.calls.refuse(key, 486)),
    KEYS.map(lambda key: lambda case: case.calls.hang_up(key)),
    KEYS.map(lambda key: lambda case: case.calls.sip_event(sip.Confirmed(key))),
    KEYS.map(lambda key: lambda case: case.calls.sip_event(sip.Reoffered(key, HOLD))),
    KEYS.map(lambda key: lambda case: case.calls.sip_event(sip.DigitInfo(key, "1"))),
    KEYS.map(lambda key: lambda case: case.calls.sip_event(sip.Ended(key, True, "BYE"))),
    KEYS.map(lambda key: lambda case: case.over.add(key)),
    st.just(lambda case: case.reactor.advance(0.020)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_any_history_ends_every_call_once_and_leaves_nothing(history: list[Callable[[Case], None]]) -> None:
    case = Case(silent_peer_s=30.0)
    case.invite("a")
    case.invite("b")
    for step in history:
        with contextlib.suppress(CallOver):
            step(case)
    assert case.nothing_left()
    for key in "ab":
        mine = [told[0] for told in case.told if told[1] == key]
        assert (mine[0], mine[-1]) == ("incoming", "ended")
        assert (mine.count("incoming"), mine.count("ended")) == (1, 1)
        assert mine.count("established") <= 1
