"""The interpreter: what a person does -> what is played, recorded, and what the call counts as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_phone import PERSON, Phone, said, steps

from ocm_cti.domain.fragments import Beep, VariableMissing
from ocm_cti.domain.scenario_actions import Play, Record, StopPlaying
from ocm_cti.domain.scenario_run import MAX_VISITS, Run
from ocm_cti.domain.scenarios import parse

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios"


def demo(name: str) -> Phone:
    return Phone(parse((FIXTURES / f"{name}.toml").read_text(encoding="utf-8")))


SAY = "STEP 'a'\ntype = 'say'\nmessage = 'Сообщение.'\n"
ASK = "STEP 'q'\ntype = 'ask'\nmessage = 'Вопрос?'\nkeys = ['1', '2']\n"
CONFIRM = "STEP 'c'\ntype = 'confirm'\nmessage = 'Нажмите.'\nkey = '1'\n"
BYE = "STEP 'bye'\ntype = 'hang_up'\nmessage = 'Пока.'\n"

MESSAGE = "<greeting_ru.wav> Здравствуйте, {name}. Ваш долг: {debt}. Оплатите до {due}."
AGREE = "Если вы согласны, нажмите один."


# -- the demo's callees


def test_hears_it_confirms_and_replies() -> None:
    phone = demo("debt")
    phone.hear()
    phone.press("1")
    phone.hear()
    phone.reply()
    phone.hear()
    assert phone.log == [
        MESSAGE,
        AGREE,
        "stop",
        "Спасибо. Оставьте сообщение после сигнала. beep",
        "record",
        "<goodbye_ru.wav>",
        "hang up",
    ]
    result = phone.result
    assert (result.confirmed, result.confirm_required, result.keys, result.finished) == (True, True, "1", True)
    assert result.recordings == (("reply", "reply.wav"),)
    assert result.heard_out


def test_hears_it_out_and_presses_nothing() -> None:
    phone = demo("debt")
    phone.hear(2)
    phone.wait()
    phone.hear()
    phone.wait()
    phone.hear()
    assert phone.log == [MESSAGE, AGREE, AGREE, "<goodbye_ru.wav>", "hang up"]
    result = phone.result
    assert (result.confirmed, result.heard_out, result.finished) == (False, True, True)
    assert (result.heard_ms, result.of_ms) == (5000, 5000), "a repetition counts once"


def test_hangs_up_in_the_middle() -> None:
    phone = demo("debt")
    phone.report(False, heard=0.25)
    assert phone.log == [MESSAGE]
    result = phone.result
    assert (result.heard_out, result.confirmed, result.finished) == (False, False, False)
    assert (result.heard_ms, result.of_ms) == (1000, 4000)


def test_lengths_make_the_rest_count_that_was_never_played() -> None:
    scenario = parse((FIXTURES / "debt.toml").read_text(encoding="utf-8"))
    run = Run(scenario, PERSON, length_ms=lambda fragment: 700)
    assert (run.result.heard_ms, run.result.of_ms) == (0, 5 * 700)
    run.start()
    run.played(1000, 2800, False)
    assert (run.result.heard_ms, run.result.of_ms) == (1000, 5 * 700)


def test_wrong_key_then_the_right_one() -> None:
    phone = demo("debt")
    phone.hear(2)
    phone.press("7")
    phone.hear(2)
    phone.press("1")
    assert phone.log[:5] == [
        MESSAGE,
        AGREE,
        "Такого ответа нет.",
        AGREE,
        "Спасибо. Оставьте сообщение после сигнала. beep",
    ]
    assert (phone.result.confirmed, phone.result.wrong_keys, phone.result.keys) == (True, 1, "71")


def test_confirms_while_the_message_plays() -> None:
    phone = demo("debt")
    phone.press("1", at=0.5)
    assert phone.log[:3] == [MESSAGE, "stop", "Спасибо. Оставьте сообщение после сигнала. beep"]
    result = phone.result
    assert (result.confirmed, result.heard_out) == (True, False)
    assert (result.heard_ms, result.of_ms) == (2000, 4000)


def test_pin_then_the_message() -> None:
    phone = demo("staff")
    phone.hear()
    phone.press("123")
    assert len(phone.log) == 1, "three digits of four decide nothing"
    phone.press("4")
    assert phone.result.confirmed is False, "the right PIN alone is not the message heard"
    phone.hear(2)
    assert phone.log[-1] == "hang up"
    result = phone.result
    assert (result.confirmed, result.heard_out, result.keys) == (True, True, "xxxx")


def test_wrong_pin_then_the_right_one() -> None:
    phone = demo("staff")
    phone.hear()
    phone.press("0000")
    assert phone.log[-1] == "Код неверный."
    phone.hear(2)
    phone.press("1234")
    phone.hear(2)
    assert (phone.result.confirmed, phone.result.wrong_keys) == (True, 1)


def test_the_message_behind_a_pin_is_not_told_without_it() -> None:
    phone = demo("staff")
    phone.hear()
    for _ in range(3):
        phone.press("9999")
        if phone.playing:
            phone.hear(2)
    assert phone.over and not any("Сбор" in played for played in phone.log)
    result = phone.result
    assert (result.confirmed, result.heard_out, result.wrong_keys) == (False, False, 2)


def test_hanging_up_after_the_pin_is_no_confirmation() -> None:
    phone = demo("staff")
    phone.hear()
    phone.press("1234")
    phone.report(False, heard=0.3)
    assert (phone.result.confirmed, phone.result.heard_out) == (False, False)


@pytest.mark.parametrize("pin", ["1234", "0000"])
def test_a_hash_after_the_pin_neither_cuts_the_message_nor_counts(pin: str) -> None:
    """Many people end a PIN with #, though it was complete without."""
    phone = demo("staff")
    phone.hear()
    phone.press(pin + "#")
    assert phone.playing is not None and "stop" not in phone.log
    assert phone.result.wrong_keys == (pin != "1234")


