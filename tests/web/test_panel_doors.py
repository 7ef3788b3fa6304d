"""Who gets in: login, forced change, back-off, sessions, CSRF, headers, roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from panel_office import PASSWORD, Desk

from ocm_cti.domain.access import Role
from web.app import create_app
from web.security import COOKIE, HEADERS, local_path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.office).test_client()


def token_in(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def log_in(client: FlaskClient, name: str = "anna", password: str = PASSWORD, **more: str) -> object:
    csrf = token_in(client.get("/login").text)
    return client.post("/login", data={"name": name, "password": password, "csrf_token": csrf, **more})


def post(client: FlaskClient, path: str, **fields: str) -> object:
    return client.post(path, data={"csrf_token": token_in(client.get("/account").text), **fields})


@pytest.mark.parametrize("path", ["/", "/lists", "/campaigns", "/account", "/set-up", "/no-such-page"])
def test_a_stranger_gets_the_login_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/login")
    assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/lists", "/api/v1/health", "/api/v1/openapi.json", "/api/v1/nothing"])
def test_a_stranger_gets_401_from_the_api(client: FlaskClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer ocm_wrong"}, {"Authorization": "Basic YTpi"}):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_first_password_is_made_once_and_must_be_changed(desk: Desk, client: FlaskClient) -> None:
    password = desk.office.accounts.first_password()
    assert password is not None and desk.office.accounts.first_password() is None
    left = desk.office.data / "first-password.txt"
    assert left.stat().st_mode & 0o777 == 0o600 and password in left.read_text()
    assert log_in(client, "admin", password).status_code == 302
    assert client.get("/").headers["Location"] == "/password"
    assert client.get("/api/v1/lists").status_code == 403
    csrf = token_in(client.get("/password").text)
    for old, new, again in (
        (password, "short", "short"),
        (password, password, password),
        (password, "correct horse 2", "correct horse 3"),
        ("wrong", "correct horse 2", "correct horse 2"),
    ):
        wrong = client.post("/password", data={"old": old, "new": new, "again": again, "csrf_token": csrf})
        assert wrong.status_code == 422 and "alert-danger" in wrong.text
    good = {"old": password, "new": "correct horse 2", "again": "correct horse 2", "csrf_token": csrf}
    assert client.post("/password", data=good).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert not left.exists()


def test_wrong_passwords_close_the_account_for_a_while(desk: Desk, client: FlaskClient) -> None:
    desk.user()
    for _ in range(5):
        assert log_in(client, password="wrong").status_code == 403
    closed = log_in(client)
    assert closed.status_code == 403 and "Try again in" in closed.text, "the right password does not help now"
    desk.at += timedelta(seconds=6)
    assert log_in(client).status_code == 302


def test_an_address_may_not_try_for_ever(desk: Desk) -> None:
    client = create_app(desk.office, login_limit="3 per minute").test_client()
    assert [log_in(client, f"nobody{place}").status_code for place in range(5)] == [403, 403, 403, 429, 429]


def test_an_unknown_name_looks_like_a_wrong_password(desk: Desk, client: FlaskClient) -> None:
    desk.user()
    pages = [
        re.sub(r'(csrf[^>]*|value="[^"]*")', "", log_in(client, name, "wrong").text) for name in ("anna", "nobody")
    ]
    assert pages[0] == pages[1]


def test_a_session_ends_by_logout_everywhere_or_idling(desk: Desk) -> None:
    desk.user()
    app = create_app(desk.office)
    here, there = app.test_client(), app.test_client()
    for client in (here, there):
        log_in(client)
        assert client.get("/").status_code == 200
    post(here, "/account/log-out-elsewhere")
    assert (here.get("/").status_code, there.get("/").status_code) == (200, 302)
    kept = here.get_cookie(COOKIE)
    assert kept is not None and kept.http_only and kept.same_site == "Lax"
    post(here, "/logout")
    here.set_cookie(COOKIE, kept.value)
    assert here.get("/").status_code == 302, "a stolen cookie is worth nothing after the logout"
    log_in(there)
    desk.at += timedelta(hours=13)
    assert there.get("/").status_code == 302


def test_a_post_without_the_token_of_a_page_is_refused(desk: Desk, client: FlaskClient) -> None:
    desk.user()
    assert client.post("/login", data={"name": "anna", "password": PASSWORD}).status_code == 400
    log_in(client)
    for path in ("/logout", "/campaigns/1/stop", "/language", "/account/log-out-elsewhere"):
        assert client.post(path).status_code == 400
    assert client.post("/api/v1/campaigns", json={"list": "debtors"}).status_code == 400
    assert client.get("/").status_code == 200


def test_every_answer_has_the_headers(desk: Desk, client: FlaskClient) -> None:
    desk.user()
    log_in(client)
    for path in ("/", "/login", "/api/v1/lists", "/nothing", "/static/panel.css"):
        answer = client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert client.get("/").headers["Cache-Control"] == "no-store"


def test_no_page_has_script_or_style_in_it(desk: Desk, client: FlaskClient) -> None:
    """The policy would stop them, and the page would look broken."""
    desk.user()
    desk.people("debtors", 3)
    pages = [client.get("/login").text]
    log_in(client)
    pages += [client.get(path).text for path in ("/", "/lists", "/lists/debtors", "/campaigns", "/account", "/set-up")]
    for page in pages:
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


@pytest.mark.parametrize("role", Role, ids=[role.value for role in Role])
def test_what_each_role_may(desk: Desk, role: Role) -> None:
    desk.user("anna", role)
    desk.people("debtors", 2)
    client = create_app(desk.office).test_client()
    log_in(client)
    assert client.get("/").status_code == 200
    started = post(client, "/campaigns/start", list="debtors")
    assert started.status_code == 302
    is_running = bool(desk.floor.snapshot().campaigns)
    assert is_running is (role is not Role.AUDITOR)
    assert ("/pause" in client.get("/").text) is is_running
    assert client.get("/api/v1/tokens").status_code == (200 if role is Role.ADMIN else 403)


def test_a_list_bound_operator_sees_his_lists_only(desk: Desk) -> None:
    desk.user("anna", Role.OPERATOR, ("staff",))
    desk.people("debtors", 2)
    desk.people("staff", 2)
    client = create_app(desk.office).test_client()
    log_in(client)
    page = client.get("/lists").text
    assert "staff" in page and "debtors" not in page
    assert client.get("/lists/debtors").status_code == 404
    post(client, "/campaigns/start", list="debtors")
    assert not desk.floor.snapshot().campaigns


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/lists?search=x", "/lists?search=x"),
        ("", "/"),
        (None, "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_after_the_login_nobody_is_sent_to_another_site(wanted: str | None, goes: str) -> None:
    assert local_path(wanted) == goes
