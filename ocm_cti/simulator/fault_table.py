"""What can go wrong with the simulated PBX while it runs: one row for each fault, with its options and their meanings.

``read`` makes a fault of what a command line or a control message says. Faults on the wire are those of ``Wire``
kind; the others concern the PBX itself. A fault lasts until it is cleared, or as long as ``for_s`` says; those that
happen in a moment (``momentary``) are over at once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

# SystemStatus of ECMA-285 but normal.
STATUSES = (
    "overloadReached",
    "messagesLost",
    "overloadImminent",
    "overloadRelieved",
    "disabled",
    "partiallyDisabled",
    "initializing",
    "enabled",
)


class FaultError(ValueError):
    """A fault that does not exist, or an option that it can't take; one line for people."""


def _option(default: Any, about: str, *choices: str) -> Any:
    return dataclasses.field(default=default, metadata={"about": about, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``name`` on the command line, ``about`` what it does."""

    name: ClassVar[str] = ""
    about: ClassVar[str] = ""
    momentary: ClassVar[bool] = False

    after_s: float = _option(0.0, "begins so many seconds from now")
    for_s: float = _option(0.0, "ends by itself after so many seconds; 0: only when it is cleared")

    def described(self) -> str:
        """As the command line would say it."""
        rows = dataclasses.fields(self)
        said = [
            f"{row.name}={_shown(getattr(self, row.name))}" for row in rows if getattr(self, row.name) != row.default
        ]
        return " ".join([self.name, *said])


@dataclass(frozen=True, kw_only=True)
class WireFault(Fault):
    """Between the PBX and its CSTA clients."""

    link: int = _option(0, "which link, counted from 1 in the order of `status`; 0: every one")


@dataclass(frozen=True, kw_only=True)
class Split(WireFault):
    name = "split"
    about = "what the PBX sends comes in pieces"

    octets: int = _option(1, "length of a piece")
    gap_s: float = _option(0.002, "pause between pieces")


@dataclass(frozen=True, kw_only=True)
class Delay(WireFault):
    name = "delay"
    about = "what the PBX sends comes late, in order"

    seconds: float = _option(1.0, "how late")


@dataclass(frozen=True, kw_only=True)
class Duplicate(WireFault):
    name = "duplicate"
    about = "what the PBX sends comes twice"

    what: str = _option("events", "events: event reports alone; frames: everything", "events", "frames")


@dataclass(frozen=True, kw_only=True)
class Drop(WireFault):
    name = "drop"
    about = "frames of the PBX are lost on the way"

    nth: int = _option(1, "the first, second ... frame from now on")
    every: bool = _option(False, "again and again every so many frames, not once")
    what: str = _option("frames", "which frames are counted", "events", "frames")
    probability: float = _option(0.0, "each of them is lost with this probability, 0 to 1, in place of nth")
    seed: int = _option(0, "of the dice for probability: the same seed loses the same ones")


@dataclass(frozen=True, kw_only=True)
class Junk(WireFault):
    name = "junk"
    about = "the PBX sends octets that mean nothing, once, between two frames"
    momentary = True

    octets: str = _option("0003FFFFFF", "which octets, in hex")


@dataclass(frozen=True, kw_only=True)
class Abort(WireFault):
    name = "abort"
    about = "the PBX sends ABRT and closes"
    momentary = True

    framed: bool = _option(False, "with the 2-octet length before it; else bare")
    close: bool = _option(True, "whether it closes the link after it")


@dataclass(frozen=True, kw_only=True)
class Cut(WireFault):
    name = "cut"
    about = "the link breaks without a word"
    momentary = True


@dataclass(frozen=True, kw_only=True)
class Silence(WireFault):
    name = "silence"
    about = "the link stands, and nothing comes from the PBX any more, neither answers nor events"

    hears: bool = _option(False, "whether it still does what it is asked")


@dataclass(frozen=True, kw_only=True)
class HalfFrame(WireFault):
    name = "half_frame"
    about = "the link stops in the midst of the next frame; the rest comes when it is cleared, unless it closes"

    close: bool = _option(False, "whether the link breaks there")


@dataclass(frozen=True, kw_only=True)
class OutOfService(Fault):
    name = "out_of_service"
    about = "a device can't be used"

    device: str = _option("", "extension, 302, or outside line, line5; needed")


@dataclass(frozen=True, kw_only=True)
class BackInService(Fault):
    name = "back_in_service"
    about = "a device can be used again, whichever fault it had"
    momentary = True

    device: str = _option("", "extension, 302, or outside line, line5; needed")


@dataclass(frozen=True, kw_only=True)
class TrunkLoss(Fault):
    name = "trunk_loss"
    about = "outside lines go dead, with the calls on them"

    group: str = _option("", "name of a group of trunks; else all")


@dataclass(frozen=True, kw_only=True)
class Overload(Fault):
    name = "overload"
    about = "the PBX tells its clients by SystemStatus how it is; normal again when cleared"

    state: str = _option(
        "overloadReached",
        "which status; Panasonic's list has overloadReached and messagesLost (RE), ECMA-285 the others",
        *STATUSES,
    )


@dataclass(frozen=True, kw_only=True)
class Restart(Fault):
    name = "restart"
    about = "power off and on: links die, calls are lost without a BYE, monitors and SIP registrations are gone"
    momentary = True

    down_s: float = _option(2.0, "how long it is off")


@dataclass(frozen=True, kw_only=True)
class LoseRegistration(Fault):
    name = "lose_registration"
    about = "the PBX forgets where a SIP extension is, until it registers again"
    momentary = True

    extension: str = _option("", "which one; else all")


ROWS: tuple[type[Fault], ...] = (
    Split,
    Delay,
    Duplicate,
    Drop,
    Junk,
    Abort,
    Cut,
    Silence,
    HalfFrame,
    OutOfService,
    BackInService,
    TrunkLoss,
    Overload,
    Restart,
    LoseRegistration,
)
FAULTS: Mapping[str, type[Fault]] = {row.name: row for row in ROWS}

_TRUTH = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


MOST = 86_400
_RANGES = {"octets": (1, MOST), "nth": (1, MOST), "probability": (0, 1)}


def read(name: str, pairs: Iterable[str]) -> Fault:
    """A fault out of its name and ``option=value`` texts; FaultError says what is wrong. ``after`` and ``for`` stand
    for ``after_s`` and ``for_s``."""
    kind = FAULTS.get(name.replace("-", "_"))
    if kind is None:
        raise FaultError(f"fault {name!r} does not exist{_did_you_mean(name, FAULTS)}")
    rows = {row.name: row for row in dataclasses.fields(kind)}
    given: dict[str, Any] = {}
    for pair in pairs:
        option, equals, text = pair.partition("=")
        option = {"after": "after_s", "for": "for_s"}.get(option, option)
        if not equals:
            raise FaultError(f"fault {kind.name}: {pair!r}: expected option=value")
        if option not in rows:
            raise FaultError(f"fault {kind.name} has no option {option!r}{_did_you_mean(option, rows)}")
        given[option] = _value(kind, rows[option], text.strip())
    if kind.momentary and given.get("for_s"):
        raise FaultError(f"fault {kind.name} happens in a moment: it has no for")
    if "device" in rows and not given.get("device"):
        raise FaultError(f"fault {kind.name} needs device=")
    return kind(**given)


def read_line(text: str) -> Fault:
    """``name option=value ...`` in one text."""
    name, *pairs = text.split() or [""]
    return read(name, pairs)


def described() -> str:
    """The table for people, a fault and its options a paragraph."""
    lines = []
    common = {row.name for row in dataclasses.fields(Fault)}
    for kind in ROWS:
        lines.append(f"  {kind.name:<18} {kind.about}")
        for row in dataclasses.fields(kind):
            if row.name in common:
                continue
            choices = f" ({' | '.join(row.metadata['choices'])})" if row.metadata["choices"] else ""
            lines.append(f"      {row.name}={_shown(row.default)}{choices}  {row.metadata['about']}")
    lines.append("  each of them may have after=SECONDS; those that last, for=SECONDS")
    return "\n".join(lines)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else value


def _value(kind: type[Fault], row: dataclasses.Field[Any], text: str) -> Any:
    where = f"fault {kind.name}: {row.name}"
    choices: tuple[str, ...] = row.metadata["choices"]
    if choices and text not in choices:
        raise FaultError(f"{where} is one of {', '.join(choices)}, not {text!r}")
    if isinstance(row.default, bool):
        if text.lower() not in _TRUTH:
            raise FaultError(f"{where} is true or false, not {text!r}")
        return _TRUTH[text.lower()]
    if isinstance(row.default, int | float):
        try:
            number = type(row.default)(text)
        except ValueError:
            raise FaultError(f"{where} is a number, not {text!r}") from None
        least, most = _RANGES.get(row.name, (0, MOST))
        if not least <= number <= most:
            raise FaultError(f"{where} is out of range: {text!r}")
        return number
    if kind is Junk and row.name == "octets":
        try:
            bytes.fromhex(text)
        except ValueError:
            raise FaultError(f"{where} is hex, not {text!r}") from None
    return text


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
