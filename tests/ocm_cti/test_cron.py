"""Cron lines on the wall clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.cron import BadCron, next_after

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("0 9 * * mon-fri", "2026-11-27T07:59", "2026-11-27T08:00"),
        ("0 9 * * mon-fri", "2026-11-27T08:00", "2026-11-30T08:00"),
        ("*/15 9-10 * * *", "2026-11-27T08:50", "2026-11-27T09:00"),
        ("0 0 1 * *", "2026-11-27T00:00", "2026-11-30T23:00"),
        ("@daily", "2026-11-27T00:00", "2026-11-27T23:00"),
        # Summer time begins: 02:00 becomes 03:00. What was to be at 02:30 is at 03:30.
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:30"),
        # It ends: 02:30 comes at 00:30 and at 01:30 UTC, and nobody is called twice for that.
        ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_the_next_moment(cron: str, now: str, due: str) -> None:
    assert next_after(cron, BERLIN, at(now)) == at(due)


@pytest.mark.parametrize("cron", ["", "x", "61 * * * *", "* * * * * *", "0 9 * * funday", "0 0 30 2 *"])
def test_what_is_none_is_refused(cron: str) -> None:
    with pytest.raises(BadCron, match="mon-fri"):
        next_after(cron, BERLIN, at("2026-11-27T00:00"))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 730 * 24 * 60), st.integers(0, 23))
def test_every_day_has_it_once(minute: int, hour: int) -> None:
    now = at("2026-01-01") + timedelta(minutes=minute)
    due = next_after(f"0 {hour} * * *", BERLIN, now)
    assert now < due <= now + timedelta(hours=25)
    following = next_after(f"0 {hour} * * *", BERLIN, due)
    place = ZoneInfo(BERLIN)
    assert (following.astimezone(place).date() - due.astimezone(place).date()).days == 1
