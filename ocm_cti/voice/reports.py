"""What the parent of a voice process is told: by its observer, and in answer to what it asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class PlayReport:
    """How far a prompt got: ``heard_ms`` of ``of_ms`` were sent; ``finished`` is False when it was stopped."""

    heard_ms: int
    of_ms: int
    finished: bool


@dataclass(frozen=True)
class RecordReport:
    """A reply on disk (WAV). ``why``: ``silence``, ``key``, ``limit``, ``hangup``, ``replaced`` (by a newer one)."""

    path: Path
    length_ms: int
    why: str


class VoiceObserver(Protocol):
    """Told what happens in the voice process. ``call_id`` is unique over all processes of one client."""

    def process_ready(self) -> None:
        """The process runs; registrations must be asked for now, also those it had before."""

    def process_lost(self, reason: str) -> None:
        """The process died; its calls have been told as ended. It is started again by itself.

        ``reason`` ends with the last line of its standard error, as "exit code 2: SIP port ... can't be opened: ...".
        """

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None:
        """``reason`` is the registrar's refusal, or "" when there is none. ``extension``: or the name of a trunk."""

    def incoming(self, call_id: str, extension: str, caller: str) -> None:
        """A call rings at one of our extensions: ``answer`` or ``refuse`` it."""

    def ringing(self, call_id: str, code: int) -> None:
        """A call that we dialled goes on: 180 it rings, 183 there may be audio, which is no answer. Not repeated."""

    def established(self, call_id: str) -> None:
        """The call stands, answered by us or by them; media run both ways."""

    def refused(
        self, call_id: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None:
        """A call that we dialled was answered with 300 to 699. ``ended`` does not follow.

        Of an extension, 408 also says that there was no answer at all. On a trunk every code is the operator's own but
        for 408 after five minutes of ringing, and 0: nothing has left for the operator (no connection, no address for
        his name), so that nobody can have been reached; the operator's silence is told as ``ended`` by fault.
        ``q850`` is the cause in the Reason header (RFC 3326, ``Q.850;cause=17``), ``retry_after_s`` is Retry-After.
        """

    def digit(self, call_id: str, digit: str) -> None:
        """They pressed a key. One that stopped a recording is not told."""

    def ended(self, call_id: str, by: str, reason: str, q850: int | None = None) -> None:
        """Once for each call that was told as incoming, or was dialled and not told as refused.

        ``by`` is ``us``, ``them`` or ``fault``. By fault before ``established``: what became of the INVITE is not known
        (no answer of any kind, connection lost, voice process died). ``q850`` as of ``refused``, from their BYE.
        """
