"""A telephone without a line: carries out what a scenario's interpreter asks, and checks each action against what a
line can do."""

from __future__ import annotations

from collections.abc import Callable

from ocm_cti.domain.fragments import Fragment, Recording, Spoken
from ocm_cti.domain.scenario_actions import (
    Action,
    HangUp,
    Play,
    Record,
    RunResult,
    StartTimer,
    StopPlaying,
    StopTimer,
    Transfer,
)
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenarios import Scenario, parse

PERSON = {"name": "Иван", "debt": "100", "due": "23.11.2026", "pin": "1234", "gathering": "24.11.2026", "hour": "9:00"}
LENGTH_MS = 1000  # of each fragment


def said(action: Action) -> str:
    """What a Play says, shortened to be read in a test: texts, {variables}, recordings, beep."""
    assert isinstance(action, Play), action
    words = []
    for fragment in action.fragments:
        if isinstance(fragment, Spoken):
            words.append("".join(f"{{{part.variable}}}" if part.variable else part.value for part in fragment.parts))
        elif isinstance(fragment, Recording):
            words.append(f"<{fragment.path_name}>")
        else:
            words.append("beep")
    return " ".join(words)


class Phone:
    """Carries out a Run as a call would: remembers what plays and whether a timer runs."""

    def __init__(
        self,
        scenario: Scenario,
        variables: dict[str, str] | None = None,
        length_ms: Callable[[Fragment], int] | None = None,
    ) -> None:
        self.run = Run(scenario, {**PERSON, **(variables or {})}, length_ms=length_ms)
        self.playing: Play | None = None
        self.recording: Record | None = None
        self.transferring: Transfer | None = None
        self.timer_s: float | None = None
        self.over = False
        self.log: list[str] = []
        self.take(self.run.start())

    def take(self, actions: list[Action]) -> None:
        for place, action in enumerate(actions):
            assert not self.over, f"{action} after the end"
            if not isinstance(action, StopTimer):
                assert place == len(actions) - 1, f"{action} is not the last of {actions}"
            match action:
                case Play():
                    assert self.playing is None and self.recording is None and self.timer_s is None
                    self.playing = action
                    self.log.append(said(action))
                case StopPlaying():
                    assert self.playing is not None
                    self.log.append("stop")
                case StartTimer():
                    assert self.playing is None and self.recording is None and self.timer_s is None
                    self.timer_s = action.seconds
                case StopTimer():
                    assert self.timer_s is not None
                    self.timer_s = None
                case Record():
                    assert self.playing is None and self.timer_s is None
                    self.recording = action
                    self.log.append("record")
                case Transfer():
                    assert self.playing is None and self.recording is None and self.timer_s is None
                    self.transferring = action
                case HangUp():
                    assert self.playing is None and self.recording is None and self.timer_s is None
                    self.over = True
                    self.log.append("hang up")

    def report(self, finished: bool, heard: float = 1.0) -> None:
        """The playing is over, after the share ``heard`` of it."""
        assert self.playing is not None
        of_ms = LENGTH_MS * len(self.playing.fragments)
        self.playing = None
        self.take(self.run.played(round(of_ms * heard), of_ms, finished))

    def hear(self, times: int = 1) -> None:
        for _ in range(times):
            self.report(True)

    def press(self, keys: str, at: float = 0.5) -> None:
        """Press keys; a prompt that they stop has been heard up to ``at``."""
        for key in keys:
            stops = len(self.log)
            self.take(self.run.digit(key))
            if self.log[stops:] == ["stop"]:
                self.report(False, at)

    def wait(self) -> None:
        assert self.timer_s is not None
        self.timer_s = None
        self.take(self.run.timer())

    def reply(self, ref: str = "reply.wav", length_ms: int = 2000) -> None:
        assert self.recording is not None
        self.recording = None
        self.take(self.run.recorded(ref, length_ms))

    def transfer(self, connected: bool) -> None:
        assert self.transferring is not None
        self.transferring = None
        self.take(self.run.transferred() if connected else self.run.transfer_failed())
        self.over = self.over or connected

    @property
    def result(self) -> RunResult:
        return self.run.result


def steps(text: str, top: str = "") -> Scenario:
    return parse(top + "[variables]\npin = 'digits'\nname = 'name'\n" + text.replace("STEP", "[[step]]\nname ="))
