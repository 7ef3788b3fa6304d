"""The gateway over a SIP trunk beyond the contract: accounts, processes, pace, refusals, races, transfers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gateway_bench import Listener
from sip_trunk_bench import SipTrunkBench

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, EndedBy, LinkState, NotPlaced, RecordLimits, TransferFailed
from ocm_cti.voice.client import RecordingFailed

MADE: list[SipTrunkBench] = []
SECOND = {"name": "b", "user": "two", "password": "2", "channels": 2}
TWO_ACCOUNTS: dict[str, Any] = {
    "user": None,
    "password": None,
    "channels": None,
    "accounts": [{"name": "a", "user": "one", "password": "1", "channels": 2}, SECOND],
}


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().close()


def made(operator: dict[str, Any] | None = None, voice_latency_s: float = 0.0, **changed: Any) -> SipTrunkBench:
    bench = SipTrunkBench(operator, voice_latency_s, **changed)
    MADE.append(bench)
    return bench


def started(*arguments: Any, **changed: Any) -> SipTrunkBench:
    bench = made(*arguments, **changed)
    bench.start()
    return bench


def over(bench: SipTrunkBench, listener: Listener) -> tuple[Any, ...]:
    bench.until(lambda: listener.over, "terminal report")
    return listener.verdict


def refused(bench: SipTrunkBench, *said: Any, number: str = "+74951234555") -> tuple[Any, ...]:
    """A call that the operator refuses so."""
    bench.switch.refusals["55"] = said
    return over(bench, bench.place(number, bench.gateway.idle_ports[0]))


def fired(deferred: Any) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


# What is asked of the voice process


def test_a_call_as_the_operator_sees_it() -> None:
    bench = started(format="digits", caller_id="+7495777", asserted="account")
    bench.place(bench.never_answers)
    bench.place(bench.never_answers, "2", caller_id="Firm <8800>")
    bench.place(bench.never_answers, "3", caller_id="anonymous")
    digits = bench.never_answers[1:]
    assert bench.switch.asked == [
        ("4950000", digits, "+7495777", "4950000", ()),
        ("4950000", digits, "8800", "4950000", ()),
        ("4950000", digits, "anonymous", "4950000", (("Privacy", "id"),)),
    ]


def test_nothing_is_told_before_place_has_returned() -> None:
    """Also where the voice process refuses at once."""
    bench = started()
    bench.voices[0].dial_error = "no free port for RTP"
    listener = bench.place(bench.answers)
    assert listener.told == []
    assert over(bench, listener)[:2] == ("failed", Cause.LINE_FAULT)
    assert "no free port for RTP" in listener.verdict[2].text
    assert listener.names == ["failed"] and bench.calls_asked == 0


def test_a_call_that_is_given_up_before_it_could_be_told() -> None:
    bench = started()
    bench.voices[0].dial_error = "no free port for RTP"
    listener = bench.place(bench.answers)
    stopped = fired(bench.gateway.stop())
    bench.until(lambda: stopped, "stopped")
    assert listener.names == ["failed"]


def test_numbers_that_can_not_be_dialled() -> None:
    bench = started()
    for number in ("sip:me@home", "+7495abc", "", "+"):
        with pytest.raises(NotPlaced, match="can't be dialled"):
            bench.gateway.place("1", number, 1, 20.0, None, Listener())


def test_a_port_that_is_not_there() -> None:
    bench = started()
    with pytest.raises(NotPlaced, match="has no port 9"):
        bench.gateway.place("9", bench.answers, 1, 20.0, None, Listener())


# Refusals


def test_a_time_that_the_operator_names_is_kept() -> None:
    bench = started()
    assert refused(bench, 503, "Service Unavailable", None, 7.0)[:2] == ("failed", Cause.UNREACHABLE)
    assert list(bench.gateway.idle_ports) == []
    assert "no call for 7 s: 503 Service Unavailable" in bench.gateway.port_reason("1")
    with pytest.raises(NotPlaced, match="no call for 7 s"):
        bench.gateway.place("1", bench.answers, 1, 20.0, None, Listener())
    bench.watcher.freed.clear()
    bench.pass_s(6.9)
    assert bench.watcher.freed == []
    bench.pass_s(0.2)
    assert sorted(bench.watcher.freed) == ["1", "2", "3"]
    assert bench.gateway.health.state is LinkState.UP, "he is there, and busy"


def test_a_time_beyond_all_measure_is_not() -> None:
    bench = started(retry_after_limit_s=30.0)
    refused(bench, 503, "Later", None, 86_400.0)
    bench.pass_s(30.1)
    assert len(bench.gateway.idle_ports) == 3


@pytest.mark.parametrize("said", [(486, "Busy", None, 60.0), (480, "Away", 18, 60.0), (603, "No", None, 60.0)])
def test_a_time_that_is_about_the_person_stops_nobody_else(said: tuple[Any, ...]) -> None:
    bench = started()
    refused(bench, *said)
    assert len(bench.gateway.idle_ports) == 3


@pytest.mark.parametrize("said", [(503, "Full"), (480, "Full", 34), (500, "Full", 42)])
def test_an_operator_without_room_is_left_in_peace(said: tuple[Any, ...]) -> None:
    bench = started(congestion_rest_s=4.0)
    assert refused(bench, *said)[1] is Cause.UNREACHABLE
    assert list(bench.gateway.idle_ports) == []
    bench.pass_s(4.1)
    assert len(bench.gateway.idle_ports) == 3


def test_or_not_where_that_is_set() -> None:
    bench = started(congestion_rest_s=0)
    refused(bench, 503, "Full")
    assert len(bench.gateway.idle_ports) == 3


def test_an_account_that_is_refused_rests_longer_each_time() -> None:
    bench = started(**TWO_ACCOUNTS)
    for rest_s in (5.0, 10.0, 20.0):
        verdict = refused(bench, 403, "Forbidden")
        assert verdict[:2] == ("failed", Cause.LINE_FAULT)
        assert list(bench.gateway.idle_ports) == ["b-1", "b-2"], "the other account works"
        assert "403 Forbidden" in bench.gateway.port_reason("a-2")
        assert bench.gateway.health.state is LinkState.UP
        assert bench.gateway.health.reason == "account a rests after a fault: 403 Forbidden"
        bench.pass_s(rest_s - 0.2)
        assert "a-1" not in bench.gateway.idle_ports
        bench.pass_s(0.3)
        assert "a-1" in bench.gateway.idle_ports
    assert bench.gateway.health.reason == ""
    refused(bench, 486, "Busy Here")  # it is taken again
    refused(bench, 403, "Forbidden")
    bench.pass_s(5.1)
    assert "a-1" in bench.gateway.idle_ports


@pytest.mark.parametrize(
    ("code", "caller_id", "asks"), [(401, "+74950000099", True), (401, None, False), (403, "+74950000099", False)]
)
def test_an_operator_who_does_not_know_the_caller_id(code: int, caller_id: str | None, asks: bool) -> None:
    """He looks the account up by From: the report says which setting that is."""
    bench = started()
    bench.switch.refusals["55"] = (code, "Unauthorized")
    verdict = over(bench, bench.place("+74951234555", caller_id=caller_id))
    assert ('from_user = "account"' in verdict[2].text) == asks
    assert ('from_user = "account"' in bench.gateway.health.reason) == asks


def test_calls_that_fail_side_by_side_are_one_fault() -> None:
    bench = started()
    bench.switch.refusals["55"] = (403, "Forbidden")
    listeners = [bench.place(f"+7495123{port}455", port) for port in "123"]
    bench.until(lambda: all(listener.over for listener in listeners), "all over")
    bench.pass_s(5.1)
    assert len(bench.gateway.idle_ports) == 3


def test_a_refused_account_is_what_health_says() -> None:
    bench = started()
    refused(bench, 403, "Forbidden")
    assert bench.gateway.health.state is LinkState.REFUSED
    assert "account 4950000 rests after a fault: 403 Forbidden" in bench.gateway.health.reason


def test_what_a_status_means_here() -> None:
    bench = started(statuses={"403": "rejected"})
    assert refused(bench, 403, "Forbidden")[1] is Cause.REJECTED
    assert len(bench.gateway.idle_ports) == 3


def test_nothing_left_for_the_operator() -> None:
    bench = started()
    verdict = refused(bench, 0, "sip.example: no connection")
    assert verdict[:2] == ("failed", Cause.LINE_FAULT) and "no connection" in verdict[2].text
    assert bench.gateway.health.state is LinkState.DOWN


# Registration


def test_a_registration_that_is_refused() -> None:
    bench = made({"register_refusal": "403 Forbidden"})
    bench.gateway.start(bench.watcher)
    bench.pass_s(1)
    assert bench.gateway.health.state is LinkState.REFUSED
    assert bench.gateway.health.reason == "account 4950000 is not registered: 403 Forbidden"
    assert list(bench.gateway.idle_ports) == []
    with pytest.raises(NotPlaced, match="is not registered: 403 Forbidden"):
        bench.gateway.place("1", bench.answers, 1, 20.0, None, Listener())


@pytest.mark.parametrize("said", ["408 no answer from the registrar", "503 connection refused", ""])
def test_a_registrar_who_is_not_there(said: str) -> None:
    bench = made({"register_refusal": said or "503 x"})
    bench.gateway.start(bench.watcher)
    assert bench.gateway.health.state is LinkState.CONNECTING
    bench.pass_s(1)
    assert bench.gateway.health.state is LinkState.DOWN


def test_each_account_is_registered_once() -> None:
    bench = started(**TWO_ACCOUNTS, voice_processes=2)
    assert bench.switch.registrations == 2
    assert [{name: trunk.registers for name, trunk in voice.trunks.items()} for voice in bench.voices] == [
        {"a": True, "b": False},
        {"a": False, "b": True},
    ]


def test_a_call_answers_although_the_registration_was_lost_meanwhile() -> None:
    bench = started()
    listener = bench.answered()
    bench.break_link()
    bench.pass_s(3)
    assert bench.gateway.health.state is LinkState.DOWN and not listener.over
    bench.mend_link()
    bench.until(lambda: bench.gateway.health.state is LinkState.UP, "back")
    bench.far_hangs_up("1")
    assert over(bench, listener)[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)


# Several voice processes


def test_a_killed_process_loses_only_its_own_calls() -> None:
    bench = started(voice_processes=2, channels=4)
    calls = {port: bench.answered(port) for port in "12"} | {
        port: bench.place(bench.never_answers, port) for port in "34"
    }
    bench.until(lambda: all("ringing" in calls[port].names for port in "34"), "ringing")
    bench.kill_voice()
    assert calls["1"].verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert calls["3"].verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert "killed by signal 9" in calls["1"].verdict[3].text
    bench.pass_s(0.5)
    assert not calls["2"].over and not calls["4"].over
    assert "killed by signal 9" in bench.gateway.health.reason
    bench.until(lambda: {"1", "3"} <= set(bench.gateway.idle_ports), "back")
    bench.far_hangs_up("2")
    assert over(bench, calls["2"])[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert "answered" not in calls["4"].names and not calls["4"].over
    bench.all_hang_up()


def test_the_other_process_goes_on_calling_where_nobody_registers() -> None:
    bench = started(voice_processes=2, channels=2, registers=False)
    bench.kill_voice()
    assert list(bench.gateway.idle_ports) == ["2"]
    assert bench.gateway.health.state is LinkState.UP
    assert bench.gateway.health.reason == "the voice process is gone: killed by signal 9"
    assert bench.gateway.port_reason("1") == "the voice process is gone: killed by signal 9"
    bench.until(lambda: len(bench.gateway.idle_ports) == 2, "back")
    assert bench.gateway.health.reason == ""


def test_a_voice_process_that_is_gone_is_no_link() -> None:
    bench = started()
    bench.kill_voice()
    assert bench.gateway.health.state is LinkState.DOWN
    assert bench.gateway.health.reason == "the voice process is gone: killed by signal 9"


# Pace


def test_no_more_calls_a_second_than_agreed() -> None:
    bench = started(calls_per_s=2.0, calls_burst=1, channels=3)
    begun_s: list[float] = []

    def again(*_: Any) -> None:
        port = bench.gateway.idle_ports[0]
        begun_s.append(bench.reactor.seconds())
        bench.place(bench.never_answers, port)

    again()
    assert list(bench.gateway.idle_ports) == []
    assert bench.gateway.port_reason("2") == "no more than 2 calls a second"
    for _ in range(2):
        bench.until(lambda: bench.gateway.idle_ports, "an idle port")
        again()
    assert [later - earlier for earlier, later in pairwise(begun_s)] == pytest.approx([0.5, 0.5], abs=0.06)


def test_ports_are_freed_again_when_the_pace_opens() -> None:
    bench = started(calls_per_s=2.0, calls_burst=1)
    bench.watcher.freed.clear()
    bench.place(bench.never_answers)
    bench.pass_s(0.4)
    assert bench.watcher.freed == []
    bench.pass_s(0.2)
    assert sorted(bench.watcher.freed) == ["2", "3"]


# Races


def test_an_answer_that_crosses_our_cancel() -> None:
    """Ended at once, and reported once: nobody heard anything."""
    bench = started(voice_latency_s=0.3)
    listener = bench.place(bench.answers, ring_timeout_s=0.9)
    bench.until(lambda: bench.voices[0].hung_up, "given up")
    call_id = bench.voices[0].hung_up[0]
    bench.voices[0].observer.established(call_id)
    verdict = over(bench, listener)
    assert verdict[:2] == ("failed", Cause.NO_ANSWER)
    assert "answered" not in listener.names
    assert "answered while it was being cancelled" in verdict[2].text
    bench.until(lambda: bench.calls_up == 0, "no call left")


def test_a_refusal_that_crosses_our_cancel_is_not_told() -> None:
    bench = started(voice_latency_s=0.3)
    listener = bench.place(bench.busy)
    bench.pass_s(0.5)
    assert listener.call is not None
    listener.call.hang_up()
    assert over(bench, listener)[:2] == ("failed", Cause.CANCELLED)


def test_hung_up_before_the_voice_process_has_named_it() -> None:
    bench = started(voice_latency_s=0.5)
    listener = bench.place(bench.answers)
    assert listener.call is not None and listener.call.native_id is None
    listener.call.hang_up()
    assert listener.told == []
    assert over(bench, listener)[:2] == ("failed", Cause.CANCELLED)
    assert bench.voices[0].hung_up and listener.names == ["failed"]
    bench.until(lambda: bench.calls_up == 0, "no call left")


def test_an_observer_that_fails_costs_nothing() -> None:
    class Broken(Listener):
        def dialing(self) -> None:
            super().dialing()
            raise RuntimeError("on purpose")

    bench = started()
    listener = Broken()
    listener.call = bench.gateway.place("1", bench.busy, 1, 20.0, None, listener)
    assert over(bench, listener)[:2] == ("failed", Cause.BUSY)


def test_hung_up_by_whoever_is_being_told() -> None:
    class Impatient(Listener):
        def ringing(self) -> None:
            super().ringing()
            assert self.call is not None
            self.call.hang_up()

    bench = started()
    listener = Impatient()
    listener.call = bench.gateway.place("1", bench.answers, 1, 20.0, None, listener)
    assert over(bench, listener)[:2] == ("failed", Cause.CANCELLED)


def test_a_call_that_lasts_too_long() -> None:
    bench = started(call_limit_s=30.0)
    listener = bench.answered()
    bench.pass_s(29.0)
    assert not listener.over
    assert over(bench, listener)[:3] == ("ended", Cause.NORMAL, EndedBy.US)


def test_a_call_that_loses_its_sound() -> None:
    bench = started()
    listener = bench.answered()
    leg = bench.leg("1")
    assert leg is not None
    bench.switch.hung_up(leg)
    bench.voices[0]._end(leg.call_id, "fault", "no RTP from the peer for 60 s")
    assert over(bench, listener)[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert "no RTP" in listener.verdict[3].text


def test_a_call_of_a_stranger_is_turned_away() -> None:
    bench = started(refuse_incoming=488)
    bench.voices[0].observer.incoming("1.x", "4950000", "666")
    assert bench.voices[0].refused == ["1.x 488"]


def test_words_about_calls_that_nobody_has() -> None:
    bench = started()
    observer = bench.voices[0].observer
    for told in (
        lambda: observer.ringing("9.9", 180),
        lambda: observer.established("9.9"),
        lambda: observer.refused("9.9", 486, "Busy"),
        lambda: observer.digit("9.9", "1"),
        lambda: observer.ended("9.9", "them", "BYE"),
        lambda: observer.registration_changed("nobody", True, ""),
    ):
        told()
    assert len(bench.gateway.idle_ports) == 3


# Media


def test_a_reply_that_can_not_be_written(tmp_path: Path) -> None:
    """It is not the call that is over."""
    bench = started()
    listener = bench.answered()
    assert listener.call is not None
    recorded = fired(listener.call.record(tmp_path / "reply.wav", RecordLimits()))
    ring = next(iter(bench.voices[0].calls.values()))
    recording, ring.recording = ring.recording, None
    assert recording is not None
    recording.errback(RecordingFailed("disk full"))
    assert recorded[0].check(RecordingFailed) and not listener.over


def test_silence_when_a_call_is_over() -> None:
    bench = started()
    listener = bench.answered()
    bench.far_hangs_up("1")
    over(bench, listener)
    assert listener.call is not None
    listener.call.stop_playing()
    assert fired(listener.call.transfer("200"))[0].check(CallOver)


# Handing over


def test_one_transfer_at_a_time() -> None:
    bench = started()
    listener = bench.answered()
    assert listener.call is not None
    first, second = fired(listener.call.transfer("201")), fired(listener.call.transfer("200"))
    assert second[0].check(TransferFailed) and second[0].value.reason is Cause.LINE_FAULT
    bench.until(lambda: first, "refused")
    assert first[0].check(TransferFailed) and first[0].value.reason is Cause.NO_ANSWER
    assert "480" in str(first[0].value)
    third = fired(listener.call.transfer("200"))
    bench.until(lambda: third, "handed over")
    assert third == [None] and bench.switch.referred == ["201", "200"]
    assert over(bench, listener)[:3] == ("ended", Cause.TRANSFERRED, EndedBy.US)


def test_the_end_that_comes_before_the_answer_to_refer() -> None:
    """The operator takes him over and hangs us up: only then his answer reaches us."""
    bench = started()
    listener = bench.answered()
    assert listener.call is not None
    result = fired(listener.call.transfer("201"))
    call_id = listener.call.native_id
    assert call_id is not None
    ring = bench.voices[0].calls[call_id]
    referring, ring.referring = ring.referring, None
    bench.voices[0].observer.ended(call_id, "them", "BYE")
    assert not listener.over and referring is not None
    referring.callback(None)
    assert result == [None]
    assert listener.verdict[:3] == ("ended", Cause.TRANSFERRED, EndedBy.US)
    bench.all_hang_up()


def test_he_hangs_up_while_he_is_being_handed_over() -> None:
    bench = started()
    listener = bench.answered()
    assert listener.call is not None
    result = fired(listener.call.transfer("201"))
    bench.far_presses("1", "5")
    bench.pass_s(1)
    bench.far_hangs_up("1")
    assert over(bench, listener)[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert result[0].check(CallOver)
    assert "digit" not in listener.names, "what he presses then is for the operator"


# OPTIONS


def test_an_operator_who_is_lost_is_noticed_by_options() -> None:
    bench = started(registers=False, password=None, options_ping_s=3.0)
    bench.break_link()
    bench.pass_s(3.1)
    assert bench.gateway.health.state is LinkState.DOWN
    assert bench.gateway.health.reason == "account 4950000 sip.example:5060 does not answer OPTIONS"
    bench.mend_link()
    bench.pass_s(3.1)
    assert bench.gateway.health.state is LinkState.UP and len(bench.gateway.idle_ports) == 3


def test_without_them_a_call_finds_out() -> None:
    bench = started(registers=False, password=None)
    bench.break_link()
    listener = bench.place(bench.answers)
    assert over(bench, listener)[:2] == ("failed", Cause.UNKNOWN)
    assert bench.gateway.health.state is LinkState.DOWN
    assert "180, 183" in bench.gateway.health.reason
    bench.mend_link()
    bench.until(lambda: bench.gateway.idle_ports, "another try")
    assert bench.gateway.health.state is LinkState.UP


# The end


def test_a_gateway_that_was_never_started() -> None:
    bench = made()
    assert list(bench.gateway.idle_ports) == [] and bench.gateway.health.state is LinkState.DOWN
    with pytest.raises(NotPlaced):
        bench.gateway.place("1", bench.answers, 1, 20.0, None, Listener())


def test_a_voice_process_that_does_not_say_that_its_calls_are_over() -> None:
    """The gateway stops all the same, and the call gets its outcome."""
    bench = started(stop_timeout_s=2.0)
    listener = bench.answered()
    bench.voices[0].calls.clear()  # it has forgotten
    stopped = fired(bench.gateway.stop())
    bench.until(lambda: stopped, "stopped", 3.0)
    assert listener.verdict[:2] == ("ended", Cause.NORMAL)
