"""What the switch keeps of a call: its two sides, the telephones they are at, and what each side's state is.

Every call here has two sides at most: whoever began it (``origin``) and whoever it leads to (``far``). A telephone that
is off-hook or rings is a ``Handset``; it lives as long as any call is at its extension, so that one held call and one
active one share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ocm_cti.simulator.call_table import State
from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.effects import Device, Extension, Trunk


@dataclass
class Person:
    """A simulated person: an outside party behind a trunk, or the one at a desk telephone."""

    party: int
    callee: Callee
    number: str
    seated: bool = False  # his audio has begun
    leg: int | None = None  # the leg that his audio goes to, as DropMedia would end it


@dataclass
class Handset:
    """A telephone in use. ``serial`` of a SIP extension's leg, ``person`` of a desk telephone; the other is None."""

    extension: Extension
    serial: int | None = None
    person: Person | None = None
    dialled: bool = False  # the extension sent the INVITE
    answered: bool = False  # SIP has been answered, by it or by us
    gone: bool = False  # it has hung up by itself: nothing is left to release


@dataclass
class Side:
    """One connection of a call. ``up``: it has been reported and not yet been cleared."""

    device: Device
    handset: Handset | None = None
    person: Person | None = None  # behind a trunk
    held: bool = False
    up: bool = True

    @property
    def who(self) -> Person | None:
        """The simulated person here, None at a SIP extension."""
        return self.handset.person if self.handset is not None else self.person

    @property
    def leg(self) -> int | None:
        return None if self.handset is None else self.handset.serial


@dataclass
class Call:
    """One call. ``serial`` is unique for ever, ``call_id`` comes again (CSTA)."""

    serial: int
    call_id: bytes
    origin: Side
    dialled: str  # with the access code; of an incoming call the extension
    started_s: float = 0.0
    state: State = State.RINGING_EXTENSION
    was: State = State.RINGING_EXTENSION  # before that
    far: Side | None = None
    calling: Device | str = ""  # as events name him: a device, or the digits of somebody outside, "" withheld
    called: Device | str = ""
    inbound: bool = False  # it came in over a trunk
    outside: str = ""  # the dialled digits without the access code
    callee: Callee | None = None  # who was called outside
    answered: bool = False
    answered_s: float | None = None
    cause: str = "normalClearing"
    opening: str = "newCall"  # cause of Originated
    failing: Device | None = None  # whom Failed is about when nobody is there; None: the origin
    over_by: str = ""
    first_cleared: Side | None = None
    trunk_held: bool = False  # no other call can have the line
    redirected: Extension | None = None  # the extension that it was at before
    referred_from: Call | None = None  # by REFER: the held call to be joined with this one
    condition: str = ""  # of the account
    ogm: str = ""  # the recorded message that sounds now
    ogm_at: Device | None = None  # the connection that ogmStart named
    keys_told: bool = False  # the computer hears of keys

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.origin,) if self.far is None else (self.origin, self.far)

    def side(self, device: Device | None) -> Side | None:
        return next((side for side in self.sides if side.device == device), None)

    def other(self, side: Side) -> Side | None:
        return self.far if side is self.origin else self.origin

    @property
    def extension(self) -> Extension:
        """The extension whose call it is: the origin's, of an incoming call the far one."""
        found = [side.device for side in self.sides if isinstance(side.device, Extension)]
        return found[0] if found else Extension("")

    @property
    def trunk(self) -> Trunk | None:
        return next((side.device for side in reversed(self.sides) if isinstance(side.device, Trunk)), None)

    def local_state(self, side: Side) -> str:
        """LocalConnectionState of a side."""
        # While a call is taken down, a side that has not been cleared is still as it was.
        state = self.was if self.state is State.OVER and side.up else self.state
        own = _LOCAL_STATES[state][0 if side is self.origin else 1]
        return "hold" if side.held and own == "connected" else own

    def states(self) -> Iterator[tuple[Side, str]]:
        for side in self.sides:
            yield side, self.local_state(side)


# LocalConnectionState of (origin, far) in each state; ECMA-269 6.1.5.
_LOCAL_STATES = {
    State.RINGING_EXTENSION: ("initiated", "null"),
    State.DIALING: ("connected", "null"),
    State.PROCEEDING: ("connected", "connected"),
    State.ALERTING: ("connected", "alerting"),
    State.TALKING: ("connected", "connected"),
    State.ON_TONE: ("fail", "null"),
    State.OVER: ("null", "null"),
}
