"""The API of messages and reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from panel_office import Desk
from reported import surveyed, tone

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office import reports as office_reports
from ocm_cti.office.sound_room import COMMAND
from web.api import reports as api_reports
from web.app import create_app

ADMIN = Caller("account:1", "anna", Scope.ADMIN)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.office.sounds._command = (*COMMAND, "--synthesizer", "tone")
    yield opened
    opened.office.close()
    opened.close()


def client_of(desk: Desk, scope: Scope = Scope.OPERATE) -> FlaskClient:
    secret, _ = desk.office.accounts.make_token(ADMIN, "billing", scope)
    client = create_app(desk.office).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def bring(client: FlaskClient, path: Path, **more: Any) -> Any:
    return client.post("/api/v1/messages", data={"file": (path.open("rb"), path.name)}, **more)


def test_a_message_is_brought_heard_and_deleted(desk: Desk, tmp_path: Path) -> None:
    tone(tmp_path / "привет.wav")
    client = client_of(desk)
    made = bring(client, tmp_path / "привет.wav")
    assert made.status_code == 201 and made.json["name"] == "привет.wav" and made.json["used_by"] == []
    address = made.headers["Location"]
    assert client.get(address).json == made.json
    assert [one["id"] for one in client.get("/api/v1/messages?search=ПРИВ").json["items"]] == [made.json["id"]]
    assert client.get("/api/v1/messages?search=x").json["items"] == []
    part = client.get(f"{address}/sound", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data, part.content_type) == (206, b"RIFF", "audio/wav")
    unfit = client.get(f"{address}/sound", headers={"Range": "bytes=99999999-"})
    assert (unfit.status_code, unfit.content_type) == (416, "application/problem+json")
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == client.delete(address).status_code == 404


def test_a_message_with_a_key_is_brought_once(desk: Desk, tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    client = client_of(desk)
    key = {"Idempotency-Key": "upload-1"}
    first, again = (bring(client, tmp_path / "a.wav", headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201) and first.json == again.json
    assert bring(client, tmp_path / "a.wav").status_code == 409


def test_what_a_reader_may_not(desk: Desk, tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    made = bring(client_of(desk), tmp_path / "a.wav").json
    reader = client_of(desk, Scope.READ)
    assert bring(reader, tmp_path / "a.wav").status_code == 403
    assert reader.delete(f"/api/v1/messages/{made['id']}").status_code == 403
    assert reader.get(f"/api/v1/messages/{made['id']}/sound").status_code == 200


def test_too_much_is_413(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "large.wav").write_bytes(bytes(21_000_000))
    answer = bring(client_of(desk), tmp_path / "large.wav")
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


def test_the_figures_of_a_report(desk: Desk) -> None:
    client = client_of(desk, Scope.READ)
    assert client.get("/api/v1/reports").status_code == 404
    first, second = surveyed(desk), surveyed(desk, "staff", people=4)
    found = client.get(f"/api/v1/reports?campaign={first},{second}").json
    assert found["total"]["people"] == 14 and len(found["campaigns"]) == 2
    found = client.get("/api/v1/reports?list=debtors&since=2026-11-01").json
    [mark, wish] = found["questions"]
    assert [(each["value"], each["meaning"], each["people"]) for each in mark["answers"]] == [
        ("1", "excellent", 3),
        ("2", "good", 1),
        ("3", "bad", 1),
    ]
    assert (wish["kind"], wish["people"]) == ("reply", 2)
    assert client.get("/api/v1/reports?campaign=x").status_code == 422


def test_a_report_that_takes_long_is_asked_for_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign_id = surveyed(desk)
    monkeypatch.setattr(office_reports, "AT_ONCE", 3)
    monkeypatch.setattr(api_reports, "PATIENCE_S", 0.0)
    client = client_of(desk, Scope.READ)
    first = client.get(f"/api/v1/reports?campaign={campaign_id}")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "2")
    [job] = desk.office.reports._jobs._jobs.values()
    assert job.over.wait(120)
    assert client.get(f"/api/v1/reports?campaign={campaign_id}").json["total"]["people"] == 10


def test_people_of_a_campaign_with_their_replies(desk: Desk) -> None:
    campaign_id = surveyed(desk)
    client = client_of(desk, Scope.READ)
    path = f"/api/v1/campaigns/{campaign_id}/people"
    page = client.get(f"{path}?limit=3").json
    rest = client.get(f"{path}?limit=500&after={page['after']}").json
    assert [one["key"] for one in page["items"] + rest["items"]] == [f"id-{place}" for place in range(10)]
    first = page["items"][0]
    assert (first["outcome"], first["answers"], first["replies"][0]["step"]) == ("confirmed", {"mark": "1"}, "wish")
    sound = client.get(first["replies"][0]["sound"])
    assert sound.status_code == 200 and sound.data[:4] == b"RIFF"
    assert len(client.get(f"{path}?outcome=open").json["items"]) == 5
    assert client.get("/api/v1/campaigns/99/people").status_code == 404
    assert client.get("/api/v1/replies/99").status_code == 404
