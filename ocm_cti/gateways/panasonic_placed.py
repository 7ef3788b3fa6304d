"""A placed call: what the dialer asks of it, and what link and voice process tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, fail

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import (
    CallObserver,
    CallOver,
    Native,
    Played,
    Recorded,
    RecordLimits,
    TransferFailed,
)
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Do, Event, Way
from ocm_cti.gateways.panasonic_causes import SIP, reached_cause, sip_cause
from ocm_cti.gateways.panasonic_reading import Seen, Told
from ocm_cti.gateways.panasonic_running import RunningCall
from ocm_cti.gateways.panasonic_stale import is_confirmed, is_doubtful
from ocm_cti.gateways.panasonic_transfer import Transfer
from protocols.csta.panasonic import DigitsReport, OgmStatus, PrivateEvent, call_id

#: Provisional SIP answers that say that a telephone rings (RFC 3261 §21.1); the others only that the PBX is at work.
RINGING = 180


class PlacedCall(RunningCall):
    """One call on one port: ``interface.Call`` for the dialer; the gateway tells it what link and voice say.

    ``formers``: callIDs that the extension had lately, and when they were over.
    """

    def __init__(
        self,
        around: Surroundings,
        extension: str,
        attempt_id: int,
        ring_timeout_s: float,
        observer: CallObserver,
        formers: Mapping[bytes, float] | None = None,
    ) -> None:
        self._formers: Mapping[bytes, float] = formers or {}
        super().__init__(around, extension, attempt_id, ring_timeout_s, observer, self._formers)
        self.may_have_left_something = False  # at the PBX, on our extension
        self._reached = False  # a trunk has taken the number
        self._doubted: list[Told] = []

    # interface.Call

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        return self._sound.play(prompt)

    def play_announcement(self, ogm: str) -> Deferred[Played]:
        return self._sound.announce(ogm)

    def stop_playing(self) -> None:
        self._sound.stop()

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        return self._sound.record(path, limits)

    def transfer(self, number: str) -> Deferred[None]:
        held = self._beginning.call_id
        if not self.talking:
            return fail(CallOver("the call is over"))
        if held is None:
            return fail(TransferFailed(Cause.LINE_FAULT, "the PBX has not told of this call yet"))
        if self._transfer is not None and self._transfer.is_on:
            return fail(TransferFailed(Cause.LINE_FAULT, "another transfer of this call is on its way"))
        self._sound.stop()
        self.may_have_left_something = True
        self._transfer = Transfer(self._around, self.extension, held, number, self.voice_id, self._happened)
        return self._transfer.begin()

    def hang_up(self) -> None:
        self._happened(Event.HANG_UP)

    # Placing

    def begin(self, digits: str) -> None:
        self._start(Do.TIME_PICK_UP)
        if self._way is Way.SIP:
            self._beginning.dial(digits, self._dialled)
        else:
            self._beginning.make(digits)

    def _dialled(self, voice_id: str) -> None:
        self._sound.voice_id = voice_id
        self._around.named(voice_id, self)
        self._happened(Event.DIALLED)

    # What the gateway tells

    def told(self, told: Told) -> None:
        """An event of our extension."""
        number = self._beginning.call_id
        if number is None:
            self._beginning.told(told, self._way)
        elif self._transfer is not None and self._transfer.told(told):
            pass
        elif told.call_id != number:
            self._around.log.info("{call}: {name} of another call", call=self, name=told.name)
        elif told.event is not None:
            now_s, reuse_s = self._around.clock.seconds(), self._around.settings.call_id_reuse_s
            if is_doubtful(self._formers, number, now_s, reuse_s):
                self._doubted.append(told)
                self._around.look()
            else:
                self._believe(told)

    def _believe(self, told: Told) -> None:
        if told.event is None:
            return
        cause = told.cause
        if told.event in (Event.REACHED, Event.ALERTING):
            self._reached = True
        elif self._reached:
            cause = reached_cause(cause, told.native)
        self._happened(told.event, cause, told.native)

    def told_privately(self, event: PrivateEvent) -> None:
        """A private event of our extension: keys that were pressed, and how far the PBX's own message is."""
        if not isinstance(event, DigitsReport | OgmStatus) or call_id(event.connection) != self._beginning.call_id:
            return
        self._sound.told(event)
        if isinstance(event, DigitsReport):
            for digit in event.digits:
                self.pressed(digit)

    def looked(self, seen: Sequence[Seen] | None) -> None:
        """A snapshot of our extension: what the PBX has there; None: it gives none."""
        if self._beginning.asked:
            return  # the answer to MakeCall will tell; until then nothing there does not mean nothing to come
        doubted, self._doubted = self._doubted, []
        for told in doubted:
            if told.event is not None and (seen is None or is_confirmed(told.event, told.call_id, seen)):
                self._believe(told)
            else:
                self._around.log.info("{call}: {name} of an older call of this callID", call=self, name=told.name)
        if self._transfer is not None and self._transfer.looked(seen):
            return
        if seen is None and (doubted or self.talking):
            return  # a PBX without snapshots can't say that an answered call is gone: its voice will
        number = self._beginning.call_id
        ours = [one for one in seen or () if number is None or one.call_id == number]
        if ours and number is None:
            self._beginning.learn(ours[0].call_id)
        elif ours:
            self._happened(Event.PRESENT)
        elif number is not None or self._way is not Way.SIP or self._machine.verdict is not None:
            self._happened(Event.ABSENT)
        if ours and "alerting" in ours[0].others:
            self._happened(Event.FAR_ALERTING)

    def link_lost(self) -> None:
        self._doubted.clear()
        if self._transfer is not None:
            self._transfer.link_lost()
        self._happened(Event.LINK_LOST)

    def link_back(self) -> None:
        """Our extension is monitored again; a snapshot follows."""
        self._happened(Event.LINK_BACK)

    # What the voice process tells

    @property
    def awaits_ring(self) -> bool:
        """Whether an INVITE on our extension now is the PBX carrying out a request of ours."""
        return self._machine.may_be_offered or (self._transfer is not None and self._transfer.awaits_ring)

    def offered(self, voice_id: str) -> None:
        if self._transfer is not None and self._transfer.awaits_ring:
            self._transfer.second.offered(voice_id)
            return
        self._sound.voice_id = voice_id
        self._happened(Event.OFFERED)

    def voice_up(self, voice_id: str) -> None:
        if voice_id != self.voice_id:
            return
        self._happened(Event.PICKED_UP)
        if self._way is Way.SIP and self._around.settings.sip_200_is_answer:
            self._happened(Event.ANSWERED)

    def voice_progress(self, code: int) -> None:
        """A provisional answer to the INVITE of our extension."""
        self._happened(Event.RUNG if code == RINGING else Event.PROGRESSED)

    def voice_refused(self, code: int, reason: str) -> None:
        """The final answer to it, and no good one."""
        self._happened(Event.VOICE_REFUSED, *sip_cause(code, reason))

    def pressed(self, digit: str) -> None:
        if self.talking and (self._transfer is None or not self._transfer.is_on):
            self._tell(self._observer.digit, digit)

    def voice_ended(self, voice_id: str, by: str, reason: str) -> None:
        if voice_id != self.voice_id:
            if self._transfer is not None:
                self._transfer.second.voice_id = None
            return
        if by == "them" and self._transfer is not None and self._transfer.voice_left():
            return
        self._happened(Event.VOICE_LEFT if by == "them" else Event.VOICE_BROKE, native=Native(SIP, by, reason))

    def voice_lost(self, reason: str) -> None:
        self._happened(Event.VOICE_LOST, native=Native("ocm", "voice", reason))
