"""Who hears whom: the media effects of calls, over SIP legs and simulated persons.

A leg carries one conversation at a time, though several calls may be at its extension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ocm_cti.simulator.calls import Call, Handset, Person
from ocm_cti.simulator.effects import (
    ConnectCallee,
    ConnectExtensions,
    DropCallee,
    DropMedia,
    Effect,
    HoldCallee,
    HoldExtension,
    JoinCallee,
    JoinCallees,
    SeatCallee,
)


class Media:
    """``emit`` takes the effects; ``calls`` are all calls in progress."""

    def __init__(self, emit: Callable[[Effect], None], calls: Callable[[], Iterable[Call]]) -> None:
        self._emit = emit
        self._calls = calls

    def join(self, call: Call) -> None:
        """The two sides of a call hear each other."""
        if call.far is None:
            return
        near, far = call.origin, call.far
        if near.leg is not None and far.leg is not None:
            self._emit(ConnectExtensions(near.leg, far.leg))
        elif near.who is not None and far.who is not None:
            self._seat(near.who)
            self._seat(far.who)
            near.who.leg = far.who.leg = None
            self._emit(JoinCallees(near.who.party, far.who.party))
        else:
            leg, person = (near.leg, far.who) if near.leg is not None else (far.leg, near.who)
            if leg is not None and person is not None:
                self._with_leg(leg, person)

    def _with_leg(self, leg: int, person: Person) -> None:
        if person.seated:
            self._emit(JoinCallee(person.party, leg))
        else:
            person.seated = True
            self._emit(ConnectCallee(leg, person.callee, person.number, person.party))
        person.leg = leg

    def _seat(self, person: Person) -> None:
        if not person.seated:
            person.seated = True
            self._emit(SeatCallee(person.party, person.callee, person.number))

    def part(self, call: Call) -> None:
        """The sides stay, but hear each other no more."""
        for side in call.sides:
            if side.leg is not None:
                self._emit(HoldExtension(side.leg))
            elif side.who is not None and side.who.seated:
                side.who.leg = None
                self._emit(HoldCallee(side.who.party))

    def drop(self, call: Call) -> None:
        """A call is over: what belongs to it alone falls silent, recordings are completed."""
        dropped: set[int] = set()
        for side in call.sides:
            if side.leg is None:
                continue
            if side.handset is not None and self.shared(side.handset, call):
                if not side.held:
                    self._emit(HoldExtension(side.leg))
            else:
                dropped.add(side.leg)
                self._emit(DropMedia(side.leg))
        for side in call.sides:
            person = side.who
            elsewhere = side.handset is not None and self.shared(side.handset, call)
            if person is None or not person.seated or elsewhere:
                continue
            if person.leg not in dropped:
                self._emit(DropCallee(person.party))
            person.seated = False

    def shared(self, handset: Handset, call: Call) -> bool:
        """Whether another call than this is at the telephone."""
        return any(
            side.handset is handset and side.up for other in self._calls() if other is not call for side in other.sides
        )
