"""Why a call ended, as peers write it."""

from __future__ import annotations

import pytest

from protocols.sip.messages import Request, make_headers
from protocols.sip.reasons import LONGEST_S, q850_of, reason_of, retry_after_s_of


def bye(*headers: tuple[str, str]) -> Request:
    return Request("BYE", "sip:a@h", make_headers(headers))


@pytest.mark.parametrize(
    ("reasons", "cause", "text"),
    [
        ([], None, "BYE"),
        (["Q.850;cause=16"], 16, "Q.850;cause=16"),
        (['Q.850 ;cause=17 ;text="User, busy"'], 17, "User, busy"),
        (['SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=31"], 31, "Call completed elsewhere"),
        (["SIP;cause=600, q.850;Cause=21"], 21, "SIP;cause=600, q.850;Cause=21"),
        (["Q.850;cause=0"], None, "Q.850;cause=0"),
        (["Q.850;cause=128"], None, "Q.850;cause=128"),
        (["Q.850;cause=sixteen"], None, "Q.850;cause=sixteen"),
        (["Q.850"], None, "Q.850"),
        (["X;cause=1"], None, "X;cause=1"),
        (['"'], None, '"'),
    ],
)
def test_reason(reasons: list[str], cause: int | None, text: str) -> None:
    message = bye(*(("Reason", reason) for reason in reasons))
    assert (q850_of(message), reason_of(message, "BYE")) == (cause, text)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("17", 17),
        ("120 (in a meeting)", 120),
        ("5;duration=60", 5),
        ("999999999", LONGEST_S),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(header: str, wait_s: int | None) -> None:
    assert retry_after_s_of(bye(("Retry-After", header))) == wait_s
    assert retry_after_s_of(bye()) is None
