"""The people behind the simulated trunks: who answers on which number, and what he does then. Pure.

``Directory`` reads the table (``callees.toml`` explains its words) and chooses by the last digits of the number.
``Script`` carries out one person's steps in frames of 20 ms: it is told for every frame whether anything was heard, and
says what the person does. It knows neither clocks nor audio, so that every behaviour is tested as a list of frames.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from ocm_cti.simulator.faults import FAILURE_REASONS

FRAME_MS = 20
KEY_MS = 100
KEY_GAP_MS = 100
LISTEN_SILENCE_S = 1.2
# A message may pause, but nobody keeps a telephone at his ear that says nothing for so long: he goes on with his steps.
LISTEN_PATIENCE_S = 60.0


class CalleesError(ValueError):
    """The table is wrong; the text is one line that names the file, the entry and what is wrong."""


class Verb(enum.Enum):
    LISTEN = "listen"
    LISTEN_FOR = "listen_for"
    PRESS = "press"
    PRESS_OWN_LAST4 = "press_own_last4"
    SAY = "say"
    SAY_WAV = "say_wav"
    HEAR_OUT = "hear_out"
    HANG_UP = "hang_up"


@dataclass(frozen=True)
class Step:
    """``seconds`` for listen, listen_for and say; ``keys`` for press; ``wav`` for say_wav; else None."""

    verb: Verb
    seconds: float | None = None
    keys: str | None = None
    wav: Path | None = None


@dataclass(frozen=True)
class Callee:
    """What happens when a number is called once. ``answer_after_s`` None: rings until somebody gives up."""

    suffix: str
    name: str
    answer_after_s: float | None = None
    fail: str | None = None
    fail_times: int | None = None
    fail_after_s: float = 0.5
    steps: tuple[Step, ...] = ()

    @property
    def rings(self) -> bool:
        """Whether the telephone rings at all: a call that fails in the network or at a busy line never alerts."""
        return self.fail in (None, "rejected", "no_answer")


class Directory:
    """All callees; counts the calls per number, so that somebody can be busy twice and then answer."""

    def __init__(self, callees: Sequence[Callee]) -> None:
        self._by_suffix = {callee.suffix: callee for callee in callees}
        if "" not in self._by_suffix:
            raise CalleesError('callees: no entry with suffix = "" for all other numbers')
        self._longest = max(map(len, self._by_suffix))
        self._calls: Counter[str] = Counter()

    @property
    def callees(self) -> tuple[Callee, ...]:
        """All entries, in the table's order."""
        return tuple(self._by_suffix.values())

    def called(self, number: str) -> Callee:
        """The callee for this call of ``number``, which is counted; ``fail`` is None once its times are used up."""
        self._calls[number] += 1
        callee = self.find(number)
        if callee.fail_times is not None and self._calls[number] > callee.fail_times:
            return replace(callee, fail=None)
        return callee

    def find(self, number: str) -> Callee:
        """The entry whose suffix is the longest that ``number`` ends with."""
        for length in range(min(self._longest, len(number)), -1, -1):
            callee = self._by_suffix.get(number[len(number) - length :])
            if callee is not None:
                return callee
        raise AssertionError("the empty suffix fits every number")

    @classmethod
    def load(cls, path: Path | None = None) -> Directory:
        """Read a table; None is the one in the package. CalleesError with one line when it can't be used."""
        try:
            if path is None:
                text = resources.files(__package__).joinpath("callees.toml").read_text("utf-8")
                return cls.parse(text, "callees.toml", Path())
            return cls.parse(path.read_text("utf-8"), str(path), path.parent)
        except OSError as error:
            raise CalleesError(f"callees: cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CalleesError(f"callees: {path} is not UTF-8 text") from None

    @classmethod
    def parse(cls, text: str, name: str, directory: Path) -> Directory:
        """Build from TOML text; ``name`` stands in errors, ``directory`` is where its WAV files are looked for."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CalleesError(f"callees: {name}: {error}") from None
        entries = document.pop("callee", [])
        if document or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise CalleesError(f"callees: {name}: expected only [[callee]] tables")
        callees: dict[str, Callee] = {}
        for number, entry in enumerate(entries, 1):
            callee = _callee(entry, f"callees: {name}: entry {number}", directory)
            if callee.suffix in callees:
                raise CalleesError(f"callees: {name}: entry {number}: suffix {callee.suffix!r} stands twice")
            callees[callee.suffix] = callee
        return cls(list(callees.values()))


_FIELDS: dict[str, type | tuple[type, ...]] = {
    "suffix": str,
    "name": str,
    "answer_after_s": (int, float),
    "fail": str,
    "fail_times": int,
    "fail_after_s": (int, float),
    "steps": list,
}


def _callee(entry: Mapping[str, Any], where: str, directory: Path) -> Callee:
    for key, value in entry.items():
        if key not in _FIELDS:
            raise CalleesError(f"{where}: {key!r} is not one of {', '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[key]) or isinstance(value, bool):
            raise CalleesError(f"{where}: {key} has a wrong value: {value!r}")
        if isinstance(value, int | float) and value < 0:
            raise CalleesError(f"{where}: {key} is negative")
    if not re.fullmatch("[0-9]*", entry.get("suffix", "-")):
        raise CalleesError(f"{where}: suffix must be digits, as text")
    if entry.get("fail", "busy") not in FAILURE_REASONS:
        raise CalleesError(f"{where}: fail is one of {', '.join(FAILURE_REASONS)}")
    fields = {key: value for key, value in entry.items() if key != "steps"}
    steps = tuple(parse_step(line, where, directory) for line in entry.get("steps", ()))
    return Callee(**{"name": f"number ...{entry['suffix']}", **fields}, steps=steps)


_STEP_FORMS: dict[Verb, str] = {
    Verb.LISTEN: r"(?:(?P<seconds>\d+(?:\.\d+)?))?",
    Verb.LISTEN_FOR: r"(?P<seconds>\d+(?:\.\d+)?)",
    Verb.PRESS: r"(?P<keys>[0-9*#A-D]+)",
    Verb.PRESS_OWN_LAST4: "",
    Verb.SAY: r"(?P<seconds>\d+(?:\.\d+)?)",
    Verb.SAY_WAV: r"(?P<wav>.+)",
    Verb.HEAR_OUT: "",
    Verb.HANG_UP: "",
}


def parse_step(line: object, where: str, directory: Path) -> Step:
    """One line of ``steps``; CalleesError when it is none."""
    word, _, rest = str(line).strip().partition(" ")
    verbs = {verb.value: verb for verb in Verb}
    match = re.fullmatch(_STEP_FORMS[verbs[word]], rest.strip()) if word in verbs else None
    if match is None:
        raise CalleesError(f"{where}: {line!r} is no step")
    found = match.groupdict()
    return Step(
        verbs[word],
        seconds=float(found["seconds"]) if found.get("seconds") else None,
        keys=found.get("keys"),
        wav=directory / found["wav"] if found.get("wav") else None,
    )


# What a person does; the media side carries it out.
@dataclass(frozen=True)
class Press:
    """Press these keys one after another, KEY_MS each with KEY_GAP_MS between."""

    keys: str


@dataclass(frozen=True)
class Say:
    """Speak for ``frames`` frames."""

    frames: int


@dataclass(frozen=True)
class SayWav:
    """Play a file; ``Script.spoken`` must be called when it is over."""

    path: Path


@dataclass(frozen=True)
class HangUp:
    """Put the telephone down; nothing follows."""


Deed = Press | Say | SayWav | HangUp


class Script:
    """One person on one answered call. ``frame`` is called once per 20 ms and returns what he begins to do."""

    def __init__(self, callee: Callee, number: str) -> None:
        self._number = number
        self._left = list(callee.steps)
        self._step: Step | None = None
        self._frames = 0  # since the step began
        self._quiet_frames = 0  # since the last sound
        self._sound_heard = False
        self._busy_frames = 0  # hands or mouth occupied by the deed of the last step
        self._speaking = False  # a WAV of unknown length plays
        self.hung_up = False

    @property
    def step(self) -> Step | None:
        """The step in hand, None between steps."""
        return self._step

    def spoken(self) -> None:
        """The WAV of the last ``SayWav`` is over."""
        self._speaking = False

    def frame(self, sound: bool) -> list[Deed]:
        """20 ms passed in which something was heard, or nothing."""
        if self.hung_up or self._speaking:
            return []
        if self._busy_frames:
            self._busy_frames -= 1
            return []
        self._frames += 1
        self._quiet_frames = 0 if sound else self._quiet_frames + 1
        self._sound_heard = self._sound_heard or sound
        deeds: list[Deed] = []
        while not self.hung_up and not self._busy_frames and not self._speaking:
            if self._step is not None and not self._over(self._step):
                break
            # Whoever gets through his list stays on the line, as people do.
            self._step = self._left.pop(0) if self._left else Step(Verb.HEAR_OUT)
            self._frames = self._quiet_frames = 0
            self._sound_heard = False
            deeds += self._begin(self._step)
        return deeds

    def _over(self, step: Step) -> bool:
        match step.verb:
            case Verb.LISTEN:
                wanted = _frames(LISTEN_SILENCE_S if step.seconds is None else step.seconds)
                heard_it = self._sound_heard and self._quiet_frames >= wanted
                return heard_it or self._quiet_frames >= _frames(LISTEN_PATIENCE_S)
            case Verb.LISTEN_FOR:
                return self._frames >= _frames(step.seconds or 0.0)
            case Verb.HEAR_OUT:
                return False
            case _:
                return True

    def _begin(self, step: Step) -> list[Deed]:
        match step.verb:
            case Verb.PRESS | Verb.PRESS_OWN_LAST4:
                keys = step.keys if step.keys is not None else self._number[-4:]
                self._busy_frames = len(keys) * (KEY_MS + KEY_GAP_MS) // FRAME_MS
                return [Press(keys)]
            case Verb.SAY:
                self._busy_frames = _frames(step.seconds or 0.0)
                return [Say(self._busy_frames)]
            case Verb.SAY_WAV if step.wav is not None:
                self._speaking = True
                return [SayWav(step.wav)]
            case Verb.HANG_UP:
                self.hung_up = True
                return [HangUp()]
            case _:
                return []


def _frames(seconds: float) -> int:
    return round(seconds * 1000 / FRAME_MS)
