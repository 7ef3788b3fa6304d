"""What the parts of a gateway over a SIP trunk need of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.voice.trunks import Trunk


class Voice(Protocol):
    """What is asked of ``ocm_cti.voice.client.VoiceClient``."""

    @property
    def ready(self) -> bool: ...
    def start(self) -> object: ...
    def stop(self) -> Deferred[Any]: ...
    def open_trunk(self, trunk: Trunk) -> Deferred[Any]: ...
    def call(
        self,
        trunk: str,
        digits: str,
        *,
        caller_id: str = "",
        asserted: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Deferred[str]: ...
    def refuse(self, call_id: str, code: int = 486) -> object: ...
    def refer(self, call_id: str, digits: str) -> Deferred[Any]: ...
    def play(self, call_id: str, paths: Sequence[Path]) -> Deferred[Any]: ...
    def stop_playing(self, call_id: str) -> object: ...
    def record(self, call_id: str, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[Any]: ...
    def hang_up(self, call_id: str) -> object: ...


@dataclass(frozen=True)
class Wanted:
    """One call as the voice process is asked for it."""

    trunk: str
    digits: str
    caller_id: str
    asserted: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Surroundings:
    """What a placed call needs. ``named``: the voice process calls it so from now on; ``over``: nothing is left of it;
    ``wait``: the operator wants no call for so many seconds, and why."""

    settings: SipTrunkSettings
    clock: Clock
    voice: Voice
    named: Callable[[str, Any], None]
    over: Callable[[Any], None]
    wait: Callable[[float, str], None]
    log: Logger
