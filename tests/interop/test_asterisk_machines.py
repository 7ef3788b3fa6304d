"""A real Asterisk that listens for answering machines, and what each of them gets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
from asterisk_process import PrivateAsterisk

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from asterisk_bench import DIALPLAN, MANAGER, AsteriskBench
from gateway_bench import Listener

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Played

MACHINE, PERSON = "+74951234521", "+74951234522"
ANSWERS = """
[people]
exten => _XXXXXXXXX21,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(demo-thanks)
 same => n,Playback(silence/10)
 same => n,Wait(600)
exten => _XXXXXXXXX22,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(hello-world)
 same => n,Playback(silence/10)
 same => n,Wait(600)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AsteriskBench]:
    peers.require("asterisk")
    switch = PrivateAsterisk.start(tmp_path, extra_dialplan=DIALPLAN + ANSWERS, manager=MANAGER)
    bench = AsteriskBench(switch, amd=True, machine_silence_s=1.0)
    bench.start()
    yield bench
    bench.close()
    switch.stop()


def placed(bench: AsteriskBench, number: str, *, talks_to_machines: bool) -> Listener:
    listener = Listener()
    listener.talks_to_machines = talks_to_machines
    listener.call = bench.gateway.place("1", number, 1, 20.0, None, listener)
    return listener


def test_a_machine_gets_its_message_when_its_greeting_is_over(bench: AsteriskBench) -> None:
    listener = placed(bench, MACHINE, talks_to_machines=True)
    bench.until(lambda: listener.machines, "a machine was heard")
    assert "answered" not in listener.names, "it is still greeting"
    bench.until(lambda: "answered" in listener.names, "its greeting is over")
    assert listener.call is not None
    heard: list[object] = []
    listener.call.play([bench.prompt]).addBoth(heard.append)
    bench.until(lambda: heard, "it was played")
    assert heard == [Played(1000, 1000, True)]
    listener.call.hang_up()
    bench.until(lambda: listener.over, "over")
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)


def test_a_machine_for_which_there_is_nothing_is_hung_up_on(bench: AsteriskBench) -> None:
    listener = placed(bench, MACHINE, talks_to_machines=False)
    bench.until(lambda: listener.over, "over")
    assert (listener.machines, listener.verdict[:2]) == (1, ("failed", Cause.MACHINE))


def test_a_person_is_asked_nothing_of(bench: AsteriskBench) -> None:
    listener = placed(bench, PERSON, talks_to_machines=True)
    bench.until(lambda: "answered" in listener.names, "answered")
    assert listener.machines == 0
