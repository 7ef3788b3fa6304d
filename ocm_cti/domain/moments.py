"""A moment as a person writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[ T])?(?P<hour>\d{1,2}):(?P<minute>\d\d)")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4}) (?P<hour>\d{1,2}):(?P<minute>\d\d)")


def appointed(text: str, now: datetime, zone: str = "") -> datetime:
    """``2026-12-01 09:00``, ``01.12.2026 09:00``, or ``09:00`` for the next time that the clock shows it -> aware UTC.

    It is later than ``now``, on the clock of ``zone`` (IANA), or of this machine without one. Raises ValueError for
    what is no moment, has gone by, or is left out by a change of the clock; of a repeated hour the first is meant.
    """
    found = _WRITTEN.fullmatch(text.strip()) or _DAY_FIRST.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'{text!r} is no time: "2026-12-01 09:00", "01.12.2026 09:00", or "09:00"')
    there: tzinfo | None = ZoneInfo(zone) if zone else None
    hour, minute = int(found["hour"]), int(found["minute"])
    try:
        if found["y"]:
            moment = _on_clock(datetime(int(found["y"]), int(found["m"]), int(found["d"]), hour, minute), there)  # noqa: DTZ001
        else:
            today = now.astimezone(there).replace(tzinfo=None)
            local = today.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
            moment = _on_clock(local, there)
            if moment <= now:
                moment = _on_clock(local + timedelta(days=1), there)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from None
    if moment <= now:
        raise ValueError(f"{text!r} has gone by")
    return moment


def _on_clock(local: datetime, zone: tzinfo | None) -> datetime:
    moment = (local.replace(tzinfo=zone) if zone is not None else local).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("the change of the clock leaves it out")
    return moment
