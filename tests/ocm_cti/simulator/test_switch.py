"""The call model: every (state, event) pair, and whole calls as lists of effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.simulator.call_table import TABLE, Do, Event, State
from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.effects import (
    CallEnded,
    ConnectCallee,
    DropMedia,
    Effect,
    Extension,
    PlayTone,
    ReleaseExtension,
    Report,
    RequestError,
    RingExtension,
    StartTimer,
    StopTimers,
    Timer,
    Trunk,
    Write,
)
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.switch import _DEEDS, Switch

PEOPLE = [
    Callee("", "answers", answer_after_s=1.0),
    Callee("06", "busy", fail="busy"),
    Callee("07", "never"),
    Callee("08", "rejects", fail="rejected"),
    Callee("15", "out of order", fail="unreachable"),
]


def switch(*variants: str, registered: bool = True) -> Switch:
    pbx = Switch(Settings.from_pairs(variants), ["301", "302", "303"], Directory(PEOPLE))
    for extension in ("301", "302", "303"):
        pbx.extension_registered(extension, registered)
    return pbx


def told(pbx: Switch) -> list[str]:
    """What follows now, in short words."""
    return [_short(effect) for effect in pbx.effects() if not isinstance(effect, CallEnded)]


def _short(effect: Effect) -> str:
    match effect:
        case Report(name=name, cause=cause, subject=Extension()):
            return f"{name} extension {cause}"
        case Report(name=name, cause=cause):
            return f"{name} trunk {cause}"
        case Write(event=event):
            return f"write {event}"
        case StartTimer(timer=timer):
            return f"timer {timer.value}"
        case PlayTone(tone=tone):
            return f"tone {tone.value}"
        case RingExtension():
            return "ring"
        case ReleaseExtension():
            return "release"
        case DropMedia():
            return "drop media"
        case StopTimers():
            return "stop timers"
        case ConnectCallee():
            return "connect"


def reach(pbx: Switch, state: State, number: str = "984951234501") -> int:
    """Bring a new call of 301 to a state; its serial."""
    serial = pbx.make_call("301", number).serial
    path: dict[State, list[Callable[[], Any]]] = {
        State.DIALING: [lambda: pbx.extension_answered(serial)],
        State.PROCEEDING: [lambda: pbx.timer_fired(serial, Timer.DIAL)],
        State.ALERTING: [lambda: pbx.timer_fired(serial, Timer.ALERT)],
        State.TALKING: [lambda: pbx.timer_fired(serial, Timer.ANSWER)],
    }
    if state is State.ON_TONE:
        pbx.extension_answered(serial)
        pbx.timer_fired(serial, Timer.DIAL)
        pbx.timer_fired(serial, Timer.REFUSE)
    elif state is not State.RINGING_EXTENSION:
        for step, acts in path.items():
            for act in acts:
                act()
            if step is state:
                break
    pbx.effects()
    return serial


def test_a_call_that_is_answered_and_ended_by_the_callee() -> None:
    pbx = switch()
    serial = pbx.make_call("301", "984951234501").serial
    assert told(pbx) == ["write make_call", "serviceInitiated extension makeCall", "ring", "timer extension"]
    pbx.extension_answered(serial)
    assert told(pbx) == ["originated extension newCall", "timer dial"]
    pbx.timer_fired(serial, Timer.DIAL)
    assert told(pbx) == ["write dialed", "networkReached trunk normal", "timer alert", "timer answer"]
    pbx.timer_fired(serial, Timer.ALERT)
    assert told(pbx) == ["delivered trunk normal", "tone ringback"]
    pbx.timer_fired(serial, Timer.ANSWER)
    assert told(pbx) == ["write answered", "established trunk normal", "connect"]
    pbx.far_hangs_up(serial)
    assert told(pbx) == [
        "stop timers",
        "drop media",
        "write ended",
        "connectionCleared trunk normalClearing",
        "release",
        "connectionCleared extension normalClearing",
    ]
    assert pbx.calls == ()


@pytest.mark.parametrize(
    ("number", "cause", "tone"),
    [("9806", "busy", "busy"), ("9808", "callCancelled", "busy"), ("9807", "callNotAnswered", "reorder")],
)
def test_a_call_that_fails_leaves_the_extension_on_tone_until_it_is_cleared(number: str, cause: str, tone: str) -> None:
    pbx = switch()
    call = pbx.make_call("301", number)
    pbx.extension_answered(call.serial)
    pbx.timer_fired(call.serial, Timer.DIAL)
    pbx.effects()
    pbx.timer_fired(call.serial, Timer.REFUSE)
    assert told(pbx) == ["write failed", f"failed trunk {cause}", f"tone {tone}", "timer tone"]
    with pytest.raises(RequestError, match="invalidObjectState"):
        pbx.make_call("301", "984951234501")
    pbx.effects()
    pbx.clear(call.call_id, Extension("301"))
    assert told(pbx) == [
        "stop timers",
        "drop media",
        "write ended",
        "release",
        "connectionCleared extension normalClearing",
        "connectionCleared trunk normalClearing",
    ]
    assert pbx.make_call("301", "984951234501").serial == call.serial + 1


def test_causes_that_put_the_caller_on_hook_end_the_call() -> None:
    pbx = switch()
    serial = reach(pbx, State.PROCEEDING, "9815")
    pbx.timer_fired(serial, Timer.REFUSE)
    assert told(pbx)[-3:] == [
        "release",
        "connectionCleared extension normalClearing",
        "connectionCleared trunk normalClearing",
    ]
    assert pbx.calls == ()


def test_digits_without_the_access_code_go_nowhere() -> None:
    pbx = switch()
    serial = reach(pbx, State.DIALING, "84951234501")
    pbx.timer_fired(serial, Timer.DIAL)
    assert told(pbx) == ["write failed", "failed extension invalidNumberFormat", "tone reorder", "timer tone"]


def test_without_a_free_trunk_the_call_fails_and_nobody_is_called() -> None:
    pbx = switch("trunks=1")
    reach(pbx, State.ALERTING)
    other = pbx.make_call("302", "984951234502").serial
    pbx.extension_answered(other)
    pbx.effects()
    pbx.timer_fired(other, Timer.DIAL)
    assert told(pbx) == ["write failed", "failed extension trunksBusy", "tone reorder", "timer tone"]


def test_a_trunk_is_free_again_once_the_network_has_refused() -> None:
    pbx = switch("trunks=1")
    reach(pbx, State.ON_TONE, "9806")
    other = pbx.make_call("302", "984951234502").serial
    pbx.extension_answered(other)
    pbx.timer_fired(other, Timer.DIAL)
    assert pbx.call_of(Trunk(1)) is pbx.call_of(Extension("302"))


def test_somebody_who_is_talking_is_busy_for_everybody_else() -> None:
    pbx = switch()
    reach(pbx, State.TALKING)
    other = pbx.make_call("302", "984951234501").serial
    pbx.extension_answered(other)
    pbx.timer_fired(other, Timer.DIAL)
    pbx.effects()
    pbx.timer_fired(other, Timer.REFUSE)
    assert "failed trunk busy" in told(pbx)


@pytest.mark.parametrize(
    ("extension", "digits", "registered", "error"),
    [
        ("399", "9801", True, ("operation", "invalidDeviceID")),
        ("301", "", True, ("operation", "invalidCalledDeviceID")),
        ("301", "98o1", True, ("operation", "invalidCalledDeviceID")),
        ("301", "9" * 33, True, ("operation", "invalidCalledDeviceID")),
        ("301", "9801", False, ("systemResourceAvailability", "resourceOutOfService")),
    ],
)
def test_a_call_that_cannot_begin_is_refused_with_the_reason(
    extension: str, digits: str, registered: bool, error: tuple[str, str]
) -> None:
    pbx = switch(registered=registered)
    with pytest.raises(RequestError) as refusal:
        pbx.make_call(extension, digits)
    assert refusal.value.error == error
    (line,) = pbx.effects()
    assert line == Write("make_call", None, {"extension": extension, "number": digits, "refused": error[1]})


def test_clearing_needs_a_connection_that_is_there() -> None:
    pbx = switch()
    call = pbx.make_call("301", "984951234501")
    for call_id, device in ((b"\xff\xff\xff\xff", None), (call.call_id, Extension("302")), (call.call_id, Trunk(1))):
        with pytest.raises(RequestError, match="invalidConnectionID"):
            pbx.clear(call_id, device)
    pbx.clear(call.call_id, None)
    with pytest.raises(RequestError, match="invalidConnectionID"):
        pbx.clear(call.call_id, None)


@pytest.mark.parametrize("state", [state for state in State if state is not State.OVER])
@pytest.mark.parametrize("way", ["clear", "extension hangs up"])
def test_a_call_can_be_ended_in_every_state(state: State, way: str) -> None:
    pbx = switch()
    serial = reach(pbx, state, "9806" if state is State.ON_TONE else "984951234501")
    if way == "clear":
        pbx.clear(pbx.calls[0].call_id, None)
    else:
        pbx.extension_hung_up(serial)
    follows = told(pbx)
    assert ("release" in follows) == (way == "clear")
    assert "connectionCleared extension normalClearing" in follows
    cleared_trunk = "connectionCleared trunk normalClearing" in follows
    assert cleared_trunk == (state not in (State.RINGING_EXTENSION, State.DIALING))
    assert follows.index("write ended") < follows.index("connectionCleared extension normalClearing")
    assert pbx.calls == ()


def test_an_extension_that_does_not_answer_fails_its_call() -> None:
    pbx = switch()
    serial = reach(pbx, State.RINGING_EXTENSION)
    pbx.timer_fired(serial, Timer.EXTENSION)
    assert told(pbx) == [
        "write failed",
        "stop timers",
        "drop media",
        "write ended",
        "failed extension callNotAnswered",
        "release",
        "connectionCleared extension normalClearing",
    ]
    pbx = switch("extension_unanswered=cleared")
    serial = reach(pbx, State.RINGING_EXTENSION)
    pbx.extension_refused(serial)
    assert "failed extension callNotAnswered" not in told(pbx)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_is_in_the_table_or_changes_nothing(state: State, event: Event) -> None:
    pbx = switch()
    if state is State.OVER:
        assert not any(key[0] is State.OVER for key in TABLE)
        return
    serial = reach(pbx, state, "9806" if state is State.ON_TONE else "984951234501")
    call = next(call for call in pbx.calls if call.serial == serial)
    if event is Event.SEIZED and state is State.DIALING:
        pbx.timer_fired(serial, Timer.DIAL)  # takes the trunk as well
    else:
        pbx._happened(call, event)
    if (state, event) in TABLE:
        assert call.state is TABLE[state, event][0]
        assert (call in pbx.calls) == (call.state is not State.OVER)
    else:
        assert (call.state, pbx.effects()) == (state, [])


def test_every_deed_of_the_table_is_known_and_used() -> None:
    used = {deed for _, deeds in TABLE.values() for deed in deeds}
    assert used == set(Do) == set(_DEEDS)


def test_whatever_ends_a_call_first_completes_its_line_in_the_journal() -> None:
    for (state, event), (following, deeds) in TABLE.items():
        if following is State.OVER:
            cut = deeds.index(Do.FINISH)
            before = {deed for deed in deeds[:cut] if deed.name.startswith("REPORT")}
            assert not before, (state, event)
            assert deeds[-1] is Do.END, (state, event)


def test_call_ids_are_used_again_but_never_twice_at_once() -> None:
    pbx = switch("call_ids=2", "call_id_octets=3")
    first = pbx.make_call("301", "9801")
    assert first.call_id == b"\0\0\1"
    second = pbx.make_call("302", "9802")
    third = pbx.make_call("303", "9803")
    assert len({first.call_id, second.call_id, third.call_id}) == 3
    pbx.clear(first.call_id, None)
    again = pbx.make_call("301", "9801")
    assert again.call_id == first.call_id
    assert again.serial == 4


@pytest.mark.parametrize(
    ("state", "extension_states"),
    [
        (State.RINGING_EXTENSION, ("initiated",)),
        (State.DIALING, ("connected",)),
        (State.PROCEEDING, ("connected", "connected")),
        (State.ALERTING, ("connected", "alerting")),
        (State.TALKING, ("connected", "connected")),
        (State.ON_TONE, ("fail",)),
    ],
)
def test_a_snapshot_shows_the_connections_of_the_moment(state: State, extension_states: tuple[str, ...]) -> None:
    pbx = switch()
    reach(pbx, state, "9806" if state is State.ON_TONE else "984951234501")
    (connection,) = pbx.snapshot(Extension("301"))
    assert connection.states == extension_states
    assert (len(pbx.snapshot(Trunk(1))) == 1) == (len(extension_states) == 2)
    assert pbx.snapshot(Extension("302")) == []
    with pytest.raises(RequestError, match="invalidDeviceID"):
        pbx.snapshot(Trunk(99))


def test_an_analogue_trunk_tells_nothing_but_its_timer() -> None:
    pbx = switch("trunk_kind=lco")
    serial = pbx.make_call("301", "984951234501").serial
    pbx.extension_answered(serial)
    pbx.timer_fired(serial, Timer.DIAL)
    assert "timer assume" in told(pbx)
    pbx.timer_fired(serial, Timer.ALERT)
    assert told(pbx) == ["tone ringback"]
    pbx.timer_fired(serial, Timer.ASSUME)
    assert told(pbx) == ["established trunk normal"]
    pbx.timer_fired(serial, Timer.ANSWER)
    assert told(pbx) == ["write answered", "connect"]
    pbx.far_hangs_up(serial)
    assert told(pbx) == ["tone busy", "timer tone"]
    pbx.timer_fired(serial, Timer.TONE)
    assert "connectionCleared trunk normalClearing" in told(pbx)


def test_where_only_the_network_is_reported_nothing_follows_it() -> None:
    pbx = switch("trunk_kind=reached_only")
    serial = reach(pbx, State.PROCEEDING)
    for timer in (Timer.ALERT, Timer.ANSWER):
        pbx.timer_fired(serial, timer)
    assert told(pbx) == ["tone ringback", "write answered", "connect"]
    pbx.clear(pbx.calls[0].call_id, None)
    assert "connectionCleared trunk normalClearing" in told(pbx)


def test_a_busy_analogue_line_is_only_heard() -> None:
    pbx = switch("trunk_kind=lco")
    serial = reach(pbx, State.PROCEEDING, "9806")
    pbx.timer_fired(serial, Timer.REFUSE)
    assert told(pbx) == ["write failed", "tone busy", "timer tone"]
    assert pbx.call_of(Trunk(1)) is not None


def test_variants_of_the_end_of_a_call() -> None:
    pbx = switch("cleared_order=releasing_last")
    reach(pbx, State.TALKING)
    pbx.clear(pbx.calls[0].call_id, None)
    assert told(pbx)[-2:] == ["connectionCleared trunk normalClearing", "connectionCleared extension normalClearing"]
    pbx = switch("far_hangup=tone")
    serial = reach(pbx, State.TALKING)
    pbx.far_hangs_up(serial)
    assert told(pbx) == ["connectionCleared trunk normalClearing", "tone busy", "timer tone"]
    pbx.extension_hung_up(serial)
    assert told(pbx)[-1] == "connectionCleared extension normalClearing"


ACTS: dict[str, Callable[[Switch, int], None]] = {
    "answer": lambda pbx, n: pbx.extension_answered(n),
    "extension refuses": lambda pbx, n: pbx.extension_refused(n),
    "gone": lambda pbx, n: pbx.extension_hung_up(n),
    "far": lambda pbx, n: pbx.far_hangs_up(n),
    **{timer.value: (lambda pbx, n, timer=timer: pbx.timer_fired(n, timer)) for timer in Timer},
}


@settings(max_examples=100)
@given(
    variants=st.sampled_from([(), ("trunk_kind=lco",), ("trunk_kind=reached_only",), ("far_hangup=tone", "trunks=1")]),
    acts=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["301", "302"]), st.sampled_from(["9801", "9806", "9807", "12", "9815"])),
            st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, 4)),
            st.tuples(st.just("clear"), st.integers(1, 4)),
        ),
        max_size=40,
    ),
)
def test_whatever_happens_in_whatever_order_the_books_balance(
    variants: tuple[str, ...], acts: list[tuple[str, Any]]
) -> None:
    pbx = switch(*variants)
    done: list[Effect] = []
    for name, value in acts:
        try:
            if name.isdigit():
                pbx.make_call(name, value)
            elif name == "clear":
                pbx.clear(value.to_bytes(4, "big"), None)
            else:
                ACTS[name](pbx, value)
        except RequestError:
            pass
        done += pbx.effects()
    begun = [
        effect.call for effect in done if isinstance(effect, Write) and effect.event == "make_call" and effect.call
    ]
    over = [effect.call for effect in done if isinstance(effect, Write) and effect.event == "ended"]
    assert sorted(over + [call.serial for call in pbx.calls]) == begun
    held = [call.trunk for call in pbx.calls if call.trunk_held]
    assert len(set(held)) == len(held)
    in_use = [call.extension for call in pbx.calls]
    assert len(set(in_use)) == len(in_use)
    for serial in over:
        assert isinstance(serial, int)
        reports = [effect.name for effect in done if isinstance(effect, Report) and _of(effect, serial)]
        assert reports.count("established") <= 1 or "trunk_kind=lco" in variants
        assert reports.count("failed") <= 1


def _of(report: Report, serial: int) -> bool:
    return int.from_bytes(report.call_id, "big") == serial
