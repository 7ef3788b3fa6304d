"""What every gateway promises the dialer (ocm_cti/gateways/interface.py), whatever the switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_bench import Bench, Listener

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import (
    CallOver,
    EndedBy,
    InFlight,
    LinkState,
    NotPlaced,
    NotSupported,
    RecordLimits,
    Settled,
    TransferFailed,
)


def place(bench: Bench, number: str, ring_timeout_s: float = 20.0) -> Listener:
    listener = Listener()
    port = bench.gateway.idle_ports[0]
    bench.watcher.freed.clear()
    listener.call = bench.gateway.place(port, number, 7, ring_timeout_s, None, listener)
    assert listener.told == [], "nothing is told before place has returned"
    assert port not in bench.gateway.idle_ports
    return listener


def answered(bench: Bench) -> tuple[Listener, str]:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, bench.answers)
    bench.until(lambda: "answered" in listener.names or listener.over, "answered")
    assert not listener.over, listener.told
    return listener, port


def without_a_voice(bench: Bench, listener: Listener, path: Path) -> bool:
    """Where the switch speaks for itself we can neither play nor record, and are told so."""
    if bench.sees.voice:
        return False
    assert listener.call is not None
    for refused in (listener.call.play([bench.prompt]), listener.call.record(path, RecordLimits())):
        assert fired(refused)[0].check(NotSupported)
    return True


def listen(bench: Bench, listener: Listener) -> None:
    """Keys are heard from now on."""
    if not bench.sees.voice:
        assert listener.call is not None
        listener.call.play_announcement(bench.announcement)
        bench.pass_s(0.5)


def reach(bench: Bench, listener: Listener, stage: str) -> None:
    """Let a call that was placed come to a stage; where the switch can't tell of it, to the one before."""
    if stage == "ringing" and not bench.sees.ringing:
        bench.until(lambda: "dialing" in listener.names, "dialing")
        bench.pass_s(1)
    elif stage != "at once":
        bench.until(lambda: stage in listener.names, stage)


def over(bench: Bench, listener: Listener, port: str) -> None:
    """The call ends, and its port is free again and said so."""
    bench.until(lambda: listener.over, "terminal report")
    bench.until(lambda: port in bench.gateway.idle_ports, "port idle")
    assert bench.watcher.freed.count(port) == 1
    bench.until(lambda: bench.calls_up == 0, "the switch has no call left")


def fired(deferred: Any) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def lose_link(bench: Bench) -> None:
    """The link is broken, and the gateway knows."""
    bench.break_link()
    if not bench.sees.link_is_watched:
        listener = place(bench, bench.answers)
        bench.until(lambda: listener.over, "terminal report without a link")
        assert listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    bench.until(lambda: bench.gateway.health.state is not LinkState.UP, "link down")


def test_all_ports_are_idle_once_the_link_is_up(bench: Bench) -> None:
    assert list(bench.gateway.idle_ports) == list(bench.gateway.ports)
    assert bench.gateway.health.state is LinkState.UP
    assert bench.gateway.health.reason == ""
    assert sorted(bench.watcher.freed) == sorted(bench.gateway.ports)


def test_an_answered_call_hung_up_by_the_person(bench: Bench) -> None:
    listener, port = answered(bench)
    assert listener.call is not None and listener.call.native_id
    bench.far_hangs_up(port)
    over(bench, listener, port)
    assert listener.names[0] == "dialing"
    assert ("ringing" in listener.names) == bench.sees.ringing
    assert ("answered", bench.sees.certain) in listener.told
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert bench.calls_asked == 1


def test_an_answered_call_hung_up_by_us(bench: Bench) -> None:
    listener, port = answered(bench)
    assert listener.call is not None
    listener.call.hang_up()
    listener.call.hang_up()  # harmless
    over(bench, listener, port)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    listener.call.hang_up()  # harmless
    bench.pass_s(1)


