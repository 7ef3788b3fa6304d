"""When people may be called: hours of each weekday, and days when nobody is, on the clock of their zone. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: So far ahead an opening is looked for: closed days may swallow the only weekday for weeks, but hardly for a year.
DAYS_AHEAD = 400

_MINUTES_A_DAY = 24 * 60
_ALL_DAY = ((0, _MINUTES_A_DAY),)
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


@dataclass(frozen=True)
class Windows:
    """``hours`` has for each weekday from Monday the ranges (from, to) in minutes of the day, in order, apart.

    ``to`` is not in it any more. Without any range at all there is no restriction of hours. On the days ``closed``
    (public holidays, days that the user has named) nobody is called at all.
    """

    hours: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7
    closed: frozenset[date] = frozenset()

    @property
    def anytime(self) -> bool:
        return not any(self.hours) and not self.closed

    def closed_on(self, days: Iterable[date]) -> Windows:
        """The same hours, and nobody is called on these days either."""
        return replace(self, closed=self.closed | frozenset(days))

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> Windows:
        """``{ mon-fri = "09:00-13:00, 14:00-20:00", sat = "10:00-18:00" }``; a day that is not named is closed.

        Raises ValueError with one line that names the key.
        """
        hours: list[tuple[tuple[int, int], ...] | None] = [None] * 7
        for key, value in table.items():
            if not isinstance(value, str):
                raise ValueError(f'windows.{key}: must be a text as "09:00-20:00", not {value!r}')
            ranges = _ranges(key, value)
            for day in _days(key):
                if hours[day] is not None:
                    raise ValueError(f"windows.{key}: {DAYS[day]} has hours already")
                hours[day] = ranges
        windows = cls(tuple(day or () for day in hours))
        if windows.anytime:
            raise ValueError("windows: there is not one hour in it: nobody would ever be called")
        return windows

    def to_table(self) -> dict[str, str]:
        """What ``from_table`` reads back equal; {} for no restriction."""
        return {
            DAYS[day]: ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in ranges)
            for day, ranges in enumerate(self.hours)
            if ranges
        }

    def is_open(self, at: datetime, zone: str) -> bool:
        """Whether somebody in ``zone`` (IANA) may be called at this moment (aware)."""
        if self.anytime:
            return True
        there = at.astimezone(ZoneInfo(zone))
        minute = there.hour * 60 + there.minute
        return any(start <= minute < end for start, end in self._ranges(there.date()))

    def _ranges(self, day: date) -> tuple[tuple[int, int], ...]:
        if day in self.closed:
            return ()
        return self.hours[day.weekday()] if any(self.hours) else _ALL_DAY

    def next_open_at(self, at: datetime, zone: str) -> datetime:
        """The first moment from ``at`` on when it is open, aware UTC; ``at`` itself when it is open now.

        An opening that the change to summer time leaves out is the moment at which the clock goes on.
        """
        if self.is_open(at, zone):
            return at.astimezone(UTC)
        first = at.astimezone(ZoneInfo(zone)).date()
        for ahead in range(DAYS_AHEAD):
            for moment in self._openings(first + timedelta(days=ahead), zone):
                if moment > at and self.is_open(moment, zone):
                    return moment
        return at.astimezone(UTC) + timedelta(days=DAYS_AHEAD)  # every day is closed: looked at again then

    def _openings(self, day: date, zone: str) -> Iterator[datetime]:
        """Moments of that day at which it may become open, in order: openings, and the hour repeated in autumn."""
        moments = set()
        for start, end in self._ranges(day):
            for minute in range(start, end):
                midnight = datetime.combine(day, time(), ZoneInfo(zone))
                local = midnight + timedelta(minutes=minute)
                found = {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
                moments |= found
                if len(found) == 1 and self.is_open(min(found), zone):
                    break  # neither left out nor repeated: the range begins here
        return iter(sorted(moments))


def _days(key: str) -> list[int]:
    found = _DAYS.fullmatch(key)
    if found is None or found[1] not in DAYS or (found[2] or "mon") not in DAYS:
        raise ValueError(f"windows.{key}: is no day; a day or a range of days: mon, sat, mon-fri")
    first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
    if last < first:
        raise ValueError(f"windows.{key}: the week begins with mon; write two entries")
    return list(range(first, last + 1))


def _ranges(key: str, text: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    for part in text.split(","):
        found = _HOURS.fullmatch(part.strip())
        if found is None:
            raise ValueError(f'windows.{key}: {part.strip()!r} must be as "09:00-20:00"; several with commas')
        start, end = (int(found[place]) * 60 + int(found[place + 1]) for place in (1, 3))
        if int(found[2]) > 59 or int(found[4]) > 59 or end > _MINUTES_A_DAY:
            raise ValueError(f"windows.{key}: {part.strip()!r} is no time of day")
        if start >= end:
            raise ValueError(f"windows.{key}: {part.strip()!r} ends before it begins; night hours are two days' ranges")
        ranges.append((start, end))
    ranges.sort()
    for (_, end), (start, _) in itertools.pairwise(ranges):
        if start < end:
            raise ValueError(f"windows.{key}: {text!r}: two ranges overlap")
    return tuple(ranges)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
