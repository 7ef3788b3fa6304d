"""What the parts of a Panasonic gateway need of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.gateways.panasonic_settings import PanasonicSettings


class Voice(Protocol):
    """What a gateway asks of ``ocm_cti.voice.client.VoiceClient``."""

    def start(self) -> object: ...
    def stop(self) -> Deferred[Any]: ...
    def register(
        self, extension: str, password: str, registrar_host: str, registrar_port: int, expires_s: int = 120
    ) -> Deferred[Any]: ...
    def unregister(self, extension: str) -> Deferred[Any]: ...
    def answer(self, call_id: str) -> Deferred[Any]: ...
    def refuse(self, call_id: str, code: int = 486) -> object: ...
    def dial(self, extension: str, digits: str) -> Deferred[str]: ...
    def refer(self, call_id: str, digits: str) -> Deferred[Any]: ...
    def play(self, call_id: str, paths: Sequence[Path]) -> Deferred[Any]: ...
    def stop_playing(self, call_id: str) -> object: ...
    def record(self, call_id: str, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[Any]: ...
    def hang_up(self, call_id: str) -> object: ...


@dataclass(frozen=True)
class Surroundings:
    """What a placed call needs of its gateway."""

    settings: PanasonicSettings
    clock: Clock
    ask: Callable[[str, Any], Deferred[Any]]  # a request to the PBX
    look: Callable[[], None]  # SnapshotDevice of our extension; ``looked`` follows
    voice: Voice
    free: Callable[[], None]  # both legs are gone
    log: Logger
    named: Callable[[str, Any], None] = lambda voice_id, call: None  # the voice process calls it so
    withdraw: Callable[[Deferred[Any]], bool] = lambda answer: False  # a request that has not left for the PBX


@dataclass(frozen=True)
class PortSurroundings:
    """What a port needs of its gateway."""

    settings: PanasonicSettings
    clock: Clock
    ask: Callable[[str, Any], Deferred[Any]]
    voice: Voice
    monitored: Callable[[bytes, Any], None]  # events under this cross reference are the port's
    changed: Callable[[Any], None]  # look at ``idle`` again
    log: Logger
    named: Callable[[str, Any], None]
    held_back: Callable[[], str]  # why no port of the gateway may be used now, "" when they may
    over: Callable[[Any], None]  # a call is over; with its Verdict
    withdraw: Callable[[Deferred[Any]], bool]
