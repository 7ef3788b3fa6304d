"""How often the people of a campaign are counted for those who watch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from panel_office import Desk

from ocm_cti import control
from ocm_cti.control import CampaignProgress, Tally, progress_of
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.campaigns import Start

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = Caller("account:1", "anna", Scope.ADMIN)


def test_what_takes_long_to_count_is_counted_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk.open(tmp_path)
    desk.people("debtors", 2)
    started = desk.office.campaigns.start(ANNA, Start("debtors"))
    clock_s = [100.0]
    counted: list[int] = []

    def slow(conn: Any, campaign_id: int, running: bool, now: datetime) -> CampaignProgress:
        counted.append(campaign_id)
        clock_s[0] += 0.3
        return progress_of(conn, campaign_id, running, now)

    monkeypatch.setattr(control, "progress_of", slow)
    tally = Tally(lambda: clock_s[0])

    def look() -> tuple[str, int]:
        found = desk.store.read_now(lambda conn: tally.progress(conn, 1, True, T0))
        return found.state, len(counted)

    assert look() == ("running", 1)
    clock_s[0] += 11.6
    assert look() == ("running", 1), "it rests 39 times as long as it took"
    clock_s[0] += 0.2
    assert look() == ("running", 2)
    desk.office.campaigns.pause(ANNA, started.row.campaign_id)
    assert look() == ("paused", 3), "a change of state is seen at once"
    desk.office.campaigns.stop(ANNA, started.row.campaign_id)
    assert look() == ("done", 4)
    clock_s[0] += 1000
    assert look() == ("done", 4), "what is done does not change"
    desk.close()
