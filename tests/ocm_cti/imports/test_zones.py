"""Time zones as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ocm_cti.imports.zones import zone_of


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("Asia/Omsk", 6),
        (" asia/omsk ", 6),
        ("ASIA/KOLKATA", 5.5),
        ("UTC", 0),
        ("UTC+5", 5),
        ("utc -3", -3),
        ("МСК", 3),
        ("МСК+2", 5),
        ("MSK-1", 2),
        ("GMT+5", 5),
    ],
)
def test_hours_beside_utc(written: str, hours: float) -> None:
    there = datetime(2026, 11, 23, tzinfo=UTC).astimezone(ZoneInfo(zone_of(written)))
    offset = there.utcoffset()
    assert offset is not None and offset.total_seconds() == hours * 3600


def test_nothing_is_nothing() -> None:
    assert zone_of("") == ""


@pytest.mark.parametrize(
    "written", ["Moskau", "UTC+99", "5", "/etc/passwd", "Европа", "localtime", "posixrules", "Factory"]
)
def test_what_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(written)


@pytest.mark.parametrize(
    ("written", "hint"),
    [("+5", "UTC\\+5 or МСК\\+5"), ("-3", "UTC-3"), ("UTC+05:30", "Asia/Kolkata"), ("+0545", "Asia/Kolkata")],
)
def test_what_could_mean_two_things_is_not_guessed(written: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        zone_of(written)


def test_a_zone_is_kept_by_its_own_name() -> None:
    assert zone_of("europe/KYIV") == "Europe/Kyiv"
