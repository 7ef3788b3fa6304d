"""A transfer by SIP: REFER (RFC 3515) on the dialog of our extension.

That our legs end means success, or that the person has hung up: only the answer to REFER tells. Until it has come, the
end of a leg is kept back.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_causes import sip_cause
from ocm_cti.voice.client import CallOver, VoiceProcessLost


class Refer:
    """``taken``: the person has been taken over. ``refused``: he is still with us. ``over``: the call has ended."""

    def __init__(
        self,
        around: Surroundings,
        taken: Callable[[], None],
        refused: Callable[[Cause, str], None],
        over: Callable[[], None],
    ) -> None:
        self._around = around
        self._taken = taken
        self._refused = refused
        self._over = over
        self._asked = False
        self._kept: list[Event] = []

    def ask(self, voice_id: str, number: str) -> None:
        self._asked = True
        self._around.voice.refer(voice_id, number).addCallbacks(self._accepted, self._failed)

    def keeps(self, event: Event) -> bool:
        """Whether what the call machine would be told of the end of a leg has to wait."""
        if self._asked:
            self._kept.append(event)
        return self._asked

    def kept(self) -> list[Event]:
        """What has been kept back, once; nothing more is from now on."""
        self._asked = False
        kept, self._kept = self._kept, []
        return kept

    @property
    def leg_ended(self) -> bool:
        return bool(self._kept)

    def _accepted(self, _: object) -> None:
        self._asked = False
        self._taken()

    def _failed(self, failure: Failure) -> None:
        self._asked = False
        error = failure.value
        if isinstance(error, CallOver | VoiceProcessLost):
            self._over()
            return
        code, reason = getattr(error, "code", 0), getattr(error, "reason", failure.getErrorMessage())
        self._refused(sip_cause(code, reason)[0], f"the PBX refuses REFER: {code or ''} {reason}".strip())