def test_a_hash_typed_ahead_with_the_pin_is_swallowed() -> None:
    phone = demo("staff")
    phone.press("1234#")
    assert phone.log[-1].startswith("Сбор") and phone.result.wrong_keys == 0


def test_a_pin_typed_ahead_by_somebody_who_hangs_up_is_not_kept() -> None:
    phone = Phone(steps(SAY + "barge_in = false\n" + CONFIRM.replace("key = '1'", "pin = '{pin}'")))
    phone.press("12")
    phone.run.call_over()
    assert phone.result.keys == "xx"


# -- keys


@pytest.mark.parametrize("barge_in", ["true", "false"])
def test_keys_pressed_while_playing_are_never_lost(barge_in: str) -> None:
    phone = Phone(steps(SAY + f"barge_in = {barge_in}\n" + ASK + f"barge_in = {barge_in}\n"))
    phone.press("2")
    while phone.playing:
        phone.hear()
    assert ("stop" in phone.log) == (barge_in == "true")
    assert phone.result.answers == (("q", "2"),)


def test_a_stray_key_does_not_cut_a_message_that_awaits_none() -> None:
    phone = Phone(steps(SAY + BYE))
    phone.press("5")
    assert phone.log == ["Сообщение."]
    phone.hear(2)
    assert phone.result.heard_out and phone.result.keys == "5"


def test_keys_between_stop_and_its_report_are_kept() -> None:
    phone = Phone(steps(SAY + CONFIRM + BYE))
    assert phone.run.digit("7") == [StopPlaying()]
    assert phone.run.digit("1") == []
    assert [said(action) for action in phone.run.played(500, 1000, False)] == ["Пока."]
    assert (phone.result.confirmed, phone.result.wrong_keys, phone.result.keys) == (True, 1, "71")


def test_a_prompt_that_ends_as_it_is_stopped_goes_on_all_the_same() -> None:
    run = Run(steps(SAY + CONFIRM + BYE), PERSON)
    run.start()
    run.digit("1")
    assert [said(action) for action in run.played(1000, 1000, True)] == ["Пока."]
    assert run.result.heard_out


def test_a_sequence_of_keys_confirms() -> None:
    phone = Phone(steps(CONFIRM.replace("'1'", "'*12#'")))
    phone.hear()
    phone.press("*12")
    assert phone.timer_s is not None
    phone.press("#")
    assert phone.result.confirmed


def test_a_key_that_begins_another_waits_for_the_time_out() -> None:
    phone = Phone(steps(ASK.replace("'1', '2'", "'1', '12'") + BYE))
    phone.hear()
    phone.press("1")
    assert phone.result.answers == ()
    phone.wait()
    assert phone.result.answers == (("q", "1"),)


