"""Lists made, set and removed in the panel: what the file says afterwards is what the form said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from panel_office import PASSWORD, SCENARIO, Desk
from werkzeug.test import TestResponse

from ocm_cti.domain.access import Role
from ocm_cti.domain.settings import DEFAULT_RULES, ListSettings
from ocm_cti.domain.windows import DAYS
from ocm_cti.office.list_forms import WrongSetting, table_of, values_of
from web.app import create_app

FULL = """
scenario = "scenario.toml"
language = "uk"
region = "UA"
zone = "Europe/Kyiv"
windows = { mon-fri = "09:00-13:00, 14:00-20:00", sat = "10:00-18:00" }  # the law
holidays = "DE"
open_days = [2026-12-31]
closed_days = [2026-12-28, 2026-12-29]
caps = { day = 2, week = 4 }
ring_timeout_s = 25.0
zone_of_number = false
gateways = ["office"]
testers = ["+380441234567"]
share = 2.5
retry.busy = { tries = 2, delay_s = 90.0, next_number = false }
retry.no_answer = { tries = 1, delay_s = 900 }
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.user("oleg", Role.OPERATOR)
    yield opened
    opened.office.close()
    opened.close()


def logged_in(desk: Desk, name: str = "anna") -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": name, "password": PASSWORD, "csrf_token": token(made, "/login")})
    return made


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return logged_in(desk)


def token(client: FlaskClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": token(client), **fields})


def form_of(client: FlaskClient, path: str) -> dict[str, Any]:
    """What a browser would send of the first form that has these fields: as it came."""
    text = client.get(path).text
    part = text[text.index('name="stamp"') - 300 :].partition("</form>")[0]
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', part):
        if f'name="{name}" value="{value}" checked' in part or f'type="checkbox" name="{name}"' not in part:
            fields[name] = value
    for name, inside in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', part, re.S):
        fields[name] = (re.findall(r'value="([^"]*)" selected', inside) or [""])[0]
    for name, inside in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>(.*?)</textarea>', part, re.S):
        fields[name] = inside
    fields.pop("csrf_token", None)
    return fields


def full(desk: Desk) -> None:
    path = desk.office.config_file.path
    path.write_text(path.read_text() + "\n[lists.full]" + FULL, encoding="utf-8")


def test_a_form_that_is_saved_as_it_came_changes_nothing(desk: Desk, client: FlaskClient) -> None:
    full(desk)
    before = desk.office.config_file.path.read_bytes()
    for name in ("full", "debtors"):
        fields = form_of(client, f"/lists/{name}/settings")
        assert fields["scenario"] == "scenario.toml"
        assert post(client, f"/lists/{name}/settings", **fields).status_code == 303
    assert desk.office.config_file.path.read_bytes() == before


def test_a_change_is_one_line_of_the_file(desk: Desk, client: FlaskClient) -> None:
    full(desk)
    before = desk.office.config_file.path.read_text()
    fields = form_of(client, "/lists/full/settings") | {"ring_timeout_s": "40", "delay-busy": "2"}
    answer = post(client, "/lists/full/settings", **fields)
    assert answer.status_code == 303
    after = desk.office.config_file.path.read_text()
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.replace(" ", "") for line in changed] == [
        "ring_timeout_s=40",
        "retry.busy={tries=2,delay_s=120,next_number=false}",
    ]
    chosen = desk.office.settings.load().lists["full"].settings
    assert chosen.ring_timeout_s == 40
    assert chosen.rules[next(one for one in DEFAULT_RULES if one.value == "busy")].delay_s == 120


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(desk: Desk, client: FlaskClient) -> None:
    full(desk)
    before = desk.office.config_file.path.read_bytes()
    fields = form_of(client, "/lists/full/settings")
    for field, value in (
        ("ring_timeout_s", "soon"),
        ("zone", "Mars"),
        ("region", "Russia"),
        ("hours-tue", "9-20"),
        ("closed_days", "31.13.2026"),
        ("tries-busy", "many"),
        ("holidays", "XX"),
        ("share", "0"),
    ):
        answer = post(client, "/lists/full/settings", **(fields | {field: value, "language": "en"}))
        assert answer.status_code == 409, field
        assert re.search(rf'is-invalid" [^>]*name="{field}"|is-invalid" id="f-{field}"', answer.text), field
        assert value in answer.text and '<option value="en" selected' in answer.text, "what was typed is still there"
    assert desk.office.config_file.path.read_bytes() == before


def test_two_who_change_at_once(desk: Desk, client: FlaskClient) -> None:
    full(desk)
    fields = form_of(client, "/lists/full/settings")
    assert post(client, "/lists/full/settings", **(fields | {"priority": "1"})).status_code == 303
    late = post(client, "/lists/full/settings", **(fields | {"priority": "2"}))
    assert late.status_code == 409 and "somebody has changed" in late.text
    assert desk.office.settings.load().lists["full"].settings.priority == 1
    assert (
        post(client, "/lists/full/settings", **form_of_text(late.text, fields | {"priority": "2"})).status_code == 303
    )


