"""Any history of calls and faults on Asterisk: each call reported once, each port back, nobody called twice."""

from __future__ import annotations

from typing import Any

from asterisk_desk import GIVEN, Desk
from gateway_bench import Listener
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, NotPlaced, TransferFailed

PORTS = st.sampled_from(["1", "2", "3"])
#: What the switch may tell of a channel once it is made, in whatever order.
TOLD = st.sampled_from(
    [
        ("Newstate", {"ChannelState": "5"}),
        ("Newstate", {"ChannelState": "6"}),
        ("DialBegin", {}),
        ("DialState", {"DialStatus": "RINGING"}),
        ("DialState", {"DialStatus": "PROGRESS"}),
        ("DialEnd", {"DialStatus": "ANSWER"}),
        ("DialEnd", {"DialStatus": "BUSY"}),
        ("DialEnd", {"DialStatus": "NOANSWER"}),
        ("AsyncAGIStart", {}),
        ("AsyncAGIEnd", {}),
        ("AsyncAGIExec", {"CommandId": "x", "Result": "200%20result%3D0%0A"}),
        ("OriginateResponse", {"Response": "Success", "Reason": "4"}),
        ("OriginateResponse", {"Response": "Failure", "Reason": "0"}),
        ("OriginateResponse", {"Response": "Failure", "Reason": "3"}),
        ("HangupRequest", {"Cause": "17"}),
        ("SoftHangupRequest", {"Cause": "16"}),
        ("DTMFEnd", {"Digit": "1", "Direction": "Received"}),
        ("Nonsense", {"Cause": "x"}),
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("place"), PORTS),
    st.tuples(st.just("new"), PORTS),
    st.tuples(st.just("tell"), TOLD, PORTS),
    st.tuples(st.just("hangup"), st.sampled_from(["0", "16", "17", "19", "34", "x"]), PORTS),
    st.tuples(st.just("answer"), PORTS),
    st.tuples(st.just("hang up"), PORTS),
    st.tuples(st.just("transfer"), st.booleans(), PORTS),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.1, 0.6, 4.0, 20.0])),
    st.tuples(st.sampled_from(["break link", "mend link", "deaf", "hearing", "silent", "answering"])),
)


def refused(failure: Any) -> None:
    """The ways in which a transfer may come to nothing."""
    failure.trap(CallOver, TransferFailed)


def do(desk: Desk, calls: list[tuple[str, Listener, str]], step: tuple[Any, ...]) -> None:
    at_port = next(((listener, channel) for port, listener, channel in reversed(calls) if port == step[-1]), None)
    switch = desk.switch
    match step:
        case "place", port:
            was_idle = port in desk.gateway.idle_ports
            try:
                listener, channel = desk.place(port)
            except NotPlaced:
                assert not was_idle
            else:
                assert was_idle
                calls.append((port, listener, channel))
        case "pass", seconds:
            desk.pass_s(seconds)
        case ("break link",):
            switch.break_link()
        case ("mend link",):
            switch.mend_link()
        case ("deaf",):
            switch.hangs_up = False
        case ("hearing",):
            switch.hangs_up = True
        case ("silent",):
            switch.silent = {"Originate", "Hangup"}
        case ("answering",):
            switch.silent = set()
        case _ if at_port is not None:
            listener, channel = at_port
            match step:
                case "new", _:
                    switch.new(channel)
                case "tell", (name, headers), _ if name == "OriginateResponse" or switch.has_had(channel):
                    switch.tell(name, channel, **headers)
                case "hangup", cause, _:
                    switch.hang_up(channel, cause)
                case "answer", _:
                    switch.answer_whole(channel)
                case "hang up", _ if listener.call is not None:
                    listener.call.hang_up()
                case "transfer", done, _ if listener.call is not None:
                    listener.call.transfer("200").addErrback(refused)
                    desk.sounds[channel].transferred(done=done)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_any_history(steps: list[tuple[Any, ...]]) -> None:
    desk = Desk(**{**GIVEN, "originate_per_s": 0, "originate_burst": 100}).start()
    calls: list[tuple[str, Listener, str]] = []
    for step in steps:
        do(desk, calls, step)
        for port in desk.gateway.idle_ports:
            assert all(listener.over for held, listener, _ in calls if held == port), "an idle port holds no call"
    desk.switch.hangs_up, desk.switch.silent = True, set()
    desk.switch.mend_link()
    desk.pass_s(1)
    for _, listener, _ in calls:
        if listener.call is not None:
            listener.call.hang_up()
    for _ in range(60):
        desk.pass_s(5)
    assert all(listener.over for _, listener, _ in calls)
    assert list(desk.gateway.idle_ports) == list(desk.gateway.ports)
    handed_over = {channel for _, listener, channel in calls if listener.verdict[1] is Cause.TRANSFERRED}
    assert set(desk.switch.channels) <= handed_over, "nothing of ours is left at the switch"
    assert len(desk.switch.originated) == len(calls), "one Originate for each call placed"
    desk.close()


@settings(max_examples=50, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_stopped_at_any_moment(steps: list[tuple[Any, ...]]) -> None:
    """Stop leaves no timer, no call of ours without a report."""
    desk = Desk(**{**GIVEN, "originate_per_s": 0, "originate_burst": 100})
    desk.gateway.start(desk.watcher)
    calls: list[tuple[str, Listener, str]] = []
    for step in steps:
        do(desk, calls, step)
    desk.close()
    assert all(listener.over for _, listener, _ in calls)