@pytest.mark.parametrize(
    ("who", "cause"),
    [
        ("busy", Cause.BUSY),
        ("rejects", Cause.REJECTED),
        ("does_not_exist", Cause.INVALID_NUMBER),
        ("congested", Cause.UNREACHABLE),
    ],
)
def test_a_call_that_nobody_takes(bench: Bench, who: str, cause: Cause) -> None:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, getattr(bench, who))
    over(bench, listener, port)
    if not bench.sees.reasons:
        # The tone is only heard: a timer says "answered", and the switch releases us in the end.
        assert ("answered", False) in listener.told
        assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
        return
    assert listener.verdict[:2] == ("failed", cause)
    assert listener.verdict[2].system and listener.verdict[2].text, "the switch's own words are kept"


def test_the_gateway_gives_up_ringing_itself(bench: Bench) -> None:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, bench.never_answers, ring_timeout_s=3.0)
    over(bench, listener, port)
    assert listener.verdict[:2] == ("failed", Cause.NO_ANSWER)


@pytest.mark.parametrize("stage", ["at once", "dialing", "ringing"])
def test_hung_up_before_the_answer(bench: Bench, stage: str) -> None:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, bench.never_answers)
    reach(bench, listener, stage)
    assert listener.call is not None
    listener.call.hang_up()
    over(bench, listener, port)
    assert listener.verdict[:2] == ("failed", Cause.CANCELLED)


def test_keys_come_in_order(bench: Bench) -> None:
    listener, port = answered(bench)
    listen(bench, listener)
    bench.far_presses(port, "12")
    bench.until(lambda: len(listener.names) >= 2 and listener.names[-1] == "digit", "a key")
    bench.until(lambda: [told[1] for told in listener.told if told[0] == "digit"] == ["1", "2"], "both keys")


def test_a_prompt_plays_to_its_end(bench: Bench, tmp_path: Path) -> None:
    listener, _ = answered(bench)
    assert listener.call is not None
    if without_a_voice(bench, listener, tmp_path / "reply.wav"):
        return
    played = fired(listener.call.play([bench.prompt, bench.prompt]))
    bench.until(lambda: played, "played")
    assert (played[0].heard_ms, played[0].of_ms, played[0].finished) == (2000, 2000, True)


def test_a_prompt_is_stopped(bench: Bench, tmp_path: Path) -> None:
    listener, _ = answered(bench)
    assert listener.call is not None
    if without_a_voice(bench, listener, tmp_path / "reply.wav"):
        return
    played = fired(listener.call.play([bench.prompt] * 10))
    bench.pass_s(0.5)
    listener.call.stop_playing()
    bench.until(lambda: played, "reported")
    assert not played[0].finished
    assert 0 < played[0].heard_ms < played[0].of_ms == 10_000


def test_the_end_of_the_call_ends_prompt_and_recording(bench: Bench, tmp_path: Path) -> None:
    listener, port = answered(bench)
    assert listener.call is not None
    if without_a_voice(bench, listener, tmp_path / "reply.wav"):
        return
    recorded = fired(listener.call.record(tmp_path / "reply.wav", RecordLimits()))
    played = fired(listener.call.play([bench.prompt] * 10))
    bench.pass_s(0.5)
    bench.far_hangs_up(port)
    over(bench, listener, port)
    bench.until(lambda: played and recorded, "both reported")
    assert not played[0].finished
    assert recorded[0].why == ("hangup" if bench.sees.far_end else "silence")


def test_nobody_is_left_to_play_to(bench: Bench, tmp_path: Path) -> None:
    listener, port = answered(bench)
    bench.far_hangs_up(port)
    over(bench, listener, port)
    assert listener.call is not None
    played = fired(listener.call.play([bench.prompt]))
    recorded = fired(listener.call.record(tmp_path / "reply.wav", RecordLimits()))
    listener.call.stop_playing()
    bench.until(lambda: played and recorded, "both refused")
    wrong = CallOver if bench.sees.voice else NotSupported
    assert played[0].check(wrong)
    assert recorded[0].check(wrong)


