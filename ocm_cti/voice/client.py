"""The parent's side of the voice process: starts it, keeps it alive, asks and is told. Nothing here blocks.

A process that dies is started again after a delay, a longer one each time that it dies soon. Whatever was asked of it
fails with VoiceProcessLost, every call that it had is told as ended by fault, and then ``process_lost``; after the next
``process_ready`` registrations must be asked for again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.protocols import amp

from ocm_cti.voice.child import Child, ProcessReactor, VoiceProcessLost
from ocm_cti.voice.commands import (
    AudioUnreadable,
    CallOver,
    DialFailed,
    RecordingFailed,
    ReferRefused,
    Unanswerable,
)
from ocm_cti.voice.named_reports import NamedReports
from ocm_cti.voice.questions import Questions
from ocm_cti.voice.reports import PlayReport, RecordReport, VoiceObserver
from ocm_cti.voice.trunks import Trunk

__all__ = [
    "AudioUnreadable",
    "CallOver",
    "DialFailed",
    "PlayReport",
    "RecordReport",
    "RecordingFailed",
    "ReferRefused",
    "Trunk",
    "Unanswerable",
    "VoiceClient",
    "VoiceObserver",
    "VoiceProcessLost",
]

#: A child that was told to stop and has not gone by then is killed.
STOP_S: Final = 5.0
#: The delay before a new start doubles up to this.
RESTART_MAX_S: Final = 30.0
#: A process that was ready for so long has proved itself: the delay is the first one again.
SETTLED_S: Final = 30.0


class VoiceClient(Questions):
    """One voice process.

    ``bind_host`` is a concrete address of ours, the one that the switch reaches us at. ``extra`` are more options of
    the process' command line. ``restart_delay_s`` is the first delay before a new start; see RESTART_MAX_S.
    """

    def __init__(
        self,
        reactor: ProcessReactor,
        observer: VoiceObserver,
        *,
        bind_host: str = "127.0.0.1",
        sip_port: int = 0,
        restart_delay_s: float = 1.0,
        extra: Sequence[str] = (),
        log: Logger | None = None,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._observer = observer
        self._first_delay_s = self._restart_delay_s = restart_delay_s
        self._ready_at_s = 0.0
        self._command = [sys.executable, "-m", "ocm_cti.voice.process", "--bind-host", bind_host]
        self._command += ["--sip-port", str(sip_port), *extra]
        self._log = log or Logger()
        self._child: Child | None = None
        self._ready = False
        self._restart: Any = None
        self._stopping: Deferred[None] | None = None
        #: UDP port on which the process takes SIP, 0 while it does not run.
        self.sip_port = 0
        #: Why the process was lost last, as told by ``process_lost``; "" once it is ready again.
        self.lost_reason = ""

    @property
    def ready(self) -> bool:
        return self._ready

    @property
    def pid(self) -> int | None:
        """Process id, None while it does not run."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start the process, and again whenever it dies, until ``stop``."""
        if self._child is None and self._restart is None and self._stopping is None:
            self._restart_delay_s = self._first_delay_s
            self._spawn()

    def stop(self) -> Deferred[None]:
        """Hang up, unregister, end the process; fires when it is gone and no timer is left."""
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None
        if self._child is None:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        if self._stopping is None:
            self._stopping = Deferred()
            self._child.stop(STOP_S)
        self._stopping.addCallback(lambda _: waiting.callback(None))
        return waiting

    def _ask(self, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        if self._child is None or not self._ready:
            why = ": ".join(filter(None, ("the voice process is not running", self.lost_reason)))
            return fail(VoiceProcessLost(why))
        return self._child.ask(command, **arguments)

    # The life of the process

    def _spawn(self) -> None:
        self._restart = None
        self._generation += 1
        self._child = Child(self._reactor, NamedReports(self, f"{self._generation}."), self._lost, self._log)
        self._child.spawn(self._command, dict(os.environ))

    def _lost(self, reason: str) -> None:
        """The child has gone, whatever the cause; what was asked of it has failed by now."""
        was_ready, self._ready, self._child, self.sip_port = self._ready, False, None, 0
        live, self._live = self._live, set()
        for call_id in sorted(live):
            self._guarded(self._observer.ended, call_id, "fault", reason, None)
        if self._stopping is not None:
            stopping, self._stopping = self._stopping, None
            stopping.callback(None)
            return
        self.lost_reason = reason
        if was_ready and self._reactor.seconds() - self._ready_at_s >= SETTLED_S:
            self._restart_delay_s = self._first_delay_s
        delay_s = self._restart_delay_s
        self._restart_delay_s = max(delay_s, min(2 * delay_s, RESTART_MAX_S))
        self._log.warn(
            "voice process lost: {reason}; next start in {delay_s:g} s",
            reason=reason,
            delay_s=delay_s,
            was_ready=was_ready,
        )
        self._restart = self._reactor.callLater(delay_s, self._spawn)
        self._guarded(self._observer.process_lost, reason)

    # Told by the process

    def child_ready(self, sip_port: int) -> None:
        self.sip_port = sip_port
        self._ready = self._stopping is None
        if self._ready:
            self._ready_at_s, self.lost_reason = self._reactor.seconds(), ""
            self._guarded(self._observer.process_ready)

    def child_registration_changed(self, extension: str, registered: bool, reason: str) -> None:
        self._guarded(self._observer.registration_changed, extension, registered, reason)

    def child_incoming(self, call_id: str, extension: str, caller: str) -> None:
        self._live.add(call_id)
        self._guarded(self._observer.incoming, call_id, extension, caller)

    def child_ringing(self, call_id: str, code: int) -> None:
        if call_id in self._live:
            self._guarded(self._observer.ringing, call_id, code)

    def child_refused(
        self, call_id: str, code: int, reason: str, q850: int | None, retry_after_s: float | None
    ) -> None:
        if call_id in self._live:
            self._live.remove(call_id)
            self._guarded(self._observer.refused, call_id, code, reason, q850, retry_after_s)

    def child_established(self, call_id: str) -> None:
        if call_id in self._live:
            self._guarded(self._observer.established, call_id)

    def child_digit(self, call_id: str, digit: str) -> None:
        if call_id in self._live:
            self._guarded(self._observer.digit, call_id, digit)

    def child_ended(self, call_id: str, by: str, reason: str, q850: int | None) -> None:
        if call_id in self._live:
            self._live.remove(call_id)
            self._guarded(self._observer.ended, call_id, by, reason, q850)

    def _guarded(self, told: Callable[..., None], *arguments: object) -> None:
        # An observer that fails must not cost the other calls their reports.
        with self._log.failuresHandled("an observer of the voice process failed"):
            told(*arguments)
