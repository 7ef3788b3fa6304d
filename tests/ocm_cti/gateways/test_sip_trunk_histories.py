"""Any history of calls, faults and operators: each call reported once, each port back, nobody called twice."""

from __future__ import annotations

from typing import Any

from gateway_bench import Listener
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_trunk_bench import SipTrunkBench
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, NotPlaced, TransferFailed

PORTS = st.sampled_from("1234")
CALLEES = st.sampled_from(["answers", "busy", "never_answers", "rejects", "does_not_exist", "congested"])
STEPS = st.one_of(
    st.tuples(st.just("place"), PORTS, CALLEES),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.05, 0.25, 1.0, 4.0, 40.0])),
    st.tuples(st.just("hang up"), PORTS),
    st.tuples(st.just("far hangs up"), PORTS),
    st.tuples(st.just("press"), PORTS),
    st.tuples(st.just("transfer"), st.sampled_from(["operator", "operator_absent", "operator_unwilling"]), PORTS),
    st.tuples(st.just("kill voice"), st.integers(0, 1)),
    st.tuples(st.sampled_from(["break link", "mend link", "bar", "unbar"])),
)
OPERATORS = st.fixed_dictionaries(
    {},
    optional={
        "progress": st.sampled_from([(), (180,), (183,), (183, 180), (181, 180, 180)]),
        "answer_after_s": st.sampled_from([0.0, 0.2, 1.0]),
    },
)
WAYS = st.fixed_dictionaries(
    {},
    optional={
        "registers": st.booleans(),
        "voice_processes": st.sampled_from([1, 2]),
        "ring_on_183": st.booleans(),
        "tells_progress": st.booleans(),
        "options_ping_s": st.sampled_from([0.0, 2.0]),
        "calls_per_s": st.sampled_from([0.0, 1.0]),
        "calls_burst": st.sampled_from([1, 20]),
        "call_limit_s": st.sampled_from([3.0, 1800.0]),
        "rest_after_fault_s": st.sampled_from([0.0, 5.0]),
    },
)
FORBIDDEN = (403, "Forbidden")


def refused(failure: Failure) -> None:
    """The ways in which a transfer may come to nothing."""
    failure.trap(CallOver, TransferFailed)


def do(bench: SipTrunkBench, calls: list[tuple[str, Listener]], step: tuple[Any, ...]) -> None:
    at_port = next((listener for port, listener in reversed(calls) if port == step[-1]), None)
    match step:
        case "place", port, callee:
            listener = Listener()
            was_idle = port in bench.gateway.idle_ports
            assert was_idle == (bench.gateway.port_reason(port) == "")
            try:
                listener.call = bench.gateway.place(port, getattr(bench, callee), len(calls), 5.0, None, listener)
            except NotPlaced:
                assert not was_idle
            else:
                assert was_idle and listener.told == []
                calls.append((port, listener))
        case "pass", seconds:
            bench.pass_s(seconds)
        case "hang up", _ if at_port is not None and at_port.call is not None:
            at_port.call.hang_up()
        case "transfer", operator, _ if at_port is not None and at_port.call is not None:
            at_port.call.transfer(getattr(bench, operator)).addErrback(refused)
        case "far hangs up", port if bench.leg(port) is not None and bench.switch.link:
            bench.far_hangs_up(port)
        case "press", port if bench.leg(port) is not None:
            bench.far_presses(port, "1")
        case "kill voice", number if number < len(bench.voices) and bench.voices[number].ready:
            bench.voices[number].die()
        case ("break link",):
            bench.break_link()
        case ("mend link",):
            bench.mend_link()
        case ("bar",):
            bench.switch.refusals["01"] = FORBIDDEN
        case ("unbar",):
            bench.switch.refusals.pop("01", None)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=20), OPERATORS, WAYS, st.sampled_from([0.0, 0.1, 0.7]))
def test_any_history(
    steps: list[tuple[Any, ...]], operator: dict[str, Any], ways: dict[str, Any], latency_s: float
) -> None:
    bench = SipTrunkBench(operator, latency_s, channels=4, local_host="127.0.0.1", **ways)
    bench.start()
    calls: list[tuple[str, Listener]] = []
    for step in steps:
        do(bench, calls, step)
        for port in bench.gateway.idle_ports:
            assert all(listener.over for held, listener in calls if held == port), "an idle port holds no call"
    bench.mend_link()
    bench.pass_s(40)
    for _, listener in calls:
        if listener.call is not None:
            listener.call.hang_up()
    bench.until(lambda: list(bench.gateway.idle_ports) == list("1234"), "all ports idle", 600)
    assert all(listener.over for _, listener in calls)
    assert bench.gateway.health.reason == ""
    assert bench.calls_asked <= len(calls), "at most one INVITE for each call placed"
    left = [leg for leg in bench.switch.legs if leg.voice is not None]
    assert left == [], "of what the operator still has we know nothing: it was handed over, or its process was killed"
    for _, listener in calls:
        if listener.verdict[0] == "failed" and listener.verdict[1] in (Cause.BUSY, Cause.REJECTED):
            assert listener.verdict[2].system == "sip", "only the operator says so"
    bench.all_hang_up()
    bench.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12), OPERATORS, WAYS, st.sampled_from([0.0, 0.7]))
def test_stopped_at_any_moment(
    steps: list[tuple[Any, ...]], operator: dict[str, Any], ways: dict[str, Any], latency_s: float
) -> None:
    """Stop leaves no timer, no call of ours without a report."""
    bench = SipTrunkBench(operator, latency_s, channels=4, local_host="127.0.0.1", **ways)
    bench.gateway.start(bench.watcher)
    calls: list[tuple[str, Listener]] = []
    for step in steps:
        do(bench, calls, step)
    bench.close()
    assert all(listener.over for _, listener in calls)
