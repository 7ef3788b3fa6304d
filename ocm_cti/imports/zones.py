"""What people write into a column of time zones -> a zone of the IANA database."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

#: Hours beside UTC, or beside Moscow as Russians count them.
_BESIDE = re.compile(r"(UTC|GMT|МСК|MSK)\s*(?:([+-])\s*(\d{1,2})(?::?00)?)?", re.IGNORECASE)
_MOSCOW_H = 3
#: Names of the database that are no place: what is meant differs from machine to machine.
_NO_PLACE = frozenset({"localtime", "posixrules", "factory"})
_HALF_AN_HOUR = re.compile(r"(?:UTC|GMT|МСК|MSK)?\s*[+-]\s*\d{1,2}:?[134][05]", re.IGNORECASE)
_BARE = re.compile(r"[+-]\s*\d{1,2}(?::?00)?")


def zone_of(written: str) -> str:
    """``Asia/Omsk`` in any case; ``МСК+2``, ``UTC+5`` -> ``Etc/GMT-5`` (whose sign is the other way round); "" for "".

    Raises ValueError with one line.
    """
    if not written:
        return ""
    found = _BESIDE.fullmatch(written.strip())
    if found is not None:
        hours = int(found[3] or 0) * (-1 if found[2] == "-" else 1)
        if found[1].upper() in ("МСК", "MSK"):
            hours += _MOSCOW_H
        if -12 <= hours <= 14:
            return "Etc/UTC" if hours == 0 else f"Etc/GMT{-hours:+d}"
    elif (name := _names().get(written.strip().casefold())) is not None:
        return name
    hint = "as Asia/Yekaterinburg, UTC+5 or МСК+2"
    if _BARE.fullmatch(written.strip()):
        hint = f"beside what? UTC{written.strip()} or МСК{written.strip()}"
    elif _HALF_AN_HOUR.fullmatch(written.strip()):
        hint = "hours beside UTC are whole ones; where they are not, name the place, as Asia/Kolkata"
    raise ValueError(f"{written!r} is no time zone; {hint}")


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if name.casefold() not in _NO_PLACE}