def test_an_incomplete_entry_at_the_time_out_is_wrong() -> None:
    phone = demo("staff")
    phone.hear()
    phone.press("12")
    phone.wait()
    assert phone.log[-1] == "Код неверный." and phone.result.wrong_keys == 1


def test_silence_has_words_of_its_own() -> None:
    phone = Phone(steps(ASK + "silent = 'Не слышу.'\nwrong = 'Не то.'\ntries = 3\n"))
    phone.hear()
    phone.wait()
    phone.hear(2)
    phone.press("9")
    phone.hear(2)
    phone.wait()
    assert phone.log == ["Вопрос?", "Не слышу.", "Вопрос?", "Не то.", "Вопрос?", "hang up"]


def test_keys_lead_to_their_steps() -> None:
    way = "STEP 'x'\ntype = 'say'\nmessage = 'Икс.'\nthen = 'hang_up'\nSTEP 'y'\ntype = 'say'\nmessage = 'Игрек.'\n"
    scenario = steps(ASK.replace("['1', '2']", "{ 1 = 'x', 2 = 'y', 3 = 'hang_up' }") + way)
    for key, last in (("1", ["Икс.", "hang up"]), ("2", ["Игрек.", "hang up"]), ("3", ["hang up"])):
        phone = Phone(scenario)
        phone.hear()
        phone.press(key)
        if phone.playing:
            phone.hear()
        assert phone.log == ["Вопрос?", *last]
        assert phone.result.answers == (("q", key),)


def test_asking_to_hear_it_again_ends_some_time() -> None:
    phone = Phone(steps(SAY + ASK.replace("['1', '2']", "{ 9 = 'a' }")))
    for _ in range(MAX_VISITS):
        phone.hear(2)
        phone.press("9")
    assert phone.over


def test_goto_looks_at_a_variable_and_at_an_answer() -> None:
    goto = "STEP 'g'\ntype = 'goto'\nwhen = { WHEN }\nthen = 'a'\nelse = 'bye'\n"
    by_variable = goto.replace("WHEN", "variable = 'name', is = 'Иван'") + SAY + BYE
    assert Phone(steps(by_variable)).log == ["Сообщение."]
    assert Phone(steps(by_variable), {"name": "Пётр"}).log == ["Пока."]
    phone = Phone(steps(ASK + goto.replace("WHEN", "answer = 'q', is = '2'") + SAY + BYE))
    phone.hear()
    phone.press("1")
    assert phone.log == ["Вопрос?", "Пока."]


def test_a_pause_passes_by_itself_or_by_a_key_that_is_awaited() -> None:
    pause = "STEP 'p'\ntype = 'pause'\nseconds = 3\n"
    phone = Phone(steps(pause + SAY))
    assert phone.timer_s == 3
    phone.press("1")
    assert phone.timer_s == 3
    phone.wait()
    assert phone.log == ["Сообщение."]
    phone = Phone(steps(pause + ASK))
    phone.press("2")
    assert phone.result.answers == (("q", "2"),)


def test_a_key_stops_the_words_before_a_recording_but_not_its_beep() -> None:
    phone = Phone(steps("STEP 'r'\ntype = 'record'\nmessage = 'Говорите.'\nbarge_in = true\n"))
    phone.press("5")
    assert phone.log == ["Говорите. beep", "stop", "beep"]
    phone.press("5")
    phone.hear()
    assert phone.recording == Record("r", 30_000, 3_000, "#")


def test_a_reply_that_the_hang_up_ended_is_kept() -> None:
    phone = Phone(steps("STEP 'r'\ntype = 'record'\nbeep = false\n"))
    phone.run.call_over()
    assert phone.run.recorded("a.wav", 900) == []
    assert phone.result.recordings == (("r", "a.wav"),)


def test_an_empty_reply_is_none() -> None:
    phone = Phone(steps("STEP 'r'\ntype = 'record'\n"))
    phone.hear()
    phone.reply(length_ms=0)
    assert phone.result.recordings == () and phone.over


# -- what it counts as


