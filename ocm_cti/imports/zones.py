"""What people write into a column of time zones -> a zone of the IANA database."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

#: Hours beside UTC, or beside Moscow as Russians count them.
_BESIDE = re.compile(r"(UTC|GMT|МСК|MSK)\s*(?:([+-])\s*(\d{1,2})(?::?00)?)?", re.IGNORECASE)
_MOSCOW_H = 3


def zone_of(written: str) -> str:
    """``Asia/Omsk`` as it is; ``МСК+2``, ``UTC+5`` -> ``Etc/GMT-5`` (whose sign is the other way round); "" for "".

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
    else:
        try:
            ZoneInfo(written)
        except (KeyError, OSError, ValueError):
            pass
        else:
            return written
    raise ValueError(f"{written!r} is no time zone; as Asia/Yekaterinburg, UTC+5 or МСК+2")
