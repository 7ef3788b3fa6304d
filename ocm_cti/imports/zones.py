"""What people write into a column of time zones -> a zone of the IANA database."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

#: Hours beside UTC, or beside Moscow as Russians count them.
_BESIDE = re.compile(r"(UTC|GMT|МСК|MSK)?\s*(?:([+-])\s*(\d{1,2})(?::?00)?)?", re.IGNORECASE)
_MOSCOW_H = 3


@cache
def _zones() -> dict[str, str]:
    """In any case -> as the database has it; without those that mean this machine's own, or nothing."""
    return {name.casefold(): name for name in available_timezones() - {"localtime", "posixrules", "Factory"}}


def zone_of(written: str) -> str:
    """``Asia/Omsk`` in any case; ``МСК+2``, ``UTC+5``, ``+5`` -> ``Etc/GMT-5`` (whose sign is the other way round).

    "" for "". Raises ValueError with one line.
    """
    if not written:
        return ""
    found = _BESIDE.fullmatch(written.strip())
    if found is not None and (found[1] or found[2]):
        hours = int(found[3] or 0) * (-1 if found[2] == "-" else 1)
        if (found[1] or "").upper() in ("МСК", "MSK"):
            hours += _MOSCOW_H
        if -12 <= hours <= 14:
            return "Etc/UTC" if hours == 0 else f"Etc/GMT{-hours:+d}"
    else:
        known = _zones().get(written.strip().casefold())
        if known is not None:
            return known
    raise ValueError(f"{written!r} is no time zone; as Asia/Yekaterinburg, UTC+5 or МСК+2")
