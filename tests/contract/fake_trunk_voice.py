"""An operator in memory, and voice processes of ours (VoiceClient) that hold their calls with him."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_voice import FakeVoice, _Ring
from twisted.internet.defer import Deferred, fail, succeed

from ocm_cti.voice.client import CallOver, DialFailed, ReferRefused, Trunk, VoiceProcessLost

#: An INVITE without any answer (RFC 3261, timer B); a REGISTER is noticed by its refresh.
NO_ANSWER_S = 32.0
REGISTER_NOTICED_S = 2.0


@dataclass
class Leg:
    """A call as the operator has it. ``voice`` None: our side does not know of it any more."""

    digits: str
    voice: FakeTrunkVoice | None
    call_id: str
    up: bool = False


@dataclass
class FakeOperator:
    """``link`` False: nothing gets through. ``refusals``: last two digits -> code, reason, q850, Retry-After.

    ``progress`` are the provisional answers that he gives before an answer.
    """

    clock: Any
    progress: tuple[int, ...] = (180,)
    answer_after_s: float = 1.0
    link: bool = True
    legs: list[Leg] = field(default_factory=list)
    asked: list[tuple[str, str, str, str, tuple[tuple[str, str], ...]]] = field(default_factory=list)
    referred: list[str] = field(default_factory=list)
    refusals: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    voices: list[FakeTrunkVoice] = field(default_factory=list)
    waiting: list[Leg] = field(default_factory=list)  # CANCEL or BYE that have not got through
    registrations: int = 0
    register_refusal: str = ""

    def invited(self, leg: Leg) -> None:
        if not self.link:
            return
        self.legs.append(leg)
        ending = leg.digits[-2:]
        if ending in self.refusals:
            self._later(0.3, self._refuse, leg, *self.refusals[ending])
            return
        for code in self.progress:
            self._later(0.2, self._progress, leg, code)
        if ending != "07":
            self._later(self.answer_after_s, self._answer, leg)

    def _later(self, seconds: float, what: Any, leg: Leg, *more: Any) -> None:
        assert leg.voice is not None
        ring = leg.voice.calls.get(leg.call_id)
        timer = self.clock.callLater(seconds, what, leg, *more)
        if ring is not None:
            ring.timers.append(timer)

    def _reaches(self, leg: Leg) -> FakeTrunkVoice | None:
        return leg.voice if self.link and leg in self.legs and leg not in self.waiting else None

    def _progress(self, leg: Leg, code: int) -> None:
        voice = self._reaches(leg)
        if voice is not None:
            voice.heard(leg.call_id)
            voice.tell("ringing", leg.call_id, code)

    def _answer(self, leg: Leg) -> None:
        voice = self._reaches(leg)
        if voice is not None:
            leg.up = True
            voice.heard(leg.call_id)
            voice.up(leg.call_id)

    def _refuse(self, leg: Leg, *said: Any) -> None:
        voice = self._reaches(leg)
        if voice is not None:
            self.legs.remove(leg)
            voice.turned_away(leg.call_id, *said)

    def hung_up(self, leg: Leg) -> None:
        """CANCEL or BYE."""
        if leg in self.legs:
            self.waiting.append(leg)
            self._settle()

    def person_left(self, leg: Leg) -> None:
        self.legs.remove(leg)
        if leg.voice is not None:
            leg.voice.left(leg.call_id)

    def break_link(self) -> None:
        self.link = False
        for voice in self.voices:
            voice.link_changed()

    def mend_link(self) -> None:
        self.link = True
        for voice in self.voices:
            voice.link_changed()
        self._settle()

    def _settle(self) -> None:
        if self.link:
            self.legs = [leg for leg in self.legs if leg not in self.waiting]
            self.waiting.clear()

    def refer(self, leg: Leg, digits: str, done: Any) -> None:
        """``done(code)`` when it is known what became of it."""
        self.referred.append(digits)
        if digits == "200":
            self._later(1.0, self._took_over, leg, done)
        else:
            after_s, code = (15.0, 480) if digits == "201" else (0.2, 486)
            self._later(after_s, lambda _: done(code), leg)

    def _took_over(self, leg: Leg, done: Any) -> None:
        if self._reaches(leg) is None:
            return
        done(200)
        leg.voice = None


@dataclass
class FakeTrunkVoice(FakeVoice):
    """One voice process. Of FakeVoice it has prompts, recordings, keys and its death."""

    operator: FakeOperator = None  # type: ignore[assignment]
    trunks: dict[str, Trunk] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    dial_error: str = ""

    def stop(self) -> Deferred[None]:
        for call_id in list(self.calls):
            self.hang_up(call_id)
        return super().stop()

    def open_trunk(self, trunk: Trunk) -> Deferred[None]:
        if not self.ready:
            return fail(VoiceProcessLost("not running"))
        self.trunks[trunk.name] = trunk
        if trunk.registers:
            self.operator.registrations += 1
            self._register(trunk.name)
        return succeed(None)

    def _register(self, name: str) -> None:
        if not self.operator.link:
            return
        if self.operator.register_refusal:
            self.tell("registration_changed", name, False, self.operator.register_refusal)
            return
        self.registered.add(name)
        self.tell("registration_changed", name, True, "")

    def link_changed(self) -> None:
        self.clock.callLater(REGISTER_NOTICED_S, self._notice)

    def _notice(self) -> None:
        for name, trunk in self.trunks.items():
            if not trunk.registers or not self.ready:
                continue
            if self.operator.link and name not in self.registered:
                self._register(name)
            elif not self.operator.link and name in self.registered:
                self.registered.discard(name)
                self.tell("registration_changed", name, False, "408 no answer from the registrar")

    def call(
        self,
        trunk: str,
        digits: str,
        *,
        caller_id: str = "",
        asserted: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Deferred[str]:
        if not self.ready:
            return fail(VoiceProcessLost("not running"))
        if self.dial_error:
            return fail(DialFailed(self.dial_error))
        opened = self.trunks[trunk]
        if opened.registers and trunk not in self.registered:
            return fail(DialFailed("not registered"))
        self.operator.asked.append((trunk, digits, caller_id, asserted, tuple(headers)))
        self.dials += 1
        call_id = f"{self.lives}.t{self.dials}"
        ring = self.calls[call_id] = _Ring(self.dials, trunk, call_id)
        leg = self.legs[call_id] = Leg(digits, self, call_id)
        dialled: Deferred[str] = Deferred()
        lives = self.lives

        def answered() -> None:
            if self.lives == lives and self.ready:
                dialled.callback(call_id)
            else:
                dialled.errback(VoiceProcessLost("the voice process was lost"))

        self._later(answered)
        ring.timers.append(self.clock.callLater(NO_ANSWER_S, self._unheard, call_id))
        ring.timers.append(self.clock.callLater(0, self.operator.invited, leg))
        return dialled

    def heard(self, call_id: str) -> None:
        """The operator has answered the INVITE in some way: no time limit from now on."""
        ring = self.calls.get(call_id)
        if ring is not None and ring.timers[0].active():
            ring.timers[0].cancel()

    def _unheard(self, call_id: str) -> None:
        if call_id in self.calls:
            self.operator.hung_up(self.legs[call_id])
            self._end(call_id, "fault", "no answer to INVITE")

    def tell(self, what: str, *said: Any) -> None:
        # After a call_id that has ended, or by a process that is dead, nothing is told.
        lives = self.lives

        def told() -> None:
            if self.lives == lives and (self.ready or what == "ended"):
                getattr(self.observer, what)(*said)

        self._later(told)

    def up(self, call_id: str) -> None:
        ring = self.calls.get(call_id)
        if ring is not None:
            ring.answered = True
            self.tell("established", call_id)

    def turned_away(self, call_id: str, *said: Any) -> None:
        ring = self.calls.pop(call_id, None)
        if ring is not None:
            for timer in ring.timers:
                if timer.active():
                    timer.cancel()
            self.tell("refused", call_id, *said)

    def left(self, call_id: str) -> None:
        if call_id in self.calls:
            self._end(call_id, "them", "BYE")

    def hang_up(self, call_id: str) -> Deferred[None]:
        if call_id in self.calls:
            self.hung_up.append(call_id)
            leg = self.legs[call_id]
            if leg.voice is not None:
                self.operator.hung_up(leg)
            self._end(call_id, "us", "hung up")
        return succeed(None)

    def refer(self, call_id: str, digits: str) -> Deferred[None]:
        ring = self.calls.get(call_id)
        if ring is None or not ring.answered:
            return fail(CallOver("over"))
        ring.referring = Deferred()

        def done(code: Any) -> None:
            if call_id not in self.calls:
                return
            if code == 200:
                referring, ring.referring = ring.referring, None
                assert referring is not None
                self._later(referring.callback, None)
            elif self.operator.link:
                referring, ring.referring = ring.referring, None
                assert referring is not None
                self._later(referring.errback, ReferRefused(code, "refused"))

        self.operator.refer(self.legs[call_id], digits, done)
        return ring.referring

    def refuse(self, call_id: str, code: int = 486) -> Deferred[None]:
        self.refused.append(f"{call_id} {code}")
        return succeed(None)

    def press_in(self, call_id: str, keys: str) -> None:
        for key in keys:
            self.tell("digit", call_id, key)

    def die(self, back_after_s: float = 1.0) -> None:
        """kill -9: the operator is told nothing."""
        self.ready = False
        self.registered.clear()
        for call_id in list(self.calls):
            self.legs[call_id].voice = None
            self._end(call_id, "fault", "killed by signal 9", at_once=True)
        self.observer.process_lost("killed by signal 9")
        self.restart = self.clock.callLater(back_after_s, self._be_ready)
