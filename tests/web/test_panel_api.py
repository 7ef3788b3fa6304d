"""The REST API: scopes, pages, campaigns started once, problems, and what its description promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from panel_office import Desk

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.errors import NotNow
from ocm_cti.store import audit
from web.app import create_app

ADMIN = Caller("account:1", "anna", Scope.ADMIN)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    yield opened
    opened.close()


def client_of(desk: Desk, scope: Scope = Scope.OPERATE) -> FlaskClient:
    """With a token of that scope."""
    secret, _ = desk.office.accounts.make_token(ADMIN, "billing", scope)
    client = create_app(desk.office).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def test_one_post_starts_a_campaign_and_others_guide_it(desk: Desk) -> None:
    desk.people("debtors", 3)
    client = client_of(desk)
    made = client.post("/api/v1/campaigns", json={"list": "debtors"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/campaigns/{made.json['id']}"
    assert (made.json["total"], made.json["waiting"], made.json["state"]) == (3, 3, "running")
    path = made.headers["Location"]
    states = [client.post(f"{path}/{deed}", json={}).json["state"] for deed in ("pause", "resume", "stop")]
    assert states == ["paused", "running", "done"]
    assert client.get(path).json["outcomes"] == {"stopped": 3}
    assert client.post(f"{path}/resume").status_code == 409
    deeds = [entry.who for entry in desk.store.read_now(audit.entries) if entry.deed.startswith("campaign.")]
    assert deeds == ["token billing"] * 4
    assert desk.floor.woken == 4


def test_a_request_with_a_key_is_done_once(desk: Desk) -> None:
    desk.people("debtors", 3)
    client = client_of(desk)
    key = {"Idempotency-Key": "order-17"}
    first = client.post("/api/v1/campaigns", json={"list": "debtors"}, headers=key)
    again = client.post("/api/v1/campaigns", json={"list": "debtors"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = client.post("/api/v1/campaigns", json={"list": "staff"}, headers=key)
    assert other.status_code == 409 and "another request" in other.json["detail"]
    assert client.post("/api/v1/campaigns", json={"list": "debtors"}).status_code == 409
    assert client.post("/api/v1/campaigns", json={}, headers={"Idempotency-Key": " "}).status_code in (400, 422)


def test_what_failed_may_be_tried_again_with_the_same_key(desk: Desk) -> None:
    client = client_of(desk)
    key = {"Idempotency-Key": "order-18"}
    refused = client.post("/api/v1/campaigns", json={"list": "debtors"}, headers=key)
    assert refused.status_code == 409
    desk.people("debtors", 1)
    assert client.post("/api/v1/campaigns", json={"list": "debtors"}, headers=key).status_code == 201


def test_what_each_scope_may(desk: Desk) -> None:
    desk.people("debtors", 1)
    statuses = {}
    for scope in Scope:
        client = client_of(desk, scope)
        statuses[scope] = (
            client.get("/api/v1/lists").status_code,
            client.post("/api/v1/campaigns", json={"list": "staff"}).status_code,
            client.get("/api/v1/tokens").status_code,
        )
    assert statuses == {Scope.READ: (200, 403, 403), Scope.OPERATE: (200, 409, 403), Scope.ADMIN: (200, 409, 200)}


def test_a_token_is_made_shown_once_and_revoked(desk: Desk) -> None:
    client = client_of(desk, Scope.ADMIN)
    made = client.post("/api/v1/tokens", json={"name": "crm", "scope": "read"}).json
    other = create_app(desk.office).test_client()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert other.get("/api/v1/lists", headers=headers).status_code == 200
    assert made["secret"] not in client.get("/api/v1/tokens").text
    assert client.delete(f"/api/v1/tokens/{made['id']}").json["revoked_at"] is not None
    assert other.get("/api/v1/lists", headers=headers).status_code == 401
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 409


def test_pages_of_people_and_campaigns_join_without_a_gap(desk: Desk) -> None:
    desk.people("debtors", 7)
    client = client_of(desk)
    for _ in range(3):
        made = client.post("/api/v1/campaigns", json={"list": "debtors"}).json
        client.post(f"/api/v1/campaigns/{made['id']}/stop", json={})

    def walk(path: str, limit: int) -> list[Any]:
        found: list[Any] = []
        after = None
        while True:
            page = client.get(path, query_string={"limit": limit} | ({} if after is None else {"after": after})).json
            assert len(page["items"]) <= limit
            found += page["items"]
            after = page["after"]
            if after is None:
                return found

    assert [one["key"] for one in walk("/api/v1/lists/debtors/people", 3)] == [f"id-{place}" for place in range(7)]
    assert [one["id"] for one in walk("/api/v1/campaigns", 2)] == [3, 2, 1]


def test_a_number_with_nothing_behind_the_point_is_whole(desk: Desk) -> None:
    """As in JSON; the description says no more than ``integer``."""
    desk.people("debtors", 4)
    path, client = "/api/v1/lists/debtors/people", client_of(desk)
    assert client.get(f"{path}?after=2.0&limit=1.00").json == client.get(f"{path}?after=2&limit=1").json
    assert [client.get(f"{path}?after={wrong}").status_code for wrong in ("2.5", "-1.0", "2.", "1e2")] == [422] * 4


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/api/v1/campaigns/99", None, 404),
        ("get", "/api/v1/lists/none/people", None, 404),
        ("get", "/api/v1/nothing", None, 404),
        ("put", "/api/v1/lists", None, 405),
        ("get", "/api/v1/campaigns?limit=0", None, 422),
        ("get", "/api/v1/campaigns?after=x", None, 422),
        ("post", "/api/v1/campaigns", {"list": "debtors", "begins_at": "tomorrow"}, 422),
        ("post", "/api/v1/campaigns", {"list": "debtors", "begins_at": "2026-12-01T09:00:00"}, 422),
        ("post", "/api/v1/campaigns", {"list": "debtors", "unknown": 1}, 422),
        ("post", "/api/v1/campaigns", [], 422),
        ("post", "/api/v1/campaigns", "{", 400),
    ],
)
def test_what_is_wrong_is_a_problem(desk: Desk, method: str, path: str, body: Any, status: int) -> None:
    client = client_of(desk)
    more: dict[str, Any] = {"json": body}
    if body is None or isinstance(body, str):
        more = {"data": body, "content_type": "application/json"}
    answer = client.open(path, method=method.upper(), **more)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["status"] == status and answer.json["title"]


def test_a_dialer_that_does_not_answer_is_503(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> None:
        raise NotNow("the dialer does not answer at this moment; try again")

    monkeypatch.setattr(desk.floor, "snapshot", silent)
    answer = client_of(desk).get("/api/v1/health")
    assert (answer.status_code, answer.json["status"], answer.headers["Retry-After"]) == (503, 503, "2")


def test_a_mistake_of_ours_is_500_without_its_insides(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(desk.floor, "snapshot", broken)
    answer = client_of(desk).get("/api/v1/health")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_health_tells_links_and_lines(desk: Desk) -> None:
    health = client_of(desk, Scope.READ).get("/api/v1/health").json
    assert (health["ok"], health["lines_idle"], health["links"]["office"]["state"]) == (True, 3, "up")


def test_the_description_is_openapi_31_and_has_every_operation(desk: Desk) -> None:
    client = client_of(desk, Scope.READ)
    spec = client.get("/api/v1/openapi.json").json
    assert spec["openapi"].startswith("3.1")
    rules = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule)
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/") and "openapi" not in rule.rule
    }
    assert set(spec["paths"]) == rules
    for path in spec["paths"].values():
        for method in set(path) & {"get", "post", "delete"}:
            assert path[method]["summary"] and "401" in path[method]["responses"]
