"""The Panasonic gateway over the simulated PBX, in the variants that nobody has seen a real one decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gateway_bench import Listener, Watcher
from panasonic_bench import EXTENSIONS, PanasonicBench, settings
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Health, InFlight, LinkState, NotPlaced, Settled
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_ports import LinkDown
from ocm_cti.gateways.panasonic_reading import Seen
from ocm_cti.gateways.panasonic_settling import Settling
from ocm_cti.simulator import csta_server
from ocm_cti.simulator.switch import Extension

Make = Callable[..., PanasonicBench]


@pytest.fixture
def make() -> Iterator[Make]:
    """Benches that are stopped and found empty at the end."""
    made: list[PanasonicBench] = []

    def build(variants: dict[str, Any] | None = None, *, start: bool = True, **changed: Any) -> PanasonicBench:
        bench = PanasonicBench(variants, **changed)
        made.append(bench)
        if start:
            bench.start()
        return bench

    yield build
    for bench in made:
        bench.close()


def over(bench: PanasonicBench, listener: Listener) -> tuple[Any, ...]:
    bench.until(lambda: listener.over, "terminal report")
    bench.until(lambda: "301" in bench.gateway.idle_ports, "port idle", 200)
    assert bench.calls_up == 0
    return listener.verdict[:-1]


def answered(bench: PanasonicBench) -> Listener:
    listener = bench.place(bench.answers)
    bench.until(lambda: "answered" in listener.names, "answered")
    return listener


# Dialling


def test_the_number_is_dialled_by_the_rules(make: Make) -> None:
    bench = make({"access_code": "9"})
    bench.place("+74951234507", "301")
    bench.place("+380441234507", "302")
    bench.pass_s(1)
    assert bench.voice.digits_dialled == {"301": "984951234507", "302": "9810380441234507"}


def test_the_call_id_of_the_switch_is_kept(make: Make) -> None:
    bench = make()
    listener = answered(bench)
    assert listener.call is not None
    assert listener.call.native_id == bench.pbx.switch.calls[0].call_id.hex()


# Variants of the PBX: each must give the same story


VARIANTS: list[dict[str, Any]] = [
    {"events_before_result": True},
    {"extension_form": "deviceNumber"},
    {"far_end_form": "number"},
    {"number_form": "other"},
    {"delivered": False},
    {"cleared_order": "releasing_last"},
    {"far_hangup": "tone"},
    {"failed_frees_caller": True},
    {"call_id_octets": 3},
    {"call_ids": 1},
    {"unregistered_in_service": False},
    {"events_before_result": True, "call_ids": 1, "extension_form": "deviceNumber"},
    {"abort_framed": True},
]


@pytest.mark.parametrize("variants", VARIANTS, ids=str)
def test_the_same_story_in_every_variant(make: Make, variants: dict[str, Any]) -> None:
    bench = make(variants)
    for _ in range(2):
        listener = answered(bench)
        assert listener.told == [("dialing",), ("ringing",), ("answered", True)]
        bench.far_hangs_up("301")
        assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.THEM)
        for number, cause in (
            (bench.busy + "06", Cause.BUSY),
            (bench.rejects, Cause.REJECTED),
            (bench.does_not_exist, Cause.INVALID_NUMBER),
        ):
            assert over(bench, bench.place(number)) == ("failed", cause)
        assert over(bench, bench.place(bench.never_answers, ring_timeout_s=3)) == ("failed", Cause.NO_ANSWER)
    assert bench.calls_asked == 10


@pytest.mark.parametrize("latency_s", [0.3, 1.0])
def test_word_from_the_voice_process_comes_late(make: Make, latency_s: float) -> None:
    """CSTA tells of busy and hang-up before the voice process does, and the other way round."""
    bench = make(voice_latency_s=latency_s)
    listener = answered(bench)
    bench.far_hangs_up("301")
    assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert over(bench, bench.place(bench.busy)) == ("failed", Cause.BUSY)


def test_a_failed_that_frees_the_caller_by_itself(make: Make) -> None:
    bench = make({"cause_congestion": "destOutOfOrder"})
    assert over(bench, bench.place(bench.congested)) == ("failed", Cause.UNREACHABLE)


@pytest.mark.parametrize("told", ["failed", "cleared"])
def test_our_own_extension_that_is_not_picked_up_is_our_fault(make: Make, told: str) -> None:
    bench = make({"extension_unanswered": told, "extension_answer_timeout_s": 2.0})
    bench.voice.answers = False
    listener = bench.place(bench.answers)
    assert over(bench, listener) == ("failed", Cause.LINE_FAULT)
    assert bench.dialled == 0


@pytest.mark.parametrize("cause", ["trunksBusy", "reorderTone", "resourcesNotAvailable", "selectedTrunkBusy"])
def test_where_no_trunk_is_free_all_ports_rest_for_a_moment(make: Make, cause: str) -> None:
    """It is not the person's fault, and a call from another port would fare the same."""
    bench = make({"trunks": 1, "cause_trunks_busy": cause}, trunks_rest_s=7.0)
    bench.place(bench.never_answers, "302")
    bench.until(lambda: bench.dialled == 1, "the trunk is taken")
    listener = bench.place(bench.answers)
    bench.until(lambda: listener.over, "failed")
    assert listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert listener.verdict[2].text == cause
    began_s = bench.reactor.seconds()
    for port in ("301", "303"):
        assert "trunks" in bench.gateway.port_reason(port)
        with pytest.raises(NotPlaced):
            bench.place(bench.answers, port)
    bench.watcher.freed.clear()
    bench.until(lambda: bench.gateway.idle_ports == ["301", "303"], "rested")
    assert bench.reactor.seconds() - began_s == pytest.approx(7.0, abs=0.2)
    assert sorted(bench.watcher.freed) == ["301", "303"]


