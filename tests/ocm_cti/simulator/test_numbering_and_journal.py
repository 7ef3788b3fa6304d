"""Where digits lead, and a journal that goes on where it ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocm_cti.simulator.callees import Callee, Directory
from ocm_cti.simulator.effects import Extension, Trunk
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.numbering import Group, Numbering, Outside, Station
from ocm_cti.simulator.switch import Switch

CITY, SPARE, LONG = Group("city", "9", "isdn", 2), Group("spare", "9", "lco", 1, 3), Group("long", "98", "sip", 1, 4)
PLAN = Numbering([Station("301"), Station("98"), Station("350", kind="phone")], [CITY, SPARE, LONG])


@pytest.mark.parametrize(
    ("digits", "destination"),
    [
        ("301", Extension("301")),
        ("98", Extension("98")),  # an extension wins over an access code
        ("9123", Outside("123", (CITY, SPARE))),
        ("98123", Outside("123", (LONG,))),  # the longest code wins
        ("9", None),
        ("302", None),
        ("", None),
    ],
)
def test_where_digits_lead(digits: str, destination: object) -> None:
    assert PLAN.destination(digits) == destination


def test_trunks_count_through_the_groups() -> None:
    assert PLAN.trunks == (Trunk(1), Trunk(2), Trunk(3), Trunk(4))
    assert [PLAN.kind(trunk) for trunk in PLAN.trunks] == ["isdn", "isdn", "lco", "sip"]
    assert [PLAN.signals(trunk) for trunk in PLAN.trunks] == [True, True, False, True]
    assert (PLAN.is_phone(Extension("350")), PLAN.is_phone(Extension("301"))) == (True, False)


def test_a_plain_plan_is_made_of_the_settings() -> None:
    plan = Numbering.plain(Settings.from_pairs(["access_code=0", "trunks=3", "trunk_kind=lco"]), ["201"])
    assert plan.destination("0123") == Outside("123", (Group("trunks", "0", "lco", 3),))
    assert plan.extensions == (Extension("201"),)


def test_a_journal_that_was_begun_before_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    journal = Journal(path, lambda: 1.5)
    assert journal.last_call == 0
    for call in (1, 7, 3, None):
        journal.write("make_call", call, {})
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"call": 9, "ev')  # the machine lost its power here
    journal = Journal(path, lambda: 2.0)
    assert journal.last_call == 7
    journal.write("ended", 8, {})
    journal.close()
    assert Journal(None, lambda: 0.0).last_call == 0
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[0]) == {"t": 1.5, "event": "make_call", "call": 1}
    assert json.loads(lines[-1]) == {"t": 2.0, "event": "ended", "call": 8}


def test_the_first_call_of_a_switch_has_the_number_it_is_told() -> None:
    directory = Directory([Callee("", "answers", answer_after_s=1.0)])
    pbx = Switch(Settings(), ["301"], directory, first_serial=8)
    pbx.extension_registered("301", True)
    assert pbx.make_call("301", "91").serial == 8
