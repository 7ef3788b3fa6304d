"""What the pages show and do: monitor, lists, campaigns, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from panel_office import PASSWORD, Desk

from ocm_cti.attempt import LineState
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.store import audit
from web import live
from web.app import create_app


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": "anna", "password": PASSWORD, "csrf_token": token(made, "/login")})
    return made


def token(client: FlaskClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> str:
    answer = client.post(path, data={"csrf_token": token(client), **fields}, follow_redirects=True)
    return answer.text


def test_start_pause_resume_stop_are_done_and_written_to_the_audit(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 2)
    assert "has been started" in post(client, "/campaigns/start", list="debtors")
    campaign = desk.floor.snapshot().campaigns[0]
    states = [campaign.state]
    for deed in ("pause", "resume", "stop"):
        post(client, f"/campaigns/{campaign.campaign_id}/{deed}")
        states.append(desk.floor.snapshot().campaigns[0].state)
    assert states == ["running", "paused", "running", "done"]
    assert desk.floor.woken == 4
    deeds = [(entry.who, entry.deed) for entry in desk.store.read_now(audit.entries)]
    assert deeds[:4] == [("anna", f"campaign.{deed}") for deed in ("stop", "resume", "pause", "start")]


def test_what_can_not_be_done_is_said(desk: Desk, client: FlaskClient) -> None:
    assert "there is no list debtors" in post(client, "/campaigns/start", list="debtors")
    assert "there is no campaign 99" in post(client, "/campaigns/99/pause")
    desk.people("debtors", 1)
    post(client, "/campaigns/start", list="debtors")
    assert "is running" in post(client, "/campaigns/start", list="debtors")
    refused = client.post("/campaigns/1/resume", data={"csrf_token": token(client)}, headers={"HX-Request": "true"})
    assert refused.status_code == 409 and "alert-danger" in refused.text and "<html" not in refused.text


def test_the_monitor_shows_campaigns_lines_and_links(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 2)
    post(client, "/campaigns/start", list="debtors")
    desk.busy(0, LineState.TALKING, "+74951230001", "Ольга <b>", 1)
    page = client.get("/").text
    assert "debtors_23-11-2026" in page
    assert "ROBOTRUNK 301" in page and "+74951230001" in page and "Ольга &lt;b&gt;" in page
    assert "talking · 7 s" in page
    assert page.count("ROBOTRUNK") == 3
    assert client.get("/", headers={"HX-Request": "true"}).text.lstrip().startswith("<div")


def test_the_live_parts_are_those_of_the_page(desk: Desk, client: FlaskClient) -> None:
    """What the stream sends has a place in the page, and looks as it did when the page was loaded."""
    desk.people("debtors", 2)
    post(client, "/campaigns/start", list="debtors")
    picture = desk.office.monitor(Caller("", "", Scope.OPERATE))
    with client.application.test_request_context():
        parts = live.parts(picture, may_operate=True)
    page = client.get("/").text
    for place, inside in parts.items():
        assert f'id="{place}"' in page
        assert inside in page


def test_the_lines_of_a_foreign_list_stay_unnamed(desk: Desk) -> None:
    desk.busy(0, LineState.TALKING, "+74951230001", "Ольга", 1)
    shown = desk.office.monitor(Caller("", "", Scope.READ, frozenset({"staff"})))
    assert (shown.lines[0].number, shown.lines[0].name, shown.busy) == ("", "", 1)


def test_the_expected_end_is_told_when_there_is_enough_to_go_by(desk: Desk) -> None:
    from dataclasses import replace

    from ocm_cti.control import CampaignProgress, Snapshot
    from ocm_cti.office.monitor import picture

    some = CampaignProgress(1, "debtors", 100, 25, 0, {}, started_at=desk.at - timedelta(minutes=10))
    ends = []
    for progress in (some, replace(some, done=4), replace(some, state="paused"), replace(some, total=10**7)):
        shown = picture(Snapshot(desk.at, [], [progress], {}), Caller("", "", Scope.READ))
        ends.append(shown.rows[0].ends_at)
    assert ends == [desk.at + timedelta(minutes=30), None, None, None]


def test_people_are_found_in_any_case_and_by_a_part_of_the_number(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 120)
    first = client.get("/lists/debtors").text
    assert first.count('class="number"') == 50 and "Next page" in first
    after = re.search(r"after=(\d+)", first)
    assert after
    second = client.get(f"/lists/debtors?after={after[1]}").text
    assert "id-50" in second and "id-49<" not in second and "First page" in second
    for search, count in (("іВАН", 30), ("ольга 1", 12), ("230007", 1), ("id-119", 1), ("%", 0), ("нет", 0)):
        page = client.get("/lists/debtors", query_string={"search": search}, headers={"HX-Request": "true"}).text
        assert page.count('class="number"') == count, search
        assert "<html" not in page


def test_a_list_without_a_scenario_is_shown_as_such(desk: Desk, client: FlaskClient) -> None:
    desk.people("strangers", 1)
    page = client.get("/lists").text
    assert "strangers" in page and "no scenario in the configuration" in page
    assert 'value="strangers"' not in client.get("/").text


def test_the_configuration_is_read_anew_when_it_changes(desk: Desk, client: FlaskClient) -> None:
    path = desk.office.settings.first.path
    desk.people("guests", 1)
    path.write_text(path.read_text(encoding="utf-8").replace("lists.staff", "lists.guests"), encoding="utf-8")
    assert 'value="guests"' in client.get("/").text
    path.write_text("nonsense", encoding="utf-8")
    assert client.get("/lists").status_code == 200
    assert "not TOML" in post(client, "/campaigns/start", list="guests")


@pytest.mark.parametrize(("language", "word"), [("ru", "Списки"), ("uk", "Списки"), ("en", "Lists")])
def test_the_language_is_the_cookies_else_the_users_else_the_browsers(
    desk: Desk, client: FlaskClient, language: str, word: str
) -> None:
    answer = client.get("/", headers={"Accept-Language": language})
    assert f'<html lang="{language}"' in answer.text and word in answer.text
    post(client, "/language", language=language, back="/lists")
    assert f'<html lang="{language}"' in client.get("/", headers={"Accept-Language": "de"}).text
    client.delete_cookie("ocm_language")
    assert f'<html lang="{language}"' in client.get("/", headers={"Accept-Language": "de"}).text


def test_dark_is_kept(client: FlaskClient) -> None:
    assert "data-bs-theme" not in client.get("/").text
    post(client, "/theme", theme="dark", back="/")
    assert 'data-bs-theme="dark"' in client.get("/").text


def test_every_room_of_the_menu_opens(client: FlaskClient) -> None:
    page = client.get("/").text
    addresses = re.findall(r'class="nav-link" href="([^"]+)"', page)
    assert len(addresses) == 7
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200 and 'aria-current="page"' in answer.text
        icons = re.findall(r"icons\.svg[^#]*#([^\"]*)\"", answer.text)
        assert icons and all(re.fullmatch(r"[a-z0-9-]+", icon) for icon in icons)
