"""Reports in the panel: figures, people, replies behind a rights check, files made beside the server."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from panel_office import PASSWORD, Desk
from reported import surveyed, tone
from sqlalchemy import insert, text

from ocm_cti.domain.access import Role
from ocm_cti.office import reports as office_reports
from ocm_cti.store import audit
from ocm_cti.store.schema import call_record
from web.app import create_app

PATIENCE_S = 120


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
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


def test_with_nothing_started_the_page_says_so(client: FlaskClient) -> None:
    page = client.get("/reports")
    assert page.status_code == 200 and "nothing has been started yet" in page.text


def test_the_figures_of_the_last_campaign(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk)
    page = client.get("/reports").text
    assert "How was our service?" in page and "1 – excellent" in page and "5 of 6 who answered the call" in page
    assert re.search(r'o-delivered" width="100.0%"', page)
    assert "2 replies" in page
    assert ">12:00<" not in page and 'class="c-attempts"' in page
    assert "Іван 0" in page


def test_bills_and_outside_lines(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk)
    assert "Outside lines" not in client.get("/reports").text

    def write(conn: Any) -> None:
        for attempt_id in (1, 3):
            bill = {"raw": f"line {attempt_id}", "trunk": "07", "duration_s": 33, "cost": "12.50", "currency": "EUR"}
            plain = dict.fromkeys(("extension", "number", "account", "condition", "fault"), "")
            more = {"gateway": "office", "source": "smdr", "copy": 1, "direction": "out", "attempt_id": attempt_id}
            conn.execute(insert(call_record).values(received_at=desk.at, **bill, **plain, **more))

    desk.store.run_now(write)
    page = client.get("/reports").text
    assert "Outside lines" in page and "66 s" in page and "billed 25.00\N{NO-BREAK SPACE}EUR" in page
    assert "billed 12.50 EUR" in client.get("/reports/people/1").text


def test_campaigns_are_chosen_by_list_days_and_number(desk: Desk, client: FlaskClient) -> None:
    first, second = surveyed(desk), surveyed(desk, "staff", people=4)
    assert "<b>staff</b>" in client.get("/reports").text
    both = client.get(f"/reports?campaign={first}&campaign={second}").text
    assert "<b>debtors</b>" in both and "<b>staff</b>" in both
    assert "<b>debtors</b>" in client.get("/reports?list=debtors").text
    assert "<b>debtors</b>" in client.get("/reports?since=2026-11-01&until=2026-12-01").text
    assert "no campaign began in that time" in client.get("/reports?until=2020-01-01").text
    assert client.get("/reports?campaign=99").status_code == 404
    for nonsense in ("campaign=x", "since=x", "until=9999-12-31", "campaign=" + "9" * 30, "list=none"):
        assert client.get("/reports?" + nonsense).status_code == 200


def test_people_are_found_and_turned_over(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk, people=60)

    def count(query: str) -> int:
        page = client.get("/reports/people?" + query, headers={"HX-Request": "true"}).text
        assert "<html" not in page
        return page.count('class="fw-bold" href="/reports/people/')

    assert count("") == 25
    assert count("search=%D0%B8%D0%92%D0%B0%D0%BD+4") == 0 and count("search=%D1%96%D0%92%D0%90%D0%9D+48") == 1
    assert count("search=230007") == 1 and count("search=id-59") == 1
    assert count("replied=1") == 15 and count("outcome=open") == 23
    seen: list[str] = []
    query: str | None = "/reports/people"
    while query:
        page = client.get(query).text
        seen += re.findall(r'href="/reports/people/(\d+)"', page)
        found = re.search(r'href="(/reports/people\?[^"]*after=[^"]*)"', page)
        query = found[1].replace("&amp;", "&") if found else None
    assert len(seen) == len(set(seen)) == 60


def test_a_person_with_his_calls_and_answers(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk)
    page = client.get("/reports/people/1").text
    assert "How was our service?" in page and "1 – excellent" in page and "/reports/replies/" in page
    assert client.get("/reports/people/99").status_code == 404


def test_a_reply_is_played_in_parts(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk)
    address = re.search(r'src="(/reports/replies/\d+\.wav)"', client.get("/reports/people/1").text)
    assert address
    whole = client.get(address[1])
    assert (whole.status_code, whole.content_type, whole.headers["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert whole.headers["Cache-Control"] == "private, no-store"
    part = client.get(address[1], headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.data == whole.data[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"
    assert client.get(address[1], headers={"Range": "bytes=99999999-"}).status_code == 416


def test_who_may_not_see_the_list_hears_nothing_of_it(desk: Desk) -> None:
    campaign_id = surveyed(desk)
    surveyed(desk, "staff", people=4)
    desk.user("boris", Role.OPERATOR, ("staff",))
    other = logged_in(desk, "boris")
    page = other.get("/reports").text
    assert "<b>staff</b>" in page and "debtors" not in page
    for path in (f"/reports?campaign={campaign_id}", "/reports/people/1", "/reports/replies/2.wav"):
        assert other.get(path).status_code == 404, path
    assert "there is no list debtors" in other.get("/reports?list=debtors").text
    stranger = create_app(desk.office).test_client()
    assert stranger.get("/reports/replies/2.wav").status_code == 302


def test_a_path_out_of_the_folder_is_no_reply(desk: Desk, client: FlaskClient) -> None:
    """Not even when the ledger says so."""
    surveyed(desk)
    tone(desk.office.data / "secret.wav")
    desk.store.run_now(
        lambda conn: conn.execute(text("UPDATE answer SET recording = '../secret.wav' WHERE recording <> ''"))
    )
    assert [client.get(f"/reports/replies/{number}.wav").status_code for number in range(1, 6)] == [404] * 5


def exported(desk: Desk, client: FlaskClient, **fields: str) -> tuple[str, list[str]]:
    ordered = client.post("/reports/exports", data={"csrf_token": token(client), **fields})
    assert ordered.status_code == 303
    job_id = re.search(r"/exports/(\w+)", ordered.headers["Location"])
    assert job_id
    [job] = [job for job in desk.office.reports._jobs._jobs.values() if job.job_id == job_id[1]]
    assert job.over.wait(PATIENCE_S)
    page = client.get(ordered.headers["Location"]).text
    assert job.state == "done", job.why
    return job_id[1], re.findall(r'href="(/reports/exports/\w+/\d+)"', page)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf", "json", "replies"])
def test_files_are_made_beside_the_server(desk: Desk, client: FlaskClient, kind: str, tmp_path: Path) -> None:
    surveyed(desk)
    _, files = exported(desk, client, format=kind, delimiter=",", language="ru")
    content = client.get(files[0]).data
    assert len(files) == (4 if kind == "csv" else 1)
    match kind:
        case "csv":
            assert content.decode("utf-8-sig").splitlines()[0].startswith("кампания,список,")
        case "xlsx":
            (tmp_path / "made.xlsx").write_bytes(content)
            assert load_workbook(tmp_path / "made.xlsx").sheetnames[1] == "вопросы"
        case "pdf":
            assert content.startswith(b"%PDF-")
        case "json":
            told = json.loads(content)
            assert told["total"]["people"] == 10 and told["people"][0]["recordings"] == ["replies/1-wish.wav"]
        case "replies":
            with ZipFile(io.BytesIO(content)) as packed:
                assert packed.namelist() == ["replies/1-wish.wav", "replies/3-wish.wav"]
                assert packed.read("replies/1-wish.wav")[:4] == b"RIFF"
    assert desk.store.read_now(audit.entries)[0].deed == "report.export"


def test_files_are_for_who_ordered_them(desk: Desk, client: FlaskClient) -> None:
    surveyed(desk)
    _, files = exported(desk, client, format="json")
    desk.user("boris", Role.ADMIN)
    assert logged_in(desk, "boris").get(files[0]).status_code == 404
    assert client.get(files[0] + "7").status_code == 404
    refused = client.post("/reports/exports", data={"csrf_token": token(client), "format": "exe"})
    assert refused.status_code == 409


def test_a_big_report_that_fails_says_so(desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    surveyed(desk)
    monkeypatch.setattr(office_reports, "AT_ONCE", 3)
    monkeypatch.setattr(office_reports.ReportDesk.figures, "__kwdefaults__", {"anew": False, "patience_s": PATIENCE_S})
    desk.office.reports._jobs._children._command = (sys.executable, "-c", "print('! the disk is full')")
    page = client.get("/reports", headers={"HX-Request": "true"})
    assert page.status_code == 200 and "the disk is full" in page.text and "make it anew" in page.text


def test_big_reports_are_made_beside_the_server_as_well(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveyed(desk)
    at_once: Any = client.get("/reports").text
    monkeypatch.setattr(office_reports, "AT_ONCE", 3)
    monkeypatch.setattr(office_reports.ReportDesk.figures, "__kwdefaults__", {"anew": False, "patience_s": 0.0})
    first = client.get("/reports").text
    assert "The report is being made" in first
    [job] = desk.office.reports._jobs._jobs.values()
    assert job.over.wait(PATIENCE_S)
    made = client.get("/reports").text
    assert "make it anew" in made
    bars = re.compile(r'<rect class="o-[^>]*>')
    assert bars.findall(made) == bars.findall(at_once)
