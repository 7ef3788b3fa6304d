"""A person who is handed over to somebody, and the switch's own messages: what is asked for, and what it counts as."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.fragments import VariableMissing
from ocm_cti.domain.outcomes import Outcome, of_answered
from ocm_cti.domain.scenario_actions import (
    Action,
    Announce,
    HangUp,
    Play,
    StartTimer,
    StopPlaying,
    StopTimer,
    Transfer,
)
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenarios import Scenario, ScenarioError, parse, required_fragments

OPERATOR = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios" / "operator.toml"
PERSON = {"name": "Иван", "debt": "100", "accountant": ""}


def operator() -> Scenario:
    return parse(OPERATOR.read_text(encoding="utf-8"))


def at_the_transfer(person: dict[str, str] | None = None) -> tuple[Run, list[Action]]:
    """The example, up to where the person has asked for the accountant and was told that he comes."""
    run = Run(operator(), person or PERSON)
    assert isinstance(run.start()[-1], Play)
    assert isinstance(run.played(4000, 4000, True)[-1], Play)
    assert isinstance(run.digit("0")[-1], StopPlaying)
    assert isinstance(run.played(500, 2000, False)[-1], Play)
    return run, run.played(800, 800, True)


def test_the_person_is_connected_and_the_scenario_is_at_its_end() -> None:
    run, actions = at_the_transfer()
    assert actions == [Transfer("201")], "the default of the variable, as the list names no other"
    assert run.transferred() == []
    result = run.result
    assert (result.transferred_to, result.finished, result.heard_out) == ("201", True, True)
    assert result.answers == (("choice", "0"),)


def test_a_column_of_the_list_may_name_another() -> None:
    assert at_the_transfer({**PERSON, "accountant": "205"})[1] == [Transfer("205")]


def test_what_cannot_be_dialled_is_found_before_the_call() -> None:
    with pytest.raises(VariableMissing, match=r"\{accountant\}: 'Иванова' can't be dialled"):
        required_fragments(operator(), {**PERSON, "accountant": "Иванова"})


def test_a_value_in_braces_is_no_number() -> None:
    with pytest.raises(VariableMissing, match="can't be dialled"):
        required_fragments(operator(), {**PERSON, "accountant": "{205}"})


def test_nobody_there_and_the_scenario_goes_on() -> None:
    run, _ = at_the_transfer()
    sorry = run.transfer_failed()
    assert isinstance(sorry[-1], Play)
    assert isinstance(run.played(900, 900, True)[-1], Play)
    assert run.played(300, 300, True) == [HangUp()]
    assert (run.result.transferred_to, run.result.finished) == ("", True)


def test_keys_while_somebody_is_fetched_are_for_nobody() -> None:
    run, _ = at_the_transfer()
    assert run.digit("1") == []
    assert isinstance(run.transfer_failed()[-1], Play), "the sentence is said, not skipped by a key that meant nothing"
    assert run.result.keys == "01"


def test_hanging_up_while_waiting_counts_as_what_was_heard() -> None:
    run, _ = at_the_transfer()
    run.call_over()
    assert run.transfer_failed() == []
    result = run.result
    assert (result.heard_out, result.finished, result.transferred_to) == (True, False, "")


STEP = '[[step]]\nname = "x"\ntype = "transfer"\n'
SAY = '[[step]]\nname = "a"\ntype = "say"\n'


def test_without_else_the_next_step_follows() -> None:
    steps = parse(STEP + 'to = "201"\n' + SAY + 'message = "Никого нет."\n').steps
    assert (steps["x"].then, steps["x"].otherwise) == (None, "a")


def test_else_may_end_the_call() -> None:
    run = Run(parse(STEP + 'to = "201"\nelse = "hang_up"\n'), {})
    assert run.start() == [Transfer("201")]
    assert run.transfer_failed() == [HangUp()]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (STEP, "to is missing"),
        (STEP + 'to = "20 1"\n', "can't be dialled"),
        (STEP + "to = 201\n", "can't be dialled"),
        (STEP + 'to = "{where}"\n', "{where} is not declared"),
        (STEP + 'to = "201"\nelse = "nowhere"\n', "there is no such step"),
        (STEP + 'to = "201"\nthen = "x"\n', "unknown key 'then'"),
        (SAY, "message is missing"),
        (SAY + 'message = "Да."\nannouncement = "12"\n', "exclude each other"),
        (SAY + "announcement = 12\n", "no number of a recorded message"),
        (STEP + 'to = "201"\nelse = "x"\n', "round for ever"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=r"line \d") as refused:
        parse(text)
    assert why in str(refused.value)


ANNOUNCED = (
    '[[step]]\nname = "a"\ntype = "say"\nannouncement = "12"\n'
    '[[step]]\nname = "c"\ntype = "confirm"\nannouncement = "13"\nkey = "1"\n'
    '[[step]]\nname = "bye"\ntype = "hang_up"\nannouncement = "14"\n'
)


def test_the_switchs_own_messages_are_heard_like_ours() -> None:
    scenario = parse(ANNOUNCED)
    assert scenario.announcements == ("12", "13", "14")
    assert required_fragments(scenario, {}) == []
    run = Run(scenario, {})
    assert run.start() == [Announce("12")]
    assert run.played(5000, 5000, True) == [Announce("13")]
    assert run.digit("1") == [StopPlaying()]
    assert run.played(700, 700, False) == [Announce("14")]
    assert run.played(300, 300, True) == [HangUp()]
    assert (run.result.confirmed, run.result.heard_out, run.result.heard_ms) == (True, True, 5700)


@pytest.mark.parametrize(
    ("confirmed", "heard_out", "fault", "outcome"),
    [
        (True, False, False, Outcome.CONFIRMED),
        (False, False, False, Outcome.DELIVERED),
        (False, False, True, Outcome.DELIVERED),
    ],
)
def test_who_was_handed_over_has_been_reached(confirmed: bool, heard_out: bool, fault: bool, outcome: Outcome) -> None:
    assert of_answered(confirmed=confirmed, heard_out=heard_out, fault=fault, transferred=True) is outcome


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["0", "1", "7", "heard", "cut", "timer", "connected", "nobody", "over"]), max_size=30))
def test_any_history_asks_for_one_thing_at_a_time(history: list[str]) -> None:
    """Reports that nobody waits for are harmless, and what is asked for is always one thing, the last in its list."""
    run = Run(operator(), PERSON)
    asked: Action | None = None
    over = False

    def take(actions: list[Action]) -> None:
        nonlocal asked, over
        for place, action in enumerate(actions):
            assert not over
            if isinstance(action, StopTimer):
                continue
            assert place == len(actions) - 1
            asked = action
            over = isinstance(action, HangUp)

    take(run.start())
    for what in history:
        if what.isdigit():
            take(run.digit(what))
        elif what == "over":
            run.call_over()
            over = True
        elif isinstance(asked, Play | StopPlaying) and what in ("heard", "cut"):
            stopped = isinstance(asked, StopPlaying)
            asked = None
            if what == "cut" and not stopped:
                over = True
            take(run.played(500 if stopped or what == "cut" else 1000, 1000, not stopped and what == "heard"))
        elif isinstance(asked, StartTimer) and what == "timer":
            asked = None
            take(run.timer())
        elif isinstance(asked, Transfer) and what == "connected":
            asked, over = None, True
            take(run.transferred())
        elif isinstance(asked, Transfer) and what == "nobody":
            asked = None
            take(run.transfer_failed())
    assert run.result.transferred_to in ("", "201")