def test_a_call_of_ours_that_ends_gives_its_trunk_back_at_once(make: Make) -> None:
    bench = make({"trunks": 1}, trunks_rest_s=50.0)
    first = bench.place(bench.never_answers, "302")
    bench.until(lambda: bench.dialled == 1, "the trunk is taken")
    second = bench.place(bench.answers)
    bench.until(lambda: second.over and first.call, "failed")
    assert bench.gateway.idle_ports == []
    assert first.call is not None
    first.call.hang_up()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all may call again", 5)


def test_a_tone_of_the_network_is_not_a_want_of_trunks(make: Make) -> None:
    """Reorder tone once the trunk has carried the number is the network's."""
    bench = make({"cause_congestion": "reorderTone"})
    assert over(bench, bench.place(bench.congested)) == ("failed", Cause.UNREACHABLE)
    assert list(bench.gateway.idle_ports) == list(EXTENSIONS)


def test_an_analogue_trunk_has_only_a_timer(make: Make) -> None:
    bench = make({"trunk_kind": "lco"}, answer="timer")
    listener = answered(bench)
    assert ("answered", False) in listener.told
    assert listener.call is not None
    listener.call.hang_up()
    assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.US)


def test_a_trunk_that_tells_nothing_but_networkreached(make: Make) -> None:
    bench = make({"trunk_kind": "reached_only"}, answer="timer", answer_timer_s=6.0)
    listener = bench.place(bench.answers)
    bench.until(lambda: "ringing" in listener.names, "reached")
    began_s = bench.reactor.seconds()
    bench.until(lambda: "answered" in listener.names, "taken as answered")
    assert bench.reactor.seconds() - began_s == pytest.approx(6.0, abs=0.2)
    assert ("answered", False) in listener.told


def test_networkreached_need_not_be_ringing(make: Make) -> None:
    bench = make({"delivered": False}, reached_is_ringing=False)
    listener = answered(bench)
    assert "ringing" not in listener.names


# Bringing up


def test_a_second_client_is_refused_and_tries_slowly(make: Make) -> None:
    bench = make()
    second = PanasonicGateway(bench.settings, bench.reactor, bench._make_voice)
    bench.voice.pbx = bench.pbx
    watcher = Watcher()
    second.start(watcher)
    bench.until(lambda: second.health.state is LinkState.REFUSED, "refused")
    assert "refused" in second.health.reason
    connections = bench.reactor.connections
    bench.pass_s(bench.settings.refused_retry_s / 2)
    assert bench.reactor.connections == connections
    assert second.health.state is LinkState.REFUSED
    bench.pass_s(bench.settings.refused_retry_s)
    assert bench.reactor.connections == connections + 1
    gone: list[object] = []
    second.stop().addBoth(gone.append)
    bench.until(lambda: gone, "stopped")


