"""What the interpreter of a scenario asks for, and what came of it, as values."""

from __future__ import annotations

from dataclasses import dataclass

from ocm_cti.domain.fragments import Fragment


@dataclass(frozen=True)
class Play:
    """Play these one after another; report ``played`` when done, stopped or the call ended."""

    fragments: tuple[Fragment, ...]


@dataclass(frozen=True)
class Announce:
    """Let the switch play its own recorded message of this number; report ``played`` as after Play."""

    ogm: str


@dataclass(frozen=True)
class StopPlaying:
    """Stop what is playing; its ``played`` follows."""


@dataclass(frozen=True)
class StartTimer:
    seconds: float


@dataclass(frozen=True)
class StopTimer:
    """Forget the timer that runs."""


@dataclass(frozen=True)
class Record:
    """Record the reply of ``step``; report ``recorded``. A stop key must not be reported as a digit."""

    step: str
    max_ms: int
    silence_ms: int
    stop_keys: str


@dataclass(frozen=True)
class Transfer:
    """Connect the person with ``to``; report ``transferred``, or ``transfer_failed`` when he is still with us."""

    to: str


@dataclass(frozen=True)
class HangUp:
    """The scenario is at its end; nothing follows."""


Action = Play | Announce | StopPlaying | StartTimer | StopTimer | Record | Transfer | HangUp


@dataclass(frozen=True)
class RunResult:
    """What came of it, at any moment.

    ``confirmed``: every confirm step on the way was answered rightly; where the last was a PIN, what follows it was
    also heard. ``heard_ms`` of ``of_ms`` counts the steps marked ``heard``, each once, up to the end that was still
    possible; parts never played count in ``of_ms`` only if Run was given their lengths. ``keys``: all keys in order,
    PIN keys as ``x``. ``finished``: the scenario itself came to its end (the person did not hang up before).
    """

    confirmed: bool
    confirm_required: bool
    keys: str
    heard_ms: int
    of_ms: int
    heard_out: bool
    answers: tuple[tuple[str, str], ...]
    recordings: tuple[tuple[str, str], ...]
    wrong_keys: int
    finished: bool
    transferred_to: str = ""  # digits at the switch; "": he was not handed over
    stop_lists: tuple[str, ...] = ()  # on which he asked to be put