def test_a_port_takes_one_call(bench: Bench) -> None:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, bench.never_answers)
    with pytest.raises(NotPlaced):
        bench.gateway.place(port, bench.answers, 8, 20.0, None, Listener())
    bench.until(lambda: "dialing" in listener.names, "dialing")
    with pytest.raises(NotPlaced):
        bench.gateway.place(port, bench.answers, 8, 20.0, None, Listener())
    assert bench.calls_asked == 1


@pytest.mark.parametrize("port_and_number", [("999", "+74951234501"), ("301", "")])
def test_what_cannot_be_placed_is_refused_before_anything_is_sent(
    bench: Bench, port_and_number: tuple[str, str]
) -> None:
    port, number = port_and_number
    with pytest.raises(NotPlaced) as refused:
        bench.gateway.place(port, number, 8, 20.0, None, Listener())
    assert str(refused.value)
    bench.pass_s(1)
    assert bench.calls_asked == 0
    assert list(bench.gateway.idle_ports) == list(bench.gateway.ports)


def test_all_ports_at_once(bench: Bench) -> None:
    calls = []
    for index, port in enumerate(list(bench.gateway.idle_ports)):
        listener = Listener()
        number = bench.answers[:-3] + str(index) + bench.answers[-2:]
        listener.call = bench.gateway.place(port, number, index, 20.0, None, listener)
        calls.append((listener, port))
    assert list(bench.gateway.idle_ports) == []
    bench.until(lambda: all("answered" in listener.names for listener, _ in calls), "all answered")
    bench.far_hangs_up(calls[0][1])
    bench.until(lambda: calls[0][0].over, "the first is over")
    bench.pass_s(1)
    assert [listener.over for listener, _ in calls] == [True, *[False] * (len(calls) - 1)]


def test_many_calls_one_after_another(bench: Bench) -> None:
    for number in (bench.busy, bench.answers, bench.does_not_exist, bench.answers) * 2:
        port = bench.gateway.idle_ports[0]
        listener = place(bench, number)
        bench.until(lambda listener=listener: listener.over or "answered" in listener.names, "answered or over")
        if not listener.over:
            bench.far_hangs_up(port)
        over(bench, listener, port)
    assert bench.calls_asked == 8


def test_no_port_without_a_link(bench: Bench) -> None:
    lose_link(bench)
    assert bench.gateway.health.reason
    assert list(bench.gateway.idle_ports) == []
    with pytest.raises(NotPlaced):
        bench.gateway.place(bench.gateway.ports[0], bench.answers, 8, 20.0, None, Listener())
    bench.watcher.freed.clear()
    bench.mend_link()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports back")
    assert sorted(bench.watcher.freed) == sorted(bench.gateway.ports)
    assert bench.watcher.healths[-1].state is LinkState.UP


@pytest.mark.parametrize("stage", ["at once", "dialing", "ringing"])
def test_the_link_breaks_before_the_answer(bench: Bench, stage: str) -> None:
    port = bench.gateway.idle_ports[0]
    listener = place(bench, bench.never_answers)
    reach(bench, listener, stage)
    bench.break_link()
    if bench.sees.answers_blindly and stage != "at once":
        bench.until(lambda: "answered" in listener.names, "answered by the timer")
        assert listener.call is not None
        listener.call.hang_up()
        bench.until(lambda: listener.over, "terminal report without a link")
        bench.mend_link()
        bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports back")
        assert bench.calls_up == 0
        return
    bench.until(lambda: listener.over, "terminal report without a link")
    if stage == "ringing" and not bench.sees.link_is_watched:
        assert listener.verdict[:2] == ("failed", Cause.NO_ANSWER), "as far as anybody knows it rang to the end"
        bench.mend_link()
        bench.until(lambda: bench.calls_up == 0, "the switch has no call left")
        return
    expected = Cause.LINE_FAULT if stage == "at once" and bench.sees.dials_by_link else Cause.UNKNOWN
    assert listener.verdict[:2] == ("failed", expected)
    assert port not in bench.gateway.idle_ports
    bench.mend_link()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports back")
    assert bench.calls_up == 0
    assert bench.calls_asked == 1 or stage == "at once"


