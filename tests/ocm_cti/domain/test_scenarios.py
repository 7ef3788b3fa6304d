"""The scenario language: what is read, and what is refused with the step's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocm_cti.domain import scenarios
from ocm_cti.domain.fragments import Beep, Part, Recording, Spoken, VariableMissing
from ocm_cti.domain.scenario_grammar import FIELDS, fields_of
from ocm_cti.domain.scenario_steps import SURVEY_KINDS
from ocm_cti.domain.scenarios import Scenario, ScenarioError, parse, read, required_fragments

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios"

SAY = '[[step]]\nname = "a"\ntype = "say"\nmessage = "Привет."\n'


def ask(**changes: str) -> str:
    fields = {"name": '"q"', "type": '"ask"', "message": '"Один или два?"', "keys": '["1", "2"]', **changes}
    return "[[step]]\n" + "".join(f"{key} = {value}\n" for key, value in fields.items() if value)


def confirm(**changes: str) -> str:
    return ask(**{"name": '"c"', "type": '"confirm"', "keys": "", "key": '"1"', **changes})


@pytest.mark.parametrize("name", ["debt", "staff", "operator", "survey"])
def test_the_scenarios_of_the_demo_are_right(name: str) -> None:
    scenario = parse((FIXTURES / f"{name}.toml").read_text(encoding="utf-8"))
    audio = FIXTURES.parent / "audio"
    assert scenario.recordings and all((audio / recording).is_file() for recording in scenario.recordings)
    assert "name" in scenario.variables


def test_steps_follow_one_another_as_written_unless_told_otherwise() -> None:
    scenario = parse(SAY + confirm(**{"else": '"bye"'}) + '[[step]]\nname = "bye"\ntype = "hang_up"\n')
    steps = scenario.steps
    assert (steps["a"].then, steps["c"].then, steps["c"].otherwise) == ("c", "bye", "bye")
    assert scenario.first.name == "a"
    assert steps["c"].line == 5


def test_nobody_goes_on_past_a_pin_that_was_not_given() -> None:
    """``else`` ends the call unless it is written: the message behind a PIN must not be told to a stranger."""
    scenario = parse(confirm(key="", pin='"1234"') + SAY)
    assert scenario.steps["c"].otherwise is None
    assert scenario.steps["c"].then == "a"


def test_a_key_stops_a_message_only_where_a_key_is_awaited_later() -> None:
    record = '[[step]]\nname = "r"\ntype = "record"\nmessage = "Говорите."\n'
    pause = '[[step]]\nname = "p"\ntype = "pause"\nseconds = 1\n'
    steps = parse(SAY + pause + confirm() + record + SAY.replace('"a"', '"b"')).steps
    assert {name: step.barge_in for name, step in steps.items()} == {
        "a": True,
        "p": True,
        "c": True,
        "r": False,
        "b": False,
    }


def test_what_is_written_about_barge_in_holds() -> None:
    steps = parse(SAY + "barge_in = false\n" + confirm(barge_in="false")).steps
    assert (steps["a"].barge_in, steps["c"].barge_in) == (False, False)


WRONG = [
    ("x = [", "not readable as TOML"),
    ("", "a scenario has at least one [[step]]"),
    ('langauge = "ru"\n' + SAY, "unknown key 'langauge', did you mean 'language'?"),
    (SAY.replace('"a"', '"../a"'), "step '../a' (line 2): name: at most 100 letters, without / and"),
    (SAY.replace('"a"', f'"{"a" * 101}"'), "(line 2): name: at most 100 letters"),
    (SAY + 'mesage = "x"\n', "step 'a' (line 5): unknown key 'mesage', did you mean 'message'?"),
    (SAY + SAY, "step 'a' (line 5): there is another step of this name on line 1"),
    ('[[step]]\ntype = "say"\nmessage = "x"\n', "step number 1 (line 1): name is missing"),
    ('[[step]]\nname = "a"\nmessage = "x"\n', "step 'a' (line 1): type is missing"),
    ('[[step]]\nname = "a"\ntype = "speak"\n', "type 'speak' is none of say, ask"),
    ('[[step]]\nname = "a"\ntype = "say"\n', "step 'a' (line 1): message is missing"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = " ! "\n', "message: nothing to say"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = []\n', "message is empty"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = 5\n', "message: 5 is neither a text nor"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = "{имя}"\n', "message: {имя} is no variable"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = "долг {debt"\n', "a brace without its partner"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = "{dbet}"\n', "step 'a' (line 1): {dbet} is not declared"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = {recording = "../x.wav"}\n', "must lie in the directory"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = {recording = "/x.wav"}\n', "must lie in the directory"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = {recording = "x.exe"}\n', "'x.exe' is no audio file"),
    ('[[step]]\nname = "a"\ntype = "say"\nmessage = {record = "x.wav"}\n', "is neither a text nor"),
    (SAY + 'then = "b"\n', "step 'a' (line 1): then leads to 'b', but there is no such step"),
    (confirm(**{"else": '"b"'}), "else leads to 'b', but there is no such step"),
    (ask(keys='{1 = "b"}'), "key 1 leads to 'b', but there is no such step"),
    (SAY + 'then = "hang_up"\n' + confirm(), "step 'c' (line 6): can never be reached"),
    (SAY + 'then = "a"\n', "the call would go round for ever: a → a"),
    (SAY + confirm(**{"else": '"a"'}), "the call would go round for ever: a → c → a"),
    (ask(keys="[]"), "keys is empty"),
    (ask(keys='["12", "x"]'), "'x' is no key"),
    (ask(keys="[1]"), "1 is no key; write the keys 0-9, * and # in quotes"),
    (ask(keys="{1 = 2}"), "1 must lead to the name of a step, not 2"),
    (ask(tries="0"), "tries is a whole number from 1 to 10, not 0"),
    (ask(tries="true"), "tries is a whole number"),
    (ask(timeout_s='"5"'), "timeout_s is a number of seconds"),
    (ask(timeout_s="-1"), "timeout_s is a number of seconds above 0"),
    (ask(barge_in='"no"'), "barge_in is true or false"),
    (confirm(key=""), "confirm needs either key or pin"),
    (confirm(pin='"12"'), "confirm needs either key or pin"),
    (confirm(key="", pin='"12a"'), "pin: '12a' is neither digits nor a variable"),
    (confirm(key="", pin='"{code}"'), "{code} is not declared under [variables]"),
    (confirm(key="", pin='"12"', keys='{1 = "hang_up"}'), "beside a pin, other keys begin with * or #"),
    (confirm(keys='["1"]'), "key 1 is also among keys"),
    ('[[step]]\nname = "p"\ntype = "pause"\n', "seconds is missing"),
    ('[[step]]\nname = "hang_up"\ntype = "pause"\nseconds = 1\n', "the name hang_up is kept"),
    ('[[step]]\nname = "g"\ntype = "goto"\nthen = "hang_up"\nelse = "hang_up"\n', "else without when"),
    ('[[step]]\nname = "g"\ntype = "goto"\nthen = "hang_up"\nwhen = {is = "1"}\n', "when has is (a text) and one of"),
    (
        SAY + '[[step]]\nname = "g"\ntype = "goto"\nthen = "hang_up"\nwhen = {answer = "a", is = "1"}\n',
        "when looks at the answer of 'a', which is no step that asks",
    ),
    ('[variables]\nx = "sum"\n' + SAY, "variable 'x' (line 2): kind 'sum' is none of"),
    ('[variables]\nx = "money"\n' + SAY, "variable 'x' (line 2): money needs a currency"),
    ('[variables]\nx = {kind = "money", currency = "BTC"}\n' + SAY, "currency 'BTC' is none of RUB"),
    ('[variables]\nx = {kind = "money", currency = "{cur}"}\n' + SAY, "its currency {cur} is not declared"),
    ('[variables]\nx = {kind = "date", gender = "feminine"}\n' + SAY, "a gender belongs to kind number"),
    ('[variables]\nx = {kind = "date", case = "vocative"}\n' + SAY, "case 'vocative' is none of nominative, genitive"),
    ('[variables]\nx = {kind = "name", case = "genitive"}\n' + SAY, "a case belongs to money, number, date, time"),
    ('[variables]\nx = {knd = "date"}\n' + SAY, "variable 'x' (line 2): unknown key 'knd', did you mean 'kind'?"),
    ('delivered_after = "b"\n' + SAY, "delivered_after names 'b', which is no step"),
]


@pytest.mark.parametrize(("text", "why"), WRONG, ids=[why for _, why in WRONG])
def test_a_wrong_scenario_is_refused_with_one_clear_line(text: str, why: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse(text)
    assert why in str(error.value)
    assert error.value.line is None or f"(line {error.value.line})" in str(error.value)
    assert "\n" not in str(error.value)


VARIABLES = (
    '[variables]\nname = "name"\npin = "digits"\ncur = { kind = "text", default = "RUB" }\n'
    'debt = { kind = "money", currency = "{cur}" }\n'
)


def full() -> Scenario:
    say = '[[step]]\nname = "a"\ntype = "say"\nmessage = [{recording = "hi.wav"}, "{name}! Долг {debt}. " ]\n'
    record = '[[step]]\nname = "r"\ntype = "record"\n'
    return parse(VARIABLES + confirm(key="", pin='"{pin}"', wrong='"Нет."') + say + record)


def test_each_fragment_is_needed_once_and_values_stay_unresolved() -> None:
    found = required_fragments(full(), {"name": " Иван ", "pin": "1234", "debt": "10"}, "uk")
    assert len(found) == len(set(found))
    assert found[2:] == [
        Recording("hi.wav"),
        Spoken((Part("name", "Иван", "name"), Part("text", "!")), "uk"),
        Spoken((Part("text", "Долг "), Part("money", "10", "debt", "RUB"), Part("text", ".")), "uk"),
        Beep(),
    ]


def test_the_scenario_lists_its_variables() -> None:
    assert set(full().variables) == {"pin", "name", "debt", "cur"}


@pytest.mark.parametrize(
    ("change", "variable"),
    [({"name": ""}, "name"), ({"debt": "  "}, "debt"), ({"pin": ""}, "pin"), ({"pin": "12a4"}, "pin")],
)
def test_a_missing_value_names_its_variable(change: dict[str, str], variable: str) -> None:
    with pytest.raises(VariableMissing) as error:
        required_fragments(full(), {"name": "Иван", "pin": "1234", "debt": "10", **change})
    assert error.value.variable == variable


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Раз. Два! Три? Четыре…", 4),
        ("Сумма 1.5 рубля, т.е. немного.", 1),
        ("{a}. {a}", 2),
        ("Раз.\n\n  «Два».", 2),
        ("Одна строка", 1),
    ],
)
def test_a_text_is_cut_at_the_ends_of_its_sentences(text: str, sentences: int) -> None:
    scenario = parse(f'[variables]\na = "name"\n[[step]]\nname = "a"\ntype = "say"\nmessage = """{text}"""\n')
    assert len(scenario.first.message) == sentences


def test_the_reference_has_every_type_and_every_key() -> None:
    reference = scenarios.__doc__ or ""
    for kind, keys in FIELDS.items():
        assert re.search(rf"^{kind}\b", reference, re.MULTILINE), kind
        for key in {*keys, *fields_of("survey", None)}:
            assert re.search(rf"\b{key}\b", reference), key
    for kind in SURVEY_KINDS:
        assert re.search(rf"^{kind}\b", reference, re.MULTILINE), kind


REMARKS = [
    ('[variables]\nx = "date"\n' + SAY, "variable 'x' (line 2): is used nowhere"),
    (SAY + "heard = false\n", "scenario: no message in it has to be heard"),
    (confirm(tries="1", wrong='"Нет."'), "step 'c' (line 7): wrong is never said, as tries is 1"),
    (
        'delivered_after = "p"\n' + SAY + '[[step]]\nname = "p"\ntype = "pause"\nseconds = 1\n',
        "step 'p' (line 6): delivered_after names it, but it says nothing",
    ),
    (
        ask(question='"Как?"') + ask(question='"Как?"').replace('"q"', '"r"'),
        "step 'r' (line 7): reports call its question as that of step 'q'",
    ),
    (
        ask(type='"survey"', kind='"single"', keys="", options='{ 1 = "да", 2 = "да" }'),
        "step 'q' (line 1): two of its options have the same label",
    ),
]


@pytest.mark.parametrize(("text", "why"), REMARKS, ids=[why for _, why in REMARKS])
def test_what_is_hardly_meant_is_allowed_and_remarked(text: str, why: str) -> None:
    reading = read(text)
    assert reading.scenario is not None and reading.wrong == ()
    (remark,) = reading.remarks
    assert str(remark).startswith(why)


def test_steps_that_are_not_written_as_tables_have_no_lines() -> None:
    (error,) = read('step = [{ name = "a", type = "say" }]').wrong
    assert (str(error), error.line) == ("step 'a': message is missing", None)
    (error,) = read('[[step]]\nname = "a"\ntype = "ask"\nmessage = "Well?"\n[step.keys]\nx = "a"\n').wrong
    assert error.line == 5, "a key may be a table of its own"
    (error,) = read('[variables.x]\nkind = "sum"\n' + SAY).wrong
    assert error.line == 1
