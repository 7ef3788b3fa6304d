"""Scenarios in the panel: shown, checked, changed without losing anybody's work, drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from panel_office import PASSWORD, SCENARIO, Desk

from ocm_cti.domain.access import Role
from ocm_cti.domain.scenarios import parse, read
from ocm_cti.store import audit
from web import flow
from web.app import create_app

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "scenarios"
BROKEN = SCENARIO.replace('type = "say"', 'type = "shout"')


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return logged_in(desk, "anna")


def logged_in(desk: Desk, name: str) -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": name, "password": PASSWORD, "csrf_token": token(made, "/login")})
    return made


def token(client: FlaskClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> str:
    return client.post(path, data={"csrf_token": token(client), **fields}, follow_redirects=True).text


def stamp(page: str) -> str:
    found = re.search(r'name="stamp" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def test_those_of_the_folder_and_who_uses_them(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text(BROKEN, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes(SCENARIO.encode("cp1251"))
    page = client.get("/scenarios").text
    assert "debtors, staff" in page and "broken" in page and "with faults" in page
    assert "pyproject" not in page and "latin" not in page and ">ocm<" not in page
    assert client.get("/scenarios/ocm").status_code == 404


def test_a_change_is_saved_kept_and_audited(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    page = client.get("/scenarios/scenario").text
    changed = SCENARIO.replace("Здравствуйте", "Добрый день")
    answer = post(client, "/scenarios/scenario", text=changed.replace("\n", "\r\n"), stamp=stamp(page))
    assert "Saved." in answer and "Добрый день" in answer
    assert (tmp_path / "scenario.toml").read_bytes() == changed.encode()
    (kept,) = (desk.office.data / "scenarios-kept").iterdir()
    assert kept.read_text(encoding="utf-8") == SCENARIO
    assert desk.store.read_now(audit.entries)[0].deed == "scenario.change"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_wrong_is_not_saved_and_not_lost(client: FlaskClient, tmp_path: Path) -> None:
    page = client.get("/scenarios/scenario").text
    answer = post(client, "/scenarios/scenario", text=BROKEN, stamp=stamp(page))
    assert "it was not saved" in answer and "shout" in answer and 'data-line="6"' in answer
    assert (tmp_path / "scenario.toml").read_text(encoding="utf-8") == SCENARIO
    assert "at most 200000 octets" in post(client, "/scenarios/scenario", text="я" * 100_001, stamp=stamp(page))


def test_nobody_writes_over_what_somebody_else_has_changed(client: FlaskClient, tmp_path: Path) -> None:
    mine = stamp(client.get("/scenarios/scenario").text)
    theirs = SCENARIO.replace("Здравствуйте", "Привет")
    (tmp_path / "scenario.toml").write_text(theirs, encoding="utf-8")
    changed = SCENARIO.replace("Здравствуйте", "Добрый день")
    answer = post(client, "/scenarios/scenario", text=BROKEN, stamp=mine)
    assert stamp(answer) == mine, "the faults have nothing to do with it"
    answer = post(client, "/scenarios/scenario", text=changed, stamp=mine)
    assert "somebody else has changed" in answer and "Добрый день" in answer
    assert (tmp_path / "scenario.toml").read_text(encoding="utf-8") == theirs
    assert "Saved." in post(client, "/scenarios/scenario", text=changed, stamp=stamp(answer))


def test_a_new_one_begins_with_something_that_works(client: FlaskClient, tmp_path: Path) -> None:
    page = post(client, "/scenarios", name="call out", language="uk")
    assert "1 to 80 letters" in page
    page = post(client, "/scenarios", name="call-out.toml", language="uk")
    assert parse((tmp_path / "call-out.toml").read_text(encoding="utf-8")).language == "uk"
    assert "call-out" in page and "Nothing is wrong" in page
    for name in ("call-out", "scenario", "ocm", "../x", ""):
        assert "alert-danger" in post(client, "/scenarios", name=name, language="ru"), name
    assert sorted(path.name for path in tmp_path.parent.glob("x.toml")) == []


def test_rights(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    desk.user("boris", Role.AUDITOR)
    desk.user("olga", Role.OPERATOR, ("debtors",))
    boris, olga = logged_in(desk, "boris"), logged_in(desk, "olga")
    page = boris.get("/scenarios/scenario").text
    assert "readonly" in page and ">Save<" not in page
    assert "takes the right" in post(boris, "/scenarios/scenario", text=SCENARIO, stamp=stamp(page))
    page = olga.get("/scenarios/scenario").text
    assert "staff" not in page
    assert "lists that you may not see" in post(olga, "/scenarios/scenario", text=SCENARIO, stamp=stamp(page))


def test_what_is_typed_is_checked_and_drawn(client: FlaskClient) -> None:
    right = post(client, "/scenarios/scenario/check", text=(FIXTURES / "survey.toml").read_text(encoding="utf-8"))
    assert "Nothing is wrong" in right or "recording" in right
    assert 'data-step="visited"' in right and "flow-box" in right and "<html" not in right
    wrong = post(client, "/scenarios/scenario/check", text="name = [")
    assert "flow-box" not in wrong and "text-danger" in wrong
    script = SCENARIO.replace("hello", "<script>alert(1)</script>")
    assert "<script>" not in post(client, "/scenarios/scenario/check", text=script)


def test_a_draft_goes_on_where_nothing_else_is_said() -> None:
    text = (FIXTURES / "debt.toml").read_text(encoding="utf-8")
    right, draft = read(text).scenario, read(text.replace("[[step]]", "[[step]]\nshout = 1", 1)).draft
    assert right is not None and draft is not None
    assert flow.drawing(draft, is_draft=True) == flow.drawing(right)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.toml")), ids=lambda path: str(path.stem))
def test_every_way_is_drawn_and_none_covers_another(path: Path) -> None:
    scenario = read(path.read_text(encoding="utf-8")).scenario
    assert scenario is not None
    drawn = flow.drawing(scenario)
    assert [box.name for box in drawn.boxes] == [*scenario.steps, ""]
    wanted = sum(len(set(step.successors() or (None,))) for step in scenario.steps.values())
    transfers = sum(step.kind == "transfer" for step in scenario.steps.values())
    assert wanted <= len(drawn.arcs) <= wanted + transfers
    upright: dict[str, list[tuple[float, float]]] = {}
    for arc in drawn.arcs:
        lane = re.fullmatch(r"M\S+ (\S+)H(\S+)V(\S+)H\S+", arc.path)
        if lane:
            ends = sorted((float(lane[1]), float(lane[3])))
            for first, last in upright.get(lane[2], []):
                assert ends[1] < first or ends[0] > last, arc
            upright.setdefault(lane[2], []).append((ends[0], ends[1]))
            assert 0 <= float(lane[2]) <= drawn.width