def test_a_pbx_that_is_not_there_yet(make: Make) -> None:
    bench = make(start=False)
    bench.reactor.server = None
    bench.gateway.start(bench.watcher)
    bench.until(lambda: bench.gateway.health.state is LinkState.DOWN, "down")
    assert "refused" in bench.gateway.health.reason.lower()
    bench.pass_s(10)
    tries = bench.reactor.connections
    assert 3 <= tries <= 5, "backs off: 1 s, 2 s, 4 s ..."
    bench.mend_link()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all idle")


def test_a_pbx_that_falls_silent(make: Make) -> None:
    bench = make(silence_limit_s=90.0)
    bench.pass_s(200)
    assert bench.gateway.health.state is LinkState.UP, "SystemStatus is a sign of life"
    bench.reactor.silent = True
    bench.until(lambda: bench.gateway.health.state is not LinkState.UP, "given up", 120)
    assert "90 s" in bench.gateway.health.reason
    bench.reactor.silent = False
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all idle", 120)


@pytest.mark.parametrize("latency_s", [0.0, 3.0])
def test_an_extension_that_the_pbx_does_not_have(make: Make, latency_s: float) -> None:
    """The others work, also where the voice process is ready only after they have been monitored."""
    extensions = (*EXTENSIONS, "399")
    passwords = {extension: f"pw{extension}" for extension in extensions}
    bench = make(start=False, extensions=extensions, passwords=passwords, voice_latency_s=latency_s)
    bench.gateway.start(bench.watcher)
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "the others are idle")
    assert "invalidDeviceID" in bench.gateway.port_reason("399")


@pytest.mark.parametrize("latency_s", [0.0, 0.5])
def test_out_of_service_until_it_is_registered(make: Make, latency_s: float) -> None:
    """Where the list says out of service for what has not registered, it is read again after the registration."""
    bench = make({"unregistered_in_service": False}, voice_latency_s=latency_s)
    assert list(bench.gateway.idle_ports) == list(EXTENSIONS)
    assert bench.reactor.seconds() < 3


@pytest.mark.parametrize("service", ["snapshotDevice", "escape"])
def test_a_pbx_that_lacks_a_service_can_still_call(make: Make, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """Neither snapshots nor the device list are needed for calling; an answered call outlives the link all the same."""
    monkeypatch.delitem(csta_server._SERVICES, service)
    bench = make()
    assert over(bench, bench.place(bench.busy)) == ("failed", Cause.BUSY)
    listener = answered(bench)
    bench.break_link()
    bench.pass_s(1)
    bench.mend_link()
    bench.until(lambda: len(bench.gateway.idle_ports) == 2, "the others are back")
    bench.pass_s(2)
    assert not listener.over
    bench.far_hangs_up("301")
    assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.THEM)


def test_monitors_by_device_number(make: Make) -> None:
    bench = make(monitor_by="deviceNumber")
    listener = answered(bench)
    bench.far_hangs_up("301")
    assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.THEM)


def test_a_call_for_the_robot_is_refused(make: Make) -> None:
    """An INVITE without a MakeCall of ours is somebody who dialled the extension."""
    bench = make()
    bench.pbx.switch.make_call("301", "984951234501")
    bench.pbx.carry_out()
    bench.pass_s(2)
    assert bench.voice.refused == ["301"]
    assert bench.calls_up == 0


def test_somebody_elses_call_on_the_extension(make: Make) -> None:
    """MakeCall is refused because the extension is not idle: what is there is cleared before the port is used again."""
    bench = make()
    bench.voice.answers = False
    bench.pbx.switch.make_call("301", "984951234501")
    listener = bench.place(bench.answers)
    bench.voice.answers = True
    assert over(bench, listener) == ("failed", Cause.LINE_FAULT)
    assert bench.dialled == 0


# Losing the link, the voice, or both


def test_an_answered_call_outlives_the_link(make: Make) -> None:
    bench = make()
    listener = answered(bench)
    bench.break_link()
    bench.pass_s(5)
    assert not listener.over
    assert listener.call is not None
    played: list[Any] = []
    listener.call.play([bench.prompt]).addBoth(played.append)
    bench.pass_s(2)
    assert played[0].finished
    bench.far_hangs_up("301")
    bench.until(lambda: listener.over, "ended by the voice")
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert bench.gateway.port_reason("301") == "no link to the PBX"
    bench.mend_link()
    over(bench, listener)


