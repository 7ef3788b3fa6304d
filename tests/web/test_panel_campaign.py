"""A campaign by its people: pages, order, filters, why not now; and what is done with them by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from panel_office import PASSWORD, T0, Desk
from werkzeug.test import TestResponse

from ocm_cti.domain.access import Caller, Role, Scope
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.office.campaigns import Start
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.tasks import Deed, Wanted
from ocm_cti.store import attempts, audit, readiness, stop_lists, tasks
from web.app import create_app

ANNA = Caller("account:1", "anna", Scope.ADMIN)
PEOPLE = 12


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.user("rita", Role.AUDITOR)
    opened.user("oleg", Role.OPERATOR, ("staff",))
    yield opened
    opened.office.close()
    opened.close()


def started(desk: Desk, people: int = PEOPLE) -> int:
    desk.people("debtors", people)
    made = desk.office.campaigns.start(ANNA, Start("debtors"))

    def ready(conn: Any) -> None:
        readiness.ready(conn, [one.task_id for one in readiness.unprepared(conn, made.row.campaign_id, 0, 10**6)], T0)

    desk.store.run_now(ready)
    return made.row.campaign_id


def call(desk: Desk, campaign_id: int, outcome: Outcome | None) -> tasks.Claim:
    """The next person is called; None: he is being called still."""

    def job(conn: Any) -> tasks.Claim:
        claim = tasks.claim(conn, campaign_id, "office", "301", "test", desk.at)
        assert claim is not None
        attempts.place(conn, claim.attempt_id, desk.at)
        if outcome is not None:
            attempts.finish(conn, claim.attempt_id, attempts.Finish(outcome, Cause.NORMAL, desk.at, keys="1"), desk.at)
        return claim

    return desk.store.run_now(job)


def page(desk: Desk, campaign_id: int, **more: Any) -> Any:
    wanted = Wanted(**{key: more.pop(key) for key in ("state", "outcome", "search", "group") if key in more})
    return desk.office.tasks.page(ANNA, campaign_id, wanted, **more)


def names(found: Any) -> list[str]:
    return [one.name for one in found.tasks]


def logged_in(desk: Desk, name: str = "anna") -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": name, "password": PASSWORD, "csrf_token": token(made, "/login")})
    return made


def token(client: FlaskClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, campaign_id: int, **fields: Any) -> TestResponse:
    return client.post(f"/campaigns/{campaign_id}/people", data={"csrf_token": token(client), **fields})


@pytest.mark.parametrize("order", ["id", "name"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("few", [5000, 0])
def test_page_after_page_everybody_is_there_once(
    desk: Desk, order: str, backwards: bool, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocm_cti.store.task_pages.FEW", few)  # both ways of going through them
    campaign_id = started(desk)
    found: list[Any] = []
    after = ""
    while True:
        shown = page(desk, campaign_id, order=order, backwards=backwards, after=after, limit=5)
        found += shown.tasks
        if not shown.after:
            break
        after = shown.after
    keys = [(one.name, one.task_id) if order == "name" else one.task_id for one in found]
    assert len(keys) == PEOPLE and keys == sorted(keys, reverse=backwards)


def test_what_is_shown_of_each(desk: Desk) -> None:
    campaign_id = started(desk)
    busy, up = call(desk, campaign_id, Outcome.BUSY), call(desk, campaign_id, None)
    done = call(desk, campaign_id, Outcome.CONFIRMED)
    rows = {one.task_id: one for one in page(desk, campaign_id).tasks}
    one = rows[busy.task_id]
    assert (one.state, one.tries, one.why.code) == ("waiting", 1, "retry_busy")
    one = rows[up.task_id]
    assert (one.state, one.gateway, one.line, one.number) == ("calling", "office", "301", up.number)
    one = rows[done.task_id]
    assert (one.state, one.outcome, one.keys, one.why) == ("done", "confirmed", "1", None)
    desk.office.campaigns.pause(ANNA, campaign_id)
    assert {one.why.code for one in page(desk, campaign_id, state="waiting").tasks} == {"paused"}


def test_states_outcomes_and_parts_of_names_in_any_case(desk: Desk) -> None:
    campaign_id = started(desk)
    confirmed = call(desk, campaign_id, Outcome.CONFIRMED)
    up = call(desk, campaign_id, None)
    assert [one.task_id for one in page(desk, campaign_id, outcome="confirmed").tasks] == [confirmed.task_id]
    assert [one.task_id for one in page(desk, campaign_id, state="calling").tasks] == [up.task_id]
    assert len(page(desk, campaign_id, state="waiting").tasks) == PEOPLE - 2
    assert set(names(page(desk, campaign_id, search="ольга"))) == {"ОЛЬГА 1", "ОЛЬГА 5", "ОЛЬГА 9"}
    assert names(page(desk, campaign_id, search="123-0007")) == ["Boris 7"]
    assert names(page(desk, campaign_id, search="100%")) == []
    assert names(page(desk, campaign_id, group="nobody's")) == []
    for after in ("x", "[1,2]", '["a"]', "[-1]", f"[{10**30}]"):
        with pytest.raises(Refused):
            page(desk, campaign_id, after=after)


def test_who_is_called_first_and_who_is_not_called(desk: Desk) -> None:
    campaign_id = started(desk)
    rows = page(desk, campaign_id).tasks
    assert desk.office.tasks.do(ANNA, campaign_id, Deed("call_first", [rows[7].task_id])) == 1
    assert call(desk, campaign_id, Outcome.BUSY).task_id == rows[7].task_id
    up = call(desk, campaign_id, None)
    everybody = [one.task_id for one in rows]
    assert desk.office.tasks.do(ANNA, campaign_id, Deed("skip", everybody)) == PEOPLE - 1, "not whom we are calling"
    assert desk.office.campaigns.one(ANNA, campaign_id).counts.calling == 1
    end = attempts.Finish(Outcome.BUSY, Cause.NORMAL, desk.at)
    desk.store.run_now(lambda conn: attempts.finish(conn, up.attempt_id, end, desk.at))
    assert desk.office.tasks.do(ANNA, campaign_id, Deed("skip", everybody)) == 1
    assert desk.office.campaigns.one(ANNA, campaign_id).row.state == "done"
    with pytest.raises(Refused, match="over"):
        desk.office.tasks.do(ANNA, campaign_id, Deed("again", everybody))


def test_who_is_done_is_called_once_more_when_somebody_says_so(desk: Desk) -> None:
    campaign_id = started(desk)
    done = call(desk, campaign_id, Outcome.REJECTED)
    up = call(desk, campaign_id, None)
    assert desk.office.tasks.do(ANNA, campaign_id, Deed("again", [done.task_id, up.task_id])) == 1
    (row,) = [one for one in page(desk, campaign_id).tasks if one.task_id == done.task_id]
    assert (row.state, row.outcome, row.tries) == ("waiting", "", 1)
    desk.store.run_now(lambda conn: readiness.ready(conn, [done.task_id], desk.at))
    desk.office.tasks.do(ANNA, campaign_id, Deed("call_first", [done.task_id]))
    assert call(desk, campaign_id, Outcome.REJECTED).task_id == done.task_id
    (row,) = [one for one in page(desk, campaign_id).tasks if one.task_id == done.task_id]
    assert (row.state, row.outcome, row.tries) == ("done", "rejected", 2), "once more, not without end"
    deeds = [(one.deed, one.details["people"]) for one in desk.store.read_now(lambda conn: audit.entries(conn, 2))]
    assert deeds == [("task.call_first", 1), ("task.again", 1)]


def test_all_whom_a_filter_finds_go_on_a_stop_list(desk: Desk) -> None:
    campaign_id = started(desk)
    deed = Deed("stop_list", None, Wanted(search="ольга"), "asked")
    assert desk.office.tasks.do(ANNA, campaign_id, deed) == 3
    numbers = {one.entry for one in desk.store.read_now(stop_lists.entries)}
    assert numbers == {"+74951230001", "+74951230005", "+74951230009"}
    assert {one.why.code for one in page(desk, campaign_id, search="ольга").tasks} == {"stop_list"}
    for name in ("", " ", "x" * 101):
        with pytest.raises(Refused):
            desk.office.tasks.do(ANNA, campaign_id, replace(deed, name=name))
    with pytest.raises(Refused, match="no scenario"):
        desk.office.tasks.do(ANNA, campaign_id, Deed("scenario", None, name="other"))


def test_whose_list_it_is_not(desk: Desk) -> None:
    campaign_id = started(desk)
    oleg = Caller("account:3", "oleg", Scope.OPERATE, frozenset({"staff"}))
    for work in (
        lambda: desk.office.tasks.page(oleg, campaign_id, Wanted()),
        lambda: desk.office.tasks.head(oleg, campaign_id),
        lambda: desk.office.tasks.count(oleg, campaign_id, Wanted()),
        lambda: desk.office.tasks.do(oleg, campaign_id, Deed("skip", None)),
    ):
        with pytest.raises(NotThere):
            work()
    client = logged_in(desk, "oleg")
    assert client.get(f"/campaigns/{campaign_id}").status_code == 404
    assert post(client, campaign_id, deed="skip", task="1").status_code == 303
    assert desk.office.campaigns.one(ANNA, campaign_id).counts.waiting == PEOPLE


def test_the_page_and_its_deeds(desk: Desk) -> None:
    campaign_id = started(desk)
    client = logged_in(desk)
    text = client.get(f"/campaigns/{campaign_id}").text
    assert text.count('name="task"') == PEOPLE and "Call first" in text and "Stop and hang up" in text
    ids = re.findall(r'name="task" value="(\d+)"', text)
    assert post(client, campaign_id, deed="skip", task=ids[:2]).status_code == 303
    assert "done with 2" in client.get("/account").text
    question = post(client, campaign_id, deed="skip", all="1", search="ольга", order="name")
    assert question.status_code == 200 and "3 people of debtors?" in question.text
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', question.text.partition("/people")[2]))
    fields.pop("csrf_token")
    answer = post(client, campaign_id, **fields)
    assert answer.status_code == 303 and "order=name" in answer.headers["Location"]
    stopped = {*ids[:2]} | _of(desk, campaign_id, "ольга")
    assert desk.office.campaigns.one(ANNA, campaign_id).counts.outcomes["stopped"] == len(stopped)
    part = client.get(f"/campaigns/{campaign_id}?outcome=stopped", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="campaign"') and part.count('name="task"') >= 4
    assert 'name="task"' not in logged_in(desk, "rita").get(f"/campaigns/{campaign_id}").text
    assert post(logged_in(desk, "rita"), campaign_id, deed="skip", task=ids).status_code == 403
    assert client.get(f"/campaigns/{campaign_id}?after=junk").status_code == 409
    assert client.get("/campaigns/99999999999999999999").status_code == 404


def _of(desk: Desk, campaign_id: int, search: str) -> set[str]:
    return {str(one.task_id) for one in page(desk, campaign_id, search=search).tasks}


deeds = st.lists(
    st.tuples(
        st.sampled_from(["call_first", "skip", "again", "claim", "finish", "ready"]),
        st.sets(st.integers(0, 5), max_size=4),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_whatever_is_done_by_hand_nobody_is_called_twice_at_a_time(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, set[int]]]
) -> None:
    """And who is up stays up, whoever clicks what."""
    desk = Desk.open(tmp_path_factory.mktemp("deeds"))
    try:
        campaign_id = started(desk, 6)
        ids = [one.task_id for one in page(desk, campaign_id).tasks]
        up: dict[int, tasks.Claim] = {}
        for what, places in done:
            chosen = [ids[place] for place in places]
            if what == "claim":
                claim = desk.store.run_now(
                    lambda conn: tasks.claim(conn, campaign_id, "office", "301", "test", desk.at)
                )
                if claim is not None:
                    assert claim.task_id not in up, "he is being called"
                    up[claim.task_id] = claim
            elif what == "finish":
                for task_id in [one for one in chosen if one in up]:
                    end = attempts.Finish(Outcome.NO_ANSWER, Cause.NORMAL, desk.at)
                    attempt_id = up.pop(task_id).attempt_id
                    desk.store.run_now(lambda conn, one=attempt_id, end=end: attempts.finish(conn, one, end, desk.at))
            elif what == "ready":
                desk.store.run_now(lambda conn, chosen=chosen: readiness.ready(conn, chosen, desk.at))
            else:
                try:
                    desk.office.tasks.do(ANNA, campaign_id, Deed(what, chosen))
                except Refused:
                    assert desk.office.campaigns.one(ANNA, campaign_id).row.state == "done"
            calling = {one.task_id for one in page(desk, campaign_id, state="calling").tasks}
            assert calling == set(up)
    finally:
        desk.office.close()
        desk.close()