def test_the_link_breaks_in_an_answered_call(bench: Bench) -> None:
    listener, port = answered(bench)
    bench.break_link()
    bench.pass_s(2)
    bench.mend_link()
    bench.until(lambda: bench.gateway.health.state is LinkState.UP, "link back")
    bench.pass_s(2)
    if not listener.over:  # where the voice goes another way than the link
        bench.far_hangs_up(port)
    bench.until(lambda: listener.over, "terminal report")
    assert listener.verdict[0] == "ended"
    bench.until(lambda: port in bench.gateway.idle_ports, "port idle")


@pytest.mark.parametrize("stage", ["at once", "dialing", "ringing", "answered"])
def test_the_voice_breaks(bench: Bench, stage: str) -> None:
    if not bench.sees.voice or not bench.sees.voice_breaks:
        return
    listener = place(bench, bench.answers if stage == "answered" else bench.never_answers)
    reach(bench, listener, stage)
    bench.kill_voice()
    bench.until(lambda: listener.over, "terminal report")
    if stage == "answered":
        assert listener.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    else:
        assert listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports back", 300)
    if not bench.sees.clears_after_voice:
        bench.all_hang_up()
    bench.until(lambda: bench.calls_up == 0, "the switch has no call left")


@pytest.mark.parametrize("stage", ["at once", "ringing", "answered"])
def test_stop_ends_the_calls(bench: Bench, stage: str) -> None:
    listener = place(bench, bench.answers if stage == "answered" else bench.never_answers)
    reach(bench, listener, stage)
    stopped = fired(bench.gateway.stop())
    bench.until(lambda: stopped, "stopped")
    assert stopped == [None]
    assert listener.verdict[:2] == (("ended", Cause.NORMAL) if stage == "answered" else ("failed", Cause.CANCELLED))
    assert list(bench.gateway.idle_ports) == []
    with pytest.raises(NotPlaced):
        bench.gateway.place(bench.gateway.ports[0], bench.answers, 8, 20.0, None, Listener())


def test_what_the_switch_does_not_know_any_more_is_unknown(bench: Bench) -> None:
    ports = bench.gateway.ports
    rows = [InFlight(1, ports[0], bench.answers, "ffff"), InFlight(2, ports[1], bench.answers, None)]
    rows.append(InFlight(3, "gone", bench.answers, None))
    settled = fired(bench.gateway.settle(rows))
    bench.until(lambda: settled, "settled")
    assert settled == [{1: Settled.UNKNOWN, 2: Settled.UNKNOWN, 3: Settled.UNKNOWN}]


def test_settling_needs_the_link(bench: Bench) -> None:
    lose_link(bench)
    settled = fired(bench.gateway.settle([InFlight(1, bench.gateway.ports[0], bench.answers, None)]))
    bench.until(lambda: settled, "refused")
    assert isinstance(settled[0].value, Exception)


# The switch's own voice


def test_an_announcement_of_the_switch(bench: Bench) -> None:
    listener, _ = answered(bench)
    assert listener.call is not None
    whole = fired(listener.call.play_announcement(bench.announcement))
    if not bench.sees.announces:
        assert whole[0].check(NotSupported)
        return
    bench.pass_s(2)
    assert whole == []
    bench.far_presses(bench.gateway.ports[0], "3")
    bench.until(lambda: listener.told[-1] == ("digit", "3"), "a key")
    bench.until(lambda: whole, "played")
    assert whole[0].finished and whole[0].heard_ms > 3000
    stopped = fired(listener.call.play_announcement(bench.announcement))
    bench.pass_s(1)
    listener.call.stop_playing()
    bench.until(lambda: stopped, "stopped")
    assert not stopped[0].finished
    assert 0 < stopped[0].heard_ms < 2000


