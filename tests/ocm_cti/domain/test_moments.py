"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ocm_cti.domain.moments import appointed

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # 12:30 in Moscow
MOSCOW, BERLIN = "Europe/Moscow", "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-12-01 09:00", MOSCOW, "2026-12-01T06:00"),
        ("2026-12-01T9:00", MOSCOW, "2026-12-01T06:00"),
        (" 12:31 ", MOSCOW, "2026-11-23T09:31"),
        ("12:30", MOSCOW, "2026-11-24T09:30"),
        ("00:00", MOSCOW, "2026-11-23T21:00"),
        ("2027-10-31 02:30", BERLIN, "2027-10-31T00:30"),  # comes twice: the first one
    ],
)
def test_moments(text: str, zone: str, moment: str) -> None:
    assert appointed(text, NOW, zone) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_without_a_zone_it_is_the_clock_of_this_machine() -> None:
    assert appointed("2026-12-01 09:00", NOW) == datetime(2026, 12, 1, 9, 0).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tomorrow", "is no time"),
        ("25:00", "is no time"),
        ("2026-02-30 09:00", "is no time"),
        ("2026-11-23 12:30", "has gone by"),
        ("2027-03-28 02:30", "the change of the clock leaves it out"),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        appointed(text, NOW, BERLIN if "2027" in text else MOSCOW)


def test_the_day_may_go_first() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert appointed("1.12.2026 09:30", now, "UTC") == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="is no time"):
        appointed("32.12.2026 09:30", now, "UTC")
    with pytest.raises(ValueError, match="has gone by"):
        appointed("01.11.2026 09:30", now, "UTC")
