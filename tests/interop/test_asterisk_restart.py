"""A real Asterisk that dies, and a server of ours that dies: nobody is lost, nothing is left, nobody is cut off."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import peers
import pytest
from asterisk_process import PrivateAsterisk

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from asterisk_bench import DIALPLAN, MANAGER, AsteriskBench, listed
from asterisk_fake import FakeSound
from gateway_bench import Listener

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, InFlight, LinkState, Settled

TALKS = """
[talks]
exten => s,1,Dial(Local/200@operators,30)
"""


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[PrivateAsterisk]:
    """One for each test: it is killed."""
    peers.require("asterisk")
    running = PrivateAsterisk.start(tmp_path, extra_dialplan=DIALPLAN + TALKS, manager=MANAGER)
    yield running
    running.stop()


def started(switch: PrivateAsterisk, recordings: Path | None = None) -> AsteriskBench:
    bench = AsteriskBench(switch, make_sound=lambda channel: FakeSound(bench.reactor, channel))
    if recordings is not None:
        bench.recordings = recordings
    bench.start()
    return bench


def place(bench: AsteriskBench, port: str, number: str, stage: str) -> Listener:
    listener = Listener()
    listener.call = bench.gateway.place(port, number, int(port), 20.0, None, listener)
    bench.until(lambda: stage in listener.names, stage)
    return listener


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_the_switch_goes_and_comes_again(switch: PrivateAsterisk, how: str) -> None:
    bench = started(switch)
    talking = place(bench, "1", bench.answers, "answered")
    ringing = place(bench, "2", bench.never_answers, "ringing")
    bench._admin.close()
    getattr(switch, how)()
    bench.until(lambda: bench.gateway.health.state is not LinkState.UP, "link down")
    switch.start_again()
    bench._admin = switch.as_admin()
    bench.until(lambda: talking.over and ringing.over, "both reported")
    if how == "kill":
        assert talking.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
        assert ringing.verdict[:2] == ("failed", Cause.UNKNOWN), "he may have answered when nobody could see it"
    else:  # it hangs up everybody before it goes, and may tell us so
        assert talking.verdict[0] == "ended" and ringing.verdict[0] == "failed"
    bench.until(lambda: list(bench.gateway.idle_ports) == list(bench.gateway.ports), "all ports idle")
    again = place(bench, "1", bench.answers, "answered")
    assert not again.over
    bench.close()


def test_what_our_own_crash_leaves_is_ended_by_the_next_start(switch: PrivateAsterisk) -> None:
    crashed = started(switch)
    place(crashed, "1", crashed.answers, "answered")
    place(crashed, "2", crashed.never_answers, "ringing")
    talking = place(crashed, "3", crashed.answers, "answered")
    assert talking.call is not None and talking.call.native_id is not None
    # As after a transfer: he talks to an operator, in a context of the site.
    crashed._admin.ask("Redirect", Channel=talking.call.native_id, Context="talks", Exten="s", Priority="1")
    crashed.break_link()  # and its reactor does not run any more
    assert len({row["Linkedid"] for row in listed(crashed._admin)}) == 3

    bench = started(switch, crashed.recordings)
    settled: list[object] = []
    bench.gateway.settle([InFlight(1, "1", bench.answers, None)]).addBoth(settled.append)
    bench.until(lambda: settled, "settled")
    assert settled == [{1: Settled.UNKNOWN}]
    bench.until(lambda: bench.calls_up == 1, "what is left is hung up")
    assert {row["Context"] for row in listed(bench._admin)} <= {"talks", "people", "operators"}
    bench.close()
    for timer in crashed.reactor.getDelayedCalls():
        with suppress(Exception):
            timer.cancel()


def test_another_server_at_the_same_switch_keeps_its_calls(switch: PrivateAsterisk) -> None:
    one = started(switch)
    listener = place(one, "1", one.answers, "answered")
    other = started(switch)  # with another folder of recordings
    other.pass_s(0.5)
    one.pass_s(0.5)
    assert not listener.over
    assert listener.call is not None
    listener.call.hang_up()
    one.until(lambda: listener.over, "terminal report")
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    other.close()
    one.close()
