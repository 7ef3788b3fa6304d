"""The pure interpreter of one scenario for one person: what happened goes in, what to do comes out.

``Run`` reads no clock and touches no line. Each call returns the actions that follow, in order. At most one of Play,
Announce, StopPlaying, Record, Transfer, HangUp and StartTimer is among them and it is always the last, so that whoever
carries them out may call back from inside. After Play and Announce comes exactly one ``played``, after Record one
``recorded``, after Transfer one ``transferred`` or ``transfer_failed``; there is never more than one timer. Keys are
kept until a step takes them, whenever they were pressed; those pressed while somebody is being fetched are for nobody.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from ocm_cti.domain.fragments import Beep, Fragment, Message
from ocm_cti.domain.scenario_actions import (
    Action,
    Announce,
    HangUp,
    Play,
    Record,
    RunResult,
    StartTimer,
    StopPlaying,
    StopTimer,
    Transfer,
)
from ocm_cti.domain.scenario_steps import END, Step
from ocm_cti.domain.scenario_tally import Tally
from ocm_cti.domain.scenarios import Scenario, required_fragments

__all__ = [
    "HIDDEN",
    "MAX_VISITS",
    "Action",
    "Announce",
    "HangUp",
    "Play",
    "Record",
    "Run",
    "RunResult",
    "StartTimer",
    "StopPlaying",
    "StopTimer",
    "Transfer",
]

#: How often a person may send himself to the same step ("press 9 to hear it again") before the call ends.
MAX_VISITS = 20
#: Stands in ``RunResult.keys`` for a key pressed as part of a PIN.
HIDDEN = "x"


class _Phase(enum.Enum):
    NEW = "new"
    PLAYING = "playing"
    STOPPING = "stopping"  # StopPlaying was asked for, its ``played`` has not come yet
    WAITING = "waiting"  # for a key; the timer runs
    PAUSING = "pausing"  # the timer runs
    RECORDING = "recording"
    TRANSFERRING = "transferring"
    OVER = "over"


class _What(enum.Enum):
    """Which message of the step is playing."""

    MESSAGE = "message"
    REMARK = "remark"  # ``wrong`` or ``silent``; the message follows
    BEEP = "beep"


class Run:
    """One scenario for one person. Raises VariableMissing at once if a value is missing.

    ``length_ms`` tells the length of a fragment where it is known; it only makes ``of_ms`` complete.
    """

    def __init__(
        self,
        scenario: Scenario,
        variables: Mapping[str, str],
        language: str | None = None,
        length_ms: Callable[[Fragment], int] | None = None,
    ) -> None:
        required_fragments(scenario, variables, language)
        self._scenario = scenario
        self._variables = variables
        self._language = language
        self._tally = Tally(scenario, variables, self._length_of if length_ms else None)
        self._length_ms = length_ms
        self._phase = _Phase.NEW
        self._what = _What.MESSAGE
        self._step: Step = scenario.first
        self._tries_used = 0
        self._entry = ""
        self._keys: list[str] = []
        self._pending: list[tuple[int, str]] = []  # (place in _keys, key) not yet taken by a step
        self._after_pin = False

    # -- what happened

    def start(self) -> list[Action]:
        """The call was answered."""
        if self._phase is not _Phase.NEW:
            raise RuntimeError("this run has been started before")
        return self._enter(self._scenario.first.name)

    def played(self, heard_ms: int, of_ms: int, finished: bool) -> list[Action]:
        """The last Play is over. Not finished and not stopped by us means that the call is over."""
        if self._what is _What.MESSAGE and self._step.name in self._tally.path:
            self._tally.account(self._step, heard_ms, of_ms, finished)
        phase = self._phase
        if phase not in (_Phase.PLAYING, _Phase.STOPPING):
            return []
        if not finished and phase is _Phase.PLAYING:
            self._phase = _Phase.OVER
            return []
        return self._after_play(finished)

    def digit(self, digit: str) -> list[Action]:
        """A key was pressed."""
        after_pin, self._after_pin = self._after_pin, False
        step = self._step
        if self._phase in (_Phase.NEW, _Phase.OVER):
            self._keys.append(HIDDEN if step.pin is not None else digit)
            return []
        if after_pin and digit == "#" and not any(key.startswith("#") for key in self._expected(step)):
            # Many people end a PIN with #, which was complete without it; it must not cut the message that follows.
            self._keys.append(digit)
            return []
        self._keys.append(HIDDEN if step.pin is not None else digit)
        if step.kind == "transfer":
            return []  # meant for nobody: he is between us and the other one
        self._pending.append((len(self._keys) - 1, digit))
        if self._phase is _Phase.PLAYING and step.barge_in and self._what is not _What.BEEP:
            self._phase = _Phase.STOPPING
            return [StopPlaying()]
        if self._phase is _Phase.WAITING:
            return [StopTimer(), *self._consume()]
        if self._phase is _Phase.PAUSING and step.barge_in:
            return [StopTimer(), *self._enter(step.then)]
        return []

    def timer(self) -> list[Action]:
        """The timer that was started last has fired."""
        if self._phase is _Phase.PAUSING:
            return self._enter(self._step.then)
        if self._phase is not _Phase.WAITING:
            return []
        if self._entry in self._expected(self._step):
            return self._matched(self._entry)
        if self._entry:
            return self._wrong()
        return self._again(self._step.silent)

    def recorded(self, ref: str, length_ms: int) -> list[Action]:
        """The reply of the record step lies at ``ref``; an empty one (0 ms) is not kept."""
        if self._step.kind == "record" and ref and length_ms > 0:
            self._tally.recordings.append((self._step.name, ref))
        if self._phase is not _Phase.RECORDING:
            return []
        return self._enter(self._step.then)

    def transferred(self) -> list[Action]:
        """The person is connected with the other one; the call is not ours any more."""
        if self._step.kind == "transfer":
            self._tally.transferred_to = self._scenario.destination_of(self._step, self._variables)
            self._tally.finished = True
        self._phase = _Phase.OVER
        return []

    def transfer_failed(self) -> list[Action]:
        """The person is still, or again, on the line with us."""
        if self._phase is not _Phase.TRANSFERRING:
            return []
        return self._enter(self._step.otherwise)

    def call_over(self) -> None:
        """The call has ended: whatever is still reported is counted, but no action follows any more."""
        self._phase = _Phase.OVER

    # -- going through the steps

    def _enter(self, name: str | None) -> list[Action]:
        if name is None or self._tally.path.count(name) >= MAX_VISITS:
            self._phase = _Phase.OVER
            self._tally.finished = True
            return [HangUp()]
        step = self._step = self._scenario.steps[name]
        self._tally.path.append(name)
        self._tries_used = 0
        self._entry = ""
        skip = bool(self._pending) and bool(step.barge_in)
        if step.kind == "goto":
            return self._enter(step.then if self._tally.holds(step) else step.otherwise)
        if step.kind == "pause" and not skip:
            self._phase = _Phase.PAUSING
            return [StartTimer(step.seconds)]
        if step.kind in ("say", "pause") and skip:
            return self._enter(step.then)
        if step.collects and skip:
            return self._consume()
        if step.kind == "record":
            return self._play(_What.BEEP, ()) if skip else self._play(_What.MESSAGE, step.message)
        return self._play(_What.MESSAGE, step.message)

    def _play(self, what: _What, message: Message) -> list[Action]:
        if what is _What.MESSAGE and self._step.announcement is not None:
            self._what, self._phase = what, _Phase.PLAYING
            return [Announce(self._step.announcement)]
        fragments = self._scenario.fragments_of(message, self._variables, self._language)
        if self._step.beep:
            fragments += (Beep(),)
        self._what = what
        if not fragments:
            return self._after_play(True)
        self._phase = _Phase.PLAYING
        return [Play(fragments)]

    def _after_play(self, finished: bool) -> list[Action]:
        step = self._step
        if step.collects:
            if self._what is _What.REMARK and not (self._pending and step.barge_in):
                return self._play(_What.MESSAGE, step.message)
            return self._consume()
        if step.kind == "record":
            if step.beep and not finished:
                return self._play(_What.BEEP, ())
            self._phase = _Phase.RECORDING
            return [Record(step.name, step.max_ms, step.silence_ms, step.stop_keys)]
        if step.kind == "transfer":
            self._phase = _Phase.TRANSFERRING
            return [Transfer(self._scenario.destination_of(step, self._variables))]
        return self._enter(step.then if step.kind == "say" else None)

    # -- keys

    def _expected(self, step: Step) -> dict[str, str | None]:
        """Keys that a collecting step knows -> name of the next step."""
        if not step.collects:
            return {}
        known = {key: step.then if target is None else self._resolved(target) for key, target in step.keys.items()}
        right = self._right(step)
        return known if right is None else {**known, right: step.then}

    def _right(self, step: Step) -> str | None:
        return self._scenario.pin_of(step, self._variables) if step.pin is not None else step.key

    def _resolved(self, target: str) -> str | None:
        return None if target == END and END not in self._scenario.steps else target

    def _consume(self) -> list[Action]:
        """Take the keys that are there; wait for more only if they decide nothing."""
        step = self._step
        expected = self._expected(step)
        while self._pending:
            place, key = self._pending.pop(0)
            if step.pin is not None:
                self._keys[place] = HIDDEN
                if key == "#" and not self._entry and not any(other.startswith("#") for other in expected):
                    continue  # the end of an entry that was judged before
            self._entry += key
            longer = any(other != self._entry and other.startswith(self._entry) for other in expected)
            if self._entry in expected and not longer:
                return self._matched(self._entry)
            if not longer and not self._may_grow(step, expected):
                return self._wrong()
        self._phase = _Phase.WAITING
        return [StartTimer(step.timeout_s)]

    def _may_grow(self, step: Step, expected: Mapping[str, str | None]) -> bool:
        """An entry that fits nothing is judged at the length of a right one, or a PIN could be guessed by digits."""
        if step.pin is not None:
            return self._entry.isdecimal() and len(self._entry) < len(self._right(step) or "")
        return len(self._entry) < min(map(len, expected))

    def _matched(self, entry: str) -> list[Action]:
        step = self._step
        target = self._expected(step)[entry]
        self._tally.complete.add(step.name)
        if step.kind == "confirm" and entry == self._right(step):
            self._tally.confirmed[step.name] = len(self._tally.path)
        else:
            self._tally.answers[step.name] = entry
        self._drop_hash(step)
        return self._enter(target)

    def _wrong(self) -> list[Action]:
        self._tally.wrong_keys += 1
        self._drop_hash(self._step)
        return self._again(self._step.wrong)

    def _drop_hash(self, step: Step) -> None:
        if step.pin is None:
            return
        if self._pending[:1] and self._pending[0][1] == "#":
            del self._pending[0]
        else:
            self._after_pin = True

    def _again(self, remark: Message) -> list[Action]:
        step = self._step
        self._entry = ""
        self._tries_used += 1
        if self._tries_used >= step.tries:
            if step.pin is not None:
                self._tally.refused.add(step.name)
            return self._enter(step.otherwise)
        if self._pending and step.barge_in:
            return self._consume()
        return self._play(_What.REMARK, remark) if remark else self._play(_What.MESSAGE, step.message)

    @property
    def result(self) -> RunResult:
        """What has come of it so far."""
        return self._tally.result("".join(self._keys), None if self._phase is _Phase.NEW else self._step)

    def _length_of(self, step: Step) -> int:
        assert self._length_ms is not None
        return sum(map(self._length_ms, self._scenario.fragments_of(step.message, self._variables, self._language)))
