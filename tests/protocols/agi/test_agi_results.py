"""AGI commands and their answers, as tables and as properties."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.agi.results import AgiResult, command, parse_encoded, parse_result, quoted
from protocols.errors import LocalProtocolError, RemoteProtocolError

#: As Asterisk 22 says them.
ANSWERS = {
    "200 result=0": AgiResult(200, 0),
    "200 result=0 endpos=24000": AgiResult(200, 0, endpos=24000),
    "200 result=-1 endpos=0": AgiResult(200, -1, endpos=0),
    "200 result=1 (timeout) endpos=16000": AgiResult(200, 1, "timeout", 16000),
    "200 result=6136 (timeout) endpos=18880": AgiResult(200, 6136, "timeout", 18880),
    "200 result=42 (dtmf) endpos=5440": AgiResult(200, 42, "dtmf", 5440),
    "200 result=-1 (hangup) endpos=11840": AgiResult(200, -1, "hangup", 11840),
    "200 result=-1 (writefile)": AgiResult(200, -1, "writefile"),
    "200 result=1 (MACHINE)": AgiResult(200, 1, "MACHINE"),
    "200 result=1 (a (b) endpos=c)": AgiResult(200, 1, "a (b) endpos=c"),
    "200 result=1 ()": AgiResult(200, 1, ""),
    "510 Invalid or unknown command": AgiResult(510, text="Invalid or unknown command"),
    "511 Command Not Permitted on a dead channel or intercept routine": AgiResult(
        511, text="Command Not Permitted on a dead channel or intercept routine"
    ),
    "520 End of proper usage.": AgiResult(520, text="End of proper usage."),
    "200": AgiResult(200),
}


@pytest.mark.parametrize("line", ANSWERS)
def test_answers(line: str) -> None:
    assert parse_result(line) == ANSWERS[line]
    assert parse_result(line + "\n") == ANSWERS[line]
    assert parse_encoded(quote(line + "\n")) == ANSWERS[line]


def test_what_failed() -> None:
    failed = {line for line, answer in ANSWERS.items() if answer.failed}
    assert failed == {line for line in ANSWERS if line.startswith("5") or "=-1" in line}


@pytest.mark.parametrize("line", ["", "HANGUP", "20", "2000 result=0", "result=0", "two hundred"])
def test_what_is_no_answer(line: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_result(line)


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_text_is_an_answer_or_a_clear_error(line: str) -> None:
    for parse in (parse_result, parse_encoded):
        try:
            answer = parse(line)
        except RemoteProtocolError:
            continue
        assert 0 <= answer.code <= 999


def unquoted(line: str) -> list[str]:
    """As Asterisk takes a command apart (res_agi.c parse_args)."""
    words, word, in_quotes, escaped, begun = [], "", False, False, False
    for sign in line:
        if escaped:
            word, escaped = word + sign, False
        elif sign == "\\":
            begun = escaped = True
        elif sign == '"':
            in_quotes, begun = not in_quotes, True
        elif sign == " " and not in_quotes:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + sign, True
    return [*words, word] if begun else words


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=12), max_size=5))
def test_words_arrive_as_they_were(words: list[str]) -> None:
    assert unquoted(command("STREAM FILE", *words)) == ["STREAM", "FILE", *words]


@pytest.mark.parametrize("word", ["a\nb", "a\r", "\0"])
def test_a_line_end_would_be_another_command(word: str) -> None:
    with pytest.raises(LocalProtocolError):
        quoted(word)
