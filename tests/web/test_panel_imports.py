"""A file is brought to the panel: looked at, read otherwise, imported, its refused rows mended and brought again."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from panel_office import PASSWORD, Desk
from werkzeug.test import TestResponse

from ocm_cti.domain.access import Caller, Role, Scope
from ocm_cti.office.imports import AT_WORK, ImportJob
from ocm_cti.store import audit, lists
from web.app import create_app

PATIENCE_S = 240.0
CSV = "ФИО;Телефон;Долг;Ёмкость\nМария Ивановна;8 495 123-45-67;100,50;3\nПётр;спросить;7;1\nОльга;84951230000;=1+1;2\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.user("oleg", Role.OPERATOR, ("staff",))
    opened.user("rita", Role.AUDITOR)
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


def bring(client: FlaskClient, octets: bytes, name: str = "Должники.csv", to: str = "debtors") -> TestResponse:
    return post(client, f"/lists/{to}/import", file=(io.BytesIO(octets), name))


def waited(desk: Desk, answer: TestResponse) -> ImportJob:
    assert answer.status_code == 303, answer.text
    job_id = answer.headers["Location"].rpartition("/")[2]
    job = desk.office.imports._jobs[job_id]
    assert job.over.wait(PATIENCE_S)
    return job


def names_on(desk: Desk, list_name: str = "debtors") -> set[str]:
    admin = Caller("account:1", "anna", Scope.ADMIN)
    return {row.person.name for row in desk.office.lists.people(admin, list_name).people}


def test_a_file_of_an_accountant_is_seen_right_at_first_sight_and_then_imported(
    desk: Desk, client: FlaskClient
) -> None:
    job = waited(desk, bring(client, CSV.encode("cp1251")))
    assert names_on(desk) == set(), "nothing is written before he has seen it"
    page = client.get(f"/imports/{job.job_id}").text
    assert "Windows-1251" in page and "Мария Ивановна" in page and "+74951234567" in page and "emkost" in page
    assert "&#39;спросить&#39; is no telephone number" in page
    again = waited(desk, post(client, f"/imports/{job.job_id}/write"))
    assert (again.state, again.result["created"], again.result["refused"]) == ("done", 2, 1)
    assert names_on(desk) == {"Мария Ивановна", "Ольга"}
    assert not job.path.exists()
    (entry,) = desk.store.read_now(lambda conn: audit.entries(conn, 1))
    assert (entry.who, entry.deed, entry.subject) == ("anna", "list.import", "debtors")


def test_refused_rows_are_mended_and_brought_again(desk: Desk, client: FlaskClient) -> None:
    job = waited(desk, bring(client, CSV.encode("cp1251")))
    waited(desk, post(client, f"/imports/{job.job_id}/write"))
    fetched = client.get(f"/imports/{job.job_id}/refused.csv")
    assert "attachment" in fetched.headers["Content-Disposition"]
    mended = fetched.data.replace("спросить".encode(), b"84951239999")
    second = waited(desk, bring(client, mended, "mended.csv"))
    assert (second.result["created"], second.result["refused"]) == (1, 0), second.why
    waited(desk, post(client, f"/imports/{second.job_id}/write"))
    assert names_on(desk) == {"Мария Ивановна", "Ольга", "Пётр"}


def test_what_was_guessed_can_be_said_otherwise_and_is_remembered(desk: Desk, client: FlaskClient) -> None:
    text = "Кто|Куда|Сколько\nАнна|84951234567|5\n"
    job = waited(desk, bring(client, text.encode("cp866"), "x.txt"))
    assert job.state == "failed" and "no column of telephone numbers" in job.why
    page = client.get(f"/imports/{job.job_id}").text
    assert 'name="field-1"' in page and "Анна" in page, "its first rows are shown, to say what they are"
    fields = {"field-0": "name", "field-1": "phone", "field-2": "variable", "variable-2": "how_much"}
    job = waited(desk, post(client, f"/imports/{job.job_id}/look", **fields))
    assert (job.state, job.why) == ("looked", "")
    assert job.result["mapping"] == {"Кто": "name", "Куда": "phone", "Сколько": "how_much"}
    waited(desk, post(client, f"/imports/{job.job_id}/write"))
    next_time = waited(desk, bring(client, text.encode("cp866"), "y.txt"))
    assert next_time.result["mapping"] == {"Кто": "name", "Куда": "phone", "Сколько": "how_much"}
    assert next_time.result["unchanged"] == 1


def test_an_encoding_that_is_wrong_is_put_right(desk: Desk, client: FlaskClient) -> None:
    job = waited(desk, bring(client, "Имя;Телефон\nЙод;84951234567\n".encode("koi8-r")))
    job = waited(desk, post(client, f"/imports/{job.job_id}/look", encoding="koi8-r", delimiter=";"))
    assert job.result["rows"][0]["person"]["name"] == "Йод"


def test_a_workbook_and_its_sheets(desk: Desk, client: FlaskClient) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Телефон"])
    book.active.append(["84951234567"])
    other = book.create_sheet("Вторая")
    other.append(["Имя", "Phone"])
    other.append(["Анна", "84951234568"])
    octets = io.BytesIO()
    book.save(octets)
    job = waited(desk, bring(client, octets.getvalue(), "book.xlsx"))
    assert (job.result["created"], job.result["sheets"]) == (1, ["Sheet", "Вторая"])
    job = waited(desk, post(client, f"/imports/{job.job_id}/look", sheet="Вторая"))
    assert job.result["rows"][0]["person"]["name"] == "Анна"


def test_most_of_a_list_goes_only_when_somebody_is_sure(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 30)
    job = waited(desk, bring(client, "Имя;Телефон\nАнна;84951234567\n".encode()))
    job = waited(desk, post(client, f"/imports/{job.job_id}/write", delete_missing="on"))
    assert job.state == "failed" and "30 of the 31 people" in job.why
    assert 'name="sure"' in client.get(f"/imports/{job.job_id}").text
    job = waited(desk, post(client, f"/imports/{job.job_id}/write", delete_missing="on", sure="on"))
    assert (job.state, job.result["deleted"]) == ("done", 30)
    assert names_on(desk) == {"Анна"}


def test_who_may_not_bring_a_file(desk: Desk) -> None:
    assert bring(logged_in(desk, "rita"), CSV.encode()).status_code == 403
    oleg = logged_in(desk, "oleg")
    assert bring(oleg, CSV.encode()).status_code == 404, "a list that he may not see"
    job = waited(desk, bring(logged_in(desk), CSV.encode()))
    for path in ("", "/refused.csv"):
        assert oleg.get(f"/imports/{job.job_id}{path}").status_code == 404
    for deed in ("look", "write", "drop"):
        assert post(oleg, f"/imports/{job.job_id}/{deed}").status_code == 404
    assert oleg.post("/lists/staff/import", data={"file": (io.BytesIO(b"x"), "x")}).status_code == 400, "no token"
    assert names_on(desk) == set()


def test_what_is_no_file_leaves_nothing_behind(desk: Desk, client: FlaskClient, monkeypatch: Any) -> None:
    monkeypatch.setattr("ocm_cti.office.imports.LARGEST", 1000)
    for octets in (b"", b"x" * 1001):
        assert bring(client, octets).status_code == 409
    assert list((desk.office.data / "imports").iterdir()) == []
    job = waited(desk, bring(client, b"\x00\x01\x02 no table at all"))
    assert job.state == "failed" and job.why
    assert post(client, f"/imports/{job.job_id}/write").status_code == 303
    assert job.state == "failed"
    assert client.get(f"/imports/{job.job_id}").status_code == 200
    assert post(client, f"/imports/{job.job_id}/drop").status_code == 303
    assert not job.folder.exists()
    assert client.get(f"/imports/{job.job_id}").status_code == 404


def test_a_bomb_harms_nobody(desk: Desk, client: FlaskClient) -> None:
    """Four gigabytes of rows in a small archive: the process that unpacks them ends, and says why."""
    desk.office.imports._children._command = (
        sys.executable,
        "-c",
        "import ocm_cti.import_process as child; child.MEMORY_OCTETS = 900_000_000; child.main()",
    )
    octets = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["Телефон"])
    book.save(octets)
    packed = io.BytesIO()
    row = b'<row><c t="inlineStr"><is><t>' + b"8" * 400 + b"</t></is></c></row>"
    with zipfile.ZipFile(octets) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.infolist():
            if one.filename != "xl/worksheets/sheet1.xml":
                after.writestr(one, before.read(one))
        with after.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
            sheet.write(b"<worksheet " + space + b"><sheetData>")
            for _ in range(200):
                sheet.write(row * 10_000)
            sheet.write(b"</sheetData></worksheet>")
    assert len(packed.getvalue()) < 10_000_000
    job = waited(desk, bring(client, packed.getvalue(), "bomb.xlsx"))
    assert job.state == "failed" and "memory" in job.why
    assert "memory" in client.get(f"/imports/{job.job_id}").text


def test_one_file_at_a_time_is_written_into_a_list(desk: Desk, client: FlaskClient) -> None:
    first = waited(desk, bring(client, CSV.encode()))
    second = waited(desk, bring(client, CSV.encode()))
    first.state = "writing"
    assert post(client, f"/imports/{second.job_id}/write").status_code == 303
    assert second.state == "looked"
    assert "another file is being imported into debtors" in client.get("/account").text
    assert "is being read at this moment" in client.get("/lists/debtors/import").text
    first.state = "looked"
    waited(desk, post(client, f"/imports/{second.job_id}/write"))
    assert second.state == "done" and first.state not in AT_WORK


def test_a_bare_file_as_the_page_itself_sends_it(desk: Desk, client: FlaskClient) -> None:
    headers = {"X-File-Name": "%D0%94.csv", "X-CSRFToken": token(client), "Content-Type": "application/octet-stream"}
    answer = client.post("/lists/debtors/import", data=CSV.encode("cp1251"), headers=headers)
    assert answer.status_code == 201
    job = desk.office.imports._jobs[answer.headers["Location"].rpartition("/")[2]]
    assert job.over.wait(PATIENCE_S)
    assert (job.called, job.result["created"]) == ("Д.csv", 2)


def test_other_systems_import_with_one_request(desk: Desk) -> None:
    admin = Caller("account:1", "anna", Scope.ADMIN)
    secret, _ = desk.office.accounts.make_token(admin, "crm", Scope.OPERATE)
    client = create_app(desk.office).test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    sent = {"file": (io.BytesIO(CSV.encode()), "crm.csv"), "map": ["Ёмкость=size", "Долг=-"]}
    answer = client.post("/api/v1/lists/debtors/imports", data=sent, headers=headers)
    assert answer.status_code == 202, answer.text
    assert desk.office.imports._jobs[answer.json["id"]].over.wait(PATIENCE_S)
    told = client.get(answer.headers["Location"], headers=headers).json
    assert (told["state"], told["created"], told["refused"], told["refusals"][0]["row"]) == ("done", 2, 1, 3)
    assert told["mapping"] == {"ФИО": "name", "Телефон": "phone", "Долг": "-", "Ёмкость": "size"}
    rows = client.get(answer.headers["Location"] + "/refused", headers=headers)
    assert "спросить" in rows.data.decode("utf-8-sig")
    assert names_on(desk) == {"Мария Ивановна", "Ольга"}
    assert desk.store.read_now(lambda conn: lists.mapping(conn, "debtors")) == {"Ёмкость": "size", "Долг": "-"}
