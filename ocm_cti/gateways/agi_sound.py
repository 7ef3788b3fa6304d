"""The voice of an answered call on Asterisk, by AsyncAGI (or FastAGI): play, stop, record, hand over, detect machines.

A prompt of several files is one file for Asterisk, so that there is no gap in it and one stop ends all of it.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_check import find_wrong
from ocm_cti.gateways.agi_commands import Ask, Commands, Ended, MediaFailed
from ocm_cti.gateways.agi_fast import FastAgi
from ocm_cti.gateways.agi_prompts import FolderPrompts, Folders, InThread, in_thread_of
from ocm_cti.gateways.agi_recording import Recording
from ocm_cti.gateways.agi_replies import AriReplies, FolderReplies, Replies
from ocm_cti.gateways.agi_running import Playing, Publisher
from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.agi_transfer import Transfer
from ocm_cti.gateways.agi_web import PromptSite, QuietSite, UrlPrompts
from ocm_cti.gateways.interface import CallOver, Played, Recorded, RecordLimits
from protocols.agi.results import AgiResult, command
from protocols.ami.messages import Event

Heard = TypeVar("Heard")

#: AMDSTATUS -> what it means to us.
VERDICTS = {"MACHINE": "machine", "HUMAN": "human"}


@dataclass
class AgiAround:
    """What the sounds of one gateway share. ``open`` before the first call, ``close`` after the last one.

    ``event`` is the gateway's own entry for AMI events: with FastAGI, connections are told there as AsyncAGIStart,
    AsyncAGIExec and AsyncAGIEnd of their channel, so that a call need not know the difference. ``clock`` is the
    reactor; without one (a test's clock) files are read and written at once and nothing can listen.
    """

    ask: Ask
    clock: Clock
    log: Logger
    settings: AgiSettings
    recordings: Path
    event: Callable[[Event], None] | None = None

    def __post_init__(self) -> None:
        settings = self.settings
        self.in_thread: InThread = in_thread_of(self.clock)
        self.folders = Folders.of(settings, self.recordings)
        self.fast: FastAgi | None = None
        if settings.voice == "fastagi":
            if self.event is None:
                raise TypeError("FastAGI needs the gateway's entry for events")
            self.fast = FastAgi(self.ask, self.event, self.clock, self.log, settings.fastagi_from)
            self.ask = self.fast.ask
        self.urls: UrlPrompts | None = None
        if settings.prompts == "url":
            base = settings.url_base or f"http://{settings.url_host}:{settings.url_port}"
            self.urls = UrlPrompts(base, settings.url_valid_s, self.clock)
        self.publisher: Publisher = self.urls or FolderPrompts(
            self.folders, settings.keep_prompts_h * 3600, self.clock, self.in_thread
        )
        self.replies: Replies
        if settings.replies == "ari":
            self.replies = AriReplies(settings, self.clock, self.in_thread)
        else:
            self.replies = FolderReplies(self.folders, settings.reply_file_s, self.in_thread)
        self._web: Any = None

    def open(self) -> None:
        """Listen for FastAGI and for fetched prompts, where set so. CannotListenError when a port is taken."""
        settings, reactor = self.settings, self.clock
        if self.fast is not None:
            self.fast.listen(reactor, settings.fastagi_host, settings.fastagi_port)
        if self.urls is not None:
            site = QuietSite(PromptSite(self.urls, self.in_thread, self.log), reactor)
            listening: Any = reactor
            self._web = listening.listenTCP(settings.url_port, site, interface=settings.url_host)

    def check(self) -> Deferred[list[str]]:
        """What is wrong with folders and ARI, in words; [] when nothing is. A call must show the rest."""
        return find_wrong(self.settings, self.folders, self.replies, self.in_thread)

    @property
    def url_port(self) -> int:
        """Where prompts are fetched; for a port 0 in the settings."""
        return int(self._web.getHost().port)

    @inlineCallbacks
    def close(self) -> Any:
        """Nothing listens any more; twice is once."""
        web, self._web = self._web, None
        if web is not None:
            yield maybeDeferred(web.stopListening)
        if self.fast is not None:
            yield self.fast.close()


class AgiSound:
    """The media of one answered call. The gateway tells it every AGI event of the channel, keys, and the end.

    One thing at a time: what is asked for while another one runs begins after it; a prompt is stopped for it.
    Everything that was asked for ends: with its report, or by ``over``.
    """

    def __init__(self, around: AgiAround, channel_id: str) -> None:
        self._around = around
        self._commands = Commands(around.ask, around.clock, around.log, channel_id)
        self._numbers = itertools.count(1)
        self._waiting: deque[_Waiting] = deque()
        self._running: _Waiting | None = None
        self._over = ""

    # What the gateway tells

    def agi_started(self, event: Event) -> None:
        """AsyncAGIStart: commands are taken (again)."""
        self._commands.started()

    def agi_executed(self, event: Event) -> None:
        """AsyncAGIExec: a command is done."""
        self._commands.executed(event)

    def agi_ended(self, event: Event) -> None:
        """AsyncAGIEnd: a command failed, or the person hung up; agi_started or over follows and says which."""

    def digit(self, digit: str) -> bool:
        """A key that the person has pressed. True when it ends a recording: then it is nobody else's."""
        return isinstance(self._running, Recording) and self._running.takes(digit)

    def over(self, reason: str) -> None:
        """The call has ended: a prompt reports how far it got, a recording ``hangup``, a transfer CallOver."""
        if self._over:
            return
        self._over = reason or "the call is over"
        waiting, self._waiting = self._waiting, deque()
        self._commands.over(self._over)
        if isinstance(self._running, Playing | Transfer):
            self._running.over()
        for one in waiting:
            one.over()

    def link_lost(self) -> None:
        """Nothing is heard of the switch now; commands wait."""
        self._commands.lost()

    def link_back(self) -> None:
        """The link is up and the channel is still there: what was sent without an answer is settled."""
        self._commands.back()

    # Media

    def play(self, paths: Sequence[Path]) -> Deferred[Played]:
        """Files of raw A-law, without a gap. PlayFailed when Asterisk can't play them; the call goes on."""
        around = self._around
        playing = Playing(self._commands, around.ask, around.clock, around.log, around.publisher, paths)
        self._add(playing)
        return playing.done

    def stop_playing(self) -> None:
        """Silence; the prompt that plays reports how far it got."""
        for one in (self._running, *list(self._waiting)):
            if isinstance(one, Playing):
                one.stop()

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        """WAV at ``path``. Asterisk knows whole seconds of silence only: ``silence_ms`` is rounded up. RecordFailed."""
        name = f"{self._commands.channel_id}-{next(self._numbers)}".replace("/", "_")
        recording = Recording(self._commands, self._around.replies, name, path, limits)
        self._add(recording)
        return recording.done

    def transfer(self, number: str) -> Deferred[None]:
        """As the interface says. With ``transfer = "redirect"`` it fires at once and nobody knows who answers."""
        around = self._around
        transfer = Transfer(self._commands, around.ask, around.clock, around.settings, number)
        self._add(transfer)
        return transfer.done

    def detect(self) -> Deferred[str]:
        """Let Asterisk listen who answered: ``human``, ``machine``, ``notsure``. CallOver when he hung up."""
        detection = _Detection(self._commands, self._around)
        self._add(detection)
        return detection.done

    def greeting_over(self) -> Deferred[bool]:
        """Let Asterisk listen until an answering machine is silent, for ``machine_greeting_s`` at most: whether it is.

        CallOver when it hung up.
        """
        greeting = _Greeting(self._commands, self._around)
        self._add(greeting)
        return greeting.done

    # Inside

    def _add(self, one: _Waiting) -> None:
        if self._over:
            one.done.errback(CallOver(self._over))
            return
        self.stop_playing()
        self._waiting.append(one)
        self._next()

    def _next(self) -> None:
        if self._running is None and self._waiting:
            one = self._running = self._waiting.popleft()
            one.done.addBoth(self._done, one)
            one.begin()

    def _done(self, result: Any, one: object) -> Any:
        if self._running is one:
            self._running = None
            self._next()
        return result


class _Listening(Generic[Heard]):
    """``done`` fires once."""

    def __init__(self, commands: Commands, around: AgiAround) -> None:
        self.done: Deferred[Heard] = Deferred()
        self._commands = commands
        self._around = around

    def begin(self) -> None:
        self._run().addCallbacks(self.done.callback, self.done.errback)

    def over(self) -> None:
        self.done.errback(CallOver("the call is over"))

    @inlineCallbacks
    def _run(self) -> Any:
        try:
            found: Heard = yield self._listen()
        except Ended as ended:
            raise CallOver(str(ended)) from ended
        return found

    def _listen(self) -> Deferred[Heard]:
        raise NotImplementedError


class _Detection(_Listening[str]):
    @inlineCallbacks
    def _listen(self) -> Any:
        options = self._around.settings.amd_options
        done: AgiResult = yield self._commands.run(command("EXEC", "AMD", *([options] if options else [])))
        if done.failed:
            raise MediaFailed(f"Asterisk can't listen for machines: {done.text or 'is app_amd loaded?'}")
        found: AgiResult = yield self._commands.run("GET VARIABLE AMDSTATUS")
        why: AgiResult = yield self._commands.run("GET VARIABLE AMDCAUSE")
        self._around.log.info(
            "{channel}: AMD {found} {why}", channel=self._commands.channel_id, found=found.text, why=why.text
        )
        return VERDICTS.get(found.text, "notsure")


class _Greeting(_Listening[bool]):
    @inlineCallbacks
    def _listen(self) -> Any:
        settings = self._around.settings
        # Its three arguments are milliseconds, times, seconds.
        wanted = f"{settings.machine_silence_s * 1000:.0f},1,{settings.machine_greeting_s:.0f}"
        done: AgiResult = yield self._commands.run(command("EXEC", "WaitForSilence", wanted))
        if done.failed:
            raise MediaFailed(f"Asterisk can't wait for silence: {done.text or 'is app_waitforsilence loaded?'}")
        found: AgiResult = yield self._commands.run("GET VARIABLE WAITSTATUS")
        return found.text == "SILENCE"


_Waiting = Playing | Recording | Transfer | _Detection | _Greeting
