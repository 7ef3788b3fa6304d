"""Between the PBX and its CSTA clients: the frames of a link go through here, and through the faults in force.

A ``Wire`` is the transport of one link's protocol. Without faults it hands on what is written; with them, frames are
dropped, doubled, cut and held back, always in order: nothing overtakes what was sent before it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ocm_cti.simulator.clock import Clock, DelayedCall
from ocm_cti.simulator.fault_table import Abort, Cut, Delay, Drop, Duplicate, HalfFrame, Junk, Silence, Split, WireFault

# Panasonic's notes, section 8; whether it stands in a frame was not seen for sure.
ABORT = bytes.fromhex("6403800100")
EVENT_REPORT = 21


class Faults(Factory):
    """All wires of one PBX: a factory around the factory of its links."""

    noisy = False

    def __init__(self, factory: Any, clock: Clock) -> None:
        self.clock = clock
        self.wires: list[Wire] = []
        self.in_force: list[WireFault] = []
        self._factory = factory

    def buildProtocol(self, addr: IAddress | None) -> Wire:
        return Wire(self, self._factory.buildProtocol(addr))

    def begin(self, fault: WireFault) -> None:
        """From now on; a fault that happens in a moment has happened when this returns."""
        if not fault.momentary:
            self.in_force.append(fault)
            return
        for wire in list(self.wires):
            if self.concerns(fault, wire):
                wire.happen(fault)

    def end(self, fault: WireFault) -> None:
        """Harmless when it has ended already."""
        self.in_force = [one for one in self.in_force if one is not fault]
        for wire in self.wires:
            wire.forget(fault)

    def lose_held(self) -> None:
        """What is held back will never be sent: the power is off."""
        for wire in self.wires:
            wire.lose_held()

    def concerns(self, fault: WireFault, wire: Wire) -> bool:
        return not fault.link or (wire in self.wires and self.wires.index(wire) + 1 == fault.link)

    def on(self, wire: Wire) -> list[WireFault]:
        return [fault for fault in self.in_force if self.concerns(fault, wire)] if self.in_force else []


class Wire(Protocol):
    """One link: protocol of the real transport, transport of the link's protocol."""

    transport: Any
    disconnecting = False

    def __init__(self, faults: Faults, link: Any) -> None:
        self.link = link
        self._faults = faults
        self._waiting: deque[tuple[float, bytes]] = deque()  # what is held back, and until when
        self._last_s = 0.0
        self._timer: DelayedCall | None = None
        self._counted: dict[int, int] = {}  # frames that a Drop has counted, by its identity
        self._dice: dict[int, Random] = {}  # of a Drop by probability, likewise
        self._stuck = False  # a HalfFrame holds back the rest of a frame and what comes after it
        self._inbound = Inbound()

    # Protocol of the real transport

    def connectionMade(self) -> None:
        self._faults.wires.append(self)
        no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if no_delay is not None:
            no_delay(True)  # or the kernel would put the pieces together again
        self.link.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        deaf = any(isinstance(fault, Silence) and not fault.hears for fault in self._faults.on(self))
        heard = self._inbound.heard(data, deaf)
        if heard:
            self.link.dataReceived(heard)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lose_held()
        if self in self._faults.wires:
            self._faults.wires.remove(self)
        self.link.connectionLost(reason)

    # Transport of the link

    def write(self, data: bytes) -> None:
        """Whole frames, as a link writes them."""
        faults = self._faults.on(self)
        if not faults and not self._waiting:
            self.transport.write(data)
            return
        for frame in frames(data):
            self._send(frame, faults)

    def writeSequence(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:
        """Close when everything is sent that is held back for a time."""
        self.disconnecting = True
        if not self._waiting or self._waiting[0][0] == math.inf:
            self.transport.loseConnection()

    def abortConnection(self) -> None:
        self.lose_held()
        self.disconnecting = True
        getattr(self.transport, "abortConnection", self.transport.loseConnection)()

    def getPeer(self) -> Any:
        return self.transport.getPeer()

    def getHost(self) -> Any:
        return self.transport.getHost()

    # Faults

    def happen(self, fault: WireFault) -> None:
        match fault:
            case Junk(octets=text):
                self._next(bytes.fromhex(text))
            case Abort(framed=framed, close=close):
                self._next(len(ABORT).to_bytes(2, "big") + ABORT if framed else ABORT)
                if close:
                    self.loseConnection()
            case Cut():
                self.abortConnection()

    def _next(self, octets: bytes) -> None:
        """After what is held back."""
        self._waiting.append((max(self._faults.clock.seconds(), self._last_s), octets))
        self._flush()

    def forget(self, fault: WireFault) -> None:
        """It is over."""
        self._counted.pop(id(fault), None)
        self._dice.pop(id(fault), None)
        if isinstance(fault, HalfFrame) and self._stuck and not any(isinstance(on, HalfFrame) for on in self._on()):
            self._stuck = False
            self._last_s = now_s = self._faults.clock.seconds()
            self._waiting = deque((min(due_s, now_s), piece) for due_s, piece in self._waiting)
            self._flush()

    def _on(self) -> list[WireFault]:
        return self._faults.on(self)

    def _send(self, frame: bytes, faults: list[WireFault]) -> None:
        times, late_s, split, half = 1, 0.0, None, None
        for fault in faults:
            match fault:
                case Silence():
                    return
                case Drop() if self._drops(fault, frame):
                    return
                case Duplicate(what=what) if what == "frames" or is_event(frame):
                    times *= 2
                case Delay(seconds=seconds):
                    late_s += seconds
                case Split():
                    split = fault
                case HalfFrame() if not self._stuck:
                    half = fault
        due_s = max(self._faults.clock.seconds() + late_s, self._last_s)
        if half is not None:
            self._stop_amid(frame, due_s, close=half.close)
            return
        for _ in range(times):
            for number, piece in enumerate(_pieces(frame, split)):
                if split is not None and (number or self._waiting):
                    due_s += split.gap_s
                self._waiting.append((due_s, piece))
        self._last_s = due_s
        self._flush()

    def _stop_amid(self, frame: bytes, due_s: float, *, close: bool) -> None:
        """Only the first half of a frame goes out, and nothing after it."""
        self._stuck, self._last_s = True, math.inf
        self._waiting.append((due_s, frame[: (len(frame) + 1) // 2]))
        self._waiting.append((math.inf, frame[(len(frame) + 1) // 2 :]))
        self._flush()
        if close:
            self.loseConnection()

    def _drops(self, fault: Drop, frame: bytes) -> bool:
        if fault.what == "events" and not is_event(frame):
            return False
        if fault.probability:
            dice = self._dice.setdefault(id(fault), Random(fault.seed))
            return dice.random() < fault.probability
        count = self._counted[id(fault)] = self._counted.get(id(fault), 0) + 1
        return count % fault.nth == 0 if fault.every else count == fault.nth

    def _flush(self) -> None:
        now_s = self._faults.clock.seconds()
        while self._waiting and self._waiting[0][0] <= now_s:
            self.transport.write(self._waiting.popleft()[1])
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if self._waiting and self._waiting[0][0] < math.inf:
            self._timer = self._faults.clock.callLater(max(0.0, self._waiting[0][0] - now_s), self._flush)
        elif self.disconnecting:
            self.transport.loseConnection()

    def lose_held(self) -> None:
        """Send nothing of what is held back."""
        self._waiting.clear()
        self._last_s, self._stuck = 0.0, False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class Inbound:
    """Which octets of a client the PBX hears: a frame is heard or not as a whole, by how it was when it began, so that
    the ends of a silence cut none in two."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0  # octets of the present frame that are still to come
        self._deaf = False

    def heard(self, data: bytes, deaf: bool) -> bytes:
        """The octets to hand on; what has begun and shows no length yet counts as begun."""
        found = bytearray()
        while data:
            if not self._left:
                if not self._head:
                    self._deaf = deaf
                take = 1
                self._head += data[:1]
                if self._head == ABORT[:1]:
                    self._left, self._head = len(ABORT) - 1, b""
                elif len(self._head) == 2:
                    self._left, self._head = int.from_bytes(self._head, "big"), b""
            else:
                take = min(self._left, len(data))
                self._left -= take
            if not self._deaf:
                found += data[:take]
            data = data[take:]
        return bytes(found)


def frames(data: bytes) -> Iterator[bytes]:
    """The frames in what a link wrote at once; a bare ABRT is one. What is no frame comes as it is."""
    while data:
        length = 5 if data[0] == ABORT[0] else 2 + int.from_bytes(data[:2], "big")
        yield data[:length]
        data = data[length:]


def is_event(frame: bytes) -> bool:
    """Whether a frame holds a CSTAEventReport: an invoke of operation 21."""
    apdu = frame[2:]
    if len(apdu) < 2 or apdu[0] != 0xA1:
        return False
    place = 2 + (apdu[1] & 0x7F if apdu[1] & 0x80 else 0)
    if apdu[place : place + 1] != b"\x02":
        return False
    place += 2 + apdu[place + 1]
    return apdu[place : place + 3] == bytes([2, 1, EVENT_REPORT])


def _pieces(frame: bytes, split: Split | None) -> list[bytes]:
    if split is None:
        return [frame]
    return [frame[place : place + split.octets] for place in range(0, len(frame), split.octets)]
