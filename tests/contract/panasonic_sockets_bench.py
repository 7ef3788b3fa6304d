"""The Panasonic gateway against the simulated PBX over real sockets, with the real voice process, in real time."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway_bench import Sees, Watcher
from panasonic_bench import EXTENSIONS
from twisted.internet.process import reapAllProcesses
from twisted.internet.selectreactor import SelectReactor

from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.calls import Call
from ocm_cti.simulator.config import ExtensionConfig, PbxConfig
from ocm_cti.simulator.effects import Extension
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.simulation import Simulator
from ocm_cti.voice.client import VoiceClient

CALLEES = """
[[callee]]
suffix = ""
name = "answers"
answer_after_s = 0.3
[[callee]]
suffix = "06"
name = "busy"
fail = "busy"
[[callee]]
suffix = "07"
name = "never answers"
[[callee]]
suffix = "08"
name = "rejects"
fail = "rejected"
[[callee]]
suffix = "09"
name = "no such number"
fail = "invalid_number"
[[callee]]
suffix = "13"
name = "congested"
fail = "congestion"
"""


class PanasonicSocketsBench:
    """The reactor runs only inside ``until`` and ``pass_s``."""

    sees = Sees()

    answers = "+74951234501"
    busy = "+74951234506"
    never_answers = "+74951234507"
    rejects = "+74951234508"
    does_not_exist = "+74951234509"
    congested = "+74951234513"
    operator = "200"
    operator_absent = "201"
    operator_unwilling = "202"
    announcement = "1"

    def __init__(self, **changed: Any) -> None:
        self._changed = changed
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.prompt = folder / "prompt.alaw"
        self.prompt.write_bytes(b"\xd5" * 8000)
        self._journal = folder / "calls.jsonl"
        people = Directory.parse(CALLEES, "callees of the contract", folder)
        self.reactor: Any = SelectReactor()
        operators = (
            ExtensionConfig(self.operator, kind="phone", answer_after_s=0.3),
            ExtensionConfig(self.operator_absent, kind="phone"),
            ExtensionConfig(self.operator_unwilling, kind="phone"),
        )
        self.simulator = Simulator(
            self.reactor,
            PbxConfig(
                (*EXTENSIONS, *operators),
                directory=people,
                log=self._journal,
                settings=Settings(internal_ring_s=3.0),
            ),
        )
        self.simulator.pbx.switch.set_do_not_disturb(self.operator_unwilling, True)
        self.watcher = Watcher()
        self.gateway: PanasonicGateway
        self.voice: VoiceClient

    def start(self) -> None:
        self.reactor.startRunning(installSignalHandlers=False)
        ready = self.simulator.start()
        self._csta_port = ready["csta_port"]
        settings = PanasonicSettings.from_table(
            "office",
            {
                "kind": "panasonic",
                "link": f"tcp:127.0.0.1:{ready['csta_port']}",
                "extensions": list(EXTENSIONS),
                "sip_host": ready["host"],
                "sip_port": ready["sip_port"],
                "password_pattern": "pw{extension}",
                "retry_min_s": 0.2,
                "rest_after_fault_s": 0.3,
                **self._changed,
            },
        )
        self._settings = settings
        self.gateway = PanasonicGateway(settings, self.reactor, self._make_voice)
        self.gateway.start(self.watcher)
        self.until(lambda: list(self.gateway.idle_ports) == list(EXTENSIONS), "all ports idle")

    def _make_voice(self, observer: Any) -> VoiceClient:
        self.voice = VoiceClient(self.reactor, observer, restart_delay_s=0.1, extra=self._settings.voice_options())
        return self.voice

    def close(self) -> None:
        """Stop; nothing may be left."""
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        self.until(lambda: gone, "the gateway has stopped")
        self.simulator.stop().addBoth(gone.append)
        self.until(lambda: len(gone) == 2, "the PBX has stopped")
        assert gone[0] is None, gone
        assert self.gateway.health.state is LinkState.DOWN
        self.until(lambda: not self.reactor.getDelayedCalls(), "no timer is left", 40.0)
        self.reactor.stop()
        self.reactor.iterate(0)
        self._folder.cleanup()

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never: {what}"
            self.reactor.iterate(0.01)
            reapAllProcesses()  # what SIGCHLD does for a reactor that runs by itself

    def pass_s(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, "time passes")

    def _call(self, port: str) -> Call:
        return next(call for call in self.simulator.pbx.switch.calls if call.origin.device == Extension(port))

    def far_hangs_up(self, port: str) -> None:
        far = self._call(port).far
        assert far is not None and far.who is not None
        self.simulator.pbx.party_hung_up(far.who.party)

    def far_presses(self, port: str, keys: str) -> None:
        leg = self._call(port).origin.leg
        assert leg is not None
        self.simulator.sip._legs[leg].port.send_digits(keys, 100, 100)

    def all_hang_up(self) -> None:
        for call in self.simulator.pbx.switch.calls:
            for side in (call.far, call.origin):
                if side is not None and side.who is not None:
                    self.simulator.pbx.party_hung_up(side.who.party)

    def break_link(self) -> None:
        self.simulator._ports["csta_port"].stopListening()
        self.simulator.pbx.csta.close()

    def mend_link(self) -> None:
        listening = self.reactor.listenTCP(self._csta_port, self.simulator.wires, interface="127.0.0.1")
        self.simulator._ports["csta_port"] = listening

    def kill_voice(self) -> None:
        assert self.voice.pid is not None
        os.kill(self.voice.pid, signal.SIGKILL)

    @property
    def calls_asked(self) -> int:
        return self._journal.read_text().count('"make_call"')

    @property
    def calls_up(self) -> int:
        return len(self.simulator.pbx.switch.calls)
