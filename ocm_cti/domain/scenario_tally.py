"""What a call through a scenario counts as: heard, confirmed, answered. The interpreter fills it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ocm_cti.domain.scenario_actions import RunResult
from ocm_cti.domain.scenario_document import Scenario
from ocm_cti.domain.scenario_steps import CONFIRMED, RECORDED, Step


class Tally:
    """``length_of`` tells how long a step's message would be, None where nobody knows."""

    def __init__(
        self, scenario: Scenario, variables: Mapping[str, str], length_of: Callable[[Step], int] | None = None
    ) -> None:
        self._scenario = scenario
        self._variables = variables
        self._length_of = length_of
        self.path: list[str] = []  # names of the steps entered, in order
        self.answers: dict[str, str] = {}
        self.recordings: list[tuple[str, str]] = []
        self.wrong_keys = 0
        self.complete: set[str] = set()  # message heard to its end, or answered before that
        self.confirmed: dict[str, int] = {}  # step -> length of ``path`` when it was confirmed
        self.marked = False  # heard up to the mark inside a message
        self.stop_lists: dict[str, None] = {}  # on which he asked to be put, in order
        self.refused: set[str] = set()  # PIN steps that let nobody through
        self.finished = False
        self.transferred_to = ""
        self._heard_ms: dict[str, int] = {}
        self._of_ms: dict[str, int] = {}

    def account(self, step: Step, heard_ms: int, of_ms: int, finished: bool) -> None:
        """The step's message was played so far. Repetitions count once."""
        self._heard_ms[step.name] = max(heard_ms, self._heard_ms.get(step.name, 0))
        self._of_ms[step.name] = max(of_ms, self._of_ms.get(step.name, 0))
        if finished:
            self.complete.add(step.name)

    def holds(self, step: Step) -> bool:
        """Whether the condition of a goto is true; one without a condition always is."""
        when = step.when
        if when is None:
            return True
        if when.variable is not None:
            return when.holds(self._variables.get(when.variable, "").strip())
        return when.holds(self._answer_of(when.answer or ""))

    def _answer_of(self, name: str) -> str:
        if name in self.answers:
            return self.answers[name]
        if name in self.confirmed:
            return CONFIRMED
        return RECORDED if any(step == name for step, _ in self.recordings) else ""

    def _ahead(self, current: Step | None) -> Iterator[Step]:
        """Steps that would have come if everything had gone well from here, and behind a PIN that was not given."""
        starts = [self._scenario.steps[name].then for name in self.refused if name not in self.confirmed]
        if not self.finished:
            starts.append((current or self._scenario.first).name)
        seen: set[str] = set()
        for name in starts:
            while name is not None and name not in seen:
                seen.add(name)
                step = self._scenario.steps[name]
                yield step
                if step.kind == "goto" and not self.holds(step):
                    name = step.otherwise
                elif step.collects and not step.takes_then:
                    name = None  # it depends on the answer
                else:
                    name = step.then

    def result(self, keys: str, current: Step | None) -> RunResult:
        """``current`` is the step that the call is at, None before its start."""
        ahead = list(self._ahead(current))
        on_the_way = {step.name: step for step in (*(self._scenario.steps[name] for name in self.path), *ahead)}
        body = [step for step in on_the_way.values() if step.heard]
        confirms = [step for step in on_the_way.values() if step.kind == "confirm"]
        marked = self._scenario.delivered_after
        if marked is not None:
            heard_out = marked in self.complete or self.marked
        else:
            heard_out = bool(body) and all(step.name in self.complete for step in body)
        return RunResult(
            confirmed=self._all_confirmed(confirms, ahead, heard_out),
            confirm_required=bool(confirms),
            keys=keys,
            heard_ms=sum(self._heard_ms.get(step.name, 0) for step in body),
            of_ms=sum(self._whole_ms(step) for step in body),
            heard_out=heard_out,
            answers=tuple(self.answers.items()),
            recordings=tuple(self.recordings),
            wrong_keys=self.wrong_keys,
            finished=self.finished,
            transferred_to=self.transferred_to,
            stop_lists=tuple(self.stop_lists),
        )

    def _all_confirmed(self, confirms: list[Step], ahead: list[Step], heard_out: bool) -> bool:
        if not confirms or any(step.name not in self.confirmed for step in confirms):
            return False
        last = max(confirms, key=lambda step: self.confirmed[step.name])
        if last.pin is None or heard_out:
            return True
        # A PIN says who is there, not that he heard what it guards.
        after = [self._scenario.steps[name] for name in self.path[self.confirmed[last.name] :]] + ahead
        return all(step.name in self.complete for step in after if step.heard)

    def _whole_ms(self, step: Step) -> int:
        if step.name in self._of_ms or self._length_of is None:
            return self._of_ms.get(step.name, 0)
        return self._length_of(step)
