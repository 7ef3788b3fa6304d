"""The pure interpreter of one scenario for one person: what happened goes in, what to do comes out.

``Run`` reads no clock and touches no line. Each call returns the actions that follow, in order. At most one of Play,
Announce, StopPlaying, Record, Transfer, HangUp and StartTimer is among them and it is always the last, so that whoever
carries them out may call back from inside. After Play and Announce comes exactly one ``played``, after Record one
``recorded``, after Transfer one ``transferred`` or ``transfer_failed``; there is never more than one timer. Keys are
kept until a step takes them, whenever they were pressed; those pressed while somebody is being fetched are for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ocm_cti.domain.fragments import Beep, Fragment
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
from ocm_cti.domain.scenario_document import Scenario, required_fragments
from ocm_cti.domain.scenario_entries import Entries, Means, Verdict
from ocm_cti.domain.scenario_keys import Pressed
from ocm_cti.domain.scenario_phases import Go, Phase, What
from ocm_cti.domain.scenario_steps import Step
from ocm_cti.domain.scenario_tally import Tally

#: How often a person may send himself to the same step ("press 9 to hear it again") before the call ends. Also how
#: often he may have one question repeated before that counts as no answer.
MAX_VISITS = 20


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
        self._phase = Phase.NEW
        self._what = What.MESSAGE
        self._step: Step = scenario.first
        self._sounding: tuple[Step, What] | None = None  # what was played last
        self._tries_used = 0
        self._repeats = 0
        self._entry = ""
        self._read_back: str | None = None  # the answer that awaits the person's yes
        self._pressed = Pressed()
        self._stray_hash = False  # the next key may be a # that nothing waits for any more

    @property
    def at(self) -> Step:
        """The step that the call is at."""
        return self._step

    # -- what happened

    def start(self) -> list[Action]:
        """The call was answered."""
        if self._phase is not Phase.NEW:
            raise RuntimeError("this run has been started before")
        return self._drive([Go(self._scenario.first.name)])

    def played(self, heard_ms: int, of_ms: int, finished: bool) -> list[Action]:
        """The last Play is over. Not finished and not stopped by us means that the call is over."""
        if self._sounding is not None and self._sounding[1] is What.MESSAGE:
            self._account(self._sounding[0], heard_ms, of_ms, finished)
        phase = self._phase
        if phase not in (Phase.PLAYING, Phase.STOPPING):
            return []
        if not finished and phase is Phase.PLAYING:
            self.call_over()
            return []
        return self._drive(self._after_play(finished))

    def digit(self, digit: str) -> list[Action]:
        """A key was pressed."""
        stray_hash, self._stray_hash = self._stray_hash, False
        step = self._step
        if self._phase in (Phase.NEW, Phase.OVER):
            self._pressed.note(digit, hidden=step.pin is not None)
            return []
        if stray_hash and digit == "#" and not (step.collects and self._entries().takes_hash()):
            # Many people end a PIN with #, which was complete without it; it must not cut the message that follows.
            self._pressed.note(digit, hidden=False)
            return []
        if step.kind == "transfer":  # meant for nobody: he is between us and the other one
            self._pressed.note(digit, hidden=False)
            return []
        self._pressed.add(digit, hidden=step.pin is not None)
        if self._phase is Phase.PLAYING and step.barge_in and self._what is not What.BEEP:
            self._phase = Phase.STOPPING
            return [StopPlaying()]
        if self._phase is Phase.WAITING:
            return self._drive([StopTimer(), *self._consume()])
        if self._phase is Phase.PAUSING and step.barge_in:
            return self._drive([StopTimer(), Go(step.then)])
        return []

    def timer(self) -> list[Action]:
        """The timer that was started last has fired."""
        if self._phase is Phase.PAUSING:
            return self._drive([Go(self._step.then)])
        if self._phase is not Phase.WAITING:
            return []
        if self._entry and self._entries().judge(self._entry) is Verdict.OPEN:
            return self._drive(self._decided())
        return self._drive(self._wrong() if self._entry else self._again(silent=True))

    def recorded(self, ref: str, length_ms: int) -> list[Action]:
        """The reply of the record step lies at ``ref``; an empty one (0 ms) is not kept."""
        if self._step.kind == "record" and ref and length_ms > 0:
            self._tally.recordings.append((self._step.name, ref))
        if self._phase is not Phase.RECORDING:
            return []
        return self._drive([Go(self._step.then)])

    def transferred(self) -> list[Action]:
        """The person is connected with the other one; the call is not ours any more."""
        if self._step.kind == "transfer":
            self._tally.transferred_to = self._scenario.destination_of(self._step, self._variables)
            self._tally.finished = True
        self._phase = Phase.OVER
        return []

    def transfer_failed(self) -> list[Action]:
        """The person is still, or again, on the line with us."""
        if self._phase is not Phase.TRANSFERRING:
            return []
        return self._drive([Go(self._step.otherwise)])

    def call_over(self) -> None:
        """The call has ended: whatever is still reported is counted, but no action follows any more.

        Keys that were pressed just before still mean what they mean where they were awaited.
        """
        if self._pressed and (self._phase is Phase.STOPPING or (self._phase is Phase.PLAYING and self._step.collects)):
            self._settle(self._after_play(False))
        elif self._phase is Phase.WAITING and self._entry and self._entries().judge(self._entry) is Verdict.OPEN:
            self._settle(self._decided())
        self._phase = Phase.OVER

    def _settle(self, following: list[Action | Go]) -> None:
        """Go on with nobody there, for what the keys come to; the scenario itself is not at its end by that."""
        finished = self._tally.finished
        self._drive(following)
        self._tally.finished = finished

    # -- going through the steps

    def _drive(self, following: list[Action | Go]) -> list[Action]:
        """From step to step until there is something to do: by a loop, as a person may press keys by the hundred."""
        actions: list[Action] = []
        while following:
            last = following[-1]
            actions += [action for action in following if not isinstance(action, Go)]
            following = self._enter(last.to) if isinstance(last, Go) else []
        return actions

    def _enter(self, name: str | None) -> list[Action | Go]:
        if name is None or self._tally.path.count(name) >= MAX_VISITS:
            self._phase = Phase.OVER
            self._tally.finished = True
            return [HangUp()]
        step = self._step = self._scenario.steps[name]
        self._tally.path.append(name)
        self._tries_used = self._repeats = 0
        self._entry = ""
        self._read_back = None
        if step.stop_list is not None:
            self._tally.stop_lists[step.stop_list] = None
        skip = bool(self._pressed) and bool(step.barge_in)
        if step.kind == "goto":
            return [Go(step.then if self._tally.holds(step) else step.otherwise)]
        if step.kind == "pause" and not skip:
            self._phase = Phase.PAUSING
            return [StartTimer(step.seconds)]
        if step.kind in ("say", "pause", "stop_list") and skip:
            return [Go(step.then)]
        if step.collects and skip:
            return self._consume()
        if step.kind == "record" and skip:
            return self._play(What.BEEP, ())
        return self._message()

    def _message(self) -> list[Action | Go]:
        """Say what the step says, and at a question what was answered before the person's yes to it."""
        if self._read_back is None:
            return self._play(What.MESSAGE, self._fragments_of(self._step))
        fragments = self._scenario.read_back_of(self._step, self._read_back, self._variables, self._language)
        return self._play(What.READ_BACK, fragments)

    def _play(self, what: What, fragments: tuple[Fragment, ...]) -> list[Action | Go]:
        self._what = what
        self._sounding = self._step, what
        if what is What.MESSAGE and self._step.announcement is not None:
            self._phase = Phase.PLAYING
            return [Announce(self._step.announcement)]
        if self._step.beep:
            fragments += (Beep(),)
        if not fragments:
            return self._after_play(True)
        self._phase = Phase.PLAYING
        return [Play(fragments)]

    def _after_play(self, finished: bool) -> list[Action | Go]:
        step = self._step
        if step.collects:
            if self._what is What.REMARK and not (self._pressed and step.barge_in):
                return self._message()
            return self._consume()
        if step.kind == "record":
            if step.beep and not finished:
                return self._play(What.BEEP, ())
            self._phase = Phase.RECORDING
            return [Record(step.name, step.max_ms, step.silence_ms, step.stop_keys)]
        if step.kind == "transfer":
            self._phase = Phase.TRANSFERRING
            return [Transfer(self._scenario.destination_of(step, self._variables))]
        return [Go(None if step.kind == "hang_up" else step.then)]

    # -- keys

    def _entries(self) -> Entries:
        step = self._step
        right = self._scenario.pin_of(step, self._variables) if step.pin is not None else step.key
        return Entries(step, right, self._scenario.steps, self._read_back)

    def _consume(self) -> list[Action | Go]:
        """Take the keys that are there; wait for more only if they decide nothing."""
        step = self._step
        entries = self._entries()
        while self._pressed:
            key = self._pressed.take(hidden=step.pin is not None)
            if key == "#" and not self._entry and entries.stray_hash:
                continue  # the end of an entry that was judged before
            self._entry += key
            verdict = entries.judge(self._entry)
            if verdict is Verdict.DECIDED:
                return self._decided()
            if verdict is Verdict.WRONG:
                return self._wrong()
        self._phase = Phase.WAITING
        by_digits = step.is_number and self._entry and self._read_back is None
        return [StartTimer(step.next_key_s if by_digits else step.timeout_s)]

    def _decided(self) -> list[Action | Go]:
        step, entry = self._step, self._entry
        taken = self._entries().taken(entry)
        if taken.means is Means.REPEAT:
            return self._repeat()
        if taken.means is Means.READ_AGAIN:
            self._read_back = None
            return self._repeat()
        self._drop_hash(entry)
        if taken.means is Means.ANSWER and step.read_back and self._read_back is None and entry not in step.keys:
            self._read_back, self._entry = taken.value, ""
            return self._message()
        self._tally.complete.add(step.name)
        if taken.means is Means.CONFIRMED:
            self._tally.confirmed[step.name] = len(self._tally.path)
        else:
            self._tally.answers[step.name] = taken.value
        return [Go(taken.target)]

    def _repeat(self) -> list[Action | Go]:
        self._entry = ""
        self._repeats += 1
        if self._repeats >= MAX_VISITS:
            return self._again(silent=True)
        return self._consume() if self._pressed and self._step.barge_in else self._message()

    def _wrong(self) -> list[Action | Go]:
        self._tally.wrong_keys += 1
        self._drop_hash(self._entry)
        return self._again(silent=False)

    def _drop_hash(self, entry: str) -> None:
        if not self._entries().stray_hash or entry.endswith("#"):
            return
        self._stray_hash = not self._pressed.drop("#")

    def _again(self, *, silent: bool) -> list[Action | Go]:
        step = self._step
        self._entry = ""
        self._tries_used += 1
        if self._tries_used >= step.tries:
            if step.pin is not None:
                self._tally.refused.add(step.name)
            return [Go(step.otherwise)]
        if self._pressed and step.barge_in:
            return self._consume()
        remark = step.silent if silent else step.wrong
        if not remark:
            return self._message()
        return self._play(What.REMARK, self._scenario.fragments_of(remark, self._variables, self._language))

    # -- what it counts as

    def _account(self, step: Step, heard_ms: int, of_ms: int, finished: bool) -> None:
        self._tally.account(step, heard_ms, of_ms, finished)
        if step.mark is not None and self._length_ms is not None:
            before_the_mark = self._fragments_of(step)[: step.mark]
            if heard_ms >= sum(map(self._length_ms, before_the_mark)):
                self._tally.marked = True

    def _fragments_of(self, step: Step) -> tuple[Fragment, ...]:
        return self._scenario.fragments_of(step.message, self._variables, self._language)

    @property
    def stop_lists(self) -> tuple[str, ...]:
        """On which he has asked to be put so far."""
        return tuple(self._tally.stop_lists)

    @property
    def result(self) -> RunResult:
        """What has come of it so far."""
        guarded = any(step.pin is not None for step in self._scenario.steps.values())
        keys = self._pressed.text(hide_waiting=guarded)
        return self._tally.result(keys, None if self._phase is Phase.NEW else self._step)

    def _length_of(self, step: Step) -> int:
        assert self._length_ms is not None
        return sum(map(self._length_ms, self._fragments_of(step)))
