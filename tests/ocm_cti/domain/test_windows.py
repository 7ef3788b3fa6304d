"""Hours of calling, against a walk through the minutes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.windows import DAYS, Windows

OFFICE = Windows.from_table({"mon-fri": "09:00-13:00, 14:00-20:00", "sat": "10:00-18:00"})
MOSCOW, BERLIN, LORD_HOWE = "Europe/Moscow", "Europe/Berlin", "Australia/Lord_Howe"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T08:59:59", "2026-11-23T09:00"),  # a Monday
        ("2026-11-23T09:00:00", "2026-11-23T09:00"),
        ("2026-11-23T12:59:59", "2026-11-23T12:59:59"),
        ("2026-11-23T13:00:00", "2026-11-23T14:00"),
        ("2026-11-23T20:00:00", "2026-11-24T09:00"),
        ("2026-11-27T23:00:00", "2026-11-28T10:00"),
        ("2026-11-28T18:00:00", "2026-11-30T09:00"),
    ],
)
def test_a_week_of_an_office(moment: str, opens: str) -> None:
    assert OFFICE.next_open_at(at(moment, MOSCOW), MOSCOW) == at(opens, MOSCOW)
    assert OFFICE.is_open(at(moment, MOSCOW), MOSCOW) == (at(moment, MOSCOW) == at(opens, MOSCOW))


def test_three_at_night_in_moscow_is_ten_in_vladivostok() -> None:
    night = at("2026-11-24T03:00", MOSCOW)
    assert not OFFICE.is_open(night, MOSCOW)
    assert OFFICE.is_open(night, "Asia/Vladivostok")
    assert not OFFICE.is_open(night + timedelta(hours=3, minutes=30), "Asia/Vladivostok")  # their break


def test_closed_days_are_left_out_by_the_clock_there() -> None:
    closed = OFFICE.closed_on([date(2026, 11, 24), date(2026, 11, 25)])
    assert not closed.is_open(at("2026-11-24T12:00", MOSCOW), MOSCOW)
    assert closed.next_open_at(at("2026-11-23T20:00", MOSCOW), MOSCOW) == at("2026-11-26T09:00", MOSCOW)
    # When it is Monday evening in Moscow, the closed Tuesday has begun in Vladivostok.
    assert not closed.is_open(at("2026-11-23T18:00", MOSCOW), "Asia/Vladivostok")
    without_hours = Windows().closed_on([date(2026, 11, 24)])
    assert without_hours.next_open_at(at("2026-11-24T00:00", MOSCOW), MOSCOW) == at("2026-11-25T00:00", MOSCOW)


def test_when_every_day_is_closed_nobody_is_called() -> None:
    year = [date(2026, 11, 23) + timedelta(days=ahead) for ahead in range(500)]
    monday = at("2026-11-23T10:00", MOSCOW)
    assert OFFICE.closed_on(year).next_open_at(monday, MOSCOW) == monday + timedelta(days=400)


def test_an_hour_that_summer_time_leaves_out() -> None:
    """Berlin, 29 March 2026: 02:00 becomes 03:00."""
    early = Windows.from_table({"sun": "02:30-03:30"})
    opens = early.next_open_at(at("2026-03-29T00:00", BERLIN), BERLIN)
    assert opens == at("2026-03-29T03:00", BERLIN)
    never = Windows.from_table({"sun": "02:10-02:50"})
    assert never.next_open_at(at("2026-03-29T00:00", BERLIN), BERLIN) == at("2026-04-05T02:10", BERLIN)


def test_an_hour_that_comes_twice() -> None:
    """Berlin, 25 October 2026: 03:00 becomes 02:00, so 02:10 to 02:20 comes at 00:10 and at 01:10 UTC."""
    early = Windows.from_table({"sun": "02:10-02:20"})
    assert early.next_open_at(at("2026-10-24T22:00"), BERLIN) == at("2026-10-25T00:10")
    assert early.next_open_at(at("2026-10-25T00:20"), BERLIN) == at("2026-10-25T01:10")


def test_no_hours_are_no_restriction() -> None:
    moment = at("2026-11-23T03:00")
    assert Windows().anytime
    assert Windows().is_open(moment, MOSCOW)
    assert Windows().next_open_at(moment, MOSCOW) == moment


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"mo": "09:00-20:00"}, "windows.mo: is no day"),
        ({"fri-mon": "09:00-20:00"}, "the week begins with mon"),
        ({"mon": "09:00-20:00", "mon-tue": "10:00-11:00"}, "mon has hours already"),
        ({"mon": "9-20"}, "must be as"),
        ({"mon": "09:00-24:01"}, "no time of day"),
        ({"mon": "09:60-10:00"}, "no time of day"),
        ({"mon": "20:00-09:00"}, "ends before it begins"),
        ({"mon": "09:00-12:00, 11:00-13:00"}, "overlap"),
        ({"mon": 9}, "must be a text"),
        ({}, "nobody would ever be called"),
    ],
)
def test_what_is_wrong_is_said(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Windows.from_table(table)


RANGES = st.lists(st.integers(0, 24 * 60), min_size=2, max_size=4, unique=True).map(
    lambda minutes: list(zip(sorted(minutes)[::2], sorted(minutes)[1::2], strict=False))
)
WEEKS = st.dictionaries(st.sampled_from(DAYS), RANGES, min_size=1, max_size=3)


def written(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@settings(max_examples=60, deadline=None)
@given(
    WEEKS,
    st.integers(0, 365 * 24 * 60),
    st.sampled_from([MOSCOW, BERLIN, LORD_HOWE, "America/St_Johns", "Asia/Kathmandu"]),
)
def test_as_one_who_looks_at_the_clock_each_minute(
    week: dict[str, list[tuple[int, int]]], minute_of_year: int, zone: str
) -> None:
    windows = Windows.from_table(
        {day: ", ".join(f"{written(start)}-{written(end)}" for start, end in ranges) for day, ranges in week.items()}
    )
    assert Windows.from_table(windows.to_table()) == windows
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute_of_year)
    opens = windows.next_open_at(now, zone)

    def open_at(minute: datetime) -> bool:
        name, clock = minute.astimezone(ZoneInfo(zone)).strftime("%a %H:%M").lower().split()
        return any(written(start) <= clock < written(end) for start, end in week.get(name, []))

    looked = now
    while not open_at(looked):
        looked += timedelta(minutes=1)
    assert opens == looked
    assert windows.is_open(opens, zone)
