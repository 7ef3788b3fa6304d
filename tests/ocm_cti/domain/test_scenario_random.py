"""Any scenario with any person ends, loses no key and comes to a result; any text is a scenario or says why not."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_phone import PERSON, Phone

from ocm_cti.domain.outcomes import Outcome, of_answered
from ocm_cti.domain.scenario_actions import Transfer
from ocm_cti.domain.scenario_questions import questions
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenario_walk import HANG_UP, NOBODY, walk
from ocm_cti.domain.scenarios import Scenario, ScenarioError, VariableMissing, read, required_fragments

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios"
KEYS = "0123456789*#"
KINDS = ["say", "ask", "confirm", "pin", "single", "yes_no", "scale", "digits", "read"]
KINDS += ["record", "pause", "transfer", "goto", "stop_list"]
#: More than any call of the scenarios made here can have: steps x visits x tries and repeats.
LONGEST = 20_000


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    """Up to seven steps; what follows by itself leads forward, keys lead anywhere."""
    count = draw(st.integers(1, 7))
    names = [f"s{place}" for place in range(count)]
    anywhere = st.sampled_from([*names, "hang_up"])
    text = "[variables]\nname = 'name'\npin = 'digits'\n"
    for place, name in enumerate(names):
        forward = names[place + 1] if place + 1 < count else "hang_up"
        kind = draw(st.sampled_from(KINDS))
        barge_in = draw(st.sampled_from(["", "barge_in = true\n", "barge_in = false\n"]))
        tail = f"tries = {draw(st.integers(1, 3))}\nelse = '{forward}'\n" + draw(
            st.sampled_from(["", "wrong = 'Нет.'\n", "silent = 'Не слышу.'\n", "repeat = '*'\n"])
        )
        to = draw(anywhere)
        earlier = [other for other in names[:place] if f"{other}'\ntype = 'survey'" in text]
        body = {
            "say": "type = 'say'\nmessage = 'Раз. Два.'\n" + barge_in,
            "ask": f"type = 'ask'\nmessage = 'Что?'\nkeys = {{ 1 = '{to}', 12 = '{forward}', 0 = '{name}' }}\n" + tail,
            "confirm": f"type = 'confirm'\nmessage = 'Да?'\nkey = '1#'\nkeys = {{ 2 = '{to}' }}\n" + tail,
            "pin": f"type = 'confirm'\nmessage = 'Код?'\npin = '{{pin}}'\nkeys = {{ '*1' = '{to}' }}\n"
            + tail.replace("repeat = '*'\n", ""),
            "single": f"type = 'survey'\nkind = 'single'\nmessage = 'Что?'\noptions = {{ 1 = 'а', 2 = {{ label = 'б', "
            f"to = '{to}' }} }}\n" + tail,
            "yes_no": f"type = 'survey'\nkind = 'yes_no'\nmessage = 'Да?'\nkeys = {{ 9 = '{to}' }}\n" + tail,
            "scale": "type = 'survey'\nkind = 'scale'\nmessage = 'Сколько?'\nmin = 3\nmax = 12\n" + tail,
            "digits": "type = 'survey'\nkind = 'digits'\nmessage = 'Номер?'\nmin_length = 2\nmax_length = 4\n" + tail,
            "read": "type = 'survey'\nkind = 'digits'\nmessage = 'Номер?'\nmax_length = 3\n"
            "read_back = 'Вы набрали {answer}. Верно?'\n" + tail,
            "record": "type = 'record'\nmessage = 'Говорите.'\n" + barge_in,
            "pause": "type = 'pause'\nseconds = 1\n" + barge_in,
            "transfer": "type = 'transfer'\nto = '201'\n",
            "stop_list": "type = 'stop_list'\nlist = 'asked'\n",
            "goto": (
                f"type = 'goto'\nwhen = {{ answer = '{draw(st.sampled_from(earlier))}', at_least = 5 }}\n"
                if earlier
                else "type = 'goto'\nwhen = { variable = 'name', is = 'Иван' }\n"
            )
            + f"then = 'hang_up'\nelse = '{forward}'\n",
        }[kind]
        text += f"[[step]]\nname = '{name}'\n" + body + (barge_in if "barge_in" not in body and "tries" in body else "")
    return text


def scenario_of(text: str) -> Scenario:
    reading = read(text)
    assert reading.scenario is not None, ([str(error) for error in reading.wrong], text)
    return reading.scenario


def check_result(scenario: Scenario, phone: Phone, pressed: int) -> None:
    result = phone.result
    assert len(result.keys) == pressed, "a key was lost"
    assert 0 <= result.heard_ms <= result.of_ms
    assert result.confirmed <= result.confirm_required
    outcome = of_answered(confirmed=result.confirmed, heard_out=result.heard_out, fault=False)
    assert outcome in (Outcome.CONFIRMED, Outcome.DELIVERED, Outcome.CUT_SHORT)
    asked = {question.step: question for question in questions(scenario)}
    for name, value in result.answers:
        step = scenario.steps[name]
        assert step.collects
        if name in asked and asked[name].answers:
            assert value in [answer.value for answer in asked[name].answers], (name, value)
        if step.survey == "digits" and value not in step.keys:
            assert step.minimum <= len(value) <= step.maximum
    assert set(result.stop_lists) <= {"asked"}


@settings(max_examples=100, deadline=None)
@given(scenarios(), st.integers(0, 2**32), st.sampled_from([0.05, 0.5, 0.95]))
def test_any_person_comes_to_an_end(text: str, seed: int, liking_for_keys: float) -> None:
    """Phone checks every action; here: no call is without end, and whenever it is cut its result is one."""
    scenario = scenario_of(text)
    person = Random(seed)
    cut_at = person.choice([None, person.randrange(60)])
    phone, pressed = Phone(scenario), 0
    for turn in range(LONGEST):
        if phone.over:
            break
        if turn == cut_at:
            phone.run.call_over()
            phone.run.played(300, 3000, False)
            check_result(scenario, phone, pressed)
            return
        if phone.transferring is not None:
            phone.transfer(person.random() < 0.5)
        elif person.random() < liking_for_keys:
            phone.press(person.choice(KEYS), at=person.random())
            pressed += 1
        elif phone.playing is not None:
            phone.hear()
        elif phone.recording is not None:
            phone.reply(length_ms=person.choice([0, 900]))
        else:
            phone.wait()
        assert phone.result.finished == phone.over
    assert phone.over, "the call would never end"
    check_result(scenario, phone, pressed)


@settings(max_examples=100, deadline=None)
@given(scenarios(), st.lists(st.one_of(st.text(KEYS, max_size=6), st.just(HANG_UP), st.just(NOBODY)), max_size=30))
def test_any_scenario_can_be_walked_through(text: str, typed: list[str]) -> None:
    run = Run(scenario_of(text), PERSON)
    walking = walk(run)
    answers = iter(typed)
    action = next(walking)
    try:
        for _ in range(LONGEST):
            did = next(answers, "")
            if isinstance(action, Transfer) or did == HANG_UP or set(did) <= set(KEYS):
                action = walking.send(did)
            else:
                action = walking.send("")
        raise AssertionError("it would never end")
    except StopIteration as end:
        assert end.value == run.result


def test_keys_by_the_hundred_are_no_endless_way() -> None:
    """Somebody leans on the keys while a message plays that no key may stop."""
    text = (
        "[[step]]\nname = 'a'\ntype = 'say'\nmessage = 'Раз.'\nbarge_in = false\n"
        "[[step]]\nname = 'b'\ntype = 'ask'\nmessage = 'Что?'\nkeys = { 1 = 'c' }\ntries = 10\n"
        "[[step]]\nname = 'c'\ntype = 'ask'\nmessage = 'Что?'\nkeys = { 1 = 'b' }\ntries = 10\n"
    )
    phone = Phone(scenario_of(text))
    phone.press("1" * 2000)
    phone.hear()
    assert phone.over and len(phone.result.keys) == 2000


EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*.toml"))]
PIECES = [
    "[[step]]", "name = ", '"x"', "type", '"survey"', "kind = ", "[", "]", "{", "}", "=", "\n", '"""', "'", "1", "-1",
    "1e400", "1979-05-27", "true", "nan", "[variables]", "[step.keys]", "{answer}", "{ delivered = true }", "hang_up",
    "options = { 1 = 2 }", "max = 3", "repeat", "\\u0000", "\x00", "#", '"{name}"', "[[step.x]]", "step = 1",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=5), st.just(text[begin:end] * 2)))
        text = text[:begin] + piece + text[end:]
    return text


@settings(max_examples=100, deadline=None)
@given(mutated())
def test_a_changed_text_is_a_scenario_or_says_what_is_wrong(text: str) -> None:
    reading = read(text)
    for error in (*reading.wrong, *reading.remarks):
        assert isinstance(error, ScenarioError) and "\n" not in error.place
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1
    if reading.scenario is None:
        assert reading.wrong
        return
    questions(reading.scenario)
    try:
        required_fragments(reading.scenario, dict.fromkeys(reading.scenario.declared, "1"))
    except VariableMissing:
        return
    Phone(reading.scenario, dict.fromkeys(reading.scenario.declared, "1"))


def test_what_no_scenario_is() -> None:
    for text in (
        "[" * 5000,
        "a = " + "[" * 5000,
        "step = 1",
        "x = " + "9" * 5000,
        "\x00",
        "[[step]]\n" * 3,
        "a" * 300_000,
    ):
        assert read(text).scenario is None
