"""Going through a scenario without a telephone: somebody types what he would press, and sees what would be said."""

from __future__ import annotations

from collections.abc import Generator

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
from ocm_cti.domain.scenario_run import Run

#: The person's answer to an action: he hangs up.
HANG_UP = "hang up"
#: ... or, to a transfer: nobody is there.
NOBODY = "nobody"
#: A fragment is as long as this where nothing sounds.
FRAGMENT_MS = 1000
#: What somebody says after the beep.
REPLY_MS = 3000


def walk(run: Run) -> Generator[Action, str, RunResult]:
    """Yields each action in turn, and takes what the person does then; returns what the call comes to.

    After StartTimer (``run.at`` is the step that waits): the keys that he presses, all at once, or "" for none before
    the time is over; in a pause "" alone makes sense. After Transfer: NOBODY, or "" for connected. After anything:
    HANG_UP. What he presses beyond the first answer is pressed while the next message plays.
    """
    typed: list[str] = []
    actions = run.start()
    while actions:
        following: list[Action] = []
        for action in actions:
            if isinstance(action, StopTimer):
                continue
            did = "" if typed and isinstance(action, StartTimer) else (yield action) or ""
            if did == HANG_UP:
                _hang_up(run, action)
                return run.result
            if isinstance(action, HangUp):
                return run.result
            silent = not typed and not did
            typed += did if isinstance(action, StartTimer) else ""
            following = yield from _carried_out(run, action, did, typed, silent)
        actions = following
    return run.result


def _carried_out(
    run: Run, action: Action, did: str, typed: list[str], silent: bool
) -> Generator[Action, str, list[Action]]:
    match action:
        case Play() | Announce():
            of_ms = FRAGMENT_MS * (len(action.fragments) if isinstance(action, Play) else 1)
            stopped = False
            while typed:
                stopped |= run.digit(typed.pop(0)) == [StopPlaying()]
            if stopped:
                yield StopPlaying()
            return run.played(0 if stopped else of_ms, of_ms, not stopped)
        case StartTimer():
            while typed:
                following = run.digit(typed.pop(0))
                if following:
                    return following
            # A key may have been for nobody; then the time runs on.
            return run.timer() if silent or run.at.kind == "pause" else [action]
        case Record():
            return run.recorded(f"{action.step}.wav", REPLY_MS)
        case Transfer():
            return run.transfer_failed() if did == NOBODY else run.transferred()
        case _:
            return []


def _hang_up(run: Run, action: Action) -> None:
    """The call is over first; what was going on reports after that how far it got."""
    run.call_over()
    if isinstance(action, Play | Announce):
        run.played(0, FRAGMENT_MS * (len(action.fragments) if isinstance(action, Play) else 1), False)
    elif isinstance(action, Record):
        run.recorded("", 0)