def test_an_answered_call_goes_on_after_a_reconnect(make: Make) -> None:
    bench = make()
    listener = answered(bench)
    bench.break_link()
    bench.pass_s(1)
    bench.mend_link()
    bench.until(lambda: len(bench.gateway.idle_ports) == 2, "the others are back")
    bench.pass_s(5)
    assert not listener.over
    bench.far_hangs_up("301")
    assert over(bench, listener) == ("ended", Cause.NORMAL, EndedBy.THEM)


def test_an_unanswered_call_goes_on_after_a_reconnect(make: Make) -> None:
    """The snapshot shows that it still rings, so nothing was missed."""
    bench = make()
    listener = bench.place(bench.never_answers, ring_timeout_s=20)
    bench.until(lambda: "ringing" in listener.names, "ringing")
    bench.pass_s(1)
    bench.break_link()
    bench.pass_s(2)
    bench.mend_link()
    assert over(bench, listener) == ("failed", Cause.NO_ANSWER)


def test_answered_and_left_while_the_link_was_down(make: Make) -> None:
    bench = make(blind_limit_s=60.0)
    listener = bench.place(bench.answers)
    bench.until(lambda: "ringing" in listener.names, "ringing")
    bench.break_link()
    bench.pass_s(5)
    bench.far_hangs_up("301")
    bench.pass_s(1)
    bench.mend_link()
    assert over(bench, listener) == ("failed", Cause.UNKNOWN)


def test_the_pbx_restarts_in_a_call(make: Make) -> None:
    """All its calls are gone, without a word by SIP; the snapshot after the reconnect says so.

    It remembers no registration either: the extensions register anew with the link, or no call would come about.
    """
    bench = make()
    listener = answered(bench)
    bench.break_link()
    for timer in bench.pbx._timers.values():
        timer.cancel()
    bench.pbx._timers.clear()
    bench.pbx = bench._make_pbx()
    assert over(bench, listener) == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert over(bench, bench.place(bench.busy)) == ("failed", Cause.BUSY)


def test_link_and_voice_are_lost_together(make: Make) -> None:
    bench = make()
    ringing, talking = bench.place(bench.never_answers, "301"), bench.place(bench.answers, "302")
    bench.until(lambda: "answered" in talking.names, "answered")
    bench.break_link()
    bench.kill_voice()
    bench.until(lambda: ringing.over and talking.over, "both reported")
    assert ringing.verdict[:2] == ("failed", Cause.UNKNOWN)
    assert talking.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert bench.calls_up == 2, "nobody could tell the PBX"
    bench.mend_link()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all idle", 300)
    assert bench.calls_up == 0


def test_makecall_that_gets_no_answer(make: Make) -> None:
    """The request is lost on the way: nobody can have been called, and the port comes back."""
    bench = make(request_timeout_s=3.0, pick_up_timeout_s=30.0)
    bench.reactor.silent = True
    listener = bench.place(bench.answers)
    bench.pass_s(1)
    bench.reactor.silent = False
    bench.until(lambda: listener.over, "given up")
    assert listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    over(bench, listener)
    assert bench.calls_asked == 0


# After a crash


