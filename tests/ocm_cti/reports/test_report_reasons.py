"""Why a call ended: one sentence for whoever knows no switch, and the switch's own words beside it."""

from __future__ import annotations

import pytest

from ocm_cti.domain.causes import Cause
from ocm_cti.reports.reasons import SENTENCES, sentence, told
from ocm_cti.reports.words import Words


@pytest.mark.parametrize(
    ("cause", "native", "plain"),
    [
        ("normal", "ocm hang-up hang up", "we ended the call"),
        ("cancelled", "ocm hang-up hang up", "we ended the call"),
        ("normal", "csta 48 normalClearing", "the call ended in the usual way"),
        ("rejected", "csta 48 normalClearing", "the call was declined"),
        ("no_answer", "ocm ring-late ring timeout", "nobody picked up"),
        ("line_fault", "ocm not-placed the number was put on a stop list meanwhile", "the call was not begun"),
        ("unknown", "ocm crash in flight at a crash; not settled", "the server ended during the call"),
        ("", "sip us", "what came of the call is not known"),
        ("", "", ""),
    ],
)
def test_a_sentence(cause: str, native: str, plain: str) -> None:
    assert sentence(cause, native) == plain
    assert told(cause, native, Words()) == (f"{plain} ({native})" if plain else "")


@pytest.mark.parametrize("cause", list(Cause), ids=lambda cause: cause.value)
def test_every_cause_has_one(cause: Cause) -> None:
    assert sentence(cause.value, "csta 1 x") in SENTENCES


def test_in_another_language() -> None:
    assert told("busy", "csta 3 busy", Words("uk")) == "телефон був зайнятий (csta 3 busy)"
