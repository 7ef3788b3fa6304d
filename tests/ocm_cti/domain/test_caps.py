"""How often one person may be called, against a count by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.caps import PRESETS, Caps
from ocm_cti.domain.windows import Windows

MOSCOW = "Europe/Moscow"
ROBOTS = PRESETS["ru-230fz-robots"].caps


def at(text: str, zone: str = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("called", "now", "free"),
    [
        ([], "2026-11-23T12:00", None),
        (["2026-11-23T09:00"], "2026-11-23T12:00", None),
        (["2026-11-23T09:00", "2026-11-23T10:00"], "2026-11-23T12:00", "2026-11-24T00:00"),
        (["2026-11-22T09:00", "2026-11-22T10:00"], "2026-11-23T00:00", None),
        (["2026-11-23T09:00", "2026-11-23T10:00"] * 2, "2026-11-25T12:00", "2026-11-30T00:00"),
        (["2026-11-23T09:00"] * 16, "2026-11-23T12:00", "2026-12-01T00:00"),
        (["2026-11-30T09:00"] * 4, "2026-11-30T12:00", "2026-12-07T00:00"),  # the week is longer than the month
    ],
)
def test_robots(called: list[str], now: str, free: str | None) -> None:
    expected = None if free is None else at(free)
    assert ROBOTS.free_at([at(one) for one in called], at(now), MOSCOW) == expected


def test_midnight_is_that_of_the_zone() -> None:
    now = at("2026-11-23T22:30", "UTC")  # half past one on the 24th in Moscow
    assert Caps(day=1).free_at([at("2026-11-23T20:59", "UTC")], now, MOSCOW) is None
    assert Caps(day=1).free_at([at("2026-11-23T21:01", "UTC")], now, MOSCOW) == at("2026-11-25T00:00")


MOMENTS = st.integers(0, 80 * 24).map(lambda hours: datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=hours))


@settings(max_examples=100)
@given(
    st.builds(Caps, st.integers(0, 2), st.integers(0, 4), st.integers(0, 8)),
    st.lists(MOMENTS, max_size=12),
    MOMENTS,
    st.sampled_from([MOSCOW, "Europe/Berlin", "America/St_Johns"]),
)
def test_as_the_calendar_counts(caps: Caps, called: list[datetime], now: datetime, zone: str) -> None:
    called = [one for one in called if one <= now]

    def full(moment: datetime) -> bool:
        def keys(one: datetime) -> tuple[object, ...]:
            local = one.astimezone(ZoneInfo(zone))
            return local.date(), tuple(local.isocalendar())[:2], (local.year, local.month)

        return any(
            limit and sum(keys(one)[place] == keys(moment)[place] for one in called) >= limit
            for place, limit in enumerate((caps.day, caps.week, caps.month))
        )

    free = caps.free_at(called, now, zone)
    assert (free is not None) == full(now)
    since_at = caps.since_at(now, zone)
    assert caps.free_at([one for one in called if one >= since_at], now, zone) == free
    if free is not None:
        assert not full(free)
        assert full(free - timedelta(seconds=1))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_whole(preset: str) -> None:
    assert not Windows.from_table(PRESETS[preset].windows).anytime
    assert not PRESETS[preset].caps.unlimited
    assert PRESETS[preset].source


@pytest.mark.parametrize(
    ("table", "says"),
    [({"year": 1}, "is no period"), ({"day": 0}, "from 1 on"), ({"day": True}, "from 1 on"), ({"day": "2"}, "from 1")],
)
def test_what_is_wrong_is_said(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Caps.from_table(table)