def test_delivered_after_a_mark() -> None:
    phone = Phone(steps(SAY + SAY.replace("'a'", "'b'") + BYE, top="delivered_after = 'a'\n"))
    assert not phone.result.heard_out
    phone.hear()
    phone.report(False, 0.1)
    assert phone.result.heard_out


def test_words_of_farewell_need_not_be_heard() -> None:
    phone = Phone(steps(SAY + BYE))
    phone.hear()
    phone.report(False, 0.1)
    assert phone.result.heard_out and phone.result.of_ms == 1000


def test_a_greeting_before_a_pin_is_not_the_message() -> None:
    pin = CONFIRM.replace("key = '1'", "pin = '{pin}'\ntries = 1")
    phone = Phone(steps(SAY + pin + SAY.replace("'a'", "'b'")))
    phone.hear(2)
    phone.press("0000")
    assert phone.over and not phone.result.heard_out


def test_a_question_answered_early_was_understood() -> None:
    phone = Phone(steps(ASK + SAY))
    phone.press("1", at=0.2)
    phone.hear()
    assert phone.result.heard_out and (phone.result.heard_ms, phone.result.of_ms) == (1200, 2000)


def test_without_a_confirm_step_none_is_required() -> None:
    assert Phone(steps(SAY)).result.confirm_required is False


def test_a_missing_value_is_found_before_the_call() -> None:
    with pytest.raises(VariableMissing):
        Run(parse((FIXTURES / "debt.toml").read_text(encoding="utf-8")), {"name": "Иван"})


def test_late_reports_change_nothing() -> None:
    run = Run(steps(SAY), PERSON)
    assert run.digit("1") == [] and run.timer() == [] and run.recorded("x", 10) == []
    run.start()
    run.played(1000, 1000, True)
    before = run.result
    assert before.finished
    assert run.timer() == [] and run.played(0, 1000, False) == []
    assert run.result == before
    with pytest.raises(RuntimeError):
        run.start()


# -- any history

EVENTS: dict[str, Callable[[Phone], None]] = {
    "hear": lambda phone: phone.hear() if phone.playing else None,
    "cut off": lambda phone: phone.report(False, 0.4) if phone.playing else None,
    "wait": lambda phone: phone.wait() if phone.timer_s is not None else None,
    "reply": lambda phone: phone.reply() if phone.recording else None,
    **{key: lambda phone, key=key: phone.press(key) for key in "01249*#"},  # type: ignore[misc]
}

WHOLE = steps(
    SAY
    + ASK.replace("['1', '2']", "{ 1 = 'c', 2 = 'r', '*' = 'a' }")
    + CONFIRM.replace("key = '1'", "pin = '{pin}'\nkeys = { '*1' = 'a' }")
    + "STEP 'p'\ntype = 'pause'\nseconds = 1\n"
    + "STEP 'r'\ntype = 'record'\nmessage = 'Говорите.'\nbarge_in = true\n"
    + CONFIRM.replace("'c'", "'d'").replace("'1'", "'12'")
    + BYE
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=60))
def test_any_history_obeys_the_rules_of_a_call(history: list[str]) -> None:
    """Phone checks each action against what a line can do; here the result is checked after every event."""
    phone = Phone(WHOLE)
    pressed = 0
    for name in history:
        if phone.over or phone.run.result.finished:
            break
        EVENTS[name](phone)
        pressed += len(name) == 1
        result = phone.result
        assert 0 <= result.heard_ms <= result.of_ms
        assert len(result.keys) == pressed, "a key was lost"
        assert not result.confirmed or result.confirm_required
        assert result.finished == phone.over
    idle = phone.playing is None and phone.recording is None and phone.timer_s is None
    cut = bool(history) and "cut off" in history
    assert phone.over or not idle or cut, "the call hangs: nothing plays, nothing is awaited"


@settings(max_examples=50, deadline=None)
@given(st.text("0123456789*#", max_size=12))
def test_only_the_right_pin_opens(keys: str) -> None:
    phone = demo("staff")
    phone.hear()
    phone.press(keys)
    opened = any(played.startswith("Сбор") for played in phone.log)
    assert opened <= ("1234" in keys)
    assert opened or not keys.startswith("1234")


def test_the_beep_is_a_fragment_like_others() -> None:
    run = Run(steps("STEP 'r'\ntype = 'record'\n"), PERSON)
    assert run.start() == [Play((Beep(),))]
