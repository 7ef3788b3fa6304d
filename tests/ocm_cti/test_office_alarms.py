"""What somebody is told of at once, and what is no alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from panel_client import logged_in
from panel_office import Desk

from ocm_cti.control import CampaignProgress, Snapshot
from ocm_cti.dialer import Line, LineState
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.office import alarms as rules
from ocm_cti.office.alarms import alarms
from ocm_cti.office.errors import NotNow
from ocm_cti.store import campaigns

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LONG_AGO = T0 - timedelta(hours=1)
ANNA = Caller("account:1", "anna", Scope.ADMIN)
PETR = Caller("account:2", "petr", Scope.OPERATE, frozenset({"staff"}))


def line(port: str, state: LineState) -> Line:
    return Line("office", port, state, "", "", LONG_AGO)


def snapshot(health: Health, lines: tuple[Line, ...] = (), *progress: CampaignProgress) -> Snapshot:
    return Snapshot(T0, lines, progress, {"office": health})


UP = Health(LinkState.UP, LONG_AGO)
DEBTORS = CampaignProgress(7, "debtors", 9, 1, 0, {}, state="paused", paused_why="5 line faults in a row")
IDLE, OUT = LineState.IDLE, LineState.OUT_OF_SERVICE


@pytest.mark.parametrize(
    ("shown", "codes"),
    [
        (snapshot(UP, (line("301", IDLE),)), []),
        (snapshot(Health(LinkState.DOWN, LONG_AGO, "refused")), [rules.LINK_DOWN]),
        (snapshot(Health(LinkState.REFUSED, LONG_AGO)), [rules.LINK_DOWN]),
        (snapshot(Health(LinkState.CONNECTING, T0 - timedelta(seconds=3))), []),
        (snapshot(Health(LinkState.CONNECTING, T0 - timedelta(seconds=30))), [rules.LINK_DOWN]),
        (snapshot(UP, (line("301", IDLE), line("302", OUT))), [rules.LINES_OUT]),
        (snapshot(Health(LinkState.DOWN, LONG_AGO), (line("301", OUT),)), [rules.LINK_DOWN]),
        (snapshot(Health(LinkState.UP, T0 - timedelta(seconds=1)), (line("301", OUT),)), []),
        (snapshot(UP, (), DEBTORS), [rules.CAMPAIGN_PAUSED]),
        (snapshot(UP, (), replace(DEBTORS, paused_why=campaigns.BY_HAND)), []),
        (snapshot(UP, (), replace(DEBTORS, state="running")), []),
    ],
)
def test_what_is_one(shown: Snapshot, codes: list[str]) -> None:
    assert [one.code for one in alarms(shown, ANNA)] == codes


def test_a_link_that_falls_again_is_another_alarm() -> None:
    [first] = alarms(snapshot(Health(LinkState.DOWN, LONG_AGO)), ANNA)
    [second] = alarms(snapshot(Health(LinkState.DOWN, T0)), ANNA)
    assert first.name != second.name


def test_a_campaign_of_another_list_is_none_of_his() -> None:
    assert alarms(snapshot(UP, (), DEBTORS), PETR) == []


def test_a_disk_that_is_nearly_full() -> None:
    [found] = alarms(snapshot(UP), ANNA, disk_free=100 * 2**20)
    assert (found.code, found.reason) == (rules.DISK_FULL, "100 MB")
    assert alarms(snapshot(UP), ANNA, disk_free=2**40) == []


def test_the_page_and_the_api_tell_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk.open(tmp_path)
    desk.user()
    client = logged_in(desk)
    secret, _ = desk.office.accounts.make_token(ANNA, "watch", Scope.READ)
    assert "data-alarm=" not in client.get("/alarms").text
    desk.floor.links = {"office": Health(LinkState.DOWN, LONG_AGO, "no route")}
    page = client.get("/alarms").text
    assert "No link to the switch" in page and "no route" in page
    health = client.get("/api/v1/health", headers={"Authorization": f"Bearer {secret}"}).json
    assert [(one["code"], one["subject"]) for one in health["alarms"]] == [("link_down", "office")]

    def deaf() -> Snapshot:
        raise NotNow("the dialer does not answer at this moment")

    monkeypatch.setattr(desk.floor, "snapshot", deaf)
    assert "The dialer does not answer" in client.get("/alarms").text
    desk.close()
