"""The Panasonic gateway against the simulated PBX: a real CSTA link in memory, a fake voice process, one task.Clock."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fake_voice import FakeVoice
from gateway_bench import Listener, Sees, Watcher
from memory_line import MemoryLineReactor
from panasonic_variants import VARIANTS

from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.effects import Extension
from ocm_cti.simulator.fault_table import WireFault
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.numbering import Numbering, Station
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.wire_faults import Faults

STEP_S = 0.05
EXTENSIONS = ("301", "302", "303")


def settings(**changed: Any) -> PanasonicSettings:
    return PanasonicSettings(
        **{
            "name": "office",
            "link": "tcp:127.0.0.1:33333",
            "extensions": EXTENSIONS,
            "sip_host": "127.0.0.1",
            "passwords": {extension: f"pw{extension}" for extension in EXTENSIONS},
            **changed,
        }
    )


class CountingJournal(Journal):
    """The call journal of the PBX, kept in memory."""

    def __init__(self) -> None:
        super().__init__(None, lambda: 0.0)
        self.lines: list[tuple[str, int | None, dict[str, Any]]] = []

    def write(self, event: str, call: int | None, fields: dict[str, Any]) -> None:
        self.lines.append((event, call, fields))

    def count(self, event: str) -> int:
        return sum(line[0] == event for line in self.lines)


class PanasonicBench:
    """``variants`` of the simulated PBX, ``changed`` settings of the gateway."""

    answers = "+74951234501"  # after a second
    busy = "+74951234506"
    never_answers = "+74951234507"
    rejects = "+74951234508"
    does_not_exist = "+74951234509"
    congested = "+74951234513"
    operator = "200"
    operator_absent = "201"
    operator_unwilling = "202"
    announcement = "1"

    sees = Sees()

    def __init__(
        self,
        variants: Mapping[str, Any] | None = None,
        voice_latency_s: float = 0.0,
        wire_faults: Sequence[WireFault] = (),
        **changed: Any,
    ) -> None:
        self.wire_faults = wire_faults
        self.reactor = MemoryLineReactor()
        self.watcher = Watcher()
        self.journal = CountingJournal()
        self.settings = settings(**changed)
        self.variants = Settings(**(variants or {}))
        self.voice: FakeVoice
        self.gateway = PanasonicGateway(self.settings, self.reactor, self._make_voice)
        self.voice.latency_s = voice_latency_s
        self.pbx = self._make_pbx()
        self._folder = tempfile.TemporaryDirectory()
        self.prompt = Path(self._folder.name) / "prompt.alaw"
        self.prompt.write_bytes(b"\xd5" * 8000)
        self._closed = False

    @classmethod
    def of_variant(cls, name: str) -> PanasonicBench:
        variant = VARIANTS[name]
        bench = cls(variant.pbx, variant.voice_latency_s, variant.wire, **variant.gateway)
        bench.sees = variant.sees
        return bench

    def _make_voice(self, observer: Any) -> FakeVoice:
        self.voice = FakeVoice(self.reactor, observer)
        return self.voice

    def _make_pbx(self) -> Pbx:
        # Without SIP extensions the robot's are desk telephones that the PBX takes off the hook.
        robots = [Station(name, kind="phone" if self.settings.voice == "ogm" else "sip") for name in EXTENSIONS]
        operators = [
            Station(self.operator, kind="phone", answer_after_s=1.0),
            Station(self.operator_absent, kind="phone"),
            Station(self.operator_unwilling, kind="phone"),
        ]
        numbering = Numbering.plain(self.variants, [*robots, *operators])
        pbx = Pbx(
            self.variants, numbering, Directory.load(), self.reactor, self.journal, self._telephones, lambda _: None
        )
        pbx.switch.set_do_not_disturb(self.operator_unwilling, True)
        self.wires = Faults(pbx.csta, self.reactor)
        for fault in self.wire_faults:
            self.wires.begin(fault)
        self.reactor.server = self.wires
        self.voice.pbx = pbx
        return pbx

    def _telephones(self, pbx: Pbx) -> FakeVoice:
        return self.voice

    def start(self) -> None:
        self.gateway.start(self.watcher)
        self.until(lambda: list(self.gateway.idle_ports) == list(EXTENSIONS), "all ports idle")

    def close(self) -> None:
        """Stop; nothing may be left."""
        if self._closed:
            return
        self._closed = True
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        self.until(lambda: gone, "the gateway has stopped")
        assert gone == [None], gone
        assert self.gateway.health.state is LinkState.DOWN
        self.pbx.close()
        self.pass_s(self.voice.latency_s + self.variants.late_events_s + STEP_S)  # what was on its way
        assert self.reactor.getDelayedCalls() == []
        self._folder.cleanup()

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
        self.reactor.advance(0)
        deadline_s = self.reactor.seconds() + patience_s
        while not condition():
            assert self.reactor.seconds() < deadline_s, f"never: {what}"
            self.reactor.advance(STEP_S)

    def pass_s(self, seconds: float) -> None:
        self.reactor.advance(0)
        for _ in range(round(seconds / STEP_S)):
            self.reactor.advance(STEP_S)

    def place(self, number: str, port: str = "301", ring_timeout_s: float = 20.0) -> Listener:
        listener = Listener()
        listener.call = self.gateway.place(port, number, 1, ring_timeout_s, None, listener)
        return listener

    def parties(self, port: str) -> list[int]:
        """The persons whom the calls of a port lead to."""
        calls = [call for call in self.pbx.switch.calls if call.origin.device == Extension(port)]
        people = [call.far.who for call in calls if call.far is not None]
        return [person.party for person in people if person is not None]

    def far_hangs_up(self, port: str) -> None:
        self.pbx.party_hung_up(self.parties(port)[0])

    def far_presses(self, port: str, keys: str) -> None:
        if self.settings.voice == "ogm":
            self.pbx.party_pressed(self.parties(port)[0], keys)
        else:
            self.voice.press(port, keys)

    def all_hang_up(self) -> None:
        for call in self.pbx.switch.calls:
            for side in (call.far, call.origin):
                if side is not None and side.who is not None:
                    self.pbx.party_hung_up(side.who.party)

    def break_link(self) -> None:
        self.reactor.server = None
        self.reactor.cut()

    def mend_link(self) -> None:
        self.reactor.server = self.wires

    def kill_voice(self) -> None:
        self.voice.die()

    @property
    def calls_asked(self) -> int:
        return self.journal.count("make_call")

    @property
    def dialled(self) -> int:
        """How many outside telephones were called."""
        return self.journal.count("dialed")

    @property
    def calls_up(self) -> int:
        return len(self.pbx.switch.calls)
