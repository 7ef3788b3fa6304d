"""Who hears whom in the PBX: lines to SIP extensions, simulated persons, tones, hold music, recorded messages.

``Matrix.frame`` drives it every 20 ms, ``Line.heard`` every packet from an extension; no sockets, no clock.
"""

from __future__ import annotations

from typing import Protocol

from ocm_cti.simulator import audio
from ocm_cti.simulator.callees import KEY_GAP_MS, KEY_MS
from ocm_cti.simulator.effects import Tone
from ocm_cti.simulator.person import Person


class Way(Protocol):
    """The way to an extension's ear."""

    def send(self, frame: bytes) -> None:
        """20 ms of A-law, to go out now."""

    def press(self, keys: str, duration_ms: int, gap_ms: int) -> None:
        """RFC 4733 events, in place of what is sent meanwhile."""


class Line:
    """The end of one SIP extension. It hears a tone, a person, another line, or silence; one at a time."""

    def __init__(self, way: Way, *, keys: bool = True, hold_music: bool = True) -> None:
        self._way = way
        self._keys = keys
        self._hold_music = hold_music
        self._cadence = b""  # a tone or music, repeated
        self._place = 0  # in the cadence, octets
        self._holding = False
        #: What the extension says is heard by nobody: a recorded message sounds in its place.
        self.muted = False
        self.person: Person | None = None
        self.other: Line | None = None

    def tone(self, which: Tone) -> None:
        """A tone from now on, in place of whomever it was with."""
        self.part()
        self._cadence, self._place = audio.tone(which), 0

    def join(self, person: Person) -> None:
        """With a simulated person from now on."""
        self.part()
        self.person = person

    def bridge(self, other: Line) -> None:
        """With another extension from now on."""
        self.part()
        other.part()
        self.other, other.other = other, self

    def part(self) -> None:
        """Silence from now on; whoever was there hears silence too, and stays."""
        self._cadence = b""
        self.person = None
        self.muted = False
        if self.other is not None:
            self.other.other = None
            self.other._cadence = b""
            self.other = None

    def hold(self, holding: bool) -> None:
        """The extension has put the call on hold by SIP: whoever is with it hears music meanwhile, or nothing."""
        if self._holding == holding:
            return
        self._holding = holding
        if self.other is not None and self._hold_music:
            self.other._cadence, self.other._place = (audio.music() if holding else b""), 0

    def heard(self, alaw: bytes) -> None:
        """A packet of the extension arrived."""
        if self.person is not None:
            if not self.muted:
                self.person.hears(alaw)
        elif self.other is not None and not self._holding:
            self.other._way.send(alaw)

    def pressed(self, key: str) -> None:
        """The extension pressed a key."""
        if self.other is not None:
            self.other.press(key)

    def press(self, keys: str) -> None:
        """Whoever is at the other end presses keys."""
        if self._keys:
            self._way.press(keys, KEY_MS, KEY_GAP_MS)

    def frame(self) -> None:
        """20 ms passed: send what is to be heard now. A bridged line is fed by the packets of the other one."""
        if self.person is not None:
            spoken = self.person.frame()
            self._way.send(spoken)
        elif self._cadence or self.other is None:
            self._way.send(self._next_of_cadence())

    def _next_of_cadence(self) -> bytes:
        if not self._cadence:
            return audio.SILENT_FRAME
        frame = self._cadence[self._place : self._place + audio.FRAME_SAMPLES]
        self._place = (self._place + audio.FRAME_SAMPLES) % len(self._cadence)
        return frame


