"""Stop lists in the panel and the API: who stands on them, who may put somebody there, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from panel_client import logged_in, post, token
from panel_office import Desk

from ocm_cti.domain.access import Caller, Role, Scope
from ocm_cti.store import audit, stop_lists
from ocm_cti.store.stop_lists import Entry
from web.app import create_app

PAGE = "/set-up/stop-lists"
ANNA = Caller("account:1", "anna", Scope.ADMIN)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.user("olga", Role.OPERATOR)
    yield opened
    opened.close()


def standing(desk: Desk) -> list[Entry]:
    return desk.store.read_now(stop_lists.entries)


def test_an_operator_puts_numbers_on_a_list_and_takes_them_off(desk: Desk) -> None:
    olga = logged_in(desk, "olga")
    pasted = "8 (495) 123-45-67\r\n+7900*; +380 44 113 41 13\r\n\r\n84951234567"
    said = post(olga, PAGE, name=" asked ", entries=pasted, reason="жалоба Ивановой")
    assert "asked: 3 added, 0 stood on it already" in said
    assert [(one.list_name, one.entry, one.reason) for one in standing(desk)] == [
        ("asked", "+380441134113", "жалоба Ивановой"),
        ("asked", "+74951234567", "жалоба Ивановой"),
        ("asked", "+7900*", "жалоба Ивановой"),
    ]
    assert "0 added, 1 stood on it already" in post(olga, PAGE, name="asked", entries="+74951234567")
    row = 'value="+7900* asked"'
    assert row in olga.get(f"{PAGE}?search=ЖАЛОБА").text, "in any case of letters"
    assert row not in olga.get(f"{PAGE}?search=1234").text
    said = post(olga, f"{PAGE}/remove", entry=["+7900* asked", "+380441134113 asked", "+79001 nobody"])
    assert "Taken off: 2" in said
    assert [one.entry for one in standing(desk)] == ["+74951234567"]
    entries = desk.store.read_now(audit.entries)
    told = [(one.who, one.deed, one.subject, one.details.get("entries")) for one in entries if "stop" in one.deed]
    assert told[0][:3] == ("olga", "stop_list.remove", "asked") and "+7900*" in str(told[0][3])
    assert "+74951234567" not in str(told), "a number in the audit is masked"


def test_what_is_no_number_changes_nothing_and_stays_in_the_form(desk: Desk) -> None:
    olga = logged_in(desk, "olga")
    form = {"csrf_token": token(olga), "name": "asked", "entries": "+74951234567\n@/etc/passwd\nнет", "reason": "r"}
    answer = olga.post(PAGE, data=form)
    assert answer.status_code == 422
    assert "@/etc/passwd" in answer.text and "root:" not in answer.text, "a file of the server is not read"
    assert "Nothing was changed" in answer.text and standing(desk) == []
    assert "whole country" in olga.post(PAGE, data={**form, "entries": "+7*"}).text
    assert standing(desk) == []
    assert "1 added" in post(olga, PAGE, name="asked", entries="+7*", sure="1")


def test_who_is_bound_to_lists_has_no_business_here(desk: Desk) -> None:
    desk.user("petr", Role.OPERATOR, ("debtors",))
    desk.user("boris", Role.AUDITOR)
    desk.office.stop_lists.add(ANNA, "asked", "+74951234567")
    petr, boris = logged_in(desk, "petr"), logged_in(desk, "boris")
    assert petr.get(PAGE).status_code == 403
    assert "+74951234567" in boris.get(PAGE).text and "<textarea" not in boris.get(PAGE).text
    for client in (petr, boris):
        form = {"csrf_token": token(client), "name": "x", "entries": "+74951234568", "entry": "+74951234567 asked"}
        assert client.post(f"{PAGE}/remove", data=form).status_code == 403
        assert client.post(PAGE, data=form).status_code in (403, 422)
    assert [one.entry for one in standing(desk)] == ["+74951234567"]


def test_pages_lose_nobody_though_one_number_stands_on_several_lists(desk: Desk) -> None:
    numbers = [f"+7495{number:07d}" for number in range(60)]
    for name in ("a", "b"):
        desk.office.stop_lists.add(ANNA, name, "\n".join(numbers))
    seen: list[tuple[str, str]] = []
    after = ""
    while True:
        page = desk.office.stop_lists.page(ANNA, after=after, limit=7)
        seen += [(one.entry, one.list_name) for one in page.entries]
        after = page.after
        if not after:
            break
    assert seen == [(number, name) for number in numbers for name in ("a", "b")]


def test_other_systems_do_the_same(desk: Desk) -> None:
    secret, _ = desk.office.accounts.make_token(ANNA, "crm", Scope.OPERATE)
    client = create_app(desk.office).test_client()
    bearer = {"Authorization": f"Bearer {secret}"}
    path = "/api/v1/stop-lists/asked/entries"
    key = {**bearer, "Idempotency-Key": "k1"}
    for _ in range(2):
        answer = client.post(path, json={"entries": ["8 495 1234567", "+7900*"], "reason": "r"}, headers=key)
        assert (answer.status_code, answer.json) == (200, {"new": 2, "given": 2})
    assert client.get("/api/v1/stop-lists", headers=bearer).json == {"items": [{"name": "asked", "entries": 2}]}
    page = client.get(f"{path}?limit=1", headers=bearer).json
    assert [one["entry"] for one in page["items"]] == ["+74951234567"]
    page = client.get(f"{path}?after=%2B74951234567", headers=bearer).json
    assert ([one["entry"] for one in page["items"]], page["after"]) == (["+7900*"], "")
    wrong = client.post(path, json={"entries": ["nobody"]}, headers=bearer)
    assert wrong.status_code in (409, 422) and "nobody" in wrong.json["detail"]
    gone = client.post("/api/v1/stop-lists/asked/remove", json={"entries": ["+7900*", "+1"]}, headers=bearer)
    assert gone.json == {"removed": 1}


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?list=asked", f"{PAGE}?search=x&after=%2B7"])
def test_a_stranger_gets_the_login(desk: Desk, path: str) -> None:
    client: FlaskClient = create_app(desk.office).test_client()
    assert "/login" in client.get(path).headers["Location"]
