"""Changes of somebody's own ocm.toml: only what is asked, never what would not work."""

from __future__ import annotations

import copy
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panel_office import Desk

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.config_file import KEPT, Place, _changed
from ocm_cti.office.errors import ChangedMeanwhile, NotAllowed, Refused

ANNA = Caller("account:1", "anna", Scope.ADMIN)
FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "config").glob("*.toml"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    yield opened
    opened.close()


def text_of(desk: Desk) -> str:
    return desk.office.config_file.path.read_bytes().decode("utf-8")


def test_one_line_changes_and_all_others_stay(desk: Desk) -> None:
    path = desk.office.config_file.path
    own = "# the accountant's\n[lists.debtors]\nring_timeout_s = 25.0   # he is slow\n"
    path.write_text(path.read_text().replace("[lists.debtors]\n", own))
    before = text_of(desk).splitlines()
    config = desk.office.config_file.change(
        ANNA, "list.change", "debtors", {("lists", "debtors", "ring_timeout_s"): 40}
    )
    after = text_of(desk).splitlines()
    assert [line for line in after if line not in before] == ["ring_timeout_s = 40   # he is slow"]
    assert len(after) == len(before)
    assert config.lists["debtors"].settings.ring_timeout_s == 40
    assert desk.office.settings.load() is config


def test_a_list_is_made_and_taken_away(desk: Desk) -> None:
    edit = desk.office.config_file
    before = text_of(desk)
    rules = {"busy": {"tries": 2, "delay_s": 60}}
    table = {"scenario": "scenario.toml", "zone": "Europe/Kyiv", "windows": {"mon-fri": "09:00-20:00"}, "retry": rules}
    config = edit.change(ANNA, "list.add", "Должники 2", {("lists", "Должники 2"): table})
    assert config.lists["Должники 2"].settings.zone == "Europe/Kyiv"
    assert text_of(desk).startswith(before.rstrip("\n"))
    assert edit.table("lists", "Должники 2") == table
    config = edit.change(ANNA, "list.remove", "Должники 2", {("lists", "Должники 2"): None})
    assert list(config.lists) == ["debtors", "staff"]
    assert text_of(desk).rstrip() == before.rstrip()


def test_what_could_not_be_used_changes_nothing(desk: Desk) -> None:
    before = text_of(desk)
    with pytest.raises(Refused, match=r"ocm\.toml:\d+: lists\.debtors.*zone: 'Mars' is no zone"):
        desk.office.config_file.change(ANNA, "list.change", "debtors", {("lists", "debtors", "zone"): "Mars"})
    assert text_of(desk) == before
    assert [entry.deed for entry in desk.office.audit(ANNA)] == []
    assert not list(desk.office.config_file.path.parent.glob(".ocm*"))


def test_who_may_not_and_who_comes_too_late(desk: Desk) -> None:
    edit = desk.office.config_file
    zone: dict[Place, object] = {("lists", "debtors", "zone"): "Europe/Kyiv"}
    with pytest.raises(NotAllowed):
        edit.change(Caller("account:2", "boris", Scope.OPERATE), "list.change", "debtors", zone)
    seen = edit.stamp()
    edit.change(ANNA, "list.change", "debtors", zone, stamp=seen)
    with pytest.raises(ChangedMeanwhile):
        edit.change(ANNA, "list.change", "debtors", {("lists", "debtors", "zone"): "Asia/Omsk"}, stamp=seen)
    assert edit.table("lists", "debtors")["zone"] == "Europe/Kyiv"


def test_the_audit_has_the_keys_and_no_value_and_the_old_file_is_kept_for_its_owner(desk: Desk) -> None:
    edit, before = desk.office.config_file, text_of(desk)
    edit.change(ANNA, "switch.change", "office", {("gateways", "office", "password_pattern"): "geheim{extension}"})
    (entry,) = desk.office.audit(ANNA)
    assert (entry.deed, entry.subject, entry.details) == (
        "switch.change",
        "office",
        {"keys": ["gateways.office.password_pattern"]},
    )
    (kept,) = (desk.office.data / KEPT).iterdir()
    assert kept.read_bytes().decode() == before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_link_a_mark_and_the_ends_of_lines_stay(desk: Desk) -> None:
    path = desk.office.settings.first.path
    real = path.with_name("real.toml")
    real.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    real.chmod(0o640)
    path.unlink()
    path.symlink_to(real)
    desk.office.config_file.change(ANNA, "list.change", "staff", {("lists", "staff", "region"): "UA"})
    assert path.is_symlink()
    octets = real.read_bytes()
    assert octets.startswith(b"\xef\xbb\xbf")
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert desk.office.settings.load().lists["staff"].settings.region == "UA"


def test_a_file_with_a_mistake_is_left_alone(desk: Desk) -> None:
    desk.office.config_file.path.write_text("[lists\n")
    with pytest.raises(Refused, match="mend it by hand"):
        desk.office.config_file.change(ANNA, "list.change", "staff", {("lists", "staff", "region"): "UA"})
    assert text_of(desk) == "[lists\n"


names = st.sampled_from(["debtors", "staff", "Новый", "a b", "windows", "retry", "scenario", "x.y"])
plain = st.none() | st.integers(0, 9) | st.text(max_size=5) | st.booleans() | st.lists(st.text(max_size=3), max_size=2)
values = plain | st.dictionaries(names, plain.filter(lambda one: one is not None), max_size=2)
places = st.tuples(st.sampled_from(["lists", "gateways", "speech", "data"]), names) | st.tuples(
    st.sampled_from(["lists", "gateways"]), names, names
)


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(FIXTURES), changes=st.dictionaries(places, values, max_size=4))
def test_the_file_says_what_is_asked_and_nothing_else(path: Path, changes: dict[Any, Any]) -> None:
    """Whatever is asked of whatever file: it is done to the letter, or refused."""
    before = path.read_bytes()
    try:
        after = _changed(path, before, changes)
    except Refused:
        return
    wanted: Any = copy.deepcopy(tomllib.loads(before.decode()))
    for place, value in changes.items():
        table = wanted
        for name in place[:-1]:
            if value is None and name not in table:
                break
            table = table.setdefault(name, {})
        else:
            table.pop(place[-1], None)
            if value is not None:
                table[place[-1]] = value
    assert tomllib.loads(after.decode()) == wanted
