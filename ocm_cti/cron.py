"""When the clock starts something: cron lines, read by croniter, on the wall clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

COLUMNS = "minute hour day month weekday"


class BadCron(ValueError):
    """No cron line; the text says why and how one looks."""


def next_after(cron: str, zone: str, at: datetime) -> datetime:
    """The first moment after ``at`` (aware) at which the line is due, aware UTC.

    What is due in an hour that the clock goes through twice is due once, the first time; in an hour that is left out,
    as much later as the clock jumps. Raises BadCron.
    """
    if len(cron.split()) != 5 and not cron.startswith("@"):
        raise BadCron(f'{cron!r} is no cron line: five columns, {COLUMNS}; as "0 9 * * mon-fri"')
    place = ZoneInfo(zone)
    local = at.astimezone(place).replace(tzinfo=None, fold=0)
    try:
        # An hour back, because the clock may have gone through this hour before.
        steps = croniter(cron, local - timedelta(hours=2))
        while True:
            found = steps.get_next(datetime).replace(tzinfo=place).astimezone(UTC)
            if found > at:
                return found
    except CroniterError as error:
        raise BadCron(f'{cron!r} is no cron line ({error}); {COLUMNS}, as "0 9 * * mon-fri"') from None
