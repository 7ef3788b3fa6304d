"""What SIP extensions do by themselves: dial, and refer their person on; and whatever telephones do in any order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pbx_bench import GROUPS, PEOPLE, STATIONS, PbxBench, digits, states

from ocm_cti.simulator.call_table import State
from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.effects import (
    AnswerExtension,
    CallEnded,
    ConnectExtensions,
    Effect,
    Extension,
    ReferResult,
    RejectExtension,
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
from ocm_cti.simulator.numbering import Numbering
from ocm_cti.simulator.reports import Names
from ocm_cti.simulator.switch import Switch
from protocols.csta.events import CSTAEventReportArgument

OUTSIDE = "984951234501"


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[PbxBench] = []

    def bench(*variants: str) -> PbxBench:
        made.append(PbxBench(*variants))
        return made[-1]

    yield bench
    for one in made:
        one.close()


def to_extension(bench: PbxBench) -> list[Effect]:
    """What SIP is to tell extensions, since the last time."""
    kinds = AnswerExtension | RejectExtension | ReferResult | ReleaseExtension | RingExtension
    found = [effect for effect in bench.done if isinstance(effect, kinds)]
    bench.done.clear()
    return found


def test_an_extension_dials_outside(make: Any) -> None:
    bench = make()
    client = bench.client()
    reference = client.monitor(digits("301"))
    call = bench.happens(bench.switch.extension_dials, "301", OUTSIDE)
    assert [name for name, _, _ in states(client.events(), reference)] == ["serviceInitiated", "originated"]
    bench.clock.pump([0.2, 0.2])
    assert to_extension(bench) == [AnswerExtension(call.origin.leg, 180)]
    bench.clock.advance(1)
    assert [type(effect).__name__ for effect in bench.done] == ["AnswerExtension", "ConnectCallee"]
    assert to_extension(bench) == [AnswerExtension(call.origin.leg, 200)]
    assert [name for name, _, _ in states(client.events(), reference)] == ["networkReached", "delivered", "established"]
    bench.happens(bench.switch.party_hangs_up, call.far.person.party)
    assert to_extension(bench) == [ReleaseExtension(call.origin.leg)]


@pytest.mark.parametrize(
    ("number", "code", "cause"),
    [
        ("984951234506", 486, "busy"),
        ("984951234508", 603, "callCancelled"),
        ("444", 404, "invalidNumberFormat"),
        ("302", 480, "destNotObtainable"),
    ],
)
def test_a_failure_is_the_answer_to_who_dialled(make: Any, number: str, code: int, cause: str) -> None:
    bench = make()
    bench.switch.extension_registered("302", False)
    client = bench.client()
    reference = client.monitor(digits("301"))
    call = bench.happens(bench.switch.extension_dials, "301", number)
    bench.clock.pump([0.2, 0.2, 0.5])
    assert to_extension(bench)[-1] == RejectExtension(call.origin.leg, code)
    told = states(client.events(), reference)
    assert ("failed", cause) in [(name, why) for name, _, why in told]
    assert told[-1][0] == "connectionCleared"
    assert bench.switch.calls == ()


def test_a_failure_may_be_a_tone(make: Any) -> None:
    bench = make("sip_dial_failure=tone")
    call = bench.happens(bench.switch.extension_dials, "301", "984951234506")
    bench.clock.pump([0.2, 0.5])
    assert [type(effect).__name__ for effect in bench.done] == ["AnswerExtension", "PlayTone"]
    bench.happens(bench.switch.extension_hung_up, call.origin.leg)
    assert bench.switch.calls == ()


def test_over_a_line_without_signalling_the_answer_comes_with_the_line_or_by_the_timer(make: Any) -> None:
    bench = make()
    bench.happens(bench.switch.extension_dials, "301", "784951234501")
    bench.clock.advance(0.2)
    assert to_extension(bench) == [AnswerExtension(1, 200)]
    bench = make("lco_sip_answer=timer", "lco_established_after_s=3")
    bench.happens(bench.switch.extension_dials, "301", "784951234507")
    bench.clock.pump([0.2, 2.9])
    assert [effect for effect in to_extension(bench) if effect == AnswerExtension(1, 200)] == []
    bench.clock.advance(0.1)
    assert to_extension(bench) == [AnswerExtension(1, 200)]


def test_who_may_not_dial(make: Any) -> None:
    bench = make()
    bench.happens(bench.switch.extension_dials, "301", OUTSIDE)
    for extension, number, error in (
        ("301", OUTSIDE, "invalidObjectState"),
        ("302", "", "invalidCalledDeviceID"),
        ("399", OUTSIDE, "invalidDeviceID"),
        ("350", OUTSIDE, "invalidObjectState"),
    ):
        with pytest.raises(RequestError, match=error):
            bench.happens(bench.switch.extension_dials, extension, number)
    assert len(bench.switch.calls) == 1


def test_two_extensions_talk(make: Any) -> None:
    bench = make()
    call = bench.happens(bench.switch.extension_dials, "301", "302")
    bench.clock.advance(0.2)
    ring, ringback = to_extension(bench)
    assert (type(ring), ringback) == (RingExtension, AnswerExtension(call.origin.leg, 180))
    bench.happens(bench.switch.extension_answered, ring.serial)
    assert bench.done == [AnswerExtension(call.origin.leg, 200), ConnectExtensions(call.origin.leg, ring.serial)]
    bench.happens(bench.switch.extension_hung_up, call.origin.leg)
    assert to_extension(bench)[-1] == ReleaseExtension(ring.serial)


def test_a_called_extension_declines(make: Any) -> None:
    bench = make()
    call = bench.happens(bench.switch.extension_dials, "301", "302")
    bench.clock.advance(0.2)
    bench.happens(bench.switch.extension_refused, to_extension(bench)[0].serial)
    assert to_extension(bench) == [RejectExtension(call.origin.leg, 603)]


def talking(bench: PbxBench) -> int:
    """301 talks with somebody outside; its leg."""
    call = bench.happens(bench.switch.make_call, "301", OUTSIDE)
    bench.happens(bench.switch.extension_answered, call.origin.leg)
    bench.clock.pump([0.2, 0.2, 1.0])
    bench.done.clear()
    return int(call.origin.leg)


def test_refer_hands_the_person_over(make: Any) -> None:
    bench = make()
    client = bench.client()
    reference = client.monitor(digits("301"))
    leg = talking(bench)
    client.events()
    bench.happens(bench.switch.extension_refers, leg, "352")
    assert bench.kinds() == ["HoldExtension", "HoldCallee"]
    bench.clock.pump([0.2, 2.0])
    told = [(name, own) for name, own, _ in states(client.events(), reference)]
    assert told[:3] == [("held", "hold"), ("serviceInitiated", "initiated"), ("originated", "connected")]
    assert told[-1] == ("transferred", "null")
    assert to_extension(bench) == [ReferResult(leg, 200), ReleaseExtension(leg)]
    (call,) = bench.switch.calls
    assert [side.device for side in call.sides] == [Trunk(1), Extension("352")]


@pytest.mark.parametrize(("number", "code"), [("984951234506", 486), ("444", 404), ("302", 480)])
def test_a_refer_that_fails_gives_the_person_back(make: Any, number: str, code: int) -> None:
    bench = make()
    bench.switch.extension_registered("302", False)
    leg = talking(bench)
    bench.happens(bench.switch.extension_refers, leg, number)
    bench.clock.pump([0.2, 0.5])
    assert ReferResult(leg, code) in bench.done
    assert bench.kinds()[-1] == "JoinCallee"
    (call,) = bench.switch.calls
    assert (call.state, call.origin.held) == (State.TALKING, False)


def test_who_is_referred_hangs_up_meanwhile(make: Any) -> None:
    bench = make()
    leg = talking(bench)
    first = bench.switch.calls[0]
    bench.happens(bench.switch.extension_refers, leg, "351")
    bench.clock.advance(0.2)
    bench.happens(bench.switch.party_hangs_up, first.far.person.party)
    assert to_extension(bench) == [ReferResult(leg, 480), ReleaseExtension(leg)]
    assert bench.switch.calls == ()


def test_refer_without_a_call(make: Any) -> None:
    bench = make()
    leg = talking(bench)
    for serial, number, error in ((99, "351", "invalidObjectState"), (leg, "x", "invalidCalledDeviceID")):
        with pytest.raises(RequestError, match=error):
            bench.happens(bench.switch.extension_refers, serial, number)
    bench.happens(bench.switch.extension_refers, leg, "351")
    with pytest.raises(RequestError, match="invalidObjectState"):
        bench.happens(bench.switch.extension_refers, leg, "350")
    bench.happens(bench.switch.extension_hung_up, leg)
    assert bench.switch.calls == ()


NUMBERS = ["301", "302", "350", "351", "352", "9801", "9806", "9807", "7801", "6801", "8808", "444"]
EXTENSIONS = ["301", "302", "350", "351", "352"]
numbers, extensions, small = st.sampled_from(NUMBERS), st.sampled_from(EXTENSIONS), st.integers(1, 6)


def _pair(pbx: Switch, first: int, second: int) -> Any:
    calls = pbx.calls
    if first >= len(calls) or second >= len(calls):
        raise RequestError("operation", "invalidConnectionID")
    one, other = calls[first], calls[second]
    return pbx.connection(one.call_id, None), pbx.connection(other.call_id, None)


def _connection(pbx: Switch, at: int, side: int) -> Any:
    calls = pbx.calls
    if at >= len(calls):
        raise RequestError("operation", "invalidConnectionID")
    sides = calls[at].sides
    return calls[at].call_id, sides[side % len(sides)].device


ACTS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "make": (st.tuples(extensions, numbers), lambda pbx, *given: pbx.make_call(*given)),
    "dial": (st.tuples(extensions, numbers), lambda pbx, *given: pbx.extension_dials(*given)),
    "in": (st.tuples(small, extensions), lambda pbx, line, to: pbx.incoming(Trunk(line), "495", to)),
    "refer": (st.tuples(small, numbers), lambda pbx, *given: pbx.extension_refers(*given)),
    "answered": (st.tuples(small), lambda pbx, serial: pbx.extension_answered(serial)),
    "refused": (st.tuples(small), lambda pbx, serial: pbx.extension_refused(serial)),
    "hung up": (st.tuples(small), lambda pbx, serial: pbx.extension_hung_up(serial)),
    "far": (st.tuples(small), lambda pbx, serial: pbx.far_hangs_up(serial)),
    "party": (st.tuples(small), lambda pbx, party: pbx.party_hangs_up(party)),
    "out": (st.tuples(extensions, st.booleans()), lambda pbx, one, out: pbx.set_out_of_service(Extension(one), out)),
    "restart": (st.tuples(), lambda pbx: pbx.restart()),
    **{
        name: (
            st.tuples(small.map(lambda n: n - 1), small),
            lambda pbx, at, side, name=name: getattr(pbx, name)(*_connection(pbx, at, side)),
        )
        for name in ("answer", "clear", "hold", "retrieve", "ogm_stop")
    },
    **{
        name: (
            st.tuples(small.map(lambda n: n - 1), small, numbers),
            lambda pbx, at, side, number, name=name: getattr(pbx, name)(*_connection(pbx, at, side), number),
        )
        for name in ("consult", "single_step_transfer", "deflect", "ogm_start")
    },
    **{
        name: (
            st.tuples(st.integers(0, 3), st.integers(0, 3)),
            lambda pbx, one, other, name=name: getattr(pbx, name)(*_pair(pbx, one, other)),
        )
        for name in ("transfer", "alternate", "reconnect")
    },
    **{
        f"timer {timer.value}": (st.tuples(small), lambda pbx, serial, timer=timer: pbx.timer_fired(serial, timer))
        for timer in Timer
    },
}
# Common steps often, so that calls get somewhere.
NAMES = [*ACTS, *["make", "dial", "answered", "timer dial", "timer answer", "consult", "hold", "transfer"] * 3]
VARIANTS = [
    (),
    ("far_hangup=tone", "extension_form=deviceNumber", "far_end_form=number"),
    ("transfer_call_id=active", "cleared_sides=own", "number_form=other"),
    ("sip_dial_failure=tone", "newer_firmware=yes", "call_id_octets=3"),
]


@settings(max_examples=100)
@given(
    variants=st.sampled_from(VARIANTS),
    acts=st.lists(
        st.sampled_from(NAMES).flatmap(lambda name: ACTS[name][0].map(lambda given: (name, given))), max_size=40
    ),
)
def test_whatever_telephones_and_clients_do_the_books_balance(
    variants: tuple[str, ...], acts: list[tuple[str, tuple[Any, ...]]]
) -> None:
    pbx = Switch(Settings.from_pairs(variants), (), Directory(PEOPLE), numbering=Numbering(STATIONS, GROUPS))
    for extension in ("301", "302"):
        pbx.extension_registered(extension, True)
    done: list[Effect] = []
    for name, given_ in acts:
        with contextlib.suppress(RequestError):
            ACTS[name][1](pbx, *given_)
        done += pbx.effects()
        _check(pbx, done)
    for call in pbx.calls:
        if call in pbx.calls:
            pbx.clear(call.call_id, None)
    done += pbx.effects()
    _check(pbx, done)
    assert (pbx.calls, pbx._handsets) == ((), {})
    _check_reports(pbx, done)


def _check(pbx: Switch, done: list[Effect]) -> None:
    begun = [one.call for one in done if isinstance(one, Write) and one.event in ("make_call", "incoming") and one.call]
    over = [one.call for one in done if isinstance(one, Write) and one.event == "ended"]
    assert sorted(over + [call.serial for call in pbx.calls]) == sorted(begun)
    accounts = [one.account.serial for one in done if isinstance(one, CallEnded)]
    assert len(set(accounts)) == len(accounts)
    assert set(accounts) <= set(over)
    # A line carries one call; an extension any number of which at most one is not held.
    for trunk in pbx.trunks:
        assert len(pbx.calls_at(trunk)) <= 1
    for extension in pbx.extensions:
        calls = pbx.calls_at(extension)
        free = [call for call in calls if not call.side(extension).held]  # type: ignore[union-attr]
        assert len(free) <= 1
        assert (extension in pbx._handsets) == bool(calls), extension
    # Every leg that began has not ended, unless nothing is at its extension.
    serials = {handset.serial for handset in pbx._handsets.values() if handset.serial is not None}
    ended = {one.serial for one in done if isinstance(one, ReleaseExtension | RejectExtension)}
    assert not serials & ended
    # No timer of a call that is over is left running.
    running: set[int] = set()
    for one in done:
        if isinstance(one, StartTimer):
            running.add(one.serial)
        elif isinstance(one, StopTimers):
            running.discard(one.serial)
    assert running <= {call.serial for call in pbx.calls}


def _check_reports(pbx: Switch, done: list[Effect]) -> None:
    """Every report can be sent to each of its monitors, within the 240 octets of an APDU."""
    names = Names(pbx.settings, pbx.numbering)
    for report in done:
        if not isinstance(report, Report):
            continue
        assert len(dict(report.states)) == len(report.states) > 0
        for device, _ in report.states:
            event = ("callControlEvents", names.event(report, device))
            argument = {"crossRefIdentifier": b"\0\1", "eventSpecificInfo": event}
            assert len(CSTAEventReportArgument.encode(argument)) <= 240 - 12
