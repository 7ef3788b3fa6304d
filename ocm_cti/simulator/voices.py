"""The simulated persons of one PBX and the rhythm in which everybody hears everybody."""

from __future__ import annotations

from typing import Protocol

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.effects import (
    ConnectExtensions,
    DropCallee,
    Effect,
    HoldCallee,
    HoldExtension,
    JoinCallee,
    JoinCallees,
    PlayAnnouncement,
    SeatCallee,
    StopAnnouncement,
)
from ocm_cti.simulator.line import Line, Matrix
from ocm_cti.simulator.person import Circumstances, Person
from protocols.rtp.link import Ticker


class People(Protocol):
    """Who is told what persons do; the Pbx."""

    def callee_hung_up(self, serial: int) -> None:
        """A person without a party of his own, who was on this line."""

    def party_hung_up(self, party: int) -> None: ...
    def party_pressed(self, party: int, keys: str) -> None: ...


class Voices:
    """``matrix`` joins them; the ticker runs while anybody may hear or say something."""

    def __init__(self, people: People, ticker: Ticker, announcement_s: float, around: Circumstances) -> None:
        self.matrix = Matrix(announcement_s)
        self._people = people
        self._ticker = ticker
        self._around = around
        self._ticking = False

    def add_line(self, serial: int, line: Line) -> None:
        self.matrix.add_line(serial, line)
        self._keep_pace()

    def remove_line(self, serial: int) -> None:
        """The line is gone, and whoever was with it alone."""
        self.matrix.end(serial)
        self.matrix.remove_line(serial)
        self._keep_pace()

    def connect(self, serial: int, callee: Callee, number: str, party: int) -> None:
        """Somebody is on the line; ``party`` 0: he is known by the line alone. His recordings bear its number."""
        name = party or -serial
        self.matrix.seat(name, self._person(name, callee, number, str(serial)))
        self.matrix.join(name, serial)
        self._keep_pace()

    def carry_out(self, effect: Effect) -> None:
        """Whatever the switch wants of voices; other effects are passed over."""
        match effect:
            case ConnectExtensions(serial_a, serial_b):
                self.matrix.bridge(serial_a, serial_b)
            case HoldExtension(serial):
                self.matrix.hold_line(serial)
            case SeatCallee(party, callee, number):
                self.matrix.seat(party, self._person(party, callee, number, f"p{party}"))
            case JoinCallee(party, serial):
                self.matrix.join(party, serial)
            case JoinCallees(party_a, party_b):
                self.matrix.join_people(party_a, party_b)
            case HoldCallee(party):
                self.matrix.hold(party)
            case DropCallee(party):
                self.matrix.drop(party)
            case PlayAnnouncement(party, ogm):
                self.matrix.announce(party, ogm)
            case StopAnnouncement(party):
                self.matrix.stop_announcement(party)
        self._keep_pace()

    def _person(self, party: int, callee: Callee, number: str, label: str) -> Person:
        def hung_up() -> None:
            if party > 0:
                self._people.party_hung_up(party)
            else:
                self._people.callee_hung_up(-party)

        def pressed(keys: str) -> None:
            self.matrix.pressed(party, keys)
            if party > 0:
                self._people.party_pressed(party, keys)

        return Person(callee, number, label, self._around, hung_up, pressed)

    def _keep_pace(self) -> None:
        if self._ticking == self.matrix.idle:
            self._ticking = not self.matrix.idle
            (self._ticker.add if self._ticking else self._ticker.remove)(self._tick)

    def _tick(self, now_s: float, skipped: int) -> None:
        self.matrix.frame()
        self._keep_pace()