@pytest.mark.parametrize(
    ("picked_up", "know_id", "expected"),
    [
        (False, True, Settled.NEVER_REACHED),
        (False, False, Settled.NEVER_REACHED),
        (True, True, Settled.UNKNOWN),
        (True, False, Settled.UNKNOWN),
    ],
)
def test_what_a_crash_left(make: Make, picked_up: bool, know_id: bool, expected: Settled) -> None:
    """A call of before the crash, still there: rung at our extension only, or dialled out."""
    bench = make(start=False)
    switch = bench.pbx.switch
    bench.voice.ring = lambda *_: None  # the old voice process is dead
    switch.extension_registered("301", True)
    call = switch.make_call("301", "984951234507")
    bench.pbx.carry_out()
    if picked_up:
        bench.pbx.extension_answered(call.serial)
        bench.pass_s(3)
    assert bench.dialled == picked_up
    native_id = call.call_id.hex() if know_id else None
    settled: list[Any] = []
    rows = [InFlight(1, "301", bench.never_answers, native_id), InFlight(2, "302", bench.answers, None)]
    bench.gateway.start(bench.watcher)
    bench.until(lambda: bench.gateway.health.state is LinkState.UP, "link up")
    bench.gateway.settle(rows).addBoth(settled.append)
    bench.until(lambda: settled, "settled")
    assert settled == [{1: expected, 2: Settled.UNKNOWN}]
    assert bench.calls_up == 0
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all idle")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Settled.NEVER_REACHED),
        ({"dials_after_pick_up": False}, Settled.UNKNOWN),
        ({"originate": "sip"}, Settled.UNKNOWN),
        ({"voice": "ogm"}, Settled.UNKNOWN),
    ],
)
def test_an_extension_off_the_hook_after_a_crash(changed: dict[str, Any], expected: Settled) -> None:
    """Where nobody has to pick up first, the PBX dials on while we look."""
    port: Any = SimpleNamespace(first_look=[Seen(b"\x01\x02\x03", "initiated", ())], when_settled=lambda: succeed(None))
    told: list[Any] = []
    settling = Settling(settings(**changed), Clock(), {"301": port}, Logger())
    settling.settle([InFlight(1, "301", "+74951234501", None)]).addBoth(told.append)
    assert told == [{1: expected}]


def test_the_link_goes_while_settling(make: Make) -> None:
    bench = make(start=False)
    settled: list[Any] = []

    class Dialer(Watcher):
        """Settles as soon as the link is up; it goes again before the PBX could be asked."""

        def health_changed(self, gateway: Any, health: Health) -> None:
            if health.state is LinkState.UP and not settled:
                gateway.settle([InFlight(1, "301", bench.answers, None)]).addBoth(settled.append)
                bench.break_link()

    bench.gateway.start(Dialer())
    bench.until(lambda: settled, "failed")
    assert isinstance(settled[0].value, LinkDown)
    bench.mend_link()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all idle")


def test_what_cannot_be_cleared_is_unknown_and_its_port_is_not_used(make: Make) -> None:
    bench = make(start=False, settle_timeout_s=5.0)
    bench.voice.ring = lambda *_: None
    bench.pbx.switch.extension_registered("301", True)
    call = bench.pbx.switch.make_call("301", "984951234507")
    clear, bench.pbx.switch.clear = bench.pbx.switch.clear, lambda *_: None
    bench.gateway.start(bench.watcher)
    bench.until(lambda: bench.gateway.health.state is LinkState.UP, "link up")
    settled: list[Any] = []
    bench.gateway.settle([InFlight(1, "301", bench.answers, call.call_id.hex())]).addBoth(settled.append)
    bench.until(lambda: settled, "settled")
    assert settled == [{1: Settled.UNKNOWN}]
    assert bench.gateway.idle_ports == ["302", "303"]
    assert "not ours" in bench.gateway.port_reason("301")
    bench.pbx.switch.clear = clear
    bench.until(lambda: "301" in bench.gateway.idle_ports, "cleared at last")
    assert bench.pbx.switch.call_of(Extension("301")) is None


# An observer's mistake


class Broken(Listener):
    def dialing(self) -> None:
        raise RuntimeError("a mistake of the observer")


def test_a_mistake_of_the_observer_does_not_leave_the_line_off_the_hook(make: Make) -> None:
    bench = make()
    listener = Broken()
    bench.gateway.place("301", bench.busy, 1, 20.0, None, listener)
    bench.until(lambda: "301" in bench.gateway.idle_ports, "idle again")
    assert bench.calls_up == 0


def test_a_pbx_that_takes_no_invites_does_not_burn_through_the_list(make: Make) -> None:
    """Whether he was rung is not known, so he is not called again; but the next one waits for a port that works."""
    bench = make(originate="sip", rest_after_fault_s=5.0)
    bench.voice._invite = lambda *_: None  # type: ignore[method-assign]
    listener = bench.place(bench.answers)
    bench.until(lambda: listener.over, "given up")
    assert listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    bench.pass_s(1.0)
    assert bench.gateway.port_reason("301") == "rests after a fault of the line"
    bench.until(lambda: "301" in bench.gateway.idle_ports, "rested")
