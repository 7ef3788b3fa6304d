"""What a scenario asked, whatever version of the language it is written in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_made import SURVEY

from ocm_cti.domain import scenario_questions
from ocm_cti.domain.scenarios import parse
from ocm_cti.reports.questions import KINDS, Question, questions

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "scenarios"


def test_every_kind() -> None:
    assert list(questions(SURVEY).values()) == [
        Question("mark", "scale", "How was it?", tuple((str(mark), "") for mark in range(1, 6))),
        Question("why", "single", "Why?", (("1", "price"), ("2", "quality"))),
        Question("again", "yes_no", "again", (("yes", "yes"), ("no", "no"))),
        Question("index", "digits", "index"),
        Question("choice", "single", "choice", (("0", "operator"), ("1", ""))),
        Question("reply", "reply", "reply"),
    ]


@pytest.mark.parametrize(
    ("step", "options"),
    [
        ('type = "ask"\nkeys = ["1", "2"]', (("1", ""), ("2", ""))),
        ('type = "survey"\nkind = "yes_no"\noptions = { 5 = "of course" }', (("yes", "of course"), ("no", "no"))),
        (
            'type = "survey"\nkind = "scale"\nmin = 0\nmax = 2\noptions = { 0 = "bad" }',
            (("0", "bad"), ("1", ""), ("2", "")),
        ),
        ('type = "survey"\nkind = "scale"\nmax = 99\noptions = { 7 = "fine" }', (("7", "fine"),)),
        ('type = "survey"\nkind = "to come"\noptions = { 1 = "x" }', (("1", "x"),)),
        ('type = "survey"\nkind = "single"\noptions = { 1 = { to = "x" } }', (("1", ""),)),
        ('type = "survey"\nkind = "digits"\noptions = { 1 = "x" }', ()),
        ('type = "survey"\nkind = "digits"\nkeys = { "*" = "operator" }', (("*", "operator"),)),
        ('type = "survey"\nkind = "scale"\nmax = 1\n', (("0", ""), ("1", ""))),
    ],
    ids=[
        "list of keys",
        "own keys",
        "named marks",
        "wide scale",
        "unknown kind",
        "no label",
        "digits",
        "a key beside digits",
        "from nought",
    ],
)
def test_options(step: str, options: tuple[tuple[str, str], ...]) -> None:
    (asked,) = questions(f'[[step]]\nname = "q"\nquestion = "Q?"\n{step}\n').values()
    assert (asked.options, asked.label) == (options, "Q?")


@pytest.mark.parametrize("text", ["", "not a scenario", "step = 5", "[[step]]\ntype = 'ask'", "step = ['x']"])
def test_what_can_not_be_read_asks_nothing(text: str) -> None:
    assert questions(text) == {}


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["type", "kind", "question", "options", "keys", "min", "max"]),
        st.sampled_from(
            ['"survey"', '"ask"', '"scale"', "5", "-3", "true", "[]", "[1]", "{}", "{ 1 = 2 }", '{ 1 = "a" }', "1.5"]
        ),
    )
)
def test_nothing_that_stands_in_a_step_stops_the_report(table: dict[str, str]) -> None:
    text = '[[step]]\nname = "q"\n' + "".join(f"{key} = {value}\n" for key, value in table.items())
    for asked in questions(text).values():
        assert asked.kind in KINDS and asked.label


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.toml")), ids=lambda path: path.stem)
def test_what_passes_the_check_is_read_as_the_interpreter_reads_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    told, truth = questions(text), scenario_questions.questions(parse(text))
    assert list(told) == [one.step for one in truth]
    for one in truth:
        assert told[one.step].label == one.label
        assert told[one.step].kind == {"keys": "single"}.get(one.kind, one.kind)
        options = [value for value, _ in told[one.step].options]
        assert sorted(options) == sorted(answer.value for answer in one.answers), one.step
        for answer in one.answers:
            meaning = told[one.step].meaning(answer.value)
            # A yes without a name of its own is told in the language of the report, not in that of the scenario.
            assert meaning in answer.label or meaning == answer.value or one.kind == "keys", (one.step, answer)


def test_the_scenarios_that_are_shipped() -> None:
    asked = {path.stem: list(questions(path.read_text(encoding="utf-8"))) for path in FIXTURES.glob("*.toml")}
    assert asked["debt"] == ["reply"] and asked["operator"] == ["choice"] and asked["staff"] == []
