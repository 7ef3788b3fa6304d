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
        ("UTC", 0),
        ("UTC+5", 5),
        ("utc -3", -3),
        ("МСК", 3),
        ("МСК+2", 5),
        ("MSK-1", 2),
        ("GMT+5", 5),
    ],
)
def test_hours_beside_utc(written: str, hours: int) -> None:
    there = datetime(2026, 11, 23, tzinfo=UTC).astimezone(ZoneInfo(zone_of(written)))
    offset = there.utcoffset()
    assert offset is not None and offset.total_seconds() == hours * 3600


def test_nothing_is_nothing() -> None:
    assert zone_of("") == ""


@pytest.mark.parametrize("written", ["Moskau", "UTC+99", "5", "/etc/passwd", "Европа"])
def test_what_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(written)


@pytest.mark.parametrize(
    ("written", "zone"),
    [("asia/omsk", "Asia/Omsk"), ("EUROPE/KYIV", "Europe/Kyiv"), ("+5", "Etc/GMT-5"), ("-3:00", "Etc/GMT+3")],
)
def test_as_people_write_them(written: str, zone: str) -> None:
    assert zone_of(written) == zone


@pytest.mark.parametrize("written", ["localtime", "posixrules", "Factory", "5", "../etc/passwd"])
def test_what_is_no_place(written: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of(written)
