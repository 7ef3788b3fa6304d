"""What a call on Asterisk needs of its surroundings, and what a sound is to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.interface import Played, Recorded, RecordLimits
from protocols.ami.messages import Event, Response

#: An action of the switch and its answer, as ``AmiLink.ask``.
Ask = Callable[..., Deferred[Response]]
#: An action that is answered by a list, as ``AmiLink.ask_list``.
AskList = Callable[..., Deferred[list[Event]]]


class Sound(Protocol):
    """The media of one answered call: ``AgiSound``."""

    def agi_started(self, event: Event) -> None: ...
    def agi_executed(self, event: Event) -> None: ...
    def agi_ended(self, event: Event) -> None: ...
    def digit(self, digit: str) -> bool:
        """Whether it was meant for the sound (it ends a recording), and is nobody else's."""

    def over(self, reason: str) -> None: ...
    def link_lost(self) -> None: ...
    def link_back(self) -> None: ...
    def play(self, paths: Sequence[Path]) -> Deferred[Played]: ...
    def stop_playing(self) -> Any: ...
    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]: ...
    def transfer(self, number: str) -> Deferred[None]: ...
    def detect(self) -> Deferred[str]: ...
    def greeting_over(self) -> Deferred[bool]: ...


@dataclass(frozen=True)
class Surroundings:
    """``look`` asks the switch for a call's channel, ``free`` is told when its port is free again."""

    settings: AsteriskSettings
    clock: Clock
    ask: Ask
    look: Callable[[Any], None]
    free: Callable[[Any], None]
    sound: Callable[[str], Sound]
    log: Logger