class Matrix:
    """All ends of one PBX. ``party`` names a person, ``serial`` a line. Naming one that is gone does nothing."""

    def __init__(self, announcement_s: float = 5.0) -> None:
        self._announcement_s = announcement_s
        self._lines: dict[int, Line] = {}
        self._persons: dict[int, Person] = {}
        self._pairs: dict[int, int] = {}  # persons who talk with each other, both ways
        self._announced: dict[int, tuple[bytes, int]] = {}  # what a person hears in place of his line, and how far
        self._at: dict[int, int] = {}  # the line that a person is with

    @property
    def idle(self) -> bool:
        """Nobody needs frames."""
        return not self._lines and not self._persons

    # Lines

    def add_line(self, serial: int, line: Line) -> None:
        self._lines[serial] = line

    def remove_line(self, serial: int) -> None:
        line = self._lines.pop(serial, None)
        if line is not None:
            line.part()
            self._nobody_at(serial)

    def tone(self, serial: int, tone: Tone) -> None:
        """The line hears a tone; a person who was with it, and with nobody else, is gone."""
        line = self._lines.get(serial)
        if line is not None:
            self._persons_leave(serial)
            line.tone(tone)

    def hold_line(self, serial: int) -> None:
        """The line is with nobody: silence."""
        line = self._lines.get(serial)
        if line is not None:
            line.part()
            self._nobody_at(serial)

    def bridge(self, serial_a: int, serial_b: int) -> None:
        a, b = self._lines.get(serial_a), self._lines.get(serial_b)
        if a is not None and b is not None:
            self._nobody_at(serial_a)
            self._nobody_at(serial_b)
            a.bridge(b)

    def end(self, serial: int) -> None:
        """A call of the line is over: the person with it is gone, his recordings are complete; silence."""
        line = self._lines.get(serial)
        if line is not None:
            self._persons_leave(serial)
            line.part()

    # Persons

    def seat(self, party: int, person: Person) -> None:
        """He is there, with nobody yet; his script waits."""
        self._persons[party] = person

    def join(self, party: int, serial: int) -> None:
        person, line = self._persons.get(party), self._lines.get(serial)
        if person is not None and line is not None:
            self._nobody_at(serial)
            self._alone(party)
            line.join(person)
            line.muted = party in self._announced
            self._at[party] = serial

    def join_people(self, party_a: int, party_b: int) -> None:
        if party_a in self._persons and party_b in self._persons:
            self._alone(party_a)
            self._alone(party_b)
            self._pairs[party_a], self._pairs[party_b] = party_b, party_a

    def hold(self, party: int) -> None:
        """He waits: he hears and says nothing, his script stands still."""
        self._alone(party)

    def drop(self, party: int) -> None:
        """He is gone; his recordings are complete when this returns."""
        self._alone(party)
        person = self._persons.pop(party, None)
        self._announced.pop(party, None)
        if person is not None:
            person.leave()

    def announce(self, party: int, ogm: str) -> None:
        """A recorded message of the PBX sounds for him, in place of his line."""
        if party in self._persons:
            self._announced[party] = (audio.speech(self._announcement_s, f"message {ogm}"), 0)
            self._mute(party, True)

    def stop_announcement(self, party: int) -> None:
        if self._announced.pop(party, None) is not None:
            self._mute(party, False)

    def _mute(self, party: int, muted: bool) -> None:
        line = self._lines.get(self._at.get(party, -1))
        if line is not None:
            line.muted = muted

    def pressed(self, party: int, keys: str) -> None:
        """He presses keys; they reach the line that he is with."""
        line = self._lines.get(self._at.get(party, -1))
        if line is not None:
            line.press(keys)

    def at(self, party: int) -> int | None:
        """The line that he is with."""
        return self._at.get(party)

    # The rhythm

    def frame(self) -> None:
        """20 ms passed."""
        for party in list(self._announced):
            self._frame_of_announcement(party)
        for line in list(self._lines.values()):
            line.frame()
        for party, other in list(self._pairs.items()):
            if party < other and self._pairs.get(party) == other:
                one, two = self._persons[party], self._persons[other]
                from_one, from_two = one.frame(), two.frame()
                one.hears(from_two)
                two.hears(from_one)

    def _frame_of_announcement(self, party: int) -> None:
        if party not in self._announced:
            return
        message, place = self._announced[party]
        person = self._persons[party]
        person.hears(message[place : place + audio.FRAME_SAMPLES] or audio.SILENT_FRAME)
        self._announced[party] = (message, place + audio.FRAME_SAMPLES)
        if party not in self._at and party not in self._pairs:
            person.frame()

    def _persons_leave(self, serial: int) -> None:
        for party in [party for party, at in self._at.items() if at == serial]:
            self.drop(party)

    def _nobody_at(self, serial: int) -> None:
        for party in [party for party, at in self._at.items() if at == serial]:
            self._alone(party)

    def _alone(self, party: int) -> None:
        serial = self._at.pop(party, None)
        if serial is not None and serial in self._lines:
            self._lines[serial].part()
        other = self._pairs.pop(party, None)
        if other is not None:
            self._pairs.pop(other, None)
