"""Survey questions: which keys make an answer, when it is complete, what is kept of it, what reports call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_phone import Phone, steps

from ocm_cti.domain.scenario_questions import Answer, questions
from ocm_cti.domain.scenario_run import MAX_VISITS
from ocm_cti.domain.scenarios import ScenarioError, parse, read, required_fragments

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios"


def survey(kind: str, more: str = "") -> str:
    return f"STEP 'q'\ntype = 'survey'\nkind = '{kind}'\nmessage = 'Вопрос?'\nnext_key_s = 2\n{more}\n"


SINGLE = survey("single", "options = { 1 = 'да', 2 = { label = 'нет', to = 'b' } }").replace("next_key_s = 2\n", "")
YES_NO = survey("yes_no").replace("next_key_s = 2\n", "")
SCALE = survey("scale", "max = 10")
DIGITS = survey("digits", "min_length = 2\nmax_length = 4")
READ = survey("digits", "max_length = 4\nread_back = 'Вы набрали {answer}. Верно? Один или два.'")
ONE = "STEP 'a'\ntype = 'say'\nmessage = 'Раз.'\nthen = 'hang_up'\n"
TWO = "STEP 'b'\ntype = 'say'\nmessage = 'Два.'\n"


def asked(text: str, keys: str, wait: bool = False) -> Phone:
    phone = Phone(steps(text + ONE + TWO))
    phone.hear()
    phone.press(keys)
    if wait:
        phone.wait()
    return phone


@pytest.mark.parametrize(
    ("text", "keys", "wait", "answer"),
    [
        (SINGLE, "1", False, "1"),
        (YES_NO, "1", False, "yes"),
        (YES_NO, "2", False, "no"),
        (SCALE, "7", False, "7"),
        (SCALE, "0", False, "0"),
        (SCALE, "10", False, "10"),
        (SCALE, "1", True, "1"),
        (SCALE, "1#", False, "1"),
        (SCALE.replace("max = 10", "min = 5\nmax = 25"), "1", True, None),
        (DIGITS, "1234", False, "1234"),
        (DIGITS, "0012", False, "0012"),
        (DIGITS, "12#", False, "12"),
        (DIGITS, "123", True, "123"),
        (DIGITS, "1#", False, None),
        (DIGITS, "1", True, None),
        (SCALE, "11", False, None),
        (SINGLE, "3", False, None),
    ],
)
def test_keys_make_an_answer(text: str, keys: str, wait: bool, answer: str | None) -> None:
    if "'b' } }" not in text:  # something must lead to the other step
        text += "else = 'b'\n"
    phone = asked(text, keys, wait)
    assert dict(phone.result.answers).get("q") == answer
    assert phone.result.wrong_keys == (answer is None)
    assert phone.log[-1] == ("Вопрос?" if answer is None else "Раз.")


def test_an_option_leads_to_its_own_step() -> None:
    assert asked(SINGLE, "2").log[-1] == "Два."


def test_the_wait_for_another_digit_is_shorter_than_the_wait_for_the_first() -> None:
    phone = asked(SCALE.replace("next", "timeout_s = 9\nelse = 'b'\nnext"), "")
    assert phone.timer_s == 9
    phone.press("1")
    assert phone.timer_s == 2


def test_a_hash_after_an_answer_that_was_complete_means_nothing() -> None:
    phone = asked(SCALE.replace("max", "else = 'b'\nmax"), "7#")
    assert phone.log == ["Вопрос?", "Раз."] and phone.playing is not None


def test_repeat_says_it_again_and_is_no_try() -> None:
    phone = asked(YES_NO + "repeat = '*'\ntries = 1\nelse = 'b'\n", "*")
    phone.hear()
    phone.press("*")
    phone.hear()
    phone.press("1")
    assert phone.log == ["Вопрос?"] * 3 + ["Раз."]
    assert (phone.result.wrong_keys, phone.result.keys) == (0, "**1")


def test_repeat_ends_some_time() -> None:
    phone = Phone(steps(YES_NO + "repeat = '*'\ntries = 1\nelse = 'b'\n" + ONE + TWO))
    for _ in range(MAX_VISITS):
        phone.hear()
        phone.press("*")
    assert phone.log[-1] == "Два."


def test_digits_are_read_back_and_kept_when_they_are_right() -> None:
    phone = asked(READ + "else = 'b'\n", "1205#")
    assert phone.log[-1] == "Вы набрали 1 2 0 5 Верно? Один или два."
    assert phone.result.answers == ()
    phone.hear()
    phone.press("1")
    assert phone.result.answers == (("q", "1205"),)
    assert phone.result.of_ms == 1000, "what is read back is no message that must be heard"


def test_reading_back_needs_a_voice_and_ten_digits() -> None:
    text = READ.replace("'Вы набрали {answer}. Верно? Один или два.'", "'{answer}'").replace(
        "message = 'Вопрос?'", "announcement = '7'"
    )
    scenario = steps(text)
    assert scenario.has_sound_of_ours
    assert [fragment.parts[0].value for fragment in required_fragments(scenario, {})] == list("0123456789")


def test_two_begins_again_and_silence_keeps_nothing() -> None:
    phone = asked(READ + "else = 'b'\n", "12#")
    phone.hear()
    phone.press("2")
    assert phone.log[-1] == "Вопрос?"
    phone.hear()
    phone.press("34#")
    phone.hear()
    phone.wait()
    assert phone.log[-1] == "Вы набрали 3 4 Верно? Один или два."
    phone.hear()
    phone.wait()
    assert phone.log[-1] == "Два." and phone.result.answers == ()


@pytest.mark.parametrize(("score", "then"), [("6", "Раз."), ("7", "Два.")])
def test_goto_looks_at_the_bounds_of_an_answer(score: str, then: str) -> None:
    goto = "STEP 'g'\ntype = 'goto'\nwhen = { answer = 'q', at_most = 6 }\nthen = 'a'\nelse = 'b'\n"
    assert asked(SCALE + goto, score).log[-1] == then


def test_goto_sees_that_nothing_was_answered_or_left() -> None:
    goto = "STEP 'g'\ntype = 'goto'\nwhen = { answer = 'q', is = '' }\nthen = 'a'\nelse = 'b'\n"
    phone = asked(SCALE + "tries = 1\nelse = 'g'\n" + goto, "", wait=True)
    assert phone.log[-1] == "Раз."
    record = "STEP 'r'\ntype = 'record'\nbeep = false\n" + goto.replace("'q', is = ''", "'r', is = 'recorded'")
    for length_ms, then in ((900, "Раз."), (0, "Два.")):
        phone = Phone(steps(record + ONE + TWO))
        phone.reply(length_ms=length_ms)
        assert phone.log[-1] == then


# -- hanging up right after the key


@pytest.mark.parametrize("barge_in", ["true", "false"])
def test_a_key_counts_when_he_hangs_up_before_the_message_has_stopped(barge_in: str) -> None:
    phone = Phone(steps(YES_NO + f"else = 'b'\nbarge_in = {barge_in}\n" + ONE + TWO))
    phone.take(phone.run.digit("2"))
    phone.run.call_over()
    assert phone.run.played(300, 1000, False) == []
    result = phone.result
    assert (result.answers, result.finished, result.heard_ms) == ((("q", "no"),), False, 300)


def test_an_answer_that_could_have_grown_counts_when_he_hangs_up() -> None:
    phone = asked(SCALE + "else = 'b'\n", "1")
    phone.run.call_over()
    assert phone.result.answers == (("q", "1"),)


NEVER = "STEP 'never'\ntype = 'stop_list'\nlist = 'asked'\nmessage = 'Хорошо.'\n"


def test_dont_call_me() -> None:
    text = YES_NO + "keys = { 9 = 'never' }\nelse = 'a'\n" + ONE + NEVER
    phone = Phone(steps(text))
    phone.hear()
    phone.press("9")
    assert phone.log[-1] == "Хорошо."
    assert (phone.result.stop_lists, phone.result.answers) == (("asked",), (("q", "9"),))
    phone = Phone(steps(text))
    phone.take(phone.run.digit("9"))
    phone.run.call_over()
    phone.run.played(100, 1000, False)
    assert phone.result.stop_lists == ("asked",), "also when he hangs up at once"
    phone = Phone(steps(text))
    phone.hear()
    phone.press("1")
    assert phone.result.stop_lists == ()


# -- the mark


MARKED = "STEP 'a'\ntype = 'say'\nmessage = ['Долг. Срок вышел.', { delivered = true }, 'Спасибо.']\n" + TWO


@pytest.mark.parametrize(("heard_ms", "delivered"), [(1999, False), (2000, True), (2500, True)])
def test_a_mark_inside_a_message(heard_ms: int, delivered: bool) -> None:
    phone = Phone(steps(MARKED), length_ms=lambda _: 1000)
    phone.take(phone.run.played(heard_ms, 3000, False))
    assert phone.result.heard_out == delivered


def test_without_lengths_the_mark_is_the_end_of_the_message() -> None:
    phone = Phone(steps(MARKED))
    assert not phone.result.heard_out
    phone.hear()
    assert phone.result.heard_out


# -- what is refused


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (survey("stars"), "kind 'stars' is none of single"),
        (SINGLE.replace("options", "#"), "options is missing"),
        (survey("digits"), "max_length is missing"),
        (survey("scale"), "max is missing"),
        (SINGLE.replace("'да'", "5"), 'options: 1 has a text or { label = "…", to = "step" }, not 5'),
        (SINGLE.replace("'b'", "'nowhere'"), "option 2 leads to 'nowhere', but there is no such step"),
        (SINGLE.replace("1 =", "x ="), "options: 'x' is no key"),
        (SINGLE + "keys = { 1 = 'b' }\n", "key 1 is also among options"),
        (SINGLE + "keys = ['3']\n", "keys of a survey are a table"),
        (SINGLE + "repeat = '1'\n", "repeat: key 1 has another meaning too"),
        (SINGLE + "repeat = '**'\n", "repeat: '**' is more than one key"),
        (YES_NO + "options = { 1 = 'да' }\n", "options of yes_no are two"),
        (YES_NO + "max = 5\n", "unknown key 'max'"),
        (SCALE + "min = 10\n", "max 10 is not above min 10"),
        (SCALE + "options = { 11 = 'x' }\n", "options: 11 is no mark from 0 to 10"),
        (SCALE + "repeat = '9'\n", "other keys begin with *"),
        (SCALE.replace("10", "100"), "max is a whole number from 0 to 99, not 100"),
        (DIGITS.replace("max_length = 4", "max_length = 1"), "max_length 1 is below min_length 2"),
        (READ.replace("{answer}", ""), "read_back is a text with {answer} in it, once"),
        (READ.replace("{answer}", "{answer} {answer}"), "read_back is a text with {answer} in it, once"),
        (NEVER.replace("list = 'asked'\n", ""), "list is missing"),
        (
            MARKED.replace("say", "hang_up", 1) + "STEP 'c'\ntype = 'say'\nmessage = ['Х.', {delivered = true}]\n",
            "stands once",
        ),
        (MARKED.replace("['Долг. Срок вышел.', ", "["), "stands once, behind what must have been heard"),
    ],
)
def test_a_wrong_question_is_refused(text: str, why: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        steps(text if TWO in text else text + TWO)
    assert why in str(refused.value)
    assert refused.value.line is not None


# -- for reports


def test_the_questions_of_the_example() -> None:
    scenario = parse((FIXTURES / "survey.toml").read_text(encoding="utf-8"))
    found = {one.step: one for one in questions(scenario)}
    assert [(one.step, one.kind) for one in found.values()] == [
        ("visited", "yes_no"),
        ("doctor", "single"),
        ("score", "scale"),
        ("why", "reply"),
        ("phone", "digits"),
    ]
    assert found["doctor"].label == "У какого врача"
    assert found["doctor"].answers[0] == Answer("1", "терапевт")
    assert found["visited"].label_of("no") == "нет"
    assert found["visited"].label_of("9") == "9 → never_again"
    assert found["score"].label_of("10") == "10 (обязательно)"
    assert [answer.value for answer in found["score"].answers] == [str(mark) for mark in range(11)]
    assert found["phone"].label_of("1234") == "1234"


def test_the_examples_have_nothing_to_remark() -> None:
    for path in sorted(FIXTURES.glob("*.toml")):
        reading = read(path.read_text(encoding="utf-8"))
        assert (reading.wrong, reading.remarks) == ((), ()), path


def test_everything_wrong_is_told_at_once_with_lines() -> None:
    text = (
        'langauge = "ru"\n[variables]\nx = "sum"\ny = "date"\n'
        '[[step]]\nname = "a"\ntype = "say"\nmessage = "{z}"\nthen = "nowhere"\n'
        '[[step]]\nname = "b"\ntype = "ask"\nmessage = 5\nkeys = ["q"]\ntries = 99\n'
    )
    found = [(error.line, error.what.split(":")[0].split(",")[0]) for error in read(text).wrong]
    assert found == [
        (1, "unknown key 'langauge'"),
        (3, "kind 'sum' is none of text"),
        (13, "message"),
        (14, "keys"),
        (15, "tries is a whole number from 1 to 10"),
        (5, "then leads to 'nowhere'"),
        (5, "{z} is not declared under [variables]"),
    ]
