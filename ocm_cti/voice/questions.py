"""What may be asked of a voice process, by its parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.protocols import amp

from ocm_cti.voice import commands
from ocm_cti.voice.commands import CallOver, ReferRefused
from ocm_cti.voice.reports import PlayReport, RecordReport
from ocm_cti.voice.trunks import Trunk

#: What the process answers when the other side was taken over.
REFERRED: Final = 200


class Questions:
    """The asking half of ``VoiceClient``. Each question fails with VoiceProcessLost while the process does not run, or
    when it dies meanwhile."""

    def __init__(self) -> None:
        self._generation = 0
        self._live: set[str] = set()

    def _ask(self, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        raise NotImplementedError

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


def _referred(answer: dict[str, Any]) -> None:
    if answer["code"] != REFERRED:
        raise ReferRefused(answer["code"], answer["reason"])


def _nothing(_: object) -> None:
    """The answer itself says nothing."""
