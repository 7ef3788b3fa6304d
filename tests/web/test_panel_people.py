"""People of a list by hand and from another system: added, changed, refused, taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from panel_client import logged_in, post, token
from panel_office import Desk

from ocm_cti.domain.access import Caller, Role, Scope
from ocm_cti.domain.people import Person
from ocm_cti.office.campaigns import Start
from ocm_cti.store import audit, lists, subscribers
from web.app import create_app

ANNA = Caller("account:1", "anna", Scope.ADMIN)
PAGE = "/lists/debtors/people"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.user("olga", Role.OPERATOR)
    opened.people("debtors", 1)
    yield opened
    opened.close()


def people(desk: Desk) -> dict[str, Person]:
    def read(conn: Any) -> list[Person]:
        list_id = lists.find(conn, "debtors")
        assert list_id is not None
        return subscribers.people(conn, list_id)

    return {person.name: person for person in desk.store.read_now(read)}


def form(**more: Any) -> dict[str, Any]:
    filled = {
        "name": "Иван Петров",
        "number": ["8 916 123-45-67", "", "84951234568"],
        "kind": ["mobile", "", "work"],
        "variable": ["debt", "", "due"],
        "value": ["1 200,50", "", "30.11.2026"],
        "groups": "north, shift 1",
        "priority": "2",
        "note": "глуховат",
    }
    return filled | more


def test_somebody_is_added_changed_and_taken_off(desk: Desk) -> None:
    olga = logged_in(desk, "olga")
    assert "Added." in post(olga, f"{PAGE}/new", **form())
    person = people(desk)["Иван Петров"]
    assert person.numbers == (("+79161234567", "mobile"), ("+74951234568", "work"))
    assert (person.groups, person.priority, person.note) == (("north", "shift 1"), 2, "глуховат")
    assert {**person.variables} == {"name": "Иван Петров", "debt": "1 200,50", "due": "30.11.2026"}
    page = olga.get("/lists/debtors?search=ПЕТРОВ").text
    [address] = re.findall(r'href="(/lists/debtors/people/\d+)"', page)
    shown = olga.get(address).text
    assert 'value="+79161234567"' in shown and 'value="1 200,50"' in shown and 'value="north, shift 1"' in shown
    changed = form(number=["+7 495 123-45-68"], kind=["work"], variable=["debt"], value=["5"], name="Иван Сидоров")
    assert "Saved." in post(olga, address, **changed)
    assert "Иван Петров" not in people(desk), "he is the same person, though his first number is another now"
    person = people(desk)["Иван Сидоров"]
    assert (person.numbers, person.variables["debt"]) == ((("+74951234568", "work"),), "5")
    assert "due" not in person.variables
    assert "Taken off the list" in post(olga, f"{address}/remove")
    assert "Иван Сидоров" not in people(desk) and olga.get(address).status_code == 404
    told = [(one.who, one.deed) for one in desk.store.read_now(audit.entries) if one.subject == "debtors"]
    assert told[:3] == [("olga", "person.remove"), ("olga", "list.import"), ("olga", "list.import")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": ["123"], "kind": [""]}, "is no telephone number"),
        ({"number": [""], "kind": [""]}, "no telephone number"),
        ({"priority": "high"}, "is no priority"),
        ({"zone": "Moscow/Europe"}, "Moscow/Europe"),
        ({"variable": ["Долг"], "value": ["1"]}, "a variable can&#39;t be called"),
        ({"number": ["+79161234567"], "kind": ["satellite"]}, "can&#39;t be of the kind"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(desk: Desk, wrong: dict[str, Any], words: str) -> None:
    olga = logged_in(desk, "olga")
    before = people(desk)
    answer = olga.post(f"{PAGE}/new", data={"csrf_token": token(olga), **form(**wrong)})
    assert answer.status_code in (409, 422) and words in answer.text, answer.text[:2000]
    assert "Иван Петров" in answer.text and people(desk) == before


def test_who_is_being_called_stays_until_the_end(desk: Desk) -> None:
    desk.office.campaigns.start(ANNA, Start("debtors"))
    page = post(logged_in(desk), f"{PAGE}/1/remove")
    assert "in a campaign that is going on" in page and len(people(desk)) == 1


def test_an_auditor_looks_and_who_is_bound_elsewhere_does_not(desk: Desk) -> None:
    desk.user("boris", Role.AUDITOR)
    desk.user("petr", Role.OPERATOR, ("staff",))
    boris, petr = logged_in(desk, "boris"), logged_in(desk, "petr")
    assert boris.get(f"{PAGE}/1").status_code == 200 and boris.get(f"{PAGE}/new").status_code == 403
    assert boris.post(f"{PAGE}/1", data={"csrf_token": token(boris), **form()}).status_code == 403
    assert petr.get(f"{PAGE}/1").status_code == 404
    assert petr.post(f"{PAGE}/new", data={"csrf_token": token(petr), **form()}).status_code == 404
    assert len(people(desk)) == 1


def test_another_system_brings_many_and_is_told_of_each_that_is_wrong(desk: Desk) -> None:
    secret, _ = desk.office.accounts.make_token(ANNA, "crm", Scope.OPERATE)
    client = create_app(desk.office).test_client()
    bearer = {"Authorization": f"Bearer {secret}"}
    path = f"/api/v1{PAGE}"
    sent = [
        {"key": "A1", "name": "Анна", "numbers": [{"number": "8 916 000-00-01", "kind": "mobile"}], "priority": 1},
        {"key": "A2", "name": "Олег", "numbers": [{"number": "нет"}]},
        {"key": "A3", "numbers": [{"number": "+380441134113"}], "variables": {"debt": "7"}, "groups": ["west"]},
    ]
    answer = client.put(path, json={"people": sent}, headers=bearer)
    assert answer.status_code == 200, answer.text
    assert (answer.json["created"], [one["place"] for one in answer.json["refused"]]) == (2, [1])
    assert client.put(path, json={"people": sent}, headers=bearer).json["unchanged"] == 2
    note = [{"key": "A1", "numbers": [{"number": "89160000001", "kind": "mobile"}], "note": "new"}]
    assert client.put(path, json={"people": note}, headers=bearer).json["updated"] == 1
    anna = people(desk)["Анна"]
    assert (anna.note, anna.priority) == ("new", 1), "what nobody of the request has stays"
    found = client.get(f"{path}?search=Анна", headers=bearer).json["items"][0]
    again = {key: found[key] for key in ("key", "name", "variables", "priority", "groups", "zone", "scenario", "note")}
    again["numbers"] = [{"number": one["number"], "kind": one["kind"]} for one in found["numbers"]]
    assert client.put(path, json={"people": [again]}, headers=bearer).json["unchanged"] == 1, "what was got can be put"
    assert client.delete(f"{path}/{found['id']}", headers=bearer).status_code == 204
    assert client.delete(f"{path}/{found['id']}", headers=bearer).status_code == 404
    assert client.put("/api/v1/lists/nobody/people", json={"people": note}, headers=bearer).status_code == 404
    half = '{"people": [{"numbers": [{"number": "+79160000001"}], "name": "\\ud800"}]}'
    refused = client.put(path, data=half, headers={**bearer, "Content-Type": "application/json"})
    assert refused.status_code == 400 and "surrogates" in refused.json["detail"], refused.text
