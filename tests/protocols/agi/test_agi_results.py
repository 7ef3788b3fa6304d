"""AGI: what a real Asterisk answered, and what it might."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.agi.results import AgiResult, parse, parse_encoded, write
from protocols.errors import LocalProtocolError, RemoteProtocolError


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("200 result=0 endpos=24000\n", AgiResult(200, "0", samples=24000)),
        ("200 result=53 endpos=100", AgiResult(200, "53", samples=100)),
        ("200 result=1 (timeout) endpos=40000", AgiResult(200, "1", "timeout", 40000)),
        ("200 result=-1 (hangup) endpos=800", AgiResult(200, "-1", "hangup", 800)),
        ("200 result=1 (a value (with brackets))", AgiResult(200, "1", "a value (with brackets)")),
        ("200 result=", AgiResult(200, "")),
        ("510 Invalid or unknown command", AgiResult(510, "", text="Invalid or unknown command")),
        ("511 Dead channel", AgiResult(511, "", text="Dead channel")),
    ],
)
def test_results(line: str, result: AgiResult) -> None:
    assert parse(line) == result


def test_async_results_are_encoded() -> None:
    assert parse_encoded("200%20result%3D1%20%28HUMAN%29%0A") == AgiResult(200, "1", "HUMAN")


@pytest.mark.parametrize(("line", "ok"), [("200 result=0", True), ("200 result=-1", False), ("510 no", False)])
def test_ok(line: str, ok: bool) -> None:
    assert parse(line).ok is ok


@pytest.mark.parametrize("line", ["", "result=0", "20 x", "HANGUP"])
def test_what_is_no_result(line: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(line)


def test_commands() -> None:
    assert write("STREAM FILE", "/var/lib/a b", "") == 'STREAM FILE "/var/lib/a b" ""'
    assert write("GET VARIABLE", 'A"\\') == 'GET VARIABLE "A\\"\\\\"'
    assert write("NOOP", "plain.1-x") == "NOOP plain.1-x"
    with pytest.raises(LocalProtocolError):
        write("NOOP", "a\nHANGUP")


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    try:
        parse_encoded(text)
    except RemoteProtocolError:
        return