# Handing over


def handed_over(bench: Bench, listener: Listener, port: str, result: list[Any]) -> None:
    """The person has the operator on the line, and we have nothing of it any more."""
    bench.until(lambda: listener.over, "terminal report")
    assert result == [None]
    assert listener.verdict[:3] == ("ended", Cause.TRANSFERRED, EndedBy.US)
    bench.until(lambda: port in bench.gateway.idle_ports, "port idle")
    bench.pass_s(2)
    assert bench.calls_up == 1, "they go on without us"
    bench.all_hang_up()
    bench.until(lambda: bench.calls_up == 0, "the switch has no call left")


def test_a_person_is_handed_over(bench: Bench) -> None:
    listener, port = answered(bench)
    assert listener.call is not None
    result = fired(listener.call.transfer(bench.operator))
    bench.until(lambda: result, "handed over")
    if not bench.sees.transfers:
        assert result[0].check(TransferFailed)
        return
    handed_over(bench, listener, port, result)


@pytest.mark.parametrize("who", ["operator_absent", "operator_unwilling"])
def test_an_operator_who_can_not_be_had(bench: Bench, who: str) -> None:
    """The person is back on the line with us, and the conversation goes on."""
    listener, port = answered(bench)
    assert listener.call is not None
    result = fired(listener.call.transfer(getattr(bench, who)))
    bench.until(lambda: result, "given up")
    if who == "operator_absent" and not bench.sees.supervised:
        handed_over(bench, listener, port, result)  # to a telephone that rings
        return
    assert result[0].check(TransferFailed)
    assert isinstance(result[0].value.reason, Cause) and str(result[0].value)
    assert not listener.over
    assert bench.calls_up == 1
    listen(bench, listener)
    bench.far_presses(port, "7")
    bench.until(lambda: listener.told[-1] == ("digit", "7"), "he is there")
    bench.far_hangs_up(port)
    over(bench, listener, port)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)


def test_the_person_hangs_up_while_the_operator_rings(bench: Bench) -> None:
    listener, port = answered(bench)
    assert listener.call is not None
    result = fired(listener.call.transfer(bench.operator_absent))
    bench.pass_s(1)
    if result:
        return  # he is handed over already, or there is no transfer
    bench.far_hangs_up(port)
    bench.until(lambda: result, "given up")
    assert result[0].check(CallOver) or not bench.sees.far_end
    over(bench, listener, port)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)


@pytest.mark.parametrize("what", ["we hang up", "the link breaks", "the voice breaks", "we stop"])
def test_a_transfer_that_is_disturbed_leaves_nothing_behind(bench: Bench, what: str) -> None:
    listener, _ = answered(bench)
    assert listener.call is not None
    result = fired(listener.call.transfer(bench.operator_absent))
    stopped: list[Any] = []
    bench.pass_s(1)
    if what == "we hang up":
        listener.call.hang_up()
    elif what == "the link breaks":
        bench.break_link()
        bench.pass_s(2)
        bench.mend_link()
        bench.pass_s(10)
        listener.call.hang_up()
    elif what == "the voice breaks" and bench.sees.voice and bench.sees.voice_breaks:
        bench.kill_voice()
    else:
        stopped = fired(bench.gateway.stop())
        bench.until(lambda: stopped, "stopped")
    bench.until(lambda: result and listener.over, "both reported")
    if not stopped and bench.sees.voice:
        bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports back", 300)
    left = what == "the voice breaks" and not bench.sees.clears_after_voice
    if left or result[0] is None or listener.verdict[1] is Cause.TRANSFERRED:
        bench.all_hang_up()  # or he was handed over in time
    bench.until(lambda: bench.calls_up == 0, "the switch has no call left")
