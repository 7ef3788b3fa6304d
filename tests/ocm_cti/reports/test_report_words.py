"""The table of words has every word that a report says, in every language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ocm_cti
from ocm_cti.commands import report_people
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import DEFAULT_RULES
from ocm_cti.domain.why_not import MEANINGS
from ocm_cti.reports import tables
from ocm_cti.reports.columns import ANSWERS, ATTEMPTS, PEOPLE
from ocm_cti.reports.reasons import SENTENCES
from ocm_cti.reports.words import LANGUAGES, TABLE, Words, language_of

ROOT = Path(ocm_cti.__file__).parent
CODES = [
    *(outcome.value for outcome in Outcome),
    *(cause.value for cause in Cause),
    *(f"retry_{outcome.value}" for outcome in DEFAULT_RULES),
    *("due", "start", "window", "cap", "being_called", "next_number", "line_fault", "stop_list", "paused"),
    *MEANINGS,
    *("running", "stopping", "done", "open", "calling", "total"),
]
#: As the ledger writes them: the columns of the tables of figures.
HEADINGS = [column.heading for column in (*PEOPLE, *ATTEMPTS, *ANSWERS)]


def said_in_the_source() -> set[str]:
    """Every text that is given to ``words(...)`` where reports are made."""
    found = set()
    for path in [*ROOT.glob("reports/*.py"), *ROOT.glob("commands/report_*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("words", "heading") and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_nothing_is_left_in_english(language: str) -> None:
    words = Words(language)
    said = said_in_the_source() - {""}
    assert len(said) > 30
    headings = {*HEADINGS, *tables._TOTALS, *report_people._HEADINGS, *SENTENCES}
    assert sorted(word for word in {*said, *headings, *CODES} if words(word) == word) == []


def test_the_table_is_whole() -> None:
    places = re.compile(r"\{\w+\}")
    for english, translated in TABLE.items():
        assert len(translated) == len(LANGUAGES) - 1
        for text in translated:
            assert text.strip() and sorted(places.findall(text)) == sorted(places.findall(english))


def test_english_keeps_codes_in_files_and_speaks_on_paper() -> None:
    assert (Words().code("no_answer"), Words().code_in_prose("no_answer")) == ("no_answer", "no answer")
    assert (Words("ru").code("no_answer"), Words("uk").code("paused: by hand")) == ("нет ответа", "пауза: by hand")


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (None, "", ""),
        (7.4, "7 s", "7 с"),
        (99.4, "99 s", "99 с"),
        (600, "10 min", "10 мин"),
        (3 * 3600 + 1800, "3.5 h", "3,5 ч"),
        (86_400 * 3, "3.0 days", "3,0 дн."),
    ],
)
def test_durations(seconds: float | None, english: str, russian: str) -> None:
    assert (Words("en").duration(seconds), Words("ru").duration(seconds)) == (english, russian)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.034, "3.4 %"),
        (0.995, "99.5 %"),
        (0.000001, "<0.1 %"),
        (0.999999, ">99.9 %"),
    ],
)
def test_shares_never_look_like_all_or_none_when_they_are_not(share: float, told: str) -> None:
    assert Words().percent(share).replace("\N{NO-BREAK SPACE}", " ") == told


def test_the_language_of_paper() -> None:
    assert [language_of(given) for given in (["ru", "ru-RU"], ["uk"], ["ru", "uk"], ["kk"], [])] == [
        "ru",
        "uk",
        "en",
        "en",
        "en",
    ]
    with pytest.raises(ValueError, match="none of the languages"):
        Words("fr")
