"""The voice of an answered call on Asterisk, by AsyncAGI (or FastAGI): play, stop, record, hand over, listen for machines.

A prompt of several files is one file for Asterisk, so that there is no gap in it and one stop ends all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.interface import Played, Recorded, RecordLimits
from protocols.ami.messages import Event, Response


@dataclass
class AgiAround:
    """What the sounds of one gateway share. ``open`` before the first call, ``close`` after the last one.

    ``event`` is the gateway's own entry for AMI events: with FastAGI, connections are told there as AsyncAGIStart,
    AsyncAGIExec and AsyncAGIEnd of their channel, so that a call need not know the difference.
    """

    ask: Callable[..., Deferred[Response]]
    clock: Clock
    log: Logger
    settings: AgiSettings
    recordings: Path
    event: Callable[[Event], None] | None = None

    def open(self) -> None:
        """Listen for FastAGI and for fetched prompts, where set so. OSError/CannotListenError when a port is taken."""

    def close(self) -> Deferred[None]:
        """Nothing listens any more."""
        raise NotImplementedError


class AgiSound:
    """The media of one answered call. The gateway tells it every AGI event of the channel, keys, and the end.

    Pending media commands always end: with their report, or by ``over``.
    """

    def __init__(self, around: AgiAround, channel_id: str) -> None:
        raise NotImplementedError

    # What the gateway tells

    def agi_started(self, event: Event) -> None:
        """AsyncAGIStart: commands are taken (again)."""

    def agi_executed(self, event: Event) -> None:
        """AsyncAGIExec: a command is done."""

    def agi_ended(self, event: Event) -> None:
        """AsyncAGIEnd: a command failed, or the person hung up; agi_started or over follows."""

    def digit(self, digit: str) -> None:
        """A key that the person has pressed."""

    def over(self, reason: str) -> None:
        """The call has ended: a prompt reports how far it got, a recording ``hangup``, a transfer CallOver."""

    def link_lost(self) -> None:
        """Nothing is heard of the switch now; commands wait."""

    def link_back(self) -> None:
        """The link is up and the channel is still there: what was sent without an answer is settled."""

    # Media

    def play(self, paths: Sequence[Path]) -> Deferred[Played]:
        """Files of raw A-law, without a gap. PlayFailed when Asterisk can't play them; the call goes on."""
        raise NotImplementedError

    def stop_playing(self) -> None:
        """Silence; the prompt that plays reports how far it got."""

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        """WAV at ``path``. Asterisk knows whole seconds of silence only: ``silence_ms`` is rounded up. RecordFailed."""
        raise NotImplementedError

    def transfer(self, number: str) -> Deferred[None]:
        """As the interface says. With ``transfer = "redirect"`` it fires at once and nobody knows who answers."""
        raise NotImplementedError

    def detect(self) -> Deferred[str]:
        """Let Asterisk listen who answered: ``human``, ``machine``, ``notsure``. CallOver when he hung up."""
        raise NotImplementedError


class MediaFailed(Exception):
    """Asterisk could not do it; the text says what and what to do. The call goes on."""


class PlayFailed(MediaFailed):
    """A prompt could not be played."""


class RecordFailed(MediaFailed):
    """A reply could not be recorded, or its file did not come."""
