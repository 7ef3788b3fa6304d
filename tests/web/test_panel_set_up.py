"""The set-up: users, tokens, webhooks, the audit; and who may enter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from panel_client import logged_in, post, token
from panel_office import Desk

from ocm_cti.domain.access import Role
from ocm_cti.store import audit, webhooks
from web.app import create_app

PAGES = ("/set-up", "/set-up/users", "/set-up/tokens", "/set-up/webhooks", "/set-up/audit")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return logged_in(desk, "anna")


def secret(page: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found, page
    return found[1]


def deeds(desk: Desk) -> list[str]:
    return [entry.deed for entry in desk.store.read_now(audit.entries)][::-1]


def test_everything_is_the_administrators(desk: Desk, client: FlaskClient) -> None:
    assert [client.get(page).status_code for page in PAGES] == [200] * 5
    desk.user("olga", Role.OPERATOR)
    desk.user("boris", Role.AUDITOR)
    desk.user("vera", Role.AUDITOR, ("debtors",))
    assert [logged_in(desk, "olga").get(page).status_code for page in PAGES] == [200, 403, 403, 403, 403]
    assert [logged_in(desk, "boris").get(page).status_code for page in PAGES] == [200, 403, 403, 403, 200]
    assert logged_in(desk, "vera").get("/set-up/audit").status_code == 403, "other lists stand in it as well"
    desk.user("petr", Role.OPERATOR, ("debtors",))
    assert "The set-up is for administrators" in logged_in(desk, "petr").get("/set-up").text
    olga = logged_in(desk, "olga")
    for path in ("users", "users/anna/password", "users/anna/access", "tokens", "tokens/1/revoke", "webhooks"):
        answer = olga.post(f"/set-up/{path}", data={"csrf_token": token(olga), "name": "x", "role": "admin"})
        assert answer.status_code == 403, path


def test_a_new_user_gets_a_password_that_he_changes(desk: Desk, client: FlaskClient) -> None:
    first = secret(post(client, "/set-up/users", name="Иван", role="operator", lists=["debtors"]))
    ivan = logged_in(desk, "иван", first)
    assert ivan.get("/").headers["Location"] == "/password"
    assert "already" in post(client, "/set-up/users", name="ИВАН", role="auditor")
    assert "1 to 100 letters" in post(client, "/set-up/users", name=" ", role="auditor")
    second = secret(post(client, "/set-up/users/иван/password"))
    assert first != second and ivan.get("/").status_code == 302, "he is logged out"
    assert "no user nobody" in post(client, "/set-up/users/nobody/password")


def test_rights_are_changed_but_not_ones_own(desk: Desk, client: FlaskClient) -> None:
    desk.user("olga", Role.OPERATOR)
    olga = logged_in(desk, "olga")
    page = post(client, "/set-up/users/olga/access", role="admin", lists=["staff"])
    assert "have been changed" in page
    assert olga.get("/").status_code == 302
    assert "changes his own rights" in post(client, "/set-up/users/anna/access", role="auditor")
    post(client, "/set-up/users/olga/access", role="operator", disabled="on")
    assert logged_in(desk, "olga").get("/").status_code == 302
    assert deeds(desk)[-2:] == ["user.access", "user.access"]


def test_a_token_works_until_it_is_revoked(desk: Desk, client: FlaskClient) -> None:
    made = secret(post(client, "/set-up/tokens", name="billing", scope="read"))
    stranger = create_app(desk.office).test_client()
    bearer = {"Authorization": f"Bearer {made}"}
    assert stranger.get("/api/v1/lists", headers=bearer).status_code == 200
    assert made not in client.get("/set-up/tokens").text, "it is nowhere to be had later"
    assert "it works no more" in post(client, "/set-up/tokens/1/revoke")
    assert stranger.get("/api/v1/lists", headers=bearer).status_code == 401
    assert "a token has a name" in post(client, "/set-up/tokens", name="", scope="read")


def test_a_webhook_from_its_making_to_its_end(desk: Desk, client: FlaskClient) -> None:
    page = post(
        client, "/set-up/webhooks", url="https://crm.example/ocm", events=["campaign.started"], lists=["debtors"]
    )
    key = secret(page)
    (one,) = desk.store.read_now(webhooks.everyone)
    assert (one.secret, one.events, one.lists, one.made_by) == (key, ("campaign.started",), ("debtors",), "anna")
    path = f"/set-up/webhooks/{one.webhook_id}"
    assert key not in client.get("/set-up/webhooks").text + client.get(path).text
    assert "a moment" in post(client, f"{path}/test")
    (message,) = desk.store.read_now(lambda conn: webhooks.messages(conn, one.webhook_id))
    assert message.event == "webhook.test" and message.message_id in client.get(path).text
    for _ in range(9):
        desk.store.run_now(lambda conn: webhooks.tried(conn, message.message_row, desk.at, 500, "it answered 500"))
    assert "it answered 500" in client.get(path).text and "given up" in client.get(path).text
    assert "it answered 500" in client.get("/set-up/webhooks").text
    post(client, f"{path}/again")
    assert desk.store.read_now(lambda conn: len(webhooks.due(conn, desk.at, 9))) == 1
    assert "no more messages" in post(client, f"{path}/switch", off="1")
    assert desk.store.read_now(lambda conn: webhooks.due(conn, desk.at, 9)) == []
    assert "messages again" in post(client, f"{path}/switch")
    assert "is gone" in post(client, f"{path}/remove")
    assert client.get(path).status_code == 404
    assert "begins with https" in post(client, "/set-up/webhooks", url="ftp://crm.example/")
    assert "no event nothing" in post(client, "/set-up/webhooks", url="https://crm.example/", events=["nothing"])
    assert [deed for deed in deeds(desk) if deed != "login"] == [
        f"webhook.{deed}" for deed in ("add", "test", "again", "off", "on", "remove")
    ]


def test_the_audit_is_read_by_pages_and_searched(desk: Desk, client: FlaskClient) -> None:
    def many(conn: object) -> None:
        for place in range(120):
            who = "Ольга" if place % 2 else "anna"
            audit.write(conn, audit.Entry(desk.at, who, "user.add", f"user {place}", {"lists": ["a"]}))  # type: ignore[arg-type]

    desk.store.run_now(many)
    first = client.get("/set-up/audit").text
    assert "user 119<" in first and "user 20<" in first and "user 19<" not in first
    after = re.search(r"after=(\d+)", first)
    assert after
    second = client.get(f"/set-up/audit?after={after[1]}").text
    assert "user 19<" in second and "user 0<" in second and "user 20<" not in second
    found = client.get("/set-up/audit?search=ольга").text
    assert "user 119<" in found and "user 118<" not in found
    assert "Nothing found" in client.get("/set-up/audit?search=%25").text


def test_webhooks_over_the_api(desk: Desk) -> None:
    from ocm_cti.domain.access import Caller, Scope

    admin = Caller("account:1", "anna", Scope.ADMIN)

    def bearer(scope: Scope) -> FlaskClient:
        client = create_app(desk.office).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {desk.office.accounts.make_token(admin, 'x', scope)[0]}"
        return client

    api = bearer(Scope.ADMIN)
    assert bearer(Scope.OPERATE).get("/api/v1/webhooks").status_code == 403
    made = api.post("/api/v1/webhooks", json={"url": "https://crm.example/", "events": ["attempt.finished"]})
    assert made.status_code == 201 and made.json["secret"].startswith("whsec_")
    path = made.headers["Location"]
    assert "secret" not in api.get(path).json and api.get(path).json["waiting"] == 0
    assert api.post(f"{path}/test").json["waiting"] == 1
    api.post(f"{path}/test")
    page = api.get(f"{path}/messages?limit=1").json
    assert len(page["items"]) == 1 and page["after"]
    assert api.get(f"{path}/messages?after={page['after']}").json["after"] is None
    assert [one["id"] for one in api.get("/api/v1/webhooks").json["items"]] == [made.json["id"]]
    assert api.delete(path).status_code == 204 and api.get(path).status_code == 404
    assert api.post("/api/v1/webhooks", json={"url": "http://u:p@crm.example/"}).status_code == 409
    assert api.post("/api/v1/webhooks", json={"url": "https://x/", "events": ["none"]}).status_code == 422
