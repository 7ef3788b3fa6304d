"""The parent's side of the voice process: starts it, keeps it alive, asks and is told. Nothing here blocks.

A process that dies is started again after a delay, a longer one each time that it dies soon. Whatever was asked of it
fails with VoiceProcessLost, every call that it had is told as ended by fault, and then ``process_lost``; after the next
``process_ready`` registrations must be asked for again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.protocols import amp

from ocm_cti.voice import commands
from ocm_cti.voice.child import Child, ProcessReactor, VoiceProcessLost
from ocm_cti.voice.commands import (
    AudioUnreadable,
    CallOver,
    DialFailed,
    RecordingFailed,
    ReferRefused,
    Unanswerable,
)
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

#: What the process answers when the other side was taken over.
REFERRED: Final = 200
#: A child that was told to stop and has not gone by then is killed.
STOP_S: Final = 5.0
#: The delay before a new start doubles up to this.
RESTART_MAX_S: Final = 30.0
#: A process that was ready for so long has proved itself: the delay is the first one again.
SETTLED_S: Final = 30.0


class VoiceClient:
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
        self._reactor = reactor
        self._observer = observer
        self._first_delay_s = self._restart_delay_s = restart_delay_s
        self._ready_at_s = 0.0
        self._command = [sys.executable, "-m", "ocm_cti.voice.process", "--bind-host", bind_host]
        self._command += ["--sip-port", str(sip_port), *extra]
        self._log = log or Logger()
        self._child: Child | None = None
        self._ready = False
        self._generation = 0
        self._live: set[str] = set()
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

    # What may be asked. Each fails with VoiceProcessLost while the process does not run or when it dies meanwhile.

    def register(
        self, extension: str, password: str, registrar_host: str, registrar_port: int, expires_s: int = 120
    ) -> Deferred[None]:
        """Hold this extension's registration; fires when the process has taken the order.

        How it goes is told by ``registration_changed``; a refused one is tried again by itself.
        """
        return self._ask(
            commands.Register,
            extension=extension,
            password=password,
            registrar_host=registrar_host,
            registrar_port=registrar_port,
            expires_s=expires_s,
        ).addCallback(_nothing)

    def unregister(self, extension: str) -> Deferred[None]:
        """Give the registration back."""
        return self._ask(commands.Unregister, extension=extension).addCallback(_nothing)

    def dial(self, extension: str, digits: str) -> Deferred[str]:
        """Call ``digits``, as dialled at the switch, from a registered extension; fires with the call_id.

        ``ringing`` may follow, then ``established``, ``refused`` or ``ended``. DialFailed when nothing was dialled,
        VoiceProcessLost when that is not known. Nothing ends the ringing soon but ``hang_up``.
        """
        generation = self._generation
        return self._ask(commands.Dial, extension=extension, digits=digits).addCallback(self._dialled, generation)

    def _dialled(self, answer: dict[str, str], generation: int) -> str:
        call_id = f"{generation}.{answer['call']}"
        self._live.add(call_id)
        return call_id

    def open_trunk(self, trunk: Trunk) -> Deferred[None]:
        """Take calls for this trunk from now on; one of the same name is replaced, calls on it go on.

        Fires when the process has taken the order. Where it registers, ``registration_changed`` tells how that goes,
        under the trunk's name; of one that does not register nothing is told. Calls that come in on it are refused.
        """
        return self._ask(commands.OpenTrunk, **asdict(trunk)).addCallback(_nothing)

    def close_trunk(self, name: str) -> Deferred[None]:
        """Give it up, and its registration; calls on it go on."""
        return self._ask(commands.CloseTrunk, name=name).addCallback(_nothing)

    def call(
        self,
        trunk: str,
        digits: str,
        *,
        caller_id: str = "",
        asserted: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Deferred[str]:
        """Call ``digits`` (also ``+79161234567``) on an open trunk; fires with the call_id. As ``dial`` goes on.

        From is ``caller_id``, or the trunk's user; ``anonymous`` hides it (RFC 3323). P-Asserted-Identity is
        ``asserted`` where it is given, a number or a SIP or tel URI. ``headers`` are more of them, as Privacy.
        DialFailed when nothing was sent: no such trunk, not registered, no number, no free port for RTP.
        """
        generation = self._generation
        asked = self._ask(
            commands.Call,
            trunk=trunk,
            digits=digits,
            caller_id=caller_id,
            asserted=asserted,
            headers=[{"name": name, "value": value} for name, value in headers],
        )
        return asked.addCallback(self._dialled, generation)

    def answer(self, call_id: str) -> Deferred[None]:
        """Pick up; ``established`` follows. CallOver when the caller has gone; Unanswerable when media can't be had."""
        return self._ask_call(call_id, commands.Answer).addCallback(_nothing)

    def refuse(self, call_id: str, code: int = 486) -> Deferred[None]:
        """Turn an incoming call away with a SIP code; ``ended`` by us follows. Never fails: it may be over already."""
        return self._ask_call(call_id, commands.Refuse, code=code).addBoth(_nothing)

    def play(self, call_id: str, paths: Sequence[Path]) -> Deferred[PlayReport]:
        """Play files of raw A-law (8 kHz) without a gap; fires when sent, stopped, replaced or the call ended.

        CallOver, AudioUnreadable.
        """
        texts = [str(path.absolute()) for path in paths]
        return self._ask_call(call_id, commands.Play, paths=texts).addCallback(lambda answer: PlayReport(**answer))

    def stop_playing(self, call_id: str) -> Deferred[None]:
        """Be silent; ``play`` reports. Never fails."""
        return self._ask_call(call_id, commands.StopPlaying).addBoth(_nothing)

    def record(
        self, call_id: str, path: Path, max_ms: int = 30_000, silence_ms: int = 3_000, stop_keys: str = "#"
    ) -> Deferred[RecordReport]:
        """Record what they say, until ``max_ms``, ``silence_ms`` of silence, one of ``stop_keys`` or the call's end.

        Fires when the WAV lies at ``path``. CallOver, RecordingFailed.
        """
        limits = {"max_ms": max_ms, "silence_ms": silence_ms, "stop_keys": stop_keys}
        return self._ask_call(call_id, commands.Record, path=str(path.absolute()), **limits).addCallback(
            lambda answer: RecordReport(path, **answer)
        )

    def refer(self, call_id: str, digits: str) -> Deferred[None]:
        """Have the switch connect the other side of an established call with ``digits`` (SIP REFER, RFC 3515).

        Fires when it has; then ``hang_up``, where the switch does not. ReferRefused: they are still with us; its
        ``code`` is SIP's (408: the switch never said what became of it), 0 when nothing was asked. CallOver when the
        call ends meanwhile; a switch that has agreed, does not tell how it goes on and ends the call has taken them
        over.
        """
        return self._ask_call(call_id, commands.Refer, digits=digits).addCallback(_referred)

    def hang_up(self, call_id: str) -> Deferred[None]:
        """End a call in any state; ``ended`` by us follows. Never fails."""
        return self._ask_call(call_id, commands.HangUp).addBoth(_nothing)

    def cpu_s(self) -> Deferred[float]:
        """Processor time that the process has used since it began, in seconds."""
        return self._ask(commands.Ping).addCallback(lambda answer: answer["cpu_ms"] / 1000)

    def _ask_call(self, call_id: str, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        if call_id not in self._live:
            return fail(CallOver(f"call {call_id} is over"))
        return self._ask(command, call=call_id.partition(".")[2], **arguments)

    def _ask(self, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        if self._child is None or not self._ready:
            why = ": ".join(filter(None, ("the voice process is not running", self.lost_reason)))
            return fail(VoiceProcessLost(why))
        return self._child.ask(command, **arguments)

    # The life of the process

    def _spawn(self) -> None:
        self._restart = None
        self._generation += 1
        self._child = Child(self._reactor, _Named(self, f"{self._generation}."), self._lost, self._log)
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


class _Named:
    """Reports of one process, its calls named so that no later process can have the same."""

    def __init__(self, client: VoiceClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self.ready = client.child_ready
        self.registration_changed = client.child_registration_changed

    def incoming(self, call: str, extension: str, caller: str) -> None:
        self._client.child_incoming(self._prefix + call, extension, caller)

    def ringing(self, call: str, code: int) -> None:
        self._client.child_ringing(self._prefix + call, code)

    def refused(self, call: str, code: int, reason: str, q850: int | None, retry_after_s: float | None) -> None:
        self._client.child_refused(self._prefix + call, code, reason, q850, retry_after_s)

    def established(self, call: str) -> None:
        self._client.child_established(self._prefix + call)

    def digit(self, call: str, digit: str) -> None:
        self._client.child_digit(self._prefix + call, digit)

    def ended(self, call: str, by: str, reason: str, q850: int | None) -> None:
        self._client.child_ended(self._prefix + call, by, reason, q850)


def _referred(answer: dict[str, Any]) -> None:
    if answer["code"] != REFERRED:
        raise ReferRefused(answer["code"], answer["reason"])


def _nothing(_: object) -> None:
    """The answer itself says nothing."""
