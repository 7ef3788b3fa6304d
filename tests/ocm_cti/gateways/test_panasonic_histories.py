"""Any history of calls, faults and variants: each call reported once, each port back, nobody called twice."""

from __future__ import annotations

from typing import Any

from gateway_bench import Listener
from hypothesis import given, settings
from hypothesis import strategies as st
from panasonic_bench import EXTENSIONS, PanasonicBench
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, NotPlaced, TransferFailed

PORTS = st.sampled_from(EXTENSIONS)
CALLEES = st.sampled_from(["answers", "busy", "never_answers", "rejects", "does_not_exist", "congested"])
STEPS = st.one_of(
    st.tuples(st.just("place"), PORTS, CALLEES),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.05, 0.25, 1.0, 4.0])),
    st.tuples(st.just("hang up"), PORTS),
    st.tuples(st.just("far hangs up"), PORTS),
    st.tuples(st.just("press"), PORTS),
    st.tuples(st.just("transfer"), st.sampled_from(["operator", "operator_absent", "operator_unwilling"]), PORTS),
    st.tuples(st.sampled_from(["break link", "mend link", "kill voice", "silence", "sound"])),
)
VARIANTS = st.fixed_dictionaries(
    {},
    optional={
        "events_before_result": st.booleans(),
        "call_ids": st.sampled_from([1, 60_000]),
        "extension_form": st.sampled_from(["dialingNumber", "deviceNumber"]),
        "far_end_form": st.sampled_from(["trunk", "number"]),
        "delivered": st.booleans(),
        "cleared_order": st.sampled_from(["releasing_first", "releasing_last"]),
        "far_hangup": st.sampled_from(["release", "tone"]),
        "failed_frees_caller": st.booleans(),
        "extension_unanswered": st.sampled_from(["failed", "cleared"]),
        "unregistered_in_service": st.booleans(),
        "trunks": st.sampled_from([1, 8]),
        "extension_answer_timeout_s": st.sampled_from([0.1, 5.0]),
        "invite_before_result": st.booleans(),
        "duplicate_events": st.booleans(),
        "late_events_s": st.sampled_from([0.0, 0.2, 1.0]),
        "cleared_sides": st.sampled_from(["both", "own", "far"]),
        "transfer_services": st.booleans(),
        "single_step_transfer": st.booleans(),
        "transfer_call_id": st.sampled_from(["new", "active"]),
        "sip_dial_failure": st.sampled_from(["reject", "tone"]),
        "snapshot_form": st.sampled_from(["result", "segments"]),
    },
)
WAYS = st.fixed_dictionaries(
    {},
    optional={
        "originate": st.sampled_from(["csta", "sip"]),
        "transfer": st.sampled_from(["consultation", "hold_make_call", "single_step", "refer"]),
        "transfer_waits_for": st.sampled_from(["answered", "ringing"]),
        "transfer_wait_s": st.sampled_from([2.0, 20.0]),
    },
)


def refused(failure: Failure) -> None:
    """The ways in which a transfer may come to nothing."""
    failure.trap(CallOver, TransferFailed)


def do(bench: PanasonicBench, calls: list[tuple[str, Listener]], step: tuple[Any, ...]) -> None:
    at_port = next((listener for port, listener in reversed(calls) if port == step[-1]), None)
    match step:
        case "place", port, callee:
            listener = Listener()
            was_idle = port in bench.gateway.idle_ports
            number = f"{getattr(bench, callee)[:-3]}{EXTENSIONS.index(port)}{getattr(bench, callee)[-2:]}"
            try:
                listener.call = bench.gateway.place(port, number, len(calls), 5.0, None, listener)
            except NotPlaced:
                assert not was_idle
            else:
                assert was_idle
                calls.append((port, listener))
        case "pass", seconds:
            bench.pass_s(seconds)
        case "hang up", _ if at_port is not None and at_port.call is not None:
            at_port.call.hang_up()
        case "transfer", operator, _ if at_port is not None and at_port.call is not None:
            at_port.call.transfer(getattr(bench, operator)).addErrback(refused)
        case "far hangs up", port if bench.parties(port):
            bench.far_hangs_up(port)
        case "press", port if any(ring.extension == port for ring in bench.voice.calls.values()):
            bench.far_presses(port, "1")
        case ("break link",):
            bench.break_link()
        case ("mend link",):
            bench.mend_link()
        case ("kill voice",) if bench.voice.ready:
            bench.kill_voice()
        case ("silence",):
            bench.reactor.silent = True
        case ("sound",):
            bench.reactor.silent = False


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=20), VARIANTS, WAYS, st.sampled_from([0.0, 0.1, 0.7]))
def test_any_history(
    steps: list[tuple[Any, ...]], variants: dict[str, Any], ways: dict[str, Any], latency_s: float
) -> None:
    bench = PanasonicBench(variants, latency_s, silence_limit_s=100.0, request_timeout_s=4.0, **ways)
    bench.start()
    calls: list[tuple[str, Listener]] = []
    for step in steps:
        do(bench, calls, step)
        idle = bench.gateway.idle_ports
        for port in idle:
            assert all(listener.over for held, listener in calls if held == port), "an idle port holds no call"
    bench.reactor.silent = False
    bench.mend_link()
    # What has been answered stays up until somebody hangs up.
    bench.pass_s(30)
    for _, listener in calls:
        if listener.call is not None:
            listener.call.hang_up()
    bench.until(lambda: list(bench.gateway.idle_ports) == list(EXTENSIONS), "all ports idle", 600)
    assert all(listener.over for _, listener in calls)
    bench.all_hang_up()  # those who were handed over
    bench.until(lambda: bench.calls_up == 0, "nothing of ours is left at the PBX", 200)
    transfers = sum(step[0] == "transfer" for step in steps)
    assert bench.calls_asked <= len(calls) + transfers, "at most one MakeCall for each call placed"
    for _, listener in calls:
        if listener.verdict[:2] == ("failed", Cause.LINE_FAULT):
            assert "answered" not in listener.names
    bench.close()


@settings(max_examples=50, deadline=None)
@given(st.lists(STEPS, max_size=12), VARIANTS, WAYS)
def test_stopped_at_any_moment(steps: list[tuple[Any, ...]], variants: dict[str, Any], ways: dict[str, Any]) -> None:
    """Stop leaves no timer, no call of ours without a report, no connection."""
    bench = PanasonicBench(variants, **ways)
    bench.gateway.start(bench.watcher)
    calls: list[tuple[str, Listener]] = []
    for step in steps:
        do(bench, calls, step)
    bench.reactor.silent = False
    bench.close()
    assert all(listener.over for _, listener in calls)
