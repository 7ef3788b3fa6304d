"""The gateway over a SIP trunk against an operator in memory: fake voice processes, one task.Clock."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_trunk_voice import FakeOperator, FakeTrunkVoice, Leg
from gateway_bench import Listener, Sees, Watcher
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.sip_trunk import SipTrunkGateway
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings

STEP_S = 0.05

#: What a killed voice process leaves at the operator is his to end.
TRUNK = Sees(dials_by_link=False, announces=False, clears_after_voice=False)


@dataclass(frozen=True)
class Variant:
    settings: Mapping[str, Any] = field(default_factory=dict)
    operator: Mapping[str, Any] = field(default_factory=dict)
    voice_latency_s: float = 0.0
    sees: Sees = TRUNK


_UNREGISTERED = {"registers": False, "password": ""}
_TWO_ACCOUNTS = {
    "user": None,
    "password": None,
    "channels": 3,
    "accounts": [
        {"user": "4951000", "password": "one", "channels": 2},
        {"name": "second", "user": "4952000", "password": "two", "auth_user": "x2", "domain": "two.example"},
    ],
}

VARIANTS: dict[str, Variant] = {
    "registered": Variant(),
    "unregistered": Variant({**_UNREGISTERED, "options_ping_s": 2.0, "local_host": "127.0.0.1"}),
    "unregistered-unwatched": Variant(
        _UNREGISTERED,
        sees=Sees(dials_by_link=False, announces=False, clears_after_voice=False, link_is_watched=False),
    ),
    "two-accounts": Variant(_TWO_ACCOUNTS),
    "two-processes": Variant({"voice_processes": 2}),
    "two-accounts-two-processes": Variant({**_TWO_ACCOUNTS, "voice_processes": 2}),
    "progress-is-ringing": Variant({"ring_on_183": True}, {"progress": (183,)}),
    "progress-is-nothing": Variant(
        {},
        {"progress": (183,)},
        sees=Sees(dials_by_link=False, announces=False, clears_after_voice=False, ringing=False),
    ),
    "progress-and-ringing": Variant({"ring_on_183": True}, {"progress": (183, 180)}),
    "no-progress": Variant(
        {"tells_progress": False},
        {"progress": ()},
        sees=Sees(dials_by_link=False, announces=False, clears_after_voice=False, ringing=False),
    ),
    "voice-late": Variant(voice_latency_s=0.7),
    "national-numbers": Variant({"format": "national", "dial": [["+7", "8"], ["+", "810"]]}),
}


class FakePing:
    """OPTIONS to the operator in memory."""

    def __init__(
        self, operator: FakeOperator, settings: SipTrunkSettings, reactor: Any, told: Callable[[bool, str], None]
    ) -> None:
        self._operator = operator
        self._settings = settings
        self._reactor = reactor
        self._told = told
        self._timer: Any = None

    def start(self) -> None:
        self._timer = self._reactor.callLater(self._settings.options_ping_s, self._ask)

    def stop(self) -> Deferred[Any]:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return succeed(None)

    def _ask(self) -> None:
        self._timer = self._reactor.callLater(self._settings.options_ping_s, self._ask)
        self._told(self._operator.link, "" if self._operator.link else "sip.example:5060 does not answer OPTIONS")


class SipTrunkBench:
    """``changed`` are keys of the gateway's table (None: left out)."""

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

    sees = TRUNK

    def __init__(self, operator: Mapping[str, Any] | None = None, voice_latency_s: float = 0.0, **changed: Any) -> None:
        self.reactor: Any = Clock()
        self.watcher = Watcher()
        self.switch = FakeOperator(self.reactor, **(operator or {}))
        self.switch.refusals.update(
            {
                "06": (486, "Busy Here"),
                "08": (603, "Decline"),
                "09": (404, "Not Found: Q.850;cause=1", 1),
                "13": (503, "Service Unavailable", None, 2.0),
            }
        )
        table = {
            "kind": "sip",
            "host": "sip.example",
            "user": "4950000",
            "password": "secret",
            "channels": 3,
            "calls_burst": 20,
            "rest_after_fault_s": 5.0,
            **changed,
        }
        self.settings = SipTrunkSettings.from_table(
            "operator", {key: value for key, value in table.items() if value is not None}
        )
        self.voices: list[FakeTrunkVoice] = self.switch.voices
        self._latency_s = voice_latency_s
        self.gateway = SipTrunkGateway(self.settings, self.reactor, self._make_voice, self._make_ping)
        self._folder = tempfile.TemporaryDirectory()
        self.prompt = Path(self._folder.name) / "prompt.alaw"
        self.prompt.write_bytes(b"\xd5" * 8000)
        self._closed = False

    @classmethod
    def of_variant(cls, name: str) -> SipTrunkBench:
        variant = VARIANTS[name]
        bench = cls(variant.operator, variant.voice_latency_s, **variant.settings)
        bench.sees = variant.sees
        return bench

    def _make_voice(self, observer: Any, number: int) -> FakeTrunkVoice:
        assert number == len(self.voices)
        voice = FakeTrunkVoice(self.reactor, observer, latency_s=self._latency_s, operator=self.switch)
        self.voices.append(voice)
        return voice

    def _make_ping(self, settings: SipTrunkSettings, host: str, reactor: Any, told: Any) -> FakePing:
        return FakePing(self.switch, settings, reactor, told)

    def start(self) -> None:
        self.gateway.start(self.watcher)
        self.until(lambda: list(self.gateway.idle_ports) == list(self.gateway.ports), "all ports idle")

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
        self.pass_s(self._latency_s + 2.0 + STEP_S)  # what was on its way
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

    def place(
        self, number: str, port: str = "1", ring_timeout_s: float = 20.0, caller_id: str | None = None
    ) -> Listener:
        listener = Listener()
        listener.call = self.gateway.place(port, number, 1, ring_timeout_s, caller_id, listener)
        return listener

    def answered(self, port: str = "1") -> Listener:
        listener = self.place(self.answers, port)
        self.until(lambda: "answered" in listener.names, "answered")
        return listener

    def leg(self, port: str) -> Leg | None:
        """The call of a port as the operator has it."""
        call = self.gateway._ports[port].call
        voice_id = call.voice_id if call is not None else ""
        voice = self.voice_of(port)
        leg = voice.legs.get(voice_id)
        return leg if leg in self.switch.legs else None

    def voice_of(self, port: str) -> FakeTrunkVoice:
        return self.voices[self.gateway._ports[port].side.number]

    def far_hangs_up(self, port: str) -> None:
        leg = self.leg(port)
        assert leg is not None
        self.switch.person_left(leg)

    def far_presses(self, port: str, keys: str) -> None:
        call = self.gateway._ports[port].call
        assert call is not None
        self.voice_of(port).press_in(call.voice_id, keys)

    def all_hang_up(self) -> None:
        for leg in list(self.switch.legs):
            self.switch.person_left(leg)

    def break_link(self) -> None:
        self.switch.break_link()

    def mend_link(self) -> None:
        self.switch.mend_link()

    def kill_voice(self) -> None:
        self.voices[0].die()

    @property
    def calls_asked(self) -> int:
        return len(self.switch.asked)

    @property
    def calls_up(self) -> int:
        return len(self.switch.legs)