def form_of_text(text: str, fields: dict[str, Any]) -> dict[str, Any]:
    found = re.search(r'name="stamp" value="([^"]+)"', text)
    assert found
    return fields | {"stamp": found[1]}


def test_a_list_is_made_filled_and_removed(desk: Desk, client: FlaskClient) -> None:
    path = desk.office.config_file.path
    (path.parent / "water.toml").write_text(SCENARIO, encoding="utf-8")
    assert "water.toml" in client.get("/lists/new").text
    wanted = {"name": "Вода", "scenario": "water.toml", "language": "ru", "region": "RU", "zone": "Europe/Moscow"}
    wanted |= {f"hours-{day}": "09:00-20:00" for day in DAYS[:5]}
    assert post(client, "/lists/new", **(wanted | {"name": "../x"})).status_code == 422
    assert post(client, "/lists/new", **(wanted | {"zone": "Mars"})).status_code == 422
    assert post(client, "/lists/new", **wanted).status_code == 303
    assert post(client, "/lists/new", **wanted).status_code == 422, "there is one already"
    made = tomllib.loads(path.read_text(encoding="utf-8"))["lists"]["Вода"]
    assert made["windows"] == {"mon-fri": "09:00-20:00"}
    assert "Вода" in client.get("/lists").text
    desk.people("Вода", 3)
    assert post(client, "/lists/Вода/remove", typed="вода?").status_code == 303
    assert "Вода" in desk.office.settings.load().lists
    assert post(client, "/lists/Вода/remove", typed="Вода").status_code == 303
    assert "Вода" not in desk.office.settings.load().lists
    assert client.get("/lists/Вода").status_code == 404


def test_a_list_that_is_being_called_is_not_removed(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 3)
    post(client, "/campaigns/start", list="debtors")
    post(client, "/lists/debtors/remove", typed="debtors")
    assert "is going on" in client.get("/account").text
    assert "debtors" in desk.office.settings.load().lists


def test_settings_are_the_administrators(desk: Desk) -> None:
    oleg = logged_in(desk, "oleg")
    for path in ("/lists/new", "/lists/debtors/settings"):
        assert oleg.get(path).status_code == 403
    for path in ("/lists/new", "/lists/debtors/settings", "/lists/debtors/remove"):
        assert post(oleg, path, name="x", typed="debtors").status_code == 403
    assert "/lists/debtors/settings" not in oleg.get("/lists/debtors").text


hours = st.sampled_from(["", "09:00-20:00", "09:00-13:00, 14:00-18:00", "10:00-18:00"])
tables = st.fixed_dictionaries(
    {"scenario": st.just("s"), "zone": st.just("Europe/Kyiv")},
    optional={
        "language": st.sampled_from(["ru", "uk", "en"]),
        "priority": st.integers(0, 9),
        "ring_timeout_s": st.integers(1, 90) | st.sampled_from([0.5, 12.25]),
        "share": st.sampled_from([1, 0.5, 2.25]),
        "zone_of_number": st.booleans(),
        "next_number_first": st.booleans(),
        "gateways": st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True),
        "testers": st.just(["+74951234567", "+380441234567"]),
        "closed_days": st.lists(st.dates(date(2026, 1, 1), date(2030, 1, 1)), min_size=1, max_size=3),
        "caps": st.sampled_from(["us-tcpa", {"day": 2}, {"week": 3, "month": 7}]),
        "windows": st.sampled_from([{"mon-fri": "09:00-20:00"}, {"mon": "9:00-10:00", "tue-sun": "09:10-19:50"}]),
        "retry": st.fixed_dictionaries(
            {}, optional={"busy": st.just({"tries": 2, "delay_s": 90}), "machine": st.just({"tries": 1, "delay_s": 60})}
        ).filter(bool),
    },
)


@settings(max_examples=200, deadline=None)
@given(tables)
def test_what_a_form_is_made_of_is_what_comes_of_it(table: dict[str, Any]) -> None:
    ListSettings.from_table(table)  # it is one that a file may have
    made = {key: value for key, value in table_of(values_of(table), table).items() if value is not None}
    assert made == table


@settings(max_examples=200, deadline=None)
@given(st.lists(hours, min_size=7, max_size=7))
def test_hours_of_each_day_mean_what_they_say(week: list[str]) -> None:
    values = {f"hours-{day}": text for day, text in zip(DAYS, week, strict=True)}
    made = table_of(values, {})["windows"]
    if made is None:
        assert not any(week)
        return
    read = ListSettings.from_table({"scenario": "s", "zone": "Europe/Kyiv", "windows": made})
    assert read.windows.to_table() == {day: text for day, text in zip(DAYS, week, strict=True) if text}


def test_a_number_that_is_none_is_told() -> None:
    with pytest.raises(WrongSetting) as told:
        table_of({"ports": "five"}, {})
    assert told.value.field == "ports"
