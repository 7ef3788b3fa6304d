"""How often one person may be called at most: over all campaigns, lists and numbers of his, by days, weeks and months.

Days begin at midnight on the clock of the list's zone, weeks on Monday, months on the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PERIODS = ("day", "week", "month")


@dataclass(frozen=True)
class Caps:
    """Calls in each period; 0: no limit there."""

    day: int = 0
    week: int = 0
    month: int = 0

    @property
    def unlimited(self) -> bool:
        return not (self.day or self.week or self.month)

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> Caps:
        """``{ day = 2, week = 4, month = 16 }``. Raises ValueError with one line that names the key."""
        given: dict[str, int] = {}
        for key, value in table.items():
            if key not in PERIODS:
                raise ValueError(f"caps.{key}: is no period; known: {', '.join(PERIODS)}")
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"caps.{key}: must be a whole number from 1 on, not {value!r}")
            given[key] = value
        return cls(**given)

    def since_at(self, now: datetime, zone: str) -> datetime:
        """Calls before this moment (aware UTC) count in no period of now."""
        today = now.astimezone(ZoneInfo(zone)).date()
        return _midnight(min(_begin(period, today) for period in PERIODS), zone)

    def free_at(self, called_at: Sequence[datetime], now: datetime, zone: str) -> datetime | None:
        """When the person may be called again, who was called at these moments; None: now. All aware."""
        if self.unlimited:
            return None
        today = now.astimezone(ZoneInfo(zone)).date()
        waits = []
        for period in PERIODS:
            limit = getattr(self, period)
            begin = _begin(period, today)
            begin_at = _midnight(begin, zone)
            if limit and sum(at >= begin_at for at in called_at) >= limit:
                waits.append(_midnight(_next(period, begin), zone))
        return max(waits, default=None)


@dataclass(frozen=True)
class Preset:
    """Caps and hours of a law as far as we know it. ``source``: where that stands. Check it with counsel."""

    caps: Caps
    windows: Mapping[str, str]
    source: str


PRESETS: Mapping[str, Preset] = {
    "ru-230fz-people": Preset(
        Caps(day=1, week=2, month=8),
        {"mon-fri": "08:00-22:00", "sat-sun": "09:00-20:00"},
        "Russia, 230-FZ, calls to debtors by people; press reports, the weekday hours are the least sure",
    ),
    "ua-consumer-credit": Preset(
        Caps(day=2),
        {"mon-fri": "09:00-20:00"},
        "Ukraine, law on ethical behaviour towards debtors (in force since July 2021): two contacts a day, none from "
        "20:00 to 9:00 nor on days off; that the law is there is confirmed, its figures are from memory",
    ),
    "us-tcpa": Preset(
        Caps(month=3),
        {"mon-sun": "08:00-21:00"},
        "USA, TCPA, exempted prerecorded calls to homes: 3 in 30 days (a calendar month here), 8 to 21 at the called",
    ),
    "ru-230fz-robots": Preset(
        Caps(day=2, week=4, month=16),
        {"mon-sun": "09:10-19:50"},
        "Russia, 230-FZ, calls to debtors by automated agents, as a Russian provider has it built in",
    ),
}


def _begin(period: str, day: date) -> date:
    if period == "day":
        return day
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)


def _next(period: str, begin: date) -> date:
    if period == "month":
        return (begin + timedelta(days=31)).replace(day=1)
    return begin + timedelta(days=1 if period == "day" else 7)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
